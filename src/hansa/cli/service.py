"""`hansa service`: service keys of a member's gateway (D12), and tokens of clients that use them.

Touches the folder `service` in the node's home, and the ledger by an administrator's key.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import click

from hansa.cli.answers import YES, answer, hint, json_option
from hansa.cli.network import NetworkError, find_node, format_numbers, is_network, list_nodes
from hansa.cli.place import NoSuchPlace, Place, is_number, place_options, signer_option
from hansa.client.faults import ClientError, Refused, Unreachable
from hansa.client.service import May, ServiceFolder

F = TypeVar("F", bound=Callable[..., Any])
DAY_MS: Final = 86_400_000
# Two years: longer than that nobody remembers who has it.
DAYS_MAX: Final = 730
_ENDED: Final = ".ended"
_REASON: Final = "service_key_revoked"


@click.group()
def command() -> None:
    """Let software that cannot sign use this member's gateway.

    A standard's own door (EPCIS: /food-trace/epcis) takes requests that carry no signature. A
    service key of the member signs for them: it acts for one application only, lives in the node's
    home (service/keys, 0600) and is never a person's. Each program has a token, which stands for
    the service account and opens that application's addresses, nothing else.

    Both end at once when they are revoked.

    \b
    Examples:
      hansa service make food-trace --as farm
      hansa service client 'scanner gate 3' food-trace --may capture
      hansa service list
      hansa service revoke-client 'scanner gate 3'
      hansa service revoke food-trace --as farm
    """


@command.command("make")
@click.argument("application")
@place_options
@signer_option
@json_option
def make(application: str, place: Place, signer_name: str | None, as_json: bool) -> int:
    """Make the service key of APPLICATION for the node here, and open its account.

    --as names an administrator of the member. The key is drawn on this machine and stays in the
    node's home. It has the roles of the member, in this application alone; what the service account
    may see is what the member may. Safe to run again after an interruption.

    \b
    Examples:
      hansa service make food-trace --as farm
      hansa service make food-trace --node 2 --as farm
    """
    from hansa.cli.acting import WAIT_S, judge_status, sign_drafts, tell_status
    from hansa.client.keys import generate_signer
    from hansa.client.transactions import Draft

    name = check_application(application)
    folder = ServiceFolder(find_home(place))
    admin = place.signer(signer_name)
    signer = folder.key(name)
    if signer is None:
        signer = generate_signer(name)
        folder.ring.store(signer)
    with place.gateway(admin) as gateway:
        found = gateway.record("accounts", "account", signer.account)
        if found is None:
            message = build_opening(gateway, admin.account, signer, name)
            data = sign_drafts(gateway, [admin], [Draft("accounts", message)], "atomic")
            status = gateway.wait(gateway.submit(data), WAIT_S)
            if judge_status(status) != YES:
                return tell_status(status, as_json=as_json)
    document = {"application": name, "account": signer.account, "kid": signer.kid}
    answer(document, f"{name}: {signer.kid} signs at this gateway", as_json=as_json)
    hint(f"Give a program its token: hansa service client LABEL {application} --may capture")
    return YES


def build_opening(gateway: Any, admin: str, signer: Any, application: str) -> Any:
    """The message that opens the service account."""
    from hansa.cli.rotation import sign_possession
    from hansa.contracts.accounts.model import OpenAccount

    account = gateway.record("accounts", "account", admin)
    if account is None:
        raise ClientError(
            f"{admin} has no account in this league", "sign as an administrator: --as NAME"
        )
    member = str(account["member"])
    return OpenAccount(
        kind="service",
        key_id=signer.kid.partition("#")[2],
        key=signer.private.public,
        purposes=("service",),
        scope=(application,),
        possession=sign_possession(signer, chain=gateway.league().chain, member=member),
    )


@command.command("revoke")
@click.argument("application")
@place_options
@signer_option
@json_option
def revoke(application: str, place: Place, signer_name: str | None, as_json: bool) -> int:
    """End the service key of APPLICATION: here at once, then on the ledger.

    The gateway stops signing from this moment, also while it runs; clients' tokens of the
    application open nothing any more. The account is closed by the administrator named by --as.
    What the key has signed stays. Safe to run again after an interruption.

    \b
    Example:
      hansa service revoke food-trace --as farm
    """
    from hansa.cli.acting import WAIT_S, judge_status, sign_drafts, tell_status
    from hansa.client.transactions import Draft
    from hansa.contracts.accounts.model import CloseAccount

    name = check_application(application)
    ring = ServiceFolder(find_home(place)).ring
    ended = ring.path(name + _ENDED)
    if ring.path(name).exists():
        ring.path(name).replace(ended)
    if not ended.exists():
        raise ClientError(f"there is no service key for {name} here", "hansa service list")
    account = ring.read(name + _ENDED).account
    hint("this gateway does not sign by it any more")
    admin = place.signer(signer_name)
    with place.gateway(admin) as gateway:
        record = gateway.record("accounts", "account", account)
        if record is not None and is_open(record):
            message = CloseAccount(account=account, reason=_REASON)
            data = sign_drafts(gateway, [admin], [Draft("accounts", message)], "atomic")
            status = gateway.wait(gateway.submit(data), WAIT_S)
            if judge_status(status) != YES:
                return tell_status(status, as_json=as_json)
    ended.unlink()
    document = {"application": name, "account": account}
    answer(document, f"{name}: {account} is closed", as_json=as_json)
    return YES


def is_open(record: dict[str, Any]) -> bool:
    """Whether an account's record, as the gateway shows it, is of one that is not closed."""
    standing = record.get("standing") or []
    return not standing or standing[-1].get("standing") != "closed"


@command.command("client")
@click.argument("label")
@click.argument("application")
@click.option(
    "--may",
    type=click.Choice(["read", "capture"]),
    default="read",
    show_default=True,
    help="Only ask, or also have the service key sign.",
)
@click.option(
    "--days",
    type=click.IntRange(1, DAYS_MAX),
    default=365,
    show_default=True,
    help="How long it is good for.",
)
@place_options
@json_option
def client(label: str, application: str, may: str, days: int, place: Place, as_json: bool) -> int:
    """Give the program LABEL a token for APPLICATION's addresses; it is shown this once.

    Only a digest of it is kept. The program sends it as `Authorization: Bearer TOKEN`, or as the
    password of Basic authorization with any name.

    \b
    Examples:
      hansa service client 'scanner gate 3' food-trace --may capture
      hansa service client dashboard food-trace --days 30
      curl -H "Authorization: Bearer TOKEN" http://127.0.0.1:8480/food-trace/epcis/events
    """
    name = check_application(application)
    folder = ServiceFolder(find_home(place))
    if not folder.account(name):
        raise ClientError(
            f"there is no service key for {name} here", f"hansa service make {application}"
        )
    token, made = folder.issue(
        label, name, cast("May", may), now_ms=read_now_ms(), lasts_ms=days * DAY_MS
    )
    document = {
        "label": made.label,
        "id": made.id,
        "application": made.application,
        "may": made.may,
        "ends_ms": made.ends_ms,
        "token": token,
    }
    answer(document, token, as_json=as_json)
    hint("Keep it like a password: it is not shown again, and nobody can make the same.")
    return YES


@command.command("revoke-client")
@click.argument("label")
@place_options
@json_option
def revoke_client(label: str, place: Place, as_json: bool) -> int:
    """End the token of the program LABEL (or of that id), at once.

    \b
    Example:
      hansa service revoke-client 'scanner gate 3'
    """
    folder = ServiceFolder(find_home(place))
    found = folder.find(label)
    if found is None:
        raise ClientError(f"there is no client {label!r} here", "hansa service list")
    folder.revoke(found)
    answer({"label": found.label, "id": found.id}, f"{found.label}: ended", as_json=as_json)
    return YES


@command.command("list")
@place_options
@json_option
def list_(place: Place, as_json: bool) -> int:
    """List the service keys and clients of the node here; `?`: the node was not asked.

    \b
    Example:
      hansa service list
    """
    folder = ServiceFolder(find_home(place))
    names = [name for name in folder.ring.names() if not name.endswith(_ENDED)]
    keys = [{"application": name, "kid": folder.account(name)} for name in names]
    states = ask_states(place, [key["kid"] for key in keys])
    now = read_now_ms()
    clients: list[dict[str, Any]] = [
        {
            "label": each.label,
            "id": each.id,
            "application": each.application,
            "may": each.may,
            "ends_ms": each.ends_ms,
            "is_over": each.ends_ms <= now,
        }
        for each in folder.clients()
    ]
    lines = [f"{key['application']:<16} {key['kid']}  {states[key['kid']]}" for key in keys]
    for each in clients:
        lines.append(format_client(each))
    document = {
        "keys": [{**key, "state": states[key["kid"]]} for key in keys],
        "clients": clients,
    }
    answer(document, "\n".join(lines), as_json=as_json)
    if not keys:
        hint("No service key here. Make one: hansa service make APPLICATION --as NAME")
    return YES


def format_client(client: dict[str, Any]) -> str:
    """One line of the list."""
    day = time.strftime("%Y-%m-%d", time.gmtime(client["ends_ms"] / 1000))
    state = "over since" if client["is_over"] else "until"
    return f"  {client['label']:<24} {client['application']} {client['may']}, {state} {day}"


def ask_states(place: Place, kids: list[str]) -> dict[str, str]:
    """What the ledger says of each key's account: open, closed, absent; `?`: it was not asked."""
    states = dict.fromkeys(kids, "?")
    try:
        with place.gateway(place.signer(None)) as gateway:
            for kid in kids:
                record = gateway.record("accounts", "account", kid.partition("#")[0])
                states[kid] = (
                    "absent" if record is None else "open" if is_open(record) else "closed"
                )
    except (ClientError, Refused, Unreachable):
        return states
    return states


def check_application(text: str) -> str:
    """The name of a civic application. Raises click.UsageError."""
    from hansa.catalog import CIVIC

    name = text.replace("-", "_")
    if name not in CIVIC:
        known = ", ".join(each.replace("_", "-") for each in CIVIC)
        raise click.UsageError(f"{text!r} is no application; there are: {known}")
    return name


def find_home(place: Place) -> Path:
    """The home of the node that is meant. Raises ClientError with the choice."""
    if place.league is None or (place.node and not is_number(place.node)):
        raise NoSuchPlace(
            "a service key lives in a node's home on this machine",
            "go into the league's folder, or give --league DIR (and --node N)",
        )
    if not is_network(place.league):
        return place.league
    if not place.node:
        choice = format_numbers(list_nodes(place.league))
        raise NetworkError("whose gateway?", f"give --node {choice}")
    return find_node(place.league, int(place.node)).folder


def read_now_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000

"""`hansa tx`: build, sign, send, follow transactions. Files, keys and the node's API."""

import shlex
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from hansa.cli.acting import Act, find_events, send, tell_status
from hansa.cli.answers import NO, YES, Screen, answer, hint, json_option
from hansa.cli.asking import check_id, is_id, open_gateway
from hansa.cli.place import Place, place_options, signer_option
from hansa.client.drafts import PartlySigned, add_signature, read_draft
from hansa.client.faults import ClientError
from hansa.client.files import read_file, store_file
from hansa.primitives.limits import TRANSACTION_BYTES_MAX

# A draft with all its signatures is a little larger than the transaction itself.
FILE_BYTES_MAX: Final = 2 * TRANSACTION_BYTES_MAX


@click.group()
def command() -> None:
    """Build, sign, send and follow transactions.

    The derived commands (hansa e-invoice …) do all of this at once. These are for acts of several
    organisations, where each signs on its own machine, and for asking again after a time-out.

    \b
    Examples:
      hansa tx build e_invoice DeliverInvoice --body '{"invoice": "…"}' --as seller-a -o act.json
      hansa tx sign act.json --as seller-a -o signed.jws
      hansa tx send signed.jws
      hansa tx wait 5f2c…
    """


@command.command("build")
@click.argument("application")
@click.argument("message")
@click.option("--body", required=True, metavar="JSON|@FILE", help="One message, or a list of them.")
@click.option("--with", "others", multiple=True, metavar="NAME", help="A further signer.")
@click.option("--mode", type=click.Choice(["atomic", "independent"]), default="atomic")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@signer_option
@place_options
@json_option
def build(
    application: str,
    message: str,
    body: str,
    others: tuple[str, ...],
    mode: str,
    output: Path,
    signer_name: str | None,
    place: Place,
    as_json: bool,
) -> int:
    """Write an unsigned transaction to a file, for its signers to look at and sign.

    Further signers are named by key name, DID URL of their key (did:hansa:…#k1), or JWK file name.
    """
    from hansa.cli.fields import build_message, parse_json
    from hansa.client.transactions import (
        Draft,
        build_payload,
        choose_expiry,
        compute_transaction_id,
    )

    kind = find_message(application, message)
    parsed = parse_json(body, "--body")
    bodies = parsed if isinstance(parsed, list) else [parsed]
    drafts = [Draft(application.replace("-", "_"), build_message(kind, each)) for each in bodies]
    kids = [find_kid(place, name) for name in (signer_name or place.default_name(), *others)]
    with place.gateway() as gateway:
        league = gateway.league()
    payload = build_payload(
        chain=league.chain,
        expiry=choose_expiry(league.height),
        drafts=drafts,
        signers=kids,
        mode="independent" if mode == "independent" else "atomic",
    )
    store_file(output, payload)
    document = {
        "id": compute_transaction_id(payload),
        "file": str(output),
        "signers": kids,
        "payload": msgspec.json.decode(payload),
    }
    answer(document, f"{document['id']}\n  {output}: to be signed by {len(kids)}", as_json=as_json)
    return YES


@command.command("sign")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@signer_option
@place_options
@json_option
def sign(file: Path, output: Path, signer_name: str | None, place: Place, as_json: bool) -> int:
    """Add a signature to a transaction's file. Look first: hansa tx show FILE."""
    draft = read_draft(read_file(file, FILE_BYTES_MAX))
    signed = add_signature(draft, place.signer(signer_name))
    store_file(output, signed.encode())
    document = {"file": str(output), "complete": signed.is_complete, "missing": signed.missing}
    if signed.is_complete:
        text = f"complete: hansa tx send {shlex.quote(str(output))}"
    else:
        text = "still to sign: " + ", ".join(signed.missing)
    answer(document, text, as_json=as_json)
    return YES


@command.command("send")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--no-wait", is_flag=True, help="Do not wait for the result.")
@click.option("--timeout", type=click.FloatRange(min=0), default=30.0, show_default=True)
@place_options
@json_option
def send_(file: Path, no_wait: bool, timeout: float, place: Place, as_json: bool) -> int:
    """Send a signed transaction. Sending it again is safe: same bytes, same id, never twice."""
    data = read_file(file, FILE_BYTES_MAX)
    how = Act(place, wait=not no_wait, timeout_s=timeout, as_json=as_json)
    with open_gateway(place, None) as gateway:
        return send(gateway, data, how)


@command.command("show")
@click.argument("transaction", metavar="ID|FILE")
@signer_option
@place_options
@json_option
def show(transaction: str, signer_name: str | None, place: Place, as_json: bool) -> int:
    """Show what became of a transaction, or what a transaction's file says.

    Exit code 1: the league does not know it.
    """
    if not is_id(transaction):
        return _show_file(Path(transaction), as_json=as_json)
    with open_gateway(place, signer_name) as gateway:
        status = gateway.status(transaction)
        events = find_events(gateway, status)
    tell_status(status, events, as_json=as_json)
    return NO if status.state == "unknown" else YES


@command.command("wait")
@click.argument("transaction", metavar="ID")
@click.option("--timeout", type=click.FloatRange(min=0), default=60.0, show_default=True)
@signer_option
@place_options
@json_option
def wait(
    transaction: str, timeout: float, signer_name: str | None, place: Place, as_json: bool
) -> int:
    """Wait until a transaction is decided. 0 all accepted, 1 something refused, 2 not yet."""
    check_id(transaction)
    with open_gateway(place, signer_name) as gateway:
        status = gateway.wait(transaction, timeout)
        return tell_status(status, find_events(gateway, status), as_json=as_json)


@command.command("list")
@click.option("--refused", is_flag=True, help="Only what was refused.")
@click.option("--code", default="", help="Only with this code, such as e_invoice.quota_spent.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--after", metavar="CURSOR", help="Go on after this cursor.")
@signer_option
@place_options
@json_option
def list_(
    refused: bool,
    code: str,
    limit: int,
    after: str | None,
    signer_name: str | None,
    place: Place,
    as_json: bool,
) -> int:
    """List messages that you may see, newest first: who sent what, and the ledger's answer."""
    wanted = "rejected" if refused and not code else code
    with open_gateway(place, signer_name) as gateway:
        page = gateway.messages(code=wanted, limit=limit, after=after)
    screen = Screen(as_json=as_json)
    screen.document({"items": list(page.items), "next": page.next})
    rows = [
        [each["height"], each["app"], each["type"], each["code"], each["rule"], each["transaction"]]
        for each in page.items
    ]
    screen.table(["height", "application", "message", "answer", "rule", "transaction"], rows)
    if page.next:
        hint(f"more: add --after {page.next}")
    return YES


def _show_file(file: Path, *, as_json: bool) -> int:
    draft = read_draft(read_file(file, FILE_BYTES_MAX))
    payload: dict[str, Any] = msgspec.json.decode(draft.payload)
    document = {"id": draft.id, "missing": draft.missing, "payload": payload}
    lines = [
        f"{draft.id}",
        f"  chain    {payload['chain']}, until height {payload['expiry']}, {payload['mode']}",
        *(f"  signer   {kid}{_mark(draft, kid)}" for kid in payload["signers"]),
        *(
            f"  message  {each['app']}/{each['type']} by signer {each['sender']}: "
            f"{msgspec.json.encode(each['body']).decode()}"
            for each in payload["messages"]
        ),
    ]
    answer(document, "\n".join(lines), as_json=as_json)
    return YES


def _mark(draft: PartlySigned, kid: str) -> str:
    return " (has not signed)" if kid in draft.missing else " ✓"


def find_message(application: str, name: str) -> Any:
    """The newest message type of that name. Raises click.UsageError with those there are."""
    from hansa.catalog import CIVIC, SYSTEM, load_application
    from hansa.cli.derived import find_newest, to_kebab

    known = SYSTEM | CIVIC
    if application.replace("-", "_") not in known:
        raise click.UsageError(f"no application {application!r}; there are: {', '.join(known)}")
    messages = {each.__name__: each for each in find_newest(load_application(application))}
    for each, message in messages.items():
        if name in (each, to_kebab(each)):
            return message
    raise click.UsageError(f"no message {name!r}; there are: {', '.join(messages)}")


def find_kid(place: Place, name: str) -> str:
    """DID URL of a key: as given, or of the key named so here."""
    if name.startswith("did:"):
        return name
    for ring in place.rings():
        if ring.path(name).exists():
            return ring.read(name).kid
    raise ClientError(f"no key is named {name!r}", "give a key's name or did:hansa:…#k1")

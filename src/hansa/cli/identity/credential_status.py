"""`hansa credential revoke`, `suspend`, `reinstate`, `status`, `sign-lists`: what becomes of
credentials. Reads indexes from them; sends messages of the contract `credentials`.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from hansa.cli.acting import Act, act, collect_act, json_parameter, place_parameters
from hansa.cli.answers import NO, YES, answer, hint, json_option
from hansa.cli.asking import open_gateway, reader_option
from hansa.cli.place import Place, find_place, place_options, signer_option
from hansa.cli.service import find_home
from hansa.client.credentials import WrongCredential, is_sd_jwt
from hansa.client.facts import parse_status_uri
from hansa.client.files import read_file
from hansa.client.keys import KeyFileError
from hansa.client.service import ServiceFolder
from hansa.client.transactions import Draft
from hansa.contracts.credentials.model import INDEXES_MAX, ReinstateStatus, SetStatus
from hansa.identity.faults import Malformed
from hansa.identity.json_document import DOCUMENT_BYTES_MAX
from hansa.identity.resolved import Unresolvable
from hansa.identity.sd_jwt_vc import parse_sd_jwt_vc
from hansa.identity.vc import parse_credential
from hansa.ledger.model import Message

APPLICATION: Final = "credentials"


class StatusPlace(NamedTuple):
    """Where a credential's status stands."""

    issuer: str
    name: str
    number: int


def read_places(path: Path) -> list[StatusPlace]:
    """Where a credential says that its status stands. Raises WrongCredential."""
    data = read_file(path, DOCUMENT_BYTES_MAX).strip()
    try:
        if is_sd_jwt(data):
            parsed = parse_sd_jwt_vc(data.decode("ascii", "replace"))
            found = [(parsed.status_uri, parsed.status_index)] if parsed.status_uri else []
        else:
            found = [(each.list, each.index) for each in parse_credential(data).statuses]
        places = {StatusPlace(*parse_status_uri(uri), index) for uri, index in found}
    except (Malformed, Unresolvable) as why:
        raise WrongCredential(f"{path}: {why}", "is it a credential of this league?") from why
    if not places:
        raise WrongCredential(f"{path} carries no status", "nobody can revoke it")
    return sorted(places)


def _collect(
    files: tuple[Path, ...], values: dict[str, Any], signer: str
) -> dict[tuple[str, str], list[int]]:
    """Indexes by issuer and list, from files and options."""
    places = [place for path in files for place in read_places(path)]
    if values["indexes"]:
        if not values["list_name"]:
            raise click.UsageError("say of which list: --list NAME")
        issuer = values["issuer"] or signer
        places += [StatusPlace(issuer, values["list_name"], index) for index in values["indexes"]]
    if not places:
        raise click.UsageError("give credentials, or --list NAME --index N")
    grouped: dict[tuple[str, str], set[int]] = {}
    for place in places:
        grouped.setdefault((place.issuer, place.name), set()).add(place.number)
    return {key: sorted(indexes) for key, indexes in sorted(grouped.items())}


def _send(files: tuple[Path, ...], value: str, values: dict[str, Any]) -> int:
    """Set or end a status: one transaction, as many messages as the indexes need."""
    how = collect_act(values)
    signer = how.place.signer(how.signer_name).account
    if values["issuer"]:
        values["issuer"] = how.place.did(values["issuer"])
    drafts = []
    for (issuer, name), indexes in _collect(files, values, signer).items():
        for start in range(0, len(indexes), INDEXES_MAX):
            part = tuple(indexes[start : start + INDEXES_MAX])
            message = _build(issuer, name, part, value, values.get("reason", ""))
            drafts.append(Draft(APPLICATION, message))
    return act(how, drafts)


def _build(issuer: str, name: str, indexes: tuple[int, ...], value: str, reason: str) -> Message:
    if value == "valid":
        return ReinstateStatus(issuer=issuer, list=name, indexes=indexes)
    return SetStatus(issuer=issuer, list=name, indexes=indexes, value=value, reason=reason)  # type: ignore[arg-type]


def _status(file: Path, **values: Any) -> int:
    place = find_place(values["league"], values["node"])
    told: list[dict[str, Any]] = []
    with open_gateway(place, values["signer_name"]) as gateway:
        for each in read_places(file):
            key = (each.issuer, each.name, f"{each.number:07d}")
            record = gateway.record(APPLICATION, "status", *key)
            spans: Sequence[Any] = () if record is None else record["spans"]
            standing = spans[-1] if spans and spans[-1]["until_ms"] is None else None
            told.append(
                {
                    "issuer": each.issuer,
                    "list": each.name,
                    "index": each.number,
                    "status": "valid" if standing is None else standing["value"],
                    "spans": list(spans),
                }
            )
    lines = [f"{each['list']} {each['index']}: {each['status']}" for each in told]
    answer(told, "\n".join(lines), as_json=values["as_json"])
    return YES if all(each["status"] == "valid" for each in told) else NO


def _files() -> click.Argument:
    kind = click.Path(path_type=Path, exists=True, dir_okay=False)
    return click.Argument(["files"], nargs=-1, metavar="[CREDENTIAL…]", type=kind)


def _change_command(name: str, value: str, about: str) -> click.Command:
    def run(files: tuple[Path, ...], **values: Any) -> int:
        return _send(files, value, values)

    reason = click.Option(
        ["--reason"], default="withdrawn", show_default=True, metavar="CODE", help="Why, as a code."
    )
    return click.Command(
        name,
        params=[
            _files(),
            click.Option(["--list", "list_name"], metavar="NAME", help="Status list."),
            click.Option(
                ["--index", "indexes"],
                multiple=True,
                type=click.IntRange(min=0),
                help="Index in it; may be given several times.",
            ),
            click.Option(["--issuer"], metavar="NAME|DID", help="Of the list.  [default: --as]"),
            *([] if value == "valid" else [reason]),
            *Act.options(),
        ],
        callback=run,
        help=f"{about}\n\nBy the credential itself, or by list and index; many at once.\n\n"
        f"\b\nExamples:\n  hansa credential {name} ada.vc.json --as university\n"
        f"  hansa credential {name} --list degrees --index 17 --index 40 --as university",
        short_help=about,
    )


@click.command("sign-lists")
@place_options
@signer_option
@json_option
def sign_lists(place: Place, signer_name: str | None, as_json: bool) -> int:
    """Let the gateway of this league's node sign status lists with a key of yours.

    The key (purpose sign or assert) is copied into the node's home, readable by it alone, without
    a passphrase. Ledger and bundles need no such signature; other people's wallets do.

    \b
    Example:
      hansa credential sign-lists --as university-lists
    """
    signer = place.signer(signer_name)
    ring = ServiceFolder(find_home(place)).ring
    try:
        path = ring.store(replace(signer, name=APPLICATION))
    except KeyFileError:
        if ring.read(APPLICATION).kid != signer.kid:
            raise
        path = ring.path(APPLICATION)
    answer({"file": str(path), "kid": signer.kid}, f"{path}: {signer.kid}", as_json=as_json)
    hint("the gateway signs with it from now on; remove the file to end that")
    return YES


revoke = _change_command("revoke", "revoked", "Revoke credentials, for good.")
suspend = _change_command("suspend", "suspended", "Suspend credentials until they are reinstated.")
reinstate = _change_command("reinstate", "valid", "End the suspension of credentials.")
status = click.Command(
    "status",
    params=[
        click.Argument(
            ["file"],
            metavar="CREDENTIAL",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
        ),
        reader_option(),
        *place_parameters(),
        json_parameter(),
    ],
    callback=_status,
    help="Say what the ledger has of a credential's status, with its history.\n\n"
    "Exit code 0 valid, 1 suspended or revoked. It believes the node; verify proves it.\n\n"
    "\b\nExample:\n  hansa credential status ada.vc.json",
    short_help="What the ledger has of its status.",
)

"""`hansa credential offer`, `offered` and `approve`: credentials for wallets, by OpenID4VCI.

Asks the gateway, which issues; takes indexes of status lists from the issuer's own folder.
"""

import time
from pathlib import Path
from typing import Any, Final

import click

from hansa.cli.acting import json_parameter, place_parameters
from hansa.cli.answers import NO, UNJUDGED, YES, answer, hint
from hansa.cli.identity.acts import Moment
from hansa.cli.identity.credential_issue import choose_status, read_claims
from hansa.cli.identity.known_schemas import find_schema
from hansa.cli.identity.wallet_codes import code_options, tell_code
from hansa.cli.identity.wallet_key import find_member
from hansa.cli.place import Place, find_place
from hansa.client.credentials import WrongCredential
from hansa.client.facts import parse_status_uri
from hansa.client.openid import WalletDesk

FORMATS: Final = {"sd-jwt": "dc+sd-jwt", "vc": "ldp_vc"}
DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
_GONE: Final = ("expired", "refused", "failed", "deleted")
_DONE: Final = ("issued", "accepted")


def open_desk(place: Place, name: str | None) -> WalletDesk:
    """The gateway, on behalf of a clerk."""
    place.url()  # where comes before who
    return WalletDesk(place.url(), place.signer(name))


def _offer(claims_file: Path, schema: str, svg: Path | None, force: bool, **values: Any) -> int:
    place = find_place(values["league"], values["node"])
    claims = read_claims(claims_file)
    with open_desk(place, values["signer_name"]) as desk:
        record = find_schema(desk, schema).record
        if record is None:
            raise WrongCredential("the schema has no published version", "hansa schema list")
        asked = build_offer(place, record, claims, values)
        if values["has_status"]:
            asked |= take_places(place, desk, values["list_name"], values["copies"])
        made = desk.offer(asked)
    places = {"list": asked.get("list", ""), "indexes": asked.get("indexes", [])}
    document = {**made, "configuration": asked["configuration"], **places}
    answer(document, tell_code(made["uri"], svg, force=force), as_json=values["as_json"])
    if made["tx_code"]:
        hint(f"tell the holder, by another way: {made['tx_code']}")
    if places["indexes"]:
        hint(f"its status: {places['list']} {' '.join(map(str, places['indexes']))}")
    hint(f"what becomes of it: hansa credential offered {made['id']}")
    return YES


def build_offer(
    place: Place, record: dict[str, Any], claims: dict[str, Any], values: dict[str, Any]
) -> dict[str, Any]:
    """The offer as the gateway takes it."""
    start_ms, days = values["since_ms"], values["days"]
    until_ms = values["until_ms"]
    if days is not None:
        until_ms = (_read_now_ms() if start_ms is None else start_ms) + days * DAY_MS
    return {
        "configuration": f"{record['name']}-{record['version']}.{FORMATS[values['form']]}",
        "claims": claims,
        "subject": place.did(values["holder"]) if values["holder"] else "",
        "accreditation": values["accreditation"] or "",
        "copies": values["copies"],
        "valid_from_ms": start_ms,
        "valid_until_ms": until_ms,
        "lasts_ms": values["hours"] * HOUR_MS,
        "grant": values["grant"],
        "has_tx_code": values["has_tx_code"],
        "is_deferred": values["is_deferred"],
        "is_by_reference": not values["is_by_value"],
    }


def take_places(place: Place, desk: WalletDesk, name: str | None, copies: int) -> dict[str, Any]:
    """An index for each copy in a list of the issuer. Raises WrongCredential."""
    signer = desk.signer
    issuer = find_member(desk, signer.account) if signer is not None else ""
    taken = [choose_status(place, desk, issuer, name, None)[:2] for _copy in range(copies)]
    return {
        "list": parse_status_uri(taken[0][0])[1],
        "indexes": [index for _uri, index in taken],
    }


def _read_now_ms() -> int:
    return time.time_ns() // 1_000_000


def _offered(id_: str, **values: Any) -> int:
    place = find_place(values["league"], values["node"])
    with open_desk(place, values["signer_name"]) as desk:
        found = desk.see_offer(id_)
    text = f"{found['configuration']}: {found['state']}"
    answer(found, text, as_json=values["as_json"])
    if found["state"] in _DONE:
        return YES
    return NO if found["state"] in _GONE else UNJUDGED


def _approve(what: str, is_refused: bool, **values: Any) -> int:
    place = find_place(values["league"], values["node"])
    is_pairing = len(what) == 9 and what[4] == "-"
    pairing, offer = (what.upper(), "") if is_pairing else ("", what)
    with open_desk(place, values["signer_name"]) as desk:
        found = desk.decide(pairing=pairing, offer=offer, is_approved=not is_refused)
    answer(found, f"{found['configuration']}: {found['state']}", as_json=values["as_json"])
    return YES


def clerk_options() -> list[click.Parameter]:
    """On whose behalf, and where."""
    return [
        click.Option(
            ["--as", "signer_name"], metavar="NAME|FILE", help="Which clerk (or HANSA_AS)."
        ),
        *place_parameters(),
        json_parameter(),
    ]


offer = click.Command(
    "offer",
    params=[
        click.Argument(
            ["claims_file"], metavar="CLAIMS.json", type=click.Path(path_type=Path, exists=True)
        ),
        click.Option(
            ["--schema"],
            required=True,
            metavar="ID|NAME|NAME@VERSION",
            help="The published schema that the claims fit.",
        ),
        click.Option(
            ["--form"],
            type=click.Choice([*FORMATS]),
            default="sd-jwt",
            show_default=True,
            help="SD-JWT VC: its holder withholds what he likes; or VC 2.0 with Data Integrity.",
        ),
        click.Option(["--holder"], metavar="NAME|DID", help="Only for a wallet with its key."),
        click.Option(["--copies"], type=click.IntRange(1, 16), default=1, show_default=True),
        click.Option(["--list", "list_name"], metavar="NAME", help="Status list of the issuer."),
        click.Option(["--status/--no-status", "has_status"], default=True, help="Revocable."),
        click.Option(
            ["--accreditation"], metavar="ID", help="Of the issuer.  [default: what fits]"
        ),
        click.Option(["--since", "since_ms"], type=Moment(), help="Valid from.  [default: now]"),
        click.Option(["--until", "until_ms"], type=Moment(), help="Valid before this time."),
        click.Option(["--days"], type=click.IntRange(min=1), help="Valid for so many days."),
        click.Option(
            ["--hours"],
            type=click.IntRange(1, 720),
            default=24,
            show_default=True,
            help="How long the offer stands.",
        ),
        click.Option(
            ["--tx-code", "has_tx_code"], is_flag=True, help="The wallet asks for a code of yours."
        ),
        click.Option(
            ["--deferred", "is_deferred"], is_flag=True, help="Issue only when you approve."
        ),
        click.Option(
            ["--grant"],
            type=click.Choice(["pre-authorised", "authorisation"]),
            default="pre-authorised",
            show_default=True,
            help="Who has the offer gets it, or a wallet that you or its holder approve.",
        ),
        click.Option(
            ["--by-value", "is_by_value"], is_flag=True, help="The whole offer in the code."
        ),
        *code_options(),
        *clerk_options(),
    ],
    callback=_offer,
    help="Offer a credential to somebody's wallet: a code to scan (OpenID4VCI 1.0).\n\n"
    "The gateway issues it by its key (serve-wallets) to a key that the wallet proves. The claims\n"
    "wait there, sealed by the offer itself, until it is redeemed or over.\n\n"
    "\b\nExamples:\n"
    "  hansa credential offer ada.json --schema degree --list degrees --as registrar\n"
    "  hansa credential offer ada.json --schema degree --tx-code --days 365 --svg ada.svg",
    short_help="Offer a credential to a wallet, as a code.",
)
offered = click.Command(
    "offered",
    params=[click.Argument(["id_"], metavar="ID"), *clerk_options()],
    callback=_offered,
    help="Say what became of an offer.\n\nExit code 0 issued, 1 it will not be, 2 it stands.\n\n"
    "\b\nExample:\n  hansa credential offered 6oXk… --as registrar",
    short_help="What became of an offer.",
)
approve = click.Command(
    "approve",
    params=[
        click.Argument(["what"], metavar="CODE|ID"),
        click.Option(["--refuse", "is_refused"], is_flag=True, help="Say no; ends the offer."),
        *clerk_options(),
    ],
    callback=_approve,
    help="Approve a wallet by the code it shows, or a deferred credential by its offer's ID.\n\n"
    "An issuer's clerk may, and the holder to whom the offer is made. --refuse also withdraws an\n"
    "offer that nobody has redeemed.\n\n"
    "\b\nExamples:\n  hansa credential approve 7KQW-M2XA --as registrar\n"
    "  hansa credential approve 6oXk… --refuse --as registrar",
    short_help="Approve a wallet, or a credential that waits.",
)

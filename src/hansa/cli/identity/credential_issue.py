"""`hansa credential issue`: a credential from a file of claims, signed by one or several issuers.

Asks the node for schema, accreditation and status list; keeps the indexes it has given out in the
issuer's own folder, so that none is used twice.
"""

import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from hansa.cli.acting import json_parameter, place_parameters
from hansa.cli.answers import YES, answer, hint
from hansa.cli.identity.accreditations import list_all
from hansa.cli.identity.acts import Moment
from hansa.cli.identity.known_schemas import KnownSchema, find_schema
from hansa.cli.place import Place, find_place
from hansa.client.credentials import SALT_BYTES, Order, WrongCredential, issue_sd_jwt, issue_vc
from hansa.client.facts import build_status_uri
from hansa.client.files import read_file, store_new
from hansa.client.gateway import Gateway
from hansa.client.keys import Signer
from hansa.client.trust import default_home
from hansa.crypto.signatures import PublicKey
from hansa.identity.did import parse_jwk
from hansa.identity.did_key import resolve_did_key
from hansa.identity.faults import Malformed
from hansa.identity.json_document import DOCUMENT_BYTES_MAX, parse_document
from hansa.identity.json_validation import CompiledSchema
from hansa.identity.links import Scope, covers

VC, SD_JWT = "vc", "sd-jwt"
DAY_MS: Final = 86_400_000
INDEXES: Final = "status-indexes"
# A list this full is better left: finding a free index at random takes longer and longer.
TRIES_MAX: Final = 10_000


def issue(
    claims_file: Path,
    schema: str,
    output: Path,
    form: str,
    holder: str | None,
    issuer: str | None,
    types: tuple[str, ...],
    list_name: str | None,
    index: int | None,
    has_status: bool,
    accreditation: str | None,
    since_ms: int | None,
    until_ms: int | None,
    days: int | None,
    **values: Any,
) -> int:
    """Callback of the command."""
    place = find_place(values["league"], values["node"])
    signers = [place.signer(values["signer_name"]), *map(place.signer, values["others"])]
    if form == SD_JWT and len(signers) > 1:
        raise click.UsageError(
            "an SD-JWT VC has one issuer; several sign a credential of --form vc"
        )
    claims = read_claims(claims_file)
    did = place.did(issuer) if issuer else signers[0].account
    now_ms = read_now_ms()
    start_ms = now_ms if since_ms is None else since_ms
    # All of it is public, and a key that issues only (purpose assert) opens no session.
    with place.gateway() as gateway:
        known = find_schema(gateway, schema)
        record = check_claims(known, claims)
        subject, key = find_holder(place, gateway, holder)
        order = Order(
            issuer=did,
            claims=claims,
            subject=subject,
            types=types or (to_type(record["name"]),),
            schema=record["id"],
            vct=record["vct"],
            accreditation=accreditation or find_accreditation(gateway, did, known),
            status=choose_status(place, gateway, did, list_name, index) if has_status else None,
            valid_from_ms=start_ms,
            valid_until_ms=until_ms if days is None else start_ms + days * DAY_MS,
        )
    data = sign(order, signers, form, key, now_ms)
    store(output, data, replace=values["force"])
    document = {
        "file": str(output),
        "form": form,
        "issuer": did,
        "schema": record["id"],
        "subject": subject,
        "accreditation": order.accreditation,
        "status": None
        if order.status is None
        else {"list": order.status[0], "index": order.status[1]},
    }
    answer(
        document,
        f"{output}: {form} of {record['name']}, {len(data)} bytes",
        as_json=values["as_json"],
    )
    if not order.accreditation:
        hint("it names no accreditation: verifiers will say no unless they waive it")
    hint(f"check it: hansa credential verify {output}")
    return YES


def sign(
    order: Order, signers: Sequence[Signer], form: str, holder: PublicKey | None, now_ms: int
) -> bytes:
    """The signed credential. Raises WrongCredential."""
    try:
        if form == VC:
            return issue_vc(order, signers, now_ms)
        salts = [secrets.token_bytes(SALT_BYTES) for _claim in order.claims]
        text = issue_sd_jwt(order, signers[0], holder=holder, salts=salts, now_ms=now_ms)
        return text.encode()
    except Malformed as why:
        raise WrongCredential(f"{why.code}: {why.text}", "mend the claims") from why


def read_claims(path: Path) -> dict[str, Any]:
    """The claims of a JSON file. Raises WrongCredential."""
    try:
        return parse_document(read_file(path, DOCUMENT_BYTES_MAX))
    except Malformed as why:
        raise WrongCredential(
            f"{path} holds no claims: {why.text}", "write a JSON object of claims"
        ) from why


def check_claims(known: KnownSchema, claims: dict[str, Any]) -> dict[str, Any]:
    """The schema's record, once the claims fit it. Raises WrongCredential."""
    record = known.record
    if record is None:
        raise WrongCredential("the schema has no published version", "hansa schema list")
    if record["deprecated_ms"] is not None:
        hint(f"the schema {record['name']} is deprecated; successor: {record['successor'] or '-'}")
    faults = CompiledSchema(msgspec.json.decode(record["document"])).find_faults(claims)
    if faults:
        text = "; ".join(f"{path or '/'}: {keyword}" for path, keyword in faults[:5])
        raise WrongCredential(f"the claims do not fit {record['name']}: {text}", "mend the claims")
    return record


def find_holder(place: Place, gateway: Gateway, text: str | None) -> tuple[str, PublicKey | None]:
    """DID and key of whom it is about: a name here, an account's DID or a did:key; none: bearer."""
    if text is None:
        return "", None
    if text.startswith("did:key:"):
        try:
            return text, resolve_did_key(text).methods[0].key
        except ValueError as error:
            raise WrongCredential(f"{text} is no did:key", "check it with its holder") from error
    did = place.did(text)
    if not text.startswith("did:"):
        for ring in place.rings():
            if ring.path(text).exists():
                return did, ring.read(text).public
    document = gateway.resolve_did(did)["didDocument"] or {}
    for method in document.get("verificationMethod", ()):
        if method["id"] in document.get("authentication", ()):
            return did, parse_jwk(method["publicKeyJwk"])
    raise WrongCredential(f"{did} has no key to present with", "check it with its holder")


def find_accreditation(gateway: Gateway, issuer: str, known: KnownSchema) -> str:
    """The issuer's own accreditation that covers the schema; "" when it has none."""
    for each in list_all(gateway, "accreditation", {"subject": issuer}):
        scope = msgspec.convert(each["scope"], tuple[Scope, ...])
        places = {place for one in scope for place in one.jurisdictions}
        if each["level"] == "attest" and any(covers(scope, known.names, p) for p in places):
            return str(each["id"])
    return ""


def choose_status(
    place: Place, gateway: Gateway, issuer: str, name: str | None, index: int | None
) -> tuple[str, int, tuple[str, ...]]:
    """Address, index and purposes in a list of the issuer. Raises WrongCredential."""
    page = gateway.records("credentials", "status_list", filters={"prefix": issuer}, limit=200)
    lists = {each["list"]: each for each in page.items}
    if name is None and len(lists) == 1:
        name = next(iter(lists))
    if name is None or name not in lists:
        known = ", ".join(sorted(lists)) or "none"
        raise WrongCredential(
            f"which status list? the issuer has: {known}",
            "--list NAME, or --no-status; hansa credential open-status-list opens one",
        )
    found = lists[name]
    chosen = take_index(place, issuer, name, found["size"], index)
    return build_status_uri(place.url(), issuer, name), chosen, tuple(found["purposes"])


def take_index(place: Place, issuer: str, name: str, size: int, wanted: int | None) -> int:
    """An index that was never given out from here, at random, and note it. WrongCredential."""
    folder = (place.league or default_home()) / INDEXES / issuer.rpartition(":")[2] / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for _try in range(1 if wanted is not None else TRIES_MAX):
        index = secrets.randbelow(size) if wanted is None else wanted
        if index >= size:
            break
        try:
            os.close(os.open(folder / str(index), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            continue
        return index
    raise WrongCredential(
        f"no free index in the list {name}", "open another: hansa credential open-status-list"
    )


def to_type(name: str) -> str:
    """`business_licence` is the type BusinessLicence."""
    words = name.replace("-", "_").replace(".", "_").split("_")
    return "".join(word[:1].upper() + word[1:] for word in words)


def store(path: Path, data: bytes, *, replace: bool) -> None:
    """Write what is for its holder only: 0600."""
    try:
        store_new(path, data, replace=replace)
    except FileExistsError as error:
        raise WrongCredential(f"{path} is there already", "another name, or --force") from error
    except OSError as error:
        raise WrongCredential(f"cannot write {path}: {error.strerror}", "another folder") from error


def read_now_ms() -> int:
    """This machine's clock in ms."""
    return time.time_ns() // 1_000_000


def signing_options() -> list[click.Parameter]:
    """Who signs, and where."""
    return [
        click.Option(["--as", "signer_name"], metavar="NAME|FILE", help="Who signs (or HANSA_AS)."),
        click.Option(["--force"], is_flag=True, help="Replace the file if it is there."),
        *place_parameters(),
        json_parameter(),
    ]


def output_option() -> click.Option:
    """The option --output."""
    kind = click.Path(path_type=Path)
    return click.Option(["-o", "--output"], type=kind, required=True, metavar="FILE")


command = click.Command(
    "issue",
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
        output_option(),
        click.Option(
            ["--form"],
            type=click.Choice([VC, SD_JWT]),
            default=VC,
            show_default=True,
            help="VC 2.0 with Data Integrity, or SD-JWT VC: its holder withholds what he likes.",
        ),
        click.Option(["--holder"], metavar="NAME|DID", help="Whom it is about; none: its bearer."),
        click.Option(["--issuer"], metavar="NAME|DID", help="Issuer, when it is not who signs."),
        click.Option(
            ["--with", "others"], multiple=True, metavar="NAME|FILE", help="A further issuer."
        ),
        click.Option(["--type", "types"], multiple=True, help="Type.  [default: of the schema]"),
        click.Option(["--list", "list_name"], metavar="NAME", help="Status list of the issuer."),
        click.Option(["--index"], type=click.IntRange(min=0), help="Index.  [default: random]"),
        click.Option(["--status/--no-status", "has_status"], default=True, help="Revocable."),
        click.Option(
            ["--accreditation"], metavar="ID", help="Of the issuer.  [default: the one that fits]"
        ),
        click.Option(["--since", "since_ms"], type=Moment(), help="Valid from.  [default: now]"),
        click.Option(["--until", "until_ms"], type=Moment(), help="Valid before this time."),
        click.Option(["--days"], type=click.IntRange(min=1), help="Valid for so many days."),
        *signing_options(),
    ],
    callback=issue,
    help="Issue a credential: the claims of a JSON file, by a published schema.\n\n"
    "It goes to its holder and never on the ledger; only its status does. The key signs with the\n"
    "purpose sign or assert. --with: further issuers sign the same credential (a proof set).\n\n"
    "\b\nExamples:\n"
    "  hansa credential issue ada.json --schema degree --holder ada --list degrees -o ada.vc.json\n"
    "  hansa credential issue ada.json --schema degree --form sd-jwt --holder ada -o ada.sd-jwt",
    short_help="Issue a credential from a file of claims.",
)

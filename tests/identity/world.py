"""A small world of records for tests of `verify`: an issuer, its schema, accreditation and list."""

from typing import Any

from msgspec.structs import replace

from hansa.client.credentials import SALT_BYTES, Order, issue_sd_jwt, issue_vc, present
from hansa.client.facts import build_sources, build_status_uri
from hansa.client.keys import Signer
from hansa.contracts.accreditations.model import Accreditation
from hansa.contracts.credentials.model import Status, StatusList, StatusSpan
from hansa.contracts.schemas.model import Schema
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import encode_canonical
from hansa.identity.json_schema import DIALECT
from hansa.identity.links import Scope, StandingFrom
from hansa.identity.report import Check, Policy, Report, Sources
from hansa.identity.verify import verify
from hansa.ledger.model import Record, compute_state_key
from hansa.ledger.system import Account, Key, StandingSince
from hansa.testing.chain import START_MS, Actor

DAY = 86_400_000
NOW = START_MS + 30 * DAY
GATE = "https://gate.example"
LIST = "degrees"
MINISTRY, UNIVERSITY, HOLDER, OTHER = (
    Actor("ministry"),
    Actor("university"),
    Actor("holder"),
    Actor("other"),
)
SM2_ISSUER = Actor("guomi", alg="SM2")
DOCUMENT = {
    "$schema": DIALECT,
    "type": "object",
    "properties": {"name": {"type": "string"}, "degree": {"enum": ["BSc", "MSc"]}},
    "required": ["name", "degree"],
    "additionalProperties": False,
}
TEXT = encode_canonical(DOCUMENT)
SCHEMA = sha256(TEXT).hex()
CLAIMS = {"name": "Ada", "degree": "MSc"}


class World:
    """Records by state key; `sources` reads them as a bundle's or a gateway's reader does."""

    def __init__(self) -> None:
        self.records: dict[str, bytes] = {}
        for actor in (MINISTRY, UNIVERSITY, HOLDER, OTHER, SM2_ISSUER):
            self.put("accounts", build_account(actor))
        self.put("schemas", build_schema())
        self.put("accreditations", build_link("root", "", "governance", MINISTRY.did, "*"))
        self.put(
            "accreditations",
            build_link("attest", "root", MINISTRY.did, UNIVERSITY.did, "degree:1"),
        )
        self.put("credentials", build_list())

    def put(self, app: str, record: Record) -> None:
        key = compute_state_key(record.OWNER or app, record.KIND, record.key())
        self.records[key.decode()] = encode_canonical(record)

    def sources(self, **changes: Any) -> Sources:
        made = build_sources(self.records.get, height=9, known_ms=NOW)
        return replace(made, **changes)

    def verify(self, document: bytes, at_ms: int = NOW, **policy: Any) -> Report:
        return verify(document, sources=self.sources(), policy=Policy(**policy), at_ms=at_ms)


def build_account(actor: Actor, **changes: Any) -> Account:
    fields: dict[str, Any] = {
        "id": "k1",
        "public": actor.key.public,
        "purposes": ("sign",),
        "since": 0,
        "since_ms": START_MS,
    }
    return Account(
        did=actor.did,
        member=actor.did,
        kind="member",
        admin=True,
        keys=(Key(**{**fields, **changes}),),
        standing=(StandingSince(since=0, standing="good"),),
    )


def build_schema() -> Schema:
    return Schema(
        id=SCHEMA,
        name="degree",
        version="1.0.0",
        document=TEXT.decode(),
        owner=MINISTRY.did,
        published_ms=START_MS,
    )


def build_link(id_: str, parent: str, by: str, subject: str, schema: str, **changes: Any) -> Any:
    link = Accreditation(
        id=id_,
        framework="education",
        level=id_,  # type: ignore[arg-type]
        parent=parent,
        accreditor=by,
        subject=subject,
        scope=(Scope((schema,), ("CN",)),),
        since_ms=START_MS,
        until_ms=None,
        basis="law",
        document="",
        standing=(StandingFrom(START_MS, "active", by),),
    )
    return replace(link, **changes)


def build_list(**changes: Any) -> StatusList:
    opened = StatusList(
        issuer=UNIVERSITY.did,
        list=LIST,
        size=1_000,
        purposes=("revocation", "suspension"),
        opened_ms=START_MS,
        opened_by=UNIVERSITY.did,
    )
    return replace(opened, **changes)


def build_status(*spans: tuple[Any, int, int | None], index: int = 7) -> Status:
    return Status(
        issuer=UNIVERSITY.did,
        list=LIST,
        index=index,
        spans=tuple(
            StatusSpan(value=value, since_ms=since, until_ms=until, reason="test")
            for value, since, until in spans
        ),
    )


def as_signer(actor: Actor) -> Signer:
    return Signer(actor.name, actor.kid, actor.key)


def build_order(**changes: Any) -> Order:
    fields: dict[str, Any] = {
        "issuer": UNIVERSITY.did,
        "claims": CLAIMS,
        "subject": HOLDER.did,
        "types": ("Degree",),
        "schema": SCHEMA,
        "accreditation": "attest",
        "status": (build_status_uri(GATE, UNIVERSITY.did, LIST), 7, ("revocation",)),
        "valid_from_ms": START_MS + DAY,
    }
    return Order(**{**fields, **changes})


def build_vc(*signers: Actor, now_ms: int = START_MS + DAY, **changes: Any) -> bytes:
    chosen = [as_signer(each) for each in signers or (UNIVERSITY,)]
    return issue_vc(build_order(**changes), chosen, now_ms)


def build_sd_jwt(signer: Actor = UNIVERSITY, now_ms: int = START_MS + DAY, **changes: Any) -> bytes:
    order = build_order(**{"subject": "", **changes})
    salts = [bytes([number]) * SALT_BYTES for number in range(1, 1 + len(order.claims))]
    text = issue_sd_jwt(
        order, as_signer(signer), holder=HOLDER.key.public, salts=salts, now_ms=now_ms
    )
    return text.encode()


def show(
    *documents: bytes,
    holder: Actor = HOLDER,
    audience: str = "bank",
    nonce: str = "n1",
    **more: Any,
) -> bytes:
    named = {"audience": audience, "nonce": nonce, "now_ms": NOW, **more}
    return present(documents, as_signer(holder), **named)


def list_codes(report: Report) -> list[tuple[str, str]]:
    """(check, code) of all that did not pass and was asked for."""
    return [(each.name, each.code) for each in report.checks if each.code not in ("", "not_asked")]


def find_check(report: Report, name: str) -> Check:
    return next(each for each in report.checks if each.name == name)

"""A league in which a root, a body and an issuer stand in one chain, and the words to act in it."""

from typing import Any

import msgspec

from hansa.contracts import accreditations, schemas
from hansa.contracts.accreditations.model import (
    Accredit,
    Accreditation,
    Attest,
    AuthoriseRoot,
    RecogniseFramework,
    Recognition,
    ReinstateAccreditation,
    RevokeAccreditation,
    SuspendAccreditation,
)
from hansa.contracts.schemas.model import PublishSchema
from hansa.encoding.canonical import encode_canonical
from hansa.identity.accreditation import Finding, verify_accreditation
from hansa.identity.json_schema import DIALECT
from hansa.identity.links import SchemaPair, Scope
from hansa.ledger.contracts import Invariant
from hansa.ledger.model import Message, Record, compute_state_key
from hansa.ledger.receipts import OK, MessageResult
from hansa.ledger.state import Overlay, Reader, scan_records
from hansa.testing.chain import Actor, Chain
from tests.contracts.league import build_chain, build_open_account, govern

ALMA = Actor("alma")  # who governs
ROOT, BODY, ISSUER, OTHER = Actor("root"), Actor("body"), Actor("issuer"), Actor("other")
CLERK, BRANCH = Actor("clerk"), Actor("branch")  # an officer and an account of BODY
MEMBERS = (ALMA, ROOT, BODY, ISSUER, OTHER)
FRAMEWORK = "business"
LICENCE, PERMIT, DEGREE = "licence:1", "permit:1", "degree:1"
DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS


def write_schema(**change: Any) -> str:
    """A small schema as canonical JSON, changed."""
    document: dict[str, Any] = {
        "$schema": DIALECT,
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 100}},
        "required": ["name"],
    }
    return encode_canonical({**document, **change}).decode()


def build_publish(name: str, version: str = "1.0.0", **change: Any) -> PublishSchema:
    """The first publication of a name; its title makes the document its own."""
    document = write_schema(title=f"{name} {version}", **change)
    return PublishSchema(name=name, version=version, document=document)


def build_trust_chain() -> Chain:
    """Five members, three schemas, one of them (ALMA) with all the votes."""
    chain = build_chain(
        *MEMBERS,
        parts={"governance": {"weights": {ALMA.did: 1}}},
        contracts=(schemas.contract, accreditations.contract),
    )
    for name in ("licence", "permit", "degree"):
        assert chain.send(ROOT, "schemas", build_publish(name)).code == OK
    assert chain.send(BODY, "accounts", build_open_account(CLERK, BODY)).code == OK
    assert chain.send(BODY, "accounts", build_open_account(BRANCH, BODY)).code == OK
    return chain


def build_scope(schemas: tuple[str, ...], places: tuple[str, ...]) -> tuple[Scope, ...]:
    """One scope: each schema in each place."""
    return (Scope(schemas=schemas, jurisdictions=places),)


WIDE = build_scope(("*",), ("CN", "HK", "MO"))
MIDDLE = build_scope((LICENCE, PERMIT), ("CN", "HK"))
NARROW = build_scope((LICENCE,), ("CN",))


def authorise(chain: Chain, actor: Actor = ROOT, **change: Any) -> str:
    """Make a root by governance; returns the id of its link."""
    message = AuthoriseRoot(framework=FRAMEWORK, subject=actor.did, scope=WIDE, basis="law")
    decided = govern(chain, (ALMA,), ("accreditations", msgspec.structs.replace(message, **change)))
    assert decided.state == "EXECUTED", decided.code
    return find_newest(chain, actor)


def accredit(chain: Chain, parent: str, by: Actor = ROOT, to: Actor = BODY, **change: Any) -> str:
    """A link of level accredit; returns its id."""
    result = send(chain, build_child(Accredit, parent, to, **{"scope": MIDDLE, **change}), by)
    assert result.code == OK, result
    return find_newest(chain, to)


def attest(chain: Chain, parent: str, by: Actor = BODY, to: Actor = ISSUER, **change: Any) -> str:
    """A link of level attest; returns its id."""
    result = send(chain, build_child(Attest, parent, to, **{"scope": NARROW, **change}), by)
    assert result.code == OK, result
    return find_newest(chain, to)


def build_child(
    kind: Any, parent: str, to: Actor, scope: tuple[Scope, ...], **change: Any
) -> Message:
    """A message that gives a link under `parent`."""
    message = kind(parent=parent, subject=to.did, scope=scope, basis="law")
    changed: Message = msgspec.structs.replace(message, **change)
    return changed


def build_standing(what: str, link: str) -> Message:
    """A message that changes the standing of a link: suspend, reinstate or revoke."""
    kinds: dict[str, Any] = {
        "suspend": SuspendAccreditation,
        "reinstate": ReinstateAccreditation,
        "revoke": RevokeAccreditation,
    }
    message: Message = kinds[what](accreditation=link, reason="order")
    return message


def build_recognise(source: str = "CN", relying: str = "MO", **change: Any) -> RecogniseFramework:
    """In `relying`, licences of `source` count as permits there."""
    message = RecogniseFramework(
        source=source,
        relying=relying,
        framework=FRAMEWORK,
        counts_as="mo-business",
        schemas=(SchemaPair(source=LICENCE, target=PERMIT),),
        level="substantial",
        basis="treaty",
    )
    return msgspec.structs.replace(message, **change)


def send(chain: Chain, message: Message, *actors: Actor) -> MessageResult:
    """One message to the contract."""
    return chain.send(list(actors), "accreditations", message)


def change(chain: Chain, what: str, link: str, by: Actor) -> str:
    """Suspend, reinstate or revoke; returns the code."""
    return send(chain, build_standing(what, link), by).code


def list_links(chain: Chain) -> dict[str, Accreditation]:
    """All links by id."""
    found = scan_records(chain.state, "accreditations", Accreditation, limit=100_000)
    return {link.id: link for link in found}


def list_recognitions(chain: Chain) -> list[Recognition]:
    """All recognitions."""
    return scan_records(chain.state, "accreditations", Recognition, limit=100_000)


def find_newest(chain: Chain, subject: Actor) -> str:
    """The link that the subject has had for the shortest time."""
    own = [link for link in list_links(chain).values() if link.subject == subject.did]
    return max(own, key=lambda link: (link.standing[0].since_ms, link.id)).id


def judge(
    chain: Chain,
    leaf: str,
    issuer: Actor = ISSUER,
    schema: str = LICENCE,
    place: str = "CN",
    **change: Any,
) -> Finding:
    """The walk over what the ledger holds, as at its time or at another."""
    asked: dict[str, Any] = {"at_ms": chain.time_ms + 1, "anchors": None, **change}
    return verify_accreditation(
        list_links(chain).get,
        list_recognitions(chain),
        leaf=leaf,
        issuer=issuer.did,
        schema=schema,
        jurisdiction=place,
        **asked,
    )


def plant(chain: Chain, application: str, *records: Record) -> Overlay:
    """The state with records that were written past the handlers."""
    overlay = Overlay(chain.state)
    for record in records:
        key = compute_state_key(application, record.KIND, record.key())
        overlay.put(key, encode_canonical(record))
    return overlay


def find_broken(reader: Reader, invariants: tuple[Invariant, ...]) -> set[str]:
    """The rules that do not hold there."""
    return {invariant.id for invariant in invariants if invariant.check(reader)}

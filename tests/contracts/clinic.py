"""A clinic, a bank and a city on one ledger: who plays in the tests of consents, and how."""

from typing import Any

from msgspec.structs import replace

from hansa.contracts import consents
from hansa.contracts.consents.model import (
    DAY_MS,
    Access,
    BreakGlass,
    DataGrant,
    DeclareHolding,
    Emergency,
    GiveGrant,
    RecordAccess,
)
from hansa.contracts.permissions.model import GrantRole
from hansa.encoding.text import encode_base64url
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK
from hansa.ledger.state import scan_records
from hansa.testing.chain import START_MS, Actor, Chain
from tests.contracts.league import build_chain, build_open_account

CLINIC, BANK, CITY, WATCH = Actor("clinic"), Actor("bank"), Actor("city"), Actor("watch")
PAT, QUINN = Actor("pat"), Actor("quinn")
NURSE, TELLER, MEDIC = Actor("nurse"), Actor("teller"), Actor("medic")
MEMBERS = (CLINIC, BANK, CITY, WATCH)
PEOPLE = ((PAT, CITY), (QUINN, CITY), (NURSE, CLINIC), (TELLER, BANK), (MEDIC, CITY))
KEY = encode_base64url(bytes(range(32)))
NAME, BLOOD = "name", "blood_group"


def commit_to(text: str) -> str:
    """Stands for a vault's commitment."""
    return encode_base64url(text.encode().ljust(32, b".")[:32])


def found_clinic(**options: Any) -> Chain:
    """The members on a new ledger; WATCH is the regulator of the mainland."""
    watches = {
        "application": "consents",
        "role": "regulator",
        "holder": WATCH.did,
        "scope": "CN",
    }
    parts = {"permissions": {"grants": [watches]}, **options}
    return build_chain(*MEMBERS, parts=parts)


def list_first_acts() -> list[tuple[Actor, str, Message]]:
    """People get accounts, the nurse, the teller and the medic their roles; two things are held."""
    acts: list[tuple[Actor, str, Message]] = []
    for person, member in PEOPLE:
        kind = "citizen" if person in (PAT, QUINN) else "staff"
        acts.append((member, "accounts", build_open_account(person, member, kind=kind)))
    for actor, role, member, scope in (
        (NURSE, "steward", CLINIC, "-"),
        (TELLER, "taker", BANK, "-"),
        (MEDIC, "emergency", WATCH, "CN"),
    ):
        message = GrantRole(application="consents", role=role, holder=actor.did, scope=scope)
        acts.append((member, "permissions", message))
    return acts


def build_clinic() -> Chain:
    """The clinic holds Pat's name and blood group; the medic may break glass, WATCH reviews."""
    chain = found_clinic()
    acts = [*list_first_acts(), *((NURSE, "consents", declare(field)) for field in (NAME, BLOOD))]
    for actor, application, message in acts:
        sent = chain.send(actor, application, message)
        assert sent.code == OK, sent
    return chain


def declare(field: str = NAME, text: str = "", subject: Actor = PAT) -> DeclareHolding:
    """What the clinic holds."""
    return DeclareHolding(subject=subject.did, field=field, commitment=commit_to(text or field))


def give(**changes: Any) -> GiveGrant:
    """Pat lets the bank read both fields at the clinic, twice, for thirty days."""
    message = GiveGrant(
        subject=PAT.did,
        controller=CLINIC.did,
        receiver=BANK.did,
        purpose="open_account",
        legal_basis="consent",
        fields=(NAME, BLOOD),
        uses_max=2,
        until_ms=START_MS + 30 * DAY_MS,
        record=commit_to("record"),
    )
    return replace(message, **changes)


def read(grant: str, **changes: Any) -> RecordAccess:
    """The bank takes up a grant."""
    message = RecordAccess(
        grant=grant, purpose="open_account", fields=(NAME,), seal_alg="X25519", seal_key=KEY
    )
    return replace(message, **changes)


def break_in(**changes: Any) -> BreakGlass:
    """The medic reads Pat's blood group."""
    message = BreakGlass(
        subject=PAT.did,
        controller=CLINIC.did,
        fields=(BLOOD,),
        reason="unconscious",
        seal_alg="X25519",
        seal_key=KEY,
    )
    return replace(message, **changes)


def list_grants(chain: Chain) -> list[DataGrant]:
    """All grants."""
    return scan_records(chain.state, "consents", DataGrant, limit=1_000)


def list_accesses(chain: Chain) -> list[Access]:
    """All accesses."""
    return scan_records(chain.state, "consents", Access, limit=1_000)


def list_emergencies(chain: Chain) -> list[Emergency]:
    """All uses of break-glass."""
    return scan_records(chain.state, "consents", Emergency, limit=1_000)


def make_grant(chain: Chain, **changes: Any) -> str:
    """A grant given by Pat; its id."""
    known = {grant.id for grant in list_grants(chain)}
    sent = chain.send(PAT, "consents", give(**changes))
    assert sent.code == OK, (sent.code, sent.params)
    return next(grant.id for grant in list_grants(chain) if grant.id not in known)


def find_violations(chain: Chain) -> list[str]:
    """What the contract's invariants find."""
    return [
        f"{each.id}: {violation}"
        for each in consents.INVARIANTS
        for violation in each.check(chain.state)
    ]

"""Properties of consents that hold after every block: C2, C5 to C10. Pure reads."""

from collections import Counter
from collections.abc import Iterator

from hansa.contracts.consents.model import (
    Access,
    AccessLog,
    DataGrant,
    Delivery,
    Emergency,
    Erasure,
    Holding,
    compute_head,
)
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, get_record, get_system, scan_records
from hansa.ledger.system import Deadline

NAME = "consents"
ALL = 1_000_000


def find_endless_grants(reader: Reader) -> list[str]:
    """C2: a live grant ends by its deadline; what ended says when."""
    found = []
    for grant in scan_records(reader, NAME, DataGrant, limit=ALL):
        if grant.state == "live" and not _has_deadline(reader, grant.until_ms, grant.id):
            found.append(f"grant {grant.id} never ends")
        if (grant.state == "live") != (grant.ended_ms is None):
            found.append(f"grant {grant.id} is {grant.state}, ended {grant.ended_ms}")
    return found


def find_excesses(reader: Reader) -> list[str]:
    """C5, C11: each access stands within its grant, and a grant counts its accesses."""
    uses: Counter[str] = Counter()
    found = []
    for access in scan_records(reader, NAME, Access, limit=ALL):
        if access.grant:
            uses[access.grant] += 1
            found += [f"access {'/'.join(access.key())}: {why}" for why in _judge(reader, access)]
    for grant in scan_records(reader, NAME, DataGrant, limit=ALL):
        if grant.used != uses[grant.id] or (grant.uses_max or grant.used) < grant.used:
            found.append(f"grant {grant.id}: {uses[grant.id]} accesses, {grant.used} counted")
        if grant.state == "used_up" and grant.used != grant.uses_max:
            found.append(f"grant {grant.id} is not used up")
    return found


def _judge(reader: Reader, access: Access) -> Iterator[str]:
    grant = get_record(reader, NAME, DataGrant, access.grant)
    if grant is None:
        yield "no grant"
        return
    named = (grant.subject, grant.controller, grant.receiver, grant.purpose, grant.legal_basis)
    if named != (
        access.subject,
        access.controller,
        access.taker,
        access.purpose,
        access.legal_basis,
    ):
        yield "another's grant"
    if not {each.field for each in access.handed} <= set(grant.fields):
        yield "other fields"
    if not grant.since_ms <= access.at_ms < access.until_ms <= grant.until_ms:
        yield "outside the grant's time"
    if not 1 <= access.use <= grant.used:
        yield "not counted"
    if grant.state in ("withdrawn", "expired") and access.at_ms > (grant.ended_ms or 0):
        yield "after the grant's end"


def find_torn_logs(reader: Reader) -> list[str]:
    """C6: every subject's accesses follow each other and come to the head of its log."""
    heads: dict[str, tuple[int, str]] = {}
    found = []
    for access in scan_records(reader, NAME, Access, limit=ALL):
        count, head = heads.get(access.subject, (0, ""))
        if access.number != count + 1:
            found.append(f"{access.subject}: access {access.number} follows {count}")
        heads[access.subject] = (access.number, compute_head(head, access))
    logs = {
        log.subject: (log.accesses, log.head)
        for log in scan_records(reader, NAME, AccessLog, limit=ALL)
    }
    torn = sorted(did for did in heads | logs if heads.get(did) != logs.get(did))
    return found + [f"the log of {did} is not that of its accesses" for did in torn]


def find_silent_breaks(reader: Reader) -> list[str]:
    """C7: an access is under a grant or a break-glass, and each break-glass is one access."""
    found = []
    for access in scan_records(reader, NAME, Access, limit=ALL):
        if bool(access.grant) == bool(access.emergency):
            found.append(f"access {'/'.join(access.key())} is under nothing, or both")
        if access.emergency and get_record(reader, NAME, Emergency, access.emergency) is None:
            found.append(f"access {'/'.join(access.key())}: no break-glass")
    for each in scan_records(reader, NAME, Emergency, limit=ALL):
        entry = get_record(reader, NAME, Access, each.subject, f"{each.number:09d}")
        if entry is None or entry.emergency != each.id:
            found.append(f"break-glass {each.id} is not in its subject's log")
    return found


def find_forgotten_reviews(reader: Reader) -> list[str]:
    """C8: what is not reviewed has its deadline, or is overdue; no member judges itself."""
    found = []
    for each in scan_records(reader, NAME, Emergency, limit=ALL):
        waits = _has_deadline(reader, each.due_ms, each.id)
        if waits == (each.is_overdue or bool(each.verdict)):
            found.append(f"break-glass {each.id}: nobody waits for its review")
        if bool(each.verdict) != bool(each.reviewer) or each.reviewer == each.taker:
            found.append(f"break-glass {each.id} was reviewed by {each.reviewer or 'nobody'}")
    return found


def find_baseless_deliveries(reader: Reader) -> list[str]:
    """C9."""
    found = []
    for each in scan_records(reader, NAME, Delivery, limit=ALL):
        access = get_record(reader, NAME, Access, *each.key())
        if access is None or access.taker != each.taker:
            found.append(f"delivery {'/'.join(each.key())} of no access")
    return found


def find_returned_contents(reader: Reader) -> list[str]:
    """C10."""
    return [
        f"holding {'/'.join(held.key())} is erased"
        for held in scan_records(reader, NAME, Holding, limit=ALL)
        if get_record(reader, NAME, Erasure, held.subject, held.controller, held.commitment)
    ]


def _has_deadline(reader: Reader, at_ms: int, identity: str) -> bool:
    return get_system(reader, Deadline, f"{at_ms:015d}", NAME, identity) is not None


INVARIANTS = (
    Invariant("C2", "grants end", find_endless_grants),
    Invariant("C5", "data is read within a grant", find_excesses),
    Invariant("C6", "logs of accesses are whole", find_torn_logs),
    Invariant("C7", "without a grant only by break-glass", find_silent_breaks),
    Invariant("C8", "break-glass is reviewed", find_forgotten_reviews),
    Invariant("C9", "what is signed for was recorded", find_baseless_deliveries),
    Invariant("C10", "what is erased does not return", find_returned_contents),
)

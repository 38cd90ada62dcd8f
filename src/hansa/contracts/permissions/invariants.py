"""Properties of grants after every block: P3, P4. Pure reads. P1, P2, P5 judge acts."""

from hansa.contracts.permissions.model import PastGrant
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, get_system, scan_records
from hansa.ledger.system import Account, Grant, Member

NAME = "permissions"
ALL = 1_000_000


def find_unknown_holders(reader: Reader) -> list[str]:
    """P3."""
    return [
        f"{grant.holder} holds {grant.application}.{grant.role} but is unknown"
        for grant in scan_records(reader, NAME, Grant, limit=ALL)
        if get_system(reader, Account, grant.holder) is None
        and get_system(reader, Member, grant.holder) is None
    ]


def find_wrong_intervals(reader: Reader) -> list[str]:
    """P4: intervals are not empty, and those of one grant do not overlap."""
    found = []
    intervals: dict[tuple[str, ...], list[tuple[int, int | None]]] = {}
    grants: list[Grant | PastGrant] = [*scan_records(reader, NAME, Grant, limit=ALL)]
    grants.extend(scan_records(reader, NAME, PastGrant, limit=ALL))
    for grant in grants:
        key = (grant.application, grant.role, grant.holder, grant.scope)
        intervals.setdefault(key, []).append((grant.since_ms, grant.until_ms))
    for name, pairs in intervals.items():
        end: int | None = 0
        for since_ms, until_ms in sorted(pairs, key=lambda pair: pair[0]):
            is_empty = until_ms is not None and until_ms <= since_ms
            if is_empty or end is None or since_ms < end:
                found.append(f"{'/'.join(name)}: {since_ms} to {until_ms} does not hold")
            end = until_ms
    return found


INVARIANTS = (
    Invariant("P3", "holders of roles are known", find_unknown_holders),
    Invariant("P4", "intervals of a grant are in order", find_wrong_intervals),
)

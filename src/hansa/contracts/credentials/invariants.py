"""Properties of status lists that hold after every block: S2 to S5. Pure reads."""

from hansa.contracts.credentials.model import SUSPENSIONS_MAX, Status, StatusList
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, get_record, scan_records

NAME = "credentials"
ALL = 2_000_000


def find_strays(reader: Reader) -> list[str]:
    """S2, S3: each status is of an index of a list, and says only what the list can say."""
    found = []
    for status in scan_records(reader, NAME, Status, limit=ALL):
        name = f"{status.list}/{status.index}"
        owner = get_record(reader, NAME, StatusList, status.issuer, status.list)
        if owner is None or status.index >= owner.size:
            found.append(f"{name} is of no list")
        elif "suspension" not in owner.purposes and _count(status, "suspended"):
            found.append(f"{name} was suspended on a list without that purpose")
    return found


def find_disorder(reader: Reader) -> list[str]:
    """S4: spans follow each other, only the last may stand, and a revocation is last and stands."""
    found = []
    for status in scan_records(reader, NAME, Status, limit=ALL):
        *past, last = status.spans or (None,)
        times = [time for span in status.spans for time in (span.since_ms, span.until_ms)]
        known = [time for time in times if time is not None]
        is_open = any(span is None or span.until_ms is None for span in past)
        is_undone = _count(status, "revoked") > 0 and (
            last is None or last.value != "revoked" or last.until_ms is not None
        )
        if last is None or is_open or is_undone or known != sorted(known):
            found.append(f"{status.list}/{status.index}: spans out of order")
        elif _count(status, "revoked") > 1:
            found.append(f"{status.list}/{status.index} is revoked twice")
    return found


def find_crowded(reader: Reader) -> list[str]:
    """S5."""
    return [
        f"{status.list}/{status.index} was suspended too often"
        for status in scan_records(reader, NAME, Status, limit=ALL)
        if _count(status, "suspended") > SUSPENSIONS_MAX
    ]


def _count(status: Status, value: str) -> int:
    return sum(span.value == value for span in status.spans)


INVARIANTS = (
    Invariant("S3", "status stands under an index of a list", find_strays),
    Invariant("S4", "revocation is final", find_disorder),
    Invariant("S5", "suspensions are bounded", find_crowded),
)

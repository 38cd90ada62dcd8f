"""Properties of holds that hold after every block: H1, H4, H5. Pure reads."""

from collections import Counter

from hansa.contracts.holds.handlers import OFFICES
from hansa.contracts.holds.model import HOLDS_MAX, PastHold
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, get_record, get_system, scan_records
from hansa.ledger.system import Deadline, Hold

NAME = "holds"
ALL = 1_000_000


def find_wrong_offices(reader: Reader) -> list[str]:
    """H1."""
    return [
        f"hold {hold.id}: a {hold.kind} by a {hold.role}"
        for hold in scan_records(reader, NAME, Hold, limit=ALL)
        if hold.role not in OFFICES[hold.kind]
    ]


def find_wrong_ends(reader: Reader) -> list[str]:
    """H4: a hold with an end has its deadline; a past hold stands no more."""
    found = []
    for hold in scan_records(reader, NAME, Hold, limit=ALL):
        if hold.until_ms is not None:
            parts = (f"{hold.until_ms:015d}", NAME, hold.id)
            if get_system(reader, Deadline, *parts) is None:
                found.append(f"hold {hold.id} never lapses")
    for past in scan_records(reader, NAME, PastHold, limit=ALL):
        if get_record(reader, NAME, Hold, *past.key()) is not None:
            found.append(f"hold {past.hold.id} is past and stands")
    return found


def find_crowded_records(reader: Reader) -> list[str]:
    """H5."""
    holds = scan_records(reader, NAME, Hold, limit=ALL)
    crowd = Counter((hold.application, hold.record_kind, hold.record_key) for hold in holds)
    return [f"{key}: {number} holds" for key, number in crowd.items() if number > HOLDS_MAX]


INVARIANTS = (
    Invariant("H1", "holds are placed by office", find_wrong_offices),
    Invariant("H4", "holds end", find_wrong_ends),
    Invariant("H5", "holds on a record are bounded", find_crowded_records),
)

"""Properties of quotas that hold after every block: Q1, Q2. Pure reads."""

from hansa.contracts.quotas.model import UNITS_MIN
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, get_system, scan_records
from hansa.ledger.system import Allowance, Member, Usage

NAME = "quotas"
ALL = 1_000_000


def find_small_allowances(reader: Reader) -> list[str]:
    """Q2."""
    return [
        f"{each.member} may spend only {each.units}"
        for each in scan_records(reader, NAME, Allowance, limit=ALL)
        if each.units < UNITS_MIN
    ]


def find_unknown_spenders(reader: Reader) -> list[str]:
    """Q1: what is charged is charged to members."""
    return [
        f"{each.member} is charged but no member"
        for each in scan_records(reader, NAME, Usage, limit=ALL)
        if get_system(reader, Member, each.member) is None or each.units < 0
    ]


INVARIANTS = (
    Invariant("Q1", "costs are charged to members", find_unknown_spenders),
    Invariant("Q2", "allowances leave room to vote", find_small_allowances),
)

"""Properties of mandates after every block: M2, M3, M4, M7. Pure reads. M1, M5, M6 judge acts."""

from collections import Counter

from hansa.contracts.mandates.chain import covers, find_excess
from hansa.contracts.mandates.model import PAIR_MAX, ActScope, Appointment, Mandate, Use
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, get_record, scan_records

NAME = "mandates"
ALL = 1_000_000


def find_excesses(reader: Reader) -> list[str]:
    """M2: no mandate goes beyond the one above it."""
    found = []
    mandates = _list_mandates(reader)
    for mandate in mandates.values():
        if not mandate.parent:
            continue
        parent = mandates.get(mandate.parent)
        what = "mandate above" if parent is None else find_excess(mandate, parent)
        if what:
            found.append(f"{mandate.id}: the {what} of {mandate.parent} is exceeded")
    return found


def find_wrong_sums(reader: Reader) -> list[str]:
    """M3: what was used is the sum of the uses below, and within every limit."""
    found = []
    mandates = _list_mandates(reader)
    sums: Counter[str] = Counter()
    uses: Counter[str] = Counter()
    for use in scan_records(reader, NAME, Use, limit=ALL):
        for mandate in _walk(mandates, use.mandate):
            uses[mandate.id] += 1
            if mandate.limit is None or not use.amount:
                continue
            sums[mandate.id] += use.amount
            per_act = mandate.limit.per_act
            if use.currency != mandate.limit.currency:
                found.append(f"{mandate.id}: used in {use.currency}")
            if per_act is not None and use.amount > per_act:
                found.append(f"{mandate.id}: {use.amount} in one act, {per_act} at most")
    for mandate in mandates.values():
        total = mandate.limit.total if mandate.limit is not None else None
        if (mandate.used, mandate.uses) != (sums[mandate.id], uses[mandate.id]):
            found.append(f"{mandate.id}: {mandate.used} is not the sum {sums[mandate.id]}")
        if total is not None and sums[mandate.id] > total:
            found.append(f"{mandate.id}: {sums[mandate.id]} used, {total} at most")
    return found


def find_wrong_uses(reader: Reader) -> list[str]:
    """M4, M5: no use before a mandate's beginning, after its end, or outside its scope."""
    found = []
    mandates = _list_mandates(reader)
    for use in scan_records(reader, NAME, Use, limit=ALL):
        for mandate in _walk(mandates, use.mandate):
            is_early = use.at_ms < mandate.since_ms
            is_late = mandate.until_ms is not None and use.at_ms >= mandate.until_ms
            is_after = mandate.ended_ms is not None and use.at_ms > mandate.ended_ms
            if is_early or is_late or is_after:
                found.append(f"{mandate.id}: used at {use.at_ms}, when it did not hold")
            if not covers(mandate.scope, ActScope(use.application, (use.type,))):
                found.append(f"{mandate.id}: used for {use.application}.{use.type}")
    return found


def find_wrong_appointments(reader: Reader) -> list[str]:
    """M7: mandates that may be live are found, those withdrawn are not; few from one to one."""
    found = []
    mandates = _list_mandates(reader)
    crowd: Counter[tuple[str, str]] = Counter()
    for each in scan_records(reader, NAME, Appointment, limit=ALL):
        crowd[each.principal, each.delegate] += 1
        mandate = mandates.get(each.mandate)
        if mandate is None or mandate.state != "given":
            found.append(f"{each.mandate} is found and has ended")
    for mandate in mandates.values():
        key = (mandate.principal, mandate.delegate, mandate.id)
        is_found = get_record(reader, NAME, Appointment, *key) is not None
        if mandate.state == "given" and mandate.until_ms is None and not is_found:
            found.append(f"{mandate.id} holds and is not found")
        if (mandate.state == "given") != (mandate.ended_ms is None):
            found.append(f"{mandate.id}: {mandate.state}, ended {mandate.ended_ms}")
    found.extend(f"{pair}: {number}" for pair, number in crowd.items() if number > PAIR_MAX)
    return found


def _list_mandates(reader: Reader) -> dict[str, Mandate]:
    return {each.id: each for each in scan_records(reader, NAME, Mandate, limit=ALL)}


def _walk(mandates: dict[str, Mandate], mandate: str) -> list[Mandate]:
    chain = []
    found = mandates.get(mandate)
    while found is not None:
        chain.append(found)
        found = mandates.get(found.parent)
    return chain


INVARIANTS = (
    Invariant("M2", "what is given on stays within what was given", find_excesses),
    Invariant("M3", "sums of uses are right and within all limits", find_wrong_sums),
    Invariant("M4", "mandates are used only while and for what they hold", find_wrong_uses),
    Invariant("M7", "live mandates are found, and few from one to one", find_wrong_appointments),
)

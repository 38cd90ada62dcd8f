"""How much the documents say was made, used and moved, in exact fractions. Pure."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from hansa.apps.food_trace.contract.units import to_sum_unit
from hansa.apps.food_trace.event import FoodEvent, Quantity
from hansa.apps.food_trace.model.records import Portion
from hansa.apps.food_trace.model.registers import Yield
from hansa.apps.food_trace.replay.history import APP, Entry, Replay
from hansa.ledger.state import Reader, get_record

PPM: Final = 1_000_000
# By item ("" all of them) and unit.
Sums = dict[tuple[str, str], Fraction]


def list_named(event: FoodEvent) -> list[str]:
    """Every item that an event names."""
    quantities = (
        *event.quantities,
        *event.child_quantities,
        *event.input_quantities,
        *event.output_quantities,
    )
    epcs = (*event.epcs, *event.children, *event.input_epcs, *event.output_epcs)
    parent = (event.parent,) if event.parent else ()
    return [*epcs, *parent, *(each.item for each in quantities)]


def list_begun(event: FoodEvent) -> tuple[str, ...]:
    """The objects that an event commissions."""
    if event.type == "ObjectEvent" and event.action == "ADD":
        return event.epcs
    return event.output_epcs


def find_unbalanced(replay: Replay) -> list[str]:
    """Transformations that give more of a unit than went in, by the highest yield declared."""
    found = []
    for name, entries in _group(replay).items():
        given = by_unit(sum_measured(q for e in entries for q in e.event.input_quantities))
        needed: Sums = {}
        for entry in entries:
            for quantity in entry.event.output_quantities:
                ppm = _read_highest_yield(replay.reader, entry.capture.member, quantity.item)
                for key, amount in sum_measured([quantity]).items():
                    needed[key] = needed.get(key, Fraction()) + amount * PPM / ppm
        for key, amount in by_unit(needed).items():
            if key[1] and key in given and amount > given[key]:
                found.append(f"{name}: {amount} {key[1]} of {given[key]}")
    return found


def find_overused(replay: Replay) -> list[str]:
    """Lots whose account is not what the documents say, or of which more is used than was made."""
    made, used, unmeasured = _sum_lots(replay)
    found = []
    for item in replay.items.values():
        for account in item.accounts if item.level == "lot" else ():
            key, one = (item.id, account.uom), Fraction(1, 10**account.scale)
            stated = (account.made * one, account.used * one)
            if stated != (made.get(key, 0), used.get(key, 0)):
                found.append(f"{item.id}: its account is not what its documents say")
    for key, amount in used.items():
        limit = made.get(key, Fraction()) if key[0] not in unmeasured else Fraction()
        if 0 < limit < amount and replay.items[key[0]].level == "lot":
            found.append(f"{key[0]}: {amount} used, {limit} made")
    return found


def _sum_lots(replay: Replay) -> tuple[Sums, Sums, set[str]]:
    """Made, used, and the lots of which some was made without an amount."""
    made: Sums = {}
    used: Sums = {}
    unmeasured: set[str] = set()
    for entry in replay.list_standing():
        event = entry.event
        action = event.action if event.type == "ObjectEvent" else ""
        begun = event.quantities if action == "ADD" else event.output_quantities
        gone = event.quantities if action == "DELETE" else event.input_quantities
        unmeasured.update(each.item for each in begun if each.amount is None)
        for sums, quantities in ((made, begun), (used, gone)):
            for key, amount in sum_measured(quantities).items():
                sums[key] = sums.get(key, Fraction()) + amount
    return made, used, unmeasured


def sum_measured(quantities: Iterable[Quantity | Portion]) -> Sums:
    """By item and unit; what has no amount is left out."""
    found: Sums = {}
    for each in quantities:
        if each.amount is not None:
            amount, scale, unit = to_sum_unit(each.amount, each.scale, each.uom)
            key = (each.item, unit)
            found[key] = found.get(key, Fraction()) + Fraction(amount, 10**scale)
    return found


def by_unit(sums: Sums) -> Sums:
    """The sums of all items together."""
    found: Sums = {}
    for (_item, unit), amount in sums.items():
        found[("", unit)] = found.get(("", unit), Fraction()) + amount
    return found


def add_up(portions: Iterable[Portion]) -> tuple[set[str], Sums]:
    """Items without an amount, and the sums of the others."""
    listed = list(portions)
    return {each.item for each in listed if each.amount is None}, sum_measured(listed)


def _group(replay: Replay) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in replay.list_standing():
        if entry.event.type == "TransformationEvent":
            found.setdefault(entry.event.transformation or entry.event.key, []).append(entry)
    return found


def _read_highest_yield(reader: Reader, member: str, item: str) -> int:
    product = item[:17] if item.startswith("01.") else ""
    found = get_record(reader, APP, Yield, member, product) if product else None
    return max((each.ppm for each in found.versions), default=PPM) if found else PPM

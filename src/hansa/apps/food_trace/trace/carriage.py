"""In which units something was, and when: what happens to a unit then, happens to what is in it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from hansa.appkit.walk import Closure, Cut, Snapshot
from hansa.apps.food_trace.trace.ways import CARRIED, is_making

UNITS_MAX = 2_000


class Ride(msgspec.Struct, frozen=True):
    """That an item was in a unit (or in a unit in it) from `since_ms` to `until_ms` (None: still).

    `floor`: flags of the unit up to this number do not reach the item.
    """

    item: str
    since_ms: int
    until_ms: int | None
    floor: int

    def holds(self, time_ms: int) -> bool:
        """Whether it was in there at that time."""
        return self.since_ms <= time_ms and (self.until_ms is None or time_ms <= self.until_ms)


class Carriage(msgspec.Struct, frozen=True):
    """Units that something was in, with the rides in each. `cut`: there were more than are here."""

    rides: dict[str, list[Ride]]
    cut: Cut


def find_carriage(snapshot: Snapshot, floors: Mapping[str, int]) -> Carriage:
    """Units that the items were ever in. `floors`: item to the greatest number that is cleared."""
    closure = snapshot.walk(list(floors), CARRIED, items_max=len(floors) + UNITS_MAX)
    cleared = {
        str(row["id"]): int(row["cleared"] or 0)
        for row in snapshot.pick("items", "key", closure.items)
    }
    stays = _pick_stays(snapshot, closure)
    found: dict[str, dict[Ride, None]] = {}
    waiting = [(item, Ride(item, 0, None, floor)) for item, floor in sorted(floors.items())]
    while waiting:
        thing, ride = waiting.pop()
        for stay in stays.get(thing, ()):
            unit = str(stay["source"])
            common = _join(ride, stay, cleared.get(unit, 0))
            known = found.setdefault(unit, {})
            if common is not None and common not in known:
                known[common] = None
                waiting.append((unit, common))
    return Carriage({unit: list(rides) for unit, rides in found.items()}, closure.cut)


def _pick_stays(snapshot: Snapshot, closure: Closure) -> dict[str, list[dict[str, Any]]]:
    inside = set(closure.items)
    stays: dict[str, list[dict[str, Any]]] = {}
    for row in snapshot.pick("stays", "target", closure.items):
        if row["source"] in inside:
            stays.setdefault(str(row["target"]), []).append(row)
    return stays


def _join(ride: Ride, stay: Mapping[str, Any], cleared: int) -> Ride | None:
    """The part of a ride during which that was itself in something; None when there is none."""
    since = max(ride.since_ms, stay["since_ms"])
    ends = [end for end in (ride.until_ms, stay["until_ms"]) if end is not None]
    until = min(ends) if ends else None
    if until is not None and until < since:
        return None
    return Ride(ride.item, since, until, max(ride.floor, cleared))


def find_floors(root: str, closure: Closure, cleared: Mapping[str, int]) -> dict[str, int]:
    """Item to the number up to which flags on it do not reach `root`: on every way down to it some
    item was released from them.
    """
    above: dict[str, list[str]] = {}
    for link in closure.links:
        down, up = (
            (link.target, link.source) if link.table == "links" else (link.source, link.target)
        )
        above.setdefault(down, []).append(up)
    floors = {root: cleared.get(root, 0)}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        for other in above.get(node, ()):
            floor = max(floors[node], cleared.get(other, 0))
            if floor < floors.get(other, floor + 1):
                floors[other] = floor
                waiting.append(other)
    return {node: floor for node, floor in floors.items() if not is_making(node)}

"""The captured documents once more, in their order, without the contract: what must be so. Pure.

`invariants.py` holds the records against it. It knows events, intervals and sets, no running sum.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar

from hansa.apps.food_trace.event import FoodEvent, Quantity, read_event
from hansa.apps.food_trace.model.records import Capture, Flag, Item
from hansa.ledger.model import Record
from hansa.ledger.state import Reader, scan_records
from hansa.primitives.limits import SCAN_MAX

APP: Final = "food_trace"
R = TypeVar("R", bound=Record)
# Later than any event.
FOREVER: Final = 10**15
MARKET: Final = ("shipping", "consigning", "departing", "retail_selling", "dispensing")
AWAY: Final = (
    "recalled", "returned", "damaged", "destroyed", "disposed", "expired", "needs_replacement",
    "non_sellable_other",
)  # fmt: skip


class Entry(NamedTuple):
    """A capture and what its document says."""

    capture: Capture
    event: FoodEvent


class Use(NamedTuple):
    """That an event shipped, sold or used an item although a flag reached it."""

    event: str
    item: str
    flag: Flag


class Replay:
    """What follows from the documents, capture by capture.

    `standing`: events that count at the end; `uses`: what was used against a flag; `breaks`: what
    was packed against I2; `parents`: what is in what at the end.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        captures = sorted(scan(reader, Capture), key=lambda each: each.number)
        self.entries = [Entry(each, read_cached(each.document)) for each in captures]
        self.items = {item.id: item for item in scan(reader, Item)}
        self.flags: dict[str, list[Flag]] = {}
        for flag in scan(reader, Flag):
            self.flags.setdefault(flag.item, []).append(flag)
        self.standing: dict[str, Entry] = {}
        self.withdrawn: dict[str, str] = {}
        self.uses: list[Use] = []
        # What an event without children took out: what was known to be inside when it came.
        self._emptied: dict[str, list[str]] = {}
        self._begin()
        for entry in self.entries:
            self._take(entry)

    def is_traced(self, item: str) -> bool:
        """Whether the item is an object or a lot: a class without a lot has no lineage."""
        return item in self.items and self.items[item].level != "class"

    def list_standing(self) -> Iterator[Entry]:
        """The events that count, in the order of capture."""
        return iter(self.standing.values())

    def _begin(self) -> None:
        self.parents: dict[str, str] = {}
        self.breaks: list[str] = []
        self.above: dict[str, set[str]] = {}
        self.shared: dict[str, tuple[set[str], set[str]]] = {}
        self.stays: dict[str, list[list[int | str]]] = {}
        self._moved_ms: dict[str, int] = {}

    def _take(self, entry: Entry) -> None:
        key = entry.event.key
        if entry.event.error is not None:
            self.withdrawn[key] = entry.capture.event
            if self.standing.pop(key, None) is not None:
                self._begin()
                for each in self.standing.values():
                    self._apply(each)
        elif key not in self.withdrawn:
            self._find_uses(entry)
            self.standing[key] = entry
            self._apply(entry)

    # -- what is in what, and what was made of what ---------------------------------------------

    def _apply(self, entry: Entry) -> None:
        event = entry.event
        if event.type == "AggregationEvent" and event.action != "OBSERVE":
            self._pack(event)
        elif event.type == "TransformationEvent":
            name = f"#{event.transformation}" if event.transformation else event.key
            inputs, outputs = self.shared.setdefault(name, (set(), set()))
            inputs.update(self._list_traced(event.input_epcs, event.input_quantities))
            outputs.update(self._list_traced(event.output_epcs, event.output_quantities))
            for output in outputs:
                self.above.setdefault(output, set()).update(inputs)

    def _pack(self, event: FoodEvent) -> None:
        named = self._list_traced(event.children, event.child_quantities)
        if not named and event.action == "DELETE":
            inside = [child for child in self.stays if self._is_in(child, event.parent)]
            named = self._emptied.setdefault(event.key, inside)
        for child in named:
            if self.items[child].level == "instance":
                self._move(child, event)
            elif event.action == "ADD" and not self._is_in(child, event.parent):
                self.stays.setdefault(child, []).append([event.parent, event.time_ms, FOREVER])
            elif event.action == "DELETE":
                self._leave(child, event)

    def _move(self, child: str, event: FoodEvent) -> None:
        parent, last_ms = self.parents.get(child, ""), self._moved_ms.get(child, 0)
        if event.action == "ADD":
            if parent == event.parent:
                return
            if parent:
                self.breaks.append(f"{child}: put into {event.parent} while in {parent}")
            self.parents[child] = event.parent
            self.stays.setdefault(child, []).append([event.parent, event.time_ms, FOREVER])
        elif parent == event.parent:
            self.parents[child] = ""
            self._leave(child, event)
        elif parent:
            self.breaks.append(f"{child}: taken out of {event.parent} while in {parent}")
            return
        else:
            return
        if event.time_ms < last_ms:
            self.breaks.append(f"{child}: in two parents at {event.time_ms}")
        self._moved_ms[child] = event.time_ms

    def _leave(self, child: str, event: FoodEvent) -> None:
        for stay in self.stays.get(child, ()):
            if stay[0] == event.parent and stay[2] == FOREVER:
                stay[2] = event.time_ms

    def _is_in(self, child: str, parent: str) -> bool:
        return any(stay[0] == parent and stay[2] == FOREVER for stay in self.stays.get(child, ()))

    def _list_traced(self, epcs: tuple[str, ...], quantities: tuple[Quantity, ...]) -> list[str]:
        named = dict.fromkeys((*epcs, *(each.item for each in quantities)))
        return [item for item in named if self.is_traced(item)]

    # -- what a flag reaches -----------------------------------------------------------------------

    def _find_uses(self, entry: Entry) -> None:
        event, number = entry.event, entry.capture.number
        used: list[str] = []
        if event.type == "TransformationEvent":
            used = self._list_traced(event.input_epcs, event.input_quantities)
        if event.biz_step in MARKET and event.disposition not in AWAY:
            named = self._list_traced(event.epcs, event.quantities)
            named += self._list_traced(event.children, event.child_quantities)
            named += [event.parent] if event.parent else []
            used += self._list_with_contents(named)
        for item in used:
            flag = self.find_flag(item, number)
            if flag is not None:
                self.uses.append(Use(entry.capture.event, item, flag))

    def _list_with_contents(self, named: list[str]) -> list[str]:
        found = dict.fromkeys(named)
        waiting = list(named)
        while waiting:
            parent = waiting.pop()
            inside = [child for child in self.stays if self._is_in(child, parent)]
            waiting += [child for child in inside if child not in found]
            found.update(dict.fromkeys(inside))
        return list(found)

    def find_flag(self, item: str, number: int) -> Flag | None:
        """A flag that reached the item when event `number` was captured, by what was known then."""
        waiting, seen = [(item, 0)], {(item, 0)}
        while waiting:
            node, floor = waiting.pop()
            floor = max(floor, self.items[node].cleared) if node in self.items else floor
            for flag in self._list_open(node, number, floor):
                return flag
            for flag in self._list_around(node, 0, FOREVER, number, floor):
                return flag
            more = {(each, floor) for each in self.above.get(node, ())} - seen
            seen |= more
            waiting += sorted(more)
        return None

    def _list_open(self, item: str, number: int, floor: int) -> Iterator[Flag]:
        for flag in self.flags.get(item, ()):
            is_open = flag.opened < number and (not flag.closed or number <= flag.closed)
            if is_open and flag.number > floor:
                yield flag

    def _list_around(
        self, item: str, since: int, until: int, number: int, floor: int, inner: str = ""
    ) -> Iterator[Flag]:
        """Flags of what `inner` (the item, or what it is in) was in between the two times."""
        product = self.items[item].product if item in self.items else ""
        for parent, begin, finish in self.stays.get(inner or item, ()):
            first, last = max(since, int(begin)), min(until, int(finish))
            above = str(parent)
            if last < first:
                continue
            lowest = max(floor, self.items[above].cleared)
            for flag in self._list_open(above, number, lowest):
                if _is_reached(flag, product, first, last):
                    yield flag
            yield from self._list_around(item, first, last, number, lowest, above)


def _is_reached(flag: Flag, product: str, first: int, last: int) -> bool:
    if flag.kind == "missing":
        return last == FOREVER
    if flag.kind != "cold_chain":
        return True
    fits = not flag.product or not product or flag.product == product
    return fits and flag.since_ms <= last and first <= flag.until_ms


@lru_cache(maxsize=4_096)
def read_cached(document: str) -> FoodEvent:
    """As `read_event`; every invariant reads all documents."""
    return read_event(document)


def scan(reader: Reader, kind: type[R]) -> Iterator[R]:
    """Every record of a kind, in key order, page by page."""
    after: tuple[str, ...] = ()
    while page := scan_records(reader, APP, kind, (), limit=SCAN_MAX, after=after):
        yield from page
        after = page[-1].key()


__all__ = ["APP", "Entry", "Replay", "Use", "read_cached", "scan"]

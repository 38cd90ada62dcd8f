"""What reaches an item from above: flags of what it was made of and of what it was packed in. Pure.

A flag stays where it was raised; whoever uses an item looks up, at most at WALK_MAX items, and what
was found clean is not looked at again until another flag is raised anywhere (`Item.walked`).
"""

from typing import Final, NamedTuple

import msgspec

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.contract.manifest import WALK_MAX
from hansa.apps.food_trace.contract.sheet import Sheet
from hansa.apps.food_trace.model.records import Flag, Item, Load, Stay, Transformation

# Inputs of a transformation that cost as much as to look at one item.
EDGES_PER_LOOK: Final = 100


class Reach(NamedTuple):
    """A flag, and the item of the walk that it stands on or that was packed where it stands."""

    flag: Flag
    above: str


class _Visit(NamedTuple):
    item: str
    floor: int  # flags up to this number do not reach the item that is asked about
    is_down: bool  # what is packed in it counts too
    is_leaving: bool = False


class Walk:
    """A walk upwards, and into what is packed, that stops after `limit` items."""

    def __init__(self, sheet: Sheet, limit: int = WALK_MAX) -> None:
        self.sheet = sheet
        self.left = limit
        self.clean: list[Item] = []
        self._seen: dict[str, int] = {}

    def find_all(self, item: Item, *, with_contents: bool) -> list[Reach]:
        """Every flag that reaches the item (or what is packed in it). Raises LineageTooLong."""
        found: list[Reach] = []
        waiting = [_Visit(item.id, 0, with_contents)]
        while waiting:
            visit = waiting.pop()
            node = self.sheet.find(visit.item)
            if node is None or node.level == "class":
                continue
            if visit.is_leaving:
                self._note_clean(node, visit, found)
                continue
            floor = max(visit.floor, node.cleared)
            if node.walked == self.sheet.flags or self._seen.get(node.id, floor + 1) <= floor:
                continue
            self._seen[node.id] = floor
            self._spend(item)
            found += self._find_own(node, floor)
            found += self._find_around(node, floor)
            waiting.append(visit._replace(is_leaving=True))
            waiting += [_Visit(each, floor, is_down=False) for each in self._list_above(node, item)]
            if visit.is_down:
                waiting += [_Visit(each, floor, is_down=True) for each in self._list_in(node)]
        return found

    def list_contents(self, item: Item) -> list[Item]:
        """Everything in the item, and in what is in it. Raises LineageTooLong."""
        found: dict[str, Item] = {}
        waiting = [item]
        while waiting:
            for each in self._list_in(waiting.pop()):
                if each not in found:
                    self._spend(item)
                    found[each] = self.sheet.need(each)
                    waiting.append(found[each])
        return list(found.values())

    def reaches(self, start: Item, targets: frozenset[str]) -> str:
        """One of `targets` that `start` was made of, or "". Raises LineageTooLong."""
        waiting, seen = [start.id], {start.id}
        while waiting:
            node = self.sheet.find(waiting.pop())
            if node is None:
                continue
            if node.id in targets:
                return node.id
            self._spend(start)
            above = [each for each in self._list_above(node, start) if each not in seen]
            seen.update(above)
            waiting += above
        return ""

    def _list_above(self, item: Item, start: Item) -> list[str]:
        """What the item was made of: inputs of the transformations that have it as output."""
        found: dict[str, None] = {}
        for source in item.sources:
            transformation = self.sheet.ctx.need(Transformation, source)
            self._spend(start, len(transformation.inputs) // EDGES_PER_LOOK)
            found.update(dict.fromkeys(portion.item for portion in transformation.inputs))
        return list(found)

    def _spend(self, start: Item, looks: int = 1) -> None:
        self.left -= looks
        if self.left < 0:
            raise r.LineageTooLong(item=start.id, limit=WALK_MAX)

    def _list_in(self, item: Item) -> tuple[str, ...]:
        load = self.sheet.ctx.get(Load, item.id) if item.children else None
        return load.children if load else ()

    def _find_own(self, item: Item, floor: int) -> list[Reach]:
        return [Reach(f, item.id) for f in self.sheet.list_flags(item) if f.number > floor]

    def _find_around(self, item: Item, floor: int) -> list[Reach]:
        """Flags of what the item is or was in, and of what that was in at the same time."""
        found: list[Reach] = []
        waiting: list[tuple[Item, int, int | None, int]] = [(item, 0, None, floor)]
        while waiting:
            inner, since, until, lowest = waiting.pop()
            if not inner.stays:
                continue
            for number, stay in enumerate(self.sheet.ctx.scan(Stay, inner.id)):
                if number:
                    self._spend(item)
                outer = self.sheet.find(stay.parent)
                first = max(since, stay.since_ms)
                last = stay.until_ms if until is None else min(until, stay.until_ms or until)
                if outer is None or (last is not None and last < first):
                    continue
                above = max(lowest, outer.cleared)
                for flag in self.sheet.list_flags(outer):
                    if flag.number > above and is_inside(flag, item, first, last):
                        found.append(Reach(flag, item.id))
                waiting.append((outer, first, last, above))
        return found

    def _note_clean(self, item: Item, visit: _Visit, found: list[Reach]) -> None:
        """Remember it if all above and in it was looked at and no flag found or passed over."""
        if not found and not visit.floor and (visit.is_down or not item.children):
            self.clean.append(item)


def is_inside(flag: Flag, item: Item, since_ms: int, until_ms: int | None) -> bool:
    """Whether a flag of what the item was in, from since to until, reaches the item.

    An excursion reaches what was inside when it was measured and has those limits. What is missing
    is missing with what is still in it. Recalls and results reach whatever was ever inside.
    """
    if flag.kind == "missing":
        return until_ms is None
    if flag.kind != "cold_chain":
        return True
    if flag.product and item.product and flag.product != item.product:
        return False
    return flag.until_ms >= since_ms and (until_ms is None or flag.since_ms <= until_ms)


def require_clean(sheet: Sheet, items: list[Item], *, with_contents: bool) -> None:
    """Raise Stopped or Recalled when a flag reaches one of the items; remember that none does."""
    if not sheet.flags:
        return
    walk = Walk(sheet)
    for item in items:
        if item.walked == sheet.flags:
            continue
        found = walk.find_all(item, with_contents=with_contents)
        if found:
            raise build_refusal(item, found[0])
        if with_contents or not item.children:
            sheet.put(msgspec.structs.replace(item, walked=sheet.flags))


def build_refusal(item: Item, reach: Reach) -> r.Stopped:
    """The refusal that says what stops the item and who can help."""
    flag = reach.flag
    kind = r.Recalled if flag.kind == "recall" else r.Stopped
    return kind(
        item=item.id,
        origin=flag.item,
        number=flag.number,
        kind=flag.kind,
        source=flag.source,
        jurisdiction=flag.jurisdiction,
    )

"""A recall: whatever was made of the items, or is in them, and who has or had it (I10).

The closure is over public records, so it is the same on every node at the same height; `digest`
says so. Reads one snapshot.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from hansa.appkit.walk import ITEMS_MAX, Closure, Cut, Snapshot
from hansa.apps.food_trace.trace.ways import DOWN, OUTWARD, is_making, list_items

# Lines of one recall list: a spreadsheet of more is not read by anybody.
HOLDINGS_MAX = 200_000
Status = Literal["seen", "here", "inside", "ended"]


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a recall. `steps`: how many makings or packings from what is recalled."""

    item: str
    steps: int
    level: str
    product: str
    made_ms: int | None
    made_by: str
    disposition: str
    is_ended: bool


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """Something affected at one member and place.

    `status`: `here` (an object's or unit's last place), `inside` (in the unit `item`, which is here
    now; `contents` are affected), `ended` (an object that was used up, sold or destroyed here),
    `seen` (an amount of a lot was handled here between `first_ms` and `last_ms`).
    """

    member: str
    place: str
    item: str
    status: Status
    first_ms: int | None
    last_ms: int | None
    events: int
    contents: tuple[str, ...] = ()


class RecallList(msgspec.Struct, frozen=True, kw_only=True):
    """All of a recall. `cut`: it is not whole, and which bound ended it; else ""."""

    height: int
    roots: tuple[str, ...]
    digest: str
    cut: Cut
    affected: tuple[Affected, ...]
    holdings: tuple[Holding, ...]


def build_recall(
    snapshot: Snapshot, roots: Sequence[str], *, items_max: int = ITEMS_MAX
) -> RecallList:
    """The recall list of some items: affected items nearest first, holdings by member and place."""
    closure = snapshot.walk(roots, DOWN, items_max=items_max)
    steps = dict(list_items(closure))
    rows = {str(row["id"]): row for row in snapshot.pick("items", "key", list(steps))}
    lots = _find_lots(snapshot, [item for item in steps if not _is_object(rows.get(item))])
    units, units_cut = _find_units(snapshot, list(steps))
    objects = _find_objects([rows[item] for item in steps if _is_object(rows.get(item))])
    holdings = [*lots, *objects, *units]
    rows_cut: Cut = "rows" if len(lots) == HOLDINGS_MAX else ""
    holdings.sort(key=lambda each: (each.member, each.place, each.item, each.status))
    return RecallList(
        height=closure.height,
        roots=closure.roots,
        digest=closure.digest,
        cut=closure.cut or units_cut or rows_cut,
        affected=tuple(_describe(item, count, rows.get(item)) for item, count in steps.items()),
        holdings=tuple(holdings),
    )


def _is_object(row: dict[str, Any] | None) -> bool:
    return row is not None and row["level"] == "instance"


def _describe(item: str, steps: int, row: dict[str, Any] | None) -> Affected:
    known = row or {}
    return Affected(
        item=item,
        steps=steps,
        level=known.get("level") or "",
        product=known.get("product") or "",
        made_ms=known.get("made_ms"),
        made_by=known.get("made_by") or "",
        disposition=known.get("disposition") or "",
        is_ended=bool(known.get("ended")),
    )


def _find_lots(snapshot: Snapshot, lots: Sequence[str]) -> list[Holding]:
    """Where amounts of lots were handled: everybody may still have some."""
    rows = snapshot.count(
        "event_items", "item", lots, by=("member", "place"), time="time_ms", limit=HOLDINGS_MAX
    )
    return [_hold(row, "seen", row["first"], row["last"], row["count"]) for row in rows]


def _find_objects(rows: Sequence[dict[str, Any]]) -> list[Holding]:
    """Where objects were last; what is in a unit is where the unit is."""
    return [
        _hold({**row, "item": row["id"]}, status, row["made_ms"], row["seen_ms"], row["steps"])
        for row in rows
        if (status := "ended" if row["ended"] else "here") and not row["parent"]
    ]


def _hold(row: dict[str, Any], status: Any, first: Any, last: Any, events: Any) -> Holding:
    return Holding(
        member=row["member"],
        place=row["place"],
        item=row["item"],
        status=status,
        first_ms=first,
        last_ms=last,
        events=events,
    )


def _find_units(snapshot: Snapshot, items: Sequence[str]) -> tuple[list[Holding], Cut]:
    """The outermost units that affected items are in now, and where these are."""
    closure = snapshot.walk(items, OUTWARD)
    contents = _collect_contents(closure, set(items))
    rows = snapshot.pick("items", "key", list(contents))
    found = [
        Holding(
            member=str(row["member"]),
            place=str(row["place"]),
            item=str(row["id"]),
            status="inside",
            first_ms=row["made_ms"],  # type: ignore[arg-type]
            last_ms=row["seen_ms"],  # type: ignore[arg-type]
            events=int(row["steps"] or 0),
            contents=tuple(sorted(contents[str(row["id"])])),
        )
        for row in rows
    ]
    return found, closure.cut


def _collect_contents(closure: Closure, items: set[str]) -> dict[str, set[str]]:
    """Outermost unit to the affected items in it."""
    outer: dict[str, list[str]] = {}
    for link in closure.links:
        outer.setdefault(link.target, []).append(link.source)
    found: dict[str, set[str]] = {}
    for item in sorted(items):
        waiting, met = [item], {item}
        while waiting:
            inner = waiting.pop()
            for unit in outer.get(inner, ()):
                if unit not in met:
                    met.add(unit)
                    waiting.append(unit)
            if inner != item and not outer.get(inner) and not is_making(inner):
                found.setdefault(inner, set()).add(item)
    return found

"""What a consumer reads behind a Digital Link: origin, path, laboratory results, recall state.

From public records only; reads one snapshot.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from hansa.appkit.walk import Cut, Snapshot
from hansa.apps.food_trace.trace.carriage import Carriage, Ride, find_carriage, find_floors
from hansa.apps.food_trace.trace.origins import Ancestor, describe_trace_back
from hansa.apps.food_trace.trace.ways import UP

# Things whose story a label tells; what has more is told in part, and says so.
LABEL_ITEMS_MAX = 2_000
STOPS_MAX = 500
STOP_ITEMS_MAX = 20
EVENTS_MAX = 5_000
State = Literal["unknown", "clear", "stopped", "recalled"]


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A place on the way. `items`: what was handled there, of which the item was made, or in which
    it was carried; `is_own`: the item itself.
    """

    member: str
    place: str
    first_ms: int
    last_ms: int
    biz_steps: tuple[str, ...]
    items: tuple[str, ...]
    is_own: bool


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A laboratory's result for the item or for something that it was made of."""

    id: str
    item: str
    test: str
    verdict: str
    laboratory: str
    sampled_ms: int
    reported_ms: int


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A flag on the item, on something that it was made of, or on a unit that one was in then.

    `status`: OPEN, RELEASED (it stands, and the item was released from it) or CLOSED.
    """

    item: str
    kind: str
    status: str
    source: str
    reason: str
    number: int
    opened_ms: int
    closed_ms: int | None


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """All of a label. `state`: clear, stopped (flagged), recalled; unknown to the ledger, or more
    than could be looked through (then `cut` says so).
    """

    height: int
    item: str
    level: str
    product: str
    state: State
    cut: Cut
    made_ms: int | None
    made_by: str
    made_at: str
    disposition: str
    origins: tuple[Ancestor, ...]
    path: tuple[Stop, ...]
    results: tuple[Result, ...]
    notices: tuple[Notice, ...]


def build_label(snapshot: Snapshot, item: str) -> Label:
    """The label of an item, as it is now."""
    closure = snapshot.walk([item], UP, items_max=LABEL_ITEMS_MAX)
    back = describe_trace_back(snapshot, closure)
    names = [each.item for each in back.ancestors]
    rows = {str(row["id"]): row for row in snapshot.pick("items", "key", names)}
    cleared = {name: int(row["cleared"] or 0) for name, row in rows.items()}
    floors = find_floors(item, closure, cleared)
    carriage = find_carriage(snapshot, floors)
    notices = _find_notices(snapshot, floors, carriage, rows)
    path, path_cut = _build_path(snapshot, item, back.ancestors)
    above_cut = back.cut or carriage.cut
    row: dict[str, Any] = dict(rows.get(item, {}))
    return Label(
        height=back.height,
        item=item,
        level=row.get("level") or "",
        product=row.get("product") or "",
        state=_judge(notices, is_whole=item in rows and not above_cut),
        cut=above_cut or path_cut,
        made_ms=row.get("made_ms"),
        made_by=row.get("made_by") or "",
        made_at=row.get("made_at") or "",
        disposition=row.get("disposition") or "",
        origins=back.origins,
        path=path,
        results=_find_results(snapshot, names),
        notices=notices,
    )


def _judge(notices: Sequence[Notice], *, is_whole: bool) -> State:
    """`is_whole`: it is on the ledger, and all above it was looked at."""
    standing = {each.kind for each in notices if each.status == "OPEN"}
    if "recall" in standing:
        return "recalled"
    if standing:
        return "stopped"
    return "clear" if is_whole else "unknown"


def _find_results(snapshot: Snapshot, names: Sequence[str]) -> tuple[Result, ...]:
    rows = snapshot.pick("lab_results", "item", names)
    found = [msgspec.convert({n: row[n] for n in Result.__struct_fields__}, Result) for row in rows]
    return tuple(sorted(found, key=lambda each: (each.sampled_ms, each.id)))


def _find_notices(
    snapshot: Snapshot,
    floors: Mapping[str, int],
    carriage: Carriage,
    rows: Mapping[str, Mapping[str, Any]],
) -> tuple[Notice, ...]:
    """Flags that reach the item as the contract's own walk finds them (`contract/lineage.py`)."""
    products = {name: str(row["product"]) for name, row in rows.items()}
    found = []
    for flag in snapshot.pick("flags", "item", [*floors, *carriage.rides]):
        rides = [
            ride
            for ride in carriage.rides.get(str(flag["item"]), ())
            if _meets(ride, flag, products)
        ]
        passed = [ride.floor for ride in rides]
        if flag["item"] in floors:
            passed.append(floors[str(flag["item"])])
        if passed:
            found.append(_build_notice(flag, is_released=int(flag["number"] or 0) <= min(passed)))
    return tuple(sorted(found, key=lambda each: each.number))


def _meets(ride: Ride, flag: Mapping[str, Any], products: Mapping[str, str]) -> bool:
    """Whether a flag on a unit is about what was in it during a ride."""
    if flag["kind"] == "missing":
        return ride.until_ms is None
    if flag["kind"] != "cold_chain":
        return True
    product = products.get(ride.item, "")
    if flag["product"] and product and flag["product"] != product:
        return False
    is_over = ride.until_ms is not None and flag["since_ms"] > ride.until_ms
    return flag["until_ms"] >= ride.since_ms and not is_over


def _build_notice(flag: Mapping[str, Any], *, is_released: bool) -> Notice:
    status = "RELEASED" if is_released and flag["status"] == "OPEN" else flag["status"]
    fields = {name: flag[name] for name in Notice.__struct_fields__ if name != "status"}
    return msgspec.convert({**fields, "status": status}, Notice)


def _build_path(
    snapshot: Snapshot, item: str, ancestors: Sequence[Ancestor]
) -> tuple[tuple[Stop, ...], Cut]:
    """Where what it is of was made, where it was handled itself, and where it was carried in units.

    Other amounts of what it was made of went elsewhere: their ways are not its.
    """
    seen: list[dict[str, Any]] = [
        {"item": a.item, "member": a.made_by, "place": a.made_at, "time_ms": a.made_ms, "step": ""}
        for a in ancestors
        if a.item != item and a.made_ms is not None
    ]
    own = snapshot.pick("event_items", "item", [item], limit=EVENTS_MAX)
    carriage = find_carriage(snapshot, {item: 0})
    units = snapshot.pick("event_items", "item", list(carriage.rides), limit=EVENTS_MAX)
    carried = [row for row in units if _is_aboard(carriage, row)]
    seen += [{**row, "step": row["biz_step"]} for row in (*own, *carried)]
    stops = _collect_stops(seen, item)
    is_cut = max(len(own), len(units)) == EVENTS_MAX or len(stops) > STOPS_MAX
    return tuple(stops[:STOPS_MAX]), carriage.cut or ("rows" if is_cut else "")


def _is_aboard(carriage: Carriage, row: Mapping[str, Any]) -> bool:
    """Whether the item was in the unit when this happened to the unit."""
    return any(ride.holds(row["time_ms"]) for ride in carriage.rides[row["item"]])


def _collect_stops(seen: Sequence[Mapping[str, Any]], item: str) -> list[Stop]:
    """One stop for each place of each member, in the order of the first time there."""
    places: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in sorted(seen, key=lambda row: (row["time_ms"], row["item"], row["step"])):
        places.setdefault((each["member"], each["place"]), []).append(each)
    stops = [
        Stop(
            member=member,
            place=place,
            first_ms=rows[0]["time_ms"],
            last_ms=rows[-1]["time_ms"],
            biz_steps=tuple(dict.fromkeys(row["step"] for row in rows if row["step"])),
            items=tuple(sorted({row["item"] for row in rows}))[:STOP_ITEMS_MAX],
            is_own=any(row["item"] == item for row in rows),
        )
        for (member, place), rows in places.items()
    ]
    return stops

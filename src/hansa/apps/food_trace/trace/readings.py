"""What sensors read of an item, and of the units that it was in then: a curve with its limits.

Readings are of captures, so one sees those of the events that one may read.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from hansa.appkit.walk import Cut, Snapshot
from hansa.apps.food_trace.trace.carriage import find_carriage

EVENTS_MAX = 5_000
READINGS_MAX = 20_000


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One reading: amounts / 10**scale in `uom`. `item`: what the event was about."""

    event: str
    item: str
    member: str
    place: str
    type: str
    uom: str
    time_ms: int
    scale: int
    value: int | None
    least: int | None
    greatest: int | None
    mean: int | None


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Limits that hold now for the item's product, or for any other (`-`)."""

    jurisdiction: str
    product: str
    sensor: str
    uom: str
    scale: int
    low: int | None
    high: int | None


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """All readings by time. `cut`: there are more."""

    height: int
    item: str
    cut: Cut
    readings: tuple[Measured, ...]
    limits: tuple[Bounds, ...]


def build_readings(snapshot: Snapshot, item: str) -> Readings:
    """What was measured of an item."""
    carriage = find_carriage(snapshot, {item: 0})
    events: dict[str, Mapping[str, Any]] = {}
    rows = snapshot.pick("event_items", "item", [item, *carriage.rides], limit=EVENTS_MAX)
    for row in rows:
        rides = carriage.rides.get(str(row["item"]), [])
        if row["item"] == item or any(ride.holds(int(row["time_ms"] or 0)) for ride in rides):
            events.setdefault(str(row["key"]), row)
    measured = snapshot.pick("readings", "key", list(events), limit=READINGS_MAX)
    found = [_build(row, events[str(row["key"])]) for row in measured]
    is_cut = len(rows) == EVENTS_MAX or len(measured) == READINGS_MAX
    known = snapshot.pick("items", "key", [item])
    product = str(known[0]["product"]) if known else ""
    limits = snapshot.pick("limits", "product", [product, "-"])
    return Readings(
        height=snapshot.height,
        item=item,
        cut=carriage.cut or ("rows" if is_cut else ""),
        readings=tuple(sorted(found, key=lambda each: (each.time_ms, each.event, each.type))),
        limits=tuple(
            msgspec.convert({name: row[name] for name in Bounds.__struct_fields__}, Bounds)
            for row in limits
        ),
    )


def _build(row: Mapping[str, Any], event: Mapping[str, Any]) -> Measured:
    return Measured(
        event=row["key"],
        item=event["item"],
        member=event["member"],
        place=event["place"],
        type=row["type"],
        uom=row["uom"],
        time_ms=event["time_ms"] if row["time_ms"] is None else row["time_ms"],
        scale=row["scale"],
        value=row["value"],
        least=row["least"],
        greatest=row["greatest"],
        mean=row["mean"],
    )

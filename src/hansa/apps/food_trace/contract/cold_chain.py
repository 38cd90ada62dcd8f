"""Sensor readings against limits: what was outside flags the items of the event (I9). Pure.

What has limits is a product in a jurisdiction; a container is judged by what is in it.
"""

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.contract import units
from hansa.apps.food_trace.contract.lineage import Walk
from hansa.apps.food_trace.contract.manifest import PRODUCTS_MAX
from hansa.apps.food_trace.contract.sheet import Capturing
from hansa.apps.food_trace.event import Reading
from hansa.apps.food_trace.model.records import Item
from hansa.apps.food_trace.model.registers import Limits, LimitsSince

# Limits for whatever has none of its own.
ANY_PRODUCT = "-"


def flag_excursions(sheet: Capturing, items: list[Item]) -> bool:
    """Flag what was measured outside its limits; whether anything was. Raises WrongUnit.

    `items`: what the readings are of. A class without a lot cannot be flagged, but counts.
    """
    if not sheet.event.readings:
        return False
    judged: dict[str, list[Reading]] = {}
    is_outside = False
    for item in items:
        products = _list_products(sheet, item)
        bad = [each for each in products if _judge(sheet, each, judged)]
        is_outside = is_outside or bool(bad)
        if item.level == "class":
            continue
        named = [""] if len(bad) > PRODUCTS_MAX or item.product in bad else bad
        for product in named:
            readings = [each for every in bad for each in judged[every]]
            _flag(sheet, sheet.need(item.id), product, readings)
    return is_outside


def list_measured(sheet: Capturing) -> list[Item]:
    """The items that the readings of an event are of: of a transformation what came out of it."""
    event = sheet.event
    if event.type == "TransformationEvent":
        named = [*event.output_epcs, *(each.item for each in event.output_quantities)]
    else:
        quantities = (*event.quantities, *event.child_quantities)
        named = [*event.epcs, event.parent, *event.children, *(each.item for each in quantities)]
    return [sheet.need(each) for each in dict.fromkeys(named) if each]


def _list_products(sheet: Capturing, item: Item) -> list[str]:
    """The item's own product, and those of what is in it; one that has none is any."""
    found = {item.product: None} if item.product or not item.children else {}
    if item.children:
        for inner in Walk(sheet).list_contents(item):
            found[inner.product] = None
    return list(found)


def _judge(sheet: Capturing, product: str, judged: dict[str, list[Reading]]) -> list[Reading]:
    """The event's readings that are outside the limits of the product."""
    if product not in judged:
        judged[product] = [
            reading for reading in sheet.event.readings if _is_outside(sheet, product, reading)
        ]
    return judged[product]


def _is_outside(sheet: Capturing, product: str, reading: Reading) -> bool:
    limits = read_limits(sheet, product, reading.type)
    return limits is not None and is_reading_outside(reading, limits, product)


def read_limits(sheet: Capturing, product: str, sensor: str) -> LimitsSince | None:
    """What holds now where the capturing member is."""
    place = sheet.member.jurisdiction
    if not is_sensor(sensor):
        return None
    found = sheet.ctx.get(Limits, place, product, sensor) if product else None
    found = found or sheet.ctx.get(Limits, place, ANY_PRODUCT, sensor)
    return found.versions[-1] if found else None


def is_sensor(sensor: str) -> bool:
    """Whether limits can be set for a measurement of this type."""
    return 0 < len(sensor) <= 64 and sensor.isascii() and sensor.replace("_", "").isalpha()


def is_reading_outside(reading: Reading, limits: LimitsSince, product: str) -> bool:
    """Whether any of the reading's values is outside. Raises WrongUnit."""
    for value in (reading.value, reading.min, reading.max, reading.mean):
        if value is None:
            continue
        for bound, wrong in ((limits.low, -1), (limits.high, 1)):
            if bound is None:
                continue
            place = units.compare_readings(value, reading.uom, (bound, limits.scale), limits.uom)
            if place is None:
                raise r.WrongUnit(
                    sensor=reading.type, uom=reading.uom, product=product, needed=limits.uom
                )
            if place == wrong:
                return True
    return False


def _flag(sheet: Capturing, item: Item, product: str, readings: list[Reading]) -> None:
    """A flag for the time of the readings; one that stands for the same product is extended."""
    event = sheet.event
    times = [event.time_ms if each.time_ms is None else each.time_ms for each in readings]
    since_ms, until_ms = min(times), max(times)
    for flag in list(sheet.list_flags(item)):
        if flag.kind == "cold_chain" and flag.product == product:
            since_ms, until_ms = min(since_ms, flag.since_ms), max(until_ms, flag.until_ms)
            sheet.close_flag(flag, "extended")
    sheet.raise_flag(
        sheet.need(item.id),
        "cold_chain",
        sheet.key,
        sheet.member.jurisdiction,
        product=product,
        since_ms=since_ms,
        until_ms=until_ms,
    )

"""I1 … I10 of domains 1.5 as functions over state: each gives its violations. Pure.

They recompute everything from the captured documents (`replay/`) and trust no running sum.
"""

from collections.abc import Callable, Iterator

from hansa.apps.food_trace.contract.cold_chain import ANY_PRODUCT, is_reading_outside
from hansa.apps.food_trace.event import FoodEvent
from hansa.apps.food_trace.identifiers import split_element
from hansa.apps.food_trace.model.records import Flag, Item, Shipment, Step, Tally, Transformation
from hansa.apps.food_trace.model.registers import Limits, LimitsSince, Recall
from hansa.apps.food_trace.model.trail import compute_head, compute_step_digest
from hansa.apps.food_trace.rejections import WrongUnit
from hansa.apps.food_trace.replay.amounts import (
    add_up,
    find_overused,
    find_unbalanced,
    list_begun,
    list_named,
)
from hansa.apps.food_trace.replay.history import APP, FOREVER, Entry, Replay, scan
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, get_record, get_system
from hansa.ledger.system import BlockRecord, Deadline, Member
from hansa.primitives.identifiers import compute_gs1_digit


def check_i1(replay: Replay) -> list[str]:
    """An object is commissioned once, and nothing happens to it after it was deleted."""
    found = []
    made: dict[str, list[str]] = {}
    ended: dict[str, list[str]] = {}
    end_ms: dict[str, int] = {}
    for entry in replay.list_standing():
        event = entry.event
        for item in list_begun(event):
            made.setdefault(item, []).append(event.key)
        if event.type == "ObjectEvent" and event.action == "DELETE":
            for item in event.epcs:
                ended.setdefault(item, []).append(event.key)
                end_ms[item] = event.time_ms
    for each in replay.items.values():
        begun, over = made.get(each.id, [""]), ended.get(each.id, [""])
        if each.level == "instance" and ([each.commissioned], [each.ended]) != (begun, over):
            found.append(f"{each.id}: made by {begun}, ended by {over}, and recorded otherwise")
    for entry in replay.list_standing():
        for item in list_named(entry.event):
            if entry.event.time_ms > end_ms.get(item, FOREVER):
                found.append(f"{item}: {entry.event.key} is after its end")
    return found


def check_i2(replay: Replay) -> list[str]:
    """A child is in at most one parent at a time, and where the documents put it."""
    found = list(replay.breaks)
    for item in replay.items.values():
        if item.level == "instance" and item.parent != replay.parents.get(item.id, ""):
            found.append(f"{item.id}: in {replay.parents.get(item.id)}, recorded {item.parent}")
    return found


def check_i3(replay: Replay) -> list[str]:
    """Outputs stay within inputs times yield, and no more of a lot is used than was made."""
    return [*find_unbalanced(replay), *find_overused(replay)]


def check_i4(replay: Replay) -> list[str]:
    """Nothing is made of itself, and nothing is in itself."""
    found = [f"{item}: made of itself" for item in _find_circle(replay.above)]
    inside = {child: {parent} for child, parent in replay.parents.items() if parent}
    return found + [f"{item}: in itself" for item in _find_circle(inside)]


def check_i5(replay: Replay) -> list[str]:
    """No event is later than the block that recorded it."""
    found = []
    for entry in replay.entries:
        block = get_system(replay.reader, BlockRecord, f"{entry.capture.height:012d}")
        if block is not None and block.time_ms != entry.capture.recorded_ms:
            found.append(f"{entry.capture.event}: recorded at another time than its block")
        if entry.event.time_ms > entry.capture.recorded_ms:
            found.append(f"{entry.capture.event}: before it happened")
    return found


def check_i6(replay: Replay) -> list[str]:
    """Nothing is edited or lost: every document has its step, and every item all its steps."""
    found = []
    steps = sorted(scan(replay.reader, Step), key=lambda step: step.number)
    tally = get_record(replay.reader, APP, Tally, "league") or Tally()
    numbers = [entry.capture.number for entry in replay.entries]
    if numbers != list(range(1, tally.events + 1)) or len(steps) != len(numbers):
        found.append(f"{tally.events} events, {len(numbers)} documents, {len(steps)} steps")
    heads: dict[str, tuple[int, str]] = {}
    for entry, step in zip(replay.entries, steps, strict=False):
        found += _compare_step(entry, step, replay)
        digest = compute_step_digest(step)
        for item in dict.fromkeys(list_named(entry.event)):
            count, head = heads.get(item, (0, ""))
            heads[item] = (count + 1, compute_head(head, digest))
    for each in replay.items.values():
        if heads.get(each.id) != (each.steps, each.head):
            found.append(f"{each.id}: its steps do not come to its head")
    return found


def check_i7(replay: Replay) -> list[str]:
    """Every GTIN, SSCC and GLN passes its check digit."""
    found = []
    for entry in replay.entries:
        event = entry.event
        places = (event.read_point, event.biz_location)
        parties = (each.value for each in (*event.sources, *event.destinations))
        for element in dict.fromkeys((*list_named(event), *places, *parties)):
            for ai, value in split_element(element):
                digits = CHECKED.get(ai, 0)
                if digits and value[digits - 1] != compute_gs1_digit(value[: digits - 1]):
                    found.append(f"{entry.capture.event}: {element} fails its check")
    return found


# Application identifier: how many digits its check digit closes (GS1 General Specifications 7.9).
CHECKED = {"00": 18, "01": 14, "414": 13, "417": 13, "8006": 14}


def check_i8(replay: Replay) -> list[str]:
    """What was shipped has arrived, is missing, overdue, or has its deadline before it."""
    shipments = {each.id: each for each in scan(replay.reader, Shipment)}
    found = [
        f"{entry.event.key}: shipped without a trace"
        for entry in replay.list_standing()
        if entry.event.biz_step == "shipping" and entry.event.key not in shipments
        if any(map(replay.is_traced, list_named(entry.event)))
    ]
    for shipment in shipments.values():
        found += [f"{shipment.id}: {text}" for text in _find_misshipped(replay, shipment)]
    return found


def _find_misshipped(replay: Replay, shipment: Shipment) -> Iterator[str]:
    """What is wrong with one shipment."""
    key = (f"{shipment.due_ms:015d}", APP, shipment.id)
    is_due = get_system(replay.reader, Deadline, *key) is not None
    if (shipment.status == "IN_TRANSIT") != is_due:
        yield f"{shipment.status} and its deadline do not agree"
    if shipment.status != "WITHDRAWN" and (shipment.status == "RECEIVED") == bool(shipment.left):
        yield f"{shipment.status} with {len(shipment.left)} left"
    arrived = [portion for receipt in shipment.receipts for portion in receipt.portions]
    if add_up(shipment.portions) != add_up([*arrived, *shipment.left]):
        yield "what is left and what arrived is not what was sent"
    is_open = shipment.status in ("IN_TRANSIT", "OVERDUE", "MISSING")
    for portion in shipment.left:
        if is_open != (shipment.id in replay.items[portion.item].shipments):
            yield f"{portion.item} does not know it"
    if shipment.id in replay.withdrawn and shipment.status != "WITHDRAWN":
        yield "its event was in error, and it stands"
    if shipment.status != "WITHDRAWN":
        for receipt in shipment.receipts:
            if receipt.event in replay.withdrawn:
                yield f"received by {receipt.event}, which was in error"


def check_i9(replay: Replay) -> list[str]:
    """What was measured outside its limits is flagged, and nothing that it reaches was used."""
    found = [
        f"{use.item}: used by {use.event} against {use.flag.item}/{use.flag.number}"
        for use in replay.uses
        if use.flag.kind == "cold_chain"
    ]
    listed = scan(replay.reader, Limits)
    limits = {(each.jurisdiction, each.product, each.sensor): each for each in listed}
    for entry in replay.list_standing():
        if not entry.event.readings:
            continue
        member = get_system(replay.reader, Member, entry.capture.member)
        place = member.jurisdiction if member else ""
        for item in _list_measured(entry.event):
            if replay.is_traced(item) and _is_warm(limits, place, entry, replay.items[item]):
                sources = {flag.source for flag in replay.flags.get(item, ())}
                if entry.event.key not in sources:
                    found.append(f"{item}: not flagged by {entry.event.key}")
    return found


def check_i10(replay: Replay) -> list[str]:
    """A recall reaches all that was made of its items: the records have every link, no more."""
    found = [
        f"{use.item}: used by {use.event} against {use.flag.item}/{use.flag.number}"
        for use in replay.uses
        if use.flag.kind != "cold_chain"
    ]
    above: dict[str, set[str]] = {}
    for record in scan(replay.reader, Transformation):
        inputs = {p.item for p in record.inputs if replay.is_traced(p.item)}
        for portion in record.outputs:
            if replay.is_traced(portion.item):
                above.setdefault(portion.item, set()).update(inputs)
                if record.id not in replay.items[portion.item].sources:
                    found.append(f"{portion.item}: does not know that {record.id} made it")
    if above != replay.above:
        found.append("the links of the records are not those of the documents")
    for recall in scan(replay.reader, Recall):
        for item, number in zip(recall.items, recall.flags, strict=True):
            flag = get_record(replay.reader, APP, Flag, item, str(number))
            if flag is None or bool(flag.closed) != (recall.status == "CLOSED"):
                found.append(f"{recall.id}: {recall.status} and the flag of {item} do not agree")
    return found


# -- how ------------------------------------------------------------------------------------------


def _find_circle(above: dict[str, set[str]]) -> Iterator[str]:
    """Items that are above themselves: what is left when all that has nothing left above goes."""
    waiting = {item: set(over) for item, over in above.items()}
    while True:
        free = [item for item, over in waiting.items() if not over & waiting.keys()]
        if not free:
            return iter(sorted(waiting))
        for item in free:
            del waiting[item]


def _compare_step(entry: Entry, step: Step, replay: Replay) -> list[str]:
    event, capture = entry.event, entry.capture
    said = (event.time_ms, event.type, event.action, event.biz_step, capture.member)
    if said != (step.time_ms, step.type, step.action, step.biz_step, step.member):
        return [f"{capture.event}: its step says something else"]
    withdrawn = "" if event.error else replay.withdrawn.get(event.key, "")
    if (step.event, step.withdrawn) != (capture.event, withdrawn):
        return [f"{capture.event}: withdrawn by {withdrawn!r}, recorded {step.withdrawn!r}"]
    return []


def _list_measured(event: FoodEvent) -> list[str]:
    if event.type == "TransformationEvent":
        return [*event.output_epcs, *(each.item for each in event.output_quantities)]
    return list_named(event)


def _is_warm(
    limits: dict[tuple[str, str, str], Limits], place: str, entry: Entry, item: Item
) -> bool:
    """Whether a reading is outside the limits that held for the item's own product."""
    for reading in entry.event.readings:
        own = limits.get((place, item.product, reading.type))
        every = limits.get((place, ANY_PRODUCT, reading.type))
        version = _find_version(own, entry.capture.number) if item.product else None
        version = version or _find_version(every, entry.capture.number)
        if item.children and not item.product:
            continue
        try:
            if version and is_reading_outside(reading, version, item.product):
                return True
        except WrongUnit:
            return False
    return False


def _find_version(limits: Limits | None, number: int) -> LimitsSince | None:
    held = [each for each in limits.versions if each.after < number] if limits else []
    return held[-1] if held else None


Check = Callable[[Replay], list[str]]
CHECKS: tuple[tuple[str, Check], ...] = (
    ("I1", check_i1),
    ("I2", check_i2),
    ("I3", check_i3),
    ("I4", check_i4),
    ("I5", check_i5),
    ("I6", check_i6),
    ("I7", check_i7),
    ("I8", check_i8),
    ("I9", check_i9),
    ("I10", check_i10),
)


def find_violations(reader: Reader) -> list[str]:
    """What all of them find, with one replay."""
    replay = Replay(reader)
    return [f"{name}: {text}" for name, check in CHECKS for text in check(replay)]


def _bind(check: Check) -> Callable[[Reader], list[str]]:
    return lambda reader: check(Replay(reader))


INVARIANTS = tuple(Invariant(name, check.__doc__ or name, _bind(check)) for name, check in CHECKS)

"""What begins, what ends, and what is made of what: I1, I3 and I4. Pure."""

from collections.abc import Iterable
from typing import Final

import msgspec

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.contract.balance import PPM, check_account, check_balance, enter
from hansa.apps.food_trace.contract.lineage import Walk, require_clean
from hansa.apps.food_trace.contract.manifest import PORTIONS_MAX, SOURCES_MAX
from hansa.apps.food_trace.contract.sheet import Capturing
from hansa.apps.food_trace.event import Quantity
from hansa.apps.food_trace.model.records import Item, Portion, Transformation
from hansa.apps.food_trace.model.registers import PrefixBlock, Trader, Yield
from hansa.crypto.hashing import sha256
from hansa.primitives.limits import KEY_PART_MAX

PREFIX_DIGITS_MIN: Final = 6


def make_portions(epcs: Iterable[str], quantities: Iterable[Quantity]) -> list[Portion]:
    """Objects and quantities of an event as portions."""
    found = [Portion(item=epc) for epc in epcs]
    found += [
        Portion(item=each.item, amount=each.amount, scale=each.scale, uom=each.uom)
        for each in quantities
    ]
    return found


def begin(sheet: Capturing) -> None:
    """ObjectEvent, ADD: objects are commissioned once, of lots there is more (I1)."""
    for portion in make_portions(sheet.event.epcs, sheet.event.quantities):
        _begin_one(sheet, portion)


def end(sheet: Capturing) -> None:
    """ObjectEvent, DELETE: objects end, of lots there is less. Raises SeenLater, UsedBeyondMade."""
    event = sheet.event
    for portion in make_portions(event.epcs, event.quantities):
        item = sheet.need(portion.item)
        if item.level == "lot":
            item = enter(item, portion, 0, 1)
            check_account(item)
        elif item.level == "instance":
            if item.ended:
                raise r.AlreadyEnded(item=item.id, event=item.ended)
            if item.seen_ms > event.time_ms:
                raise r.SeenLater(item=item.id, later_ms=item.seen_ms - event.time_ms)
            item = msgspec.structs.replace(item, ended=sheet.key, ended_ms=event.time_ms)
        sheet.put(item)


def transform(sheet: Capturing) -> str:
    """TransformationEvent; gives the key of the transformation's record.

    Raises Stopped, Circular, Unbalanced, UsedBeyondMade, AlreadyMade, NotTheParty, TooMany.
    """
    event = sheet.event
    key = compute_transformation_key(sheet.key, event.transformation)
    old = sheet.ctx.get(Transformation, key)
    if old is not None and old.member != sheet.member.did:
        raise r.NotTheParty(party=old.member)
    inputs = make_portions(event.input_epcs, event.input_quantities)
    outputs = make_portions(event.output_epcs, event.output_quantities)
    record = Transformation(
        id=key,
        name=event.transformation,
        member=sheet.member.did,
        events=(*(old.events if old else ()), sheet.key),
        inputs=(*(old.inputs if old else ()), *inputs),
        outputs=(*(old.outputs if old else ()), *outputs),
    )
    _check_size(record)
    used = [sheet.need(portion.item) for portion in inputs]
    require_clean(sheet, used, with_contents=False)
    _check_acyclic(sheet, record)
    check_balance(record.inputs, record.outputs, lambda product: read_yield(sheet, product))
    for portion in inputs:
        _use_one(sheet, portion)
    for portion in outputs:
        _begin_one(sheet, portion, source=key)
    sheet.ctx.put(record)
    return key


def undo_begin(sheet: Capturing, event: str) -> None:
    """Take back an ADD that was in error. Raises StillNeeded."""
    for portion in make_portions(sheet.event.epcs, sheet.event.quantities):
        _undo_begin_one(sheet, portion, event)


def undo_end(sheet: Capturing, event: str) -> None:
    """Take back a DELETE that was in error: objects are there again, of lots there is more."""
    for portion in make_portions(sheet.event.epcs, sheet.event.quantities):
        item = sheet.need(portion.item)
        if item.level == "lot":
            sheet.put(enter(item, portion, 0, -1))
        elif item.ended == event:
            sheet.put(msgspec.structs.replace(item, ended="", ended_ms=0))


def undo_transform(sheet: Capturing, event: str) -> None:
    """Take back a transformation that was in error. Raises StillNeeded, Unbalanced."""
    key = compute_transformation_key(event, sheet.event.transformation)
    record = sheet.ctx.need(Transformation, key)
    inputs = make_portions(sheet.event.input_epcs, sheet.event.input_quantities)
    outputs = make_portions(sheet.event.output_epcs, sheet.event.output_quantities)
    left = msgspec.structs.replace(
        record,
        events=tuple(each for each in record.events if each != event),
        inputs=_subtract(record.inputs, inputs),
        outputs=_subtract(record.outputs, outputs),
    )
    check_balance(left.inputs, left.outputs, lambda product: read_yield(sheet, product))
    kept = {portion.item for portion in left.outputs}
    for portion in outputs:
        _undo_begin_one(sheet, portion, event, source="" if portion.item in kept else key)
    for portion in inputs:
        item = sheet.need(portion.item)
        item = msgspec.structs.replace(item, consumed=item.consumed - 1)
        sheet.put(enter(item, portion, 0, -1) if item.level == "lot" else item)
    if left.events:
        sheet.ctx.put(left)
    else:
        sheet.ctx.delete(Transformation, key)


def compute_transformation_key(event: str, name: str) -> str:
    """`#` and the transformationID that several events share, else the event's key."""
    if not name:
        return event
    if len(name) < KEY_PART_MAX:
        return f"#{name}"
    return "#" + sha256(name.encode()).hex()


def read_yield(sheet: Capturing, product: str) -> int:
    """What the capturing member declared for the product, in parts per million."""
    found = sheet.ctx.get(Yield, sheet.member.did, product) if product else None
    return found.versions[-1].ppm if found else PPM


def _begin_one(sheet: Capturing, portion: Portion, source: str = "") -> None:
    event = sheet.event
    item = sheet.need(portion.item)
    _check_prefix(sheet, item)
    if item.level == "class":
        return
    if item.level == "instance":
        _check_not_made(item)
    elif portion.amount is not None:
        item = enter(item, portion, 1, 0)
    sources = item.sources
    if source and source not in sources:
        sources = (*sources, source)
        if len(sources) > SOURCES_MAX:
            raise r.TooMany(what="sources of one lot", count=len(sources), limit=SOURCES_MAX)
    item = msgspec.structs.replace(
        item,
        commissioned=item.commissioned or sheet.key,
        made_ms=item.made_ms if item.commissioned else event.time_ms,
        made_by=item.made_by if item.commissioned else sheet.member.did,
        made_at=item.made_at if item.commissioned else event.biz_location or event.read_point,
        makings=item.makings + 1,
        unmeasured=item.unmeasured + (portion.amount is None),
        sources=sources,
    )
    if item.level == "lot":
        check_account(item)
    sheet.put(item)


def _check_not_made(item: Item) -> None:
    """An object is commissioned once (I1)."""
    if item.commissioned:
        raise r.AlreadyMade(item=item.id, event=item.commissioned)


def _use_one(sheet: Capturing, portion: Portion) -> None:
    item = sheet.need(portion.item)
    item = msgspec.structs.replace(item, consumed=item.consumed + 1)
    if item.level == "lot":
        item = enter(item, portion, 0, 1)
        check_account(item)
    sheet.put(item)


def _undo_begin_one(sheet: Capturing, portion: Portion, event: str, source: str = "") -> None:
    item = sheet.need(portion.item)
    if item.level == "class":
        return
    if item.level == "lot":
        item = enter(item, portion, -1, 0)
    makings = item.makings - 1
    if not makings and item.consumed:
        raise r.StillNeeded(item=item.id, event=event)
    item = msgspec.structs.replace(
        item,
        commissioned=item.commissioned if makings else "",
        makings=makings,
        unmeasured=item.unmeasured - (portion.amount is None),
        sources=tuple(each for each in item.sources if each != source),
    )
    try:
        check_account(item)
    except r.UsedBeyondMade as refusal:
        raise r.StillNeeded(item=item.id, event=event) from refusal
    sheet.put(item)


def _check_prefix(sheet: Capturing, item: Item) -> None:
    """Only the owner of a registered company prefix makes items under it (D10)."""
    if not item.product or item.product in sheet.owned:
        return
    sheet.owned.add(item.product)
    digits = item.product[4:]
    block = sheet.ctx.get(PrefixBlock, digits[:PREFIX_DIGITS_MIN])
    for prefix in block.prefixes if block else ():
        trader = sheet.ctx.need(Trader, prefix) if digits.startswith(prefix) else None
        if trader is not None and trader.member != sheet.member.did:
            raise r.ForeignPrefix(item=item.id, prefix=prefix, owner=trader.member)


def _check_size(record: Transformation) -> None:
    count = len(record.inputs) + len(record.outputs)
    if count > PORTIONS_MAX:
        raise r.TooMany(what="parts of one transformation", count=count, limit=PORTIONS_MAX)


def _check_acyclic(sheet: Capturing, record: Transformation) -> None:
    """Nothing is made of itself (I4). What nothing was made of yet closes no circle."""
    outputs = [sheet.need(each) for each in dict.fromkeys(p.item for p in record.outputs)]
    traced = [item for item in outputs if item.level != "class"]
    inputs = dict.fromkeys(portion.item for portion in record.inputs)
    for item in traced:
        if item.id in inputs:
            raise r.Circular(item=item.id)
    targets = frozenset(item.id for item in traced if item.consumed)
    if not targets:
        return
    walk = Walk(sheet)
    for each in inputs:
        reached = walk.reaches(sheet.need(each), targets)
        if reached:
            raise r.Circular(item=reached)


def _subtract(portions: tuple[Portion, ...], taken: list[Portion]) -> tuple[Portion, ...]:
    left = list(portions)
    for portion in taken:
        left.remove(portion)
    return tuple(left)

"""What is in what: an object is in one parent at a time (I2), and nothing is in itself (I4). Pure.

A lot may be in many parents; a class without a lot leaves no trace here. Association is no packing.
"""

import msgspec

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.contract.manifest import EVENT_ITEMS_MAX, NEST_MAX
from hansa.apps.food_trace.contract.sheet import Capturing, Sheet
from hansa.apps.food_trace.model.records import Item, Load, Stay, Step
from hansa.primitives.limits import SCAN_MAX


def pack(sheet: Capturing) -> None:
    """AggregationEvent, ADD. Raises AlreadyPacked, PackedLater, InsideItself, TooMany."""
    parent = sheet.open(sheet.event.parent, is_epc=True)
    children = [item for item in list_children(sheet) if item.level != "class"]
    chain = list_chain(sheet, parent)
    if len(chain) > NEST_MAX:
        raise r.InsideItself(item=parent.id, limit=NEST_MAX)
    around = {outer.id for outer in chain}
    inside = set(_read_load(sheet, parent))
    for child in children:
        if child.id in around:
            raise r.InsideItself(item=child.id, limit=NEST_MAX)
        if child.id not in inside:
            _put_in(sheet, child, parent)
            inside.add(child.id)
    _put_load(sheet, parent, inside)
    _forget_clean(sheet, [sheet.need(outer.id) for outer in chain])


def unpack(sheet: Capturing) -> None:
    """AggregationEvent, DELETE; without children all is taken out. Raises NotPacked, PackedLater.

    A child that is in nothing was packed where the ledger did not see it, and stays so.
    """
    parent = sheet.open(sheet.event.parent, is_epc=True)
    inside = set(_read_load(sheet, parent))
    named = list_children(sheet)
    children = named or [sheet.need(each) for each in sorted(inside)]
    for child in children:
        if child.level == "instance" and child.parent not in ("", parent.id):
            raise r.NotPacked(item=child.id, parent=child.parent)
        if child.id in inside:
            _take_out(sheet, child, parent)
            inside.discard(child.id)
    _put_load(sheet, parent, inside)


def undo_packing(sheet: Capturing, event: str) -> None:
    """Take back the aggregation `event`, which was in error. Raises StillNeeded when another one
    came after it.
    """
    parent = sheet.open(sheet.event.parent, is_epc=True)
    inside = set(_read_load(sheet, parent))
    number = sheet.ctx.need(Step, event).number
    for child in list_children(sheet):
        stay = sheet.ctx.get(Stay, child.id, parent.id)
        if stay is None:
            continue
        last = child.packed_by if child.level == "instance" else stay.by
        if last != event:
            if last and sheet.ctx.need(Step, last).number > number:
                raise r.StillNeeded(item=child.id, event=event)
        elif sheet.event.action == "ADD":
            _undo_put_in(sheet, child, stay)
            inside.discard(child.id)
        else:
            _undo_take_out(sheet, child, stay)
            inside.add(child.id)
    _put_load(sheet, parent, inside)


def list_children(sheet: Capturing) -> list[Item]:
    """Objects, lots and classes that the event names as children."""
    event = sheet.event
    named = dict.fromkeys(event.children, True)
    named.update({each.item: False for each in event.child_quantities if each.item not in named})
    return [sheet.open(item, is_epc=is_epc) for item, is_epc in named.items()]


def list_chain(sheet: Sheet, item: Item) -> list[Item]:
    """The item, what it is in, what that is in …; one longer than NEST_MAX at most."""
    chain = [item]
    while chain[-1].parent and len(chain) <= NEST_MAX:
        chain.append(sheet.need(chain[-1].parent))
    return chain


def _take_out(sheet: Capturing, child: Item, parent: Item) -> None:
    stay = sheet.ctx.need(Stay, child.id, parent.id)
    time_ms = sheet.event.time_ms
    if time_ms < stay.entered_ms:
        raise r.PackedLater(item=child.id, later_ms=stay.entered_ms - time_ms)
    sheet.ctx.put(msgspec.structs.replace(stay, until_ms=time_ms, by=sheet.key))
    if child.level == "instance":
        sheet.put(msgspec.structs.replace(child, parent="", packed_by=sheet.key, packed_ms=time_ms))


def _put_in(sheet: Capturing, child: Item, parent: Item) -> None:
    time_ms = sheet.event.time_ms
    _check_single_parent(child)
    if time_ms < child.packed_ms:
        raise r.PackedLater(item=child.id, later_ms=child.packed_ms - time_ms)
    stay = sheet.ctx.get(Stay, child.id, parent.id)
    if stay is None and child.stays >= SCAN_MAX:
        raise r.TooMany(what="parents of one item", count=SCAN_MAX + 1, limit=SCAN_MAX)
    since_ms = min(stay.since_ms, time_ms) if stay else time_ms
    sheet.ctx.put(
        Stay(item=child.id, parent=parent.id, since_ms=since_ms, entered_ms=time_ms, by=sheet.key)
    )
    changes: dict[str, str | int] = {} if stay else {"stays": child.stays + 1}
    if child.level == "instance":
        changes |= {"parent": parent.id, "packed_by": sheet.key, "packed_ms": time_ms}
    sheet.put(msgspec.structs.replace(child, **changes))


def _check_single_parent(child: Item) -> None:
    """An object is in one parent at a time (I2)."""
    if child.parent:
        raise r.AlreadyPacked(item=child.id, parent=child.parent)


def _undo_put_in(sheet: Capturing, child: Item, stay: Stay) -> None:
    """It was not put in; an earlier stay in the same parent then ended at that time at last."""
    is_first = stay.since_ms == stay.entered_ms
    if is_first:
        sheet.ctx.delete(Stay, stay.item, stay.parent)
    else:
        sheet.ctx.put(msgspec.structs.replace(stay, until_ms=stay.entered_ms, by=""))
    changes: dict[str, str | int] = {"stays": child.stays - is_first}
    if child.level == "instance":
        others = sheet.ctx.scan(Stay, child.id)
        left_ms = max((other.until_ms or 0 for other in others), default=0)
        changes |= {"parent": "", "packed_by": "", "packed_ms": left_ms}
    sheet.put(msgspec.structs.replace(child, **changes))


def _undo_take_out(sheet: Capturing, child: Item, stay: Stay) -> None:
    """It is in there all the time, so that flags of that time reach it: all is looked at anew."""
    sheet.ctx.put(msgspec.structs.replace(stay, until_ms=None, by=""))
    sheet.flags += 1
    if child.level == "instance":
        sheet.put(
            msgspec.structs.replace(
                child, parent=stay.parent, packed_by="", packed_ms=stay.entered_ms
            )
        )


def _read_load(sheet: Sheet, parent: Item) -> tuple[str, ...]:
    load = sheet.ctx.get(Load, parent.id) if parent.children else None
    return load.children if load else ()


def _put_load(sheet: Sheet, parent: Item, inside: set[str]) -> None:
    if len(inside) > EVENT_ITEMS_MAX:
        raise r.TooMany(what="items in one parent", count=len(inside), limit=EVENT_ITEMS_MAX)
    if inside:
        sheet.ctx.put(Load(parent=parent.id, children=tuple(sorted(inside))))
    elif parent.children:
        sheet.ctx.delete(Load, parent.id)
    parent = sheet.need(parent.id)
    sheet.put(msgspec.structs.replace(parent, children=len(inside)))


def _forget_clean(sheet: Sheet, chain: list[Item]) -> None:
    """What was found clean is not any more, with more in it; in a flagged one nothing is."""
    if any(outer.flags for outer in chain):
        sheet.flags += 1
    for outer in chain:
        if outer.walked:
            sheet.put(msgspec.structs.replace(outer, walked=0))

"""What is in what: an object is in one parent at a time (I2), and nothing is in itself (I4). Pure.

A lot may be in many parents. Of a class without a lot it is only known that some is in there: a
reading is judged by its limits. Association is no packing.
"""

import msgspec

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.contract.manifest import EVENT_ITEMS_MAX, NEST_MAX
from hansa.apps.food_trace.contract.sheet import Capturing, Sheet
from hansa.apps.food_trace.model.records import Capture, Item, Load, Packed, Stay
from hansa.primitives.limits import SCAN_MAX


def pack(sheet: Capturing) -> None:
    """AggregationEvent, ADD. Raises AlreadyPacked, PackedLater, InsideItself, TooMany."""
    parent = sheet.open(sheet.event.parent, is_epc=True)
    chain = list_chain(sheet, parent)
    around = {outer.id for outer in chain}
    inside = set(_read_load(sheet, parent))
    for child in list_children(sheet):
        if child.id in around:
            raise r.InsideItself(item=child.id, limit=NEST_MAX)
        if child.level != "class":
            _put_in(sheet, child, parent)
        inside.add(child.id)
    _put_load(sheet, parent, inside)
    _forget_clean(sheet, chain)


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
        if child.level == "instance" or (child.level == "lot" and child.id in inside):
            _take_out(sheet, child, parent, is_inside=child.id in inside)
        inside.discard(child.id)
    _put_load(sheet, parent, inside)


def undo_packing(sheet: Capturing, original: Capture) -> None:
    """Put all children of an aggregation that was in error back to where they were before it.

    Raises StillNeeded when a child was packed or unpacked since.
    """
    parent = sheet.open(sheet.event.parent, is_epc=True)
    inside = set(_read_load(sheet, parent))
    around = {outer.id for outer in list_chain(sheet, parent)}
    for before in original.before:
        for each in before.children:
            child = sheet.need(each)
            stay = sheet.ctx.get(Stay, child.id, parent.id)
            lot_by = stay.by if stay else ""
            last = child.packed_by if child.level == "instance" else lot_by
            if last != original.event or (before.parent and child.id in around):
                raise r.StillNeeded(item=child.id, event=original.event)
            was_in = before.since_ms is not None and before.until_ms is None
            (inside.add if was_in else inside.discard)(child.id)
            _put_back(sheet, child, parent, before)
    _put_load(sheet, parent, inside)
    if sheet.event.action == "DELETE":
        sheet.flags += 1  # what is in there again was so all the time: all is looked at anew


def list_children(sheet: Capturing) -> list[Item]:
    """Objects, lots and classes that the event names as children."""
    event = sheet.event
    named = dict.fromkeys(event.children, True)
    named.update({each.item: False for each in event.child_quantities if each.item not in named})
    return [sheet.open(item, is_epc=is_epc) for item, is_epc in named.items()]


def list_chain(sheet: Sheet, item: Item) -> list[Item]:
    """The item, what it is in, what that is in …. Raises InsideItself where there is no end."""
    chain = [item]
    while chain[-1].parent:
        if len(chain) > NEST_MAX:
            raise r.InsideItself(item=item.id, limit=NEST_MAX)
        chain.append(sheet.need(chain[-1].parent))
    return chain


def _take_out(sheet: Capturing, child: Item, parent: Item, *, is_inside: bool) -> None:
    """The child leaves the parent; one that was packed outside is said to have left."""
    time_ms, changed_ms = sheet.event.time_ms, child.packed_ms
    stay = sheet.ctx.get(Stay, child.id, parent.id)
    sheet.note_packed(child, stay)
    if stay is not None and is_inside:
        if time_ms < stay.entered_ms:
            raise r.PackedLater(item=child.id, later_ms=stay.entered_ms - time_ms)
        sheet.ctx.put(msgspec.structs.replace(stay, until_ms=time_ms, by=sheet.key))
        changed_ms = time_ms
    if child.level == "instance":
        sheet.put(
            msgspec.structs.replace(child, parent="", packed_by=sheet.key, packed_ms=changed_ms)
        )


def _put_in(sheet: Capturing, child: Item, parent: Item) -> None:
    """The child enters the parent; of a lot there may be some in it already."""
    time_ms = sheet.event.time_ms
    _check_single_parent(child)
    if time_ms < child.packed_ms:
        raise r.PackedLater(item=child.id, later_ms=child.packed_ms - time_ms)
    stay = sheet.ctx.get(Stay, child.id, parent.id)
    if stay is None and child.stays >= SCAN_MAX:
        raise r.TooMany(what="parents of one item", count=SCAN_MAX + 1, limit=SCAN_MAX)
    sheet.note_packed(child, stay)
    since_ms = min(stay.since_ms, time_ms) if stay else time_ms
    sheet.ctx.put(
        Stay(item=child.id, parent=parent.id, since_ms=since_ms, entered_ms=time_ms, by=sheet.key)
    )
    changes: dict[str, str | int] = {} if stay else {"stays": child.stays + 1}
    if child.level == "instance":
        changes |= {"parent": parent.id, "packed_by": sheet.key, "packed_ms": time_ms}
    sheet.put(msgspec.structs.replace(child, **changes))


def _put_back(sheet: Capturing, child: Item, parent: Item, before: Packed) -> None:
    stays = child.stays
    if before.since_ms is not None:
        sheet.ctx.put(
            Stay(
                item=child.id,
                parent=parent.id,
                since_ms=before.since_ms,
                entered_ms=before.entered_ms,
                by=before.stay_by,
                until_ms=before.until_ms,
            )
        )
    elif sheet.event.action == "ADD":
        sheet.ctx.delete(Stay, child.id, parent.id)
        stays -= 1
    changes: dict[str, str | int] = {"stays": stays}
    if child.level == "instance":
        changes |= {
            "parent": before.parent,
            "packed_by": before.by,
            "packed_ms": before.changed_ms,
        }
    sheet.put(msgspec.structs.replace(child, **changes))


def _check_single_parent(child: Item) -> None:
    """An object is in one parent at a time (I2)."""
    if child.parent:
        raise r.AlreadyPacked(item=child.id, parent=child.parent)


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
    for each in chain:
        outer = sheet.need(each.id)
        if outer.walked:
            sheet.put(msgspec.structs.replace(outer, walked=0))

"""What is shipped has to be received, or reported missing, or it is overdue (I8). Pure.

A shipment begins with an event `shipping`; `receiving` and `accepting` settle what they name. An
object that somebody ships on has arrived there.
"""

from typing import Final

import msgspec

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.contract import units
from hansa.apps.food_trace.contract.making import make_portions
from hansa.apps.food_trace.contract.manifest import (
    READERS_MAX,
    SHIPMENTS_MAX,
    TRANSIT_MS,
    contract,
    need_actor,
)
from hansa.apps.food_trace.contract.sheet import Capturing, Sheet
from hansa.apps.food_trace.model import events as e
from hansa.apps.food_trace.model import messages as m
from hansa.apps.food_trace.model.records import Capture, Item, Portion, Receipt, Shipment
from hansa.ledger.context import Context

SHIPS: Final = frozenset(("shipping",))
RECEIVES: Final = frozenset(("receiving", "accepting"))
VOIDS: Final = frozenset(("void_shipping",))
OPEN: Final = ("IN_TRANSIT", "OVERDUE", "MISSING")


def list_moved(sheet: Capturing) -> list[Portion]:
    """What an event moves: the parent with all that is in it, else what it names."""
    event = sheet.event
    if event.type in ("AggregationEvent", "AssociationEvent") and event.parent:
        found = [Portion(item=event.parent)]
    else:
        found = make_portions(event.epcs, event.quantities)
        if event.parent:
            found.append(Portion(item=event.parent))
    return [each for each in found if sheet.need(each.item).level != "class"]


def ship(sheet: Capturing, readers: tuple[str, ...]) -> None:
    """A shipment begins; its time runs from now. Raises TooMany."""
    portions = _merge(list_moved(sheet))
    if not portions:
        return
    for portion in portions:
        item = sheet.need(portion.item)
        if item.level == "instance" and item.shipments:
            _settle(sheet, portion)
    ctx = sheet.ctx
    due_ms = ctx.time_ms + ctx.parameter("transit_ms", TRANSIT_MS)
    shipment = Shipment(
        id=sheet.key,
        member=sheet.member.did,
        readers=readers,
        place=sheet.event.read_point or sheet.event.biz_location,
        sent_ms=sheet.event.time_ms,
        due_ms=due_ms,
        portions=portions,
        left=portions,
        transactions=tuple(each.value for each in sheet.event.transactions),
    )
    ctx.put(shipment)
    ctx.schedule(due_ms, m.MarkOverdue(shipment=shipment.id), shipment.id)
    for portion in portions:
        _add_shipment(sheet, portion.item, shipment.id)
    ctx.emit(e.ShipmentSent(shipment=shipment.id, by=sheet.by, readers=readers, due_ms=due_ms))


def receive(sheet: Capturing) -> None:
    """What the event names has arrived, of the shipments that it was in."""
    event = sheet.event
    moved = list_moved(sheet)
    if event.type == "AggregationEvent":
        moved += [
            each
            for each in make_portions(event.children, event.child_quantities)
            if sheet.need(each.item).level != "class"
        ]
    for portion in _merge(moved):
        _settle(sheet, portion)


def void(sheet: Capturing) -> None:
    """The sender takes back shipments of what the event names."""
    for portion in list_moved(sheet):
        for each in sheet.need(portion.item).shipments:
            shipment = sheet.ctx.need(Shipment, each)
            if shipment.member == sheet.member.did:
                withdraw(sheet, shipment)


def withdraw(sheet: Sheet, shipment: Shipment) -> None:
    """The shipment never was."""
    if shipment.status == "IN_TRANSIT":
        sheet.ctx.cancel(shipment.due_ms, shipment.id)
    for portion in shipment.left:
        _remove_shipment(sheet, portion.item, shipment.id)
    _find_missing(sheet, shipment, shipment.left)
    sheet.ctx.put(msgspec.structs.replace(shipment, status="WITHDRAWN"))


def undo_shipping(sheet: Capturing, event: str) -> None:
    """The event that shipped was in error."""
    shipment = sheet.ctx.get(Shipment, event)
    if shipment is not None and shipment.status != "WITHDRAWN":
        withdraw(sheet, shipment)


def undo_receiving(sheet: Capturing, capture: Capture) -> None:
    """The event that received was in error: what arrived by it is under way again, or overdue."""
    for each in capture.settles:
        shipment = sheet.ctx.need(Shipment, each)
        taken = [receipt for receipt in shipment.receipts if receipt.event == capture.event]
        if shipment.status == "WITHDRAWN" or not taken:
            continue
        back = tuple(portion for receipt in taken for portion in receipt.portions)
        is_late = sheet.ctx.time_ms >= shipment.due_ms
        if shipment.status == "RECEIVED" and not is_late:
            sheet.ctx.schedule(shipment.due_ms, m.MarkOverdue(shipment=each), each)
        status = "OVERDUE" if is_late else "IN_TRANSIT"
        if shipment.status != "RECEIVED":
            status = shipment.status
        receipts = tuple(each for each in shipment.receipts if each.event != capture.event)
        sheet.ctx.put(
            msgspec.structs.replace(
                shipment, left=_merge([*shipment.left, *back]), receipts=receipts, status=status
            )
        )
        for portion in back:
            _add_shipment(sheet, portion.item, shipment.id)


@contract.handles(m.ReportMissing)
def report_missing(ctx: Context, message: m.ReportMissing) -> None:
    """What is left of a shipment did not arrive: its objects are stopped wherever they turn up."""
    member = need_actor(ctx)
    shipment = ctx.need(Shipment, message.shipment)
    is_regulator = ctx.has_role("regulator", member.jurisdiction)
    if member.did not in shipment.readers and not is_regulator:
        raise r.NotTheParty(party="a party of the shipment")
    if shipment.status not in ("IN_TRANSIT", "OVERDUE"):
        raise r.NotAShipment(shipment=shipment.id, status=shipment.status)
    if shipment.status == "IN_TRANSIT":
        ctx.cancel(shipment.due_ms, shipment.id)
    sheet = Sheet(ctx, member.did)
    for portion in shipment.left:
        item = sheet.need(portion.item)
        if item.level == "instance":
            sheet.raise_flag(item, "missing", shipment.id, member.jurisdiction)
    ctx.put(msgspec.structs.replace(shipment, status="MISSING"))
    sheet.save()
    ctx.emit(e.ShipmentMissing(shipment=shipment.id, by=member.did, readers=shipment.readers))


@contract.handles(m.MarkOverdue)
def mark_overdue(ctx: Context, message: m.MarkOverdue) -> None:
    """Fired when the time for the shipment is over."""
    shipment = ctx.need(Shipment, message.shipment)
    if shipment.status != "IN_TRANSIT":
        return
    ctx.put(msgspec.structs.replace(shipment, status="OVERDUE"))
    ctx.emit(e.ShipmentOverdue(shipment=shipment.id, by="", readers=shipment.readers))


def _settle(sheet: Capturing, portion: Portion) -> None:
    """Take what arrived off the item's shipments, those of the same business transaction first."""
    item = sheet.need(portion.item)
    named = {each.value for each in sheet.event.transactions}
    shipments = [sheet.ctx.need(Shipment, each) for each in item.shipments]
    shipments.sort(key=lambda each: named.isdisjoint(each.transactions))
    rest: Portion | None = portion
    for shipment in shipments:
        for part in shipment.left:
            if rest is None:
                return
            if part.item == portion.item:
                arrived, rest = _match(part, rest)
                if arrived is not None:
                    shipment = _take(sheet, shipment, part, arrived)


def _match(part: Portion, arrived: Portion) -> tuple[Portion | None, Portion | None]:
    """What of `part` has arrived with `arrived`, and what of `arrived` is over.

    Without an amount on either side it is the whole part; units that do not compare do not match.
    """
    if part.amount is None or arrived.amount is None:
        return part, None
    had = units.to_sum_unit(part.amount, part.scale, part.uom)
    came = units.to_sum_unit(arrived.amount, arrived.scale, arrived.uom)
    if had[2] != came[2]:
        return None, arrived
    amount, scale = units.subtract(came[:2], had[:2])
    if amount <= 0:
        return Portion(item=part.item, amount=came[0], scale=came[1], uom=came[2]), None
    return part, Portion(item=part.item, amount=amount, scale=scale, uom=came[2])


def _take(sheet: Capturing, shipment: Shipment, part: Portion, arrived: Portion) -> Shipment:
    """The shipment without what arrived; it is received when nothing is left."""
    left = [each for each in shipment.left if each != part]
    rest = _subtract(part, arrived)
    if rest is not None:
        left.append(rest)
    is_done = not left
    receipts = (*shipment.receipts, Receipt(event=sheet.key, portions=(arrived,)))
    readers = tuple(dict.fromkeys((*shipment.readers, sheet.member.did)))[:READERS_MAX]
    sheet.settles[shipment.id] = None
    if all(each.item != part.item for each in left):
        _remove_shipment(sheet, part.item, shipment.id)
    _find_missing(sheet, shipment, (part,))
    if is_done and shipment.status == "IN_TRANSIT":
        sheet.ctx.cancel(shipment.due_ms, shipment.id)
    shipment = msgspec.structs.replace(
        shipment,
        left=tuple(left),
        receipts=receipts,
        readers=readers,
        status="RECEIVED" if is_done else shipment.status,
    )
    sheet.ctx.put(shipment)
    if is_done:
        sheet.ctx.emit(
            e.ShipmentReceived(shipment=shipment.id, by=sheet.by, readers=shipment.readers)
        )
    return shipment


def _subtract(part: Portion, arrived: Portion) -> Portion | None:
    if part.amount is None or arrived.amount is None or part == arrived:
        return None
    had = units.to_sum_unit(part.amount, part.scale, part.uom)
    came = units.to_sum_unit(arrived.amount, arrived.scale, arrived.uom)
    amount, scale = units.subtract(had[:2], came[:2])
    if not amount:
        return None
    return Portion(item=part.item, amount=amount, scale=scale, uom=had[2])


def _merge(portions: list[Portion]) -> tuple[Portion, ...]:
    """One portion for each item and unit."""
    found: dict[tuple[str, str], Portion] = {}
    for portion in portions:
        if portion.amount is None:
            found[(portion.item, "-")] = portion
            continue
        amount, scale, uom = units.to_sum_unit(portion.amount, portion.scale, portion.uom)
        old = found.get((portion.item, uom))
        if old is not None and old.amount is not None:
            amount, scale = units.add((old.amount, old.scale), (amount, scale))
        found[(portion.item, uom)] = Portion(item=portion.item, amount=amount, scale=scale, uom=uom)
    return tuple(found.values())


def _add_shipment(sheet: Sheet, item_id: str, shipment: str) -> None:
    item = sheet.need(item_id)
    shipments = tuple(dict.fromkeys((*item.shipments, shipment)))
    if len(shipments) > SHIPMENTS_MAX:
        raise r.TooMany(
            what="shipments of one lot under way", count=len(shipments), limit=SHIPMENTS_MAX
        )
    sheet.put(msgspec.structs.replace(item, shipments=shipments))


def _remove_shipment(sheet: Sheet, item_id: str, shipment: str) -> None:
    item = sheet.need(item_id)
    left = tuple(each for each in item.shipments if each != shipment)
    sheet.put(msgspec.structs.replace(item, shipments=left))


def _find_missing(sheet: Sheet, shipment: Shipment, portions: tuple[Portion, ...]) -> None:
    """What was missing is found."""
    if shipment.status != "MISSING":
        return
    for portion in portions:
        item: Item = sheet.need(portion.item)
        for flag in list(sheet.list_flags(item)):
            if flag.kind == "missing" and flag.source == shipment.id:
                sheet.close_flag(flag, "found")

"""Capture one EPCIS event: READ it and what it is about, CHECK I1 … I9, WRITE, EMIT. Pure."""

from typing import Final

import msgspec

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.contract import making, packing, shipping
from hansa.apps.food_trace.contract.cold_chain import flag_excursions, list_measured
from hansa.apps.food_trace.contract.declaration import (
    compute_declaration_key,
    find_declaration,
    is_same,
    withdraw,
)
from hansa.apps.food_trace.contract.lineage import require_clean
from hansa.apps.food_trace.contract.manifest import (
    EVENT_ITEMS_MAX,
    READERS_MAX,
    contract,
    need_actor,
)
from hansa.apps.food_trace.contract.powers import require_powers
from hansa.apps.food_trace.contract.sheet import Capturing
from hansa.apps.food_trace.event import FoodEvent, read_event
from hansa.apps.food_trace.model import events as e
from hansa.apps.food_trace.model import messages as m
from hansa.apps.food_trace.model.records import Capture, Item, Step
from hansa.apps.food_trace.model.registers import Site
from hansa.apps.food_trace.model.trail import compute_head, compute_step_digest
from hansa.ledger.context import Context
from hansa.ledger.system import Member

# Steps that bring goods nearer to a consumer: only what no flag reaches takes them.
MARKET: Final = frozenset(("shipping", "consigning", "departing", "retail_selling", "dispensing"))
# What goes back or away, and says so, may be shipped although it is stopped.
AWAY: Final = frozenset(
    (
        "recalled",
        "returned",
        "damaged",
        "destroyed",
        "disposed",
        "expired",
        "needs_replacement",
        "non_sellable_other",
    )
)


@contract.handles(m.CaptureEvent)
def capture_event(ctx: Context, message: m.CaptureEvent) -> None:
    """One event of one member; the same event again is refused as already there."""
    event = read_event(message.document)
    member = need_actor(ctx)
    key = event.key if event.error is None else compute_declaration_key(event.key)
    _check_new(ctx, key, message.document)
    _check_times(ctx, event)
    require_powers(ctx, member, event)
    sheet = Capturing(ctx, member, event, key)
    items = _open_items(sheet)
    readers = _list_readers(ctx, event, member)
    transformation, is_excursion, withdrawn = "", False, ""
    if event.error is not None:
        withdraw(sheet, message.document)
    else:
        withdrawn = find_declaration(ctx, event, message.document, member)
    if event.error is None and not withdrawn:
        _check_not_ended(sheet, items)
        _check_market(sheet)
        transformation = _apply(sheet, readers)
        is_excursion = flag_excursions(sheet, list_measured(sheet)) if event.readings else False
    step = _build_step(sheet, transformation, is_excursion)
    _put_trail(sheet, step, items, is_effective=event.error is None and not withdrawn)
    ctx.put(msgspec.structs.replace(step, withdrawn=withdrawn) if withdrawn else step)
    ctx.put(
        Capture(
            event=key,
            number=sheet.events,
            height=ctx.height,
            recorded_ms=ctx.time_ms,
            member=member.did,
            readers=readers,
            document=message.document,
            settles=tuple(sheet.settles),
            before=sheet.list_before(),
        )
    )
    ctx.emit(
        e.EventCaptured(
            by=member.did,
            event=key,
            number=sheet.events,
            type=event.type,
            biz_step=event.biz_step,
        )
    )
    sheet.save()


def _check_new(ctx: Context, key: str, document: str) -> None:
    """Nothing is edited (I6); the same again, however it is written, is answered as done."""
    found = ctx.get(Capture, key)
    if found is None:
        return
    if found.document == document or is_same(found.document, document):
        raise r.AlreadyCaptured(event=key, number=found.number)
    raise r.EventChanged(event=key)


def _check_times(ctx: Context, event: FoodEvent) -> None:
    """Nothing is captured before it happened (I5)."""
    declared_ms = event.error.time_ms if event.error else 0
    for field, time_ms in (("eventTime", event.time_ms), ("declarationTime", declared_ms)):
        if time_ms > ctx.time_ms:
            raise r.InTheFuture(field=field, ahead_ms=time_ms - ctx.time_ms)


def _open_items(sheet: Capturing) -> list[str]:
    """Everything that the event names, each once. Raises TooMany."""
    event = sheet.event
    epcs = (*event.epcs, *event.children, *event.input_epcs, *event.output_epcs)
    named = dict.fromkeys(epcs, True)
    if event.parent:
        named[event.parent] = True
    for quantities in (
        event.quantities,
        event.child_quantities,
        event.input_quantities,
        event.output_quantities,
    ):
        for quantity in quantities:
            named.setdefault(quantity.item, False)
    if len(named) > EVENT_ITEMS_MAX:
        raise r.TooMany(what="items in one event", count=len(named), limit=EVENT_ITEMS_MAX)
    for item, is_epc in named.items():
        sheet.open(item, is_epc=is_epc)
    return list(named)


def _check_not_ended(sheet: Capturing, items: list[str]) -> None:
    """An object is not used after it ended (I1), in the order of event times."""
    for each in items:
        item = sheet.need(each)
        if item.ended and sheet.event.time_ms > item.ended_ms:
            raise r.AlreadyEnded(item=item.id, event=item.ended)


def _check_market(sheet: Capturing) -> None:
    """What a flag reaches is neither shipped nor sold, unless it goes away (I9, I10)."""
    event = sheet.event
    if event.biz_step not in MARKET or event.disposition in AWAY:
        return
    moved = [sheet.need(portion.item) for portion in shipping.list_moved(sheet)]
    children = packing.list_children(sheet)
    require_clean(sheet, [*moved, *children], with_contents=True)


def _apply(sheet: Capturing, readers: tuple[str, ...]) -> str:
    """What the event changes, by its type and its step; gives its transformation."""
    event = sheet.event
    transformation = ""
    if event.type == "TransformationEvent":
        transformation = making.transform(sheet)
    elif event.type == "ObjectEvent" and event.action == "ADD":
        making.begin(sheet)
    elif event.type == "AggregationEvent" and event.action == "ADD":
        packing.pack(sheet)
    elif event.type == "AggregationEvent" and event.action == "DELETE":
        packing.unpack(sheet)
    if event.biz_step in shipping.SHIPS:
        shipping.ship(sheet, readers)
    elif event.biz_step in shipping.RECEIVES:
        shipping.receive(sheet)
    elif event.biz_step in shipping.VOIDS:
        shipping.void(sheet)
    if event.type == "ObjectEvent" and event.action == "DELETE":
        making.end(sheet)
    return transformation


def _build_step(sheet: Capturing, transformation: str, is_excursion: bool) -> Step:
    event, ctx = sheet.event, sheet.ctx
    return Step(
        event=sheet.key,
        number=sheet.events,
        height=ctx.height,
        recorded_ms=ctx.time_ms,
        time_ms=event.time_ms,
        offset=event.offset,
        member=sheet.by,
        type=event.type,
        action=event.action,
        biz_step=event.biz_step,
        disposition=event.disposition,
        place=event.biz_location or event.read_point,
        items=(*event.epcs, *(each.item for each in event.quantities)),
        parent=event.parent,
        children=(*event.children, *(each.item for each in event.child_quantities)),
        inputs=(*event.input_epcs, *(each.item for each in event.input_quantities)),
        outputs=(*event.output_epcs, *(each.item for each in event.output_quantities)),
        transformation=transformation,
        excursion=is_excursion,
        declares="" if event.error is None else event.key,
    )


def _put_trail(sheet: Capturing, step: Step, items: list[str], *, is_effective: bool) -> None:
    """The step joins the trail of every item that it names; what happened last says where it is."""
    digest = compute_step_digest(step)
    for each in items:
        item: Item = sheet.need(each)
        head = compute_head(item.head, digest)
        if not is_effective:
            item = msgspec.structs.replace(item, steps=item.steps + 1, head=head)
        elif step.time_ms < item.seen_ms:
            item = msgspec.structs.replace(item, steps=item.steps + 1, head=head)
        else:
            item = msgspec.structs.replace(
                item,
                steps=item.steps + 1,
                head=head,
                seen_ms=step.time_ms,
                disposition=step.disposition or item.disposition,
                place=step.place or item.place,
                member=step.member,
            )
        sheet.put(item)


def _list_readers(ctx: Context, event: FoodEvent, member: Member) -> tuple[str, ...]:
    """Who may read the document: who captured it, and whose registered places it names."""
    found = {member.did: None}
    named = [event.read_point, event.biz_location]
    named += [party.value for party in (*event.sources, *event.destinations)]
    for element in dict.fromkeys(named):
        gln = element[4:17] if element.startswith(("414.", "417.")) else ""
        site = ctx.get(Site, gln) if gln else None
        if site is not None:
            found[site.member] = None
    return tuple(found)[:READERS_MAX]

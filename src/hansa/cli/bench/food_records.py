"""The records that a ledger would have after the model food chain's events, without executing them.

What the contract writes of each event, in the same order (a test holds the two together), as fast
as a read model of a million events needs to be filled. Pure.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from hansa.apps.food_trace.event import FoodEvent, Quantity, read_event
from hansa.apps.food_trace.model import (
    Account,
    Capture,
    Item,
    Portion,
    Stay,
    Step,
    Transformation,
    compute_head,
    compute_step_digest,
)
from hansa.cli.demo.food.chain import Captured
from hansa.cli.demo.food.writing import write_normal
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.blocks import Change
from hansa.ledger.model import Record, compute_state_key

APP: Final = "food_trace"


class FoodRecords:
    """Items and stays as they are after what was added. `members`: firm's name to DID."""

    def __init__(self, members: dict[str, str]) -> None:
        self._members = members
        self._items: dict[str, Item] = {}
        self._stays: dict[tuple[str, str], Stay] = {}
        self._changed: dict[bytes, Record] = {}
        self.events = 0

    def add(self, captured: Captured, height: int, recorded_ms: int) -> None:
        """What one event changes."""
        document = write_normal(captured.event)
        event = read_event(document)
        self.events += 1
        member = self._members[captured.firm.name]
        step = self._build_step(event, member, height, recorded_ms)
        self._begin(event, step)
        self._pack(event)
        self._note(event, step)
        self._put(step)
        self._put(
            Capture(
                event=event.key,
                number=self.events,
                height=height,
                recorded_ms=recorded_ms,
                member=member,
                readers=(member,),
                document=document,
            )
        )

    def take(self) -> list[Change]:
        """What has changed since the last time, as a block has it."""
        changes: list[Change] = [
            (key, encode_canonical(record)) for key, record in sorted(self._changed.items())
        ]
        self._changed.clear()
        return changes

    def _put(self, record: Record) -> None:
        self._changed[compute_state_key(APP, record.KIND, record.key())] = record

    def _build_step(self, event: FoodEvent, member: str, height: int, recorded_ms: int) -> Step:
        is_making = event.type == "TransformationEvent"
        return Step(
            event=event.key,
            number=self.events,
            height=height,
            recorded_ms=recorded_ms,
            time_ms=event.time_ms,
            offset=event.offset,
            member=member,
            type=event.type,
            action=event.action,
            biz_step=event.biz_step,
            disposition=event.disposition,
            place=event.biz_location or event.read_point,
            items=(*event.epcs, *(each.item for each in event.quantities)),
            parent=event.parent,
            children=tuple(each.item for each in event.child_quantities),
            inputs=tuple(each.item for each in event.input_quantities),
            outputs=tuple(each.item for each in event.output_quantities),
            transformation=event.key if is_making else "",
        )

    def _begin(self, event: FoodEvent, step: Step) -> None:
        """What begins, what is used, what ends."""
        if event.type == "TransformationEvent":
            for quantity in event.input_quantities:
                self._change(_enter(self._find(quantity.item), quantity, 0, 1))
            self._put(
                Transformation(
                    id=event.key,
                    name="",
                    member=step.member,
                    events=(event.key,),
                    inputs=tuple(map(_make_portion, event.input_quantities)),
                    outputs=tuple(map(_make_portion, event.output_quantities)),
                )
            )
        begun = event.output_quantities
        if event.type == "ObjectEvent" and event.action == "ADD":
            begun = event.quantities
        for quantity in begun:
            item = _enter(self._find(quantity.item), quantity, 1, 0)
            item = msgspec.structs.replace(
                item,
                commissioned=item.commissioned or event.key,
                made_ms=item.made_ms if item.commissioned else event.time_ms,
                made_by=item.made_by or step.member,
                made_at=item.made_at or step.place,
                makings=item.makings + 1,
            )
            self._change(item)
        if event.type == "ObjectEvent" and event.action == "DELETE":
            for quantity in event.quantities:
                self._change(_enter(self._find(quantity.item), quantity, 0, 1))

    def _pack(self, event: FoodEvent) -> None:
        if event.type != "AggregationEvent":
            return
        for quantity in event.child_quantities:
            key = (quantity.item, event.parent)
            stay = self._stays.get(key)
            if event.action == "DELETE" and stay is not None:
                stay = msgspec.structs.replace(stay, until_ms=event.time_ms, by=event.key)
            else:
                stay = Stay(
                    item=quantity.item,
                    parent=event.parent,
                    since_ms=event.time_ms,
                    entered_ms=event.time_ms,
                    by=event.key,
                )
            self._stays[key] = stay
            self._put(stay)

    def _note(self, event: FoodEvent, step: Step) -> None:
        """The step joins the trail of every item that it names."""
        digest = compute_step_digest(step)
        for name in _list_named(step):
            item = self._find(name)
            changed = msgspec.structs.replace(
                item,
                steps=item.steps + 1,
                head=compute_head(item.head, digest),
                seen_ms=event.time_ms,
                disposition=step.disposition or item.disposition,
                place=step.place,
                member=step.member,
            )
            self._change(changed)

    def _find(self, name: str) -> Item:
        found = self._items.get(name)
        if found is not None:
            return found
        is_lot = name.startswith("01.")
        return Item(
            id=name,
            level="lot" if is_lot else "instance",
            product=name[:17] if is_lot else "",
        )

    def _change(self, item: Item) -> None:
        self._items[item.id] = item
        self._put(item)


def _list_named(step: Step) -> Iterator[str]:
    """Every item of a step once."""
    named = (*step.items, step.parent, *step.children, *step.inputs, *step.outputs)
    yield from (name for name in dict.fromkeys(named) if name)


def _make_portion(quantity: Quantity) -> Portion:
    return Portion(
        item=quantity.item, amount=quantity.amount, scale=quantity.scale, uom=quantity.uom
    )


def _enter(item: Item, quantity: Quantity, made: int, used: int) -> Item:
    """Whole kilograms are all that the model chain has."""
    old = item.accounts[0] if item.accounts else Account(quantity.uom, 0, 0, 0)
    amount = quantity.amount or 0
    new = Account(old.uom, 0, old.made + made * amount, old.used + used * amount)
    return msgspec.structs.replace(item, accounts=(new,))

"""Records of food_trace: the trail of events, and what each item is by it. Pure.

Times `_ms` are UTC milliseconds: of the event where it says so, else of the block. `number` counts
captures over the whole league. Amounts are amount / 10**scale in `uom` ("" counts pieces).
"""

from typing import ClassVar, Literal

import msgspec

from hansa.apps.food_trace.event import EventType
from hansa.apps.food_trace.model import keys
from hansa.apps.food_trace.model.messages import (
    ClearReason,
    RecallOutcome,
)
from hansa.apps.food_trace.model.registers import (
    LabResult,
    Limits,
    PrefixBlock,
    Recall,
    Site,
    Trader,
    Yield,
)
from hansa.ledger.model import Record, Visibility

READERS = ("food_trace.regulator",)

ItemLevel = Literal["instance", "lot", "class"]
FlagKind = Literal["cold_chain", "laboratory", "recall", "missing"]
ShipmentStatus = Literal["IN_TRANSIT", "RECEIVED", "MISSING", "OVERDUE", "WITHDRAWN"]


class Portion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of an item an event is about; `amount` null: it is one object, or not said."""

    item: str
    amount: int | None = None
    scale: int = 0
    uom: str = ""


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was made and used of a lot in one unit of measure, both / 10**scale."""

    uom: str
    scale: int
    made: int
    used: int


class Packed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where children of an aggregation were before it: `parent`, `by` and `changed_ms` as in Item,
    and their Stay in this parent (`since_ms` null: none), so that an error can be taken back.
    """

    children: tuple[str, ...]
    parent: str = ""
    by: str = ""
    changed_ms: int = 0
    since_ms: int | None = None
    entered_ms: int = 0
    stay_by: str = ""
    until_ms: int | None = None


class Capture(keys.FoodRecord, frozen=True, kw_only=True):
    """An event as it was captured: its normal document, for who captured it and who is named in it.

    `readers`: members whose places or company are named, the capturing member first. `settles`:
    shipments of which it received something; `before`: where what it packed was. An error
    declaration has the eventID of what it declares, so its key ends in `#error`.
    """

    KIND: ClassVar[str] = "capture"
    PATTERN: ClassVar[str] = keys.EVENT
    KEY: ClassVar[tuple[str, ...]] = ("event",)
    READERS: ClassVar[tuple[str, ...]] = READERS

    event: str
    number: int
    height: int
    recorded_ms: int
    member: str
    readers: tuple[str, ...]
    document: str
    settles: tuple[str, ...] = ()
    before: tuple[Packed, ...] = ()

    def parties(self) -> tuple[str, ...]:
        """Who captured it, and the members that it names."""
        return self.readers


class Step(keys.FoodRecord, frozen=True, kw_only=True):
    """The public trail of one event: what was done to which items, where, when, by which member.

    `place` is the business location, else the read point (GLN in element form, or a commitment).
    `items`: EPCs, classes and lots of the event; `declares`: the event that it says is in error;
    `withdrawn`: the key of that declaration, on the event itself. `excursion`: a reading was
    outside the limits. `transformation`: key of the record that has its inputs and outputs.
    """

    KIND: ClassVar[str] = "step"
    PATTERN: ClassVar[str] = keys.EVENT
    KEY: ClassVar[tuple[str, ...]] = ("event",)
    VISIBILITY: ClassVar[Visibility] = "public"

    event: str
    number: int
    height: int
    recorded_ms: int
    time_ms: int
    offset: str
    member: str
    type: EventType
    action: str
    biz_step: str
    disposition: str
    place: str
    items: tuple[str, ...] = ()
    parent: str = ""
    children: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    transformation: str = ""
    excursion: bool = False
    declares: str = ""
    withdrawn: str = ""


class Item(keys.FoodRecord, frozen=True, kw_only=True):
    """What is known of one object (instance), lot, or class without a lot.

    `commissioned`, `ended`: keys of the events that made and ended it ("" if none is on the ledger;
    an item that came from outside has no first one). `made_by` is the member, `made_ms` the event's
    time, `made_at` its place; `makings` counts such events (a lot may have several), `unmeasured`
    those that do not say how much. `seen_ms`: the latest event time. `parent`: what it is packed
    into; `packed_by`, `packed_ms`: by which event and when that last changed; `stays`: how many
    parents it ever had; `children`: how many are in it now. `sources`: transformations that made
    it; `consumed`: how many inputs it was. `shipments`: under way. `flags`: numbers of its own open
    flags; `cleared`: flags up to this number no longer reach it; `walked`: no flag up to this
    number reaches it or what is in it.
    `head`: running hash over its `steps` (`compute_head`).
    """

    KIND: ClassVar[str] = "item"
    PATTERN: ClassVar[str] = keys.ITEM
    VISIBILITY: ClassVar[Visibility] = "public"

    id: str
    level: ItemLevel
    product: str
    commissioned: str = ""
    made_ms: int = 0
    made_by: str = ""
    made_at: str = ""
    makings: int = 0
    unmeasured: int = 0
    ended: str = ""
    ended_ms: int = 0
    seen_ms: int = 0
    disposition: str = ""
    place: str = ""
    member: str = ""
    parent: str = ""
    packed_by: str = ""
    packed_ms: int = 0
    stays: int = 0
    children: int = 0
    sources: tuple[str, ...] = ()
    consumed: int = 0
    accounts: tuple[Account, ...] = ()
    shipments: tuple[str, ...] = ()
    flags: tuple[int, ...] = ()
    cleared: int = 0
    walked: int = 0
    steps: int = 0
    head: str = ""


class Stay(keys.FoodRecord, frozen=True, kw_only=True):
    """That `item` was in `parent` from event time `since_ms` to `until_ms` (null: it still is).

    One record for the two, however often: then from the first time to the last. `entered_ms`: when
    it last went in; `by`: the event that last said something of this.
    """

    KIND: ClassVar[str] = "stay"
    PATTERN: ClassVar[str] = keys.STAY
    KEY: ClassVar[tuple[str, ...]] = ("item", "parent")
    VISIBILITY: ClassVar[Visibility] = "public"

    item: str
    parent: str
    since_ms: int
    entered_ms: int
    by: str
    until_ms: int | None = None


class Load(keys.FoodRecord, frozen=True, kw_only=True):
    """What is in `parent` now: objects and lots, sorted."""

    KIND: ClassVar[str] = "load"
    PATTERN: ClassVar[str] = keys.ITEM
    KEY: ClassVar[tuple[str, ...]] = ("parent",)
    VISIBILITY: ClassVar[Visibility] = "public"

    parent: str
    children: tuple[str, ...]


class Transformation(keys.FoodRecord, frozen=True, kw_only=True):
    """What came of what: all inputs of a transformation with all its outputs.

    `id` is the event's key, or `#` and the transformationID that several events share (`name`).
    """

    KIND: ClassVar[str] = "transformation"
    PATTERN: ClassVar[str] = keys.TRANSFORMATION
    VISIBILITY: ClassVar[Visibility] = "public"

    id: str
    name: str
    member: str
    events: tuple[str, ...]
    inputs: tuple[Portion, ...]
    outputs: tuple[Portion, ...]


class Flag(keys.FoodRecord, frozen=True, kw_only=True):
    """Why an item, and whatever was made of it, may not be sold, shipped or used.

    `number` counts flags of the league; `opened`: the last event captured when it was raised, and
    `closed` when it was closed (0 while it stands). `source`: event, result, recall or shipment.
    `since_ms` to `until_ms`: event times of readings outside the limits of `product` (cold chain
    only). A further excursion closes the flag as `extended` and raises one for both.
    """

    KIND: ClassVar[str] = "flag"
    PATTERN: ClassVar[str] = keys.FLAG
    KEY: ClassVar[tuple[str, ...]] = ("item", "number")
    VISIBILITY: ClassVar[Visibility] = "public"

    item: str
    number: int
    kind: FlagKind
    source: str
    product: str
    since_ms: int
    until_ms: int
    opened: int
    opened_ms: int
    jurisdiction: str
    closed: int = 0
    closed_ms: int = 0
    closed_by: str = ""
    reason: ClearReason | RecallOutcome | Literal["", "extended"] = ""


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of a shipment arrived by one event."""

    event: str
    portions: tuple[Portion, ...]


class Shipment(keys.FoodRecord, frozen=True, kw_only=True):
    """What was shipped by one event and has to arrive until `due_ms`.

    `portions`: what was sent; `left`: what has not arrived (I8). `transactions`: of the event.
    """

    KIND: ClassVar[str] = "shipment"
    PATTERN: ClassVar[str] = keys.EVENT
    READERS: ClassVar[tuple[str, ...]] = READERS

    id: str
    member: str
    readers: tuple[str, ...]
    place: str
    sent_ms: int
    due_ms: int
    portions: tuple[Portion, ...]
    left: tuple[Portion, ...]
    transactions: tuple[str, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    status: ShipmentStatus = "IN_TRANSIT"

    def parties(self) -> tuple[str, ...]:
        """Who shipped it, whom the event names, and who received of it."""
        return self.readers


class Tally(Record, frozen=True, kw_only=True):
    """How many events were captured and flags raised in the league; there is one such record."""

    KIND: ClassVar[str] = "tally"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: Literal["league"] = "league"
    events: int = 0
    flags: int = 0


RECORDS: tuple[type[Record], ...] = (
    Capture,
    Step,
    Item,
    Stay,
    Load,
    Transformation,
    Flag,
    Shipment,
    Limits,
    Yield,
    LabResult,
    Recall,
    Site,
    Trader,
    PrefixBlock,
    Tally,
)

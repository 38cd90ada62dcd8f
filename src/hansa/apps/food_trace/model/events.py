"""Events of food_trace: what was captured, flagged, recalled; public but for shipments. Pure."""

from typing import ClassVar, Literal

from hansa.apps.food_trace.event import EventType
from hansa.apps.food_trace.model.messages import (
    ClearReason,
    RecallOutcome,
    RecallReason,
    Verdict,
)
from hansa.apps.food_trace.model.records import READERS, FlagKind
from hansa.ledger.model import Event, Visibility


class PublicEvent(Event, frozen=True, kw_only=True):
    """For everybody; `by` is the member who acted ("" the clock)."""

    VISIBILITY: ClassVar[Visibility] = "public"

    by: str


class EventCaptured(PublicEvent, frozen=True, kw_only=True):
    """An EPCIS event is on the ledger; `number` is its place among all."""

    event: str
    number: int
    type: EventType
    biz_step: str


class EventWithdrawn(PublicEvent, frozen=True, kw_only=True):
    """An event was declared to be in error; both stay."""

    event: str
    reason: str


class ItemsFlagged(PublicEvent, frozen=True, kw_only=True):
    """Items, and whatever was made of them, are stopped; `numbers` are of their flags."""

    items: tuple[str, ...]
    numbers: tuple[int, ...]
    kind: FlagKind
    source: str


class FlagsClosed(PublicEvent, frozen=True, kw_only=True):
    """Flags no longer stand."""

    items: tuple[str, ...]
    numbers: tuple[int, ...]
    reason: ClearReason | RecallOutcome | Literal["extended"]


class ItemReleased(PublicEvent, frozen=True, kw_only=True):
    """An item is free of the flags that reached it, up to number `upto`."""

    item: str
    upto: int
    reason: ClearReason


class LineageChecked(PublicEvent, frozen=True, kw_only=True):
    """A lineage was looked through; `done` is 0 while some of it is left."""

    item: str
    done: Literal[0, 1]


class LimitsSet(PublicEvent, frozen=True, kw_only=True):
    """A limit for a sensor's readings was set."""

    jurisdiction: str
    product: str
    sensor: str


class YieldDeclared(PublicEvent, frozen=True, kw_only=True):
    """A member declared the yield of a product."""

    product: str
    ppm: int


class ResultReported(PublicEvent, frozen=True, kw_only=True):
    """A laboratory reported a result."""

    result: str
    item: str
    verdict: Verdict


class RecallOpened(PublicEvent, frozen=True, kw_only=True):
    """A recall began."""

    recall: str
    items: tuple[str, ...]
    reason: RecallReason


class RecallClosed(PublicEvent, frozen=True, kw_only=True):
    """A recall ended."""

    recall: str
    outcome: RecallOutcome


class SiteRegistered(PublicEvent, frozen=True, kw_only=True):
    """A place was registered."""

    gln: str
    member: str


class TraderRegistered(PublicEvent, frozen=True, kw_only=True):
    """A company prefix was registered."""

    prefix: str
    member: str


class ShipmentEvent(Event, frozen=True, kw_only=True):
    """About one shipment; `by` is the member who acted ("" the clock), `readers` its parties."""

    READERS: ClassVar[tuple[str, ...]] = READERS

    shipment: str
    by: str
    readers: tuple[str, ...]

    def parties(self) -> tuple[str, ...]:
        """The shipment's parties at that moment."""
        return self.readers


class ShipmentSent(ShipmentEvent, frozen=True, kw_only=True):
    """Something was shipped and is due at `due_ms`."""

    due_ms: int


class ShipmentReceived(ShipmentEvent, frozen=True, kw_only=True):
    """All of a shipment has arrived."""


class ShipmentMissing(ShipmentEvent, frozen=True, kw_only=True):
    """The rest of a shipment was reported missing."""


class ShipmentOverdue(ShipmentEvent, frozen=True, kw_only=True):
    """A shipment did not arrive in time."""


EVENTS: tuple[type[Event], ...] = (
    EventCaptured,
    EventWithdrawn,
    ItemsFlagged,
    FlagsClosed,
    ItemReleased,
    LineageChecked,
    LimitsSet,
    YieldDeclared,
    ResultReported,
    RecallOpened,
    RecallClosed,
    SiteRegistered,
    TraderRegistered,
    ShipmentSent,
    ShipmentReceived,
    ShipmentMissing,
    ShipmentOverdue,
)

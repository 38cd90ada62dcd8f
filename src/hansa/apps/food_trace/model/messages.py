"""Messages of food_trace. One captures one event; the others are what EPCIS has no word for.

Items, products and places are in element form (`identifiers.py`): `01.<gtin>.10.<lot>`. Pure.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from hansa.apps.food_trace.event import DOCUMENT_BYTES_MAX
from hansa.ledger.model import Message
from hansa.primitives.limits import INTEGER_MAX
from hansa.primitives.values import Did, Digest, Jurisdiction, Name, Text, TimeMs

# A recall names the lots that are known to be bad; what was made of them follows by itself.
RECALL_ITEMS_MAX = 100

Document = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=DOCUMENT_BYTES_MAX,
        description="one EPCIS event as its normal document (JSON text in one spelling)",
    ),
]
Gln = Annotated[
    str, Meta(pattern=r"^[0-9]{13}$", min_length=13, max_length=13, description="GLN, 13 digits")
]
Prefix = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{6,12}$(?!\n)",
        min_length=6,
        max_length=12,
        description="GS1 company prefix",
    ),
]
# Ten decimal places of any unit; a bound of a limit may be negative (degrees).
Scale = Annotated[int, Meta(ge=0, le=9, description="decimal places of the amounts beside it")]
Bound = Annotated[int, Meta(ge=-INTEGER_MAX, le=INTEGER_MAX, description="amount / 10**scale")]
Unit = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z0-9]{2,3}$(?!\n)",
        min_length=2,
        max_length=3,
        description="unit of measure, a code of UN/ECE Recommendation 20, such as KGM or CEL",
    ),
]
Sensor = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_]{1,64}$(?!\n)",
        min_length=1,
        max_length=64,
        description="GS1 measurement type, such as Temperature",
    ),
]
RecallReason = Literal[
    "microbiological", "chemical", "foreign_body", "allergen", "labelling", "cold_chain", "other"
]
RecallOutcome = Literal["completed", "withdrawn"]
Verdict = Literal["pass", "fail"]
ClearReason = Literal["inspected", "reprocessed", "measured_in_error", "found", "other"]


class CaptureEvent(Message, frozen=True, kw_only=True):
    """Capture one EPCIS event. What it may say depends on the roles of the sender's member."""

    COST: ClassVar[int] = 5

    document: Document


class RegisterSite(Message, frozen=True, kw_only=True):
    """Regulator: register whose place a GLN is; its owner may read the events that name it."""

    gln: Gln
    member: Did
    name: Text
    town: Text


class RegisterTrader(Message, frozen=True, kw_only=True):
    """Regulator: register whose a company prefix is; only its owner makes items under it."""

    prefix: Prefix
    member: Did


class SetLimits(Message, frozen=True, kw_only=True):
    """Regulator: what a sensor may read for a product (`01.<gtin>`, or - for any other).

    `low` and `high` are amounts / 10**scale in `uom`; null is no bound. For events of this
    jurisdiction's members from now on.
    """

    jurisdiction: Jurisdiction
    product: Name
    sensor: Sensor
    uom: Unit
    scale: Scale
    low: Bound | None
    high: Bound | None


class DeclareYield(Message, frozen=True, kw_only=True):
    """Processor: how much of a product comes of one unit of what goes in, in parts per million.

    For the transformations of the sender's organisation from now on; not declared is 1,000,000.
    """

    product: Name
    ppm: Annotated[int, Meta(ge=1, le=INTEGER_MAX, description="parts per million")]


class ReportResult(Message, frozen=True, kw_only=True):
    """Laboratory: the result of a test of an item. A failed test flags the item.

    `commitment` is of the report, which stays with the laboratory.
    """

    result: Name
    item: Name
    test: Name
    verdict: Verdict
    sampled_ms: TimeMs
    commitment: Digest


class OpenRecall(Message, frozen=True, kw_only=True):
    """Regulator, or who made the items: recall them and, by that, whatever was made of them."""

    recall: Name
    items: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=RECALL_ITEMS_MAX)]
    reason: RecallReason


class CloseRecall(Message, frozen=True, kw_only=True):
    """Who opened the recall, or the regulator there: it is completed, or was a mistake."""

    recall: Name
    outcome: RecallOutcome


class ReportMissing(Message, frozen=True, kw_only=True):
    """Shipper, carrier or receiver: what is left of a shipment did not arrive."""

    shipment: Name


class ClearFlag(Message, frozen=True, kw_only=True):
    """Regulator: a flag no longer stands, for the item and for whatever was made of it."""

    item: Name
    number: Annotated[int, Meta(ge=1, le=INTEGER_MAX, description="number of the flag")]
    reason: ClearReason


class ReleaseItem(Message, frozen=True, kw_only=True):
    """Regulator: this item is free of all flags that reach it now; its sources stay flagged."""

    item: Name
    reason: ClearReason


class CheckLineage(Message, frozen=True, kw_only=True):
    """Anyone: look through what an item was made of, as far as one message may.

    What is found clean is remembered, so that a long lineage is judged in several messages.
    """

    COST: ClassVar[int] = 100

    item: Name


class MarkOverdue(Message, frozen=True, kw_only=True):
    """The time for a shipment is over."""

    INTERNAL: ClassVar[bool] = True

    shipment: Name

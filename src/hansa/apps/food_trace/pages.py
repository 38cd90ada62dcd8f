"""What pages and forms need to know beyond the types: life cycles and meanings of fields. Pure.

The life cycles are those of README.md; what a value means is what the docstrings of `model` say.
"""

from hansa.appkit.meaning import FieldMeaning, Lifecycle, Meaning, Transition
from hansa.apps.food_trace.model import Flag, Item, Recall, Shipment, Step

LIFECYCLES = (
    Lifecycle(
        Shipment,
        "status",
        ("IN_TRANSIT", "OVERDUE", "MISSING", "RECEIVED", "WITHDRAWN"),
        (
            Transition("CaptureEvent", (), "IN_TRANSIT"),
            Transition("MarkOverdue", ("IN_TRANSIT",), "OVERDUE"),
            Transition("ReportMissing", ("IN_TRANSIT", "OVERDUE"), "MISSING"),
            Transition("CaptureEvent", ("IN_TRANSIT", "OVERDUE", "MISSING"), "RECEIVED"),
            Transition("CaptureEvent", ("IN_TRANSIT", "OVERDUE", "MISSING"), "WITHDRAWN"),
        ),
    ),
    Lifecycle(
        Recall,
        "status",
        ("OPEN", "CLOSED"),
        (
            Transition("OpenRecall", (), "OPEN"),
            Transition("CloseRecall", ("OPEN",), "CLOSED"),
        ),
    ),
    Lifecycle(
        Flag,
        "closed",
        ("OPEN", "CLOSED"),
        (
            Transition("CaptureEvent", (), "OPEN"),
            Transition("ClearFlag", ("OPEN",), "CLOSED"),
        ),
    ),
    Lifecycle(Item, "ended", ("", "ENDED"), (Transition("CaptureEvent", ("",), "ENDED"),)),
    Lifecycle(
        Step, "withdrawn", ("", "WITHDRAWN"), (Transition("CaptureEvent", ("",), "WITHDRAWN"),)
    ),
)

_MEANINGS: dict[str, Meaning] = {
    "member": "member",
    "made_by": "member",
    "laboratory": "member",
    "jurisdiction": "jurisdiction",
    "document": "document",
    "commitment": "commitment",
}
# Amounts / 10**scale in `uom`, by the type or table in which both stand beside them.
_QUANTITIES = {
    "SetLimits": "low high",
    "LimitsSince": "low high",
    "limits": "low high",
    "readings": "value least greatest mean",
    "Portion": "amount",
    "Account": "made used",
}
# Fields that name a record, by its kind.
_NAMED = {
    "item": (
        "item items parent children inputs outputs Portion.item items.id event_items.item"
        " stays.source stays.target links.source links.target"
    ),
    "step": (
        "event events commissioned ended Stay.by declares withdrawn packed_by Receipt.event"
        " events.event items.commissioned items.ended"
    ),
    "shipment": "shipment shipments settles shipments.id",
    "recall": "recall recalls.id",
    "lab_result": "lab_results.id",
}
FIELDS = (
    *(FieldMeaning(name, meaning) for name, meaning in _MEANINGS.items()),
    *(
        FieldMeaning(f"{kind}.{name}", "decimal", unit="uom", scale_of="scale")
        for kind, names in _QUANTITIES.items()
        for name in names.split()
    ),
    *(
        FieldMeaning(name, "record", record=kind)
        for kind, names in _NAMED.items()
        for name in names.split()
    ),
    FieldMeaning("OpenRecall.recall", "text"),
    FieldMeaning("gln", "identifier", scheme="0088"),
    FieldMeaning("ppm", "rate", scale=4),
)

"""The words of food_trace: `records`, `messages`, `events`, and how a trail is proved (`trail`)."""

from hansa.apps.food_trace.model.events import EVENTS
from hansa.apps.food_trace.model.messages import CaptureEvent
from hansa.apps.food_trace.model.records import (
    RECORDS,
    Account,
    Capture,
    Flag,
    Item,
    Load,
    Portion,
    Shipment,
    Stay,
    Step,
    Tally,
    Transformation,
)
from hansa.apps.food_trace.model.registers import LabResult, Limits, Recall, Site, Trader, Yield
from hansa.apps.food_trace.model.trail import compute_head, compute_step_digest

__all__ = [
    "EVENTS",
    "RECORDS",
    "Account",
    "Capture",
    "CaptureEvent",
    "Flag",
    "Item",
    "LabResult",
    "Limits",
    "Load",
    "Portion",
    "Recall",
    "Shipment",
    "Site",
    "Stay",
    "Step",
    "Tally",
    "Trader",
    "Transformation",
    "Yield",
    "compute_head",
    "compute_step_digest",
]

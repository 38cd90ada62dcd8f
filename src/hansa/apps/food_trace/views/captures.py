"""Captures to rows: events as EPCIS asks for them, their terms and sensor readings. Pure.

For who may read the capture.
"""

from typing import Final

from hansa.appkit.application import Row
from hansa.apps.food_trace.event import Number, Reading, read_event
from hansa.apps.food_trace.model import Capture

_CELL_MAX: Final = 2**63 - 1


def project_capture(capture: Capture) -> Row:
    """One row per captured event."""
    event = read_event(capture.document)
    return {
        "event": event.id,
        "type": event.type,
        "action": event.action,
        "biz_step": event.biz_step,
        "disposition": event.disposition,
        "read_point": event.read_point,
        "biz_location": event.biz_location,
        "transformation": event.transformation,
        "member": capture.member,
        "declares": event.key if event.error else "",
        "number": capture.number,
        "height": capture.height,
        "time_ms": event.time_ms,
        "recorded_ms": capture.recorded_ms,
        "declared_ms": event.error.time_ms if event.error else None,
    }


def list_event_terms(capture: Capture) -> list[Row]:
    """One row per source, destination, business transaction, persistent disposition of an event."""
    event = read_event(capture.document)
    parties = (
        ("source", event.sources),
        ("destination", event.destinations),
        ("transaction", event.transactions),
    )
    rows: list[Row] = [
        {"term": term, "type": each.type, "value": each.value}
        for term, found in parties
        for each in found
    ]
    states = (("set", event.persistent_set), ("unset", event.persistent_unset))
    rows += [{"term": term, "type": "", "value": each} for term, found in states for each in found]
    if event.error:
        rows.append({"term": "reason", "type": "", "value": event.error.reason})
        rows += [{"term": "corrective", "type": "", "value": e} for e in event.error.corrective]
    return rows


def list_readings(capture: Capture) -> list[Row]:
    """One row per sensor report; its amounts / 10**scale."""
    return [_project_reading(each) for each in read_event(capture.document).readings]


def _project_reading(reading: Reading) -> Row:
    numbers = {
        "value": reading.value,
        "least": reading.min,
        "greatest": reading.max,
        "mean": reading.mean,
    }
    scale = max((each[1] for each in numbers.values() if each), default=0)
    amounts = {name: _rescale(each, scale) for name, each in numbers.items()}
    return {
        "type": reading.type,
        "uom": reading.uom,
        "component": reading.component,
        "device": reading.device,
        "time_ms": reading.time_ms,
        "scale": scale,
        **amounts,
    }


def _rescale(number: Number | None, scale: int) -> int | None:
    """The amount at a greater scale; None where no database holds it."""
    if number is None:
        return None
    amount = number[0] * 10 ** (scale - number[1])
    return amount if -_CELL_MAX <= amount <= _CELL_MAX else None

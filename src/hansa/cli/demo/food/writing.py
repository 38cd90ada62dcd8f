"""EPCIS 2.0 events as JSON-LD objects: the few shapes that the model food chain writes. Pure."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
OFFSET: Final = "+08:00"
Event = dict[str, Any]
# A lot and so many kilograms of it.
Amount = tuple[str, int]


def format_time(time_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def list_amounts(amounts: Sequence[Amount]) -> list[dict[str, Any]]:
    """Quantities in kilograms."""
    return [{"epcClass": lot, "quantity": kilos, "uom": "KGM"} for lot, kilos in amounts]


def write_event(kind: str, time_ms: int, step: str, site: str, **fields: Any) -> Event:
    """An event of any type at a site; fields that are empty are left out."""
    event: Event = {
        "type": kind,
        "eventTime": format_time(time_ms),
        "eventTimeZoneOffset": OFFSET,
        "bizStep": step,
        "readPoint": {"id": site},
        "bizLocation": {"id": site},
    }
    event.update((name, value) for name, value in fields.items() if value)
    return event


def write_object(
    time_ms: int, action: str, step: str, site: str, what: Sequence[str | Amount], **fields: Any
) -> Event:
    """An ObjectEvent on units and on amounts of lots."""
    return write_event(
        "ObjectEvent",
        time_ms,
        step,
        site,
        action=action,
        epcList=[each for each in what if isinstance(each, str)],
        quantityList=list_amounts([each for each in what if not isinstance(each, str)]),
        **fields,
    )


def write_packing(
    time_ms: int, action: str, site: str, unit: str, amounts: Sequence[Amount]
) -> Event:
    """An AggregationEvent: amounts of lots into a unit (ADD), or out of it (DELETE)."""
    return write_event(
        "AggregationEvent",
        time_ms,
        "packing" if action == "ADD" else "unpacking",
        site,
        action=action,
        parentID=unit,
        childQuantityList=list_amounts(amounts),
        disposition="in_progress",
    )


def write_making(
    time_ms: int, site: str, inputs: Sequence[Amount], outputs: Sequence[Amount]
) -> Event:
    """A TransformationEvent, amounts of lots into amounts of new ones."""
    return write_event(
        "TransformationEvent",
        time_ms,
        "creating_class_instance",
        site,
        inputQuantityList=list_amounts(inputs),
        outputQuantityList=list_amounts(outputs),
        disposition="in_progress",
    )


def write_moves(sender: str, receiver: str) -> dict[str, Any]:
    """From whom to whom."""
    return {
        "sourceList": [{"type": "possessing_party", "source": sender}],
        "destinationList": [{"type": "possessing_party", "destination": receiver}],
    }


def write_temperature(time_ms: int, tenths: int) -> dict[str, Any]:
    """A sensor's report in degrees Celsius, given in tenths."""
    value = tenths / 10
    report = {"type": "Temperature", "value": value, "uom": "CEL"}
    return {
        "sensorElementList": [
            {"sensorMetadata": {"time": format_time(time_ms)}, "sensorReport": [report]}
        ]
    }


def write_document(events: Sequence[Event], time_ms: int) -> dict[str, Any]:
    """A capture document of these events, made at a time."""
    return {
        "@context": [CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": format_time(time_ms),
        "epcisBody": {"eventList": list(events)},
    }


def write_normal(event: Event) -> str:
    """The event's normal document, as the importer would write it of this event, but for its id:
    a hash of this text, in the form of a CBV hash id.
    """
    digest = hashlib.sha256(msgspec.json.encode(event, order="sorted")).hexdigest()
    named = {**event, "eventID": f"ni:///sha-256;{digest}?ver=CBV2.0"}
    return msgspec.json.encode(named, order="sorted").decode()

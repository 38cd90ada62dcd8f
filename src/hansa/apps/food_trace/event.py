"""An EPCIS event as the rules see it, read from its normal document. Pure; consensus code.

`read_event` takes the one spelling that `documents/normal.py` writes and refuses any other, so what
is judged is what the document says. Identifiers come out in element form (`identifiers.py`).
"""

import re
from functools import lru_cache
from typing import Any, Final, Literal, cast

import msgspec

from hansa.apps.food_trace.event_tree import (
    DOCUMENT_BYTES_MAX,
    ErrorDeclaration,
    Number,
    Party,
    Quantity,
    Reading,
    decode_normal,
    parse_number,
    read_element,
    read_elements,
    read_error,
    read_object,
    read_parties,
    read_place,
    read_quantities,
    read_readings,
    read_text,
    read_texts,
    read_time,
)
from hansa.apps.food_trace.faults import InvalidEvent
from hansa.apps.food_trace.identifiers import is_uri, make_opaque
from hansa.apps.food_trace.timestamps import is_offset

__all__ = [
    "ACTIONS",
    "DOCUMENT_BYTES_MAX",
    "TYPES",
    "ErrorDeclaration",
    "EventType",
    "FoodEvent",
    "InvalidEvent",
    "Number",
    "Party",
    "Quantity",
    "Reading",
    "event_key",
    "parse_number",
    "read_event",
]

EventType = Literal[
    "ObjectEvent",
    "AggregationEvent",
    "TransactionEvent",
    "TransformationEvent",
    "AssociationEvent",
]

TYPES: Final = frozenset(
    {
        "ObjectEvent",
        "AggregationEvent",
        "TransactionEvent",
        "TransformationEvent",
        "AssociationEvent",
    }
)
ACTIONS: Final = frozenset({"ADD", "OBSERVE", "DELETE"})

# Longer documents are read each time: what is remembered stays small whatever is sent.
_SMALL: Final = 4_096
_HASH_ID: Final = re.compile(r"ni:///sha-256;([0-9a-f]{64})\?ver=CBV2\.0\Z")


class FoodEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One EPCIS event. EPCs, classes, places and parties are in element form; "" is not given.

    `time_ms` is UTC milliseconds since 1970; `id` is the eventID as written, `key` its record key.
    """

    id: str
    key: str
    type: EventType
    time_ms: int
    offset: str
    action: str = ""
    biz_step: str = ""
    disposition: str = ""
    persistent_set: tuple[str, ...] = ()
    persistent_unset: tuple[str, ...] = ()
    epcs: tuple[str, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    parent: str = ""
    children: tuple[str, ...] = ()
    child_quantities: tuple[Quantity, ...] = ()
    input_epcs: tuple[str, ...] = ()
    input_quantities: tuple[Quantity, ...] = ()
    output_epcs: tuple[str, ...] = ()
    output_quantities: tuple[Quantity, ...] = ()
    transformation: str = ""
    read_point: str = ""
    biz_location: str = ""
    sources: tuple[Party, ...] = ()
    destinations: tuple[Party, ...] = ()
    transactions: tuple[Party, ...] = ()
    readings: tuple[Reading, ...] = ()
    error: ErrorDeclaration | None = None
    certifications: tuple[str, ...] = ()


@lru_cache(maxsize=4_096)
def event_key(event_id: str) -> str:
    """The record key of an eventID: the 64 hex digits of a CBV 2.0 hash id, else it escaped."""
    found = _HASH_ID.match(event_id)
    return found[1] if found else make_opaque(event_id)


def read_event(document: str) -> FoodEvent:
    """The event of a normal document.

    Raises InvalidEvent (not the normal spelling, or no EPCIS event), BadCheckDigit, BadIdentifier.
    """
    return _read_small(document) if len(document) <= _SMALL else _read(document)


def _read(document: str) -> FoodEvent:
    fields = decode_normal(document)
    kind = fields.get("type")
    if kind not in TYPES:
        raise InvalidEvent("EPCIS-TYPE", "/type")
    event_id = read_text(fields, "eventID")
    if not is_uri(event_id):
        raise InvalidEvent("EPCIS-EVENT-ID", "/eventID")
    offset = read_text(fields, "eventTimeZoneOffset")
    if not is_offset(offset):
        raise InvalidEvent("EPCIS-OFFSET", "/eventTimeZoneOffset")
    persistent = read_object(fields, "persistentDisposition", "")
    event = FoodEvent(
        id=event_id,
        key=event_key(event_id),
        type=cast(EventType, kind),
        time_ms=read_time(fields, "eventTime", ""),
        offset=offset,
        action=read_text(fields, "action"),
        biz_step=read_text(fields, "bizStep"),
        disposition=read_text(fields, "disposition"),
        persistent_set=read_texts(persistent, "set", "/persistentDisposition"),
        persistent_unset=read_texts(persistent, "unset", "/persistentDisposition"),
        epcs=read_elements(fields, "epcList"),
        quantities=read_quantities(fields, "quantityList"),
        parent=read_element(fields, "parentID", ""),
        children=read_elements(fields, "childEPCs"),
        child_quantities=read_quantities(fields, "childQuantityList"),
        input_epcs=read_elements(fields, "inputEPCList"),
        input_quantities=read_quantities(fields, "inputQuantityList"),
        output_epcs=read_elements(fields, "outputEPCList"),
        output_quantities=read_quantities(fields, "outputQuantityList"),
        transformation=read_element(fields, "transformationID", ""),
        read_point=read_place(fields, "readPoint"),
        biz_location=read_place(fields, "bizLocation"),
        sources=read_parties(fields, "sourceList", "source"),
        destinations=read_parties(fields, "destinationList", "destination"),
        transactions=read_parties(fields, "bizTransactionList", "bizTransaction"),
        readings=read_readings(fields),
        error=read_error(fields),
        certifications=read_texts(fields, "certificationInfo", ""),
    )
    _check_parts(event, fields)
    return event


# A block's events: execution reads each, and the read model of the same node reads it again.
_read_small = lru_cache(maxsize=4_096)(_read)


def _check_parts(event: FoodEvent, fields: dict[str, Any]) -> None:
    """What an event of each type must have (EPCIS 7.4.2 to 7.4.6)."""
    if event.type == "TransformationEvent":
        has_input = bool(event.input_epcs or event.input_quantities)
        has_output = bool(event.output_epcs or event.output_quantities)
        if not (has_input or has_output if event.transformation else has_input and has_output):
            raise InvalidEvent("EPCIS-WHAT", "/")
        return
    if event.action not in ACTIONS:
        raise InvalidEvent("EPCIS-ACTION", "/action")
    if event.type in {"AggregationEvent", "AssociationEvent"}:
        needs_parent = event.action != "OBSERVE" or event.type == "AssociationEvent"
        if needs_parent and not event.parent:
            raise InvalidEvent("EPCIS-PARENT", "/parentID")
        if not (event.children or event.child_quantities or event.action == "DELETE"):
            raise InvalidEvent("EPCIS-WHAT", "/")
        return
    if event.type == "TransactionEvent" and not event.transactions:
        raise InvalidEvent("EPCIS-TRANSACTION", "/bizTransactionList")
    has_items = "epcList" in fields or bool(event.quantities)
    has_sensors = bool(event.readings and event.read_point)
    is_ended = event.type == "TransactionEvent" and event.action == "DELETE"
    if not (has_items or has_sensors or is_ended):
        raise InvalidEvent("EPCIS-WHAT", "/")

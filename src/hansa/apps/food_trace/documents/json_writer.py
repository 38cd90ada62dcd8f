"""Normal events as EPCIS JSON-LD: capture documents, query results, single events. Pure.

Source: EPCIS 2.0 clause 10. What `json.py` reads again is the same normal event.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hansa.apps.food_trace.documents.document import CONTEXT_URL, SCHEMA_VERSION
from hansa.apps.food_trace.documents.names import Prefixes
from hansa.apps.food_trace.documents.stored import (
    ITEM_LISTS,
    KeyFormat,
    StoredEvent,
    choose_prefixes,
    load_event,
)

_encoder: Final = msgspec.json.Encoder()
# Fields that people look for first; the others follow in the order of the alphabet.
_FIRST: Final = ("type", "eventID", "eventTime", "recordTime", "eventTimeZoneOffset", "action")


def write_capture_json(
    events: Sequence[StoredEvent],
    creation_date: str,
    header: Mapping[str, str] | None = None,
    keys: KeyFormat = "given",
) -> bytes:
    """An EPCISDocument. `header`: id, sender, receiver, instanceIdentifier where wanted."""
    prefixes = choose_prefixes(events)
    body = [_write_event(event, prefixes, keys) for event in events]
    return _encoder.encode(
        {
            "@context": write_context(prefixes),
            **_start("EPCISDocument", creation_date, header),
            "epcisBody": {"eventList": body},
        }
    )


def write_results_json(
    events: Sequence[StoredEvent],
    creation_date: str,
    query_name: str,
    subscription_id: str = "",
    keys: KeyFormat = "given",
) -> bytes:
    """An EPCISQueryDocument with the results of a query."""
    prefixes = choose_prefixes(events)
    body = [_write_event(event, prefixes, keys) for event in events]
    subscription = {"subscriptionID": subscription_id} if subscription_id else {}
    results = {**subscription, "queryName": query_name, "resultsBody": {"eventList": body}}
    return _encoder.encode(
        {
            "@context": write_context(prefixes),
            **_start("EPCISQueryDocument", creation_date, None),
            "epcisBody": {"queryResults": results},
        }
    )


def write_event_json(event: StoredEvent, keys: KeyFormat = "given") -> bytes:
    """One event by itself, with its own @context."""
    prefixes = choose_prefixes([event])
    fields = _write_event(event, prefixes, keys)
    return _encoder.encode({"@context": write_context(prefixes), **fields})


def write_context(prefixes: Prefixes) -> list[Any]:
    """The standard's context and the prefixes that were used."""
    own: list[Any] = [{prefix: iri} for iri, prefix in prefixes.used.items()]
    return [CONTEXT_URL, *own]


def _start(kind: str, creation_date: str, header: Mapping[str, str] | None) -> dict[str, str]:
    start = {"type": kind, "schemaVersion": SCHEMA_VERSION, "creationDate": creation_date}
    return {**(header or {}), **start}


def _write_event(event: StoredEvent, prefixes: Prefixes, keys: KeyFormat) -> dict[str, Any]:
    fields = load_event(event, keys)
    for name in fields.keys() & ITEM_LISTS:
        fields[name] = list(dict.fromkeys(fields[name]))  # JSON's schema has sets, XML's not
    first = {name: fields.pop(name) for name in _FIRST if name in fields}
    return {**first, **shorten_names(fields, prefixes)}


def shorten_names(value: Any, prefixes: Prefixes) -> Any:
    """Clark's names as `prefix:local`, however deep."""
    if type(value) is dict:
        return {prefixes.shorten(key): shorten_names(item, prefixes) for key, item in value.items()}
    if type(value) is list:
        return [shorten_names(item, prefixes) for item in value]
    return value

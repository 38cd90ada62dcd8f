"""A normal event on its way out: its tree with what the ledger adds, and its keys' format. Pure."""

import re
from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec

from hansa.apps.food_trace.documents.names import Prefixes
from hansa.apps.food_trace.documents.normal import load_normal
from hansa.apps.food_trace.faults import BadCheckDigit, BadIdentifier
from hansa.apps.food_trace.identifiers import parse, to_digital_link
from hansa.apps.food_trace.timestamps import format_time

# The values of the header GS1-EPC-Format that can be answered: a URN cannot be made of a Digital
# Link without knowing how long each company's prefix is.
KeyFormat = Literal["given", "digital_link"]

ITEM_LISTS: Final = frozenset({"epcList", "childEPCs", "inputEPCList", "outputEPCList"})
_SINGLE: Final = frozenset({"parentID", "transformationID"})
_INSIDE: Final = {
    "quantityList": "epcClass",
    "childQuantityList": "epcClass",
    "inputQuantityList": "epcClass",
    "outputQuantityList": "epcClass",
    "readPoint": "id",
    "bizLocation": "id",
    "sourceList": "source",
    "destinationList": "destination",
}
_PREFIX: Final = re.compile(r'"([A-Za-z][A-Za-z0-9+.-]*):')


class StoredEvent(msgspec.Struct, frozen=True):
    """A normal document as the ledger holds it, and when it was captured (ms, None: unknown)."""

    document: str
    record_time_ms: int | None = None


def load_event(stored: StoredEvent, keys: KeyFormat = "given") -> dict[str, Any]:
    """The tree of a stored event with its recordTime. Raises DocumentRefused."""
    fields = load_normal(stored.document)
    if keys == "digital_link":
        _convert(fields)
    if stored.record_time_ms is not None:
        fields["recordTime"] = format_time(stored.record_time_ms)
    return fields


def choose_prefixes(events: Iterable[StoredEvent]) -> Prefixes:
    """Prefixes that no text of these events seems to use already."""
    taken: set[str] = set()
    for event in events:
        taken.update(_PREFIX.findall(event.document))
    return Prefixes(taken)


def _convert(fields: dict[str, Any]) -> None:
    for name in fields.keys() & ITEM_LISTS:
        fields[name] = [_to_link(uri) for uri in fields[name]]
    for name in fields.keys() & _SINGLE:
        fields[name] = _to_link(fields[name])
    for name, role in _INSIDE.items():
        inner = fields.get(name, ())
        for item in inner if type(inner) is list else [inner]:
            if role in item:
                item[role] = _to_link(item[role])


def _to_link(uri: str) -> str:
    try:
        key = parse(uri)
    except (BadCheckDigit, BadIdentifier):
        return uri
    return to_digital_link(key.element) if key and uri.startswith("urn:") else uri

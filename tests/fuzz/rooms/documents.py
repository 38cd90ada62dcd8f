"""Doors of documents of the civic applications: invoices, food events, their queries and keys."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from hansa.apps.e_invoice.documents.check import check_document as check_invoice
from hansa.apps.e_invoice.documents.check import format_report as tell_invoice
from hansa.apps.e_invoice.documents.importers import import_document
from hansa.apps.e_invoice.documents.xml_source import DocumentRefused as InvoiceRefused
from hansa.apps.food_trace.documents.check import check_document as check_events
from hansa.apps.food_trace.documents.check import format_report as tell_events
from hansa.apps.food_trace.documents.hash_id import compute_hash_id
from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.documents.json_writer import write_capture_json
from hansa.apps.food_trace.documents.normal import load_normal
from hansa.apps.food_trace.documents.query import read_parameters
from hansa.apps.food_trace.documents.rulebook import DocumentRefused
from hansa.apps.food_trace.documents.stored import StoredEvent
from hansa.apps.food_trace.documents.xml_writer import write_capture_xml
from hansa.apps.food_trace.faults import BadCheckDigit, BadIdentifier
from hansa.apps.food_trace.identifiers import element_of, level_of, parse, to_digital_link
from tests.fuzz.door import Door, Mutate
from tests.fuzz.mutate import change_bytes, change_json

SEEDS = Path(__file__).parents[1] / "seeds"
FAPIAO = Path(__file__).parents[2] / "apps" / "e_invoice" / "fixtures"
CREATED = "2026-01-01T00:00:00.000Z"
ITEMS = ["https://id.gs1.org/01/09521141012345/21/2017"]
INSIDE = {"childEPCs": ITEMS}
EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventTime": "2026-07-22T06:45:00+02:00",
    "eventTimeZoneOffset": "+02:00",
    "action": "ADD",
    "bizStep": "commissioning",
    "epcList": ITEMS,
    "quantityList": [{"epcClass": "urn:epc:class:lgtin:9521141.012345.a", "quantity": 1.5}],
    "readPoint": {"id": "urn:epc:id:sgln:9521141.01234.0"},
    "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:9521141.00001"}],
    "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 4.5, "uom": "CEL"}]}],
    "ex:more": {"ex:a": ["x", 1]},
}
HEAD: dict[str, Any] = {
    "@context": [
        "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
        {"ex": "https://ex.example/"},
    ],
    "type": "EPCISDocument",
    "schemaVersion": "2.0",
    "creationDate": "2026-07-22T10:30:00Z",
}
OTHERS: tuple[dict[str, Any], ...] = (
    {"type": "AggregationEvent", "parentID": "urn:epc:id:sscc:9521141.0123456789", **INSIDE},
    {"type": "TransformationEvent", "inputEPCList": ITEMS, "outputEPCList": ITEMS},
    {"type": "AssociationEvent", "parentID": "urn:epc:id:grai:9521141.01234.5", **INSIDE},
)


def write_document(*events: dict[str, Any]) -> bytes:
    """A document of these events."""
    return json.dumps({**HEAD, "epcisBody": {"eventList": list(events)}}).encode()


def list_events() -> list[dict[str, Any]]:
    """One of each kind."""
    bare = {name: EVENT[name] for name in ("eventTime", "eventTimeZoneOffset", "action")}
    made = [EVENT, *({**bare, **other} for other in OTHERS)]
    del made[2]["action"]
    return made


def open_ubl() -> Door:
    """Invoices in UBL."""
    return _build_invoice_door([(SEEDS / "invoice-ubl.xml").read_bytes()])


def open_cii() -> Door:
    """Invoices in CII."""
    return _build_invoice_door([(SEEDS / "invoice-cii.xml").read_bytes()])


def open_fapiao() -> Door:
    """Chinese invoices (数电票)."""
    return _build_invoice_door([path.read_bytes() for path in sorted(FAPIAO.glob("*.xml"))])


def wrap(*files: tuple[str, bytes]) -> bytes:
    """A zip of these files, the same bytes each time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data)
    return out.getvalue()


def open_invoice_zips() -> Door:
    """Invoices in a zip beside what else a tax platform puts there; other kinds of files."""
    data = (FAPIAO / "fapiao-0.2-blue.xml").read_bytes()
    seeds = [wrap(("a.xml", data), ("a.pdf", b"%PDF")), wrap(("a.xml", b"<a/>")), b"%PDF-1.7"]
    return _build_invoice_door(seeds)


def _build_invoice_door(seeds: list[bytes]) -> Door:
    def read(data: bytes) -> object:
        report = check_invoice(data, "file")
        assert all(line.isprintable() for line in tell_invoice(report))
        try:
            document = import_document(data)
        except InvoiceRefused as refused:
            return report.verdict, refused.rule
        assert report.verdict != "unjudged", "what is imported was judged"
        msgspec.json.encode(document)
        return report.verdict, document

    return Door(run=read, allowed=(), seeds=tuple(seeds))


def open_epcis_json() -> Door:
    """Documents, events and queries in JSON-LD."""
    events = list_events()
    query = {**HEAD, "type": "EPCISQueryDocument"}
    seeds = [write_document(event) for event in events]
    seeds += [write_document(*events), json.dumps(query).encode(), json.dumps(EVENT).encode()]
    return _build_events_door(seeds, change_json, write_capture_json)


def open_epcis_xml() -> Door:
    """Documents in XML."""
    seeds = []
    for event in list_events():
        (read_event,) = read_document(write_document(event)).events
        seeds.append(write_capture_xml([StoredEvent(read_event.document)], CREATED))
    return _build_events_door(seeds, change_bytes, write_capture_xml)


def _build_events_door(seeds: list[bytes], shape: Mutate, write: Callable[..., bytes]) -> Door:
    def read(data: bytes) -> object:
        report = check_events(data, "file")
        assert all(line.isprintable() for line in tell_events(report))
        return read_document(data).events

    def is_lost(_data: bytes, events: Any) -> bool:
        stored = [StoredEvent(each.document) for each in events if each.is_valid]
        for each in stored:
            compute_hash_id(load_normal(each.document))
        again = read_document(write(stored, CREATED)).events
        return [each.document for each in again] != [each.document for each in stored]

    return Door(
        run=read, allowed=(DocumentRefused,), seeds=tuple(seeds), never=is_lost, shape=shape
    )


def open_epcis_queries() -> Door:
    """Parameters of queries."""
    given = {
        "eventType": ["ObjectEvent"],
        "GE_eventTime": "2026-01-01T00:00:00Z",
        "MATCH_epc": ["urn:epc:id:sgtin:9521141.012345.*"],
        "EQ_bizStep": ["shipping"],
        "EQ_ex:a": ["x"],
        "GT_quantity": 5,
        "orderBy": "eventTime",
        "perPage": 10,
    }

    def read(data: bytes) -> object:
        decoded = msgspec.json.decode(data)
        return read_parameters(decoded) if isinstance(decoded, dict) else None

    return Door(
        run=read,
        allowed=(msgspec.MsgspecError, UnicodeError, RecursionError),
        seeds=(json.dumps(given).encode(),),
        shape=change_json,
    )


def open_food_identifiers() -> Door:
    """GS1 keys as Digital Links and EPC URNs: a key has one element form, whatever way it came."""
    texts = (
        *("https://id.gs1.org/01/09521141012345/21/2017", "https://a.b/x/01/09521141012345"),
        *("https://id.gs1.org/00/095211411234567898", "https://id.gs1.org/414/9521141012341"),
        *("urn:epc:id:sgtin:9521141.012345.2017", "urn:epc:class:lgtin:9521141.012345.a%2Fb"),
        *("urn:epc:id:sgln:9521141.01234.0", "urn:epc:idpat:sgtin:9521141.012345.*"),
        *("urn:epc:id:cpi:9521141.5PQ7%2FZ43.1", "urn:epc:id:itip:9521141.012345.01.02.a"),
    )

    def read(data: bytes) -> object:
        text = data.decode()
        level_of(element_of(text))
        key = parse(text)
        return None if key is None else key.element

    def is_other(_data: bytes, element: Any) -> bool:
        again = parse(to_digital_link(element))
        return again is not None and again.element != element

    return Door(
        run=read,
        allowed=(BadCheckDigit, BadIdentifier, UnicodeError),
        seeds=tuple(text.encode() for text in texts),
        never=is_other,
    )

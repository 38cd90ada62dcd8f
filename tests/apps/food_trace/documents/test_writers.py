"""What is written is read again as the same normal events, whatever extensions hold."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.documents.json_writer import (
    write_capture_json,
    write_event_json,
    write_results_json,
)
from hansa.apps.food_trace.documents.names import EPCIS_CONTEXT
from hansa.apps.food_trace.documents.normal import load_normal, normalise
from hansa.apps.food_trace.documents.stored import StoredEvent
from hansa.apps.food_trace.documents.xml_writer import (
    write_capture_xml,
    write_event_xml,
    write_results_xml,
)
from tests.apps.food_trace.documents.epcis_data import list_valid, name

# It names one key twice.
TWICE = "epcisDocWithAllGS1Keys.xml"
CREATED = "2026-01-01T00:00:00.000Z"
FIELDS: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventID": "urn:uuid:7e1f4d5a-0000-4000-8000-000000000001",
    "eventTime": "2026-07-22T06:45:00+02:00",
    "eventTimeZoneOffset": "+02:00",
    "action": "ADD",
    "epcList": ["urn:epc:id:sgtin:9521141.001234.2017"],
}


def make(**fields: Any) -> StoredEvent:
    event = normalise({**FIELDS, **fields}, EPCIS_CONTEXT, "")
    assert event.is_valid, event.failures
    return StoredEvent(event.document, 1784695600123)


def read(data: bytes) -> list[str]:
    document = read_document(data)
    assert list(document.all_failures()) == []
    return [event.document for event in document.events]


@pytest.mark.slow
@pytest.mark.parametrize("path", list_valid(), ids=name)
def test_documents_come_back_whole(path: Any) -> None:
    given_events = read_document(path.read_bytes()).events
    stored = [StoredEvent(event.document, 1234567890123) for event in given_events]
    documents = [event.document for event in given_events]
    if path.name == TWICE:
        stored, documents = [], []  # a list in XML, a set in JSON: see below
    for written in (
        write_capture_json(stored, CREATED),
        write_results_json(stored, CREATED, "SimpleEventQuery", "s1"),
        write_capture_xml(stored, CREATED),
        write_capture_xml(stored, CREATED, words="web"),
        write_results_xml(stored, CREATED, "SimpleEventQuery"),
    ):
        assert read(written) == documents
    for event in stored[:1]:
        assert read(write_event_json(event)) == documents[:1]
        assert read(write_event_xml(event)) == documents[:1]


def test_an_item_that_xml_names_twice_stands_once_in_json() -> None:
    (path,) = (path for path in list_valid() if path.name == TWICE)
    (event,) = read_document(path.read_bytes()).events
    (again,) = read_document(write_capture_json([StoredEvent(event.document)], CREATED)).events
    assert again.is_valid
    assert again.event == event.event
    assert read(write_capture_xml([StoredEvent(event.document)], CREATED)) == [event.document]


@pytest.mark.parametrize(
    "value",
    [
        "plain", "", " around ", "a\r\nb", "\x00", "\ufffe", "<&>]]>", "ext1:x", 10, True, None, [],
        {}, [[1], [2]], {"#text": "x"}, {"#text": "x", "a": "y"}, {"not a name": 1},
        {"ex:b": [1, "1"]},
        msgspec.Raw(b"1.50"),
    ],
)  # fmt: skip
def test_an_extension_survives_both_syntaxes(value: Any) -> None:
    context = EPCIS_CONTEXT.extend({"ex": "http://ns.example.com/epcis"})
    report = {"type": "Temperature", "value": 1, "ex:a": value}
    fields = {**FIELDS, "ex:a": value, "ex:1": value, "ilmd": {"ex:a": value}}
    sensors = [{"sensorReport": [report], "ex:a": value}]
    event = normalise({**fields, "sensorElementList": sensors}, context, "")
    stored = [StoredEvent(event.document)]
    assert read(write_capture_json(stored, CREATED)) == [event.document]
    assert read(write_capture_xml(stored, CREATED)) == [event.document]


def test_results_say_which_query_and_when_the_event_was_captured() -> None:
    for data in (
        write_results_json([make()], CREATED, "MyQuery", "sub-1"),
        write_results_xml([make()], CREATED, "MyQuery", "sub-1"),
    ):
        document = read_document(data)
        assert (document.kind, document.query_name) == ("query_results", "MyQuery")
        assert document.subscription_id == "sub-1"
        assert document.events[0].record_time == "2026-07-22T04:46:40.123Z"


def test_keys_are_given_as_digital_links_where_asked() -> None:
    event = make(
        readPoint={"id": "urn:epc:id:sgln:4012345.00005.0"},
        quantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.012345.9", "quantity": 1}],
        sourceList=[{"type": "owning_party", "source": "urn:epc:id:pgln:4012345.00225"}],
    )
    for data in (
        write_capture_json([event], CREATED, keys="digital_link"),
        write_capture_xml([event], CREATED, keys="digital_link"),
    ):
        fields = load_normal(read(data)[0])
        assert fields["epcList"] == ["https://id.gs1.org/01/09521141012345/21/2017"]
        assert fields["readPoint"]["id"] == "https://id.gs1.org/414/4012345000054"
        assert fields["quantityList"][0]["epcClass"].endswith("/10/9")
        assert fields["sourceList"][0]["source"].endswith("/417/4012345002256")


def test_xml_has_the_elements_in_the_order_of_the_schema() -> None:
    event = make(
        bizStep="commissioning",
        persistentDisposition={"set": ["active"]},
        ilmd={"ex:a": "1"},
        certificationInfo="https://a.example/c",
    )
    root = etree.fromstring(write_event_xml(event))
    tags = [str(child.tag).rpartition("}")[2] for child in root]
    assert tags == [
        "eventTime", "recordTime", "eventTimeZoneOffset", "eventID", "certificationInfo",
        "epcList", "action", "bizStep", "persistentDisposition", "ilmd",
    ]  # fmt: skip
    assert root.findtext("bizStep") == "urn:epcglobal:cbv:bizstep:commissioning"


SAFE = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.one_of(
    st.sampled_from(["ex:a", "ex:b", "http://other.example/#c", "gs1:x", "ex:1odd", "ex:ä"]),
)
INNER = st.one_of(NAMES, st.sampled_from(["bare", "id", "#text", "a b", "1", "extension"]), SAFE)
VALUES = st.recursive(
    st.one_of(
        SAFE,
        st.integers(-(2**60), 2**60),
        st.booleans(),
        st.none(),
        st.sampled_from(["ext1:x", " space ", "\x00", "a\r\nb", "]]>", "<b>", "urn:a:b"]),
        st.sampled_from([msgspec.Raw(b"1.50"), msgspec.Raw(b"-1E+3")]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(INNER, inner, max_size=3)),
    max_leaves=6,
)


def _is_plain(value: Any) -> bool:
    """Keys that JSON-LD itself gives a meaning to are left to other tests."""
    if isinstance(value, dict):
        return all(
            not key.startswith(("@", "{")) and _is_plain(item) for key, item in value.items()
        )
    return not isinstance(value, list) or all(map(_is_plain, value))


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    st.dictionaries(NAMES, VALUES, max_size=3),
    st.dictionaries(NAMES, VALUES, max_size=2),
    st.dictionaries(NAMES, VALUES, max_size=2),
    SAFE,
)
def test_extensions_survive_both_syntaxes(
    outer: dict[str, Any], ilmd: dict[str, Any], sensed: dict[str, Any], text: str
) -> None:
    context = EPCIS_CONTEXT.extend({"ex": "http://ns.example.com/epcis"})
    report = {"type": "Temperature", "value": msgspec.Raw(b"26.0"), "stringValue": text, **sensed}
    fields = {
        **FIELDS,
        **outer,
        "ilmd": ilmd,
        "readPoint": {"id": "urn:epc:id:sgln:4012345.00005.0", **sensed},
        "sensorElementList": [{"sensorMetadata": sensed, "sensorReport": [report], **outer}],
    }
    if not _is_plain([outer, ilmd, sensed]):
        return
    event = normalise(fields, context, "")
    if not event.is_valid:
        return  # two names that mean the same, nesting beyond the limit
    stored = [StoredEvent(event.document)]
    assert read(write_capture_json(stored, CREATED)) == [event.document]
    assert read(write_capture_xml(stored, CREATED)) == [event.document]

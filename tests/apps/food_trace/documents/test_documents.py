"""Documents of GS1 and OpenEPCIS: valid ones are read whole, invalid ones refused with reason."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hansa.apps.food_trace.documents.hash_id import compute_hash_id
from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.documents.normal import load_normal
from hansa.apps.food_trace.documents.rulebook import RULES
from hansa.apps.food_trace.event import FoodEvent, read_event
from tests.apps.food_trace.documents.epcis_data import (
    GS1,
    OPENEPCIS,
    list_documents,
    list_twins,
    list_valid,
    name,
)

# What is wrong with each invalid document, and where.
REASONS = {
    "JSON/Capture/Invalid/Combination_of_non_standard_bizStep_and_disposition.json": {
        ("CBV-BIZ-STEP", "/epcisBody/eventList/0/bizStep"),
        ("CBV-DISPOSITION", "/epcisBody/eventList/1/disposition"),
    },
    "JSON/Capture/Invalid/ObjectEvent_with_ilmd_field_without_namespace.json": {
        ("EPCIS-UNKNOWN-FIELD", "/epcisBody/eventList/0/ilmd/materialType")
    },
    "JSON/Capture/Invalid/ObjectEvent_with_invalid_action.json": {
        ("EPCIS-ACTION", "/epcisBody/eventList/0/action")
    },
    "JSON/Capture/Invalid/ObjectEvent_with_invalid_certificationInfo.json": {
        ("EPCIS-URI", "/epcisBody/eventList/0/certificationInfo/0"),
        ("EPCIS-URI", "/epcisBody/eventList/0/certificationInfo/1"),
    },
    "JSON/Capture/Invalid/ObjectEvent_with_invalid_eventTime_format.json": {
        ("EPCIS-TIME", "/epcisBody/eventList/0/eventTime")
    },
    "JSON/Capture/Invalid/ObjectEvent_with_non_standard_disposition.json": {
        ("CBV-DISPOSITION", "/epcisBody/eventList/0/disposition")
    },
    "JSON/Capture/Invalid/ObjectEvent_with_quantity_as_text.json": {
        ("EPCIS-NUMBER", "/epcisBody/eventList/0/quantityList/0/quantity")
    },
    "JSON/Capture/Invalid/ObjectEvent_without_action_and_eventTime.json": {
        ("EPCIS-REQUIRED", "/epcisBody/eventList/0/eventTime"),
        ("EPCIS-REQUIRED", "/epcisBody/eventList/0/eventTimeZoneOffset"),
        ("EPCIS-REQUIRED", "/epcisBody/eventList/0/action"),
    },
    "JSON/Capture/Invalid/ObjectEvent_without_identifier_list.json": {
        ("EPCIS-WHAT", "/epcisBody/eventList/0")
    },
    "JSON/Query/Invalid/QueryDocument_with_invalid_eventType.json": {
        ("EPCIS-TYPE", "/epcisBody/queryResults/resultsBody/eventList/0/type")
    },
    "JSON/Query/Queries/Invalid/Query_with_unknown_parameter.json": {
        ("QUERY-PARAMETER", "/GE_eventDate")
    },
    "XML/Capture/Invalid/ObjectEvent_with_invalid_action.xml": {
        ("EPCIS-ACTION", "/epcis:EPCISDocument/EPCISBody/EventList/ObjectEvent/action")
    },
    "XML/Capture/Invalid/ObjectEvent_with_invalid_eventTime_format.xml": {
        ("EPCIS-TIME", "/epcis:EPCISDocument/EPCISBody/EventList/ObjectEvent/eventTime")
    },
    "XML/Capture/Invalid/ObjectEvent_with_unknown_element.xml": {
        ("EPCIS-UNKNOWN-FIELD", "/epcis:EPCISDocument/EPCISBody/EventList/ObjectEvent/madeUpField")
    },
    "XML/Capture/Invalid/ObjectEvent_with_wrong_element_order.xml": {
        ("EPCIS-ORDER", "/epcis:EPCISDocument/EPCISBody/EventList/ObjectEvent/action")
    },
    "XML/Query/Invalid/QueryDocument_with_invalid_eventType.xml": {
        (
            "EPCIS-TYPE",
            "/epcisq:EPCISQueryDocument/EPCISBody/QueryResults/resultsBody/EventList"
            "/ObjectEventInvalid",
        )
    },
    "XML/Query/Queries/Invalid/Query_without_queryName.xml": {
        ("QUERY-NAME", "/epcisq:EPCISQueryDocument/EPCISBody/epcisq:Poll/queryName")
    },
}
# What holds no event: master data, answers about captures, queries.
WITHOUT_EVENTS = {"master_data", "capture_job", "query"}


def test_there_are_documents() -> None:
    assert len(list_documents()) > 100
    assert len(list(list_twins())) > 10


@pytest.mark.parametrize("path", list_valid(), ids=name)
def test_a_valid_document_is_read_whole(path: Path) -> None:
    document = read_document(path.read_bytes())
    fatal = [failure for failure in document.all_failures() if failure.flag == "fatal"]
    assert fatal == []
    if document.kind not in WITHOUT_EVENTS and "masterdata" not in path.name:
        assert document.events
    for event in document.events:
        assert event.event == read_event(event.document)
        assert json.loads(event.document)["eventID"] == event.event_id


@pytest.mark.parametrize(
    "file", [name(path) for path in list_documents() if "Invalid" in str(path)]
)
def test_an_invalid_document_is_refused_with_rule_and_place(file: str) -> None:
    document = read_document((OPENEPCIS.parent / file).read_bytes())
    found = {(each.rule, each.path) for each in document.all_failures() if each.flag == "fatal"}
    assert found == REASONS[file.removeprefix("openepcis/")]
    assert all(each.rule in RULES and each.text for each in document.all_failures())


def _forget_id(event: FoodEvent | None) -> FoodEvent:
    assert event is not None
    return msgspec.structs.replace(event, id="", key="")


@pytest.mark.parametrize(("path", "twin"), list(list_twins()), ids=name)
def test_json_and_xml_of_one_document_are_the_same_events(path: Path, twin: Path) -> None:
    ours, theirs = read_document(path.read_bytes()), read_document(twin.read_bytes())
    assert len(ours.events) == len(theirs.events) > 0
    for event, other in zip(ours.events, theirs.events, strict=True):
        assert _forget_id(event.event) == _forget_id(other.event)
        # The hash id covers what the rules do not look at, extensions above all.
        ids = [compute_hash_id(load_normal(each.document)) for each in (event, other)]
        assert ids[0] == ids[1]


def test_the_published_events_with_one_hash_id_have_one() -> None:
    found = set()
    for number in (1, 3, 4, 5, 6):
        path = GS1 / f"xml/WithEventHashID_event_with_identical_hash_id_{number}.xml"
        (event,) = read_document(path.read_bytes()).events
        assert event.is_hashed
        found.add(event.event_id)
    assert len(found) == 1


def test_newer_words_pass_and_every_spelling_of_a_word_becomes_the_bare_one() -> None:
    path = OPENEPCIS / "XML/Capture/Documents/CurieString_document.xml"
    (event,) = read_document(path.read_bytes()).events
    assert event.event is not None
    assert (event.event.biz_step, event.event.disposition) == ("receiving", "in_progress")
    assert [party.type for party in event.event.sources] == [
        "location",
        "possessing_party",
        "owning_party",
    ]
    assert event.event.destinations[3].type == "https://ref.gs1.org/cbv/my_own_party"
    report = load_normal(event.document)["sensorElementList"][0]["sensorReport"][0]
    assert (report["type"], report["exception"]) == ("Dimensionless", "ALARM_CONDITION")


@pytest.mark.parametrize(
    ("file", "word"),
    [
        ("gs1-epcis/xml/WithSensorData_SensorDataExamples.xml", "Molar_concentration"),
        (
            "openepcis/JSON/Capture/Documents/TransactionEvent_with_userExtensions.json",
            "EffectiveDoseRate",
        ),
    ],
)
def test_words_newer_than_the_published_schema_pass(file: str, word: str) -> None:
    document = read_document((OPENEPCIS.parent / file).read_bytes())
    readings = [each for event in document.events if event.event for each in event.event.readings]
    assert word in {reading.type for reading in readings}


def _count_numbers(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _count_numbers(item)]
    if isinstance(value, list):
        return [text for item in value for text in _count_numbers(item)]
    return [str(value)] if isinstance(value, int | float) and not isinstance(value, bool) else []


@pytest.mark.parametrize(
    "path", [path for path in list_valid() if path.suffix in {".json", ".jsonld"}], ids=name
)
def test_numbers_stay_as_they_are_written(path: Path) -> None:
    class Written(float):
        def __new__(cls, text: str) -> "Written":
            made = super().__new__(cls, text)
            made.text = text  # type: ignore[attr-defined]
            return made

        def __str__(self) -> str:
            return str(self.text)  # type: ignore[attr-defined]

    document = read_document(path.read_bytes())
    if not document.events:
        return
    given = json.loads(path.read_bytes(), parse_float=Written)
    kept = [json.loads(event.document, parse_float=Written) for event in document.events]
    assert sorted(_count_numbers(given)) == sorted(_count_numbers(kept))

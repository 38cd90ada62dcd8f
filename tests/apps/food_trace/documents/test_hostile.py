"""Files that are broken, huge, nested or lie about themselves: refused with reason, no crash."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.apps.food_trace.documents.check import check_document, check_files, format_report
from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.documents.rulebook import RULES
from hansa.apps.food_trace.documents.strict_json import DOCUMENT_BYTES_MAX
from tests.apps.food_trace.documents.epcis_data import GS1, OPENEPCIS

HEAD = (
    '{"@context":"https://ref.gs1.org/standards/epcis/epcis-context.jsonld",'
    '"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-07-22T10:30:00Z",'
    '"epcisBody":{"eventList":['
)
EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventTime": "2026-07-22T06:45:00+02:00",
    "eventTimeZoneOffset": "+02:00",
    "action": "ADD",
    "epcList": ["https://id.gs1.org/01/09521141012345/21/2017"],
}
XML = """<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0"
 creationDate="2026-07-22T10:30:00Z"><EPCISBody><EventList>{}</EventList></EPCISBody>
</epcis:EPCISDocument>"""
XML_EVENT = """<ObjectEvent><eventTime>2026-07-22T06:45:00+02:00</eventTime>
<eventTimeZoneOffset>+02:00</eventTimeZoneOffset>
<epcList><epc>urn:epc:id:sgtin:9521141.001234.2017</epc></epcList><action>ADD</action>{}
</ObjectEvent>"""


def wrap(*events: str) -> bytes:
    return (HEAD + ",".join(events) + "]}}").encode()


def change(**fields: Any) -> bytes:
    return wrap(json.dumps({**EVENT, **fields}))


def xml(inside: str = "", around: str = "{}") -> bytes:
    return around.format(XML.format(XML_EVENT.format(inside))).encode()


BOMB = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>{}'
UNREADABLE = [
    (b"", "FORMAT-UNKNOWN"),
    (b"  \n ", "FORMAT-UNKNOWN"),
    (b"%PDF-1.7", "FORMAT-UNKNOWN"),
    (b"[]", "FORMAT-UNKNOWN"),
    (b"{}", "FORMAT-UNKNOWN"),
    (b'{"type":"Nothing"}', "FORMAT-UNKNOWN"),
    (wrap(json.dumps(EVENT))[:-3], "JSON-NOT-WELL-FORMED"),
    (wrap(json.dumps(EVENT)) + b"x", "JSON-NOT-WELL-FORMED"),
    (change(action="ADD").replace(b'"ADD"', b"NaN"), "JSON-NOT-WELL-FORMED"),
    (change(z=1).replace(b'"z": 1', b'"z": -Infinity'), "JSON-NOT-WELL-FORMED"),
    (change(z=1).replace(b'"z": 1', b'"z": ' + b"9" * 5000), "JSON-NOT-WELL-FORMED"),
    (change().replace(b'"action"', b'"epcList": [], "action"'), "JSON-KEY-TWICE"),
    (change().decode().encode("utf-16"), "JSON-ENCODING"),
    (change(z="x").replace(b'"x"', b'"\xff"'), "JSON-ENCODING"),
    (b"[" * 200_000, "JSON-TOO-DEEP"),
    (b'{"a":' * 200_000, "JSON-TOO-DEEP"),
    (b" " * (DOCUMENT_BYTES_MAX + 1) + b"{", "JSON-TOO-LARGE"),
    (b"<a", "XML-NOT-WELL-FORMED"),
    (xml()[:-5], "XML-NOT-WELL-FORMED"),
    (xml() + xml(), "XML-NOT-WELL-FORMED"),
    (b"<html/>", "FORMAT-UNKNOWN"),
    (xml().replace(b"epcis:xsd:2", b"epcis:xsd:1"), "EPCIS-VERSION"),
    (xml(around=BOMB), "XML-DTD"),
    (xml(around='<!DOCTYPE a SYSTEM "file:///etc/passwd">{}'), "XML-DTD"),
    (xml(around='<!DOCTYPE a [<!ENTITY % b SYSTEM "http://a.example/">%b;]>{}'), "XML-DTD"),
    (b"<a>" * 60 + b"</a>" * 60, "XML-TOO-DEEP"),
    (b"<a " + b" ".join(b'b%d=""' % number for number in range(65)) + b"/>", "XML-TOO-LARGE"),
    (xml(around='<?xml version="1.0" encoding="EBCDIC-CP-US"?>{}'), "XML-ENCODING"),
    (xml("<!-- \u00e9 -->").decode().encode("latin-1"), "XML-ENCODING"),
]


@pytest.mark.parametrize(("data", "rule"), UNREADABLE, ids=range(len(UNREADABLE)))
def test_what_is_no_document_is_not_judged_and_said_why(data: bytes, rule: str) -> None:
    if rule == "JSON-TOO-LARGE":
        data = b"{" + data
    report = check_document(data, "file")
    assert report.verdict == "unjudged"
    assert [failure.rule for failure in report.failures] == [rule]
    assert rule in RULES
    assert len(list(format_report(report))) == 3


BROKEN = [
    (change(epcList=[EVENT["epcList"][0]] * 2), "EPCIS-UNIQUE", "/epcList"),
    (change(epcList="urn:a:b"), "EPCIS-SHAPE", "/epcList"),
    (change(epcList=[{"id": "urn:a:b"}]), "EPCIS-URI", "/epcList/0"),
    (change(epcList=["not a uri"]), "EPCIS-URI", "/epcList/0"),
    (change(epcList=["https://id.gs1.org/01/09521141012346"]), "I7-CHECK-DIGIT", "/epcList/0"),
    (change(epcList=["urn:epc:id:sgtin:1.2.3"]), "I7-KEY", "/epcList/0"),
    (change(epcList=["urn:a:b"] * 2001), "NORMAL-ITEMS", "/epcList"),
    (change(own=1), "EPCIS-UNKNOWN-FIELD", "/own"),
    (change(**{"a/b~c": 1}), "EPCIS-UNKNOWN-FIELD", "/a~1b~0c"),
    (change(**{"{http://x/}a": 1}), "EPCIS-UNKNOWN-FIELD", "/{http:~1~1x~1}a"),
    (change(eventTime=None), "EPCIS-TIME", "/eventTime"),
    (change(eventTime="2026-07-22T06:45Z"), "EPCIS-TIME", "/eventTime"),
    (change(eventTimeZoneOffset="+15:00"), "EPCIS-OFFSET", "/eventTimeZoneOffset"),
    (change(action=["ADD"]), "EPCIS-ACTION", "/action"),
    (change(type="QuantityEvent"), "EPCIS-TYPE", "/type"),
    (change(bizStep="urn:epcglobal:cbv:bizstep:flying"), "CBV-BIZ-STEP", "/bizStep"),
    (change(bizStep={"a": 1}), "CBV-BIZ-STEP", "/bizStep"),
    (change(readPoint="urn:a:b"), "EPCIS-SHAPE", "/readPoint"),
    (change(readPoint={}), "EPCIS-REQUIRED", "/readPoint/id"),
    (change(persistentDisposition={}), "EPCIS-SHAPE", "/persistentDisposition"),
    (change(action="OBSERVE", ilmd={"gs1:a": 1}), "EPCIS-ILMD", "/ilmd"),
    (change(certificationInfo=[1]), "EPCIS-URI", "/certificationInfo/0"),
    (change(errorDeclaration={}), "EPCIS-REQUIRED", "/errorDeclaration/declarationTime"),
    (change(sourceList=[{"source": "urn:a:b"}]), "EPCIS-REQUIRED", "/sourceList/0/type"),
    (
        change(quantityList=[{"epcClass": "urn:a:b", "quantity": -1}]),
        "NORMAL-QUANTITY",
        "/quantityList/0/quantity",
    ),
    (
        change(quantityList=[{"epcClass": "urn:a:b", "quantity": 1, "uom": "kilo"}]),
        "EPCIS-UOM",
        "/quantityList/0/uom",
    ),
    (
        change(quantityList=[{"epcClass": "urn:a:b", "quantity": True}]),
        "EPCIS-NUMBER",
        "/quantityList/0/quantity",
    ),
    (
        change(sensorElementList=[{"sensorReport": [{"value": 1}]}]),
        "EPCIS-SENSOR-TYPE",
        "/sensorElementList/0/sensorReport/0/type",
    ),
    (
        change(sensorElementList=[{"sensorReport": [{"type": "Warmth"}]}]),
        "GS1-MEASUREMENT-TYPE",
        "/sensorElementList/0/sensorReport/0/type",
    ),
    (
        change(**{"gs1:a": json.loads("[" * 40 + "]" * 40)}),
        "NORMAL-DEPTH",
        "/gs1:a" + "/0" * 20,
    ),
    (change(**{"gs1:a": "x" * 100_000}), "NORMAL-SIZE", ""),
    (change(**{"gs1:a": "\ud800"}), "JSON-UNICODE", ""),
]


@pytest.mark.parametrize(("data", "rule", "place"), BROKEN, ids=range(len(BROKEN)))
def test_each_fault_of_an_event_is_said_with_its_place(data: bytes, rule: str, place: str) -> None:
    report = check_document(data, "file")
    assert report.verdict == "invalid"
    found = {(failure.rule, failure.path) for failure in report.failures}
    assert found == {(rule, f"/epcisBody/eventList/0{place}")}


def test_every_fault_of_every_event_is_said() -> None:
    broken = json.dumps({**EVENT, "action": "X", "eventTime": "y", "bizStep": "z", "own": 1})
    document = read_document(wrap(json.dumps(EVENT), broken, "7", json.dumps(EVENT)))
    assert [event.is_valid for event in document.events] == [True, False, True]
    assert sorted(failure.rule for failure in document.all_failures()) == [
        "CBV-BIZ-STEP",
        "EPCIS-ACTION",
        "EPCIS-SHAPE",
        "EPCIS-TIME",
        "EPCIS-UNKNOWN-FIELD",
    ]


@pytest.mark.parametrize(
    ("old", "new", "rule", "place"),
    [
        ('"@context":', '"own":', "EPCIS-CONTEXT", "/@context"),
        ('"@context":"', '"@context":7,"id":"', "EPCIS-CONTEXT", "/@context"),
        ('"schemaVersion":"2.0",', "", "EPCIS-DOCUMENT", "/schemaVersion"),
        ('"2026-07-22T10:30:00Z"', '"today"', "EPCIS-TIME", "/creationDate"),
        ('"epcisBody"', '"ex:own"', "EPCIS-DOCUMENT", "/epcisBody"),
        ('"eventList"', '"list"', "EPCIS-DOCUMENT", "/epcisBody/eventList"),
    ],
)
def test_faults_of_the_document_are_said(old: str, new: str, rule: str, place: str) -> None:
    data = wrap(json.dumps(EVENT)).decode().replace(old, new, 1).encode()
    failures = list(read_document(data).failures)
    assert (rule, place) in {(failure.rule, failure.path) for failure in failures}


@pytest.mark.parametrize(
    ("inside", "rule", "place"),
    [
        ("<own/>", "EPCIS-UNKNOWN-FIELD", "/own"),
        ("<action>ADD</action>", "EPCIS-UNIQUE", "/action[2]"),
        ("<bizStep>flying</bizStep>", "CBV-BIZ-STEP", "/bizStep"),
        ("<readPoint/>", "EPCIS-REQUIRED", "/readPoint/id"),
        ("<sourceList><source>urn:a:b</source></sourceList>", "EPCIS-REQUIRED",
         "/sourceList/source/type"),
        ("<sourceList><party>urn:a:b</party></sourceList>", "EPCIS-UNKNOWN-FIELD",
         "/sourceList/party"),
        ("<quantityList><quantityElement><epcClass>urn:a:b</epcClass><quantity>INF</quantity>"
         "</quantityElement></quantityList>", "EPCIS-NUMBER",
         "/quantityList/quantityElement/quantity"),
        ("<sensorElementList><sensorElement><sensorReport type='gs1:Temperature' value='warm'/>"
         "</sensorElement></sensorElementList>", "EPCIS-NUMBER",
         "/sensorElementList/sensorElement/sensorReport/@value"),
        ("<ilmd><lot>1</lot></ilmd>", "EPCIS-UNKNOWN-FIELD", "/ilmd"),
    ],
)  # fmt: skip
def test_each_fault_in_xml_is_said_with_its_place(inside: str, rule: str, place: str) -> None:
    report = check_document(xml(inside), "file")
    found = {(each.rule, each.path) for each in report.failures if each.flag == "fatal"}
    assert found == {(rule, f"/epcis:EPCISDocument/EPCISBody/EventList/ObjectEvent{place}")}


def test_an_id_that_stands_twice_counts_once_and_is_told() -> None:
    data = wrap('{"eventID": "urn:uuid:1",' + json.dumps({**EVENT, "eventID": "urn:uuid:2"})[1:])
    document = read_document(data)
    assert document.is_valid
    assert [failure.rule for failure in document.failures] == ["JSON-ID-TWICE"]
    assert document.events[0].event_id == "urn:uuid:2"


def test_a_doctype_without_content_is_let_pass() -> None:
    assert check_document(xml(around="<!DOCTYPE project>{}"), "file").verdict == "valid"


def test_a_hash_id_of_another_event_is_told_but_kept() -> None:
    path = GS1 / "json/Example_9.6.1-ObjectEvent.jsonld"
    report = check_document(path.read_bytes(), "file")
    assert report.verdict == "valid"
    assert {failure.rule for failure in report.failures} == {"CBV-HASH-ID"}
    assert report.failures[0].path == "/epcisBody/eventList/0/eventID"


SAMPLES = [
    OPENEPCIS / "JSON/Capture/Documents/TransformationEvent_all_possible_fields.json",
    OPENEPCIS / "XML/Capture/Documents/ObjectEvent_all_possible_fields.xml",
    OPENEPCIS / "XML/Query/Queries/SimpleEventQuery.xml",
]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_no_damage_to_a_document_is_a_crash(path: Path, data: st.DataObject) -> None:
    whole = path.read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    length = data.draw(st.integers(0, 40))
    middle = data.draw(st.one_of(st.binary(max_size=8), st.just(b"null"), st.just(b"{}")))
    report = check_document(whole[:start] + middle + whole[start + length :], "file")
    assert report.verdict in {"valid", "invalid", "unjudged"}
    assert (report.verdict == "valid") == all(each.flag != "fatal" for each in report.failures)
    assert all(each.rule in RULES for each in report.failures)


def test_files_are_judged_in_order_and_what_is_no_file_too(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(change())
    (tmp_path / "b.json").write_bytes(change(action="X"))
    names = [str(tmp_path / name) for name in ("a.json", "b.json", "none.json", "")] + ["\0"]
    reports = list(check_files(names))
    verdicts = [report.verdict for report in reports]
    assert verdicts == ["valid", "invalid", "unjudged", "unjudged", "unjudged"]
    assert [report.failures[0].rule for report in reports[2:]] == ["FILE-UNREADABLE"] * 3


def test_control_characters_of_a_file_do_not_reach_the_terminal() -> None:
    lines = format_report(check_document(change(action="\x1b[2J"), "evil\x1b[2J\n.json"))
    assert all(line.isprintable() for line in lines)

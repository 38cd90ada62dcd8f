"""Event hash ids are those of CBV 2.0, as release 1.9.3 of its reference implementation has them.

Where that release contradicts the algorithm's own text (XML's marks of types, Python's spelling of
booleans, extensions whose namespace has no slash at its end) the text counts.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hansa.apps.food_trace.documents.hash_id import canonise, compute_hash_id, compute_pre_hash
from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.documents.normal import load_normal
from tests.apps.food_trace.documents.epcis_data import FOOD

VECTORS = json.loads((Path(__file__).parent / "hash_ids.json").read_text())["files"]

EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventID": "urn:uuid:1",
    "eventTime": "2005-04-03T20:33:31.116000-06:00",
    "eventTimeZoneOffset": "-06:00",
    "action": "OBSERVE",
    "bizStep": "shipping",
    "disposition": "in_transit",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.2018", "urn:epc:id:sgtin:0614141.107346.2017"],
    "readPoint": {"id": "urn:epc:id:sgln:0614141.07346.1234"},
    "bizTransactionList": [
        {"type": "po", "bizTransaction": "http://transaction.acme.com/po/12345678"}
    ],
}


@pytest.mark.parametrize("file", sorted(VECTORS))
def test_hash_ids_are_those_of_the_reference_implementation(file: str) -> None:
    events = read_document((FOOD / file).read_bytes()).events
    found = [compute_hash_id(load_normal(event.document)) for event in events]
    assert found == [f"ni:///sha-256;{digest}?ver=CBV2.0" for digest in VECTORS[file]]


def test_the_reference_implementations_own_example() -> None:
    assert compute_hash_id(EVENT) == (
        "ni:///sha-256;df6523665bc5e5803d6c7b84f5a04e103694d8220f2abc4f2c74310e89f31bc6?ver=CBV2.0"
    )


def test_the_pre_hash_is_every_field_in_the_order_of_the_standard() -> None:
    event = {
        **EVENT,
        "sensorElementList": [
            {
                "sensorMetadata": {"time": "2005-04-03T20:33:31Z", "{http://x/}a": "b"},
                "sensorReport": [{"type": "Temperature", "value": msgspec.Raw(b"26.50")}],
            }
        ],
        "sourceList": [{"type": "location", "source": "https://a.example/414/4012345000054"}],
        "ilmd": {"{http://x/}list": ["2", "1"]},
        "{http://x/}own": {"part": True, "{http://x/}other": ""},
    }
    assert compute_pre_hash(event) == (
        "eventType=ObjectEvent"
        "eventTime=2005-04-04T02:33:31.116Z"
        "eventTimeZoneOffset=-06:00"
        "epcListepc=https://id.gs1.org/01/10614141073464/21/2017"
        "epc=https://id.gs1.org/01/10614141073464/21/2018"
        "action=OBSERVE"
        "bizStep=https://ref.gs1.org/cbv/BizStep-shipping"
        "disposition=https://ref.gs1.org/cbv/Disp-in_transit"
        "readPointid=https://id.gs1.org/414/0614141073467/254/1234"
        "sensorElementListsensorElement"
        "sensorMetadatatime=2005-04-03T20:33:31.000Z{http://x/}a=b"
        "sensorReporttype=https://gs1.org/voc/Temperaturevalue=26.5"
        "bizTransactionListtype=https://ref.gs1.org/cbv/BTT-po"
        "bizTransaction=http://transaction.acme.com/po/12345678"
        "ilmd{http://x/}list=1{http://x/}list=2"
        "sourceListtype=https://ref.gs1.org/cbv/SDT-location"
        "source=https://id.gs1.org/414/4012345000054"
        "{http://x/}ownpart=true{http://x/}other"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"eventTime": "2005-04-04T02:33:31.116Z"},
        {"eventID": "urn:uuid:2"},
        {"errorDeclaration": {"declarationTime": "2020-01-01T00:00:00Z"}},
        {"epcList": list(reversed(EVENT["epcList"]))},
        {
            "epcList": [
                "https://shop.example/01/10614141073464/10/LOT/21/2017?x=1",
                "urn:epc:id:sgtin:0614141.107346.2018",
            ]
        },
        {"{http://www.w3.org/2000/01/rdf-schema#}comment": "a remark"},
    ],
)
def test_the_same_event_said_otherwise_has_the_same_id(change: dict[str, Any]) -> None:
    assert compute_hash_id({**EVENT, **change}) == compute_hash_id(EVENT)


@pytest.mark.parametrize(
    "change",
    [
        {"eventTime": "2005-04-04T02:33:31.117Z"},
        {"eventTimeZoneOffset": "-05:00"},
        {"action": "ADD"},
        {"epcList": EVENT["epcList"][:1]},
        {"readPoint": {"id": "urn:epc:id:sgln:0614141.07346.1235"}},
        {"readPoint": {**EVENT["readPoint"], "{http://x/}a": "b"}},
        {"bizTransactionList": [{"bizTransaction": "http://transaction.acme.com/po/12345678"}]},
        {"{http://x/}a": "b"},
        {"ilmd": {"{http://x/}a": "b"}},
        {"certificationInfo": ["https://a.example/1"]},
    ],
)
def test_another_event_has_another_id(change: dict[str, Any]) -> None:
    assert compute_hash_id({**EVENT, **change}) != compute_hash_id(EVENT)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (10, "10"),
        (msgspec.Raw(b"10.00"), "10"),
        (msgspec.Raw(b"-0.0"), "0"),
        (msgspec.Raw(b"1.50E+2"), "150"),
        (msgspec.Raw(b"0.00000001"), "0.00000001"),
        ("+05.10", "5.1"),
        ("007", "7"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        (True, "true"),
        ("  text ", "text"),
        ("gs1:Temperature", "https://gs1.org/voc/Temperature"),
        ("urn:epcglobal:cbv:disp:active", "https://ref.gs1.org/cbv/Disp-active"),
        ("urn:epc:id:sgtin:4012345.011111.a%2Fb", "https://id.gs1.org/01/04012345111118/21/a%2Fb"),
        ("urn:epc:id:sgtin:broken", "urn:epc:id:sgtin:broken"),
        # A wrong check digit is no reason to hash something else.
        ("https://a.example/01/09521141012346", "https://id.gs1.org/01/09521141012346"),
    ],
)
def test_values_are_canonised(value: object, text: str) -> None:
    assert canonise(value) == text

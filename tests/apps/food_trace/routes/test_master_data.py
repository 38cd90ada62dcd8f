"""Events are asked by the master data of the asker's own places and goods; nobody else sees it."""

import json
from typing import Any

import httpx
import pytest

from hansa.apps.food_trace.routes.epcis.master_data import ELEMENTS_MAX
from tests.apps.food_trace.routes.serving import (
    Served,
    make_document,
    make_event,
    read_events,
    wait_job,
)

pytestmark = pytest.mark.slow
FARM, BARN = "urn:epc:id:sgln:9521000.00001.0", "urn:epc:id:sgln:9521000.00002.0"
SITE = "urn:epcglobal:epcis:vtype:BusinessLocation"
CLASS = "urn:epc:idpat:sgtin:9521000.000001.*"


def header(*elements: dict[str, Any], type_: str = SITE) -> dict[str, Any]:
    vocabulary = {"type": type_, "vocabularyElementList": list(elements)}
    return {"epcisHeader": {"epcisMasterData": {"vocabularyList": [vocabulary]}}}


def tell(client: httpx.Client, *elements: dict[str, Any], type_: str = SITE) -> None:
    document = make_document(**header(*elements, type_=type_))
    wait_job(client, client.post("/capture", json=document))


def ask(client: httpx.Client, **query: str) -> set[str]:
    found = read_events(client.get("/events", params={"perPage": 100, **query}))
    return {each["eventID"][-3:] for each in found}


@pytest.fixture(scope="module")
def told(scanner: httpx.Client) -> httpx.Client:
    """Three events: at the farm, in its barn, and a packing of goods by their class."""
    lot = {"epcClass": CLASS, "quantity": 3}
    events = [
        make_event(801),
        make_event(802, readPoint={"id": BARN}),
        make_event(803, epcList=[], quantityList=[lot], action="OBSERVE", bizStep="packing"),
    ]
    job = wait_job(scanner, scanner.post("/capture", json=make_document(*events)))
    assert job["success"], job
    town = {"id": "ex:town", "attribute": "Macao"}
    tell(scanner, {"id": FARM, "attributes": [town], "children": [BARN]})
    pig = {"id": "cbvmda:descriptionShort", "attribute": "Pig"}
    tell(scanner, {"id": CLASS, "attributes": [pig]}, type_="urn:epcglobal:epcis:vtype:EPCClass")
    return scanner


EX = {"GS1-Extensions": "ex=http://ns.example.com/epcis/"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"HASATTR_readPoint": "ex:town"}, {"801", "803"}),
        ({"HASATTR_readPoint": "http://ns.example.com/epcis/town"}, {"801", "803"}),
        ({"HASATTR_readPoint": "ex:nothing|ex:town"}, {"801", "803"}),
        ({"HASATTR_readPoint": "ex:nothing"}, set()),
        ({"HASATTR_bizLocation": "ex:town"}, set()),
        ({"EQ_ATTR_readPoint_ex:town": "Macao"}, {"801", "803"}),
        ({"EQ_ATTR_readPoint_ex:town": "Hong Kong"}, set()),
        ({"EQ_ATTR_epcClass_cbvmda:descriptionShort": "Pig"}, {"803"}),
        ({"HASATTR_epcClass": "urn:epcglobal:cbv:mda#descriptionShort"}, {"803"}),
        ({"EQ_ATTR_readPoint_ex:town": "Macao", "EQ_bizStep": "packing"}, {"803"}),
        ({"WD_readPoint": FARM}, {"801", "802", "803"}),
        ({"WD_readPoint": BARN}, {"802"}),
        ({"EQ_readPoint": FARM}, {"801", "803"}),
    ],
)
def test_events_are_found_by_attributes_of_what_they_name(
    told: httpx.Client, query: dict[str, str], expected: set[str]
) -> None:
    answer = told.get("/events", params={"perPage": 100, **query}, headers=EX)
    assert {each["eventID"][-3:] for each in read_events(answer)} == expected


def test_a_named_query_asks_what_is_known_when_it_is_asked(told: httpx.Client) -> None:
    context = {"ex": "http://ns.example.com/epcis/"}
    query = {"@context": context, "HASATTR_bizStep": ["ex:step"]}
    assert told.post("/queries", json={"name": "steps", "query": query}).status_code == 201
    assert read_events(told.get("/queries/steps/events")) == []
    word = {"id": "https://ref.gs1.org/cbv/BizStep-packing"}
    tell(told, {**word, "attributes": [{"id": "ex:step", "attribute": "7"}]})
    found = read_events(told.get("/queries/steps/events"))
    assert [each["eventID"][-3:] for each in found] == ["803"]
    tell(told, {**word, "attributes": []})  # said anew: it is what was said last
    assert read_events(told.get("/queries/steps/events")) == []


def test_another_account_has_its_own_master_data(league: Served, told: httpx.Client) -> None:
    with league.client(league.sign_in("regulator")) as other:
        answer = other.get("/events", params={"HASATTR_readPoint": "ex:town"}, headers=EX)
        assert read_events(answer) == []
        assert len(read_events(other.get("/events"))) >= 3


@pytest.mark.parametrize(
    "query",
    [
        {"HASATTR_eventTime": "ex:town"},
        {"HASATTR_bizLocation_x": "ex:town"},
        {"HASATTR_": "x"},
        {"EQ_ATTR_bizLocation": "x"},
        {"EQ_ATTR_nothing_ex:town": "x"},
    ],
)
def test_what_cannot_be_asked_is_refused(told: httpx.Client, query: dict[str, str]) -> None:
    answer = told.get("/events", params=query, headers=EX)
    assert (answer.status_code, answer.json()["type"]) == (
        400,
        "epcisException:QueryParameterException",
    )


def test_a_document_of_master_data_alone_is_no_capture_document(scanner: httpx.Client) -> None:
    """The capture door takes EPCISDocument and EPCISQueryDocument (GS1's OpenAPI, /capture)."""
    document = {**make_document(), **header({"id": FARM}), "type": "EPCISMasterDataDocument"}
    del document["epcisBody"]
    answer = scanner.post("/capture", json=document)
    assert answer.status_code == 400
    assert answer.json()["type"] == "epcisException:ValidationException"
    assert "header of an EPCISDocument" in answer.json()["remedy"]


def test_wrong_master_data_and_too_much_of_it_is_refused(scanner: httpx.Client) -> None:
    wrong = scanner.post("/capture", json=make_document(**header({"id": "no uri"})))
    assert wrong.status_code == 400
    assert "vocabularyElementList/0" in wrong.json()["detail"]
    many = [{"id": f"urn:example:{number}"} for number in range(ELEMENTS_MAX + 1)]
    answer = scanner.post("/capture", content=json.dumps(make_document(**header(*many))).encode(),
                          headers={"content-type": "application/json"})  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (413, "food_trace.too_much_master_data")

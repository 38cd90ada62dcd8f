"""Events by every parameter, pages without loss, named queries, top-level resources."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.apps.food_trace.routes.serving import (
    PREFIX,
    Served,
    make_document,
    make_event,
    read_events,
    wait_job,
)

pytestmark = pytest.mark.slow
GTIN = "09521000000018"
LINK = "https://id.gs1.org"


def build_story() -> list[dict[str, Any]]:
    """Ten objects commissioned, packed, shipped; one transformation; one reading; one mistake."""
    made = [make_event(number) for number in range(1, 11)]
    packed = make_event(
        20,
        type="AggregationEvent",
        bizStep="packing",
        disposition="in_progress",
        epcList=None,
        parentID=f"urn:epc:id:sscc:{PREFIX}.0000000001",
        childEPCs=[made[0]["epcList"][0], made[1]["epcList"][0]],
        bizLocation={"id": "urn:epc:id:sgln:9521000.00001.7"},
    )
    shipped = make_event(
        21,
        action="OBSERVE",
        bizStep="shipping",
        disposition="in_transit",
        epcList=[packed["parentID"]],
        persistentDisposition={"set": ["completeness_verified"]},
        bizTransactionList=[{"type": "po", "bizTransaction": "urn:po:42"}],
        sourceList=[{"type": "owning_party", "source": "urn:epc:id:pgln:9521000.00001"}],
        destinationList=[{"type": "owning_party", "destination": "urn:epc:id:pgln:9521000.00002"}],
    )
    grown = make_event(
        22,
        epcList=None,
        quantityList=[
            {"epcClass": f"urn:epc:class:lgtin:{PREFIX}.000002.A1", "quantity": 20, "uom": "KGM"}
        ],
        ilmd={"ex:grade": "first"},
    )
    changed = make_event(
        23,
        type="TransformationEvent",
        action=None,
        epcList=None,
        bizStep="creating_class_instance",
        transformationID="urn:epc:id:gdti:9521000.00001.7",
        inputQuantityList=grown["quantityList"],
        outputEPCList=[f"urn:epc:id:sgtin:{PREFIX}.000003.1"],
    )
    read = make_event(
        24,
        action="OBSERVE",
        bizStep="sensor_reporting",
        epcList=[made[5]["epcList"][0]],
        sensorElementList=[{"sensorReport": [{"type": "Temperature", "value": 3.5, "uom": "CEL"}]}],
    )
    wrong = make_event(25, action="OBSERVE", bizStep="inspecting", epcList=[made[6]["epcList"][0]])
    declared = {
        **wrong,
        "errorDeclaration": {
            "declarationTime": "2026-01-01T00:00:00Z",
            "reason": "did_not_occur",
            "correctiveEventIDs": ["urn:uuid:404"],
        },
    }
    return [*made, packed, shipped, grown, changed, read, wrong, declared]


@pytest.fixture(scope="module")
def client(league: Served, scanner: httpx.Client) -> Iterator[httpx.Client]:
    headers = {"gs1-capture-error-behaviour": "proceed"}
    job = wait_job(
        scanner, scanner.post("/capture", json=make_document(*build_story()), headers=headers)
    )
    assert job["success"], job["errors"]
    yield scanner


def ask(client: httpx.Client, path: str = "/events", **parameters: str) -> list[int]:
    """Numbers of the events that are found, a declaration as a negative one."""
    answer = client.get(path, params={"perPage": "100", **parameters})
    return [
        int(event["eventID"][-12:]) * (-1 if "errorDeclaration" in event else 1)
        for event in read_events(answer)
    ]


ALL = [*range(1, 11), 20, 21, 22, 23, 24, 25, -25]
MADE = list(range(1, 11))


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, ALL),
        ({"eventType": "AggregationEvent|TransformationEvent"}, [20, 23]),
        ({"EQ_action": "OBSERVE"}, [21, 24, 25, -25]),
        ({"EQ_bizStep": "shipping|https://ref.gs1.org/cbv/BizStep-packing"}, [20, 21]),
        ({"EQ_bizStep": "urn:epcglobal:cbv:bizstep:shipping"}, [21]),
        ({"EQ_disposition": "in_transit"}, [21]),
        ({"EQ_persistentDisposition_set": "completeness_verified"}, [21]),
        ({"EQ_persistentDisposition_unset": "completeness_verified"}, []),
        ({"EQ_readPoint": "urn:epc:id:sgln:9521000.00001.0"}, ALL),
        ({"EQ_readPoint": "urn:epc:id:sgln:9521000.00001.1"}, []),
        ({"EQ_bizLocation": "urn:epc:id:sgln:9521000.00001.7"}, [20]),
        ({"WD_bizLocation": "urn:epc:id:sgln:9521000.00001.0"}, [20]),
        ({"EQ_bizLocation": "urn:epc:id:sgln:9521000.00001.0"}, []),
        ({"EQ_transformationID": "urn:epc:id:gdti:9521000.00001.7"}, [23]),
        ({"MATCH_epc": f"urn:epc:id:sgtin:{PREFIX}.000001.1"}, [1, 20]),
        ({"MATCH_epc": f"{LINK}/01/{GTIN}/21/1|{LINK}/01/{GTIN}/21/2"}, [1, 2, 20]),
        ({"MATCH_epc": f"urn:epc:idpat:sgtin:{PREFIX}.000001.*"}, [*MADE, 20, 24, 25, -25]),
        ({"MATCH_epc": f"urn:epc:idpat:sgtin:{PREFIX}.*.*"}, [*MADE, 20, 24, 25, -25]),
        ({"MATCH_epc": "urn:epc:idpat:sgtin:9521001.*.*"}, []),
        ({"MATCH_parentID": f"urn:epc:id:sscc:{PREFIX}.0000000001"}, [20]),
        ({"MATCH_parentID": f"urn:epc:idpat:sscc:{PREFIX}.*"}, [20]),
        ({"MATCH_anyEPC": f"urn:epc:id:sscc:{PREFIX}.0000000001"}, [20, 21]),
        ({"MATCH_outputEPC": f"urn:epc:id:sgtin:{PREFIX}.000003.1"}, [23]),
        ({"MATCH_inputEPC": f"urn:epc:id:sgtin:{PREFIX}.000003.1"}, []),
        ({"MATCH_epcClass": f"urn:epc:class:lgtin:{PREFIX}.000002.A1"}, [22]),
        ({"MATCH_inputEPCClass": f"urn:epc:class:lgtin:{PREFIX}.000002.A1"}, [23]),
        ({"MATCH_anyEPCClass": f"urn:epc:idpat:lgtin:{PREFIX}.000002.*"}, [22, 23]),
        ({"EQ_eventID": "urn:uuid:00000000-0000-4000-8000-000000000025"}, [25, -25]),
        ({"EXISTS_errorDeclaration": ""}, [-25]),
        ({"GE_errorDeclarationTime": "2026-01-01T00:00:00Z"}, [-25]),
        ({"LT_errorDeclarationTime": "2026-01-01T00:00:00Z"}, []),
        ({"EQ_errorReason": "did_not_occur"}, [-25]),
        ({"EQ_correctiveEventID": "urn:uuid:404"}, [-25]),
        ({"EQ_bizTransaction_po": "urn:po:42"}, [21]),
        ({"EQ_bizTransaction_inv": "urn:po:42"}, []),
        ({"EQ_source_owning_party": "urn:epc:id:pgln:9521000.00001"}, [21]),
        ({"EQ_destination_owning_party": "urn:epc:id:pgln:9521000.00001"}, []),
        ({"GE_quantity": "20", "LT_quantity": "20.5"}, [22, 23]),
        ({"EQ_type": "Temperature", "GT_value_CEL": "3.4"}, [24]),
        ({"GT_value_CEL": "3.5"}, []),
        ({"GE_recordTime": "2020-01-01T00:00:00Z"}, ALL),
        ({"LT_recordTime": "2020-01-01T00:00:00Z"}, []),
        ({"orderBy": "eventTime", "eventCountLimit": "3", "EQ_action": "ADD"}, [22, 20, 10]),
        ({"orderBy": "eventTime", "orderDirection": "ASC", "eventCountLimit": "2"}, [1, 2]),
        ({"maxEventCount": "2", "eventType": "AggregationEvent"}, [20]),
    ],
)
def test_parameters_mean_what_the_standard_says(
    client: httpx.Client, parameters: dict[str, str], found: list[int]
) -> None:
    assert ask(client, **parameters) == found


def test_times_are_instants(client: httpx.Client) -> None:
    """The same moment in another zone finds the same events."""
    (event,) = read_events(client.get(f"/events/urn:uuid:00000000-0000-4000-8000-{5:012d}"))
    moment = event["eventTime"]
    assert ask(client, GE_eventTime=moment, EQ_bizStep="commissioning") == [5, 6, 7, 8, 9, 10, 22]
    assert ask(client, LT_eventTime=moment) == [1, 2, 3, 4]


def test_extensions_are_asked_by_their_names(client: httpx.Client) -> None:
    own = {"gs1-extensions": "mine=http://ns.example.com/epcis/"}
    parameters = {"EQ_ILMD_mine:grade": "first"}
    answer = client.get("/events", params=parameters, headers=own)
    assert [event["eventID"][-2:] for event in read_events(answer)] == ["22"]
    assert client.get("/events", params={"EQ_ILMD_mine:grade": "x"}).status_code in (200, 400)


def test_pages_give_every_event_once(client: httpx.Client) -> None:
    for parameters in ({}, {"orderBy": "eventTime"}, {"GE_quantity": "0"}, {"EQ_action": "ADD"}):
        whole = ask(client, **parameters)
        found, address = [], "/events?" + str(httpx.QueryParams({"perPage": "2", **parameters}))
        while address:
            answer = client.get(address)
            page = read_events(answer)
            assert len(page) <= 2
            found += [event["eventID"] + str("errorDeclaration" in event) for event in page]
            link = answer.headers.get("link", "")
            address = "/events" + link[link.index("?") : link.index(">")] if link else ""
        assert len(found) == len(set(found)) == len(whole)


def test_a_count_limit_holds_over_pages(client: httpx.Client) -> None:
    asked = {"perPage": "2", "orderBy": "eventTime", "eventCountLimit": "3"}
    first = client.get("/events", params=asked)
    link = first.headers["link"]
    second = client.get("/events" + link[link.index("?") : link.index(">")])
    assert (len(read_events(first)), len(read_events(second))) == (2, 1)
    assert "link" not in second.headers


def test_many_values_are_one_question(client: httpx.Client) -> None:
    named = [f"urn:epc:id:sgtin:{PREFIX}.000001.{number}" for number in range(1, 900)]
    query = {"name": "many", "query": {"MATCH_epc": named, "EQ_bizStep": ["commissioning"]}}
    assert client.post("/queries", json=query).status_code == 201
    assert ask(client, "/queries/many/events") == MADE
    assert client.delete("/queries/many").status_code == 204


def test_too_many_is_an_exception_of_its_own(client: httpx.Client) -> None:
    answer = client.get("/events", params={"maxEventCount": "3"})
    assert answer.status_code == 413
    assert answer.json()["type"] == "epcisException:QueryTooLargeException"


@pytest.mark.parametrize(
    ("path", "members"),
    [
        ("/bizSteps", {"commissioning", "packing", "shipping", "sensor_reporting", "inspecting"}),
        ("/dispositions", {"active", "in_progress", "in_transit"}),
        ("/bizLocations", {f"{LINK}/414/9521000000018/254/7"}),
        ("/readPoints", {f"{LINK}/414/9521000000018"}),
        ("/epcs", {f"{LINK}/01/{GTIN}/21/1", f"{LINK}/00/095210000000000018"}),
        ("/eventTypes", {"ObjectEvent", "TransformationEvent"}),
    ],
)
def test_resources_are_those_of_the_events(
    client: httpx.Client, path: str, members: set[str]
) -> None:
    answer = client.get(path).json()
    assert answer["type"] == "Collection" and answer["@context"]
    assert members <= set(answer["member"])
    one = sorted(members)[0]
    below = client.get(f"{path}/{quote(one, safe='')}")
    assert below.json()["member"] == ["events"], below.text
    assert read_events(client.get(f"{path}/{quote(one, safe='')}/events"))
    first = client.get(path, params={"perPage": 1})
    if len(answer["member"]) > 1 and path != "/eventTypes":
        link = first.headers["link"]
        second = client.get(path + link[link.index("?") : link.index(">")])
        assert first.json()["member"] + second.json()["member"] == answer["member"][:2]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/bizSteps/killing", 404),
        ("/epcs/urn:epc:id:sgtin:9521000.000001.999", 404),
        ("/epcs/no-uri", 400),
        ("/epcs/https%3A%2F%2Fid.gs1.org%2F01%2F09521000000011%2F21%2F7", 400),
        ("/eventTypes/PartyEvent", 404),
        ("/eventTypes/PartyEvent/events", 404),
        ("/events/urn:uuid:none", 404),
        ("/events/%00", 400),
        ("/events/%FF", 400),
        ("/events/" + "x" * 3_000, 404),
        ("/events?EQ_bizStep=shipping&EQ_bizStep=packing", 400),
        ("/events?perPage=0", 400),
        ("/events?nextPageToken=x", 400),
        ("/events?%00=1", 400),
        ("/events?EQ_action=%FF", 400),
        ("/bizSteps?colour=red", 400),
        ("/queries/none", 404),
        ("/queries/none/events", 404),
        ("/queries/" + "n" * 101, 404),
        ("/queries/none/subscriptions", 404),
        ("/nothing/here", 404),
        ("/events?x=" + "y" * 9_000, 414),
    ],
)
def test_what_is_not_there_or_cannot_be_is_told_as_epcis_does(
    client: httpx.Client, path: str, status: int
) -> None:
    for accept in ("application/json", "application/xml"):
        answer = client.get(path, headers={"accept": accept})
        assert answer.status_code == status, (path, answer.text)
        kind = answer.headers["content-type"]
        assert kind == "application/problem+" + accept.partition("/")[2]
        assert "epcisException:" in answer.text and "Traceback" not in answer.text


def test_methods_are_those_that_options_tells(client: httpx.Client) -> None:
    for path in ("/events", "/capture", "/epcs", "/queries", "/queries/x/subscriptions/y", "/"):
        told = client.options(path)
        assert told.status_code == 204 and told.headers["gs1-epcis-version"] == "2.0.0"
        assert told.content == b"" and "OPTIONS" in told.headers["allow"]
        wrong = client.put(path, json={})
        assert wrong.status_code == 405
        assert set(wrong.headers["allow"].split(", ")) == set(told.headers["allow"].split(", "))


def test_a_token_is_released_and_holds_nothing_here(client: httpx.Client) -> None:
    """204: what GS1's OpenAPI has for it; there is nothing that its end would free."""
    answer = client.delete("/nextPageToken/abc")
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.delete(f"/nextPageToken/{'a' * 5_000}").status_code == 400


def test_named_queries(league: Served, client: httpx.Client) -> None:
    query = {"eventType": ["ObjectEvent"], "EQ_bizStep": ["shipping"]}
    made = client.post("/queries", json={"name": "shipments of mine", "query": query})
    assert made.status_code == 201, made.text
    path = "/queries/" + made.headers["location"].rpartition("/")[2]
    again = client.post("/queries", json={"name": "shipments of mine", "query": query})
    assert again.status_code == 409
    assert client.get(path).json()["query"] == query
    assert [each["name"] for each in client.get("/queries").json()] == ["shipments of mine"]
    assert ask(client, f"{path}/events") == [21]
    document = client.get(f"{path}/events").json()
    assert document["epcisBody"]["queryResults"]["queryName"] == "shipments of mine"
    with league.client(league.sign_in("retailer")) as other:
        assert other.get(path).status_code == 404 and other.get("/queries").json() == []
        assert other.delete(path).status_code == 404
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert ask(client, "/queries/SimpleEventQuery/events", EQ_bizStep="shipping") == [21]
    assert client.delete("/queries/SimpleEventQuery").status_code == 403


@pytest.mark.parametrize(
    ("body", "exception"),
    [
        ({}, "QueryValidationException"),
        ({"name": "", "query": {}}, "QueryValidationException"),
        ({"name": 5, "query": {}}, "QueryValidationException"),
        ({"name": "a\nb", "query": {}}, "QueryValidationException"),
        ({"name": "x" * 101, "query": {}}, "QueryValidationException"),
        ({"name": "q"}, "QueryValidationException"),
        ({"name": "q", "query": []}, "QueryValidationException"),
        ({"name": "q", "query": {"colour": "red"}}, "QueryParameterException"),
        ({"name": "q", "query": {"EQ_action": ["EAT"]}}, "QueryParameterException"),
        ({"name": "q", "query": {"@context": 5}}, "ValidationException"),
    ],
)
def test_what_is_no_query_is_refused(
    client: httpx.Client, body: dict[str, Any], exception: str
) -> None:
    answer = client.post("/queries", json=body)
    assert answer.status_code == 400
    assert answer.json()["type"] == f"epcisException:{exception}"
    assert client.get("/queries/q").status_code == 404


def test_formats_of_identifiers_and_words(client: httpx.Client) -> None:
    path = f"/events/urn:uuid:00000000-0000-4000-8000-{21:012d}"
    links = client.get(path).text
    assert f"{LINK}/00/095210000000000018" in links and "urn:epc:id:sscc" not in links
    given = client.get(path, headers={"gs1-epc-format": "Never_Translates"}).text
    assert "urn:epc:id:sscc:9521000.0000000001" in given
    urns = client.get(path, headers={"gs1-epc-format": "Always_EPC_URN"})
    assert urns.status_code == 406
    assert urns.json()["type"] == "epcisException:NotAcceptableException"
    xml = {"accept": "application/xml"}
    assert "urn:epcglobal:cbv:bizstep:shipping" in client.get(path, headers=xml).text
    web = {**xml, "gs1-cbv-xml-format": "Always_Web_URI"}
    assert "https://ref.gs1.org/cbv/BizStep-shipping" in client.get(path, headers=web).text

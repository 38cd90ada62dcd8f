"""What the door answers is what GS1's OpenAPI document of the REST binding says it answers.

The document is read where the data of others is, and never copied.
"""

import json
import re
from typing import Any

import httpx
import jsonschema_rs
import pytest

from tests.apps.food_trace.documents.epcis_data import GS1
from tests.apps.food_trace.routes.serving import (
    CONTEXT,
    Served,
    make_document,
    make_event,
    wait_job,
)
from tests.apps.food_trace.routes.test_queries import build_story

pytestmark = pytest.mark.slow
OPENAPI: dict[str, Any] = json.loads((GS1 / "schema/epcis-rest-openapi.json").read_text())
EVENT = "urn:uuid:00000000-0000-4000-8000-000000000020"
EPC = "urn:epc:id:sgtin:9521000.000001.1"
# Where the document contradicts itself, its own examples or the text of the standard.
# A 409 is said to have the status 406 in its body.
CONTRADICTED = {("POST", "/queries", 409)}
# What it forgets: a query on /events can be wrong, as one below a resource.
FORGOTTEN = {("GET", "/events", 400): "400QueryIssues"}


def mend() -> None:
    """A job may have `errors` or `errorFile`: as it stands, it would have to lack both. One query
    is an object, as in the example, not a list of queries.
    """
    jobs = OPENAPI["components"]["schemas"]["CaptureJob"]["allOf"]
    jobs[1] = jobs[1].get("oneOf", [jobs[1]])[0]
    one = OPENAPI["paths"]["/queries/{queryName}"]["get"]["responses"]["200"]["content"]
    schema = one["application/json"]["schema"]
    one["application/json"]["schema"] = schema.get("items", schema)


mend()


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = OPENAPI
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def find_response(method: str, path: str, status: int) -> dict[str, Any]:
    for template, operations in OPENAPI["paths"].items():
        pattern = re.sub(r"\{[^}]*\}", "[^/]+", template)
        if re.fullmatch(pattern, path) and method.lower() in operations:
            responses = operations[method.lower()]["responses"]
            if (method, path, status) in FORGOTTEN:
                name = FORGOTTEN[(method, path, status)]
                return resolve({"$ref": f"#/components/responses/{name}"})
            assert str(status) in responses, (method, path, status, list(responses))
            return resolve(responses[str(status)])
    raise AssertionError(f"{method} {path} is not in the document")


def check(method: str, path: str, answer: httpx.Response) -> None:
    response = find_response(method, path.partition("?")[0], answer.status_code)
    for name, header in response.get("headers", {}).items():
        value = answer.headers.get(name)
        assert value is not None or not resolve(header).get("required"), name
    contents = response.get("content")
    if contents is None:
        return
    media = answer.headers["content-type"].partition(";")[0]
    # Refusals are problem documents everywhere; the document forgets it for subscriptions.
    known = {*contents, "application/ld+json", "application/problem+json"}
    assert media in known, (path, media, list(contents))
    if "json" not in media or (method, path, answer.status_code) in CONTRADICTED:
        return
    content = contents.get(media) or next(iter(contents.values()))
    schema = {**content["schema"], "components": OPENAPI["components"]}
    validator = jsonschema_rs.Draft7Validator(drop_patterns(schema))
    errors = [error.message for error in validator.iter_errors(answer.json())]
    assert errors == [], (method, path, errors[:3], answer.text[:500])


def drop_patterns(node: Any) -> Any:
    """Without the patterns that are of another language of regular expressions."""
    if isinstance(node, list):
        return [drop_patterns(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        key: drop_patterns(value)
        for key, value in node.items()
        if not (key == "pattern" and isinstance(value, str) and ("\\g<" in value or "(?<" in value))
    }


@pytest.fixture(scope="module")
def client(league: Served, scanner: httpx.Client) -> httpx.Client:
    headers = {"gs1-capture-error-behaviour": "proceed"}
    sent = scanner.post("/capture", json=make_document(*build_story()), headers=headers)
    check("POST", "/capture", sent)
    assert wait_job(scanner, sent)["success"]
    scanner.post("/queries", json={"name": "q", "query": {"EQ_bizStep": ["packing"]}})
    return scanner


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/capture",
        "/events",
        "/events?perPage=2",
        "/events?EQ_colour=1",
        f"/events/{EVENT}",
        "/events/urn:uuid:none",
        "/eventTypes",
        "/eventTypes/ObjectEvent",
        "/eventTypes/ObjectEvent/events",
        "/eventTypes/PartyEvent",
        "/epcs",
        f"/epcs/{EPC}",
        f"/epcs/{EPC}/events",
        "/epcs/nothing",
        "/bizSteps",
        "/bizSteps/packing",
        "/bizSteps/packing/events",
        "/bizSteps/killing",
        "/bizLocations",
        "/bizLocations/urn:epc:id:sgln:9521000.00001.7",
        "/bizLocations/urn:epc:id:sgln:9521000.00001.7/events",
        "/readPoints",
        "/readPoints/urn:epc:id:sgln:9521000.00001.0/events",
        "/dispositions",
        "/dispositions/active/events",
        "/queries",
        "/queries/q",
        "/queries/q/events",
        "/queries/none",
        "/queries/q/subscriptions",
        "/queries/q/subscriptions/none",
        "/events?maxEventCount=1",
        "/events?x=" + "y" * 9_000,
    ],
)
def test_answers_are_as_the_document_says(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    if path == "/events?maxEventCount=1":
        # The document names 413 for named queries only; the standard for every query.
        assert answer.status_code == 413
        return
    check("GET", path, answer)
    check("OPTIONS", path, client.options(path.partition("?")[0]))
    check("GET", path, client.get(path, headers={"accept": "image/png"}))
    for headers in ({"authorization": "Bearer " + "x" * 43}, {"authorization": "Bearer"}):
        refused = client.get(path, headers=headers)
        if path != "/" and refused.status_code != 414:
            assert refused.status_code == 401
            check("GET", path, refused)


def test_capture_and_its_refusals(client: httpx.Client, league: Served) -> None:
    job = client.get("/capture").json()[0]["captureID"]
    check("GET", f"/capture/{job}", client.get(f"/capture/{job}"))
    check("GET", "/capture/none", client.get("/capture/none"))
    check("POST", "/capture", client.post("/capture", json={"type": "EPCISDocument"}))
    check(
        "POST",
        "/capture",
        client.post("/capture", content=b"a,b", headers={"content-type": "text/csv"}),
    )
    reader = league.client(league.issue("reads only", "read"))
    check("POST", "/capture", reader.post("/capture", json=make_document(make_event(1))))
    many = make_document(*[make_event(1, epcList=[])] * 501)
    check("POST", "/capture", client.post("/capture", json=many))


def test_one_event_and_its_refusals(client: httpx.Client) -> None:
    event = {"@context": CONTEXT, **make_event(900)}
    check("POST", "/events", client.post("/events", json=event))
    check("POST", "/events", client.post("/events", json={**event, "action": "EAT"}))
    changed = client.post("/events", json={**event, "disposition": "expired"})
    assert changed.status_code == 409


def test_queries_and_subscriptions(client: httpx.Client) -> None:
    query = {"name": "made", "query": {"eventType": ["ObjectEvent"]}}
    check("POST", "/queries", client.post("/queries", json=query))
    check("POST", "/queries", client.post("/queries", json=query))
    body = {"dest": "http://127.0.0.1:9/hook", "signatureToken": "x", "stream": True}
    path = "/queries/made/subscriptions"
    made = client.post(path, json=body)
    check("POST", path, made)
    one = f"{path}/{made.json()['subscriptionID']}"
    check("GET", path, client.get(path))
    check("GET", one, client.get(one))
    check("DELETE", one, client.delete(one))
    check("DELETE", "/queries/made", client.delete("/queries/made"))
    check("DELETE", "/nextPageToken/x", client.delete("/nextPageToken/x"))

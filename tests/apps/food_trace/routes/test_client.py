"""A session of a client as OpenEPCIS's and FasTnT's are written, from discovery to a websocket.

What those clients do that is their own: keys as `API-KEY` and `API-KEY-SECRET`, or Basic; JSON-LD
as `application/ld+json`; a next page asked for with nothing but what stands after `/events?` in the
link; `_ready_` said on a websocket. Sources: openepcis/epcis-repository-ce (openepcis-client),
louisaxel-ambroise/epcis.
"""

import base64
import json
import time
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.apps.food_trace.routes.serving import Served, make_document, make_event

pytestmark = pytest.mark.slow


class EpcisClient:
    """Calls the door as such a client does."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.url, self.headers = url, headers
        self.http = httpx.Client(base_url=url, headers=headers, timeout=60)

    def discover(self) -> int:
        answer = self.http.options("/capture")
        assert answer.status_code == 204
        return int(answer.headers["GS1-EPCIS-Capture-Limit"])

    def capture(self, document: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "Content-Type": "application/ld+json",
            "Accept": "application/json",
            "GS1-EPCIS-Version": "2.0.0",
            "GS1-CBV-Version": "2.0.0",
            "GS1-Capture-Error-Behaviour": "rollback",
        }
        answer = self.http.post("/capture", content=json.dumps(document), headers=headers)
        assert answer.status_code == 202, answer.text
        identity = answer.headers["Location"].split("/")[-1]
        job: dict[str, Any] = {"running": True}
        while job["running"]:
            time.sleep(0.05)
            job = self.http.get(f"/capture/{identity}").json()
        return job

    def events(self, query: dict[str, str]) -> list[dict[str, Any]]:
        """Every page, as OpenEPCIS's reactive client follows the link."""
        found: list[dict[str, Any]] = []
        parameters: dict[str, str] | None = query
        while parameters is not None:
            answer = self.http.get("/events", params=parameters)
            assert answer.status_code == 200, answer.text
            body = answer.json()["epcisBody"]["queryResults"]["resultsBody"]
            found += body["eventList"]
            link = answer.headers.get("Link")
            parameters = None
            if link is not None:
                inside = link[link.index("<") + 1 : link.index(">")].replace("/events?", "", 1)
                name, value = inside.split("=")
                parameters = {name: value}
        return found


@pytest.mark.parametrize("style", ["openepcis", "fastnt", "bearer"])
def test_a_client_written_for_another_repository_works(league: Served, style: str) -> None:
    token = league.issue(f"client of {style}")
    basic = base64.b64encode(f"scanner:{token}".encode()).decode()
    headers = {
        "openepcis": {"API-KEY": "scanner", "API-KEY-SECRET": token},
        "fastnt": {"Authorization": f"Basic {basic}"},
        "bearer": {"Authorization": f"Bearer {token}"},
    }[style]
    client = EpcisClient(f"{league.url}/food-trace/epcis", headers)
    assert client.discover() >= 500
    first = 10_000 + 100 * ["openepcis", "fastnt", "bearer"].index(style)
    job = client.capture(make_document(*(make_event(first + n) for n in range(7))))
    assert job["success"] and not job["errors"]
    epcs = "|".join(make_event(first + n)["epcList"][0] for n in range(7))
    events = client.events({"perPage": "3", "MATCH_epc": epcs})
    assert [event["eventID"][-5:] for event in events] == [str(first + n) for n in range(7)]
    query = {"name": f"of-{style}", "query": {"EQ_bizStep": ["commissioning"]}}
    assert client.http.post("/queries", json=query).status_code == 201
    address = client.url.replace("http", "ws", 1) + f"/queries/of-{style}/events?stream=true"
    with connect(address, additional_headers=headers) as socket:
        socket.send("_ready_")
        client.capture(make_document(make_event(first + 50)))
        told = json.loads(socket.recv(20))
    results = told["epcisBody"]["queryResults"]
    assert results["queryName"] == f"of-{style}"
    assert results["resultsBody"]["eventList"][0]["eventID"].endswith(str(first + 50))
    client.http.close()


def test_other_keys_open_nothing(league: Served) -> None:
    for headers in (
        {"API-KEY": "x", "API-KEY-SECRET": "y"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"a:b").decode()},
        {"Authorization": "Digest x"},
        {"API-KEY-SECRET": "hansa-client." + "0" * 16 + "." + "a" * 32},
        {"Authorization": "Bearer hansa-client.../../x"},
    ):
        with httpx.Client(base_url=f"{league.url}/food-trace/epcis", headers=headers) as client:
            answer = client.get("/events")
            assert answer.status_code == 401
            assert answer.json()["type"] == "epcisException:SecurityException"

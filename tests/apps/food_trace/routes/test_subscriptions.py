"""Subscriptions: delivered at least once, in order, signed, within the operator's rules."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from hansa.apps.food_trace.routes.epcis import delivering
from tests.apps.food_trace.routes.serving import (
    Served,
    make_document,
    make_event,
    serve,
    wait_job,
)

pytestmark = pytest.mark.slow
SECRET = "13df38d8275b13f05704629e5f1cf3d45d6132d5"


class Subscriber:
    """A server that notes what it is told, and answers with `status`."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.location = ""
        subscriber = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                subscriber.told.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(subscriber.status)
                if subscriber.location:
                    self.send_header("location", subscriber.location)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def events(self) -> list[str]:
        found = []
        for _headers, body in self.told:
            results = json.loads(body)["epcisBody"]["queryResults"]
            found += [event["eventID"] for event in results["resultsBody"]["eventList"]]
        return found


@contextmanager
def subscriber() -> Iterator[Subscriber]:
    made = Subscriber()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        thread.join()
        made.server.server_close()


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def uuid(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"


def capture(client: httpx.Client, *numbers: int, **fields: Any) -> None:
    events = [make_event(number, **fields) for number in numbers]
    assert wait_job(client, client.post("/capture", json=make_document(*events)))["success"]


def make_query(client: httpx.Client, name: str, **query: Any) -> str:
    assert client.post("/queries", json={"name": name, "query": query}).status_code == 201
    return f"/queries/{name}"


def subscribe(client: httpx.Client, query: str, dest: str, **more: Any) -> httpx.Response:
    body = {"dest": dest, "signatureToken": SECRET, **more}
    return client.post(f"{query}/subscriptions", json=body)


def test_a_stream_is_told_once_in_order_and_signed(league: Served, scanner: httpx.Client) -> None:
    query = make_query(scanner, "made", EQ_bizStep=["commissioning"])
    capture(scanner, 1, 2)
    with subscriber() as hook:
        made = subscribe(scanner, query, hook.url, stream=True)
        assert made.status_code == 201, made.text
        assert SECRET not in made.text and made.json()["stream"] is True
        capture(scanner, 3, 4)
        capture(scanner, 5, bizStep="packing", action="OBSERVE")
        capture(scanner, 6)
        wait_for(lambda: uuid(6) in hook.events())
        assert hook.events() == [uuid(3), uuid(4), uuid(6)]
        headers, body = hook.told[0]
        wanted = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["gs1-signature"] == f"sha256={wanted}"
        results = json.loads(body)["epcisBody"]["queryResults"]
        assert results["subscriptionID"] == made.json()["subscriptionID"]
        path = f"{query}/subscriptions/{made.json()['subscriptionID']}"
        wait_for(lambda: "lastNotifiedAt" in scanner.get(path).json())
        assert SECRET not in scanner.get(path).text
        assert len(scanner.get(f"{query}/subscriptions").json()) == 1
        assert scanner.delete(path).status_code == 204
        assert scanner.get(path).status_code == 404
        capture(scanner, 7)
        assert hook.events() == [uuid(3), uuid(4), uuid(6)]


def test_what_could_not_be_delivered_is_delivered_later(
    league: Served, scanner: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors, redirects and silence are failures; each is tried again with longer pauses."""
    monkeypatch.setattr(delivering, "RETRY_MS", 50)
    query = make_query(scanner, "later", EQ_bizStep=["commissioning"])
    with subscriber() as other, subscriber() as hook:
        made = subscribe(scanner, query, hook.url, stream=True)
        path = f"{query}/subscriptions/{made.json()['subscriptionID']}"
        hook.status = 500
        capture(scanner, 20)
        wait_for(lambda: len(hook.told) >= 3)
        assert scanner.get(path).json()["hansa:trouble"].startswith("500")
        hook.status, hook.location = 302, other.url
        seen = len(hook.told)
        wait_for(lambda: len(hook.told) > seen)
        assert other.told == []
        hook.status, hook.location = 204, ""
        wait_for(lambda: "lastNotifiedAt" in scanner.get(path).json())
        assert set(hook.events()) == {uuid(20)}
        first, last = hook.told[0][0], hook.told[-1][0]
        assert first["hansa-delivery"] == last["hansa-delivery"]
        hook.status = 410
        capture(scanner, 21)
        wait_for(lambda: scanner.get(path).status_code == 404)


def test_a_delivery_survives_the_end_of_its_node(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with subscriber() as hook:
        hook.status = 503
        with serve(home, ("127.0.0.1",)) as league:
            league.make_service_key()
            token = league.issue("scanner")
            with league.client(token) as client:
                query = make_query(client, "q", EQ_action=["ADD"])
                assert subscribe(client, query, hook.url, stream=True).status_code == 201
                capture(client, 1)
                wait_for(lambda: bool(hook.told))
        hook.status = 200
        hook.told.clear()
        with serve(home, ("127.0.0.1",)) as league:
            wait_for(lambda: hook.events() == [uuid(1)])


def test_a_revoked_clients_subscription_hears_nothing(
    league: Served, scanner: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = league.issue("leaver")
    with league.client(token) as leaver, subscriber() as hook:
        query = make_query(leaver, "leaving", EQ_action=["ADD"])
        made = subscribe(leaver, query, hook.url, stream=True).json()["subscriptionID"]
        found = league.service.find("leaver")
        assert found is not None
        league.service.revoke(found)
        capture(scanner, 40)
        path = f"{query}/subscriptions/{made}"
        wait_for(lambda: "hansa:trouble" in scanner.get(path).json())
        assert hook.told == []


def test_a_schedule_tells_at_its_times_also_that_there_is_nothing(scanner: httpx.Client) -> None:
    query = make_query(scanner, "hourly", EQ_bizStep=["storing"])
    with subscriber() as hook:
        body = {"schedule": {"second": "*"}, "reportIfEmpty": True}
        made = subscribe(scanner, query, hook.url, **body)
        assert made.status_code == 201, made.text
        assert made.json()["schedule"] == {"second": "*"}
        wait_for(lambda: len(hook.told) >= 2)
        assert hook.events() == []
        capture(scanner, 50, bizStep="storing", action="OBSERVE")
        wait_for(lambda: hook.events() == [uuid(50)])
        assert scanner.delete(query).status_code == 204
        assert scanner.get(f"{query}/subscriptions").status_code == 404


def test_a_long_backlog_comes_in_several_messages(
    scanner: httpx.Client, league: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than one turn's worth, to a webhook and to a websocket; each event once."""
    from hansa.apps.food_trace.routes.epcis import subscriptions

    for module in (delivering, subscriptions):
        monkeypatch.setattr(module, "MESSAGE_EVENTS_MAX", 2)
    monkeypatch.setattr(delivering, "PASSED_MIN", 1)
    capture(scanner, *range(200, 215), disposition="needs_replacement")
    query = make_query(scanner, "backlog", EQ_disposition=["needs_replacement"])
    wanted = [uuid(number) for number in range(200, 215)]
    since = "2020-01-01T00:00:00Z"
    token = scanner.headers["authorization"].partition(" ")[2]
    address = f"{query}/events?stream=true&initialRecordTime={since}"
    heard: list[str] = []
    with subscriber() as hook, open_socket(league, address, token) as socket:
        made = subscribe(scanner, query, hook.url, stream=True, initialRecordTime=since)
        assert made.status_code == 201
        while len(heard) < len(wanted):
            results = json.loads(socket.recv(20))["epcisBody"]["queryResults"]
            heard += [event["eventID"] for event in results["resultsBody"]["eventList"]]
        wait_for(lambda: len(hook.events()) >= len(wanted))
        capture(scanner, 216, disposition="encoded")
        capture(scanner, 217, disposition="needs_replacement")
        wait_for(lambda: uuid(217) in hook.events())
        assert hook.events() == [*wanted, uuid(217)] and heard == wanted
        assert len(hook.told) == 9


def test_the_first_times_events_are_those_since_a_time(scanner: httpx.Client) -> None:
    capture(scanner, 60, disposition="expired")
    query = make_query(scanner, "since", EQ_disposition=["expired"])
    with subscriber() as hook:
        since = {"stream": True, "initialRecordTime": "2020-01-01T00:00:00Z"}
        assert subscribe(scanner, query, hook.url, **since).status_code == 201
        wait_for(lambda: hook.events() == [uuid(60)])


@pytest.mark.parametrize(
    ("body", "exception"),
    [
        ({}, "SubscriptionControlsException"),
        ({"stream": False}, "SubscriptionControlsException"),
        ({"stream": True, "schedule": {"hour": "1"}}, "SubscriptionControlsException"),
        ({"schedule": {}}, "SubscriptionControlsException"),
        ({"schedule": {"hour": "25"}}, "SubscriptionControlsException"),
        ({"schedule": "1"}, "SubscriptionControlsException"),
        ({"stream": "yes"}, "SubscriptionControlsException"),
        ({"stream": True, "reportIfEmpty": 1.5}, "SubscriptionControlsException"),
        ({"stream": True, "initialRecordTime": "now"}, "SubscriptionControlsException"),
        ({"stream": True, "signatureToken": 5}, "ValidationException"),
        ({"stream": True, "dest": None}, "ValidationException"),
        ({"stream": True, "dest": "ftp://127.0.0.1/"}, "InvalidURIException"),
        ({"stream": True, "dest": "file:///etc/passwd"}, "InvalidURIException"),
        ({"stream": True, "dest": "http://me:it@127.0.0.1/"}, "InvalidURIException"),
        ({"stream": True, "dest": "http://10.0.0.1/"}, "InvalidURIException"),
        ({"stream": True, "dest": "http://[::1]/"}, "InvalidURIException"),
        ({"stream": True, "dest": "http://" + "x" * 3000}, "InvalidURIException"),
    ],
)
def test_what_is_no_subscription_is_refused(
    scanner: httpx.Client, body: dict[str, Any], exception: str
) -> None:
    scanner.post("/queries", json={"name": "refused", "query": {}})
    sent = {"dest": "http://127.0.0.1:9/", **body}
    answer = scanner.post("/queries/refused/subscriptions", json=sent)
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"] == f"epcisException:{exception}"
    assert scanner.get("/queries/refused/subscriptions").json() == []


def open_socket(league: Served, path: str, token: str) -> ClientConnection:
    url = league.url.replace("http", "ws") + "/food-trace/epcis" + path
    return connect(url, additional_headers={"authorization": f"Bearer {token}"}, open_timeout=20)


def test_a_websocket_tells_events_as_they_are_captured(
    league: Served, scanner: httpx.Client
) -> None:
    query = make_query(scanner, "socket", EQ_disposition=["reserved"])
    capture(scanner, 70, disposition="reserved")
    token = league.issue("listener", "read")
    with open_socket(league, f"{query}/events?stream=true", token) as socket:
        socket.send("_ready_")
        capture(scanner, 71, disposition="reserved")
        document = json.loads(socket.recv(20))
        (event,) = document["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        assert event["eventID"] == uuid(71)
        found = league.service.find("listener")
        assert found is not None
        league.service.revoke(found)
        capture(scanner, 72, disposition="reserved")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(20)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
    wait_for(lambda: league.app.gate.streams.total == 0)


@pytest.mark.parametrize(
    ("path", "is_known", "status"),
    [
        ("/queries/socket2/events?stream=true", False, 401),
        ("/queries/none/events?stream=true", True, 404),
        ("/queries/socket2/events", True, 400),
        ("/queries/socket2/events?stream=true&second=1", True, 400),
        ("/queries/socket2/events?second=99", True, 400),
        ("/queries/socket2/events?stream=true&x=1", True, 400),
        ("/events", True, 404),
        ("/nothing", True, 404),
    ],
)
def test_a_handshake_that_cannot_be_is_answered_with_a_problem(
    league: Served, scanner: httpx.Client, path: str, is_known: bool, status: int
) -> None:
    scanner.post("/queries", json={"name": "socket2", "query": {}})
    token = scanner.headers["authorization"].partition(" ")[2] if is_known else "x" * 43
    with pytest.raises(InvalidStatus) as refused:
        open_socket(league, path, token)
    answer = refused.value.response
    assert answer.status_code == status
    assert json.loads(answer.body or b"{}")["type"].startswith("epcisException:")


def test_a_scheduled_websocket_tells_at_its_times(league: Served, scanner: httpx.Client) -> None:
    query = make_query(scanner, "times", EQ_disposition=["stolen"])
    token = scanner.headers["authorization"].partition(" ")[2]
    with open_socket(league, f"{query}/events?second=*&reportIfEmpty=true", token) as socket:
        document = json.loads(socket.recv(20))
        assert document["epcisBody"]["queryResults"]["resultsBody"]["eventList"] == []

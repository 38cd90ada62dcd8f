"""Overload and clients that hold on: 429 with a time to come back, and everybody else is served."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from hansa.api import connections, guard, server
from hansa.api.limits import REQUESTS_MAX
from tests.api.league import ADA, League, serve_league
from tests.api.parcels import OpenDepot
from tests.security.raw import RawClient

pytestmark = pytest.mark.slow

HEAD = b"POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"
IDLE = 400
PLACES = 200
SLOW = 30


@pytest.fixture
def league(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[League]:
    """A league whose gateway holds few connections."""
    monkeypatch.setattr(server, "CONNECTIONS_MAX", PLACES)
    with serve_league(tmp_path / "home") as running:
        yield running


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[League]:
    """A league with the limits that it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with serve_league(tmp_path / "home") as running:
            yield running
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_more_requests_than_there_is_room_for_are_told_to_wait_and_then_served(
    roomy: League, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "BODY_WITHIN_S", 600)
    data = [roomy.sign(ADA, OpenDepot(id=f"d{n}", city="x")) for n in range(4)]
    with ExitStack() as held:
        waiting = [held.enter_context(RawClient(roomy.url)) for _ in range(REQUESTS_MAX)]
        for client in waiting:
            client.say(HEAD % len(data[0]) + b"\r\n" + data[0][:-1])
        with httpx.Client(base_url=roomy.url, timeout=60) as client:
            answer = client.get("/v1/status")
            while answer.status_code == 200:  # until all heads have been read
                answer = client.get("/v1/status")
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
            assert answer.json()["code"] == "api.busy"
            refused = client.post("/v1/transactions", content=data[1])
            assert refused.status_code == 429
            for each in waiting:
                each.say(data[0][-1:] + b"\r\n")
            while client.get("/v1/status").status_code == 429:
                pass
            taken = [client.post("/v1/transactions", content=each) for each in data]
            assert {each.status_code for each in taken} == {202}
            last = roomy.node.wait(taken[-1].json()["id"], 60)
            assert last.state == "committed"


def test_idle_connections_give_way_and_nobody_waits(league: League) -> None:
    """Twice as many as there are places, each with half a head."""
    with ExitStack() as held, httpx.Client(base_url=league.url, timeout=60) as client:
        idle = [held.enter_context(RawClient(league.url)) for _ in range(IDLE)]
        for each in idle:
            each.say(b"GET /v1/status HTTP/1.1\r\nHost: local")
        for number in range(20):
            assert client.get("/v1/status").status_code == 200
            data = league.sign(ADA, OpenDepot(id=f"i{number}", city="x"))
            assert client.post("/v1/transactions", content=data).status_code == 202
        assert all(is_closed(each.raw) for each in idle[: IDLE - PLACES])


def test_readers_of_a_byte_at_a_time_hold_up_nobody(
    league: League, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SEND_WITHIN_S", 0.2)
    with ExitStack() as held, httpx.Client(base_url=league.url, timeout=60) as client:
        slow = []
        for _ in range(SLOW):
            raw = held.enter_context(socket.socket())
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
            raw.connect(("127.0.0.1", int(league.url.rpartition(":")[2])))
            raw.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 40)
            slow.append(raw)
        for number in range(20):
            assert all(raw.recv(1) for raw in slow[number:])
            assert client.get("/openapi.json").status_code == 200
            data = league.sign(ADA, OpenDepot(id=f"s{number}", city="x"))
            assert client.post("/v1/transactions", content=data).status_code == 202


def is_closed(raw: socket.socket) -> bool:
    """Whether the gateway has hung up, or does within the test's patience."""
    try:
        return raw.recv(1) == b""
    except ConnectionResetError:
        return True

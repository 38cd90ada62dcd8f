"""Bad input, every time: problem details with a next step; no 5xx, nothing taken, nothing held."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from hansa.api import connections, gate, guard, server, sessions
from hansa.api.limits import BODY_BYTES_MAX, TARGET_BYTES_MAX
from hansa.node.faults import PoolFull
from hansa.node.pool import TransactionPool
from tests.api.league import ADA, League, serve_league
from tests.api.parcels import OpenDepot


@pytest.fixture(scope="module")
def client(league: League) -> Iterator[httpx.Client]:
    with league.client() as made:
        yield made


def check_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    wanted = {"type", "title", "status", "detail", "code", "rule", "remedy", "instance"}
    assert set(problem) - {"params"} == wanted
    assert all(problem[name] for name in wanted)
    return problem


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "api.no_such_address"),
        ("GET", "/v1/nothing", 404, "api.no_such_address"),
        ("GET", "/v1/../etc/passwd", 404, "api.no_such_address"),
        ("GET", "/v1/blocks/999999", 404, "api.not_found"),
        ("GET", "/v1/blocks/x", 400, "api.invalid_parameter"),
        ("GET", "/v1/apps/nothing", 404, "api.not_found"),
        ("GET", "/v1/apps/parcels/nothing", 404, "api.not_found"),
        ("GET", "/v1/apps/parcels/tables/nothing", 404, "api.not_found"),
        ("GET", "/v1/apps/parcels/depot/%00", 404, "api.not_found"),
        ("GET", "/v1/apps/parcels/depot/%E6%BE%B3", 404, "api.not_found"),
        ("GET", "/v1/apps/parcels/depot/" + "x" * 129, 404, "api.not_found"),
        ("GET", "/v1/apps/parcels/depot/" + "a/" * 300, 404, "api.not_found"),
        ("GET", "/v1/transactions/xyz", 400, "api.invalid_parameter"),
        ("GET", "/v1/transactions/" + "AB" * 32, 400, "api.invalid_parameter"),
        ("GET", "/v1/blocks?limit=0", 400, "api.invalid_parameter"),
        ("GET", "/v1/blocks?limit=201", 400, "api.invalid_parameter"),
        ("GET", "/v1/blocks?limit=x", 400, "api.invalid_parameter"),
        ("GET", "/v1/blocks?limit=1&limit=2", 400, "api.invalid_parameter"),
        ("GET", "/v1/blocks?colour=red", 400, "api.invalid_parameter"),
        ("GET", "/v1/blocks?order=up", 400, "api.invalid_parameter"),
        ("GET", "/v1/blocks?after=x", 400, "api.invalid_parameter"),
        ("GET", "/v1/blocks?after=WzFd!", 400, "api.invalid_parameter"),
        ("GET", "/v1/blocks?after=WyJhIl0", 400, "api.invalid_parameter"),
        ("GET", "/v1/events?after=WzFd", 400, "api.invalid_parameter"),
        ("GET", "/v1/events?app=nothing", 400, "api.invalid_parameter"),
        ("GET", "/v1/events?type=nothing", 400, "api.invalid_parameter"),
        ("GET", "/v1/events/stream?since=x", 400, "api.invalid_parameter"),
        ("GET", "/v1/apps/parcels/depot?nothing=1", 400, "api.invalid_parameter"),
        ("GET", "/v1/apps/members/member?identifiers=1", 400, "api.invalid_parameter"),
        ("GET", "/v1/apps/quotas/usage?units=x", 401, "api.sign_in_first"),
        ("PUT", "/v1/transactions", 405, "api.method_not_allowed"),
        ("DELETE", "/v1/blocks", 405, "api.method_not_allowed"),
        ("TRACE", "/v1/status", 405, "api.method_not_allowed"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    client: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    check_problem(client.request(method, path), status, code)


def test_a_method_that_is_not_allowed_names_those_that_are(client: httpx.Client) -> None:
    assert "GET" in client.put("/v1/transactions").headers["allow"]


def test_an_unknown_filter_names_those_there_are(client: httpx.Client) -> None:
    problem = client.get("/v1/apps/parcels/depot", params={"nothing": 1}).json()
    assert "city" in problem["detail"]
    known = client.get("/v1/apps/parcels/depot", params={"city": "澳門"})
    assert known.json() == {"items": [], "keys": [], "next": None}


@pytest.mark.parametrize("media", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_another_media_type_is_refused(client: httpx.Client, media: str) -> None:
    answer = client.post("/v1/transactions", content=b"x", headers={"content-type": media})
    check_problem(answer, 415, "api.wrong_media_type")
    answer = client.post("/v1/sessions/challenge", content=b"{}", headers={"content-type": media})
    check_problem(answer, 415, "api.wrong_media_type")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 4_000, b'{"account":1}'])
def test_a_challenge_needs_an_account(client: httpx.Client, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = client.post("/v1/sessions/challenge", content=body, headers=headers)
    check_problem(answer, 400, "api.not_json")


def test_a_body_that_is_too_large_is_refused_before_it_is_read(league: League) -> None:
    with socket.create_connection(("127.0.0.1", int(league.url.rpartition(":")[2]))) as raw:
        head = (
            f"POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10**12}\r\n\r\n"
        )
        raw.sendall(head.encode())
        assert raw.recv(64).startswith(b"HTTP/1.1 413 ")


def test_a_body_without_a_length_is_cut_at_the_limit(league: League) -> None:
    size = BODY_BYTES_MAX + 1
    with socket.create_connection(("127.0.0.1", int(league.url.rpartition(":")[2]))) as raw:
        head = "POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked"
        raw.sendall(f"{head}\r\n\r\n{size:x}\r\n".encode() + b"x" * size)
        assert raw.recv(64).startswith(b"HTTP/1.1 413 ")


def test_an_address_that_is_too_long_is_refused(client: httpx.Client) -> None:
    answer = client.get("/v1/blocks", params={"after": "x" * TARGET_BYTES_MAX})
    check_problem(answer, 414, "api.address_too_long")


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil"])
def test_a_foreign_name_is_refused(client: httpx.Client, host: str) -> None:
    """A web page that points its own name at this machine gets nothing (DNS rebinding)."""
    check_problem(client.get("/v1/status", headers={"host": host}), 421, "api.wrong_host")


def test_head_is_get_without_a_body(client: httpx.Client) -> None:
    head, get = client.head("/v1/apps"), client.get("/v1/apps")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


def test_every_answer_is_guarded(client: httpx.Client) -> None:
    for path in ("/v1/status", "/nothing", "/openapi.json", "/metrics"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers


def test_a_body_that_does_not_come_ends_the_request(
    league: League, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "BODY_WITHIN_S", 0.05)
    with socket.create_connection(("127.0.0.1", int(league.url.rpartition(":")[2]))) as raw:
        raw.sendall(
            b"POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"
        )
        assert raw.recv(64).startswith(b"HTTP/1.1 408 ")


def test_a_head_that_does_not_come_ends_the_connection(
    league: League, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_WITHIN_S", 0.05)
    with socket.create_connection(("127.0.0.1", int(league.url.rpartition(":")[2]))) as raw:
        raw.settimeout(30)
        raw.sendall(b"GET /v1/status HTTP/1.1\r\nHost: loc")
        assert raw.recv(64) == b""


def test_answers_are_not_held_back_by_nagle() -> None:
    """Asyncio switches the delay off only on sockets that are named as TCP."""
    with server.bind(server.Address()) as listening:
        assert listening.proto == socket.IPPROTO_TCP
        assert listening.getsockname()[0] == "127.0.0.1"


def test_too_many_requests_at_once_are_sent_away(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "REQUESTS_MAX", 0)
    answer = client.get("/v1/status")
    check_problem(answer, 429, "api.busy")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("room", "name", "wait_s"), [(sessions, "SESSIONS_MAX", "30"), (gate, "STREAMS_MAX", "5")]
)
def test_as_many_sessions_and_streams_as_fit(
    league: League, monkeypatch: pytest.MonkeyPatch, room: ModuleType, name: str, wait_s: str
) -> None:
    monkeypatch.setattr(room, name, 0)
    with httpx.Client(base_url=league.url, timeout=60) as stranger:
        if room is gate:
            answer = stranger.get("/v1/events/stream")
        else:
            answer = stranger.post("/v1/sessions", content=league.sign_statement(stranger, ADA))
    check_problem(answer, 429, "api.busy")
    assert answer.headers["retry-after"] == wait_s


def test_a_full_node_says_when_to_come_back(
    league: League, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PoolFull(7, "20000 transactions")

    monkeypatch.setattr(TransactionPool, "check_room", refuse)
    data = league.sign(ADA, OpenDepot(id="full", city="x"))
    answer = client.post("/v1/transactions", content=data, headers={"content-type": "text/plain"})
    check_problem(answer, 429, "api.busy")
    assert answer.headers["retry-after"] == "7"


def test_a_read_model_that_fails_is_told_and_the_ledger_goes_on(tmp_path: Path) -> None:
    with serve_league(tmp_path / "home") as league, league.client() as client:
        with league.index.engine.begin() as connection:
            connection.execute(text("ALTER TABLE blocks RENAME TO away"))
        answer = client.get("/v1/blocks")
        check_problem(answer, 503, "index.database")
        assert answer.headers["retry-after"]
        data = league.sign(ADA, OpenDepot(id="on", city="x"))
        headers = {"content-type": "text/plain"}
        sent = client.post("/v1/transactions", content=data, headers=headers)
        assert sent.status_code == 202
        assert league.node.wait(sent.json()["id"], 30).state == "committed"
        while league.follower.fault is None:
            time.sleep(0.005)
        health = client.get("/v1/health")
        assert (health.status_code, health.json()["status"]) == (200, "degraded")
        assert health.json()["index"] == "index.database"
        with league.index.engine.begin() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO blocks"))
        assert league.index.wait_height(league.node.height, 60)
        assert client.get("/v1/apps/parcels/depot/on").status_code == 200


def test_a_node_that_stopped_is_told(tmp_path: Path) -> None:
    with serve_league(tmp_path / "home") as league, league.client() as client:
        data = league.sign(ADA, OpenDepot(id="x", city="x"))
        league.node._engine.stop()
        headers = {"content-type": "text/plain"}
        answer = client.post("/v1/transactions", content=data, headers=headers)
        check_problem(answer, 503, "node.stopped")


def test_metrics_count_by_route_never_by_address(client: httpx.Client) -> None:
    client.get("/v1/apps/parcels/depot/SECRET-KEY")
    text_ = client.get("/metrics").text
    assert 'route="/v1/apps/{app}/{kind}/{key}"' in text_
    assert "SECRET-KEY" not in text_
    assert "hansa_height " in text_ and "hansa_index_height " in text_

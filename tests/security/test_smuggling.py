"""Requests that two readers could read as different ones: refused whole, and nothing after them.

Raw bytes to the served gateway. A hidden request is one that opens what a proxy in front would
have kept shut: here it closes the sender's own session, so that it would be seen.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.league import ADA, League, serve_league
from tests.security.raw import Heard, RawClient

pytestmark = pytest.mark.slow

HOST = b"Host: localhost\r\n"
WHO = b"GET /v1/sessions/current HTTP/1.1\r\nHost: localhost\r\n"
LAST = b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
POST = b"POST /v1/sessions/challenge HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[League]:
    folder: Path = tmp_path_factory.mktemp("smuggling") / "home"
    with serve_league(folder) as running:
        yield running


@pytest.fixture
def token(league: League) -> str:
    with httpx.Client(base_url=league.url, timeout=60) as client:
        return league.sign_in(client, ADA)


def hide(token: str) -> bytes:
    """The request that nobody may be brought to send."""
    return (
        b"DELETE /v1/sessions/current HTTP/1.1\r\nHost: localhost\r\n"
        b"Authorization: Bearer " + token.encode() + b"\r\n\r\n"
    )


def send(league: League, data: bytes) -> Heard:
    with RawClient(league.url) as client:
        client.say(data + LAST)
        return client.hear()


def is_signed_in(league: League, token: str) -> bool:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.get(f"{league.url}/v1/sessions/current", headers=headers).status_code == 200


AMBIGUOUS = {
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n",
    "two lengths in one": POST + b"Content-Length: 0, %d\r\n\r\n",
    "a length with a sign": POST + b"Content-Length: +%d\r\n\r\n",
    "a length with an underscore": POST + b"Content-Length: %d_0\r\n\r\n",
    "a hexadecimal length": POST + b"Content-Length: 0x%x\r\n\r\n",
    "unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked before another": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": POST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "blank before the colon": POST + b"Content-Length : %d\r\n\r\n",
    "folded": POST
    + b"X-One: 1\r\n Content-Length: %d\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n",
    "a name with a blank": POST + b"Content Length: %d\r\n\r\n",
    "a NUL in a value": POST + b"X-One: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "a return in a value": POST + b"X-One: a\rContent-Length: %d\r\n\r\n",
    "no version": b"GET /v1/status\r\n\r\n",
    "a version of no HTTP": b"GET /v1/status HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "no host": b"GET /v1/status HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "blanks in the target": b"GET /v1/status /v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "chunks in HTTP/1.0": POST.replace(b"/1.1", b"/1.0")
    + b"Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n",
    "a length beside chunks": POST
    + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk of no number": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk with a sign": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "a chunk of 2**80 bytes": POST + b"Transfer-Encoding: chunked\r\n\r\n100000000000000000000\r\n",
    "a chunk that ends elsewhere": POST
    + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("what", AMBIGUOUS)
def test_what_two_readers_would_read_differently_is_refused_and_ends_the_connection(
    league: League, token: str, what: str
) -> None:
    hidden = hide(token)
    start = AMBIGUOUS[what]
    data = start % len(hidden) if b"%" in start else start
    heard = send(league, data + hidden)
    assert len(heard.statuses) == 1, heard
    assert 400 <= heard.statuses[0] < 500
    assert heard.closed
    assert is_signed_in(league, token)


@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_bare_line_ends_part_no_requests(league: League, token: str, end: bytes) -> None:
    """A bare LF ends a line (RFC 9112 2.2 allows it), never more than a CRLF would."""
    lines = b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX-One: a" + end
    heard = send(league, lines + b"Content-Length: 4\r\n\r\nGET " + LAST)
    assert set(heard.statuses) <= {200, 400}
    assert heard.closed
    assert len(heard.statuses) <= 3
    assert is_signed_in(league, token)


def test_an_absolute_target_is_no_other_address(league: League) -> None:
    """The host that counts is the one that the guard judges: a target names none of its own."""
    for target in (b"http://evil.example/v1/status", b"http://localhost/v1/status"):
        heard = send(league, b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")
        assert heard.statuses[0] in (400, 404), (target, heard)
    evil = b"GET http://localhost/v1/status HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    assert send(league, evil).statuses[0] in (404, 421)


def test_a_tunnel_is_not_dug(league: League) -> None:
    heard = send(league, b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert 400 <= heard.statuses[0] < 500
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    heard = send(league, b"GET /v1/status HTTP/1.1\r\n" + HOST + upgrade + b"\r\n")
    assert heard.statuses[0] == 200


def test_requests_one_after_the_other_are_answered_in_turn(league: League, token: str) -> None:
    who = WHO + b"Authorization: Bearer " + token.encode() + b"\r\n\r\n"
    missing = b"GET /v1/nothing HTTP/1.1\r\n" + HOST + b"\r\n"
    body = POST + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    heard = send(league, who + missing + body + WHO + b"\r\n")
    assert heard.statuses == (200, 404, 400, 401, 200)


@pytest.mark.parametrize("name", [b"X-Original-URL", b"X-Rewrite-URL", b"X-HTTP-Method-Override"])
def test_headers_of_other_servers_move_nothing(league: League, token: str, name: bytes) -> None:
    for value in (b"/v1/sessions/current", b"DELETE"):
        who = WHO + b"Authorization: Bearer " + token.encode() + b"\r\n"
        assert send(league, who + name + b": " + value + b"\r\n\r\n").statuses == (200, 200)
    assert is_signed_in(league, token)


def test_no_header_says_who_asks_but_the_session(league: League) -> None:
    """Behind a proxy of its own a gateway believes no address: nothing of them is used."""
    for name in (b"Forwarded: for=127.0.0.1", b"X-Forwarded-For: 127.0.0.1", b"X-Real-IP: ::1"):
        heard = send(league, WHO + name + b"\r\n\r\n")
        assert heard.statuses == (401, 200)

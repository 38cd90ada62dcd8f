"""Connections are bounded: in number, in silence, and in how slowly an answer may be taken."""

import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import anyio.to_thread
import pytest

from hansa.api import connections, server
from hansa.api.application import Gateway
from tests.api.serving import serve_gateway

GET = b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\n"
LARGE = 32 << 20


class Plain:
    """Answers at once; `/held` when it is let go, `/large` with more than any buffer holds."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.held = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["path"] == "/held":
            self.held.set()
            await anyio.to_thread.run_sync(self.let_go.wait)
        body = b"x" * LARGE if scope["path"] == "/large" else b"well"
        size = str(len(body)).encode()
        head = {"type": "http.response.start", "status": 200}
        await send(head | {"headers": [(b"content-length", size)]})
        await send({"type": "http.response.body", "body": body})


class Client:
    """A connection, spoken to byte by byte."""

    def __init__(self, url: str) -> None:
        self.raw = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=30)

    def ask(self, name: bytes = b"") -> bytes:
        """A short answer, or the first bytes of the large one; what there was when it closed."""
        found = b""
        try:
            self.raw.sendall(GET % name)
            while len(found) < 4_096 and not found.endswith(b"well"):
                part = self.raw.recv(4_096)
                if not part:
                    break
                found += part
        except OSError:
            pass
        return found

    def is_closed(self) -> bool:
        """Whether the server hangs up, now or soon."""
        try:
            return self.raw.recv(1) == b""
        except ConnectionResetError:
            return True


@contextmanager
def serve_plain() -> Iterator[tuple[Plain, str]]:
    app = Plain()
    with serve_gateway(cast("Gateway", app)) as url:
        try:
            yield app, url
        finally:
            app.let_go.set()


def test_the_connection_that_was_idle_for_longest_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "CONNECTIONS_MAX", 3)
    with serve_plain() as (_app, url):
        first, second, third = (Client(url) for _ in range(3))
        for each in (first, second, third, first):
            assert each.ask().startswith(ANSWER)
        assert Client(url).ask().startswith(ANSWER)
        assert second.is_closed()
        assert first.ask().startswith(ANSWER)
        assert third.ask().startswith(ANSWER)


def test_who_comes_when_all_are_at_work_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "CONNECTIONS_MAX", 1)
    with serve_plain() as (app, url):
        held = Client(url)
        held.raw.sendall(GET % b"held")
        assert app.held.wait(30)
        late = Client(url)
        answer = late.raw.recv(4_096)
        assert answer.startswith(b"HTTP/1.1 429 ") and b"retry-after: 1\r\n" in answer
        assert late.is_closed()
        app.let_go.set()
        assert held.raw.recv(4_096).startswith(ANSWER)
        assert Client(url).ask().startswith(ANSWER)


def test_a_second_head_that_does_not_come_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever was answered once may not hold its place with one byte more."""
    monkeypatch.setattr(connections, "HEAD_WITHIN_S", 0.05)
    with serve_plain() as (_app, url):
        client = Client(url)
        assert client.ask().startswith(ANSWER)
        client.raw.sendall(b"G")
        assert client.is_closed()


def test_a_reader_that_takes_next_to_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SEND_WITHIN_S", 0.05)
    let_go, hang_up = threading.Event(), connections.TimedProtocol.hang_up

    def notice(connection: connections.TimedProtocol) -> None:
        hang_up(connection)
        let_go.set()

    monkeypatch.setattr(connections.TimedProtocol, "hang_up", notice)
    with serve_plain() as (_app, url):
        slow = Client(url)
        taken = len(slow.ask(b"large"))
        for _ in range(10):
            taken += len(slow.raw.recv(1))
        assert let_go.wait(30)
        while part := _read(slow.raw):
            taken += len(part)
        assert taken < LARGE
        assert Client(url).ask().startswith(ANSWER)


def test_a_reader_that_takes_its_time_gets_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SEND_WITHIN_S", 0.02)
    monkeypatch.setattr(connections, "SEND_BYTES_MIN", 1)
    with serve_plain() as (_app, url):
        client = Client(url)
        client.raw.sendall(GET % b"large")
        taken = 0
        while taken < LARGE:
            taken += len(client.raw.recv(1 << 20))
        assert taken >= LARGE


def _read(raw: socket.socket) -> bytes:
    try:
        return raw.recv(1 << 20)
    except ConnectionResetError:
        return b""


def test_as_many_files_as_the_system_allows() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
        assert server.count_connections() == 256
        server.raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

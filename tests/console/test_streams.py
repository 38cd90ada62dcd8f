"""A stream through the console ends with its reader, and with it what it asks of the API."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from hansa.console.application import make_console
from hansa.console.asking import Api, ApiProblem
from hansa.console.routing import page
from hansa.console.visit import Visit


def run(work: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own: a browser of other tests may keep this thread's event loop."""
    faults: list[BaseException] = []

    def target() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:  # noqa: BLE001  (raised again below)
            faults.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    if faults:
        raise faults[0]


class Ticker:
    """An API that ticks for ever, and notes when nobody listens any more."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.has_ended = False
        self.asked: list[tuple[str, bytes, list[Any]]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append((scope["path"], scope["query_string"], scope["headers"]))
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        try:
            while self.status == 200:
                await send({"type": "http.response.body", "body": b"tick", "more_body": True})
                await asyncio.sleep(0)
            body = b'{"code":"api.busy","detail":"later"}'
            await send({"type": "http.response.body", "body": body, "more_body": False})
        finally:
            self.has_ended = True


@page("GET", "/ticks")
async def show_ticks(visit: Visit):
    async def parts() -> AsyncGenerator[bytes, None]:
        async with aclosing(visit.api.stream("/v1/ticks", {"since": "3"})) as ticks:
            async for tick in ticks:
                yield tick

    return visit.stream(parts())


def test_a_stream_ends_when_its_reader_has_gone() -> None:
    api, sent, gone = Ticker(), [], asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not sent:
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if len(sent) == 10:
            gone.set()

    async def read() -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/ticks",
            "query_string": b"",
            "headers": [],
        }
        await make_console(api, pages=[show_ticks])(scope, receive, send)
        assert api.has_ended
        assert sent[0]["status"] == 200
        assert dict(sent[0]["headers"])[b"content-type"] == b"text/event-stream"
        assert [each["body"] for each in sent[2:10]] == [b"tick"] * 8
        assert api.asked[0][:2] == ("/v1/ticks", b"since=3")

    run(read())


def test_a_refused_stream_is_the_refusal() -> None:
    async def read() -> None:
        api = Api(Ticker(status=503), token="secret")
        with pytest.raises(ApiProblem) as refused:
            async for _part in api.stream("/v1/ticks"):
                raise AssertionError("nothing to read")
        await api.close()
        assert (refused.value.status, refused.value.code) == (503, "api.busy")

    run(read())


def test_a_stream_that_is_closed_early_ends_its_question() -> None:
    async def read() -> None:
        ticker = Ticker()
        api = Api(ticker, token="secret")
        async with aclosing(api.stream("/v1/ticks")) as parts:
            assert await anext(parts) == b"tick"
        assert ticker.has_ended
        assert (b"authorization", b"Bearer secret") in ticker.asked[0][2]
        await api.close()

    run(read())

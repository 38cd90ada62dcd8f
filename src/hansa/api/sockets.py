"""Websockets of applications' addresses (`appkit.route.Feed`): the gateway speaks, others hear.

Same hosts, places and time limits as event streams; a socket ends with the right to it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from hansa.api.app_routes import (
    Doorplates,
    find_asker,
    find_asking,
    read_headers,
    refuse_no_socket,
    refuse_trouble,
)
from hansa.api.desk import OpenDesk, Seat
from hansa.api.errors import FAULTS, describe_fault
from hansa.api.gate import Gate
from hansa.api.guard import Event, Receive, Scope, Send
from hansa.api.limits import HEARTBEAT_S, SEND_WITHIN_S
from hansa.api.problems import Refusal
from hansa.appkit.route import Asking, Feed, Route, Trouble

# RFC 6455 7.4.1: going away; against the policy (the right to it ended); an unforeseen state.
AWAY, POLICY, FAULT = 1001, 1008, 1011
_REASON_MAX: Final = 120


class Sockets:
    """Serves websockets of one gateway."""

    def __init__(self, gate: Gate, plates: Doorplates) -> None:
        self._gate, self._plates = gate, plates

    async def open(self, scope: Scope) -> Callable[[Receive, Send], Awaitable[None]]:
        """Judge a handshake; returns what serves it. Raises Refusal and faults."""
        app = self._plates.find(scope["path"])
        if app is None:
            raise refuse_no_socket()
        headers = read_headers(scope)
        asking, route = find_asking(app, {**scope, "method": "GET"}, headers)
        scope["path_template"] = asking.base + route.path
        if route.feed is None:
            raise refuse_no_socket()
        seat = await self._gate.run(find_asker, self._gate, app.name, headers)
        scope["state"]["account"] = seat.viewer.account
        feed = await self._gate.run(_make_feed, self._gate, app.name, route, seat, asking)
        give_back = self._gate.streams.take(seat.viewer.account)
        return Socket(self._gate, app.name, seat, headers, feed, give_back).run


def _make_feed(gate: Gate, app: str, route: Route, seat: Seat, asking: Asking) -> Feed:
    if route.feed is None:
        raise refuse_no_socket()
    try:
        return route.feed(OpenDesk(gate, app, seat), asking)
    except Trouble as trouble:
        raise refuse_trouble(trouble) from trouble


class Socket:
    """One accepted websocket."""

    def __init__(
        self,
        gate: Gate,
        app: str,
        seat: Seat,
        headers: dict[str, str],
        feed: Feed,
        give_back: Callable[[], None],
    ) -> None:
        self._gate, self._app, self._seat = gate, app, seat
        self._headers, self._feed, self._give_back = headers, feed, give_back

    async def run(self, receive: Receive, send: Send) -> None:
        """Speak until the client leaves, the right ends, or the gateway does."""
        end_waiting = self._gate.pulse.begin_waiting()
        speaking = asyncio.create_task(self._speak(send))
        hearing = asyncio.create_task(_hear(receive))
        try:
            await asyncio.wait({speaking, hearing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            end_waiting()
            self._give_back()
            for task in (speaking, hearing):
                task.cancel()
                with suppress(asyncio.CancelledError, OSError, TimeoutError, RuntimeError):
                    await task

    async def _speak(self, send: Send) -> None:
        while not self._gate.is_ending:
            growth = self._gate.pulse.next_growth()
            try:
                said, delay = await self._gate.run(self._take)
            except Refusal as refusal:
                await _close(send, POLICY, refusal.code)
                return
            for each in said:
                await _say(send, each)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(max(delay, 0.0), HEARTBEAT_S)):
                    await growth.wait()
        await _close(send, AWAY, "the gateway stops")

    def _take(self) -> tuple[Sequence[str | bytes], float]:
        """What the feed says to who may hear it now. Raises Refusal."""
        try:
            seat = find_asker(self._gate, self._app, self._headers)
            if seat.mark != self._seat.mark:
                raise refuse_no_socket()
            return self._feed.take()
        except Trouble as trouble:
            raise refuse_trouble(trouble) from trouble
        except FAULTS as error:
            raise describe_fault(error) from error


async def _hear(receive: Receive) -> None:
    """What a client says is not listened to; only that it left."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return


async def _say(send: Send, said: str | bytes) -> None:
    kind = "text" if isinstance(said, str) else "bytes"
    async with asyncio.timeout(SEND_WITHIN_S):
        await send({"type": "websocket.send", kind: said})


async def _close(send: Send, code: int, reason: str) -> None:
    event: Event = {"type": "websocket.close", "code": code, "reason": reason[:_REASON_MAX]}
    await send(event)

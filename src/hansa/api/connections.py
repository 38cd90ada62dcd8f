"""Connections of a gateway: how many there are, how long they may be silent, how slowly read.

Uvicorn's HTTP/1.1 with clocks that it lacks. Touches sockets through asyncio only.
"""

import asyncio
from collections import OrderedDict
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from hansa.api.limits import HEAD_WITHIN_S, SEND_BYTES_MIN, SEND_WITHIN_S

_FULL = (
    b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n"
    b"connection: close\r\n\r\n"
)


class Connections:
    """The open connections of one server; in its event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: set[TimedProtocol] = set()
        # Oldest first. One that is at work again is found out when its turn comes.
        self._idle: OrderedDict[TimedProtocol, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, connection: "TimedProtocol") -> bool:
        """Take a new one in, and for it let go of the one idle for longest when all places are
        taken. False: all are at work.
        """
        while len(self._open) >= self._most:
            if not self._idle:
                return False
            oldest, _none = self._idle.popitem(last=False)
            if oldest.is_idle:
                oldest.hang_up()
        self._open.add(connection)
        self._idle[connection] = None
        return True

    def rest(self, connection: "TimedProtocol") -> None:
        """It has been answered: the newest of those that are idle."""
        if connection in self._open:
            self._idle[connection] = None
            self._idle.move_to_end(connection)

    def leave(self, connection: "TimedProtocol") -> None:
        """It is closed, or no longer HTTP."""
        self._open.discard(connection)
        self._idle.pop(connection, None)


class TimedProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose next head does not arrive in time, or whose reader
    takes next to nothing of what it asked for.
    """

    def __init__(self, connections: Connections, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections = connections
        self._head_timer: asyncio.TimerHandle | None = None
        self._send_timer: asyncio.TimerHandle | None = None
        self._unsent = 0

    @property
    def is_idle(self) -> bool:
        """Whether no request is at work on it."""
        # Uvicorn sets the cycle with the first whole head; it declares it as never unset.
        cycle: Any = self.cycle
        return cycle is None or bool(cycle.response_complete)

    def hang_up(self) -> None:
        """Close it now, whatever is still unsent."""
        self._connections.leave(self)
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Find it a place, and start the clock of the first head."""
        super().connection_made(transport)
        if self._connections.enter(self):
            self._expect_head()
        else:
            transport.write(_FULL)
            transport.close()

    def data_received(self, data: bytes) -> None:
        """A part of a head has to be followed by the rest of it."""
        super().data_received(data)
        if self.transport.get_protocol() is not self:
            return  # a websocket's by now
        if self.is_idle:
            self._expect_head()
        else:
            self._forget_head()

    def on_response_complete(self) -> None:
        """From here on it is idle, unless the next request is there already."""
        self._connections.rest(self)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """More is unsent than is good: watch how it goes."""
        super().pause_writing()
        self._watch_reader(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Enough was read."""
        self._forget_reader()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Idle for long: whoever has not read its answer by now does not want it."""
        super().timeout_keep_alive_handler()
        if self.transport.get_write_buffer_size():
            self.hang_up()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """The head is whole: from here on the websocket's own protocol watches the time."""
        self._forget_head()
        self._connections.leave(self)
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._forget_head()
        self._forget_reader()
        self._connections.leave(self)
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_WITHIN_S, self.hang_up)

    def _forget_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _watch_reader(self, unsent: int) -> None:
        self._unsent = unsent
        self._send_timer = self.loop.call_later(SEND_WITHIN_S, self._judge_reader)

    def _judge_reader(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        if self._unsent - unsent < SEND_BYTES_MIN:
            self.hang_up()
        else:
            self._watch_reader(unsent)

    def _forget_reader(self) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None

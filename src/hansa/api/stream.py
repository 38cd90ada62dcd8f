"""The event stream: server-sent events, resumed where they stopped, without loss or doubles.

A stream holds no queue: it takes pages from the read model, at its reader's pace, from its cursor.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get
from litestar.params import Parameter
from litestar.response import Stream
from sqlalchemy import select

from hansa.api.explorer import (
    AppFilter,
    TypeFilter,
    build_event_filter,
    describe_block,
    describe_event,
)
from hansa.api.gate import Gate, TheGate, TheViewer
from hansa.api.guard import at_end
from hansa.api.limits import HEARTBEAT_S, STREAM_PAGE
from hansa.api.problems import Refusal, refuse_parameter
from hansa.index.entries import open_events
from hansa.index.faults import IndexFault
from hansa.index.pages import Page, Row
from hansa.index.sight import STRANGER, Viewer

# Beyond every event of a block.
ORDINAL_MAX: Final = 2**31 - 1
Cursor = tuple[int, int]
_RETRY_MS: Final = 1_000


@get(
    "/v1/events/stream",
    tags=["explorer"],
    summary="Events as they happen",
    description=(
        "Server-sent events. `id` is the event's id: a client that comes back with `Last-Event-ID` "
        "(or `since`) misses none and sees none twice. Without either, it begins with now. With "
        "`blocks` each block follows its events, as an event `block` with the block's counts."
    ),
    media_type="text/event-stream",
    opt={"produces": "stream"},
)
async def stream_events(
    request: Request[Any, Any, Any],
    gate: TheGate,
    viewer: TheViewer,
    app: AppFilter = "",
    type_: TypeFilter = "",
    since: Annotated[
        str, Parameter(max_length=32, description="Id after which to begin; 0 for the first event.")
    ] = "",
    blocks: Annotated[bool, Parameter(description="Tell of every block too.")] = False,
) -> Stream:
    """Open a stream."""
    keep = build_event_filter(gate, app, type_)
    resumed = request.headers.get("last-event-id") or since
    cursor = _parse_cursor(resumed) if resumed else (gate.index.height, ORDINAL_MAX)
    at_end(request.scope, gate.streams.take(viewer.account))
    at_end(request.scope, gate.pulse.begin_waiting())
    return Stream(
        _Source(gate, _find_token(request), keep, cursor, with_blocks=blocks).run(),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


def _parse_cursor(text: str) -> Cursor:
    height, sep, ordinal = text.partition("-")
    parts = [height, ordinal] if sep else [height]
    if not all(part.isascii() and part.isdigit() and len(part) <= 15 for part in parts):
        raise refuse_parameter("since", "not the id of an event")
    return (int(height), int(ordinal) if sep else ORDINAL_MAX)


def _find_token(request: Request[Any, Any, Any]) -> str:
    return request.headers.get("authorization", "").partition(" ")[2]


class _Source:
    """One stream's place in the read model."""

    def __init__(
        self,
        gate: Gate,
        token: str,
        keep: Callable[[Row], bool],
        cursor: Cursor,
        *,
        with_blocks: bool,
    ) -> None:
        self._gate = gate
        self._token = token
        self._keep = keep
        self._cursor = cursor
        # The last block that was told of, whole with all its events; None: blocks are not wanted.
        told = cursor[0] if cursor[1] == ORDINAL_MAX else cursor[0] - 1
        self._told = told if with_blocks else None

    async def run(self) -> AsyncGenerator[bytes, None]:
        """Events for ever, heartbeats between; ends with the session."""
        yield f"retry: {_RETRY_MS}\n\n".encode()
        while True:
            growth = self._gate.pulse.next_growth()
            try:
                page, bound = await self._gate.run(self._take)
            except (Refusal, IndexFault) as end:
                yield f"event: end\ndata: {end.code}\n\n".encode()
                return
            for row in page.rows:
                async for block in self._tell_blocks(row["height"] - 1):
                    yield block
                yield _format(row)
            self._advance(page, bound)
            if page.next is None:
                async for block in self._tell_blocks(bound):
                    yield block
            if page.next is None and not await self._wait(growth):
                height, ordinal = self._cursor
                mark = f"{height}" if ordinal == ORDINAL_MAX else f"{height}-{ordinal}"
                yield f": heartbeat\nid: {mark}\n\n".encode()

    def _take(self) -> tuple[Page, int]:
        """The next page, as what the session may see now, and the height that it covers."""
        viewer: Viewer = STRANGER
        if self._token:
            viewer = self._gate.sessions.get(self._token).viewer
        bound = self._gate.index.height
        page = open_events(self._gate.index).list_visible(
            viewer, after=self._cursor, limit=STREAM_PAGE, keep=self._keep
        )
        return page, bound

    async def _tell_blocks(self, bound: int) -> AsyncGenerator[bytes, None]:
        """Blocks not told of yet, up to `bound`: each after its events and before later ones."""
        while self._told is not None and self._told < bound:
            last = min(self._told + STREAM_PAGE, bound)
            for row in await self._gate.run(self._take_blocks, self._told, last):
                yield _format_block(row)
            self._told = last

    def _take_blocks(self, told: int, last: int) -> list[Row]:
        table = self._gate.index.tables.blocks
        query = select(table).where(table.c.height > told, table.c.height <= last)
        with self._gate.index.reading() as connection:
            return list(connection.execute(query.order_by(table.c.height)).mappings())

    def _advance(self, page: Page, bound: int) -> None:
        if page.next is not None:
            self._cursor = (int(page.next[0]), int(page.next[1]))
            return
        last = page.rows[-1] if page.rows else None
        ends = [self._cursor, (bound, ORDINAL_MAX)]
        if last is not None:
            ends.append((last["height"], last["ordinal"]))
        self._cursor = max(ends)

    async def _wait(self, growth: asyncio.Event) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT_S):
                await growth.wait()
                return True
        return False


def _format(row: Row) -> bytes:
    event = describe_event(row)
    data = msgspec.json.encode(event).decode()
    return f"id: {event.id}\nevent: {event.app}.{event.type}\ndata: {data}\n\n".encode()


def _format_block(row: Row) -> bytes:
    data = msgspec.json.encode(describe_block(row)).decode()
    return f"id: {row['height']}\nevent: block\ndata: {data}\n\n".encode()

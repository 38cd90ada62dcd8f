"""What is new, as it comes: the API's stream told in rows of the visitor's words.

One stream of the API for each that is open here; it ends with the session.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

import msgspec

from hansa.console.answers import Answer
from hansa.console.asking import ApiProblem, Value
from hansa.console.pages.explorer_rows import tell_block, tell_event
from hansa.console.problems import refuse_address
from hansa.console.routing import page
from hansa.console.visit import Visit

_KINDS: Final = frozenset({"blocks", "events"})
# A message of the stream is a block's counts or one event.
_PART_MAX: Final = 2_000_000


@page("GET", "/explorer/live/{kind}")
async def follow(visit: Visit) -> Answer:
    """Server-sent events `row` with the cells of a row, `id` to come back to, for live.js."""
    kind = visit.parts["kind"]
    if kind not in _KINDS:
        raise refuse_address()
    params: dict[str, Value] = {"since": visit.query.get("since", "")}
    for name in ("app", "type"):
        params[name] = visit.query.get(name, "")
    params["blocks"] = kind == "blocks"
    return visit.stream(tell_rows(visit, kind, params))


async def tell_rows(
    visit: Visit, kind: str, params: dict[str, Value]
) -> AsyncGenerator[bytes, None]:
    """Rows out of the API's stream; a refusal is told as its end."""
    async with aclosing(_read(visit, params)) as messages:
        try:
            async for fields in messages:
                told = await _tell(visit, kind, fields)
                if told:
                    yield told
        except ApiProblem as problem:
            yield f"event: end\ndata: {problem.code}\n\n".encode("ascii", "replace")


async def _read(visit: Visit, params: dict[str, Value]) -> AsyncGenerator[dict[str, str], None]:
    """Messages of the API's stream, each as its fields ("" is a comment)."""
    rest = b""
    async with aclosing(visit.api.stream("/v1/events/stream", params)) as parts:
        async for part in parts:
            rest += part
            *whole, rest = rest.split(b"\n\n")
            if len(rest) > _PART_MAX:
                return
            for each in whole:
                lines = each.decode().split("\n")
                yield {name: text for name, _sep, text in (line.partition(": ") for line in lines)}


async def _tell(visit: Visit, kind: str, fields: dict[str, str]) -> bytes:
    name, data = fields.get("event", ""), fields.get("data", "")
    if name == "end":
        return f"event: end\ndata: {data}\n\n".encode("ascii", "replace")
    if not data:
        return f"id: {fields.get('id', '')}\nevent: beat\ndata: .\n\n".encode()
    if (name == "block") != (kind == "blocks"):
        return b""
    body: dict[str, Any] = msgspec.json.decode(data)
    row = tell_block(visit, body) if kind == "blocks" else await tell_event(visit, body)
    shown = {part: row[part] for part in ("key", "href", "cells")}
    told = msgspec.json.encode(shown).decode()
    return f"id: {fields.get('id', '')}\nevent: row\ndata: {told}\n\n".encode()

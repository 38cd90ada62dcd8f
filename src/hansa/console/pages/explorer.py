"""The explorer: blocks, transactions, refusals and events, as far as the visitor may see them."""

import asyncio
import re
from typing import Any, Final

from hansa.console.answers import Answer
from hansa.console.asking import Value, join_path
from hansa.console.charts import BlockLoad, draw_throughput
from hansa.console.describing import describe_all
from hansa.console.looking import make_frame, make_time_format
from hansa.console.pages.explorer_rows import (
    tell_block,
    tell_events,
    tell_messages,
    tell_transaction,
)
from hansa.console.problems import refuse_input
from hansa.console.routing import page
from hansa.console.visit import Visit

# Rows of a list, of each list of the first page, and blocks behind its picture.
ROWS: Final = 50
ROWS_FIRST: Final = 12
_BLOCKS_DRAWN: Final = 200
_HEIGHT: Final = re.compile(r"[0-9]{1,15}")
_TRANSACTION: Final = re.compile(r"[0-9a-f]{64}")
_DID: Final = re.compile(r"did:hansa:[a-z2-7]{32}")


@page("GET", "/explorer")
async def show_explorer(visit: Visit) -> Answer:
    """The newest of everything, live, and how much the ledger carries; with `q` a search."""
    asked = visit.query.get("q", "").strip()
    if asked:
        return _find(visit, asked)
    service, blocks, events, messages = await asyncio.gather(
        visit.api.get("/v1/status"),
        visit.api.get("/v1/blocks", limit=_BLOCKS_DRAWN),
        visit.api.get("/v1/events", limit=ROWS_FIRST),
        visit.api.get("/v1/messages", limit=ROWS_FIRST, code="rejected"),
    )
    _ = visit.words
    loads = [
        BlockLoad(each["height"], each["time_ms"], each["transactions"], each["messages"])
        for each in blocks["items"]
    ]
    frame = make_frame(
        visit,
        "throughput",
        _("What the ledger carries"),
        _("Messages in equal stretches of time, over the latest {count} blocks.", count=len(loads)),
    )
    picture = draw_throughput(
        frame, loads, format_time=make_time_format(visit), format_value=visit.writing.number
    )
    return visit.render(
        "explorer/overview.html",
        service=service,
        picture=picture,
        blocks=[tell_block(visit, each) for each in blocks["items"][:ROWS_FIRST]],
        events=await tell_events(visit, events["items"]),
        refusals=await tell_messages(visit, messages["items"]),
        live=_live(visit, "blocks", str(service["index_height"])),
    )


def _find(visit: Visit, asked: str) -> Answer:
    """To the page of a height, a transaction or an account. Raises ApiProblem."""
    if _HEIGHT.fullmatch(asked):
        return visit.redirect(join_path("explorer", "blocks", asked))
    if _TRANSACTION.fullmatch(asked.lower()):
        return visit.redirect(join_path("transactions", asked.lower()))
    if _DID.fullmatch(asked):
        return visit.redirect(join_path("league", "members", asked))
    raise refuse_input(
        visit.words("There is nothing of that name in the explorer."),
        visit.words(
            "Give the height of a block, the 64 characters of a transaction, or a member's DID."
        ),
    )


@page("GET", "/explorer/blocks")
async def show_blocks(visit: Visit) -> Answer:
    """Blocks, newest first; empty ones only when asked for."""
    found = await visit.api.get("/v1/blocks", limit=ROWS, after=visit.query.get("after", ""))
    rows = [tell_block(visit, each) for each in found["items"]]
    return visit.render(
        "explorer/blocks.html",
        blocks=rows,
        next=found["next"],
        live=_live(visit, "blocks", rows[0]["key"] if rows else "0"),
    )


@page("GET", "/explorer/blocks/{height}")
async def show_block(visit: Visit) -> Answer:
    """One block, and what of it the visitor may see."""
    height = visit.parts["height"]
    block = await visit.api.get(join_path("v1", "blocks", height))
    transactions, messages, events, service = await asyncio.gather(
        visit.api.get("/v1/transactions", height=height, limit=ROWS, order="oldest"),
        visit.api.get("/v1/messages", height=height, limit=ROWS, order="oldest"),
        visit.api.get("/v1/events", height=height, limit=ROWS, order="oldest"),
        visit.api.get("/v1/status"),
    )
    has_more = any(each["next"] for each in (transactions, messages, events))
    return visit.render(
        "explorer/block.html",
        block=block,
        base=service["base"],
        newest=service["index_height"],
        transactions=[tell_transaction(visit, each) for each in transactions["items"]],
        messages=await tell_messages(visit, messages["items"]),
        events=await tell_events(visit, events["items"]),
        has_more=has_more,
    )


@page("GET", "/explorer/transactions")
async def show_transactions(visit: Visit) -> Answer:
    """Transactions that the visitor may see, newest first."""
    filters = _read_filters(visit, "height")
    found = await visit.api.get(
        "/v1/transactions", filters, limit=ROWS, after=visit.query.get("after", "")
    )
    return visit.render(
        "explorer/transactions.html",
        transactions=[tell_transaction(visit, each) for each in found["items"]],
        next=found["next"],
    )


@page("GET", "/explorer/rejections")
async def show_rejections(visit: Visit) -> Answer:
    """Refused messages that the visitor may see, each with its rule and what to do."""
    filters = {"code": "rejected", **_read_filters(visit, "app", "type", "code", "height")}
    found = await visit.api.get(
        "/v1/messages", filters, limit=ROWS, after=visit.query.get("after", "")
    )
    return visit.render(
        "explorer/rejections.html",
        refusals=await tell_messages(visit, found["items"]),
        next=found["next"],
        applications=await _list_types(visit, "messages"),
    )


@page("GET", "/explorer/events")
async def show_events(visit: Visit) -> Answer:
    """Events that the visitor may see, newest first, live."""
    filters = _read_filters(visit, "app", "type", "height")
    found = await visit.api.get(
        "/v1/events", filters, limit=ROWS, after=visit.query.get("after", "")
    )
    service = await visit.api.get("/v1/status")
    return visit.render(
        "explorer/events.html",
        events=await tell_events(visit, found["items"]),
        next=found["next"],
        live=""
        if "height" in filters
        else _live(visit, "events", str(service["index_height"]), **filters),
        applications=await _list_types(visit, "events"),
    )


def _live(visit: Visit, kind: str, since: str, **filters: Value) -> str:
    """Address of what is new on this list; only its first page grows."""
    if visit.query.get("after"):
        return ""
    return visit.link(join_path("explorer", "live", kind), since=since, **filters)


def _read_filters(visit: Visit, *names: str) -> dict[str, Value]:
    return {name: visit.query[name] for name in names if visit.query.get(name)}


async def _list_types(visit: Visit, sort: str) -> list[dict[str, Any]]:
    """Applications with their events or messages, for filters."""
    return [
        {"name": about.name, "title": about.title, "types": sorted(getattr(about, sort))}
        for about in await describe_all(visit)
        if getattr(about, sort)
    ]

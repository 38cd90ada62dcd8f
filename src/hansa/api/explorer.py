"""Routes of blocks, message results and events, as lists."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import Parameter, QueryParameter
from sqlalchemy import select

from hansa.api.gate import Gate, TheGate, TheViewer
from hansa.api.problems import refuse_parameter, refuse_unseen
from hansa.api.query import (
    LIMIT_DEFAULT,
    After,
    HeightText,
    Limit,
    Order,
    decode_cursor,
    decode_number,
    encode_cursor,
)
from hansa.api.threads import threaded
from hansa.api.views import (
    BlockPage,
    BlockView,
    EventPage,
    EventView,
    MessageEntry,
    MessagePage,
)
from hansa.index.entries import open_events, open_messages
from hansa.index.pages import Branch, Key, Row, collect_page
from hansa.ledger.receipts import OK

AppFilter = Annotated[str, Parameter(max_length=64, description="Only of this application.")]
TypeFilter = Annotated[
    str, QueryParameter(name="type", max_length=64, description="Only of this type.")
]
CodeFilter = Annotated[
    str, Parameter(max_length=128, description="Only with this code; `rejected` for all but ok.")
]
HeightFilter = Annotated[
    str,
    QueryParameter(name="height", pattern="^[0-9]{0,15}$", description="Only of this block."),
]
REJECTED = "rejected"


def read_height(text: str) -> int | None:
    """The block of a filter; None: of all."""
    return decode_number(text) if text else None


@get("/v1/blocks", tags=["explorer"], summary="Blocks")
@threaded
def list_blocks(
    gate: TheGate, after: After = "", limit: Limit = LIMIT_DEFAULT, order: Order = "newest"
) -> BlockPage:
    """A page of blocks."""
    table = gate.index.tables.blocks
    is_newest = order == "newest"
    ordered = select(table).order_by(table.c.height.desc() if is_newest else table.c.height)
    with gate.index.reading() as connection:

        def fetch(beyond: Key | None, count: int) -> list[Row]:
            query = ordered
            if beyond is not None:
                height = table.c.height
                query = query.where(height < beyond[0] if is_newest else height > beyond[0])
            return list(connection.execute(query.limit(count)).mappings())

        page = collect_page(
            [Branch(fetch)],
            key_of=lambda row: (row["height"],),
            after=decode_cursor(after, int),
            limit=limit,
            descending=is_newest,
        )
    return BlockPage([describe_block(row) for row in page.rows], encode_cursor(page.next))


@get("/v1/blocks/{height:str}", tags=["explorer"], summary="One block")
@threaded
def get_block(height: HeightText, gate: TheGate) -> BlockView:
    """One block by its height."""
    table = gate.index.tables.blocks
    query = select(table).where(table.c.height == decode_number(height))
    with gate.index.reading() as connection:
        row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise refuse_unseen()
    return describe_block(row)


def describe_block(row: Row) -> BlockView:
    """A block as lists and streams show it."""
    return BlockView(**{name: row[name] for name in BlockView.__struct_fields__})


@get(
    "/v1/messages",
    tags=["explorer"],
    summary="Results of messages that the asker may see",
    description="Refusals included, each with its rule: what a regulator watches.",
)
@threaded
def list_messages(
    gate: TheGate,
    viewer: TheViewer,
    after: After = "",
    limit: Limit = LIMIT_DEFAULT,
    order: Order = "newest",
    app: AppFilter = "",
    type_: TypeFilter = "",
    code: CodeFilter = "",
    height: HeightFilter = "",
) -> MessagePage:
    """A page of message results."""

    def keep(row: Row) -> bool:
        is_code = row["code"] != OK if code == REJECTED else code in ("", row["code"])
        return is_code and _is_of(row, app, type_)

    page = open_messages(gate.index).list_visible(
        viewer,
        after=decode_cursor(after, int, int),
        limit=limit,
        descending=order == "newest",
        height=read_height(height),
        keep=keep,
    )
    items = [_describe_message(gate, row) for row in page.rows]
    return MessagePage(items, encode_cursor(page.next))


def _is_of(row: Row, app: str, type_: str) -> bool:
    return app in ("", row["app"]) and type_ in ("", row["type"])


def _describe_message(gate: Gate, row: Row) -> MessageEntry:
    params = msgspec.json.decode(row["params"])
    text, rule, remedy = gate.words.describe(row["code"], params)
    return MessageEntry(
        height=row["height"],
        transaction=row["transaction"],
        index=row["number"],
        app=row["app"],
        type=row["type"],
        sender=row["sender"],
        digest=row["digest"],
        code=row["code"],
        params=params,
        text=text,
        rule=rule,
        remedy=remedy,
    )


@get(
    "/v1/events",
    tags=["explorer"],
    summary="Events that the asker may see",
)
@threaded
def list_events(
    gate: TheGate,
    viewer: TheViewer,
    after: After = "",
    limit: Limit = LIMIT_DEFAULT,
    order: Order = "newest",
    app: AppFilter = "",
    type_: TypeFilter = "",
    height: HeightFilter = "",
) -> EventPage:
    """A page of events."""
    page = open_events(gate.index).list_visible(
        viewer,
        after=decode_cursor(after, int, int),
        limit=limit,
        descending=order == "newest",
        height=read_height(height),
        keep=build_event_filter(gate, app, type_),
    )
    return EventPage([describe_event(row) for row in page.rows], encode_cursor(page.next))


def build_event_filter(gate: Gate, app: str, type_: str) -> Callable[[Row], bool]:
    """Keeps events of an application and a type. Raises Refusal for one that does not exist."""
    if app and app not in gate.applications:
        raise refuse_parameter("app", "no such application")
    if type_ and not any(name == type_ and app in ("", of) for of, name in gate.shape.events):
        raise refuse_parameter("type", "no such event")
    return lambda row: _is_of(row, app, type_)


def describe_event(row: Row) -> EventView:
    """An event as lists and streams show it."""
    return EventView(
        id=f"{row['height']}-{row['ordinal']}",
        height=row["height"],
        transaction=row["transaction"],
        message=row["number"],
        app=row["app"],
        type=row["type"],
        body=msgspec.json.decode(row["body"]),
    )

"""Food: find an item; what is known of it, as pictures and lists; recalls and whom they reach."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import segno

from hansa.console.answers import Answer
from hansa.console.asking import ApiProblem, join_path
from hansa.console.browser_packages import JSQR, describe_address
from hansa.console.charts.pruning import Mark
from hansa.console.food_names import (
    is_element,
    make_label_path,
    name_item,
    name_place,
    tell_step,
    write_unit,
)
from hansa.console.food_pictures import draw_graph, draw_readings, draw_steps
from hansa.console.problems import refuse_address
from hansa.console.routing import page
from hansa.console.visit import Visit

APP: Final = "food_trace"
TRACE: Final = "/food-trace/trace"
TABLES: Final = f"/v1/apps/{APP}/tables"
ROWS: Final = 20
_FLAGS: Final = 200
# What a recall reaches that is near enough to be in a picture.
_REACHED: Final = 2_000
# Steps on one page of an item; earlier ones are on the next.
_STEPS: Final = 100
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,14}")
_GTIN: Final = re.compile(r"[0-9]{8}|[0-9]{12,14}")
# Tones of states: of a label, a flag, a test, a recall.
TONES: Final = {
    "clear": "good",
    "stopped": "busy",
    "recalled": "bad",
    "unknown": "quiet",
    "OPEN": "bad",
    "RELEASED": "quiet",
    "CLOSED": "quiet",
    "pass": "good",
    "fail": "bad",
}


@page("GET", "/food")
async def show_food(visit: Visit) -> Answer:
    """Find an item by whatever is printed on it; what is recalled or stopped now."""
    asked = visit.query.get("q", "").strip()
    lots: list[dict[str, Any]] = []
    if asked:
        item = await _find_item(visit, asked)
        if item:
            return visit.redirect(join_path("food", "items", item))
        lots = await _find_product(visit, asked)
        if not lots:
            visit.note("warning", visit.words("The ledger knows no item of that name."))
    recalls, flags, own = await asyncio.gather(
        list_rows(visit, "recalls", status="OPEN"),
        list_rows(visit, "flags", status="OPEN"),
        list_rows(visit, "items", member=visit.member) if visit.member else _nothing(),
    )
    members = [each["member"] for each in [*recalls, *own, *lots]]
    return visit.render(
        "food/food.html",
        asked=asked,
        lots=lots,
        recalls=recalls,
        flags=[each for each in flags if each["kind"] != "recall"],
        own=own,
        names=await visit.names_of(members),
        item_of=lambda element: name_item(visit.words, element),
        tones=TONES,
        library=describe_address(JSQR),
    )


@page("GET", "/food/items/{item}")
async def show_item(visit: Visit) -> Answer:
    """One item: state, lineage, steps, temperatures, results, flags, its label as a QR code."""
    item = visit.parts["item"]
    if not is_element(item):
        raise refuse_address()
    trail, lineage, readings, label = await asyncio.gather(
        visit.api.get(f"{TRACE}/trail", item=item, limit=_STEPS, before=_read_before(visit)),
        visit.api.get(f"{TRACE}/lineage", item=item),
        visit.api.get(f"{TRACE}/readings", item=item),
        _find_label(visit, item),
    )
    graph = lineage["lineage"]
    marks = await find_marks(visit, [each["id"] for each in graph["nodes"]])
    if label and label["label"]["state"] == "recalled":
        marks[item] = "recalled"
    elif label and label["label"]["state"] == "stopped":
        marks.setdefault(item, "flagged")
    found = trail["item"]
    path = make_label_path(item)
    members = {**trail["members"], **(label["members"] if label else {})}
    return visit.render(
        "food/item.html",
        item=found,
        name=name_item(visit.words, item),
        state=_read_state(found, label),
        label=label["label"] if label else None,
        lineage=draw_graph(visit, lineage, marks),
        is_cut=bool(graph["cut"]),
        steps=draw_steps(visit, trail),
        readings=draw_readings(visit, readings),
        check=trail["check"],
        is_trail_cut=bool(trail["cut"]),
        earlier=trail["next"],
        members=members,
        place_of=lambda place: name_place(visit.words, place, trail["places"]),
        item_of=lambda element: name_item(visit.words, element),
        step_of=lambda step: tell_step(visit.words, step),
        unit_of=write_unit,
        amounts=_list_amounts(visit, found),
        tones=TONES,
        label_path=path,
        qr=draw_qr(visit.origin + path) if path else "",
    )


def _read_before(visit: Visit) -> int | None:
    """Before which step the page's steps end; None for the last ones."""
    asked = visit.query.get("before", "")
    return int(asked) if _NUMBER.fullmatch(asked) else None


async def _find_item(visit: Visit, asked: str) -> str:
    """The item that a text names, "" when the ledger knows none."""
    text = asked
    if re.match(r"https?://[^/]+/id/", asked):
        text = asked.partition("/id/")[2].partition("?")[0]
    try:
        found = await visit.api.get(f"{TRACE}/trail", item=text, limit=1)
    except ApiProblem as problem:
        if problem.status >= 500:
            raise
        return ""
    return str(found["item"]["id"])


async def _find_product(visit: Visit, asked: str) -> list[dict[str, Any]]:
    """Items of a product, by its GTIN with or without leading zeros."""
    digits = asked.removeprefix("(01)").replace(" ", "")
    if _GTIN.fullmatch(digits) is None:
        return []
    return await list_rows(visit, "items", product=f"01.{digits.zfill(14)}")


async def _find_label(visit: Visit, item: str) -> dict[str, Any] | None:
    """The label of an item that can have one."""
    path = make_label_path(item)
    if not path:
        return None
    found: dict[str, Any] = await visit.api.get(f"{TRACE}/label{path.removeprefix('/id')}")
    return found


def _read_state(item: Mapping[str, Any], label: Mapping[str, Any] | None) -> str:
    if label is not None:
        return str(label["label"]["state"])
    return "stopped" if item["flags"] else "clear"


async def list_rows(visit: Visit, table: str, **filters: str) -> list[dict[str, Any]]:
    """Rows of a table that the visitor sees; none when it is not for the visitor."""
    try:
        found = await visit.api.get(f"{TABLES}/{table}", filters, limit=ROWS)
    except ApiProblem as problem:
        if problem.status >= 500:
            raise
        return []
    return list(found["items"])


async def _nothing() -> list[dict[str, Any]]:
    return []


async def find_marks(visit: Visit, items: Iterable[str]) -> dict[str, Mark]:
    """Which of some items are stopped by a flag of their own, or reached by a recall."""
    wanted = set(items)
    rows = await visit.api.get(f"{TABLES}/flags", status="OPEN", limit=_FLAGS)
    marks: dict[str, Mark] = {}
    recalled = []
    for flag in rows["items"]:
        if flag["item"] not in wanted:
            continue
        marks[flag["item"]] = "flagged"
        if flag["kind"] == "recall":
            recalled.append(flag["item"])
    for root in recalled[:ROWS]:
        reached = await visit.api.get(f"{TRACE}/recall", item=root, limit=_REACHED)
        for each in reached["recall"]["affected"]:
            if each["item"] in wanted:
                marks[each["item"]] = "recalled"
    return marks


def _list_amounts(visit: Visit, item: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Unit, made and used of each account."""
    write = visit.writing.scaled
    return [
        (
            write_unit(each["uom"]) or visit.words("pieces"),
            write(each["made"], each["scale"]),
            write(each["used"], each["scale"]),
        )
        for each in item["accounts"]
    ]


def draw_qr(address: str) -> str:
    """A QR code as a data address: black on white, whatever the page's colours."""
    code = segno.make(address, error="m", micro=False)
    return str(code.svg_data_uri(border=3, dark="#000", light="#fff", scale=4))

"""Recalls: what they reach and who has it, as a page and as a list for spreadsheets."""

import re
from typing import Any, Final

from hansa.console.answers import Answer
from hansa.console.asking import join_path
from hansa.console.food_names import is_element, name_item
from hansa.console.food_pictures import Holder, group_holders
from hansa.console.pages.food import APP, TABLES, TONES, TRACE
from hansa.console.problems import refuse_address
from hansa.console.routing import page
from hansa.console.spreadsheet import BOM, write_row
from hansa.console.templates import shorten
from hansa.console.visit import Visit
from hansa.locales.words import mark
from hansa.locales.writing import format_iso

_PAGE: Final = 50
# Items that one page lists; the file has all.
ITEMS_SHOWN: Final = 200
_NAME: Final = re.compile(r"[A-Za-z0-9._:+#~-]{1,128}")
SENTENCES: Final[dict[str, str]] = {
    "here": mark("last seen here"),
    "inside": mark("packed inside this unit"),
    "ended": mark("used up, sold or destroyed here"),
    "seen": mark("an amount of it was handled here"),
}


@page("GET", "/food/recalls")
async def show_recalls(visit: Visit) -> Answer:
    """All recalls, open ones first."""
    status = visit.query.get("status", "")
    found = await visit.api.get(
        f"{TABLES}/recalls", status=status, limit=_PAGE, after=visit.query.get("after", "")
    )
    rows = sorted(found["items"], key=lambda each: (each["status"] != "OPEN", -each["opened_ms"]))
    return visit.render(
        "food/recalls.html",
        recalls=rows,
        next=found["next"],
        names=await visit.names_of([each["member"] for each in rows]),
        item_of=lambda element: name_item(visit.words, element),
        tones=TONES,
    )


@page("GET", "/food/recalls/{recall}")
async def show_recall(visit: Visit) -> Answer:
    """One recall: whom it reaches, by holder and place."""
    identity = visit.parts["recall"]
    record, reached = await _ask_recall(visit, identity)
    return await _show(
        visit, reached, record=record, address=join_path("food", "recalls", identity)
    )


@page("GET", "/food/recalls/{recall}/list.csv")
async def get_recall_list(visit: Visit) -> Answer:
    """The same as a list."""
    identity = visit.parts["recall"]
    _record, reached = await _ask_recall(visit, identity)
    return _write_list(visit, reached, identity)


@page("GET", "/food/reach/{item}")
async def show_reach(visit: Visit) -> Answer:
    """What a recall of an item would reach, before anybody opens one."""
    item = visit.parts["item"]
    reached = await _ask_reach(visit, item)
    return await _show(visit, reached, record=None, address=join_path("food", "reach", item))


@page("GET", "/food/reach/{item}/list.csv")
async def get_reach_list(visit: Visit) -> Answer:
    """The same as a list."""
    item = visit.parts["item"]
    return _write_list(visit, await _ask_reach(visit, item), item)


async def _ask_recall(visit: Visit, identity: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if _NAME.fullmatch(identity) is None:
        raise refuse_address()
    record = await visit.api.get(join_path("v1", "apps", APP, "recall", identity))
    return record, await visit.api.get(f"{TRACE}/recall", recall=identity)


async def _ask_reach(visit: Visit, item: str) -> dict[str, Any]:
    if not is_element(item):
        raise refuse_address()
    found: dict[str, Any] = await visit.api.get(f"{TRACE}/recall", item=item)
    return found


async def _show(
    visit: Visit, reached: dict[str, Any], *, record: dict[str, Any] | None, address: str
) -> Answer:
    recall = reached["recall"]
    holders: list[Holder] = group_holders(visit, reached)
    asked = [record["member"]] if record else []
    return visit.render(
        "food/recall.html",
        record=record,
        recall=recall,
        holders=holders,
        roots=[name_item(visit.words, each) for each in recall["roots"]],
        affected=recall["affected"][:ITEMS_SHOWN],
        total=len(recall["affected"]),
        members=reached["members"],
        names=await visit.names_of(asked),
        item_of=lambda element: name_item(visit.words, element),
        status_of=lambda status: _tell_status(visit, status),
        tones=TONES,
        list_address=f"{address}/list.csv",
    )


def _write_list(visit: Visit, reached: dict[str, Any], name: str) -> Answer:
    """Every holding in a line: who, where, what, how, when."""
    words = visit.words
    heads: tuple[str, ...] = (
        words("Member"),
        "DID",
        words("Place"),
        words("Item"),
        words("How"),
        words("First"),
        words("Last"),
        words("Affected contents"),
    )
    lines = [write_row(heads)]
    for holder in group_holders(visit, reached):
        for place, rows in holder.places:
            for each in rows:
                cells = (
                    holder.name,
                    holder.member,
                    place,
                    each["item"],
                    _tell_status(visit, each["status"]),
                    _write_time(each["first_ms"]),
                    _write_time(each["last_ms"]),
                    " ".join(each["contents"]),
                )
                lines.append(write_row(cells))
    plain = re.sub(r"[^A-Za-z0-9]+", "-", shorten(name)).strip("-") or "list"
    return visit.file(f"recall-{plain}.csv", "text/csv; charset=utf-8", BOM + b"".join(lines))


def _tell_status(visit: Visit, status: str) -> str:
    """What is known of an item at a place."""
    return visit.words(SENTENCES[status]) if status in SENTENCES else status


def _write_time(time_ms: int | None) -> str:
    return "" if time_ms is None else format_iso(time_ms)

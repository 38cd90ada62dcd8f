"""Lists: rows of an application's tables and records of its kinds, with filters that are links,
totals, and all rows as CSV.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from babel.numbers import get_decimal_symbol

from hansa.console.answers import Answer
from hansa.console.asking import join_path
from hansa.console.describing import Described, describe, need
from hansa.console.forms.options import list_members
from hansa.console.forms.shape import Shape
from hansa.console.listing import (
    TYPED,
    Filters,
    is_ranged,
    list_names,
    read_filters,
    write_exact,
)
from hansa.console.people import name_all
from hansa.console.problems import refuse_address
from hansa.console.routing import page
from hansa.console.spreadsheet import BOM, write_row
from hansa.console.values import Reader, Shown
from hansa.console.visit import Visit

_PAGE: Final = 50
_CSV_PAGE: Final = 200
# Columns that a list shows unless others are chosen.
_COLUMNS_SHOWN: Final = 8


@dataclass(slots=True)
class Listing:
    """One list as it is asked for. `columns`: all; `shown`: those of the page."""

    about: Described
    name: str
    kind: str
    columns: list[Shape]
    shown: list[Shape]
    filters: Filters
    totals: Sequence[str] = ()
    unit: str = ""
    path: str = ""
    by: str = ""
    decimal: str = "."
    rows: list[tuple[str, list[Shown]]] = field(default_factory=list)


@page("GET", "/apps/{app}/tables/{table}")
async def show_table(visit: Visit) -> Answer:
    """A page of rows of a table."""
    listing = await _open_table(visit)
    if redirect := _tidy_address(visit, listing):
        return redirect
    address = join_path("v1", "apps", listing.about.name, "tables", listing.name)
    rows: dict[str, Any] = {"items": [], "next": None}
    groups: list[dict[str, Any]] = []
    if not listing.filters.faults:
        asked = listing.filters.asked
        found = await asyncio.gather(
            visit.api.get(address, asked, after=visit.query.get("after", ""), limit=_PAGE),
            visit.api.get(f"{address}/totals", asked, group_by=listing.by),
        )
        rows, groups = found[0], found[1]["items"]
    reader = await _read_rows(visit, listing, rows["items"])
    return visit.render(
        "applications/table.html",
        listing=listing,
        about=listing.about,
        title=visit.words.of("table", f"{listing.about.name}.{listing.name}"),
        next=rows["next"],
        groups=[_show_group(reader, listing, each) for each in groups],
        count=sum(each["count"] for each in groups),
        members=await list_members(visit),
        reader=reader,
        fields=_list_fields(listing),
        chips=_list_chips(visit, listing, reader),
    )


@page("GET", "/apps/{app}/tables/{table}/csv")
async def export_table(visit: Visit) -> Answer:
    """All rows of a table under its filters, as CSV, as they come."""
    listing = await _open_table(visit)
    if listing.filters.faults:
        return visit.redirect(visit.link(listing.path, **visit.query))
    name = f"{listing.about.name}-{listing.name}.csv"
    answer = visit.stream(_write_csv(visit, listing), media="text/csv; charset=utf-8")
    answer.add("content-disposition", f'attachment; filename="{name}"')
    return answer


@page("GET", "/apps/{app}/records/{kind}")
async def show_kind(visit: Visit) -> Answer:
    """Records of a kind that the visitor may read: for kinds without a table."""
    about = await describe(visit, visit.parts["app"])
    kind = visit.parts["kind"]
    shape = need(about.record(kind))
    columns = [each for each in shape.fields if each.is_flat and each.kind != "constant"]
    query = {
        name: text for name, text in visit.query.items() if not name.endswith(("_min", "_max"))
    }
    listing = Listing(
        about=about,
        name=kind,
        kind=kind,
        columns=columns,
        shown=_choose_columns(visit, columns, ()),
        filters=read_filters(columns, query, _decimal(visit)),
        path=join_path("apps", about.name, "records", kind),
        decimal=_decimal(visit),
    )
    if redirect := _tidy_address(visit, listing):
        return redirect
    owner = about.records[kind]["owner"]
    found = await visit.api.get(
        join_path("v1", "apps", owner, kind),
        listing.filters.asked,
        after=visit.query.get("after", ""),
        limit=_PAGE,
    )
    rows = [{**item, "key": key} for item, key in zip(found["items"], found["keys"], strict=True)]
    reader = await _read_rows(visit, listing, rows)
    return visit.render(
        "applications/table.html",
        listing=listing,
        about=about,
        title=visit.words.of("record", f"{about.name}.{kind}"),
        next=found["next"],
        groups=[],
        count=None,
        members=await list_members(visit),
        reader=reader,
        fields=[each for each in _list_fields(listing) if not is_ranged(each[0])],
        chips=_list_chips(visit, listing, reader),
    )


def _decimal(visit: Visit) -> str:
    return str(get_decimal_symbol(visit.words.language.locale))


async def _open_table(visit: Visit) -> Listing:
    about = await describe(visit, visit.parts["app"])
    name = visit.parts["table"]
    if name not in about.tables:
        raise refuse_address()
    table = about.tables[name]
    columns = [about.column(name, each["name"]) for each in table["columns"]]
    names = {each.name for each in columns}
    by = visit.query.get("by", "")
    return Listing(
        about=about,
        name=name,
        kind=table["record"],
        columns=columns,
        shown=_choose_columns(visit, columns, table.get("main", ())),
        filters=read_filters(columns, visit.query, _decimal(visit)),
        totals=table["totals"],
        unit=table["unit"],
        path=join_path("apps", about.name, "tables", name),
        by=by if by in names else "",
        decimal=_decimal(visit),
    )


def _choose_columns(visit: Visit, columns: list[Shape], main: Sequence[str]) -> list[Shape]:
    """The columns that were asked for, else the main ones, else the first."""
    wanted = [name for name in visit.query.get("columns", "").split(" ") if name]
    chosen = wanted or list(main) or [each.name for each in columns[:_COLUMNS_SHOWN]]
    return [each for each in columns if each.name in chosen] or columns[:_COLUMNS_SHOWN]


def _tidy_address(visit: Visit, listing: Listing) -> Answer | None:
    """What was typed into the filters becomes an address that can be saved."""
    chosen = [name.removeprefix("c.") for name in visit.query if name.startswith("c.")]
    is_typed = any(name.startswith(TYPED) for name in visit.query) or bool(chosen)
    if not is_typed or listing.filters.faults:
        return None
    query = {**listing.filters.query, "by": listing.by}
    usual = [each.name for each in listing.shown]
    if chosen and sorted(chosen) != sorted(usual):
        query["columns"] = " ".join(chosen)
    elif visit.query.get("columns"):
        query["columns"] = visit.query["columns"]
    return visit.redirect(visit.link(listing.path, **query))


async def _read_rows(visit: Visit, listing: Listing, items: Sequence[Mapping[str, Any]]) -> Reader:
    """Fill the listing's rows; gives the reader that wrote them."""
    about = listing.about
    filters = list(listing.filters.asked.values())
    names = await name_all(visit, list(items), filters)
    reader = Reader(about.name, visit.words, visit.writing, names)
    for item in items:
        cells = [reader.show(each, item.get(each.name), (item,)) for each in listing.shown]
        link = visit.record_link(about.name, listing.kind, str(item["key"]))
        listing.rows.append((link, cells))
    return reader


def _show_group(reader: Reader, listing: Listing, group: Mapping[str, Any]) -> dict[str, Any]:
    """A group of totals: what it is, how many, exact sums."""
    values = group["group"]
    shapes = {each.name: each for each in listing.columns}
    named = {name: reader.show(shapes[name], value, (values,)) for name, value in values.items()}
    sums = {
        name: reader.scaled(shapes[name], total, (values,))
        if shapes[name].kind == "scaled"
        else reader.writing.number(int(total))
        for name, total in group["sums"].items()
    }
    return {
        "by": named.get(listing.by),
        "unit": named.get(listing.unit),
        "count": group["count"],
        "sums": sums,
    }


def _list_fields(listing: Listing) -> list[tuple[Shape, list[tuple[str, str]]]]:
    """The filter form: each column with its fields, as (name, what stands in it)."""
    found = {each.name: each for each in listing.filters.conditions}
    fields = []
    for shape in listing.columns:
        entries = [
            (
                name,
                write_exact(shape, found[name].asked, listing.decimal) if name in found else "",
            )
            for name in list_names(shape)
        ]
        fields.append((shape, entries))
    return fields


def _list_chips(visit: Visit, listing: Listing, reader: Reader) -> list[tuple[str, str, str]]:
    """Filters that are on: column, value, and the address without it."""
    shapes = {each.name: each for each in listing.columns}
    signs = {"": "", "_min": "≥ ", "_max": "≤ "}
    chips = []
    for each in listing.filters.conditions:
        shape = shapes[each.column]
        value: Any = each.asked
        if shape.kind in ("integer", "scaled", "time", "span"):
            value = int(each.asked)
        shown = reader.show(shape, value, (listing.filters.query,))
        without = {name: text for name, text in visit.query.items() if name != each.name}
        without.pop("after", None)
        address = visit.link(listing.path, **without)
        chips.append((shown.label, signs[each.bound] + shown.text, address))
    return chips


async def _write_csv(visit: Visit, listing: Listing) -> AsyncIterator[bytes]:
    """Every row, a page of the API at a time."""
    words = visit.words
    names = [words.of("field", each.name, app=listing.about.name) for each in listing.columns]
    yield BOM + write_row(names)
    address = join_path("v1", "apps", listing.about.name, "tables", listing.name)
    after = ""
    while True:
        page = await visit.api.get(address, listing.filters.asked, after=after, limit=_CSV_PAGE)
        lines = [
            write_row([_write_cell(each, item.get(each.name)) for each in listing.columns])
            for item in page["items"]
        ]
        if lines:
            yield b"".join(lines)
        after = page["next"] or ""
        if not after:
            return


def _write_cell(shape: Shape, value: Any) -> str | int | None:
    """A value as machines read it: amounts with a decimal point, identifiers whole."""
    if isinstance(value, int) and shape.kind in ("scaled", "time"):
        return write_exact(shape, str(value))
    return value if isinstance(value, int | str) or value is None else str(value)

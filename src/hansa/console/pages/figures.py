"""Figures: records by state and month with their sums, and what the ledger carries.

For every table of an application that has a state and a month; each sees the rows that are its own.
"""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from markupsafe import Markup

from hansa.console.answers import Answer
from hansa.console.asking import ApiProblem, join_path
from hansa.console.charts import Bar, BlockLoad, draw_bars, draw_throughput
from hansa.console.describing import Described, describe_all
from hansa.console.looking import list_all, make_frame, make_time_format
from hansa.console.routing import page
from hansa.console.values import Reader
from hansa.console.visit import Visit
from hansa.locales.words import choose_context

STATE: Final = "status"
MONTH: Final = "period"
# Months of a picture: two years show a season against the one before.
MONTHS_MAX: Final = 24
_BLOCKS: Final = 1_000
_OTHER: Final = "…"
_MONTH: Final = re.compile(r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])")
Totals = list[dict[str, Any]]


@page("GET", "/figures")
async def show_figures(visit: Visit) -> Answer:
    """All pictures that there is something to draw for."""
    tables = [each for about in await describe_all(visit) for each in _list_tables(about)]
    drawn, blocks = await asyncio.gather(
        asyncio.gather(*(_draw_table(visit, about, table) for about, table in tables)),
        list_all(visit, "/v1/blocks", limit=_BLOCKS),
    )
    return visit.render(
        "explorer/figures.html",
        groups=[each for each in drawn if each["pictures"]],
        throughput=_draw_throughput(visit, blocks),
    )


def _list_tables(about: Described) -> list[tuple[Described, dict[str, Any]]]:
    """Tables with a state and a month; of several of one kind of records the first."""
    found: dict[str, dict[str, Any]] = {}
    for table in about.tables.values():
        if {STATE, MONTH} <= {each["name"] for each in table["columns"]}:
            found.setdefault(table["record"], table)
    return [(about, table) for table in found.values()]


def _draw_throughput(visit: Visit, blocks: Sequence[Mapping[str, Any]]) -> Markup:
    loads = [
        BlockLoad(each["height"], each["time_ms"], each["transactions"], each["messages"])
        for each in blocks
    ]
    _ = visit.words
    text = _(
        "Messages in equal stretches of time, over the latest {count} blocks.", count=len(loads)
    )
    frame = make_frame(visit, "throughput", _("What the ledger carries"), text)
    return draw_throughput(
        frame, loads, format_time=make_time_format(visit), format_value=visit.writing.number
    )


async def _draw_table(visit: Visit, about: Described, table: Mapping[str, Any]) -> dict[str, Any]:
    """The pictures of one table: how many by state, then the sums in each unit."""
    words = visit.words
    address = join_path("v1", "apps", about.name, "tables", table["name"], "totals")
    unit, sums = str(table["unit"]), list(table["totals"])
    total = next((each for each in ("with_vat", *sums[-1:]) if each in sums), "")
    try:
        answer = await visit.api.get(address, group_by=f"{STATE},{MONTH}", sums=total)
        found: Totals = answer["items"]
    except ApiProblem as problem:
        if problem.status >= 500:
            raise
        found = []
    title = words.of("table", f"{about.name}.{table['name']}")
    pictures = []
    if found:
        pictures.append(_draw_counts(visit, about, table, title, found))
        if unit and total:
            pictures += _draw_sums(visit, about, table, total, found)
    return {
        "title": title,
        "app": words.application(about.name, about.title),
        "href": join_path("apps", about.name, "tables", table["name"]),
        "pictures": pictures,
    }


def _draw_counts(
    visit: Visit, about: Described, table: Mapping[str, Any], title: str, found: Totals
) -> Markup:
    words = visit.words
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for each in found:
        counts[str(each["group"][MONTH])][str(each["group"][STATE])] += each["count"]
    states = _order_states(about, table, {state for month in counts.values() for state in month})
    frame = make_frame(
        visit,
        f"counts-{about.name}-{table['name']}".replace("_", "-"),
        words("{table} by state and month", table=title),
        words("How many of each state there are in each month."),
    )
    bars = [
        Bar(
            _write_month(visit, month),
            tuple(counts[month][state] for state in states),
            visit.link(join_path("apps", about.name, "tables", table["name"]), **{MONTH: month}),
        )
        for month in sorted(counts)[-MONTHS_MAX:]
    ]
    series = [words.of(choose_context(STATE), state, app=about.name) for state in states]
    return draw_bars(
        frame, series, bars, format_value=visit.writing.number, head=words.of("field", MONTH)
    )


def _draw_sums(
    visit: Visit, about: Described, table: Mapping[str, Any], total: str, found: Totals
) -> list[Markup]:
    """A picture for each unit (currency): what is of different units is never added up."""
    unit = str(table["unit"])
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for each in found:
        sums[str(each["group"][unit])][str(each["group"][MONTH])] += int(each["sums"][total])
    label = visit.words.of("field", total, app=about.name)
    shape = about.column(str(table["name"]), total)
    reader = Reader(about.name, visit.words, visit.writing)

    def draw(name: str) -> Markup:
        frame = make_frame(
            visit,
            f"sums-{about.name}-{table['name']}-{name}".replace("_", "-"),
            f"{label} · {name}",
            visit.words("Sums of each month; credits are taken off."),
        )
        bars = [
            Bar(_write_month(visit, month), (sums[name][month],))
            for month in sorted(sums[name])[-MONTHS_MAX:]
        ]
        return draw_bars(
            frame,
            (label,),
            bars,
            format_value=lambda value: reader.scaled(shape, value, [{unit: name}]),
            head=visit.words.of("field", MONTH),
        )

    return [draw(name) for name in sorted(sums)]


def _order_states(about: Described, table: Mapping[str, Any], states: set[str]) -> list[str]:
    """As the record's life cycle has them; what it does not know comes last."""
    cycles = [
        each["states"]
        for each in about.raw.get("lifecycles", ())
        if each["record"] == table["record"] and each["field"] == STATE
    ]
    order = {state: at for at, state in enumerate(cycles[0])} if cycles else {}
    return sorted(states, key=lambda state: (order.get(state, len(order)), state))


def _write_month(visit: Visit, month: str) -> str:
    """`2026-03` as the visitor's language writes it; anything else as it is."""
    year, _sep, number = month.partition("-")
    if _MONTH.fullmatch(month) is None:
        return month or _OTHER
    middle = datetime(int(year), int(number), 15, tzinfo=UTC)
    return make_time_format(visit)(int(middle.timestamp()) * 1_000, "month")

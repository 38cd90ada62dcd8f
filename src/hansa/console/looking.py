"""What pages about looking share: pictures in the visitor's words and writing, pages of lists.

Asks the visitor's API; imports nothing of a node.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from babel.dates import format_skeleton

from hansa.console.asking import Value, join_path
from hansa.console.charts import ChartWords, FormatTime, Frame, Grain
from hansa.console.visit import Visit
from hansa.locales.languages import LANGUAGES
from hansa.locales.writing import read_ms

# The places of this console live at UTC+8 (locales/writing.py).
ZONE_MS: Final = 8 * 3_600_000
_PAGE: Final = 200
_SKELETONS: Final[dict[Grain, str]] = {
    "year": "y",
    "month": "yMMM",
    "day": "MMMd",
    "minute": "yMMMd",
    "second": "yMMMd",
}


def make_frame(visit: Visit, name: str, title: str, description: str) -> Frame:
    """A picture's frame in the visitor's words. `name`: its id on the page, from code."""
    return Frame(
        name=name,
        title=title,
        description=description,
        words=make_chart_words(visit),
        zone_ms=ZONE_MS,
    )


def make_chart_words(visit: Visit) -> ChartWords:
    """The words that pictures need."""
    _ = visit.words
    return ChartWords(
        table=_("As a table"),
        empty=_("Nothing to show yet."),
        omitted=_("{count} more are not shown."),
        total=_("Total"),
        period=_("Period"),
        time=_("Time"),
        place=_("Place"),
        what=_("What"),
        state=_("State"),
        sensor=_("Sensor"),
        lowest=_("Lowest"),
        highest=_("Highest"),
        inside=_("Within limits"),
        outside=_("Outside limits"),
        limit=_("Limit"),
        item=_("Item"),
        made_of=_("From"),
        became=_("Became"),
        items=_("{count} items"),
        more=_("{count} more"),
        blocks=_("Blocks"),
        transactions=_("Transactions"),
        messages=_("Messages"),
    )


def make_time_format(visit: Visit) -> FormatTime:
    """How the visitor's language writes times on axes, at UTC+8."""
    locale = LANGUAGES[visit.language].locale

    def write(time_ms: int, grain: Grain) -> str:
        when = read_ms(time_ms)
        if when is None:
            return str(time_ms)
        if grain == "clock":
            return when.strftime("%H:%M:%S" if when.second else "%H:%M")
        date = str(format_skeleton(_SKELETONS[grain], when, locale=locale))
        clock = {"minute": " %H:%M", "second": " %H:%M:%S"}.get(grain, "")
        return date + when.strftime(clock)

    return write


async def list_all(
    visit: Visit, path: str, params: Mapping[str, Value] | None = None, *, limit: int = 1_000
) -> list[dict[str, Any]]:
    """Items of a list of the API, page after page, at most `limit`. Raises ApiProblem."""
    found: list[dict[str, Any]] = []
    after = ""
    while len(found) < limit:
        page = await visit.api.get(path, params, after=after, limit=_PAGE)
        found += page["items"]
        after = page["next"] or ""
        if not after:
            break
    return found[:limit]


async def find_block_times(visit: Visit, heights: Sequence[int]) -> dict[int, int]:
    """Times (ms) of blocks; those that are not known here are left out. Blocks never change."""
    wanted = sorted(set(heights))
    found = await asyncio.gather(
        *(visit.api.get(join_path("v1", "blocks", str(each))) for each in wanted),
        return_exceptions=True,
    )
    return {
        height: int(block["time_ms"])
        for height, block in zip(wanted, found, strict=True)
        if isinstance(block, Mapping)
    }

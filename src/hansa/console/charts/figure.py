"""What all pictures share: their words, the frame with title and description, the table that says
the same to who cannot see the picture, and how wide a text is. Pure.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal
from xml.etree.ElementTree import Element

import msgspec
from markupsafe import Markup

from hansa.console.charts.markup import add, add_link, clean, new, to_markup

# More rows than this are no table that somebody reads; the words say how many are left out.
ROWS_MAX: Final = 500
# Colours that static/looking.css has: .s0 to .s7.
COLOURS: Final = 8

# How fine a time is written; "clock" is the time of day alone (seconds only when there are any).
Grain = Literal["year", "month", "day", "minute", "second", "clock"]
FormatTime = Callable[[int, Grain], str]
FormatCount = Callable[[int], str]


class ChartWords(msgspec.Struct, frozen=True, kw_only=True):
    """Words of the pictures in the reader's language. `{count}` is a number already written out."""

    table: str = "As a table"
    empty: str = "Nothing to show yet."
    omitted: str = "{count} more are not shown."
    total: str = "Total"
    period: str = "Period"
    time: str = "Time"
    place: str = "Place"
    what: str = "What"
    state: str = "State"
    sensor: str = "Sensor"
    lowest: str = "Lowest"
    highest: str = "Highest"
    inside: str = "Within limits"
    outside: str = "Outside limits"
    limit: str = "Limit"
    item: str = "Item"
    made_of: str = "From"
    became: str = "Became"
    items: str = "{count} items"
    more: str = "{count} more"
    blocks: str = "Blocks"
    transactions: str = "Transactions"
    messages: str = "Messages"


ENGLISH: Final = ChartWords()


class Cell(msgspec.Struct, frozen=True):
    """A cell of the table; a number is set to the right."""

    text: str
    href: str = ""
    is_number: bool = False


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What a picture is called. `name`: its id on the page, given by code, never by data;
    `zone_ms`: how far the reader's clock is before UTC.
    """

    name: str
    title: str
    description: str
    words: ChartWords = ENGLISH
    zone_ms: int = 0


def open_picture(frame: Frame, width: float, height: float, *, has_links: bool) -> Element:
    """An empty SVG of that size, with title and description, to draw in."""
    svg = new(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=width,
        height=height,
        role="group" if has_links else "img",
        class_="picture",
        focusable="false",
    )
    svg.set("aria-labelledby", f"{frame.name}-title {frame.name}-text")
    add(svg, "title", frame.title, id=f"{frame.name}-title")
    add(svg, "desc", frame.description, id=f"{frame.name}-text")
    return svg


def close_figure(
    frame: Frame,
    svg: Element,
    heads: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    legend: Iterable[tuple[str, str]] = (),
) -> Markup:
    """The picture with its caption, its legend (class, label) and the table of the same content."""
    figure = new("figure", class_="drawing", id=frame.name)
    add(figure, "figcaption", frame.title)
    add_legend(figure, legend)
    scroll = add(figure, "div", class_="drawing-scroll", tabindex="0", role="group")
    scroll.set("aria-label", clean(frame.title))
    scroll.append(svg)
    figure.append(build_table(frame, heads, rows))
    return to_markup(figure)


def build_notice(frame: Frame) -> Markup:
    """What stands where there is nothing to draw."""
    figure = new("figure", class_="drawing", id=frame.name)
    add(figure, "figcaption", frame.title)
    add(figure, "p", frame.words.empty, class_="drawing-empty")
    return to_markup(figure)


def add_legend(figure: Element, legend: Iterable[tuple[str, str]]) -> None:
    """What each colour or sign means."""
    entries = list(legend)
    if not entries:
        return
    listed = add(figure, "ul", class_="legend")
    for name, label in entries:
        entry = add(listed, "li")
        add(entry, "span", class_=f"swatch {name}", aria_hidden="true")
        add(entry, "span", label)


def build_table(frame: Frame, heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Element:
    """The same content as rows, folded away."""
    details = new("details", class_="drawing-table")
    add(details, "summary", frame.words.table)
    scroll = add(details, "div", class_="drawing-scroll", tabindex="0", role="group")
    scroll.set("aria-label", clean(f"{frame.title}: {frame.words.table}"))
    table = add(scroll, "table", class_="table")
    add(table, "caption", frame.description)
    row = add(add(table, "thead"), "tr")
    for head in heads:
        add(row, "th", head, scope="col")
    body = add(table, "tbody")
    for cells in rows[:ROWS_MAX]:
        row = add(body, "tr")
        for at, cell in enumerate(cells):
            _add_cell(row, cell, heads[at], is_first=at == 0)
    if len(rows) > ROWS_MAX:
        rest = f"{len(rows) - ROWS_MAX}"
        add(details, "p", frame.words.omitted.replace("{count}", rest), class_="drawing-note")
    return details


def _add_cell(row: Element, cell: Cell, head: str, *, is_first: bool) -> None:
    name = "number" if cell.is_number else "text"
    if is_first:
        element = add(row, "th", scope="row", class_=name)
    else:
        element = add(row, "td", class_=name)
    element.set("data-label", clean(head))
    if cell.href:
        link = add_link(element, cell.href)
        link.tag = "a" if link.get("href") else "span"
        link.text = clean(cell.text)
    else:
        element.text = clean(cell.text)


def estimate_width(text: str, size: float) -> float:
    """About how wide a text is at a font size: Chinese characters are as wide as high."""
    return sum(_estimate(character) for character in text) * size


def _estimate(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if unicodedata.combining(character):
        return 0.0
    return 0.62 if character.isupper() or character in "mwMW@%" else 0.54


def shorten(text: str, width: float, size: float) -> str:
    """The beginning of a text that fits into `width`, with an ellipsis when something is left."""
    shown = clean(" ".join(text[:400].split()))
    if estimate_width(shown, size) <= width:
        return shown
    return shown[: _count_fitting(shown, width - size * 0.9, size)].rstrip() + "…"


def shorten_middle(text: str, width: float, size: float) -> str:
    """Beginning and end of an identifier that is too wide: both tell it from its neighbours."""
    shown = clean(" ".join(text[:400].split()))
    if estimate_width(shown, size) <= width:
        return shown
    room = width - size * 0.9
    head = _count_fitting(shown, room * 0.55, size)
    tail = _count_fitting(shown[::-1], room - estimate_width(shown[:head], size), size)
    return shown[:head].rstrip() + "…" + shown[len(shown) - tail :].lstrip()


def _count_fitting(text: str, room: float, size: float) -> int:
    taken = 0.0
    for at, character in enumerate(text):
        taken += _estimate(character) * size
        if taken > room:
            return at
    return len(text)

"""Stacked bars: how many of each state in each month, with the total above each bar. Pure."""

from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element

import msgspec
from markupsafe import Markup

from hansa.console.charts.figure import (
    COLOURS,
    ROWS_MAX,
    Cell,
    FormatCount,
    Frame,
    build_notice,
    close_figure,
    estimate_width,
    open_picture,
    shorten,
)
from hansa.console.charts.markup import add, add_link
from hansa.console.charts.scales import Scale, choose_whole_ticks

# More bars than this are thinner than a finger; the newest (last) stay.
BARS_MAX: Final = 120
_HEIGHT: Final = 280.0
_TOP: Final = 28.0
_BOTTOM: Final = 36.0
_WIDTH_MIN: Final = 560.0
_SLOT_MIN: Final = 18.0
_SLOT_MAX: Final = 72.0
_SIZE: Final = 12.0


class Bar(msgspec.Struct, frozen=True):
    """One bar: a part for each series; parts below zero hang down. `note` is its tooltip."""

    label: str
    parts: tuple[int, ...]
    href: str = ""
    note: str = ""

    @property
    def total(self) -> int:
        """Sum of the parts."""
        return sum(self.parts)


class _Plot(msgspec.Struct, frozen=True):
    svg: Element
    width: float
    scale: Scale
    left: float
    slot: float
    format_value: FormatCount
    series: Sequence[str]


def draw_bars(
    frame: Frame,
    series: Sequence[str],
    bars: Sequence[Bar],
    *,
    format_value: FormatCount = str,
    head: str = "",
) -> Markup:
    """A figure of the bars, each a stack of the series; `head` names what the bars are (Month).

    Raises ValueError for a bar with another number of parts than there are series.
    """
    if any(len(bar.parts) != len(series) for bar in bars):
        raise ValueError("each bar has one part for each series")
    if not bars or not series:
        return build_notice(frame)
    shown = list(bars[-BARS_MAX:])
    plot = _open_plot(frame, series, shown, format_value)
    for at, bar in enumerate(shown):
        _draw_bar(plot, at, bar)
    _label_bars(plot, shown)
    has_many = len(series) > 1
    heads = [head or frame.words.period, *series, *([frame.words.total] if has_many else [])]
    legend = [(_colour(at), name) for at, name in enumerate(series)]
    rows = [_tell(bar, format_value, has_many) for bar in bars[-ROWS_MAX:]]
    return close_figure(frame, plot.svg, heads, rows, legend=legend)


def _open_plot(
    frame: Frame, series: Sequence[str], bars: Sequence[Bar], format_value: FormatCount
) -> _Plot:
    low = min(0, *(sum(part for part in bar.parts if part < 0) for bar in bars))
    high = max(0, *(sum(part for part in bar.parts if part > 0) for bar in bars))
    ticks = choose_whole_ticks(low, high)
    left = 14 + max(estimate_width(format_value(each), _SIZE) for each in ticks)
    slot = min(_SLOT_MAX, max(_SLOT_MIN, (_WIDTH_MIN - left) / len(bars)))
    width = max(_WIDTH_MIN, left + slot * len(bars) + 8)
    svg = open_picture(frame, width, _HEIGHT, has_links=any(bar.href for bar in bars))
    scale = Scale(ticks[0], ticks[-1], _HEIGHT - _BOTTOM, _TOP)
    for tick in ticks:
        y = scale.at(tick)
        name = "zero" if tick == 0 else "grid"
        add(svg, "line", x1=left, y1=y, x2=width - 4, y2=y, class_=name)
        add(svg, "text", format_value(tick), x=left - 8, y=y + 4, class_="tick end")
    return _Plot(svg, width, scale, left, slot, format_value, series)


def _draw_bar(plot: _Plot, at: int, bar: Bar) -> None:
    x = plot.left + plot.slot * at + plot.slot * 0.14
    width = plot.slot * 0.72
    group = add_link(plot.svg, bar.href, f"{bar.label}: {plot.format_value(bar.total)}")
    add(group, "title", bar.note or _say(plot, bar))
    up = down = 0
    for index, part in enumerate(bar.parts):
        if part > 0:
            top, bottom = plot.scale.at(up + part), plot.scale.at(up)
            up += part
        elif part < 0:
            top, bottom = plot.scale.at(down), plot.scale.at(down + part)
            down += part
        else:
            continue
        height = max(1.0, bottom - top)
        add(group, "rect", x=x, y=top, width=width, height=height, class_=_colour(index))


def _say(plot: _Plot, bar: Bar) -> str:
    parts = [
        f"{name}: {plot.format_value(part)}"
        for name, part in zip(plot.series, bar.parts, strict=True)
        if part
    ]
    return "\n".join([bar.label, *parts])


def _label_bars(plot: _Plot, bars: Sequence[Bar]) -> None:
    """Totals above and labels below, as many as have room."""
    totals = [plot.format_value(bar.total) for bar in bars]
    has_totals = all(estimate_width(text, 11) <= plot.slot * 1.3 for text in totals)
    widest = max(estimate_width(bar.label, _SIZE) for bar in bars)
    every = max(1, -(-int(min(widest, 90) + 12) // int(plot.slot)))
    for at, bar in enumerate(bars):
        x = plot.left + plot.slot * (at + 0.5)
        if has_totals and any(bar.parts):
            y = plot.scale.at(sum(part for part in bar.parts if part > 0)) - 6
            add(plot.svg, "text", totals[at], x=x, y=y, class_="total middle")
        if (len(bars) - 1 - at) % every == 0:
            label = shorten(bar.label, 90, _SIZE)
            half = estimate_width(label, _SIZE) / 2
            x = min(max(x, half + 2), plot.width - half - 2)
            add(plot.svg, "text", label, x=x, y=_HEIGHT - 14, class_="tick middle")


def _tell(bar: Bar, format_value: FormatCount, has_many: bool) -> list[Cell]:
    parts = [*bar.parts, *([bar.total] if has_many else [])]
    return [Cell(bar.label, bar.href), *(Cell(format_value(each), "", True) for each in parts)]


def _colour(index: int) -> str:
    return f"s{index % COLOURS}"

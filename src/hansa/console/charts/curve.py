"""A temperature (or any reading) over time, with its limits and what lies outside them. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from typing import Final
from xml.etree.ElementTree import Element

import msgspec
from markupsafe import Markup

from hansa.console.charts.figure import (
    Cell,
    ChartWords,
    FormatTime,
    Frame,
    build_notice,
    close_figure,
    estimate_width,
    open_picture,
)
from hansa.console.charts.markup import add
from hansa.console.charts.scales import (
    Scale,
    choose_ticks,
    choose_time_ticks,
    clamp_time,
    format_decimal,
    format_time_plainly,
    label_times,
)

Decimal = tuple[int, int]  # amount, scale: amount / 10**scale
# Points of one sensor that are drawn; more are joined to spans of lowest and highest.
POINTS_MAX: Final = 240
SENSORS_MAX: Final = 8
# Up to as many are drawn one by one.
_FEW: Final = 60
SCALE_MAX: Final = 30
_HEIGHT: Final = 260.0
_TOP: Final = 26.0
_BOTTOM: Final = 44.0
_RIGHT: Final = 16.0


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A reading at a time (ms), exact: `low` and `high` are the same unless it is an interval."""

    time_ms: int
    low: Decimal
    high: Decimal
    sensor: str = ""


class Limits(msgspec.Struct, frozen=True):
    """What the readings must keep within; None where there is no limit."""

    low: Decimal | None = None
    high: Decimal | None = None


class _Span(msgspec.Struct, frozen=True):
    """Points of one sensor, joined: from their first to their last time."""

    start_ms: int
    end_ms: int
    low: Fraction
    high: Fraction
    is_outside: bool


class _Plot(msgspec.Struct, frozen=True):
    svg: Element
    x: Scale
    y: Scale
    unit: str


def to_fraction(value: Decimal) -> Fraction:
    """The exact value. Raises ValueError for a scale that no reading has."""
    amount, scale = value
    if not 0 <= scale <= SCALE_MAX:
        raise ValueError(f"scale {scale} is not within 0..{SCALE_MAX}")
    return Fraction(amount, 10**scale)


def format_exact(value: Decimal) -> str:
    """The value as written: (250, 2) is 2.50."""
    amount, scale = value
    digits = str(abs(amount)).rjust(scale + 1, "0")
    sign = "-" if amount < 0 else ""
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}" if scale else f"{sign}{digits}"


def is_outside(point: Point, limits: Limits) -> bool:
    """Whether a reading breaks a limit; a reading on the limit does not."""
    low = limits.low is not None and to_fraction(point.low) < to_fraction(limits.low)
    high = limits.high is not None and to_fraction(point.high) > to_fraction(limits.high)
    return low or high


def draw_curve(
    frame: Frame,
    points: Sequence[Point],
    limits: Limits,
    *,
    unit: str = "°C",
    width: float = 720.0,
    format_time: FormatTime = format_time_plainly,
) -> Markup:
    """A figure of the readings. Raises ValueError for a scale outside 0..SCALE_MAX."""
    if not points:
        return build_notice(frame)
    sensors: dict[str, list[Point]] = defaultdict(list)
    for point in sorted(points, key=lambda point: (point.time_ms, point.sensor)):
        sensors[point.sensor].append(point)
    shown = dict(list(sensors.items())[:SENSORS_MAX])
    spans = {name: _join(found, limits) for name, found in shown.items()}
    plot = _open_plot(
        frame,
        [each for found in spans.values() for each in found],
        limits,
        unit,
        width,
        format_time,
    )
    _draw_limits(plot, limits, frame.words)
    for found in spans.values():
        _shade_excursions(plot, found, format_time)
    for at, found in enumerate(spans.values()):
        _draw_spans(plot, found, at, format_time)
    for found in spans.values():
        _mark_excursions(plot, found, limits)
    words = frame.words
    legend = [(f"s{at}", name) for at, name in enumerate(shown)] if len(shown) > 1 else []
    if any(span.is_outside for found in spans.values() for span in found):
        legend.append(("outside", words.outside))
    heads = (words.time, words.sensor, words.lowest, words.highest, words.state)
    return close_figure(
        frame, plot.svg, heads, _tell(sensors, limits, words, format_time), legend=legend
    )


def _join(points: Sequence[Point], limits: Limits) -> list[_Span]:
    """At most about POINTS_MAX spans; one with a reading outside the limits says so."""
    if len(points) <= POINTS_MAX:
        return [_build_span([point], limits) for point in points]
    first, last = clamp_time(points[0].time_ms), clamp_time(points[-1].time_ms)
    length = max(1, -(-(last - first + 1) // POINTS_MAX))
    groups: dict[int, list[Point]] = defaultdict(list)
    for point in points:
        groups[(clamp_time(point.time_ms) - first) // length].append(point)
    return [_build_span(groups[at], limits) for at in sorted(groups)]


def _build_span(points: Sequence[Point], limits: Limits) -> _Span:
    return _Span(
        clamp_time(points[0].time_ms),
        clamp_time(points[-1].time_ms),
        min(to_fraction(point.low) for point in points),
        max(to_fraction(point.high) for point in points),
        any(is_outside(point, limits) for point in points),
    )


def _open_plot(
    frame: Frame,
    spans: Sequence[_Span],
    limits: Limits,
    unit: str,
    width: float,
    format_time: FormatTime,
) -> _Plot:
    edges = [to_fraction(each) for each in (limits.low, limits.high) if each is not None]
    low = min([*edges, *(span.low for span in spans)])
    high = max([*edges, *(span.high for span in spans)])
    pad = max(Fraction(1, 2), (high - low) / 12)
    ticks = choose_ticks(float(low - pad), float(high + pad))
    labels = [format_decimal(tick) for tick in ticks]
    left = 16 + max(estimate_width(label, 12) for label in labels)
    svg = open_picture(frame, width, _HEIGHT, has_links=False)
    y = Scale(float(ticks[0]), float(ticks[-1]), _HEIGHT - _BOTTOM, _TOP)
    for tick, label in zip(ticks, labels, strict=True):
        at = y.at(float(tick))
        add(svg, "line", x1=left, y1=at, x2=width - _RIGHT, y2=at, class_="grid")
        add(svg, "text", label, x=left - 8, y=at + 4, class_="tick end")
    add(svg, "text", unit, x=4, y=14, class_="tick")
    start, end = min(span.start_ms for span in spans), max(span.end_ms for span in spans)
    if start == end:
        start, end = start - 1_800_000, end + 1_800_000
    x = Scale(start, end, left + 8, width - _RIGHT - 8)
    times, grain = choose_time_ticks(start, end, max(2, int(width // 130)), frame.zone_ms)
    for tick_ms, (first, second) in zip(times, label_times(times, grain, format_time), strict=True):
        half = estimate_width(second or first, 12) / 2
        at = min(max(x.at(tick_ms), left), width - half - 2)
        add(svg, "text", first, x=at, y=_HEIGHT - _BOTTOM + 18, class_="tick middle")
        if second:
            add(svg, "text", second, x=at, y=_HEIGHT - _BOTTOM + 34, class_="tick middle")
    return _Plot(svg, x, y, unit)


def _draw_limits(plot: _Plot, limits: Limits, words: ChartWords) -> None:
    """The band of what is right, its edges named."""
    low = plot.y.start if limits.low is None else plot.y.at(float(to_fraction(limits.low)))
    high = plot.y.end if limits.high is None else plot.y.at(float(to_fraction(limits.high)))
    if limits.low is None and limits.high is None:
        return
    left, right = plot.x.start - 8, plot.x.end + 8
    band = add(
        plot.svg,
        "rect",
        x=left,
        y=high,
        width=right - left,
        height=max(0.0, low - high),
        class_="band",
    )
    add(band, "title", words.inside)
    for value, y, shift in ((limits.low, low, 14), (limits.high, high, -5)):
        if value is None:
            continue
        add(plot.svg, "line", x1=left, y1=y, x2=right, y2=y, class_="limit")
        label = f"{words.limit} {format_exact(value)} {plot.unit}"
        add(plot.svg, "text", label, x=right - 4, y=y + shift, class_="limit-name end")


def _draw_spans(plot: _Plot, spans: Sequence[_Span], index: int, format_time: FormatTime) -> None:
    """The curve through the middles; what the spans cover as an area, or as strokes when few."""
    places = [
        (
            plot.x.at((span.start_ms + span.end_ms) / 2),
            plot.y.at(float(span.high)),
            plot.y.at(float(span.low)),
        )
        for span in spans
    ]
    if len(spans) > _FEW:
        top = [f"{x:.1f} {high:.1f}" for x, high, _low in places]
        bottom = [f"{x:.1f} {low:.1f}" for x, _high, low in reversed(places)]
        add(plot.svg, "path", d="M" + "L".join([*top, *bottom]) + "Z", class_=f"area s{index}")
    else:
        for x, high, low in places:
            if low - high > 1:
                add(plot.svg, "line", x1=x, y1=high, x2=x, y2=low, class_=f"whisker l{index}")
    middles = [f"{x:.1f} {(high + low) / 2:.1f}" for x, high, low in places]
    add(plot.svg, "path", d="M" + "L".join(middles), class_=f"curve l{index}")
    if len(spans) <= _FEW:
        for span, (x, high, low) in zip(spans, places, strict=True):
            dot = add(
                plot.svg, "circle", cx=x, cy=(high + low) / 2, r=3, class_=f"reading s{index}"
            )
            add(dot, "title", _say(plot, [span], format_time))


def _shade_excursions(plot: _Plot, spans: Sequence[_Span], format_time: FormatTime) -> None:
    """Each unbroken run outside the limits: shaded, with a sign at its worst reading."""
    for is_out, found in groupby(spans, key=lambda span: span.is_outside):
        if not is_out:
            continue
        run = list(found)
        left, right = plot.x.at(run[0].start_ms) - 4, plot.x.at(run[-1].end_ms) + 4
        group = add(plot.svg, "g", class_="excursion")
        add(group, "title", _say(plot, run, format_time))
        height = plot.y.start - plot.y.end
        add(group, "rect", x=left, y=plot.y.end, width=right - left, height=height)


def _mark_excursions(plot: _Plot, spans: Sequence[_Span], limits: Limits) -> None:
    high = None if limits.high is None else to_fraction(limits.high)
    for is_out, found in groupby(spans, key=lambda span: span.is_outside):
        if not is_out:
            continue
        run = list(found)
        above = max(run, key=lambda span: span.high)
        is_above = high is not None and above.high > high
        worst = above if is_above else min(run, key=lambda span: span.low)
        x = plot.x.at((worst.start_ms + worst.end_ms) / 2)
        y = plot.y.at(float(worst.high if is_above else worst.low))
        sign = f"M{x:.1f} {y - 7:.1f}L{x + 7:.1f} {y + 5:.1f}H{x - 7:.1f}Z"
        add(plot.svg, "path", d=sign, class_="outside")


def _say(plot: _Plot, run: Sequence[_Span], format_time: FormatTime) -> str:
    low, high = min(span.low for span in run), max(span.high for span in run)
    said = format_decimal(low) + ("" if low == high else f" … {format_decimal(high)}")
    start, end = run[0].start_ms, run[-1].end_ms
    times = format_time(start, "minute")
    times += "" if start == end else f" – {format_time(end, 'minute')}"
    return f"{times}: {said} {plot.unit}"


def _tell(
    sensors: dict[str, list[Point]], limits: Limits, words: ChartWords, format_time: FormatTime
) -> list[list[Cell]]:
    """Readings outside the limits first: they are what somebody looks for."""
    told = [(not is_outside(point, limits), point) for found in sensors.values() for point in found]
    told.sort(key=lambda each: (each[0], each[1].time_ms, each[1].sensor))
    return [
        [
            Cell(format_time(point.time_ms, "minute")),
            Cell(point.sensor),
            Cell(format_exact(point.low), "", True),
            Cell(format_exact(point.high), "", True),
            Cell(words.inside if is_inside else words.outside),
        ]
        for is_inside, point in told
    ]

"""The time line of an item: a lane for each place, a dot for each step, a line that leads from
step to step. Pure.
"""

from collections.abc import Sequence
from typing import Final, Literal
from xml.etree.ElementTree import Element

import msgspec
from markupsafe import Markup

from hansa.console.charts.figure import (
    ROWS_MAX,
    Cell,
    FormatTime,
    Frame,
    build_notice,
    close_figure,
    open_picture,
    shorten_middle,
)
from hansa.console.charts.markup import add, add_link
from hansa.console.charts.scales import (
    Scale,
    choose_time_ticks,
    clamp_time,
    format_time_plainly,
    label_times,
)

StepMark = Literal["", "flagged", "recalled", "withdrawn"]
# Steps and places that are drawn, the latest ones; all are in the table.
STEPS_MAX: Final = 400
LANES_MAX: Final = 40
_LANE: Final = 40.0
_TOP: Final = 14.0
_BOTTOM: Final = 44.0
_LEFT: Final = 224.0
_RIGHT: Final = 24.0
_WIDTH: Final = 880.0
# Dots nearer than this become one.
_NEAR: Final = 13.0


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened at a time (ms) and place. `lane` tells places apart whose shown
    names are alike.
    """

    time_ms: int
    lane: str
    place: str
    title: str
    detail: str = ""
    mark: StepMark = ""
    href: str = ""


class _Dot(msgspec.Struct):
    x: float
    y: float
    steps: list[Step]


def draw_timeline(
    frame: Frame, steps: Sequence[Step], *, format_time: FormatTime = format_time_plainly
) -> Markup:
    """A figure of the steps, in order of time."""
    if not steps:
        return build_notice(frame)
    ordered = sorted(steps, key=lambda step: step.time_ms)
    shown = ordered[-STEPS_MAX:]
    lanes = list(dict.fromkeys(step.lane for step in shown))[-LANES_MAX:]
    shown = [step for step in shown if step.lane in set(lanes)]
    height = _TOP + _LANE * len(lanes) + _BOTTOM
    svg = open_picture(frame, _WIDTH, height, has_links=any(step.href for step in shown))
    scale = _build_scale(shown)
    _draw_ticks(svg, scale, height, format_time, frame.zone_ms)
    names = {step.lane: step.place for step in reversed(shown)}
    for at, lane in enumerate(lanes):
        y = _TOP + _LANE * (at + 0.5)
        add(svg, "line", x1=_LEFT, y1=y, x2=_WIDTH - _RIGHT + 12, y2=y, class_="lane")
        label = add(svg, "text", x=_LEFT - 14, y=y + 4, class_="place end")
        label.text = shorten_middle(names[lane], _LEFT - 22, 13)
        add(label, "title", names[lane])
    dots = _gather(shown, lanes, scale)
    path = "".join(f"{'L' if at else 'M'}{dot.x:.1f} {dot.y:.1f}" for at, dot in enumerate(dots))
    add(svg, "path", d=path, class_="way")
    for dot in dots:
        _draw_dot(svg, dot, format_time)
    words = frame.words
    rows = [
        [
            Cell(format_time(step.time_ms, "minute")),
            Cell(step.place),
            Cell(step.title, step.href),
            Cell(step.detail),
        ]
        for step in ordered[-ROWS_MAX:]
    ]
    return close_figure(frame, svg, (words.time, words.place, words.what, words.state), rows)


def _build_scale(steps: Sequence[Step]) -> Scale:
    first, last = clamp_time(steps[0].time_ms), clamp_time(steps[-1].time_ms)
    pad = max(1, (last - first) // 40)
    if first == last:
        pad = 3_600_000
    return Scale(first - pad, last + pad, _LEFT, _WIDTH - _RIGHT)


def _draw_ticks(
    svg: Element, scale: Scale, height: float, format_time: FormatTime, zone_ms: int
) -> None:
    ticks, grain = choose_time_ticks(int(scale.low), int(scale.high), zone_ms=zone_ms)
    for tick, (first, second) in zip(ticks, label_times(ticks, grain, format_time), strict=True):
        x = scale.at(tick)
        add(svg, "line", x1=x, y1=_TOP - 6, x2=x, y2=height - _BOTTOM, class_="grid")
        add(svg, "text", first, x=x, y=height - _BOTTOM + 17, class_="tick middle")
        if second:
            add(svg, "text", second, x=x, y=height - _BOTTOM + 33, class_="tick middle")


def _gather(steps: Sequence[Step], lanes: Sequence[str], scale: Scale) -> list[_Dot]:
    """One dot for steps that follow each other in the same lane too near to tell apart."""
    places = {lane: _TOP + _LANE * (at + 0.5) for at, lane in enumerate(lanes)}
    dots: list[_Dot] = []
    for step in steps:
        x, y = scale.at(clamp_time(step.time_ms)), places[step.lane]
        if dots and dots[-1].y == y and x - dots[-1].x < _NEAR:
            dots[-1].steps.append(step)
        else:
            dots.append(_Dot(x, y, [step]))
    return dots


def _draw_dot(svg: Element, dot: _Dot, format_time: FormatTime) -> None:
    said = "\n".join(
        f"{format_time(step.time_ms, 'minute')} {step.title} {step.detail}".rstrip()
        for step in dot.steps[:12]
    )
    group = add_link(svg, dot.steps[0].href, said.replace("\n", "; "))
    marks = [step.mark for step in dot.steps if step.mark]
    group.set("class", f"dot {marks[0] if marks else ''}".rstrip())
    add(group, "title", said)
    is_many = len(dot.steps) > 1
    add(group, "circle", cx=dot.x, cy=dot.y, r=10 if is_many else 7, class_="body")
    if is_many:
        count = str(len(dot.steps)) if len(dot.steps) < 100 else "…"
        add(group, "text", count, x=dot.x, y=dot.y + 4, class_="sign middle")
    elif marks:
        sign = {"flagged": "!", "recalled": "×", "withdrawn": "–"}[marks[0]]
        add(group, "text", sign, x=dot.x, y=dot.y + 4, class_="sign middle")

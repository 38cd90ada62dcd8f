"""The tally of a proposal: yes, no and who has not voted in one line, with the mark where it
passes. Pure.
"""

from typing import Final

from markupsafe import Markup

from hansa.console.charts.figure import Cell, FormatCount, Frame, close_figure, open_picture
from hansa.console.charts.markup import add

_WIDTH: Final = 480.0
_TOP: Final = 8.0
_HEIGHT: Final = 22.0


def draw_tally(
    frame: Frame,
    labels: tuple[str, str, str, str],
    *,
    yes: int,
    no: int,
    total: int,
    needed: int,
    format_value: FormatCount = str,
) -> Markup:
    """A figure. `labels`: words of yes, no, not voted, needed to pass. Weights of no member below
    zero; nothing at all is drawn as an empty line.
    """
    whole = max(1, total, yes + no)
    rest = max(0, total - yes - no)
    svg = open_picture(frame, _WIDTH, _TOP * 2 + _HEIGHT, has_links=False)
    x = 0.0
    for name, value in (("yes", yes), ("no", no), ("open", rest)):
        width = _WIDTH * value / whole
        if value:
            add(svg, "rect", x=x, y=_TOP, width=width, height=_HEIGHT, class_=f"vote {name}")
        x += width
    at = _WIDTH * min(needed, whole) / whole
    add(svg, "line", x1=at, y1=0, x2=at, y2=_TOP * 2 + _HEIGHT, class_="needed")
    values = (yes, no, rest, needed)
    rows = [
        [Cell(label), Cell(format_value(value), "", True)]
        for label, value in zip(labels, values, strict=True)
    ]
    legend = [
        (f"vote {name}", f"{label}: {format_value(value)}")
        for name, label, value in zip(("yes", "no", "open", "pass"), labels, values, strict=True)
    ]
    return close_figure(frame, svg, (frame.words.state, frame.words.total), rows, legend=legend)

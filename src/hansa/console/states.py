"""The life cycle of a record as a picture: its states below each other, what leads from one to
another, the present state marked. Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree.ElementTree import Element

from markupsafe import Markup

from hansa.console.charts.figure import estimate_width
from hansa.console.charts.markup import add, new, to_markup

_BOX_WIDTH: Final = 190.0
_BOX_HEIGHT: Final = 34.0
_GAP: Final = 42.0
_LANE: Final = 18.0
_MARGIN: Final = 12.0
_TEXT: Final = 13.0
_SMALL: Final = 12.0
_HEAD: Final = 5.0

Name = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Cycle:
    """A life cycle of the API's description, and where its record is in it."""

    field: str
    states: tuple[str, ...]
    transitions: tuple[Mapping[str, Any], ...]
    present: str

    @property
    def is_mark(self) -> bool:
        """Two states say no more than a mark: it is there or not."""
        return len(self.states) < 3


@dataclass(slots=True)
class _Edge:
    """What leads from a state to another; several messages may. lane: its place beside the boxes,
    0 for the straight way down.
    """

    source: int
    target: int
    names: list[str] = field(default_factory=list)
    lane: int = 0

    @property
    def is_straight(self) -> bool:
        return self.target == self.source + 1

    @property
    def is_back(self) -> bool:
        return self.target <= self.source


def find_present(states: Sequence[str], value: object) -> str:
    """The state that a field's value is; of a mark the first when it is empty, else the last."""
    if isinstance(value, str) and value in states:
        return value
    return states[-1] if value else states[0]


def read_cycles(
    description: Mapping[str, Any], kind: str, record: Mapping[str, Any]
) -> list[Cycle]:
    """The life cycles of a record of that kind, from what its application says of itself."""
    return [
        Cycle(
            field=each["field"],
            states=tuple(each["states"]),
            transitions=tuple(each["transitions"]),
            present=find_present(each["states"], record.get(each["field"])),
        )
        for each in description.get("lifecycles", ())
        if each["record"] == kind
    ]


def list_steps(cycle: Cycle) -> list[str]:
    """Messages that lead on from the present state, each once."""
    return list(
        dict.fromkeys(
            each["message"] for each in cycle.transitions if cycle.present in each["sources"]
        )
    )


def draw_cycle(cycle: Cycle, *, state: Name, message: Name, title: str) -> Markup:
    """An SVG of the life cycle. `state`, `message`: their words; title: what is read out."""
    edges = _collect_edges(cycle, message)
    forward = _give_lanes([each for each in edges if not each.is_straight and not each.is_back])
    back = _give_lanes([each for each in edges if each.is_back])
    left = _MARGIN + _need_width(edges, forward, is_back=False)
    right = _need_width(edges, back, is_back=True)
    beside = max(
        (estimate_width(" / ".join(each.names), _SMALL) for each in edges if each.is_straight),
        default=0.0,
    )
    inner = _BOX_WIDTH + max(right, beside - _BOX_WIDTH / 2 + 16)
    width = left + inner + _MARGIN
    height = len(cycle.states) * (_BOX_HEIGHT + _GAP) - _GAP + 2 * _MARGIN
    svg = new(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=width,
        height=height,
        role="img",
        class_="states",
        focusable="false",
        aria_label=title,
    )
    for edge in edges:
        _draw_edge(svg, edge, left, cycle)
    for index, name in enumerate(cycle.states):
        _draw_state(svg, left, index, state(name), is_present=name == cycle.present)
    return to_markup(svg)


def _collect_edges(cycle: Cycle, message: Name) -> list[_Edge]:
    found: dict[tuple[int, int], _Edge] = {}
    for each in cycle.transitions:
        target = cycle.states.index(each["target"])
        for source in each["sources"]:
            at = cycle.states.index(source)
            edge = found.setdefault((at, target), _Edge(at, target))
            name = message(each["message"])
            if name not in edge.names:
                edge.names.append(name)
    return sorted(found.values(), key=lambda each: (abs(each.target - each.source), each.source))


def _give_lanes(edges: list[_Edge]) -> int:
    """The nearest lane in which an edge meets no other; returns how many lanes there are."""
    for edge in edges:
        taken = {
            other.lane
            for other in edges
            if other.lane and other is not edge and _overlap(edge, other)
        }
        edge.lane = next(lane for lane in range(1, len(edges) + 2) if lane not in taken)
    return max((edge.lane for edge in edges), default=0)


def _overlap(one: _Edge, other: _Edge) -> bool:
    low, high = sorted((one.source, one.target))
    start, end = sorted((other.source, other.target))
    return low <= end and start <= high


def _need_width(edges: Sequence[_Edge], lanes: int, *, is_back: bool) -> float:
    """Room beside the boxes for the lanes of one side and what is written there."""
    texts = [
        estimate_width(" / ".join(each.names), _SMALL)
        for each in edges
        if each.lane and each.is_back == is_back
    ]
    return max(texts) + lanes * _LANE + 16 if texts else 0.0


def _top(index: int) -> float:
    return _MARGIN + index * (_BOX_HEIGHT + _GAP)


def _draw_state(svg: Element, left: float, index: int, text: str, *, is_present: bool) -> None:
    group = add(svg, "g", class_="state present" if is_present else "state")
    add(
        group,
        "rect",
        x=left,
        y=_top(index),
        width=_BOX_WIDTH,
        height=_BOX_HEIGHT,
        rx=_BOX_HEIGHT / 2,
    )
    add(
        group,
        "text",
        text,
        x=left + _BOX_WIDTH / 2,
        y=_top(index) + _BOX_HEIGHT / 2 + _TEXT * 0.36,
        text_anchor="middle",
        font_size=_TEXT,
    )


def _draw_edge(svg: Element, edge: _Edge, left: float, cycle: Cycle) -> None:
    is_next = cycle.states[edge.source] == cycle.present
    group = add(svg, "g", class_="step next" if is_next else "step")
    label = " / ".join(edge.names)
    if edge.is_straight:
        middle, start, end = (
            left + _BOX_WIDTH / 2,
            _top(edge.source) + _BOX_HEIGHT,
            _top(edge.target),
        )
        add(group, "path", d=f"M{middle:.1f} {start:.1f}V{end - _HEAD:.1f}")
        _draw_head(group, middle, end, 0, 1)
        add(group, "text", label, x=middle + 10, y=(start + end) / 2 + 4, font_size=_SMALL)
        return
    side = 1 if edge.is_back else -1
    near = left + _BOX_WIDTH if edge.is_back else left
    far = near + side * edge.lane * _LANE
    shift = (edge.lane % 3 - 1) * 7.0
    start = _top(edge.source) + _BOX_HEIGHT / 2 + shift
    end = _top(edge.target) + _BOX_HEIGHT / 2 + shift
    add(group, "path", d=f"M{near:.1f} {start:.1f}H{far:.1f}V{end:.1f}H{near + side * _HEAD:.1f}")
    _draw_head(group, near, end, -side, 0)
    anchor = "start" if edge.is_back else "end"
    below = 14.0 if edge.is_back else -6.0
    y = start + below + (_BOX_HEIGHT + _GAP) / 2 * (-1 if edge.is_back else 1)
    add(group, "text", label, x=far + side * 6, y=y, font_size=_SMALL, text_anchor=anchor)


def _draw_head(group: Element, x: float, y: float, dx: int, dy: int) -> None:
    """An arrow's head whose point is at (x, y), pointing along (dx, dy)."""
    if dy:
        corners = ((x, y), (x - _HEAD, y - _HEAD * 1.6), (x + _HEAD, y - _HEAD * 1.6))
    else:
        corners = ((x, y), (x - dx * _HEAD * 1.6, y - _HEAD), (x - dx * _HEAD * 1.6, y + _HEAD))
    points = " ".join(f"{one:.1f},{other:.1f}" for one, other in corners)
    add(group, "polygon", points=points)

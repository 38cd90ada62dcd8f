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
_GAP: Final = 36.0
_LANE: Final = 20.0
_MARGIN: Final = 10.0
_TEXT: Final = 13.0
_SMALL: Final = 12.0
_HEAD: Final = 5.0
_LINE: Final = 18.0
_BADGE: Final = 7.5

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
    number: int = 0

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


@dataclass(frozen=True, slots=True)
class Way:
    """A way that is not straight down: it has a number in the picture, and words below it."""

    number: int
    names: tuple[str, ...]
    source: str
    target: str


def list_ways(cycle: Cycle) -> list[Way]:
    """The numbered ways of the picture, by their messages' names."""
    return [
        Way(
            each.number,
            tuple(each.names),
            cycle.states[each.source],
            cycle.states[each.target],
        )
        for each in _collect_edges(cycle, str)
        if not each.is_straight
    ]


def draw_cycle(cycle: Cycle, *, state: Name, message: Name, title: str) -> Markup:
    """An SVG of the life cycle. `state`, `message`: their words; title: what is read out."""
    edges = _collect_edges(cycle, message)
    forward = _give_lanes([each for each in edges if not each.is_straight and not each.is_back])
    back = _give_lanes([each for each in edges if each.is_back])
    left = _MARGIN + forward * _LANE
    beside = max((_measure(each) for each in edges if each.is_straight), default=0.0)
    width = left + max(_BOX_WIDTH + back * _LANE, _BOX_WIDTH / 2 + 10 + beside) + _MARGIN
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
    taken: dict[bool, list[float]] = {True: [], False: []}
    for edge in edges:
        _draw_edge(svg, edge, left, cycle, taken[edge.is_back])
    for index, name in enumerate(cycle.states):
        _draw_state(svg, left, index, state(name), is_present=name == cycle.present)
    return to_markup(svg)


def _measure(edge: "_Edge") -> float:
    return estimate_width(" / ".join(edge.names), _SMALL)


def _collect_edges(cycle: Cycle, message: Name) -> list[_Edge]:
    found: dict[tuple[int, int], _Edge] = {}
    for each in cycle.transitions:
        target = cycle.states.index(each["target"])
        for source in each["sources"]:
            at = cycle.states.index(source)
            if at == target:
                continue
            edge = found.setdefault((at, target), _Edge(at, target))
            name = message(each["message"])
            if name not in edge.names:
                edge.names.append(name)
    edges = sorted(found.values(), key=lambda each: (abs(each.target - each.source), each.source))
    for number, edge in enumerate((each for each in edges if not each.is_straight), 1):
        edge.number = number
    return edges


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


def _draw_edge(svg: Element, edge: _Edge, left: float, cycle: Cycle, taken: list[float]) -> None:
    """`taken`: heights of what is written on the same side already."""
    is_next = cycle.states[edge.source] == cycle.present
    group = add(svg, "g", class_="step next" if is_next else "step")
    if edge.is_straight:
        start, end = _top(edge.source) + _BOX_HEIGHT, _top(edge.target)
        middle = left + _BOX_WIDTH / 2
        add(group, "path", d=f"M{middle:.1f} {start:.1f}V{end - _HEAD:.1f}")
        _draw_head(group, middle, end, 0, 1)
        label = " / ".join(edge.names)
        add(group, "text", label, x=middle + 10, y=(start + end) / 2 + 4, font_size=_SMALL)
        return
    side = 1 if edge.is_back else -1
    near = left + _BOX_WIDTH if edge.is_back else left
    far = near + side * edge.lane * _LANE
    shift = (edge.lane % 3 - 1) * 8.0
    start = _top(edge.source) + _BOX_HEIGHT / 2 + shift
    end = _top(edge.target) + _BOX_HEIGHT / 2 + shift
    add(group, "path", d=f"M{near:.1f} {start:.1f}H{far:.1f}V{end:.1f}H{near + side * _HEAD:.1f}")
    _draw_head(group, near, end, -side, 0)
    y = _find_room((start + end) / 2, abs(end - start) / 2 - _BADGE, taken)
    taken.append(y)
    add(group, "circle", cx=far, cy=y, r=_BADGE)
    number = str(edge.number)
    add(group, "text", number, x=far, y=y + 3.5, font_size=10, text_anchor="middle")


def _find_room(middle: float, reach: float, taken: list[float]) -> float:
    """A height near the middle of a way at which nothing is written yet."""
    for step in range(40):
        shift = (step + 1) // 2 * _LINE * (1 if step % 2 else -1)
        place = middle + shift
        is_free = all(abs(place - other) >= _LINE for other in taken)
        if is_free and abs(shift) <= reach:
            return place
    return middle


def _draw_head(group: Element, x: float, y: float, dx: int, dy: int) -> None:
    """An arrow's head whose point is at (x, y), pointing along (dx, dy)."""
    if dy:
        corners = ((x, y), (x - _HEAD, y - _HEAD * 1.6), (x + _HEAD, y - _HEAD * 1.6))
    else:
        corners = ((x, y), (x - dx * _HEAD * 1.6, y - _HEAD), (x - dx * _HEAD * 1.6, y + _HEAD))
    points = " ".join(f"{one:.1f},{other:.1f}" for one, other in corners)
    add(group, "polygon", points=points)

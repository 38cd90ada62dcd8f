"""A tree as a picture, roots to the left: who stands under whom, and in which state. Pure.

What the picture says stands in its table too; a state has a sign beside its colour.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal
from xml.etree.ElementTree import Element

import msgspec
from markupsafe import Markup

from hansa.console.charts.figure import (
    Cell,
    Frame,
    build_notice,
    close_figure,
    open_picture,
    shorten,
)
from hansa.console.charts.markup import add, add_link

# Colours and signs: in force, held up for a time, ended for good, not yet begun.
Tone = Literal["good", "busy", "bad", "quiet"]
SIGNS: Final[Mapping[Tone, str]] = {"good": "✓", "busy": "‖", "bad": "×", "quiet": "…"}
_WIDTH: Final = 244.0
_HEIGHT: Final = 50.0
_GAP: Final = 14.0
_LANE: Final = 46.0
_MARGIN: Final = 12.0
_PAD: Final = 12.0


class TreeNode(msgspec.Struct, frozen=True, kw_only=True):
    """One box: two lines, its state and its page. `note` is shown when one points at it.

    `state`: in words; `cells`: the further cells of its row in the table.
    """

    title: str
    subtitle: str
    state: str
    tone: Tone
    href: str
    note: str = ""
    cells: tuple[str, ...] = ()
    children: "tuple[TreeNode, ...]" = ()


class _Place(msgspec.Struct, frozen=True):
    node: TreeNode
    parent: "TreeNode | None"
    x: float
    y: float
    from_y: float


def draw_tree(
    frame: Frame,
    roots: Sequence[TreeNode],
    heads: Sequence[str],
    legend: Sequence[tuple[Tone, str]],
) -> Markup:
    """A figure of trees under each other. `heads`: of the table (box, state, under whom, and those
    of `cells`); `legend`: what each tone is called.
    """
    if not roots:
        return build_notice(frame)
    places, depth, rows = _arrange(roots)
    width = 2 * _MARGIN + (depth + 1) * (_WIDTH + _LANE) - _LANE
    height = 2 * _MARGIN + rows * (_HEIGHT + _GAP) - _GAP
    svg = open_picture(frame, width, height, has_links=True)
    for place in places:
        if place.parent is not None:
            _draw_link(svg, place)
    for place in places:
        _draw_box(svg, place)
    named = [(f"tone-{tone}", f"{SIGNS[tone]} {label}") for tone, label in legend]
    return close_figure(frame, svg, heads, [_tell(each) for each in places], legend=named)


def _arrange(roots: Sequence[TreeNode]) -> tuple[list[_Place], int, int]:
    """Each box with its place, parents before children; the deepest level; rows of leaves."""
    places: list[_Place] = []
    deepest, rows = 0, 0

    def put(
        node: TreeNode, parent: TreeNode | None, depth: int
    ) -> tuple[float, Callable[[float], None]]:
        nonlocal deepest, rows
        deepest = max(deepest, depth)
        at = len(places)
        x = _MARGIN + depth * (_WIDTH + _LANE)
        places.append(_Place(node, parent, x, 0, 0))
        below = [put(child, node, depth + 1) for child in node.children]
        if below:
            y = (below[0][0] + below[-1][0]) / 2
        else:
            y = _MARGIN + rows * (_HEIGHT + _GAP) + _HEIGHT / 2
            rows += 1
        for _y, tie in below:
            tie(y)

        def tie_here(from_y: float) -> None:
            places[at] = _Place(node, parent, x, y, from_y)

        return y, tie_here

    for root in roots:
        y, tie = put(root, None, 0)
        tie(y)
    return places, deepest, rows


def _draw_link(svg: Element, place: _Place) -> None:
    x, half = place.x - _LANE, _LANE / 2
    bend = f"C{x + half:.1f} {place.from_y:.1f} {x + half:.1f} {place.y:.1f}"
    path = f"M{x:.1f} {place.from_y:.1f}{bend} {place.x:.1f} {place.y:.1f}"
    add(svg, "path", d=path, class_=f"link {place.node.tone}")


def _draw_box(svg: Element, place: _Place) -> None:
    node, x, y = place.node, place.x, place.y - _HEIGHT / 2
    group = add_link(svg, node.href, f"{node.title}, {node.subtitle}: {node.state}")
    group.set("class", f"node state-{node.tone}")
    add(group, "title", node.note or f"{node.title}\n{node.state}")
    add(group, "rect", x=x, y=y, width=_WIDTH, height=_HEIGHT, rx=4, class_="body")
    room = _WIDTH - 2 * _PAD - 22
    add(group, "text", shorten(node.title, room, 13), x=x + _PAD, y=y + 21, class_="name")
    add(group, "text", shorten(node.subtitle, room, 11), x=x + _PAD, y=y + 38, class_="sub")
    at = x + _WIDTH - _PAD - 6
    add(group, "circle", cx=at, cy=place.y, r=9, class_="mark")
    add(group, "text", SIGNS[node.tone], x=at, y=place.y + 4.5, class_="sign middle")


def _tell(place: _Place) -> list[Cell]:
    node = place.node
    above = place.parent.title if place.parent is not None else ""
    return [
        Cell(node.title, node.href),
        Cell(node.state),
        Cell(above),
        *(Cell(each) for each in node.cells),
    ]

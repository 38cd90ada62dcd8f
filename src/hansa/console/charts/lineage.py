"""A lineage as a picture: what an item was made of to its left, what became of it to its right.
Pure; where things stand: `layers`, what is shown: `pruning`.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final
from xml.etree.ElementTree import Element

import msgspec
from markupsafe import Markup

from hansa.console.charts.figure import (
    Cell,
    FormatCount,
    Frame,
    build_notice,
    close_figure,
    open_picture,
    shorten,
    shorten_middle,
)
from hansa.console.charts.layers import Layout, arrange
from hansa.console.charts.markup import add, add_link
from hansa.console.charts.pruning import Link, Node, Pruned, prune

# Nodes in one picture unless somebody asks for more, and what even then is the end.
NODES_SHOWN: Final = 120
NODES_MAX: Final = 600
_WIDTH: Final = 192.0
_HEIGHT: Final = 46.0
_GAP: Final = 14.0
_LANE: Final = 60.0
_MARGIN: Final = 26.0
_PAD: Final = 10.0


class LineageView(msgspec.Struct, frozen=True, kw_only=True):
    """How it is looked at: the item in the middle, how many at most, which groups are open, and
    the address that shows more around a node (or opens a group).
    """

    focus: str
    limit: int = NODES_SHOWN
    opened: frozenset[str] = frozenset()
    expand: Callable[[Node], str] = lambda _node: ""
    format_value: FormatCount = str


def draw_lineage(
    frame: Frame, nodes: Sequence[Node], links: Sequence[Link], view: LineageView
) -> Markup:
    """A figure of the graph around `view.focus`."""
    if not nodes:
        return build_notice(frame)
    words, say = frame.words, view.format_value
    pruned = prune(
        nodes,
        links,
        view.focus,
        limit=min(max(1, view.limit), NODES_MAX),
        opened=view.opened,
        name_group=lambda count: words.items.replace("{count}", say(count)),
    )
    layout = arrange(
        (node.id for node in pruned.nodes),
        ((link.source, link.target) for link in pruned.links),
        height=_HEIGHT,
        gap=_GAP,
    )
    width = 2 * _MARGIN + layout.column_count * (_WIDTH + _LANE) - _LANE
    svg = open_picture(frame, width, layout.height + 2 * _MARGIN, has_links=True)
    for link in pruned.links:
        _draw_link(svg, layout, link)
    for node in sorted(
        pruned.nodes, key=lambda node: (layout.columns[node.id], layout.places[node.id])
    ):
        _draw_node(svg, layout, node, frame, view)
    if pruned.omitted:
        rest = words.omitted.replace("{count}", say(pruned.omitted))
        add(svg, "text", rest, x=_MARGIN, y=layout.height + 2 * _MARGIN - 6, class_="tick")
    heads = (words.item, words.state, words.made_of, words.became)
    return close_figure(frame, svg, heads, _tell(pruned, layout))


def _left(layout: Layout, name: str) -> float:
    return _MARGIN + layout.columns[name] * (_WIDTH + _LANE)


def _draw_link(svg: Element, layout: Layout, link: Link) -> None:
    """A curve through the places where it passes the layers between, with its point at the end."""
    x, y = _left(layout, link.source) + _WIDTH, layout.places[link.source] + _MARGIN
    end_x, end_y = _left(layout, link.target), layout.places[link.target] + _MARGIN
    path = [f"M{x:.1f} {y:.1f}"]
    column = layout.columns[link.source]
    for place in layout.routes[(link.source, link.target)]:
        column += 1
        bend = _MARGIN + column * (_WIDTH + _LANE)
        path.append(_curve(x, y, bend, place + _MARGIN))
        path.append(f"L{bend + _WIDTH:.1f} {place + _MARGIN:.1f}")
        x, y = bend + _WIDTH, place + _MARGIN
    path.append(_curve(x, y, end_x - 5, end_y))
    add(svg, "path", d="".join(path), class_=f"link {link.kind}")
    point = f"M{end_x - 7:.1f} {end_y - 4:.1f}L{end_x:.1f} {end_y:.1f}L{end_x - 7:.1f} "
    add(svg, "path", d=f"{point}{end_y + 4:.1f}Z", class_=f"point {link.kind}")


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    pull = max(24.0, abs(to_x - x) / 2)
    return f"C{x + pull:.1f} {y:.1f} {to_x - pull:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"


def _draw_node(svg: Element, layout: Layout, node: Node, frame: Frame, view: LineageView) -> None:
    x, y = _left(layout, node.id), layout.places[node.id] + _MARGIN - _HEIGHT / 2
    is_group = node.kind == "group"
    names = ["node", node.kind, node.mark, "focus" if node.id == view.focus else ""]
    href = view.expand(node) if is_group else node.href
    group = add_link(svg, href, f"{node.title} {node.subtitle}".strip())
    group.set("class", " ".join(filter(None, names)))
    add(group, "title", node.note or f"{node.title}\n{node.subtitle}".strip())
    if is_group:
        add(group, "rect", x=x + 5, y=y - 5, width=_WIDTH, height=_HEIGHT, rx=6, class_="behind")
    radius = _HEIGHT / 2 if node.kind == "lot" else 6 if node.kind != "container" else 1
    add(group, "rect", x=x, y=y, width=_WIDTH, height=_HEIGHT, rx=radius, class_="body")
    pad = _PAD + (8 if node.kind == "lot" else 0)
    room = _WIDTH - 2 * pad - (16 if node.mark else 0)
    title = shorten_middle(node.title, room, 13)
    add(group, "text", title, x=x + pad, y=y + (20 if node.subtitle else 28), class_="name")
    if node.subtitle:
        add(group, "text", shorten(node.subtitle, room, 11), x=x + pad, y=y + 36, class_="sub")
    if node.mark:
        sign = {"flagged": "!", "recalled": "×", "ended": "■"}[node.mark]
        at = x + _WIDTH - pad - 4
        add(group, "circle", cx=at, cy=y + _HEIGHT / 2, r=9, class_="mark")
        add(group, "text", sign, x=at, y=y + _HEIGHT / 2 + 5, class_="sign middle")
    _draw_stub(svg, node, frame, view, before=True, x=x, y=y)
    _draw_stub(svg, node, frame, view, before=False, x=x, y=y)


def _draw_stub(
    svg: Element, node: Node, frame: Frame, view: LineageView, *, before: bool, x: float, y: float
) -> None:
    """A sign at the side to which the picture leaves something out: +12."""
    count = node.before if before else node.after
    if not count:
        return
    label = frame.words.more.replace("{count}", view.format_value(count))
    group = add_link(svg, view.expand(node), f"{node.title}: {label}")
    group.set("class", "stub")
    add(group, "title", label)
    at = x - 11 if before else x + _WIDTH + 11
    add(group, "circle", cx=at, cy=y + _HEIGHT / 2, r=10, class_="body")
    add(group, "text", "+", x=at, y=y + _HEIGHT / 2 + 5, class_="sign middle")


def _tell(pruned: Pruned, layout: Layout) -> list[list[Cell]]:
    titles = {node.id: node.title for node in pruned.nodes}
    before: dict[str, list[str]] = defaultdict(list)
    after: dict[str, list[str]] = defaultdict(list)
    for link in pruned.links:
        after[link.source].append(titles[link.target])
        before[link.target].append(titles[link.source])
    ordered = sorted(
        pruned.nodes, key=lambda node: (layout.columns[node.id], layout.places[node.id])
    )
    return [
        [
            Cell(" ".join(filter(None, (node.title, node.subtitle))), node.href),
            Cell(node.note.partition("\n")[0] if node.mark else ""),
            Cell(_join(before[node.id], node.before)),
            Cell(_join(after[node.id], node.after)),
        ]
        for node in ordered
    ]


def _join(titles: Sequence[str], hidden: int) -> str:
    shown = list(titles[:12])
    rest = len(titles) - len(shown) + hidden
    return ", ".join(shown) + (f" +{rest}" if rest else "")

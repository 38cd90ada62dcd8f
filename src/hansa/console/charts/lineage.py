"""A lineage as a picture: what an item was made of to its left, what became of it to its right.
Pure; where things stand: `layers`, what is shown: `pruning`.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
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
_WIDTH_MAKING: Final = 112.0
_HEIGHT: Final = 46.0
_GAP: Final = 14.0
_LANE: Final = 52.0
_MARGIN: Final = 26.0
_PAD: Final = 10.0
_DOT: Final = 7.0


class LineageView(msgspec.Struct, frozen=True, kw_only=True):
    """How it is looked at: the item in the middle, how many at most, which groups are open, and
    the address that shows more around a node (or opens a group).
    """

    focus: str
    limit: int = NODES_SHOWN
    opened: frozenset[str] = frozenset()
    expand: Callable[[Node], str] = lambda _node: ""
    format_value: FormatCount = str


class _Plot(msgspec.Struct, frozen=True):
    """Where everything is: left edge and width of each column."""

    svg: Element
    frame: Frame
    view: LineageView
    layout: Layout
    kinds: Mapping[str, str]
    lefts: list[float]
    widths: list[float]

    def left(self, name: str) -> float:
        """Where a node begins: a making is a dot in the middle of its column."""
        column = self.layout.columns[name]
        if self.kinds[name] == "making":
            return self.lefts[column] + self.widths[column] / 2 - _DOT
        return self.lefts[column]

    def right(self, name: str) -> float:
        """Where a node ends."""
        if self.kinds[name] == "making":
            return self.left(name) + 2 * _DOT
        return self.lefts[self.layout.columns[name]] + self.widths[self.layout.columns[name]]

    def middle(self, name: str) -> float:
        """How far down a node is."""
        return self.layout.places[name] + _MARGIN


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
    plot = _open_plot(frame, pruned, view)
    for link in pruned.links:
        _draw_link(plot, link)
    ordered = _order(pruned, plot.layout)
    for node in ordered:
        if node.kind == "making":
            _draw_making(plot, node)
        else:
            _draw_item(plot, node)
        _draw_stubs(plot, node)
    if pruned.omitted:
        rest = words.omitted.replace("{count}", say(pruned.omitted))
        y = plot.layout.height + 2 * _MARGIN - 6
        add(plot.svg, "text", rest, x=_MARGIN, y=y, class_="tick")
    heads = (words.item, words.state, words.made_of, words.became)
    return close_figure(frame, plot.svg, heads, _tell(pruned, ordered))


def _open_plot(frame: Frame, pruned: Pruned, view: LineageView) -> _Plot:
    layout = arrange(
        (node.id for node in pruned.nodes),
        ((link.source, link.target) for link in pruned.links),
        height=_HEIGHT,
        gap=_GAP,
    )
    widths = [_WIDTH_MAKING] * layout.column_count
    for node in pruned.nodes:
        if node.kind != "making":
            widths[layout.columns[node.id]] = _WIDTH
    lefts, edge = [], _MARGIN
    for width in widths:
        lefts.append(edge)
        edge += width + _LANE
    height = layout.height + 2 * _MARGIN
    svg = open_picture(frame, edge - _LANE + _MARGIN, height, has_links=True)
    kinds = {node.id: node.kind for node in pruned.nodes}
    return _Plot(svg, frame, view, layout, kinds, lefts, widths)


def _order(pruned: Pruned, layout: Layout) -> list[Node]:
    """As one reads: column by column, from above."""
    return sorted(pruned.nodes, key=lambda node: (layout.columns[node.id], layout.places[node.id]))


def _draw_link(plot: _Plot, link: Link) -> None:
    """A curve through the places where it passes the layers between, with its point at the end."""
    x, y = plot.right(link.source), plot.middle(link.source)
    end_x, end_y = plot.left(link.target), plot.middle(link.target)
    path = [f"M{x:.1f} {y:.1f}"]
    column = plot.layout.columns[link.source]
    for place in plot.layout.routes[(link.source, link.target)]:
        column += 1
        bend, level = plot.lefts[column], place + _MARGIN
        path.append(_curve(x, y, bend, level))
        x, y = bend + plot.widths[column], level
        path.append(f"L{x:.1f} {y:.1f}")
    path.append(_curve(x, y, end_x - 5, end_y))
    add(plot.svg, "path", d="".join(path), class_=f"link {link.kind}")
    point = f"M{end_x - 7:.1f} {end_y - 4:.1f}L{end_x:.1f} {end_y:.1f}L{end_x - 7:.1f} "
    add(plot.svg, "path", d=f"{point}{end_y + 4:.1f}Z", class_=f"point {link.kind}")


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    pull = max(20.0, abs(to_x - x) / 2)
    return f"C{x + pull:.1f} {y:.1f} {to_x - pull:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"


def _draw_making(plot: _Plot, node: Node) -> None:
    """A dot where inputs become outputs, its title above and its subtitle below."""
    x, y = plot.left(node.id) + _DOT, plot.middle(node.id)
    group = add_link(plot.svg, node.href, f"{node.title} {node.subtitle}".strip())
    group.set("class", "making")
    add(group, "title", node.note or f"{node.title}\n{node.subtitle}".strip())
    add(group, "circle", cx=x, cy=y, r=_DOT, class_="body")
    room = plot.widths[plot.layout.columns[node.id]] - 4
    add(group, "text", shorten_middle(node.title, room, 11), x=x, y=y - 13, class_="sub middle")
    add(group, "text", shorten(node.subtitle, room, 11), x=x, y=y + 22, class_="sub middle")


def _draw_item(plot: _Plot, node: Node) -> None:
    x, y = plot.left(node.id), plot.middle(node.id) - _HEIGHT / 2
    is_group = node.kind == "group"
    names = ["node", node.kind, node.mark, "focus" if node.id == plot.view.focus else ""]
    href = plot.view.expand(node) if is_group else node.href
    group = add_link(plot.svg, href, f"{node.title} {node.subtitle}".strip())
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


def _draw_stubs(plot: _Plot, node: Node) -> None:
    """A sign at each side to which the picture leaves something out."""
    for count, at in (
        (node.before, plot.left(node.id) - 11),
        (node.after, plot.right(node.id) + 11),
    ):
        if not count:
            continue
        label = plot.frame.words.more.replace("{count}", plot.view.format_value(count))
        group = add_link(plot.svg, plot.view.expand(node), f"{node.title}: {label}")
        group.set("class", "stub")
        add(group, "title", label)
        y = plot.middle(node.id)
        add(group, "circle", cx=at, cy=y, r=10, class_="body")
        add(group, "text", "+", x=at, y=y + 5, class_="sign middle")


def _tell(pruned: Pruned, ordered: Sequence[Node]) -> list[list[Cell]]:
    """A row for each item: what it is from and what became of it, past the makings between."""
    nodes = {node.id: node for node in pruned.nodes}
    before: dict[str, list[str]] = defaultdict(list)
    after: dict[str, list[str]] = defaultdict(list)
    for link in pruned.links:
        after[link.source].append(link.target)
        before[link.target].append(link.source)

    def name_all(near: dict[str, list[str]], node: Node) -> list[str]:
        found: list[str] = []
        for name in near[node.id]:
            beyond = near[name] if nodes[name].kind == "making" else [name]
            found += [nodes[each].title for each in beyond]
        return found

    return [
        [
            Cell(" ".join(filter(None, (node.title, node.subtitle))), node.href),
            Cell(node.note.partition("\n")[0] if node.mark else ""),
            Cell(_join(name_all(before, node), node.before)),
            Cell(_join(name_all(after, node), node.after)),
        ]
        for node in ordered
        if node.kind != "making"
    ]


def _join(titles: Sequence[str], hidden: int) -> str:
    shown = list(dict.fromkeys(titles))[:12]
    rest = len(set(titles)) - len(shown) + hidden
    return ", ".join(shown) + (f" +{rest}" if rest else "")

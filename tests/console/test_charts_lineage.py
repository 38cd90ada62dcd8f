"""A lineage's picture: read from left to right, the same for the same graph, nothing on top of
another, and what it leaves out is counted.
"""

import random
from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.console.charts import Frame, LineageView, Link, Node, draw_lineage
from hansa.console.charts.layers import Layout, arrange
from hansa.console.charts.lineage import NODES_MAX
from hansa.console.charts.pruning import FOLD_MIN, prune

FRAME = Frame(name="lineage", title="Lineage", description="What came of what")
SVG = "{http://www.w3.org/2000/svg}"
HEIGHT, GAP = 40.0, 10.0

graphs = st.integers(1, 14).flatmap(
    lambda count: st.lists(
        st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=30
    ).map(lambda pairs: ([f"n{at}" for at in range(count)], [(f"n{a}", f"n{b}") for a, b in pairs]))
)


def lay(nodes: list[str], edges: list[tuple[str, str]]) -> Layout:
    return arrange(nodes, edges, height=HEIGHT, gap=GAP)


@given(graphs)
@settings(max_examples=60, deadline=None)
def test_no_node_lies_on_another_and_all_are_inside(
    graph: tuple[list[str], list[tuple[str, str]]],
) -> None:
    layout = lay(*graph)
    by_column: dict[int, list[float]] = {}
    for name, column in layout.columns.items():
        by_column.setdefault(column, []).append(layout.places[name])
    for places in by_column.values():
        places.sort()
        for above, below in pairwise(places):
            assert below - above >= HEIGHT + GAP - 0.3
        assert places[0] >= HEIGHT / 2 - 0.2
        assert places[-1] <= layout.height - HEIGHT / 2 + 0.2


@given(graphs)
@settings(max_examples=60, deadline=None)
def test_links_lead_to_the_right_where_there_is_no_circle(
    graph: tuple[list[str], list[tuple[str, str]]],
) -> None:
    nodes, edges = graph
    forward = [(a, b) for a, b in edges if int(a[1:]) < int(b[1:])]
    layout = lay(nodes, forward)
    for a, b in forward:
        assert layout.columns[a] < layout.columns[b]
        assert len(layout.routes[(a, b)]) == layout.columns[b] - layout.columns[a] - 1


@given(graphs, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_in_which_a_graph_is_given_changes_nothing(
    graph: tuple[list[str], list[tuple[str, str]]], shuffler: random.Random
) -> None:
    nodes, edges = graph
    other_nodes, other_edges = list(nodes), list(edges)
    shuffler.shuffle(other_nodes)
    shuffler.shuffle(other_edges)
    assert lay(nodes, edges) == lay(other_nodes, other_edges)


def test_a_chain_is_a_straight_line_and_an_input_stands_next_to_its_use() -> None:
    layout = lay(["a", "b", "c", "d", "salt"], [("a", "b"), ("b", "c"), ("c", "d"), ("salt", "d")])
    assert [layout.columns[name] for name in "abcd"] == [0, 1, 2, 3]
    assert layout.columns["salt"] == 2
    assert layout.places["a"] == layout.places["b"] == layout.places["c"]


def test_a_tree_is_drawn_without_crossings() -> None:
    edges = [("r", f"{a}") for a in "abcd"]
    edges += [(a, f"{a}{b}") for a in "dbca" for b in "zyx"]
    layout = lay(sorted({name for edge in edges for name in edge}), edges)
    ranks = sorted("abcd", key=lambda name: layout.places[name])
    leaves = sorted(
        (name for name in layout.columns if len(name) == 2), key=lambda name: layout.places[name]
    )
    assert [name[0] for name in leaves] == [name for name in ranks for _ in range(3)]


def test_a_circle_of_bad_data_is_drawn_all_the_same() -> None:
    nodes = [Node(id=name, title=name) for name in "abc"]
    links = [Link("a", "b"), Link("b", "c"), Link("c", "a"), Link("a", "a"), Link("a", "gone")]
    tree = ElementTree.fromstring(str(draw_lineage(FRAME, nodes, links, LineageView(focus="a"))))
    lines = [each for each in tree.iter(f"{SVG}path") if "link" in (each.get("class") or "")]
    assert len(lines) == 3


def build_packs(count: int) -> tuple[list[Node], list[Link]]:
    nodes = [Node(id="lot", title="lot", kind="lot")]
    nodes += [Node(id=f"p{at:03d}", title=f"pack {at}") for at in range(count)]
    return nodes, [Link("lot", f"p{at:03d}") for at in range(count)]


def test_what_is_alike_stands_as_one_until_it_is_opened() -> None:
    nodes, links = build_packs(FOLD_MIN)
    folded = prune(nodes, links, "lot", limit=100)
    group = next(node for node in folded.nodes if node.kind == "group")
    assert (len(folded.nodes), group.count, folded.omitted) == (2, FOLD_MIN, 0)
    opened = prune(nodes, links, "lot", limit=100, opened=frozenset({group.id}))
    assert len(opened.nodes) == FOLD_MIN + 1
    fewer = prune(nodes[:-1], links, "lot", limit=100)
    assert len(fewer.nodes) == FOLD_MIN


def test_a_recalled_item_and_the_one_looked_at_never_hide_in_a_group() -> None:
    nodes, links = build_packs(30)
    nodes[5] = Node(id=nodes[5].id, title="bad", mark="recalled")
    pruned = prune(nodes, links, "p010", limit=100)
    assert {"lot", nodes[5].id, "p010"} <= {node.id for node in pruned.nodes}
    assert sum(node.count for node in pruned.nodes) == 31


def test_what_is_left_out_is_the_farthest_and_is_counted() -> None:
    nodes = [Node(id=f"n{at:03d}", title=f"{at}") for at in range(50)]
    links = [Link(f"n{at:03d}", f"n{at + 1:03d}") for at in range(49)]
    pruned = prune(nodes, links, "n020", limit=11)
    assert [node.id for node in pruned.nodes] == [f"n{at:03d}" for at in range(15, 26)]
    assert pruned.omitted == 39
    assert (pruned.nodes[0].before, pruned.nodes[0].after) == (1, 0)
    assert (pruned.nodes[-1].before, pruned.nodes[-1].after) == (0, 1)
    svg = draw_lineage(FRAME, nodes, links, LineageView(focus="n020", limit=11))
    assert "39 more are not shown" in svg


def test_an_item_that_is_not_there_shows_the_whole() -> None:
    nodes, links = build_packs(3)
    assert len(prune(nodes, links, "gone", limit=100).nodes) == 4


def test_a_thousand_lots_in_long_chains_stay_bounded() -> None:
    nodes = [Node(id=f"n{at:04d}", title=f"{at}") for at in range(1_000)]
    links = [Link(f"n{at:04d}", f"n{to:04d}") for at in range(999) for to in (at + 1, 999)]
    view = LineageView(focus="n0500", limit=10**9)
    markup = draw_lineage(FRAME, nodes, links, view)
    shown = ElementTree.fromstring(str(markup)).iter(f"{SVG}a")
    assert len(list(shown)) == 0
    assert f"{1_000 - NODES_MAX} more are not shown" in markup
    assert len(markup) < 2_000_000


def test_a_making_is_a_dot_between_items_and_no_item_of_the_table() -> None:
    nodes = [Node(id=name, title=name, kind="lot") for name in ("in", "other", "out")]
    nodes.append(Node(id="=m", title="Foods", subtitle="1 March", kind="making", count=0))
    links = [Link("in", "=m"), Link("other", "=m"), Link("=m", "out")]
    markup = draw_lineage(FRAME, nodes, links, LineageView(focus="out"))
    tree = ElementTree.fromstring(str(markup))
    making = next(each for each in tree.iter(f"{SVG}g") if each.get("class") == "making")
    assert [each.text for each in making.iter(f"{SVG}text")] == ["Foods", "1 March"]
    rows = [[cell.text or "" for cell in row] for row in tree.findall(".//tbody/tr")]
    assert sorted(rows) == [
        ["in", "", "", "out"],
        ["other", "", "", "out"],
        ["out", "", "in, other", ""],
    ]

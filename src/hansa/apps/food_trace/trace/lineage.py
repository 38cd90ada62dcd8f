"""The lineage of an item as a graph: what it was made of and what was made of it, a few steps."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from hansa.appkit.walk import Closure, Cut, Link, Snapshot
from hansa.apps.food_trace.trace.ways import DOWN, UP, is_making

# A picture of more is no picture.
NODES_MAX = 400
STEPS_DEFAULT = 6
Side = Literal["up", "self", "down"]


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """An item, or (`kind` making) a transformation between items.

    `rank`: links from the item that was asked for, below zero for what it was made of; a making
    stands between what goes in and what comes out. `place`, `member`, `time_ms`: where, by whom and
    when it was made (a making: where it happened).
    """

    id: str
    kind: Literal["item", "making"]
    rank: int
    level: str = ""
    product: str = ""
    member: str = ""
    place: str = ""
    time_ms: int | None = None
    flags: int = 0


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """From what goes in to what comes out; `kind` packed: from what is in a unit to the unit."""

    source: str
    target: str
    kind: Literal["made", "packed"]


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """Nodes by rank and name, edges by name. `cut`: there is more, and why it is not here."""

    height: int
    root: str
    cut: Cut
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def build_lineage(
    snapshot: Snapshot,
    root: str,
    *,
    up: int = STEPS_DEFAULT,
    down: int = STEPS_DEFAULT,
    nodes_max: int = NODES_MAX,
) -> Graph:
    """The graph around an item, `up` and `down` so many makings."""
    above = snapshot.walk([root], UP, items_max=nodes_max, depth_max=2 * up)
    below = snapshot.walk([root], DOWN, items_max=nodes_max, depth_max=2 * down)
    ranks = {each.item: each.depth for each in below.reached}
    ranks |= {each.item: -each.depth for each in above.reached}
    details = _collect_details(snapshot, above, below)
    nodes = [_build_node(node, rank, details.get(node, {})) for node, rank in ranks.items()]
    links = {*above.links, *below.links}
    return Graph(
        height=above.height,
        root=root,
        cut=above.cut or below.cut,
        nodes=tuple(sorted(nodes, key=lambda node: (node.rank, node.id))),
        edges=tuple(_build_edge(link) for link in sorted(links)),
    )


def _collect_details(snapshot: Snapshot, *closures: Closure) -> Mapping[str, Mapping[str, Any]]:
    names = {each.item for closure in closures for each in closure.reached}
    items = [name for name in names if not is_making(name)]
    found: dict[str, Mapping[str, Any]] = {
        str(row["id"]): row for row in snapshot.pick("items", "key", items)
    }
    makings = {name.removeprefix("="): name for name in names if is_making(name)}
    for row in snapshot.pick("event_items", "key", list(makings)):
        found.setdefault(makings[str(row["key"])], row)
    return found


def _build_node(node: str, rank: int, row: Mapping[str, Any]) -> Node:
    if is_making(node):
        return Node(
            id=node,
            kind="making",
            rank=rank,
            member=row.get("member") or "",
            place=row.get("place") or "",
            time_ms=row.get("time_ms"),
        )
    return Node(
        id=node,
        kind="item",
        rank=rank,
        level=row.get("level") or "",
        product=row.get("product") or "",
        member=row.get("made_by") or row.get("member") or "",
        place=row.get("made_at") or row.get("place") or "",
        time_ms=row.get("made_ms"),
        flags=row.get("flags") or 0,
    )


def _build_edge(link: Link) -> Edge:
    if link.table == "stays":
        return Edge(source=link.target, target=link.source, kind="packed")
    return Edge(source=link.source, target=link.target, kind="made")

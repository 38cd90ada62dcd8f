"""`hansa food-trace lineage`: a graph as two trees, and the check that no step is missing."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from hansa.appkit.command import Door
from hansa.apps.food_trace.commands.words import Names, format_time
from hansa.apps.food_trace.model import Item, Step
from hansa.apps.food_trace.trace.completeness import check_trail
from hansa.apps.food_trace.trace.ways import is_making

# A tree repeats what is reached on several ways only by its name.
AGAIN: Final = " (see above)"


def show_lineage(door: Door, item: str, up: str, down: str, *, check: bool) -> int:
    """Print the trees. 0; 1 when the ledger does not know the item or a step is missing."""
    found = door.ask("/trace/lineage", [("item", item), ("up", up), ("down", down)])
    graph = found["lineage"]
    is_known = any(node["level"] for node in graph["nodes"])
    document = {**found, "check": _check(door, item) if check and is_known else None}
    door.output.document(document)
    for line in format_trees(found):
        door.output.line(line)
    if graph["cut"]:
        door.output.hint(f"there is more ({graph['cut']}): ask with --up or --down, or for an item")
    if not is_known:
        door.output.hint("✗ the ledger knows nothing of it")
        return 1
    if document["check"] is not None:
        return _tell_check(door, document["check"])
    return 0


def _check(door: Door, item: str) -> dict[str, Any]:
    """Fold the steps here: the node's own word on it is not asked for."""
    trail = door.ask("/trace/trail", [("item", item)])
    steps = msgspec.convert(trail["steps"], list[Step])
    found = check_trail(msgspec.convert(trail["item"], Item), steps)
    told: dict[str, Any] = msgspec.to_builtins(found)
    return {**told, "cut": trail["cut"]}


def _tell_check(door: Door, check: dict[str, Any]) -> int:
    if check["is_complete"]:
        door.output.line(f"✓ all {check['steps']} steps of the item are there: {check['head']}")
        return 0
    found, expected = check["steps"], check["expected_steps"]
    door.output.line(f"✗ the steps are not whole: {found} of {expected}, or one was changed")
    door.output.hint("ask again (a new step may just have come), or ask another node")
    return 1


def format_trees(found: dict[str, Any]) -> Iterator[str]:
    """What the item was made of, then what was made of it, indented."""
    graph, names = found["lineage"], Names(found)
    nodes = {node["id"]: node for node in graph["nodes"]}
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for edge in graph["edges"]:
        down, up = edge["target"], edge["source"]
        above.setdefault(down, []).append(up)
        below.setdefault(up, []).append(down)
    yield _describe(nodes[graph["root"]], names)
    for title, ways in (("made of", above), ("made into", below)):
        if graph["root"] in ways:
            yield f"  {title}"
            yield from _walk(graph["root"], ways, nodes, names, 2, {graph["root"]})


def _walk(
    node: str,
    ways: dict[str, list[str]],
    nodes: dict[str, Any],
    names: Names,
    depth: int,
    met: set[str],
) -> Iterator[str]:
    for other in ways.get(node, ()):
        if is_making(other):
            yield from _walk(other, ways, nodes, names, depth, met)
            continue
        again = other in met
        yield "  " * depth + _describe(nodes[other], names) + (AGAIN if again else "")
        if not again:
            met.add(other)
            yield from _walk(other, ways, nodes, names, depth + 1, met)


def _describe(node: dict[str, Any], names: Names) -> str:
    words = [node["id"], format_time(node["time_ms"]), names.member(node["member"])]
    flagged = f"⚑ {node['flags']}" if node["flags"] else ""
    return "  ".join(word for word in (*words, names.place(node["place"]), flagged) if word)

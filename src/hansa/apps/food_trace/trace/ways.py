"""Which ways a closure goes: what was made of what, and what is in what. Pure.

Down (recall): from inputs to what was made of them, and from a unit to what is or was in it. Up
(trace-back): from what was made to its inputs; a unit has the origins of what is or was in it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from hansa.appkit.walk import Closure, Way
from hansa.apps.food_trace.views.trail import MAKING

DOWN: Final = (Way("links", "source"), Way("stays", "source"))
UP: Final = (Way("links", "target"), Way("stays", "source"))
# What something is in now, and what that is in.
OUTWARD: Final = (Way("stays", "target", unless="until_ms"),)
# What something was ever in.
CARRIED: Final = (Way("stays", "target"),)


def is_making(node: str) -> bool:
    """Whether a node of the links is a transformation, not an item."""
    return node.startswith(MAKING)


def list_items(closure: Closure) -> list[tuple[str, int]]:
    """The items of a closure and how many makings or packings away they are, nearest first.

    A transformation is a node between its inputs and outputs: two links are one making.
    """
    depths = count_steps(closure)
    return [(each.item, depths[each.item]) for each in closure.reached if not is_making(each.item)]


def count_steps(closure: Closure) -> dict[str, int]:
    """Steps to each node: a way over a transformation is one step, into a unit is one, too."""
    beyond: dict[str, list[str]] = {}
    for link in closure.links:
        beyond.setdefault(link.source, []).append(link.target)
        beyond.setdefault(link.target, []).append(link.source)
    depths = {each.item: each.depth for each in closure.reached}
    steps = dict.fromkeys(closure.roots, 0)
    for each in closure.reached:
        if each.item in steps:
            continue
        before = [
            steps[other]
            for other in beyond.get(each.item, ())
            if depths[other] == each.depth - 1 and other in steps
        ]
        steps[each.item] = min(before) + (not is_making(each.item))
    return steps


def list_places(rows: Iterable[dict[str, str | int | None]]) -> Iterator[str]:
    """GLNs of the places that rows name, in element form; those that are hidden are left out."""
    for row in rows:
        gln = find_gln(str(row.get("place") or ""))
        if gln:
            yield gln


def find_gln(place: str) -> str:
    """The GLN of a place in element form (`414.<gln>.254.<extension>`), or ""."""
    words: Sequence[str] = place.split(".")
    return words[1] if words[0] in ("414", "417") and len(words) > 1 else ""

"""Which part of a lineage fits into a picture: what is alike is folded into one, and what is far
from the item in the middle is left out, with its number said. Pure and deterministic.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

import msgspec

Mark = Literal["", "flagged", "recalled", "ended"]
# A making stands between what goes into it and what comes of it: it is no item (its count is 0).
NodeKind = Literal["item", "lot", "container", "making", "group"]
LinkKind = Literal["made", "packed"]
# As many of a kind, between the same neighbours, stand as one until somebody opens them.
FOLD_MIN: Final = 6


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A node of a lineage. `count`: how many items stand behind it; `before`, `after`: how many
    neighbours the picture leaves out.
    """

    id: str
    title: str
    subtitle: str = ""
    kind: NodeKind = "item"
    mark: Mark = ""
    href: str = ""
    note: str = ""
    count: int = 1
    before: int = 0
    after: int = 0


class Link(msgspec.Struct, frozen=True):
    """`source` was made into, or packed into, `target`."""

    source: str
    target: str
    kind: LinkKind = "made"


class Pruned(msgspec.Struct, frozen=True):
    """What is drawn; `omitted`: how many items of the whole are not."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    omitted: int


def prune(
    nodes: Sequence[Node],
    links: Iterable[Link],
    focus: str,
    *,
    limit: int,
    opened: frozenset[str] = frozenset(),
    name_group: Callable[[int], str] = lambda count: f"{count} items",
) -> Pruned:
    """At most `limit` nodes, those nearest to `focus`; groups whose id is in `opened` unfolded.

    A group's id is that of its first item, so that a link that opens it stays true.
    """
    found = {node.id: node for node in sorted(nodes, key=lambda node: node.id)}
    kept = sorted(
        {
            (link.source, link.target): link
            for link in sorted(links, key=lambda link: (link.source, link.target, link.kind))
            if link.source in found and link.target in found and link.source != link.target
        }.values(),
        key=lambda link: (link.source, link.target),
    )
    groups = _find_groups(found, kept, focus, opened)
    folded, joined = _fold(found, kept, groups, name_group)
    near = _take_nearest(folded, joined, focus if focus in folded else "", limit)
    shown = _count_hidden(folded, joined, near)
    omitted = sum(node.count for name, node in folded.items() if name not in near)
    drawn = tuple(link for link in joined if link.source in near and link.target in near)
    return Pruned(tuple(shown), drawn, omitted)


def _find_groups(
    nodes: dict[str, Node], links: Sequence[Link], focus: str, opened: frozenset[str]
) -> dict[str, str]:
    """The group of each item that is folded: items with the same neighbours, kind and mark."""
    before: dict[str, list[tuple[str, str]]] = defaultdict(list)
    after: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for link in links:
        after[link.source].append((link.target, link.kind))
        before[link.target].append((link.source, link.kind))
    alike: dict[object, list[str]] = defaultdict(list)
    for name, node in nodes.items():
        if name == focus or node.kind == "making" or not (before[name] or after[name]):
            continue
        alike[(tuple(before[name]), tuple(after[name]), node.kind, node.mark)].append(name)
    groups: dict[str, str] = {}
    for names in alike.values():
        if len(names) >= FOLD_MIN and names[0] not in opened:
            groups.update(dict.fromkeys(names, names[0]))
    return groups


def _fold(
    nodes: dict[str, Node],
    links: Sequence[Link],
    groups: dict[str, str],
    name_group: Callable[[int], str],
) -> tuple[dict[str, Node], list[Link]]:
    counts = Counter(groups.values())
    folded: dict[str, Node] = {}
    for name, node in nodes.items():
        lead = groups.get(name, name)
        if lead != name:
            continue
        if lead in counts:
            node = Node(
                id=name,
                title=name_group(counts[lead]),
                subtitle=node.subtitle,
                kind="group",
                mark=node.mark,
                count=counts[lead],
            )
        folded[name] = node
    joined = {
        (groups.get(link.source, link.source), groups.get(link.target, link.target)): link.kind
        for link in links
    }
    return folded, [Link(a, b, kind) for (a, b), kind in sorted(joined.items())]


def _take_nearest(
    nodes: dict[str, Node], links: Sequence[Link], focus: str, limit: int
) -> set[str]:
    near: dict[str, list[str]] = defaultdict(list)
    for link in links:
        near[link.source].append(link.target)
        near[link.target].append(link.source)
    taken: set[str] = set()
    for start in [focus, *nodes] if focus else list(nodes):
        waiting = deque([start])
        while waiting and len(taken) < limit:
            name = waiting.popleft()
            if name in taken:
                continue
            taken.add(name)
            waiting.extend(sorted(near[name]))
        if focus or len(taken) >= limit:
            break
    return taken


def _count_hidden(nodes: dict[str, Node], links: Sequence[Link], near: set[str]) -> list[Node]:
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for link in links:
        if link.source in near and link.target not in near:
            after[link.source] += max(1, nodes[link.target].count)
        elif link.target in near and link.source not in near:
            before[link.target] += max(1, nodes[link.source].count)
    return [
        msgspec.structs.replace(nodes[name], before=before[name], after=after[name])
        for name in sorted(near)
    ]

"""Where the nodes of a directed graph stand when it is read from left to right. Pure and
deterministic: the same graph, in whatever order it is given, has the same picture.

Layers by longest path; order in a layer by repeated medians (Sugiyama, Tagawa, Toda 1981); places
by isotonic regression, so that neighbours stand as level as the room allows.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

Edge = tuple[str, str]
# Sweeps over the layers, from left and from right in turn.
_SWEEPS: Final = 8
# A link that passes a layer takes a place there, but a narrow one.
_BEND_HEIGHT: Final = 10.0
# Bends in one picture; where there would be more, the longest links run straight.
_BENDS_MAX: Final = 3_000


class Layout(msgspec.Struct, frozen=True):
    """`columns`: layer of each node; `places`: its middle, from the top; `routes`: for each link
    the places at which it passes the layers between; `height`: of the whole.
    """

    columns: dict[str, int]
    places: dict[str, float]
    routes: dict[Edge, tuple[float, ...]]
    height: float

    @property
    def column_count(self) -> int:
        """How many layers there are."""
        return max(self.columns.values(), default=-1) + 1


def arrange(nodes: Iterable[str], edges: Iterable[Edge], *, height: float, gap: float) -> Layout:
    """A place for each node. Links whose ends are not nodes, loops and doubles do not count; a
    link that closes a circle is drawn, but does not decide layers.
    """
    names = sorted(set(nodes))
    known = set(names)
    kept = sorted({(a, b) for a, b in edges if a in known and b in known and a != b})
    forward = _drop_circles(names, kept)
    columns = _choose_columns(names, forward)
    layers, chains = _insert_bends(names, forward, columns)
    ordered = _order_layers(layers, chains)
    places = _place(ordered, chains, known, height, gap)
    top = min(places.values(), default=0.0) - height / 2
    places = {name: place - top for name, place in places.items()}
    routes = {edge: tuple(places[bend] for bend in chain[1:-1]) for edge, chain in chains.items()}
    for edge in kept:
        routes.setdefault(edge, ())
    bottom = max((places[name] for name in names), default=0.0)
    lowest = max([bottom, *(place for route in routes.values() for place in route)])
    return Layout(
        columns, {name: places[name] for name in names}, routes, lowest + height / 2 if names else 0
    )


def _drop_circles(names: Sequence[str], edges: Sequence[Edge]) -> list[Edge]:
    """The links without those that lead back to where a walk came from."""
    after: dict[str, list[str]] = defaultdict(list)
    for a, b in edges:
        after[a].append(b)
    back: set[Edge] = set()
    state: dict[str, int] = {}
    has_before = {b for _a, b in edges}
    for start in sorted(names, key=lambda name: (name in has_before, name)):
        if start in state:
            continue
        state[start] = 1
        path = [(start, iter(after[start]))]
        while path:
            at, rest = path[-1]
            following = next(rest, None)
            if following is None:
                state[at] = 2
                path.pop()
            elif state.get(following) == 1:
                back.add((at, following))
            elif following not in state:
                state[following] = 1
                path.append((following, iter(after[following])))
    return [edge for edge in edges if edge not in back]


def _choose_columns(names: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """Longest path from the left; what only goes into others stands right before them."""
    after: dict[str, list[str]] = defaultdict(list)
    waiting = dict.fromkeys(names, 0)
    for a, b in edges:
        after[a].append(b)
        waiting[b] += 1
    columns = dict.fromkeys(names, 0)
    ready = [name for name in names if not waiting[name]]
    order = []
    while ready:
        name = ready.pop()
        order.append(name)
        for following in after[name]:
            columns[following] = max(columns[following], columns[name] + 1)
            waiting[following] -= 1
            if not waiting[following]:
                ready.append(following)
    for name in reversed(order):
        if after[name]:
            columns[name] = min(columns[each] for each in after[name]) - 1
    return columns


def _insert_bends(
    names: Sequence[str], edges: Sequence[Edge], columns: Mapping[str, int]
) -> tuple[list[list[str]], dict[Edge, tuple[str, ...]]]:
    """Layers with a bend for each layer that a link passes; each link as the chain it runs."""
    layers: list[list[str]] = [[] for _ in range(max(columns.values(), default=-1) + 1)]
    for name in names:
        layers[columns[name]].append(name)
    chains: dict[Edge, tuple[str, ...]] = {}
    room = _BENDS_MAX
    for a, b in sorted(edges, key=lambda edge: columns[edge[1]] - columns[edge[0]]):
        room -= columns[b] - columns[a] - 1
        if room < 0:
            break
        chain = [a]
        for column in range(columns[a] + 1, columns[b]):
            bend = f"{a}\x00{b}\x00{column}"
            layers[column].append(bend)
            chain.append(bend)
        chains[(a, b)] = (*chain, b)
    return layers, chains


def _list_neighbours(
    chains: Mapping[Edge, tuple[str, ...]],
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    before: dict[str, list[str]] = defaultdict(list)
    after: dict[str, list[str]] = defaultdict(list)
    for chain in chains.values():
        for a, b in pairwise(chain):
            after[a].append(b)
            before[b].append(a)
    return before, after


def _order_layers(
    layers: list[list[str]], chains: Mapping[Edge, tuple[str, ...]]
) -> list[list[str]]:
    """The order with the fewest crossings that a few sweeps find."""
    before, after = _list_neighbours(chains)
    best = [list(layer) for layer in layers]
    fewest = _count_crossings(best, after)
    current = [list(layer) for layer in layers]
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        is_down = sweep % 2 == 0
        span = range(1, len(current)) if is_down else range(len(current) - 2, -1, -1)
        for at in span:
            fixed = current[at - 1 if is_down else at + 1]
            _sort_layer(current[at], fixed, before if is_down else after)
        crossings = _count_crossings(current, after)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in current], crossings
    return best


def _sort_layer(layer: list[str], fixed: list[str], neighbours: Mapping[str, list[str]]) -> None:
    rank = {name: at for at, name in enumerate(fixed)}
    own = {name: at for at, name in enumerate(layer)}

    def judge(name: str) -> tuple[float, int]:
        ranks = sorted(rank[each] for each in neighbours.get(name, ()))
        if not ranks:
            return (own[name] * max(1, len(fixed)) / len(layer), own[name])
        middle = len(ranks) // 2
        median = ranks[middle] if len(ranks) % 2 else (ranks[middle - 1] + ranks[middle]) / 2
        return (median, own[name])

    layer[:] = sorted(layer, key=judge)


def _count_crossings(layers: Sequence[Sequence[str]], after: Mapping[str, list[str]]) -> int:
    crossings = 0
    for left, right in pairwise(layers):
        rank = {name: at for at, name in enumerate(right)}
        seen: list[int] = []
        for name in left:
            ends = sorted(rank[each] for each in after.get(name, ()))
            crossings += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return crossings


def _place(
    layers: Sequence[Sequence[str]],
    chains: Mapping[Edge, tuple[str, ...]],
    known: set[str],
    height: float,
    gap: float,
) -> dict[str, float]:
    before, after = _list_neighbours(chains)
    sizes = {name: height if name in known else _BEND_HEIGHT for layer in layers for name in layer}
    places: dict[str, float] = {}
    for layer in layers:
        edge = 0.0
        for name in layer:
            places[name] = edge + sizes[name] / 2
            edge += sizes[name] + gap
    for sweep in range(_SWEEPS):
        is_down = sweep % 2 == 0
        for layer in layers if is_down else reversed(layers):
            neighbours = before if is_down else after
            other = after if is_down else before
            wanted = [
                _mean([places[each] for each in neighbours.get(name) or other.get(name) or [name]])
                for name in layer
            ]
            places.update(zip(layer, _spread(wanted, layer, sizes, gap), strict=True))
    return places


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _spread(
    wanted: Sequence[float], layer: Sequence[str], sizes: Mapping[str, float], gap: float
) -> list[float]:
    """The places nearest to the wanted ones, in order and apart: isotonic regression by pooling."""
    offsets, edge = [], 0.0
    for name in layer:
        offsets.append(edge + sizes[name] / 2)
        edge += sizes[name] + gap
    blocks: list[tuple[float, int]] = []
    for at, want in enumerate(wanted):
        block = (want - offsets[at], 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, count = blocks.pop()
            joined = count + block[1]
            block = ((mean * count + block[0] * block[1]) / joined, joined)
        blocks.append(block)
    shifts = [mean for mean, count in blocks for _ in range(count)]
    return [round(shift + offset, 1) for shift, offset in zip(shifts, offsets, strict=True)]

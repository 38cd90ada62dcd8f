"""Closures over a table of links, up or down, from one state of the read model. Reads only.

Breadth first, a statement a level, in the byte order of names: the same in both databases and on
every node. Bounded: what is cut says so. A link is seen by who may read the record behind it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import ARRAY, Connection, Table, Text, any_, bindparam, cast, func, select

from hansa.appkit.walk import ITEMS_MAX, Closure, Cut, Link, Reached, Way, compute_closure_digest
from hansa.index.limits import (
    PICKED_MAX,
    WALK_DEPTH_MAX,
    WALK_LINKS_MAX,
    WALK_STATEMENT_KEYS,
)
from hansa.index.shape import RecordKind
from hansa.index.sight import Viewer
from hansa.index.store import Index


class Snapshot:
    """One application's tables at one height (`appkit.walk.Snapshot`)."""

    def __init__(self, index: Index, app: str, connection: Connection, viewer: Viewer) -> None:
        self._index, self._app = index, app
        self._connection, self._viewer = connection, viewer
        self.height = int(connection.execute(select(index.tables.progress.c.height)).scalar_one())

    def walk(
        self,
        roots: Sequence[str],
        ways: Sequence[Way],
        *,
        items_max: int = ITEMS_MAX,
        depth_max: int = WALK_DEPTH_MAX,
    ) -> Closure:
        """All that is reached from `roots` over any of the ways. Raises IndexFault."""
        walker = _Walker(self, tuple(ways), items_max, depth_max)
        reached, links, cut = walker.run(sorted(set(roots)))
        return Closure(
            height=self.height,
            roots=tuple(sorted(set(roots))),
            reached=reached,
            links=links,
            cut=cut,
            digest=compute_closure_digest(reached, links, cut),
        )

    def pick(
        self, table: str, column: str, values: Sequence[str], *, limit: int = PICKED_MAX
    ) -> list[dict[str, Any]]:
        """Rows whose column is one of `values`, in the order of (column, key, line).

        `key` is the record's identifier, also as a column asked by. Raises IndexFault.
        """
        kind, of = self._find(table)
        prefix = kind.prefix if column == "key" else ""
        found: list[dict[str, Any]] = []
        for part in _split(sorted(set(values)), WALK_STATEMENT_KEYS):
            chosen = self._is_among(of.c[column], [prefix + value for value in part])
            query = self._restrict(kind, of, select(of).where(chosen))
            ordered = query.order_by(of.c[column], of.c.key, of.c.line).limit(limit - len(found))
            found += self._read_rows(ordered)
            if len(found) >= limit:
                break
        for row in found:
            row["key"] = row["key"][len(kind.prefix) :]
        return found

    def count(
        self,
        table: str,
        column: str,
        values: Sequence[str],
        *,
        by: Sequence[str],
        time: str,
        limit: int = PICKED_MAX,
    ) -> list[dict[str, Any]]:
        """The same rows in groups by `column` and `by`: `count`, `first` and `last` of `time`.

        Raises IndexFault.
        """
        kind, of = self._find(table)
        groups = [of.c[each] for each in (column, *by)]
        spans = (func.min(of.c[time]).label("first"), func.max(of.c[time]).label("last"))
        query = select(*groups, func.count().label("count"), *spans).group_by(*groups)
        found: list[dict[str, Any]] = []
        for part in _split(sorted(set(values)), WALK_STATEMENT_KEYS):
            chosen = self._restrict(kind, of, query.where(self._is_among(of.c[column], part)))
            found += self._read_rows(chosen.order_by(*groups).limit(limit - len(found)))
            if len(found) >= limit:
                break
        return found

    def read_links(self, way: Way, starts: Sequence[str], limit: int) -> list[Link]:
        """At most `limit` links from `starts`, in the order of (start, key)."""
        kind, of = self._find(way.table)
        start = of.c[way.start]
        query = select(of.c.source, of.c.target, of.c.key).where(self._is_among(start, starts))
        if way.unless:
            query = query.where(of.c[way.unless].is_(None))
        ordered = self._restrict(kind, of, query).order_by(start, of.c.key, of.c.line)
        cut = len(kind.prefix)
        rows = self._connection.execute(ordered.limit(limit))
        return [Link(source, target, way.table, key[cut:]) for source, target, key in rows]

    def _read_rows(self, query: Any) -> list[dict[str, Any]]:
        """All rows by column name; thousands of them, so without a mapping for each."""
        result = self._connection.execute(query)
        names = list(result.keys())
        return [dict(zip(names, row, strict=True)) for row in result.all()]

    def _find(self, table: str) -> tuple[RecordKind, Table]:
        """The kind of records that a table shows, and its columns."""
        described = self._index.shape.tables[(self._app, table)].record
        kind = self._index.shape.records[(described.OWNER or self._app, described.KIND)]
        return kind, self._index.tables.projections[(self._app, table)]

    def _is_among(self, column: Any, values: Sequence[str]) -> Any:
        """The condition that a column has one of many values, as one parameter."""
        if self._connection.dialect.name == "sqlite":
            listed = func.json_each(bindparam(None, msgspec.json.encode(values).decode()))
            return column.in_(select(listed.table_valued("value").c.value))
        return column == any_(cast(list(values), ARRAY(Text)))

    def _restrict(self, kind: RecordKind, table: Any, query: Any) -> Any:
        """The query without what the viewer may not see."""
        sight = kind.sight(self._viewer)
        if sight.is_whole:
            return query
        parties = self._index.tables.record_parties
        seen = select(parties.c.key).where(
            parties.c.key == table.c.key, parties.c.mark.in_(sight.marks)
        )
        return query.where(seen.exists())


@contextmanager
def open_snapshot(index: Index, app: str, viewer: Viewer) -> Iterator[Snapshot]:
    """One state of an application's tables for several questions. Raises IndexFault."""
    with index.reading() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
            yield Snapshot(index, app, connection, viewer)
        else:
            pinned = connection.execution_options(isolation_level="REPEATABLE READ")
            yield Snapshot(index, app, pinned, viewer)


class _Walker:
    """One walk, level by level."""

    def __init__(
        self,
        snapshot: Snapshot,
        ways: tuple[Way, ...],
        items_max: int,
        depth_max: int,
    ) -> None:
        self._snapshot, self._ways = snapshot, ways
        self._items_max = min(items_max, ITEMS_MAX)
        self._depth_max = min(depth_max, WALK_DEPTH_MAX)
        self._depths: dict[str, int] = {}
        self._links: set[Link] = set()
        self._cut: Cut = ""

    def run(self, roots: Sequence[str]) -> tuple[tuple[Reached, ...], tuple[Link, ...], Cut]:
        """What is reached, the links among it, and the bound that ended it."""
        level = self._add(roots, 0)
        depth = 0
        while level and not self._cut:
            beyond = sorted(self._look(level))
            depth += 1
            if beyond and depth > self._depth_max:
                self._cut = "depth"
            else:
                level = self._add(beyond, depth)
        depths = self._depths
        ordered = sorted(depths, key=lambda item: (depths[item], item))
        reached = tuple(Reached(item, depths[item]) for item in ordered)
        inside = (link for link in self._links if link.source in depths and link.target in depths)
        return reached, tuple(sorted(inside)), self._cut

    def _add(self, items: Sequence[str], depth: int) -> Sequence[str]:
        """Take new things into the closure, as far as there is room."""
        room = self._items_max - len(self._depths)
        if len(items) > room:
            self._cut, items = "items", items[:room]
        for item in items:
            self._depths[item] = depth
        return items

    def _look(self, level: Sequence[str]) -> set[str]:
        """New things that are one link away."""
        beyond: set[str] = set()
        for way in self._ways:
            for part in _split(level, WALK_STATEMENT_KEYS):
                room = WALK_LINKS_MAX - len(self._links)
                links = self._snapshot.read_links(way, part, room + 1)
                if len(links) > room:
                    self._cut, links = "links", links[:room]
                for link in links:
                    other = link.target if way.start == "source" else link.source
                    if other not in self._depths:
                        beyond.add(other)
                self._links.update(links)
                if self._cut:
                    return beyond
        return beyond


def _split(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]

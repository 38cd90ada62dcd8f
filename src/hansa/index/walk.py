"""Closures over a table of links, up or down, from one state of the read model. Reads only.

Breadth first, a statement a level, in the byte order of names: the same in both databases and on
every node. Bounded: what is cut says so. A link is seen by who may read the record behind it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import ARRAY, Connection, Text, any_, bindparam, cast, func, select

from hansa.appkit.walk import Closure, Cut, Link, Reached, Way, compute_closure_digest
from hansa.index.limits import (
    PICKED_MAX,
    WALK_DEPTH_MAX,
    WALK_ITEMS_MAX,
    WALK_LINKS_MAX,
    WALK_STATEMENT_KEYS,
)
from hansa.index.pages import Row
from hansa.index.shape import RecordKind
from hansa.index.sight import Viewer
from hansa.index.store import Index


class Snapshot:
    """The read model at one height, for one viewer, whatever is written meanwhile."""

    def __init__(self, index: Index, connection: Connection, viewer: Viewer) -> None:
        self._index = index
        self._connection = connection
        self._viewer = viewer
        self.height = int(connection.execute(select(index.tables.progress.c.height)).scalar_one())

    def walk(
        self,
        kind: RecordKind,
        name: str,
        roots: Sequence[str],
        ways: Sequence[Way],
        *,
        items_max: int = WALK_ITEMS_MAX,
        depth_max: int = WALK_DEPTH_MAX,
    ) -> Closure:
        """Everything that is reached from `roots` over table `name` of the records `kind`.

        The table has the columns `source`, `target` and `kind`. Raises IndexFault.
        """
        walker = _Walker(self, kind, name, tuple(ways), items_max, depth_max)
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
        self,
        kind: RecordKind,
        name: str,
        column: str,
        values: Sequence[str],
        *,
        limit: int = PICKED_MAX,
    ) -> list[Row]:
        """Rows whose `column` is one of `values`, in the order of (column, key, line); at most
        `limit` of them. Column `key` is the state key of the record.
        """
        table = self._index.tables.projections[(kind.app, name)]
        query = select(table)
        found: list[Row] = []
        for part in _split(sorted(set(values)), WALK_STATEMENT_KEYS):
            chosen = self.restrict(kind, table, query.where(self.is_among(table.c[column], part)))
            ordered = chosen.order_by(table.c[column], table.c.key, table.c.line)
            rows = self._connection.execute(ordered.limit(limit - len(found))).mappings().all()
            found += rows
            if len(found) >= limit:
                break
        return found

    def read_links(
        self, kind: RecordKind, name: str, way: Way, starts: Sequence[str], limit: int
    ) -> list[Any]:
        """(source, target, kind, key) of the links from `starts`, in order of (start, key)."""
        table = self._index.tables.projections[(kind.app, name)]
        start = table.c[way.start]
        query = select(table.c.source, table.c.target, table.c.kind, table.c.key)
        query = query.where(self.is_among(start, starts))
        if way.kinds:
            query = query.where(table.c.kind.in_(way.kinds))
        ordered = self.restrict(kind, table, query).order_by(start, table.c.key, table.c.line)
        return list(self._connection.execute(ordered.limit(limit)).all())

    def is_among(self, column: Any, values: Sequence[str]) -> Any:
        """The condition that a column has one of many values, as one parameter."""
        if self._connection.dialect.name == "sqlite":
            listed = func.json_each(bindparam(None, msgspec.json.encode(values).decode()))
            return column.in_(select(listed.table_valued("value").c.value))
        return column == any_(cast(list(values), ARRAY(Text)))

    def restrict(self, kind: RecordKind, table: Any, query: Any) -> Any:
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
def open_snapshot(index: Index, viewer: Viewer) -> Iterator[Snapshot]:
    """One state of the read model for several questions. Raises IndexFault."""
    with index.reading() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
            yield Snapshot(index, connection, viewer)
        else:
            pinned = connection.execution_options(isolation_level="REPEATABLE READ")
            yield Snapshot(index, pinned, viewer)


class _Walker:
    """One walk, level by level."""

    def __init__(
        self,
        snapshot: Snapshot,
        kind: RecordKind,
        name: str,
        ways: tuple[Way, ...],
        items_max: int,
        depth_max: int,
    ) -> None:
        self._snapshot, self._kind, self._name, self._ways = snapshot, kind, name, ways
        self._items_max = min(items_max, WALK_ITEMS_MAX)
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
                rows = self._snapshot.read_links(self._kind, self._name, way, part, room + 1)
                if len(rows) > room:
                    self._cut, rows = "links", rows[:room]
                other = 1 if way.start == "source" else 0
                beyond.update(row[other] for row in rows if row[other] not in self._depths)
                self._links.update(Link(*row) for row in rows)
                if self._cut:
                    return beyond
        return beyond


def _split(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]

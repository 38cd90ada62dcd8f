"""Transactions, message results and events as one viewer sees them: lists, single ones, counts.

The three are ordered by height and a number within the block, and carry marks in a table beside.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, or_, select

from hansa.index.pages import Branch, Key, Page, Row, allow_all, collect_page
from hansa.index.shape import Shape
from hansa.index.sight import ANY_SCOPE, Sight, Viewer, compute_mark
from hansa.index.store import Index

SightOf = Callable[[Row], Sight]
WHOLE = Sight(is_whole=True)


class Entries:
    """One of the three tables, and the rule by which a row of it is seen."""

    def __init__(
        self,
        index: Index,
        table: Table,
        parties: Table,
        sight_of: Callable[[Shape, Viewer, Row], Sight],
    ) -> None:
        self.index = index
        self.table = table
        self.parties = parties
        self.number = table.primary_key.columns.values()[1].name
        self._sight_of = sight_of

    def key_of(self, row: Row) -> Key:
        """Where a row stands: (height, number)."""
        return (row["height"], row[self.number])

    def sight_of(self, viewer: Viewer) -> SightOf:
        """What the viewer sees of the kind that a row belongs to."""

        def judge(row: Row) -> Sight:
            if row["visibility"] == "public" or (
                row["visibility"] == "league" and viewer.is_league
            ):
                return WHOLE
            return self._sight_of(self.index.shape, viewer, row)

        return judge

    def list_visible(
        self,
        viewer: Viewer,
        *,
        after: Key | None,
        limit: int,
        descending: bool = False,
        height: int | None = None,
        keep: Callable[[Row], bool] = allow_all,
    ) -> Page:
        """A page of what the viewer sees, up to the height that the read model had at its start;
        of one block only when `height` names it.
        """
        newest = self.index.height
        span = (0, newest) if height is None else (height, min(height, newest))
        with self.index.reading() as connection:
            return collect_page(
                self._branches(connection, viewer, span, descending),
                key_of=self.key_of,
                keep=keep,
                after=after,
                limit=limit,
                descending=descending,
            )

    def select_visible(self, viewer: Viewer, *conditions: Any) -> list[Row]:
        """All rows under conditions that the viewer sees, in order. For few rows: one block's."""
        ordered = select(self.table).where(*conditions).order_by(*self.table.primary_key.columns)
        with self.index.reading() as connection:
            rows = connection.execute(ordered).mappings().all()
            return self._filter(connection, viewer, rows)

    def _filter(self, connection: Connection, viewer: Viewer, rows: Sequence[Row]) -> list[Row]:
        sight_of = self.sight_of(viewer)
        marks = _collect_marks(viewer)
        found: dict[Key, set[str]] = {}
        heights = {row["height"] for row in rows}
        if marks and heights:
            query = select(self.parties).where(
                self.parties.c.mark.in_(marks), self.parties.c.height.in_(heights)
            )
            for party in connection.execute(query).mappings():
                found.setdefault(self.key_of(party), set()).add(party["mark"])
        visible = []
        for row in rows:
            sight = sight_of(row)
            if sight.is_whole or not found.get(self.key_of(row), set()).isdisjoint(sight.marks):
                visible.append(row)
        return visible

    def _branches(
        self, connection: Connection, viewer: Viewer, span: tuple[int, int], descending: bool
    ) -> list[Branch]:
        sight_of = self.sight_of(viewer)
        table, parties = self.table, self.parties
        open_to = ["public", "league"] if viewer.is_league else ["public"]
        branches = [
            self._branch(
                connection, select(table).where(table.c.visibility == each), span, descending
            )
            for each in open_to
        ]
        joined = select(table).join(
            parties,
            and_(
                parties.c.height == table.c.height,
                parties.c[self.number] == table.c[self.number],
            ),
        )
        for mark in _collect_marks(viewer):
            query = joined.where(parties.c.mark == mark)
            branches.append(
                self._branch(
                    connection, query, span, descending, parties, _allow_mark(sight_of, mark)
                )
            )
        if any(scope == ANY_SCOPE for _role, scope in viewer.roles):
            branches.append(
                self._branch(
                    connection,
                    select(table),
                    span,
                    descending,
                    allow=lambda row: sight_of(row).is_whole,
                )
            )
        return branches

    def _branch(
        self,
        connection: Connection,
        query: Select[Any],
        span: tuple[int, int],
        descending: bool,
        driver: Table | None = None,
        allow: Callable[[Row], bool] = allow_all,
    ) -> Branch:
        """`driver`: the table whose key orders the query, so that its index is used; `span`: lowest
        and highest height.
        """
        source = self.table if driver is None else driver
        height, number = source.c.height, source.c[self.number]
        order = (height.desc(), number.desc()) if descending else (height, number)
        bounded = query.where(height >= span[0], height <= span[1]).order_by(*order)

        def fetch(after: Key | None, count: int) -> Sequence[Row]:
            page = bounded
            if after is not None:
                page = page.where(_beyond(height, number, after, descending))
            return connection.execute(page.limit(count)).mappings().all()

        return Branch(fetch, allow)


def _beyond(height: Any, number: Any, after: Key, descending: bool) -> Any:
    """Rows beyond a key, written so that both databases walk the index from there."""
    if descending:
        return and_(
            height <= after[0], or_(height < after[0], and_(height == after[0], number < after[1]))
        )
    return and_(
        height >= after[0], or_(height > after[0], and_(height == after[0], number > after[1]))
    )


def _allow_mark(sight_of: SightOf, mark: str) -> Callable[[Row], bool]:
    def allow(row: Row) -> bool:
        sight = sight_of(row)
        return sight.is_whole or mark in sight.marks

    return allow


def _collect_marks(viewer: Viewer) -> tuple[str, ...]:
    places = sorted({scope for _role, scope in viewer.roles if scope != ANY_SCOPE})
    return (*viewer.dids, *map(compute_mark, places))


def open_transactions(index: Index) -> Entries:
    """The transactions: seen by who sees one of their messages."""
    return Entries(
        index, index.tables.transactions, index.tables.transaction_parties, _sight_transaction
    )


def open_messages(index: Index) -> Entries:
    """Message results: seen by signers, by who sees one of their events, by the app's readers."""
    return Entries(index, index.tables.messages, index.tables.message_parties, _sight_message)


def open_events(index: Index) -> Entries:
    """Events: seen by their parties and by the readers of their type."""
    return Entries(index, index.tables.events, index.tables.event_parties, _sight_event)


def _sight_transaction(shape: Shape, viewer: Viewer, row: Row) -> Sight:
    sights = [shape.message_sight(viewer, app) for app in row["apps"].split(" ")]
    return Sight(
        is_whole=any(sight.is_whole for sight in sights),
        marks=tuple({mark for sight in sights for mark in sight.marks}),
    )


def _sight_message(shape: Shape, viewer: Viewer, row: Row) -> Sight:
    return shape.message_sight(viewer, row["app"])


def _sight_event(shape: Shape, viewer: Viewer, row: Row) -> Sight:
    kind = shape.events.get((row["app"], row["type"]))
    return kind.sight(viewer) if kind else Sight(is_whole=False)

"""Richer questions to the applications' tables: nested conditions, any order, different values.

Reads only. Every row is shown to whom its record is, also the rows that a condition looks at.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import (
    Connection,
    FromClause,
    Table,
    and_,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from hansa.appkit.route import AnyOf, Cell, Condition, Place, Related, Wanted
from hansa.index.limits import STATEMENT_KEYS_MAX
from hansa.index.pages import Row
from hansa.index.shape import RecordKind
from hansa.index.sight import Viewer
from hansa.index.store import Index
from hansa.ledger.model import Record

KEY: Final = "key"
_ESCAPE: Final = "\\"


class WrongQuestion(ValueError):
    """A table or column that there is not, or a value that cannot be: a fault of the asker."""


class Search:
    """Questions of one viewer to the tables of one application."""

    def __init__(self, index: Index, app: str, viewer: Viewer) -> None:
        self._index, self._app, self._viewer = index, app, viewer

    def list_rows(
        self,
        name: str,
        wanted: Sequence[Wanted],
        *,
        order: str,
        descending: bool,
        after: Place | None,
        limit: int,
    ) -> tuple[list[Row], Place | None]:
        """Rows in the order of (`order`, key, line), and the place of the last when there may be
        more. Rows without a value of `order` are left out.
        """
        table = self._table(name)
        columns = [table.c.key, table.c.line]
        if order != KEY:
            columns.insert(0, self._column(table, order))
        query = select(table).where(*self._build(name, table, wanted), self._see(name, table))
        if order != KEY:
            query = query.where(columns[0].is_not(None))
        if after is not None:
            if len(after) != len(columns):
                raise WrongQuestion("a place of another order")
            here, beyond = tuple_(*columns), tuple_(*after)
            query = query.where(here < beyond if descending else here > beyond)
        query = query.order_by(*(each.desc() if descending else each for each in columns))
        with self._index.reading() as connection:
            rows = list(connection.execute(query.limit(limit + 1)).mappings().all())
        if len(rows) <= limit:
            return rows, None
        last = rows[limit - 1]
        return rows[:limit], tuple(last[each.name] for each in columns)

    def list_values(
        self, name: str, column: str, wanted: Sequence[Wanted], *, after: Cell, limit: int
    ) -> list[str | int]:
        """Different values of a column in order, beyond `after`: one seek in its index for each."""
        table = self._table(name)
        chosen = self._column(table, column)
        conditions = self._build(name, table, wanted, is_seek=True)
        query = select(chosen).where(*conditions, self._see(name, table))
        query = query.order_by(chosen).limit(1)
        found: list[str | int] = []
        with self._index.reading() as connection:
            value = _next_value(connection, query, chosen, after)
            while value is not None and len(found) < limit:
                found.append(value)
                value = _next_value(connection, query, chosen, value)
        return found

    def list_records(self, kind: RecordKind, keys: Sequence[str]) -> dict[str, Record]:
        """Records of these identifiers that the viewer may read, by identifier."""
        table, cut = self._index.tables.records, len(kind.prefix)
        found: dict[str, Record] = {}
        with self._index.reading() as connection:
            for start in range(0, len(keys), STATEMENT_KEYS_MAX):
                part = [kind.prefix + key for key in keys[start : start + STATEMENT_KEYS_MAX]]
                query = select(table.c.key, table.c.value).where(table.c.key.in_(part))
                for key, value in connection.execute(query.where(self._sight(kind, table))).all():
                    record = kind.decode(value)
                    if record is not None:
                        found[key[cut:]] = record
        return found

    def _table(self, name: str) -> Table:
        found = self._index.tables.projections.get((self._app, name))
        if found is None:
            raise WrongQuestion(f"no table {name}")
        return found

    def _kind(self, name: str) -> RecordKind:
        record = self._index.shape.tables[(self._app, name)].record
        return self._index.shape.records[(record.OWNER or self._app, record.KIND)]

    def _column(self, table: FromClause, name: str) -> Any:
        if name not in table.c:
            raise WrongQuestion(f"no column {name}")
        return table.c[name]

    def _see(self, name: str, table: FromClause) -> Any:
        """What the viewer may see of a table."""
        return self._sight(self._kind(name), table)

    def _sight(self, kind: RecordKind, table: FromClause) -> Any:
        sight = kind.sight(self._viewer)
        if sight.is_whole:
            return and_(True)
        if not sight.marks:
            return false()
        parties = self._index.tables.record_parties
        seen = select(parties.c.key).where(
            parties.c.key == table.c.key, parties.c.mark.in_(sight.marks)
        )
        return seen.exists()

    def _build(
        self, name: str, table: FromClause, wanted: Sequence[Wanted], *, is_seek: bool = False
    ) -> list[Any]:
        """Conditions. `is_seek`: one row is looked for, so related rows are looked up for each."""
        return [self._build_one(name, table, each, is_seek) for each in wanted]

    def _build_one(self, name: str, table: FromClause, wanted: Wanted, is_seek: bool) -> Any:
        if isinstance(wanted, AnyOf):
            return or_(false(), *self._build(name, table, wanted.conditions, is_seek=is_seek))
        if isinstance(wanted, Related):
            return self._build_related(name, table, wanted, is_seek)
        column = self._column(table, wanted.column)
        value = wanted.value
        if wanted.column == KEY:
            value = _extend(self._kind(name).prefix, value)
        if wanted.test == "like":
            return self._build_like(column, str(value))
        return _TESTS[wanted.test](column, value)

    def _build_related(self, name: str, table: FromClause, wanted: Related, is_seek: bool) -> Any:
        # A name of its own, as a table may be related to itself.
        other = self._table(wanted.table).alias()
        own, theirs = self._column(table, wanted.own), self._column(other, wanted.theirs)
        conditions = self._build(wanted.table, other, wanted.conditions)
        is_same_record = wanted.own == wanted.theirs == KEY
        if not is_same_record or self._kind(wanted.table) is not self._kind(name):
            conditions.append(self._see(wanted.table, other))
        if is_seek:
            named = self._rename(wanted.table, name, own) if is_same_record else own
            there = select(theirs).where(theirs == named, *conditions).exists()
            return there if wanted.is_there else ~there
        if is_same_record:
            theirs = self._rename(name, wanted.table, theirs)
        found = select(theirs).where(*conditions, theirs.is_not(None))
        return own.in_(found) if wanted.is_there else own.not_in(found)

    def _rename(self, to: str, of: str, key: Any) -> Any:
        """State keys of one table's records as those of another's with the same identifiers."""
        own, theirs = self._kind(to).prefix, self._kind(of).prefix
        return key if own == theirs else literal(own) + func.substr(key, len(theirs) + 1)

    def _build_like(self, column: Any, pattern: str) -> Any:
        """SQLite's LIKE does not tell capitals from small letters; its GLOB does."""
        if self._index.engine.dialect.name == "sqlite":
            return column.op("GLOB")(pattern.replace("[", "[[]"))
        text = pattern
        for special in (_ESCAPE, "%", "_"):
            text = text.replace(special, _ESCAPE + special)
        return column.like(text.replace("?", "_").replace("*", "%"), escape=_ESCAPE)


def _extend(prefix: str, value: Cell | tuple[str | int, ...]) -> Cell | tuple[str | int, ...]:
    """State keys of records' identifiers."""
    if isinstance(value, tuple):
        return tuple(f"{prefix}{each}" for each in value)
    return f"{prefix}{value}"


def _next_value(connection: Connection, query: Any, column: Any, after: Cell) -> str | int | None:
    beyond = column.is_not(None) if after is None else column > after
    value: str | int | None = connection.execute(query.where(beyond)).scalar()
    return value


_TESTS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "is": lambda column, value: column == value,
    "in": lambda column, value: column.in_(value or ()),
    "min": lambda column, value: column >= value,
    "max": lambda column, value: column <= value,
    "above": lambda column, value: column > value,
    "below": lambda column, value: column < value,
    "none": lambda column, _value: column.is_(None),
    "some": lambda column, _value: column.is_not(None),
}

__all__ = ["Condition", "Search", "WrongQuestion"]

"""The tables of the read model, the same in SQLite and PostgreSQL. May touch SQLAlchemy Core only.

Text compares byte by byte in both, so that pages and digests have one order.
"""

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import TEXT as POSTGRES_TEXT

from hansa.appkit.application import Table as Projection
from hansa.index.shape import Shape

TEXT: Final = Text().with_variant(POSTGRES_TEXT(collation="C"), "postgresql")
NUMBER: Final = BigInteger()
# A block's own deadlines come before its first transaction.
DEADLINE_POSITION: Final = -1
TRANSACTION_NUMBERS: Final = ("code", "cost", "messages", "size_bytes")
MESSAGE_TEXTS: Final = ("type", "sender", "digest", "code", "params", "visibility")


class Tables:
    """Tables that every league has; the applications' own stand beside them as `app__name`."""

    def __init__(self, shape: Shape) -> None:
        self.metadata = MetaData()
        self.progress = self._build(
            "progress", ["id"], ["height", ("chain", TEXT), ("shape", TEXT), ("tables", TEXT)]
        )
        self.blocks = self._build(
            "blocks",
            ["height"],
            ["time_ms", ("hash", TEXT), "transactions", "messages", "deadlines"],
        )
        self.transactions = self._build(
            "transactions",
            ["height", "position"],
            [("id", TEXT), *TRANSACTION_NUMBERS, ("apps", TEXT), ("visibility", TEXT)],
            indexes=[["id"], ["visibility", "height", "position"]],
        )
        self.transaction_parties = self._build(
            "transaction_parties", [("mark", TEXT), "height", "position"]
        )
        entry: list[Any] = ["position", "number", ("transaction", TEXT), ("app", TEXT)]
        self.messages = self._build(
            "messages",
            ["height", "ordinal"],
            [*entry, *((name, TEXT) for name in MESSAGE_TEXTS)],
            indexes=[["height", "position"], ["visibility", "height", "ordinal"]],
        )
        self.message_parties = self._build("message_parties", [("mark", TEXT), "height", "ordinal"])
        self.events = self._build(
            "events",
            ["height", "ordinal"],
            [*entry, ("type", TEXT), ("body", TEXT), ("visibility", TEXT)],
            indexes=[["height", "position", "number"], ["visibility", "height", "ordinal"]],
        )
        self.event_parties = self._build("event_parties", [("mark", TEXT), "height", "ordinal"])
        self.records = self._build("records", [("key", TEXT)], [("value", TEXT), "height"])
        self.record_parties = self._build(
            "record_parties", [("mark", TEXT), ("key", TEXT)], indexes=[["key"]]
        )
        self.record_history = self._build(
            "record_history",
            [("key", TEXT), "height"],
            [("value", TEXT), ("transaction", TEXT)],
        )
        self.identities = self._build(
            "identities", [("did", TEXT)], [("member", TEXT), ("jurisdiction", TEXT)]
        )
        self.projections = {
            (app, name): self._build_projection(app, table)
            for (app, name), table in sorted(shape.tables.items())
        }

    def _build_projection(self, app: str, table: Projection) -> Table:
        """An application's table: the record's key, which row of it, its columns."""
        columns = [(each.name, TEXT if each.type == "text" else NUMBER) for each in table.columns]
        indexes = [[each.name, "key", "line"] for each in table.columns if each.has_index]
        indexes += [list(each) for each in table.indexes]
        return self._build(
            f"{app}__{table.name}", [("key", TEXT), "line"], columns, indexes=indexes
        )

    def _build(
        self,
        name: str,
        keys: list[Any],
        columns: list[Any] = [],  # noqa: B006 - read only
        indexes: list[list[str]] = [],  # noqa: B006 - read only
    ) -> Table:
        """A table; a bare column name is a number."""
        return Table(
            name,
            self.metadata,
            *(_build_column(key, is_key=True) for key in keys),
            *(_build_column(column) for column in columns),
            *(Index(f"{name}_by_{'_'.join(each)}", *each) for each in indexes),
            # A table that is only a key is stored once, not twice.
            sqlite_with_rowid=bool(columns),
        )


def _build_column(described: Any, *, is_key: bool = False) -> Column[Any]:
    name, type_ = (described, NUMBER) if isinstance(described, str) else described
    if is_key:
        return Column(name, type_, primary_key=True, autoincrement=False)
    return Column(name, type_)


__all__ = ["DEADLINE_POSITION", "NUMBER", "TEXT", "Tables"]

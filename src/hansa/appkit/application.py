"""An application describes itself once: contract, records, events, rejections, roles, invariants,
tables.

Everything public derives from it (D15): REST routes, CLI commands, JSON Schemas, reference pages.
Pure.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import msgspec

from hansa.appkit.command import Command
from hansa.appkit.files import FileReader
from hansa.appkit.key_rule import KeyRule
from hansa.appkit.meaning import FieldMeaning, Lifecycle
from hansa.appkit.route import Doors
from hansa.appkit.waiting import Waiting
from hansa.ledger.contracts import Contract, Invariant, Role, get_version
from hansa.ledger.model import Event, Message, Record
from hansa.ledger.rejections import Rejection

ColumnType = Literal["text", "integer"]
Row = dict[str, str | int | None]


class Column(msgspec.Struct, frozen=True):
    """A column of a table; text or integer (amounts in minor units, times in ms).

    `indexed`: whether the column has an index of its own, so that lists by it are quick; not said,
    text has one and integers have none. Each costs time at every write: where rows are many, only
    columns that are asked by have one.
    """

    name: str
    type: ColumnType = "text"
    indexed: bool | None = None

    @property
    def has_index(self) -> bool:
        """Whether it has an index of its own."""
        return self.type == "text" if self.indexed is None else self.indexed


class Table(msgspec.Struct, frozen=True):
    """A view of the read model: one row (or several) for each record of `record`, by `project`.

    They are rewritten whenever their record changes. Visibility is the record's.
    `totals`: names of integer columns that lists may sum, grouped by text columns; `unit`: the
    column that says in what they are (a currency): totals are always apart by it. `main`: columns
    that a page shows unless others are chosen; none: the first. `indexes`: over several columns,
    beside those of single ones, for questions that would look at too many rows.
    """

    name: str
    record: type[Record]
    columns: tuple[Column, ...]
    project: Callable[[Any], Row | Sequence[Row]]
    totals: tuple[str, ...] = ()
    unit: str = ""
    main: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()


class Application(msgspec.Struct, frozen=True):
    """One civic application or system contract, as the catalog lists it."""

    name: str
    title: str
    contract: Contract
    records: tuple[type[Record], ...] = ()
    events: tuple[type[Event], ...] = ()
    rejections: tuple[type[Rejection], ...] = ()
    invariants: tuple[Invariant, ...] = ()
    tables: tuple[Table, ...] = ()
    commands: tuple[Command, ...] = ()
    lifecycles: tuple[Lifecycle, ...] = ()
    fields: tuple[FieldMeaning, ...] = ()
    key_rules: tuple[KeyRule, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    doors: Doors = Doors()
    files: tuple[FileReader, ...] = ()

    @property
    def messages(self) -> tuple[type[Message], ...]:
        """Message types, in the order in which the contract registers them."""
        return self.contract.messages

    @property
    def roles(self) -> tuple[Role, ...]:
        """Roles of the application."""
        return self.contract.roles

    @property
    def cli_name(self) -> str:
        """`e_invoice` is `e-invoice` on the command line and in addresses."""
        return self.name.replace("_", "-")

    def record(self, kind: str) -> type[Record] | None:
        """The newest record type of that kind."""
        found = [record for record in self.records if record.KIND == kind]
        return max(found, key=get_version) if found else None

    def event(self, name: str) -> type[Event] | None:
        """The event type of that name."""
        return next((event for event in self.events if event.__name__ == name), None)


def collect_rejections(base: type[Rejection]) -> tuple[type[Rejection], ...]:
    """Every rejection below `base` that has a code, by code: an application lists its own with
    this.
    """
    found: dict[str, type[Rejection]] = {}
    waiting: list[type[Rejection]] = [base]
    while waiting:
        kind = waiting.pop()
        if kind.CODE:
            found[kind.CODE] = kind
        waiting.extend(kind.__subclasses__())
    return tuple(found[code] for code in sorted(found))


def find_application(applications: Iterable[Application], name: str) -> Application | None:
    """The application of that name, in either spelling."""
    return next((each for each in applications if name in (each.name, each.cli_name)), None)


__all__ = [
    "Application",
    "Column",
    "Command",
    "Doors",
    "Invariant",
    "Role",
    "Row",
    "Table",
    "collect_rejections",
    "find_application",
]

"""The types that the read model knows, taken from the catalog: records, events and tables.

Its digest is kept beside the rows: other types mean other rows, so the read model is built anew.
"""

import sys
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Final

import msgspec

from hansa.appkit.application import Application, Column, Table
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import CanonicalError, decode_typed, encode_canonical
from hansa.index.sight import Sight, Viewer, compute_sight
from hansa.ledger.contracts import get_version
from hansa.ledger.model import Event, Record
from hansa.ledger.system import BlockRecord, Deadline, Liveness, Usage

# The kernel's own records that readers ask for; its memory of seen ids is not one of them.
KERNEL_RECORDS: Final[tuple[type[Record], ...]] = (BlockRecord, Deadline, Liveness)
# Counters that change with every block: only their present value is worth a row.
WITHOUT_HISTORY: Final[frozenset[type[Record]]] = frozenset({Usage, Liveness})
# Grows when the same types would give other rows.
LAYOUT: Final = 2

Kind = tuple[str, str]


class RecordKind:
    """One kind of records of one application, in all its versions."""

    def __init__(self, app: str, versions: tuple[type[Record], ...]) -> None:
        self.app = app
        self.newest = max(versions, key=get_version)
        self.name = self.newest.KIND
        self.has_history = self.newest not in WITHOUT_HISTORY
        self.tables: list[Table] = []
        self._decode_as = reduce(or_, versions)

    @property
    def prefix(self) -> str:
        """What the state keys of this kind begin with."""
        return f"{self.app}/{self.name}/"

    def decode(self, value: bytes | str) -> Record | None:
        """The record, or None when its version is of a newer release."""
        data = value.encode() if isinstance(value, str) else value
        try:
            record: Record = decode_typed(data, self._decode_as)
        except CanonicalError:
            return None
        return record

    def sight(self, viewer: Viewer) -> Sight:
        """What `viewer` sees of this kind."""
        return compute_sight(viewer, self.newest.VISIBILITY, self.newest.READERS)


class EventKind:
    """One type of events of one application, in all its versions."""

    def __init__(self, app: str, versions: tuple[type[Event], ...]) -> None:
        self.app = app
        self.newest = max(versions, key=get_version)
        self.name = self.newest.__name__
        self._decode_as = reduce(or_, versions)

    def decode(self, body: bytes | msgspec.Raw) -> Event | None:
        """The event, or None when its version is of a newer release."""
        try:
            event: Event = decode_typed(body, self._decode_as)
        except CanonicalError:
            return None
        return event

    def sight(self, viewer: Viewer) -> Sight:
        """What `viewer` sees of this type."""
        return compute_sight(viewer, self.newest.VISIBILITY, self.newest.READERS)


class Shape:
    """Every kind of record, type of event and table of a release."""

    def __init__(self, applications: Iterable[Application]) -> None:
        self.applications = tuple(applications)
        self.records: Mapping[Kind, RecordKind] = _collect_records(self.applications)
        self.events: Mapping[Kind, EventKind] = _collect_events(self.applications)
        self.tables: Mapping[Kind, Table] = {
            (app.name, table.name): table for app in self.applications for table in app.tables
        }
        for (app, _name), table in self.tables.items():
            self.records[(app, table.record.KIND)].tables.append(table)
        self.readers: Mapping[str, tuple[str, ...]] = {
            app.name: _collect_readers(app) for app in self.applications
        }
        self.digest = _compute_digest(self)

    def find_record(self, key: str) -> RecordKind | None:
        """The kind that a state key belongs to."""
        app, _sep, rest = key.partition("/")
        return self.records.get((app, rest.partition("/")[0]))

    def message_sight(self, viewer: Viewer, app: str) -> Sight:
        """What `viewer` sees of the results of an application's messages."""
        return compute_sight(viewer, "parties", self.readers.get(app, ()))


def _collect_records(applications: tuple[Application, ...]) -> dict[Kind, RecordKind]:
    versions: dict[Kind, list[type[Record]]] = {}
    for app in applications:
        for record in app.records:
            versions.setdefault((record.OWNER or app.name, record.KIND), []).append(record)
    for record in KERNEL_RECORDS:
        versions.setdefault((record.OWNER, record.KIND), []).append(record)
    return {(app, kind): RecordKind(app, tuple(found)) for (app, kind), found in versions.items()}


def _collect_events(applications: tuple[Application, ...]) -> dict[Kind, EventKind]:
    versions: dict[Kind, list[type[Event]]] = {}
    for app in applications:
        for event in app.events:
            versions.setdefault((app.name, event.__name__), []).append(event)
    return {(app, name): EventKind(app, tuple(found)) for (app, name), found in versions.items()}


def _collect_readers(app: Application) -> tuple[str, ...]:
    kinds: tuple[type[Any], ...] = (*app.records, *app.events)
    return tuple(sorted({role for kind in kinds for role in kind.READERS}))


def _compute_digest(shape: Shape) -> str:
    """Digest over all that decides rows: the kinds, and the code that says who sees what."""
    kinds: list[Any] = [found.newest for found in shape.records.values()]
    kinds += [found.newest for found in shape.events.values()]
    projections: list[Any] = [table.project for table in shape.tables.values()]
    modules = sorted({thing.__module__ for thing in kinds + projections})
    described = {
        "layout": LAYOUT,
        "modules": {name: _digest_module(name) for name in modules},
        "records": [f"{app}/{kind}" for app, kind in sorted(shape.records)],
        "events": [f"{app}/{name}" for app, name in sorted(shape.events)],
        "tables": [
            [app, name, *map(_describe_column, table.columns), *map(" ".join, table.indexes)]
            for (app, name), table in sorted(shape.tables.items())
        ],
    }
    return sha256(encode_canonical(described)).hex()


def _describe_column(column: Column) -> str:
    index = {None: "", True: " indexed", False: " unindexed"}[column.indexed]
    return f"{column.name} {column.type}{index}"


def _digest_module(name: str) -> str:
    file = getattr(sys.modules[name], "__file__", None)
    return sha256(Path(file).read_bytes()).hex() if file else ""

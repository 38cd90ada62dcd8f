"""The read model's database: rows of committed blocks and how far it followed, in one transaction.

One writer (the follower); readers open connections of their own. Raises IndexFault for faults.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import dropwhile, islice, takewhile

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    create_engine,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hansa.index.bulk import delete_keys, delete_versions, insert_rows, upsert_rows
from hansa.index.faults import FOREIGN, IndexFault, map_database_errors
from hansa.index.limits import IDENTITIES_KEPT, OPENING_RECORDS
from hansa.index.rows import Batch, Identity, Row
from hansa.index.schema import Tables
from hansa.index.shape import Shape
from hansa.index.source import CommittedBlock, PinnedState
from hansa.ledger.blocks import Change
from hansa.ledger.state import compute_range
from hansa.ledger.system import Member

# Tables never change: whoever opens one read model after the other compiles each statement once.
_build_tables = lru_cache(4)(Tables)

# Nothing was followed yet, not even the genesis records (height 0).
NOTHING = -1


class Index:
    """The read model. `height`: last height whose rows are here (NOTHING: none)."""

    is_kept = True

    def __init__(self, engine: Engine, shape: Shape, chain: str) -> None:
        self.engine = engine
        self.shape = shape
        self.chain = chain
        self.tables = _build_tables(shape)
        self.height = NOTHING
        self._grown = threading.Condition()
        self._listeners: list[Callable[[int], None]] = []
        self._identities: OrderedDict[str, Identity] = OrderedDict()

    @classmethod
    def open(cls, url: str, shape: Shape, chain: str) -> "Index":
        """Open `sqlite:///FILE` or `postgresql+pg8000://…`; make the tables when they are missing.

        Rows of other types (an older release) are dropped: the follower builds them anew. Raises
        IndexFault when the database belongs to another chain or cannot be reached.
        """
        index = cls(create_database_engine(url), shape, chain)
        try:
            with map_database_errors():
                index._adopt()
        except BaseException:
            index.close()
            raise
        return index

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def _adopt(self) -> None:
        progress = self.tables.progress
        with self.engine.begin() as connection:
            progress.create(connection, checkfirst=True)
            found = connection.execute(select(progress)).mappings().one_or_none()
        if found is None:
            self._make_tables(())
        elif found["chain"] != self.chain:
            raise IndexFault(
                FOREIGN,
                f"this database holds the read model of chain {found['chain']}, not {self.chain}",
                "give this league a database (or SQLite file) of its own",
            )
        elif found["shape"] != self.shape.digest:
            self._make_tables(found["tables"].split())
        else:
            self.height = int(found["height"])

    def _make_tables(self, old: Sequence[str]) -> None:
        """Empty tables in place of `old` ones, which another release may have made otherwise."""
        progress = self.tables.progress
        names = [name for name in self.tables.metadata.tables if name != progress.name]
        row = {"id": 1, "height": NOTHING, "chain": self.chain, "shape": self.shape.digest}
        with self.engine.begin() as connection:
            for name in sorted({*old, *names}):
                quoted = self.engine.dialect.identifier_preparer.quote_identifier(name)
                connection.exec_driver_sql(f"DROP TABLE IF EXISTS {quoted}")
            self.tables.metadata.create_all(connection)
            connection.execute(delete(progress))
            connection.execute(insert(progress), {**row, "tables": " ".join(names)})

    def clear(self) -> None:
        """Drop every row, so that the follower starts again from the genesis records."""
        with map_database_errors():
            self._make_tables(())
        self._identities.clear()
        self._grow(NOTHING)

    def apply(
        self, blocks: Sequence[CommittedBlock], genesis: Sequence[Change] | None = None
    ) -> None:
        """Add the rows of the next blocks, all in one SQL transaction or none.

        `genesis`: records of height 0, given when nothing was followed yet.
        """
        before = self.height
        with map_database_errors(), self.engine.begin() as connection:
            batch = Batch(self.shape, lambda did: self._find_identity(connection, did))
            if genesis is not None:
                batch.add_opening(0, genesis)
            for block in blocks:
                batch.add_block(block)
            height = blocks[-1].height if blocks else 0
            self._write(connection, batch)
            self._advance(connection, before, height)
        self._remember_all(batch)
        self._grow(height)

    def open_at(
        self,
        opening: int,
        state: PinnedState,
        batches: Iterable[Sequence[CommittedBlock]],
    ) -> None:
        """Begin with the records of a node whose first block is that of `opening` + 1.

        `state`, pinned for two passes, is that of a later height, up to which `batches` are the
        blocks. A record that they change has no version of `opening`: it is not known. In several
        SQL transactions; until the last, nothing counts, and a cut leaves nothing that counts.
        """
        self.clear()
        start, end = compute_range(Member.OWNER, Member, ())
        members = dropwhile(lambda pair: pair[0] < start, state.records)
        self._add(lambda batch: batch.learn_members(takewhile(lambda pair: pair[0] < end, members)))
        records = state.records
        while part := list(islice(records, OPENING_RECORDS)):
            self._add(partial(Batch.add_opening, height=opening, changes=part))
        for blocks in batches:
            self._add(partial(_add_blocks, blocks=blocks), opening)
        with map_database_errors(), self.engine.begin() as connection:
            self._advance(connection, NOTHING, state.height)
        self._grow(state.height)

    def _add(self, fill: Callable[[Batch], None], opening: int | None = None) -> None:
        """Rows in a transaction of their own, before anything counts.

        `opening`: the height of record versions that the rows show to be of a later one.
        """
        with map_database_errors(), self.engine.begin() as connection:
            batch = Batch(self.shape, lambda did: self._find_identity(connection, did))
            fill(batch)
            if opening is not None:
                changed = [row[0] for row in batch.appended.get("record_history", ())]
                delete_versions(connection, self.tables.record_history, changed, opening)
            self._write(connection, batch)
        self._remember_all(batch)

    def _remember_all(self, batch: Batch) -> None:
        for did, identity in batch.identities.items():
            self._remember(did, identity)

    def _write(self, connection: Connection, batch: Batch) -> None:
        tables = self.tables
        for name, rows in batch.appended.items():
            insert_rows(connection, tables.metadata.tables[name], rows)
        _replace(connection, tables.records, batch.records)
        delete_keys(connection, tables.record_parties, list(batch.record_marks))
        marks = [(mark, key) for key, found in batch.record_marks.items() for mark in found]
        insert_rows(connection, tables.record_parties, marks)
        for kind, rows_of in batch.projected.items():
            table = tables.projections[kind]
            delete_keys(connection, table, list(rows_of))
            insert_rows(connection, table, [row for rows in rows_of.values() for row in rows])
        identities = [(did, *found) for did, found in batch.identities.items()]
        upsert_rows(connection, tables.identities, identities)

    def _advance(self, connection: Connection, before: int, height: int) -> None:
        progress = self.tables.progress
        done = connection.execute(
            update(progress).where(progress.c.height == before).values(height=height)
        )
        if done.rowcount != 1:
            raise IndexFault(
                "index.two_writers",
                "another process writes to this read model",
                "stop the other process; one node has one read model",
            )

    def _find_identity(self, connection: Connection, did: str) -> Identity | None:
        """Member and jurisdiction of an account as the rows say, remembered for the next block."""
        if did in self._identities:
            self._identities.move_to_end(did)
            return self._identities[did]
        table = self.tables.identities
        query = select(table.c.member, table.c.jurisdiction).where(table.c.did == did)
        found = connection.execute(query).one_or_none()
        if found is None:
            return None
        self._remember(did, (found[0], found[1]))
        return self._identities[did]

    def _remember(self, did: str, identity: Identity) -> None:
        self._identities[did] = identity
        self._identities.move_to_end(did)
        if len(self._identities) > IDENTITIES_KEPT:
            self._identities.popitem(last=False)

    def _grow(self, height: int) -> None:
        with self._grown:
            self.height = height
            self._grown.notify_all()
        for listener in self._listeners:
            listener(height)

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener` with each new height, in the follower's thread; returns what ends it."""
        self._listeners = [*self._listeners, listener]

        def end() -> None:
            self._listeners = [each for each in self._listeners if each is not listener]

        return end

    def wait_height(self, height: int, timeout_s: float) -> bool:
        """Return True as soon as `height` can be read here, False after `timeout_s`."""
        with self._grown:
            return self._grown.wait_for(lambda: self.height >= height, timeout_s)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading. Raises IndexFault."""
        with map_database_errors(), self.engine.connect() as connection:
            yield connection


def _replace(connection: Connection, table: Table, rows: dict[str, Row | None]) -> None:
    delete_keys(connection, table, [key for key, row in rows.items() if row is None])
    upsert_rows(connection, table, [row for row in rows.values() if row is not None])


def create_database_engine(url: str) -> Engine:
    """Connections to a database, not yet opened. Raises IndexFault for an address it cannot use."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise IndexFault(
            "index.url",
            "the address of the read model's database cannot be read",
            "write sqlite:///FILE or postgresql+pg8000://USER:PASSWORD@HOST/DATABASE",
        ) from error
    is_file = parsed.drivername == "sqlite" and parsed.database not in (None, "", ":memory:")
    if not is_file and parsed.drivername != "postgresql+pg8000":
        raise IndexFault(
            "index.url",
            f"the read model cannot live in {parsed.drivername} (without a file)",
            "write sqlite:///FILE or postgresql+pg8000://USER:PASSWORD@HOST/DATABASE",
        )
    # A file does not go away between two questions; a server may have closed the connection.
    engine = create_engine(parsed, pool_size=8, max_overflow=24, pool_pre_ping=not is_file)
    if is_file:
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: object, _record: object) -> None:
    """Readers beside the writer; no sync per commit, as what is lost is followed again."""
    execute: Callable[[str], object] = connection.execute  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
        execute(f"PRAGMA {pragma}")


def _add_blocks(batch: Batch, blocks: Sequence[CommittedBlock]) -> None:
    for block in blocks:
        batch.add_block(block)

"""The storage engine behind one small protocol: ordered families, one durable write. RocksDB.

Only this module knows the engine (docs/adr/0003-storage-engine.md). Touches the folder it is given.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from rocksdict import (
    AccessType,
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    Rdict,
)
from rocksdict import WriteBatch as _EngineBatch

from hansa.node.faults import CorruptFolderError, NodeError, NodeStoppedError, StorageError
from hansa.node.mirror import mirrored

MIB: Final = 2**20
# Blocks of sorted files kept in memory, their indexes and filters among them, over all families.
# The system keeps their files as well, in memory that it can take back: this cache only grows until
# it is full, however much is stored.
CACHE_BYTES: Final = 64 * MIB
# What a family gathers in memory before it becomes a sorted file.
WRITE_BUFFER_BYTES: Final = 32 * MIB
# The log is cut when it is this long: bounds the time of a start after a crash.
LOG_BYTES_MAX: Final = 128 * MIB
# Sorted files held open at a time.
OPEN_FILES_MAX: Final = 512

_DISK = "See that the disk is there, has space and lets this user write; then start again."
# rocksdict raises the bare class for whatever RocksDB reports; the text begins with the kind.
_EngineError = Exception


class WriteBatch(Protocol):
    """Puts and deletes that become durable together. It serves the store that gave it.

    `inner`: what that store makes of it.
    """

    inner: Any

    def put(self, family: str, key: bytes, value: bytes) -> None:
        """Set a value."""
        ...

    def delete(self, family: str, key: bytes) -> None:
        """Remove a value."""
        ...

    def delete_range(self, family: str, start: bytes, end: bytes) -> None:
        """Remove all pairs with start <= key < end, at the cost of one."""
        ...

    def write(self, family: str, key: bytes, value: bytes | None) -> None:
        """Set, or (None) remove."""
        ...


class Store(Protocol):
    """What a node asks of a store, as `KeyValueStore` answers it."""

    on_fault: Callable[[NodeError], None]

    def get(self, family: str, key: bytes) -> bytes | None:
        """The value under `key`."""
        ...

    def scan(self, family: str, start: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` pairs with start <= key < end, in key order."""
        ...

    def iterate(self, family: str) -> Iterator[tuple[bytes, bytes]]:
        """All pairs of a family in key order, pinned by this call."""
        ...

    def last(self, family: str, start: bytes, end: bytes) -> tuple[bytes, bytes] | None:
        """The last pair with start <= key < end."""
        ...

    def batch(self) -> WriteBatch:
        """An empty write."""
        ...

    def write(self, batch: WriteBatch) -> None:
        """Write without waiting for the disk: durable with the next `commit`, never before."""
        ...

    def commit(self, batch: WriteBatch) -> None:
        """Make all of `batch` durable, or nothing of it."""
        ...

    def compact(self, family: str, start: bytes, end: bytes) -> None:
        """Give the disk back what was removed between two keys."""
        ...

    def close(self) -> None:
        """Give the folder back."""
        ...


# Opens a folder as `KeyValueStore` does, with its arguments and its faults.
OpenStore = Callable[..., Store]


class KeyValueStore:
    """Families of ordered bytes in one folder. One writer; reads from any thread."""

    def __init__(
        self,
        folder: Path,
        families: tuple[str, ...],
        *,
        create: bool = False,
        read_only: bool = False,
    ) -> None:
        """Open `folder`; make it only if `create`. Raises StorageError, CorruptFolderError.

        `read_only`: no file of the folder is written, made or removed.
        """
        self._folder = folder
        self._is_closed = False
        # Told of each fault, in the thread that met it: damage that one reader finds concerns all.
        self.on_fault: Callable[[NodeError], None] = lambda _error: None
        self._opened = ExitStack()
        access = AccessType.read_only(False) if read_only else AccessType.read_write()
        cache = Cache(CACHE_BYTES)
        options = _build_options(create)
        # All families are named at each opening: else a reopened database takes the options that
        # its folder remembers, with a cache of 8 MiB.
        configured = {name: _build_family(cache, name) for name in ("default", *families)}
        try:
            place = self._opened.enter_context(mirrored(folder)) if read_only else folder
            if not read_only:
                # rocksdict rewrites this file at each opening, in pieces and without a sync; a stop
                # in between would leave half of it. It holds nothing that we do not say ourselves.
                (folder / "rocksdict-config.json").unlink(missing_ok=True)
            self._database = Rdict(
                str(place), options, column_families=configured, access_type=access
            )
            self._families = {name: self._database.get_column_family(name) for name in families}
            self._handles = {
                name: self._database.get_column_family_handle(name) for name in families
            }
        except _EngineError as error:
            self._opened.close()
            raise self._translate(error) from error

    def get(self, family: str, key: bytes) -> bytes | None:
        """The value under `key`."""
        try:
            found: bytes | None = self._families[family].get(key)
        except _EngineError as error:
            raise self._translate(error) from error
        return found

    def scan(self, family: str, start: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` pairs with start <= key < end, in key order."""
        found: list[tuple[bytes, bytes]] = []
        try:
            cursor = self._families[family].iter()
            cursor.seek(start)
            while len(found) < limit and cursor.valid():
                key = cursor.key()
                if key >= end:
                    break
                found.append((key, cursor.value()))
                cursor.next()
            cursor.status()
        except _EngineError as error:
            raise self._translate(error) from error
        return found

    def iterate(self, family: str) -> Iterator[tuple[bytes, bytes]]:
        """All pairs of a family in key order, as they are now; the view is pinned by this call.

        Close the iterator (or read it to its end) before the store.
        """
        try:
            cursor = self._families[family].iter()
            cursor.seek_to_first()
        except _EngineError as error:
            raise self._translate(error) from error
        return self._walk(cursor)

    def _walk(self, cursor: Any) -> Iterator[tuple[bytes, bytes]]:
        try:
            while cursor.valid():
                yield cursor.key(), cursor.value()
                cursor.next()
            cursor.status()
        except _EngineError as error:
            raise self._translate(error) from error

    def last(self, family: str, start: bytes, end: bytes) -> tuple[bytes, bytes] | None:
        """The last pair with start <= key < end."""
        try:
            cursor = self._families[family].iter()
            cursor.seek_for_prev(end)
            if cursor.valid() and cursor.key() == end:
                cursor.prev()
            found = (cursor.key(), cursor.value()) if cursor.valid() else None
            cursor.status()
        except _EngineError as error:
            raise self._translate(error) from error
        return found if found is not None and found[0] >= start else None

    def batch(self) -> WriteBatch:
        """An empty write, to be filled and given to `commit`."""
        return Batch(self._handles)

    def write(self, batch: WriteBatch) -> None:
        """Write without waiting for the disk: durable with the next `commit`, never before."""
        try:
            self._database.write(batch.inner)
        except _EngineError as error:
            raise self._translate(error) from error

    def commit(self, batch: WriteBatch) -> None:
        """Make all of `batch` durable, or nothing of it. Readers may see it just before it is.

        Two calls, since rocksdict gives other threads way while it waits for the disk in the second
        only. The batch is one record of the log: it is found whole after a crash, or not at all.
        """
        try:
            self._database.write(batch.inner)
            self._database.flush_wal(True)
        except _EngineError as error:
            raise self._translate(error) from error

    def compact(self, family: str, start: bytes, end: bytes) -> None:
        """Give the disk back what was removed between two keys."""
        try:
            self._families[family].compact_range(start, end)
        except _EngineError as error:
            raise self._translate(error) from error

    def close(self) -> None:
        """Give the folder back. Each handle keeps the database, and its lock, alive."""
        self._is_closed = True
        # What was committed is on the disk; what a full disk refuses now is made again at a start.
        for opened in (*self._families.values(), self._database):
            with suppress(_EngineError):
                opened.close()
        self._families.clear()
        self._handles.clear()
        self._opened.close()

    def _translate(self, error: Exception) -> Exception:
        """The engine's bare exception as a fault, which is told; anything else as it is."""
        fault = self._name_fault(error)
        if isinstance(fault, NodeError) and not isinstance(fault, NodeStoppedError):
            self.on_fault(fault)
        return fault

    def _name_fault(self, error: Exception) -> Exception:
        if self._is_closed:
            return NodeStoppedError(
                f"{self._folder} is closed", "The node is stopping: start it again, ask again."
            )
        if isinstance(error, OSError):
            return StorageError(f"{self._folder} cannot be used: {error.strerror}", _DISK)
        if type(error) is not Exception and type(error).__module__ != "rocksdict":
            return error
        text = str(error)
        if text.startswith(("Corruption", "Invalid argument")):
            return CorruptFolderError(
                f"the stored data in {self._folder} is damaged: {text}",
                "Restore the home folder from a backup, or make it anew from another node's data; "
                "keep the damaged folder until then.",
            )
        return StorageError(
            f"reading or writing {self._folder} failed: {text}",
            _DISK,
        )


class Batch:
    """Puts and deletes that become durable together."""

    def __init__(self, handles: dict[str, Any]) -> None:
        self._handles = handles
        self.inner: Any = _EngineBatch(raw_mode=True)

    def put(self, family: str, key: bytes, value: bytes) -> None:
        """Set a value."""
        self.inner.put(key, value, self._handles[family])

    def delete(self, family: str, key: bytes) -> None:
        """Remove a value."""
        self.inner.delete(key, self._handles[family])

    def delete_range(self, family: str, start: bytes, end: bytes) -> None:
        """Remove all pairs with start <= key < end, at the cost of one."""
        self.inner.delete_range(start, end, self._handles[family])

    def write(self, family: str, key: bytes, value: bytes | None) -> None:
        """Set, or (None) remove."""
        if value is None:
            self.delete(family, key)
        else:
            self.put(family, key, value)


def _build_options(create: bool) -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(create)
    options.create_missing_column_families(create)
    options.set_error_if_exists(create)
    options.set_max_open_files(OPEN_FILES_MAX)
    options.set_max_background_jobs(2)
    options.set_max_total_wal_size(LOG_BYTES_MAX)
    options.set_keep_log_file_num(4)
    options.set_max_log_file_size(4 * MIB)
    # A write cut off by a crash is dropped at the end of the log; damage anywhere else is refused.
    options.set_wal_recovery_mode(DBRecoveryMode.tolerate_corrupted_tail_records())
    return options


def _build_family(cache: Cache, name: str) -> Options:
    options = Options(raw_mode=True)
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_max_write_buffer_number(4)
    options.set_compression_type(DBCompressionType.lz4())
    if name == "blocks":  # large values in order of height: kept out of the sorted files
        options.set_enable_blob_files(True)
        options.set_min_blob_size(4096)
        options.set_blob_compression_type(DBCompressionType.lz4())
        # Files of blobs of which pruning took the older part give their disk back at compaction.
        options.set_enable_blob_gc(True)
    table = BlockBasedOptions()
    table.set_block_cache(cache)
    table.set_bloom_filter(10, False)
    # In parts of a block's size, of which the cache keeps those that are asked: whole ones would
    # either stay in memory for each file, or be read whole for one key.
    table.set_index_type(BlockBasedIndexType.two_level_index_search())
    table.set_partition_filters(True)
    table.set_cache_index_and_filter_blocks(True)
    table.set_pin_top_level_index_and_filter(True)
    table.set_pin_l0_filter_and_index_blocks_in_cache(True)
    options.set_block_based_table_factory(table)
    return options

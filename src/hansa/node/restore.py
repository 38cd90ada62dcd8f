"""A snapshot becomes a node's data folder: chunk by chunk beside it, then in its place.

Touches the node's home folder. Nothing is taken on trust: the offer is checked against the app
hash that the engine's light client verified, each chunk against the offer, the whole at the end.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hansa.encoding.canonical import decode_typed
from hansa.ledger.block_records import decode_seen_ids
from hansa.ledger.state import compute_range
from hansa.ledger.system import BlockRecord, Seen
from hansa.ledger.tree import StateTree
from hansa.ledger.tree_bucket import ENTRY_BYTES
from hansa.node.blocks import Place, encode_place
from hansa.node.buckets import StoredBuckets, write_buckets
from hansa.node.folder import (
    FAMILIES,
    RESTORING,
    Identity,
    Position,
    swap_in,
    write_identity,
    write_position,
)
from hansa.node.key_value import KeyValueStore, OpenStore
from hansa.node.snapshot_format import (
    RefusedChunk,
    RefusedSnapshot,
    Snapshot,
    check_offer,
    decode_chunk,
)
from hansa.node.storage import Storage

__all__ = ["RefusedChunk", "RefusedSnapshot", "Restoration"]

DATA: Final = "data"
_IDS_PER_WRITE: Final = 10_000


class Restoration:
    """One snapshot on its way in. Chunks in any order; one thread, and one Restoration at a time.

    What a stop leaves half made is dropped by the next Restoration, or when the data folder is
    opened; until `finish` has swapped, the data folder is as it was. `abandon` it before the next
    one is begun.
    """

    def __init__(
        self,
        home: Path,
        identity: Identity,
        snapshot: Snapshot,
        app_hash: bytes,
        *,
        genesis_time_ms: int = 0,
        open_store: OpenStore = KeyValueStore,
    ) -> None:
        """Judge the offer and begin. `app_hash`: verified, of the state at the snapshot's height.

        `genesis_time_ms` is the time of a state in which no block has left a record. Raises
        RefusedSnapshot, and StorageError when the disk does not take it.
        """
        self._parts = check_offer(snapshot, app_hash)
        self._data = home / DATA
        self._identity, self._snapshot, self._app_hash = identity, snapshot, app_hash
        self._genesis_time_ms, self._open_store = genesis_time_ms, open_store
        self._making = home / f"{DATA}{RESTORING}"
        if self._making.exists():
            shutil.rmtree(self._making)
        self._making.mkdir(mode=0o700)
        self._store = open_store(self._making / DATA, FAMILIES, create=True)
        self._entries = (self._making / "entries").open("w+b")
        # Where the tree's leaves of each chunk that has come are: offset and length in the file.
        self._places: dict[int, tuple[int, int]] = {}

    @property
    def missing(self) -> int:
        """How many chunks have not come yet."""
        return len(self._parts) - len(self._places)

    def apply(self, index: int, chunk: bytes) -> None:
        """Take a chunk; one that is here already changes nothing. Raises RefusedChunk: nothing of
        it was taken, ask another node.
        """
        if not 0 <= index < len(self._parts):
            raise RefusedChunk(index, f"the snapshot has {len(self._parts)} chunks")
        if index in self._places:
            return
        records = decode_chunk(index, chunk, self._parts[index])
        batch = self._store.batch()
        for record in records:
            batch.put("records", record.key, record.value)
        self._store.write(batch)
        entries = b"".join(record.entry for record in records)
        offset = self._entries.seek(0, 2)
        self._entries.write(entries)
        self._places[index] = (offset, len(entries))

    def finish(self, current: Storage | None = None) -> Storage:
        """Make it the node's data folder, all of it or nothing, and open it.

        `current`, the storage that is open on the folder, is closed just before the swap. Raises
        RefusedSnapshot when chunks are missing or the whole is not the state of the app hash: then
        `abandon`.
        """
        if self.missing:
            raise RefusedSnapshot(f"{self.missing} of its chunks are missing")
        self._write_buckets()
        root = StateTree(StoredBuckets(self._store)).root
        if root != self._app_hash:
            raise RefusedSnapshot(
                f"its chunks give state {root.hex()[:16]}, not {self._app_hash.hex()[:16]}"
            )
        self._write_seen()
        batch = self._store.batch()
        write_identity(batch, self._identity)
        height = self._snapshot.height
        write_position(batch, Position(height, self._find_time(), root, base=height + 1))
        self._store.commit(batch)
        self._entries.close()
        self._store.close()
        if current is not None:
            current.close()
        swap_in(self._data, self._making / DATA)
        return Storage(self._data, self._identity, open_store=self._open_store)

    def abandon(self) -> None:
        """Give up: the data folder stays as it was."""
        self._entries.close()
        self._store.close()
        shutil.rmtree(self._making, ignore_errors=True)

    def _write_buckets(self) -> None:
        """The tree's buckets, from the leaves in the order of their paths, chunk by chunk."""
        leaves = sum(size for _offset, size in self._places.values()) // ENTRY_BYTES
        for index, part in enumerate(self._parts):
            batch = self._store.batch()
            write_buckets(batch, part.node, self._read_entries(index), leaves)
            self._store.write(batch)

    def _read_entries(self, index: int) -> bytes:
        offset, size = self._places[index]
        self._entries.seek(offset)
        return self._entries.read(size)

    def _write_seen(self) -> None:
        """The look-up of transactions within the replay window (D3), from the state's records.

        Where in its block each one was is not known, and not asked: those blocks are not kept.
        """
        batch, count = self._store.batch(), 0
        for seen in self._list_seen():
            place = encode_place(Place(height=seen.height, index=0, code=0))
            for identity in decode_seen_ids(seen):
                batch.put("transactions", identity, place)
                count += 1
            if count > _IDS_PER_WRITE:
                self._store.write(batch)
                batch, count = self._store.batch(), 0
        self._store.write(batch)

    def _list_seen(self) -> Iterator[Seen]:
        start, end = compute_range(Seen.OWNER, Seen, ())
        while found := self._store.scan("records", start, end, 64):
            for _key, value in found:
                yield decode_typed(value, Seen)
            start = found[-1][0] + b"\x00"

    def _find_time(self) -> int:
        """Time of the last block that changed something: proved by the state, unlike a header's
        that a peer would tell. Empty blocks after it may be later, so the next one is too.
        """
        found = self._store.last("records", *compute_range(BlockRecord.OWNER, BlockRecord, ()))
        if found is None:
            return self._genesis_time_ms
        return decode_typed(found[1], BlockRecord).time_ms

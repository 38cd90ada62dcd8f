"""One data folder: records, tree, blocks, index of transactions, where we are. The only writer.

Each block is one durable write: a folder holds a block whole, with its state and root, or not at
all. Starting is the same whether the last stop was clean or not.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from hansa import __version__
from hansa.ledger.blocks import Block, BlockResult, Change
from hansa.ledger.receipts import INVALID
from hansa.ledger.tree import StateTree
from hansa.ledger.tree_proof import StateProof
from hansa.node import blocks
from hansa.node.blocks import BlockHead, BlockResults, Place, Seal, StoredBlock
from hansa.node.faults import (
    CorruptFolderError,
    ForeignFolderError,
    HalfMadeFolderError,
    MissingFolderError,
    NewerFormatError,
    NodeError,
)
from hansa.node.key_value import Batch, KeyValueStore
from hansa.node.record_cache import RecordCache

# Raised when a release can no longer read what an earlier one wrote.
FORMAT: Final = 1
FAMILIES: Final = ("records", "buckets", "blocks", "transactions", "meta")
RESULTS_CACHED: Final = 8
CHECKED_AT_A_TIME: Final = 10_000

_IDENTITY = b"identity"
_POSITION = b"position"
_NODE_BYTES = 8
_BACKUP = "Restore the home folder from a backup, or make it anew from another node's data."


class Identity(msgspec.Struct, frozen=True):
    """Whose folder it is. `genesis` is the SHA-256 of the genesis document."""

    format: int
    chain: str
    genesis: bytes
    release: str


class Position(msgspec.Struct, frozen=True):
    """Where the ledger is. Ids of blocks below `seen_floor` are beyond the replay window (D3)."""

    height: int
    time_ms: int
    root: bytes
    seen_floor: int = 0
    base: int = 1


class Storage:
    """Committed state and blocks of one chain. A `StateReader`: reads from any thread."""

    def __init__(self, folder: Path, identity: Identity, *, read_only: bool = False) -> None:
        """Open an existing folder and check it. Raises a NodeError that names the cure."""
        self._folder = folder
        _check_folder(folder)
        self._store = KeyValueStore(folder, FAMILIES, read_only=read_only)
        try:
            found, self._position = _load_meta(self._store, folder)
            _check_identity(found, identity, folder)
            self.identity = found
            self._buckets = StoredBuckets(self._store)
            self._tree = _load_tree(self._buckets, self._position, folder)
        except NodeError:
            self._store.close()
            raise
        self._before: dict[bytes, bytes | None] = {}
        # Old values of what is being written: never shown before it is durable.
        self._hidden: dict[bytes, bytes | None] = {}
        self._cache = RecordCache(lambda key: self._store.get("records", key))
        self._publishing = threading.RLock()
        self.results = lru_cache(RESULTS_CACHED)(self._load_results)

    @property
    def height(self) -> int:
        """Height of the last committed block, 0 for genesis."""
        return self._position.height

    @property
    def time_ms(self) -> int:
        """Time of the last committed block, milliseconds, UTC."""
        return self._position.time_ms

    @property
    def root(self) -> bytes:
        """State root after the last committed block."""
        return self._position.root

    @property
    def base(self) -> int:
        """The first height whose block is kept."""
        return self._position.base

    @property
    def tree(self) -> StateTree:
        """The tree over the committed state; for the engine's thread."""
        return self._tree

    def get(self, key: bytes) -> bytes | None:
        """The committed record under `key`."""
        while True:
            hidden = self._hidden
            value = hidden[key] if key in hidden else self._cache.get(key)
            if hidden is self._hidden:
                return value

    def scan(self, start: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` committed records with start <= key < end, in key order."""
        while True:
            hidden = self._hidden
            own = {key: value for key, value in hidden.items() if start <= key < end}
            found = self._store.scan("records", start, end, limit + len(own))
            if hidden is self._hidden:
                break
        if not own:
            return found
        merged: dict[bytes, bytes | None] = {**dict(found), **own}
        return sorted((key, value) for key, value in merged.items() if value is not None)[:limit]

    def has_seen(self, transaction_id: bytes) -> bool:
        """Whether a transaction with this id is within the replay window (D3)."""
        place = self.place(transaction_id)
        return (
            place is not None
            and place.code != INVALID
            and place.height >= self._position.seen_floor
        )

    def place(self, transaction_id: bytes) -> Place | None:
        """Where the transaction with this id is."""
        data = self._store.get("transactions", transaction_id)
        place = None if data is None else blocks.decode_place(data)
        return place if place is not None and place.height <= self.height else None

    def head(self, height: int) -> BlockHead | None:
        """The small part of the block at `height`."""
        if height > self.height:
            return None
        data = self._store.get("blocks", blocks.encode_key(height, blocks.HEAD))
        return None if data is None else blocks.decode_head(data)

    def transactions(self, height: int) -> tuple[bytes, ...]:
        """The transactions of the block at `height`."""
        return blocks.decode_transactions(self._part(height, blocks.TRANSACTIONS))

    def block(self, height: int) -> StoredBlock | None:
        """The whole block at `height`."""
        head = self.head(height)
        if head is None:
            return None
        return StoredBlock(
            head=head,
            transactions=self.transactions(height),
            results=self.results(height),
            changes=blocks.decode_changes(self._part(height, blocks.CHANGES)),
        )

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """All committed records in key order, read past the cache (checks, snapshots)."""
        return self._store.iterate("records")

    def check_records(self) -> int:
        """Compare every record with the tree; their number. Raises CorruptFolderError.

        Setting what is already there must leave the root as it is.
        """
        records, count = self.records(), 0
        while chunk := list(islice(records, CHECKED_AT_A_TIME)):
            count += len(chunk)
            if self._tree.compute(chunk).root != self._tree.root:
                wrong = [p for p in chunk if self._tree.compute([p]).root != self._tree.root]
                first = wrong[0][0].decode("ascii", "replace")
                raise CorruptFolderError(
                    f"{len(wrong)} records, {first} first, are not those that the tree has", _BACKUP
                )
        if count != self._tree.leaves:
            raise CorruptFolderError(
                f"there are {count} records, but the tree has {self._tree.leaves}", _BACKUP
            )
        return count

    def prove(self, key: bytes) -> tuple[bytes | None, StateProof, int]:
        """Record, proof and height H of `key`: the newest state that a header (of H + 1) names.

        Raises LookupError before the first block.
        """
        with self._publishing:
            height = self.height - 1
            head = self.head(self.height)
            if head is None or height < 0:
                raise LookupError("no header proves this state yet")
            if head.is_empty:  # the state of H is still the current one
                return self.get(key), self._tree.prove(key, self._tree.version), height
            value = self._before[key] if key in self._before else self.get(key)
            return value, self._tree.prove(key, height), height

    def commit_block(self, block: Block, result: BlockResult, seal: Seal | None) -> BlockHead:
        """Make the block durable: state, tree, block, index and position in ONE write.

        Raises StorageError: then nothing of it is stored, and the node must stop.
        """
        head = blocks.build_head(block, result, seal)
        floor = max((self._position.seen_floor, *(height + 1 for height in result.forgotten)))
        position = Position(
            height=block.height,
            time_ms=block.time_ms,
            root=result.state_root,
            seen_floor=floor,
            base=self._position.base,
        )
        batch = self._store.batch()
        _write_state(batch, result.changes, result.delta.buckets)
        for key, value in blocks.encode_parts(head, block, result):
            batch.put("blocks", key, value)
        self._write_places(batch, block.height, result)
        batch.put("meta", _POSITION, msgspec.msgpack.encode(position))
        before = {key: self.get(key) for key, _value in result.changes}
        self._hidden, self._buckets.hidden = before, result.delta.replaced
        self._store.commit(batch)
        with self._publishing:
            self._cache.apply(result.changes)
            self._tree.apply(result.delta, block.height)
            self._before = before
            self._position = position
            self._hidden, self._buckets.hidden = {}, {}
        return head

    def on_fault(self, listener: Callable[[NodeError], None]) -> None:
        """Tell `listener` of each fault of reading or writing, in the thread that met it."""
        self._store.on_fault = listener

    def places(self) -> Iterator[tuple[bytes, Place]]:
        """All places of the index of transactions, read past the cache (checks)."""
        for key, value in self._store.iterate("transactions"):
            yield key, blocks.decode_place(value)

    def close(self) -> None:
        """Give the folder back."""
        self._store.close()

    def _write_places(self, batch: Batch, height: int, result: BlockResult) -> None:
        """Index the block's transactions; an invalid one never hides the valid one of its id."""
        written: set[str] = set()
        for index, each in enumerate(result.results):
            key = bytes.fromhex(each.id)
            if each.code == INVALID and (each.id in written or self.has_seen(key)):
                continue
            written.add(each.id)
            place = Place(height=height, index=index, code=each.code)
            batch.put("transactions", key, blocks.encode_place(place))

    def _load_results(self, height: int) -> BlockResults:
        return blocks.decode_results(self._part(height, blocks.RESULTS))

    def _part(self, height: int, part: bytes) -> bytes | None:
        return self._store.get("blocks", blocks.encode_key(height, part))


def create_storage(
    folder: Path, identity: Identity, changes: tuple[Change, ...], time_ms: int
) -> None:
    """Make `folder` with the state of height 0: it appears whole, or not at all."""
    making = folder.with_name(folder.name + ".making")
    if making.exists():
        shutil.rmtree(making)
    store = KeyValueStore(making, FAMILIES, create=True)
    delta = StateTree(StoredBuckets(store)).compute(changes)
    batch = store.batch()
    _write_state(batch, changes, delta.buckets)
    batch.put("meta", _IDENTITY, msgspec.msgpack.encode(identity))
    position = Position(height=0, time_ms=time_ms, root=delta.root)
    batch.put("meta", _POSITION, msgspec.msgpack.encode(position))
    store.commit(batch)
    store.close()
    sync_folder(making)
    making.rename(folder)
    sync_folder(folder.parent)


def make_identity(chain: str, genesis: bytes) -> Identity:
    """The identity that this release writes."""
    return Identity(format=FORMAT, chain=chain, genesis=genesis, release=__version__)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class StoredBuckets:
    """The tree's buckets in the store (hansa.ledger.tree_bucket.BucketStore)."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store
        # Old values of what is being written, until the tree has it too.
        self.hidden: Mapping[int, bytes | None] = {}

    def bucket(self, node: int) -> bytes | None:
        """The stored value of a bucket, or None."""
        while True:
            hidden = self.hidden
            if node in hidden:
                return hidden[node]
            value = self._store.get("buckets", node.to_bytes(_NODE_BYTES, "big"))
            if hidden is self.hidden:
                return value

    def buckets(self) -> Iterator[tuple[int, bytes]]:
        """All stored buckets."""
        for key, value in self._store.iterate("buckets"):
            yield int.from_bytes(key, "big"), value


def _write_state(
    batch: Batch, changes: tuple[Change, ...], buckets: Mapping[int, bytes | None]
) -> None:
    for key, value in changes:
        batch.write("records", key, value)
    for node, stored in buckets.items():
        batch.write("buckets", node.to_bytes(_NODE_BYTES, "big"), stored)


def _check_folder(folder: Path) -> None:
    """What can be judged before the engine opens it."""
    if not folder.is_dir():
        raise MissingFolderError(
            f"there is no data folder {folder}",
            f"{_BACKUP} A new league is made with: hansa init DIR.",
        )
    names = {entry.name for entry in folder.iterdir()}
    if "CURRENT" in names and any(name.startswith("MANIFEST-") for name in names):
        return
    if any(name.endswith((".sst", ".log", ".blob")) or name == "IDENTITY" for name in names):
        raise HalfMadeFolderError(f"{folder} lacks files of its database", _BACKUP)
    raise ForeignFolderError(
        f"{folder} is not the data folder of a node",
        "Point the node at its own home folder; nothing here was touched.",
    )


def _load_meta(store: KeyValueStore, folder: Path) -> tuple[Identity, Position]:
    identity, position = store.get("meta", _IDENTITY), store.get("meta", _POSITION)
    if identity is None or position is None:
        raise HalfMadeFolderError(f"{folder} has no beginning: its making was cut off", _BACKUP)
    try:
        return (
            msgspec.msgpack.decode(identity, type=Identity),
            msgspec.msgpack.decode(position, type=Position),
        )
    except msgspec.MsgspecError as error:
        raise CorruptFolderError(f"{folder} does not say where it is: {error}", _BACKUP) from error


def _check_identity(found: Identity, wanted: Identity, folder: Path) -> None:
    if found.format > wanted.format:
        raise NewerFormatError(
            f"{folder} was written by Hansa {found.release} in format {found.format};"
            f" this release reads up to {wanted.format}",
            f"Install Hansa {found.release} or later, and start again.",
        )
    if (found.chain, found.genesis) != (wanted.chain, wanted.genesis):
        raise ForeignFolderError(
            f"{folder} holds chain {found.chain} of genesis {found.genesis.hex()[:16]},"
            f" not {wanted.chain} of genesis {wanted.genesis.hex()[:16]}",
            "Put the genesis.json that belongs to this data back, or point at the right home.",
        )


def _load_tree(buckets: StoredBuckets, position: Position, folder: Path) -> StateTree:
    """Rebuild the tree's top and compare its root with the one that was committed."""
    tree = StateTree(buckets, position.height)
    if tree.root != position.root:
        raise CorruptFolderError(
            f"the state in {folder} has root {tree.root.hex()[:16]}, committed at height"
            f" {position.height} was {position.root.hex()[:16]}",
            f"{_BACKUP} Keep the damaged folder until then.",
        )
    return tree

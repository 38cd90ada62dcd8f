"""One data folder: records, tree, blocks, index of transactions, where we are. The only writer.

Each block is one durable write: a folder holds a block whole, with its state and root, or not at
all. Starting is the same whether the last stop was clean or not.
"""

import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final, Self

import msgspec

from hansa.comet.validators import ValidatorSet
from hansa.ledger.blocks import Block, BlockResult
from hansa.ledger.receipts import INVALID
from hansa.ledger.rejections import invariant
from hansa.ledger.tree import StateTree
from hansa.ledger.tree_proof import StateProof
from hansa.node import blocks
from hansa.node.blocks import BlockHead, BlockResults, Place, Seal, StoredBlock
from hansa.node.buckets import StoredBuckets, write_state
from hansa.node.faults import CorruptFolderError, NodeError
from hansa.node.folder import (
    BACKUP,
    FAMILIES,
    FORMAT,
    Identity,
    Position,
    check_folder,
    check_identity,
    create_storage,
    load_meta,
    load_tree,
    make_identity,
    settle_swap,
    sync_folder,
    write_position,
)
from hansa.node.key_value import KeyValueStore, OpenStore, WriteBatch
from hansa.node.record_cache import RecordCache
from hansa.node.seals import SealStore
from hansa.node.versions import KeptValues
from hansa.primitives.limits import EXPIRY_WINDOW

__all__ = [
    "FAMILIES",
    "FORMAT",
    "Identity",
    "Position",
    "Storage",
    "StoredBuckets",
    "create_storage",
    "make_identity",
    "sync_folder",
]

RESULTS_CACHED: Final = 8
CHECKED_AT_A_TIME: Final = 10_000


class PinnedState:
    """All records of one height in key order. `close` it before the storage."""

    def __init__(
        self, height: int, root: bytes, leaves: int, passes: list[Iterator[tuple[bytes, bytes]]]
    ) -> None:
        self.height, self.root, self.leaves = height, root, leaves
        self._passes = passes

    @property
    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """The records; each of the passes that were asked for reads them once."""
        return self._passes.pop()

    def close(self) -> None:
        """Let the view go."""
        self._passes.clear()


class Storage:
    """Committed state and blocks of one chain. A `StateReader`: reads from any thread."""

    def __init__(
        self,
        folder: Path,
        identity: Identity,
        *,
        read_only: bool = False,
        open_store: OpenStore = KeyValueStore,
    ) -> None:
        """Open an existing folder and check it. Raises a NodeError that names the cure."""
        self._folder = folder
        if not read_only:
            settle_swap(folder)
        check_folder(folder)
        self._store = open_store(folder, FAMILIES, read_only=read_only)
        try:
            found, self._position = load_meta(self._store, folder)
            check_identity(found, identity, folder)
            self.identity = found
            self._buckets = StoredBuckets(self._store)
            self._tree = load_tree(self._buckets, self._position, folder)
            self._seals = SealStore(self._store, self._position.base)
        except NodeError:
            self._store.close()
            raise
        self._kept = KeptValues()
        # Old values of what is being written: never shown before it is durable.
        self._hidden: dict[bytes, bytes | None] = {}
        self._cache = RecordCache(lambda key: self._store.get("records", key))
        self._publishing = threading.RLock()
        # Who writes the position has it: blocks grow and are pruned by different threads.
        self._writing = threading.Lock()
        self.results = lru_cache(RESULTS_CACHED)(self._load_results)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        if not self.base <= height <= self.height:
            return None
        data = self._store.get("blocks", blocks.encode_key(height, blocks.HEAD))
        return None if data is None else blocks.decode_head(data)

    def transactions(self, height: int) -> tuple[bytes, ...]:
        """The transactions of the block at `height`."""
        return blocks.decode_transactions(self._part(height, blocks.TRANSACTIONS))

    def block(self, height: int) -> StoredBlock | None:
        """The whole block at `height`, None when it is not kept or not there yet."""
        head = self.head(height)
        if head is None:
            return None
        found = StoredBlock(
            head=head,
            transactions=self.transactions(height),
            results=self.results(height),
            changes=blocks.decode_changes(self._part(height, blocks.CHANGES)),
            votes=blocks.decode_votes(self._part(height, blocks.VOTES)),
        )
        return found if height >= self.base else None  # else it was pruned while it was read

    @property
    def sealed(self) -> int:
        """The newest height such that all blocks from `base` to it have their seals."""
        return self._seals.sealed

    def seal(self, height: int) -> Seal | None:
        """Header and commit of the block at `height`, None while they are not here."""
        return self._seals.get(height) if height >= self.base else None

    def validators(self, digest: bytes) -> ValidatorSet | None:
        """The validator set with this hash (`validators_hash` of a header)."""
        return self._seals.validators(digest)

    def put_seal(self, seal: Seal, validators: ValidatorSet | None = None) -> None:
        """Make the seal of a block durable; `validators` may be left out when their hash is known.

        From one thread, beside the one that commits blocks. Seals may come in any order, and the
        same again. Raises StorageError, and InvariantViolation for another chain's: stop the node.
        """
        position = self._position
        if seal.header.height < position.base:
            return
        if seal.header.height == position.height + 1:
            named = seal.header.app_hash == position.root
            invariant(named, "a header names the state of the block before")
        self._seals.put(seal, validators)
        with self._publishing:
            self._kept.forget(self.sealed - 1)

    def pin(self, passes: int = 1) -> PinnedState:
        """The committed state as it is now, to be read so many times. From any thread."""
        with self._writing:
            position = self._position
            cursors = [self._store.iterate("records") for _ in range(passes)]
            return PinnedState(position.height, position.root, self._tree.leaves, cursors)

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
                    f"{len(wrong)} records, {first} first, are not those that the tree has", BACKUP
                )
        if count != self._tree.leaves:
            raise CorruptFolderError(
                f"there are {count} records, but the tree has {self._tree.leaves}", BACKUP
            )
        return count

    def prove(self, key: bytes) -> tuple[bytes | None, StateProof, int]:
        """Record, proof and height H of `key`: the newest state that a stored header (of H + 1)
        names.

        Raises LookupError when there is none yet, or the blocks are further ahead of their seals
        than old versions are kept.
        """
        with self._publishing:
            height = min(self.sealed - 1, self.height)
            version = self._find_version(height)
            value = self._kept.find(key, version, self.get)
            return value, self._tree.prove(key, version), height

    def _find_version(self, height: int) -> int:
        """A version that is kept and has the state of `height`: empty blocks change nothing."""
        first = max(self._tree.first_version, self._kept.first(self.height))
        while 0 <= height < first:
            after = self.head(height + 1)
            if after is None or not after.is_empty:
                break
            height += 1
        if height < max(first, 0):
            raise LookupError("no header proves this state yet")
        return height

    def commit_block(
        self,
        block: Block,
        result: BlockResult,
        seal: Seal | None,
        validators: ValidatorSet | None = None,
    ) -> BlockHead:
        """Make the block durable: state, tree, block, index and position in ONE write.

        `seal` is in the same write when the engine has it already; its `validators` may be left
        out when their hash is known. Raises StorageError: then nothing of it is stored, and the
        node must stop.
        """
        head = blocks.build_head(block, result)
        floor = max((self._position.seen_floor, *(height + 1 for height in result.forgotten)))
        with self._writing:
            position = Position(
                height=block.height,
                time_ms=block.time_ms,
                root=result.state_root,
                seen_floor=floor,
                base=self._position.base,
            )
            batch = self._store.batch()
            write_state(batch, result.changes, result.delta.buckets)
            for key, value in blocks.encode_parts(head, block, result):
                batch.put("blocks", key, value)
            self._write_places(batch, block.height, result)
            write_position(batch, position)
            sealed = self.sealed if seal is None else self._seals.write(batch, seal, validators)
            self._publish(batch, position, result, sealed)
        return head

    def _publish(
        self, batch: WriteBatch, position: Position, result: BlockResult, sealed: int
    ) -> None:
        """Write, then show it: readers see the block whole, and only when it is durable."""
        before = {key: self.get(key) for key, _value in result.changes}
        self._hidden, self._buckets.hidden = before, result.delta.replaced
        self._store.commit(batch)
        with self._publishing:
            self._cache.apply(result.changes)
            self._tree.apply(result.delta, position.height)
            self._kept.add(position.height, before)
            self._position = position
            self._seals.advance(sealed)
            self._kept.forget(self.sealed - 1)
            self._hidden, self._buckets.hidden = {}, {}

    def prune(self, below: int) -> int:
        """Forget blocks and seals below `below`; the first height that is kept then.

        Never one within the replay window, nor the newest sealed one. Base and blocks go in one
        write, whose cost does not grow with the number of blocks; transactions of forgotten blocks
        keep their places. From any thread. Raises StorageError.
        """
        with self._writing:
            position = self._position
            base = min(below, position.height - EXPIRY_WINDOW, self.sealed)
            if base <= position.base:
                return position.base
            moved = msgspec.structs.replace(position, base=base)
            batch = self._store.batch()
            first, end = blocks.encode_key(0, b""), blocks.encode_key(base, b"")
            batch.delete_range("blocks", first, end)
            write_position(batch, moved)
            self._position = moved  # first: nobody finds half a block
            self._store.commit(batch)
        self._store.compact("blocks", first, end)
        return base

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

    def _write_places(self, batch: WriteBatch, height: int, result: BlockResult) -> None:
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

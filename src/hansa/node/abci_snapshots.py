"""Snapshots at the ABCI boundary: what this node gives to those that join, and takes itself.

Also says which blocks the engine may forget. Touches the snapshots' folder and, when a snapshot is
taken, the data folder.
"""

import time
from collections.abc import Callable
from typing import Final

import structlog

from hansa.comet.abci import types_pb2 as abci
from hansa.node.application import LedgerApplication
from hansa.node.home import SNAPSHOTS, Home
from hansa.node.key_value import KeyValueStore, OpenStore
from hansa.node.restore import RefusedChunk, RefusedSnapshot, Restoration
from hansa.node.snapshot_format import Snapshot
from hansa.node.snapshots import Job, Snapshots, spawn_thread
from hansa.node.storage import Storage

# A pruned node keeps at least this many blocks: the last ones may still be on their way.
KEEP_MIN: Final = 100
# Blocks are forgotten so many at a time.
PRUNE_STEP: Final = 500

_Offer = abci.ResponseOfferSnapshot
_Apply = abci.ResponseApplySnapshotChunk
_log = structlog.get_logger("hansa.node")


class SnapshotDesk:
    """One node's snapshots. `offer` and `apply` never beside each other, the rest from any thread.

    `on_storage` is told when a restored snapshot has taken the storage's place.
    """

    def __init__(
        self,
        home: Home,
        application: LedgerApplication,
        on_storage: Callable[[Storage], None],
        *,
        open_store: OpenStore = KeyValueStore,
        now: Callable[[], float] = time.monotonic,
        spawn: Callable[[Callable[[], None]], Job] = spawn_thread,
    ) -> None:
        self._home, self._application = home, application
        self._on_storage, self._open_store = on_storage, open_store
        self._now, self._spawn = now, spawn
        self._snapshots = self._open_snapshots(application.storage)
        self._restoration: Restoration | None = None
        self._first_kept = 0

    def after_commit(self, height: int) -> int:
        """Begin a snapshot when it is time; `retain_height` of Commit, 0 keeps all."""
        engine = self._home.settings.engine
        if engine.snapshot_interval and height % engine.snapshot_interval == 0:
            self._snapshots.begin(height)
        if not engine.keep_blocks:
            return 0
        self._first_kept = max(0, self._find_first_kept(height, engine.keep_blocks))
        return self._first_kept

    def prune(self) -> None:
        """Forget old blocks of ours too; now and then, from a thread that has time."""
        storage = self._application.storage
        if self._first_kept >= storage.base + PRUNE_STEP:
            storage.prune(self._first_kept)

    def _find_first_kept(self, height: int, keep: int) -> int:
        """Not above what is not sealed yet, nor above a snapshot: who takes it needs what follows.

        No snapshot yet where there should be one: all is kept until then.
        """
        first = min(height - max(keep, KEEP_MIN) + 1, self._application.storage.sealed)
        if not self._home.settings.engine.snapshot_interval:
            return first
        oldest = min((each.height for each in self._snapshots.list()), default=0)
        return min(first, oldest)

    @property
    def newest(self) -> int:
        """Height of the newest snapshot, 0 without any."""
        return max((each.height for each in self._snapshots.list()), default=0)

    def list(self) -> abci.ResponseListSnapshots:
        """What this node can give."""
        return abci.ResponseListSnapshots(
            snapshots=[
                abci.Snapshot(
                    height=each.height,
                    format=each.format,
                    chunks=each.chunks,
                    hash=each.hash,
                    metadata=each.metadata,
                )
                for each in self._snapshots.promise()
            ]
        )

    def load(self, request: abci.RequestLoadSnapshotChunk) -> abci.ResponseLoadSnapshotChunk:
        """One chunk; empty when it is not there."""
        found = self._snapshots.load(request.height, request.format, request.chunk)
        return abci.ResponseLoadSnapshotChunk(chunk=found or b"")

    def offer(self, request: abci.RequestOfferSnapshot) -> abci.ResponseOfferSnapshot:
        """Take a snapshot that leads to the app hash which the engine has verified."""
        storage, given = self._application.storage, request.snapshot
        if has_blocks(storage):
            return _Offer(result=_Offer.ABORT)
        self.abandon()
        snapshot = Snapshot(given.height, given.format, given.chunks, given.hash, given.metadata)
        try:
            self._restoration = Restoration(
                self._home.folder,
                storage.identity,
                snapshot,
                request.app_hash,
                genesis_time_ms=self._home.genesis.time_ms,
                open_store=self._open_store,
            )
        except RefusedSnapshot as refused:
            _log.warning("snapshot_refused", height=given.height, reason=str(refused))
            result = _Offer.REJECT_FORMAT if refused.is_format else _Offer.REJECT
            return _Offer(result=result)
        _log.info("snapshot_taken", height=given.height, chunks=given.chunks)
        return _Offer(result=_Offer.ACCEPT)

    def apply(self, request: abci.RequestApplySnapshotChunk) -> abci.ResponseApplySnapshotChunk:
        """A chunk: checked alone; a bad one is fetched again from somebody else."""
        restoration = self._restoration
        if restoration is None:
            return _Apply(result=_Apply.ABORT)
        try:
            restoration.apply(request.index, request.chunk)
            if not restoration.missing:
                self._finish(restoration)
        except RefusedChunk as refused:
            _log.warning("snapshot_chunk_refused", peer=request.sender, reason=str(refused))
            return _Apply(
                result=_Apply.RETRY,
                refetch_chunks=[request.index],
                reject_senders=[request.sender] if request.sender else [],
            )
        except RefusedSnapshot as refused:
            _log.warning("snapshot_refused", reason=str(refused))
            self.abandon()
            return _Apply(result=_Apply.REJECT_SNAPSHOT)
        return _Apply(result=_Apply.ACCEPT)

    def _finish(self, restoration: Restoration) -> None:
        """The restored state takes the place of the genesis state, which nobody needs any more."""
        self._snapshots.close()
        storage = restoration.finish(self._application.storage)
        self._restoration = None
        self._application.use(storage)
        self._snapshots = self._open_snapshots(storage)
        _log.info("snapshot_restored", height=storage.height)
        self._on_storage(storage)

    def _open_snapshots(self, storage: Storage) -> Snapshots:
        folder = self._home.folder / SNAPSHOTS
        return Snapshots(folder, storage, now=self._now, spawn=self._spawn)

    def abandon(self) -> None:
        """Give up what is half restored."""
        if self._restoration is not None:
            self._restoration.abandon()
            self._restoration = None

    def close(self) -> None:
        """Give up what is half made; before the storage is closed."""
        self.abandon()
        self._snapshots.close()


def has_blocks(storage: Storage) -> bool:
    """Whether the ledger has gone on from its genesis, or from the snapshot it began with.

    Until then it may begin again from another: the engine may have died before it knew of it.
    """
    return storage.base <= storage.height

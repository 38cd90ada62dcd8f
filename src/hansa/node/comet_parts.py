"""What a node does for CometBFT, whoever runs it: answers it, gives it transactions, fetches seals.

`comet_engine.py` puts it beside a process and sockets, the simulator beside an engine of its own.
Starts nothing by itself; touches what its parts touch.
"""

import time
from collections.abc import Callable, Sequence

from hansa.ledger.admission import Expired
from hansa.ledger.blocks import BlockResult, Change
from hansa.node.abci_handler import AbciHandler, HandlerListener
from hansa.node.abci_snapshots import SnapshotDesk
from hansa.node.application import LedgerApplication
from hansa.node.blocks import BlockHead
from hansa.node.engine import EngineDoor, Listener, TransactionTooLarge
from hansa.node.feeder import Feeder
from hansa.node.home import Home
from hansa.node.key_value import KeyValueStore, OpenStore
from hansa.node.pool import TransactionPool, Waiting
from hansa.node.release import ComputeDigest
from hansa.node.sealing import Sealing
from hansa.node.snapshots import Job, spawn_thread


class CometParts:
    """The four parts of one node, joined. Each is started and stopped by whoever has the engine."""

    def __init__(
        self,
        home: Home,
        application: LedgerApplication,
        pool: TransactionPool,
        listener: Listener,
        rpc: EngineDoor,
        *,
        clock: Callable[[], int],
        compute_digest: ComputeDigest | None,
        is_trusted: Callable[[str], bool],
        on_fault: Callable[[BaseException], None],
        on_changes: Callable[[Sequence[Change]], None] = lambda _changes: None,
        open_store: OpenStore = KeyValueStore,
        now: Callable[[], float] = time.monotonic,
        spawn: Callable[[Callable[[], None]], Job] = spawn_thread,
    ) -> None:
        """`is_trusted`: of a node id, while this node's own state is too old to judge it.

        `on_fault`: this node's own fault, from any thread. `on_changes`: a durable block's changes.
        """
        self._pool, self._listener, self._on_changes = pool, listener, on_changes
        self.desk = SnapshotDesk(
            home, application, listener.on_storage, open_store=open_store, now=now, spawn=spawn
        )
        self.handler = AbciHandler(
            application,
            home.genesis,
            home.genesis_digest,
            HandlerListener(on_block=self._on_block, on_refused=listener.on_refused),
            self.desk,
            clock=clock,
            compute_digest=compute_digest,
            is_trusted=is_trusted,
        )
        self.feeder = Feeder(pool, rpc, on_too_large=self._on_too_large, now=now)
        self.sealing = Sealing(application, rpc, on_sealed=listener.on_sealed, on_fault=on_fault)

    def _on_block(self, head: BlockHead, result: BlockResult, ids: Sequence[bytes]) -> None:
        """In the engine's turn, right after the durable write."""
        self._on_changes(result.changes)
        self._listener.on_block(head, ids)
        self.sealing.wake()
        if ids:
            self.feeder.note_progress()
        for old in self._pool.find_expired(head.height + 1):
            rejection = Expired(expiry=old.expiry, height=head.height + 1)
            self._listener.on_refused(old.id, old.data, rejection)

    def _on_too_large(self, waiting: Waiting) -> None:
        self._listener.on_refused(waiting.id, waiting.data, TransactionTooLarge())

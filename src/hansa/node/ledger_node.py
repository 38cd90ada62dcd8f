"""`LedgerNode`: one home folder, open: submit, ask, prove, follow. What gateway and index stand on.

Touches its home folder, its own threads and, under CometBFT, its engine's process; opens no port of
its own. Used from any thread.
"""

import threading
import time
from collections.abc import Callable, Sequence, Set
from pathlib import Path
from typing import Final

import structlog

from hansa.comet.rpc import RpcClient
from hansa.comet.validators import ValidatorSet
from hansa.ledger.admission import AdmittedTransaction
from hansa.ledger.contracts import Registry
from hansa.ledger.genesis import Genesis
from hansa.ledger.receipts import INVALID, TransactionResult
from hansa.ledger.rejections import Rejection
from hansa.ledger.transactions import SignedTransaction, decode_transaction
from hansa.ledger.trial import try_transaction
from hansa.node.answers import (
    NoSuchMessage,
    NoSuchTransaction,
    ReceiptParts,
    State,
    TransactionStatus,
    decode_id,
)
from hansa.node.application import LedgerApplication
from hansa.node.blocks import BlockHead
from hansa.node.comet_engine import CometEngine
from hansa.node.embedded import EmbeddedEngine, read_clock_ms
from hansa.node.engine import BuildEngine, Engine, Listener, NetworkView
from hansa.node.faults import CatchingUpError, CorruptFolderError, NodeError, NodeStoppedError
from hansa.node.home import Home, open_home
from hansa.node.key_value import KeyValueStore, OpenStore
from hansa.node.lock import FolderLock
from hansa.node.pool import TransactionPool, Waiting
from hansa.node.reading import ChainReading
from hansa.node.release import ComputeDigest
from hansa.node.sealer import Sealer, build_validators
from hansa.node.storage import Storage, make_identity
from hansa.node.watch import Watch

RETRY_AFTER_S_MAX: Final = 60

_log = structlog.get_logger("hansa.node")


class LedgerNode(ChainReading):
    """The node of one home folder: the only writer of its data."""

    def __init__(
        self,
        home: Home,
        registry: Registry,
        lock: FolderLock,
        clock: Callable[[], int],
        compute_digest: ComputeDigest | None,
        *,
        build_engine: BuildEngine | None = None,
        open_store: OpenStore = KeyValueStore,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use `LedgerNode.open`."""
        self.home = home
        self.genesis: Genesis = home.genesis
        self.chain: str = home.genesis.chain
        self._lock = lock
        identity = make_identity(self.chain, home.genesis_digest)
        storage = Storage(home.data, identity, open_store=open_store)
        self.application = LedgerApplication(self.chain, storage, registry)
        self._pool = TransactionPool()
        self._watch = Watch(storage.height)
        # Ids of blocks that no header proves yet, by height.
        self._unsealed: dict[int, list[str]] = {}
        self._unsealed_lock = threading.Lock()
        self._failure: BaseException | None = None
        self._stopped = False
        self._ending = threading.Lock()
        self._closing = threading.Lock()
        self._closed = False
        self._now = now
        self._rate, self._began = 0.0, now()
        self._pace: Callable[[int], None] = lambda _height: None
        try:
            self._engine = self._build_engine(clock, compute_digest, build_engine)
        except BaseException:
            storage.close()
            raise
        storage.on_fault(self._on_fault)

    @classmethod
    def open(
        cls,
        folder: Path,
        registry: Registry,
        *,
        clock: Callable[[], int] = read_clock_ms,
        compute_digest: ComputeDigest | None = None,
        build_engine: BuildEngine | None = None,
        open_store: OpenStore = KeyValueStore,
        now: Callable[[], float] = time.monotonic,
    ) -> "LedgerNode":
        """Open a home and run. Recovers from any stop by itself. Raises a NodeError.

        `compute_digest`: digest of a contract's code (`hansa.catalog`), compared when a version
        becomes active; None: not compared. `build_engine`: by default the engine that the home's
        settings name. `now`: seconds of a clock that never goes back.
        """
        home = open_home(folder)
        lock = FolderLock(home.folder)
        node = None
        try:
            node = cls(
                home,
                registry,
                lock,
                clock,
                compute_digest,
                build_engine=build_engine,
                open_store=open_store,
                now=now,
            )
            node._engine.start()
        except BaseException:
            if node is not None:
                node._storage.close()
            lock.release()
            raise
        _log.info("node_started", chain=node.chain, height=node.height)
        return node

    def _build_engine(
        self,
        clock: Callable[[], int],
        compute_digest: ComputeDigest | None,
        build_engine: BuildEngine | None,
    ) -> Engine:
        home, storage = self.home, self._storage
        listener = Listener(
            on_block=self._on_block,
            on_sealed=self._on_sealed,
            on_refused=self._on_refused,
            on_stop=self._on_stop,
            on_storage=self._on_storage,
        )
        if build_engine is not None:
            return build_engine(home, self.application, self._pool, listener)
        if home.settings.engine.kind == "comet":
            return CometEngine(home, self.application, self._pool, listener, clock, compute_digest)
        return EmbeddedEngine(
            self.application,
            Sealer.open(home.genesis, home.validator_key(), storage),
            self._pool,
            listener,
            heartbeat_s=home.settings.engine.heartbeat_s,
            clock=clock,
            pace=lambda height: self._pace(height),
        )

    def __enter__(self) -> "LedgerNode":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop taking, finish what is in hand, give the folder back. Safe to repeat."""
        self._engine.stop()
        with self._closing:
            if self._closed:
                return
            self._closed = True
            height = self.height
            self._storage.close()
            self._lock.release()
        _log.info("node_closed", chain=self.chain, height=height)

    @property
    def validators(self) -> ValidatorSet:
        """The validators of the newest header here; before the first, those of the genesis."""
        try:
            return self.validators_at(self.sealed_height)
        except LookupError:
            return build_validators(self.genesis)

    @property
    def failure(self) -> BaseException | None:
        """Why the node stopped by itself, None while it runs or after `close`."""
        return self._failure

    def network(self) -> NetworkView | None:
        """The engine and its peers; None for an embedded engine."""
        return self._engine.network()

    def dial(self, peers: Sequence[str]) -> None:
        """Have the engine connect to other nodes, `id@host:port`, and stay connected."""
        self._engine.dial(peers)

    @property
    def rpc(self) -> RpcClient | None:
        """The engine's own RPC, for this process alone; None for an embedded engine."""
        return self._engine.rpc

    def submit(self, data: bytes) -> str:
        """Take signed bytes; returns their id at once. The same bytes again: same id, no effect.

        Raises a Rejection when they may not enter, PoolFull when too much waits, CatchingUpError,
        NodeStoppedError.
        """
        decoded = decode_transaction(data)
        if self._is_known(decoded.id):
            return decoded.hex_id
        retry_after_s = self._estimate_wait_s()
        admitted = self._admit(data, decoded)
        waiting = Waiting(
            id=decoded.id,
            data=data,
            lane=admitted.accounts[0].member,
            expiry=decoded.payload.expiry,
        )
        with self._pool.changed:
            if not self._is_known(decoded.id):
                self._pool.check_room(waiting.lane, len(data), retry_after_s)
                self._pool.add(waiting)
        return decoded.hex_id

    def _admit(self, data: bytes, decoded: SignedTransaction) -> AdmittedTransaction:
        try:
            return self.application.check(
                data, time_ms=self._engine.next_time_ms(), decoded=decoded
            )
        except Rejection as rejection:
            if self._engine.is_behind:
                raise CatchingUpError(self.height) from rejection
            raise
        except CorruptFolderError as fault:
            self._on_fault(fault)
            raise

    def try_transaction(self, data: bytes, unsigned: Set[str]) -> TransactionResult:
        """What `data` would result in now if `unsigned` sign it too; nothing is kept. Raises
        Malformed, WrongSignature.
        """
        time_ms = self._engine.next_time_ms()
        registry = self.application.registry
        return try_transaction(self.state, registry, data, unsigned, time_ms)

    def status(self, transaction: str) -> TransactionStatus:
        """Where the transaction with this id (64 hex digits) stands."""
        identity = decode_id(transaction)
        is_waiting = identity in self._pool  # asked first: it leaves the pool after it is stored
        place = self._storage.place(identity)
        if place is not None and place.height < self.sealed_height:
            state: State = "invalid" if place.code == INVALID else "committed"
            if place.height < self._storage.base:
                return TransactionStatus(id=transaction, state=state, height=place.height)
            result = self._storage.results(place.height).results[place.index]
            return TransactionStatus(transaction, state, place.height, place.index, result)
        is_pending = is_waiting or place is not None
        return TransactionStatus(id=transaction, state="pending" if is_pending else "unknown")

    def wait(self, transaction: str, timeout_s: float) -> TransactionStatus:
        """As `status`, as soon as it is final or after `timeout_s`. Raises NodeStoppedError.

        `unknown` also when it waited and can no longer enter: sent again, the door says why.
        """
        with self._watch.transaction(transaction) as final:
            found = self.status(transaction)
            if found.state == "pending":
                final.wait(timeout_s)
                found = self.status(transaction)
        if found.state == "pending":
            self._check_running()
        return found

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener` with new heights from a thread of its own; returns what ends that.

        When several blocks come while it is busy, it hears of the last.
        """
        return self._watch.subscribe(listener)

    def pace_by(self, wait: Callable[[int], None]) -> None:
        """Have `wait` called with the last height before each block of an embedded engine.

        It may wait a moment, so that what follows the blocks keeps up. A network waits for nobody.
        """
        self._pace = wait

    def wait_height(self, height: int, timeout_s: float) -> bool:
        """True as soon as `height` is committed, False after `timeout_s`."""
        reached = self._watch.wait_height(height, timeout_s)
        if not reached:
            self._check_running()
        return reached

    def _is_known(self, identity: bytes) -> bool:
        """Whether it waits or is in a block; it is stored before it leaves the pool."""
        self._check_running()
        if identity in self._pool:
            return True
        place = self._storage.place(identity)
        return place is not None and place.code != INVALID

    def _estimate_wait_s(self) -> int:
        """Seconds until what waits now is committed, by the rate of the last blocks."""
        if not self._rate:
            return 1
        return max(1, min(RETRY_AFTER_S_MAX, round(len(self._pool) / self._rate)))

    def _on_block(self, head: BlockHead, ids: Sequence[bytes]) -> None:
        """In the engine's thread, after each durable block."""
        now = self._now()
        if ids:
            self._pool.discard(ids)
            self._rate = self._measure_rate(len(ids), now)
            with self._unsealed_lock:
                self._unsealed[head.height] = [identity.hex() for identity in ids]
        self._began = now
        self._watch.grow(head.height)

    def _on_sealed(self, height: int) -> None:
        """The blocks below `height` are now provable: whoever waits for one hears of it."""
        final: list[str] = []
        with self._unsealed_lock:
            for below in [each for each in self._unsealed if each < height]:
                final += self._unsealed.pop(below)
        self._watch.tell(final)

    def _on_refused(self, identity: bytes, data: bytes, rejection: Rejection) -> None:
        """What waited can no longer enter: nobody waits for it any more.

        Other bytes under the same id say nothing of ours: somebody else may have spoilt them.
        """
        if self._pool.holds(identity, data) and self._pool.discard([identity]):
            _log.info("transaction_dropped", id=identity.hex(), code=rejection.code)
            self._watch.tell([identity.hex()])

    def _on_storage(self, storage: Storage) -> None:
        """A restored snapshot took the place of the storage: blocks follow from its height."""
        storage.on_fault(self._on_fault)
        self._watch.grow(storage.height)

    def _measure_rate(self, count: int, now: float) -> float:
        """Transactions a second, the last block counting for a third."""
        latest = count / max(now - self._began, 0.001)
        return latest if not self._rate else (2 * self._rate + latest) / 3

    def _on_stop(self, failure: BaseException | None) -> None:
        """When the engine ends or must (the first reason counts): nobody waits for ever."""
        with self._ending:
            if self._stopped:
                return
            self._failure = failure
            self._stopped = True
        if failure is not None:
            _log_failure(failure)
        self._watch.end()

    def _on_fault(self, fault: NodeError) -> None:
        """In whatever thread met it: only storage faults stop the node, and each of them does."""
        self.application.stop(fault)
        self._engine.halt()
        self._on_stop(fault)

    def _check_running(self) -> None:
        if self._stopped:
            reason = f": {self._failure}" if self._failure else ""
            raise NodeStoppedError(
                f"the node has stopped{reason}",
                "Look at its log, mend the cause, start it again, and send the same bytes again.",
            )


def _log_failure(failure: BaseException) -> None:
    """A fault by its own words, a bug with where it happened."""
    kind = type(failure).__name__
    if isinstance(failure, NodeError):
        _log.error("node_stopped", kind=kind, reason=failure.text, cure=failure.cure)
    else:
        _log.critical("node_stopped", kind=kind, reason=repr(failure), exc_info=failure)


__all__ = [
    "LedgerNode",
    "NoSuchMessage",
    "NoSuchTransaction",
    "ReceiptParts",
    "TransactionStatus",
]

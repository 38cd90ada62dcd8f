"""`LedgerNode`: one home folder, open: submit, ask, prove, follow. What gateway and index stand on.

Touches its home folder and its own threads; opens no port. Used from any thread.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import msgspec
import structlog

from hansa.comet.commit import Commit
from hansa.comet.header import Header
from hansa.comet.validators import ValidatorSet
from hansa.ledger.contracts import Registry
from hansa.ledger.genesis import Genesis
from hansa.ledger.receipts import INVALID, TransactionResult, encode_exec_tx_result
from hansa.ledger.rejections import Rejection
from hansa.ledger.state import StateReader
from hansa.ledger.transactions import decode_transaction
from hansa.ledger.tree_proof import StateProof
from hansa.node.application import LedgerApplication
from hansa.node.blocks import BlockHead, Place, Seal, StoredBlock
from hansa.node.embedded import EmbeddedEngine, read_clock_ms
from hansa.node.faults import NodeError, NodeStoppedError
from hansa.node.home import Home, open_home
from hansa.node.lock import FolderLock
from hansa.node.pool import TransactionPool, Waiting
from hansa.node.sealer import Sealer, build_validators
from hansa.node.storage import Storage, make_identity
from hansa.node.watch import Watch

State = Literal["unknown", "pending", "committed", "invalid"]
RETRY_AFTER_S_MAX: Final = 60

_log = structlog.get_logger("hansa.node")


class NoSuchTransaction(Rejection):
    """No block that can be proved holds it."""

    CODESPACE = "node"
    CODE = "no_such_transaction"
    RULE = "DESIGN 4.7"
    TEXT = "The ledger holds no transaction {id}, or not yet."
    REMEDY = "Ask for its status; when that is unknown, send the same bytes again."


class NoSuchMessage(Rejection):
    """The transaction has fewer messages."""

    CODESPACE = "node"
    CODE = "no_such_message"
    RULE = "DESIGN 4.6"
    TEXT = "The transaction has {count} messages, counted from 0."
    REMEDY = "Name one of them."


class TransactionStatus(msgspec.Struct, frozen=True):
    """Where a transaction stands. `committed` and `invalid` are final, durable and provable."""

    id: str
    state: State
    height: int | None = None
    index: int | None = None
    result: TransactionResult | None = None


class ReceiptParts(msgspec.Struct, frozen=True):
    """All that proves one message's result.

    `results` are the leaves under `header.last_results_hash`; `header` is that of height + 1.
    """

    height: int
    index: int
    message: int
    transaction: bytes
    result: TransactionResult
    results: tuple[bytes, ...]
    block: Seal
    header: Header
    commit: Commit
    validators: ValidatorSet


class LedgerNode:
    """The node of one home folder: the only writer of its data."""

    def __init__(
        self, home: Home, registry: Registry, lock: FolderLock, clock: Callable[[], int]
    ) -> None:
        """Use `LedgerNode.open`."""
        self.home = home
        self.genesis: Genesis = home.genesis
        self.chain: str = home.genesis.chain
        self.validators: ValidatorSet = build_validators(home.genesis)
        self._lock = lock
        self._storage = Storage(home.data, make_identity(self.chain, home.genesis_digest))
        self.application = LedgerApplication(self.chain, self._storage, registry)
        self._pool = TransactionPool()
        self._watch = Watch(self._storage.height)
        self._unsealed: list[str] = []
        self._failure: BaseException | None = None
        self._stopped = False
        self._ending = threading.Lock()
        self._closing = threading.Lock()
        self._closed = False
        self._rate, self._began = 0.0, time.monotonic()
        try:
            self._engine = self._build_engine(clock)
        except BaseException:
            self._storage.close()
            raise
        self._storage.on_fault(self._on_fault)

    @classmethod
    def open(
        cls, folder: Path, registry: Registry, *, clock: Callable[[], int] = read_clock_ms
    ) -> "LedgerNode":
        """Open a home and run. Recovers from any stop by itself. Raises a NodeError."""
        home = open_home(folder)
        lock = FolderLock(home.folder)
        node = None
        try:
            node = cls(home, registry, lock, clock)
            node._engine.start()
        except BaseException:
            if node is not None:
                node._storage.close()
            lock.release()
            raise
        _log.info("node_started", chain=node.chain, height=node.height)
        return node

    def _build_engine(self, clock: Callable[[], int]) -> EmbeddedEngine:
        home, storage = self.home, self._storage
        head, seal = storage.head(storage.height), storage.seal(storage.height)
        return EmbeddedEngine(
            self.application,
            Sealer(home.genesis, home.validator_key(), storage.root, head, seal),
            self._pool,
            on_commit=self._on_commit,
            on_stop=self._on_stop,
            heartbeat_s=home.settings.engine.heartbeat_s,
            clock=clock,
        )

    def __enter__(self) -> "LedgerNode":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop taking, finish and seal the block in hand, give the folder back. Safe to repeat."""
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
    def height(self) -> int:
        """Height of the last committed block."""
        return self._storage.height

    @property
    def state(self) -> StateReader:
        """Committed state."""
        return self._storage

    @property
    def failure(self) -> BaseException | None:
        """Why the node stopped by itself, None while it runs or after `close`."""
        return self._failure

    def submit(self, data: bytes) -> str:
        """Take signed bytes; returns their id at once. The same bytes again: same id, no effect.

        Raises a Rejection when they may not enter, PoolFull when too much waits, NodeStoppedError.
        """
        decoded = decode_transaction(data)
        if self._is_known(decoded.id):
            return decoded.hex_id
        retry_after_s = self._estimate_wait_s()
        admitted = self.application.check(
            data, time_ms=self._engine.next_time_ms(), decoded=decoded
        )
        waiting = Waiting(id=decoded.id, data=data, lane=admitted.accounts[0].member)
        with self._pool.changed:
            if not self._is_known(decoded.id):
                self._pool.check_room(waiting.lane, len(data), retry_after_s)
                self._pool.add(waiting)
        return decoded.hex_id

    def status(self, transaction: str) -> TransactionStatus:
        """Where the transaction with this id (64 hex digits) stands."""
        identity = _decode_id(transaction)
        is_waiting = identity in self._pool  # asked first: it leaves the pool after it is stored
        place = self._storage.place(identity)
        if place is not None and place.height < self.height:
            result = self._storage.results(place.height).results[place.index]
            return TransactionStatus(
                id=transaction,
                state="invalid" if place.code == INVALID else "committed",
                height=place.height,
                index=place.index,
                result=result,
            )
        is_pending = is_waiting or place is not None
        return TransactionStatus(id=transaction, state="pending" if is_pending else "unknown")

    def wait(self, transaction: str, timeout_s: float) -> TransactionStatus:
        """As `status`, as soon as it is final or after `timeout_s`. Raises NodeStoppedError."""
        with self._watch.transaction(transaction) as final:
            found = self.status(transaction)
            if found.state == "pending":
                final.wait(timeout_s)
                found = self.status(transaction)
        if found.state == "pending":
            self._check_running()
        return found

    def heights(self) -> tuple[int, int]:
        """First height kept and last committed one."""
        return self._storage.base, self._storage.height

    def block(self, height: int) -> StoredBlock:
        """The committed block at `height`. Raises LookupError when there is none."""
        found = self._storage.block(height)
        if found is None:
            raise LookupError(f"there is no block {height}")
        return found

    def head(self, height: int) -> BlockHead:
        """The small part of the block at `height`. Raises LookupError when there is none."""
        found = self._storage.head(height)
        if found is None:
            raise LookupError(f"there is no block {height}")
        return found

    def header(self, height: int) -> Header:
        """The header at `height`. Raises LookupError when there is none."""
        return self._seal(height).header

    def commit(self, height: int) -> Commit:
        """The commit that decided the block at `height`. Raises LookupError when there is none."""
        return self._seal(height).commit

    def receipt(self, transaction: str, message: int) -> ReceiptParts:
        """What proves a message's result. Raises NoSuchTransaction, NoSuchMessage."""
        place = self._find_final(transaction)
        results = self._storage.results(place.height)
        result = results.results[place.index]
        if not 0 <= message < len(result.messages):
            raise NoSuchMessage(count=len(result.messages))
        after = self._seal(place.height + 1)
        return ReceiptParts(
            height=place.height,
            index=place.index,
            message=message,
            transaction=self._storage.transactions(place.height)[place.index],
            result=result,
            results=tuple(encode_exec_tx_result(each) for each in results.results),
            block=self._seal(place.height),
            header=after.header,
            commit=after.commit,
            validators=self.validators,
        )

    def prove(self, key: bytes) -> tuple[bytes | None, StateProof, int]:
        """Record (None: absent), proof, and height H: the header of H + 1 carries the root."""
        return self._storage.prove(key)

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener` with new heights from a thread of its own; returns what ends that.

        When several blocks come while it is busy, it hears of the last.
        """
        return self._watch.subscribe(listener)

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

    def _find_final(self, transaction: str) -> Place:
        place = self._storage.place(_decode_id(transaction))
        if place is None or place.height >= self.height:
            raise NoSuchTransaction(id=transaction)
        return place

    def _seal(self, height: int) -> Seal:
        seal = self._storage.seal(height)
        if seal is None:
            raise LookupError(f"there is no header {height} yet")
        return seal

    def _on_commit(self, head: BlockHead, taken: list[Waiting]) -> None:
        """In the engine's thread, after each durable block: the block before it is now provable."""
        now = time.monotonic()
        if taken:
            self._pool.remove(taken)
            self._rate = self._measure_rate(len(taken), now)
        self._began = now
        sealed, self._unsealed = self._unsealed, [waiting.id.hex() for waiting in taken]
        self._watch.grow(head.height, sealed)

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


def _decode_id(transaction: str) -> bytes:
    try:
        identity = bytes.fromhex(transaction)
    except ValueError:
        identity = b""
    if len(identity) != 32 or identity.hex() != transaction:
        raise NoSuchTransaction(id=transaction)
    return identity


__all__ = [
    "LedgerNode",
    "NoSuchMessage",
    "NoSuchTransaction",
    "ReceiptParts",
    "TransactionStatus",
]

"""The thread that gives what waits to CometBFT's pool, and gives it again when it got lost there.

Fair between members as the pool is, and bounded: what the engine holds of ours is about a block, so
that the rest keeps its fair order here. Touches the engine's RPC.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from hansa.comet.rpc import Broadcast, EngineUnreachable, RpcError
from hansa.node.engine import PoolDoor
from hansa.node.pool import TransactionPool, Waiting

OUTSTANDING_MAX: Final = 2_000
OUTSTANDING_BYTES_MAX: Final = 4_000_000
# One request: small enough that a block is not kept waiting behind it.
BATCH_MAX: Final = 500
BATCH_BYTES_MAX: Final = 1_000_000
# What the engine has had for so long without a block of it is given once more.
STALE_S: Final = 20.0
# No transaction in any block for so long though some are outstanding: peers may not have got them.
STALL_FIRST_S: Final = 4.0
STALL_MAX_S: Final = 60.0
_PAUSE_FIRST_S: Final = 0.05
_PAUSE_MAX_S: Final = 2.0
_TICK_S: Final = 1.0

_log = structlog.get_logger("hansa.node")


class Feeder:
    """Feeds one engine from one pool."""

    def __init__(
        self,
        pool: TransactionPool,
        rpc: PoolDoor,
        *,
        on_too_large: Callable[[Waiting], None],
        stale_s: float = STALE_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_too_large` is told what the engine will never take."""
        self._pool, self._rpc = pool, rpc
        self._on_too_large = on_too_large
        self._stale_s, self._now = stale_s, now
        self._given: dict[bytes, tuple[Waiting, float]] = {}
        self._progress, self._stall_s = self._now(), STALL_FIRST_S
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hansa-feeder", daemon=True)

    @property
    def outstanding(self) -> int:
        """How many of ours the engine has."""
        return self._pool.taken[0]

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a request under way is not waited for longer than its time-out."""
        self._stopping.set()
        with self._pool.changed:
            self._pool.changed.notify_all()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def note_progress(self) -> None:
        """A block with transactions is durable."""
        self._progress, self._stall_s = self._now(), STALL_FIRST_S

    def give_again(self) -> None:
        """The engine has begun anew with an empty pool: give it everything once more."""
        self._take_back(lambda _since: True)

    def _run(self) -> None:
        pause = _PAUSE_FIRST_S
        while not self._stopping.is_set():
            if self.turn(_TICK_S):
                pause = _PAUSE_FIRST_S
            else:
                self._stopping.wait(pause)
                pause = min(2 * pause, _PAUSE_MAX_S)

    def turn(self, wait_s: float) -> bool:
        """Give what waits, or comes within `wait_s`. False: the engine took nothing of it."""
        batch = self._wait_for_work(wait_s)
        return self._give(batch) if batch else True

    def _wait_for_work(self, wait_s: float) -> list[Waiting]:
        """Something to give, or nothing after a while."""
        self._drop_stale()
        self._resolve_stall()
        with self._pool.changed:
            count, size = self._room()
            if not self._pool.has_work or count <= 0 or size <= 0:
                self._pool.changed.wait(wait_s)
                count, size = self._room()
            if self._stopping.is_set() or count <= 0 or size <= 0:
                return []
        return self._pool.take(min(count, BATCH_MAX), min(size, BATCH_BYTES_MAX))

    def _room(self) -> tuple[int, int]:
        count, size = self._pool.taken
        return OUTSTANDING_MAX - count, OUTSTANDING_BYTES_MAX - size

    def _give(self, batch: list[Waiting]) -> bool:
        """Whether the engine took any. What it did not take waits again."""
        now = self._now()
        with self._lock:
            self._given.update((waiting.id, (waiting, now)) for waiting in batch)
        try:
            answers = self._rpc.give([waiting.data for waiting in batch])
        except (EngineUnreachable, RpcError) as error:
            _log.debug("engine_unreachable", problem=str(error))
            self._return(batch)
            return False
        back = [waiting for waiting, answer in zip(batch, answers, strict=True) if not answer.taken]
        if back:
            self._sort_out(back, answers)
        return len(back) < len(batch)

    def _sort_out(self, back: list[Waiting], answers: list[Broadcast]) -> None:
        """Full, or not yet caught up: later. Too large: never."""
        said = sorted({answer.error for answer in answers if answer.error})
        _log.debug("engine_refuses", count=len(back), said=said[:3])
        never = [
            waiting
            for waiting, answer in zip(back, [a for a in answers if not a.taken], strict=True)
            if "too large" in answer.error.lower()
        ]
        self._return([waiting for waiting in back if waiting not in never])
        for waiting in never:
            self._on_too_large(waiting)

    def _return(self, batch: list[Waiting]) -> None:
        with self._lock:
            for waiting in batch:
                self._given.pop(waiting.id, None)
        self._pool.give_back(batch)

    def _drop_stale(self) -> None:
        """Forget what left the pool; give back what the engine has had for too long.

        Its pool drops without a word what came while it was full.
        """
        oldest = self._now() - self._stale_s
        self._take_back(lambda since: since < oldest)

    def _resolve_stall(self) -> None:
        """Have the engine tell its peers again, by emptying its pool and filling it.

        A peer that is still catching up throws away what it is told of, and is not told again; when
        it is its turn to propose it waits for transactions, and with fewer than four validators
        nobody can go on without it.
        """
        now = self._now()
        with self._lock:
            first = min((since for _waiting, since in self._given.values()), default=now)
        if now - max(first, self._progress) < self._stall_s:
            return
        self._progress, self._stall_s = now, min(2 * self._stall_s, STALL_MAX_S)
        try:
            self._rpc.call("unsafe_flush_mempool")
        except (EngineUnreachable, RpcError) as error:
            _log.debug("engine_unreachable", problem=str(error))
            return
        _log.info("transactions_told_again", count=self.outstanding)
        self.give_again()

    def _take_back(self, is_lost: Callable[[float], bool]) -> None:
        with self._lock:
            self._given = {key: pair for key, pair in self._given.items() if not pair[0].is_gone}
            lost = [waiting for waiting, since in self._given.values() if is_lost(since)]
            for waiting in lost:
                del self._given[waiting.id]
        if lost:
            self._pool.give_back(lost)

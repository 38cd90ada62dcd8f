"""The embedded engine: one thread that turns what waits into durable, provable blocks.

The only place of the node with a clock. Block time is max(last + 1 ms, wall clock).
"""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from hansa.ledger.blocks import Block, BlockResult
from hansa.ledger.execution import ContractFault
from hansa.ledger.rejections import InvariantViolation
from hansa.node.application import LedgerApplication
from hansa.node.blocks import BlockHead
from hansa.node.engine import Listener
from hansa.node.faults import NodeError
from hansa.node.pool import TransactionPool, Waiting
from hansa.node.sealer import Sealer
from hansa.primitives.limits import BLOCK_TRANSACTIONS_MAX

HEARTBEAT_S: Final = 60
# Longest sleep: the wall clock may be set while we wait.
SLEEP_S_MAX: Final = 5.0
# What one block takes of what waits (bytes), about half a second of work; the rest waits for the
# next. Well below the limit of a block.
BLOCK_BYTES: Final = 1_000_000
# Under load blocks begin so far apart: each costs a few milliseconds, however little is in it. Who
# sends one transaction after the other never waits for it.
GATHER_S: Final = 0.025

_log = structlog.get_logger("hansa.node")


def read_clock_ms() -> int:
    """Wall clock, milliseconds, UTC."""
    return time.time_ns() // 1_000_000


class EmbeddedEngine:
    """Groups what waits into blocks, executes, commits, and seals the last with an empty one."""

    def __init__(
        self,
        application: LedgerApplication,
        sealer: Sealer,
        pool: TransactionPool,
        listener: Listener,
        *,
        heartbeat_s: int = HEARTBEAT_S,
        clock: Callable[[], int] = read_clock_ms,
        pace: Callable[[int], None] = lambda _height: None,
    ) -> None:
        """`pace`: called with the last height before the next block; it may wait a moment."""
        self._application = application
        self._sealer = sealer
        self._pool = pool
        self._listener = listener
        self._heartbeat_ms = heartbeat_s * 1000
        self._clock = clock
        self._pace = pace
        self._not_before = 0.0
        self._stopping = False
        self._halted = False
        head = application.storage.head(application.storage.height)
        # Genesis, and a block that changed something, become provable by the next header.
        self._needs_seal = head is None or not head.is_empty
        self._deadline_ms = application.next_deadline_ms()
        self._thread = threading.Thread(target=self._run, name="hansa-engine", daemon=True)

    def start(self) -> None:
        """Make what a crash may have left unsealed provable, then run in a thread of its own."""
        self._sealer.check_power()
        if self._needs_seal:
            self._make_block([])
        self._thread.start()

    def stop(self) -> None:
        """Finish the block in hand, seal it, and end the thread."""
        with self._pool.changed:
            self._stopping = True
            self._pool.changed.notify_all()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def halt(self) -> None:
        """Make no further block and end, without a seal: storage has failed. From any thread."""
        self._halted = True
        with self._pool.changed:
            self._pool.changed.notify_all()

    @property
    def is_behind(self) -> bool:
        """There are no others."""
        return False

    def next_time_ms(self) -> int:
        """Time that a block made now would have."""
        return max(self._application.storage.time_ms + 1, self._clock())

    def network(self) -> None:
        """There is none."""

    def dial(self, peers: Sequence[str]) -> None:
        """There is nobody to call."""

    @property
    def rpc(self) -> None:
        """There is none."""

    def turn(self) -> bool:
        """Make one block if one is due. In place of `start`'s thread, for who has time in hand."""
        is_due = not self._halted and self._compute_sleep_ms() <= 0
        if is_due:
            self._make_block(self._take())
        return is_due

    def _run(self) -> None:
        try:
            while self._wait_for_work():
                self._pace(self._application.storage.height)
                self._gather()
                self._make_block(self._take())
        except (NodeError, InvariantViolation, MemoryError, OSError) as error:
            self._listener.on_stop(error)
        finally:  # also for what nobody foresaw: the thread ends, and nobody waits for ever
            self._listener.on_stop(sys.exc_info()[1])

    def _take(self) -> list[Waiting]:
        if self._stopping:
            return []  # the last block only seals
        return self._pool.take(BLOCK_TRANSACTIONS_MAX, BLOCK_BYTES)

    def _gather(self) -> None:
        """Under load, let some more come."""
        with self._pool.changed:
            while not (self._halted or self._stopping):
                left = self._not_before - time.monotonic()
                if left <= 0:
                    return
                self._pool.changed.wait(left)

    def _wait_for_work(self) -> bool:
        """Sleep until a block is due. False: nothing more is to be made."""
        with self._pool.changed:
            while True:
                if self._halted:
                    return False
                if self._stopping:
                    return self._needs_seal
                sleep_ms = self._compute_sleep_ms()
                if sleep_ms <= 0:
                    return True
                self._pool.changed.wait(min(sleep_ms / 1000, SLEEP_S_MAX))

    def _compute_sleep_ms(self) -> int:
        """How long until a block is due; not above zero: it is."""
        if self._needs_seal or self._pool.has_work:
            return 0
        return self._compute_due_ms() - self.next_time_ms()

    def _compute_due_ms(self) -> int:
        """Block time at which a block is due though nothing waits: heartbeat or deadline."""
        heartbeat = self._application.storage.time_ms + self._heartbeat_ms
        return heartbeat if self._deadline_ms is None else min(heartbeat, self._deadline_ms)

    def _make_block(self, taken: list[Waiting]) -> None:
        """One block from header to durable write."""
        self._sealer.check_power()
        began = time.perf_counter()
        if len(taken) > 1:
            self._not_before = time.monotonic() + GATHER_S
        transactions = tuple(waiting.data for waiting in taken)
        time_ms = self.next_time_ms()
        header = self._sealer.build_header(time_ms, transactions)
        block = Block(
            chain=self._application.chain,
            height=header.height,
            time_ms=time_ms,
            hash=header.hash(),
            transactions=transactions,
            signers=(self._sealer.address,) if header.height > 1 else (),
        )
        result = self._application.execute(block)
        if self._halted:  # what was read may be damaged: nothing of it becomes a block
            return
        executed = time.perf_counter()
        seal = self._sealer.sign(header, transactions)
        head = self._application.commit(block, result, seal, self._sealer.validators)
        self._sealer.advance(head, seal, result.validator_updates)
        self._needs_seal = not head.is_empty
        if not head.is_empty:
            self._deadline_ms = self._application.next_deadline_ms()
        self._listener.on_block(head, [waiting.id for waiting in taken])
        self._listener.on_sealed(head.height)
        _log_block(head, result, executed - began, time.perf_counter() - executed)


def _log_block(head: BlockHead, result: BlockResult, execute_s: float, commit_s: float) -> None:
    """Heights, numbers and codes only: never a body, a name or a key."""
    if head.is_empty:
        _log.debug("block", height=head.height, transactions=0)
        return
    _log.info(
        "block",
        height=head.height,
        transactions=head.transactions,
        deadlines=head.deadlines,
        execute_ms=round(execute_s * 1000, 1),
        commit_ms=round(commit_s * 1000, 1),
    )
    messages = [message for each in result.results for message in each.messages]
    for message in (*messages, *result.deadlines):
        if message.code.endswith(f".{ContractFault.CODE}"):
            _log.error("contract_fault", height=head.height, type=message.type)

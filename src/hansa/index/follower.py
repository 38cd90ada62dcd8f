"""The thread that follows a ledger's committed blocks into SQL. It never holds a network up.

A database that fails is asked again, ever more slowly; what it missed is followed afterwards.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import structlog

from hansa.index.faults import IndexFault
from hansa.index.limits import (
    BATCH_BLOCKS_MAX,
    BATCH_TRANSACTIONS_MAX,
    RETRY_FIRST_S,
    RETRY_MAX_S,
)
from hansa.index.source import BlockSource, CommittedBlock
from hansa.index.store import NOTHING, Index
from hansa.ledger.blocks import Change

_log = structlog.get_logger("hansa.index")
# How long one wait for the next block lasts before the thread looks whether it shall stop.
_TICK_S = 0.5

# Height of a read model that has seen nothing but the genesis.
GENESIS = 0
# A ledger that waits for the read model waits no longer than this (seconds), and not for one that
# is so many blocks behind: that one is being made anew.
HOLD_S = 5.0
NEAR_BLOCKS = 100

GenesisChanges = Callable[[], Sequence[Change]]


class MissingBlocks(IndexFault):
    """The ledger no longer keeps the blocks that the read model has not seen."""

    def __init__(self, *, have: int, first: int) -> None:
        super().__init__(
            "index.missing_blocks",
            f"the read model stands at height {have}, the node keeps blocks from {first} on",
            "restore the read model's database, or point it at a node that keeps all blocks",
        )


def follow_once(index: Index, source: BlockSource, genesis: GenesisChanges) -> bool:
    """Take over one batch of blocks, or what comes before the first. Returns whether there was any.

    A node that keeps all blocks begins with the records of genesis; one that was restored from a
    snapshot, or has pruned, with the records that it has. Raises IndexFault.
    """
    base, last = source.heights()
    if index.height == NOTHING:
        if base > 1:
            _open_at(index, source, base)
        else:
            index.apply((), genesis())
        return True
    if index.height >= last:
        return False
    if index.height + 1 < base:
        if index.height > GENESIS:
            raise MissingBlocks(have=index.height, first=base)
        index.clear()  # a snapshot was restored meanwhile: the genesis is in it
        return True
    index.apply(_collect_batch(source, index.height + 1, last))
    return True


def _open_at(index: Index, source: BlockSource, base: int) -> None:
    state = source.pin(2)
    try:
        index.open_at(base - 1, state, _list_batches(source, base, state.height))
    except LookupError as error:  # pruned meanwhile: the next try begins higher
        raise MissingBlocks(have=0, first=source.heights()[0]) from error
    finally:
        state.close()


def _list_batches(source: BlockSource, first: int, last: int) -> Iterator[list[CommittedBlock]]:
    while first <= last:
        batch = _collect_batch(source, first, last)
        yield batch
        first += len(batch)


def _collect_batch(source: BlockSource, first: int, last: int) -> list[CommittedBlock]:
    batch: list[CommittedBlock] = []
    transactions = 0
    for height in range(first, min(last, first + BATCH_BLOCKS_MAX - 1) + 1):
        block = source.block(height)
        transactions += len(block.transactions)
        if batch and transactions > BATCH_TRANSACTIONS_MAX:
            break
        batch.append(block)
    return batch


def rebuild(index: Index, source: BlockSource, genesis: GenesisChanges) -> None:
    """Drop every row and follow again, from the first records that there are to the last block."""
    index.clear()
    while follow_once(index, source, genesis):
        pass


class Follower:
    """Runs `follow_once` in a thread. `fault` is the present trouble, None while all is well.

    `broken`: what the source raises when it can no longer be read; that ends the thread.
    """

    def __init__(
        self,
        index: Index,
        source: BlockSource,
        genesis: GenesisChanges,
        *,
        broken: tuple[type[Exception], ...] = (),
    ) -> None:
        self.fault: IndexFault | None = None
        self._broken = broken
        self._index = index
        self._source = source
        self._genesis = genesis
        self._stopping = threading.Event()
        self._grown = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hansa-index", daemon=True)

    @property
    def is_running(self) -> bool:
        """Whether the thread lives; `stop`, an unreadable ledger or a bug ends it."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch at hand and end."""
        self._stopping.set()
        self._grown.set()
        if self._thread.ident is not None:
            self._thread.join()

    def wait_near(self, height: int) -> None:
        """Wait a moment until all below `height` is in the read model, if that can be: with it
        `height` is the only block that it lacks while the next one is made.
        """
        if self.fault is None and self.is_running and height - self._index.height <= NEAR_BLOCKS:
            self._index.wait_height(height - 1, HOLD_S)

    def _run(self) -> None:
        end = self._source.subscribe(lambda _height: self._grown.set())
        try:
            self._follow()
        except self._broken as error:
            fault = IndexFault(
                "index.source",
                f"the ledger's blocks cannot be read ({type(error).__name__}): {error}",
                "run: hansa doctor DIR --deep",
            )
            _log.error("index_stopped", **fault.diagnostics())
            self.fault = fault
        finally:
            end()

    def _follow(self) -> None:
        pause = RETRY_FIRST_S
        while not self._stopping.is_set():
            self._grown.clear()
            try:
                if not follow_once(self._index, self._source, self._genesis):
                    self._grown.wait(_TICK_S)
                pause = RETRY_FIRST_S
                self._recover()
            except IndexFault as fault:
                if self.fault is None or self.fault.code != fault.code:
                    _log.warning("index_fault", **fault.diagnostics())
                self.fault = fault
                self._stopping.wait(pause)
                pause = min(2 * pause, RETRY_MAX_S)

    def _recover(self) -> None:
        if self.fault is not None:
            _log.info("index_recovered", height=self._index.height, at=int(time.time()))
            self.fault = None

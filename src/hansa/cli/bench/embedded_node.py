"""The process of a node under load: `python -m hansa.cli.bench.embedded_node JOB`.

Opens a home with its read model in this process, as whoever builds on the ledger would, submits
prepared transactions as long as there is room, and prints what came of it as one JSON document.
"""

import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Literal

import msgspec

from hansa.catalog import build_registry, load_applications
from hansa.cli.bench.figures import Percentiles, compute_percentiles
from hansa.cli.lifeline import follow_parent
from hansa.cli.signals import stoppable
from hansa.index.follower import Follower
from hansa.index.shape import Shape
from hansa.index.store import Index
from hansa.ledger.genesis import compute_genesis_changes
from hansa.ledger.rejections import Rejection
from hansa.node.faults import PoolFull
from hansa.node.garbage import settle_garbage
from hansa.node.ledger_node import LedgerNode
from hansa.node.logs import configure_logs

# Handed in at once, before we look how far the ledger is.
_BATCH: Final = 20
_PAUSE_S: Final = 0.002
# One in so many transactions is timed from its submission to where the loop counts it.
_TIMED: Final = 10
_SAMPLE_S: Final = 0.05
_DRAIN_S: Final = 60.0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What one run does. `window`: on their way at once; `loop`: whether a transaction has arrived
    when its block is durable, or when the read model has it too.
    """

    home: str
    index: str
    sent: str
    warm_up_s: float
    seconds: float
    window: int
    loop: Literal["committed", "indexed"]


class Sent(msgspec.Struct, frozen=True):
    """Prepared transactions: `open` is committed first, then `heavy` in this order."""

    open: bytes
    heavy: tuple[bytes, ...]


class Lag(msgspec.Struct, frozen=True):
    """How far the read model is behind: transactions and seconds, at a moment of the run."""

    at_s: float
    transactions: int
    seconds: float


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What one run did between warm-up and end. `full`: refusals by the pool, `refused`: by code.

    `indexed`: transactions that the read model took over in the same time; `drained_s`: how long it
    took to take over the rest afterwards.
    """

    seconds: float
    committed: int
    indexed: int
    blocks: int
    full: int
    refused: dict[str, int]
    exhausted: bool
    times: Percentiles | None
    cpu_s: float
    memory_mib: float
    lags: tuple[Lag, ...]
    drained_s: float


class _Progress:
    """How many transactions are in blocks, and in the read model."""

    def __init__(self, node: LedgerNode, index: Index) -> None:
        self._node, self._index = node, index
        # Of each height from here on: all transactions so far, and when we saw it.
        self._first = node.height
        self._sums, self._seen = [0], [time.monotonic()]

    @property
    def committed(self) -> int:
        """As of the last `look`."""
        return self._sums[-1]

    @property
    def blocks(self) -> int:
        """As of the last `look`."""
        return len(self._sums) - 1

    def look(self) -> None:
        """See how far the ledger is now."""
        height, now = self._node.height, time.monotonic()
        for each in range(self._first + len(self._sums), height + 1):
            self._sums.append(self._sums[-1] + self._node.head(each).transactions)
            self._seen.append(now)

    def _place(self) -> int:
        return min(max(self._index.height - self._first, 0), len(self._sums) - 1)

    @property
    def indexed(self) -> int:
        """Transactions of the blocks that the read model has."""
        return self._sums[self._place()]

    def find_lag(self, at_s: float) -> Lag:
        """How far the read model is behind what `look` saw."""
        place = self._place()
        missing = self.committed - self._sums[place]
        waited = time.monotonic() - self._seen[place + 1] if missing else 0.0
        return Lag(round(at_s, 3), missing, round(waited, 4))


class _Load:
    """Submits, counts and times."""

    def __init__(self, node: LedgerNode, index: Index, job: Job, heavy: Sequence[bytes]) -> None:
        self._node, self._job, self._heavy = node, job, heavy
        self.progress = _Progress(node, index)
        self.sent = self.full = 0
        self.refused: Counter[str] = Counter()
        self._at: list[float] = []
        self._timed = 0
        self.times: list[float] = []

    @property
    def done(self) -> int:
        """Transactions that have arrived."""
        own = self.progress
        return own.indexed if self._job.loop == "indexed" else own.committed

    def run(self, seconds: float) -> list[Lag]:
        """Keep the window full for so long, or until all is sent."""
        begin, lags = time.monotonic(), list[Lag]()
        while (now := time.monotonic()) < begin + seconds and self.sent < len(self._heavy):
            if now - begin >= len(lags) * _SAMPLE_S:
                self.progress.look()
                lags.append(self.progress.find_lag(now - begin))
            if self.sent - self.done < self._job.window:
                self._submit()
            else:
                time.sleep(_PAUSE_S)
                self.progress.look()
            self._time_done()
        return lags

    def drain(self) -> float:
        """Wait until all that was sent is in blocks and in the read model: seconds."""
        begin = time.monotonic()
        while self.progress.indexed < self.sent and time.monotonic() < begin + _DRAIN_S:
            time.sleep(_PAUSE_S)
            self.progress.look()
        return time.monotonic() - begin

    def _submit(self) -> None:
        for data in self._heavy[self.sent : self.sent + _BATCH]:
            try:
                self._node.submit(data)
            except PoolFull:
                self.full += 1
                time.sleep(_PAUSE_S)
                return
            except Rejection as rejection:
                self.refused[rejection.code] += 1
            self._at.append(time.monotonic())
            self.sent += 1

    def _time_done(self) -> None:
        done, now = self.done, time.monotonic()
        while self._timed < done:
            self.times.append(now - self._at[self._timed])
            self._timed += _TIMED


def run_job(job: Job, stack: ExitStack) -> Ran:
    """Open, warm up, measure, drain, close."""
    log = stack.enter_context(Path(job.home).with_name("node.log").open("w"))
    configure_logs(log)
    registry = build_registry()
    node = stack.enter_context(LedgerNode.open(Path(job.home), registry))
    index = Index.open(job.index, Shape(load_applications()), node.chain)
    stack.callback(index.close)
    follower = Follower(index, node, lambda: compute_genesis_changes(node.genesis, registry))
    follower.start()
    stack.callback(follower.stop)
    sent = msgspec.msgpack.decode(Path(job.sent).read_bytes(), type=Sent)
    node.wait(node.submit(sent.open), _DRAIN_S)
    settle_garbage()
    load = _Load(node, index, job, sent.heavy)
    load.run(job.warm_up_s)
    load.progress.look()
    own, began, cpu_s = load.progress, time.monotonic(), time.process_time()
    before = (own.committed, own.indexed, own.blocks)
    load.times.clear()
    lags = load.run(job.seconds)
    own.look()
    seconds, cpu_s = time.monotonic() - began, time.process_time() - cpu_s
    after = (own.committed, own.indexed, own.blocks)
    committed, indexed, blocks = (b - a for a, b in zip(before, after, strict=True))
    exhausted, times = load.sent >= len(sent.heavy), compute_percentiles(load.times)
    return Ran(
        seconds=seconds,
        committed=committed,
        indexed=indexed,
        blocks=blocks,
        full=load.full,
        refused=dict(load.refused),
        exhausted=exhausted,
        times=times,
        cpu_s=cpu_s,
        lags=tuple(lags),
        drained_s=load.drain(),
        memory_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def main(arguments: list[str]) -> int:
    """Run the job in the file that is named."""
    with stoppable(), ExitStack() as stack:
        follow_parent()
        job = msgspec.json.decode(Path(arguments[0]).read_bytes(), type=Job)
        ran = run_job(job, stack)
    sys.stdout.buffer.write(msgspec.json.encode(ran))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

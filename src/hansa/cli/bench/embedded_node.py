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
from typing import Final, Literal, NamedTuple

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
# A slow machine is measured for longer: a rate over fewer blocks says little.
ARRIVALS_MIN: Final = 4
_STILL_S: Final = 60.0


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


class Mark(NamedTuple):
    """The moment at which a number of transactions had arrived, and the processor time until then:
    rates are from one arrival to another, as blocks are few and large.
    """

    at: float
    done: int
    cpu_s: float


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What one run did after the warm-up. `full`: refusals by the pool, `refused`: by code.

    Rates are of transactions: in durable blocks, and in the read model; `cpu_s`: processor time of
    one. `arrivals`: blocks between which the first was counted. `drained_s`: how long the rest took
    afterwards.
    """

    committed_per_s: float
    indexed_per_s: float
    arrivals: int
    transactions_per_block: float
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
        self.committed: list[Mark] = []
        self.indexed: list[Mark] = []

    def look(self) -> None:
        """See how far both are now."""
        height, now = self._node.height, time.monotonic()
        for each in range(self._first + len(self._sums), height + 1):
            self._sums.append(self._sums[-1] + self._node.head(each).transactions)
            self._seen.append(now)
        _note(self.committed, now, self._sums[-1])
        _note(self.indexed, now, self._sums[self._place()])

    def _place(self) -> int:
        return min(max(self._index.height - self._first, 0), len(self._sums) - 1)

    def find_lag(self, at_s: float) -> Lag:
        """How far the read model is behind what `look` saw."""
        place = self._place()
        missing = self._sums[-1] - self._sums[place]
        waited = time.monotonic() - self._seen[place + 1] if missing else 0.0
        return Lag(round(at_s, 3), missing, round(waited, 4))


def _note(marks: list[Mark], now: float, done: int) -> None:
    """Another mark when there is more than before."""
    if done > (marks[-1].done if marks else 0):
        marks.append(Mark(now, done, time.process_time()))


def count_done(marks: Sequence[Mark]) -> int:
    """As of the last mark."""
    return marks[-1].done if marks else 0


def compute_rate(marks: Sequence[Mark]) -> float:
    """Transactions a second from the first mark to the last; of fewer than two, none."""
    if len(marks) < 2:
        return 0.0
    return (marks[-1].done - marks[0].done) / (marks[-1].at - marks[0].at)


def compute_cpu(marks: Sequence[Mark]) -> float:
    """Processor seconds of one transaction between the same marks."""
    done = count_done(marks) - (marks[0].done if marks else 0)
    return (marks[-1].cpu_s - marks[0].cpu_s) / done if done else 0.0


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
    def arrived(self) -> list[Mark]:
        """What counts as done."""
        own = self.progress
        return own.indexed if self._job.loop == "indexed" else own.committed

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing is left to send."""
        return self.sent >= len(self._heavy)

    def run(self, seconds: float, arrivals: int = 0) -> list[Lag]:
        """Keep the window full for so long and so many arrivals, or until all is sent."""
        begin, first, lags = time.monotonic(), len(self.arrived), list[Lag]()
        while not self.is_exhausted and (now := time.monotonic()) < begin + _STILL_S:
            if now > begin + seconds and len(self.arrived) - first >= arrivals:
                break
            self.progress.look()
            if now - begin >= len(lags) * _SAMPLE_S:
                lags.append(self.progress.find_lag(now - begin))
            if self.sent - count_done(self.arrived) < self._job.window:
                self._submit()
            else:
                time.sleep(_PAUSE_S)
            self._time_done()
        return lags

    def drain(self) -> float:
        """Wait until all that was sent is in blocks and in the read model: seconds."""
        begin = time.monotonic()
        while count_done(self.progress.indexed) < self.sent and time.monotonic() < begin + _DRAIN_S:
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
        done, now = count_done(self.arrived), time.monotonic()
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
    node.pace_by(follower.wait_near)
    follower.start()
    stack.callback(follower.stop)
    sent = msgspec.msgpack.decode(Path(job.sent).read_bytes(), type=Sent)
    node.wait(node.submit(sent.open), _DRAIN_S)
    settle_garbage()
    load = _Load(node, index, job, sent.heavy)
    load.run(job.warm_up_s)
    own = load.progress
    before = (len(own.committed), len(own.indexed))
    load.times.clear()
    lags = load.run(job.seconds, ARRIVALS_MIN)
    committed, indexed = own.committed[before[0] :], own.indexed[before[1] :]
    exhausted, times = load.is_exhausted, compute_percentiles(load.times)
    return Ran(
        committed_per_s=compute_rate(committed),
        indexed_per_s=compute_rate(indexed),
        arrivals=len(load.arrived) - before[1 if job.loop == "indexed" else 0],
        transactions_per_block=count_done(own.committed) / max(1, len(own.committed)),
        full=load.full,
        refused=dict(load.refused),
        exhausted=exhausted,
        times=times,
        cpu_s=compute_cpu(indexed),
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

"""Sends prepared transactions and counts what is committed: the same for every network.

A bounded number is on its way (closed loop), given to all nodes in turn. Talks to the engines' RPC
sockets only.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple, Protocol

from hansa.cli.bench.machine import Usage, measure_busy, measure_usage
from hansa.comet.rpc import Broadcast, ConsensusState, RpcClient

# One request to an engine: as many as the node's own feeder gives, and not more bytes.
BATCH: Final = 40
BATCH_BYTES: Final = 600_000
# On their way at once: about two blocks, and the engines' pools stay far from full.
WINDOW: Final = 2_000
# In a quick run: the tail that is waited for stays short.
QUICK_WINDOW: Final = 300
WINDOW_BYTES: Final = 8_000_000
# How often the chain is looked at.
POLL_S: Final = 0.02
# An engine answers nobody while its application executes a block, and these machines are busy.
TIMEOUT_S: Final = 90.0
FULL_PAUSE_S: Final = 0.02
DRAIN_S: Final = 30.0
# A slow network is measured for longer: a rate over fewer blocks says little.
BLOCKS_MIN: Final = 4
# No block for so long while transactions wait: the network has stopped.
STILL_S: Final = 60.0
_METAS: Final = 20


class Stalled(Exception):
    """The network makes no blocks, or refuses everything; the message says what was seen."""


class Door(Protocol):
    """Where transactions are handed in at one node."""

    def give(self, transactions: Sequence[bytes], /) -> list[Broadcast]:
        """Give a batch; one answer for each."""


class Seen(NamedTuple):
    """A block that was applied: when we saw that (monotonic), how many transactions and bytes."""

    at: float
    height: int
    transactions: int
    size: int


class Mark(NamedTuple):
    """The moment of a block: everything that is compared between two of them."""

    at: float
    done: int
    engines: Usage
    nodes: Usage
    own_cpu_s: float
    busy_s: float


class Run(NamedTuple):
    """What happened between two marks. `refused` counts answers by their reason; `full` how often
    an engine had no room; `lost` was taken and not committed; `late`: blocks that a first proposer
    did not get decided in time.
    """

    first: Mark
    last: Mark
    blocks: tuple[Seen, ...]
    refused: dict[str, int]
    full: int
    exhausted: bool
    sent: int
    lost: int
    late: int

    @property
    def seconds(self) -> float:
        """Length of the measured time."""
        return self.last.at - self.first.at

    @property
    def transactions(self) -> int:
        """Committed in the measured time."""
        return self.last.done - self.first.done


class Chain:
    """A node's view of its chain: blocks that its application has executed and committed."""

    def __init__(self, client: RpcClient) -> None:
        self._client = client
        self.height = self.applied()

    def look(self) -> ConsensusState:
        """How the vote on the next block goes."""
        return self._client.consensus_state()

    def applied(self) -> int:
        """Height of the last block that is applied: consensus is at the next one."""
        return self.look().height - 1

    def follow(self) -> list[Seen]:
        """Blocks since the last call, in order."""
        applied = self.applied()
        at = time.monotonic()
        found: list[Seen] = []
        while self.height < applied:
            last = min(applied, self.height + _METAS)
            asked = {"minHeight": str(self.height + 1), "maxHeight": str(last)}
            metas = self._client.call("blockchain", asked)["block_metas"]
            found += sorted(
                Seen(
                    at, int(each["header"]["height"]), int(each["num_txs"]), int(each["block_size"])
                )
                for each in metas
            )
            self.height = last
        return found

    def count_late(self, blocks: Sequence[Seen]) -> int:
        """How many of these blocks took more than one round."""
        return sum(self._client.signed_header(each.height)[1].round > 0 for each in blocks)


class _Supply:
    """Prepared transactions in batches, held back while too many are on their way."""

    def __init__(self, transactions: Sequence[bytes], window: int) -> None:
        self._batches = deque(split_batches(transactions))
        self._window = window
        self._lock = threading.Lock()
        self._ended = False
        self.sent = 0
        self.done = 0
        self.full = 0
        self.refused: dict[str, int] = {}
        self.failure: Exception | None = None

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left to send."""
        return not self._batches

    def end(self) -> None:
        """Nothing more is sent."""
        self._ended = True

    def take(self) -> list[bytes] | None:
        """The next batch; an empty one when it is to wait; None at the end."""
        with self._lock:
            if self._ended or not self._batches:
                return None
            if self.sent - self.done >= self._window:
                return []
            batch = self._batches.popleft()
            self.sent += len(batch)
            return batch

    def judge(self, batch: Sequence[bytes], answers: Sequence[Broadcast]) -> list[bytes]:
        """Count refusals; gives back what found no room and is to be sent again."""
        again = []
        with self._lock:
            for each, answer in zip(batch, answers, strict=True):
                if answer.taken:
                    continue
                if answer.error:
                    self.full += 1
                    again.append(each)
                else:
                    reason = f"{answer.code} {answer.log}"[:120]
                    self.refused[reason] = self.refused.get(reason, 0) + 1
                    self.sent -= 1
        return again

    def send_all(self, door: Door) -> None:
        """In a thread of its own: one node's share."""
        try:
            while (batch := self.take()) is not None:
                while batch and not self._ended:
                    batch = self.judge(batch, door.give(batch))
                    if batch:
                        time.sleep(FULL_PAUSE_S)
                else:
                    time.sleep(0.002)
        except Exception as error:  # noqa: BLE001  (a thread's edge: told to whoever waits)
            self.failure = error


def split_batches(transactions: Sequence[bytes]) -> Iterator[list[bytes]]:
    """In the order given, at most BATCH and BATCH_BYTES at once."""
    batch: list[bytes] = []
    size = 0
    for each in transactions:
        if batch and (len(batch) >= BATCH or size + len(each) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += len(each)
    if batch:
        yield batch


class Processes(NamedTuple):
    """Process ids whose work is counted."""

    engines: tuple[int, ...]
    nodes: tuple[int, ...]

    def mark(self, at: float, done: int) -> Mark:
        """What they have used until now."""
        engines, nodes = measure_usage(self.engines), measure_usage(self.nodes)
        return Mark(at, done, engines, nodes, time.process_time(), measure_busy())


@contextmanager
def _sending(supply: _Supply, doors: Sequence[Door]) -> Iterator[None]:
    threads = [
        threading.Thread(target=supply.send_all, args=(door,), name="bench-send", daemon=True)
        for door in doors
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        supply.end()
        for thread in threads:
            thread.join(DRAIN_S)


def run_load(
    chain: Chain,
    doors: Sequence[Door],
    transactions: Sequence[bytes],
    processes: Processes,
    *,
    warm_up_s: float,
    seconds: float,
    window: int = WINDOW,
) -> Run:
    """Send for `warm_up_s`, then measure from the next block on, for `seconds` and a few blocks at
    least, or until all is sent. Waits until what is on its way is committed. Raises Stalled.
    """
    by_bytes = max(8, WINDOW_BYTES // max(len(transactions[0]), 1))
    supply = _Supply(transactions, min(window, by_bytes))
    chain.follow()
    begin = time.monotonic()
    first: Mark | None = None
    last: Mark | None = None
    blocks: list[Seen] = []
    end = begin + warm_up_s + seconds
    with _sending(supply, doors):
        while time.monotonic() < (end if len(blocks) >= BLOCKS_MIN else end + STILL_S):
            time.sleep(POLL_S)
            seen = _count(chain, supply)
            if not seen:
                if supply.exhausted and supply.done >= supply.sent:
                    break
                continue
            if first is None and seen[-1].at >= begin + warm_up_s:
                first = processes.mark(seen[-1].at, supply.done)
            elif first is not None:
                last = processes.mark(seen[-1].at, supply.done)
                blocks += seen
    _drain(chain, supply)
    if first is None or last is None:
        raise Stalled(_describe(supply, "no two blocks in the measured time"))
    return Run(
        first,
        last,
        tuple(blocks),
        supply.refused,
        supply.full,
        supply.exhausted,
        supply.sent,
        lost=supply.sent - supply.done,
        late=chain.count_late(blocks),
    )


def _count(chain: Chain, supply: _Supply) -> list[Seen]:
    if supply.failure is not None:
        raise Stalled(f"a node does not answer: {supply.failure}") from supply.failure
    seen = chain.follow()
    supply.done += sum(each.transactions for each in seen)
    return seen


def _drain(chain: Chain, supply: _Supply) -> None:
    end = time.monotonic() + DRAIN_S
    while supply.done < supply.sent and time.monotonic() < end:
        time.sleep(POLL_S)
        _count(chain, supply)


def _describe(supply: _Supply, what: str) -> str:
    refused = "; ".join(f"{count} refused: {text}" for text, count in supply.refused.items())
    return f"{what} (sent {supply.sent}, committed {supply.done}) {refused}".rstrip()

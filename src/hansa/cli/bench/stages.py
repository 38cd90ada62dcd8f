"""`hansa bench stages`: one node's work on a transaction, stage by stage, without an engine.

Plays the engine to a node's ABCI answers: door, proposal and vote one height later, execution,
commit; then the read model. Counts processor time of this thread only, so that a busy machine
disturbs it little. Works in the folder that it is given.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from hansa.catalog import build_registry, load_applications
from hansa.cli.bench.circumstances import Beginning, Circumstances
from hansa.cli.bench.peers import BenchFault
from hansa.cli.bench.reduction import build_profile
from hansa.cli.bench.report import NodeProfile
from hansa.cli.bench.sampler import Sampler
from hansa.cli.bench.signing import measure_check, read_signers
from hansa.cli.bench.subject import make_league
from hansa.cli.bench.workload import Workload, build_plan
from hansa.cli.network import list_nodes
from hansa.comet.abci import types_pb2 as abci
from hansa.index.shape import Shape
from hansa.index.source import CommittedBlock
from hansa.index.store import Index
from hansa.ledger.genesis import compute_genesis_changes
from hansa.node.abci_handler import AbciHandler, HandlerListener
from hansa.node.abci_snapshots import SnapshotDesk
from hansa.node.application import LedgerApplication
from hansa.node.garbage import settle_garbage
from hansa.node.home import open_home
from hansa.node.storage import Storage, make_identity

CHAIN: Final = "bench-stages"
STEP_MS: Final = 200
BYTES_MAX: Final = 4_000_000
# The first block is warm-up: caches fill, SQL statements are compiled.
WARM_UP: Final = 1
# (messages of a transaction, transactions of a block, blocks).
KINDS: Final = ((1, 1_000, 6), (100, 30, 6))
QUICK_KINDS: Final = ((1, 50, 1), (20, 3, 1))
_MICRO: Final = 1e6


class StageFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of transaction: microseconds of processor per transaction in each stage.

    `check_us`: the signature check alone, which is within `check_tx`.
    """

    messages: int
    length: int
    transactions: int
    stages: dict[str, float]
    check_us: float

    @property
    def total_us(self) -> float:
        """All stages."""
        return sum(self.stages.values())


class StagesReport(Circumstances, frozen=True, kw_only=True):
    """The whole document."""

    kind: str = "hansa.bench.stages/1"
    figures: tuple[StageFigures, ...]
    profile: NodeProfile | None


class Clock:
    """Processor time of this thread by stage."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """What runs inside belongs to `name`."""
        begin = time.thread_time()
        yield
        self.spent[name] = self.spent.get(name, 0.0) + time.thread_time() - begin


class LoneNode:
    """The parts of a node that a transaction passes, with us in the engine's place."""

    def __init__(self, home_folder: Path, index_file: Path, stack: ExitStack) -> None:
        home, registry = open_home(home_folder), build_registry()
        identity = make_identity(home.genesis.chain, home.genesis_digest)
        self._storage = Storage(home.data, identity)
        stack.callback(self._storage.close)
        application = LedgerApplication(home.genesis.chain, self._storage, registry)
        self._time_ms = home.genesis.time_ms
        self._handler = AbciHandler(
            application,
            home.genesis,
            home.genesis_digest,
            HandlerListener(on_block=lambda *_: None, on_refused=lambda *_: None),
            SnapshotDesk(home, application, lambda _storage: None),
            clock=lambda: self._time_ms,
        )
        shape = Shape(load_applications())
        self._index = Index.open(f"sqlite:///{index_file}", shape, home.genesis.chain)
        stack.callback(self._index.close)
        self._index.apply((), compute_genesis_changes(home.genesis, registry))
        settle_garbage()

    def check(self, clock: Clock, transactions: Sequence[bytes]) -> None:
        """The engine's door: each alone, as it comes."""
        requests = [abci.RequestCheckTx(tx=each) for each in transactions]
        with clock.stage("check_tx"):
            codes = {self._handler.check_tx(request).code for request in requests}
        if codes != {0}:
            raise BenchFault("the node refused a prepared transaction", "tell us, with this output")

    def decide(self, clock: Clock, transactions: Sequence[bytes]) -> None:
        """One block from proposal to read model."""
        height = self._storage.height + 1
        self._time_ms += STEP_MS
        hash_ = height.to_bytes(32, "big")
        offered = abci.RequestPrepareProposal(
            height=height, txs=transactions, max_tx_bytes=BYTES_MAX
        )
        proposal = abci.RequestProcessProposal(height=height, hash=hash_, txs=transactions)
        block = abci.RequestFinalizeBlock(height=height, hash=hash_, txs=transactions)
        for request in (offered, proposal, block):
            request.time.FromMilliseconds(self._time_ms)
        # The proposer asks before it votes; the others' first question is the vote.
        with clock.stage("process_proposal"):
            answer = self._handler.process_proposal(proposal)
        with clock.stage("prepare_proposal"):
            chosen = self._handler.prepare_proposal(offered)
        with clock.stage("finalize_block"):
            results = self._handler.finalize_block(block).tx_results
        with clock.stage("commit"):
            self._handler.commit(abci.RequestCommit())
        with clock.stage("index"):
            self._index.apply([self._read(height)])
        accepted = answer.status == abci.ResponseProcessProposal.ACCEPT
        if not accepted or len(chosen.txs) != len(transactions) or any(r.code for r in results):
            raise BenchFault("the node refused a prepared block", "tell us, with this output")

    def _read(self, height: int) -> CommittedBlock:
        found = self._storage.block(height)
        if found is None:
            raise BenchFault(f"block {height} is not there", "tell us, with this output")
        return found


def conduct_stages(
    folder: Path, command: str, kinds: Sequence[tuple[int, int, int]], *, profiled: bool
) -> StagesReport:
    """Measure. `kinds`: (messages of a transaction, transactions of a block, blocks)."""
    beginning = Beginning()
    (folder / "user").mkdir()
    members, league = folder / "members.json", folder / "league"
    members.write_bytes(msgspec.json.encode(build_plan()))
    make_league(league, members, 1, CHAIN)
    signers = read_signers(league)
    keys = {each.kid: each.private.public for each in signers}
    workload = Workload(CHAIN, signers[0], signers[1:])
    opening = workload.open()
    prepared = [
        (messages, [workload.issue(count, messages) for _ in range(WARM_UP + blocks)])
        for messages, count, blocks in kinds
    ]
    checks = [measure_check(sent[0], keys) for _messages, sent in prepared]
    sampler = Sampler(interval_s=0.002)
    with ExitStack() as stack:
        node = LoneNode(list_nodes(league)[0].folder, folder / "index.sqlite", stack)
        node.check(Clock(), [opening])
        node.decide(Clock(), [opening])
        if profiled:
            sampler.start()
        figures = tuple(
            measure_blocks(node, messages, sent, check_s)
            for (messages, sent), check_s in zip(prepared, checks, strict=True)
        )
        profile = build_profile([sampler.stop()]) if profiled else None
    return StagesReport(
        **beginning.end(folder, command),
        figures=figures,
        profile=profile,
    )


def measure_blocks(
    node: LoneNode, messages: int, sent: Sequence[Sequence[bytes]], check_s: float
) -> StageFigures:
    """Every block is at the door one height before it is voted on, as under load."""
    clock = Clock()
    node.check(Clock(), sent[0])
    for number, (block, following) in enumerate(zip(sent, [*sent[1:], []], strict=True)):
        counted = clock if number >= WARM_UP else Clock()
        if following:
            node.check(clock, following)
        node.decide(counted, block)
    transactions = sum(len(block) for block in sent[WARM_UP:])
    return StageFigures(
        messages=messages,
        length=len(sent[0][0]),
        transactions=transactions,
        stages={name: spent / transactions * _MICRO for name, spent in clock.spent.items()},
        check_us=check_s * _MICRO,
    )

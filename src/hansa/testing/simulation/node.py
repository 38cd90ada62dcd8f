"""One simulated node: a real home, the real `LedgerNode` and read model, and the engine beside it.

It lives and dies as the plan says. Touches its home folder; every call into it goes through `act`,
where a crash ends it and a fault of its own stops it.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, NoReturn, TypeVar

from hansa.index.faults import IndexFault
from hansa.index.follower import follow_once
from hansa.index.store import Index
from hansa.ledger.blocks import Change
from hansa.ledger.genesis import compute_genesis_changes
from hansa.ledger.rejections import InvariantViolation, Rejection
from hansa.node.application import LedgerApplication
from hansa.node.engine import Listener
from hansa.node.faults import NodeError, OldReleaseError
from hansa.node.home import Home
from hansa.node.key_value import OpenStore
from hansa.node.ledger_node import LedgerNode, TransactionStatus
from hansa.node.pool import TransactionPool
from hansa.testing.chain import make_key
from hansa.testing.simulation import checkers
from hansa.testing.simulation.consensus import DecidedBlock, EngineBooks
from hansa.testing.simulation.engine import Halted, SimulatedEngine
from hansa.testing.simulation.joining import Joining
from hansa.testing.simulation.network import Stage
from hansa.testing.simulation.plan import Fault
from hansa.testing.simulation.read_model import CutSource, open_index
from hansa.testing.simulation.releases import Release
from hansa.testing.simulation.store import Crash, SimulatedDisk, Variant

T = TypeVar("T")
# Simulated ms from a stored block to its FinalizeBlock, and from there to its Commit.
_FINALIZE_MS, _COMMIT_MS = 1, 2
JOB_MS_MAX: Final = 600


class EventJob:
    """A job beside the blocks: it is done at a later event, or when somebody waits for it."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work: Callable[[], None] | None = work

    def is_alive(self) -> bool:
        """Whether it is still to be done."""
        return self._work is not None

    def join(self) -> None:
        """Have it done."""
        work, self._work = self._work, None
        if work is not None:
            work()


class SimulatedNode:
    """Node `number` of a run, down until `start`. `life` counts its starts."""

    def __init__(
        self,
        number: int,
        stage: Stage,
        release: Release,
        create_home: Callable[[int, SimulatedDisk], Home],
    ) -> None:
        """`create_home` makes a new home of the node with this number, on its disk."""
        self.number, self.name, self.stage = number, str(number), stage
        self.release, self.disk = release, SimulatedDisk(str(number))
        self._create_home = create_home
        self.home = create_home(number, self.disk)
        # By which its votes are known.
        self.public_key = make_key(f"validator {number}").public.raw
        self.books = EngineBooks()
        self.ledger: LedgerNode | None = None
        self.engine: SimulatedEngine | None = None
        self.index: Index | None = None
        self.committed, self.life = 0, 0
        self.is_honest = number not in stage.plan.rotten
        self.may_run = True
        # The fault of the plan that may stop it now, "" when none may.
        self.allowed = ""
        # Crash between the next FinalizeBlock and its Commit.
        self.dies_finalized = False
        # What is lost when a crash comes from within.
        self.variant: Variant = "kept"
        # How long it stays down after a crash.
        self.down_ms = 300
        # Crash when the read model next reads a block.
        self.dies_following = False
        # It has no block, and begins from a snapshot of others.
        self.is_joining = False
        # How it lies to those that join.
        self.lie: Fault | None = None
        self.peers: list[SimulatedNode] = []
        self.disk.on_visible = lambda: stage.tell(checkers.Visible(self.name))
        self.disk.pass_ms = stage.clock.pass_ms

    @property
    def open_store(self) -> OpenStore:
        """How this node's stores are opened: on the simulated disk."""
        return self.disk.open_store

    def compute_digest(self, application: str) -> str:
        """Digest of a contract's code in its release."""
        return self.release.compute_digest(application, self.books.height + 1)

    @property
    def is_ready(self) -> bool:
        """Whether it takes part in the vote on the next height."""
        engine, height = self.engine, self.stage.consensus.height
        return (
            engine is not None
            and engine.is_alive
            and not self.is_joining
            and self.books.height == self.books.stored == height
        )

    # --- life ---

    def start(self) -> None:
        """Open the home as an operator does: what a stop left behind is recovered."""
        if self.ledger is not None:
            return
        self.life += 1
        try:
            self.ledger = LedgerNode.open(
                self.home.folder,
                self.release.registry,
                clock=lambda: self.stage.clock.wall_ms(self.number),
                build_engine=self._build_engine,
                open_store=self.open_store,
                now=self.stage.clock.steady_s,
            )
        except Crash:
            self.disk.stop(self.variant)
            self._fall()
            return
        except (NodeError, InvariantViolation) as error:
            self._end(error)
            return
        self.index = open_index(self.home.folder, self.home.genesis.chain)
        if self.is_joining:  # also again, when the engine ended before it knew of the state
            Joining(self).step()

    def _build_engine(
        self, home: Home, application: LedgerApplication, pool: TransactionPool, listener: Listener
    ) -> SimulatedEngine:
        self.engine = SimulatedEngine(self, self.stage, home, application, pool, listener)
        return self.engine

    def spawn(self, work: Callable[[], None]) -> EventJob:
        """A job beside the blocks: it is done some blocks later, in this life."""
        job, life, stage = EventJob(work), self.life, self.stage
        delay_ms = stage.chance("job", self.name, stage.clock.steady_ms) % JOB_MS_MAX
        stage.events.after(delay_ms, lambda: self.act(job.join) if self.life == life else None)
        return job

    def stop(self) -> None:
        """An orderly stop, by its operator."""
        ledger = self.ledger
        if ledger is not None:
            self.act(ledger.close)
            self._leave()

    def wipe(self) -> None:
        """A new home of the same node, without a block: it is to join."""
        shutil.rmtree(self.home.folder)
        self.home = self._create_home(self.number, self.disk)
        self.books, self.committed, self.is_joining = EngineBooks(), 0, True

    def disarm(self) -> None:
        """No crash waits for its moment any more."""
        self.dies_finalized = self.dies_following = False
        self.disk.at_point = lambda _point: None

    def restart_engine(self) -> bool:
        """The engine ends, alone, and is started again beside the running node."""
        engine = self.engine
        if engine is None or not engine.is_alive or self.is_joining:
            return False
        self.act(engine.begin_again)
        return True

    def crash(self) -> None:
        """The end without a word: what was not durable is lost, as `variant` says."""
        self.disk.stop(self.variant)
        if self.ledger is not None:
            self.ledger._lock.release()
            self._fall()

    def _fall(self) -> None:
        self._leave()
        self.stage.note("crash", self.name)
        self.stage.tell(checkers.Crashed(self.name))
        if self.may_run:
            self.stage.events.after(self.down_ms, self.start)

    def _end(self, failure: BaseException) -> None:
        """It has stopped by itself."""
        self._leave()
        self.stage.note("stop", self.name, type(failure).__name__)
        allowed = self.allowed
        if isinstance(failure, OldReleaseError):
            allowed = self.release.allows
            self.stage.tally[allowed or "old_release"] += 1
        self.stage.tell(checkers.Stopped(self.name, failure, allowed))

    def _leave(self) -> None:
        if self.engine is not None:
            self.engine.is_alive = False
        if self.index is not None:
            self.index.close()
        self.ledger = self.engine = self.index = None

    def act(self, call: Callable[[], None]) -> None:
        """One call into this node, while it runs."""
        ledger = self.ledger
        if ledger is None:
            return
        try:
            with suppress(Halted, NodeError):  # a fault of its own stops it: see below
                call()
            if ledger.failure is not None:
                ledger.close()
        except Crash:
            self.crash()
            return
        except Exception as error:
            if self.is_honest:
                raise
            ledger.close()  # what rotted cannot even be read
            self._end(error)
            return
        if ledger.failure is not None and self.ledger is ledger:
            self._end(ledger.failure)

    def discard(self) -> None:
        """The run is over: nothing is left open."""
        if self.ledger is not None:
            self.ledger.close()
        self._leave()

    def ask(self, question: Callable[[LedgerNode], T]) -> T | None:
        """What the open node answers; None when it is down, or goes down over it."""
        ledger, answers = self.ledger, list[T]()
        if ledger is not None:
            self.act(lambda: answers.append(question(ledger)))
        return answers[0] if answers else None

    def ask_status(self, identity: str) -> TransactionStatus | None:
        """Where a transaction stands, as this node knows; None when it is down."""
        return self.ask(lambda ledger: ledger.status(identity))

    # --- its own turns, in place of threads ---

    def turn(self) -> None:
        """What the feeder and the sealing do now and then."""
        engine = self.engine
        if engine is not None and engine.is_alive:
            self.act(lambda: void(engine.parts.feeder.turn(0.0)))
            self.act(engine.seal_all)

    def follow(self) -> None:
        """The read model takes over what it can."""
        index, ledger = self.index, self.ledger
        if index is not None and ledger is not None:
            before = index.height
            faults: list[str] = []
            source = CutSource(ledger, self._die_reading) if self.dies_following else ledger

            def follow() -> None:
                try:
                    follow_once(index, source, self._compute_genesis)
                except IndexFault as fault:
                    faults.append(fault.code)

            self.act(follow)
            if index.height != before or faults:
                self.stage.note("follow", self.name, index.height, *faults)
                self.stage.tell(checkers.Followed(self.name, "".join(faults)))
            if faults == ["index.missing_blocks"]:
                index.clear()  # as its operator does

    def _die_reading(self) -> NoReturn:
        self.dies_following = False
        self.stage.tally["crash_following"] += 1
        self.disk.die()
        raise Crash

    def _compute_genesis(self) -> tuple[Change, ...]:
        return compute_genesis_changes(self.home.genesis, self.release.registry)

    def prune(self) -> None:
        """Old blocks are forgotten."""
        engine = self.engine
        if engine is not None and engine.is_alive:
            self.act(engine.parts.desk.prune)

    # --- what comes from outside ---

    def submit(self, data: bytes) -> tuple[str, str]:
        """At this node's door: id (hex) and "", or "" and the refusal's code."""

        def knock(ledger: LedgerNode) -> tuple[str, str]:
            try:
                return ledger.submit(data), ""
            except Rejection as rejection:
                return "", rejection.code
            except NodeError as error:
                return "", type(error).__name__

        return self.ask(knock) or ("", "Crash")

    def gossip(self, data: bytes) -> None:
        """What its engine took, told to the other engines."""
        for peer in self.peers:
            hear = partial(peer.hear, data)
            self.stage.links.deliver(self.number, peer.number, data.hex()[-32:], hear)

    def hear(self, data: bytes) -> None:
        """A transaction from another engine."""
        engine = self.engine
        if engine is not None and engine.is_alive:
            self.act(lambda: engine.receive(data))

    def receive(self, block: DecidedBlock) -> None:
        """A decided block: stored by the engine, then executed, then committed, in three acts."""
        engine = self.engine
        if engine is None or not engine.is_alive or self.is_joining:
            return
        session = engine.session
        if block.height != self.books.stored + 1 or self.books.height != self.books.stored:
            return
        self.act(lambda: engine.store(block))
        if self.books.stored == block.height:
            self.stage.events.after(_FINALIZE_MS, lambda: self._finalize(block, engine, session))

    def _finalize(self, block: DecidedBlock, engine: SimulatedEngine, session: int) -> None:
        if engine is not self.engine or engine.session != session:
            return
        self.act(lambda: engine.finalize(block))
        if self.dies_finalized and self.ledger is not None:
            self.dies_finalized = False
            self.stage.tally["crash_finalized"] += 1
            self.crash()
            return
        self.stage.events.after(_COMMIT_MS, lambda: self._commit(block, engine, session))

    def _commit(self, block: DecidedBlock, engine: SimulatedEngine, session: int) -> None:
        if engine is self.engine and engine.session == session and engine.is_alive:
            self.act(lambda: engine.commit(block))

    def catch_up(self) -> None:
        """Ask who has the next block, when others are further."""
        wanted, engine = self.books.stored + 1, self.engine
        if engine is None or self.is_joining or self.books.height != self.books.stored:
            return
        if wanted > self.stage.consensus.height:
            return
        links = self.stage.links
        for peer in self.peers:
            books = peer.books
            linked = links.reaches(peer.number, self.number) and links.reaches(
                self.number, peer.number
            )
            if peer.engine is not None and linked and books.base <= wanted <= books.stored:
                self.receive(self.stage.consensus.decided(wanted))
                return


def void(_answer: object) -> None:
    """For acts whose answer nobody needs."""

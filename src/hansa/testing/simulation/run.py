"""`SimulatedNetwork`: one run of a plan from the first home to the last look of every checker.

One thread, simulated time, no sleep. First the storm, in which the plan's faults come; then calm,
in which all must be well again. Touches a folder of its own in memory, and removes it.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from hansa.appkit.application import Application
from hansa.ledger.contracts import Registry
from hansa.ledger.genesis import Genesis
from hansa.node import folder as node_folder
from hansa.node.home import Home, create_home
from hansa.node.settings import EngineSettings, Settings
from hansa.testing.chain import make_key
from hansa.testing.simulation import checkers
from hansa.testing.simulation.checkers import Checker, Found, Moment
from hansa.testing.simulation.checkers_all import build_checkers
from hansa.testing.simulation.clock import Events, SimulatedClock
from hansa.testing.simulation.consensus import DecidedBlock, SimulatedConsensus
from hansa.testing.simulation.faults import Faults
from hansa.testing.simulation.network import Links, Stage, Trace
from hansa.testing.simulation.node import SimulatedNode
from hansa.testing.simulation.plan import (
    BLOCK_MS,
    CALM_MS,
    CHAIN,
    START_MS,
    Act,
    Plan,
    draw_changes,
    draw_faults,
    draw_release,
    spare_newcomers,
)
from hansa.testing.simulation.releases import build_releases
from hansa.testing.simulation.rounds import Rounds
from hansa.testing.simulation.store import SimulatedDisk
from hansa.testing.simulation.workload import COPIES, Workload, draw_acts
from hansa.testing.simulation.workload_league import AUTHORED

# Where homes are: in memory where there is such a place.
_SHM: Final = Path("/dev/shm")  # noqa: S108
FEED_MS, FOLLOW_MS, CATCH_UP_MS, PRUNE_MS = 50, 100, 60, 1_000
RESEND_MS: Final = 1_500
# After the last round: what is on its way arrives, seals come, read models follow.
SETTLE_MS: Final = 2_000
ACTS_PER_BLOCK: Final = 4
SNAPSHOT_INTERVAL: Final = 8


# An author's acts, from the seed, over so many blocks, at the doors of so many nodes.
DrawActs = Callable[[int, int, int], Sequence[Act]]


class Outcome(msgspec.Struct, frozen=True):
    """What came of a run. `faults`: how many of each kind happened; `codes`: what messages and
    doors answered; `digest`: of all that happened, the same for the same seed and commit.
    """

    seed: int
    profile: str
    blocks: int
    transactions: int
    faults: dict[str, int]
    codes: dict[str, int]
    digest: str
    found: Found | None = None


class Sent(msgspec.Struct):
    """A transaction on its way: its act, its bytes and id, the door that took it last."""

    act: Act
    data: bytes
    id: str
    node: int
    is_final: bool = False


def draw_plan(
    seed: int, profile: str = "mixed", *, nodes: int = 0, validators: int = 4, blocks: int = 60
) -> Plan:
    """All that happens under this seed. `nodes`: by default the validators and one observer."""
    nodes = nodes or validators + (profile != "calm")
    release = draw_release(seed, profile, nodes, blocks)
    acts = draw_acts(seed, blocks * ACTS_PER_BLOCK, blocks, nodes)
    changes = draw_changes(seed, profile, nodes, validators, blocks, release)
    workload = tuple(sorted((*acts, *changes), key=lambda each: each.at_ms))
    faults = draw_faults(seed, profile, nodes, validators, blocks)
    return Plan(
        seed=seed,
        profile=profile,
        nodes=nodes,
        validators=validators,
        blocks=blocks,
        workload=workload,
        faults=tuple(spare_newcomers(faults, workload, validators)),
        release=release,
    )


class SimulatedNetwork:
    """A league under a plan; `checkers` look at each moment: by default all that there are."""

    def __init__(
        self,
        *,
        seed: int = 0,
        plan: Plan | None = None,
        profile: str = "mixed",
        checkers: Iterable[Checker] | None = None,
        applications: Sequence[Application] = (),
        workload: DrawActs | None = None,
    ) -> None:
        """`applications`: an author's, beside the catalog's; `workload` draws acts for them, whose
        kinds are functions that the author registers with `workload_acts.register`.
        """
        AUTHORED[:] = applications
        self.plan = plan or draw_plan(seed, profile)
        if workload is not None:
            own = workload(self.plan.seed, self.plan.blocks, self.plan.nodes)
            self.plan = replace(self.plan, workload=(*self.plan.workload, *own))
        found = build_checkers(elsewhere=not applications) if checkers is None else checkers
        self.checkers = tuple(found)
        self.workload = Workload(CHAIN, START_MS, self.plan.validators, self.plan.nodes)
        clock = SimulatedClock(START_MS)
        events = Events(clock)
        numbers = range(1, self.plan.nodes + 1)
        self.consensus = SimulatedConsensus(
            self.workload.genesis,
            [make_key(f"validator {number}") for number in numbers],
            self.plan.seed,
        )
        self.stage = Stage(
            plan=self.plan,
            clock=clock,
            events=events,
            links=Links(self.plan.seed, clock, events),
            consensus=self.consensus,
            trace=Trace(),
            tally=Counter(),
            tell=self.tell,
        )
        self.releases = build_releases(self.plan)
        self.nodes: list[SimulatedNode] = []
        self.rounds = Rounds(self.stage, self.nodes)
        self.faults = Faults(self.stage, self.nodes, self.rounds)
        self.sent: dict[str, Sent] = {}
        self.codes: Counter[str] = Counter()
        self.is_calm = False
        # Acts whose time has not come, or that found no door open yet.
        self.undone = len(self.plan.workload)

    # --- what checkers look at ---

    @property
    def seed(self) -> int:
        """Of the run."""
        return self.plan.seed

    @property
    def genesis(self) -> Genesis:
        """Of the league."""
        return self.workload.genesis

    @property
    def registry(self) -> Registry:
        """The contracts of the newest release."""
        return self.releases[-1].registry

    @property
    def height(self) -> int:
        """The last decided height."""
        return self.consensus.height

    @property
    def time_ms(self) -> int:
        """Steady simulated time."""
        return self.stage.clock.steady_ms

    def decided(self, height: int) -> DecidedBlock:
        """A decided block, from 1."""
        return self.consensus.decided(height)

    def tell(self, moment: Moment) -> None:
        """Something has happened: the checkers look. Raises Found."""
        for checker in self.checkers:
            try:
                checker.see(self, moment)
            except Found:
                raise
            except Exception as error:  # not the node's fault, in whose call it may come
                raise Found(checker.name, f"{type(error).__name__}: {error}") from error

    # --- the run ---

    def run(self) -> Outcome:
        """From the first home to the end. What is found is in the outcome."""
        found, before = None, node_folder.on_sync
        place = _SHM if _SHM.is_dir() else None
        with tempfile.TemporaryDirectory(prefix="hansa-simulation-", dir=place) as folder:
            try:
                self._found_league(Path(folder))
                node_folder.on_sync = self.faults.reach_sync
                self._go_on_safely()
            except Found as error:
                found = Found(error.checker, error.text.replace(folder, ""))
                found.__cause__ = error.__cause__
            finally:
                node_folder.on_sync = before
                for node in self.nodes:
                    node.discard()
        return Outcome(
            seed=self.seed,
            profile=self.plan.profile,
            blocks=self.height,
            transactions=len(self.sent),
            faults=dict(sorted(self.stage.tally.items())),
            codes=dict(sorted(self.codes.items())),
            digest=self.stage.trace.digest,
            found=found,
        )

    def _found_league(self, folder: Path) -> None:
        """Homes of all nodes, opened; the first events."""
        for number in range(1, self.plan.nodes + 1):
            create = partial(self._create_home, folder)
            is_old = any(number in each.old for each in self.plan.release)
            release = self.releases[0 if is_old else -1]
            self.nodes.append(SimulatedNode(number, self.stage, release, create))
        for node in self.nodes:
            node.peers = [each for each in self.nodes if each is not node]
            node.start()
        events = self.stage.events
        for node in self.nodes:
            for every_ms, turn in (
                (FEED_MS, node.turn),
                (FOLLOW_MS, node.follow),
                (CATCH_UP_MS, node.catch_up),
                (PRUNE_MS, node.prune),
            ):
                self._repeat(every_ms, turn, node.number)
        for upgrade in self.plan.release:
            events.at(upgrade.replaced_ms, partial(self.faults.replace, upgrade, self.releases[-1]))
        for fault in self.plan.faults:
            events.at(fault.at_ms, partial(self.faults.begin, fault))
        for act in self.plan.workload:
            events.at(act.at_ms, partial(self._do, act))
        self._repeat(RESEND_MS, self._resend, 0)
        events.at(0, self.rounds.begin)

    def _create_home(self, folder: Path, number: int, disk: SimulatedDisk) -> Home:
        """A new home of the node with this number."""
        engine = EngineSettings(
            kind="comet", snapshot_interval=SNAPSHOT_INTERVAL, keep_blocks=100 * (number % 2)
        )
        return create_home(
            folder / str(number),
            self.genesis,
            make_key(f"validator {number}"),
            self.registry,
            Settings(engine=engine),
            node=make_key(f"node {number}"),
            open_store=disk.open_store,
        )

    def _repeat(self, every_ms: int, turn: Callable[[], None], first_ms: int) -> None:
        """A turn now and then, in the place of a thread."""

        def again() -> None:
            turn()
            self.stage.events.after(every_ms, again)

        self.stage.events.at(first_ms, again)

    def _go_on_safely(self) -> None:
        """Whatever a node raises that nobody foresaw is a find. Raises Found."""
        try:
            self._go_on()
        except Found:
            raise
        except Exception as error:
            raise Found("run", f"{type(error).__name__}: {error}") from error

    def _go_on(self) -> None:
        """The storm, the calm, the end."""
        self._run_until(self.plan.storm_ms)
        self.is_calm = True
        self.faults.end_all()
        self.tell(checkers.Calm())
        deadline = self.time_ms + CALM_MS
        while self.time_ms < deadline and not self.is_well:
            self._run_until(self.time_ms + BLOCK_MS)
        self.rounds.stop()
        self._run_until(self.time_ms + SETTLE_MS)
        self.stage.note("end", "", self.height)
        self.tell(checkers.End())

    def _run_until(self, time_ms: int) -> None:
        while self.time_ms < time_ms and self.step():
            pass

    def step(self) -> bool:
        """Let the next thing happen. False: nothing will."""
        return self.stage.events.step()

    @property
    def is_well(self) -> bool:
        """Whether all that may run does, near the last height, and nothing sent is open."""
        runs = all(
            node.ledger is not None and node.books.height >= self.height - 1
            for node in self.nodes
            if node.may_run
        )
        return runs and not self.undone and all(sent.is_final for sent in self.sent.values())

    # --- people ---

    def _do(self, act: Act) -> None:
        """Somebody sends a transaction; to another node when that one is down."""
        node = self._find_door(act.node)
        if node is None or node.ledger is None:
            self.stage.events.after(RESEND_MS, partial(self._do, act))
            return
        self.undone -= 1
        storage = node.ledger.application.storage
        data = self.workload.sign(act, storage.height, storage.time_ms)
        if act.kind == "spend":
            self.rounds.whims.spent.append(data)
        if act.kind in COPIES and act.number % 2:  # past the door, as a peer's engine would
            node.hear(data)
        else:
            self._send(node, act, data)

    def _send(self, node: SimulatedNode, act: Act, data: bytes) -> None:
        identity, code = node.submit(data)
        self.codes[code or "taken"] += 1
        self.stage.note("submit", node.name, act.number, code)
        if identity:
            self.sent.setdefault(
                identity, Sent(act, data, identity, node.number)
            ).node = node.number
        self.tell(checkers.Answered(node.name, act.number, data, code, identity))

    def _find_door(self, wanted: int) -> SimulatedNode | None:
        """The node of this number, or the next one that runs."""
        order = [*self.nodes[wanted - 1 :], *self.nodes[: wanted - 1]]
        return next((node for node in order if node.ledger is not None), None)

    def _resend(self) -> None:
        """Who waits asks how it stands, and sends the same bytes again where nobody knows them."""
        for sent in list(self.sent.values()):
            if sent.is_final:
                continue
            node = self._find_door(sent.node)
            status = node.ask_status(sent.id) if node is not None else None
            if node is None or status is None:
                return
            if status.state == "unknown":
                self._send_again(node, sent)
            elif status.state != "pending":
                sent.is_final = True
                if status.result is not None:
                    self.codes.update(each.code for each in status.result.messages)

    def _send_again(self, node: SimulatedNode, sent: Sent) -> None:
        identity, code = node.submit(sent.data)
        self.stage.note("again", node.name, sent.act.number, code)
        self.tell(checkers.Answered(node.name, sent.act.number, sent.data, code, identity))
        if identity:
            sent.node = node.number
        elif "." in code:  # a rejection: its asker has been told
            sent.is_final = True

"""What each kind of fault does to a run, and how it ends. Each is counted when it has happened.

A node that a fault has ended is started again by its operator, `for_ms` later.
"""

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, get_args

from hansa.node.home import DATA
from hansa.testing.simulation.network import Stage
from hansa.testing.simulation.node import SimulatedNode
from hansa.testing.simulation.plan import Fault, Upgrade
from hansa.testing.simulation.read_model import INDEX
from hansa.testing.simulation.releases import Release
from hansa.testing.simulation.rounds import Rounds, accuse
from hansa.testing.simulation.store import POINTS, Crash, Variant

_VARIANTS: Final[dict[str, Variant]] = {each: each for each in get_args(Variant)}
_BACKUP: Final = ".backup"
# Point of a crash: the names in a folder have just become durable.
SYNCED: Final = "sync"


class Faults:
    """Brings the faults of a plan upon its nodes."""

    def __init__(self, stage: Stage, nodes: Sequence[SimulatedNode], rounds: Rounds) -> None:
        self._stage, self._nodes, self._rounds = stage, nodes, rounds
        self._kinds: dict[str, Callable[[Fault, SimulatedNode], bool]] = {
            "crash": self._crash,
            "crash_at_commit": self._crash_at_point,
            "crash_at_sync": self._crash_at_point,
            "crash_finalized": self._crash_finalized,
            "crash_following": self._crash_following,
            "restart": self._restart,
            "rot_seen": self._rot,
            "rot_unseen": self._rot,
            "disk_full": self._fill_disk,
            "disk_breaks": self._break_disk,
            "disk_slow": self._slow_disk,
            "clock_jump": self._jump,
            "clock_years": self._jump,
            "clock_drift": self._drift,
            "cut": self._cut,
            "cut_one_way": self._cut,
            "loss": self._spoil_links,
            "twice": self._spoil_links,
            "late": self._spoil_links,
            "pool_emptied": self._restart_engine,
            "pool_full": self._fill_pool,
            "rpc_away": self._part_rpc,
            "rounds": self._fail_rounds,
            "foreign_proposal": self._propose,
            "bad_proposal": self._propose,
            "nil_votes": self._withhold,
            "absent_votes": self._withhold,
            "evidence": self._accuse,
            "join": self._join,
            "lying_chunks": self._lie,
            "index_older": self._age_index,
            "index_newer": self._back_up,
            "backup": self._back_up,
        }

    def begin(self, fault: Fault) -> None:
        """The fault comes."""
        node = self._nodes[(fault.node or 1) - 1]
        self._stage.note("fault", fault.node, fault.kind, fault.value, fault.text)
        if self._kinds[fault.kind](fault, node):
            self.count(fault.kind)

    def count(self, kind: str) -> None:
        """It has happened."""
        self._stage.tally[kind] += 1

    def reach_sync(self, folder: Path) -> None:
        """The names in a folder are durable: for `hansa.node.folder.on_sync`. Raises Crash."""
        for node in self._nodes:
            if node.home.folder in (folder, *folder.parents):
                node.disk.reach(SYNCED)

    def replace(self, upgrade: Upgrade, newest: Release) -> None:
        """The operators of the nodes that stopped at an upgrade install the new release."""
        for node in self._nodes:
            if node.number in upgrade.old:
                node.stop()
                node.release = newest
                node.start()

    def end_all(self) -> None:
        """Calm: what people can mend is mended, and every node that can run is started."""
        self._stage.links.heal()
        self._rounds.whims.clear()
        for node in self._nodes:
            node.disk.full, node.disk.breaks, node.disk.slow_ms = False, False, 0
            node.disarm()
            self._stage.clock.mend(node.number)
            if node.engine is not None:
                node.engine.is_pool_full = node.engine.door.is_away = False
            if node.may_run:
                node.start()

    def _after(self, fault: Fault, act: Callable[[], None]) -> None:
        self._stage.events.after(fault.for_ms, act)

    # --- F1, F2: ends of every kind ---

    def _crash(self, fault: Fault, node: SimulatedNode) -> bool:
        node.down_ms, node.variant = fault.for_ms, _VARIANTS[fault.text]
        if node.ledger is not None:
            node.crash()
            self._count_lost(node)
            return True
        return False

    def _count_lost(self, node: SimulatedNode) -> None:
        if node.variant != "kept":
            self.count(f"{node.variant}_writes")

    def _crash_at_point(self, fault: Fault, node: SimulatedNode) -> bool:
        """At the n-th point of a write, or of names that are durable, perhaps in the next start."""
        node.down_ms, node.variant = fault.for_ms, _VARIANTS[fault.text]
        points = POINTS if fault.kind == "crash_at_commit" else (SYNCED,)
        rest = fault.value

        def reach(point: str) -> None:
            nonlocal rest
            rest -= point in points
            if rest < 0:
                node.disk.at_point = _pass
                self.count(fault.kind)
                if fault.kind == "crash_at_commit":
                    self.count(f"crash_at_{point}")
                self._count_lost(node)
                raise Crash

        node.disk.at_point = reach
        return False

    def _crash_finalized(self, fault: Fault, node: SimulatedNode) -> bool:
        node.down_ms, node.variant = fault.for_ms, _VARIANTS[fault.text]
        node.dies_finalized = True
        return False

    def _crash_following(self, fault: Fault, node: SimulatedNode) -> bool:
        node.down_ms, node.variant = fault.for_ms, _VARIANTS[fault.text]
        node.dies_following = True
        return False

    def _restart(self, fault: Fault, node: SimulatedNode) -> bool:
        if node.ledger is None:
            return False
        node.stop()
        self._after(fault, node.start)
        return True

    # --- F3, F4: disks ---

    def _rot(self, fault: Fault, node: SimulatedNode) -> bool:
        """From now on the node may stop, and nobody waits for it."""
        seen = fault.kind == "rot_seen"
        found = node.disk.rot(node.home.data, fault.text, fault.value, seen=seen)
        if found is not None:
            node.allowed, node.may_run = fault.kind, False
        return found is not None

    def _fill_disk(self, fault: Fault, node: SimulatedNode) -> bool:
        node.disk.full, node.allowed = True, fault.kind

        def end() -> None:
            node.disk.full = False
            self._start_mended(node)

        self._after(fault, end)
        return True

    def _break_disk(self, fault: Fault, node: SimulatedNode) -> bool:
        """A sync fails: what readers saw is there after the next start or not."""
        node.disk.breaks, node.allowed = True, fault.kind

        def end() -> None:
            node.disk.breaks = False
            if node.ledger is None:
                node.disk.stop(_VARIANTS[fault.text])
            self._start_mended(node)

        self._after(fault, end)
        return True

    def _start_mended(self, node: SimulatedNode) -> None:
        """One fault of its disk is mended; another may still be there."""
        if node.may_run:
            node.allowed = ""
            if node.disk.full or node.disk.breaks:
                node.allowed = "disk_full" if node.disk.full else "disk_breaks"
            node.start()

    def _slow_disk(self, fault: Fault, node: SimulatedNode) -> bool:
        node.disk.slow_ms = fault.value
        self._after(fault, partial(setattr, node.disk, "slow_ms", 0))
        return True

    # --- F5: clocks ---

    def _jump(self, fault: Fault, node: SimulatedNode) -> bool:
        clock = self._stage.clock
        clock.jump(node.number, fault.value)
        self._after(fault, partial(clock.jump, node.number, -fault.value))
        return True

    def _drift(self, fault: Fault, node: SimulatedNode) -> bool:
        clock = self._stage.clock
        clock.drift(node.number, fault.value)
        self._after(fault, partial(clock.drift, node.number, 0))
        return True

    # --- F6: links, pools ---

    def _cut(self, fault: Fault, _node: SimulatedNode) -> bool:
        numbers = [each.number for each in self._nodes]
        one = [each for each in numbers if fault.value >> (each - 1) & 1]
        other = [each for each in numbers if each not in one]
        if not one or not other:
            return False
        self._after(fault, self._stage.links.cut(one, other))
        if fault.kind == "cut":
            self._after(fault, self._stage.links.cut(other, one))
        return True

    def _spoil_links(self, fault: Fault, _node: SimulatedNode) -> bool:
        links = self._stage.links
        setattr(links, fault.kind, fault.value)
        self._after(fault, partial(setattr, links, fault.kind, 0))
        return True

    def _restart_engine(self, _fault: Fault, node: SimulatedNode) -> bool:
        """The engine ends and its node starts it again: its pool is empty."""
        return node.restart_engine()

    def _fill_pool(self, fault: Fault, node: SimulatedNode) -> bool:
        engine = node.engine
        if engine is None:
            return False
        engine.is_pool_full = True
        self._after(fault, partial(setattr, engine, "is_pool_full", False))
        return True

    def _part_rpc(self, fault: Fault, node: SimulatedNode) -> bool:
        if node.engine is None:
            return False
        door = node.engine.door
        door.is_away = True
        self._after(fault, partial(setattr, door, "is_away", False))
        return True

    # --- F7: votes ---

    def _fail_rounds(self, fault: Fault, _node: SimulatedNode) -> bool:
        self._rounds.whims.failing += fault.value
        return True

    def _propose(self, fault: Fault, node: SimulatedNode) -> bool:
        """In the node's next turn; counted there."""
        whims = self._rounds.whims
        proposals = whims.bad if fault.kind == "bad_proposal" else whims.foreign
        proposals[node.number] = fault.text
        return False

    def _withhold(self, fault: Fault, node: SimulatedNode) -> bool:
        whims = self._rounds.whims
        voters = whims.nil if fault.kind == "nil_votes" else whims.absent
        voters.add(node.number)
        self._after(fault, partial(voters.discard, node.number))
        return True

    def _accuse(self, _fault: Fault, node: SimulatedNode) -> bool:
        consensus = self._stage.consensus
        height = consensus.height
        if height < 1:
            return False
        voters = consensus.validators(height)
        if all(each.public_key != node.public_key for each in voters):
            return False
        self._rounds.whims.evidence.append(accuse(node.public_key, consensus.decided(height)))
        return True

    # --- F10 to F12 ---

    def _join(self, fault: Fault, node: SimulatedNode) -> bool:
        """Homes are lost one at a time, never the only one that has the last block, and not where
        no new one can be made.
        """
        others = [each for each in self._nodes if each is not node]
        height = self._stage.consensus.height
        if any(each.is_joining for each in others) or node.disk.full or node.disk.breaks:
            return False
        if not any(each.may_run and each.books.stored >= height for each in others):
            return False
        node.down_ms, node.variant = fault.for_ms, "kept"
        node.crash()
        node.wipe()
        if fault.value % 2:
            self._crash_swapping(node)
        self._after(fault, node.start)
        return True

    def _crash_swapping(self, node: SimulatedNode) -> None:
        """It ends between the names of the swap that makes the snapshot its state."""

        def reach(point: str) -> None:
            if point == SYNCED and any(node.home.folder.glob("*.restored")):
                node.disk.at_point = _pass
                self.count("crash_at_sync")
                raise Crash

        node.disk.at_point = reach

    def _lie(self, fault: Fault, node: SimulatedNode) -> bool:
        node.lie = fault
        return True

    def _age_index(self, fault: Fault, node: SimulatedNode) -> bool:
        """The read model is lost, and an older one of it put back."""
        file = node.home.folder / INDEX
        kept = file.with_name(f"{INDEX}{_BACKUP}.{self._stage.clock.steady_ms}")
        if not file.exists():
            return False
        shutil.copyfile(file, kept)  # without what is only in the log beside it

        def put_back() -> None:
            if kept.exists():  # the home may be another by now
                node.stop()
                kept.replace(file)
                node.start()

        self._after(fault, put_back)
        return True

    def _back_up(self, fault: Fault, node: SimulatedNode) -> bool:
        """A home is copied now, and put back later; `index_newer`: its read model stays."""
        if node.ledger is None:
            return False
        node.stop()
        folder = node.home.folder
        when = f"{self._stage.clock.steady_ms}.{fault.at_ms}"  # two may come in one moment
        copy = folder.with_name(f"{folder.name}{_BACKUP}.{when}")
        shutil.copytree(folder, copy)
        node.disk.clone(copy / DATA)
        books, committed, joining = node.books.copy(), node.committed, node.is_joining
        node.start()

        def restore() -> None:
            node.stop()
            if fault.kind == "index_newer" and (folder / INDEX).exists():
                shutil.copyfile(folder / INDEX, copy / INDEX)
            shutil.rmtree(folder)
            copy.rename(folder)
            node.books, node.committed, node.is_joining = books, committed, joining
            node.start()
            self.count(fault.kind)

        self._after(fault, restore)
        return False


def _pass(_point: str) -> None:
    """Nothing happens here."""

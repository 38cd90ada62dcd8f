"""Whether the network lives on as it must: C11 chunks, C12 calm, C13 stops, C14 what is left.

Looks beneath the doors of nodes: pools, promises, the engine's pool.
"""

import threading
from typing import Final

import msgspec

from hansa.ledger.rejections import Rejection
from hansa.ledger.transactions import decode_transaction
from hansa.node.abci_snapshots import SnapshotDesk
from hansa.node.application import ADMITTED_MAX
from hansa.node.faults import NodeError
from hansa.node.ledger_node import LedgerNode
from hansa.node.pool import TransactionPool
from hansa.node.snapshots import KEPT, PROMISED_MAX, Snapshots
from hansa.testing.simulation.checkers import (
    Answered,
    Checker,
    Chunk,
    Crashed,
    Decided,
    End,
    Executed,
    Followed,
    Moment,
    NodeView,
    Offered,
    Started,
    Stopped,
    World,
    find_node,
    get_storage,
    list_running,
)

ACCEPT: Final = "ACCEPT"
# Simulated ms after an engine's restart by which it has its node's transactions again.
GIVEN_AGAIN_MS: Final = 100
# Blocks whose transactions may wait for the header that proves them.
UNSEALED_MAX: Final = 2
# Values that changed on the disk and no checksum says so: whatever reads them may fail.
UNSEEN: Final = "rot_unseen"


class Chunks(Checker):
    """C11: no altered chunk and no altered offer is taken, no honest sender is refused, the liar is
    named; until all chunks are there the ledger is as it was.
    """

    name = "C11"

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, bytes]] = {}

    def see(self, world: World, moment: Moment) -> None:
        """Each answer to an offer and to a chunk."""
        if isinstance(moment, Offered):
            is_right = moment.honest or moment.result != ACCEPT
            self.need(is_right, f"node {moment.node} took an altered offer")
            ledger = find_node(world, moment.node).ledger
            if ledger is not None and moment.result == ACCEPT:
                storage = get_storage(ledger)
                self._before[moment.node] = storage.height, storage.root
        elif isinstance(moment, Chunk):
            self._check(world, moment)

    def _check(self, world: World, chunk: Chunk) -> None:
        what = f"chunk {chunk.index} of {chunk.sender} at node {chunk.node}"
        is_blamed = chunk.sender in chunk.refused_senders
        if chunk.honest:
            self.need(chunk.result == ACCEPT, f"{what} is true and was answered {chunk.result}")
            self.need(not is_blamed, f"{what} is true, and its sender was refused")
        else:
            self.need(chunk.result != ACCEPT, f"{what} was altered and taken")
            self.need(is_blamed, f"{what} was altered, and its sender was not named")
        node = find_node(world, chunk.node)
        desk: SnapshotDesk | None = node.engine.parts.desk if node.engine is not None else None
        if node.ledger is None or desk is None or desk._restoration is None:
            return
        storage = get_storage(node.ledger)
        is_same = (storage.height, storage.root) == self._before.get(chunk.node)
        self.need(is_same, f"node {chunk.node} has another state before its snapshot is whole")


class Accepted(msgspec.Struct, frozen=True):
    """What a door took."""

    data: bytes
    expiry: int


class Liveness(Checker):
    """C12: what a door took is committed, or can no longer enter; an engine that began anew has its
    node's transactions again; a promised snapshot is kept; in the calm every node that may run
    reaches the last height.
    """

    name = "C12"

    def __init__(self) -> None:
        # By node and id (hex): what its door took and what has no end yet.
        self._open: dict[str, dict[str, Accepted]] = {}
        self._begun: dict[str, int] = {}
        # By node: whose promises, and until when which heights are promised (simulated s).
        self._promised: dict[str, tuple[Snapshots, dict[int, float]]] = {}

    def see(self, world: World, moment: Moment) -> None:
        """Doors, ends of lives, blocks, and the end."""
        if isinstance(moment, Answered):
            if not moment.code and moment.id:
                expiry = decode_transaction(moment.data).payload.expiry
                taken = self._open.setdefault(moment.node, {})
                taken.setdefault(moment.id, Accepted(moment.data, expiry))
        elif isinstance(moment, Crashed | Stopped):
            self._forget(moment.node)
        elif isinstance(moment, Started):
            if find_node(world, moment.node).ledger is None:
                self._forget(moment.node)
            else:  # the engine alone began anew
                self._begun[moment.node] = world.time_ms
        elif isinstance(moment, Executed):  # the state is still the one that refusals were of
            self._check_open(find_node(world, moment.node))
        elif isinstance(moment, Followed):
            self._check_given(world, find_node(world, moment.node))
            self._check_promises(world, find_node(world, moment.node))
        elif isinstance(moment, End):
            self._check_end(world)

    def _forget(self, name: str) -> None:
        """A pool is in memory: clients send again."""
        self._open.pop(name, None)
        self._begun.pop(name, None)
        self._promised.pop(name, None)

    def _check_promises(self, world: World, node: NodeView) -> None:
        """Who was told of a snapshot finds it for as long as was promised."""
        if node.engine is None:
            return
        snapshots: Snapshots = node.engine.parts.desk._snapshots
        whose, known = self._promised.get(node.name, (snapshots, {}))
        if whose is not snapshots:
            known = {}
        known.update(snapshots._promised)
        self._promised[node.name] = snapshots, known
        alive = [height for height, until in known.items() if until * 1_000 > world.time_ms]
        for height in alive if len(alive) <= PROMISED_MAX else ():
            is_kept = height in snapshots._made
            self.need(is_kept, f"node {node.name} promised the snapshot of {height} and forgot it")

    def _check_open(self, node: NodeView) -> None:
        ledger, taken = node.ledger, self._open.get(node.name)
        if ledger is None or not taken or not node.is_honest:
            return
        for identity, accepted in list(taken.items()):
            state = ledger.status(identity).state
            if state in ("committed", "invalid") or accepted.expiry <= ledger.height:
                del taken[identity]
            elif state == "unknown":
                self._check_refusal(node, ledger, identity, accepted)
                del taken[identity]

    def _check_refusal(
        self, node: NodeView, ledger: LedgerNode, identity: str, accepted: Accepted
    ) -> None:
        """It left the pool without a block: then it may not enter, and its asker is told why."""
        try:
            ledger.application.check(accepted.data, time_ms=get_storage(ledger).time_ms + 1)
        except Rejection:
            return
        self.fail(f"node {node.name} took {identity[:16]} and forgot it, though it may enter")

    def _check_given(self, world: World, node: NodeView) -> None:
        since = self._begun.get(node.name)
        if since is None or world.time_ms < since + GIVEN_AGAIN_MS or node.ledger is None:
            return
        del self._begun[node.name]
        pool: TransactionPool = node.ledger._pool
        for waiting in pool._waiting.values():
            is_there = not waiting.is_taken or waiting.data in node.engine._mempool
            self.need(
                is_there,
                f"the engine of node {node.name} began anew and was not given"
                f" {waiting.id.hex()[:16]} again",
            )

    def _check_end(self, world: World) -> None:
        for node in world.nodes:
            if not node.may_run:
                continue
            if node.ledger is None:
                self.fail(f"node {node.name} is down at the end, though it may run")
            height = node.ledger.height
            is_last = height == world.height
            self.need(is_last, f"node {node.name} ends at block {height} of {world.height}")
            self._check_open(node)
            left = self._open.get(node.name)
            if left and node.is_honest:
                self.fail(f"node {node.name} still has {next(iter(left))[:16]} at the end")


class Stops(Checker):
    """C13: a node ends by itself only where the plan has a fault that allows it, and says what is
    wrong and what to do.
    """

    name = "C13"

    def see(self, world: World, moment: Moment) -> None:
        """Each end that the plan did not ask for."""
        if isinstance(moment, Stopped):
            self._check(world, moment)

    def _check(self, world: World, moment: Stopped) -> None:
        failure, node = moment.failure, moment.node
        shown = f"{type(failure).__name__}: {failure}"
        self.need(bool(moment.allowed), f"node {node} stopped and nothing allows it: {shown}")
        if any(each.kind == UNSEEN and str(each.node) == node for each in world.plan.faults):
            return
        is_named = isinstance(failure, NodeError) and bool(failure.text and failure.cure)
        self.need(is_named, f"node {node} stopped under {moment.allowed} without a cure: {shown}")


class Remains(Checker):
    """C14: no thread was started; pools, promises and memories are empty or bounded at the end;
    block time only grew.
    """

    name = "C14"

    def __init__(self) -> None:
        self._threads: int | None = None
        self._time_ms = -1

    def see(self, world: World, moment: Moment) -> None:
        """Times at each block, all the rest at the end."""
        if self._threads is None:
            self._threads = threading.active_count()
        if isinstance(moment, Decided):
            time_ms = world.decided(moment.height).block.time_ms
            is_later = time_ms > self._time_ms
            self.need(is_later, f"block {moment.height} has {time_ms} after {self._time_ms}")
            self._time_ms = time_ms
        elif isinstance(moment, End):
            self.need(threading.active_count() == self._threads, "a thread was started")
            for node, ledger in list_running(world):
                self._check(node, ledger)

    def _check(self, node: NodeView, ledger: LedgerNode) -> None:
        pool: TransactionPool = ledger._pool
        parts = node.engine.parts
        snapshots = parts.desk._snapshots
        found = {
            "transactions in its pool": (len(pool), 0),
            "bytes in its pool": (pool._size, 0),
            "members with lanes in its pool": (len(pool._lanes), 0),
            "blocks without a header": (len(ledger._unsealed), UNSEALED_MAX),
            "transactions with its engine": (len(parts.feeder._given), len(pool)),
            "admissions": (len(ledger.application._admissions.found), ADMITTED_MAX),
            "promised snapshots": (len(snapshots._promised), PROMISED_MAX + KEPT),
            "snapshots": (len(snapshots._made), PROMISED_MAX + KEPT),
        }
        for what, (count, limit) in found.items():
            self.need(count <= limit, f"node {node.name} ends with {count} {what}")

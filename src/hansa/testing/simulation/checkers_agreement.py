"""Whether nodes say the same and keep to it: C1 agreement, C2 finality, C4 verdicts, C5 starts.

Reads nodes from outside and their storage; pure otherwise.
"""

from typing import Final

from hansa.comet.validators import ValidatorSet, compute_validators_hash
from hansa.crypto.merkle import merkle_root
from hansa.ledger.admission import check_transaction
from hansa.ledger.blocks import ValidatorUpdate
from hansa.ledger.receipts import INVALID
from hansa.ledger.rejections import Rejection
from hansa.ledger.transactions import decode_transaction
from hansa.node.audit import check_chain
from hansa.node.faults import (
    CorruptFolderError,
    HalfMadeFolderError,
    MissingFolderError,
    NodeError,
)
from hansa.node.ledger_node import LedgerNode
from hansa.node.sealer import apply_updates, build_validators
from hansa.node.storage import Storage
from hansa.primitives.limits import EXPIRY_WINDOW
from hansa.testing.simulation.checkers import (
    Checker,
    Committed,
    Decided,
    End,
    Executed,
    Judged,
    Moment,
    NodeView,
    Started,
    Stopped,
    World,
    describe,
    draw,
    find_node,
    get_storage,
    list_running,
)

# What a start may meet after a crash: never, for a crash damages nothing.
_DAMAGES: Final = (CorruptFolderError, HalfMadeFolderError, MissingFolderError)
AUDITED_ONE_IN: Final = 5


class Agreement(Checker):
    """C1: at one height every node has one app hash, one list of results, one list of updates, and
    the next header says so.
    """

    name = "C1"

    def __init__(self) -> None:
        self._said: dict[int, tuple[str, Executed]] = {}
        self._sets: dict[int, ValidatorSet] = {}

    def see(self, world: World, moment: Moment) -> None:
        """Compare with who said it first; with the header when there is one."""
        if isinstance(moment, Executed) and find_node(world, moment.node).is_honest:
            self._compare(world, moment)
        elif isinstance(moment, Decided):
            self._check_header(world, moment.height)

    def _compare(self, world: World, said: Executed) -> None:
        first = self._said.setdefault(said.height, (said.node, said))[1]
        for what in ("app_hash", "results", "updates"):
            one, other = getattr(first, what), getattr(said, what)
            if one != other:
                shown = f"{describe(one)} and {describe(other)}"
                self.fail(f"{what} of block {said.height} on {first.node} and {said.node}: {shown}")
        if first is said:
            self._advance(world, said)

    def _advance(self, world: World, said: Executed) -> None:
        """The validators of two heights later, by these updates alone."""
        if not self._sets:
            self._sets = dict.fromkeys((1, 2), build_validators(world.genesis))
        before = self._sets.get(said.height + 1)
        if before is not None:
            updates = [ValidatorUpdate(key, power) for key, power in said.updates]
            self._sets[said.height + 2] = apply_updates(before, updates)

    def _check_header(self, world: World, height: int) -> None:
        header, before = world.decided(height).header, self._said.get(height - 1)
        if before is not None:
            self.need(header.app_hash == before[1].app_hash, f"header {height}: another app hash")
            results = merkle_root(before[1].results)
            self.need(header.last_results_hash == results, f"header {height}: other results")
        voters = self._sets.get(height)
        if voters is not None:
            named = header.validators_hash == compute_validators_hash(voters)
            self.need(named, f"header {height}: other validators than the updates give")


class Finality(Checker):
    """C2: what a node called committed keeps its height, its code and its receipt's bytes, on every
    node, whatever stops; a node comes back with all that it promised.
    """

    name = "C2"

    def __init__(self) -> None:
        # By id: height, index and code; and the leaves that receipts prove.
        self._final: dict[str, tuple[tuple[int, int, int], tuple[bytes, ...]]] = {}

    def see(self, world: World, moment: Moment) -> None:
        """Remember each block's transactions; compare each later answer."""
        if isinstance(moment, Committed):
            node = find_node(world, moment.node)
            if node.is_honest and node.ledger is not None:
                self._compare(moment.node, node.ledger, moment.height)
        elif isinstance(moment, Started):
            node = find_node(world, moment.node)
            if node.is_honest and moment.height < node.committed:
                self.fail(
                    f"node {node.name} committed block {node.committed} and came back with"
                    f" {moment.height}"
                )
        elif isinstance(moment, End):
            for node, ledger in list_running(world):
                self._check_all(node, ledger)

    def _compare(self, name: str, ledger: LedgerNode, height: int) -> None:
        for index, result in enumerate(get_storage(ledger).results(height).results):
            if result.code == INVALID:
                continue
            found = ((height, index, result.code), tuple(result.leaves()))
            known = self._final.setdefault(result.id, found)
            self.need(known == found, f"{result.id[:16]} on {name}: {found[0]}, was {known[0]}")

    def _check_all(self, node: NodeView, ledger: LedgerNode) -> None:
        for identity, (place, leaves) in self._final.items():
            base = get_storage(ledger).base
            is_forgotten = place[0] + EXPIRY_WINDOW <= base  # by who began with a snapshot
            status = ledger.status(identity)
            if place[0] >= ledger.sealed_height or (is_forgotten and status.state == "unknown"):
                continue
            is_same = (status.state, status.height) == ("committed", place[0])
            self.need(is_same, f"{identity[:16]} on {node.name}: {status.state} {status.height}")
            if status.result is not None:
                is_same = (status.index, tuple(status.result.leaves())) == (place[1], leaves)
                self.need(is_same, f"another receipt of {identity[:16]} on {node.name}")


class Verdict(Checker):
    """C4: honest nodes give one verdict on a proposal; what an honest node prepared is accepted;
    of what was voted for, each transaction may enter by the state before, without any memory.
    """

    name = "C4"

    def __init__(self) -> None:
        self._said: dict[tuple[int, str, int], Judged] = {}
        self._height = 0

    def see(self, world: World, moment: Moment) -> None:
        """Compare verdicts; ask again before the block is committed."""
        if not isinstance(moment, Judged | Executed) or not find_node(world, moment.node).is_honest:
            return
        if isinstance(moment, Judged):
            self._compare(world, moment)
        elif moment.height > self._height:
            ledger = find_node(world, moment.node).ledger
            if ledger is not None and ledger.height == moment.height - 1:
                self._height = moment.height
                self._ask_again(world, get_storage(ledger), moment.height)

    def _compare(self, world: World, said: Judged) -> None:
        first = self._said.setdefault((said.height, said.proposer, said.round), said)
        where = f"proposal {said.height}/{said.round} of {said.proposer}"
        if first.accepted != said.accepted:
            self.fail(f"{where}: {first.node} says {first.accepted}, {said.node} {said.accepted}")
        is_honest = said.honest and find_node(world, said.proposer).is_honest
        if is_honest and not said.accepted:
            self.fail(f"{where} is honest, and {said.node} refuses it")

    def _ask_again(self, world: World, before: Storage, height: int) -> None:
        """The one gate, with nothing remembered."""
        block = world.decided(height).block
        for data in block.transactions:
            try:
                check_transaction(
                    before,
                    data,
                    world.registry,
                    chain=block.chain,
                    height=height,
                    time_ms=block.time_ms,
                    has_seen=before.has_seen(decode_transaction(data).id),
                )
            except Rejection as rejection:
                self.fail(f"block {height} was voted for with what may not enter: {rejection.code}")


class Start(Checker):
    """C5: a start finds the last Commit, or the block that was durable but not yet answered; its
    root is that of the height, and the records are those of the root.
    """

    name = "C5"

    def __init__(self) -> None:
        self._roots: dict[int, bytes] = {}
        self._unseen: set[str] = set()

    def see(self, world: World, moment: Moment) -> None:
        """Remember each height's root; look into each folder that was opened."""
        for name in sorted(self._unseen):
            self._look_into(world, find_node(world, name))
        if isinstance(moment, Executed) and find_node(world, moment.node).is_honest:
            self._roots.setdefault(moment.height, moment.app_hash)
        elif isinstance(moment, Started) and find_node(world, moment.node).is_honest:
            self._check(world, moment)
        elif isinstance(moment, Stopped) and not moment.allowed:
            is_damaged = isinstance(moment.failure, _DAMAGES)
            self.need(not is_damaged, f"node {moment.node} is damaged: {moment.failure}")

    def _check(self, world: World, started: Started) -> None:
        node, height = find_node(world, started.node), started.height
        self.need(height <= world.height, f"node {node.name} came with block {height}: not decided")
        later = height > max(node.committed + 1, 0)
        self.need(not later, f"node {node.name} came with {height}, it committed {node.committed}")
        root = self._roots.get(height)
        if height and root is not None and root != started.root:
            self.fail(f"node {node.name} came with another root at height {height}")
        self._unseen.add(node.name)

    def _look_into(self, world: World, node: NodeView) -> None:
        """As soon as it is open."""
        if node.ledger is None:
            return
        self._unseen.discard(node.name)
        storage = get_storage(node.ledger)
        try:
            storage.check_records()
            if draw(world, f"audit {node.name}", world.time_ms, AUDITED_ONE_IN) == 0:
                check_chain(storage, world.genesis.chain, build_validators(world.genesis))
        except NodeError as error:
            self.fail(f"node {node.name} started on a damaged folder: {error}")

"""Whether readers see the ledger as it is: C8 the read model, C9 what is not durable yet.

Reads nodes' storage and read models; builds read models of its own in a folder that it removes.
"""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from hansa.crypto.hashing import sha256
from hansa.index.digest import compute_digests
from hansa.index.faults import IndexFault
from hansa.index.follower import follow_once
from hansa.index.store import NOTHING, Index
from hansa.ledger.genesis import compute_genesis_changes
from hansa.ledger.transactions import Malformed, decode_transaction
from hansa.node.ledger_node import LedgerNode
from hansa.node.storage import Storage
from hansa.testing.simulation.checkers import (
    Checker,
    Committed,
    Crashed,
    End,
    Executed,
    Followed,
    Moment,
    NodeView,
    Stopped,
    Visible,
    World,
    draw,
    find_node,
    get_storage,
    list_running,
)
from hansa.testing.simulation.read_model import make_template

REBUILT_ONE_IN: Final = 20
# A fault of the read model that may be: it says so, and an operator has it built anew.
ALLOWED_FAULTS: Final = frozenset({"index.missing_blocks"})
# Families of records that are read again between the write and its durability.
WATCHED: Final = (b"e_invoice/", b"members/", b"permissions/", b"tally/")
WATCHED_MAX: Final = 200
GOT_MAX: Final = 3
TOTAL: Final = b"tally/total/total"


class ReadModel(Checker):
    """C8: the read model is never ahead of its node, and is what one would be that is built anew
    from the same node's blocks.
    """

    name = "C8"

    def __init__(self) -> None:
        # Of what was built anew last: its height, and the digests of its tables.
        self._height = NOTHING
        self._anew: dict[str, str] = {}

    def see(self, world: World, moment: Moment) -> None:
        """Heights after each step of it; all rows now and then, and at the end."""
        if isinstance(moment, Followed):
            node = find_node(world, moment.node)
            if node.is_honest:
                self._check_step(world, node, moment)
        elif isinstance(moment, End):
            for node, _ledger in list_running(world):
                self._compare(world, node)

    def _check_step(self, world: World, node: NodeView, followed: Followed) -> None:
        fault, index, ledger = followed.fault, node.index, node.ledger
        is_allowed = not fault or fault in ALLOWED_FAULTS
        self.need(is_allowed, f"the read model of node {node.name} has the fault {fault}")
        if index is None or ledger is None:
            return
        is_behind = index.height <= ledger.height
        self.need(is_behind, f"node {node.name} is at {ledger.height}, its rows at {index.height}")
        at_times = ledger.height % REBUILT_ONE_IN == 0 and index.height == ledger.height
        chosen = draw(world, "rebuilt", ledger.height, len(world.nodes))
        if at_times and world.nodes[chosen] is node:
            self._compare(world, node)

    def _compare(self, world: World, node: NodeView) -> None:
        """All tables, where the node has all blocks; else what both can know."""
        index, ledger = node.index, node.ledger
        if index is None or ledger is None or not ledger.height == index.height > NOTHING:
            return
        base = ledger.heights()[0]
        if base == 1 and index.height != self._height:
            with TemporaryDirectory(dir=node.home.folder) as folder:
                self._anew = self._build(world, index, ledger, Path(folder))
            self._height = index.height
        if index.height != self._height:
            return
        for table, digest in compute_digests(index).items():
            is_present = "__" in table or table in ("record_parties", "identities")
            is_same = digest == self._anew[table] or (base > 1 and not is_present)
            self.need(
                is_same,
                f"table {table} of node {node.name} at height {index.height} is not as it is when"
                " it is built anew",
            )

    def _build(
        self, world: World, index: Index, ledger: LedgerNode, folder: Path
    ) -> dict[str, str]:
        file = folder / "anew.sqlite"
        shutil.copyfile(make_template(index.chain), file)
        anew = Index.open(f"sqlite:///{file}", index.shape, index.chain)
        try:
            while follow_once(
                anew, ledger, lambda: compute_genesis_changes(world.genesis, world.registry)
            ):
                pass
            return compute_digests(anew)
        except IndexFault as fault:
            self.fail(f"no read model can be built anew of {ledger.chain}: {fault}")
        finally:
            anew.close()


class Sight(msgspec.Struct, frozen=True):
    """What a reader sees of a node at one moment."""

    height: int
    time_ms: int
    root: bytes
    scanned: bytes
    got: bytes


class Durability(Checker):
    """C9: between a block's write and its durability, readers see what they saw before it."""

    name = "C9"

    def __init__(self) -> None:
        self._before: dict[str, tuple[Sight, int, tuple[bytes, ...]]] = {}
        self._watched: dict[bytes, None] = {}

    def see(self, world: World, moment: Moment) -> None:
        """Look before the write, and in the gap."""
        if isinstance(moment, Executed | Visible):
            node = find_node(world, moment.node)
            if not node.is_honest or node.ledger is None:
                return
            if isinstance(moment, Executed):
                self._watch(get_storage(node.ledger))
                keys = tuple(self._watched)  # other nodes add to them until this one commits
                sight = self._look(get_storage(node.ledger), keys)
                self._before[node.name] = (sight, moment.height, keys)
            else:
                self._check(world, node, node.ledger)
        elif isinstance(moment, Committed | Crashed | Stopped):
            self._before.pop(moment.node, None)

    def _check(self, world: World, node: NodeView, ledger: LedgerNode) -> None:
        if node.name not in self._before:
            return
        before, height, keys = self._before[node.name]
        now = self._look(get_storage(ledger), keys)
        for what in Sight.__struct_fields__:
            one, other = getattr(before, what), getattr(now, what)
            self.need(
                one == other, f"node {node.name} shows block {height} ({what}) before it is durable"
            )
        self._check_places(world, node, ledger, height)

    def _check_places(self, world: World, node: NodeView, ledger: LedgerNode, height: int) -> None:
        """Transactions of the block have no place yet, unless an invalid one was there before."""
        storage = get_storage(ledger)
        for data in world.decided(height).block.transactions[:2]:
            try:
                identity = decode_transaction(data).id
            except Malformed:
                continue
            place = storage.place(identity)
            is_early = place is not None and place.height >= height
            self.need(not is_early, f"node {node.name} has a place in block {height} too early")
        # After a start there is no proof until the seals have caught up with the blocks.
        with suppress(LookupError):
            _value, _proof, proven = ledger.prove(b"tally/total/total")
            self.need(proven < height, f"node {node.name} proves block {height} too early")

    def _watch(self, storage: Storage) -> None:
        """The last records of each family are read alone, too: as the cache has them."""
        for prefix in WATCHED:
            for key, _value in storage.scan(prefix, prefix[:-1] + b"0", WATCHED_MAX)[-GOT_MAX:]:
                self._watched.setdefault(key)

    def _look(self, storage: Storage, keys: Iterable[bytes]) -> Sight:
        scanned = []
        for prefix in WATCHED:
            scanned += storage.scan(prefix, prefix[:-1] + b"0", WATCHED_MAX)
        joined = b"".join(key + b"\0" + value for key, value in scanned)
        got = b"\0".join(storage.get(key) or b"" for key in keys)
        return Sight(storage.height, storage.time_ms, storage.root, sha256(joined), sha256(got))

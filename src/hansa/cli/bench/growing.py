"""Homes with a large state for a measurement: invented invoices, fed in as a snapshot is.

Touches the folder that it is given. The records are one real invoice under other numbers, below
those of the genesis; the chain of such a home begins with all of them.
"""

import re
import shutil
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from hansa.catalog import build_registry
from hansa.cli.bench.lone_league import LoneLeague
from hansa.cli.bench.peers import BenchFault
from hansa.crypto.hashing import sha256
from hansa.encoding.text import encode_base64url
from hansa.ledger.tree_bucket import compute_change, compute_subtree
from hansa.node.folder import FAMILIES, Position, make_identity, write_position
from hansa.node.home import Home, open_home
from hansa.node.key_value import KeyValueStore
from hansa.node.ledger_node import LedgerNode
from hansa.node.restore import Restoration
from hansa.node.snapshot_format import (
    Part,
    build_snapshot,
    compute_root,
    encode_chunk,
    encode_frame,
)
from hansa.node.storage import Storage

# Records of a chunk, on average at most: about 1.2 MB.
PER_CHUNK: Final = 1_250
# The number of the real invoice; those of invented ones are as long.
_REAL: Final = re.compile(rb"BENCH-[0-9]{9}")
_FINAL_S: Final = 30.0
_TOLD: Final = 20

Tell = Callable[[str], None]
Pair = tuple[bytes, bytes]


class Invoices:
    """Invented records by number, all made from one that the ledger itself has written."""

    def __init__(self, league: LoneLeague) -> None:
        """Have a node write that one. Raises BenchFault."""
        home = league.copy()
        try:
            with LedgerNode.open(home, build_registry()) as node:
                for each in (league.opening, *league.workload.issue(1, 1)):
                    found = node.wait(node.submit(each), _FINAL_S)
                changes = node.block(found.height or 0).changes
        finally:
            shutil.rmtree(home.parent, ignore_errors=True)
        pairs = [(key, value) for key, value in changes if key.startswith(b"e_invoice/invoice/")]
        self._key, value = pairs[0] if len(pairs) == 1 else (b"", None)
        number = _REAL.search(self._key)
        if number is None or value is None or _commit(number[0]) not in value:
            raise BenchFault("no invoice was written", "tell us, with this output")
        self._number, self._commitment, self._value = number[0], _commit(number[0]), value

    def key(self, number: int) -> bytes:
        """State key of one."""
        return self._key.replace(self._number, b"GROWN-%09d" % number)

    def pair(self, number: int) -> Pair:
        """Key and value of one."""
        name = b"GROWN-%09d" % number
        value = self._value.replace(self._number, name).replace(self._commitment, _commit(name))
        return self._key.replace(self._number, name), value


def _commit(name: bytes) -> bytes:
    """What an invoice of the workload says of its paper: it cannot be compressed."""
    return encode_base64url(sha256(name)).encode()


class _Chunks:
    """All records of a state, by the first bits of their paths in the tree."""

    def __init__(self, invoices: Invoices, genesis: list[Pair], records: int, tell: Tell) -> None:
        self._invoices = invoices
        self.depth = max(1, (records // PER_CHUNK).bit_length())
        self.count = 1 << self.depth
        self._numbers = [array("I") for _ in range(self.count)]
        self._genesis: list[list[Pair]] = [[] for _ in range(self.count)]
        for pair in genesis:
            self._genesis[self._find(pair[0])].append(pair)
        for number in range(records):
            self._numbers[self._find(invoices.key(number))].append(number)
            if number % 1_000_000 == 999_999:
                tell(f"{number + 1:,} of {records:,} records placed")

    def _find(self, key: bytes) -> int:
        path, _entry = compute_change(key, None)
        return int.from_bytes(path[:4], "big") >> (32 - self.depth)

    def read(self, index: int) -> Iterator[tuple[bytes, bytes]]:
        """Leaf of the tree and frame of each record of a chunk, in the order of their paths."""
        pairs = [self._invoices.pair(number) for number in self._numbers[index]]
        found = []
        for key, value in [*self._genesis[index], *pairs]:
            _path, entry = compute_change(key, value)
            found.append((entry or b"", encode_frame(key, value)))
        found.sort()
        return iter(found)

    def list_parts(self, tell: Tell) -> list[Part]:
        """What each chunk must hold."""
        parts = []
        for index in range(self.count):
            entries = b"".join(entry for entry, _frame in self.read(index))
            root, content = compute_subtree(entries, self.depth)
            parts.append(Part(self.depth, index, content, root))
            _tell_share(tell, index, self.count, "chunks hashed")
        return parts


def _tell_share(tell: Tell, index: int, count: int, what: str) -> None:
    step = max(1, count // _TOLD)
    if index % step == step - 1:
        tell(f"{index + 1:,} of {count:,} {what}")


def make_home(league: LoneLeague, folder: Path, records: int, tell: Tell) -> None:
    """A home at height 0 with so many records beyond those of the genesis; whole, or not at all."""
    making = folder.with_name(folder.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    shutil.copytree(league.place, making)
    home = open_home(making)
    invoices = Invoices(league)
    identity = make_identity(home.genesis.chain, home.genesis_digest)
    with Storage(home.data, identity) as storage:
        pinned = storage.pin(1)
        genesis = list(pinned.records)
        pinned.close()
    chunks = _Chunks(invoices, genesis, records, tell)
    parts = chunks.list_parts(tell)
    snapshot = build_snapshot(1, parts)
    root = compute_root(parts)
    restoration = Restoration(
        making, identity, snapshot, root, genesis_time_ms=home.genesis.time_ms
    )
    for index in range(chunks.count):
        restoration.apply(index, encode_chunk([frame for _entry, frame in chunks.read(index)]))
        _tell_share(tell, index, chunks.count, "chunks written")
    restoration.finish().close()
    _begin_anew(home, root, tell)
    making.rename(folder)


def _begin_anew(home: Home, root: bytes, tell: Tell) -> None:
    """The state is that of height 0: the chain begins with it. Its files are put in order."""
    store = KeyValueStore(home.data, FAMILIES)
    batch = store.batch()
    write_position(batch, Position(height=0, time_ms=home.genesis.time_ms, root=root))
    store.commit(batch)
    tell("files put in order")
    for family in ("records", "buckets"):
        store.compact(family, b"", b"\xff" * 32)
    store.close()

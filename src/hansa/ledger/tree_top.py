"""The top of the state tree, in memory: hashes of all nodes down to the buckets, and what they were
lately. Pure.

Nodes are heap indexes (root 1, children 2n and 2n+1). The dense levels are flat arrays of 33 bytes
a node that double with the number of leaves; a node deeper than them (only crafted keys get there)
is in a small dict.
"""

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from struct import Struct

from hansa.ledger.tree_bucket import (
    EMPTY,
    EMPTY_HASH,
    ENTRY_BYTES,
    HEAD_BYTES,
    MANY,
    BucketStore,
    combine,
)

# A kind byte is layout | content. 0: nothing, the node is inside a bucket.
BUCKET, INNER = 4, 8
CONTENT = 3

# Leaves of a bucket before it is split: few, since each change hashes its bucket anew. Fewer would
# make the top larger than they save.
BUCKET_LEAVES_MAX = 4
# Leaves of a bucket at the deepest dense level, where chance gives up to about 20, before it is
# split all the same: only crafted keys reach this.
BUCKET_CROWDED = 32
# A heap index fits a signed 64-bit integer; more crafted prefix bits than this cost more than
# anyone has.
NODE_DEPTH_MAX = 62


def compute_dense_depth(leaves: int) -> int:
    """Depth of the flat arrays: 2 to 4 leaves, so 17 to 33 bytes a leaf, at the deepest level."""
    return max(0, leaves.bit_length() - 2)


# One hash in the flat array, by place: `read_hash(flat, 32 * node)[0]`. A third faster than slices.
_HASH = Struct("32s")
read_hash, write_hash = _HASH.unpack_from, _HASH.pack_into


class TreeTop:
    """Hash and kind of each node above the buckets and of each bucket."""

    def __init__(self) -> None:
        self.depth = 0
        self.hashes = bytearray(64)
        self.kinds = bytearray((0, BUCKET | EMPTY))
        self.deep: dict[int, tuple[bytes, int]] = {}

    def get_hash(self, node: int) -> bytes:
        """Hash of a node."""
        if node < len(self.kinds):
            return bytes(self.hashes[node << 5 : (node + 1) << 5])
        return self.deep[node][0] if node in self.deep else EMPTY_HASH

    def get_kind(self, node: int) -> int:
        """Kind of a node."""
        if node < len(self.kinds):
            return self.kinds[node]
        return self.deep[node][1] if node in self.deep else 0

    def set(self, node: int, node_hash: bytes, kind: int) -> None:
        """Set hash and kind of a node."""
        if node < len(self.kinds):
            self.hashes[node << 5 : (node + 1) << 5] = node_hash
            self.kinds[node] = kind
        else:
            self.deep[node] = (node_hash, kind)

    def grow(self, depth: int) -> None:
        """Make the flat arrays reach `depth`; they never shrink."""
        while self.depth < depth:
            self.depth += 1
            self.hashes.extend(bytes(32 << self.depth))
            self.kinds.extend(bytes(1 << self.depth))
        for node in [node for node in self.deep if node < len(self.kinds)]:
            self.set(node, *self.deep.pop(node))

    def find_bucket(self, path: bytes) -> int:
        """The bucket that holds, or would hold, the leaf with this path."""
        bits = 1 << 64 | int.from_bytes(path[:8], "big")
        node = bits >> (64 - self.depth)
        kinds = self.kinds
        while not kinds[node]:
            node >>= 1
        if kinds[node] & INNER:
            depth = self.depth
            while self.get_kind(node) & INNER:
                depth += 1
                node = bits >> (64 - depth)
        return node


@dataclass(frozen=True, slots=True)
class Undo:
    """What one version replaced, by which the version before it can be seen.

    before, height: of the version before, and of this one. nodes: touched, sorted; hashes: their
    old ones, 32 bytes each. kinds, buckets: old ones by node, of those that changed.
    """

    before: int
    height: int
    nodes: "array[int]"
    hashes: bytes
    kinds: Mapping[int, int]
    buckets: Mapping[int, bytes | None]

    @property
    def size(self) -> int:
        """Bytes of memory, roughly: dict entries and objects are counted as 200."""
        stored = sum(len(value) for value in self.buckets.values() if value is not None)
        return 40 * len(self.nodes) + 200 * (len(self.buckets) + len(self.kinds)) + stored

    def get_hash(self, node: int) -> bytes | None:
        """Old hash of a node, or None when this version did not touch it."""
        index = bisect_left(self.nodes, node)
        if index == len(self.nodes) or self.nodes[index] != node:
            return None
        return self.hashes[index << 5 : (index + 1) << 5]


def replace_nodes(
    top: TreeTop, levels: Sequence[Mapping[int, bytes]], kinds: Mapping[int, int]
) -> tuple["array[int]", bytes, dict[int, int]]:
    """Write new hashes (by depth, sorted) and kinds.

    Returns the touched nodes, their old hashes joined, and the old kinds.
    """
    nodes = array("Q", chain.from_iterable(levels))
    hashes: list[bytes] = []
    old_kinds = {node: top.get_kind(node) for node in kinds}
    flat = top.hashes
    for level in levels[: top.depth + 1]:
        for node, node_hash in level.items():
            at = node << 5
            hashes.append(read_hash(flat, at)[0])
            write_hash(flat, at, node_hash)
    for level in levels[top.depth + 1 :]:
        for node, node_hash in level.items():
            hashes.append(top.get_hash(node))
            top.set(node, node_hash, kinds.get(node, top.get_kind(node)))
    for node, kind in kinds.items():
        if node < len(top.kinds):
            top.kinds[node] = kind
    return nodes, b"".join(hashes), old_kinds


def load_buckets(top: TreeTop, store: BucketStore) -> int:
    """Fill an empty `top` from the heads of the stored buckets; returns the number of leaves.

    The number decides the depth of the flat arrays, so heads wait in flat arrays of their own.
    """
    nodes, heads, leaves = array("Q"), bytearray(), 0
    for node, value in store.buckets():
        nodes.append(node)
        heads += value[:HEAD_BYTES]
        leaves += (len(value) - HEAD_BYTES) // ENTRY_BYTES
    top.grow(compute_dense_depth(leaves))
    at, size, hashes, kinds = 0, len(top.kinds), top.hashes, top.kinds
    for node in nodes:
        kind = BUCKET | heads[at + 32]
        if node < size:
            hashes[node << 5 : (node + 1) << 5] = heads[at : at + 32]
            kinds[node] = kind
        else:
            top.set(node, bytes(heads[at : at + 32]), kind)
        at += HEAD_BYTES
    if leaves:
        _load_inner_nodes(top)
    return leaves


def _load_inner_nodes(top: TreeTop) -> None:
    """Hash every node above the buckets in `top`; a missing child becomes an empty bucket."""
    deepest = max((node.bit_length() - 1 for node in top.deep), default=top.depth)
    for depth in range(deepest, top.depth, -1):
        level = [node for node in top.deep if node.bit_length() - 1 == depth]
        for parent in sorted({node >> 1 for node in level}):
            _load_parent(top, parent)
    hashes, kinds = top.hashes, top.kinds
    for depth in range(top.depth, 0, -1):
        for left in range(1 << depth, 2 << depth, 2):
            if kinds[left] & CONTENT and kinds[left + 1] & CONTENT:
                parent = left >> 1
                pair = hashes[left << 5 : (left + 2) << 5]
                hashes[parent << 5 : (parent + 1) << 5] = sha256(b"\x01" + pair).digest()
                kinds[parent] = INNER | MANY
            elif kinds[left] or kinds[left + 1]:
                _load_parent(top, left >> 1)


def _load_parent(top: TreeTop, parent: int) -> None:
    left, right = parent << 1, parent << 1 | 1
    for child in (left, right):
        if not top.get_kind(child):
            top.set(child, EMPTY_HASH, BUCKET | EMPTY)
    node_hash, content = combine(
        top.get_hash(left),
        top.get_kind(left) & CONTENT,
        top.get_hash(right),
        top.get_kind(right) & CONTENT,
    )
    top.set(parent, node_hash, INNER | content)

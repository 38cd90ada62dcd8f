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

from hansa.ledger.tree_bucket import EMPTY, EMPTY_HASH, MANY, combine

# A kind byte is layout | content. 0: nothing, the node is inside a bucket.
BUCKET, INNER = 4, 8
CONTENT = 3

# Leaves of a bucket before it is split: small, since each change hashes its bucket anew; not
# smaller, since the top would take more memory (measured: 6 leaves a bucket, 14 bytes of memory a
# leaf).
BUCKET_LEAVES_MAX = 8
# Leaves of a bucket at the deepest dense level before it is split all the same: only crafted keys
# reach this.
BUCKET_CROWDED = 32
# A heap index fits a signed 64-bit integer; more crafted prefix bits than this cost more than
# anyone has.
NODE_DEPTH_MAX = 62


def compute_dense_depth(leaves: int) -> int:
    """Depth of the flat arrays for so many leaves: 4 to 8 leaves for each node of the deepest
    level.
    """
    return max(0, leaves.bit_length() - 3)


class TreeTop:
    """Hash and kind of each node above the buckets and of each bucket."""

    def __init__(self) -> None:
        self.depth = 0
        self.hashes = bytearray(64)
        self.kinds = bytearray((0, BUCKET | EMPTY))
        self.deep: dict[int, tuple[bytes, int]] = {}

    def get(self, node: int) -> tuple[bytes, int]:
        """Hash and kind of a node."""
        if node < len(self.kinds):
            return bytes(self.hashes[node << 5 : (node + 1) << 5]), self.kinds[node]
        return self.deep.get(node, (EMPTY_HASH, 0))

    def set(self, node: int, node_hash: bytes, kind: int) -> None:
        """Set hash and kind of a node."""
        if node < len(self.kinds):
            self.hashes[node << 5 : (node + 1) << 5] = node_hash
            self.kinds[node] = kind
        elif kind:
            self.deep[node] = (node_hash, kind)
        else:
            self.deep.pop(node, None)

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
            while self.get(node)[1] & INNER:
                depth += 1
                node = bits >> (64 - depth)
        return node


@dataclass(frozen=True, slots=True)
class Undo:
    """What a version replaced: enough to see the version before it. Flat: 41 bytes a node.

    before, height: of the version before, and of this one. nodes: sorted, with their old hashes and
    kinds. buckets: old stored values.
    """

    before: int
    height: int
    nodes: "array[int]"
    hashes: bytes
    kinds: bytes
    buckets: Mapping[int, bytes | None]

    def get(self, node: int) -> tuple[bytes, int] | None:
        """Old hash and kind of a node, or None when this version did not touch it."""
        index = bisect_left(self.nodes, node)
        if index == len(self.nodes) or self.nodes[index] != node:
            return None
        return self.hashes[index << 5 : (index + 1) << 5], self.kinds[index]


def replace_nodes(
    top: TreeTop, nodes: Sequence[int], hashes: Mapping[int, bytes], kinds: Mapping[int, int]
) -> tuple["array[int]", bytes, bytes]:
    """Write new hashes and kinds (only those that changed) of `nodes` (sorted); returns the old
    ones, flat.
    """
    saved = array("Q", nodes)
    if nodes and nodes[-1] >= len(top.kinds):
        old = [top.get(node) for node in nodes]
        for node, (_, kind) in zip(nodes, old, strict=True):
            top.set(node, hashes[node], kinds.get(node, kind))
        return saved, b"".join([pair[0] for pair in old]), bytes([pair[1] for pair in old])
    flat, flat_kinds = top.hashes, top.kinds
    old_hashes = b"".join([flat[node << 5 : (node + 1) << 5] for node in nodes])
    old_kinds = bytes([flat_kinds[node] for node in nodes])
    for node in nodes:
        flat[node << 5 : (node + 1) << 5] = hashes[node]
    for node, kind in kinds.items():
        flat_kinds[node] = kind
    return saved, old_hashes, old_kinds


def load_inner_nodes(top: TreeTop) -> None:
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
    for child in (2 * parent, 2 * parent + 1):
        if not top.get(child)[1]:
            top.set(child, EMPTY_HASH, BUCKET | EMPTY)
    left, left_kind = top.get(2 * parent)
    right, right_kind = top.get(2 * parent + 1)
    node, content = combine(left, left_kind & CONTENT, right, right_kind & CONTENT)
    top.set(parent, node, INNER | content)

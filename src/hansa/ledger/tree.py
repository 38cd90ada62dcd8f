"""The state tree (D5): one root over all records, presence and absence proofs. Pure; its store is
passed in.

A compact sparse Merkle tree of ICS-23's `SmtSpec` (see `tree_proof`). The top is in memory
(`tree_top`), leaves are in stored buckets (`tree_bucket`). A block's changes are hashed once: each
touched bucket, then each node above, once.
"""

from collections import deque
from collections.abc import Iterable
from typing import ClassVar

import msgspec

from hansa.ledger import tree_bucket
from hansa.ledger.rejections import Rejection, invariant
from hansa.ledger.tree_bucket import (
    EMPTY_HASH,
    MANY,
    BucketStore,
    Change,
    MemoryBuckets,
    combine,
    compute_change,
    compute_subtree,
    decode_bucket,
    decode_head,
    encode_bucket,
)
from hansa.ledger.tree_proof import StateProof
from hansa.ledger.tree_top import (
    BUCKET,
    BUCKET_CROWDED,
    BUCKET_LEAVES_MAX,
    CONTENT,
    INNER,
    NODE_DEPTH_MAX,
    TreeTop,
    Undo,
    compute_dense_depth,
    load_inner_nodes,
    replace_nodes,
)
from hansa.ledger.tree_view import TreeView

__all__ = [
    "VERSIONS_KEPT",
    "BucketStore",
    "MemoryBuckets",
    "StateTree",
    "TreeDelta",
    "VersionPruned",
]

# Old versions that can still be proved: a reader that saw a header has some blocks' time to ask for
# a proof under it.
VERSIONS_KEPT = 16

_sha256 = tree_bucket._sha256


class VersionPruned(Rejection):
    """The state of that height is not kept."""

    CODE: ClassVar[str] = "version_pruned"
    RULE: ClassVar[str] = "D5"
    TEXT: ClassVar[str] = (
        "The state at height {height} cannot be proved: kept are {first} to {last}."
    )
    REMEDY: ClassVar[str] = "Ask for a proof at height {last}."


class TreeDelta(msgspec.Struct, frozen=True):
    """What a block does to the tree: computed without changing it, then applied.

    root: the new root. buckets: stored values to write (None: delete), by node. The rest is the
    tree's own: base: root it was computed on; nodes: touched, sorted; hashes: new, by node; kinds:
    those that changed, by node; replaced: the buckets' values before; leaves: how many there are
    after.
    """

    root: bytes
    buckets: dict[int, bytes | None]
    base: bytes
    nodes: list[int]
    hashes: dict[int, bytes]
    kinds: dict[int, int]
    replaced: dict[int, bytes | None]
    leaves: int


class StateTree:
    """The tree over one store. One writer: callers keep `apply` (and the store's write) apart from
    other calls.
    """

    def __init__(self, store: BucketStore, version: int = 0) -> None:
        self._store = store
        self._top = TreeTop()
        self._undos: deque[Undo] = deque()
        self.version = version
        self.leaves = _load_buckets(self._top, store)
        self.root = self._top.get(1)[0]

    def compute(self, changes: Iterable[tuple[bytes, bytes | None]]) -> TreeDelta:
        """The delta of setting (or, None, removing) records by state key. Changes nothing."""
        wanted = {change[0]: change for change in [compute_change(*pair) for pair in changes]}
        delta = _Rebuild(self._top, self._store, self.leaves, len(wanted))
        delta.change_buckets([wanted[path] for path in sorted(wanted)])
        nodes = delta.propagate()
        return TreeDelta(
            root=delta.hashes.get(1, self.root),
            buckets=delta.buckets,
            base=self.root,
            nodes=nodes,
            hashes=delta.hashes,
            kinds=delta.kinds,
            replaced=delta.replaced,
            leaves=delta.leaves,
        )

    def apply(self, delta: TreeDelta, height: int) -> None:
        """Become the version after `delta`, at `height`; its buckets are already in the store."""
        invariant(delta.base == self.root, "a tree delta was computed on another version")
        invariant(height > self.version or not self._undos, "tree versions go up")
        self._top.grow(compute_dense_depth(delta.leaves))
        old = replace_nodes(self._top, delta.nodes, delta.hashes, delta.kinds)
        self._undos.append(Undo(self.version, height, *old, delta.replaced))
        if len(self._undos) > VERSIONS_KEPT:
            self._undos.popleft()
        self.root, self.leaves, self.version = delta.root, delta.leaves, height

    def prove(self, key: bytes, height: int) -> StateProof:
        """Proof that `key` has its record, or has none, in the state of `height`. Raises
        VersionPruned.
        """
        first = self._undos[0].before if self._undos else self.version
        if not first <= height <= self.version:
            raise VersionPruned(height=height, first=first, last=self.version)
        later = [undo for undo in self._undos if undo.height > height]
        return TreeView(self._top, self._store, later).prove(key)


class _Rebuild:
    """One computation: new buckets, hashes and kinds over an unchanged top."""

    def __init__(self, top: TreeTop, store: BucketStore, leaves: int, changes: int) -> None:
        self._top = top
        self._store = store
        self._dense_depth = compute_dense_depth(leaves + changes)
        self._levels: list[list[int]] = [[]]
        self.leaves = leaves
        self.buckets: dict[int, bytes | None] = {}
        self.replaced: dict[int, bytes | None] = {}
        self.hashes: dict[int, bytes] = {}
        self.kinds: dict[int, int] = {}

    def change_buckets(self, changes: list[Change]) -> None:
        """Rebuild each bucket that `changes` (sorted by path) touch."""
        find_bucket = self._top.find_bucket
        current, group = 0, list[Change]()
        for change in changes:
            node = find_bucket(change[0])
            if node != current:
                if group:
                    self._change_bucket(current, group)
                current, group = node, [change]
            else:
                group.append(change)
        if group:
            self._change_bucket(current, group)

    def _change_bucket(self, node: int, changes: list[Change]) -> None:
        value = self._store.bucket(node)
        entries = decode_bucket(value)
        before = len(entries)
        if not tree_bucket.change_entries(entries, changes):
            return
        self.leaves += len(entries) - before
        self.replaced[node] = value
        depth = node.bit_length() - 1
        if len(entries) > BUCKET_LEAVES_MAX and self._is_crowded(len(entries), depth):
            self.buckets[node] = None
            self._split(node, depth, entries)
        else:
            self._place(node, depth, entries)

    def _is_crowded(self, leaves: int, depth: int) -> bool:
        if depth < self._dense_depth:
            return leaves > BUCKET_LEAVES_MAX
        return leaves > BUCKET_CROWDED and depth < NODE_DEPTH_MAX

    def _split(self, node: int, depth: int, entries: list[bytes]) -> None:
        """Turn a bucket into an inner node over two buckets, as deep as needed. The inner node is
        hashed later.
        """
        middle = tree_bucket.split_entries(entries, depth)
        self.kinds[node] = INNER | MANY
        for child, part in ((2 * node, entries[:middle]), (2 * node + 1, entries[middle:])):
            if self._is_crowded(len(part), depth + 1):
                self._split(child, depth + 1, part)
            else:
                self.replaced[child] = None
                self._place(child, depth + 1, part)

    def _place(self, node: int, depth: int, entries: list[bytes]) -> None:
        joined = b"".join(entries)
        root, content = compute_subtree(joined, depth)
        self.buckets[node] = encode_bucket(root, content, joined) if entries else None
        self.hashes[node] = root
        kind = BUCKET | content
        if self._top.get(node)[1] != kind:
            self.kinds[node] = kind
        levels = self._levels
        while len(levels) <= depth:
            levels.append([])
        levels[depth].append(node)

    def propagate(self) -> list[int]:
        """Hash every node above the changed buckets once, level by level; returns all touched
        nodes, sorted.
        """
        levels = self._levels
        for depth in range(len(levels) - 1, 0, -1):
            parents = sorted({node >> 1 for node in levels[depth]})
            if parents[-1] << 1 | 1 < len(self._top.kinds):
                self._hash_parents(parents)
            else:
                for parent in parents:
                    self._hash_parent(parent)
            levels[depth - 1] = sorted(levels[depth - 1] + parents)
        return [node for level in levels for node in level]

    def _hash_parents(self, parents: list[int]) -> None:
        """The hot loop: all of these nodes and their children are in the flat arrays."""
        fresh, flat, kinds = self.hashes, self._top.hashes, self._top.kinds
        many = INNER | MANY
        for parent in parents:
            left = parent << 1
            left_hash: bytes | bytearray | None = fresh.get(left)
            right_hash: bytes | bytearray | None = fresh.get(left + 1)
            if left_hash is None:
                left_hash = flat[left << 5 : (left + 1) << 5]
            elif right_hash is None:
                right_hash = flat[(left + 1) << 5 : (left + 2) << 5]
            if right_hash is None or left_hash == EMPTY_HASH or right_hash == EMPTY_HASH:
                self._hash_parent(parent)
                continue
            fresh[parent] = _sha256(b"\x01" + left_hash + right_hash).digest()
            if kinds[parent] != many:
                self.kinds[parent] = many

    def _hash_parent(self, parent: int) -> None:
        left, left_kind = self._get(parent << 1)
        right, right_kind = self._get(parent << 1 | 1)
        node, content = combine(left, left_kind & CONTENT, right, right_kind & CONTENT)
        self.hashes[parent] = node
        kind = INNER | content
        if self._top.get(parent)[1] != kind:
            self.kinds[parent] = kind

    def _get(self, node: int) -> tuple[bytes, int]:
        node_hash, kind = self._top.get(node)
        return self.hashes.get(node, node_hash), self.kinds.get(node, kind)


def _load_buckets(top: TreeTop, store: BucketStore) -> int:
    """Fill the top from the stored buckets' heads and hash all nodes above them; returns the number
    of leaves.
    """
    leaves = 0
    for node, value in store.buckets():
        root, content, entries = decode_head(value)
        leaves += entries
        depth = compute_dense_depth(leaves)
        if depth > top.depth:
            top.grow(depth)
        top.set(node, root, BUCKET | content)
    if leaves:
        load_inner_nodes(top)
    return leaves

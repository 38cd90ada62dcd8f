"""What a block does to the state tree, computed once per block over an unchanged tree. Pure.

Start with `compute_delta`: the changed leaves are grouped by bucket, each touched bucket is hashed
anew, then each node above them once, level by level up to the root.
"""

from collections.abc import Iterable
from hashlib import sha256

import msgspec

from hansa.ledger.tree_bucket import (
    EMPTY_HASH,
    MANY,
    BucketStore,
    Change,
    change_entries,
    combine,
    compute_change,
    compute_subtree,
    decode_bucket,
    encode_bucket,
    split_entries,
)
from hansa.ledger.tree_top import (
    BUCKET,
    BUCKET_CROWDED,
    BUCKET_LEAVES_MAX,
    CONTENT,
    INNER,
    NODE_DEPTH_MAX,
    TreeTop,
    compute_dense_depth,
    read_hash,
)


class TreeDelta(msgspec.Struct, frozen=True):
    """What a block does to the tree: computed without changing it, then applied.

    root: the new root. buckets: stored values to write (None: delete), by node. The rest is the
    tree's own: base: root it was computed on; levels: new hashes by node, one dict for each depth
    from the root down, sorted; kinds: those that changed, by node; replaced: the buckets' values
    before; leaves: how many there are after.
    """

    root: bytes
    buckets: dict[int, bytes | None]
    base: bytes
    levels: list[dict[int, bytes]]
    kinds: dict[int, int]
    replaced: dict[int, bytes | None]
    leaves: int


def compute_delta(
    top: TreeTop, store: BucketStore, leaves: int, changes: Iterable[tuple[bytes, bytes | None]]
) -> TreeDelta:
    """The delta of setting (or, None, removing) records by state key in a tree of so many leaves.

    Of two changes of one key the later holds.
    """
    wanted = dict([compute_change(key, value) for key, value in changes])
    work = _Work(top, store, leaves, compute_dense_depth(leaves + len(wanted)))
    work.change_buckets(sorted(wanted.items()))
    work.hash_levels()
    base = top.get_hash(1)
    return TreeDelta(
        root=work.levels[0].get(1, base),
        buckets=work.buckets,
        base=base,
        levels=work.levels,
        kinds=work.kinds,
        replaced=work.replaced,
        leaves=work.leaves,
    )


class _Work:
    """One computation: new buckets, hashes and kinds over an unchanged top and store."""

    def __init__(self, top: TreeTop, store: BucketStore, leaves: int, dense_depth: int) -> None:
        self._top = top
        self._store = store
        self._dense_depth = dense_depth
        self.leaves = leaves
        self.levels: list[dict[int, bytes]] = [{}]
        self.kinds: dict[int, int] = {}
        self.buckets: dict[int, bytes | None] = {}
        self.replaced: dict[int, bytes | None] = {}

    def change_buckets(self, changes: list[Change]) -> None:
        """Hash anew each bucket that `changes`, sorted by path, touch."""
        find_bucket = self._top.find_bucket
        current, group = 0, list[Change]()
        for change in changes:
            node = find_bucket(change[0])
            if node == current:
                group.append(change)
                continue
            if group:
                self._change_bucket(current, group)
            current, group = node, [change]
        if group:
            self._change_bucket(current, group)

    def _change_bucket(self, node: int, changes: list[Change]) -> None:
        value = self._store.bucket(node)
        entries = decode_bucket(value)
        before = len(entries)
        if not change_entries(entries, changes):
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
        """Turn a bucket into an inner node over two buckets, as deep as needed.

        The inner node itself is hashed with its level.
        """
        middle = split_entries(entries, depth)
        self.kinds[node] = INNER | MANY
        for child, part in ((node << 1, entries[:middle]), (node << 1 | 1, entries[middle:])):
            if self._is_crowded(len(part), depth + 1):
                self._split(child, depth + 1, part)
            else:
                self.replaced[child] = None
                self._place(child, depth + 1, part)

    def _place(self, node: int, depth: int, entries: list[bytes]) -> None:
        joined = b"".join(entries)
        root, content = compute_subtree(joined, depth)
        self.buckets[node] = encode_bucket(root, content, joined) if entries else None
        levels = self.levels
        while len(levels) <= depth:
            levels.append({})
        levels[depth][node] = root
        self._set_kind(node, BUCKET | content)

    def _set_kind(self, node: int, kind: int) -> None:
        if self._top.get_kind(node) != kind:
            self.kinds[node] = kind

    def hash_levels(self) -> None:
        """Hash every node above the changed buckets once, from the deepest level up."""
        levels = self.levels
        for depth in range(len(levels) - 1, 0, -1):
            above = levels[depth - 1]
            buckets_above = len(above)
            if depth <= self._top.depth:
                self._hash_level(levels[depth], above)
            else:
                self._hash_deep_level(levels[depth], above)
            if buckets_above:
                levels[depth - 1] = dict(sorted(above.items()))

    def _hash_level(self, level: dict[int, bytes], above: dict[int, bytes]) -> None:
        """The hot loop: this level and its parents are in the flat arrays."""
        flat, kinds = self._top.hashes, self._top.kinds
        many, empty, get = INNER | MANY, EMPTY_HASH, level.get
        other: bytes | None
        for node, node_hash in level.items():
            other = get(node ^ 1)
            if node & 1:
                if other is not None:
                    continue  # hashed with its left sibling
                other = read_hash(flat, (node - 1) << 5)[0]
                pair = b"\x01" + other + node_hash
            else:
                if other is None:
                    other = read_hash(flat, (node + 1) << 5)[0]
                pair = b"\x01" + node_hash + other
            parent = node >> 1
            if node_hash == empty or other == empty:
                self._hash_parent(parent, level, above)
                continue
            above[parent] = sha256(pair).digest()
            if kinds[parent] != many:
                self.kinds[parent] = many

    def _hash_deep_level(self, level: dict[int, bytes], above: dict[int, bytes]) -> None:
        for parent in sorted({node >> 1 for node in level}):
            self._hash_parent(parent, level, above)

    def _hash_parent(self, parent: int, level: dict[int, bytes], above: dict[int, bytes]) -> None:
        """The general rule, where children may be empty or single leaves."""
        left, left_content = self._get(parent << 1, level)
        right, right_content = self._get(parent << 1 | 1, level)
        above[parent], content = combine(left, left_content, right, right_content)
        self._set_kind(parent, INNER | content)

    def _get(self, node: int, level: dict[int, bytes]) -> tuple[bytes, int]:
        node_hash = level.get(node)
        if node_hash is None:
            node_hash = self._top.get_hash(node)
        kind = self.kinds.get(node)
        return node_hash, (self._top.get_kind(node) if kind is None else kind) & CONTENT

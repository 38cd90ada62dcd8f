"""The state tree's buckets and the records in the node's store: how a state is written and read.

Touches the store that it is given.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from hansa.ledger.blocks import Change
from hansa.ledger.tree_bucket import (
    ENTRY_BYTES,
    compute_subtree,
    encode_bucket,
    split_entries,
)
from hansa.ledger.tree_top import (
    BUCKET_CROWDED,
    BUCKET_LEAVES_MAX,
    NODE_DEPTH_MAX,
    compute_dense_depth,
)
from hansa.node.key_value import Store, WriteBatch

_NODE_BYTES: Final = 8


class StoredBuckets:
    """The tree's buckets in the store (hansa.ledger.tree_bucket.BucketStore)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # Old values of what is being written, until the tree has it too.
        self.hidden: Mapping[int, bytes | None] = {}

    def bucket(self, node: int) -> bytes | None:
        """The stored value of a bucket, or None."""
        while True:
            hidden = self.hidden
            if node in hidden:
                return hidden[node]
            value = self._store.get("buckets", node.to_bytes(_NODE_BYTES, "big"))
            if hidden is self.hidden:
                return value

    def buckets(self) -> Iterator[tuple[int, bytes]]:
        """All stored buckets."""
        for key, value in self._store.iterate("buckets"):
            yield int.from_bytes(key, "big"), value


def write_state(
    batch: WriteBatch, changes: Iterable[Change], buckets: Mapping[int, bytes | None]
) -> None:
    """Put records and buckets into a write; None removes."""
    for key, value in changes:
        batch.write("records", key, value)
    for node, stored in buckets.items():
        batch.write("buckets", node.to_bytes(_NODE_BYTES, "big"), stored)


def write_buckets(batch: WriteBatch, node: int, entries: bytes, leaves: int) -> None:
    """Put into a write the buckets of a whole subtree: `entries` are its leaves, in order.

    `node` is its heap index; `leaves` how many the whole tree has, which decides how deep its
    buckets lie (hansa.ledger.tree_top). The layout never influences the root.
    """
    rows = range(0, len(entries), ENTRY_BYTES)
    _place(batch, node, [entries[at : at + ENTRY_BYTES] for at in rows], leaves)


def _place(batch: WriteBatch, node: int, entries: list[bytes], leaves: int) -> None:
    depth = node.bit_length() - 1
    is_dense = depth < compute_dense_depth(leaves)
    room = BUCKET_LEAVES_MAX if is_dense else BUCKET_CROWDED
    if len(entries) > room and depth < NODE_DEPTH_MAX:
        middle = split_entries(entries, depth)
        _place(batch, node << 1, entries[:middle], leaves)
        _place(batch, node << 1 | 1, entries[middle:], leaves)
    elif entries:
        joined = b"".join(entries)
        root, content = compute_subtree(joined, depth)
        value = encode_bucket(root, content, joined)
        batch.put("buckets", node.to_bytes(_NODE_BYTES, "big"), value)

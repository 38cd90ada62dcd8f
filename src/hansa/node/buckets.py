"""The state tree's buckets and the records in the node's store: how a state is written and read.

Touches the store that it is given.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from hansa.ledger.blocks import Change
from hansa.node.key_value import Batch, KeyValueStore

_NODE_BYTES: Final = 8


class StoredBuckets:
    """The tree's buckets in the store (hansa.ledger.tree_bucket.BucketStore)."""

    def __init__(self, store: KeyValueStore) -> None:
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
    batch: Batch, changes: Iterable[Change], buckets: Mapping[int, bytes | None]
) -> None:
    """Put records and buckets into a write; None removes."""
    for key, value in changes:
        batch.write("records", key, value)
    for node, stored in buckets.items():
        batch.write("buckets", node.to_bytes(_NODE_BYTES, "big"), stored)

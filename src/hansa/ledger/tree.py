"""The state tree (D5): one root over all records, presence and absence proofs. Pure; its store is
passed in.

A compact sparse Merkle tree of ICS-23's `SmtSpec` (see `tree_proof`). The top is in memory
(`tree_top`), leaves are in stored buckets (`tree_bucket`). A block's changes are hashed once: each
touched bucket, then each node above, once.
"""

from collections import deque
from collections.abc import Iterable
from typing import ClassVar

from hansa.ledger.rejections import Rejection, invariant
from hansa.ledger.tree_bucket import BucketStore, MemoryBuckets
from hansa.ledger.tree_delta import TreeDelta, compute_delta
from hansa.ledger.tree_proof import StateProof
from hansa.ledger.tree_top import (
    TreeTop,
    Undo,
    compute_dense_depth,
    load_buckets,
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
# What those versions may take in memory, roughly. Blocks of many changes leave fewer versions, but
# always the one before: the state that the newest header commits to.
UNDO_BYTES_MAX = 64 * 2**20


class VersionPruned(Rejection):
    """The state of that height is not kept."""

    CODE: ClassVar[str] = "version_pruned"
    RULE: ClassVar[str] = "D5"
    TEXT: ClassVar[str] = (
        "The state at height {height} cannot be proved: kept are {first} to {last}."
    )
    REMEDY: ClassVar[str] = "Ask for a proof at height {last}."


class StateTree:
    """The tree over one store. One writer: callers keep `apply` (and the store's write) apart from
    other calls.
    """

    def __init__(self, store: BucketStore, version: int = 0) -> None:
        self._store = store
        self._top = TreeTop()
        self._undos: deque[Undo] = deque()
        self._undo_bytes = 0
        self.version = version
        self.leaves = load_buckets(self._top, store)
        self.root = self._top.get_hash(1)

    def compute(self, changes: Iterable[tuple[bytes, bytes | None]]) -> TreeDelta:
        """The delta of setting (or, None, removing) records by state key. Changes nothing."""
        return compute_delta(self._top, self._store, self.leaves, changes)

    def apply(self, delta: TreeDelta, height: int) -> None:
        """Become the version after `delta`, at `height`; its buckets are already in the store."""
        invariant(delta.base == self.root, "a tree delta was computed on another version")
        invariant(height > self.version or not self._undos, "tree versions go up")
        self._top.grow(compute_dense_depth(delta.leaves))
        old = replace_nodes(self._top, delta.levels, delta.kinds)
        self._undos.append(Undo(self.version, height, *old, delta.replaced))
        self._forget_versions()
        self.root, self.leaves, self.version = delta.root, delta.leaves, height

    def _forget_versions(self) -> None:
        undos = self._undos
        self._undo_bytes += undos[-1].size
        while len(undos) > VERSIONS_KEPT or (len(undos) > 1 and self._undo_bytes > UNDO_BYTES_MAX):
            self._undo_bytes -= undos.popleft().size

    @property
    def first_version(self) -> int:
        """The oldest height whose state can be proved."""
        return self._undos[0].before if self._undos else self.version

    def prove(self, key: bytes, height: int) -> StateProof:
        """Proof that `key` has its record, or has none, in the state of `height`. Raises
        VersionPruned.
        """
        first = self.first_version
        if not first <= height <= self.version:
            raise VersionPruned(height=height, first=first, last=self.version)
        later = [undo for undo in self._undos if undo.height > height]
        return TreeView(self._top, self._store, later).prove(key)

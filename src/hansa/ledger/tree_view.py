"""One kept version of the state tree, for proofs: the current top and buckets seen through what
later versions replaced.

Pure: reads the top and the store it is given, writes nothing.
"""

from bisect import bisect_left
from collections.abc import Sequence
from hashlib import sha256

from hansa.encoding.text import encode_base64url
from hansa.ledger.tree_bucket import (
    MANY,
    PATH_BITS,
    BucketStore,
    compute_subtree,
    decode_bucket,
    split_entries,
)
from hansa.ledger.tree_proof import Neighbour, StateProof, encode_sibling
from hansa.ledger.tree_top import CONTENT, INNER, TreeTop, Undo


class TreeView:
    """The version before all of `later` (oldest first)."""

    def __init__(self, top: TreeTop, store: BucketStore, later: Sequence[Undo]) -> None:
        self._top = top
        self._store = store
        self._later = later

    def prove(self, key: bytes) -> StateProof:
        """Proof of presence of `key`, or of its absence by the leaves before and after it."""
        key_digest = sha256(key).digest()
        path = sha256(key_digest).digest()
        left, found, right = self._find(path)
        name = encode_base64url(key_digest)
        if found is not None:
            siblings = _encode_siblings(self._list_siblings(path))
            return StateProof(name, encode_base64url(found[96:]), siblings, None, None)
        left_siblings = [] if left is None else self._list_siblings(left[:32])
        right_siblings = [] if right is None else self._list_siblings(right[:32])
        above: list[bytes] = []
        if left is not None and right is not None:
            fork = _compute_fork(left[:32], right[:32])
            above = left_siblings[:fork]
            left_siblings, right_siblings = left_siblings[fork + 1 :], right_siblings[fork + 1 :]
        before = None if left is None else _encode_neighbour(left, left_siblings)
        after = None if right is None else _encode_neighbour(right, right_siblings)
        return StateProof(name, None, _encode_siblings(above), before, after)

    def _get_hash(self, node: int) -> bytes:
        for undo in self._later:
            old = undo.get_hash(node)
            if old is not None:
                return old
        return self._top.get_hash(node)

    def _get_kind(self, node: int) -> int:
        for undo in self._later:
            if node in undo.kinds:
                return undo.kinds[node]
        return self._top.get_kind(node)

    def _list_entries(self, node: int) -> list[bytes]:
        for undo in self._later:
            if node in undo.buckets:
                return decode_bucket(undo.buckets[node])
        return decode_bucket(self._store.bucket(node))

    def _find(self, path: bytes) -> tuple[bytes | None, bytes | None, bytes | None]:
        """The last leaf before `path`, the leaf at it, the first leaf after it."""
        node, depth, left_tree, right_tree = 1, 0, 0, 0
        while self._get_kind(node) & INNER:
            node = node << 1 | _bit(path, depth)
            depth += 1
            if self._get_kind(node ^ 1) & CONTENT:
                if node & 1:
                    left_tree = node ^ 1
                else:
                    right_tree = node ^ 1
        entries = self._list_entries(node)
        index = bisect_left(entries, path)
        after = index
        found = None
        if index < len(entries) and entries[index].startswith(path):
            found, after = entries[index], index + 1
        left = entries[index - 1] if index else self._get_edge(left_tree, last=True)
        right = entries[after] if after < len(entries) else self._get_edge(right_tree, last=False)
        return left, found, right

    def _get_edge(self, node: int, *, last: bool) -> bytes | None:
        """The first or last leaf of a subtree that is not empty; None for node 0."""
        if not node:
            return None
        while self._get_kind(node) & INNER:
            outer = node << 1 | last
            node = outer if self._get_kind(outer) & CONTENT else outer ^ 1
        return self._list_entries(node)[-1 if last else 0]

    def _list_siblings(self, path: bytes) -> list[bytes]:
        """Hashes beside the way from the root to the leaf at `path`, which exists; it ends where
        the leaf is alone.
        """
        node, depth, siblings = 1, 0, list[bytes]()
        while True:
            kind = self._get_kind(node)
            if kind & CONTENT != MANY:
                return siblings
            if not kind & INNER:
                break
            node = node << 1 | _bit(path, depth)
            depth += 1
            siblings.append(self._get_hash(node ^ 1))
        entries = self._list_entries(node)
        while len(entries) > 1:
            middle = split_entries(entries, depth)
            left, right = entries[:middle], entries[middle:]
            entries, other = (right, left) if _bit(path, depth) else (left, right)
            depth += 1
            siblings.append(compute_subtree(b"".join(other), depth)[0])
        return siblings


def _bit(path: bytes, depth: int) -> int:
    return path[depth >> 3] >> (7 - (depth & 7)) & 1


def _compute_fork(one: bytes, other: bytes) -> int:
    difference = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return PATH_BITS - difference.bit_length()


def _encode_siblings(siblings: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(encode_sibling(sibling) for sibling in siblings)


def _encode_neighbour(entry: bytes, siblings: Sequence[bytes]) -> Neighbour:
    return Neighbour(
        encode_base64url(entry[64:96]), encode_base64url(entry[96:]), _encode_siblings(siblings)
    )

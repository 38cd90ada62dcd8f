"""Buckets of the state tree: all leaves under one node as one stored value. Pure: bytes in, bytes
out.

Value: root hash (32 bytes), content (1 byte: EMPTY, ONE or MANY), then entries sorted by path, each
128 bytes: path, leaf hash, SHA-256 of the state key, SHA-256 of the record.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from struct import Struct
from typing import Protocol

# What a subtree holds. A subtree with exactly one leaf is that leaf's hash, so the number matters
# up to two.
EMPTY, ONE, MANY = 0, 1, 2
EMPTY_HASH = bytes(32)
PATH_BITS = 256

_HEAD_BYTES = 33
_ENTRY = Struct("32s32s64s")

# (path, leaf hash, key digest + record digest)
Entry = tuple[bytes, bytes, bytes]
# (path, leaf hash or None to remove, key digest + record digest)
Change = tuple[bytes, bytes | None, bytes]

# hashlib directly: one call less for each of the hottest operations of the kernel.
_sha256 = hashlib.sha256


class BucketStore(Protocol):
    """Where the stored buckets are. `node` is a heap index: root 1, children 2n and 2n+1, always
    below 2**63.
    """

    def bucket(self, node: int) -> bytes | None:
        """The stored value of a bucket, or None."""

    def buckets(self) -> Iterator[tuple[int, bytes]]:
        """All stored buckets, in any order."""


class MemoryBuckets:
    """A BucketStore in memory, for tests and for a state that is not stored."""

    def __init__(self) -> None:
        self._values: dict[int, bytes] = {}

    def bucket(self, node: int) -> bytes | None:
        """The stored value of a bucket, or None."""
        return self._values.get(node)

    def buckets(self) -> Iterator[tuple[int, bytes]]:
        """All stored buckets."""
        return iter(self._values.items())

    def write(self, changes: Mapping[int, bytes | None]) -> None:
        """Store the buckets of a delta; None removes."""
        for node, value in changes.items():
            if value is None:
                self._values.pop(node, None)
            else:
                self._values[node] = value


def compute_change(key: bytes, value: bytes | None) -> Change:
    """The leaf of one state key: path = SHA256(K), leaf = SHA256(0x00 | path | SHA256(V)), ICS-23
    SmtSpec.
    """
    key_digest = _sha256(key).digest()
    path = _sha256(key_digest).digest()
    if value is None:
        return path, None, b""
    value_digest = _sha256(value).digest()
    leaf = _sha256(b"\x00" + path + _sha256(value_digest).digest()).digest()
    return path, leaf, key_digest + value_digest


def decode_bucket(value: bytes | None) -> list[Entry]:
    """Entries of a stored bucket, sorted by path."""
    if value is None:
        return []
    return list(_ENTRY.iter_unpack(value[_HEAD_BYTES:]))


def encode_bucket(root: bytes, content: int, entries: Iterable[Entry]) -> bytes:
    """The stored value of a bucket."""
    return b"".join((root, bytes((content,)), *chain.from_iterable(entries)))


def decode_head(value: bytes) -> tuple[bytes, int, int]:
    """Root hash, content and number of entries of a stored bucket, without reading its entries."""
    return value[:32], value[32], (len(value) - _HEAD_BYTES) // _ENTRY.size


def change_entries(entries: list[Entry], changes: Iterable[Change]) -> bool:
    """Set and remove leaves in `entries`, in place; whether anything changed."""
    changed = False
    for path, leaf, digests in changes:
        index = bisect_left(entries, (path,))
        found = index < len(entries) and entries[index][0] == path
        if leaf is None:
            if found:
                del entries[index]
                changed = True
        elif not found:
            entries.insert(index, (path, leaf, digests))
            changed = True
        elif entries[index][1] != leaf:
            entries[index] = (path, leaf, digests)
            changed = True
    return changed


def split_entries(entries: Sequence[Entry], depth: int) -> int:
    """How many of `entries` (sorted, one subtree at `depth`) belong to its left child."""
    path = int.from_bytes(entries[0][0], "big")
    below = PATH_BITS - 1 - depth
    middle = (path >> below | 1) << below
    return bisect_left(entries, (middle.to_bytes(32, "big"),))


def combine(left: bytes, left_content: int, right: bytes, right_content: int) -> tuple[bytes, int]:
    """Hash and content of an inner node: what has one leaf is that leaf, from any depth."""
    content = left_content + right_content
    if content < MANY:
        return (left if left_content else right), content
    return _sha256(b"\x01" + left + right).digest(), MANY


def compute_subtree(entries: Sequence[Entry], depth: int) -> tuple[bytes, int]:
    """Root hash and content of the subtree at `depth` that holds exactly `entries` (sorted by
    path).

    One pass: a subtree waits until the fork that joins it with its right neighbour is reached.
    """
    if len(entries) < 2:
        return (entries[0][1], ONE) if entries else (EMPTY_HASH, EMPTY)
    waiting: list[tuple[int, bytes]] = []
    path = int.from_bytes(entries[0][0], "big")
    node = entries[0][1]
    top = 0  # depth of `node`, or 0 when it is a single leaf, which has no fixed depth
    for next_path_bytes, leaf, _ in entries[1:]:
        next_path = int.from_bytes(next_path_bytes, "big")
        fork = PATH_BITS - (path ^ next_path).bit_length()
        while waiting and waiting[-1][0] > fork:
            level, left = waiting.pop()
            if top > level + 1:
                node = _lift(node, path, top, level + 1)
            node = _sha256(b"\x01" + left + node).digest()
            top = level
        if top > fork + 1:
            node = _lift(node, path, top, fork + 1)
        waiting.append((fork, node))
        path, node, top = next_path, leaf, 0
    while waiting:
        level, left = waiting.pop()
        if top > level + 1:
            node = _lift(node, path, top, level + 1)
        node = _sha256(b"\x01" + left + node).digest()
        top = level
    return _lift(node, path, top, depth), MANY


def _lift(node: bytes, path: int, top: int, depth: int) -> bytes:
    """Hash of the ancestor at `depth` of a subtree at `top` whose neighbours up to there are all
    empty.
    """
    for level in range(top - 1, depth - 1, -1):
        if path >> (PATH_BITS - 1 - level) & 1:
            node = _sha256(b"\x01" + EMPTY_HASH + node).digest()
        else:
            node = _sha256(b"\x01" + node + EMPTY_HASH).digest()
    return node

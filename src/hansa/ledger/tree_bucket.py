"""Buckets of the state tree: all leaves under one node as one stored value. Pure: bytes in, bytes
out.

Value: root hash (32 bytes), content (1 byte: EMPTY, ONE or MANY), then entries sorted by path, each
128 bytes: path, leaf hash, SHA-256 of the state key, SHA-256 of the record.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from struct import Struct
from typing import Protocol

# What a subtree holds. A subtree with exactly one leaf is that leaf's hash, so the number matters
# up to two.
EMPTY, ONE, MANY = 0, 1, 2
EMPTY_HASH = bytes(32)
PATH_BITS = 256

HEAD_BYTES = 33
ENTRY_BYTES = 128
_CONTENTS = (b"\x00", b"\x01", b"\x02")
# First 64 bits of the path and leaf hash of each entry, for buckets of the usual sizes.
_COLUMNS = tuple(Struct(">" + "Q24x32s64x" * count) for count in range(33))

# (path, entry to set or None to remove the leaf)
Change = tuple[bytes, bytes | None]


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
    key_digest = sha256(key).digest()
    path = sha256(key_digest).digest()
    if value is None:
        return path, None
    value_digest = sha256(value).digest()
    leaf = sha256(b"\x00" + path + sha256(value_digest).digest()).digest()
    return path, path + leaf + key_digest + value_digest


def decode_bucket(value: bytes | None) -> list[bytes]:
    """Entries of a stored bucket, sorted by path."""
    if value is None:
        return []
    return [value[at : at + ENTRY_BYTES] for at in range(HEAD_BYTES, len(value), ENTRY_BYTES)]


def encode_bucket(root: bytes, content: int, entries: bytes) -> bytes:
    """The stored value of a bucket."""
    return root + _CONTENTS[content] + entries


def change_entries(entries: list[bytes], changes: Iterable[Change]) -> bool:
    """Set and remove leaves in `entries`, in place; whether anything changed."""
    changed = False
    for path, entry in changes:
        index = bisect_left(entries, path)
        found = index < len(entries) and entries[index].startswith(path)
        if entry is None:
            if found:
                del entries[index]
                changed = True
        elif not found:
            entries.insert(index, entry)
            changed = True
        elif entries[index] != entry:
            entries[index] = entry
            changed = True
    return changed


def split_entries(entries: Sequence[bytes], depth: int) -> int:
    """How many of `entries` (sorted, one subtree at `depth`) belong to its left child."""
    path = int.from_bytes(entries[0][:32], "big")
    below = PATH_BITS - 1 - depth
    middle = (path >> below | 1) << below
    return bisect_left(entries, middle.to_bytes(32, "big"))


def combine(left: bytes, left_content: int, right: bytes, right_content: int) -> tuple[bytes, int]:
    """Hash and content of an inner node: what has one leaf is that leaf, from any depth."""
    content = left_content + right_content
    if content < MANY:
        return (left if left_content else right), content
    return sha256(b"\x01" + left + right).digest(), MANY


def compute_subtree(entries: bytes, depth: int) -> tuple[bytes, int]:
    """Root hash and content of the subtree at `depth` that holds exactly `entries` (joined,
    sorted
    by path).

    One pass: a subtree waits until the fork that joins it with its right neighbour is reached.
    """
    if len(entries) <= ENTRY_BYTES:
        return (entries[32:64], ONE) if entries else (EMPTY_HASH, EMPTY)
    paths, leaves, bits = _read_columns(entries)
    waiting: list[tuple[int, bytes]] = []  # left subtrees, each with the fork before it
    fork = -1  # depth at which the last of them meets `node`
    path, node, top = paths[0], leaves[0], 0  # top: depth of `node`; 0: a leaf, which has none
    for next_path, leaf in zip(paths[1:], leaves[1:], strict=True):
        next_fork = bits - (path ^ next_path).bit_length()
        while fork > next_fork:
            if top > fork + 1:
                node = _lift(node, path >> (bits - top), top - fork - 1)
            top = fork
            fork, left = waiting.pop()
            node = sha256(b"\x01" + left + node).digest()
        if top > next_fork + 1:
            node = _lift(node, path >> (bits - top), top - next_fork - 1)
        waiting.append((fork, node))
        path, node, top, fork = next_path, leaf, 0, next_fork
    while waiting:
        if top > fork + 1:
            node = _lift(node, path >> (bits - top), top - fork - 1)
        top = fork
        fork, left = waiting.pop()
        node = sha256(b"\x01" + left + node).digest()
    return _lift(node, path >> (bits - top), top - depth), MANY


def _read_columns(entries: bytes) -> tuple[Sequence[int], Sequence[bytes], int]:
    """Paths as integers, leaf hashes, and how many bits of the paths were needed."""
    count = len(entries) // ENTRY_BYTES
    if count < len(_COLUMNS):
        fields = _COLUMNS[count].unpack(entries)
        paths = fields[0::2]
        if len(set(paths)) == count:
            return paths, fields[1::2], 64
    rows = range(0, len(entries), ENTRY_BYTES)
    wide = [int.from_bytes(entries[at : at + 32], "big") for at in rows]
    return wide, [entries[at + 32 : at + 64] for at in rows], PATH_BITS


def _lift(node: bytes, way: int, levels: int) -> bytes:
    """Hash of the ancestor so many levels up whose other children are all empty.

    `way`: the path down to the node, its lowest bit the last step.
    """
    for _ in range(levels):
        pair = EMPTY_HASH + node if way & 1 else node + EMPTY_HASH
        node = sha256(b"\x01" + pair).digest()
        way >>= 1
    return node

"""The state tree by its definition, slow and short; and a way to give test keys the paths one
likes.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from unittest.mock import patch

from hansa.ledger import tree_bucket, tree_proof, tree_view

EMPTY = bytes(32)


def digest(data: bytes) -> bytes:
    return sha256(data).digest()


def define_root(
    records: Mapping[bytes, bytes], paths: Mapping[bytes, bytes] | None = None
) -> bytes:
    """Root by the definition of ICS-23's SmtSpec, compact; `paths`: chosen ones, by state key."""
    leaves = []
    for key, value in records.items():
        path = (paths or {}).get(key, digest(digest(key)))
        leaves.append((path, digest(b"\x00" + path + digest(digest(value)))))
    return define_subtree(leaves, 0)


def define_subtree(leaves: list[tuple[bytes, bytes]], depth: int) -> bytes:
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0][1]
    sides: tuple[list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]] = ([], [])
    for leaf in leaves:
        sides[leaf[0][depth // 8] >> (7 - depth % 8) & 1].append(leaf)
    left, right = (define_subtree(side, depth + 1) for side in sides)
    return digest(b"\x01" + left + right)


class _Hash:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def digest(self) -> bytes:
        return self._data


@contextmanager
def crafted_paths(paths: Mapping[bytes, bytes]) -> Iterator[None]:
    """As if the digests of these state keys (SHA-256) hashed to these paths.

    Real keys with long common prefixes cost 2**(bits/2) hashes and more: an attacker may pay, a
    test can't.
    """
    chosen = {digest(key): path for key, path in paths.items()}

    def hasher(data: bytes) -> object:
        path = chosen.get(bytes(data))
        return sha256(data) if path is None else _Hash(path)

    def hash_bytes(data: bytes) -> bytes:
        return chosen.get(bytes(data)) or digest(data)

    with (
        patch.object(tree_bucket, "sha256", hasher),
        patch.object(tree_view, "sha256", hasher),
        patch.object(tree_proof, "sha256", hash_bytes),
    ):
        yield


def deep_paths(count: int, bits: int, seed: bytes = b"") -> dict[bytes, bytes]:
    """State keys whose paths share exactly their first `bits` bits or more."""
    prefix = int.from_bytes(digest(b"prefix" + seed), "big") >> (256 - bits) << (256 - bits)
    paths = {}
    for number in range(count):
        rest = int.from_bytes(digest(b"rest%d" % number + seed), "big") & ((1 << (256 - bits)) - 1)
        paths[b"deep/%d/" % number + seed.hex().encode()] = (prefix | rest).to_bytes(32, "big")
    return paths

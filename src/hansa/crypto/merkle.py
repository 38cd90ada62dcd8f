"""Merkle trees of RFC 6962 as CometBFT builds them: roots, inclusion proofs, inclusion paths. Pure.

Leaf SHA-256(00 || x), inner node SHA-256(01 || left || right), split at the largest power of two
below the number of leaves, empty tree SHA-256("").
Source: RFC 6962 section 2.1; CometBFT crypto/merkle.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final, Literal

import msgspec

from hansa.crypto.hashing import sha256

HASH_SIZE: Final = 32
# Deeper than any tree that fits a block; bounds the work a hostile proof can ask for.
PATH_STEPS_MAX: Final = 40
LEAVES_MAX: Final = 2**PATH_STEPS_MAX
EMPTY_ROOT: Final = sha256(b"")


class MerkleError(ValueError):
    """A proof that is malformed, or an index outside the tree."""


class MerkleProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """CometBFT's proof: leaf `index` of `total`; aunts from the leaf's sibling up.

    The root does not commit to `total`: several totals can fit one proof. Where each bit must
    count, carry a path.
    """

    total: int
    index: int
    aunts: tuple[bytes, ...]


class MerkleStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step from a leaf to the root: the neighbour's hash, and the side on which it stands."""

    hash: bytes
    side: Literal["left", "right"]


MerklePath = tuple[MerkleStep, ...]


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Root of the tree over `leaves`, 32 bytes."""
    if not leaves:
        return EMPTY_ROOT
    level = [compute_leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        level = _fold(level)
    return level[0]


def merkle_proof(leaves: Sequence[bytes], index: int) -> MerkleProof:
    """Proof that `leaves[index]` is in the tree. Raises MerkleError when there is no such leaf."""
    if not 0 <= index < len(leaves):
        raise MerkleError("no leaf at this index")
    aunts: list[bytes] = []
    level, position = [compute_leaf_hash(leaf) for leaf in leaves], index
    while len(level) > 1:
        if position ^ 1 < len(level):
            aunts.append(level[position ^ 1])
        level, position = _fold(level), position >> 1
    return MerkleProof(total=len(leaves), index=index, aunts=tuple(aunts))


def merkle_path(leaves: Sequence[bytes], index: int) -> MerklePath:
    """Path of `leaves[index]`: the proof with each aunt's side written out. Raises MerkleError."""
    proof = merkle_proof(leaves, index)
    sides = _sides(proof.total, proof.index)
    return tuple(MerkleStep(aunt, side) for aunt, side in zip(proof.aunts, sides, strict=True))


def merkle_paths(leaves: Sequence[bytes]) -> list[MerklePath]:
    """`merkle_path` of every leaf: the tree is hashed once for all."""
    levels = [[compute_leaf_hash(leaf) for leaf in leaves]]
    while len(levels[-1]) > 1:
        levels.append(_fold(levels[-1]))
    paths = []
    for index in range(len(leaves)):
        aunts = [
            level[(index >> height) ^ 1]
            for height, level in enumerate(levels)
            if (index >> height) ^ 1 < len(level)
        ]
        sides = _sides(len(leaves), index)
        paths.append(tuple(map(MerkleStep, aunts, sides)))
    return paths


def compute_root_from_proof(leaf: bytes, proof: MerkleProof) -> bytes:
    """Root that `proof` leads to from `leaf`, to be compared. Raises MerkleError: malformed."""
    if not (0 < proof.total <= LEAVES_MAX and 0 <= proof.index < proof.total):
        raise MerkleError("index and total of the proof do not fit")
    path = []
    for aunt, side in zip_longest(proof.aunts, _sides(proof.total, proof.index)):
        if aunt is None or side is None:
            raise MerkleError("wrong number of aunts")
        path.append(MerkleStep(aunt, side))
    return compute_root_from_path(leaf, tuple(path))


def compute_root_from_path(leaf: bytes, path: MerklePath) -> bytes:
    """Root that `path` leads to from `leaf`; every bit counts. Raises MerkleError: malformed."""
    if len(path) > PATH_STEPS_MAX:
        raise MerkleError("the path is too long")
    node = compute_leaf_hash(leaf)
    for step in path:
        if len(step.hash) != HASH_SIZE:
            raise MerkleError("a hash of the proof has the wrong size")
        if step.side == "left":
            node = sha256(b"\x01" + step.hash + node)
        else:
            node = sha256(b"\x01" + node + step.hash)
    return node


def compute_leaf_hash(leaf: bytes) -> bytes:
    """Hash of one leaf: SHA-256(00 || leaf)."""
    return sha256(b"\x00" + leaf)


def _fold(level: list[bytes]) -> list[bytes]:
    """The next level up: neighbours hashed in pairs; an odd last node goes up as it is."""
    pairs = len(level) // 2
    folded = [sha256(b"\x01" + level[2 * i] + level[2 * i + 1]) for i in range(pairs)]
    if len(level) % 2:
        folded.append(level[-1])
    return folded


def _sides(total: int, index: int) -> Iterator[Literal["left", "right"]]:
    """Side of each aunt on the way up from leaf `index` of `total`."""
    width, position = total, index
    while width > 1:
        if position ^ 1 < width:
            yield "left" if position & 1 else "right"
        width, position = (width + 1) >> 1, position >> 1

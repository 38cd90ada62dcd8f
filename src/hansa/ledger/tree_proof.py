"""Proofs of the state tree: what is, or is not, in a state with a given root. Pure; small, for
offline verifiers.

The tree is the sparse Merkle tree of ICS-23's `SmtSpec` over digests: K = SHA-256(state key), V =
SHA-256(record), path = SHA-256(K), leaf = SHA-256(0x00 | path | SHA-256(V)), inner = SHA-256(0x01 |
left | right), an empty child is 32 zero bytes, and a subtree with exactly one leaf is that leaf's
hash. Neighbours therefore disclose nothing.
"""

from collections.abc import Sequence

import msgspec

from hansa.crypto.hashing import sha256
from hansa.encoding.protobuf import message_field
from hansa.encoding.text import TextError, decode_base64url, encode_base64url

_EMPTY = bytes(32)
_DEPTH_MAX = 256


class ProofError(Exception):
    """The proof does not show what is claimed."""


class Neighbour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A leaf next to an absent one: digests (base64url) and its siblings below the fork with the
    other neighbour.

    Siblings run from the top down; an empty subtree is the empty string.
    """

    key: str
    value: str
    siblings: tuple[str, ...]


class StateProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Proof that a state key has a record (`value` is its digest) or has none (`value` is null).

    key: SHA-256 of the state key, base64url without padding, as all digests here. siblings: from
    the root down; of the leaf when present, above the fork of the two neighbours when absent. left,
    right: the leaves before and after the absent one; left null: nothing before it; both null: the
    tree is empty.
    """

    key: str
    value: str | None
    siblings: tuple[str, ...]
    left: Neighbour | None
    right: Neighbour | None

    def to_ics23(self) -> bytes:
        """The same as a protobuf `cosmos.ics23.v1.CommitmentProof`, for any ICS-23 verifier.

        An empty tree has no ICS-23 proof: its non-existence proof has no neighbour and verifiers
        refuse it.
        """
        return to_ics23(self)


def verify_state_proof(root: bytes, key: bytes, value: bytes | None, proof: StateProof) -> None:
    """Check that under `root` the state key `key` has the record `value`, or none when `value` is
    None.

    Raises ProofError. Every bit of the proof is significant.
    """
    key_digest = sha256(key)
    if _decode_digest(proof.key) != key_digest:
        raise ProofError("the proof is for another key")
    if value is None:
        if proof.value is not None:
            raise ProofError("the proof shows presence, not absence")
        computed = _compute_root_absent(sha256(key_digest), proof)
    else:
        value_digest = sha256(value)
        if proof.value is None or _decode_digest(proof.value) != value_digest:
            raise ProofError("the proof is for another record")
        if proof.left is not None or proof.right is not None:
            raise ProofError("a proof of presence has no neighbours")
        path = sha256(key_digest)
        siblings = _decode_siblings(proof.siblings)
        computed = _fold(_compute_leaf(path, value_digest), path, siblings, 0)
    if computed != root:
        raise ProofError("the proof leads to another root")


def to_ics23(proof: StateProof) -> bytes:
    """Encode as a protobuf `CommitmentProof`. Raises ProofError when a digest is malformed."""
    siblings = _decode_siblings(proof.siblings)
    key = _decode_digest(proof.key)
    if proof.value is not None:
        return message_field(1, _exist(key, _decode_digest(proof.value), siblings))
    parts = message_field(1, key)
    left, right = proof.left, proof.right
    if left is not None:
        above = siblings if right is None else [*siblings, _compute_below(right, len(siblings) + 1)]
        parts += message_field(2, _exist_neighbour(left, above))
    if right is not None:
        above = siblings if left is None else [*siblings, _compute_below(left, len(siblings) + 1)]
        parts += message_field(3, _exist_neighbour(right, above))
    return message_field(2, parts)


def _compute_root_absent(path: bytes, proof: StateProof) -> bytes:
    siblings = _decode_siblings(proof.siblings)
    left, right = proof.left, proof.right
    if left is None or right is None:
        if siblings:
            raise ProofError("without two neighbours nothing stands above their fork")
        if left is not None:
            return _compute_edge(left, before=path, after=None, depth=0)
        if right is not None:
            return _compute_edge(right, before=None, after=path, depth=0)
        return _EMPTY
    left_path, right_path = sha256(_decode_digest(left.key)), sha256(_decode_digest(right.key))
    fork = _compute_fork(left_path, right_path)
    if fork != len(siblings):
        raise ProofError("the siblings above the fork do not reach it")
    left_hash = _compute_edge(left, before=path, after=None, depth=fork + 1)
    right_hash = _compute_edge(right, before=None, after=path, depth=fork + 1)
    return _fold(sha256(b"\x01" + left_hash + right_hash), left_path, siblings, 0)


def _compute_edge(
    neighbour: Neighbour, *, before: bytes | None, after: bytes | None, depth: int
) -> bytes:
    """Hash at `depth` of the subtree in which `neighbour` is the last leaf (`before` a path) or the
    first (`after`).
    """
    path = sha256(_decode_digest(neighbour.key))
    if (before is not None and path >= before) or (after is not None and path <= after):
        raise ProofError("a neighbour is on the wrong side")
    outer = 1 if before is not None else 0
    siblings = _decode_siblings(neighbour.siblings)
    _check_depth(depth, siblings)
    for level, sibling in enumerate(siblings, depth):
        if _bit(path, level) != outer and sibling != _EMPTY:
            raise ProofError("there are leaves between the neighbours")
    return _fold(_compute_leaf(path, _decode_digest(neighbour.value)), path, siblings, depth)


def _compute_below(neighbour: Neighbour, depth: int) -> bytes:
    path = sha256(_decode_digest(neighbour.key))
    leaf = _compute_leaf(path, _decode_digest(neighbour.value))
    return _fold(leaf, path, _decode_siblings(neighbour.siblings), depth)


def _compute_leaf(path: bytes, value_digest: bytes) -> bytes:
    return sha256(b"\x00" + path + sha256(value_digest))


def _compute_fork(one: bytes, other: bytes) -> int:
    """Number of leading bits that two paths share."""
    difference = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return _DEPTH_MAX - difference.bit_length()


def _fold(node: bytes, path: bytes, siblings: Sequence[bytes], depth: int) -> bytes:
    """Hash of the ancestor at `depth` of a node `len(siblings)` levels below it on `path`."""
    _check_depth(depth, siblings)
    for level in range(depth + len(siblings) - 1, depth - 1, -1):
        sibling = siblings[level - depth]
        pair = sibling + node if _bit(path, level) else node + sibling
        node = sha256(b"\x01" + pair)
    return node


def _check_depth(depth: int, siblings: Sequence[bytes]) -> None:
    if depth + len(siblings) > _DEPTH_MAX:
        raise ProofError("the proof is deeper than the tree")


def _bit(path: bytes, level: int) -> int:
    return path[level >> 3] >> (7 - (level & 7)) & 1


def _decode_digest(text: str) -> bytes:
    try:
        digest = decode_base64url(text)
    except TextError as error:
        raise ProofError("a digest is not strict base64url") from error
    if len(digest) != 32:
        raise ProofError("a digest is not 32 bytes")
    return digest


def encode_sibling(digest: bytes) -> str:
    """A sibling's hash; the empty subtree is the empty string."""
    return "" if digest == _EMPTY else encode_base64url(digest)


def _decode_siblings(texts: Sequence[str]) -> list[bytes]:
    if len(texts) > _DEPTH_MAX:
        raise ProofError("the proof is deeper than the tree")
    siblings = [_decode_digest(text) if text else _EMPTY for text in texts]
    if any(text and sibling == _EMPTY for text, sibling in zip(texts, siblings, strict=True)):
        raise ProofError("an empty sibling is the empty string")
    return siblings


# ICS-23 protobuf, field numbers of cosmos/ics23/v1/proofs.proto. SHA256 = 1, NO_PREFIX = 0 (left
# out).
_SHA256_OP = b"\x01"
_LEAF_OP = b"\x08\x01\x10\x01\x18\x01\x2a\x01\x00"


def _exist_neighbour(neighbour: Neighbour, above: Sequence[bytes]) -> bytes:
    siblings = [*above, *_decode_siblings(neighbour.siblings)]
    return _exist(_decode_digest(neighbour.key), _decode_digest(neighbour.value), siblings)


def _exist(key: bytes, value: bytes, siblings: Sequence[bytes]) -> bytes:
    path = sha256(key)
    parts = [message_field(1, key), message_field(2, value), message_field(3, _LEAF_OP)]
    for level in range(len(siblings) - 1, -1, -1):
        operation = b"\x08" + _SHA256_OP
        if _bit(path, level):
            operation += message_field(2, b"\x01" + siblings[level])
        else:
            operation += message_field(2, b"\x01") + message_field(3, siblings[level])
        parts.append(message_field(4, operation))
    return b"".join(parts)

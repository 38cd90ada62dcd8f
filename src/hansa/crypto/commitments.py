"""Salted commitments: what the chain holds of a private document (D8, I7). Pure.

SHA-256 over a fixed tag, 32 bytes of salt, and the document's bytes: whoever holds document and
salt can open it, whoever does not can't link it to a guess.
"""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

# No other hash of the house begins with these bytes.
_TAG: Final = b"hansa.vault.commitment/1\x00"
SALT_BYTES: Final = 32


def compute_commitment(content: bytes, salt: bytes) -> bytes:
    """The 32 bytes that go on chain. The salt has a fixed length, so the parts can't be shifted.

    Raises ValueError for a salt of another length.
    """
    return compute_commitment_of((content,), salt)


def compute_commitment_of(chunks: Iterable[bytes], salt: bytes) -> bytes:
    """As `compute_commitment`, for a content in pieces, such as a large file."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    digest = hashlib.sha256(_TAG + salt)
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


def is_commitment(commitment: bytes, salt: bytes, content: bytes) -> bool:
    """Whether `content` is what was committed to with `salt`."""
    return len(salt) == SALT_BYTES and hmac.compare_digest(
        compute_commitment(content, salt), commitment
    )

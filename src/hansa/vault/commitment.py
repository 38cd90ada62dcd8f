"""Salted commitments: what the chain holds of a private document (D8, I7). Pure.

SHA-256 over a fixed tag, 32 bytes of salt, and the document's bytes: whoever holds document and
salt can open it, whoever does not can't link it to a guess.
"""

import hmac

from hansa.crypto.hashing import sha256
from hansa.vault.faults import CommitmentMismatch

# No other hash of the house begins with these bytes.
_TAG = b"hansa.vault.commitment/1\x00"
SALT_BYTES = 32


def compute_commitment(content: bytes, salt: bytes) -> bytes:
    """The 32 bytes that go on chain. The salt has a fixed length, so the parts can't be shifted.

    Raises ValueError for a salt of another length.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    return sha256(_TAG + salt + content)


def open_commitment(commitment: bytes, salt: bytes, content: bytes) -> None:
    """Check that `content` is what was committed to. Raises CommitmentMismatch."""
    if len(salt) != SALT_BYTES or not hmac.compare_digest(
        compute_commitment(content, salt), commitment
    ):
        raise CommitmentMismatch("the content and the salt are not those of the commitment")

"""Salted commitments of documents in the vault (D8, I7): `crypto.commitments`, with the vault's
own refusal. Pure.
"""

from hansa.crypto.commitments import SALT_BYTES, compute_commitment, is_commitment
from hansa.vault.faults import CommitmentMismatch


def open_commitment(commitment: bytes, salt: bytes, content: bytes) -> None:
    """Check that `content` is what was committed to. Raises CommitmentMismatch."""
    if not is_commitment(commitment, salt, content):
        raise CommitmentMismatch("the content and the salt are not those of the commitment")


__all__ = ["SALT_BYTES", "CommitmentMismatch", "compute_commitment", "open_commitment"]

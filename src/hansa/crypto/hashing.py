"""Hash functions. SHA-256 is the ledger's (CometBFT, ICS-23)."""

import hashlib


def sha256(data: bytes) -> bytes:
    """SHA-256 of `data`, 32 bytes."""
    return hashlib.sha256(data).digest()

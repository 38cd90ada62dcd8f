"""Addresses of Ed25519 keys, as CometBFT has them: of validators and, as ids, of nodes. Pure.

Source: CometBFT v0.39.4 crypto/ed25519/ed25519.go, p2p/key.go.
"""

from typing import Final

from hansa.crypto.hashing import sha256

ADDRESS_SIZE: Final = 20


def compute_address(public_key: bytes) -> bytes:
    """Address of an Ed25519 public key (32 bytes): the first 20 bytes of its SHA-256."""
    return sha256(public_key)[:ADDRESS_SIZE]

"""Pairwise DIDs: a key of its own for each relation, all derived from one seed. Touches one file.

Nothing of them stands on a ledger, and two of them say nothing of each other: whoever has the seed
can make each again, whoever has not cannot tell that they belong together.
"""

import secrets
from pathlib import Path
from typing import Final

from hansa.client.faults import ClientError
from hansa.client.files import FileError, read_file, store_new
from hansa.crypto.keys import PrivateKey
from hansa.encoding.text import TextError, decode_base64url, encode_base64url

SEED_BYTES: Final = 32
RELATION_MAX: Final = 256
_SALT: Final = b"hansa.pairwise/1"


class PairwiseError(ClientError):
    """A seed or a relation that cannot be used."""

    CODE = "client.pairwise"


def derive_pairwise(seed: bytes, relation: str) -> PrivateKey:
    """The Ed25519 key for a relation: HKDF-SHA256 (RFC 5869) of the seed, `relation` as info.

    Raises PairwiseError.
    """
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = relation.encode()
    if len(seed) != SEED_BYTES or not 0 < len(info) <= RELATION_MAX:
        raise PairwiseError(
            "a relation is named by 1 to 256 bytes", "for example the verifier's DID or address"
        )
    stretched = HKDF(algorithm=SHA256(), length=32, salt=_SALT, info=info).derive(seed)
    return PrivateKey.from_seed("EdDSA", stretched)


def load_seed(path: Path) -> bytes:
    """The seed of a file; a new one, mode 0600, when there is none yet. Raises ClientError."""
    if not path.exists():
        seed = secrets.token_bytes(SEED_BYTES)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            store_new(path, encode_base64url(seed).encode() + b"\n")
        except OSError as error:
            raise FileError(
                f"cannot write {path}: {error.strerror}", "choose another folder"
            ) from error
        return seed
    if path.stat().st_mode & 0o077:
        raise PairwiseError(f"{path} can be read by others", f"chmod 600 {path}")
    try:
        seed = decode_base64url(read_file(path, 100).decode("ascii").strip())
    except (TextError, UnicodeError) as error:
        raise PairwiseError(f"{path} is not a seed", "restore it from a back-up") from error
    if len(seed) != SEED_BYTES:
        raise PairwiseError(f"{path} is not a seed", "restore it from a back-up")
    return seed

"""Keys under a passphrase: scrypt, AES-256-GCM for the files, HMAC-SHA-256 for the list. Pure but
for randomness.
"""

import hmac
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hansa.cli.backups.faults import Altered, NotABackup, WrongPassphrase
from hansa.cli.backups.form import KIND, Lock
from hansa.encoding.text import TextError, decode_base64url, encode_base64url

# As the vault's master keys: 32 MiB and about 0.1 s.
_N, _R, _P = 2**15, 8, 1
# A hostile file may not ask for more work than this.
_N_MAX: Final = 2**20
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


def make_lock() -> Lock:
    """A lock with a salt of its own."""
    return Lock(_N, _R, _P, encode_base64url(secrets.token_bytes(16)))


class Seal:
    """The key of one passphrase for one back-up."""

    def __init__(self, lock: Lock, passphrase: str) -> None:
        """Raises NotABackup for a lock that this release does not make."""
        try:
            salt = decode_base64url(lock.salt)
        except TextError:
            salt = b""
        in_range = 1 < lock.n <= _N_MAX and 0 < lock.r <= 16 and 0 < lock.p <= 4
        if not in_range or lock.n & (lock.n - 1) or len(salt) != 16:
            raise NotABackup("its lock was made by a later release", "use that release")
        kdf = Scrypt(salt=salt, length=2 * _KEY_BYTES, n=lock.n, r=lock.r, p=lock.p)
        key = kdf.derive(passphrase.encode())
        self._cipher, self._mac_key = AESGCM(key[:_KEY_BYTES]), key[_KEY_BYTES:]

    def seal(self, path: str, content: bytes) -> bytes:
        """A file for the archive."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, f"{KIND} {path}".encode())

    def open(self, path: str, box: bytes) -> bytes:
        """A file from the archive. Raises Altered."""
        try:
            nonce, sealed = box[:_NONCE_BYTES], box[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, sealed, f"{KIND} {path}".encode())
        except (InvalidTag, ValueError):
            raise Altered(f"{path} is not what was sealed", "use another back-up") from None

    def sign(self, listing: bytes) -> bytes:
        """The list's HMAC."""
        return hmac.digest(self._mac_key, listing, "sha256")

    def check(self, listing: bytes, mac: bytes) -> None:
        """Raises WrongPassphrase; also when somebody without it wrote the list anew."""
        if not hmac.compare_digest(self.sign(listing), mac):
            raise WrongPassphrase(
                "the passphrase does not open it, or its list was written by somebody without it",
                "try again; then use another back-up",
            )

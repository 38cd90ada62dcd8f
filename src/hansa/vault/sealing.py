"""Content sealed to a receiver: HPKE (RFC 9180, base mode), or an SM2 and SM4-GCM envelope. Pure
but for the randomness that sealing draws.

    hansa.sealed/1 X25519\\n   then the HPKE message: enc (32 bytes), AES-256-GCM ciphertext
    hansa.sealed/1 SM2\\n      then the SM2 ciphertext (C1 || C3 || C2, 113 bytes) of a 16-byte
                              key, a 12-byte nonce, and the SM4-GCM ciphertext

What it is for (`context`) is bound into both: HPKE's info, SM4-GCM's associated data. The digital
envelope has the parts of GM/T 0010; it is not its ASN.1.
"""

import secrets
from typing import Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from hansa.crypto import sm
from hansa.crypto.sm2_curve import Sm2Error
from hansa.vault.faults import VaultError

Alg = Literal["X25519", "SM2"]
ALGS: Final[tuple[Alg, ...]] = ("X25519", "SM2")
_MARK: Final = b"hansa.sealed/1 "
_LINE_BYTES_MAX: Final = 32
_SM4_KEY_BYTES: Final = 16
_NONCE_BYTES: Final = 12
# 04, x, y, SM3 digest, the key.
_SM2_BOX_BYTES: Final = 1 + 64 + 32 + _SM4_KEY_BYTES
_HPKE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class SealError(VaultError):
    """What was sealed can't be opened, or the key can't be sealed to."""

    CODE = "vault.seal"


class OpeningKey(msgspec.Struct, frozen=True):
    """A receiver's key: `private` 32 bytes (X25519 as RFC 7748, SM2 as big-endian scalar)."""

    alg: Alg
    private: bytes

    @classmethod
    def generate(cls, alg: Alg = "X25519") -> "OpeningKey":
        """A new random key. One for each access: who steals it later opens nothing else."""
        if alg == "X25519":
            return cls(alg, X25519PrivateKey.generate().private_bytes_raw())
        scalar = secrets.randbelow(sm.SCALAR_MAX) + 1
        return cls(alg, scalar.to_bytes(32, "big"))

    @property
    def public(self) -> bytes:
        """32 bytes, or x||y of SM2. Raises SealError."""
        if self.alg == "X25519":
            return self._x25519().public_key().public_bytes_raw()
        try:
            return sm.derive_public(int.from_bytes(self.private, "big"))
        except Sm2Error as error:
            raise _refuse_key(self.alg) from error

    def _x25519(self) -> X25519PrivateKey:
        try:
            return X25519PrivateKey.from_private_bytes(self.private)
        except ValueError as error:
            raise _refuse_key(self.alg) from error


def seal(content: bytes, *, alg: Alg, public: bytes, context: bytes) -> bytes:
    """Content that only who has the private part of `public` can open, and only for `context`.

    Raises SealError for what is no key of the algorithm.
    """
    if alg == "X25519":
        body = _seal_hpke(content, public, context)
    elif alg == "SM2":
        body = _seal_sm2(content, public, context)
    else:
        raise _refuse_key(str(alg))
    return _MARK + alg.encode() + b"\n" + body


def open_sealed(sealed: bytes, key: OpeningKey, context: bytes) -> bytes:
    """The content. Raises SealError: of another form or algorithm, another's, for another
    context, or changed.
    """
    line, _sep, body = sealed[:_LINE_BYTES_MAX].partition(b"\n")
    if line != _MARK + key.alg.encode():
        raise SealError(
            f"this is nothing sealed to a key of {key.alg}", "take the file as it was handed out"
        )
    body = sealed[len(line) + 1 :]
    try:
        if key.alg == "X25519":
            return bytes(_HPKE.decrypt(body, key._x25519(), context))
        return _open_sm2(body, key, context)
    except (InvalidTag, Sm2Error, ValueError) as error:
        raise SealError(
            "what was sealed does not open with this key, or not for this access",
            "use the key made for this access, and the file as it was handed out",
        ) from error


def _seal_hpke(content: bytes, public: bytes, context: bytes) -> bytes:
    try:
        return bytes(_HPKE.encrypt(content, X25519PublicKey.from_public_bytes(public), context))
    except ValueError as error:  # another length, or a point of small order
        raise _refuse_key("X25519") from error


def _seal_sm2(content: bytes, public: bytes, context: bytes) -> bytes:
    key, nonce = secrets.token_bytes(_SM4_KEY_BYTES), secrets.token_bytes(_NONCE_BYTES)
    try:
        wrapped = sm.encrypt(public, key, secrets.token_bytes)
    except (Sm2Error, ValueError) as error:
        raise _refuse_key("SM2") from error
    return wrapped + nonce + sm.sm4_gcm_seal(key, nonce, content, context)


def _open_sm2(body: bytes, key: OpeningKey, context: bytes) -> bytes:
    wrapped, rest = body[:_SM2_BOX_BYTES], body[_SM2_BOX_BYTES:]
    shared = sm.decrypt(int.from_bytes(key.private, "big"), wrapped)
    if len(shared) != _SM4_KEY_BYTES:
        raise Sm2Error("not a key of SM4")
    return sm.sm4_gcm_open(shared, rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], context)


def _refuse_key(alg: str) -> SealError:
    return SealError(f"that is no key of {alg}", "give the receiver's key as it was registered")

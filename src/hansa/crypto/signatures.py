"""Signature suites: one pinned library decides validity for each algorithm in consensus (D2).

EdDSA follows ZIP-215 (ed25519-zebra), as CometBFT does; ES256 is P-256 with SHA-256, raw r||s,
low s only; SM2 is GB/T 32918.2 with SM3 and the usual identifier, raw r||s, by our own arithmetic
(ADR 15). A further suite is one more entry in SUITES.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import ed25519_zebra
import msgspec

from hansa.crypto import sm
from hansa.crypto.sm2_curve import Sm2Error, parse_point
from hansa.encoding.text import TextError, decode_base64url, encode_base64url


class InvalidKey(ValueError):
    """A public key that no account may use."""


class InvalidSignature(ValueError):
    """A signature that does not hold."""


class PublicKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public key: `alg` names the suite, `public` is base64url of the raw key.

    EdDSA: 32 bytes. ES256 and SM2: 64 bytes, x||y big-endian.
    """

    alg: str
    public: str

    @property
    def raw(self) -> bytes:
        """The raw key. Raises InvalidKey when the text is not strict base64url."""
        try:
            return decode_base64url(self.public)
        except TextError as error:
            raise InvalidKey("public key is not base64url") from error

    @classmethod
    def from_raw(cls, alg: str, raw: bytes) -> "PublicKey":
        """Wrap raw key bytes."""
        return cls(alg=alg, public=encode_base64url(raw))

    def jwk(self) -> dict[str, str]:
        """The key as a JWK (RFC 7517, RFC 8037); `crv` "SM2" is registered nowhere (ADR 15)."""
        if self.alg == "EdDSA":
            return {"crv": "Ed25519", "kty": "OKP", "x": self.public}
        raw = self.raw
        return {
            "crv": "SM2" if self.alg == "SM2" else "P-256",
            "kty": "EC",
            "x": encode_base64url(raw[:32]),
            "y": encode_base64url(raw[32:]),
        }


class Suite(msgspec.Struct, frozen=True):
    """One algorithm: how a key is checked at registration and how a signature is verified."""

    alg: str
    check_key: Callable[[bytes], None]
    verify: Callable[[bytes, bytes, bytes], bool]


_P25519 = 2**255 - 19
# The y coordinates of the eight points of small order (canonical encodings, sign bit cleared).
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _P25519 - 1,
        int.from_bytes(
            bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
            "little",
        ),
        int.from_bytes(
            bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
            "little",
        ),
    }
)
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def _check_ed25519_key(raw: bytes) -> None:
    if len(raw) != 32:
        raise InvalidKey("an Ed25519 key has 32 bytes")
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y >= _P25519:
        raise InvalidKey("the Ed25519 key is not in canonical form")
    if y in _SMALL_ORDER_Y:
        raise InvalidKey("the Ed25519 key has small order: any signature would pass")


def _verify_ed25519(raw: bytes, message: bytes, signature: bytes) -> bool:
    return (
        len(raw) == 32
        and len(signature) == 64
        and bool(ed25519_zebra.ed_verify(signature, message, raw))
    )


@lru_cache(maxsize=4096)
def _load_p256(raw: bytes) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec  # 60 ms that EdDSA users don't pay

    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + raw)


def _check_p256_key(raw: bytes) -> None:
    if len(raw) != 64:
        raise InvalidKey("a P-256 key has 64 bytes, x and y")
    try:
        _load_p256(raw)
    except ValueError as error:
        raise InvalidKey("the point is not on P-256") from error


def decompress_p256(raw: bytes) -> bytes:
    """x||y of a compressed P-256 point (02 or 03, then x). Raises InvalidKey."""
    from cryptography.hazmat.primitives.asymmetric import ec

    if len(raw) != 33 or raw[0] not in (2, 3):
        raise InvalidKey("not a compressed point")
    try:
        numbers = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw).public_numbers()
    except ValueError as error:
        raise InvalidKey("the point is not on P-256") from error
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def _verify_p256(raw: bytes, message: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature as Refused
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    if len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < _P256_ORDER and 0 < s <= _P256_ORDER // 2):
        return False
    try:
        _load_p256(raw).verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except (Refused, ValueError):
        return False
    return True


def _check_sm2_key(raw: bytes) -> None:
    try:
        parse_point(raw)
    except Sm2Error as error:
        raise InvalidKey(str(error)) from error


SUITES: Mapping[str, Suite] = MappingProxyType(
    {
        "EdDSA": Suite(alg="EdDSA", check_key=_check_ed25519_key, verify=_verify_ed25519),
        "ES256": Suite(alg="ES256", check_key=_check_p256_key, verify=_verify_p256),
        "SM2": Suite(alg="SM2", check_key=_check_sm2_key, verify=sm.verify),
    }
)


def check_public_key(key: PublicKey) -> None:
    """Check a key before an account may use it: suite, size, order. Raises InvalidKey."""
    suite = SUITES.get(key.alg)
    if suite is None:
        raise InvalidKey(f"no signature suite '{key.alg}'")
    suite.check_key(key.raw)


def verify_signature(key: PublicKey, message: bytes, signature: bytes) -> None:
    """Verify one signature under the key's suite. Raises InvalidSignature."""
    suite = SUITES.get(key.alg)
    if suite is None or not suite.verify(key.raw, message, signature):
        raise InvalidSignature("the signature does not hold")

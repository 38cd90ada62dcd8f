"""Encrypted answers of wallets (direct_post.jwt): compact JWE, ECDH-ES with P-256, AES-GCM.

Pure but for the keys that it draws.

Source: RFC 7516; RFC 7518, 4.6 and 5.3; OpenID4VP 1.0, 8.3. One key for each request.
"""

import hashlib
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_document
from hansa.identity.openid.faults import OpenIdError
from hansa.identity.openid.presentations import ANSWER_BYTES_MAX

ALG: Final = "ECDH-ES"
_SIZES: Final = {"A128GCM": 16, "A256GCM": 32}
_COORDINATE_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_KEY_ID: Final = "answer"
_UNREADABLE: Final = "the answer is not encrypted to the key of this request"


class EncryptionKey:
    """The key to which the answer of one request is encrypted."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private

    @classmethod
    def generate(cls) -> "EncryptionKey":
        """A new random key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def decode(cls, text: str) -> "EncryptionKey":
        """The key of `encode`."""
        return cls(ec.derive_private_key(int(text, 16), ec.SECP256R1()))

    def encode(self) -> str:
        """Its secret, in hex."""
        return f"{self._private.private_numbers().private_value:064x}"

    def public_jwk(self) -> dict[str, str]:
        """Its public part, as the request tells it."""
        numbers = self._private.public_key().public_numbers()
        return {
            "alg": ALG,
            "crv": "P-256",
            "kid": _KEY_ID,
            "kty": "EC",
            "use": "enc",
            "x": _encode(numbers.x),
            "y": _encode(numbers.y),
        }

    def open(self, text: str) -> dict[str, Any]:
        """The JSON object of a compact JWE. Raises OpenIdError."""
        parts = text.split(".")
        if len(parts) != 5 or parts[1] or not text.isascii() or len(text) > 2 * ANSWER_BYTES_MAX:
            raise _refuse()
        try:
            header = parse_document(decode_base64url(parts[0]), size_max=4_000)
            nonce, box, tag = (decode_base64url(part) for part in parts[2:])
        except (TextError, Malformed) as why:
            raise _refuse() from why
        size = _SIZES.get(str(header.get("enc")), 0)
        is_known = header.get("alg") == ALG and size and not {"zip", "crit"} & set(header)
        if not is_known or len(nonce) != _NONCE_BYTES or len(tag) != _TAG_BYTES:
            raise _refuse()
        key = self._agree(header, size)
        try:
            plain = AESGCM(key).decrypt(nonce, box + tag, parts[0].encode())
            return parse_document(plain, size_max=ANSWER_BYTES_MAX)
        except (InvalidTag, Malformed) as why:
            raise _refuse() from why

    def _agree(self, header: dict[str, Any], size: int) -> bytes:
        """The content key (RFC 7518, 4.6.2): Concat KDF of the shared point."""
        shared = self._private.exchange(ec.ECDH(), _read_point(header.get("epk")))
        party = b"".join(_measure(_read_party(header, name)) for name in ("apu", "apv"))
        info = _measure(str(header["enc"]).encode()) + party + (8 * size).to_bytes(4, "big")
        return hashlib.sha256((1).to_bytes(4, "big") + shared + info).digest()[:size]


def _read_point(jwk: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(jwk, dict) or (jwk.get("kty"), jwk.get("crv")) != ("EC", "P-256"):
        raise _refuse()
    try:
        x, y = (decode_base64url(str(jwk.get(name))) for name in ("x", "y"))
        if len(x) != _COORDINATE_BYTES or len(y) != _COORDINATE_BYTES:
            raise _refuse()
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)
    except (TextError, ValueError) as why:
        raise _refuse() from why


def _read_party(header: dict[str, Any], name: str) -> bytes:
    try:
        return decode_base64url(str(header.get(name, "")))
    except TextError as why:
        raise _refuse() from why


def _measure(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _encode(number: int) -> str:
    return encode_base64url(number.to_bytes(_COORDINATE_BYTES, "big"))


def _refuse() -> OpenIdError:
    return OpenIdError("invalid_request", _UNREADABLE)

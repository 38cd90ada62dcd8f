"""Strict text forms of bytes: base64url without padding, and hex. Pure."""

import base64
import binascii

_BASE64URL = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class TextError(ValueError):
    """Text that is not the one strict form of some bytes."""


def encode_base64url(data: bytes) -> str:
    """Bytes to base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str | bytes) -> bytes:
    """Base64url to bytes. Raises TextError for padding, other alphabets, loose trailing bits."""
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
    except UnicodeEncodeError as error:
        raise TextError("base64url has a character outside ASCII") from error
    if not _BASE64URL.issuperset(raw) or len(raw) % 4 == 1:
        raise TextError("not base64url without padding")
    try:
        data = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise TextError("not base64url") from error
    if len(raw) % 4 and base64.urlsafe_b64encode(data).rstrip(b"=") != raw:
        raise TextError("base64url has loose trailing bits")
    return data


def decode_hex(text: str, size: int) -> bytes:
    """Lower-case hex of exactly `size` bytes. Raises TextError."""
    if len(text) != 2 * size or not frozenset("0123456789abcdef").issuperset(text):
        raise TextError(f"not {size} bytes in lower-case hex")
    return bytes.fromhex(text)

"""Strict text forms of bytes: base64url without padding, and hex. Pure."""

import base64
import binascii
import string

_BASE64URL = (string.ascii_letters + string.digits + "-_").encode()
_TO_BASE64 = bytes.maketrans(b"-_", b"+/")


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
    loose = len(raw) % 4
    if raw.translate(None, _BASE64URL) or loose == 1:
        raise TextError("not base64url without padding")
    data = binascii.a2b_base64(raw.translate(_TO_BASE64) + b"=="[: -loose % 4])
    if loose and encode_base64url(data[-(loose - 1) :]).encode() != raw[-loose:]:
        raise TextError("base64url has loose trailing bits")
    return data

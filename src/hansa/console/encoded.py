"""Base64url without padding, for the console's own cookies. Pure; what is not it is empty."""

from hansa.encoding.text import TextError, decode_base64url, encode_base64url


def encode_text(data: bytes) -> str:
    """ASCII of bytes."""
    return encode_base64url(data)


def decode_text(text: str) -> bytes:
    """Bytes of ASCII, none when it is not base64url."""
    try:
        return decode_base64url(text)
    except TextError:
        return b""

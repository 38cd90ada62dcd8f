"""The one canonical encoding: the RFC 8785 subset of decision D1. Pure.

ASCII keys in order, no floats, |integer| < 2**53, strings in any script and never normalised. What comes
from outside is decoded strictly: anything that would not encode to the very same bytes is refused.
"""

import re
from functools import lru_cache
from typing import TypeVar

import msgspec

from hansa.primitives.limits import DEPTH_MAX, INTEGER_MAX

T = TypeVar("T")

# A number that may be a float or too large, or anything outside ASCII: such input is walked value by value.
_SUSPECT = re.compile(rb"(?:^|[:,\[])-?[0-9]+[.eE]|[0-9]{16}|[^\x00-\x7f]")
_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder()


class CanonicalError(ValueError):
    """Bytes that are not the canonical form of a value."""


def encode_canonical(value: object) -> bytes:
    """Encode a struct or plain value. Callers outside consensus check plain values by decoding them again."""
    return _encoder.encode(value)


def decode_canonical(data: bytes, *, size_max: int) -> object:
    """Decode bytes from outside. Raises CanonicalError for all that is not canonical."""
    if len(data) > size_max:
        raise CanonicalError(f"longer than {size_max} bytes")
    try:
        value = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise CanonicalError("not JSON, or nested too deeply") from error
    is_simple = data.count(b"[") + data.count(b"{") <= DEPTH_MAX and not _SUSPECT.search(data)
    if not is_simple:
        _check_value(value, 0)
    try:
        again = _encoder.encode(value)
    except UnicodeEncodeError as error:
        raise CanonicalError("a string is not Unicode text") from error
    if again != data:
        raise CanonicalError(
            "not in canonical form (order of keys, spaces, escapes or repeated keys)"
        )
    return value


def check_integers(data: bytes) -> None:
    """Check that canonical bytes we made hold no float and no integer beyond 2**53. Raises CanonicalError."""
    if _SUSPECT.search(data):
        _check_value(_decoder.decode(data), 0)


@lru_cache(maxsize=512)
def _typed(type_: type) -> msgspec.json.Decoder[object]:
    return msgspec.json.Decoder(type_)


def decode_typed(data: bytes | msgspec.Raw, type_: type[T]) -> T:
    """Decode bytes already known to be canonical. Raises CanonicalError when they do not fit the type."""
    try:
        return _typed(type_).decode(data)  # type: ignore[return-value]
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise CanonicalError(str(error)) from error


def _check_value(value: object, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise CanonicalError(f"nested deeper than {DEPTH_MAX}")
    if isinstance(value, dict):
        for key, item in value.items():
            if not key.isascii():
                raise CanonicalError("a key is not ASCII")
            _check_value(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check_value(item, depth + 1)
    elif isinstance(value, float):
        raise CanonicalError("a number is not an integer")
    elif isinstance(value, int) and abs(value) > INTEGER_MAX:
        raise CanonicalError("an integer is beyond 2**53 - 1")

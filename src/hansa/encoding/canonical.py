"""The one canonical encoding: the RFC 8785 subset of decision D1. Pure.

ASCII keys in order, no floats, |integer| < 2**53, strings in any script and never normalised.
What comes from outside is decoded strictly: what would not encode to the same bytes is refused.
"""

import re
from contextlib import suppress
from functools import lru_cache
from typing import Annotated, Any, NewType, TypeVar

import msgspec

from hansa.encoding.json_faults import NOT_JSON
from hansa.primitives.limits import DEPTH_MAX, INTEGER_MAX

T = TypeVar("T")

# Sixteen digits in a row may be an integer beyond 2**53 (or part of a text): look value by value.
_SIXTEEN_DIGITS = b"0" * 16
_TO_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
# In the canonical form a number is all of it (nothing before it), or stands after one of these.
_BEFORE_NUMBERS = frozenset((b"", b":", b",", b"[", b"-"))
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_PARENTHESES = bytes.maketrans(b"[]{}", b"()()")
_NO_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")


class CanonicalError(ValueError):
    """Bytes that are not the canonical form of a value.

    The text is the same in every release of every library, for it may end in receipts; `detail`
    says more to whoever sent the bytes, in the words of the library.
    """

    detail = ""


def _refuse_float(text: str) -> float:
    raise CanonicalError(f"{text[:20]} is not an integer")


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(float_hook=_refuse_float)


def _build_shallow(levels: int) -> Any:
    """The type of values nested so deep at most: the library itself then checks every integer."""
    integer = Annotated[int, msgspec.Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)]
    shallow: Any = bool | integer | str | None
    name: Any = NewType  # with a name each: hashing types in types takes 2**levels steps
    for level in range(levels):
        nested = bool | integer | str | list[shallow] | dict[str, shallow] | None
        shallow = name(f"Shallow{level}", nested)
    return shallow


# Deep enough for a transaction of invoices; what is deeper is looked at value by value.
_shallow_decoder = msgspec.json.Decoder(_build_shallow(9))


def encode_canonical(value: object) -> bytes:
    """Encode a struct or plain value; `decode_canonical` judges what came from outside."""
    return _encoder.encode(value)


def decode_canonical(data: bytes, *, size_max: int) -> object:
    """Decode bytes from outside. Raises CanonicalError for all that is not canonical.

    What the error says is part of receipts, so it is a function of the bytes alone. The parser
    gives up on deep nesting where its caller's stack ends: such bytes are always called deep.
    """
    if len(data) > size_max:
        raise CanonicalError(f"longer than {size_max} bytes")
    try:
        return _decode_strictly(data)
    except (CanonicalError, RecursionError) as error:
        if _is_deep(data):
            raise CanonicalError(f"nested deeper than {DEPTH_MAX}") from error
        raise


def _has_long_number(data: bytes) -> bool:
    """Whether sixteen digits stand in a row, in a sixth of a regular expression's time."""
    return _SIXTEEN_DIGITS in data.translate(_TO_ZEROS)


def _has_long_integer(data: bytes) -> bool:
    """Whether sixteen digits in a row may be a number of canonical bytes, not a part of a text."""
    zeros = data.translate(_TO_ZEROS)
    start = zeros.find(_SIXTEEN_DIGITS)
    while start >= 0:
        if data[start - 1 : start] in _BEFORE_NUMBERS:
            return True
        end = start + len(_SIXTEEN_DIGITS)
        while zeros[end : end + 1] == b"0":
            end += 1
        start = zeros.find(_SIXTEEN_DIGITS, end)
    return False


def _decode_strictly(data: bytes) -> object:
    """Nearly all that is canonical is known as such at once; else it is told what is wrong."""
    with suppress(msgspec.MsgspecError, UnicodeError):
        value = _shallow_decoder.decode(data)
        if data.isascii() and _encoder.encode(value) == data:
            return value
    try:
        value = _decoder.decode(data)
    except msgspec.ValidationError as error:  # only _refuse_float and huge integers
        raise CanonicalError("a number is not an integer, or is beyond 2**53 - 1") from error
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise CanonicalError("not JSON") from error
    is_shallow = data.count(b"[") + data.count(b"{") <= DEPTH_MAX
    if not (is_shallow and data.isascii()) or _has_long_number(data):
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


def _is_deep(data: bytes) -> bool:
    """Whether bytes that were refused are nested deeper than DEPTH_MAX; in linear time."""
    brackets = _STRINGS.sub(b"", data).translate(_PARENTHESES, _NO_BRACKETS)
    for _ in range(DEPTH_MAX + 1):
        brackets = brackets.replace(b"()", b"")
    return b"()" in brackets or brackets.count(b"(") > DEPTH_MAX + 1


def check_integers(data: bytes) -> None:
    """Check that bytes we made hold no integer beyond 2**53 - 1. Raises CanonicalError.

    Digits in texts (GS1 keys have eighteen) are told from numbers by what stands before them.
    """
    if _has_long_integer(data):
        _check_value(_decoder.decode(data), 0)


@lru_cache(maxsize=512)
def _typed(type_: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_)


def decode_typed(data: bytes | msgspec.Raw, type_: type[T]) -> T:
    """Decode bytes known to be canonical. Raises CanonicalError when they do not fit."""
    try:
        decoded: T = _typed(type_).decode(data)  # type: ignore[arg-type]
    except NOT_JSON as error:
        refused = CanonicalError("a field is missing, unknown, of another type or out of bounds")
        refused.detail = str(error)
        raise refused from error
    return decoded


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
    elif isinstance(value, int) and abs(value) > INTEGER_MAX:
        raise CanonicalError("an integer is beyond 2**53 - 1")

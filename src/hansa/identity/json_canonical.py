"""RFC 8785 (JCS): the one byte form of a JSON document, foreign ones too. Pure.

Documents of ASCII keys without fractions take the ledger's own encoder (the same bytes, many times
faster); keys in other scripts and fractions take the slow way.
"""

import json
import math
from typing import Any, Final

import msgspec

from hansa.encoding.canonical import encode_canonical
from hansa.identity.faults import Malformed
from hansa.primitives.limits import INTEGER_MAX

_PLAIN: Final = frozenset((str, bool, type(None)))


def canonicalize(value: Any) -> bytes:
    """Canonical bytes of plain JSON values. Raises Malformed (no_canonical_form)."""
    try:
        return encode_canonical(value) if _is_simple(value) else _write(value).encode()
    except UnicodeEncodeError as error:
        raise Malformed("no_canonical_form", "a string is not Unicode text") from error
    except (TypeError, RecursionError) as error:
        raise Malformed("no_canonical_form", "a key is not text, or nested too deep") from error


def _is_simple(value: Any) -> bool:
    """Whether the ledger's encoder writes this value as RFC 8785 does."""
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind is dict:
        return "".join(value).isascii() and all(map(_is_simple, value.values()))
    if kind is list:
        return all(map(_is_simple, value))
    return kind is int and -INTEGER_MAX <= value <= INTEGER_MAX


def _write(value: Any) -> str:
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise Malformed("no_canonical_form", "a key is not text")
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{_write(key)}:{_write(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_write, value)) + "]"
    if type(value) is float:
        return _write_number(value)
    if type(value) is int and abs(value) > INTEGER_MAX:
        raise Malformed("no_canonical_form", "an integer is beyond 2**53 - 1")
    if value is not None and not isinstance(value, str | bool | int):
        raise Malformed("no_canonical_form", "not a JSON value")
    return msgspec.json.encode(value).decode()


def _write_number(number: float) -> str:
    """ECMAScript's Number::toString: the shortest digits that read back as the same number."""
    if not math.isfinite(number):
        raise Malformed("no_canonical_form", "not a finite number")
    if number == 0:
        return "0"
    mantissa, _, exponent = json.dumps(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    return ("-" if number < 0 else "") + _place_point(digits, point)


def _place_point(digits: str, point: int) -> str:
    """ECMA-262 6.1.6.1.20: `point` digits stand before the decimal point."""
    size = len(digits)
    if size <= point <= 21:
        return digits + "0" * (point - size)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    rest = f".{digits[1:]}" if size > 1 else ""
    return f"{digits[0]}{rest}e{point - 1:+}"

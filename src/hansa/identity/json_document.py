"""JSON documents from outside, read strictly and bounded: what two readers may see differently is
refused. Pure.

Source: RFC 8259, RFC 7493 (I-JSON). Codes: too_large, wrong_encoding, too_deep, duplicate_key,
not_json, not_an_object, number_out_of_range.
"""

import json
import math
import re
from typing import Any, Final, NoReturn

import msgspec

from hansa.identity.faults import Malformed
from hansa.primitives.limits import INTEGER_MAX

# A credential with a picture's digest, not the picture: content stays in the vault.
DOCUMENT_BYTES_MAX: Final = 256_000
# Credentials inside presentations inside envelopes; deeper is an attack on readers.
DOCUMENT_DEPTH_MAX: Final = 32

_STRINGS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_ROUND: Final = bytes.maketrans(b"[]{}", b"()()")
_NO_BRACKETS: Final = bytes(code for code in range(256) if code not in b"[]{}")


def parse_document(data: bytes, *, size_max: int = DOCUMENT_BYTES_MAX) -> dict[str, Any]:
    """JSON object of UTF-8 bytes from outside. Raises Malformed."""
    value = parse_value(data, size_max=size_max)
    if not isinstance(value, dict):
        raise Malformed("not_an_object", "a document is a JSON object")
    return value


def parse_value(data: bytes, *, size_max: int = DOCUMENT_BYTES_MAX) -> Any:
    """JSON value of UTF-8 bytes from outside. Raises Malformed."""
    if len(data) > size_max:
        raise Malformed("too_large", f"longer than {size_max} bytes")
    text = _decode_text(data)
    if data.count(b"[") + data.count(b"{") > DOCUMENT_DEPTH_MAX and _is_deep(data):
        raise Malformed("too_deep", f"nested deeper than {DOCUMENT_DEPTH_MAX}")
    try:
        value = _DECODER.decode(text)
        msgspec.json.encode(value)
    except Malformed:
        raise
    except UnicodeEncodeError as error:
        raise Malformed("wrong_encoding", "a string is not Unicode text") from error
    except (ValueError, RecursionError) as error:
        raise Malformed("not_json", "not JSON") from error
    return value


def _decode_text(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("wrong_encoding", "not UTF-8") from error
    if text.startswith("\ufeff") or "\x00" in text:
        raise Malformed("wrong_encoding", "UTF-8 without a byte order mark is asked for")
    return text


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        raise Malformed("duplicate_key", "an object has a key twice")
    return built


def _read_integer(text: str) -> int:
    number = int(text) if len(text) <= 17 else INTEGER_MAX + 1
    if abs(number) > INTEGER_MAX:
        raise Malformed("number_out_of_range", "an integer is beyond 2**53 - 1")
    return number


def _read_float(text: str) -> float:
    number: float = json.loads(text)
    if not math.isfinite(number):
        raise Malformed("number_out_of_range", "a number is beyond what JSON readers hold")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise Malformed("not_json", f"{name} is not JSON")


def _is_deep(data: bytes) -> bool:
    brackets = _STRINGS.sub(b"", data).translate(_ROUND, _NO_BRACKETS)
    for _ in range(DOCUMENT_DEPTH_MAX):
        brackets = brackets.replace(b"()", b"")
    return bool(brackets)


# One decoder for all: making one costs as much as reading a small document.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_build_object,
    parse_int=_read_integer,
    parse_float=_read_float,
    parse_constant=_refuse_constant,
)

"""The canonical encoding by its rules, over the standard library's parser: slow, short,
independent.
"""

import json
import re
from typing import Any

INTEGER_MAX, DEPTH_MAX = 2**53 - 1, 16


class Refused(Exception):
    """Not canonical, by the reference."""


def read_reference(data: bytes) -> Any:
    """The value of canonical bytes. Raises Refused."""
    try:
        text = data.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_read_object,
            parse_float=_refuse,
            parse_constant=_refuse,
            parse_int=_read_integer,
        )
    except (ValueError, RecursionError) as error:
        raise Refused from error
    _check_depth(value, 0)
    if write_reference(value) != data:
        raise Refused
    return value


def write_reference(value: Any) -> bytes:
    """RFC 8785 for our values (keys are ASCII, so their order is that of their bytes)."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Refused from error


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs) or not all(key.isascii() for key, _ in pairs):
        raise Refused
    return dict(pairs)


def _refuse(text: str) -> None:
    raise Refused


def _read_integer(text: str) -> int:
    if not re.fullmatch("0|-?[1-9][0-9]{0,15}", text) or abs(int(text)) > INTEGER_MAX:
        raise Refused
    return int(text)


def _check_depth(value: Any, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise Refused
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, depth + 1)

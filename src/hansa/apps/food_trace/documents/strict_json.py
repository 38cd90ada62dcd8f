"""JSON from outside, strictly: UTF-8, no key twice, numbers as they are written, bounded. Pure.

A number with a point or an exponent stays text (`msgspec.Raw`): no float is ever made.
"""

import json
from typing import Any

import msgspec

from hansa.apps.food_trace.documents.rulebook import DocumentRefused

# A year of a farm's events; larger files are split by who writes them.
DOCUMENT_BYTES_MAX = 32 * 1024 * 1024


# GS1 publishes an example whose event has two ids; the last counts, as for every JSON reader, and
# the normal event has one. Any other key twice could mean two things.
_OFTEN_TWICE = frozenset({"eventID"})


class _KeyTwice(ValueError):
    pass


def load_json(data: bytes, noted: list[str] | None = None) -> Any:
    """The value of one JSON text. Raises DocumentRefused (`JSON-…`).

    `noted` receives keys that stood twice and were let pass (`_OFTEN_TWICE`).
    """
    if len(data) > DOCUMENT_BYTES_MAX:
        raise DocumentRefused("JSON-TOO-LARGE", f"more than {DOCUMENT_BYTES_MAX} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is not UTF-8"
        raise DocumentRefused("JSON-ENCODING", reason) from None
    return load_text(text, noted)


def load_text(text: str, noted: list[str] | None = None) -> Any:
    """The same of text that is decoded already."""
    try:
        return _make_decoder(noted).decode(text)
    except _KeyTwice as error:
        raise DocumentRefused("JSON-KEY-TWICE", f"the key {error.args[0][:80]!r} twice") from None
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise DocumentRefused("JSON-NOT-WELL-FORMED", reason) from None
    except RecursionError:
        raise DocumentRefused("JSON-TOO-DEEP", "nested too deeply") from None
    except ValueError as error:
        raise DocumentRefused("JSON-NOT-WELL-FORMED", str(error)[:200]) from None


def _make_decoder(noted: list[str] | None) -> json.JSONDecoder:
    def make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    if key not in _OFTEN_TWICE or noted is None:
                        raise _KeyTwice(key)
                    noted.append(key)
                seen.add(key)
        return made

    return json.JSONDecoder(
        object_pairs_hook=make_object, parse_float=_keep_number, parse_constant=_refuse_constant
    )


def _keep_number(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")

"""Changes of an input: of its bytes, of the values of a JSON document, of the parts of a JWS. Pure.

The same seed gives the same change, in any interpreter.
"""

import base64
import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 0.5, 1e308, "", "a", "\x00", "\ud800", "é", [], {}, [[]]),
    *(255, 256, 2**31, 2**53 - 1, 2**53, 2**63, 2**64, -(2**63) - 1, 10**40, "9" * 5000),
    *("/", "..", "#", "did:key:z", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "A" * 43),
)
PIECES = (b"\x00", b"\xff", b"\x80", b'"', b"{", b"}", b"[", b"]", b"<", b">", b"&", b"=", b"0")
LENGTH_MAX = 20_000


def change_bytes(data: bytes, random: Random) -> bytes:
    """One to four cuts, insertions, copies or flipped bits."""
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(data))
        end = min(len(data), at + random.choice((0, 1, 2, 8, 60)))
        kind = random.randrange(5)
        if kind == 0:
            patch = b""
        elif kind == 1:
            patch = random.choice(PIECES) * random.choice((1, 2, 3, 40))
        elif kind == 2:
            patch = random.randbytes(random.randint(1, 8))
        elif kind == 3:
            start = random.randint(0, len(data))
            patch = data[start : start + random.randint(1, 60)]
        else:
            patch = bytes([data[at] ^ 1 << random.randrange(8)]) if at < len(data) else b"\n"
            end = at + 1
        data = data[:at] + patch + data[end:]
    return data[:LENGTH_MAX]


def change_json(data: bytes, random: Random) -> bytes:
    """Values of a JSON document replaced, moved, doubled or left out; written canonically."""
    document = _load(data)
    if not isinstance(document, dict | list) or not document:
        return change_bytes(data, random)
    for _ in range(random.randint(1, 3)):
        _change_value(document, random)
    return _dump(document)[:LENGTH_MAX]


def change_jws(data: bytes, random: Random) -> bytes:
    """The JSON, or the bytes, within the parts of a JWS, of disclosures, of a JWE."""
    marks = b".~"
    places = [-1, *(at for at, byte in enumerate(data) if byte in marks), len(data)]
    if len(places) == 2:
        return change_json(data, random)
    which = random.randrange(len(places) - 1)
    start, end = places[which] + 1, places[which + 1]
    try:
        plain = base64.urlsafe_b64decode(data[start:end] + b"==")
    except ValueError:
        return change_bytes(data, random)
    changed = base64.urlsafe_b64encode(change_json(plain, random)).rstrip(b"=")
    return data[:start] + changed + data[end:]


def _change_value(document: Any, random: Random) -> None:
    places = list(_list_places(document))
    if not places:
        return
    parent, name = random.choice(places)
    value = parent[name]
    kind = random.randrange(6)
    if kind == 0:
        parent[name] = copy.deepcopy(random.choice(JUNK))
    elif kind == 1:
        other, key = random.choice(places)
        parent[name] = json.loads(json.dumps(other[key]))
    elif kind == 2:
        del parent[name]
    elif kind == 3 and isinstance(parent, list):
        parent.insert(random.randint(0, len(parent)), json.loads(json.dumps(value)))
    elif kind == 3:
        parent[random.choice(("a", "id", "", "$ref", "__proto__"))] = copy.deepcopy(value)
    elif isinstance(value, str):
        text = change_bytes(value.encode("utf-8", "replace"), random)
        parent[name] = text.decode("utf-8", "replace")
    elif isinstance(value, int):
        parent[name] = value + random.choice((-1, 1, 1 << random.randrange(64)))


def _list_places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every value; no deeper than documents are."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        keys = list(each) if isinstance(each, dict) else range(len(each))
        for key in keys:
            yield each, key
            if isinstance(each[key], dict | list):
                waiting.append(each[key])


def _load(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _dump(document: Any) -> bytes:
    try:
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except (ValueError, RecursionError):
        return b"{}"
    return text.encode("utf-8", "surrogatepass")

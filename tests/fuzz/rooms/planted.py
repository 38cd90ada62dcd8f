"""Doors with a fault each: whoever fuzzes them must find it (`tests/fuzz/test_drive.py`)."""

import json
from typing import Any

from tests.fuzz.door import Door, build_judge
from tests.fuzz.mutate import change_json

SEEDS = (b'{"a":1,"b":5}', b'{"a":1,"b":[]}')
LARGE = 1_000


def read(data: bytes) -> dict[str, Any]:
    """A document with a number."""
    document = json.loads(data)
    if not isinstance(document, dict) or not isinstance(document.get("b"), int):
        raise ValueError("not this")
    return document


def open_planted_crash() -> Door:
    """Ends in a fault that no door may have."""

    def run(data: bytes) -> object:
        return 1 // (read(data)["b"] <= LARGE)

    return Door(run=run, allowed=(ValueError, RecursionError), seeds=SEEDS, shape=change_json)


def open_planted_hang() -> Door:
    """Never ends."""

    def run(data: bytes) -> object:
        while read(data)["b"] > LARGE:
            pass
        return None

    return Door(run=run, allowed=(ValueError, RecursionError), seeds=SEEDS, shape=change_json)


def open_planted_yes() -> Door:
    """Looks at a part of what it says yes to."""

    def run(data: bytes) -> object:
        document = read(data)
        return document if document.get("a") == 1 else None

    return build_judge(run, (ValueError, RecursionError), SEEDS, change_json)

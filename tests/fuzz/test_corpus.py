"""What fuzzing kept is asked again: inputs that reach far, and each that once found a fault."""

from functools import cache
from pathlib import Path

import pytest

from tests.fuzz.child import CORPUS
from tests.fuzz.door import Door
from tests.fuzz.doors import DOORS, open_door

FOUND = Path(__file__).parent / "found"
# Doors that take a second to open: they need a node, or leagues.
HEAVY = ("rest", "console", "form_bodies", "messages")
BYTES_MAX = 4_096
FILES_MAX = 60


@cache
def get_door(name: str) -> Door:
    return open_door(name)


def list_doors() -> list[object]:
    return [pytest.param(name, marks=pytest.mark.slow) if name in HEAVY else name for name in DOORS]


@pytest.mark.parametrize("name", list_doors())
def test_kept_inputs_are_taken_or_refused(name: str) -> None:
    """No crash, no false yes: `knock` raises both."""
    for folder in (FOUND, CORPUS):
        for path in sorted((folder / name).glob("*")):
            try:
                get_door(name).knock(path.read_bytes())
            except Exception as error:
                raise AssertionError(f"{path}: {error!r}") from error


def test_what_is_kept_is_small_and_of_a_door() -> None:
    for folder in (FOUND, CORPUS):
        for door in folder.iterdir():
            files = list(door.iterdir())
            assert door.name in DOORS
            assert len(files) <= FILES_MAX, door
            for path in files:
                assert path.stat().st_size <= BYTES_MAX or folder == FOUND, path

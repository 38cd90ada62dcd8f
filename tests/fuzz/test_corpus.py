"""What fuzzing kept is asked again: inputs that reach far, and each that once found a fault."""

from functools import cache
from pathlib import Path

import pytest

from tests.fuzz.child import CORPUS
from tests.fuzz.door import Door
from tests.fuzz.doors import DOORS, open_door

FOUND = Path(__file__).parent / "found"
# Doors that need a node, or much of the house, to open.
HEAVY = ("gateway",)
BYTES_MAX = 4_096
FILES_MAX = 60


@cache
def get_door(name: str) -> Door:
    return open_door(name)


def list_doors() -> list[object]:
    return [
        pytest.param(name, marks=pytest.mark.slow) if room in HEAVY else name
        for name, room in DOORS.items()
    ]


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

"""Progress of a capture: it grows, and its end is told once, whatever the files are."""

from types import SimpleNamespace
from typing import Any

import pytest

from hansa.apps.food_trace.commands.capture import Progress


@pytest.mark.parametrize("sizes", [[10], [10, 0], [0, 10, 0, 0], [0], [7, 7, 7]])
def test_the_end_is_told_once(sizes: list[int]) -> None:
    told: list[tuple[int, int]] = []
    output = SimpleNamespace(progress=lambda done, total, _what: told.append((done, total)))
    door: Any = SimpleNamespace(output=output)
    progress = Progress(door, sizes, {"captured": 1, "refused": 0})
    for size in sizes:
        for _part in range(size):
            progress.add(1)
        progress.end_file(size)
    assert [done == total for done, total in told].count(True) == 1
    assert told[-1][0] == told[-1][1]
    assert [done for done, _total in told] == sorted(done for done, _total in told)

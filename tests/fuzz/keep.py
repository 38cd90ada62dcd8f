"""What fuzzing found worth keeping: `python -m tests.fuzz.keep FOLDER [DOOR…]`, FOLDER as of drive.

Of the new inputs, and those kept so far, the few and small ones that together reach every line that
any of them reaches beyond the door's own seeds become tests/fuzz/corpus/DOOR.
"""

import hashlib
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import hansa
from tests.fuzz.child import CORPUS, silence
from tests.fuzz.door import Door
from tests.fuzz.doors import DOORS, open_door

HOUSE = str(Path(hansa.__file__).parent)
BYTES_MAX = 4_096
FILES_MAX = 40
CANDIDATES_MAX = 1_500
# Answered by many threads: what an input reaches there is not its own doing alone.
NOT_KEPT = ("rest", "console")
Lines = set[tuple[str, int]]


class Tracer:
    """Notes each line of the product that is reached."""

    def __init__(self) -> None:
        self.lines: Lines = set()

    def __call__(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        """A call: follow it when it is the product's."""
        return self._follow if frame.f_code.co_filename.startswith(HOUSE) else None

    def _follow(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            self.lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._follow


def trace(door: Door, data: bytes) -> Lines:
    """Lines of the product that an input reaches."""
    tracer = Tracer()
    threading.settrace(tracer)
    sys.settrace(tracer)
    try:
        door.knock(data)
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
    return tracer.lines


def choose(door: Door, candidates: Iterable[bytes]) -> list[bytes]:
    """The fewest inputs, by greed, that reach all that the candidates reach beyond the seeds."""
    reached: Lines = set()
    for seed in door.seeds:
        reached |= trace(door, seed)
    found = [(data, trace(door, data) - reached) for data in candidates]
    chosen: list[bytes] = []
    while len(chosen) < FILES_MAX:
        data, lines = max(
            found, key=lambda each: (len(each[1]), -len(each[0])), default=(b"", set())
        )
        if not lines:
            break
        chosen.append(data)
        found = [(each, more - lines) for each, more in found if more - lines]
    return chosen


def keep(name: str, folder: Path) -> None:
    """Choose and write a door's corpus."""
    kept = CORPUS / name
    new = sorted((folder / name / "new").glob("*"), key=lambda path: path.stat().st_size)
    paths = [*kept.glob("*"), *new]
    small = {path.read_bytes() for path in paths if path.stat().st_size <= BYTES_MAX}
    candidates = sorted(small, key=lambda data: (len(data), data))[:CANDIDATES_MAX]
    chosen = choose(open_door(name), candidates)
    kept.mkdir(parents=True, exist_ok=True)
    for path in kept.glob("*"):
        path.unlink()
    for data in chosen:
        (kept / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    if not chosen:
        kept.rmdir()
    print(f"{name}: {len(chosen)} of {len(candidates)} kept", flush=True)


def main() -> None:
    """Keep for the doors named on the command line, or all."""
    silence()
    folder, *names = sys.argv[1:]
    for name in names or [name for name in DOORS if name not in NOT_KEPT]:
        keep(name, Path(folder))


if __name__ == "__main__":
    main()

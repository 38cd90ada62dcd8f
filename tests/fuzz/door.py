"""A door: what reads bytes from outside, how it may refuse them, and which yes would be false."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.mutate import change_bytes

MEMORY = Path("/dev/shm")
Mutate = Callable[[bytes, Random], bytes]
Run = Callable[[bytes], Any]


class FalseYes(AssertionError):
    """A door took what nobody meant: the worst that can be found."""


@dataclass(frozen=True, kw_only=True)
class Door:
    """run: what the bytes mean to the door, None when it says no by an answer. allowed: what it
    may raise in place of an answer. never: whether what it took is a false yes. seeds: inputs to
    start from; shape: a change that keeps their form.
    """

    run: Run
    allowed: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...]
    never: Callable[[bytes, Any], bool] = lambda _data, _meaning: False
    shape: Mutate = change_bytes

    def knock(self, data: bytes) -> bool:
        """Give it one input; whether it was taken. Raises FalseYes, and whatever is not allowed."""
        try:
            meaning = self.run(data)
        except self.allowed:
            return False
        if meaning is not None and self.never(data, meaning):
            raise FalseYes(f"taken as {str(meaning)[:500]}")
        return meaning is not None


def build_judge(
    run: Run,
    allowed: tuple[type[Exception], ...],
    seeds: Iterable[bytes],
    shape: Mutate = change_bytes,
) -> Door:
    """A door that judges: whatever it says yes to must mean what one of the seeds means."""
    seeds = tuple(seeds)
    known = []
    for seed in seeds:
        try:
            known.append(run(seed))
        except allowed:
            continue
    known = [meaning for meaning in known if meaning is not None]
    assert known, "a judge says yes to one seed at least"
    return Door(
        run=run,
        allowed=allowed,
        seeds=seeds,
        never=lambda _data, meaning: meaning not in known,
        shape=shape,
    )


def build_decoder(
    decode: Run,
    encode: Callable[[Any], bytes],
    allowed: tuple[type[Exception], ...],
    seeds: Iterable[bytes],
    shape: Mutate = change_bytes,
) -> Door:
    """A door of one canonical form: what it takes is written again as the very same bytes."""
    return Door(
        run=decode,
        allowed=allowed,
        seeds=tuple(seeds),
        never=lambda data, value: encode(value) != data,
        shape=shape,
    )


def make_folder() -> Path:
    """A folder for a door's files, in memory where it can be; it ends with this process."""
    place = MEMORY if MEMORY.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix=f"hansa-fuzz-{os.getpid()}-", dir=place))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def drop_folders(process: int) -> None:
    """What a process left that libFuzzer ended."""
    place = MEMORY if MEMORY.is_dir() else Path(tempfile.gettempdir())
    for folder in place.glob(f"hansa-fuzz-{process}-*"):
        shutil.rmtree(folder, ignore_errors=True)

"""The doors of one room, each in a process of its own: led by coverage where atheris is, else by
chance alone.

`python -m tests.fuzz.child HOW FOLDER SECONDS INPUTS SEED DOOR…`: HOW is LED or CHANCE; per door,
whichever of seconds and inputs comes first (0: no such limit). What is found lies in FOLDER/DOOR,
and `log` says how many inputs there were. The room is imported, and made to count its branches,
once for all its doors.
"""

import hashlib
import logging
import os
import random
import resource
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import structlog

from tests.fuzz.door import Door, drop_folders
from tests.fuzz.doors import import_room, open_door

CORPUS = Path(__file__).parent / "corpus"
INPUT_TIME_S = 5
MEMORY_MB = 1_500
LENGTH_MAX = 20_000
COUNTED = "stat::number_of_executed_units: "
# Whose branches are counted.
COUNTED_MODULES = ["hansa", "tests.fuzz.rooms.planted"]
LED, CHANCE = "led", "chance"
WORDS = {LED: "fuzzing led by coverage (atheris)", CHANCE: "fuzzing by chance, without atheris"}


class TooSlow(BaseException):
    """An input took longer than it may."""


def drop(_logger: Any, method: str, event: Any) -> Any:
    """A processor that lets nothing through but what failed."""
    if method in ("error", "exception", "critical"):
        print(event, file=sys.stderr)
    raise structlog.DropEvent


def silence() -> None:
    """No logs of what doors refuse a million times."""
    structlog.configure(processors=[drop])
    logging.disable(logging.CRITICAL)


def import_atheris(how: str) -> Any:
    """The fuzzer, None where there is none or none is wanted."""
    if how == CHANCE:
        return None
    try:
        import atheris
    except ImportError:
        return None
    return atheris


def run_led(atheris: Any, name: str, folder: Path, limits: list[str]) -> None:
    """Never returns: libFuzzer ends the process."""
    door = open_door(name)
    seeds, new, kept = folder / "seeds", folder / "new", CORPUS / name
    for each in (seeds, new):
        each.mkdir(exist_ok=True)
    for number, data in enumerate(door.seeds):
        (seeds / f"{number:04}").write_bytes(data)
    length = max(4_096, *(2 * len(seed) for seed in door.seeds))

    def change(data: bytes, size_max: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.5:
            return bytes(atheris.Mutate(data, size_max))
        return door.shape(data, chance)[:size_max]

    def ask(data: bytes) -> None:
        try:
            door.knock(data)
        except BaseException:  # libFuzzer keeps it too, but not where threads still run
            (folder / f"crash-{hashlib.sha1(data).hexdigest()}").write_bytes(data)
            raise

    options = [
        *(f"-timeout={INPUT_TIME_S}", f"-rss_limit_mb={MEMORY_MB}", f"-artifact_prefix={folder}/"),
        *("-print_final_stats=1", f"-max_len={min(length, LENGTH_MAX)}", "-reload=0"),
    ]
    folders = [str(each) for each in (new, kept, seeds) if each.is_dir()]
    atheris.Setup([sys.argv[0], *options, *limits, *folders], ask, custom_mutator=change)
    atheris.Fuzz()


def stop_input(_signal: int, _frame: FrameType | None) -> None:
    """The alarm of one input."""
    raise TooSlow(f"longer than {INPUT_TIME_S} s")


def run_by_chance(name: str, folder: Path, seconds: float, inputs: int, seed: int) -> None:
    """The same door without atheris: seeds and corpus as they are, then changed by chance."""
    door: Door = open_door(name)
    resource.setrlimit(resource.RLIMIT_AS, (4 * MEMORY_MB << 20, 4 * MEMORY_MB << 20))
    pool = [*door.seeds, *(path.read_bytes() for path in sorted((CORPUS / name).glob("*")))]
    chance, until, count = random.Random(seed), time.monotonic() + (seconds or 1e9), 0
    signal.signal(signal.SIGALRM, stop_input)
    while time.monotonic() < until and (not inputs or count < inputs):
        data = pool[count] if count < len(pool) else door.shape(chance.choice(pool), chance)
        signal.setitimer(signal.ITIMER_REAL, INPUT_TIME_S)
        try:
            door.knock(data)
        except BaseException:
            (folder / f"crash-{count}").write_bytes(data)
            raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        count += 1
    print(f"{COUNTED}{count}", flush=True)


def run_door(atheris: Any, name: str, folder: Path, seconds: float, inputs: int, seed: int) -> None:
    """Fuzz one door in this process, which ends with it."""
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    print(WORDS[LED if atheris else CHANCE], flush=True)
    if atheris is None:
        run_by_chance(name, folder, seconds, inputs, seed)
        return
    limits = [f"-seed={seed}"]
    limits += [f"-max_total_time={max(1, round(seconds))}"] if seconds else []
    limits += [f"-runs={inputs}"] if inputs else []
    run_led(atheris, name, folder, limits)


def main() -> None:
    """Fuzz the doors named on the command line, one after the other; 1 when one found anything."""
    how, place, seconds, inputs, seed, *names = sys.argv[1:]
    silence()
    atheris = import_atheris(how)
    if atheris is None:
        import_room(names[0])
    else:
        with atheris.instrument_imports(include=COUNTED_MODULES):
            import_room(names[0])
    failed = False
    for name in names:
        folder = Path(place) / name
        folder.mkdir(parents=True, exist_ok=True)
        child = os.fork()
        if not child:
            run_door(atheris, name, folder, float(seconds), int(inputs), int(seed))
            sys.exit(0)
        failed |= os.waitpid(child, 0)[1] != 0
        drop_folders(child)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()

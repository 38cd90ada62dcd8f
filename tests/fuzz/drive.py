"""Fuzz doors and count: one door, or all of them, each in a process of its own.

    python -m tests.fuzz.drive receipts 60           one door, a minute
    python -m tests.fuzz.drive --all --each 2        every door, 2 s (as CI does)
    python -m tests.fuzz.drive --all --inputs 10000000    rounds over all doors, until so many
    python -m tests.fuzz.drive receipts --input FILE one input again, with its trace

Ends with 1 when anything was found, and with the command that repeats it.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.child import CHANCE, COUNTED, LED, WORDS
from tests.fuzz.doors import DOORS, PLANTED, open_door

ROOT = Path(__file__).resolve().parents[2]
EACH_S = 15.0
FOUND = ("crash-*", "timeout-*", "oom-*", "leak-*")
WHERE = DOORS | PLANTED


class Run(NamedTuple):
    """How doors are fuzzed: for so long each, or with so many inputs (0: no limit)."""

    folder: Path
    seconds: float
    inputs: int
    seed: int
    jobs: int = 1
    how: str = LED


class Count(NamedTuple):
    """What became of one door: inputs, and files of what was found."""

    door: str
    inputs: int
    found: tuple[Path, ...]
    is_led: bool


def read_count(door: str, folder: Path) -> Count:
    """What the log of a door says at its end."""
    log = (folder / door / "log").read_text("utf-8", "replace")
    ends = [line for line in log.splitlines() if line.startswith(COUNTED)]
    found = [path for pattern in FOUND for path in sorted((folder / door).glob(pattern))]
    if not ends and not found:
        found.append(folder / door / "log")  # it did not end as a run does
    inputs = sum(int(line[len(COUNTED) :]) for line in ends)
    return Count(door, inputs, tuple(found), log.startswith(WORDS[LED]))


def run_room(names: list[str], run: Run) -> list[Count]:
    """The doors of one room."""
    command = [sys.executable, "-m", "tests.fuzz.child", run.how, str(run.folder)]
    command += [str(run.seconds), str(run.inputs), str(run.seed), *names]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    missing = [name for name in names if not (run.folder / name / "log").exists()]
    if missing:
        raise SystemExit(f"{missing} did not open:\n{done.stdout}{done.stderr}")
    return [read_count(name, run.folder) for name in names]


def run_all(names: Iterable[str], run: Run) -> list[Count]:
    """The doors by their rooms, so many rooms at once."""
    rooms: dict[str, list[str]] = {}
    for name in names:
        rooms.setdefault(WHERE[name], []).append(name)
    with ThreadPoolExecutor(run.jobs) as pool:
        running = [pool.submit(run_room, each, run) for each in rooms.values()]
        return [count for each in running for count in each.result()]


def tell(counts: Iterable[Count]) -> None:
    """One line a door, and the sum."""
    counts = list(counts)
    for count in counts:
        print(f"{count.door:24}{count.inputs:>12,} {'led' if count.is_led else 'by chance'}")
        for path in count.found:
            print(f"  FOUND: python -m tests.fuzz.drive {count.door} --input {path}")
    print(f"{len(counts):>3} doors {sum(count.inputs for count in counts):>26,} inputs", flush=True)


def run_rounds(run: Run, total: int) -> bool:
    """Rounds over all doors until there were so many inputs; whether anything was found. A door
    where it was is left out from then on.
    """
    counted = {name: Count(name, 0, (), is_led=False) for name in DOORS}
    while sum(count.inputs for count in counted.values()) < total:
        names = [count.door for count in counted.values() if not count.found]
        for count in run_all(names, run._replace(seed=random.randrange(2**31))):
            inputs = counted[count.door].inputs + count.inputs
            counted[count.door] = count._replace(inputs=inputs)
        tell(counted.values())
    return any(count.found for count in counted.values())


def read_command_line() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.drive")
    parser.add_argument("door", nargs="?", choices=sorted(WHERE))
    parser.add_argument("seconds", nargs="?", type=float, default=0.0)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--each", type=float, default=0.0, help="seconds of each door")
    parser.add_argument("--inputs", type=int, default=0)
    parser.add_argument("--input", type=Path)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--jobs", type=int, default=1, help="rooms at once")
    parser.add_argument("--by-chance", action="store_const", const=CHANCE, default=LED)
    asked = parser.parse_args()
    if not asked.all and asked.door is None:
        parser.error("name a door, or --all")
    return asked


def main() -> None:
    """Run what the command line says."""
    asked = read_command_line()
    if asked.input is not None:
        taken = open_door(asked.door).knock(asked.input.read_bytes())
        print("taken" if taken else "refused")
        return
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="hansa-fuzz-"))
    seconds = asked.seconds or asked.each
    run = Run(folder, seconds, asked.inputs, random.randrange(2**31), asked.jobs, asked.by_chance)
    if asked.all and asked.inputs:
        run = run._replace(inputs=0, seconds=seconds or EACH_S)
        sys.exit(run_rounds(run, asked.inputs))
    if not run.inputs and not run.seconds:
        run = run._replace(seconds=EACH_S)
    counts = run_all(DOORS if asked.all else [asked.door], run)
    tell(counts)
    print(f"seed {run.seed}; logs and new inputs in {folder}")
    sys.exit(any(count.found for count in counts))


if __name__ == "__main__":
    main()

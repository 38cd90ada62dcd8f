"""Fuzz doors and count: `python -m tests.fuzz.drive DOOR SECONDS`, or all of them.

    python -m tests.fuzz.drive receipts 60           one door, a minute
    python -m tests.fuzz.drive --all --seconds 3     each door, 3 s (as CI does)
    python -m tests.fuzz.drive --all --inputs 10000000    rounds over all doors, until so many
    python -m tests.fuzz.drive receipts --input FILE one input again, with its trace
    python -m tests.fuzz.drive --all --keep          what was new becomes tests/fuzz/corpus

Ends with 1 when anything was found, and with the command that repeats it.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.child import BY_CHANCE, COUNTED
from tests.fuzz.doors import DOORS, open_door

ROOT = Path(__file__).resolve().parents[2]
ROUND_S = 15.0
FOUND = ("crash-*", "timeout-*", "oom-*", "leak-*")


class Count(NamedTuple):
    """What became of one door: inputs, files that were found, words of how."""

    door: str
    inputs: int
    found: tuple[Path, ...]
    by_chance: bool


def read_count(door: str, folder: Path) -> Count:
    """The end of a door's log."""
    log = (folder / door / "log").read_text("utf-8", "replace")
    ends = [line for line in log.splitlines() if line.startswith(COUNTED)]
    found = [path for pattern in FOUND for path in sorted((folder / door).glob(pattern))]
    if not ends and not found:
        found.append(folder / door / "log")  # it did not end as a run does
    inputs = sum(int(line[len(COUNTED) :]) for line in ends)
    return Count(door, inputs, tuple(found), log.startswith(BY_CHANCE))


def run_room(names: list[str], folder: Path, seconds: float, inputs: int, seed: int) -> list[Count]:
    """The doors of one room."""
    command = [sys.executable, "-m", "tests.fuzz.child", str(folder)]
    command += [str(seconds), str(inputs), str(seed), *names]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    missing = [name for name in names if not (folder / name / "log").exists()]
    if missing:
        raise SystemExit(f"{missing} did not open:\n{done.stdout}{done.stderr}")
    return [read_count(name, folder) for name in names]


def run_all(
    names: list[str], folder: Path, *, seconds: float, inputs: int, seed: int, jobs: int
) -> list[Count]:
    """The doors by their rooms, so many rooms at once."""
    rooms: dict[str, list[str]] = {}
    for name in names:
        rooms.setdefault(DOORS[name], []).append(name)
    with ThreadPoolExecutor(jobs) as pool:
        running = [
            pool.submit(run_room, each, folder, seconds, inputs, seed) for each in rooms.values()
        ]
        return [count for each in running for count in each.result()]


def tell(counts: list[Count], seconds: float) -> None:
    """One line a door, and the sum."""
    for count in counts:
        how = " by chance, without coverage" if count.by_chance else ""
        print(f"{count.door:24}{count.inputs:>12,} inputs{how}")
        for path in count.found:
            print(f"  FOUND: python -m tests.fuzz.drive {count.door} --input {path}")
    total = sum(count.inputs for count in counts)
    print(f"{len(counts)} doors {total:>22,} inputs, {seconds:g} s each", flush=True)


def run_rounds(folder: Path, total: int, seconds: float, jobs: int) -> bool:
    """Rounds over all doors until there were so many inputs; whether anything was found. A door
    where it was is left out from then on.
    """
    counted = {name: Count(name, 0, (), by_chance=False) for name in DOORS}
    while sum(count.inputs for count in counted.values()) < total:
        names = [count.door for count in counted.values() if not count.found]
        seed = random.randrange(2**31)
        for count in run_all(names, folder, seconds=seconds, inputs=0, seed=seed, jobs=jobs):
            inputs = counted[count.door].inputs + count.inputs
            counted[count.door] = count._replace(inputs=inputs)
        tell([*counted.values()], seconds)
    return any(count.found for count in counted.values())


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.drive")
    parser.add_argument("door", nargs="?", choices=sorted(DOORS))
    parser.add_argument("seconds", nargs="?", type=float, default=0.0)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seconds", dest="each", type=float, default=0.0)
    parser.add_argument("--inputs", type=int, default=0)
    parser.add_argument("--input", type=Path)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    if not asked.all and asked.door is None:
        parser.error("name a door, or --all")
    if asked.input is not None:
        taken = open_door(asked.door).knock(asked.input.read_bytes())
        print("taken" if taken else "refused")
        return
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="hansa-fuzz-"))
    names = list(DOORS) if asked.all else [asked.door]
    if asked.all and asked.inputs:
        sys.exit(run_rounds(folder, asked.inputs, asked.each or ROUND_S, asked.jobs))
    seconds = asked.seconds or asked.each or (0.0 if asked.inputs else ROUND_S)
    seed = random.randrange(2**31)
    counts = run_all(
        names, folder, seconds=seconds, inputs=asked.inputs, seed=seed, jobs=asked.jobs
    )
    tell(counts, seconds)
    print(f"seed {seed}; logs and new inputs in {folder}")
    sys.exit(any(count.found for count in counts))


if __name__ == "__main__":
    main()

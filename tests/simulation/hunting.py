"""Runs seeds, plans and mutants in children of the simulator, as `hansa simulate` does."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from hansa.cli.simulate import HASH_BLOCK, MODULE
from tests.simulation.mutants import Mutant


class Hunt(NamedTuple):
    """What a child told: its events, its exit code, what it said besides."""

    events: list[dict[str, Any]]
    code: int
    said: str

    def list(self, event: str) -> list[dict[str, Any]]:
        """Those events."""
        return [each for each in self.events if each["event"] == event]


def hunt(*arguments: str, seed: int, mutant: Mutant | None = None) -> Hunt:
    """One child, with the hash seed of `seed`."""
    planted = [] if mutant is None else [[mutant.module, mutant.old, mutant.new]]
    done = subprocess.run(
        [sys.executable, "-m", MODULE, "--no-shrink", "--mutant", json.dumps(planted), *arguments],
        env={**os.environ, "PYTHONHASHSEED": str(seed // HASH_BLOCK % 2**32)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"event"')]
    return Hunt([json.loads(line) for line in lines], done.returncode, done.stderr[-3000:])


def hunt_seeds(seeds: range, profile: str, *options: str, mutant: Mutant | None = None) -> Hunt:
    """Seeds of one block."""
    listed = [str(seed) for seed in seeds]
    arguments = ("--profile", profile, *options, "--seeds", *listed)
    return hunt(*arguments, seed=seeds.start, mutant=mutant)


def repeat_plan(path: Path) -> Hunt:
    """A plan that was kept, as it was found."""
    kept = json.loads(path.read_bytes())
    return hunt("--profile", kept["profile"], "--plan", str(path), seed=kept["seed"])


def measure_children_s() -> float:
    """Processor seconds of all children that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

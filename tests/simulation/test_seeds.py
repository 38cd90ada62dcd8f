"""Seeds that failed once, and seeds that nobody has seen: nothing is found in either.

A fresh seed is printed before it runs, with the command that repeats it.
"""

import secrets
from collections import Counter
from pathlib import Path

import pytest

from hansa.cli.simulate import HASH_BLOCK
from hansa.testing.simulation.plan import KINDS, PROFILES
from tests.simulation.hunting import hunt, hunt_seeds, measure_children_s, repeat_plan

pytestmark = pytest.mark.slow

KEPT = sorted((Path(__file__).parent / "seeds").glob("*.json"))
FRESH_PROCESSOR_S = 90
FRESH_MIN = 20
AT_ONCE = 3


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_what_was_found_once_is_mended(path: Path) -> None:
    done = repeat_plan(path)
    assert done.code == 0, (done.list("found"), done.said)


def test_the_same_seed_is_the_same_run_under_another_hash_seed() -> None:
    """A child of seed 0 and one of seed 1000 have other hash seeds; both run seed 3."""
    arguments = ("--profile", "mixed", "--blocks", "30", "--seeds", "3")
    runs = [hunt(*arguments, seed=seed).list("run") for seed in (0, 1000 * HASH_BLOCK)]
    assert len({run["digest"] for (run,) in runs}) == 1


def test_fresh_seeds_find_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    began_s = measure_children_s()
    reached: Counter[str] = Counter()
    runs = 0
    while runs < FRESH_MIN or measure_children_s() - began_s < FRESH_PROCESSOR_S:
        profile = PROFILES[runs // AT_ONCE % len(PROFILES)]
        first = secrets.randbelow(2**32) * HASH_BLOCK
        seeds = range(first, first + AT_ONCE)
        with capsys.disabled():
            listed = ", ".join(map(str, seeds))
            print(f"\nhansa simulate --profile {profile} --seed {listed}", end="", flush=True)
        done = hunt_seeds(seeds, profile)
        found = [(each["seed"], each["checker"], each["text"]) for each in done.list("found")]
        assert not found, f"hansa simulate --seed {found[0][0]} --profile {profile}: {found}"
        assert done.code == 0, done.said
        for run in done.list("run"):
            reached.update(run["faults"])
            runs += 1
    with capsys.disabled():
        never = ", ".join(sorted(KINDS.keys() - reached.keys())) or "none"
        print(f"\n{runs} fresh seeds, {reached.total()} faults; kinds not reached: {never}")

"""Each planted fault is found by the checker that is there for it; the table says how soon."""

import pytest

from tests.simulation.hunting import hunt_seeds
from tests.simulation.mutants import MUTANTS, SEEDS_MAX, Mutant

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.name)
def test_the_mutant_is_found(mutant: Mutant, capsys: pytest.CaptureFixture[str]) -> None:
    done = hunt_seeds(range(SEEDS_MAX), mutant.profile, "--first", mutant=mutant)
    assert done.code == 1, f"not found in {len(done.list('run'))} seeds: {done.said}"
    (found,) = done.list("found")
    assert found["checker"] in mutant.checkers, found
    with capsys.disabled():
        seeds = len(done.list("run"))
        print(f"\n| {mutant.name} | {mutant.profile} | {found['checker']} | {seeds} |", end="")

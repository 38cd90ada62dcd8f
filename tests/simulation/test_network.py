"""The simulated network itself: it runs the real node, repeats exactly, and reaches its faults."""

import os
import subprocess
import sys

import pytest

from hansa.testing.simulation.plan import (
    KINDS,
    PROFILES,
    chance,
    decode_plan,
    draw_faults,
    encode_plan,
)
from hansa.testing.simulation.run import Outcome, SimulatedNetwork, draw_plan

_PRINT_DIGEST = """
import sys
from hansa.testing.simulation.run import SimulatedNetwork, draw_plan
plan = draw_plan(int(sys.argv[1]), sys.argv[2], blocks=int(sys.argv[3]))
outcome = SimulatedNetwork(plan=plan).run()
print(outcome.digest, outcome.found)
"""


def run(seed: int, profile: str, blocks: int) -> Outcome:
    return SimulatedNetwork(plan=draw_plan(seed, profile, blocks=blocks)).run()


def test_a_plan_is_json_and_belongs_to_its_seed() -> None:
    plan = draw_plan(7, "mixed", blocks=12)
    assert decode_plan(encode_plan(plan)) == plan == draw_plan(7, "mixed", blocks=12)
    assert draw_plan(8, "mixed", blocks=12) != plan


def test_no_more_than_a_third_of_the_votes_is_ever_worth_nothing() -> None:
    for seed in range(50):
        for profile in PROFILES:
            faults = draw_faults(seed, profile, nodes=8, validators=7, blocks=60)
            rotten = {each.node for each in faults if KINDS[each.kind].rotten}
            assert len([number for number in rotten if number <= 7]) <= 2


def test_chance_belongs_to_the_seed_and_to_what_it_is_for() -> None:
    assert chance(1, "link", 2) == chance(1, "link", 2) == 9048865381221688670
    assert len({chance(seed, what) for seed in range(9) for what in "abc"}) == 27


def test_four_nodes_decide_blocks_and_agree() -> None:
    network = SimulatedNetwork(plan=draw_plan(3, "calm", blocks=4))
    outcome = network.run()
    assert outcome.found is None
    assert outcome.blocks >= 4 and outcome.transactions > 4 and outcome.codes["ok"] > 2
    assert {node.books.height for node in network.nodes} == {outcome.blocks}
    roots = {node.books.executed[outcome.blocks].app_hash for node in network.nodes}
    assert len(roots) == 1


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["calm", "mixed"])
def test_the_same_seed_gives_the_same_run_in_any_interpreter(profile: str) -> None:
    told = set()
    for hash_seed in ("0", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", _PRINT_DIGEST, "5", profile, "20"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        told.add(done.stdout.splitlines()[-1])
    assert len(told) == 1

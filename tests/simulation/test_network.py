"""The simulated network itself: it runs the real node, repeats exactly, and reaches its faults."""

import os
import subprocess
import sys

import msgspec
import pytest

from hansa.testing.simulation.plan import (
    KINDS,
    PROFILES,
    Fault,
    Plan,
    chance,
    decode_plan,
    draw_faults,
    encode_plan,
)
from hansa.testing.simulation.run import SimulatedNetwork, draw_plan

_PRINT_DIGEST = """
import sys
from hansa.testing.simulation.run import SimulatedNetwork, draw_plan
plan = draw_plan(int(sys.argv[1]), sys.argv[2], blocks=int(sys.argv[3]))
outcome = SimulatedNetwork(plan=plan).run()
print(outcome.digest, outcome.found)
"""


_JOINS = {"F1": "crash_at_sync", "F10": "join"}


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


def test_who_comes_to_vote_or_leaves_takes_no_sound_majority_away() -> None:
    for seed in range(200):
        plan = draw_plan(seed, "mixed", blocks=60)
        voting, rotten = set(range(1, plan.validators + 1)), plan.rotten
        for act in plan.workload:
            if act.kind in ("activate", "resign"):
                number = act.args["validator"]
                voting = voting | {number} if act.kind == "activate" else voting - {number}
                assert 3 * len(voting & rotten) < len(voting), (seed, act, rotten)


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


def plan_group(group: str) -> Plan:
    """Each kind of fault of a group, one after the other, in an otherwise calm run."""
    kinds = [name for name, kind in KINDS.items() if kind.group == group]
    faults = []
    for number, name in enumerate(kinds):
        kind = KINDS[name]
        value = 0b00011 if name.startswith("cut") else kind.values[min(1, len(kind.values) - 1)]
        node = 4 if kind.rotten else 1 + number % 4
        at_ms = 1_200 + 900 * number
        faults.append(Fault(name, at_ms, node, 500, value, kind.texts[0]))
    if group in ("F1", "F10"):  # somebody has to join for the names of a swap, and for lies
        faults.append(Fault("join", 900 * len(kinds) + 1_500, 1 + kinds.index(_JOINS[group]) % 4))
    blocks = 10 + 4 * len(kinds)
    calm = draw_plan(5, "calm", nodes=5, blocks=blocks)
    return msgspec.structs.replace(calm, faults=tuple(faults))


@pytest.mark.slow
@pytest.mark.parametrize("group", sorted({kind.group for kind in KINDS.values()}))
def test_each_kind_of_fault_happens_and_all_is_well_afterwards(group: str) -> None:
    plan = plan_group(group)
    network = SimulatedNetwork(plan=plan)
    outcome = network.run()
    assert outcome.found is None
    for fault in plan.faults:
        assert any(kind.startswith(fault.kind) for kind in outcome.faults), fault.kind
    assert {each.books.height for each in network.nodes if each.may_run} == {outcome.blocks}


@pytest.mark.slow
def test_an_upgrade_stops_the_old_release_and_goes_on_when_it_is_replaced() -> None:
    for seed in range(1, 9):
        plan = draw_plan(seed, "upgrade", blocks=20)
        if plan.release[0].old:
            break
    outcome = SimulatedNetwork(plan=plan).run()
    assert outcome.found is None and outcome.blocks > plan.release[0].height
    assert outcome.faults.get("old_release") or outcome.faults.get("other_digest")


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["calm", "mixed"])
def test_the_same_seed_gives_the_same_run_in_any_interpreter(profile: str) -> None:
    told = set()
    for hash_seed in ("0", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", _PRINT_DIGEST, "77", profile, "30"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        told.add(done.stdout.splitlines()[-1])
    assert len(told) == 1

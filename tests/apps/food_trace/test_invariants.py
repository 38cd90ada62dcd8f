"""The hunt for I1 … I10: it reaches every state and refusal, and finds a planted mutant of each."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from hansa.apps.food_trace import APPLICATION, digital_link, event, event_tree, identifiers
from hansa.apps.food_trace.contract import capture, cold_chain, making, packing
from hansa.apps.food_trace.contract.lineage import Reach, Walk
from hansa.apps.food_trace.invariants import INVARIANTS
from hansa.apps.food_trace.model import records, registers
from hansa.apps.food_trace.replay import history
from hansa.ledger.context import Context
from tests.apps.food_trace import test_contract
from tests.apps.food_trace.league import League
from tests.apps.food_trace.machine import Trails
from tests.apps.hunting import Mutant, check_reached, do_nothing, hunt, run_directed

STATES = {
    *get_args(records.ShipmentStatus),
    *get_args(registers.RecallStatus),
    *get_args(records.FlagKind),
    *("FLAG_OPEN", "FLAG_CLOSED", "WITHDRAWN_EVENT", "COMMISSIONED", "OUTSIDE", "ENDED"),
    *("PACKED", "CLEARED"),
}


def test_lives_of_items_violate_nothing() -> None:
    assert {"PACKED", "EventWithdrawn", "food_trace.not_allowed"} <= hunt(Trails, 8, steps=25)


@pytest.mark.slow
def test_hunt_reaches_every_state_event_and_rejection() -> None:
    by_hunt = hunt(Trails, examples=160, steps=50)
    check_reached(APPLICATION, STATES, by_hunt, run_directed(test_contract, League), least=28)


def ignore_recalls(found: list[Reach]) -> list[Reach]:
    """What a walk finds that overlooks recalls and results."""
    return [reach for reach in found if reach.flag.kind == "cold_chain"]


FIND_OWN = Walk._find_own


def find_own_but_recalls(walk: Walk, *args: Any) -> list[Reach]:
    """Flags on the item itself, without recalls and results."""
    return ignore_recalls(FIND_OWN(walk, *args))


MUTANTS: dict[str, Mutant] = {
    "I1": [(making, "_check_not_made", do_nothing)],
    "I2": [(packing, "_check_single_parent", do_nothing)],
    "I3": [(making, "check_balance", do_nothing)],
    "I4": [(making, "_check_acyclic", do_nothing)],
    "I5": [(capture, "_check_times", do_nothing)],
    "I6": [(capture, "_check_new", do_nothing)],
    "I7": [(digital_link, "compute_gs1_digit", lambda _digits: "3")],
    "I8": [(Context, "schedule", do_nothing)],
    "I9": [(cold_chain, "_flag", do_nothing)],
    "I10": [(Walk, "_find_own", find_own_but_recalls)],
}


def test_every_invariant_has_a_mutant() -> None:
    assert [each.id for each in INVARIANTS] == [f"I{n}" for n in range(1, 11)] == list(MUTANTS)


@pytest.fixture
def _forgetting() -> Iterator[None]:
    """What was read under a mutant is not remembered after it."""
    remembered = [
        each
        for module in (event, event_tree, history, identifiers)
        for each in vars(module).values()
        if hasattr(each, "cache_clear")
    ]
    for each in remembered:
        each.cache_clear()
    yield
    for each in remembered:
        each.cache_clear()


@pytest.mark.slow
@pytest.mark.usefixtures("_forgetting")
@pytest.mark.parametrize("invariant", list(MUTANTS))
def test_hunt_finds_the_planted_mutant(invariant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, name, replacement in MUTANTS[invariant]:
        monkeypatch.setattr(place, name, replacement)
    with pytest.raises(AssertionError, match=f"{invariant}: "):
        hunt(Trails, examples=300, steps=50)

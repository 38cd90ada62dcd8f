"""The hunt for I1 … I10: it reaches every state and refusal, and finds a planted mutant of each."""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, get_args

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from hansa.apps.e_invoice import APPLICATION
from hansa.apps.e_invoice.contract import fields, issue, red_letter, registration, reimburse
from hansa.apps.e_invoice.invariants import INVARIANTS
from hansa.apps.e_invoice.model import records
from hansa.ledger.context import Context
from tests.apps.e_invoice import test_contract
from tests.apps.e_invoice.league import League
from tests.apps.e_invoice.machine import Lives

STATES = {
    *get_args(records.Status),
    *filter(None, get_args(records.Red)),
    *filter(None, get_args(records.Credit)),
    "USE_CONFIRMED",
}


def hunt(examples: int, steps: int = 40) -> set[str]:
    """Run the machine, the same lives each time; what it reached. Raises what it finds."""

    class Hunt(Lives):
        seen: ClassVar[set[str]] = set()

    run_state_machine_as_test(
        Hunt,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            print_blob=False,
            report_multiple_bugs=False,
        ),
    )
    return Hunt.seen


def test_lives_of_invoices_violate_nothing() -> None:
    assert {"REIMBURSED", "FULLY_CREDITED", "e_invoice.not_the_party"} <= hunt(examples=12)


@pytest.mark.slow
def test_hunt_reaches_every_state_event_and_rejection() -> None:
    declared = {rejection.CODESPACE + "." + rejection.CODE for rejection in APPLICATION.rejections}
    announced = {event.__name__ for event in APPLICATION.events}
    by_hunt = hunt(examples=140, steps=50)
    reached = by_hunt | run_directed()
    print("states by the hunt:", sorted(STATES & by_hunt))
    print("states only by directed tests:", sorted((STATES & reached) - by_hunt))
    print("rejections by the hunt:", sorted(declared & by_hunt))
    print("rejections only by directed tests:", sorted((declared & reached) - by_hunt))
    assert STATES - reached == set()
    assert announced - reached == set()
    assert declared - reached == set()
    assert len(declared & by_hunt) >= 35


def run_directed() -> set[str]:
    """Every test of `test_contract`, each with a league of its own; the codes they met."""
    leagues: list[League] = []
    for name, test in vars(test_contract).items():
        if name.startswith("test_"):
            for arguments in list_arguments(test):
                if "league" in inspect.signature(test).parameters:
                    leagues.append(League())
                    arguments = {**arguments, "league": leagues[-1]}
                test(**arguments)
    return set().union(*(each.codes | each.events | each.states() for each in leagues))


def list_arguments(test: Callable[..., None]) -> list[dict[str, Any]]:
    """What `parametrize` gives the test, one dictionary for each case."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        return [{}]
    named, cases = marks[0].args
    names = [named] if isinstance(named, str) else list(named)
    return [dict(zip(names, case if len(names) > 1 else [case], strict=True)) for case in cases]


def do_nothing(*_args: object) -> None:
    """A check that was forgotten."""


MUTANTS: dict[str, list[tuple[object, str, Callable[..., Any]]]] = {
    "I1": [(issue, "_check_number_free", do_nothing)],
    "I2": [(issue, "compute_faults", lambda _content: ())],
    "I3": [(reimburse, "_require_free_to_submit", do_nothing)],
    "I4": [(red_letter, "check_within", do_nothing)],
    "I5": [(red_letter, "is_confirmation_needed", lambda _original: False)],
    "I6": [(issue, "_check_quota", do_nothing)],
    "I7": [(fields, "_check_commitment", do_nothing)],
    "I8": [(Context, "require_free", do_nothing)],
    "I9": [(fields, "_check_capitals", do_nothing)],
    "I10": [
        (issue, "check_party_identifier", do_nothing),
        (registration, "check_party_identifier", do_nothing),
    ],
}


def test_every_invariant_has_a_mutant() -> None:
    assert [each.id for each in INVARIANTS] == [f"I{n}" for n in range(1, 11)] == list(MUTANTS)


@pytest.mark.slow
@pytest.mark.parametrize("invariant", list(MUTANTS))
def test_hunt_finds_the_planted_mutant(invariant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, name, replacement in MUTANTS[invariant]:
        monkeypatch.setattr(place, name, replacement)
    with pytest.raises(AssertionError, match=f"{invariant}: "):
        hunt(examples=300, steps=50)

"""The hunt for I1 … I10: it reaches every state and refusal, and finds a planted mutant of each."""

from typing import get_args

import pytest

from hansa.apps.e_invoice import APPLICATION
from hansa.apps.e_invoice.contract import fields, issue, red_letter, registration, reimburse
from hansa.apps.e_invoice.invariants import INVARIANTS
from hansa.apps.e_invoice.model import records
from hansa.ledger.context import Context
from tests.apps.e_invoice import test_contract
from tests.apps.e_invoice.league import League
from tests.apps.e_invoice.machine import Lives
from tests.apps.hunting import Mutant, check_reached, do_nothing, hunt, run_directed

STATES = {
    *get_args(records.Status),
    *filter(None, get_args(records.Red)),
    *filter(None, get_args(records.Credit)),
    "USE_CONFIRMED",
}


def test_lives_of_invoices_violate_nothing() -> None:
    assert {"REIMBURSED", "FULLY_CREDITED", "e_invoice.not_the_party"} <= hunt(Lives, examples=12)


@pytest.mark.slow
def test_hunt_reaches_every_state_event_and_rejection() -> None:
    by_hunt = hunt(Lives, examples=140, steps=50)
    check_reached(APPLICATION, STATES, by_hunt, run_directed(test_contract, League), least=35)


MUTANTS: dict[str, Mutant] = {
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
        hunt(Lives, examples=300, steps=50)

"""The hunt for S3 to S5: no order of messages breaks them, and a mutant of each is found."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hansa.contracts.credentials import handlers
from hansa.contracts.credentials.invariants import INVARIANTS
from hansa.contracts.credentials.model import OpenStatusList, ReinstateStatus, SetStatus, Status
from hansa.ledger.receipts import OK
from hansa.ledger.state import scan_records
from hansa.testing.chain import Actor
from tests.contracts.hunt import run
from tests.contracts.league import build_chain

ISSUER = Actor("issuer")
LISTS = {"one": ("revocation",), "two": ("revocation", "suspension")}
GRANT = {"application": "credentials", "role": "issuer", "holder": ISSUER.did, "scope": "-"}
Patch = pytest.MonkeyPatch

names = st.sampled_from(sorted(LISTS))
indexes = st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True).map(sorted)


class StatusMachine(RuleBasedStateMachine):
    """Two small lists; an own account of what was said of each index, kept beside the ledger's."""

    @initialize()
    def begin(self) -> None:
        self.chain = build_chain(ISSUER, parts={"permissions": {"grants": [GRANT]}})
        self.said: dict[tuple[str, int], list[str]] = {}
        for name, purposes in LISTS.items():
            opened = OpenStatusList(issuer=ISSUER.did, list=name, size=4, purposes=purposes)  # type: ignore[arg-type]
            assert self.chain.send(ISSUER, "credentials", opened).code == OK

    @rule(name=names, chosen=indexes, value=st.sampled_from(("revoked", "suspended")))
    def set_status(self, name: str, chosen: list[int], value: Any) -> None:
        message = SetStatus(
            issuer=ISSUER.did, list=name, indexes=tuple(chosen), value=value, reason="test"
        )
        self._note(name, chosen, value, self.chain.send(ISSUER, "credentials", message).code)

    @rule(name=names, chosen=indexes)
    def reinstate(self, name: str, chosen: list[int]) -> None:
        message = ReinstateStatus(issuer=ISSUER.did, list=name, indexes=tuple(chosen))
        self._note(name, chosen, "valid", self.chain.send(ISSUER, "credentials", message).code)

    def _note(self, name: str, chosen: list[int], value: str, code: str) -> None:
        if code != OK:
            return
        for index in chosen:
            told = self.said.setdefault((name, index), ["valid"])
            assert told[-1] != "revoked", "S4: nothing follows a revocation"
            told.append(value)

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "chain"):
            return
        state = self.chain.state
        assert [each for rule_ in INVARIANTS for each in rule_.check(state)] == []
        found = scan_records(state, "credentials", Status, limit=100)
        now = {(each.list, each.index): each.at(self.chain.time_ms) for each in found}
        assert now == {where: told[-1] for where, told in self.said.items()}


def test_no_rule_of_status_lists_is_broken() -> None:
    run(StatusMachine, turns=1, examples=6, steps=25)


def _allow_beyond(patch: Patch) -> None:
    true_read = handlers._read

    def read(ctx: Any, message: Any) -> Any:
        return true_read(ctx, type(message)(**{**_fields(message), "indexes": (0,)}))

    patch.setattr(handlers, "_read", read)


def _fields(message: Any) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__struct_fields__}


def _undo_revocation(patch: Patch) -> None:
    patch.setattr(handlers, "_check_change", lambda *_arguments: None)


def _suspend_for_ever(patch: Patch) -> None:
    patch.setattr(handlers, "SUSPENSIONS_MAX", 10**6)
    patch.setattr("hansa.contracts.credentials.invariants.SUSPENSIONS_MAX", 1)


MUTANTS: dict[str, Callable[[Patch], None]] = {
    "S3": _allow_beyond,
    "S4": _undo_revocation,
    "S5": _suspend_for_ever,
}


def test_every_invariant_of_status_lists_has_a_mutant() -> None:
    assert set(MUTANTS) == {each.id for each in INVARIANTS}


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_hunt_finds_the_mutant_of(mutant: str, monkeypatch: Patch) -> None:
    MUTANTS[mutant](monkeypatch)
    with pytest.raises(AssertionError):
        run(StatusMachine, turns=3, examples=10, steps=30)

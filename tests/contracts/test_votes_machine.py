"""The machine of the validator set reaches every state and refusal, and finds a mutant of each
rule.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from hansa.catalog import load_application
from hansa.contracts.members import handlers as members
from hansa.contracts.validators import evidence, handlers, keys, nodes
from hansa.contracts.validators.model import ApproveValidator
from hansa.contracts.validators.quorum import Strength
from hansa.crypto.addresses import compute_address
from hansa.ledger import execution
from hansa.ledger.context import Context
from hansa.ledger.contracts import get_version
from hansa.ledger.execution import execute_block
from hansa.ledger.genesis import compute_genesis_changes
from hansa.ledger.state import MemoryState
from hansa.ledger.system import Evidence
from tests.contracts.hunt import run
from tests.contracts.judge import Violation
from tests.contracts.votes import APP
from tests.contracts.votes_machine import VotesMachine

STATES = {
    *(f"validator {state}" for state in ("candidate", "active", "suspended")),
    *(f"evidence {kind}" for kind in ("duplicate_vote", "light_client_attack")),
    *(
        f"outcome {outcome}"
        for outcome in ("suspended", "kept_for_quorum", "kept_by_parameter", "not_voting")
    ),
}
OTHERS = {
    "code members.validator_votes",
    "code accounts.not_administrator",
    "code ledger.internal_message",
    "message validators/RecordMisbehaviour/1",
}


def list_wanted() -> set[str]:
    """Every declared rejection, message, event and state of the contract."""
    application = load_application(APP)
    wanted = STATES | OTHERS
    wanted |= {f"code {APP}.{each.CODE}" for each in application.rejections}
    wanted |= {f"event {APP}.{each.__name__}" for each in application.events}
    wanted |= {
        f"message {APP}/{each.__name__}/{get_version(each)}"
        for each in application.messages
        if not each.INTERNAL
    }
    return wanted


class Replayed(VotesMachine):
    """At the end of each example all blocks are executed again on a fresh state."""

    def teardown(self) -> None:
        state = MemoryState()
        chain = self.chain
        state.apply_genesis(
            compute_genesis_changes(chain.genesis, chain.registry), chain.genesis.time_ms
        )
        for block, first in zip(chain.blocks, chain.results, strict=True):
            again = execute_block(state, block, chain.registry)
            assert again.validator_updates == first.validator_updates
            assert again.deadlines == first.deadlines
            assert again.state_root == first.state_root
            state.apply(block, again)


def test_no_rule_is_broken_in_a_short_run_and_its_replay_gives_the_same_updates() -> None:
    run(Replayed, turns=2, examples=2, steps=40)


@pytest.mark.slow
def test_the_machine_reaches_every_state_and_every_refusal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Fresh(VotesMachine):
        reached: ClassVar[Counter[str]] = Counter()

    wanted = list_wanted()
    run(Fresh, turns=32, examples=8, steps=60, until=lambda: wanted <= set(Fresh.reached))
    with capsys.disabled():
        print()
        for name, number in sorted(Fresh.reached.items()):
            print(f"{number:7d}  {name}")
    assert wanted - set(Fresh.reached) == set()


# One mutant for each rule: the check is away, and the machine must say which rule was broken.

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]


def _nothing(*_arguments: Any, **_named: Any) -> None:
    """A check that checks nothing."""


def _patch(module: Any, name: str, value: Any) -> Mutant:
    return lambda patch: patch.setattr(module, name, value)


def _two_thirds(patch: Patch) -> None:
    patch.setattr(
        Strength, "is_enough", property(lambda strength: 3 * strength.live >= 2 * strength.total)
    )


def _suspend_always(patch: Patch) -> None:
    enough = Strength(live=1, total=1)
    patch.setattr(evidence, "measure_change", lambda *_arguments: enough)


def _forget_evidence(patch: Patch) -> None:
    true_get = Context.get

    def get(self: Any, kind: Any, *parts: str) -> Any:
        return None if kind is Evidence else true_get(self, kind, *parts)

    patch.setattr(Context, "get", get)


def _tell_no_removals(patch: Patch) -> None:
    true_compute = execution.compute_validator_updates
    patch.setattr(
        execution,
        "compute_validator_updates",
        lambda *readers: tuple(each for each in true_compute(*readers) if each.power),
    )


MUTANTS: dict[str, tuple[set[str], Mutant]] = {
    "V1 no possession": ({"V1"}, _patch(keys, "check_possession", _nothing)),
    "V1 a key twice": ({"V1"}, _patch(keys, "check_unused", _nothing)),
    "V1 any key": (
        {"V1"},
        _patch(keys, "derive_address", lambda key: compute_address(key.raw).hex()),
    ),
    "V2 two of one member": ({"V2"}, _patch(handlers, "find_validator", _nothing)),
    "V2 beyond the number": ({"V2"}, _patch(handlers, "VALIDATORS_MAX", 1_000)),
    "V3 no guard": ({"V3"}, _patch(handlers, "check_quorum", _nothing)),
    "V3 two thirds": ({"V3", "V6"}, _two_thirds),
    "V3 suspended anyway": ({"V3", "V6"}, _suspend_always),
    "V4 anybody activates": ({"V4"}, _patch(handlers, "require_administrator", _nothing)),
    "V4 anybody approves": ({"V4", "V1"}, _patch(ApproveValidator, "INTERNAL", False)),
    "V4 from any state": ({"V4"}, _patch(handlers, "_check_state", _nothing)),
    "V5 the fallen vote": ({"V5"}, _patch(handlers, "check_member", _nothing)),
    "V5 voters fall": ({"V5"}, _patch(members, "_check_no_vote", _nothing)),
    "V6 never suspended": (
        {"V6"},
        _patch(evidence, "_decide", lambda *_arguments: "not_voting"),
    ),
    "V6 recorded anew": ({"V6"}, _forget_evidence),
    "V7 the last node": ({"V7"}, _patch(nodes, "_check_not_last", _nothing)),
    "V7 a node twice": ({"V7"}, _patch(nodes, "check_free", _nothing)),
    "V7 without a node": ({"V7"}, _patch(handlers, "_check_node", _nothing)),
    "V8 never forgotten": ({"V8"}, _patch(execution, "forget_liveness", _nothing)),
    "ENGINE not told": ({"ENGINE"}, _tell_no_removals),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_the_machine_finds_a_mutant_of_each_rule(name: str, monkeypatch: Patch) -> None:
    rules, mutate = MUTANTS[name]
    mutate(monkeypatch)
    with pytest.raises(Violation) as found:
        run(VotesMachine, turns=16, examples=8, steps=60)
    assert found.value.rule in rules, found.value


def test_every_invariant_has_a_mutant() -> None:
    declared = {each.id for each in load_application(APP).invariants}
    hunted = {rule for rules, _mutate in MUTANTS.values() for rule in rules}
    assert declared <= hunted

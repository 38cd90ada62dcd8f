"""The machine reaches every state and every declared refusal, and finds a mutant of each rule."""

import base64
import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

from hansa.catalog import SYSTEM, load_application
from hansa.contracts.accounts import did_handlers, keys, recovery_handlers
from hansa.contracts.accounts import handlers as accounts
from hansa.contracts.governance import actions
from hansa.contracts.governance import handlers as governance
from hansa.contracts.governance.model import Ballot, Voter, Weight
from hansa.contracts.holds import handlers as holds
from hansa.contracts.members import handlers as members
from hansa.contracts.members.model import SuspendMember
from hansa.contracts.permissions import handlers as permissions
from hansa.contracts.quotas import handlers as quotas
from hansa.identity.did import compute_did
from hansa.ledger import admission
from hansa.ledger.context import Context
from hansa.ledger.contracts import get_version
from hansa.ledger.execution import execute_block
from hansa.ledger.genesis import compute_genesis_changes
from hansa.ledger.state import MemoryState
from hansa.ledger.system import StandingSince
from tests.contracts.hunt import run
from tests.contracts.judge import Violation
from tests.contracts.machine import LeagueMachine

STATES = {
    *(f"governance {state}" for state in ("OPEN", "EXECUTED", "FAILED", "REJECTED", "LAPSED")),
    *(f"members {standing}" for standing in ("good", "suspended", "expelled")),
    *(f"accounts {standing}" for standing in ("good", "suspended", "closed")),
    *(f"accounts {state}" for state in ("open", "agreed")),
    *(f"recovery {end}" for end in ("completed", "vetoed", "lapsed", "superseded", "closed")),
    *(f"hold {kind}" for kind in ("freeze", "seizure", "pledge", "assignment")),
}
# Hunted by the machine of the validator set (`test_votes_machine`), with what needs a validator.
# Contracts that have hunts of their own beside this one.
OWN_HUNTS = {"schemas", "accreditations", "credentials", "evidence", "mandates", "consents"}
HERE = tuple(name for name in SYSTEM if name not in {"validators", *OWN_HUNTS})
ELSEWHERE = {"code members.validator_votes"}
KERNEL = {"frozen", "internal_message", "not_in_good_standing", "quota_spent", "held"}


def list_wanted() -> set[str]:
    """Every declared rejection, message, event and state of the system contracts."""
    wanted = set(STATES) | {f"code ledger.{code}" for code in KERNEL}
    for name in HERE:
        application = load_application(name)
        wanted |= {f"code {name}.{each.CODE}" for each in application.rejections}
        wanted |= {f"event {name}.{each.__name__}" for each in application.events}
        wanted |= {
            f"message {name}/{each.__name__}/{get_version(each)}"
            for each in application.messages
            if not each.INTERNAL
        }
    return wanted - ELSEWHERE


class Replayed(LeagueMachine):
    """At the end of each example all blocks are executed again on a fresh state."""

    def teardown(self) -> None:
        state = MemoryState()
        chain = self.chain
        state.apply_genesis(
            compute_genesis_changes(chain.genesis, chain.registry), chain.genesis.time_ms
        )
        for block, first in zip(chain.blocks, chain.results, strict=True):
            again = execute_block(state, block, chain.registry)
            assert again.results == first.results
            assert again.state_root == first.state_root
            state.apply(block, again)


def test_no_rule_is_broken_in_a_short_run_and_its_replay_gives_the_same_roots() -> None:
    run(Replayed, turns=2, examples=2, steps=40)


@pytest.mark.slow
def test_the_machine_reaches_every_state_and_every_refusal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Fresh(LeagueMachine):
        reached: ClassVar[Counter[str]] = Counter()

    wanted = list_wanted()
    run(Fresh, turns=64, examples=8, steps=60, until=lambda: wanted <= set(Fresh.reached))
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


def _open_no_account(patch: Patch) -> None:
    contract = accounts.contract
    kind, _handler = contract.handlers[("OpenMemberAccount", 1)]
    patch.setitem(contract.handlers, ("OpenMemberAccount", 1), (kind, _nothing))


def _forget_history(patch: Patch) -> None:
    def extend(_history: Any, standing: Any, height: int) -> tuple[StandingSince, ...]:
        return (StandingSince(since=max(0, height + 1), standing=standing),)

    patch.setattr(members, "extend_standing", extend)


def _forget_accounts_history(patch: Patch) -> None:
    def extend(history: Any, standing: Any, height: int) -> tuple[StandingSince, ...]:
        return (*history, StandingSince(since=height, standing=standing))

    patch.setattr(accounts, "extend_standing", extend)


def _derive_another_did(patch: Patch) -> None:
    def derive(key: Any) -> str:
        digest = hashlib.sha256(key.public.encode()).digest()[:20]
        return "did:hansa:" + base64.b32encode(digest).decode().lower()

    true_check = keys.check_possession
    patch.setattr(accounts, "derive_did", derive)
    patch.setattr(
        accounts,
        "check_possession",
        lambda chain, **named: true_check(chain, **{**named, "account": compute_did(named["key"])}),
    )


def _end_keys_at_once(patch: Patch) -> None:
    true_end = keys.end_key
    patch.setattr(
        accounts,
        "end_key",
        lambda account, key_id, height, time_ms: true_end(account, key_id, height - 1, time_ms),
    )


def _file_nothing(patch: Patch) -> None:
    patch.setattr(permissions, "_file", _nothing)


def _count_all(patch: Patch) -> None:
    def list_voters(ctx: Any) -> tuple[Voter, ...]:
        return tuple(Voter(member=each.member, weight=each.weight) for each in ctx.scan(Weight))

    patch.setattr(governance, "list_voters", list_voters)


def _pass_with_one_vote(patch: Patch) -> None:
    patch.setattr(
        governance, "compute_outcome", lambda *, yes, **_rest: "passed" if yes else "open"
    )


def _forget_ballots(patch: Patch) -> None:
    true_get = Context.get

    def get(self: Any, kind: Any, *parts: str) -> Any:
        return None if kind is Ballot else true_get(self, kind, *parts)

    patch.setattr(Context, "get", get)


def _keep_failed_actions(patch: Patch) -> None:
    @contextlib.contextmanager
    def attempt(self: Any) -> Iterator[None]:
        yield

    patch.setattr(Context, "attempt", attempt)


def _spend_without_end(patch: Patch) -> None:
    def check(reader: Any, member: str, cost: int, time_ms: int) -> Any:
        before = admission.get_system(reader, admission.Usage, member)
        window = admission.compute_window(reader, time_ms)
        spent = before.units if before is not None and before.window == window else 0
        return admission.Usage(member=member, window=window, units=spent + cost)

    patch.setattr("hansa.ledger.admission.check_quota", check)


def _hold_nothing(patch: Patch) -> None:
    def need(ctx: Any, message: Any) -> str:
        owner = ctx.view("land", "holdable", message.record_kind, *message.record_key)
        return str(owner or ctx.member)

    patch.setattr(holds, "_need_owner", need)


def _never_lapse(patch: Patch) -> None:
    true_schedule = Context.schedule

    def schedule(self: Any, at_ms: int, message: Any, name: str) -> None:
        if self.application != "holds":
            true_schedule(self, at_ms, message, name)

    patch.setattr(Context, "schedule", schedule)


MUTANTS: dict[str, tuple[set[str], Mutant]] = {
    "M1 no first account": ({"M1"}, _open_no_account),
    "M2 an identifier twice": ({"M2"}, _patch(members, "check_identifiers_free", _nothing)),
    "M2 no check digits": ({"M2"}, _patch(members, "check_identifier", _nothing)),
    "M3 any step": (
        {"M3"},
        _patch(members, "_need_standing", lambda ctx, did, *_: members._need_member(ctx, did)),
    ),
    "M4 history forgotten": ({"M4"}, _forget_history),
    "M5 anybody suspends": ({"M5"}, _patch(SuspendMember, "INTERNAL", False)),
    "M5 anybody sets contacts": ({"M5"}, _patch(members, "require_administrator", _nothing)),
    "A1 another DID": ({"A1"}, _derive_another_did),
    "A2 no possession": ({"A2"}, _patch(accounts, "check_possession", _nothing)),
    "A2 small order": ({"A2"}, _patch(accounts, "check_key", _nothing)),
    "A3 a key twice": ({"A3"}, _patch(accounts, "check_unused", _nothing)),
    "A4 any purpose": ({"A4"}, _patch(accounts, "check_purposes", _nothing)),
    "A5 anybody": ({"A5"}, _patch(accounts, "require_control", _nothing)),
    "A5 any administrator": ({"A5"}, _patch(accounts, "require_administrator", _nothing)),
    "A5 anybody opens": (
        {"A5"},
        _patch(accounts, "is_administrator", lambda *_arguments: True),
    ),
    "A6 keys without end": ({"A6"}, _patch(keys, "KEYS_LIVE_MAX", 1_000)),
    "A7 no key left": ({"A7"}, _patch(accounts, "check_can_act", _nothing)),
    "A7 ended at once": ({"A7"}, _end_keys_at_once),
    "A8 closed opens": (
        {"A8", "A7"},
        _patch(accounts, "_check_standing", _nothing),
    ),
    "A8 at once": ({"A8", "A12"}, _forget_accounts_history),
    "A9 first falls": ({"A9", "A7"}, _patch(accounts, "_check_not_first", _nothing)),
    "A10 any key": ({"A10"}, _patch(accounts, "check_not_promised", _nothing)),
    "A10 any box": ({"A10"}, _patch(did_handlers, "check_not_promised", _nothing)),
    "A10 any plan": ({"A10"}, _patch(recovery_handlers, "check_not_promised", _nothing)),
    "A10 a key of before": (
        {"A10"},
        _patch(did_handlers, "_check_promise", _nothing),
    ),
    "A10 anybody promises": ({"A10"}, _patch(did_handlers, "require_itself", _nothing)),
    "A10 old keys stay": (
        {"A10"},
        _patch(did_handlers, "list_live_keys", lambda *_arguments: ()),
    ),
    "A11 any plan": ({"A11"}, _patch(recovery_handlers, "_check_plan", _nothing)),
    "A11 no time to veto": ({"A11"}, _patch(recovery_handlers, "DELAY_MS_DEFAULT", 1_000)),
    "A11 anybody vetoes": ({"A11"}, _patch(recovery_handlers, "require_itself", _nothing)),
    "A11 an agent twice": ({"A11"}, _patch(recovery_handlers, "_take_back", _nothing)),
    "A11 who cannot veto": (
        {"A11"},
        _patch(recovery_handlers, "can_veto", lambda *_arguments: True),
    ),
    "A11 old keys stay": (
        {"A11"},
        _patch(recovery_handlers, "list_live_keys", lambda *_arguments: ()),
    ),
    "A12 no version": ({"A12"}, _patch(accounts, "begin_version", _nothing)),
    "A12 without bound": ({"A12"}, _patch(did_handlers, "SERVICES_MAX", 1_000)),
    "A12 anybody speaks": ({"A12"}, _patch(did_handlers, "require_speaker", _nothing)),
    "P1 anybody grants": ({"P1", "P2", "P5"}, _patch(permissions, "_check_entitled", _nothing)),
    "P2 beyond the end": ({"P2"}, _patch(permissions, "_ends_by", lambda *_arguments: True)),
    "P2 beyond the scope": ({"P2"}, _patch(permissions, "ANY_SCOPE", "north")),
    "P3 any holder": (
        {"P3"},
        _patch(permissions, "check_holder", lambda _ctx, holder: holder),
    ),
    "P4 nothing filed": ({"P4"}, _file_nothing),
    "P5 anybody withdraws": (
        {"P5", "P1"},
        _patch(permissions, "is_administrator", lambda *_arguments: True),
    ),
    "G1 one vote": ({"G1"}, _pass_with_one_vote),
    "G2 the suspended vote": ({"G2"}, _count_all),
    "G3 vote twice": ({"G3", "G2", "G1"}, _forget_ballots),
    "G3 any staff": (
        {"G3"},
        _patch(governance, "is_administrator", lambda *_arguments: True),
    ),
    "G4 half done": ({"G4"}, _keep_failed_actions),
    "G5 locked out": ({"G5"}, _patch(governance, "check_governable", _nothing)),
    "G6 governance frozen": ({"G6"}, _patch(actions, "_check_freezable", _nothing)),
    "G7 any parameter": ({"G7"}, _patch(actions, "check_parameter", _nothing)),
    "H1 any office": ({"H1"}, _patch(holds, "OFFICES", dict.fromkeys(holds.OFFICES, ("bank",)))),
    "H2 on nothing": ({"H2"}, _hold_nothing),
    "H3 no consent": ({"H3"}, _patch(holds, "_check_consents", _nothing)),
    "H4 anybody releases": (
        {"H4"},
        _patch(holds, "_may_release", lambda *_arguments: True),
    ),
    "H4 never lapses": ({"H4"}, _never_lapse),
    "H5 without end": ({"H5"}, _patch(holds, "HOLDS_MAX", 1_000)),
    "Q1 without end": ({"Q1"}, _spend_without_end),
    "Q2 silenced": ({"Q2"}, _patch(quotas, "UNITS_MIN", 0)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_the_machine_finds_a_mutant_of_each_rule(name: str, monkeypatch: Patch) -> None:
    rules, mutate = MUTANTS[name]
    mutate(monkeypatch)
    with pytest.raises(Violation) as found:
        run(LeagueMachine, turns=48, examples=8, steps=60)
    assert found.value.rule in rules, found.value


def test_every_invariant_has_a_mutant() -> None:
    declared = {each.id for name in HERE for each in load_application(name).invariants}
    hunted = {rule for rules, _mutate in MUTANTS.values() for rule in rules}
    assert declared <= hunted

"""A machine of evidence: anybody creates, signs, revokes, logs, attaches; a mutant of each rule is
found. The judge keeps its own books of what was accepted.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from msgspec.structs import replace

from hansa.catalog import load_application
from hansa.contracts import evidence
from hansa.contracts.evidence import handlers, invariants
from hansa.contracts.evidence.model import (
    AddLog,
    AttachToken,
    CreateEvidence,
    Evidence,
    EvidenceSignature,
    RevokeEvidence,
    SignEvidence,
    Stand,
    UnrevokeEvidence,
)
from hansa.crypto.hashing import sha256
from hansa.encoding.text import encode_base64url
from hansa.ledger.context import Context
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK
from hansa.testing.chain import Actor
from tests.contracts.hunt import run
from tests.contracts.judge import Violation
from tests.contracts.league import build_chain, build_open_account, find_violations

T = TypeVar("T")
APP = "evidence"
NOTARY, BANK, CITIZEN = Actor("notary"), Actor("bank"), Actor("citizen")
EVERYONE = (NOTARY, BANK, CITIZEN)
VALUES = tuple(encode_base64url(sha256(bytes([number]))) for number in range(3))
TOKENS = (b"one", b"two", b"three")
Key = tuple[str, str]


class EvidenceMachine(RuleBasedStateMachine):
    """One league a run; blocks of one to three messages."""

    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.chain = build_chain(NOTARY, BANK)
        self.chain.send(BANK, "accounts", build_open_account(CITIZEN, BANK, kind="citizen"))
        self.random = random.Random(0)
        self.values: dict[Key, str] = {}
        self.stands: dict[tuple[Key, str], bool] = {}

    @rule(seed=st.integers(0, 2**32 - 1))
    def step(self, seed: int) -> None:
        self.random = random.Random(f"{seed}/{self.chain.state.tree.root.hex()}")
        turns = [self.turn() for _ in range(self.pick((1, 1, 2, 3)))]
        self.chain.block([self.chain.sign(actor, [(APP, message)]) for actor, message in turns])
        for (actor, message), done in zip(turns, self.chain.results[-1].results, strict=True):
            result = done.messages[0]
            self.reached[f"code {result.code}"] += 1
            self.forbid(result.code == "ledger.contract_fault", "FAULT", str(message))
            if result.code == OK:
                self.reached.update(f"event {event.type}" for event in result.events)
                self.judge(actor, message)
        found = find_violations(self.chain.state, APP)
        if found:
            name, _colon, text = found[0].partition(": ")
            raise Violation(name, text)
        for key, value in self.values.items():
            record = self.chain.get(APP, Evidence, *key)
            self.forbid(record is None or record.value != value, "E1", f"{key} changed")

    def pick(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def forbid(self, condition: bool, rule_: str, text: str) -> None:
        if condition:
            raise Violation(rule_, text)

    def turn(self) -> tuple[Actor, Message]:
        owner, name = self.pick((NOTARY, BANK)).did, self.pick(("a", "b", VALUES[0]))
        token = self.pick(TOKENS)
        form, items = self.pick((("commitment", 1), ("digest", 1), ("root", 9), ("digest", 9)))
        digest = encode_base64url(sha256(self.pick((token, token, b"no"))))
        message = self.pick(
            (
                CreateEvidence(
                    id=self.pick(("a", "b", "")),
                    form=form,  # type: ignore[arg-type]
                    value=self.pick(VALUES),
                    items=items,
                ),
                SignEvidence(owner=owner, id=name, value=self.pick(VALUES)),
                RevokeEvidence(owner=owner, id=name, reason="wrong"),
                UnrevokeEvidence(owner=owner, id=name),
                AddLog(owner=owner, id=name, code="shown"),
                AttachToken(owner=owner, id=name, digest=digest, token=encode_base64url(token)),
            )
        )
        return self.pick(EVERYONE), message

    def judge(self, actor: Actor, message: Message) -> None:
        """Whether it was right to accept this."""
        if isinstance(message, CreateEvidence):
            key = (actor.did, message.id or message.value)
            self.forbid(key in self.values, "E2", f"{key} twice")
            self.values[key] = message.value
            self.stands[key, actor.did] = True
            return
        assert isinstance(
            message, SignEvidence | RevokeEvidence | UnrevokeEvidence | AddLog | AttachToken
        )
        key = (message.owner, message.id)
        stands = self.stands.get((key, actor.did))
        if isinstance(message, SignEvidence):
            self.forbid(stands is not None, "E3", f"{actor} signed twice")
            self.forbid(message.value != self.values[key], "E3", "another value was signed")
            self.stands[key, actor.did] = True
        elif isinstance(message, UnrevokeEvidence):
            self.forbid(stands is not False, "E4", f"{actor} took up what stood")
            self.stands[key, actor.did] = True
        else:
            rules: dict[type[Message], str] = {AddLog: "E5", AttachToken: "E6"}
            rule_ = rules.get(type(message), "E4")
            self.forbid(not stands, rule_, f"{actor}: {message}")
            if isinstance(message, RevokeEvidence):
                self.stands[key, actor.did] = False


def list_wanted() -> set[str]:
    wanted = {f"event {each.__name__}" for each in evidence.EVENTS}
    return wanted | {f"code {APP}.{each.CODE}" for each in evidence.REJECTION.__subclasses__()}


def make_bounds_small(patch: pytest.MonkeyPatch) -> None:
    """So that every bound is met within a run."""
    for module in (handlers, invariants):
        for name in ("STANDS_MAX", "LOG_MAX", "TOKENS_MAX"):
            patch.setattr(module, name, 2, raising=False)


def test_no_rule_of_evidence_is_broken_in_a_short_run() -> None:
    run(EvidenceMachine, turns=1, examples=2, steps=25)


@pytest.mark.slow
def test_the_machine_of_evidence_reaches_every_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fresh(EvidenceMachine):
        reached: ClassVar[Counter[str]] = Counter()

    make_bounds_small(monkeypatch)
    wanted = list_wanted()
    run(Fresh, turns=20, examples=5, steps=60, until=lambda: wanted <= set(Fresh.reached))
    assert wanted - set(Fresh.reached) == set()


Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]


def _patch(module: Any, name: str, value: Any) -> Mutant:
    return lambda patch: patch.setattr(module, name, value)


def _forget(kind: type[Any]) -> Mutant:
    """Handlers never see the records of this kind that they would look up."""

    def plant(patch: Patch) -> None:
        true_get = Context.get

        def get(ctx: Context, asked: Any, *parts: str) -> Any:
            return None if asked is kind else true_get(ctx, asked, *parts)

        patch.setattr(Context, "get", get)

    return plant


def _put_otherwise(change: Callable[[Any], Any]) -> Mutant:
    def plant(patch: Patch) -> None:
        true_put = Context.put
        patch.setattr(Context, "put", lambda ctx, record: true_put(ctx, change(record)))

    return plant


def _lose_a_number(record: Any) -> Any:
    return replace(record, log=0) if isinstance(record, Evidence) else record


def _widen(record: Any) -> Any:
    return replace(record, items=2) if isinstance(record, Evidence) else record


def _backdate(record: Any) -> Any:
    if not isinstance(record, EvidenceSignature):
        return record
    last = replace(record.stands[-1], since_ms=1)
    return replace(record, stands=(*record.stands[:-1], last))


def _stand_by_it(ctx: Context, found: Evidence) -> EvidenceSignature:
    stands = (Stand(ctx.time_ms),)
    return EvidenceSignature(owner=found.owner, id=found.id, signer=ctx.sender, stands=stands)


MUTANTS: dict[str, tuple[set[str], Mutant]] = {
    "E1 items": ({"E1"}, _put_otherwise(_widen)),
    "E2 a name twice": ({"E1", "E2", "E4", "E5", "E6"}, _forget(Evidence)),
    "E3 signed twice": ({"E3", "E4"}, _forget(EvidenceSignature)),
    "E4 backdated": ({"E4"}, _put_otherwise(_backdate)),
    "E5 a lost entry": ({"E5"}, _put_otherwise(_lose_a_number)),
    "E5 logged by anybody": (
        {"E4", "E5", "E6"},
        _patch(handlers, "_need_standing", _stand_by_it),
    ),
    "E6 any token": ({"E6"}, _patch(handlers, "_check_token", lambda _message: None)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_the_machine_finds_a_mutant_of_each_rule_of_evidence(name: str, monkeypatch: Patch) -> None:
    rules, plant = MUTANTS[name]
    plant(monkeypatch)
    with pytest.raises(Violation) as found:
        run(EvidenceMachine, turns=20, examples=5, steps=60)
    assert found.value.rule in rules, found.value


def test_every_invariant_of_evidence_has_a_mutant() -> None:
    declared = {each.id for each in load_application(APP).invariants}
    assert declared <= {rule for rules, _mutant in MUTANTS.values() for rule in rules}

"""The machine of consents reaches every refusal, and finds a mutant of each rule."""

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from hansa.contracts import consents
from hansa.contracts.consents import accesses, emergency, handlers
from hansa.contracts.consents.model import DataGrant, Erasure
from hansa.ledger.context import Context
from tests.contracts.consents_machine import ConsentsMachine, Violation
from tests.contracts.hunt import run

# A regulator that is also a party, and very many holdings, are set up in test_consents.
ELSEWHERE = {"code consents.not_yours_to_review", "code consents.too_many_holdings"}
Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]


def list_wanted() -> set[str]:
    wanted = {f"event {each.__name__}" for each in consents.EVENTS}
    for kind in consents.REJECTION.__subclasses__():
        wanted.add(f"code consents.{kind.CODE}")
    return wanted - ELSEWHERE


def test_no_rule_is_broken_in_a_short_run() -> None:
    run(ConsentsMachine, turns=1, examples=2, steps=30)


@pytest.mark.slow
def test_the_machine_reaches_every_refusal_and_every_event() -> None:
    class Fresh(ConsentsMachine):
        reached: ClassVar[Counter[str]] = Counter()

    wanted = list_wanted()
    run(Fresh, turns=80, examples=5, steps=60, until=lambda: wanted <= set(Fresh.reached))
    assert wanted - set(Fresh.reached) == set()


def _nothing(*_arguments: Any, **_named: Any) -> None:
    """A check that checks nothing."""


def _patch(module: Any, name: str, value: Any) -> Mutant:
    return lambda patch: patch.setattr(module, name, value)


def _forget_deadline(patch: Patch) -> None:
    patch.setattr(Context, "schedule", _nothing)


def _forget_use(patch: Patch) -> None:
    def put(ctx: Context, record: Any, plain: Any = Context.put) -> None:
        if isinstance(record, DataGrant) and record.used:
            record = replace(record, used=record.used - 1, state="live", ended_ms=None)
        plain(ctx, record)

    patch.setattr(Context, "put", put)


def _skip_a_number(patch: Patch) -> None:
    def count(ctx: Context, subject: str, plain: Any = accesses.count_accesses) -> int:
        return int(plain(ctx, subject)) + 1

    patch.setattr(accesses, "count_accesses", count)


def _write_no_emergency(patch: Patch) -> None:
    def put(ctx: Context, record: Any, plain: Any = Context.put) -> None:
        if record.KIND != "emergency":
            plain(ctx, record)

    patch.setattr(Context, "put", put)


def _forget_erasures(patch: Patch) -> None:
    def get(ctx: Context, kind: Any, *parts: str, plain: Any = Context.get) -> Any:
        return None if kind is Erasure else plain(ctx, kind, *parts)

    patch.setattr(Context, "get", get)


def _deliver_to_anyone(patch: Patch) -> None:
    def put(ctx: Context, record: Any, plain: Any = Context.put) -> None:
        if record.KIND == "delivery":
            record = replace(record, taker=record.subject)
        plain(ctx, record)

    patch.setattr(Context, "put", put)


def _keep(record: Any, **_changes: Any) -> Any:
    return record


def _always(*_arguments: Any, **_named: Any) -> bool:
    return True


MUTANTS: dict[str, tuple[str, Mutant]] = {
    "anybody gives": ("C1", _patch(handlers, "_check_giver", _nothing)),
    "no deadline": ("C2|C8", _forget_deadline),
    "anybody ends": ("C3", _patch(handlers, "_may_end", _always)),
    "ended twice": ("C3", _patch(handlers, "check_not_over", _nothing)),
    "read after the end": ("C5", _patch(accesses, "_check_live", _nothing)),
    "uses not counted": ("C5", _forget_use),
    "read by anybody": ("C5", _patch(accesses, "speaks_for", _always)),
    "torn log": ("C6", _skip_a_number),
    "silent break-glass": ("C7", _write_no_emergency),
    "no review": ("C8", _patch(emergency, "replace", _keep)),
    "deliveries to anyone": ("C9", _deliver_to_anyone),
    "erased returns": ("C10", _forget_erasures),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_found(name: str, monkeypatch: Patch) -> None:
    rules, plant = MUTANTS[name]
    plant(monkeypatch)
    with pytest.raises(Violation) as found:
        run(ConsentsMachine, turns=20, examples=5, steps=40)
    assert any(rule in str(found.value) for rule in rules.split("|")), found.value

"""The machine of mandates reaches every refusal, and finds a mutant of each rule."""

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from hansa.catalog import load_application
from hansa.contracts import mandates
from hansa.contracts.mandates import chain, handlers, invariants
from hansa.contracts.mandates.model import Mandate
from hansa.ledger.context import Context
from tests.contracts.hunt import run
from tests.contracts.judge import Violation
from tests.contracts.mandates_machine import APP, MandateMachine

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]


def list_wanted() -> set[str]:
    """Every event and every refusal, and uses three levels down."""
    wanted = {f"event {each.__name__}" for each in mandates.EVENTS}
    wanted |= {f"code {APP}.{each.CODE}" for each in mandates.REJECTION.__subclasses__()}
    return wanted | {"used at level 3", "act under a mandate", "withdrawn"}


def test_no_rule_is_broken_in_a_short_run() -> None:
    run(MandateMachine, turns=1, examples=2, steps=25)


@pytest.mark.slow
def test_the_machine_reaches_every_refusal_and_every_event(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Fresh(MandateMachine):
        reached: ClassVar[Counter[str]] = Counter()

    wanted = list_wanted()
    run(Fresh, turns=30, examples=5, steps=60, until=lambda: wanted <= set(Fresh.reached))
    with capsys.disabled():
        print()
        for name, number in sorted(Fresh.reached.items()):
            print(f"{number:7d}  {name}")
    assert wanted - set(Fresh.reached) == set()


def _nothing(*_arguments: Any, **_named: Any) -> str:
    """A check that checks nothing, and finds nothing."""
    return ""


def _always(*_arguments: Any, **_named: Any) -> bool:
    return True


def _patch(module: Any, name: str, value: Any) -> Mutant:
    return lambda patch: patch.setattr(module, name, value)


def _put_otherwise(change: Callable[[Mandate], Mandate | None]) -> Mutant:
    """Mandates are written as `change` has them; None: not at all."""

    def plant(patch: Patch) -> None:
        def put(ctx: Context, record: Any, plain: Any = Context.put) -> None:
            changed = change(record) if isinstance(record, Mandate) else record
            if changed is not None:
                plain(ctx, changed)

        patch.setattr(Context, "put", put)

    return plant


def _forget_withdrawals(mandate: Mandate) -> Mandate | None:
    return mandate if mandate.state == "given" else None


def _count_late(mandate: Mandate) -> Mandate:
    return replace(mandate, used=0)


def _walk_one(_ctx: Any, mandate: Mandate) -> tuple[Mandate, ...]:
    return (mandate,)


def _cover_all(patch: Patch) -> None:
    views = dict(handlers.contract.views)
    patch.setattr(handlers.contract, "views", views | {"may_act": _always})


def _ignore_standing(patch: Patch) -> None:
    for each in (chain, handlers):
        patch.setattr(each, "check_standing", _nothing)


def _open_offices(patch: Patch) -> None:
    true_has = Context.has_role

    def has_role(ctx: Context, role: str, *rest: Any, **named: Any) -> bool:
        return role in handlers.OFFICES or true_has(ctx, role, *rest, **named)

    patch.setattr(Context, "has_role", has_role)


def _widen(patch: Patch) -> None:
    for each in (chain, invariants):
        patch.setattr(each, "covers", _always)


def _forget_to_delete(patch: Patch) -> None:
    patch.setattr(Context, "delete", _nothing)


MUTANTS: dict[str, tuple[set[str], Mutant]] = {
    "M1 anybody gives": ({"M1", "M2", "M4", "M5"}, _patch(handlers, "speaks_for", _always)),
    "M1 anybody gives on behalf": ({"M1"}, _open_offices),
    "M2 beyond the parent": ({"M2"}, _patch(handlers, "find_excess", _nothing)),
    "M2 wider scope": ({"M2", "M4"}, _widen),
    "M2 more limits": ({"M2"}, _patch(chain, "_exceeds", lambda *_: False)),
    "M2 longer": ({"M2"}, _patch(chain, "_is_within", _always)),
    "M3 no limits": ({"M3"}, _patch(chain, "measure_left", lambda *_: None)),
    "M3 not counted": ({"M3"}, _put_otherwise(_count_late)),
    "M3 only its own": ({"M3", "M4", "M6"}, _patch(handlers, "walk", _walk_one)),
    "M4 used after its end": ({"M4", "M6"}, _patch(handlers, "check_live", _nothing)),
    "M4 never withdrawn": ({"M4", "M7"}, _put_otherwise(_forget_withdrawals)),
    "M4 used for anything": ({"M4", "M3"}, _patch(handlers, "check_act", _nothing)),
    "M5 acts not covered": ({"M5"}, _cover_all),
    "M6 suspended": ({"M6"}, _ignore_standing),
    "M7 too many": ({"M7"}, _patch(handlers, "_free_places", _nothing)),
    "M7 found after its end": ({"M7"}, _forget_to_delete),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_the_machine_finds_a_mutant_of_each_rule(name: str, monkeypatch: Patch) -> None:
    rules, plant = MUTANTS[name]
    plant(monkeypatch)
    with pytest.raises(Violation) as found:
        run(MandateMachine, turns=20, examples=5, steps=60)
    assert found.value.rule in rules, found.value


def test_every_invariant_has_a_mutant() -> None:
    declared = {each.id for each in load_application(APP).invariants}
    assert declared <= {rule for rules, _mutant in MUTANTS.values() for rule in rules}

"""The machine of accreditations reaches every refusal, and finds a mutant of each rule."""

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from hansa.contracts import accreditations
from hansa.contracts.accreditations import chains, handlers
from hansa.identity import accreditation
from hansa.identity.links import Bridge, Link, Scope, covers, find_excess, judge_time
from hansa.ledger.context import Context
from tests.contracts.hunt import run
from tests.contracts.judge import Violation
from tests.contracts.trust_machine import TrustMachine

# Bounds are set up in test_accreditations.
ELSEWHERE = {"code accreditations.too_many_links", "code accreditations.too_many_changes"}
# What the walk says in every world that handlers can make.
ANSWERS = {
    f"answer {answer}"
    for answer in (
        "yes ",
        "no suspended",
        "no revoked",
        "no expired",
        "no not_yet_valid",
        "no wrong_level",
        "no other_issuer",
        "no schema_out_of_scope",
        "no jurisdiction_out_of_scope",
        "no recognition_suspended",
        "no recognition_revoked",
    )
}
Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]


def list_wanted() -> set[str]:
    wanted = {f"event {each.__name__}" for each in accreditations.EVENTS} | ANSWERS
    for kind in accreditations.REJECTION.__subclasses__():
        wanted.add(f"code accreditations.{kind.CODE}")
    return wanted - ELSEWHERE


def test_no_rule_is_broken_in_a_short_run() -> None:
    run(TrustMachine, turns=1, examples=2, steps=25)


@pytest.mark.slow
def test_the_machine_reaches_every_refusal_event_and_answer() -> None:
    class Fresh(TrustMachine):
        reached: ClassVar[Counter[str]] = Counter()

    wanted = list_wanted()
    run(Fresh, turns=40, examples=5, steps=60, until=lambda: wanted <= set(Fresh.reached))
    assert wanted - set(Fresh.reached) == set()


def _patch(module: Any, name: str, value: Any) -> Mutant:
    return lambda patch: patch.setattr(module, name, value)


def _nothing(*_arguments: Any, **_named: Any) -> str:
    """A check that finds nothing."""
    return ""


def _forgive(*forgiven: str) -> Callable[[Link | Bridge, int], str]:
    def judge(link: Link | Bridge, at_ms: int) -> str:
        code = judge_time(link, at_ms)
        return "" if code in forgiven else code

    return judge


def _compare_schemas_only(
    parent: Link, scope: tuple[Scope, ...], since_ms: int, until_ms: int | None
) -> str:
    wide = tuple(replace(each, jurisdictions=("CN", "HK", "MO")) for each in parent.scope)
    return find_excess(replace(parent, scope=wide), scope, since_ms, until_ms)  # type: ignore[type-var]


def _compare_no_time(
    parent: Link, scope: tuple[Scope, ...], _since_ms: int, _until_ms: int | None
) -> str:
    return find_excess(parent, scope, parent.since_ms, parent.until_ms)


def _judge_the_leaf_only(chain: Any, anchors: Any, at_ms: int) -> Any:
    return _judge_chain(replace(chain, links=chain.links[:1]), anchors, at_ms)


_judge_chain = accreditation._judge_chain


def _raise_the_dead(patch: Patch) -> None:
    """Who is revoked looks suspended to the handlers."""

    def need(ctx: Any, name: str, plain: Any = chains.need_link) -> Any:
        link = plain(ctx, name)
        last = link.standing[-1]
        if last.standing != "revoked":
            return link
        return replace(link, standing=(*link.standing[:-1], replace(last, standing="suspended")))

    patch.setattr(handlers, "need_link", need)


def _never_restore(patch: Patch) -> None:
    def extend(history: Any, entry: Any, plain: Any = chains.extend_standing) -> Any:
        is_return = entry.standing == "active"
        return plain(history, replace(entry, standing="suspended") if is_return else entry)

    patch.setattr(handlers, "extend_standing", extend)


def _rewrite_history(patch: Patch) -> None:
    def extend(history: Any, entry: Any) -> Any:
        return (*history[:-1], replace(entry, since_ms=history[-1].since_ms))

    patch.setattr(handlers, "extend_standing", extend)


def _begin_at_once(patch: Patch) -> None:
    def extend(history: Any, entry: Any, plain: Any = chains.extend_standing) -> Any:
        return plain(history, replace(entry, since_ms=entry.since_ms - 1))

    patch.setattr(handlers, "extend_standing", extend)


def _forget_subjects(patch: Patch) -> None:
    def put(ctx: Context, record: Any, plain: Any = Context.put) -> None:
        if record.KIND != "subject_link":
            plain(ctx, record)

    patch.setattr(Context, "put", put)


def _is_bridged_for_all(leaf: Link, bridge: Bridge, question: Any) -> bool:
    return bridge.relying == question.jurisdiction and bridge.framework == leaf.framework


def _is_bridged_anywhere(leaf: Link, bridge: Bridge, question: Any) -> bool:
    return bridge.framework == leaf.framework and any(
        pair.target in question.schemas and covers(leaf.scope, (pair.source,), bridge.source)
        for pair in bridge.schemas
    )


class Unseen(str):
    """A text that is never found in a list."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return str.__ne__(self, other)

    __hash__ = str.__hash__


def _speak_for_all(*_arguments: Any) -> bool:
    return True


def _ignore_who_placed(_chain: Any) -> int:
    return -1


def _outrank(ctx: Any, chain: Any, plain: Any = chains.find_rank) -> int:
    return max(0, int(plain(ctx, chain)))


MUTANTS: dict[str, tuple[str, Mutant]] = {
    "anybody gives": ("R1|R5", _patch(handlers, "acts_for", _speak_for_all)),
    "given under the dead": ("R1", _patch(handlers, "require_force", _nothing)),
    "nothing is compared": ("R2", _patch(handlers, "find_excess", _nothing)),
    "places are not compared": ("R2", _patch(handlers, "find_excess", _compare_schemas_only)),
    "times are not compared": ("R2", _patch(handlers, "find_excess", _compare_no_time)),
    "every schema for all": ("R2", _patch(handlers, "ANY_SCHEMA", Unseen("*"))),
    "endless chains": ("R3", _patch(handlers, "DEPTH_MAX", 100)),
    "the dead rise": ("R4", _raise_the_dead),
    "history is rewritten": ("R4|R6", _rewrite_history),
    "it begins at once": ("R4|R6|R8", _begin_at_once),
    "changed from below": ("R5", _patch(handlers, "find_rank", _outrank)),
    "lifted from below": ("R5", _patch(handlers, "find_suspender_rank", _ignore_who_placed)),
    "only the leaf is judged": (
        "R1|R6",
        _patch(accreditation, "_judge_chain", _judge_the_leaf_only),
    ),
    "suspension is forgiven": (
        "R1|R5|R6",
        _patch(accreditation, "judge_time", _forgive("suspended")),
    ),
    "revocation is forgiven": (
        "R1|R5|R6",
        _patch(accreditation, "judge_time", _forgive("revoked")),
    ),
    "the end is forgiven": ("R1|R5|R6", _patch(accreditation, "judge_time", _forgive("expired"))),
    "never restored": ("R4|R6|R8", _never_restore),
    "recognised for all": ("R6|R7", _patch(accreditation, "_is_bridged", _is_bridged_for_all)),
    "recognised everywhere": ("R6|R7", _patch(accreditation, "_is_bridged", _is_bridged_anywhere)),
    "recognised for ever": ("R6|R7", _patch(accreditation, "_judge_bridge", _nothing)),
    "links not found": ("R8", _forget_subjects),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_found(name: str, monkeypatch: Patch) -> None:
    rules, plant = MUTANTS[name]
    plant(monkeypatch)
    with pytest.raises(Violation) as found:
        run(TrustMachine, turns=20, examples=5, steps=40)
    assert any(rule in str(found.value) for rule in rules.split("|")), found.value

"""What a visitor may do with a record now: each message about it is tried with the ledger's own
rules, so that a page offers what would pass and says of the rest why not.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hansa.console.asking import ApiProblem, join_path
from hansa.console.describing import Described
from hansa.console.forms.shape import Shape
from hansa.console.people import read_params
from hansa.console.states import list_steps, read_cycles
from hansa.console.visit import Visit

# Messages about one record that are tried for its page.
_TRIED_MAX: Final = 24
_SAMPLE_TEXT: Final = "x"


@dataclass(frozen=True, slots=True)
class Step:
    """A message about the record. href: its form, filled in; reason: why not now, "" when it may
    be sent.
    """

    message: str
    href: str
    reason: str = ""
    rule: str = ""

    @property
    def is_possible(self) -> bool:
        """Whether it would pass now."""
        return not self.reason


async def list_possible(
    visit: Visit, about: Described, kind: str, key: str, record: Mapping[str, Any]
) -> list[Step]:
    """Messages of the application about this record: those that would pass first."""
    if visit.session is None:
        return []
    named = []
    for name in about.sendable:
        shape = about.message(name)
        given = _fill(about, shape, kind, key, record) if shape else None
        if shape is not None and given is not None:
            named.append((name, shape, given))
    steps = await asyncio.gather(
        *(_try(visit, about, name, shape, given) for name, shape, given in named[:_TRIED_MAX])
    )
    onward = [name for cycle in read_cycles(about.raw, kind, record) for name in list_steps(cycle)]
    return sorted(steps, key=lambda each: (not each.is_possible, _rank(onward, each.message)))


def _rank(onward: list[str], message: str) -> int:
    """What leads on in the record's life comes first."""
    return onward.index(message) if message in onward else len(onward)


def is_about_record(shape: Shape | None) -> bool:
    """Whether a message is a step of a record that is there: one of its own fields names it."""
    return shape is not None and any(each.record for each in shape.fields)


def _fill(
    about: Described, shape: Shape | None, kind: str, key: str, record: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Fields of a message that this record gives; None when it is not about the record.

    It is about it when it names its key, as a field that means a record of the kind, or, of a kind
    whose key has several parts, by fields of the same names.
    """
    if shape is None:
        return None
    whole = f"{about.name}/{kind}"
    for each in shape.fields:
        if each.record in (kind, whole):
            return {each.name: int(key) if each.kind == "integer" and key.isdigit() else key}
    parts = about.records[kind]["key"]
    fields = {each.name for each in shape.fields}
    if len(parts) > 1 and set(parts) <= fields and not about.records[kind]["key_form"]:
        return {name: record[name] for name in parts}
    return None


async def _try(
    visit: Visit, about: Described, name: str, shape: Shape, given: dict[str, Any]
) -> Step:
    query = {field: str(value) for field, value in given.items()}
    href = visit.link(join_path("apps", about.name, "messages", name), **query)
    sampled = _sample(shape, given)
    try:
        prepared = await visit.api.post(
            join_path("v1", "apps", about.name, "messages", name),
            json={**sampled, **given},
            params={"signer": str((visit.session or {})["key"]), "trial": True},
        )
    except ApiProblem as problem:
        return Step(name, href) if sampled else Step(name, href, problem.detail, problem.rule)
    verdict = prepared["verdict"]
    if verdict["code"] == "ok" or _is_about(verdict, sampled):
        return Step(name, href)
    params = await read_params(visit, verdict["params"])
    text = visit.words.of("rejection", verdict["code"], default=verdict["text"], params=params)
    return Step(name, href, text, verdict["rule"])


def _is_about(verdict: Mapping[str, Any], sampled: Mapping[str, Any]) -> bool:
    """Whether a refusal is about what was only put in to try it: the person will fill that in."""
    if not sampled:
        return False
    names = {*verdict["params"], str(verdict["params"].get("field", ""))}
    code = str(verdict["code"])
    is_named = any(code.endswith(f"_{name}") or f".{name}_" in code for name in sampled)
    return is_named or not names.isdisjoint(sampled) or "invalid" in code


def _sample(shape: Shape, given: Mapping[str, Any]) -> dict[str, Any]:
    """Something for every field that must be filled in and that the record does not give."""
    found = {}
    for each in shape.fields:
        is_open = each.kind != "constant" and each.name not in given
        if is_open and not each.has_default and not each.is_nullable:
            found[each.name] = _make_sample(each)
    return found


def _make_sample(shape: Shape) -> Any:
    if shape.kind == "choice":
        return shape.options[0]
    if shape.kind == "flag":
        return False
    if shape.kind in ("integer", "scaled", "time", "span"):
        return max(shape.low or 0, min(1, shape.high or 1))
    if shape.kind == "party":
        return "did:hansa:" + "a" * 32
    if shape.kind == "group":
        return {each.name: _make_sample(each) for each in shape.fields if not each.has_default}
    if shape.kind in ("list", "several"):
        return []
    return _SAMPLE_TEXT

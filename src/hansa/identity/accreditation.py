"""Who gave them the right, as at a time: one walk from an issuer's link up to a root. Pure.

Reads only what its caller gives. A link is in force when it and every link above it are: nothing
is rewritten below what is suspended or revoked. Times are block times in ms, half-open intervals.
"""

from collections.abc import Collection, Iterable
from typing import Literal

import msgspec

from hansa.identity.links import (
    ANY_SCHEMA,
    DEPTH_MAX,
    GOVERNED,
    Bridge,
    Finder,
    Link,
    NotFoundOut,
    covers,
    find_excess,
    judge_time,
)

Outcome = Literal["yes", "no", "could_not_judge"]
StepOutcome = Literal["passed", "failed", "not_judged"]
_ASSURANCES: tuple[str, ...] = ("", "low", "substantial", "high")


class Step(msgspec.Struct, frozen=True):
    """What was found of one link, or of the recognition used. `code` is "" when it passed."""

    link: str
    outcome: StepOutcome
    code: str
    what: Literal["accreditation", "recognition"] = "accreditation"


class Finding(msgspec.Struct, frozen=True):
    """The answer as at `at_ms`: steps from the issuer's link up to the root, then a recognition.

    `code` is the first failed step's (else the first not judged). `recognition` names the one that
    the answer stands on, `level` its assurance; both "" when the accreditation itself says it.
    `now` answers the same question as at another time.
    """

    at_ms: int
    outcome: Outcome
    code: str
    steps: tuple[Step, ...]
    recognition: str = ""
    level: str = ""
    now: "Finding | None" = None

    @property
    def entitled(self) -> bool:
        """Whether the answer is yes."""
        return self.outcome == "yes"


class Chain(msgspec.Struct, frozen=True):
    """Links from the one asked for upwards. `end`: why it stops before a root ("" at a root) and
    `missing`: the link that was looked for there.
    """

    links: tuple[Link, ...]
    end: str = ""
    missing: str = ""


class _Question(msgspec.Struct, frozen=True):
    issuer: str
    schemas: frozenset[str]
    jurisdiction: str
    framework: str
    level_min: str


def verify_accreditation(
    find: Finder,
    recognitions: Iterable[Bridge],
    *,
    leaf: str,
    issuer: str,
    schema: str | Collection[str],
    jurisdiction: str,
    at_ms: int,
    anchors: frozenset[str] | None,
    now_ms: int | None = None,
    framework: str = "",
    level_min: str = "",
) -> Finding:
    """Whether `issuer` was entitled by `leaf` to attest `schema` in `jurisdiction` as at `at_ms`.

    `schema`: its id, or all its names (`list_scope_names`). `jurisdiction`: where it is to count
    ("": in any that the link itself names). `anchors`: ids of root links or DIDs of
    root authorities that the asker trusts; None: every root of the ledger. `framework`: under which
    it must count ("" any). `level_min`: least assurance of a recognition. `now_ms` adds `now`.
    """
    names = frozenset((schema,)) if isinstance(schema, str) else frozenset(schema)
    question = _Question(issuer, names, jurisdiction, framework, level_min)
    bridges = tuple(sorted(recognitions, key=lambda each: each.id))
    chain = follow_chain(find, leaf)
    then = _answer(chain, bridges, question, anchors, at_ms)
    if now_ms is None:
        return then
    now = _answer(chain, bridges, question, anchors, now_ms)
    return msgspec.structs.replace(then, now=now)


def verify_chain(
    find: Finder, leaf: str, *, at_ms: int, anchors: frozenset[str] | None = None
) -> Finding:
    """Whether a link of any level was in force as at `at_ms`, whatever it is for."""
    return _conclude(at_ms, _judge_chain(follow_chain(find, leaf), anchors, at_ms))


def follow_chain(find: Finder, leaf: str) -> Chain:
    """The links from `leaf` up to its root, at most DEPTH_MAX."""
    links: list[Link] = []
    wanted = leaf
    while len(links) < DEPTH_MAX:
        try:
            link = find(wanted)
        except NotFoundOut:
            return Chain(tuple(links), "not_found_out", wanted)
        if link is None or link.id != wanted:
            return Chain(tuple(links), "unknown_accreditation", wanted)
        links.append(link)
        if link.level == "root":
            return Chain(tuple(links))
        wanted = link.parent
    return Chain(tuple(links), "too_deep", wanted)


def _answer(
    chain: Chain,
    bridges: tuple[Bridge, ...],
    question: _Question,
    anchors: frozenset[str] | None,
    at_ms: int,
) -> Finding:
    steps = _judge_chain(chain, anchors, at_ms)
    if not chain.links:
        return _conclude(at_ms, steps)
    leaf = chain.links[0]
    if steps[0].outcome == "passed" and (code := _judge_issuer(leaf, question)):
        steps[0] = Step(leaf.id, "failed", code)
    if _is_covered(leaf, question):
        return _conclude(at_ms, steps)
    bridge, code = _choose_bridge(leaf, bridges, question, at_ms)
    if bridge is None:
        if steps[0].outcome == "passed":
            steps[0] = Step(leaf.id, "failed", code)
        return _conclude(at_ms, steps)
    steps.append(Step(bridge.id, "failed" if code else "passed", code, "recognition"))
    return _conclude(at_ms, steps, bridge.id, bridge.level)


def _judge_chain(chain: Chain, anchors: frozenset[str] | None, at_ms: int) -> list[Step]:
    steps = []
    for index, link in enumerate(chain.links):
        code = judge_time(link, at_ms)
        if not code and index + 1 < len(chain.links):
            code = _judge_parent(chain.links[index + 1], link)
        if not code and link.level == "root":
            code = _judge_root(link, anchors)
        steps.append(Step(link.id, "failed" if code else "passed", code))
    if chain.end:
        outcome: StepOutcome = "not_judged" if chain.end == "not_found_out" else "failed"
        steps.append(Step(chain.missing, outcome, chain.end))
    return steps


def _judge_parent(parent: Link, child: Link) -> str:
    """Why this parent does not carry this child; "" when it does."""
    if parent.level == "attest":
        return "parent_may_not_accredit"
    if parent.subject != child.accreditor:
        return "wrong_accreditor"
    if parent.framework != child.framework:
        return "other_framework"
    if any(ANY_SCHEMA in each.schemas for each in child.scope):
        return "exceeds_schema"
    excess = find_excess(parent, child.scope, child.since_ms, child.until_ms)
    return f"exceeds_{excess}" if excess else ""


def _judge_root(root: Link, anchors: frozenset[str] | None) -> str:
    if root.parent or root.accreditor != GOVERNED:
        return "wrong_root"
    trusted = anchors is None or root.id in anchors or root.subject in anchors
    return "" if trusted else "not_an_anchor"


def _judge_issuer(leaf: Link, question: _Question) -> str:
    if leaf.level != "attest":
        return "wrong_level"
    return "" if leaf.subject == question.issuer else "other_issuer"


def _is_covered(leaf: Link, question: _Question) -> bool:
    """Whether the accreditation itself says what is asked for."""
    is_framework = question.framework in ("", leaf.framework)
    places = [place for each in leaf.scope for place in each.jurisdictions]
    wanted = [question.jurisdiction] if question.jurisdiction else places
    return is_framework and any(covers(leaf.scope, question.schemas, place) for place in wanted)


def _choose_bridge(
    leaf: Link, bridges: tuple[Bridge, ...], question: _Question, at_ms: int
) -> tuple[Bridge | None, str]:
    """The recognition in force that makes the leaf say what is asked for and has the highest
    level, else one that would, with what it fails by; else none, and why the leaf does not say it.
    """
    best: tuple[Bridge | None, str] = (None, _explain_gap(leaf, question))
    rank = -1
    for bridge in bridges:
        if not _is_bridged(leaf, bridge, question):
            continue
        code = _judge_bridge(bridge, question, at_ms)
        worth = 0 if code else _ASSURANCES.index(bridge.level)
        if worth > rank:
            best, rank = (bridge, code), worth
    return best


def _is_bridged(leaf: Link, bridge: Bridge, question: _Question) -> bool:
    if bridge.relying != question.jurisdiction or bridge.framework != leaf.framework:
        return False
    if question.framework not in ("", bridge.counts_as):
        return False
    return any(
        pair.target in question.schemas and covers(leaf.scope, (pair.source,), bridge.source)
        for pair in bridge.schemas
    )


def _judge_bridge(bridge: Bridge, question: _Question, at_ms: int) -> str:
    code = judge_time(bridge, at_ms)
    if code:
        return f"recognition_{code}"
    too_low = _ASSURANCES.index(bridge.level) < _ASSURANCES.index(question.level_min)
    return "recognition_too_low" if too_low else ""


def _explain_gap(leaf: Link, question: _Question) -> str:
    if question.framework not in ("", leaf.framework):
        return "other_framework"
    places = {"", *(place for each in leaf.scope for place in each.jurisdictions)}
    if question.jurisdiction not in places:
        return "jurisdiction_out_of_scope"
    return "schema_out_of_scope"


def _conclude(at_ms: int, steps: list[Step], recognition: str = "", level: str = "") -> Finding:
    """No when a step failed, could not judge when one is unknown, else yes."""
    failed = [step.code for step in steps if step.outcome == "failed"]
    unknown = [step.code for step in steps if step.outcome == "not_judged"]
    outcome: Outcome = "no" if failed else "could_not_judge" if unknown else "yes"
    code = next(iter((*failed, *unknown)), "")
    return Finding(at_ms, outcome, code, tuple(steps), recognition, level)

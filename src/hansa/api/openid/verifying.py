"""Answers of wallets: read, judged by `identity.verify` and held against what was asked, once."""

from typing import Any, Final

import msgspec

from hansa.api.gate import Gate
from hansa.api.openid.jwe import EncryptionKey
from hansa.api.openid.questions import QUESTION, Answer, Question, Shown
from hansa.api.openid.sources import build_state_sources
from hansa.identity.dcql import Query
from hansa.identity.openid.faults import OpenIdError
from hansa.identity.openid.presentations import Presented, list_answer_faults, read_vp_token
from hansa.identity.report import NOT_ASKED, Outcome, Report
from hansa.identity.verify import verify

_STANDING: Final = "the request is unknown, answered or over"
_ERROR_MAX: Final = 64


def take_response(gate: Gate, handle: str, fields: dict[str, str]) -> Answer:
    """Judge what a wallet answers; the first answer that can be read counts. Raises OpenIdError."""
    question = _find_question(gate, handle)
    members: dict[str, Any] = dict(fields)
    if question.encryption and "error" not in fields:
        members = EncryptionKey.decode(question.encryption).open(fields.get("response", ""))
    if members.get("state") != question.state:
        raise OpenIdError("invalid_request", "state is not that of the request")
    if "error" in members:
        answer = Answer(outcome="no", error=str(members["error"])[:_ERROR_MAX] or "error")
    else:
        answer = _judge(gate, question, members.get("vp_token", ""))
    answer = msgspec.structs.replace(answer, at_ms=gate.clock())
    drawer = gate.openid.drawer
    with drawer.lock:
        _find_question(gate, handle)
        found = drawer.find(QUESTION, handle, Question)
        ends_ms = found[1] if found is not None else question.ends_ms
        drawer.put(QUESTION, handle, msgspec.structs.replace(question, answer=answer), ends_ms)
    return answer


def _find_question(gate: Gate, handle: str) -> Question:
    found = gate.openid.drawer.find(QUESTION, handle, Question)
    if found is None or found[0].answer is not None or found[0].ends_ms <= gate.clock():
        raise OpenIdError("invalid_request", _STANDING)
    return found[0]


def _judge(gate: Gate, question: Question, token: Any) -> Answer:
    query = question.read_query()
    text = token.encode() if isinstance(token, str) else msgspec.json.encode(token)
    presented = read_vp_token(text, query)
    shown = tuple(_judge_one(gate, question, query, each) for each in presented)
    faults = tuple(list_answer_faults(query, presented))
    outcome = _conclude(shown, faults)
    if outcome != "yes":
        shown = tuple(msgspec.structs.replace(each, claims=()) for each in shown)
    return Answer(outcome=outcome, faults=faults, presentations=shown)


def _judge_one(gate: Gate, question: Question, query: Query, presented: Presented) -> Shown:
    wanted = next(each for each in query.credentials if each.id == presented.query)
    now_ms = gate.clock()
    report = verify(
        presented.document,
        sources=build_state_sources(gate, question.demands.jurisdiction),
        policy=question.build_policy(needs_holder=wanted.needs_holder),
        at_ms=now_ms,
    )
    return _show(presented.query, report)


def _show(query: str, report: Report) -> Shown:
    return Shown(
        query=query,
        outcome=report.outcome,
        form=report.form,
        issuers=report.issuers,
        holder=report.holder,
        claims=report.claims,
        checks=report.checks,
    )


def _conclude(shown: tuple[Shown, ...], faults: tuple[tuple[str, str], ...]) -> Outcome:
    if faults or any(each.outcome == "no" for each in shown):
        return "no"
    if any(each.outcome == "could_not_judge" for each in shown):
        return "could_not_judge"
    return "yes"


def describe_no(answer: Answer) -> str:
    """Why an answer is a no: query, check and code of each thing that is wrong."""
    told = [f"{query}: {code}" for query, code in answer.faults]
    for each in answer.presentations:
        told += [
            f"{each.query}: {check.name}: {check.code}"
            for check in each.checks
            if check.outcome == "failed" and check.code != NOT_ASKED
        ]
    return "; ".join(told[:8])

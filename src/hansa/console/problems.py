"""Refusals of the console itself, and the page that shows any refusal: code, rule, next step."""

from collections.abc import Iterable
from typing import Final

from hansa.console.answers import Answer
from hansa.console.asking import ApiProblem
from hansa.console.visit import Visit

# Its words come translated, with what was wrong in them.
INVALID_INPUT: Final = "console.invalid_input"


def show_problem(visit: Visit, problem: ApiProblem, *, as_json: bool = False) -> Answer:
    """The page of a refusal, or its problem details for a script that asked for JSON."""
    if as_json:
        document = {
            "status": problem.status,
            "code": problem.code,
            "detail": explain(visit, problem),
            "rule": problem.rule,
            "remedy": advise(visit, problem),
            "instance": problem.instance,
        }
        return visit.json(document, status=problem.status)
    return visit.render(
        "problem.html",
        status=problem.status,
        problem=problem,
        text=explain(visit, problem),
        remedy=advise(visit, problem),
        detail=problem.detail if not problem.params else "",
    )


def explain(visit: Visit, problem: ApiProblem) -> str:
    """What is wrong, in the visitor's language; the API's own English when it has no words."""
    if problem.code == INVALID_INPUT:
        return problem.detail
    return visit.words.of("rejection", problem.code, default=problem.detail, params=problem.params)


def advise(visit: Visit, problem: ApiProblem) -> str:
    """What to do about it."""
    if problem.code == INVALID_INPUT:
        return problem.remedy
    return visit.words.of("remedy", problem.code, default=problem.remedy, params=problem.params)


def refuse_address() -> ApiProblem:
    """No page there."""
    return _refuse(
        404,
        "console.no_such_page",
        "There is no such page.",
        "Begin at the home page, or check the address.",
    )


def refuse_method(allowed: Iterable[str]) -> ApiProblem:
    """A page that takes other methods."""
    return _refuse(
        405,
        "console.method_not_allowed",
        "This page does not take that.",
        "Open it anew.",
        methods=", ".join(sorted(allowed)),
    )


def refuse_form() -> ApiProblem:
    """A form without its token, with an old one, or from another site."""
    return _refuse(
        403,
        "console.foreign_form",
        "This form did not come from a page of this session, or the page is too old.",
        "Go back, load the page again and repeat the step. Nothing was done.",
    )


def refuse_media() -> ApiProblem:
    """A body that is no form."""
    return _refuse(
        415,
        "console.not_a_form",
        "What was sent is not a form.",
        "Use the page's own form.",
    )


def refuse_input(text: str, remedy: str) -> ApiProblem:
    """An address or a form that cannot be, in words already translated."""
    return _refuse(400, INVALID_INPUT, text, remedy)


def fail(request_id: str) -> ApiProblem:
    """A fault of ours."""
    problem = _refuse(
        500,
        "console.failed",
        "This page failed. The ledger is not affected.",
        "Try again. If it stays so, give the operator the number below.",
    )
    problem.instance = f"urn:hansa:request:{request_id}" if request_id else ""
    return problem


def _refuse(status: int, code: str, detail: str, remedy: str, **params: str) -> ApiProblem:
    document = {"code": code, "detail": detail, "rule": "D13", "remedy": remedy, "params": params}
    return ApiProblem(status, document)

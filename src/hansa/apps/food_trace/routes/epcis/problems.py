"""Refusals as EPCIS names them: `epcisException:…` in problem documents, JSON or XML. Pure.

Hansa's own stable `code`, `rule` and `remedy` stand beside the members that the standard asks for.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

import msgspec

from hansa.appkit.route import Reply, Trouble
from hansa.apps.food_trace.documents.rulebook import RULES, Failure
from hansa.apps.food_trace.routes.epcis.negotiation import wants_xml

PREFIX: Final = "epcisException:"
JSON_PROBLEM: Final = "application/problem+json"
XML_PROBLEM: Final = "application/problem+xml"
_REMEDY: Final = "See GS1 EPCIS 2.0, clause 12, or OPTIONS of this address."
# Faults listed in one answer; the first are the ones to mend first.
LISTED_MAX: Final = 100

# What EPCIS calls a refusal, by its HTTP status, where the route does not say it itself.
TYPES: Final[dict[int, tuple[str, str]]] = {
    400: ("ValidationException", "The request is not as EPCIS has it"),
    401: ("SecurityException", "Unauthorised request"),
    403: ("SecurityException", "Access to resource forbidden"),
    404: ("NoSuchNameException", "Resource not found"),
    406: ("NotAcceptableException", "Conflicting request and response headers"),
    409: ("ResourceAlreadyExistsException", "A resource with that identifier already exists"),
    413: ("CaptureLimitExceededException", "Capture payload too large"),
    414: ("URITooLongException", "URI too long"),
    415: ("UnsupportedMediaTypeException", "Unsupported media type"),
    422: ("ValidationException", "The ledger refused it"),
    501: ("ImplementationException", "Functionality not supported by server"),
}
_OTHER: Final = ("ImplementationException", "The request cannot be served now")


def explain(document: Mapping[str, Any], path: str, headers: Mapping[str, str]) -> Reply | None:
    """A refusal in the words of EPCIS, for the addresses of EPCIS (`appkit.route.Doors`)."""
    if not path.startswith("/epcis"):
        return None
    status = int(document["status"])
    name, title = TYPES.get(status, _OTHER)
    told = dict(document)
    if not str(told["type"]).startswith(PREFIX):
        told["type"], told["title"] = PREFIX + name, title
    # EPCIS knows no 422: what a rule refuses is not valid.
    told["status"] = status = 400 if status == 422 else status
    if wants_xml(headers.get("accept", "")):
        return Reply(status, write_problem(told).encode(), XML_PROBLEM)
    return Reply(status, msgspec.json.encode(told), JSON_PROBLEM)


def write_problem(document: Mapping[str, Any]) -> str:
    """A problem document in XML (RFC 9457, appendix B), named as EPCIS does."""
    parts = "".join(
        f"<{name}>{escape(str(value))}</{name}>"
        for name, value in document.items()
        if isinstance(value, str | int)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<epcis:EPCISException xmlns:epcis="urn:epcglobal:epcis:xsd:2">{parts}'
        "</epcis:EPCISException>"
    )


def refuse(
    status: int,
    code: str,
    text: str,
    *,
    exception: str = "",
    remedy: str = _REMEDY,
    title: str = "",
    headers: Mapping[str, str] | None = None,
) -> Trouble:
    """A refusal with EPCIS's name for it; `code` is `food_trace.…`."""
    name, usual = TYPES.get(status, _OTHER)
    return Trouble(
        status,
        f"food_trace.{code}",
        text,
        remedy=remedy,
        rule="EPCIS",
        type=PREFIX + (exception or name),
        title=title or usual,
        headers=headers,
    )


def refuse_parameter(name: str, text: str) -> Trouble:
    """A parameter of a query that EPCIS does not have, or a value that it cannot have."""
    return refuse(
        400,
        "query_parameter",
        f"{name[:80]}: {text}",
        exception="QueryParameterException",
        title="EPCIS query exception",
        remedy="See the parameters of SimpleEventQuery: GS1 EPCIS 2.0, clause 8.2.7.",
    )


def refuse_document(failures: Iterable[Failure]) -> Trouble:
    """A document that is not valid, with its first faults."""
    fatal = [each for each in failures if each.flag == "fatal"]
    said = "; ".join(f"{each.path}: {each.text} ({each.rule})" for each in fatal[:LISTED_MAX])
    rule = fatal[0].rule if fatal else "EPCIS"
    remedy = RULES[rule].remedy if rule in RULES else _REMEDY
    trouble = refuse(400, "invalid_document", said[:4_000], remedy=remedy)
    trouble.rule = rule
    return trouble


def describe_failure(failure: Failure, event_id: str) -> dict[str, Any]:
    """One fault of one event, as capture jobs list it."""
    return {
        "type": PREFIX + "ValidationException",
        "title": "The event is not valid",
        "status": 400,
        "detail": f"{failure.path}: {failure.text}"[:1_000],
        "code": "food_trace.invalid_document",
        "rule": failure.rule,
        "remedy": RULES[failure.rule].remedy if failure.rule in RULES else _REMEDY,
        "eventID": event_id,
    }

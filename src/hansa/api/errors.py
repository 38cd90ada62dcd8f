"""Every exception becomes problem details: this is the gateway's edge, the last to catch any."""

import traceback
from typing import Any, Final

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from hansa.api.app_routes import build_response, write_refusal
from hansa.api.problems import Refusal, describe_rejection, refuse_busy
from hansa.index.faults import ABSENT, IndexFault
from hansa.ledger.rejections import Rejection
from hansa.node.faults import NodeError, PoolFull

_log = structlog.get_logger("hansa.api")
FAULTS: Final = (Refusal, Rejection, PoolFull, NodeError, IndexFault)
_TITLES = {
    404: ("api.no_such_address", "There is no such address.", "See /openapi.json."),
    405: ("api.method_not_allowed", "This address does not take that method.", "See `Allow`."),
    413: ("api.too_large", "The body is too large.", "Send less at once."),
    415: ("api.wrong_media_type", "This address takes another media type.", "See /openapi.json."),
}


def answer_exception(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The response of any exception."""
    return build_response(write_refusal(request.scope, _describe(request, error)))


def describe_fault(error: Exception) -> Refusal:
    """The refusal of what is expected to go wrong (FAULTS)."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, Rejection):
        return describe_rejection(error)
    if isinstance(error, PoolFull):
        return refuse_busy(error.text, error.retry_after_s)
    if isinstance(error, NodeError):
        _log.warning("node_fault", kind=type(error).__name__, text=error.text)
        return _refuse_service("node.stopped", "The node does not answer now.")
    if isinstance(error, IndexFault) and error.code == ABSENT:
        return Refusal(
            503, ABSENT, f"{str(error).capitalize()}.", remedy=f"{error.hint.capitalize()}."
        )
    code = error.code if isinstance(error, IndexFault) else "index.database"
    return _refuse_service(code, "The read model does not answer now.")


def _describe(request: Request[Any, Any, Any], error: Exception) -> Refusal:
    if isinstance(error, FAULTS):
        return describe_fault(error)
    if isinstance(error, HTTPException):
        return _describe_http(error)
    if isinstance(error, RecursionError | UnicodeDecodeError):
        return _refuse_text(error)
    _log_bug(request, error)
    return Refusal(
        500,
        "api.internal",
        "The gateway failed on this request.",
        rule="D12",
        remedy="Give the operator the `instance` of this answer; the ledger is not affected.",
    )


def _refuse_service(code: str, detail: str) -> Refusal:
    return Refusal(
        503,
        code,
        detail,
        remedy="Ask again in a while; what was committed stays. `hansa doctor` names the cure.",
        headers={"retry-after": "5"},
    )


def _refuse_text(error: RecursionError | UnicodeDecodeError) -> Refusal:
    """What Litestar's own reading of a typed body lets through: nothing of ours nests so deep."""
    what = "nested too deeply" if isinstance(error, RecursionError) else "not UTF-8"
    return Refusal(
        400,
        "api.not_json",
        f"The body is {what}.",
        remedy="Send it as plain JSON in UTF-8.",
    )


def _describe_http(error: HTTPException) -> Refusal:
    headers = dict(error.headers or {})
    if error.status_code == 400:
        return _describe_validation(error)
    code, detail, remedy = _TITLES.get(
        error.status_code, ("api.refused", "The request was refused.", "See /openapi.json.")
    )
    return Refusal(error.status_code, code, detail, remedy=remedy, headers=headers)


def _describe_validation(error: HTTPException) -> Refusal:
    """The first parameter that is not as its description says."""
    extra = error.extra if isinstance(error.extra, list) else []
    first = extra[0] if extra and isinstance(extra[0], dict) else {}
    name = str(first.get("key", ""))[:64]
    what = str(first.get("message", "not as described"))[:200]
    return Refusal(
        400,
        "api.invalid_parameter",
        f"{name}: {what}" if name else "The request is not as described.",
        remedy="See /openapi.json for the parameters of this address.",
        params={"name": name} if name else {},
    )


def _log_bug(request: Request[Any, Any, Any], error: Exception) -> None:
    """Where it failed; not what was in the request, which a message or a value might repeat."""
    frames = traceback.extract_tb(error.__traceback__)
    _log.error(
        "request_failed",
        request=request.scope["state"].get("request_id", ""),
        kind=type(error).__name__,
        at=[f"{frame.name}:{frame.lineno}" for frame in frames[-6:]],
    )

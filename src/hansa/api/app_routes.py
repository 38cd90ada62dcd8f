"""Mounts the addresses that applications describe (`appkit.route`) under `/{cli_name}/…`.

Same threads, limits, log and meters as the gateway's own; a refusal is told in the words of the
application's standard when it gives some.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from hansa.api.desk import OpenDesk, Seat, seat_client
from hansa.api.gate import Gate, TheGate
from hansa.api.limits import BODY_BYTES_MAX, LARGE_BODY_BYTES_MAX
from hansa.api.problems import MEDIA_TYPE, Refusal, build_problem, encode_problem
from hansa.api.query import OPEN_QUERY
from hansa.api.service import read_token
from hansa.appkit.application import Application
from hansa.appkit.route import Asking, Reply, Route, Trouble, find_route
from hansa.client.service import is_client_token
from hansa.index.search import WrongQuestion
from hansa.ledger.state import get_system
from hansa.ledger.system import Account

METHODS: Final = ("GET", "POST", "PUT", "DELETE", "OPTIONS")
# Where the guard notes, in a request's state, whose words refusals are told in.
APPLICATION: Final = "application"
_QUERY_MAX: Final = 200
Headers = Mapping[str, str]


def build_handlers(applications: Iterable[Application]) -> list[HTTPRouteHandler]:
    """One handler for each application that has doors; which route it is, is found below it."""
    return [_build_handler(app) for app in applications if app.doors.routes]


def _build_handler(app: Application) -> HTTPRouteHandler:
    async def serve(request: Request[Any, Any, Any], gate: TheGate) -> Response[bytes]:
        headers = read_headers(request.scope)
        asking, route = find_asking(app, request.scope, headers)
        request.scope["path_template"] = asking.base + route.path
        seat = await gate.run(find_asker, gate, app.name, headers)
        request.scope["state"]["account"] = seat.viewer.account
        check_body(route, headers, seat)
        body = await request.body()
        check_size(route, len(body), seat)
        asked = msgspec.structs.replace(asking, body=body)
        reply = await gate.run(run_route, gate, app.name, route, seat, asked)
        return build_response(reply)

    return HTTPRouteHandler(
        [f"/{app.cli_name}", f"/{app.cli_name}/{{rest:path}}"],
        http_method=METHODS,
        opt={OPEN_QUERY: True},
        include_in_schema=False,
        request_max_body_size=LARGE_BODY_BYTES_MAX,
    )(serve)


def run_route(gate: Gate, app: str, route: Route, seat: Seat, asking: Asking) -> Reply:
    """What the route answers. Raises Refusal, Rejection and faults. In a thread."""
    try:
        return route.run(OpenDesk(gate, app, seat), asking)
    except Trouble as trouble:
        raise refuse_trouble(trouble) from trouble
    except WrongQuestion as error:
        raise Refusal(
            400, "api.invalid_parameter", str(error), remedy="Ask for less, or otherwise."
        ) from error


def refuse_trouble(trouble: Trouble) -> Refusal:
    """The refusal of a route's own words."""
    if isinstance(trouble, Refusal):
        return trouble
    return Refusal(
        trouble.status,
        trouble.code,
        trouble.text,
        remedy=trouble.remedy,
        rule=trouble.rule,
        headers=trouble.headers,
        params=trouble.params,
        type_=trouble.type,
        title=trouble.title,
    )


def build_response(reply: Reply) -> Response[bytes]:
    """The HTTP response of a route's answer."""
    has_body = reply.body or reply.status not in (204, 304)
    response = Response(reply.body, status_code=reply.status, media_type=reply.media)
    for name, value in reply.headers:
        response.headers[name] = value
    if not has_body:
        response.headers.pop("content-type", None)
    return response


def find_asking(
    app: Application, scope: Mapping[str, Any], headers: Headers
) -> tuple[Asking, Route]:
    """The request, still without its body, and its route. Raises Refusal: 404, 405, bad text."""
    base = f"/{app.cli_name}"
    raw = scope.get("raw_path") or b""
    path = raw.partition(b"?")[0].decode("latin-1")
    segments = [_decode(each) for each in path.removeprefix(base).strip("/").split("/")]
    method = str(scope.get("method", "GET"))
    route, parts, allowed = find_route(app.doors.routes, method, segments)
    if route is None:
        raise _refuse_route(allowed)
    query = _read_query(scope.get("query_string", b""))
    asking = Asking(
        method=method, path=path, base=base, parts=parts, query=query, headers=dict(headers)
    )
    return asking, route


def _decode(segment: str) -> str:
    try:
        text = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError as error:
        raise _refuse_text("The path is not UTF-8.") from error
    if "\x00" in text:
        raise _refuse_text("The path has a character that stands for nothing.")
    return text


def _read_query(text: bytes) -> tuple[tuple[str, str], ...]:
    try:
        found = parse_qsl(
            text.decode("latin-1"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_QUERY_MAX,
        )
    except ValueError as error:
        raise _refuse_text("What stands after the question mark cannot be read.") from error
    if any("\x00" in name or "\x00" in value for name, value in found):
        raise _refuse_text("A parameter has a character that stands for nothing.")
    return tuple(found)


def _refuse_text(detail: str) -> Refusal:
    return Refusal(
        400,
        "api.invalid_parameter",
        detail,
        remedy="Send NAME=VALUE parted by &, percent-encoded UTF-8.",
    )


def _refuse_route(allowed: tuple[str, ...]) -> Refusal:
    if allowed:
        return Refusal(
            405,
            "api.method_not_allowed",
            "This address does not take that method.",
            remedy="See `Allow`.",
            headers={"allow": ", ".join(allowed)},
        )
    return Refusal(
        404, "api.no_such_address", "There is no such address.", remedy="See /openapi.json."
    )


def refuse_no_socket() -> Refusal:
    """The address is none of a websocket."""
    return Refusal(
        404, "api.no_such_address", "There is no websocket here.", remedy="See /openapi.json."
    )


def read_headers(scope: Mapping[str, Any]) -> dict[str, str]:
    """Headers by lower-case name; those given twice are joined (RFC 9110 5.3)."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def find_asker(gate: Gate, app: str, headers: Headers) -> Seat:
    """Who asks an application's address: a session, a client of that application, or nobody.

    Raises Refusal. Clients may also send their token as software for such doors does: as the
    password of Basic authorization, or as `API-KEY-SECRET`.
    """
    header = headers.get("authorization", "")
    token = _read_basic(header) or read_token(header) or _read_secret(headers)
    if not token:
        return Seat()
    if is_client_token(token):
        client = gate.service.client(token, gate.clock())
        seat = None if client is None else seat_client(gate, app, client)
        if seat is None:
            raise refuse_client()
        return seat
    session = gate.sessions.get(token)
    account = get_system(gate.ledger.state, Account, session.account)
    return Seat(session.viewer, account, session.account, may_capture=True)


def _read_basic(header: str) -> str:
    """A client's token as the password of Basic authorization (RFC 7617), "" for anything else."""
    scheme, _sep, coded = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        text = base64.b64decode(coded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        text = ""
    password = text.partition(":")[2]
    return password if is_client_token(password) and len(password) <= 128 else ""


def _read_secret(headers: Headers) -> str:
    """A client's token in the header `API-KEY-SECRET`, "" for anything else."""
    secret = headers.get("api-key-secret", "")
    return secret if is_client_token(secret) and len(secret) <= 128 else ""


def refuse_client() -> Refusal:
    """A client's token that opens nothing (any more)."""
    return Refusal(
        401,
        "api.client_ended",
        "The client's token is unknown, revoked, over, or not for this application.",
        rule="D12",
        remedy="Ask the operator of this gateway: hansa service client LABEL APPLICATION",
        headers={"www-authenticate": 'Bearer error="invalid_token"'},
    )


def check_body(route: Route, headers: Headers, seat: Seat) -> None:
    """Refuse a body before it is read: too large, large from nobody, of another media type."""
    length = headers.get("content-length", "0")
    size = int(length) if length.isdigit() and len(length) < 16 else 0
    check_size(route, size, seat)
    given = headers.get("content-type", "").partition(";")[0].strip().lower()
    if route.media and given not in route.media and (given or size):
        raise Refusal(
            415,
            "api.wrong_media_type",
            "The body is of another media type than this address takes.",
            remedy=f"Send Content-Type: {route.media[0]}.",
            headers={"accept": ", ".join(route.media)},
        )


def check_size(route: Route, size: int, seat: Seat) -> None:
    """Refuse what is too large for the address, or for somebody who has not signed in."""
    limit = route.body_max
    if seat.viewer.is_stranger:
        limit = min(limit, BODY_BYTES_MAX)
    if size > limit:
        raise refuse_body(limit)


def refuse_body(limit: int) -> Refusal:
    """More than the address takes."""
    return Refusal(
        413,
        "api.too_large",
        f"A body has at most {limit} bytes here.",
        remedy="Send less at once.",
        headers={"connection": "close"},
    )


class Doorplates:
    """Applications with doors by the first part of an address: what the guard must know of them."""

    def __init__(self, applications: Iterable[Application]) -> None:
        self._apps = {app.cli_name: app for app in applications if app.doors.routes}

    def find(self, path: str) -> Application | None:
        """The application that serves an address."""
        return self._apps.get(path.lstrip("/").partition("/")[0])

    def body_max(self, path: str) -> int:
        """The largest body that any of its addresses takes."""
        app = self.find(path)
        sizes = [route.body_max for route in app.doors.routes] if app is not None else []
        return min(max([BODY_BYTES_MAX, *sizes]), LARGE_BODY_BYTES_MAX)


def write_refusal(scope: Mapping[str, Any], refusal: Refusal) -> Reply:
    """The answer to what was refused, in the application's words or as problem details."""
    state, own = scope["state"], tuple(refusal.headers.items())
    app: Application | None = state.get(APPLICATION)
    request_id = state.get("request_id", "")
    if app is not None and app.doors.explain is not None:
        document = msgspec.to_builtins(build_problem(refusal, request_id))
        path = scope["path"].removeprefix(f"/{app.cli_name}")
        reply = app.doors.explain(document, path, read_headers(scope))
        if reply is not None:
            return msgspec.structs.replace(reply, headers=(*own, *reply.headers))
    return Reply(refusal.status, encode_problem(refusal, request_id), MEDIA_TYPE, own)

"""The outermost layer: limits on each request, security headers, access log, metrics.

It sees a request before its body is read. It logs ids, never a body, a token or an address.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import structlog

from hansa.api.limits import (
    BODY_BYTES_MAX,
    BODY_WITHIN_S,
    REQUESTS_MAX,
    SEND_WITHIN_S,
    TARGET_BYTES_MAX,
)
from hansa.api.meters import Meters
from hansa.api.problems import MEDIA_TYPE, Refusal, encode_problem, refuse_busy

# ASGI 3.0, as plain as the specification has it.
Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]

_log = structlog.get_logger("hansa.api")
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
ANY_HOST = "*"
_AT_END = "at_end"


def at_end(scope: Any, end: Callable[[], None]) -> None:
    """Have `end` called when the request is over, however it ends."""
    scope["state"].setdefault(_AT_END, []).append(end)


class Guard:
    """Wraps the gateway's ASGI application."""

    def __init__(self, app: AsgiApp, meters: Meters, hosts: Iterable[str]) -> None:
        self._app = app
        self._meters = meters
        self._hosts = frozenset(host.lower() for host in hosts)
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003, "reason": "no websockets here"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(send, is_head=_take_head(scope))
        began = time.perf_counter()
        self.in_flight += 1
        try:
            refusal = self._judge(scope)
            if refusal is not None:
                await _refuse(answer, refusal, request_id)
            else:
                await self._app(scope, _limit_body(receive), answer.send)
        except TimeoutError:
            _log.warning("reader_gone", request=request_id)
        finally:
            self.in_flight -= 1
            for end in scope["state"].get(_AT_END, ()):
                end()
            self._note(scope, request_id, answer, time.perf_counter() - began)

    def _judge(self, scope: Scope) -> Refusal | None:
        """What can be said before the body is read."""
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1").lower()
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if ANY_HOST not in self._hosts and name not in self._hosts:
            return Refusal(
                421,
                "api.wrong_host",
                "This gateway does not answer under that name.",
                remedy="Use its own address, or have its operator add the name.",
            )
        if len(scope.get("raw_path", b"")) + len(scope["query_string"]) > TARGET_BYTES_MAX:
            return Refusal(
                414,
                "api.address_too_long",
                f"An address has at most {TARGET_BYTES_MAX} bytes.",
                remedy="Use fewer filters.",
            )
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length[:12]) > BODY_BYTES_MAX:
            return _refuse_size()
        if self.in_flight > REQUESTS_MAX:
            return refuse_busy("As many requests are at work as this gateway takes.")
        return None

    def _note(self, scope: Scope, request_id: str, answer: "_Answer", seconds: float) -> None:
        route = str(scope.get("path_template") or "none")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._meters.requests.labels(method, route, str(answer.status)).inc()
        self._meters.seconds.labels(route).observe(seconds)
        _log.info(
            "request",
            request=request_id,
            method=method,
            route=route,
            status=answer.status,
            ms=round(seconds * 1000, 1),
            account=scope["state"].get("account", ""),
        )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Answer:
    """Sends an answer: adds headers, drops the body of HEAD, bounds the time of each part."""

    def __init__(self, send: Send, *, is_head: bool) -> None:
        self._send = send
        self._is_head = is_head
        self.status = 0

    async def send(self, message: Event) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            names = {name.lower() for name, _value in message["headers"]}
            extra = [*HEADERS, (b"cache-control", b"no-store")]
            added = [(name, value) for name, value in extra if name not in names]
            message["headers"] = [*message["headers"], *added]
        elif message["type"] == "http.response.body" and self._is_head:
            message["body"] = b""
        async with asyncio.timeout(SEND_WITHIN_S):
            await self._send(message)


def _take_head(scope: Scope) -> bool:
    """HEAD is GET without a body (RFC 9110 9.3.2), except for what never ends."""
    is_head = scope["method"] == "HEAD" and not scope["path"].endswith("/stream")
    if is_head:
        scope["method"] = "GET"
    return is_head


def _limit_body(receive: Receive) -> Receive:
    """The body within its size and time, whatever its length was said to be."""
    size = 0
    ends_at = asyncio.get_running_loop().time() + BODY_WITHIN_S
    is_whole = False

    async def limited() -> Event:
        nonlocal size, is_whole
        if is_whole:
            return await receive()
        try:
            async with asyncio.timeout_at(ends_at):
                message = await receive()
        except TimeoutError:
            raise Refusal(
                408,
                "api.too_slow",
                f"The body did not arrive within {BODY_WITHIN_S:.0f} s.",
                remedy="Send it again; the same bytes keep their id.",
                headers={"connection": "close"},
            ) from None
        if message["type"] == "http.request":
            size += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if size > BODY_BYTES_MAX:
                raise _refuse_size()
        return message

    return limited


def _refuse_size() -> Refusal:
    return Refusal(
        413,
        "api.too_large",
        f"A body has at most {BODY_BYTES_MAX} bytes.",
        remedy="Put fewer messages into one transaction; files belong to the vault.",
        headers={"connection": "close"},
    )


async def _refuse(answer: _Answer, refusal: Refusal, request_id: str) -> None:
    body = encode_problem(refusal, request_id)
    headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **refusal.headers}
    await answer.send(
        {
            "type": "http.response.start",
            "status": refusal.status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await answer.send({"type": "http.response.body", "body": body, "more_body": False})

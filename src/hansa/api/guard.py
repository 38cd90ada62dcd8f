"""The outermost layer: limits on each request, security headers, access log, metrics.

It sees a request before its body is read. It logs ids, never a body, a token or an address.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any

import structlog

from hansa.api.app_routes import (
    APPLICATION,
    Doorplates,
    refuse_no_socket,
    write_refusal,
)
from hansa.api.errors import FAULTS, describe_fault
from hansa.api.limits import (
    BODY_BYTES_MAX,
    BODY_WITHIN_S,
    LARGE_BODIES_MAX,
    REQUESTS_MAX,
    SEND_WITHIN_S,
    TARGET_BYTES_MAX,
)
from hansa.api.meters import Meters
from hansa.api.problems import Refusal, refuse_busy

# ASGI 3.0, as plain as the specification has it.
Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]
# Judges a websocket's handshake, and gives what serves it.
Sockets = Callable[[Scope], Awaitable[Callable[[Receive, Send], Awaitable[None]]]]

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

    def __init__(
        self,
        app: AsgiApp,
        meters: Meters,
        hosts: Iterable[str],
        plates: Doorplates | None = None,
        sockets: Sockets | None = None,
    ) -> None:
        """`plates`: whose addresses are applications'; `sockets`: serves websockets, if any."""
        self._app = app
        self._meters = meters
        self._hosts = frozenset(host.lower() for host in hosts)
        self._plates = plates or Doorplates(())
        self._sockets = sockets
        self.in_flight = 0
        self._large = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await self._serve_socket(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send, is_head=_take_head(scope))
        request_id = self._begin(scope)
        began = time.perf_counter()
        self.in_flight += 1
        large = is_large(scope["headers"])
        self._large += large
        try:
            refusal = self._judge(scope)
            if refusal is not None:
                await _refuse(answer, scope, refusal)
            else:
                limit = self._plates.body_max(scope["path"])
                await self._app(scope, _limit_body(receive, limit), answer.send)
        except TimeoutError:
            _log.warning("reader_gone", request=request_id)
        finally:
            self.in_flight -= 1
            self._large -= large
            for end in scope["state"].get(_AT_END, ()):
                end()
            self._note(scope, request_id, answer.status, time.perf_counter() - began)

    def _begin(self, scope: Scope) -> str:
        """Give a request its id, and the words in which its refusals are told."""
        request_id = secrets.token_hex(8)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        app = self._plates.find(scope["path"])
        if app is not None:
            state[APPLICATION] = app
        return request_id

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A websocket: judged as a request, then spoken to until it ends."""
        request_id = self._begin(scope)
        began = time.perf_counter()
        answer = _Denial(send)
        await receive()  # websocket.connect
        try:
            refusal = self._judge(scope)
            if refusal is not None:
                raise refusal
            if self._sockets is None:
                raise refuse_no_socket()
            run = await self._sockets(scope)
        except FAULTS as error:
            await _refuse(answer, scope, describe_fault(error))
        else:
            answer.status = 101
            await send({"type": "websocket.accept"})
            with suppress(OSError):
                await run(receive, send)
        finally:
            self._note(scope, request_id, answer.status, time.perf_counter() - began)

    def _judge(self, scope: Scope) -> Refusal | None:
        """What can be said before the body is read."""
        headers = dict(scope["headers"])
        if is_ambiguous(scope["http_version"], headers):
            return Refusal(
                400,
                "api.ambiguous_request",
                "It is of another HTTP, or its body has a length and chunks.",
                remedy="Send HTTP/1.1, with Content-Length or Transfer-Encoding: chunked.",
                headers={"connection": "close"},
            )
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
        limit = self._plates.body_max(scope["path"])
        if not length.isdigit() or int(length[:12]) > limit:
            return _refuse_size(limit)
        if self.in_flight > REQUESTS_MAX or self._large > LARGE_BODIES_MAX:
            return refuse_busy("As many requests are at work as this gateway takes.")
        return None

    def _note(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = str(scope.get("path_template") or "none")
        method = scope.get("method", "WEBSOCKET")
        method = method if method in _METHODS else "other"
        self._meters.requests.labels(method, route, str(status)).inc()
        self._meters.seconds.labels(route).observe(seconds)
        _log.info(
            "request",
            request=request_id,
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            account=scope["state"].get("account", ""),
        )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"})


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


class _Denial:
    """Answers a websocket's handshake with a whole HTTP response (an ASGI extension)."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def send(self, message: Event) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send({**message, "type": "websocket." + message["type"]})


def is_large(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a body may be larger than a transaction: it says so, or does not say."""
    found = dict(headers)
    length = found.get(b"content-length", b"")
    if length.isdigit():
        return int(length[:12]) > BODY_BYTES_MAX
    return b"transfer-encoding" in found


def is_ambiguous(version: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a reader before this one may have found another end of the request (RFC 9112 6.1,
    6.3): whatever follows on the connection may then be hidden in it.
    """
    is_chunked = b"transfer-encoding" in headers
    has_two_ends = is_chunked and (b"content-length" in headers or version == "1.0")
    return has_two_ends or not version.startswith("1.")


def _limit_body(receive: Receive, limit: int) -> Receive:
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
            if size > limit:
                raise _refuse_size(limit)
        return message

    return limited


def _refuse_size(limit: int) -> Refusal:
    return Refusal(
        413,
        "api.too_large",
        f"A body has at most {limit} bytes.",
        remedy="Put fewer messages into one transaction; files belong to the vault.",
        headers={"connection": "close"},
    )


async def _refuse(answer: "_Answer | _Denial", scope: Scope, refusal: Refusal) -> None:
    reply = write_refusal(scope, refusal)
    headers = {
        "content-type": reply.media,
        "content-length": str(len(reply.body)),
        **dict(reply.headers),
    }
    await answer.send(
        {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [
                (name.encode(), value.encode("latin-1")) for name, value in headers.items()
            ],
        }
    )
    await answer.send({"type": "http.response.body", "body": reply.body, "more_body": False})

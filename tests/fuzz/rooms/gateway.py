"""Doors of a gateway, asked in process: REST and wallets' addresses, the console, its forms.

An input is a request as text: who asks, method and target; headers; an empty line; the body.
"""

import asyncio
import atexit
import re
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode

import msgspec

from hansa.api.application import make_app
from hansa.client.sessions import sign_session_statement
from hansa.console.application import FIELDS_MAX, make_console
from hansa.console.forms.entry import read_form, type_body
from hansa.console.forms.shape import Shape
from hansa.console.pages import PAGES
from tests.apps.food_trace.routes.serving import CHAIN, Served, make_document, make_event
from tests.console.test_forms import MESSAGES, TYPES, lookup, shape_of
from tests.fuzz.door import Door, make_folder
from tests.fuzz.mutate import change_bytes, change_json
from tests.fuzz.rooms.openid import change_form

NOBODY = "nowhere.invalid"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
ANSWER_S = 4.0
# What ends the session of who asks.
ENDS = ("/sessions/current", "/sign-out")
# Questions with filters, and bodies that come near to what is asked for.
ASKED = (
    *("/v1/apps/members/member?order=name&limit=3", "/v1/transactions?limit=2", "/verify?lang=pt"),
    *("/food-trace/epcis/events?EQ_bizStep=shipping&perPage=2", "/v1/blocks?limit=2&before=9"),
    *("/v1/dids/did:web:nowhere.invalid", "/v1/dids/did:hansa:" + "a" * 32 + "?height=1"),
    *("/v1/apps/food_trace/tables/events?limit=1", "/v1/events?limit=3", "/v1/checkpoint"),
)
BODIES = {
    "/v1/sessions/challenge": b'{"account":"did:hansa:' + b"a" * 32 + b'"}',
    "/v1/credentials/judge": b'{"document":"x","policy":{"audience":"a"}}',
    "/openid/token": b"grant_type=authorization_code&code=x",
    "/openid/par": b"response_type=code&client_id=w",
    "/openid/credential": b'{"credential_identifier":"x","proofs":{"jwt":["a.b.c"]}}',
    "/openid/response/{handle:str}": b"vp_token=%7B%7D&state=x",
    "/v1/openid/offers": b'{"configuration":"x","claims":{}}',
    "/food-trace/epcis/queries": b'{"name":"q","query":{"eventType":["ObjectEvent"]}}',
    "/food-trace/epcis/capture": msgspec.json.encode(make_document(make_event(1))),
}
HEADERS_MAX = 20


Sign = Callable[[str], tuple[str, str]]


class TooManyFields(Exception):
    """A form that the console does not read."""


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Gateway:
    """A league with node, read model and console, asked without a socket."""

    def __init__(self) -> None:
        folder = make_folder()
        self.served = Served(folder / "home", (NOBODY,))
        self.app = make_app(
            self.served.node,
            self.served.index,
            follower=self.served.follower,
            deliver_to=(NOBODY,),
            fetch_from=(NOBODY,),
            face=make_console,
        )
        self.loop = asyncio.new_event_loop()
        self.tokens = {"farm": self._sign_in("farm"), "regulator": self._sign_in("regulator")}
        atexit.register(self.served.close)

    def ask(
        self, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> Answer:
        """One request; TimeoutError when no answer ends."""
        path, _, query = target.partition("?")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode("latin-1", "replace"),
            "query_string": query.encode("latin-1", "replace"),
            "root_path": "",
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8480),
            "headers": [
                (b"host", b"127.0.0.1:8480"),
                (b"content-length", str(len(body)).encode()),
                *((k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers),
            ],
        }
        return self.loop.run_until_complete(asyncio.wait_for(self._ask(scope, body), ANSWER_S))

    async def _ask(self, scope: dict[str, Any], body: bytes) -> Answer:
        waiting = [{"type": "http.request", "body": body, "more_body": False}]
        status, headers, parts = 0, dict[str, str](), list[bytes]()

        async def receive() -> dict[str, Any]:
            return waiting.pop() if waiting else {"type": "http.disconnect"}

        async def send(event: Any) -> None:
            nonlocal status
            if event["type"] == "http.response.start":
                status = event["status"]
                headers.update(
                    (k.decode("latin-1"), v.decode("latin-1")) for k, v in event["headers"]
                )
            parts.append(event.get("body", b""))

        await self.app(scope, receive, send)
        return Answer(status, headers, b"".join(parts))

    def _sign_in(self, name: str) -> str:
        actor = self.served.actors[name]
        media = [("content-type", JSON)]
        body = msgspec.json.encode({"account": actor.did})
        asked = self.ask("POST", "/v1/sessions/challenge", media, body)
        statement = sign_session_statement(
            account=actor.did,
            chain=CHAIN,
            challenge=msgspec.json.decode(asked.body)["challenge"],
            kid=actor.kid,
            key=actor.key,
        )
        return str(
            msgspec.json.decode(self.ask("POST", "/v1/sessions", [], statement).body)["token"]
        )


def write_request(
    who: str, method: str, target: str, body: bytes = b"", media: str = JSON
) -> bytes:
    """A request as an input."""
    head = (
        f"{who} {method} {target}\ncontent-type: {media}\n\n"
        if body
        else f"{who} {method} {target}\n\n"
    )
    return head.encode() + body


def change_request(data: bytes, chance: Random) -> bytes:
    """Change the head's bytes, or the body in its form."""
    head, _, body = data.partition(b"\n\n")
    if not body or chance.random() < 0.4:
        return change_bytes(head, chance) + b"\n\n" + body
    if b"urlencoded" in head:
        return head + b"\n\n" + change_form(body, chance)
    return head + b"\n\n" + change_json(body, chance)


class Request(NamedTuple):
    """An input, taken apart."""

    who: str
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes


def read_request(data: bytes) -> Request | None:
    """What an input asks; None when a server would never pass it on."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("/") or not words[1].isalpha():
        return None
    if not all(32 < ord(char) < 127 for char in words[2]) or len(lines) > HEADERS_MAX:
        return None
    headers = [
        (name.strip(), value.strip())
        for name, colon, value in (line.partition(":") for line in lines)
        if colon and name.strip().isascii() and name.strip().replace("-", "").isalnum()
    ]
    own = {"host", "content-length", "transfer-encoding", "authorization", "cookie"}
    headers = [each for each in headers if each[0].lower() not in own and each[1].isprintable()]
    return Request(words[0], words[1].upper(), words[2], headers, body)


def build_http_door(name_seeds: Callable[[Gateway], list[bytes]], sign: Sign) -> Door:
    """Whatever is asked: an answer, and never one that says that the gateway failed."""
    gateway = Gateway()

    def ask(data: bytes) -> Answer | None:
        request = read_request(data)
        if request is None or is_left_out(request):
            return None
        token = gateway.tokens.get(request.who)
        headers = [*request.headers, *([sign(token)] if token else [])]
        return gateway.ask(request.method, request.target, headers, request.body)

    def failed(_data: bytes, answer: Answer) -> bool:
        said = answer.body if answer.status >= 400 else b""
        return answer.status in (0, 500) or b"Traceback" in said

    seeds = tuple(name_seeds(gateway))
    return Door(run=ask, allowed=(), seeds=seeds, never=failed, shape=change_request)


def is_left_out(request: Request) -> bool:
    """Streams end when their reader goes; who waits waits; a session that ends signs nobody in."""
    is_end = request.method in ("DELETE", "POST") and request.target.endswith(ENDS)
    return is_end or "stream" in request.target or "wait" in request.target


def fill_address(pattern: str, gateway: Gateway) -> str:
    """An address of a pattern, with things that there are."""
    did = gateway.served.actors["farm"].did
    values = {
        **{"app": "accounts", "kind": "account", "key": did, "did": did, "account": did},
        **{"issuer": did, "subject": did, "height": "1", "number": "0", "name": "OpenAccount"},
        **{"transaction": "ab" * 32, "message": "OpenAccount", "member": did, "id": "1"},
    }
    return re.sub(r"\{(\w+)[^}]*\}", lambda found: values.get(found[1].rstrip("_"), "x"), pattern)


def open_rest() -> Door:
    """The API: every route of it, EPCIS and the addresses for wallets too."""

    def name_seeds(gateway: Gateway) -> list[bytes]:
        seeds = []
        for route in gateway.app.litestar.routes:
            target = fill_address(route.path, gateway)
            for method in sorted(set(getattr(route, "methods", ())) - {"OPTIONS", "HEAD"}):
                body = BODIES.get(route.path, b"{}") if method != "GET" else b""
                media = FORM if b"=" in body[:12] else JSON
                seeds.append(write_request("farm", method, target, body, media))
        paths = {route.path for route in gateway.app.litestar.routes}
        for target, body in BODIES.items():
            if target not in paths:
                seeds.append(write_request("farm", "POST", target, body))
        seeds += [write_request(who, "GET", each) for each in ASKED for who in ("regulator", "-")]
        return seeds

    return build_http_door(name_seeds, lambda token: ("authorization", f"Bearer {token}"))


def open_console() -> Door:
    """The console: every page, and posted forms."""
    form = urlencode({"csrf": "x", "content.lines.0.net": "1,00", "name": "a"}).encode()

    def name_seeds(gateway: Gateway) -> list[bytes]:
        return [
            write_request(who, page.method, fill_address(page.pattern, gateway), body, FORM)
            for page in PAGES
            for who in ("farm", "-")
            for body in [form if page.method == "POST" else b""]
        ]

    return build_http_door(name_seeds, lambda token: ("cookie", f"hansa-session={token}"))


def open_form_bodies() -> Door:
    """Typed forms of every message: a body that its type takes, or a fault at a field."""
    shapes = [(TYPES[name], shape_of(*name)) for name in MESSAGES]

    def read(data: bytes) -> object:
        if len(data) < 2:
            return None
        _message, shape = shapes[data[0] % len(shapes)]
        decimal = ".,"[data[1] % 2]
        typed = _read_typed(data[2:])
        body, faults = read_form(shape, typed, decimal=decimal, lookup=lookup)
        return None if faults else (shape, body, decimal)

    return Door(
        run=read,
        allowed=(UnicodeError, TooManyFields),
        seeds=tuple(
            bytes([number, 0]) + urlencode(_type_all(shape)).encode()
            for number, (_message, shape) in enumerate(shapes)
        ),
        never=_is_written_otherwise,
        shape=lambda data, chance: data[:2] + change_form(data[2:], chance),
    )


def _is_written_otherwise(_data: bytes, found: Any) -> bool:
    """Whether a body, shown in its form and read again, is another."""
    shape, body, decimal = found
    typed = type_body(shape, body, decimal=decimal)
    again, faults = read_form(shape, typed, decimal=decimal, lookup=lookup)
    return bool(faults) or again != body


def _read_typed(data: bytes) -> dict[str, str]:
    if data.count(b"&") >= FIELDS_MAX:
        raise TooManyFields
    return dict(parse_qsl(data.decode(), keep_blank_values=True))


def _type_all(shape: Shape) -> dict[str, str]:
    return {each.name: each.options[0] if each.options else "1" for each in shape.fields}

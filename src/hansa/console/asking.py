"""How the console asks the API: in process, as its visitor (bearer token), by the public routes.

Touches the API through ASGI alone; what the API refuses is an ApiProblem with rule and remedy.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx
import msgspec

from hansa.console.asgi import AsgiApp, Event, Scope
from hansa.encoding.json_faults import NOT_JSON

# The name under which the gateway answers itself; loopback is always among its hosts.
_ORIGIN: Final = "http://localhost"
# Parts of a stream that wait for a slow reader.
_PARTS_WAITING_MAX: Final = 16
Value = str | int | bool | None


class ApiProblem(Exception):
    """The API refused: problem details (RFC 9457) as Hansa writes them."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(document.get("code", "api.no_answer"))
        self.detail = str(document.get("detail", ""))
        self.rule = str(document.get("rule", ""))
        self.remedy = str(document.get("remedy", ""))
        self.instance = str(document.get("instance", ""))
        self.params: dict[str, Any] = dict(document.get("params") or {})
        super().__init__(self.code)


def join_path(*parts: str) -> str:
    """An address of parts, each escaped: `join_path("v1", "apps", app)`; a key keeps its `/`."""
    return "/" + "/".join(quote(part, safe="/~") for part in parts)


class Api:
    """The API on behalf of one visitor. Use it within one visit; the console closes it."""

    def __init__(self, app: AsgiApp, token: str = "") -> None:
        self._app = app
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(
            transport=transport, base_url=_ORIGIN, headers=self._headers, timeout=60
        )

    async def close(self) -> None:
        """Let go."""
        await self._client.aclose()

    async def get(
        self, path: str, params: Mapping[str, Value] | None = None, **query: Value
    ) -> Any:
        """The JSON of an address. `params` and `query` become its filters; empty ones are left
        out. Raises ApiProblem.
        """
        return _decode(await self.ask("GET", path, params={**(params or {}), **query}))

    async def raw(
        self, path: str, params: Mapping[str, Value] | None = None, **query: Value
    ) -> bytes:
        """The body of an address as it is: a receipt, a proof. Raises ApiProblem."""
        answer = await self.ask("GET", path, params={**(params or {}), **query})
        return answer.content

    async def post(
        self,
        path: str,
        *,
        json: object = None,
        content: bytes | None = None,
        media: str = "application/json",
        params: Mapping[str, Value] | None = None,
    ) -> Any:
        """Post JSON, or bytes of a media type; the answer's JSON. Raises ApiProblem."""
        body = msgspec.json.encode(json) if content is None else content
        headers = {"content-type": media}
        return _decode(await self.ask("POST", path, params=params, content=body, headers=headers))

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Value] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Any request; the whole answer. Raises ApiProblem for every status from 400."""
        target = path + _write_query(params or {})
        answer = await self._client.request(method, target, content=content, headers=headers)
        if answer.status_code >= 400:
            raise ApiProblem(answer.status_code, _read_problem(answer.content))
        return answer

    async def stream(
        self, path: str, params: Mapping[str, Value] | None = None, **headers: str
    ) -> AsyncGenerator[bytes, None]:
        """The parts of an answer that does not end (server-sent events), as they come.

        Raises ApiProblem before the first part. Ends the request when the iteration is closed.
        """
        query = _write_query(params or {}).removeprefix("?")
        wanted = {
            **self._headers,
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        request = _Streaming(self._app, path, query, wanted)
        try:
            async for part in request.run():
                yield part
        finally:
            await request.stop()


class _Streaming:
    """One request whose answer is read while it is made (httpx's ASGI transport waits for all)."""

    def __init__(self, app: AsgiApp, path: str, query: str, headers: Mapping[str, str]) -> None:
        self._app = app
        self._scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": quote(path).encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [
                (b"host", b"localhost"),
                *(
                    (name.encode(), text.encode("latin-1", "replace"))
                    for name, text in headers.items()
                ),
            ],
            "server": ("localhost", 80),
            "client": None,
        }
        self._events: asyncio.Queue[Event | None] = asyncio.Queue(_PARTS_WAITING_MAX)
        self._gone = asyncio.Event()
        self._was_asked = False
        self._task: asyncio.Task[None] | None = None

    async def run(self) -> AsyncIterator[bytes]:
        """The parts. Raises ApiProblem."""
        self._task = asyncio.create_task(self._work())
        status, refused = 0, b""
        while (event := await self._events.get()) is not None:
            if event["type"] == "http.response.start":
                status = event["status"]
            elif status >= 400:
                refused += event.get("body", b"")
            elif event.get("body"):
                yield event["body"]
        if status == 0 or status >= 400:
            raise ApiProblem(status or 500, _read_problem(refused))

    async def stop(self) -> None:
        """Tell the application that nobody reads any more."""
        self._gone.set()
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _work(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._events.put)
        finally:
            if not self._gone.is_set():
                await self._events.put(None)

    async def _receive(self) -> Event:
        if not self._was_asked:
            self._was_asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}


def _write_query(params: Mapping[str, Value]) -> str:
    pairs = []
    for name, value in params.items():
        if value is None or value == "":
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        pairs.append((name, text))
    return "?" + urlencode(pairs) if pairs else ""


def _decode(answer: httpx.Response) -> Any:
    if not answer.content:
        return None
    return msgspec.json.decode(answer.content)


def _read_problem(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except NOT_JSON:
        return {}
    return document if isinstance(document, dict) else {}

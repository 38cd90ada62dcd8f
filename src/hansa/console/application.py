"""`make_console`: the console as one ASGI application. What happens to a visit is read here."""

import asyncio
import secrets
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import structlog

from hansa.console import cookies, problems
from hansa.console.answers import Answer, redirect_to
from hansa.console.asgi import AsgiApp, Receive, Scope, Send, read_header
from hansa.console.asking import Api, ApiProblem
from hansa.console.frame import Frame
from hansa.console.headers import list_locks
from hansa.console.pages import PAGES
from hansa.console.routing import Page
from hansa.console.visit import Visit
from hansa.locales.languages import LANGUAGES, negotiate

_log = structlog.get_logger("hansa.console")
STATIC = "/static/"
# Fields of one form; the gateway bounds its bytes.
FIELDS_MAX = 1_000
_FORM = "application/x-www-form-urlencoded"


class Console:
    """The ASGI application. It serves HTTP only; its caller bounds requests (hansa.api.guard)."""

    def __init__(self, api: AsgiApp, pages: Iterable[Page]) -> None:
        self._api = api
        self.frame = Frame(pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            return
        is_secure = _is_secure(scope)
        if scope["path"].startswith(STATIC):
            scope["path_template"] = "/static"
            tag = read_header(scope, "if-none-match")
            found = self.frame.assets.answer(scope["path"].removeprefix(STATIC), tag)
            if found is not None and scope["method"] in ("GET", "HEAD"):
                await _send(send, found, is_secure)
                return
        visit = self._open_visit(scope, is_secure)
        try:
            answer = await self._answer(visit, scope, receive)
            _bake(visit, answer)
            await _send(send, answer, is_secure)
            if answer.parts is not None:
                await _send_parts(answer.parts, receive, send)
        finally:
            await visit.api.close()

    def _open_visit(self, scope: Scope, is_secure: bool) -> Visit:
        jar = cookies.read_cookies(scope, is_secure=is_secure)
        query = _read_query(scope)
        asked = query.pop("lang", "")
        kept = jar.get(cookies.LANGUAGE, "")
        accepted = read_header(scope, "accept-language")
        chosen = LANGUAGES.get(asked) or LANGUAGES.get(kept) or negotiate(accepted)
        token = jar.get(cookies.SESSION, "")
        visit = Visit(
            self.frame,
            api=Api(self._api, token),
            path=scope["path"],
            language=chosen.tag,
            query=query,
            is_secure=is_secure,
        )
        visit.method = scope["method"]
        visit.host = read_header(scope, "host").lower()
        visit.token, visit.visitor = token, jar.get(cookies.VISITOR, "")
        if not visit.visitor:
            visit.visitor = secrets.token_urlsafe(16)
            visit.set_cookie(cookies.VISITOR, visit.visitor)
        if asked in LANGUAGES and asked != kept:
            visit.set_cookie(cookies.LANGUAGE, asked)
        if cookies.NOTICE in jar:
            visit.notices = self.frame.seal.read_notices(jar[cookies.NOTICE])
            visit.set_cookie(cookies.NOTICE, "", 0)
        return visit

    async def _answer(self, visit: Visit, scope: Scope, receive: Receive) -> Answer:
        """The answer of the page, or that of whatever went wrong: the last to catch anything."""
        (found,) = await asyncio.gather(self._show(visit, scope, receive), return_exceptions=True)
        if isinstance(found, Answer):
            return found
        as_json = read_header(scope, "accept") == "application/json"
        if isinstance(found, ApiProblem):
            if found.status == 401 and not as_json:
                return _send_to_sign_in(visit, has_ended=bool(visit.token))
            return problems.show_problem(visit, found, as_json=as_json)
        if not isinstance(found, Exception):
            raise found
        frames = traceback.extract_tb(found.__traceback__)
        _log.error(
            "page_failed",
            page=scope.get("path_template", ""),
            request=scope.get("state", {}).get("request_id", ""),
            kind=type(found).__name__,
            at=[f"{each.name}:{each.lineno}" for each in frames[-6:]],
        )
        request = str(scope.get("state", {}).get("request_id", ""))
        return problems.show_problem(visit, problems.fail(request), as_json=as_json)

    async def _show(self, visit: Visit, scope: Scope, receive: Receive) -> Answer:
        method = "GET" if visit.method == "HEAD" else visit.method
        found = self.frame.router.find(method, visit.path)
        if isinstance(found, frozenset):
            raise problems.refuse_method(found) if found else problems.refuse_address()
        page, visit.parts = found
        scope["path_template"] = page.pattern
        await self._find_session(visit)
        if visit.session is not None:
            scope.get("state", {})["account"] = visit.session["account"]
        if page.method == "POST":
            visit.fields = await _read_form(scope, receive)
            visit.form = dict(visit.fields)
            self._check_forgery(visit, scope)
        if page.access == "signed_in" and visit.session is None:
            if read_header(scope, "sec-fetch-site") == "cross-site" and method == "GET":
                return visit.render("again.html")
            return _send_to_sign_in(visit, has_ended=False)
        return await page.show(visit)

    async def _find_session(self, visit: Visit) -> None:
        """Who the visitor is; a cookie whose session has ended is forgotten."""
        if not visit.token:
            return
        try:
            visit.session = await visit.api.get("/v1/sessions/current")
        except ApiProblem as problem:
            if problem.status != 401:
                raise
            visit.set_cookie(cookies.SESSION, "", 0)
            is_public = visit.path == "/sign-in"
            await visit.api.close()
            visit.api = Api(self._api)
            visit.token = ""
            if not is_public:
                visit.note("warning", visit.words("Your session has ended. Sign in again."))
            return
        visit.session["member_name"] = await visit.name_of(visit.member)

    def _check_forgery(self, visit: Visit, scope: Scope) -> None:
        """Refuse a form that no page of ours sent. Raises ApiProblem."""
        site = read_header(scope, "sec-fetch-site")
        origin = read_header(scope, "origin")
        host = origin.rpartition("://")[2].lower()
        is_foreign = site not in ("", "same-origin") or host not in ("", visit.host)
        given = visit.form.pop("csrf", "") or read_header(scope, "x-csrf-token")
        if is_foreign or not self.frame.seal.is_form_token(given, visit.visitor, visit.token):
            raise problems.refuse_form()


def make_console(api: AsgiApp, *, pages: Iterable[Page] = PAGES) -> Console:
    """A console over an API (ASGI), which it asks in process, as each visitor."""
    return Console(api, pages)


def _send_to_sign_in(visit: Visit, *, has_ended: bool) -> Answer:
    """The sign-in page, and from there back to where the visitor wanted to be."""
    wanted = visit.here() if visit.method in ("GET", "HEAD") else "/"
    if has_ended:
        visit.set_cookie(cookies.SESSION, "", 0)
        visit.note("warning", visit.words("Your session has ended. Sign in again."))
    target = "/sign-in" if wanted == "/" else f"/sign-in?{urlencode({'next': wanted})}"
    return redirect_to(target)


def _bake(visit: Visit, answer: Answer) -> None:
    """Put the visit's cookies into its answer; notices that no page showed wait for the next."""
    if answer.status == 303 and visit.notices:
        visit.set_cookie(cookies.NOTICE, visit.frame.seal.write_notices(visit.notices), 60)
    for name, (value, seconds) in visit.cookies.items():
        text = cookies.write_cookie(name, value, is_secure=visit.is_secure, seconds=seconds)
        answer.add("set-cookie", text)


async def _send(send: Send, answer: Answer, is_secure: bool) -> None:
    headers = [("content-type", answer.media), *list_locks(is_secure=is_secure), *answer.headers]
    if answer.parts is None:
        headers.append(("content-length", str(len(answer.body))))
    raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    is_whole = answer.parts is None
    await send({"type": "http.response.body", "body": answer.body, "more_body": not is_whole})


async def _send_parts(parts: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
    """Send a stream until it ends or its reader has gone; closes it either way."""

    async def pump() -> None:
        try:
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        finally:
            if isinstance(parts, AsyncGenerator):
                await parts.aclose()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    pumping, watching = asyncio.create_task(pump()), asyncio.create_task(watch())
    try:
        await asyncio.wait((pumping, watching), return_when=asyncio.FIRST_COMPLETED)
    finally:
        was_whole = pumping.done()
        for task in (pumping, watching):
            task.cancel()
        await asyncio.gather(pumping, watching, return_exceptions=True)
    if was_whole:
        pumping.result()


def _is_secure(scope: Scope) -> bool:
    """Whether the browser speaks TLS, to this gateway or to a proxy before it.

    Whoever lies in the header only locks cookies of its own.
    """
    forwarded = read_header(scope, "x-forwarded-proto").rpartition(",")[2].strip()
    return scope.get("scheme") == "https" or forwarded == "https"


def _read_query(scope: Scope) -> dict[str, str]:
    """What stands after `?`, in UTF-8; of several of one name the last."""
    text = scope["query_string"].decode("latin-1")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=100))
    except ValueError:
        return {}


async def _read_form(scope: Scope, receive: Receive) -> list[tuple[str, str]]:
    """Fields of a form; none of a request without a body. Raises ApiProblem for what is no form."""
    media = read_header(scope, "content-type").partition(";")[0].strip().lower()
    body, more = bytearray(), True
    while more:
        event: Any = await receive()
        if event["type"] != "http.request":
            raise asyncio.CancelledError
        body += event.get("body", b"")
        more = event.get("more_body", False)
    if media != _FORM and (media or body):
        raise problems.refuse_media()
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=FIELDS_MAX,
            encoding="utf-8",
            errors="strict",
        )
    except ValueError as error:
        raise problems.refuse_media() from error

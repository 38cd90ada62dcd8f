"""`Visit`: one request of one visitor, and all that a page may do about it."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec

from hansa.console.answers import Answer, answer_file, redirect_to
from hansa.console.asking import Api, ApiProblem, Value, join_path
from hansa.console.sealing import Notice
from hansa.console.templates import WRITINGS, shorten
from hansa.locales.words import load_words

if TYPE_CHECKING:
    from hansa.console.frame import Frame

NO_STORE: Final = ("cache-control", "no-store")
Session = dict[str, Any]
# Members change their names rarely.
_NAME_KEPT_S: Final = 60


class Visit:
    """What a page knows of its visitor and what it answers with.

    api: the API, as the visitor. session: the answer of /v1/sessions/current, None for strangers,
    with `member_name`. words, writing: sentences, and numbers and dates, in `language` (a tag).
    parts: of the address, as its pattern names them. query: after `?`, without `lang`. form: fields
    of a POST, whose token was checked; of several of one name the last (`fields` has all).
    """

    def __init__(
        self,
        frame: "Frame",
        *,
        api: Api,
        path: str,
        language: str,
        query: Mapping[str, str],
        is_secure: bool,
    ) -> None:
        self.frame = frame
        self.api = api
        self.path = path
        self.language = language
        self.words = load_words(language)
        self.writing = WRITINGS[language]
        self.query = dict(query)
        self.is_secure = is_secure
        self.method = "GET"
        self.host = ""
        self.parts: dict[str, str] = {}
        self.form: dict[str, str] = {}
        self.fields: list[tuple[str, str]] = []
        self.session: Session | None = None
        self.visitor = ""
        self.token = ""
        self.notices: list[Notice] = []
        self.cookies: dict[str, tuple[str, int | None]] = {}
        self._names: dict[str, str] = {}

    # Answers

    def render(self, template: str, *, status: int = 200, **data: Any) -> Answer:
        """A page of a template, with `visit` and everything of `data`."""
        text = self.frame.render(template, self, data)
        return Answer(status=status, body=text.encode(), headers=[NO_STORE])

    def redirect(self, url: str, *, done: str = "", refused: str = "") -> Answer:
        """See other, a path of this console; `done`, `refused`: a notice on the page there."""
        for kind, text in (("done", done), ("refused", refused)):
            if text:
                self.note(kind, text)
        return redirect_to(url if is_own_path(url) else "/")

    def json(self, value: object, *, status: int = 200) -> Answer:
        """JSON, for our own scripts."""
        body = msgspec.json.encode(value)
        return Answer(status=status, body=body, media="application/json", headers=[NO_STORE])

    def file(self, name: str, media: str, data: bytes) -> Answer:
        """A file to keep; `name`: ASCII letters, digits, `.`, `-`, `_`."""
        answer = answer_file(name, media, data)
        answer.headers.append(NO_STORE)
        return answer

    def stream(self, parts: AsyncIterator[bytes], media: str = "text/event-stream") -> Answer:
        """Parts as they come, such as those of `api.stream`; closed when the reader has gone."""
        headers = [NO_STORE, ("x-accel-buffering", "no")]
        return Answer(media=media, headers=headers, parts=parts)

    def note(self, kind: str, text: str) -> None:
        """A notice (`done`, `news`, `warning`, `refused`) on this page, or on the next one when
        this visit ends in a redirection.
        """
        self.notices.append(Notice(kind, text))

    # Addresses

    def link(self, path: str, **query: Value) -> str:
        """A path of this console with what stands after `?`; empty values are left out."""
        pairs = [(name, str(value)) for name, value in query.items() if value not in (None, "")]
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def here(self, **changed: Value) -> str:
        """This very page with a changed query: `here(after=next)`; None takes one away."""
        return self.link(self.path, **{**self.query, **changed})

    def record_link(self, app: str, kind: str, key: str) -> str:
        """The page of a record; `key`: its parts, parted by `/`."""
        return join_path("apps", app, "records", kind, key)

    # People

    @property
    def member(self) -> str:
        """DID of the visitor's member, "" for strangers."""
        return str(self.session["member"]) if self.session else ""

    @property
    def origin(self) -> str:
        """Where this console is for its visitor: `https://ledger.example:8443`."""
        return f"{'https' if self.is_secure else 'http'}://{self.host}"

    @property
    def form_token(self) -> str:
        """What a form sends back as `csrf` (or a script as the header `x-csrf-token`)."""
        return self.frame.seal.make_form_token(self.visitor, self.token)

    async def name_of(self, did: str) -> str:
        """The name of a member by its DID, that of one of its accounts, or of a key (`did#k1`);
        else the DID, shortened.
        """
        did = did.partition("#")[0]
        found = self._names.get(did)
        if found is None:
            found = self._names[did] = await self._find_name(did) or shorten(did)
        return found

    async def names_of(self, dids: Sequence[str]) -> dict[str, str]:
        """Names of several; each is asked for once."""
        wanted = [did for did in dict.fromkeys(dids) if did]
        return dict(zip(wanted, [await self.name_of(did) for did in wanted], strict=True))

    async def describe_app(self, name: str) -> dict[str, Any]:
        """What an application says of itself, in either spelling of its name. Raises ApiProblem
        (404) for one that there is not.
        """
        described = await self.frame.describe_all(self.api)
        found = described.get(name.replace("-", "_"))
        if found is None:
            return dict(await self.api.get(join_path("v1", "apps", name)))
        return found

    async def _find_name(self, did: str) -> str:
        kept = self.frame.names.get(did)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        member = await self._look(join_path("v1", "apps", "members", "member", did))
        if not member:
            account = await self._look(join_path("v1", "apps", "accounts", "account", did))
            owner = str(account.get("member", ""))
            return await self._find_name(owner) if owner not in ("", did) else ""
        name = str(member.get("name", ""))
        # Members and their names are public; whose an account is, is not, so it is not kept.
        self.frame.names[did] = (time.monotonic() + _NAME_KEPT_S, name)
        return name

    async def _look(self, path: str) -> dict[str, Any]:
        """A record; empty when it is not there, or not for this visitor."""
        try:
            return dict(await self.api.get(path))
        except ApiProblem as problem:
            if problem.status >= 500:
                raise
            return {}

    # Cookies

    def set_cookie(self, name: str, value: str, seconds: int | None = None) -> None:
        """Have the browser keep one of our cookies; seconds 0: forget it."""
        self.cookies[name] = (value, seconds)


def is_own_path(url: str) -> bool:
    """Whether an address is a path of this console, and cannot lead anywhere else."""
    return (
        url.startswith("/")
        and not url.startswith(("//", "/\\"))
        and all(32 < ord(each) < 127 and each != "\\" for each in url)
    )

"""Unusual addresses of an application, and the desk at which they are served. Pure descriptions.

The gateway mounts them under `/{cli_name}/…`, on its own limits, log, meters and problem details.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Literal, Protocol, TypeVar

import msgspec

from hansa.appkit.command import Outcome
from hansa.appkit.walk import Snapshot
from hansa.ledger.model import Message, Record

R = TypeVar("R", bound=Record)
Method = Literal["GET", "POST", "PUT", "DELETE", "OPTIONS"]
Cell = str | int | None
# What `after` of the next page is: the last row's place in the order asked for.
Place = tuple[str | int, ...]
BODY_MAX: Final = 1_000_000


class Asking(msgspec.Struct, frozen=True):
    """One request. `parts`: what stood in the placeholders of the path, percent-decoded.

    `query`: names with values in the order given, decoded; `headers`: by lower-case name;
    `base`: what the application's own paths stand below ("/food-trace").
    """

    method: str
    path: str
    base: str
    parts: Mapping[str, str] = {}
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Reply(msgspec.Struct, frozen=True):
    """What a route answers."""

    status: int = 200
    body: bytes = b""
    media: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class Trouble(Exception):
    """A route refuses: becomes problem details (RFC 9457). `type` and `title` as a standard names
    them; empty: the gateway's own.
    """

    def __init__(
        self,
        status: int,
        code: str,
        text: str,
        *,
        remedy: str,
        rule: str = "",
        type: str = "",  # noqa: A002 - the member of the problem document
        title: str = "",
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.text = status, code, text
        self.remedy, self.rule = remedy, rule
        self.type, self.title = type, title
        self.headers, self.params = dict(headers or {}), dict(params or {})


class Condition(msgspec.Struct, frozen=True):
    """One condition on a column of a table. `in` takes a tuple (empty: nothing passes); `like` a
    text in which `?` is any one character and `*` any number; `none` and `some` take nothing.
    """

    column: str
    test: Literal["is", "in", "min", "max", "above", "below", "like", "none", "some"]
    value: Cell | tuple[str | int, ...] = None


class Related(msgspec.Struct, frozen=True):
    """There is (`is_there`) or is not a row of another table of the application that passes.

    `own` and `theirs` name the columns that must be equal; "key" is the record's identifier.
    """

    table: str
    conditions: "tuple[Wanted, ...]"
    own: str = "key"
    theirs: str = "key"
    is_there: bool = True


class AnyOf(msgspec.Struct, frozen=True):
    """At least one of them holds; none given: nothing passes."""

    conditions: "tuple[Wanted, ...]"


Wanted = Condition | Related | AnyOf


class Rows(msgspec.Struct, frozen=True):
    """A page of rows (columns, `line`, and `key`: the record's identifier); `places`: of each, as
    `after` takes it; `next`: the last one, None at the end.
    """

    rows: tuple[dict[str, Cell], ...]
    places: tuple[Place, ...] = ()
    next: Place | None = None


class Asker(Protocol):
    """On whose behalf a request asks."""

    @property
    def account(self) -> str:
        """DID of the account; empty for strangers."""
        ...

    @property
    def dids(self) -> tuple[str, ...]:
        """The account and, when it acts for its member, the member."""
        ...

    @property
    def is_stranger(self) -> bool:
        """Whether nobody signed in."""
        ...

    @property
    def roles(self) -> frozenset[tuple[str, str]]:
        """Reader's roles as `app.role` with their scope, as granted now."""
        ...


class Notebook(Protocol):
    """A small durable store of this gateway for one application: names to bytes, in name's order.

    What it says is this node's alone (jobs, subscriptions): truth stands on the ledger.
    """

    def get(self, name: str) -> bytes | None:
        """The value, None when there is none."""
        ...

    def change(self, puts: Mapping[str, bytes], deletes: Sequence[str] = ()) -> None:
        """Write and delete in one durable step: on return a crash loses none of it."""
        ...

    def update(self, name: str, value: bytes) -> bool:
        """Write a name that is there, durably; False when it is gone."""
        ...

    def list(self, prefix: str, after: str = "", limit: int = 100) -> list[tuple[str, bytes]]:
        """Names that begin with `prefix`, beyond `after`, in order."""
        ...


class Prepared(msgspec.Struct, frozen=True):
    """A signed transaction: its id, the bytes to send, the last height at which it may enter."""

    id: str
    data: bytes
    expiry: int


class Desk(Protocol):
    """What a route may do: no more than its asker may see (and what is public), and no more than
    the member's service key may sign. All calls block; routes run in a thread.
    """

    @property
    def application(self) -> str: ...

    @property
    def chain(self) -> str: ...

    @property
    def viewer(self) -> Asker: ...

    @property
    def mark(self) -> str:
        """Who asks, as a duty may take it up later (`Backroom.desk_of`); empty for strangers."""
        ...

    @property
    def height(self) -> int:
        """Height up to which rows and records can be read here."""
        ...

    @property
    def now_ms(self) -> int:
        """This machine's clock: for jobs and schedules, never for what goes into a ledger."""
        ...

    @property
    def notebook(self) -> Notebook: ...

    def record(self, kind: type[R], *key: str) -> R | None:
        """A record of this application, or of a system contract, that the asker may read."""
        ...

    def records(self, kind: type[R], keys: Sequence[str]) -> dict[str, R]:
        """Several such records, of identifiers of one part, by identifier."""
        ...

    def rows(
        self,
        table: str,
        wanted: Sequence[Wanted] = (),
        *,
        order: str = "key",
        descending: bool = False,
        after: Place | None = None,
        limit: int = 100,
    ) -> Rows:
        """Rows of an own table that the asker may see, by the column `order`, then by key."""
        ...

    def values(
        self,
        table: str,
        column: str,
        wanted: Sequence[Wanted] = (),
        *,
        after: Cell = None,
        limit: int = 100,
    ) -> tuple[Cell, ...]:
        """The different values of a column among the rows that the asker may see, in order; those
        beyond `after`; rows without a value give none.
        """
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """The application's tables as they are now, for several questions and for closures."""
        ...

    @property
    def service(self) -> str:
        """DID of the service account whose key signs here for the asker; empty: nobody does."""
        ...

    def prepare(self, messages: Sequence[Message], *, is_atomic: bool) -> Prepared:
        """Sign by the member's service key. Raises Trouble: none, revoked, or not for the asker."""
        ...

    def send(self, data: bytes) -> str:
        """Submit signed bytes; their transaction id. Safe to repeat. Raises Rejection, Trouble."""
        ...

    def outcomes(self, transaction: str, wait_s: float = 0) -> tuple[Outcome, ...] | None:
        """One outcome per message once it is final and can be read here; None before."""
        ...

    def wake(self) -> None:
        """Have the application's duties run soon: there is work for them."""
        ...

    def check_url(self, url: str) -> str:
        """Why nothing may be sent to that URL; empty when it may."""
        ...

    def draw(self) -> str:
        """A random name that nobody can guess: 22 characters of base64url."""
        ...


class Answer(msgspec.Struct, frozen=True):
    """What another server said to a post. `status` 0: it could not be reached, `text` says why."""

    status: int
    text: str = ""
    headers: Mapping[str, str] = {}


class Backroom(Desk, Protocol):
    """The desk of a duty: on behalf of nobody until it takes an account's place."""

    def desk_of(self, mark: str) -> Desk | None:
        """The desk with the present rights of who left that mark; None when none are left."""
        ...

    @property
    def is_ending(self) -> bool:
        """Whether the gateway stops: a long duty returns as soon as it can."""
        ...

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send to a URL that a user named, within the operator's rules for such addresses."""
        ...


class Feed(Protocol):
    """What one websocket is told. `take` is called at once, at each growth, and when it is due."""

    def take(self) -> tuple[Sequence[str | bytes], float]:
        """What to say now, and after how many seconds at the latest to ask again."""
        ...


class Route(msgspec.Struct, frozen=True):
    """One address: `path` below the application's own ("/epcis/events/{event}").

    A placeholder stands for one whole segment; `{rest*}` at the end for all that is left. `feed`:
    the same address as a websocket. `body_max`: bytes; more than a transaction's needs a sign-in.
    """

    method: Method
    path: str
    run: Callable[[Desk, Asking], Reply]
    summary: str
    media: tuple[str, ...] = ()
    body_max: int = BODY_MAX
    feed: Callable[[Desk, Asking], Feed] | None = None


class Duty(msgspec.Struct, frozen=True):
    """Work of the gateway itself: `run` in a thread, at start, at growth, and when it is due.

    It returns after how many seconds at the latest it wants to run again. One runs at a time.
    """

    name: str
    run: Callable[[Backroom], float]


class Doors(msgspec.Struct, frozen=True):
    """All that an application adds to the gateway. `explain` writes a refusal as the application's
    standard has it, also the gateway's own: from the members of its problem document, the path
    below the application's own and the request's headers; None: as the gateway does.
    """

    routes: tuple[Route, ...] = ()
    duties: tuple[Duty, ...] = ()
    explain: Callable[[Mapping[str, Any], str, Mapping[str, str]], Reply | None] | None = None


def find_route(
    routes: Sequence[Route], method: str, segments: Sequence[str]
) -> tuple[Route | None, dict[str, str], tuple[str, ...]]:
    """The route of a path's (decoded) segments with its parts, and the methods that it takes."""
    allowed: list[str] = []
    for route in routes:
        parts = _match(route.path.strip("/").split("/"), segments)
        if parts is None:
            continue
        if route.method == method:
            return route, parts, ()
        allowed.append(route.method)
    return None, {}, tuple(sorted(set(allowed)))


def _match(pattern: Sequence[str], segments: Sequence[str]) -> dict[str, str] | None:
    parts: dict[str, str] = {}
    for place, each in enumerate(pattern):
        if each.startswith("{") and each.endswith("*}"):
            parts[each[1:-2]] = "/".join(segments[place:])
            return parts
        if place >= len(segments):
            return None
        if each.startswith("{") and each.endswith("}"):
            parts[each[1:-1]] = segments[place]
        elif each != segments[place]:
            return None
    return parts if len(pattern) == len(segments) else None


__all__ = [
    "Answer",
    "AnyOf",
    "Asker",
    "Asking",
    "Backroom",
    "Condition",
    "Desk",
    "Doors",
    "Duty",
    "Feed",
    "Notebook",
    "Prepared",
    "Related",
    "Reply",
    "Route",
    "Rows",
    "Snapshot",
    "Trouble",
    "Wanted",
    "find_route",
]

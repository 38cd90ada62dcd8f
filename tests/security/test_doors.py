"""All doors, each with no session, one that is none, no right and a foreign origin.

What each has to answer is the table "Each route" of docs/security.md; a route without a row fails.
"""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from hansa.api.limits import SESSION_MS
from hansa.client.sessions import sign_session_statement
from hansa.console.application import make_console
from hansa.console.cookies import SESSION
from hansa.contracts.permissions.model import WithdrawRole
from hansa.index.shape import Shape
from hansa.ledger.state import scan_records
from tests.apps.food_trace.routes.serving import (
    APP,
    Served,
    make_document,
    make_event,
    serve,
    wait_job,
)
from tests.security.doors import (
    Door,
    find_readers,
    list_operations,
    list_pages,
    list_sockets,
)
from tests.security.table import Row, find_row, read_table

pytestmark = pytest.mark.slow

CANARY = "CANARY-5f1c"
EVIL = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
EVENTS = "/food-trace/epcis/events"
CAPTURE = "/food_trace/capture"
# Ends the session that asks: in its turn, with one of its own.
CLOSING = "DELETE /v1/sessions/current"


@pytest.fixture(scope="module")
def ahead() -> list[int]:
    """By how many milliseconds the gateway's clock is ahead."""
    return [0]


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory, ahead: list[int]) -> Iterator[Served]:
    """All applications and the console on one port; the farm has captured what is its own."""
    home = tmp_path_factory.mktemp("doors") / "home"

    def clock() -> int:
        return time.time_ns() // 1_000_000 + ahead[0]

    with serve(home, face=make_console, clock=clock) as running:
        running.make_service_key()
        with running.client(running.issue("scanner")) as scanner:
            event = make_event(1, **{"ex:note": CANARY})
            job = wait_job(scanner, scanner.post("/capture", json=make_document(event)))
            assert job["success"], job
        yield running


@pytest.fixture(scope="module")
def doors(league: Served) -> list[Door]:
    """All of HTTP that the API describes."""
    document = httpx.get(f"{league.url}/openapi.json").json()
    return list(list_operations(document, Shape(league.applications)))


@pytest.fixture(scope="module")
def pages() -> list[Door]:
    return list(list_pages())


class Asker:
    """Asks doors with the same headers; the parts of addresses are of what is not public."""

    def __init__(self, league: Served, **headers: str) -> None:
        self.league = league
        self.client = httpx.Client(base_url=league.url, headers=headers, timeout=60)
        self.parts = find_parts(league)

    def ask(self, door: Door, **headers: str) -> httpx.Response:
        """The answer, with as much of its body as comes at once."""
        if door.media:
            headers["content-type"] = door.media
        body = b"{}" if door.media else None
        path = self.fill(door)
        with self.client.stream(door.method, path, headers=headers, content=body) as answer:
            if answer.headers.get("content-type", "").startswith("text/event-stream"):
                assert CANARY not in next(answer.iter_text(), "")
            else:
                answer.read()
                assert CANARY not in answer.text, (door, headers)
        assert answer.status_code < 500, (door, answer.text)
        assert not [name for name in answer.headers if name.startswith("access-control-allow")]
        return answer

    def fill(self, door: Door) -> str:
        """An address of a template: that of a record which is another's, when there is one."""
        places = re.findall(r"\{(\w+)(?:\.\.\.)?\}", door.template)
        found = self.parts.get(door.template.partition("/{")[0].rpartition("/v1/")[2])
        values = dict(zip(places, found or (), strict=False))

        def choose(place: re.Match[str]) -> str:
            return quote(values.get(place[1]) or self.parts.get(place[1], ("x",))[0], safe="")

        return re.sub(r"\{(\w+)(?:\.\.\.)?\}", choose, door.template)


@cache
def find_parts(league: Served) -> dict[str, tuple[str, ...]]:
    """Values for the places of addresses, and the key of a record that is not public by kind."""
    found: dict[str, tuple[str, ...]] = {
        "app": (APP,),
        "did": (league.actors["farm"].did,),
        "eventID": (str(make_event(1)["eventID"]),),
        "height": ("2",),
        "id": ("ab" * 32,),
        "number": ("0",),
        "transaction": ("ab" * 32,),
    }
    with httpx.Client(base_url=league.url) as farm:
        farm.headers["authorization"] = f"Bearer {league.sign_in('farm')}"
        events = farm.get("/v1/events", params={"app": APP}).json()["items"]
        found["transaction"] = (events[0]["transaction"],)
    state = league.node.state
    for (owner, name), kind in Shape(league.applications).records.items():
        if find_readers(kind) != ":parties":
            continue
        for record in scan_records(state, owner, kind.newest, (), limit=100):
            if not any(
                league.actors[each].did in repr(record) for each in ("outsider", "regulator")
            ):
                key = tuple(str(getattr(record, each)) for each in kind.newest.KEY)
                found |= {f"{door}/{owner}/{name}": key for door in ("apps", "history", "proofs")}
    return found


def is_as_said(status: int, said: str, to_nobody: int) -> bool:
    """Whether a status is one of the table's words. That nothing private was in the answer is
    seen when it comes.
    """
    words = {"open": status == to_nobody, "none": status == 200, "4xx": 400 <= status < 500}
    return any(words.get(word, word == str(status)) for word in said.split("/"))


@contextmanager
def no_faults() -> Iterator[list[str]]:
    """Collects what was not as said, and tells it all."""
    wrong: list[str] = []
    yield wrong
    assert wrong == []


def walk(
    doors: list[Door], column: str, asker: Asker, nobody: dict[str, int], *others: dict[str, str]
) -> None:
    """Ask each door; each answer is the word of the table's column."""
    rows = read_table()
    with no_faults() as wrong:
        for door in doors:
            row = find_row(rows, door.name)
            assert row is not None, f"docs/security.md has no row for {door.name}"
            for headers in others or ({},):
                answer = asker.ask(door, **headers)
                said = getattr(row, column)
                if not is_as_said(
                    answer.status_code, said, nobody.get(door.template + door.method, 0)
                ):
                    wrong.append(f"{door.method} {door.template}: {said}, was {answer}")


@pytest.fixture(scope="module")
def nobody(league: Served, doors: list[Door], pages: list[Door]) -> dict[str, int]:
    """What each door answers to a stranger: the status by template and method."""
    asker = Asker(league)
    return {each.template + each.method: asker.ask(each).status_code for each in doors + pages}


def forge(league: Served, name: str, **changes: Any) -> str:
    """A statement of one who signs in, changed."""
    actor = league.actors[name]
    asked = httpx.post(f"{league.url}/v1/sessions/challenge", json={"account": actor.did}).json()
    values = {"account": actor.did, "kid": actor.kid, "key": actor.key, **changes}
    return sign_session_statement(
        chain=asked["chain"], challenge=asked["challenge"], **values
    ).decode()


@pytest.fixture(scope="module")
def ended(league: Served, ahead: list[int]) -> list[dict[str, str]]:
    """Sessions that are none: one that is over, a forged `kid`'s, a replayed statement's."""
    forged = forge(league, "farm", key=league.actors["outsider"].key)
    used = forge(league, "farm")
    for statement, status in ((forged, 403), (used, 201), (used, 403)):
        answer = httpx.post(f"{league.url}/v1/sessions", content=statement)
        assert answer.status_code == status
    old = league.sign_in("farm")
    # Nobody signs in after that: it would have the gateway forget what is over.
    ahead[0] += SESSION_MS + 1
    # What opened no session is tried as if it had.
    made = [old, forged[:43], used[-43:]]
    return [{"authorization": f"Bearer {token}"} for token in made]


def test_every_row_is_of_some_door(doors: list[Door], pages: list[Door], league: Served) -> None:
    rows = read_table()
    every = [*doors, *pages, *list_sockets(Shape(league.applications))]
    assert len(every) > 600
    left = {row.patterns for row in rows} - {
        row.patterns for door in every if (row := find_row(rows, door.name)) is not None
    }
    assert left == set()


def test_nobody(league: Served, doors: list[Door], nobody: dict[str, int]) -> None:
    walk(doors, "nobody", Asker(league), nobody)


def test_sessions_that_are_none(
    league: Served, doors: list[Door], nobody: dict[str, int], ended: list[dict[str, str]]
) -> None:
    walk(doors, "ended", Asker(league), nobody, *ended)


def test_no_party(league: Served, doors: list[Door], nobody: dict[str, int]) -> None:
    with httpx.Client(base_url=league.url) as farm:
        farm.headers["authorization"] = f"Bearer {league.sign_in('farm')}"
        assert CANARY in farm.get(EVENTS).text
        # What is refused to others is there: its party reads it at the same addresses.
        asker = Asker(league)
        there = [door for door in doors if CAPTURE in door.template and "{" in door.template]
        assert len(there) == 3
        assert all(CANARY in farm.get(asker.fill(door)).text for door in there[:1])
        assert {farm.get(asker.fill(door)).status_code for door in there} == {200}
    walk_as(league, doors, nobody, "outsider")


def test_a_withdrawn_grant(league: Served, doors: list[Door], nobody: dict[str, int]) -> None:
    """The session is as good as before: its right is gone."""
    token = {"authorization": f"Bearer {league.sign_in('regulator')}"}
    with httpx.Client(base_url=league.url, headers=token) as client:
        assert CANARY in client.get(EVENTS).text
        withdrawn = WithdrawRole(
            application=APP,
            role="regulator",
            holder=league.actors["regulator"].did,
            scope="CN",
            reason="given_back",
        )
        assert league.commit("regulator", "permissions", withdrawn) == "ok"
        assert CANARY not in client.get(EVENTS).text
    walk_as(league, doors, nobody, "regulator", **token)


def walk_as(
    league: Served, doors: list[Door], nobody: dict[str, int], name: str, **headers: str
) -> None:
    """All doors as somebody signed in, the one that signs out last."""
    own = headers or {"authorization": f"Bearer {league.sign_in(name)}"}
    closing = [each for each in doors if each.name == CLOSING]
    rest = [each for each in doors if each.name != CLOSING]
    assert closing
    walk([*rest, *closing], "other", Asker(league, **own), nobody)


def test_a_foreign_origin(league: Served, doors: list[Door], nobody: dict[str, int]) -> None:
    """No browser lets another site read an answer, and no cookie opens the API."""
    cookie = {"cookie": f"{SESSION}={league.sign_in('farm')}"}
    walk(doors, "foreign", Asker(league, **cookie), nobody, EVIL)


def test_pages(
    league: Served, pages: list[Door], nobody: dict[str, int], ended: list[dict[str, str]]
) -> None:
    walk(pages, "nobody", Asker(league), nobody)
    old = ended[0]["authorization"].removeprefix("Bearer ")
    walk(pages, "ended", Asker(league, cookie=f"{SESSION}={old}"), nobody)
    token = league.sign_in("outsider")
    walk(pages, "other", Asker(league, cookie=f"{SESSION}={token}"), nobody)
    posts = [each for each in pages if each.method == "POST"]
    walk(posts, "foreign", Asker(league, cookie=f"{SESSION}={token}"), nobody, EVIL)


def test_websockets(league: Served, ended: list[dict[str, str]]) -> None:
    rows = read_table()
    token = {"authorization": f"Bearer {league.sign_in('outsider')}"}
    asked: list[tuple[str, list[dict[str, str]]]] = [
        ("nobody", [{}]),
        ("ended", ended),
        ("other", [token]),
        ("foreign", [EVIL]),
    ]
    sockets = list(list_sockets(Shape(league.applications)))
    assert sockets
    with no_faults() as wrong:
        for door in sockets:
            row = find_row(rows, door.name)
            assert row is not None, f"docs/security.md has no row for {door.name}"
            for column, tried in asked:
                for headers in tried:
                    status = shake_hands(league, door, headers)
                    if str(status) not in getattr(row, column).split("/"):
                        wrong.append(f"{door.name} {column}: was {status}")


def shake_hands(league: Served, door: Door, headers: dict[str, str]) -> int:
    """The status with which a websocket's handshake is answered."""
    path = re.sub(r"\{\w+\}", "x", door.template)
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    with socket.create_connection(("127.0.0.1", int(league.url.rpartition(":")[2]))) as raw:
        raw.settimeout(60)
        raw.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(raw.recv(64).split()[1])


def test_an_embedded_node_opens_no_other_door(league: Served) -> None:
    """ABCI and RPC are sockets of leagues with an engine; their tests are tests/comet's."""
    home: Path = league.home
    assert not [path for path in home.rglob("*") if path.is_socket()]


def test_a_route_without_a_row_is_seen() -> None:
    rows = [Row(("GET /known",), "open", "open", "open", "open")]
    assert find_row(rows, "GET /new") is None
    assert find_row(rows, "GET /known") is rows[0]

"""Applications' own addresses: mounted on the gateway's limits, seeing what their asker may see."""

import base64
import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from hansa.api import app_routes, duties
from hansa.api.desk import OpenDesk, find_seat
from hansa.api.limits import BODY_BYTES_MAX, LARGE_BODY_BYTES_MAX
from hansa.appkit.route import (
    AnyOf,
    Asking,
    Backroom,
    Condition,
    Desk,
    Doors,
    Duty,
    Related,
    Reply,
    Route,
    Trouble,
    Wanted,
)
from tests.api import league as league_module
from tests.api.league import ADA, BEA, CAI, CHIEF, CITIZEN, INSPECTOR_HK, League, serve_league
from tests.api.parcels import (
    APPLICATION,
    APPLICATIONS,
    Depot,
    OpenDepot,
    Parcel,
    SendParcel,
    Tariff,
)

pytestmark = pytest.mark.slow
RUNS: list[float] = []
FAULTS: list[Exception] = []


def echo(desk: Desk, asking: Asking) -> Reply:
    told = {
        "parts": dict(asking.parts),
        "query": asking.query,
        "account": desk.viewer.account,
        "size": len(asking.body),
        "base": asking.base,
        "service": desk.service,
    }
    return Reply(body=json.dumps(told).encode(), headers=(("X-Own", "1"),))


def refuse(_desk: Desk, asking: Asking) -> Reply:
    raise Trouble(418, "parcels.teapot", "No.", remedy="Yes.", rule="T1", params={"a": 1})


def fail(_desk: Desk, asking: Asking) -> Reply:
    raise RuntimeError("a bug, with a secret in it")


def ask_wrong(desk: Desk, asking: Asking) -> Reply:
    desk.rows("parcels", (Condition("colour", "is", "red"),))
    return Reply()


class Counter:
    """Says one more number at each growth."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.number = desk, 0

    def take(self) -> tuple[Sequence[str], float]:
        self.number += 1
        return [str(self.number)], 60.0


def work(room: Backroom) -> float:
    RUNS.append(time.monotonic())
    if FAULTS:
        raise FAULTS.pop()
    return 60.0


DOORS = Doors(
    routes=(
        Route("GET", "/echo/{one}/{two}", echo, "Echo"),
        Route("GET", "/rest/{all*}", echo, "The rest", feed=lambda desk, _asking: Counter(desk)),
        Route("POST", "/echo", echo, "Take", media=("text/plain",), body_max=BODY_BYTES_MAX * 2),
        Route("POST", "/small", echo, "Take little", body_max=10),
        Route("DELETE", "/echo", echo, "Drop"),
        Route("GET", "/refuse", refuse, "Refuse"),
        Route("GET", "/fail", fail, "Fail"),
        Route("GET", "/wrong", ask_wrong, "Ask for what there is not"),
    ),
    duties=(Duty("work", work),),
)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[League]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duties, "DUTY_FAULT_S", 0.05)
        own = msgspec.structs.replace(APPLICATION, doors=DOORS)
        applications = tuple(own if app is APPLICATION else app for app in APPLICATIONS)
        patch.setattr(league_module, "APPLICATIONS", applications)
        with serve_league(tmp_path_factory.mktemp("doors") / "home") as running:
            running.commit(ADA, SendParcel(id="p1", other=BEA.did, note="", grams=500))
            running.commit(ADA, SendParcel(id="p2", other=CAI.did, note="", grams=2_000))
            running.commit(BEA, SendParcel(id="p3", other=ADA.did, note="", grams=3_000))
            running.commit(BEA, OpenDepot(id="d", city="x"))
            yield running


@pytest.fixture(scope="module")
def client(doors: League) -> Iterator[httpx.Client]:
    with doors.client() as made:
        yield made


def desk_of(league: League, mark: str = "") -> Desk:
    gate = league.app.gate
    if not mark:
        return OpenDesk(gate, "parcels")
    seat = find_seat(gate, "parcels", mark)
    assert seat is not None
    return OpenDesk(gate, "parcels", seat)


def test_parts_are_whole_segments_decoded_once(client: httpx.Client) -> None:
    answer = client.get("/parcels/echo/a%2Fb%252F/https%3A%2F%2Fx.example%2F%E6%BE%B3?q=1&q=2&r=")
    assert answer.status_code == 200 and answer.headers["x-own"] == "1"
    told = answer.json()
    assert told["parts"] == {"one": "a/b%2F", "two": "https://x.example/澳"}
    assert told["query"] == [["q", "1"], ["q", "2"], ["r", ""]]
    assert told["base"] == "/parcels" and told["account"] == ""
    assert client.get("/parcels/rest/a/b//c").json()["parts"] == {"all": "a/b//c"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/parcels", 404, "api.no_such_address"),
        ("GET", "/parcels/nothing", 404, "api.no_such_address"),
        ("GET", "/parcels/echo/one", 404, "api.no_such_address"),
        ("GET", "/parcels/echo", 405, "api.method_not_allowed"),
        ("PUT", "/parcels/echo", 405, "api.method_not_allowed"),
        ("GET", "/parcels/echo/%FF/x", 400, "api.invalid_parameter"),
        ("GET", "/parcels/echo/%00/x", 400, "api.invalid_parameter"),
        ("GET", "/parcels/echo/a/b?x=%FF", 400, "api.invalid_parameter"),
        ("GET", "/parcels/echo/a/b?" + "&".join(f"a{n}=1" for n in range(300)), 400, ""),
        ("GET", "/parcels/refuse", 418, "parcels.teapot"),
        ("GET", "/parcels/wrong", 400, "api.invalid_parameter"),
        ("GET", "/parcels/fail", 500, "api.internal"),
    ],
)
def test_refusals_are_problem_details(
    client: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["instance"] and (not code or problem["code"] == code)
    assert "secret" not in answer.text
    if status == 405:
        assert answer.headers["allow"] == "DELETE, POST"


def test_head_is_get_without_its_body(client: httpx.Client) -> None:
    answer = client.head("/parcels/echo/a/b")
    assert answer.status_code == 200 and answer.content == b""


def test_bodies_are_within_their_address(doors: League, client: httpx.Client) -> None:
    plain = {"content-type": "text/plain"}
    assert client.post("/parcels/echo", content=b"x", headers=plain).json()["size"] == 1
    assert client.post("/parcels/echo", content=b"x").status_code == 415
    assert client.post("/parcels/small", content=b"x" * 11).status_code == 413
    large = b"x" * (BODY_BYTES_MAX + 1)
    assert client.post("/parcels/echo", content=large, headers=plain).status_code == 413
    chunked = client.post("/parcels/echo", content=iter([large]), headers=plain)
    assert chunked.status_code == 413
    with doors.client(ADA) as known:
        taken = known.post("/parcels/echo", content=large, headers=plain)
        assert taken.json()["size"] == len(large)
        taken = known.post("/parcels/echo", content=iter([large]), headers=plain)
        assert taken.json()["size"] == len(large)
        beyond = b"x" * (BODY_BYTES_MAX * 2 + 1)
        assert known.post("/parcels/echo", content=beyond, headers=plain).status_code == 413
    assert client.post("/v1/transactions", content=large).status_code == 413
    assert BODY_BYTES_MAX * 2 < LARGE_BODY_BYTES_MAX


def test_addresses_are_metered_by_their_templates_and_described(client: httpx.Client) -> None:
    client.get("/parcels/echo/secret-key/x")
    metrics = client.get("/metrics").text
    assert 'route="/parcels/echo/{one}/{two}"' in metrics and "secret-key" not in metrics
    paths = client.get("/openapi.json").json()["paths"]
    assert paths["/parcels/echo/{one}/{two}"]["get"]["summary"] == "Echo"


def test_tokens_open_what_they_open(doors: League, client: httpx.Client) -> None:
    with doors.client(ADA) as known:
        assert known.get("/parcels/echo/a/b").json()["account"] == ADA.did
    for header in ("Bearer x", "Basic x", "Basic !", "Token x", "Bearer hansa-client.0.0"):
        answer = client.get("/parcels/echo/a/b", headers={"authorization": header})
        assert answer.status_code == 401, header
        assert "bearer" in answer.headers["www-authenticate"].lower()
    secret = base64.b64encode(b"name:password").decode()
    assert (
        client.get("/parcels/echo/a/b", headers={"authorization": f"Basic {secret}"}).status_code
        == 401
    )


def names(desk: Desk, *wanted: Wanted, **more: Any) -> list[Any]:
    return [row["id"] for row in desk.rows("parcels", wanted, **more).rows]


def test_a_desk_shows_no_more_than_its_asker_may_see(doors: League) -> None:
    stranger, ada, bea, cai = (desk_of(doors, mark) for mark in ("", ADA.did, BEA.did, CAI.did))
    assert names(stranger) == []
    assert names(ada) == ["p1", "p2", "p3"]
    assert names(bea) == ["p1", "p3"]
    assert names(cai) == ["p2"]
    assert names(desk_of(doors, CHIEF.did)) == ["p1", "p2", "p3"]
    assert names(desk_of(doors, INSPECTOR_HK.did)) == ["p1", "p3"]
    assert names(desk_of(doors, CITIZEN.did)) == []
    assert stranger.record(Depot, "d") is not None
    assert stranger.record(Parcel, "p1") is None and stranger.record(Tariff, "t") is None
    assert ada.record(Parcel, "p1") is not None and cai.record(Parcel, "p1") is None
    assert set(bea.records(Parcel, ["p1", "p2", "p3", "no/key", ""])) == {"p1", "p3"}
    assert ada.values("parcels", "size") == ("large", "small")
    assert cai.values("parcels", "size") == ("large",) and stranger.values("parcels", "size") == ()
    with ada.snapshot() as snapshot:
        assert [row["key"] for row in snapshot.pick("parcels", "id", ["p1", "p2"])] == ["p1", "p2"]
    with stranger.snapshot() as snapshot:
        assert snapshot.pick("parcels", "id", ["p1", "p2"]) == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ((Condition("id", "is", "p1"),), ["p1"]),
        ((Condition("id", "in", ("p1", "p3")),), ["p1", "p3"]),
        ((Condition("id", "in", ()),), []),
        ((Condition("id", "like", "p?"),), ["p1", "p2", "p3"]),
        ((Condition("id", "like", "P*"),), []),
        ((Condition("id", "like", "*[1]"),), []),
        ((Condition("key", "in", ("p2",)),), ["p2"]),
        ((Condition("grams", "min", 2_000),), ["p2", "p3"]),
        ((Condition("grams", "above", 2_000),), ["p3"]),
        ((Condition("grams", "below", 2_000),), ["p1"]),
        ((Condition("grams", "max", 2_000), Condition("size", "is", "large")), ["p2"]),
        ((Condition("grams", "none"),), []),
        ((Condition("grams", "some"),), ["p1", "p2", "p3"]),
        ((AnyOf((Condition("id", "is", "p1"), Condition("grams", "is", 3_000))),), ["p1", "p3"]),
        ((AnyOf(()),), []),
        ((Related("halves", (Condition("half", "is", "second"),)),), ["p2", "p3"]),
        ((Related("halves", (Condition("half", "is", "second"),), is_there=False),), ["p1"]),
        ((Related("halves", (Condition("grams", "is", 1_000),), own="id", theirs="id"),), ["p2"]),
    ],
)
def test_conditions(doors: League, wanted: tuple[Wanted, ...], found: list[str]) -> None:
    desk = desk_of(doors, ADA.did)
    assert names(desk, *wanted) == found
    assert list(desk.values("parcels", "id", wanted)) == found


def test_a_related_row_that_is_hidden_does_not_count(doors: League) -> None:
    """What is asked of another table is answered from what the asker sees there."""
    wanted = Related("halves", (Condition("id", "is", "p2"),), own="size", theirs="half")
    assert names(desk_of(doors, BEA.did), wanted) == []


@pytest.mark.parametrize("order", ["key", "grams", "id"])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_in_any_order_give_each_row_once(doors: League, order: str, descending: bool) -> None:
    desk = desk_of(doors, ADA.did)
    found: list[Any] = []
    after = None
    while True:
        page = desk.rows("halves", (), order=order, descending=descending, after=after, limit=2)
        assert len(page.rows) == len(page.places) <= 2
        found += [(row["id"], row["half"]) for row in page.rows]
        if page.next is None:
            break
        after = page.next
    whole = desk.rows("halves", (), order=order, descending=descending).rows
    assert found == [(row["id"], row["half"]) for row in whole]
    assert len(set(found)) == 5


def test_the_notebook_is_durable_and_its_applications_own(tmp_path: Path) -> None:
    from hansa.api.notebook import Notebooks

    path = tmp_path / "notebook.sqlite"
    books = Notebooks(path)
    mine, other = books.of("a"), books.of("b")
    mine.change({"x/1": b"1", "x/2": b"2", "y": b"3"})
    assert path.stat().st_mode & 0o077 == 0
    assert other.get("y") is None and other.list("") == []
    books.close()
    again = Notebooks(path).of("a")
    assert again.list("x/") == [("x/1", b"1"), ("x/2", b"2")]
    assert again.list("x/", "x/1") == [("x/2", b"2")] and again.list("x/", "", 1) == [("x/1", b"1")]
    again.change({"y": b"4"}, ["x/1"])
    assert again.get("y") == b"4" and again.get("x/1") is None
    assert again.update("y", b"5") and not again.update("gone", b"5")
    assert again.get("y") == b"5" and again.get("gone") is None
    with pytest.raises(ValueError):
        again.change({"z": b"", "": b""})
    assert again.get("z") is None


def test_duties_run_at_growth_and_after_a_fault(doors: League) -> None:
    seen = len(RUNS)
    doors.commit(BEA, OpenDepot(id=f"d{seen}", city="x"))
    wait_runs(seen)
    FAULTS.append(RuntimeError("a bug"))
    seen = len(RUNS)
    doors.app.gate.wake_duties("parcels")
    wait_runs(seen + 1)
    assert not FAULTS


def wait_runs(seen: int) -> None:
    end = time.monotonic() + 20
    while len(RUNS) <= seen:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_websocket_says_what_its_feed_says(doors: League) -> None:
    address = doors.url.replace("http", "ws") + "/parcels/rest/x"
    with connect(address) as socket:
        assert socket.recv(20) == "1"
        doors.commit(BEA, OpenDepot(id="grown", city="x"))
        assert socket.recv(20) == "2"
        socket.send("hello")
        with pytest.raises(ConnectionClosed):
            socket.send("x" * 10_000)
            while True:
                socket.recv(20)
    for path in ("/parcels/echo/a/b", "/parcels/nothing", "/v1/events/stream", "/nothing"):
        with pytest.raises(InvalidStatus) as refused:
            connect(doors.url.replace("http", "ws") + path)
        assert refused.value.response.status_code == 404


def test_sockets_have_places_as_streams_do(doors: League, monkeypatch: pytest.MonkeyPatch) -> None:
    from hansa.api import gate

    monkeypatch.setattr(gate, "STREAMS_OF_STRANGERS_MAX", 1)
    address = doors.url.replace("http", "ws") + "/parcels/rest/x"
    with connect(address) as socket:
        socket.recv(20)
        with pytest.raises(InvalidStatus) as refused:
            connect(address)
        assert refused.value.response.status_code == 429
    end = time.monotonic() + 20
    while doors.app.gate.streams.total and time.monotonic() < end:
        time.sleep(0.01)
    with connect(address) as socket:
        assert socket.recv(20) == "1"


def test_an_application_may_tell_refusals_in_its_own_words() -> None:
    def explain(document: Any, path: str, headers: Any) -> Reply | None:
        return Reply(document["status"], b"own words", "text/own") if path == "/x" else None

    own = msgspec.structs.replace(APPLICATION, doors=Doors(explain=explain))
    from hansa.api.problems import refuse_unseen

    for path, media in (("/parcels/x", "text/own"), ("/parcels/y", "application/problem+json")):
        scope = {"state": {"application": own}, "path": path, "headers": []}
        reply = app_routes.write_refusal(scope, refuse_unseen())
        assert (reply.status, reply.media) == (404, media)


def test_large_bodies_are_few_at_once(doors: League, monkeypatch: pytest.MonkeyPatch) -> None:
    from hansa.api import guard

    monkeypatch.setattr(guard, "LARGE_BODIES_MAX", 0)
    large = b"x" * (BODY_BYTES_MAX + 1)
    with doors.client(ADA) as known:
        answer = known.post("/parcels/echo", content=large, headers={"content-type": "text/plain"})
        assert answer.status_code == 429 and answer.headers["retry-after"]
    assert threading.active_count() < 100

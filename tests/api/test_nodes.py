"""Addresses of nodes at the gateway: what is said about a node comes from it, or is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from hansa.api.headers import name_keepers
from hansa.api.limits import SMALL_BODY_BYTES_MAX
from hansa.comet.announcement import Announcement, sign_announcement
from hansa.encoding.canonical import encode_canonical
from hansa.node.neighbours import AddressBook
from hansa.testing.chain import make_key
from tests.api.league import CHAIN, League, serve_league

NOW = 1_790_000_000_000


def announce(name: str, **changes: Any) -> Announcement:
    plain = Announcement(
        base=1,
        chain=CHAIN,
        gateway=f"http://{name}.example:8480",
        instance="0" * 16,
        key="",
        node="0" * 40,
        p2p="10.0.0.1:26656",
        sequence=NOW,
    )
    return sign_announcement(msgspec.structs.replace(plain, **changes), make_key(name))


MEMBERS = frozenset(announce(name).node for name in ("whole", "late"))


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[League]:
    """One served league that has a book of addresses, as a node of a network has."""
    folder: Path = tmp_path_factory.mktemp("nodes")
    book = AddressBook(folder, CHAIN, MEMBERS.__contains__, lambda: NOW)
    with serve_league(folder / "home", book=book) as running:
        yield running


def post(league: League, data: bytes, **headers: str) -> httpx.Response:
    given = {"content-type": "application/json"} | headers
    return httpx.post(f"{league.url}/v1/nodes", content=data, headers=given)


def list_nodes(league: League) -> list[dict[str, Any]]:
    return list(httpx.get(f"{league.url}/v1/nodes").json()["nodes"])


def test_an_admitted_node_says_where_it_is(league: League) -> None:
    for each in (announce("whole"), announce("whole", sequence=NOW - 1)):
        assert post(league, encode_canonical(each)).status_code == 200
    (found,) = [each for each in list_nodes(league) if each["node"] == announce("whole").node]
    assert found["sequence"] == NOW and found["gateway"] == "http://whole.example:8480"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "api.not_json"),
        (b"null", 400, "api.not_json"),
        (b"[" * 4000, 400, "api.not_json"),
        (b"\xff", 400, "api.not_json"),
        (b" " + encode_canonical(announce("whole")), 400, "api.not_json"),
        (b'"' + b"x" * SMALL_BODY_BYTES_MAX + b'"', 400, "api.not_json"),
        (encode_canonical(announce("stranger")), 422, "node.unknown_node"),
        (encode_canonical(announce("whole", chain="other-1")), 422, "node.wrong_announcement"),
        (
            encode_canonical(msgspec.structs.replace(announce("whole"), p2p="6.6.6.6:6")),
            422,
            "node.wrong_announcement",
        ),
        (encode_canonical(announce("whole", sequence=NOW * 2)), 422, "node.wrong_announcement"),
    ],
    ids=range(10),
)
def test_what_a_node_did_not_say_is_refused(
    league: League, data: bytes, status: int, code: str
) -> None:
    before = list_nodes(league)
    answer = post(league, data)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["remedy"]
    assert list_nodes(league) == before


def test_who_asks_for_old_blocks_is_told_who_keeps_them(tmp_path: Path) -> None:
    book = AddressBook(tmp_path, CHAIN, MEMBERS.__contains__, lambda: NOW)
    book.take(announce("whole"))
    book.take(announce("late", base=500))
    assert book.find_keepers(1) == book.find_keepers(0) == ("http://whole.example:8480",)
    assert len(book.find_keepers(500)) == 2
    assert name_keepers(book.find_keepers(1)) == "http://whole.example:8480"
    assert name_keepers(()) == "a node that has kept all"

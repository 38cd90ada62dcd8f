"""Addresses of nodes: who may say where a node is, and what is kept of it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.comet.announcement import (
    AHEAD_MS_MAX,
    Announcement,
    InvalidAnnouncement,
    check_announcement,
    decode_announcement,
    sign_announcement,
)
from hansa.encoding.canonical import encode_canonical
from hansa.node.engine import NetworkView
from hansa.node.neighbours import (
    BOOK,
    AddressBook,
    Neighbours,
    UnknownNode,
    WrongAnnouncement,
)
from hansa.testing.chain import make_key

CHAIN = "bay-1"
NOW = 1_790_000_000_000


def announce(name: str = "node", **changes: object) -> Announcement:
    plain = Announcement(
        base=1,
        chain=CHAIN,
        gateway="http://127.0.0.1:8481",
        instance="0" * 16,
        key="",
        node="0" * 40,
        p2p="127.0.0.1:26601",
        sequence=NOW,
    )
    return sign_announcement(msgspec.structs.replace(plain, **changes), make_key(name))


def open_book(folder: Path, is_admitted: Callable[[str], bool] = lambda _node: True) -> AddressBook:
    return AddressBook(folder, CHAIN, is_admitted, lambda: NOW)


def test_a_node_is_where_its_newest_announcement_says(tmp_path: Path) -> None:
    book = open_book(tmp_path)
    old, new = announce(), announce(sequence=NOW + 1, p2p="127.0.0.1:30000")
    assert book.take(old)
    assert book.take(new)
    assert not book.take(old)
    assert not book.take(new)
    assert book.entries() == (new,)


def test_addresses_outlive_the_process(tmp_path: Path) -> None:
    open_book(tmp_path).take(announce())
    assert open_book(tmp_path).entries() == (announce(),)


def test_a_damaged_book_is_only_a_lost_hint(tmp_path: Path) -> None:
    (tmp_path / BOOK).write_bytes(b"[{")
    assert open_book(tmp_path).entries() == ()


def test_only_admitted_nodes_have_an_address_here(tmp_path: Path) -> None:
    own = announce()
    admitted = {own.node}
    book = open_book(tmp_path, lambda node: node in admitted)
    book.take(own)
    with pytest.raises(UnknownNode):
        book.take(announce("stranger"))
    admitted.clear()
    assert book.entries() == ()


def test_another_key_cannot_say_where_a_node_is(tmp_path: Path) -> None:
    victim, attacker = announce(), announce("attacker", p2p="10.0.0.1:1")
    for forged in (
        msgspec.structs.replace(attacker, node=victim.node),
        msgspec.structs.replace(attacker, node=victim.node, key=victim.key),
        msgspec.structs.replace(victim, p2p="10.0.0.1:1"),
    ):
        with pytest.raises(WrongAnnouncement):
            open_book(tmp_path).take(forged)


def test_an_announcement_is_for_one_chain_and_not_from_the_future() -> None:
    with pytest.raises(InvalidAnnouncement, match="another chain"):
        check_announcement(announce(chain="bay-2"), CHAIN, now_ms=NOW)
    late = announce(sequence=NOW + AHEAD_MS_MAX + 1)
    with pytest.raises(InvalidAnnouncement, match="future"):
        check_announcement(late, CHAIN, now_ms=NOW)
    check_announcement(late, CHAIN, now_ms=NOW + 1)


class Still:
    """An engine that connects to nobody."""

    def network(self) -> NetworkView | None:
        return None

    def dial(self, peers: Sequence[str]) -> None:
        raise AssertionError(peers)


def test_a_node_says_anew_from_where_on_it_keeps_blocks(tmp_path: Path) -> None:
    """After a restored snapshot, or pruning: who asks for old blocks is not sent here."""
    book, base = open_book(tmp_path), [1]
    node = Neighbours(
        tmp_path, book, Still(), make_key("node"), announce(), (), lambda: NOW, lambda: base[0]
    )
    with httpx.Client() as client:
        node.search(client)
        assert [each.base for each in book.entries()] == [1]
        assert book.find_keepers(7) == (announce().gateway,)
        base[0] = 151
        node.search(client)
    (said,) = book.entries()
    check_announcement(said, CHAIN, now_ms=NOW)
    assert said.base == 151 and said.sequence > NOW
    assert book.find_keepers(7) == book.find_keepers(0) == ()
    assert book.find_keepers(151) == (said.gateway,)


@given(st.data())
def test_every_changed_byte_of_an_announcement_is_refused(data: st.DataObject) -> None:
    raw = bytearray(encode_canonical(announce()))
    index = data.draw(st.integers(0, len(raw) - 1))
    raw[index] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(InvalidAnnouncement):
        check_announcement(decode_announcement(bytes(raw)), CHAIN, now_ms=NOW)


@pytest.mark.parametrize("data", [b"", b"null", b"{}", b"\xff", b"[" * 5_000, b'{"kind":1}'])
def test_what_is_no_announcement_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidAnnouncement):
        decode_announcement(data)

"""Checkpoints are pinned when what is pinned leads to them, or when someone vouches for them."""

from pathlib import Path

import msgspec
import pytest

from hansa.client.checkpoints import InvalidCheckpoint, decode_checkpoint
from hansa.client.pinning import add_checkpoint
from hansa.client.receipts import build_checkpoint, encode_file
from hansa.client.trust import TrustError, TrustStore, build_trust_root
from hansa.comet.header import Version
from hansa.comet.light import Rules
from tests.client.sealing import NOW, League
from tests.client.test_trust_path import heirs


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore(tmp_path / "trust")


def founders() -> bytes:
    return League("a", "b", "c", "d").genesis()


def test_a_checkpoint_that_follows_from_the_genesis_is_pinned_without_its_headers(
    store: TrustStore,
) -> None:
    root = store.pin(founders())
    found = add_checkpoint(store, encode_file(heirs().checkpoint), now=NOW)
    kept = store.load_checkpoint("test-1")
    assert kept == msgspec.structs.replace(found, headers=())
    assert found.headers
    assert store.load_roots("test-1") == (kept, root)
    assert store.list_roots() == [root, kept]
    assert store.load("test-1") == root
    assert store.pin(founders()) == root
    assert store.load_checkpoint("test-1") == kept


def test_where_nothing_is_pinned_the_user_vouches(store: TrustStore) -> None:
    add_checkpoint(store, encode_file(heirs().checkpoint), now=NOW)
    (kept,) = store.load_roots("test-1")
    assert kept.height == 5
    assert store.remove("test-1") is True
    assert store.load_roots("test-1") == ()


def test_invalid_checkpoint_that_does_not_follow(store: TrustStore) -> None:
    store.pin(League("w", "x", "y", "z").genesis())
    data = encode_file(heirs().checkpoint)
    with pytest.raises(TrustError, match="does not follow from what is pinned") as refused:
        add_checkpoint(store, data, now=NOW)
    assert heirs().checkpoint.hash in refused.value.remedy
    assert store.load_checkpoint("test-1") is None
    add_checkpoint(store, data, replace=True, now=NOW)
    assert store.load_checkpoint("test-1") is not None


def test_invalid_checkpoint_from_a_root_that_is_too_old(store: TrustStore) -> None:
    store.pin(founders())
    data = encode_file(heirs().checkpoint)
    with pytest.raises(TrustError, match="vouches no longer"):
        add_checkpoint(store, data, now=NOW, rules=Rules(trust_period_s=1))


def test_invalid_older_checkpoint_in_place_of_a_newer(store: TrustStore) -> None:
    store.pin(founders())
    early = League("a", "b", "c", "d")
    early.chain.block()
    for file in (heirs().checkpoint, heirs().checkpoint):
        add_checkpoint(store, encode_file(file), now=NOW)
    with pytest.raises(TrustError, match="at height 5, is newer"):
        add_checkpoint(store, encode_file(early.checkpoint()), now=NOW)
    add_checkpoint(store, encode_file(early.checkpoint()), replace=True, now=NOW)
    assert store.load_roots("test-1")[0].height == 2


def test_replacing_the_genesis_forgets_the_checkpoint(store: TrustStore) -> None:
    store.pin(founders())
    add_checkpoint(store, encode_file(heirs().checkpoint), now=NOW)
    other = League("w", "x").genesis()
    store.pin(other, replace=True)
    assert store.load_roots("test-1") == (build_trust_root(other),)


def spoil(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new, 1)


def test_invalid_checkpoint_files(store: TrustStore) -> None:
    data = encode_file(msgspec.structs.replace(heirs().checkpoint, headers=()))
    receipt_like = spoil(data, b"hansa.checkpoint/1", b"hansa.checkpoint/2")
    for wrong in (
        b"",
        b"{}",
        b"\xff",
        b"[" * 1_000_000,
        data + b" ",
        data[:-1],
        receipt_like,
        spoil(data, b'"chain":"test-1"', b'"chain":"test-2"'),
        spoil(data, b'"round":1', b'"round":2'),
        spoil(data, b'"power":10', b'"power":11'),
        spoil(data, b'"app":1', b'"app":9007199254740992'),
    ):
        with pytest.raises(InvalidCheckpoint):
            decode_checkpoint(wrong)
        with pytest.raises(InvalidCheckpoint):
            add_checkpoint(store, wrong, replace=True)
    assert store.list_roots() == []


def test_invalid_checkpoint_with_a_number_that_no_header_has() -> None:
    """Signed as it is: other readers of JSON would take it for another number."""
    made = League("a")
    made.chain.block()
    for number, holds in ((2**53 - 1, True), (2**53, False)):
        file = build_checkpoint(made.seal(version=Version(app=number)))
        if holds:
            assert decode_checkpoint(encode_file(file)) == file
        else:
            with pytest.raises(InvalidCheckpoint, match="number"):
                decode_checkpoint(encode_file(file))


@pytest.mark.parametrize("data", [b"", b"{}", b"\x00" * 10, b"[" * 100_000, b" " * 5_000_000])
def test_invalid_damaged_pin(store: TrustStore, data: bytes) -> None:
    add_checkpoint(store, encode_file(heirs().checkpoint), now=NOW)
    store.checkpoint_path("test-1").write_bytes(data)
    with pytest.raises(TrustError, match="damaged"):
        store.load_roots("test-1")


def test_invalid_pin_moved_to_another_chain(store: TrustStore) -> None:
    add_checkpoint(store, encode_file(heirs().checkpoint), now=NOW)
    store.checkpoint_path("test-1").rename(store.checkpoint_path("test-2"))
    with pytest.raises(TrustError, match="another chain"):
        store.load_checkpoint("test-2")

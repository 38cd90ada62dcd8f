"""Pins of geneses: never overwritten in silence, never believed when damaged."""

from pathlib import Path

import msgspec
import pytest

from hansa.client.trust import TrustError, TrustStore, build_trust_root, find_trust_folder
from hansa.comet.validators import Validator
from hansa.crypto.hashing import sha256
from tests.client.sealing import League


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore(tmp_path / "home" / "trust")


def test_pin_is_loaded_again(store: TrustStore) -> None:
    genesis = League("v1", "v2").genesis()
    root = store.pin(genesis)
    assert store.load("test-1") == root == build_trust_root(genesis)
    assert root.genesis == sha256(genesis).hex()
    assert len(root.validators) == 2
    assert store.load("test-2") is None


def test_pinning_the_same_again_is_fine(store: TrustStore) -> None:
    genesis = League("v1").genesis()
    assert store.pin(genesis) == store.pin(genesis)


def test_invalid_other_genesis_for_a_pinned_chain(store: TrustStore) -> None:
    first, other = League("v1").genesis(), League("v9").genesis()
    store.pin(first)
    with pytest.raises(TrustError, match="another genesis is pinned"):
        store.pin(other)
    assert store.load("test-1") == build_trust_root(first)
    assert store.pin(other, replace=True) == store.load("test-1")


def test_pins_are_listed_and_removed(store: TrustStore) -> None:
    assert store.list_roots() == []
    for chain in ("b-1", "a-1"):
        store.pin(League("v1", chain=chain).genesis())
    assert [root.chain for root in store.list_roots()] == ["a-1", "b-1"]
    assert store.remove("a-1") is True
    assert store.remove("a-1") is False
    assert [root.chain for root in store.list_roots()] == ["b-1"]
    assert sorted(path.name for path in store.folder.iterdir()) == ["b-1.json"]


@pytest.mark.parametrize("chain", ["", "../x", "a/b", "A", "x" * 51, "a\x00b", "聯盟"])
def test_invalid_chain_id_never_becomes_a_path(store: TrustStore, chain: str) -> None:
    with pytest.raises(TrustError, match="no chain id"):
        store.load(chain)


@pytest.mark.parametrize("data", [b"", b"{}", b"\x00" * 10, b"[" * 100_000, b" " * 300_000])
def test_invalid_damaged_pin(store: TrustStore, data: bytes) -> None:
    store.pin(League("v1").genesis())
    store.path("test-1").write_bytes(data)
    with pytest.raises(TrustError, match="damaged"):
        store.load("test-1")


def test_invalid_pin_moved_to_another_chain(store: TrustStore) -> None:
    store.pin(League("v1").genesis())
    store.path("test-1").rename(store.path("test-2"))
    with pytest.raises(TrustError, match="another chain"):
        store.load("test-2")


def test_invalid_pin_with_unsorted_validators(store: TrustStore) -> None:
    root = store.pin(League("v1", "v2").genesis())
    turned = msgspec.structs.replace(root, validators=root.validators[::-1])
    store.path("test-1").write_bytes(msgspec.json.encode(turned, order="sorted"))
    with pytest.raises(TrustError, match="damaged"):
        store.load("test-1")


@pytest.mark.parametrize("data", [b"", b"{}", b'{"chain":"test-1"}', b"\xff"])
def test_invalid_genesis_is_not_pinned(store: TrustStore, data: bytes) -> None:
    with pytest.raises(TrustError, match="no genesis to trust"):
        store.pin(data)
    assert store.list_roots() == []


def test_invalid_genesis_with_a_validator_twice(store: TrustStore) -> None:
    genesis = League("v1").genesis()
    listed = msgspec.json.decode(genesis)
    listed["validators"] *= 2
    with pytest.raises(TrustError, match="twice"):
        store.pin(msgspec.json.encode(listed, order="sorted"))


def test_folder_that_cannot_be_written_is_a_fault_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(TrustError, match="cannot write") as fault:
        TrustStore(tmp_path / "file" / "trust").pin(League("v1").genesis(), replace=True)
    assert "HANSA_HOME" in fault.value.remedy
    with pytest.raises(TrustError, match="cannot read"):
        TrustStore(tmp_path / "file" / "trust").load("test-1")


def test_validators_of_a_genesis_are_put_in_order() -> None:
    root = build_trust_root(League("v1", "v2", "v3", "v4").genesis())
    addresses = [validator.address for validator in root.validators]
    assert addresses == sorted(addresses)
    assert all(isinstance(validator, Validator) for validator in root.validators)


def test_trust_folder_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HANSA_HOME", str(tmp_path))
    assert find_trust_folder() == tmp_path / "trust"
    monkeypatch.delenv("HANSA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_trust_folder() == tmp_path / ".hansa" / "trust"

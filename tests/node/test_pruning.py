"""Pruning takes old blocks and seals, never what the ledger still needs, in one durable step."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from hansa.crypto.hashing import sha256
from hansa.node import storage as storage_module
from hansa.node.faults import StorageError
from hansa.node.key_value import Batch, KeyValueStore
from hansa.node.storage import Storage
from tests.node.states import IDENTITY, check_proof, grow, make_records, make_storage, seal_to

WINDOW = 10
KEY = b"app/kind/x"


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """Height 40, sealed to 39, a replay window of 10."""
    monkeypatch.setattr(storage_module, "EXPIRY_WINDOW", WINDOW)
    with make_storage(tmp_path / "data", make_records(20)) as made:
        roots = [made.root]
        for number in range(40):
            grow(made, {KEY: b"%d" % (number + 1)}, [b"t%d" % number])
            roots.append(made.root)
        seal_to(made, 39, roots)
        yield made


def list_heights(storage: Storage) -> list[int]:
    found = {int.from_bytes(key[:8], "big") for key, _value in storage._store.iterate("blocks")}
    return sorted(found)


def test_blocks_and_seals_below_are_gone_and_the_rest_stays(storage: Storage) -> None:
    root = storage.root
    assert storage.prune(20) == storage.base == 20
    assert list_heights(storage) == list(range(20, 41))
    assert storage.block(19) is storage.head(19) is storage.seal(19) is None
    assert storage.block(20) is not None and storage.seal(20) is not None
    assert storage.sealed == 39 and storage.root == root
    assert check_proof(storage, KEY, b"38") == 38


@pytest.mark.parametrize("below", [31, 40, 1_000])
def test_replay_window_is_kept_whatever_is_asked(storage: Storage, below: int) -> None:
    assert storage.prune(below) == 40 - WINDOW


def test_newest_seal_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_module, "EXPIRY_WINDOW", 0)
    with make_storage(tmp_path / "data", {}) as storage:
        roots = [storage.root]
        for _ in range(9):
            grow(storage, {})
            roots.append(storage.root)
        seal_to(storage, 4, roots)
        assert storage.prune(9) == 4


@pytest.mark.parametrize("below", [-5, 0, 1, 20])
def test_base_never_moves_back(storage: Storage, below: int) -> None:
    storage.prune(20)
    assert storage.prune(below) == 20
    assert list_heights(storage)[0] == 20


def test_pruned_transaction_keeps_its_place(storage: Storage) -> None:
    """Whoever asks hears that it was committed, and where; the block is another node's to give."""
    storage.prune(20)
    place = storage.place(sha256(b"t3"))
    assert place is not None and place.height == 4 < storage.base
    assert storage.has_seen(sha256(b"t35"))


def test_pruned_folder_opens_and_goes_on(storage: Storage, tmp_path: Path) -> None:
    storage.prune(25)
    storage.close()
    with Storage(tmp_path / "data", IDENTITY) as again:
        assert (again.base, again.height, again.sealed) == (25, 40, 39)
        grow(again, {KEY: b"next"})
        assert again.prune(26) == 26


def test_write_that_fails_leaves_the_folder_as_it_was(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_store: KeyValueStore, _batch: Batch) -> None:
        raise StorageError("no space left", "")

    with monkeypatch.context() as patch:
        patch.setattr(KeyValueStore, "commit", fail)
        with pytest.raises(StorageError):
            storage.prune(20)
    storage.close()
    with Storage(tmp_path / "data", IDENTITY) as again:
        assert again.base == 1 and list_heights(again) == list(range(1, 41))


def test_block_that_is_pruned_while_it_is_read_is_not_there(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a head without its transactions."""
    read = storage.transactions

    def prune_first(height: int) -> tuple[bytes, ...]:
        storage.prune(20)
        return read(height)

    assert storage.block(5) is not None
    monkeypatch.setattr(storage, "transactions", prune_first)
    assert storage.block(5) is None
    assert storage.block(20) is not None


def test_disk_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_module, "EXPIRY_WINDOW", WINDOW)

    def measure() -> int:
        return sum(each.stat().st_size for each in (tmp_path / "data").glob("*.blob"))

    with make_storage(tmp_path / "data", {}) as storage:
        roots = [storage.root]
        for number in range(60):
            grow(storage, {}, [random.Random(number).randbytes(100_000)])
            roots.append(storage.root)
            if number % 10 == 9:
                storage._store._families["blocks"].flush(True)
        seal_to(storage, 60, roots)
        before = measure()
        assert storage.prune(51) == 50
        assert measure() < before / 2

"""A restored node is the node that it was restored from: state, proofs, replay window, next roots.

Whatever is offered otherwise is refused, and whatever stops it leaves the old folder or the new.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from hansa.crypto.hashing import sha256
from hansa.ledger.blocks import Block
from hansa.ledger.transactions import decode_transaction
from hansa.node import folder as data_folder
from hansa.node import snapshots
from hansa.node.application import LedgerApplication
from hansa.node.doctor import diagnose
from hansa.node.faults import CorruptFolderError
from hansa.node.home import open_home
from hansa.node.restore import RefusedChunk, RefusedSnapshot, Restoration
from hansa.node.snapshot_format import Snapshot
from hansa.node.snapshots import Snapshots
from hansa.node.storage import Storage, make_identity
from tests.node.league import ToyLeague
from tests.node.states import (
    IDENTITY,
    VALIDATORS,
    check_proof,
    grow,
    make_records,
    make_seal,
    make_storage,
)


class Source:
    """A node's storage, a snapshot of it, and its chunks."""

    def __init__(self, storage: Storage, place: Path) -> None:
        self.storage = storage
        made = Snapshots(place, storage, rest=0.0)
        assert made.begin(storage.height)
        made.wait()
        self.snapshot: Snapshot = made.list()[0]
        found = [made.load(storage.height, 1, each) for each in range(self.snapshot.chunks)]
        self.chunks = [chunk for chunk in found if chunk is not None]

    def restore(self, home: Path, current: Storage | None = None) -> Storage:
        home.mkdir(exist_ok=True)
        restoration = Restoration(home, self.storage.identity, self.snapshot, self.storage.root)
        for index, chunk in enumerate(self.chunks):
            restoration.apply(index, chunk)
        return restoration.finish(current)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """A state of some thousand records in some dozen chunks, at height 3."""
    monkeypatch.setattr(snapshots, "CHUNK_BYTES_USUAL", 20_000)
    storage = make_storage(tmp_path / "source", make_records(3_000))
    for number in range(3):
        grow(storage, {b"app/kind/x": b"%d" % number, b"app/kind/%08d" % number: None})
    made = Source(storage, tmp_path / "snapshots")
    yield made
    storage.close()


def test_restored_state_is_the_same_and_goes_on_alike(source: Source, tmp_path: Path) -> None:
    original = source.storage
    restored = source.restore(tmp_path / "home")
    assert list(restored.records()) == list(original.records())
    assert (restored.height, restored.base, restored.sealed) == (3, 4, 3)
    assert restored.check_records() == restored.tree.leaves == original.tree.leaves
    changes: list[dict[bytes, bytes | None]] = [
        {b"app/kind/%08d" % (9 * number): b"new %d" % number for number in range(40)},
        {b"app/kind/%08d" % number: None for number in range(0, 2_900)},
        {b"app/more/%08d" % number: b"many" for number in range(4_000)},
    ]
    for each in changes:
        grow(original, each)
        grow(restored, each)
        assert restored.root == original.root
    restored.close()


def test_restored_node_proves_what_is_there_and_what_is_not(source: Source, tmp_path: Path) -> None:
    restored = source.restore(tmp_path / "home")
    with pytest.raises(LookupError):
        restored.prove(b"app/kind/x")
    restored.put_seal(make_seal(4, source.storage.root), VALIDATORS)
    for number in range(0, 3_000, 131):
        key = b"app/kind/%08d" % number
        assert check_proof(restored, key, source.storage.get(key)) == 3
    assert check_proof(restored, b"app/kind/none", None) == 3
    restored.close()


def test_layout_of_a_restored_tree_is_as_good_as_a_grown_one(
    source: Source, tmp_path: Path
) -> None:
    """Buckets of a few leaves, none deeper than the tree's flat arrays."""
    restored = source.restore(tmp_path / "home")
    top = restored.tree._top
    assert not top.deep
    grown = dict(source.storage._buckets.buckets())
    built = dict(restored._buckets.buckets())
    assert 0.7 < len(built) / len(grown) < 1.4
    restored.close()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_tiny_state_is_restored(tmp_path: Path, count: int) -> None:
    storage = make_storage(tmp_path / "source", make_records(count))
    grow(storage, {})
    restored = Source(storage, tmp_path / "s").restore(tmp_path / "home")
    assert list(restored.records()) == list(storage.records())
    for each in (storage, restored):
        grow(each, {b"app/kind/new": b"1"})
    assert restored.root == storage.root
    restored.close()
    storage.close()


def test_chunks_come_in_any_order_and_more_than_once(source: Source, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    restoration = Restoration(home, IDENTITY, source.snapshot, source.storage.root)
    for index in reversed(range(len(source.chunks))):
        restoration.apply(index, source.chunks[index])
        restoration.apply(index, source.chunks[index])
    restored = restoration.finish()
    assert restored.root == source.storage.root
    restored.close()


def test_refused_chunk_leaves_nothing_and_is_asked_again(source: Source, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    restoration = Restoration(home, IDENTITY, source.snapshot, source.storage.root)
    for index, chunk in enumerate(source.chunks):
        for forged in (chunk[:-1], chunk + b"x", source.chunks[index - 1], b""):
            with pytest.raises(RefusedChunk, match=f"chunk {index} "):
                restoration.apply(index, forged)
        restoration.apply(index, chunk)
    with pytest.raises(RefusedChunk):
        restoration.apply(len(source.chunks), source.chunks[0])
    restored = restoration.finish()
    assert list(restored.records()) == list(source.storage.records())
    restored.close()


def test_nothing_is_swapped_in_before_the_last_chunk(source: Source, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    old = make_storage(home / "data", {b"app/kind/old": b"1"})
    restoration = Restoration(home, IDENTITY, source.snapshot, source.storage.root)
    for index, chunk in enumerate(source.chunks[:-1]):
        restoration.apply(index, chunk)
    assert restoration.missing == 1
    with pytest.raises(RefusedSnapshot, match="1 of its chunks"):
        restoration.finish(old)
    assert old.get(b"app/kind/old") == b"1"
    restoration.abandon()
    assert [each.name for each in home.iterdir()] == ["data"]
    old.close()


def test_storage_that_was_there_is_closed_and_replaced(source: Source, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    old = make_storage(home / "data", {b"app/kind/old": b"1"})
    restored = source.restore(home, old)
    assert restored.get(b"app/kind/old") is None and restored.height == 3
    assert [each.name for each in home.iterdir()] == ["data"]
    restored.close()
    with Storage(home / "data", IDENTITY) as again:
        assert again.root == source.storage.root


def test_stop_in_the_middle_leaves_the_old_folder_as_it_was(source: Source, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    make_storage(home / "data", {b"app/kind/old": b"1"}).close()
    restoration = Restoration(home, IDENTITY, source.snapshot, source.storage.root)
    restoration.apply(0, source.chunks[0])
    restoration._store.close()  # as the stop of the process does
    with Storage(home / "data", IDENTITY) as again:
        assert again.get(b"app/kind/old") == b"1"
    assert [each.name for each in home.iterdir()] == ["data"]
    restored = source.restore(home)
    assert restored.height == 3
    restored.close()


def stop_at(count: int) -> Callable[[Path], None]:
    """A sync of a folder that fails at its n-th call: the stop."""
    left = [count]

    def sync(_path: Path) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    return sync


@pytest.mark.parametrize("place", [1, 2, 3])
def test_swap_that_was_cut_off_ends_at_the_next_start(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    make_storage(home / "data", {b"app/kind/old": b"1"}).close()
    with monkeypatch.context() as patch:
        patch.setattr(data_folder, "sync_folder", stop_at(place))
        with pytest.raises(KeyboardInterrupt):
            source.restore(home)
    with Storage(home / "data", IDENTITY) as again:
        assert again.height == (0 if place == 1 else 3)
    assert [each.name for each in home.iterdir()] == ["data"]


def test_wrong_whole_is_found_at_the_end(source: Source, tmp_path: Path) -> None:
    """The last check does not lean on those of the chunks."""
    home = tmp_path / "home"
    home.mkdir()
    restoration = Restoration(home, IDENTITY, source.snapshot, source.storage.root)
    for index, chunk in enumerate(source.chunks):
        restoration.apply(index, chunk)
    restoration._entries.seek(40)
    restoration._entries.write(bytes(8))
    with pytest.raises(RefusedSnapshot, match="give state"):
        restoration.finish()
    restoration.abandon()


def test_record_that_was_changed_on_the_way_is_found_by_the_audit(
    source: Source, tmp_path: Path
) -> None:
    restored = source.restore(tmp_path / "home")
    batch = restored._store.batch()
    batch.put("records", b"app/kind/00000100", b"forged")
    restored._store.commit(batch)
    with pytest.raises(CorruptFolderError):
        restored.check_records()
    restored.close()


def test_offer_of_another_state_makes_no_folder(source: Source, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for snapshot, root in (
        (source.snapshot, sha256(b"another")),
        (replace(source.snapshot, format=9), source.storage.root),
    ):
        with pytest.raises(RefusedSnapshot):
            Restoration(home, IDENTITY, snapshot, root)
    assert list(home.iterdir()) == []


class Twins:
    """A league's node that has run, and another home restored from it."""

    def __init__(self, league: ToyLeague, folder: Path) -> None:
        self.league = league
        self.sent = [league.count(f"c{number % 3}", by=number + 1) for number in range(6)]
        with league.open() as node:
            for data in self.sent:
                assert node.wait(node.submit(data), 10).state == "committed"
        home = open_home(league.folder)
        identity = make_identity(home.genesis.chain, home.genesis_digest)
        self.original = Storage(home.data, identity)
        self.source = Source(self.original, folder / "snapshots")
        self.home = folder / "joined"
        shutil.copytree(league.folder, self.home, ignore=shutil.ignore_patterns("data"))
        self.restored = self.source.restore(self.home)
        self.pair = (self.original, self.restored)

    def execute(self, *transactions: bytes) -> list[tuple[bytes, list[int]]]:
        """The next block on both; root and codes of each."""
        found = []
        seal = make_seal(self.original.height + 1, self.original.root)
        time_ms = self.original.time_ms + 5
        for storage in self.pair:
            application = LedgerApplication(
                self.league.genesis.chain, storage, self.league.registry
            )
            block = Block(
                self.league.genesis.chain,
                storage.height + 1,
                time_ms,
                seal.header.hash(),
                transactions,
            )
            result = application.execute(block)
            application.commit(block, result, None)
            found.append((result.state_root, [each.code for each in result.results]))
        return found


@pytest.fixture
def twins(league: ToyLeague, tmp_path: Path) -> Iterator[Twins]:
    made = Twins(league, tmp_path)
    yield made
    for storage in made.pair:
        storage.close()


def test_kernel_goes_on_alike_on_a_restored_state(twins: Twins) -> None:
    one, other = twins.execute(twins.league.count("c0", by=100), twins.league.count("new"))
    assert one == other and one[1] == [0, 0]
    one, other = twins.execute()
    assert one == other


def test_transaction_from_before_the_snapshot_is_not_executed_again(twins: Twins) -> None:
    one, other = twins.execute(*twins.sent, twins.league.count("c1"))
    assert one == other
    codes = one[1]
    assert codes[-1] == 0 and all(code != 0 for code in codes[:-1])
    for data in twins.sent:
        identity = decode_transaction(data).id
        assert twins.restored.has_seen(identity) and twins.original.has_seen(identity)


def test_time_of_a_restored_state_is_proved_and_not_later_than_the_blocks(twins: Twins) -> None:
    """Of the last block that changed something: the last one here is an empty one."""
    last = twins.original.head(twins.original.height - 1)
    assert last is not None and not last.is_empty
    assert twins.restored.time_ms == last.time_ms < twins.original.time_ms


@pytest.mark.parametrize("blocks", [0, 3])
def test_doctor_finds_a_restored_node_in_order(twins: Twins, blocks: int) -> None:
    for number in range(blocks):
        twins.execute(twins.league.count("c0", by=number + 50))
    twins.restored.close()
    found = {each.name: each for each in diagnose(twins.home, deep=True)}
    for name in ("data", "last block", "records", "blocks"):
        assert found[name].ok, found[name].text

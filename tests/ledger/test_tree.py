"""The state tree: its root by definition, whatever the batches, the layout, the order and the
restarts.
"""

import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.ledger import tree, tree_delta, tree_top
from hansa.ledger.rejections import InvariantViolation
from hansa.ledger.tree import VERSIONS_KEPT, MemoryBuckets, StateTree, VersionPruned
from hansa.ledger.tree_bucket import compute_subtree
from hansa.ledger.tree_proof import verify_state_proof
from tests.ledger.tree_reference import (
    EMPTY,
    crafted_paths,
    deep_paths,
    define_root,
    define_subtree,
    digest,
)

Change = tuple[bytes, bytes | None]


class Ledger:
    """A tree, its store and what should be in it."""

    def __init__(self) -> None:
        self.store = MemoryBuckets()
        self.tree = StateTree(self.store)
        self.records: dict[bytes, bytes] = {}
        self.height = 0

    def block(self, changes: Sequence[Change]) -> None:
        delta = self.tree.compute(changes)
        self.store.write(delta.buckets)
        self.height += 1
        self.tree.apply(delta, self.height)
        for key, value in changes:
            if value is None:
                self.records.pop(key, None)
            else:
                self.records[key] = value

    def check(self) -> None:
        assert self.tree.root == define_root(self.records)
        assert self.tree.leaves == len(self.records)
        again = StateTree(self.store, self.height)
        assert (again.root, again.leaves) == (self.tree.root, self.tree.leaves)


def make_records(count: int, seed: int = 0) -> list[tuple[bytes, bytes]]:
    return [(b"app/kind/%d-%d" % (seed, number), b"record %d" % number) for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 17, 64, 300, 2000])
def test_root_is_the_definitions(count: int) -> None:
    ledger = Ledger()
    ledger.block(make_records(count))
    ledger.check()
    if count == 0:
        assert ledger.tree.root == EMPTY


@pytest.mark.parametrize("batch", [1, 3, 50, 400])
def test_batches_never_influence_the_root(batch: int) -> None:
    ledger, changes = Ledger(), make_records(400)
    random.Random(batch).shuffle(changes)
    for start in range(0, len(changes), batch):
        ledger.block(changes[start : start + batch])
    assert ledger.tree.root == define_root(dict(make_records(400)))


def test_removed_records_leave_no_trace_in_the_root() -> None:
    ledger = Ledger()
    ledger.block(make_records(60))
    before = ledger.tree.root
    for start in (0, 100, 200):
        ledger.block(make_records(500, seed=1)[start : start + 100])
    for start in (200, 0, 100):
        ledger.block([(key, None) for key, _ in make_records(500, seed=1)[start : start + 100]])
        ledger.check()
    assert ledger.tree.root == before
    ledger.block([(key, None) for key, _ in make_records(60)])
    assert ledger.tree.root == EMPTY
    assert not list(ledger.store.buckets())


def test_records_return_after_all_were_removed_and_the_tree_was_opened_anew() -> None:
    ledger = Ledger()
    ledger.block(make_records(200))
    ledger.block([(key, None) for key, _ in make_records(200)[20:]])
    ledger.tree = StateTree(ledger.store, ledger.height)
    ledger.block(make_records(200, seed=3))
    ledger.check()


def test_block_without_effect_writes_nothing() -> None:
    ledger = Ledger()
    ledger.block(make_records(30))
    nothing: list[Sequence[Change]] = [[], make_records(30), [(b"never/seen/1", None)]]
    for changes in nothing:
        delta = ledger.tree.compute(changes)
        assert (delta.root, delta.buckets, delta.kinds) == (ledger.tree.root, {}, {})


def test_last_change_of_a_key_holds() -> None:
    ledger = Ledger()
    ledger.block([(b"a", b"1"), (b"b", b"1"), (b"a", None), (b"b", b"2"), (b"c", None)])
    assert ledger.tree.root == define_root({b"b": b"2"})


def test_delta_computed_and_not_applied_changes_nothing() -> None:
    ledger = Ledger()
    ledger.block(make_records(100))
    root, stored = ledger.tree.root, dict(ledger.store.buckets())
    first = ledger.tree.compute(make_records(100, seed=1))
    second = ledger.tree.compute([(key, None) for key, _ in make_records(100)])
    assert (ledger.tree.root, dict(ledger.store.buckets())) == (root, stored)
    assert first.root == define_root(dict([*make_records(100), *make_records(100, seed=1)]))
    assert second.root == EMPTY
    ledger.block(make_records(100, seed=1))
    assert ledger.tree.root == first.root


def test_invalid_delta_of_another_version() -> None:
    ledger = Ledger()
    stale = ledger.tree.compute(make_records(3))
    ledger.block(make_records(3, seed=1))
    with pytest.raises(InvariantViolation):
        ledger.tree.apply(stale, 2)


def test_invalid_height_that_does_not_go_up() -> None:
    ledger = Ledger()
    ledger.block(make_records(3))
    with pytest.raises(InvariantViolation):
        ledger.tree.apply(ledger.tree.compute([]), 1)


def test_each_touched_bucket_is_read_once_and_each_node_hashed_once() -> None:
    ledger = Ledger()
    ledger.block(make_records(3000))
    read: list[int] = []

    class Watched(MemoryBuckets):
        def bucket(self, node: int) -> bytes | None:
            read.append(node)
            return ledger.store.bucket(node)

        def buckets(self) -> Iterator[tuple[int, bytes]]:
            return ledger.store.buckets()

    delta = StateTree(Watched()).compute([(key, b"new") for key, _ in make_records(500)])
    assert len(read) == len(set(read)) == len(delta.replaced)
    assert all(list(level) == sorted(level) for level in delta.levels)
    ancestors = {node >> up for node in read for up in range(node.bit_length())}
    assert sorted(node for level in delta.levels for node in level) == sorted(ancestors)


def test_kept_versions_can_be_proved_and_no_others() -> None:
    ledger = Ledger()
    history = []
    for height in range(VERSIONS_KEPT + 6):
        history.append((dict(ledger.records), ledger.tree.root))
        ledger.block([(b"k/%d" % (height * number % 23), b"%d" % height) for number in range(7)])
    history.append((dict(ledger.records), ledger.tree.root))
    first = ledger.height - VERSIONS_KEPT
    for height in range(first, ledger.height + 1):
        records, root = history[height]
        for number in range(25):
            key = b"k/%d" % number
            verify_state_proof(root, key, records.get(key), ledger.tree.prove(key, height))
    for height in (first - 1, ledger.height + 1):
        with pytest.raises(VersionPruned) as refusal:
            ledger.tree.prove(b"k/1", height)
        assert refusal.value.params == {"height": height, "first": first, "last": ledger.height}


def test_large_blocks_leave_fewer_versions_but_always_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tree, "UNDO_BYTES_MAX", 100_000)
    ledger = Ledger()
    for seed in range(6):
        ledger.block(make_records(20, seed=seed))
    verify_state_proof(EMPTY, b"app/kind/0-0", None, ledger.tree.prove(b"app/kind/0-0", 0))
    before = ledger.tree.root
    ledger.block(make_records(1000, seed=9))
    verify_state_proof(before, b"app/kind/9-0", None, ledger.tree.prove(b"app/kind/9-0", 6))
    with pytest.raises(VersionPruned):
        ledger.tree.prove(b"app/kind/0-0", 5)
    ledger.block([])
    ledger.tree.prove(b"app/kind/0-0", 7)


def test_only_the_current_version_can_be_proved_after_a_restart() -> None:
    ledger = Ledger()
    for seed in range(3):
        ledger.block(make_records(20, seed=seed))
    again = StateTree(ledger.store, ledger.height)
    key, value = make_records(20)[0]
    verify_state_proof(ledger.tree.root, key, value, again.prove(key, 3))
    with pytest.raises(VersionPruned):
        again.prove(key, 2)


@pytest.mark.parametrize("bits", [1, 9, 40, 63, 64, 65, 200, 255])
@pytest.mark.parametrize("count", [2, 30, 120])
def test_crafted_common_prefixes_are_as_good_as_any(bits: int, count: int) -> None:
    count = min(count, 2 if bits == 255 else 2**20)
    paths = deep_paths(count, bits)
    if bits == 255:
        first, second = paths
        paths[second] = (int.from_bytes(paths[first], "big") ^ 1).to_bytes(32, "big")
    with crafted_paths(paths):
        ledger = Ledger()
        ledger.block(make_records(50))
        ledger.block([(key, b"crafted") for key in paths])
        assert ledger.tree.root == define_root(ledger.records, paths)
        assert StateTree(ledger.store).root == ledger.tree.root
        for key in [*list(paths)[:5], b"app/kind/0-1", b"absent"]:
            proof = ledger.tree.prove(key, ledger.height)
            verify_state_proof(ledger.tree.root, key, ledger.records.get(key), proof)
        ledger.block([(key, None) for key in list(paths)[1:]])
        assert ledger.tree.root == define_root(ledger.records, paths)


def test_crafted_keys_make_no_bucket_large_and_no_top_large() -> None:
    paths = deep_paths(4000, 30)
    with crafted_paths(paths):
        ledger = Ledger()
        for start in range(0, 4000, 500):
            ledger.block([(key, b"crafted") for key in list(paths)[start : start + 500]])
        sizes = [(len(value) - 33) // 128 for _, value in ledger.store.buckets()]
        assert sum(sizes) == 4000
        assert max(sizes) <= tree_top.BUCKET_CROWDED
        assert ledger.tree.root == define_root(ledger.records, paths)


def test_node_indexes_fit_64_bits_however_deep_keys_collide() -> None:
    paths = deep_paths(100, 120)
    with crafted_paths(paths):
        ledger = Ledger()
        ledger.block([(key, b"crafted") for key in paths])
        assert max(node for node, _ in ledger.store.buckets()) < 2**63
        assert ledger.tree.root == define_root(ledger.records, paths)


@pytest.mark.parametrize(("leaves", "crowded"), [(1, 1), (1, 2), (2, 3), (40, 80)])
def test_layout_never_influences_the_root(
    leaves: int, crowded: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree_delta, "BUCKET_LEAVES_MAX", leaves)
    monkeypatch.setattr(tree_delta, "BUCKET_CROWDED", crowded)
    ledger = Ledger()
    for seed in range(4):
        ledger.block(make_records(90, seed=seed))
        ledger.block([(key, None) for key, _ in make_records(90, seed=seed)[::3]])
        ledger.check()


@settings(max_examples=200, deadline=None)
@given(st.sets(st.integers(0, 2**256 - 1), max_size=40), st.integers(0, 40), st.integers(1, 20))
def test_subtree_of_any_paths_is_the_definitions(
    numbers: set[int], shared: int, spread: int
) -> None:
    """Paths squeezed together so that forks are deep and chains of empty siblings long."""
    squeezed = sorted({number >> shared * 6 << spread for number in numbers})
    paths = [(number % 2**256).to_bytes(32, "big") for number in squeezed]
    paths = sorted(set(paths))
    entries = b"".join(path + digest(path) + bytes(64) for path in paths)
    root, content = compute_subtree(entries, 0)
    assert root == define_subtree([(path, digest(path)) for path in paths], 0)
    assert content == min(2, len(paths))

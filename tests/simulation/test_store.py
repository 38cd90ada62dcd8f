"""The simulated store answers as RocksDB does, and its disk leaves what a real one leaves."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from hansa.node.faults import CorruptFolderError, NodeError, NodeStoppedError, StorageError
from hansa.node.folder import check_folder
from hansa.node.key_value import KeyValueStore, OpenStore, Store, WriteBatch
from hansa.testing.simulation.store import (
    BEFORE,
    DURABLE,
    VISIBLE,
    WRITTEN,
    Crash,
    SimulatedDisk,
    Variant,
)
from tests.crash.disk import Disk
from tests.crash.hunt import Driver, build_shim
from tests.simulation import stops

VARIANTS: tuple[Variant, ...] = ("dropped", "torn", "kept")

FAMILIES = ("blocks", "meta")
Step = tuple[str, str, bytes, bytes]

_KEYS = (b"", b"\x00", b"a", b"a\x00", b"aa", b"b", b"b\xff", b"\xff")
_keys = st.sampled_from(_KEYS)
_starts, _ends = st.sampled_from(_KEYS[:4]), st.sampled_from((*_KEYS[-3:], b"\xff\xff"))
_values = st.sampled_from((b"", b"1", b"other", b"long" * 2_000))
_families = st.sampled_from(FAMILIES)
_steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("put", "write")), _families, _keys, _values),
        st.tuples(st.sampled_from(("delete", "nothing")), _families, _keys, st.just(b"")),
        st.tuples(st.just("delete_range"), _families, _keys, _keys),
    ),
    max_size=6,
)


def fill(store: Store, steps: list[Step]) -> WriteBatch:
    batch = store.batch()
    for kind, family, key, value in steps:
        match kind:
            case "put":
                batch.put(family, key, value)
            case "write":
                batch.write(family, key, value)
            case "nothing":
                batch.write(family, key, None)
            case "delete":
                batch.delete(family, key)
            case _:
                batch.delete_range(family, min(key, value), max(key, value))
    return batch


class Twins(RuleBasedStateMachine):
    """The same is asked of a real store and of a simulated one."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self.home = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.opens: tuple[OpenStore, ...] = (KeyValueStore, SimulatedDisk().open_store)
        self.folders = (self.home / "real", self.home / "played")
        self.walks: list[tuple[Iterator[tuple[bytes, bytes]], ...]] = []
        self.told: tuple[list[str], ...] = ([], [])
        self.stores = self.open(create=True)

    def open(self, **named: bool) -> tuple[Store, ...]:
        stores = tuple(
            open_store(folder, FAMILIES, **named)
            for open_store, folder in zip(self.opens, self.folders, strict=True)
        )
        for store, told in zip(stores, self.told, strict=True):
            store.on_fault = lambda fault, told=told: told.append(type(fault).__name__)
        return stores

    def same(self, ask: Callable[[int], object]) -> object:
        """What number 0 and number 1 answer, or the class of their fault."""
        answers = []
        for number in (0, 1):
            try:
                answers.append(ask(number))
            except (NodeError, KeyError) as fault:
                answers.append(type(fault))
        assert answers[0] == answers[1]
        assert self.told[0] == self.told[1]
        return answers[0]

    @rule(steps=_steps)
    def commit(self, steps: list[Step]) -> None:
        self.same(lambda n: self.stores[n].commit(fill(self.stores[n], steps)))

    @rule(steps=_steps)
    def write(self, steps: list[Step]) -> None:
        self.same(lambda n: self.stores[n].write(fill(self.stores[n], steps)))

    @rule(family=_families, key=_keys)
    def get(self, family: str, key: bytes) -> None:
        self.same(lambda n: self.stores[n].get(family, key))

    @rule(family=_families, start=_starts, end=_ends, limit=st.integers(0, 4))
    def scan(self, family: str, start: bytes, end: bytes, limit: int) -> None:
        self.same(lambda n: self.stores[n].scan(family, start, end, limit))

    @rule(family=_families, start=_starts, end=_ends)
    def last(self, family: str, start: bytes, end: bytes) -> None:
        self.same(lambda n: self.stores[n].last(family, start, end))

    @rule(family=_families)
    def walk(self, family: str) -> None:
        self.walks.append(tuple(store.iterate(family) for store in self.stores))

    @precondition(lambda self: self.walks)
    @rule(steps=st.integers(1, 4))
    def go_on(self, steps: int) -> None:
        """What a walk sees is as it was when it was asked for."""
        walk = self.walks.pop(0)
        if self.same(lambda n: list(islice(walk[n], steps))):
            self.walks.append(walk)

    @rule(family=_families, start=_keys, end=_keys)
    def compact(self, family: str, start: bytes, end: bytes) -> None:
        self.same(lambda n: self.stores[n].compact(family, start, end))

    @rule()
    def ask_for_no_family(self) -> None:
        assert self.same(lambda n: self.stores[n].get("none", b"a")) is KeyError
        assert self.same(lambda n: self.stores[n].batch().put("none", b"a", b"")) is KeyError

    @rule(steps=_steps)
    def look_beside(self, steps: list[Step]) -> None:
        """A store that is opened for reading shows what there is, and takes nothing."""
        beside = self.open(read_only=True)
        for family in FAMILIES:
            self.same(lambda n, family=family: list(beside[n].iterate(family)))
        self.same(lambda n: beside[n].commit(fill(beside[n], [("put", "meta", b"a", b"b")])))
        self.commit(steps)
        for family in FAMILIES:
            self.same(lambda n, family=family: list(beside[n].iterate(family)))
        for store in beside:
            store.close()

    @rule()
    def open_twice(self) -> None:
        def open_again(number: int) -> None:
            self.opens[number](self.folders[number], FAMILIES)

        assert self.same(open_again) is StorageError

    @rule(family=_families, key=_keys)
    def close_and_open(self, family: str, key: bytes) -> None:
        """Also: nothing of a closed store answers, and no other can be made in its folder."""
        self.walks.clear()
        batches = [fill(store, [("put", family, key, b"late")]) for store in self.stores]
        for store in self.stores:
            store.close()
            store.close()
        asks: list[Callable[[int], object]] = [
            lambda n: self.stores[n].get(family, key),
            lambda n: self.stores[n].scan(family, b"", key, 3),
            lambda n: self.stores[n].last(family, b"", key),
            lambda n: list(self.stores[n].iterate(family)),
            lambda n: self.stores[n].write(batches[n]),
            lambda n: self.stores[n].commit(batches[n]),
            lambda n: self.stores[n].compact(family, b"", key),
        ]
        for ask in asks:
            assert self.same(ask) is NodeStoppedError
        create = self.same(lambda n: self.opens[n](self.folders[n], FAMILIES, create=True))
        assert create is CorruptFolderError
        none = self.same(lambda n: self.opens[n](self.home / f"none{n}", FAMILIES))
        assert none is CorruptFolderError
        none = self.same(lambda n: self.opens[n](self.home / f"no{n}", FAMILIES, read_only=True))
        assert none is StorageError
        for folder in self.folders:
            check_folder(folder)
        self.stores = self.open()
        self.get(family, key)

    def teardown(self) -> None:
        for family in FAMILIES:
            self.same(lambda n, family=family: list(self.stores[n].iterate(family)))
        self.walks.clear()
        for store in self.stores:
            store.close()
        shutil.rmtree(self.home)


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a disk: what a power cut leaves comes from the journal."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture
def shim(folder: Path) -> Path:
    return build_shim(folder)


@pytest.mark.slow
def test_it_answers_as_the_real_one() -> None:
    run_state_machine_as_test(
        Twins, settings=settings(max_examples=60, stateful_step_count=30, deadline=None)
    )


def open_played(folder: Path) -> tuple[SimulatedDisk, Store]:
    disk = SimulatedDisk()
    return disk, disk.open_store(folder, stops.FAMILIES, create=True)


def play_stop(folder: Path, at: int, variant: Variant) -> tuple[int, int] | None:
    """What had been said to be durable and what is found, when the process ends at its `at`-th
    point; None: it has fewer.
    """
    disk, store = open_played(folder)
    reached: list[str] = []

    def end_here(point: str) -> None:
        reached.append(point)
        if len(reached) > at:
            raise Crash

    disk.at_point = end_here
    try:
        stops.make(store)
    except Crash:
        pass
    else:
        return None
    disk.at_point = lambda _point: None
    done = [point in (WRITTEN, DURABLE) for point in reached[:-1]].count(True)
    said = stops.SCRIPT[:done].rfind("C") + 1
    disk.stop(variant)
    return said, stops.find(disk.open_store(folder, stops.FAMILIES))


def play_stops(folder: Path, variant: Variant) -> dict[int, set[int]]:
    """By what had been said: all that may be found."""
    found: dict[int, set[int]] = {}
    at = 0
    while (outcome := play_stop(folder / str(at), at, variant)) is not None:
        # Between two calls there is nothing but what had been said.
        found.setdefault(outcome[0], {outcome[0]}).add(outcome[1])
        at += 1
    found[len(stops.SCRIPT)] = {len(stops.SCRIPT)}
    assert at == stops.SCRIPT.count("W") + 3 * stops.SCRIPT.count("C")
    return found


def test_a_stop_leaves_whole_writes_and_all_that_was_committed(tmp_path: Path) -> None:
    dropped = play_stops(tmp_path / "dropped", "dropped")
    torn = play_stops(tmp_path / "torn", "torn")
    kept = play_stops(tmp_path / "kept", "kept")
    assert dropped == {0: {0, 3}, 3: {3, 8}, 8: {8, 9}, 9: {9, 11}, 11: {11}}
    assert kept == {0: {0, 1, 2, 3}, 3: {3, 4, 5, 6, 7, 8}, 8: {8, 9}, 9: {9, 10, 11}, 11: {11}}
    assert all(torn[said] <= kept[said] and dropped[said] <= torn[said] for said in kept)
    assert torn[3] - dropped[3], "of some writes a part is found"


def test_what_is_dead_stays_dead(tmp_path: Path) -> None:
    """What runs in `finally` after a crash changes nothing and learns nothing."""
    disk, store = open_played(tmp_path / "data")
    batch = store.batch()
    batch.put("meta", b"a", b"1")
    disk.at_point = crash_at(VISIBLE)
    with pytest.raises(Crash):
        store.commit(batch)
    for ask in (
        lambda: store.get("meta", b"a"),
        lambda: store.scan("meta", b"", b"b", 1),
        lambda: store.write(batch),
        lambda: store.commit(batch),
        lambda: disk.open_store(tmp_path / "data", stops.FAMILIES),
        lambda: disk.open_store(tmp_path / "other", stops.FAMILIES, create=True),
    ):
        with pytest.raises(Crash):
            ask()
    store.close()
    disk.stop("dropped")
    disk.at_point = lambda _point: None
    again = disk.open_store(tmp_path / "data", stops.FAMILIES)
    with pytest.raises(Crash):
        store.get("meta", b"a")
    store.close()
    assert again.get("meta", b"a") is None
    again.commit(batch)
    disk.stop("dropped")
    assert disk.open_store(tmp_path / "data", stops.FAMILIES).get("meta", b"a") == b"1"


def crash_at(wanted: str) -> Callable[[str], None]:
    def end_here(point: str) -> None:
        if point == wanted:
            raise Crash

    return end_here


def test_readers_see_a_commit_just_before_it_is_durable(tmp_path: Path) -> None:
    disk, store = open_played(tmp_path / "data")
    seen = []
    disk.on_visible = lambda: seen.append(store.get("meta", b"a"))
    disk.at_point = lambda point: seen.append(store.get("meta", b"a") if point == BEFORE else b"-")
    disk.pass_ms, disk.slow_ms = seen.append, 7
    batch = store.batch()
    batch.put("meta", b"a", b"1")
    store.commit(batch)
    assert seen == [None, b"1", b"-", 7, b"-"]


def test_a_full_disk_takes_nothing_until_it_has_room(tmp_path: Path) -> None:
    disk, store = open_played(tmp_path / "data")
    told: list[NodeError] = []
    store.on_fault = told.append
    batch = store.batch()
    batch.put("meta", b"a", b"1")
    disk.full = True
    for ask in (store.write, store.commit):
        with pytest.raises(StorageError, match="No space left"):
            ask(batch)
    assert [type(fault) for fault in told] == [StorageError] * 2
    assert store.get("meta", b"a") is None
    with pytest.raises(StorageError, match="No space left"):
        disk.open_store(tmp_path / "new", stops.FAMILIES, create=True)
    disk.full = False
    store.commit(batch)
    assert store.get("meta", b"a") == b"1"


def test_a_sync_that_fails_leaves_what_readers_saw_to_chance(tmp_path: Path) -> None:
    left: dict[Variant, bytes | None] = {"dropped": None, "kept": b"1"}
    for variant, found in left.items():
        disk, store = open_played(tmp_path / variant)
        batch = store.batch()
        batch.put("meta", b"a", b"1")
        disk.breaks = True
        with pytest.raises(StorageError, match="Input/output"):
            store.commit(batch)
        assert store.get("meta", b"a") == b"1"
        disk.breaks = False
        for ask in (store.write, store.commit):
            with pytest.raises(StorageError, match="Input/output"):
                ask(batch)
        store.close()
        disk.stop(variant)
        assert disk.open_store(tmp_path / variant, stops.FAMILIES).get("meta", b"a") == found


def test_rot_is_found_when_it_is_read_or_told_by_nothing(tmp_path: Path) -> None:
    disk, store = open_played(tmp_path / "data")
    assert disk.rot(tmp_path / "data", "meta", 5, seen=True) is None
    batch = store.batch()
    for key in (b"a", b"b", b"c"):
        batch.put("meta", key, b"12345")
    store.commit(batch)
    assert disk.rot(tmp_path / "data", "meta", 4, seen=True) == b"b"
    told: list[NodeError] = []
    store.on_fault = told.append
    for ask in (
        lambda: store.get("meta", b"b"),
        lambda: store.scan("meta", b"a", b"c", 9),
        lambda: store.last("meta", b"a", b"c"),
        lambda: list(store.iterate("meta")),
    ):
        with pytest.raises(CorruptFolderError):
            ask()
    assert len(told) == 4
    assert store.get("meta", b"a") == b"12345"
    assert disk.rot(tmp_path / "data", "meta", 2, seen=False) == b"c"
    value = store.get("meta", b"c")
    assert value is not None and value != b"12345" and len(value) == 5
    store.close()
    disk.stop("kept")
    store = disk.open_store(tmp_path / "data", stops.FAMILIES)
    assert store.get("meta", b"c") == value, "rot outlives a start"
    store.commit(batch)
    assert store.get("meta", b"b") == store.get("meta", b"c") == b"12345", "written anew"


def test_a_folder_is_its_own_wherever_it_goes(tmp_path: Path) -> None:
    """Moved it is the same store; copied it is another, as it was then."""
    disk, store = open_played(tmp_path / "data")
    batch = store.batch()
    batch.put("meta", b"a", b"1")
    store.commit(batch)
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    disk.clone(tmp_path / "copy")
    batch = store.batch()
    batch.put("meta", b"a", b"2")
    store.commit(batch)
    store.close()
    (tmp_path / "data").rename(tmp_path / "moved")
    assert disk.open_store(tmp_path / "moved", stops.FAMILIES).get("meta", b"a") == b"2"
    assert disk.open_store(tmp_path / "copy", stops.FAMILIES).get("meta", b"a") == b"1"
    shutil.rmtree(tmp_path / "moved")
    assert (
        disk.open_store(tmp_path / "moved", stops.FAMILIES, create=True).get("meta", b"a") is None
    )


@pytest.mark.slow
def test_its_disk_leaves_what_a_real_one_leaves(folder: Path, shim: Path) -> None:
    """RocksDB under kills at every change of the disk: nothing that is not played too."""
    start, home, journal = folder / "start", folder / "home", folder / "journal"
    KeyValueStore(start / "data", stops.FAMILIES, create=True).close()
    driver = Driver(shim, "tests.simulation.stops")
    played = {each: play_stops(folder / each, each) for each in VARIANTS}
    found: dict[Variant, dict[int, set[int]]] = {each: {} for each in VARIANTS}
    kill_at = 1
    while True:
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(start, home)
        report = driver.run(home=home, root=home, journal=journal, kill_at=kill_at)
        if not report.was_killed:
            break
        said = report.said.get("height", 0)
        disk = Disk(home, start)
        assert disk.play(journal.read_bytes())
        for variant in VARIANTS:
            shutil.rmtree(home)
            disk.write_out(home, variant)
            store = KeyValueStore(home / "data", stops.FAMILIES)
            found[variant].setdefault(said, set()).add(stops.find(store))
            store.close()
        kill_at += 1
    driver.close()
    for variant in ("dropped", "kept"):
        for said, left in found[variant].items():
            assert left <= played[variant][said], f"{variant} after batch {said}"
    for said, left in found["torn"].items():
        assert left <= set(range(said, max(played["kept"][said]) + 1))
    assert {said: min(left) for said, left in found["dropped"].items()} == {
        said: said for said in (0, 3, 8, 9, 11)
    }
    assert any(len(left) > 1 for left in found["kept"].values())

"""A database is copied as of one moment, whatever is written while that is done."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hansa.comet.files import GENESIS_MARK
from hansa.node import copying
from hansa.node.copying import ENGINE_STORES, copy_database, copy_engine
from hansa.node.faults import HalfMadeFolderError, StorageError
from hansa.node.key_value import KeyValueStore

FAMILIES = ("left", "right")


def write(store: KeyValueStore, value: bytes) -> None:
    batch = store.batch()
    for family in FAMILIES:
        batch.put(family, b"key", value)
    store.commit(batch)


def read(folder: Path) -> set[bytes | None]:
    store = KeyValueStore(folder, FAMILIES, read_only=True)
    try:
        return {store.get(family, b"key") for family in FAMILIES}
    finally:
        store.close()


def on_copy(monkeypatch: pytest.MonkeyPatch, start: str, act: Callable[[], None]) -> list[str]:
    """Do `act` once, just before a file whose name starts so is copied; the names copied."""
    copied: list[str] = []
    copyfile = shutil.copyfile

    def hooked(source: Path, target: Path, **options: Any) -> object:
        is_first = not any(name.startswith(start) for name in copied)
        copied.append(source.name)
        if source.name.startswith(start) and is_first:
            act()
        return copyfile(source, target, **options)

    monkeypatch.setattr("hansa.node.copying.shutil.copyfile", hooked)
    return copied


@pytest.fixture
def store(tmp_path: Path) -> KeyValueStore:
    made = KeyValueStore(tmp_path / "data", FAMILIES, create=True)
    write(made, b"1")
    return made


def test_a_file_that_came_after_the_look_is_not_missed(
    store: KeyValueStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One family goes to a sorted file, the log stays: the manifest names what was not there."""

    def flush() -> None:
        store._families["left"].flush()

    copied = on_copy(monkeypatch, "MANIFEST", flush)
    copy_database(tmp_path / "data", tmp_path / "copy")
    assert read(tmp_path / "copy") == {b"1"}
    assert sum(name.startswith("MANIFEST") for name in copied) == 2
    store.close()


def test_what_was_written_meanwhile_is_in_it_whole_or_not_at_all(
    store: KeyValueStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_copy(monkeypatch, "MANIFEST", lambda: write(store, b"2"))
    copy_database(tmp_path / "data", tmp_path / "copy")
    assert read(tmp_path / "copy") in ({b"1"}, {b"2"})
    store.close()
    assert read(tmp_path / "data") == {b"2"}


def test_blocks_and_state_of_the_engine_are_of_one_height(
    store: KeyValueStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block that comes between the two: both are copied again."""
    engine = tmp_path / "engine" / "data"
    engine.mkdir(parents=True)
    parts = [KeyValueStore(engine / name, FAMILIES, create=True) for name in ENGINE_STORES]
    (engine / GENESIS_MARK).write_text("mark")
    for part in parts:
        write(part, b"1")
    copy, calls = copying.copy_database, []

    def hooked(source: Path, target: Path) -> None:
        calls.append(source.name)
        if len(calls) == 2:
            for each in (parts[0], store, parts[1]):
                write(each, b"2")
        copy(source, target)

    monkeypatch.setattr(copying, "copy_database", hooked)
    assert copy_engine(tmp_path, tmp_path / "copy")
    found = [read(tmp_path / "copy" / name) for name in ENGINE_STORES]
    assert found == [{b"2"}, {b"2"}]
    for part in (*parts, store):
        part.close()


def test_what_never_rests_or_is_not_there_is_told(
    store: KeyValueStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()
    with pytest.raises(HalfMadeFolderError):
        copy_database(tmp_path / "nowhere", tmp_path / "copy")
    monkeypatch.setattr(copying, "ATTEMPTS", 0)
    with pytest.raises(StorageError):
        copy_database(tmp_path / "data", tmp_path / "copy")

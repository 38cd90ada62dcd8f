"""A home is made whole or not at all; what is damaged, foreign, newer or half-made is refused."""

import json
import os
import shutil
from pathlib import Path

import msgspec
import pytest

from hansa.node.faults import (
    ConfigurationError,
    CorruptFolderError,
    ForeignFolderError,
    HalfMadeFolderError,
    LockedFolderError,
    MissingFolderError,
    NewerFormatError,
    NodeError,
    OlderFormatError,
)
from hansa.node.home import create_home, open_home, write_validator_key
from hansa.node.key_value import KeyValueStore
from hansa.node.settings import IndexSettings, Settings, decode_settings, encode_settings
from hansa.node.storage import FAMILIES, FORMAT, Storage, make_identity
from hansa.testing.chain import make_key
from tests.node.league import ToyLeague, read_counter


def commit_counts(league: ToyLeague, count: int) -> list[str]:
    with league.open() as node:
        ids = [node.submit(league.count(f"c{number}")) for number in range(count)]
        assert {node.wait(each, 30).state for each in ids} == {"committed"}
    return ids


def refused(league: ToyLeague, kind: type[NodeError]) -> NodeError:
    with pytest.raises(kind) as caught:
        league.open()
    assert "What to do: " in caught.value.diagnostics()
    return caught.value


def edit_meta(league: ToyLeague, key: bytes, **fields: object) -> None:
    store = KeyValueStore(league.folder / "data", FAMILIES)
    meta = msgspec.msgpack.decode(store.get("meta", key) or b"")
    batch = store.batch()
    batch.put("meta", key, msgspec.msgpack.encode({**meta, **fields}))
    store.commit(batch)
    store.close()


def test_create_twice_is_the_same_home(league: ToyLeague) -> None:
    before = sorted(path.relative_to(league.folder) for path in league.folder.rglob("*"))
    league.create()
    assert before == sorted(path.relative_to(league.folder) for path in league.folder.rglob("*"))


def test_create_over_another_league_is_refused(league: ToyLeague) -> None:
    other = ToyLeague(league.folder, chain="other-1")
    with pytest.raises(ForeignFolderError, match="already the home"):
        other.create()


def test_create_over_other_files_is_refused_and_touches_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(ForeignFolderError):
        ToyLeague(folder).create()
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_create_cut_off_leaves_nothing_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ToyLeague(tmp_path / "home")
    written = []

    def run_out_of_disk(path: Path, *_: object, **_named: object) -> None:
        written.append(path)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("hansa.node.home.create_storage", run_out_of_disk)
        with pytest.raises(NodeError, match="cannot be made"):
            made.create()
    assert written and not made.folder.exists()
    made.create()
    with made.open() as node:
        assert node.height == 1


def test_only_the_owner_can_read_the_validator_key(league: ToyLeague) -> None:
    path = league.folder / "keys" / "validator.json"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    assert "chmod 600" in refused(league, ConfigurationError).cure


def test_missing_home_is_refused(tmp_path: Path) -> None:
    refused(ToyLeague(tmp_path / "nowhere"), MissingFolderError)


def test_home_without_genesis_is_refused(league: ToyLeague) -> None:
    (league.folder / "genesis.json").unlink()
    refused(league, HalfMadeFolderError)


def test_home_without_data_never_starts_anew(league: ToyLeague) -> None:
    commit_counts(league, 2)
    shutil.rmtree(league.folder / "data")
    refused(league, MissingFolderError)
    assert not (league.folder / "data").exists()


def test_damaged_genesis_is_refused(league: ToyLeague) -> None:
    path = league.folder / "genesis.json"
    path.write_bytes(path.read_bytes()[:-2])
    refused(league, CorruptFolderError)


def test_another_leagues_genesis_is_refused(league: ToyLeague, tmp_path: Path) -> None:
    other = ToyLeague(tmp_path / "other", chain="other-1")
    other.create()
    shutil.copy(other.folder / "genesis.json", league.folder / "genesis.json")
    assert "test-1" in refused(league, ForeignFolderError).text


def test_key_that_is_no_validators_is_refused(league: ToyLeague) -> None:
    path = league.folder / "keys" / "validator.json"
    path.unlink()
    write_validator_key(path, make_key("a stranger"))
    refused(league, ForeignFolderError)


def test_key_whose_halves_differ_is_refused(league: ToyLeague) -> None:
    path = league.folder / "keys" / "validator.json"
    document = json.loads(path.read_text())
    document["public"] = make_key("a stranger").public.public
    path.write_text(json.dumps(document))
    refused(league, CorruptFolderError)


def test_folder_of_a_later_release_is_refused(league: ToyLeague) -> None:
    edit_meta(league, b"identity", format=FORMAT + 1, release="9.9.9")
    assert "9.9.9" in refused(league, NewerFormatError).cure


def test_folder_of_an_earlier_format_is_refused(league: ToyLeague) -> None:
    edit_meta(league, b"identity", format=FORMAT - 1, release="0.0.1")
    assert "0.0.1" in refused(league, OlderFormatError).cure


def test_folder_without_its_beginning_is_refused(league: ToyLeague) -> None:
    shutil.rmtree(league.folder / "data")
    KeyValueStore(league.folder / "data", FAMILIES, create=True).close()
    refused(league, HalfMadeFolderError)


def test_folder_with_a_wrong_root_is_refused(league: ToyLeague) -> None:
    commit_counts(league, 3)
    edit_meta(league, b"position", root=bytes(32))
    assert "has root" in refused(league, CorruptFolderError).text


@pytest.mark.parametrize("name", ["CURRENT", "MANIFEST-*"])
def test_folder_with_a_lost_file_is_refused_and_not_begun_anew(
    league: ToyLeague, name: str
) -> None:
    commit_counts(league, 3)
    for path in (league.folder / "data").glob(name):
        path.unlink()
    refused(league, HalfMadeFolderError)


def test_lost_sorted_file_is_refused(league: ToyLeague) -> None:
    commit_counts(league, 3)
    for path in (league.folder / "data").glob("*.sst"):
        path.unlink()
    refused(league, NodeError)


def flip(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 0x20]))


def test_damage_inside_the_log_never_loses_a_block_silently(league: ToyLeague) -> None:
    kept = league.folder.with_name("kept")
    with league.open() as node:
        ids = [node.submit(league.count(f"c{number}")) for number in range(40)]
        assert {node.wait(each, 30).state for each in ids} == {"committed"}
        shutil.copytree(league.folder, kept)  # as a crash would leave it
    [log] = [path for path in (kept / "data").glob("*.log") if path.stat().st_size]
    for step in range(12):
        shutil.rmtree(league.folder)
        shutil.copytree(kept, league.folder)
        flip(league.folder / "data" / log.name, log.stat().st_size * step // 12 + 7)
        refused(league, CorruptFolderError)


def read_all(league: ToyLeague) -> list[object]:
    home = open_home(league.folder)
    storage = Storage(home.data, make_identity(home.genesis.chain, home.genesis_digest))
    try:
        storage.check_records()
        records = list(storage.records())
        return [records, [storage.block(height) for height in range(1, storage.height + 1)]]
    finally:
        storage.close()


@pytest.mark.slow
def test_damage_in_any_file_is_refused_or_harmless(league: ToyLeague) -> None:
    commit_counts(league, 40)
    whole = read_all(league)
    kept = league.folder.with_name("kept")
    shutil.copytree(league.folder, kept)
    noticed = 0
    for path in sorted((kept / "data").iterdir()):
        if path.name.startswith("LOG") or not path.stat().st_size:  # RocksDB's diary
            continue
        for step in range(8):
            shutil.rmtree(league.folder)
            shutil.copytree(kept, league.folder)
            flip(league.folder / "data" / path.name, path.stat().st_size * step // 8)
            try:
                assert read_all(league) == whole, path.name
            except NodeError:
                noticed += 1
    assert noticed > 40


def test_two_nodes_on_one_folder_are_refused(league: ToyLeague) -> None:
    with league.open() as node:
        error = refused(league, LockedFolderError)
        assert isinstance(error, LockedFolderError)
        assert error.pid == os.getpid() and str(os.getpid()) in error.text
        assert node.wait(node.submit(league.count()), 10).state == "committed"
    with league.open() as again:
        assert read_counter(again, "x") == 1


def test_settings_survive_a_round_and_refuse_unknown_names() -> None:
    assert decode_settings(encode_settings(Settings())) == Settings()
    assert decode_settings("") == Settings()
    without = Settings(index=IndexSettings(follow=False))
    assert decode_settings(encode_settings(without)) == without
    for text in ("[api]\nprot = 1\n", "[api]\nport = 70000\n", "[engine]\nheartbeat_s = 0\n", "["):
        with pytest.raises(ConfigurationError):
            decode_settings(text)


def test_default_address_is_loopback() -> None:
    assert Settings().api.host == "127.0.0.1"


def test_create_home_reads_what_it_wrote(league: ToyLeague) -> None:
    home = create_home(league.folder, league.genesis, make_key("validator"), league.registry)
    assert open_home(league.folder) == home
    assert home.validator_key().public == make_key("validator").public

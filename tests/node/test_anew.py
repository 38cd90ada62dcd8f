"""A node that begins anew: nothing of what it is or signed is lost, whenever it is cut off."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from hansa.comet.sign_state import SIGN_STATE, raise_sign_state, read_sign_state
from hansa.node import anew
from hansa.node.anew import begin_anew, is_fresh, make_whole
from hansa.node.faults import LockedFolderError
from hansa.node.home import DATA, ENGINE, KEYS, SNAPSHOTS, Home, create_home
from hansa.node.lock import FolderLock
from hansa.node.settings import EngineSettings, Settings
from hansa.testing.chain import make_key
from tests.api.league import build_genesis
from tests.api.parcels import REGISTRY

SIGNED = 77


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A rested node's home, with what its engine, its snapshots and its read model left."""
    made = make_home(tmp_path / "home")
    folder = made.folder
    engine = folder / ENGINE / "data"
    (engine / "blockstore.db").mkdir(parents=True)
    raise_sign_state(folder / ENGINE, SIGNED)
    (folder / SNAPSHOTS / "20").mkdir(parents=True)
    for name in ("index.sqlite", "index.sqlite-wal"):
        (folder / name).write_bytes(b"rows")
    return made


def make_home(folder: Path) -> Home:
    """Of a node that has never been started."""
    settings = Settings(engine=EngineSettings(kind="comet"))
    return create_home(folder, build_genesis(), make_key("validator"), REGISTRY, settings)


def read_keys(home: Home) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (home.folder / KEYS).iterdir()}


def check_anew(home: Home, keys: dict[str, bytes]) -> None:
    assert is_fresh(home)
    assert read_keys(home) == keys and len(keys) == 2
    assert [each.name for each in (home.folder / ENGINE / "data").iterdir()] == [SIGN_STATE.name]
    left = {each.name for each in home.folder.iterdir()}
    assert not {name for name in left if name.startswith(("index.", SNAPSHOTS, DATA + "."))}


def test_what_others_give_back_goes_and_what_it_signed_stays(home: Home) -> None:
    keys, signed = read_keys(home), read_sign_state(home.folder / ENGINE)
    begin_anew(home, REGISTRY, league_height=500)
    check_anew(home, keys)
    assert read_sign_state(home.folder / ENGINE) == signed, "not raised: its vote may be needed"


def test_a_lost_sign_state_silences_it_beyond_the_league(home: Home) -> None:
    """It may have voted on the block after the newest one."""
    (home.folder / ENGINE / SIGN_STATE).unlink()
    begin_anew(home, REGISTRY, league_height=500)
    assert read_sign_state(home.folder / ENGINE)[0] == 501


@pytest.mark.parametrize("cut", range(8))
def test_cut_off_anywhere_it_can_be_repeated(
    home: Home, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, signed = read_keys(home), read_sign_state(home.folder / ENGINE)
    steps = 0
    real = anew._drop

    def drop(entry: Path) -> None:
        nonlocal steps
        if steps == cut:
            raise KeyboardInterrupt
        steps += 1
        real(entry)

    with monkeypatch.context() as patch:
        patch.setattr(anew, "_drop", drop)
        try:
            begin_anew(home, REGISTRY, league_height=500)
        except KeyboardInterrupt:
            assert read_sign_state(home.folder / ENGINE) == signed
    begin_anew(home, REGISTRY, league_height=500)
    check_anew(home, keys)
    assert read_sign_state(home.folder / ENGINE) == signed


@pytest.mark.parametrize("damage", ["gone", "no database", "foreign file"])
def test_damaged_data_is_no_hindrance(home: Home, damage: str) -> None:
    keys = read_keys(home)
    if damage == "no database":
        (home.data / "CURRENT").write_bytes(b"?")
    else:
        shutil.rmtree(home.data)
    if damage == "foreign file":
        home.data.write_bytes(b"a file where a folder was")
    begin_anew(home, REGISTRY, league_height=500)
    check_anew(home, keys)


def test_a_running_node_is_left_alone(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    lock = FolderLock(home.folder)
    before = sorted(home.folder.rglob("*"))
    calls: list[Any] = [lambda: begin_anew(home, REGISTRY, league_height=5), lambda: is_fresh(home)]
    for call in calls:
        with pytest.raises(LockedFolderError):
            call()
    assert sorted(home.folder.rglob("*")) == before
    lock.release()


def test_a_home_without_data_gets_the_state_of_its_genesis(home: Home) -> None:
    make_whole(home, REGISTRY)
    assert is_fresh(home)
    shutil.rmtree(home.data)
    make_whole(home, REGISTRY)
    assert is_fresh(home)

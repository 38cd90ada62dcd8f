"""Killed at changes of the disk, back-up and restore leave nothing half: it is there whole, or not
at all, the node is untouched, and doing it again does it.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hansa.cli.backups.reading import Backup
from hansa.vault.vault import Vault
from tests.backups.pieces import WORDS, back_up, bring_back, tell
from tests.cli.processes import ROOT
from tests.node.league import ToyLeague

pytestmark = pytest.mark.slow
PLACES = 10


class Victims:
    """Processes that die when they are told."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.backups.victim"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, what: str, source: Path, target: Path, kill_at: int = 0) -> int | None:
        """How many changes of the disk it made; None when it was killed."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{what}\t{source}\t{target}\t{kill_at}\n")
        self._process.stdin.flush()
        changes = None
        while not (line := self._process.stdout.readline()).startswith("ended"):
            assert line, "the victims' process is gone"
            changes = int(line.split()[1])
        assert line.split()[1] == ("0" if changes else "9"), line
        return changes

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)


@pytest.fixture
def victims(tmp_path: Path) -> Iterator[Victims]:
    made = Victims()
    yield made
    made.close()
    for mirror in Path("/dev/shm").glob("hansa-*"):  # of those that died while they read
        if any(tmp_path in file.readlink().parents for file in mirror.glob("*.log")):
            shutil.rmtree(mirror)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with some blocks and a vault."""
    league = ToyLeague(tmp_path / "home")
    league.create()
    with league.open() as node:
        for number in range(5):
            node.wait(node.submit(league.count(f"x{number}")), 60)
    (league.folder / "vault").mkdir()
    vault = Vault.open_or_create(league.folder / "vault" / "alice")
    vault.put(b"kept")
    vault.erase(vault.put(b"gone").id)
    return league.folder


def list_places(changes: int | None) -> list[int]:
    assert changes is not None and changes > PLACES
    return sorted({*range(1, changes + 1, changes // PLACES), changes - 1, changes})


def read_tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".backup" not in path.parts and path.name != ".lock"
    }


def test_a_back_up_that_was_killed_is_whole_or_not_there(
    home: Path, tmp_path: Path, victims: Victims
) -> None:
    file = tmp_path / "file"
    before = read_tree(home)
    places = list_places(victims.run("make", home, tmp_path / "calm"))
    for place in places:
        assert victims.run("make", home, file, place) is None
        assert read_tree(home) == before, place
        if file.exists():
            with Backup(file) as opened:
                opened.unlock(WORDS)
                opened.check(tell)
            file.unlink()
    back_up(home, file, WORDS)
    left = {each.name for each in tmp_path.iterdir()}
    assert left == {"home", "calm", "file"}
    assert not (home / ".backup").exists()


def test_a_restore_that_was_killed_left_nothing_under_its_name(
    home: Path, tmp_path: Path, victims: Victims
) -> None:
    file = back_up(home, tmp_path / "file", WORDS).file
    places = list_places(victims.run("restore", file, tmp_path / "calm"))
    again = tmp_path / "again"
    for place in places:
        assert victims.run("restore", file, again, place) is None
        if again.exists():  # killed after the last step
            assert read_tree(again).keys() == read_tree(tmp_path / "calm").keys(), place
            shutil.rmtree(again)
    assert bring_back(file, again, WORDS).vaults == ("alice",)
    vault = Vault.open(again / "vault" / "alice")
    assert [vault.get(entry) for entry in vault.list()] == [b"kept"]
    assert len(vault.erased) == 1
    assert {each.name for each in tmp_path.iterdir()} == {"home", "file", "calm", "again"}

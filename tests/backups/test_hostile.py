"""A file that is torn, altered or made to harm is refused by name, before anything is written."""

from pathlib import Path

import pytest

from hansa.cli.backups.faults import (
    Altered,
    BackupError,
    NotABackup,
    NotSealed,
    NotTheState,
    TargetTaken,
    Torn,
    UnsafeName,
    WrongPassphrase,
)
from hansa.cli.backups.form import HEAD, TRAILER, Entry, Lock
from hansa.cli.backups.reading import Backup
from tests.backups.pieces import WORDS, back_up, bring_back, make_up
from tests.node.league import ToyLeague

HARMFUL = (
    "../outside",
    "data/../../outside",
    "/etc/outside",
    "data//x",
    "data/./x",
    "data/",
    "..",
    "C:\\outside",
    "data\\..\\x",
    "data/a\x00b",
    "data/a\nb",
    "elsewhere/x",
    ".ssh/authorized_keys",
    "data/" + "x" * 201,
    "data/" + "y/" * 300 + "z",
)


@pytest.mark.parametrize("path", HARMFUL)
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    file = make_up(tmp_path / "file", [(path, b"harm")])
    with pytest.raises(UnsafeName):
        Backup(file)
    with pytest.raises(UnsafeName):
        bring_back(file, tmp_path / "home")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "paths",
    [("data/x", "data/x"), ("data/y", "data/x"), ("data", "data/x"), ("keys/a", "keys/a/b")],
)
def test_a_path_twice_or_as_file_and_folder_is_refused(
    tmp_path: Path, paths: tuple[str, ...]
) -> None:
    file = make_up(tmp_path / "file", [(path, b"x") for path in paths])
    with pytest.raises(UnsafeName):
        Backup(file)


@pytest.mark.parametrize("size", [2**62, 10**12, 0, -1])
def test_a_size_that_is_not_the_files_is_refused(tmp_path: Path, size: int) -> None:
    told = (Entry("data/x", size, "00" * 32),)
    file = make_up(tmp_path / "file", [("data/x", b"short")], files=told)
    with pytest.raises((Torn, Altered)):
        Backup(file)


def test_a_list_longer_than_the_file_is_refused_unread(tmp_path: Path) -> None:
    file = make_up(tmp_path / "file", [])
    data = file.read_bytes()
    _length, *rest = TRAILER.unpack(data[-TRAILER.size :])
    file.write_bytes(data[: -TRAILER.size] + TRAILER.pack(2**60, *rest))
    with pytest.raises(Altered):
        Backup(file)


@pytest.mark.parametrize("data", [b"", b"hansa", b"PK\x03\x04" * 100, HEAD, HEAD + bytes(200)])
def test_other_files_are_no_back_up(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises((NotABackup, Torn)):
        Backup(tmp_path / "file")


def test_a_lock_that_asks_for_too_much_work_is_refused(tmp_path: Path) -> None:
    lock = Lock(2**30, 8, 1, "A" * 22)
    with Backup(make_up(tmp_path / "file", [], lock=lock)) as opened, pytest.raises(NotABackup):
        opened.unlock(WORDS)


def test_a_passphrase_for_what_has_none_is_refused(tmp_path: Path) -> None:
    """Somebody may have taken the seal away."""
    with Backup(make_up(tmp_path / "file", [])) as opened, pytest.raises(NotSealed):
        opened.unlock(WORDS)


def test_a_later_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotABackup):
        Backup(make_up(tmp_path / "file", [], kind="hansa.backup/2"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed back-up of a league with some blocks."""
    folder = tmp_path_factory.mktemp("made")
    league = ToyLeague(folder / "home")
    league.create()
    with league.open() as node:
        for number in range(5):
            node.wait(node.submit(league.count(f"x{number}")), 60)
    return back_up(folder / "home", folder / "file", WORDS).file


@pytest.mark.slow
def test_a_file_that_was_cut_is_refused(made: Path, tmp_path: Path) -> None:
    data = made.read_bytes()
    for size in [*range(0, len(data), len(data) // 97), *range(len(data) - 130, len(data))]:
        (tmp_path / "file").write_bytes(data[:size])
        with pytest.raises((Torn, NotABackup)):
            Backup(tmp_path / "file")
    (tmp_path / "file").write_bytes(data + b"\n")
    with pytest.raises(Torn):
        Backup(tmp_path / "file")


@pytest.mark.slow
def test_every_altered_byte_is_found_and_nothing_is_written(made: Path, tmp_path: Path) -> None:
    data = made.read_bytes()
    mac = range(len(data) - 17 - 32, len(data) - 17)  # only who has the passphrase can judge it
    places = {*range(0, len(data), 499), *range(len(data) - TRAILER.size, len(data))} - {*mac}
    for place in sorted(places):
        changed = bytearray(data)
        changed[place] ^= 0x40
        (tmp_path / "file").write_bytes(changed)
        with pytest.raises(BackupError):
            bring_back(tmp_path / "file", tmp_path / "home")
        assert [each.name for each in tmp_path.iterdir()] == ["file"], place


@pytest.mark.slow
def test_wrong_passphrase_and_a_list_written_by_another_are_refused(
    made: Path, tmp_path: Path
) -> None:
    with pytest.raises(WrongPassphrase):
        bring_back(made, tmp_path / "home", "correct house")
    changed = bytearray(made.read_bytes())
    changed[-17 - 1] ^= 1
    (tmp_path / "file").write_bytes(changed)
    with pytest.raises(WrongPassphrase):
        bring_back(tmp_path / "file", tmp_path / "home", WORDS)
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_nothing_is_overwritten(made: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "mine").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for target in ("home", "file", "link"):
        with pytest.raises(TargetTaken):
            bring_back(made, tmp_path / target)
    with pytest.raises(TargetTaken):
        back_up(made.parent / "home", tmp_path / "file")
    assert (tmp_path / "home" / "mine").read_text() == "mine"
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.slow
def test_a_list_that_tells_of_another_state_is_refused(made: Path, tmp_path: Path) -> None:
    with Backup(made) as opened:
        listing = opened.listing
        content = [
            (entry.path, b"".join(opened.read(entry, offset)))
            for entry, offset in opened.entries()
            if not entry.sealed
        ]
    same = {"chain": listing.chain, "genesis": listing.genesis, "root": listing.root}
    for wrong in (
        {**same, "height": listing.height + 1},
        {**same, "height": listing.height, "root": "11" * 32},
        {**same, "height": listing.height, "genesis": "11" * 32},
        {**same, "height": listing.height, "engine": "comet"},
    ):
        file = make_up(tmp_path / "file", content, **wrong)
        with pytest.raises(NotTheState):
            bring_back(file, tmp_path / "home")
        assert [each.name for each in tmp_path.iterdir()] == ["file"]

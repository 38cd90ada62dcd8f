"""The sockets' folder: short, ours, closed to others, whatever lies there before."""

import os
import socket
from pathlib import Path

import pytest

from hansa.comet.faults import SocketFolderError
from hansa.comet.sockets import PATH_BYTES_MAX, close_sockets, locate_sockets, open_sockets


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of the test's own."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder


def test_a_deep_home_has_short_sockets_of_its_own(tmp_path: Path, runtime: Path) -> None:
    deep = tmp_path / ("a" * 100) / ("b" * 100)
    deep.mkdir(parents=True)
    sockets = open_sockets(deep)
    assert len(os.fsencode(sockets.abci)) <= PATH_BYTES_MAX
    assert sockets.folder.parent == runtime
    assert sockets.folder.stat().st_mode & 0o777 == 0o700
    assert sockets.folder != locate_sockets(tmp_path).folder


def test_one_home_has_one_place_however_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to("home")
    assert locate_sockets(tmp_path / "link") == locate_sockets(tmp_path / "home")


def test_left_over_sockets_are_removed_and_a_second_opening_is_well(tmp_path: Path) -> None:
    sockets = open_sockets(tmp_path)
    for path in (sockets.abci, sockets.rpc):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
    assert open_sockets(tmp_path) == sockets
    assert list(sockets.folder.iterdir()) == []
    close_sockets(sockets)
    assert not sockets.folder.exists()
    close_sockets(sockets)


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    folder = locate_sockets(tmp_path).folder
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SocketFolderError, match="not a folder of this user"):
        open_sockets(tmp_path)


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    locate_sockets(tmp_path).folder.write_text("")
    with pytest.raises(SocketFolderError):
        open_sockets(tmp_path)


def test_another_users_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # To somebody else, our folders are another user's: in /tmp one can be there first.
    monkeypatch.setattr(os, "getuid", lambda: 12_345_678)
    folder = locate_sockets(tmp_path).folder
    assert folder.parent == Path("/tmp")
    folder.mkdir()
    try:
        with pytest.raises(SocketFolderError, match="not a folder of this user"):
            open_sockets(tmp_path)
    finally:
        folder.rmdir()


def test_an_open_folder_of_ours_is_closed_to_others(tmp_path: Path) -> None:
    folder = locate_sockets(tmp_path).folder
    folder.mkdir()
    folder.chmod(0o777)
    open_sockets(tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_runtime_folder_that_is_missing_gives_way_to_tmp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in (str(tmp_path / "none"), "relative", ""):
        monkeypatch.setenv("XDG_RUNTIME_DIR", value)
        assert locate_sockets(tmp_path).folder.parent == Path("/tmp")


def test_a_runtime_folder_with_too_long_a_name_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    with pytest.raises(SocketFolderError, match="too long"):
        open_sockets(tmp_path)

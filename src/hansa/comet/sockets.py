"""Where the sockets between a node and its engine lie: short paths in a folder of this user alone.

A unix socket's path has at most 107 bytes, so it cannot lie in a deep home folder. Touches that
folder only.
"""

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from hansa.comet.faults import SocketFolderError

PATH_BYTES_MAX: Final = 107
_NAME_DIGITS: Final = 12


class Sockets(NamedTuple):
    """The two sockets of one node home."""

    folder: Path
    abci: Path
    rpc: Path


def locate_sockets(home: Path) -> Sockets:
    """Where the sockets of the node of `home` are; makes nothing."""
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:_NAME_DIGITS]
    folder = _find_parent() / f"hansa-{os.getuid()}-{digest}"
    return Sockets(folder, folder / "abci.sock", folder / "rpc.sock")


def open_sockets(home: Path) -> Sockets:
    """Make the folder, for this user's eyes only, and remove sockets that a killed node left.

    Call it while holding the lock of `home`. Raises SocketFolderError: somebody else's folder or
    link lies there, or it cannot be made.
    """
    sockets = locate_sockets(home)
    folder = sockets.folder
    if len(os.fsencode(sockets.abci)) > PATH_BYTES_MAX:
        raise SocketFolderError(
            f"the path of the socket {sockets.abci} is too long",
            "Set XDG_RUNTIME_DIR to a short folder of yours, such as /run/user/1000.",
        )
    try:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        _check_private(folder)
        for path in (sockets.abci, sockets.rpc):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise SocketFolderError(
            f"there is no place for sockets at {folder}: {error.strerror}",
            "Set XDG_RUNTIME_DIR to a folder that this user may write.",
        ) from error
    return sockets


def close_sockets(sockets: Sockets) -> None:
    """Remove the sockets and their folder; what is gone already is well."""
    with suppress(OSError):
        for path in (sockets.abci, sockets.rpc):
            path.unlink(missing_ok=True)
        sockets.folder.rmdir()


def _find_parent() -> Path:
    """XDG_RUNTIME_DIR when it is this user's own and absolute, else /tmp."""
    named = os.environ.get("XDG_RUNTIME_DIR", "")
    if named.startswith("/"):
        with suppress(OSError):
            found = os.stat(named)  # noqa: PTH116
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
                return Path(named)
    return Path("/tmp")  # noqa: S108


def _check_private(folder: Path) -> None:
    """A real folder (no link), of this user, closed to others. In /tmp anybody can be first."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise SocketFolderError(
            f"{folder} is there, but it is not a folder of this user",
            f"Find out whose it is (ls -ld {folder}) and have it removed, or set XDG_RUNTIME_DIR "
            "to a folder of yours.",
        )
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        folder.chmod(0o700)

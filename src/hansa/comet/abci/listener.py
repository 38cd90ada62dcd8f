"""The unix socket that only this user can reach: made, taken over from a dead node, removed.

Touches the socket file and its folder.
"""

import os
import socket
import stat
from pathlib import Path
from typing import Final

PATH_BYTES_MAX: Final = 107  # sun_path has 108 bytes, one is the end


class SocketRefused(Exception):
    """The socket cannot be made there safely; the message says why and what to do."""


def open_listener(path: Path, backlog: int = 64) -> socket.socket:
    """A listening socket at `path` (mode 0600); its folder is made 0700 when it is missing.

    Raises `SocketRefused` when the folder is open to others, something else lies at `path`, or
    somebody listens there already.
    """
    if len(os.fsencode(path)) > PATH_BYTES_MAX:
        raise SocketRefused(f"{path} is too long for a socket (at most {PATH_BYTES_MAX} bytes)")
    _make_private(path.parent)
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(os.fspath(path))
        path.chmod(0o600)
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener


def remove_socket(path: Path, inode: int) -> None:
    """Remove the socket file when it is still the one with `inode`."""
    try:
        if path.lstat().st_ino == inode:
            path.unlink()
    except FileNotFoundError:
        return


def _make_private(folder: Path) -> None:
    """The folder exists, is this user's and nobody else can enter it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise SocketRefused(f"{folder} is not a folder of this user; remove it")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise SocketRefused(f"{folder} is open to other users; say: chmod 700 {folder}")


def _remove_stale(path: Path) -> None:
    """Remove a socket file that nobody listens at."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise SocketRefused(f"{path} is not a socket; remove it")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise SocketRefused(f"{path} does not answer: {error}") from error
    raise SocketRefused(f"another node listens at {path}; stop it first")

"""One folder, one node: a lock of the operating system that dies with its process.

POSIX only (flock). The file also says who holds it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from hansa.node.faults import LockedFolderError, StorageError

LOCK_FILE: Final = "node.lock"


class FolderLock:
    """Holds a folder until `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        """Take the lock. Raises LockedFolderError with the other's pid."""
        path = folder / LOCK_FILE
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(
                f"{path} cannot be opened: {error.strerror}",
                "See that the home folder exists and belongs to this user.",
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = _read_pid(self._descriptor)
            os.close(self._descriptor)
            raise LockedFolderError(folder, pid) from error
        # Who holds it is a courtesy: a full disk may refuse it, the lock holds all the same.
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the folder back."""
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def find_holder(folder: Path) -> int | None:
    """Pid of the process that holds `folder` (0: unknown), None when nobody does."""
    try:
        with held_for_reading(folder):
            return None
    except LockedFolderError as error:
        return error.pid


@contextmanager
def held_for_reading(folder: Path) -> Iterator[None]:
    """Keep nodes off `folder`, beside others who only read it; writes and makes no file.

    Raises LockedFolderError.
    """
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # no node ever ran on it
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockedFolderError(folder, _read_pid(descriptor)) from error
        yield
    finally:
        os.close(descriptor)


def _read_pid(descriptor: int) -> int:
    text = os.pread(descriptor, 20, 0).strip()
    return int(text) if text.isdigit() else 0

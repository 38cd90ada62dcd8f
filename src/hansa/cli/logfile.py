"""A log file that does not fill the disk: at its limit it becomes `NAME.1`, a new one begins."""

import contextlib
import errno
import io
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self, TextIO, cast

from hansa.client.files import FileError

LOG: Final = "node.log"

# With the one kept before it: at most twice this much, weeks of a busy node.
LOG_BYTES_MAX: Final = 16_000_000


class CappedFile(io.TextIOBase):
    """Text written line by line; used by one process.

    Once it is open, writing never raises: a full disk costs lines of the log, not answers. How many
    were lost is said in the next line that finds room.
    """

    def __init__(self, path: Path, bytes_max: int = LOG_BYTES_MAX) -> None:
        self._path = path
        self._bytes_max = bytes_max
        self._lost = 0
        self._lock = threading.Lock()
        try:
            self._file = _open(path)
        except OSError as error:
            raise FileError(
                f"cannot write the log {path}: {error.strerror}", "name another: --log FILE"
            ) from error

    def write(self, text: str) -> int:
        """Append; begin anew when the limit is reached."""
        with self._lock:
            try:
                self._append(text.encode("utf-8", "backslashreplace"))
            except (OSError, ValueError):  # no room; or closed: the node's last words at its end
                self._lost += text.count("\n")
        return len(text)

    def _append(self, data: bytes) -> None:
        if self._lost:
            note = json.dumps({"event": "log_lines_lost", "level": "warning", "lines": self._lost})
            self._put(f"{note}\n".encode())
            self._lost = 0
        self._put(data)
        if self._file.tell() >= self._bytes_max:
            self._file.close()
            try:
                self._path.replace(self._path.with_name(self._path.name + ".1"))
            finally:
                self._file = _open(self._path)

    def _put(self, data: bytes) -> None:
        """All of `data`, or none of it."""
        began = self._file.seek(0, os.SEEK_END)
        try:
            written = self._file.write(data)
        except OSError:
            self._file.truncate(began)
            raise
        if written != len(data):
            self._file.truncate(began)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open(path: Path) -> io.FileIO:
    """Unbuffered: what could not be written is not kept to be written later."""
    return io.FileIO(path, "a")


@contextlib.contextmanager
def open_log(folder: Path, path: Path | None = None) -> Iterator[None]:
    """Send the log of a league's node to a file: `node.log` in its folder unless named."""
    from hansa.node.logs import configure_logs

    if not folder.is_dir():
        raise FileError(f"there is no folder {folder}", f"make a league: hansa init {folder}")
    with CappedFile(path or folder / LOG) as stream:
        configure_logs(cast("TextIO", stream))
        yield

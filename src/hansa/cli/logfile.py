"""A log file that does not fill the disk: at its limit it becomes `NAME.1`, a new one begins."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self, TextIO, cast

from hansa.client.files import FileError

LOG: Final = "node.log"

# With the one kept before it: at most twice this much, weeks of a busy node.
LOG_BYTES_MAX: Final = 16_000_000


class CappedFile(io.TextIOBase):
    """Text written line by line; used by one process."""

    def __init__(self, path: Path, bytes_max: int = LOG_BYTES_MAX) -> None:
        self._path = path
        self._bytes_max = bytes_max
        try:
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise FileError(
                f"cannot write the log {path}: {error.strerror}", "name another: --log FILE"
            ) from error

    def write(self, text: str) -> int:
        """Append; begin anew when the limit is reached."""
        written = self._file.write(text)
        self._file.flush()
        if self._file.tell() >= self._bytes_max:
            self._file.close()
            self._path.replace(self._path.with_name(self._path.name + ".1"))
            self._file = self._path.open("a", encoding="utf-8")
        return written

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def open_log(folder: Path, path: Path | None = None) -> Iterator[None]:
    """Send the log of a league's node to a file: `node.log` in its folder unless named."""
    from hansa.node.logs import configure_logs

    if not folder.is_dir():
        raise FileError(f"there is no folder {folder}", f"make a league: hansa init {folder}")
    with CappedFile(path or folder / LOG) as stream:
        configure_logs(cast("TextIO", stream))
        yield

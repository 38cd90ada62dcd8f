"""Notebooks: what an application's routes must remember on this node, in one SQLite file.

Beside the read model, not in it: nothing here can be followed again from blocks, so each change is
synced. Touches that file only.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hansa.index.faults import IndexFault

FILE: Final = "notebook.sqlite"
# A name is an address of a few words: 100 characters of any script, escaped (1,200), and what
# stands before them. A value is at most a job with its document.
NAME_MAX: Final = 1_400
VALUE_BYTES_MAX: Final = 32_000_000
_END: Final = "\U0010ffff"
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS notes "
    "(app TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (app, name)) "
    "WITHOUT ROWID"
)


class NotebookFault(IndexFault):
    """The notebook cannot be read or written."""


class Notebooks:
    """The file; used from any thread, one at a time. Without a path it lives in memory only."""

    def __init__(self, path: Path | None) -> None:
        """Raises NotebookFault."""
        self._lock = threading.Lock()
        with _map_faults():
            if path is not None and not path.exists():
                path.touch(mode=0o600)
            self._connection = sqlite3.connect(
                str(path) if path is not None else ":memory:",
                check_same_thread=False,
                isolation_level=None,
                timeout=10,
            )
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute(_TABLE)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def of(self, application: str) -> "AppNotebook":
        """The notebook of one application."""
        return AppNotebook(self, application)

    def read(self, app: str, name: str) -> bytes | None:
        """One value."""
        with self._lock, _map_faults():
            found = self._connection.execute(
                "SELECT value FROM notes WHERE app = ? AND name = ?", (app, name)
            ).fetchone()
        return None if found is None else bytes(found[0])

    def list(self, app: str, prefix: str, after: str, limit: int) -> list[tuple[str, bytes]]:
        """Names with values."""
        with self._lock, _map_faults():
            rows = self._connection.execute(
                "SELECT name, value FROM notes WHERE app = ? AND name >= ? AND name < ? "
                "AND name > ? ORDER BY name LIMIT ?",
                (app, prefix, prefix + _END, after, limit),
            ).fetchall()
        return [(str(name), bytes(value)) for name, value in rows]

    def update(self, app: str, name: str, value: bytes) -> bool:
        """Whether there was such a name to write."""
        with self._lock, _map_faults():
            done = self._connection.execute(
                "UPDATE notes SET value = ? WHERE app = ? AND name = ?", (value, app, name)
            )
        return done.rowcount == 1

    def change(self, app: str, puts: Mapping[str, bytes], deletes: Sequence[str]) -> None:
        """All of it, durably, or nothing."""
        for name, value in puts.items():
            if not 0 < len(name) <= NAME_MAX or len(value) > VALUE_BYTES_MAX:
                raise ValueError("a name or value of impossible size")
        with self._lock, _map_faults(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "DELETE FROM notes WHERE app = ? AND name = ?", [(app, name) for name in deletes]
            )
            self._connection.executemany(
                "INSERT INTO notes VALUES (?, ?, ?) "
                "ON CONFLICT (app, name) DO UPDATE SET value = excluded.value",
                [(app, name, value) for name, value in puts.items()],
            )


class AppNotebook:
    """The notebook of one application (`appkit.route.Notebook`)."""

    def __init__(self, notebooks: Notebooks, application: str) -> None:
        self._notebooks, self._application = notebooks, application

    def get(self, name: str) -> bytes | None:
        """The value, None when there is none."""
        return self._notebooks.read(self._application, name)

    def change(self, puts: Mapping[str, bytes], deletes: Sequence[str] = ()) -> None:
        """Write and delete in one durable step."""
        self._notebooks.change(self._application, puts, deletes)

    def update(self, name: str, value: bytes) -> bool:
        """Write a name that is there; False when it is gone."""
        return self._notebooks.update(self._application, name, value)

    def list(self, prefix: str, after: str = "", limit: int = 100) -> list[tuple[str, bytes]]:
        """Names that begin with `prefix`, beyond `after`, in order."""
        return self._notebooks.list(self._application, prefix, after, limit)


@contextmanager
def _map_faults() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise NotebookFault(
            "api.notebook",
            f"the notebook of this node cannot be used ({type(error).__name__})",
            "see that the disk has space and lets this user write; hansa doctor names more",
        ) from error

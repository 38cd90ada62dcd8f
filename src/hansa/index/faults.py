"""Faults of the read model: the database failed, or is another's. The chain goes on."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

DAMAGED: Final = "index.damaged"
FOREIGN: Final = "index.foreign"
ABSENT: Final = "index.absent"
# What SQLite says of a file that is not, or no longer, a database.
_DAMAGES: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class IndexFault(Exception):
    """The read model cannot answer now. `hint` says what to do; `code` is stable."""

    def __init__(self, code: str, text: str, hint: str) -> None:
        super().__init__(text)
        self.code = code
        self.hint = hint

    def diagnostics(self) -> dict[str, str]:
        """What `hansa doctor` shows."""
        return {"code": self.code, "text": str(self), "hint": self.hint}


@contextmanager
def map_database_errors() -> Iterator[None]:
    """Raise IndexFault for whatever the database driver raises."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        if _is_damage(cause):
            raise IndexFault(
                DAMAGED,
                f"the read model's file is damaged ({cause})",
                "stop the league and run: hansa index rebuild DIR",
            ) from error
        raise IndexFault(
            "index.database",
            f"the read model's database failed ({type(cause).__name__})",
            "check that the database runs and has room; the ledger itself goes on",
        ) from error


def _is_damage(cause: BaseException) -> bool:
    """Whether the file itself is broken (extended codes have the kind in their low byte)."""
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _DAMAGES

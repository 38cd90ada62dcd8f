"""Faults of the read model: the database failed, or is another's. The chain goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError


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
        raise IndexFault(
            "index.database",
            f"the read model's database failed ({type(cause).__name__})",
            "check that the database runs and has room; the ledger itself goes on",
        ) from error

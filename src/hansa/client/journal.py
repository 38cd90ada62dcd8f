"""A small durable dictionary on disk: what long work has done, so that it can go on after a crash.

Append-only JSON lines, each synced before `set` returns; a torn last line is dropped when opened.
One process at a time holds it.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hansa.client.faults import ClientError


class JournalBusy(ClientError):
    """Another process works with this journal."""

    CODE = "client.journal_busy"


class Journal:
    """Values by name; the last one set wins. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise JournalBusy(
                "the same work is under way in another process", "wait for it, or stop it first"
            ) from None
        self._values = self._load()

    def _load(self) -> dict[str, Any]:
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(self._handle, whole)
        values: dict[str, Any] = {}
        for number, line in enumerate(data[:whole].splitlines(), start=1):
            try:
                name, value = json.loads(line)
                values[name] = value
            except (ValueError, TypeError) as error:
                raise ClientError(
                    f"line {number} of the journal {self.path} is damaged",
                    "move it away; a number that was issued is refused the second time",
                ) from error
        return values

    def get(self, name: str) -> Any:
        """The value, None when there is none."""
        return self._values.get(name)

    def set(self, name: str, value: Any) -> None:
        """Store durably: when this returns, a crash does not lose it."""
        self.update({name: value})

    def update(self, values: Mapping[str, Any]) -> None:
        """Store several in one durable write; a crash keeps the first of them, in order."""
        lines = [json.dumps([name, value], ensure_ascii=True) for name, value in values.items()]
        rest = memoryview("".join(f"{line}\n" for line in lines).encode())
        while rest:
            rest = rest[os.write(self._handle, rest) :]
        os.fsync(self._handle)
        self._values.update(values)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._values))

    def __len__(self) -> int:
        return len(self._values)

    def close(self) -> None:
        """Let another process have it."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

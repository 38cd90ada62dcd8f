"""Committed records in memory: what is read again and again. Touches nothing else.

Accounts, members, grants and parameters are read for each transaction; memory answers in a tenth of
the engine's time.
"""

import threading
from collections.abc import Callable
from typing import Final

# Two generations of this size at most; a record that is not read for a generation is forgotten.
GENERATION_BYTES: Final = 24 * 2**20
# Memory of one entry beside key and value.
ENTRY_BYTES: Final = 200


class _Unknown:
    """Neither a value nor known to be absent."""


_UNKNOWN: Final = _Unknown()


class RecordCache:
    """Keys to values (None: known to be absent). Reads from any thread, one writer."""

    def __init__(self, load: Callable[[bytes], bytes | None]) -> None:
        self._load = load
        self._young: dict[bytes, bytes | None] = {}
        self._old: dict[bytes, bytes | None] = {}
        self._bytes = 0
        self._version = 0
        self._lock = threading.Lock()

    def get(self, key: bytes) -> bytes | None:
        """The committed value."""
        value = self._young.get(key, _UNKNOWN)
        if not isinstance(value, _Unknown):
            return value
        version = self._version
        value = self._old.get(key, _UNKNOWN)
        if isinstance(value, _Unknown):
            value = self._load(key)
        with self._lock:
            if version == self._version:  # else the value may be that of the version before
                self._keep(key, value)
        return value

    def apply(self, changes: tuple[tuple[bytes, bytes | None], ...]) -> None:
        """Become the version after `changes`, which are already stored."""
        with self._lock:
            self._version += 1
            for key, value in changes:
                self._old.pop(key, None)
                self._keep(key, value)

    def _keep(self, key: bytes, value: bytes | None) -> None:
        self._young[key] = value
        self._bytes += ENTRY_BYTES + len(key) + (len(value) if value else 0)
        if self._bytes > GENERATION_BYTES:
            self._old, self._young, self._bytes = self._young, {}, 0

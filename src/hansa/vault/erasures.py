"""The journal of erasures: ids only, appended and synced before anything is destroyed.

It lies beside the vault's folder, not in it, so that restoring the folder from an old back-up can't
take it back; every opening applies it again (D8).
"""

import os
import re
from pathlib import Path

from hansa.vault.faults import CorruptVaultError
from hansa.vault.files import map_faults

_ID = re.compile(rb"[0-9a-f]{32}\Z")
_LINE_BYTES = 33


class Erasures:
    """The ids in a journal file. Reads again what other processes appended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ids: set[str] = set()
        self._read_bytes = 0

    def ids(self) -> frozenset[str]:
        """Every erased id. Raises CorruptVaultError for a journal that something else wrote."""
        with map_faults("read the journal of erasures"):
            try:
                with self._path.open("rb") as stream:
                    if os.fstat(stream.fileno()).st_size < self._read_bytes:
                        self._read_bytes = 0  # replaced by an older one: what we know stays
                    stream.seek(self._read_bytes)
                    data = stream.read()
            except FileNotFoundError:
                return frozenset(self._ids)
        whole = len(data) - len(data) % _LINE_BYTES
        for start in range(0, whole, _LINE_BYTES):
            line = data[start : start + _LINE_BYTES]
            if line[-1:] != b"\n" or _ID.match(line[:-1]) is None:
                raise CorruptVaultError(
                    f"{self._path.name} has a line that is no erasure",
                    "restore the newest copy of this file; nothing was erased by it",
                )
            self._ids.add(line[:-1].decode())
        self._read_bytes += whole
        return frozenset(self._ids)

    def add(self, identity: str) -> None:
        """Append an id and sync; the caller holds the vault's lock alone. Safe twice."""
        if identity in self.ids():
            return
        with map_faults("write the journal of erasures"):
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "r+b") as stream:
                # a line that a power cut tore was never acted on: write over it
                end = os.fstat(stream.fileno()).st_size // _LINE_BYTES * _LINE_BYTES
                stream.seek(end)
                stream.write(identity.encode() + b"\n")
                stream.truncate()
                stream.flush()
                os.fsync(stream.fileno())
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        self._ids.add(identity)

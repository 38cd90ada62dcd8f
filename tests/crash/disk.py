"""A disk that forgets what was not synced: plays a shim's journal and says what a power cut leaves.

Strict: a file's bytes are durable by fsync or fdatasync of that file (or at once when it was opened
with O_SYNC or O_DSYNC); a name is durable by fsync of its folder.
"""

import os
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

# What is found after the stop. dropped: only what was synced. kept: all that was written (kill -9).
# torn: what was synced, and of the writes after that the first half, the last of them cut in two.
Variant = Literal["dropped", "kept", "torn"]

HEAD = struct.Struct("=ciqq")


@dataclass
class File:
    """Bytes now, durable bytes, and the writes in between."""

    now: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        self._apply(self.now, offset, data)
        self.pending.append((offset, data))

    def truncate(self, size: int) -> None:
        self._apply(self.now, size, None)
        self.pending.append((size, None))

    def sync(self) -> None:
        self.durable, self.pending = bytes(self.now), []

    def found(self, variant: Variant) -> bytes:
        if variant == "kept":
            return bytes(self.now)
        left = bytearray(self.durable)
        if variant == "torn" and self.pending:
            half = (len(self.pending) - 1) // 2
            for offset, data in self.pending[:half]:
                self._apply(left, offset, data)
            offset, data = self.pending[half]
            self._apply(left, offset, None if data is None else data[: (len(data) + 1) // 2])
        return bytes(left)

    @staticmethod
    def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        if data is None:
            del content[offset:]
        else:
            content[offset : offset + len(data)] = data


@dataclass
class Folder:
    """Names now, and durable names."""

    now: dict[str, "File | Folder"] = field(default_factory=dict)
    durable: dict[str, "File | Folder"] = field(default_factory=dict)

    def sync(self) -> None:
        self.durable = dict(self.now)


class Disk:
    """One folder `root`; `start` holds what was durable in it at the beginning."""

    def __init__(self, root: Path, start: Path | None) -> None:
        self.root = root
        self.top = Folder() if start is None else load_folder(start)
        self._open: dict[int, File | Folder] = {}
        self._at_once: set[int] = set()
        self.changes = 0

    def play(self, journal: bytes) -> bool:
        """Apply a journal; whether it ends by a kill."""
        place, killed = 0, False
        while place < len(journal):
            kind, serial, offset, size = HEAD.unpack_from(journal, place)
            place += HEAD.size
            data = journal[place : place + size]
            place += size
            killed = kind == b"K"
            if not killed:
                self._step(kind, serial, offset, data)
        return killed

    def write_out(self, target: Path, variant: Variant) -> None:
        """What is found on the disk after the stop."""
        write_folder(self.top, target, variant)

    def _step(self, kind: bytes, serial: int, offset: int, data: bytes) -> None:
        self.changes += 1
        if kind == b"O":
            self._open_path(serial, offset, data.decode())
        elif kind == b"W":
            self._file(serial).write(offset, data)
            self._sync_at_once(serial)
        elif kind == b"T":
            self._file(serial).truncate(offset)
            self._sync_at_once(serial)
        elif kind == b"S":
            self._open[serial].sync()
        elif kind == b"R":
            old, new = data.decode().split("\0")
            folder, name = self._parent(old)
            moved = folder.now.pop(name)
            folder, name = self._parent(new)
            folder.now[name] = moved
        elif kind in (b"U", b"D"):
            folder, name = self._parent(data.decode())
            del folder.now[name]
        elif kind == b"M":
            folder, name = self._parent(data.decode())
            folder.now[name] = Folder()
        else:
            raise ValueError(f"unknown record {kind!r}")

    def _open_path(self, serial: int, flags: int, path: str) -> None:
        if path == str(self.root):
            self._open[serial] = self.top
            return
        folder, name = self._parent(path)
        if name not in folder.now:
            folder.now[name] = File()
        found = folder.now[name]
        self._open[serial] = found
        if flags & os.O_DSYNC:  # O_SYNC has this bit too
            self._at_once.add(serial)
        if flags & os.O_TRUNC and isinstance(found, File) and found.now:
            found.truncate(0)

    def _sync_at_once(self, serial: int) -> None:
        if serial in self._at_once:
            self._file(serial).sync()

    def _file(self, serial: int) -> File:
        found = self._open[serial]
        assert isinstance(found, File)
        return found

    def _parent(self, path: str) -> tuple[Folder, str]:
        *folders, name = Path(path).relative_to(self.root).parts
        folder = self.top
        for each in folders:
            found = folder.now[each]
            assert isinstance(found, Folder)
            folder = found
        return folder, name


def is_diary(name: str) -> bool:
    """RocksDB's own log for people: not part of the data, and not in the journal."""
    return name.startswith("LOG")


def load_folder(path: Path) -> Folder:
    """A folder as it is, all of it durable."""
    folder = Folder()
    for entry in path.iterdir():
        if is_diary(entry.name):
            continue
        if entry.is_dir():
            folder.now[entry.name] = load_folder(entry)
        else:
            content = entry.read_bytes()
            folder.now[entry.name] = File(bytearray(content), content)
    folder.sync()
    return folder


def write_folder(folder: Folder, target: Path, variant: Variant) -> None:
    """Write a folder as it is found after the stop."""
    target.mkdir(mode=0o700)
    names = folder.durable if variant == "dropped" else folder.now
    for name, found in names.items():
        if isinstance(found, Folder):
            write_folder(found, target / name, variant)
        else:
            path = target / name
            path.write_bytes(found.found(variant))
            path.chmod(0o600)

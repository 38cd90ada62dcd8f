"""Records in the order of their tree paths, with bounded memory: files by the paths' first bits.

Touches the folder that it is given. Records come in the order of their keys, which says nothing of
their paths; a first pass puts each into the file of its prefix, a second reads file by file.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from hansa.ledger.tree_bucket import compute_change
from hansa.node.snapshot_format import DEPTH_MAX, decode_frames

# Bytes that wait in memory, over all files, before they are written.
WAITING_BYTES_MAX: Final = 8 * 2**20
# A file of this size is read at once: some times as much memory.
READ_BYTES_MAX: Final = 32 * 2**20
# Records of one file, when they are spread evenly: about ten megabytes.
RECORDS_PER_FILE: Final = 16_384
BITS_MAX: Final = 9
_PREFIX_BITS: Final = 64

# Path, leaf entry and frame of a record.
Placed = tuple[bytes, bytes, bytes]
# Called for each record: whoever spills may rest there.
Step = Callable[[], None]


def compute_bits(records: int) -> int:
    """How many bits to spread so many records by."""
    return min(BITS_MAX, (records // RECORDS_PER_FILE).bit_length())


class Spill:
    """All records below the node at `depth`, in 2**bits files by the next bits of their paths."""

    def __init__(self, folder: Path, depth: int, bits: int) -> None:
        folder.mkdir()
        self.folder, self.depth, self.bits = folder, depth, bits
        self.sizes = [0] * (1 << bits)
        self._shift = _PREFIX_BITS - depth - bits
        self._waiting: list[list[bytes]] = [[] for _ in self.sizes]
        self._waiting_bytes = 0

    def add(self, path: bytes, frame: bytes) -> None:
        """Put a record where its path says."""
        index = int.from_bytes(path[:8], "big") >> self._shift & len(self.sizes) - 1
        self._waiting[index].append(frame)
        self.sizes[index] += len(frame)
        self._waiting_bytes += len(frame)
        if self._waiting_bytes > WAITING_BYTES_MAX:
            self.flush()

    def flush(self) -> None:
        """Write out what waits."""
        for index, frames in enumerate(self._waiting):
            if frames:
                with self._path(index).open("ab") as file:
                    file.write(b"".join(frames))
                frames.clear()
        self._waiting_bytes = 0

    @property
    def is_deepest(self) -> bool:
        """Whether its files cannot be spread further."""
        return self.depth + self.bits >= DEPTH_MAX

    def read(self, first: int, count: int, step: Step) -> list[Placed]:
        """The records of some neighbouring files, in the order of their paths."""
        placed = []
        for index in range(first, first + count):
            if self.sizes[index]:
                for frame, key, value in decode_frames(self._path(index).read_bytes()):
                    path, entry = compute_change(key, value)
                    placed.append((path, entry or b"", frame))
                    step()
        placed.sort()
        return placed

    def spread(self, index: int, step: Step) -> "Spill":
        """One file, too large to be read at once, in files by its paths' next bits."""
        depth = self.depth + self.bits
        inner = Spill(self.folder / f"{index}.spread", depth, min(8, DEPTH_MAX - depth))
        for frame, key, _value in self._read_slowly(index):
            inner.add(compute_change(key, None)[0], frame)
            step()
        inner.flush()
        return inner

    def remove(self, first: int | None = None) -> None:
        """Give the disk back: of one file that has been read, or of all."""
        if first is None:
            shutil.rmtree(self.folder)
        else:
            self._path(first).unlink(missing_ok=True)

    def _read_slowly(self, index: int) -> Iterator[tuple[bytes, bytes, bytes]]:
        """As `decode_frames`, of a file that does not fit into memory."""
        rest = b""
        with self._path(index).open("rb") as file:
            while piece := file.read(WAITING_BYTES_MAX):
                rest += piece
                used = 0
                for found in _decode_whole(rest):
                    used += len(found[0])
                    yield found
                rest = rest[used:]

    def _path(self, index: int) -> Path:
        return self.folder / str(index)


def _decode_whole(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The records that are whole; the last one may be cut off."""
    try:
        yield from decode_frames(data)
    except ValueError:
        return

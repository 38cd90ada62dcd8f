"""Snapshots of the committed state, for nodes that join: made beside the blocks, the last kept.

Touches its own folder, reads the storage that it is given. One thread at most; it rests four times
as long as it works, so that blocks are not held up. docs/adr/0011-snapshots.md.
"""

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final, Protocol

import structlog

from hansa.ledger.tree_bucket import compute_change, compute_subtree, split_entries
from hansa.node.faults import CorruptFolderError, NodeError
from hansa.node.folder import BACKUP, sync_folder
from hansa.node.home import read_file, write_file
from hansa.node.snapshot_format import (
    CHUNK_BYTES_MAX,
    CHUNK_BYTES_USUAL,
    CHUNKS_MAX,
    DEPTH_MAX,
    METADATA_BYTES_MAX,
    SNAPSHOT_FORMAT,
    Part,
    Snapshot,
    build_snapshot,
    compute_root,
    encode_chunk,
    encode_frame,
)
from hansa.node.spill import READ_BYTES_MAX, Placed, Spill, compute_bits
from hansa.node.storage import PinnedState, Storage

# The newest are kept, and for a while those that a joining node was told of: it comes for their
# chunks after it has verified their headers.
KEPT: Final = 2
PROMISED_MAX: Final = 8
PROMISE_S: Final = 60.0
# Seconds of rest for each second of work: blocks take a tenth longer meanwhile.
REST: Final = 4.0
# Depth of the shallowest chunks at most: chunks grow beyond their usual size after that.
DEPTH_USUAL_MAX: Final = 16
_COUNT_BYTES: Final = 4
_METADATA, _CHUNKS, _INDEX = "metadata", "chunks", "index"
_MAKING = ".making"
# Offset, length and SHA-256 of a chunk in the file of chunks.
_ENTRY = Struct(">QI32s")
_RECORDS_PER_LOOK: Final = 32
_WORK_S: Final = 0.002

_log = structlog.get_logger("hansa.node")


class Job(Protocol):
    """Work that goes on beside the blocks, as a thread does."""

    def is_alive(self) -> bool:
        """Whether it has not ended yet."""
        ...

    def join(self) -> None:
        """Wait until it has ended."""
        ...


def spawn_thread(work: Callable[[], None]) -> Job:
    """Do `work` in a thread of its own, from now on."""
    thread = threading.Thread(target=work, name="hansa-snapshot", daemon=True)
    thread.start()
    return thread


class _Stopped(Exception):
    """The node is closing: the snapshot in hand is dropped."""


class Snapshots:
    """The snapshots of one node. Asked from any thread."""

    def __init__(
        self,
        folder: Path,
        storage: Storage,
        *,
        rest: float = REST,
        now: Callable[[], float] = time.monotonic,
        spawn: Callable[[Callable[[], None]], Job] = spawn_thread,
    ) -> None:
        """Use `folder`, and drop what an earlier stop left half made in it.

        `rest`: seconds of rest for each second of work. `now`: a clock that never goes back.
        `spawn` begins a job beside the blocks, not within the call.
        """
        self._folder, self._storage, self._rest, self._now = folder, storage, rest, now
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._spawn = spawn
        self._job: Job | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._made = _load_made(folder)
        self._promised: dict[int, float] = {}
        self._forget_old()

    def begin(self, height: int) -> bool:
        """Start a snapshot of the state that is committed now, which is that of `height`.

        Returns at once. False: one of another height is still being made, or this one is there.
        """
        with self._lock:
            busy = self._job is not None and self._job.is_alive()
            if busy or height in self._made or self._stopping.is_set():
                return False
            pinned = self._storage.pin()
            if pinned.height != height:
                pinned.close()
                return False
            self._job = self._spawn(partial(self._make, pinned))
            return True

    def promise(self) -> Sequence[Snapshot]:
        """As `list`, for a node that will come for chunks: the newest are kept for PROMISE_S from
        now, and any again from each chunk that is fetched; PROMISED_MAX at most beside the newest.
        """
        until = self._now() + PROMISE_S
        with self._lock:
            for height in sorted(self._made)[-KEPT:]:
                self._promised[height] = until
        return self.list()

    def list(self) -> list[Snapshot]:
        """All whole snapshots, the newest first."""
        with self._lock:
            return sorted(self._made.values(), key=lambda each: -each.height)

    def load(self, height: int, format_: int, chunk: int) -> bytes | None:
        """A chunk, or None: there is none, or its bytes on the disk are damaged."""
        with self._lock:
            found = self._made.get(height)
            if found is not None:
                self._promised[height] = self._now() + PROMISE_S
        if found is None or format_ != SNAPSHOT_FORMAT or not 0 <= chunk < found.chunks:
            return None
        folder = self._folder / str(height)
        try:
            with (folder / _INDEX).open("rb") as index:
                index.seek(chunk * _ENTRY.size)
                offset, size, digest = _ENTRY.unpack(index.read(_ENTRY.size))
            with (folder / _CHUNKS).open("rb") as chunks:
                chunks.seek(offset)
                data = chunks.read(size)
        except FileNotFoundError:  # newer ones have been made meanwhile
            return None
        if sha256(data).digest() != digest:
            _log.error("snapshot_damaged", height=height, chunk=chunk)
            return None
        return data

    def wait(self) -> None:
        """Until the snapshot in hand is made or given up."""
        job = self._job
        if job is not None:
            job.join()

    def close(self) -> None:
        """Give up the snapshot in hand; before the storage is closed."""
        self._stopping.set()
        self.wait()

    def _make(self, pinned: PinnedState) -> None:
        """The job: a snapshot that fails is told and dropped, blocks go on."""
        making = self._folder / f"{pinned.height}{_MAKING}"
        began = self._now()
        try:
            snapshot = write_snapshot(making, pinned, self._pause, now=self._now)
        except _Stopped:
            return
        except (NodeError, OSError) as error:
            _log.error("snapshot_failed", height=pinned.height, reason=str(error))
            shutil.rmtree(making, ignore_errors=True)
            return
        finally:
            pinned.close()
        making.rename(self._folder / str(pinned.height))
        sync_folder(self._folder)
        with self._lock:
            self._made[pinned.height] = snapshot
        self._forget_old()
        seconds = round(self._now() - began, 1)
        _log.info("snapshot", height=snapshot.height, chunks=snapshot.chunks, seconds=seconds)

    def _pause(self, worked_s: float) -> None:
        if self._stopping.wait(worked_s * self._rest):
            raise _Stopped

    def _forget_old(self) -> None:
        now = self._now()
        with self._lock:
            older = sorted(self._made)[:-KEPT]
            promised = [each for each in older if self._promised.get(each, now) > now]
            # The first promised are kept: who fetches one must be able to end.
            old = set(older) - set(promised[:PROMISED_MAX])
            for height in old:
                del self._made[height]
                self._promised.pop(height, None)
        for height in old:
            shutil.rmtree(self._folder / str(height), ignore_errors=True)


def write_snapshot(
    folder: Path,
    pinned: PinnedState,
    pause: Callable[[float], None] = lambda _worked: None,
    *,
    now: Callable[[], float] = time.monotonic,
) -> Snapshot:
    """Write the snapshot of a pinned state into the new `folder`, durably.

    `pause` is told now and then how many seconds were worked. The same state gives the same bytes,
    whatever the order in which it was written. Raises a NodeError, OSError.
    """
    folder.mkdir(mode=0o700)
    pace = _Pace(pause, now)
    spill = Spill(folder / "spill", 0, compute_bits(pinned.leaves))
    for key, value in pinned.records:
        spill.add(compute_change(key, None)[0], encode_frame(key, value))
        pace.step()
    spill.flush()
    with (folder / _CHUNKS).open("wb") as chunks, (folder / _INDEX).open("wb") as index:
        writer = _Writer(chunks, index, compute_chunk_depth(sum(spill.sizes)), pace)
        writer.write_spill(spill, 0, 1 << spill.bits)
    spill.remove()
    _check_whole(writer.parts, pinned)
    snapshot = build_snapshot(pinned.height, writer.parts)
    write_file(folder / _METADATA, snapshot.metadata)
    for name in (_CHUNKS, _INDEX):
        sync_folder(folder / name)
    sync_folder(folder)
    return snapshot


def compute_chunk_depth(total: int) -> int:
    """Depth of the usual chunk of a state of `total` bytes: of a function of the state alone."""
    depth = 0
    while total > CHUNK_BYTES_USUAL << depth and depth < DEPTH_USUAL_MAX:
        depth += 1
    return depth


class _Pace:
    """Works for some milliseconds, then pauses."""

    def __init__(self, pause: Callable[[float], None], now: Callable[[], float]) -> None:
        self._pause, self._now = pause, now
        self._count = 0
        self._began = now()

    def step(self) -> None:
        """One record is done."""
        self._count += 1
        if self._count < _RECORDS_PER_LOOK:
            return
        self._count = 0
        worked = self._now() - self._began
        if worked > _WORK_S:
            self._pause(worked)
            self._began = self._now()


class _Writer:
    """Cuts records into chunks: nodes at `depth`, deeper where more than CHUNK_BYTES_MAX lie."""

    def __init__(self, chunks: BinaryIO, index: BinaryIO, depth: int, pace: _Pace) -> None:
        self.parts: list[Part] = []
        self._chunks, self._index, self._depth, self._pace = chunks, index, depth, pace
        self._offset = 0

    def write_spill(self, spill: Spill, first: int, count: int) -> None:
        """The chunks of neighbouring files, which are one node of the tree."""
        size = sum(spill.sizes[first : first + count])
        depth = spill.depth + spill.bits - (count.bit_length() - 1)
        if count == 1 or size <= READ_BYTES_MAX // 4:
            if size > READ_BYTES_MAX and not spill.is_deepest:
                inner = spill.spread(first, self._pace.step)
                self.write_spill(inner, 0, 1 << inner.bits)
                inner.remove()
            else:
                self._write(spill.read(first, count, self._pace.step), depth)
            for index in range(first, first + count):
                spill.remove(index)
            return
        half = count // 2
        self.write_spill(spill, first, half)
        self.write_spill(spill, first + half, half)

    def _write(self, placed: list[Placed], depth: int) -> None:
        size = _COUNT_BYTES + sum(len(frame) for _path, _entry, frame in placed)
        if depth == DEPTH_MAX or (depth >= self._depth and size <= CHUNK_BYTES_MAX):
            self._emit(placed, depth)
            return
        entries = [entry for _path, entry, _frame in placed]
        middle = split_entries(entries, depth) if entries else 0
        self._write(placed[:middle], depth + 1)
        self._write(placed[middle:], depth + 1)

    def _emit(self, placed: list[Placed], depth: int) -> None:
        data = encode_chunk([frame for _path, _entry, frame in placed])
        entries = b"".join(entry for _path, entry, _frame in placed)
        root, content = compute_subtree(entries, depth)
        self.parts.append(Part(depth, 0, content, root))
        self._chunks.write(data)
        self._index.write(_ENTRY.pack(self._offset, len(data), sha256(data).digest()))
        self._offset += len(data)


def _check_whole(parts: list[Part], pinned: PinnedState) -> None:
    """What was read is what the tree has: a damaged record never leaves the house."""
    if len(parts) > CHUNKS_MAX:
        raise CorruptFolderError(
            f"the state has {len(parts)} chunks, more than the {CHUNKS_MAX} that nodes take",
            "Raise the size of chunks in a new release; blocks are not concerned.",
        )
    root = compute_root(parts)
    if root != pinned.root:
        raise CorruptFolderError(
            f"the records at height {pinned.height} have root {root.hex()[:16]}, committed was"
            f" {pinned.root.hex()[:16]}",
            f"Run: hansa doctor DIR --deep. {BACKUP}",
        )


def _load_made(folder: Path) -> dict[int, Snapshot]:
    """The whole snapshots of a folder; what is not whole is removed."""
    made = {}
    for entry in sorted(folder.iterdir()):
        if not entry.name.isdigit():
            shutil.rmtree(entry, ignore_errors=True)
            continue
        try:
            metadata = read_file(entry / _METADATA, METADATA_BYTES_MAX)
            chunks = (entry / _INDEX).stat().st_size // _ENTRY.size
        except (NodeError, OSError) as error:
            _log.warning("snapshot_dropped", folder=entry.name, reason=str(error))
            shutil.rmtree(entry, ignore_errors=True)
            continue
        height = int(entry.name)
        digest = sha256(metadata).digest()
        made[height] = Snapshot(height, SNAPSHOT_FORMAT, chunks, digest, metadata)
    return made

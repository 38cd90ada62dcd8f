"""How fast snapshots are made and restored: `tools/measure_snapshots.py RECORDS [SIZE]`.

Makes a state of so many records of SIZE bytes (500) in a temporary folder, a snapshot without
rests, and restores it. Prints wall clock and processor time, rates and peak memory; then what
blocks take while a snapshot is made (with rests), in turn with blocks alone.
"""

import random
import resource
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hansa.crypto.merkle import EMPTY_ROOT
from hansa.ledger.blocks import Block, BlockResult
from hansa.node.folder import create_storage, make_identity
from hansa.node.restore import Restoration
from hansa.node.snapshots import REST, Snapshots, write_snapshot
from hansa.node.storage import Storage

IDENTITY = make_identity("measure-1", bytes(32))
PER_BLOCK = 10_000
BLOCKS = 30


def read_memory() -> int:
    """Peak resident memory of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def make_changes(first: int, count: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Records of about `size` bytes, half of it text as records have it."""
    source = random.Random(first)  # noqa: S311 - the same state at each run
    for number in range(first, first + count):
        half = source.randbytes(size // 4).hex().encode()
        yield b"app/kind/%010d" % number, half + source.randbytes(size - len(half))


def commit(storage: Storage, changes: tuple[tuple[bytes, bytes], ...]) -> float:
    """The next block; seconds."""
    began = time.perf_counter()
    delta = storage.tree.compute(changes)
    height = storage.height + 1
    block = Block("measure-1", height, height, height.to_bytes(32, "big"))
    result = BlockResult((), (), changes, delta.root, delta, EMPTY_ROOT)
    storage.commit_block(block, result, None)
    return time.perf_counter() - began


class Stopwatch:
    """Wall clock and processor time of this process since it was made."""

    def __init__(self) -> None:
        self._began, self._worked = time.perf_counter(), time.process_time()

    def tell(self, what: str, records: int, total: int) -> None:
        """One line."""
        seconds = time.perf_counter() - self._began
        worked = time.process_time() - self._worked
        print(
            f"{what:10} {seconds:7.1f} s, processor {worked:7.1f} s  {records / seconds:9,.0f}"
            f" records/s  {total / seconds / 1e6:6.1f} MB/s  {worked / records * 1e6:5.1f} us a"
            f" record  peak memory {read_memory()} MiB",
            flush=True,
        )


class Beside:
    """Snapshots made one after the other in a thread, only while `gate` is open."""

    def __init__(self, folder: Path, storage: Storage) -> None:
        self.gate, self._stopping = threading.Event(), False
        self._folder, self._storage = folder, storage
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """Give up the one in hand."""
        self._stopping = True
        self.gate.set()
        self._thread.join()

    def _run(self) -> None:
        with suppress(InterruptedError):
            while True:
                pinned = self._storage.pin()
                try:
                    write_snapshot(self._folder, pinned, self._pause)
                finally:
                    pinned.close()
                    shutil.rmtree(self._folder)

    def _pause(self, worked_s: float) -> None:
        time.sleep(worked_s * REST)
        self.gate.wait()
        if self._stopping:
            raise InterruptedError


def measure_blocks(folder: Path, storage: Storage, records: int, size: int) -> None:
    """Blocks of 1,000 changes, in turn alone and while a snapshot is made; median and p95."""
    beside = Beside(folder, storage)
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(2 * BLOCKS):
        (beside.gate.set if number % 2 else beside.gate.clear)()
        time.sleep(0.05)
        source = random.Random(number)  # noqa: S311 - the same blocks at each run
        some, value = sorted(source.sample(range(records), 1_000)), source.randbytes(size)
        changes = tuple((b"app/kind/%010d" % each, value) for each in some)
        times[number % 2].append(commit(storage, changes))
    beside.stop()
    for what, found in zip(("alone", "beside a snapshot"), times, strict=True):
        found.sort()
        middle, high = statistics.median(found), found[int(len(found) * 0.95)]
        print(f"blocks of 1,000 changes {what}: {middle * 1000:.0f} ms, p95 {high * 1000:.0f} ms")


def main() -> None:
    """Measure."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    folder = Path(tempfile.mkdtemp(prefix="hansa-measure-"))
    try:
        run(folder, records, size)
    finally:
        shutil.rmtree(folder)


def run(folder: Path, records: int, size: int) -> None:
    """All in `folder`."""
    create_storage(folder / "data", IDENTITY, (), 0)
    storage = Storage(folder / "data", IDENTITY)
    watch = Stopwatch()
    for first in range(0, records, PER_BLOCK):
        commit(storage, tuple(make_changes(first, min(PER_BLOCK, records - first), size)))
    watch.tell("state", records, records * size)
    pinned, watch = storage.pin(), Stopwatch()
    snapshot = write_snapshot(folder / "snapshot", pinned)
    pinned.close()
    total = (folder / "snapshot" / "chunks").stat().st_size
    watch.tell("snapshot", records, total)
    (folder / "snapshots").mkdir()
    (folder / "snapshot").rename(folder / "snapshots" / str(snapshot.height))
    made = Snapshots(folder / "snapshots", storage)
    print(f"           {snapshot.chunks} chunks, {len(snapshot.metadata)} bytes of metadata")
    (folder / "home").mkdir()
    watch = Stopwatch()
    restoration = Restoration(folder / "home", IDENTITY, snapshot, storage.root)
    for index in range(snapshot.chunks):
        restoration.apply(index, made.load(snapshot.height, 1, index) or b"")
    watch.tell("  chunks", records, total)
    restored = restoration.finish()
    watch.tell("restore", records, total)
    restored.close()
    measure_blocks(folder / "beside", storage, records, size)
    storage.close()


if __name__ == "__main__":
    main()

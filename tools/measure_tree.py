"""Measures the state tree over the node's own store (docs/adr/0002-state-tree.md).

Usage, twice: measure_tree.py RECORDS FOLDER [BLOCKS]. The first run makes FOLDER with a tree of so
many records, built directly in the tree's own layout. The second opens it in a fresh process,
applies blocks of 1,000 random updates, prints figures of this thread's CPU time beside the time of
one SHA-256 on this machine, and removes the folder.
"""

import random
import shutil
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from hansa.ledger.tree import StateTree, TreeDelta
from hansa.ledger.tree_bucket import compute_change, compute_subtree, encode_bucket
from hansa.ledger.tree_top import BUCKET_CROWDED, BUCKET_LEAVES_MAX, compute_dense_depth
from hansa.node.key_value import KeyValueStore
from hansa.node.storage import StoredBuckets

UPDATES = 1_000
BUCKETS_PER_WRITE = 20_000


def make_key(number: int) -> bytes:
    """State key of one record."""
    return b"app/kind/%d" % number


def build(records: int, store: KeyValueStore) -> None:
    """Write the buckets of a tree of so many records."""
    changes = (compute_change(make_key(number), b"value") for number in range(records))
    entries = sorted(entry for _path, entry in changes if entry is not None)
    dense_depth = compute_dense_depth(records)

    def place(node: int, depth: int, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        crowded = BUCKET_LEAVES_MAX if depth < dense_depth else BUCKET_CROWDED
        if end - start <= crowded:
            joined = b"".join(entries[start:end])
            if joined:
                yield node, encode_bucket(*compute_subtree(joined, depth), joined)
            return
        below = 255 - depth
        first = int.from_bytes(entries[start][:32], "big") >> below
        middle = bisect_left(entries, ((first | 1) << below).to_bytes(32, "big"), start, end)
        yield from place(2 * node, depth + 1, start, middle)
        yield from place(2 * node + 1, depth + 1, middle, end)

    batch = store.batch()
    for count, (node, value) in enumerate(place(1, 0, 0, records), start=1):
        batch.put("buckets", node.to_bytes(8, "big"), value)
        if count % BUCKETS_PER_WRITE == 0:
            store.commit(batch)
            batch = store.batch()
    store.commit(batch)


def write(store: KeyValueStore, delta: TreeDelta) -> None:
    """Make the buckets of a block durable."""
    batch = store.batch()
    for node, value in delta.buckets.items():
        batch.write("buckets", node.to_bytes(8, "big"), value)
    store.commit(batch)


def measure_memory_mib() -> dict[str, int]:
    """Resident memory now, and its peak since the process began."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return {
        line.split(":")[0]: int(line.split()[1]) // 1024
        for line in lines
        if line.startswith(("VmRSS", "VmHWM"))
    }


def measure_sha256() -> float:
    """Seconds of one SHA-256 of 65 bytes, as Python calls it."""
    data = bytes(65)
    start = time.thread_time()
    for _ in range(2_000):
        sha256(data).digest()
    return (time.thread_time() - start) / 2_000


def measure(records: int, store: KeyValueStore, blocks: int) -> None:
    """Open the tree and print what blocks of random updates cost."""
    start, wall = time.thread_time(), time.perf_counter()
    tree = StateTree(StoredBuckets(store), 1)
    print(
        f"start-up: {time.thread_time() - start:.1f} s CPU,"
        f" {time.perf_counter() - wall:.1f} s wall; MiB {measure_memory_mib()}"
    )
    draw = random.Random(1)  # noqa: S311
    compute = applied = digest = 0.0
    for height in range(2, blocks + 2):
        changes = [(make_key(draw.randrange(records)), draw.randbytes(20)) for _ in range(UPDATES)]
        start = time.thread_time()
        delta = tree.compute(changes)
        compute += time.thread_time() - start
        write(store, delta)
        start = time.thread_time()
        tree.apply(delta, height)
        applied += time.thread_time() - start
        digest += measure_sha256()
    each = (compute + applied) / blocks / UPDATES
    print(
        f"one update: {each * 1e6:.1f} us CPU (compute {compute / blocks / UPDATES * 1e6:.1f}),"
        f" {1 / each:,.0f} a second, {each / (digest / blocks):.0f} times one SHA-256"
        f" ({digest / blocks * 1e6:.2f} us); MiB {measure_memory_mib()}"
    )
    start = time.thread_time()
    for _ in range(UPDATES):
        tree.prove(make_key(draw.randrange(records)), tree.version - 1)
    print(f"one proof of the version before: {(time.thread_time() - start) / UPDATES * 1e6:.0f} us")


def main() -> None:
    """Build when there is no folder yet; else measure, and remove it."""
    records, folder = int(sys.argv[1]), Path(sys.argv[2])
    blocks = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    if not folder.exists():
        folder.mkdir(parents=True)
        store = KeyValueStore(folder, ("buckets",), create=True)
        build(records, store)
        store.close()
        print(f"built {records:,} records; run again to measure in a fresh process")
        return
    store = KeyValueStore(folder, ("buckets",))
    measure(records, store, blocks)
    store.close()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

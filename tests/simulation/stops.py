"""Writes and commits that a process makes until it is killed: on RocksDB and on the simulated disk.

As a module it is the process under the shim of `tests/crash`, and says each commit that returned.
"""

import ctypes
from pathlib import Path
from typing import Any

from hansa.node.key_value import KeyValueStore, Store
from tests.crash.driver import serve_orders

FAMILIES = ("records", "meta")
# W: a write that waits for the next commit, C: a commit.
SCRIPT = "WWCWWWWCCWC"


def make(store: Store, say: bool = False) -> None:
    """Batch n says that it is the n-th, and leaves a key of its own in each family."""
    for number, kind in enumerate(SCRIPT, 1):
        batch = store.batch()
        batch.put("meta", b"last", bytes((number,)))
        for family in FAMILIES:
            batch.put(family, b"n%02d" % number, bytes(100 * number))
        batch.delete("records", b"n%02d" % (number - 1))
        if kind == "W":
            store.write(batch)
        else:
            store.commit(batch)
            if say:
                print("height", number, flush=True)


def find(store: Store) -> int:
    """How many of the batches are there: the first ones, each of them whole, and no other."""
    last = store.get("meta", b"last")
    count = 0 if last is None else last[0]
    found = [key for key, _value in store.iterate("meta") if key != b"last"]
    assert found == [b"n%02d" % number for number in range(1, count + 1)]
    left = [key for key, _value in store.iterate("records")]
    assert left == ([b"n%02d" % count] if count else [])
    return count


def run(order: dict[str, Any]) -> None:
    """One run, in the forked child. Never returns when it is killed."""
    shim = ctypes.CDLL(None)
    shim.hansa_shim_start(
        order["root"].encode(), order["journal"].encode(), ctypes.c_long(order["kill_at"])
    )
    store = KeyValueStore(Path(order["home"]) / "data", FAMILIES)
    make(store, say=True)
    shim.hansa_shim_count.restype = ctypes.c_long
    print("changes", shim.hansa_shim_count(), flush=True)


if __name__ == "__main__":
    serve_orders(run)

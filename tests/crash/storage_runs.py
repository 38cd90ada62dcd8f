"""What a killed process does to storage alone: blocks, later seals, pruning; or a restore.

Run by the driver in a forked child; the checks of what is left are beside each run. No engine: the
records are made up, each block's from its height.
"""

from pathlib import Path

import msgspec

from hansa.node import snapshots
from hansa.node import storage as storage_module
from hansa.node.restore import Restoration
from hansa.node.snapshot_format import Snapshot
from hansa.node.snapshots import Snapshots
from hansa.node.storage import Storage
from tests.crash.hunt import expect
from tests.node.states import IDENTITY, Values, grow, make_records, make_storage, seal_to

HEIGHTS = 24
BEHIND = 2
WINDOW = 5
KEY = b"app/kind/x"


def make_changes(height: int) -> dict[bytes, bytes | None]:
    """What the block at `height` changes."""
    return {
        KEY: b"%d" % height,
        b"app/kind/%08d" % height: b"changed" * height,
        b"app/more/%08d" % height: bytes(200),
        b"app/more/%08d" % (height - 3): None,
    }


def compute_roots(folder: Path) -> list[bytes]:
    """State roots by height, of a calm run."""
    with make_storage(folder, make_records(60)) as storage:
        roots = [storage.root]
        for height in range(1, HEIGHTS + 5):
            grow(storage, make_changes(height))
            roots.append(storage.root)
    return roots


def run_blocks(home: Path, roots: list[bytes]) -> None:
    """Blocks, seals that come later, and pruning; each is told when it is said to be durable."""
    storage_module.EXPIRY_WINDOW = WINDOW
    with Storage(home / "data", IDENTITY) as storage:
        while storage.height < HEIGHTS:
            grow(storage, make_changes(storage.height + 1), [b"t%d" % storage.height])
            print("height", storage.height, flush=True)
            seal_to(storage, storage.height - BEHIND, roots)
            print("sealed", storage.sealed, flush=True)
            if storage.height % 3 == 0:
                print("base", storage.prune(storage.height - WINDOW), flush=True)


def check_blocks(home: Path, said: dict[str, int], roots: list[bytes]) -> None:
    """All that was told is there, whole; the rest follows as in a calm run."""
    with Storage(home / "data", IDENTITY) as storage:
        for what in ("height", "sealed", "base"):
            found = getattr(storage, what)
            expect(found >= said.get(what, 0), f"{what} was {said.get(what)}, is {found}")
        expect(storage.root == roots[storage.height], "the root is not that of its height")
        expect(storage.base - 1 <= storage.sealed <= storage.height, "sealed is beside the blocks")
        storage.check_records()
        for height in range(1, HEIGHTS + 1):
            block, seal = storage.block(height), storage.seal(height)
            kept = storage.base <= height <= storage.height
            expect((block is not None) == kept, f"block {height}")
            expect((seal is not None) == (kept and height <= storage.sealed), f"seal {height}")
            if block is not None:
                wanted = tuple(sorted(make_changes(height).items()))
                expect(block.changes == wanted, f"changes of {height}")
                expect(block.transactions == (b"t%d" % (height - 1),), f"transactions of {height}")
    run_blocks(home, roots)
    with Storage(home / "data", IDENTITY) as storage:
        expect(storage.root == roots[HEIGHTS], "the end is not that of a calm run")


OLD: Values = {b"app/kind/old": b"1"}


class Source(msgspec.Struct):
    """A snapshot as another node offers it; the root of its state, and of that after NEXT."""

    snapshot: Snapshot
    chunks: list[bytes]
    root: bytes
    next_root: bytes


NEXT: Values = {b"app/kind/next": b"1"}


def make_source(folder: Path, file: Path) -> None:
    """A snapshot of some chunks, for the runs to restore."""
    snapshots.CHUNK_BYTES_USUAL = 3_000
    with make_storage(folder / "data", make_records(120)) as storage:
        grow(storage, {KEY: b"1"})
        made = Snapshots(folder / "snapshots", storage, rest=0.0)
        made.begin(1)
        made.wait()
        (snapshot,) = made.list()
        chunks = [made.load(1, 1, index) or b"" for index in range(snapshot.chunks)]
        root = storage.root
        grow(storage, NEXT)
        source = Source(snapshot, chunks, root, storage.root)
    file.write_bytes(msgspec.msgpack.encode(source))


def run_restore(home: Path, file: Path) -> None:
    """Restore over the state of genesis; told when it is said to be durable."""
    source = msgspec.msgpack.decode(file.read_bytes(), type=Source)
    current = Storage(home / "data", IDENTITY)
    if current.height:
        current.close()
        return
    restoration = Restoration(home, IDENTITY, source.snapshot, source.root)
    for index, chunk in enumerate(source.chunks):
        restoration.apply(index, chunk)
    restoration.finish(current).close()
    print("height", 1, flush=True)


def check_restore(home: Path, said: dict[str, int], file: Path) -> None:
    """The old state or the new one, whole; then the restore can be done again."""
    source = msgspec.msgpack.decode(file.read_bytes(), type=Source)
    with Storage(home / "data", IDENTITY) as storage:
        expect(storage.height >= said.get("height", 0), "what was restored is gone")
        expect((storage.get(b"app/kind/old") is None) == bool(storage.height), "a mixed state")
        storage.check_records()
    expect([each.name for each in home.iterdir()] == ["data"], "something was left behind")
    run_restore(home, file)
    with Storage(home / "data", IDENTITY) as storage:
        expect((storage.height, storage.root) == (1, source.root), "another state was restored")
        storage.check_records()
        grow(storage, NEXT)
        expect(storage.root == source.next_root, "the next block has another root")

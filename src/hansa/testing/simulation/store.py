"""A node's disk and its store as they are played: what is synced is kept apart from what is not.

One disk for each node. Folders are real, and may be moved, copied and removed; what the stores hold
is in memory, found by a name in the folder's CURRENT. Faults come from outside, never by chance.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from hansa.node.faults import CorruptFolderError, NodeError, NodeStoppedError, StorageError
from hansa.node.key_value import WriteBatch

# What a start finds. dropped: what was synced. kept: all that was written. torn: what was synced,
# and of the writes after it the first half; a write is there whole or not at all.
Variant = Literal["dropped", "kept", "torn"]

# Where a crash may come. BEFORE a commit; VISIBLE to readers, not durable; DURABLE; WRITTEN: after
# a write that waits for the next commit.
BEFORE: Final = "commit.before"
VISIBLE: Final = "commit.visible"
DURABLE: Final = "commit.durable"
WRITTEN: Final = "write"
POINTS: Final = (BEFORE, VISIBLE, DURABLE, WRITTEN)

CURRENT: Final = "CURRENT"
_MANIFEST: Final = "MANIFEST-000001"
_CURE: Final = "It is a fault that the simulator plays: it takes it back when its plan says so."


class Crash(BaseException):
    """The process ends here. Its disk refuses everything until `SimulatedDisk.stop`."""


class _Put(NamedTuple):
    """One key set, or (None) removed."""

    family: str
    key: bytes
    value: bytes | None


class _Range(NamedTuple):
    """All keys removed with start <= key < end."""

    family: str
    start: bytes
    end: bytes


class SimulatedBatch:
    """Puts and deletes that become durable together, in their order."""

    def __init__(self, families: tuple[str, ...]) -> None:
        self._families = families
        self.inner: Any = []

    def put(self, family: str, key: bytes, value: bytes) -> None:
        """Set a value. Raises KeyError: there is no such family."""
        self._add(_Put(family, key, value))

    def delete(self, family: str, key: bytes) -> None:
        """Remove a value."""
        self._add(_Put(family, key, None))

    def delete_range(self, family: str, start: bytes, end: bytes) -> None:
        """Remove all pairs with start <= key < end of those that are there when it is its turn."""
        self._add(_Range(family, start, end))

    def write(self, family: str, key: bytes, value: bytes | None) -> None:
        """Set, or (None) remove."""
        self._add(_Put(family, key, value))

    def _add(self, step: _Put | _Range) -> None:
        if step.family not in self._families:
            raise KeyError(step.family)
        self.inner.append(step)


class _Table:
    """One family: values by key, and the keys in order. `damaged`: keys whose checksum is wrong."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.keys: list[bytes] = []
        self.damaged: set[bytes] = set()

    def copy(self) -> "_Table":
        made = _Table()
        made.values, made.keys = dict(self.values), list(self.keys)
        made.damaged = set(self.damaged)
        return made

    def between(self, start: bytes, end: bytes) -> list[bytes]:
        """The keys with start <= key < end."""
        return self.keys[bisect_left(self.keys, start) : bisect_left(self.keys, end)]

    def set(self, key: bytes, value: bytes | None) -> bytes | None:
        """Set or remove; what was there."""
        old = self.values.get(key)
        self.damaged.discard(key)
        if value is not None:
            if old is None:
                insort(self.keys, key)
            self.values[key] = value
        elif old is not None:
            del self.keys[bisect_left(self.keys, key)]
            del self.values[key]
        return old

    def read(self, key: bytes) -> tuple[bytes, bytes]:
        """Raises LookupError: its checksum is wrong."""
        if key in self.damaged:
            raise LookupError(key)
        return key, self.values[key]


class _Medium:
    """What one folder's store holds. `pending`: how to undo each write that is not durable yet."""

    def __init__(self, families: tuple[str, ...]) -> None:
        self.tables = {name: _Table() for name in families}
        self.pending: list[list[_Put]] = []
        self.is_open = False

    def copy(self) -> "_Medium":
        made = _Medium(())
        made.tables = {name: table.copy() for name, table in self.tables.items()}
        made.pending = [list(undo) for undo in self.pending]
        return made

    def apply(self, steps: list[_Put | _Range]) -> None:
        undo: list[_Put] = []
        for step in steps:
            table = self.tables[step.family]
            if isinstance(step, _Put):
                keys, value = [step.key], step.value
            else:
                keys, value = table.between(step.start, step.end), None
            undo += [_Put(step.family, key, table.set(key, value)) for key in keys]
        self.pending.append(undo)

    def sync(self) -> None:
        self.pending.clear()

    def lose(self, variant: Variant) -> None:
        """Be as the next start finds it."""
        kept = {"dropped": 0, "torn": len(self.pending) // 2, "kept": len(self.pending)}[variant]
        for undo in reversed(self.pending[kept:]):
            for family, key, value in reversed(undo):
                self.tables[family].set(key, value)
        self.pending.clear()
        self.is_open = False


class SimulatedDisk:
    """One node's disk. Its faults last until they are taken back.

    `full`: nothing can be written. `breaks`: the next sync fails, and nothing is taken any more
    until the store is opened again. `slow_ms`: what each sync takes, told to `pass_ms`. `at_point`
    is told of each of POINTS that is reached, and may raise Crash. `on_visible`: of each commit
    that readers of the store see, and that is not durable yet.
    """

    def __init__(self, name: str = "disk") -> None:
        self.full, self.breaks, self.slow_ms = False, False, 0
        self.at_point: Callable[[str], None] = lambda _point: None
        self.on_visible: Callable[[], None] = lambda: None
        self.pass_ms: Callable[[int], None] = lambda _ms: None
        self._name, self._count = name, 0
        self._media: dict[str, _Medium] = {}
        # The processes that have used it, by number; the last of them may be dead.
        self.life, self.is_dead = 0, False

    def open_store(
        self,
        folder: Path,
        families: tuple[str, ...],
        *,
        create: bool = False,
        read_only: bool = False,
    ) -> "SimulatedStore":
        """As `hansa.node.key_value.KeyValueStore`: the store of a folder. Raises a NodeError."""
        return SimulatedStore(self, folder, families, create=create, read_only=read_only)

    def reach(self, point: str) -> None:
        """Where the process may end. Raises Crash: then it has ended."""
        try:
            self.at_point(point)
        except Crash:
            self.die()
            raise

    def die(self) -> None:
        """The process has ended: what it had open is of no use any more."""
        self.is_dead = True
        self.life += 1

    def stop(self, variant: Variant) -> None:
        """The machine stops, and may be started again: each store is as a start finds it."""
        self.die()
        for medium in self._media.values():
            medium.lose(variant)
        self.is_dead = False

    def clone(self, folder: Path) -> None:
        """A folder that is a copy of another gets a store of its own, as that one is now."""
        self._begin(folder, self.find(folder).copy())

    def rot(self, folder: Path, family: str, at: int, *, seen: bool) -> bytes | None:
        """Let the value of one key go bad: the key, None when the family is empty.

        `at` chooses among the keys. `seen`: the checksum finds it when it is read; otherwise one
        bit of it is another, and nothing says so.
        """
        table = self.find(folder).tables[family]
        if not table.keys:
            return None
        key = table.keys[at % len(table.keys)]
        value = table.values[key]
        if seen or not value:
            table.damaged.add(key)
        else:
            place = at % len(value)
            flipped = value[place] ^ (1 << at % 8)
            table.set(key, value[:place] + bytes((flipped,)) + value[place + 1 :])
        return key

    def find(self, folder: Path) -> "_Medium":
        """What the store of a folder holds. Raises OSError, LookupError: there is none."""
        return self._media[(folder / CURRENT).read_text()]

    def begin(self, folder: Path, families: tuple[str, ...]) -> "_Medium":
        """An empty store for a folder, which is made. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        return self._begin(folder, _Medium(families))

    def _begin(self, folder: Path, medium: _Medium) -> _Medium:
        self._count += 1
        name = f"{self._name}-{self._count}\n"
        self._media[name] = medium
        (folder / _MANIFEST).touch()
        (folder / CURRENT).write_text(name)
        return medium


class SimulatedStore:
    """The store of one folder (`hansa.node.key_value.Store`). Use `SimulatedDisk.open_store`."""

    def __init__(
        self,
        disk: SimulatedDisk,
        folder: Path,
        families: tuple[str, ...],
        *,
        create: bool,
        read_only: bool,
    ) -> None:
        """Raises StorageError: in use; CorruptFolderError: none, or one where none should be."""
        if disk.is_dead:
            raise Crash
        self.on_fault: Callable[[NodeError], None] = lambda _fault: None
        self._disk, self._folder, self._families = disk, folder, families
        self._life = disk.life
        self._is_closed = self._is_broken = False
        self._is_read_only = read_only
        self._medium = self._open(create)

    def _open(self, create: bool) -> _Medium:
        exists = (self._folder / CURRENT).exists()
        if self._is_read_only and not self._folder.exists():
            raise self._build_disk_fault("No such file or directory")
        if exists == create:
            raise self._build_damage("exists" if create else "does not exist")
        if create:
            self._check_room()
        found = self._disk.begin(self._folder, self._families) if create else None
        medium = found or self._disk.find(self._folder)
        if self._is_read_only:
            return medium.copy()
        if medium.is_open:
            raise self._build_disk_fault("lock hold by current process")
        medium.is_open = True
        medium.sync()  # a start writes what it finds in the log into files of their own
        return medium

    def get(self, family: str, key: bytes) -> bytes | None:
        """The value under `key`."""
        table = self._table(family)
        return self._read(table, [key])[0][1] if key in table.values else None

    def scan(self, family: str, start: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` pairs with start <= key < end, in key order."""
        table = self._table(family)
        return self._read(table, table.between(start, end)[: max(limit, 0)])

    def iterate(self, family: str) -> Iterator[tuple[bytes, bytes]]:
        """All pairs of a family in key order, pinned by this call."""
        return self._walk(self._table(family).copy())

    def _walk(self, table: _Table) -> Iterator[tuple[bytes, bytes]]:
        for key in table.keys:
            self._check()
            yield from self._read(table, [key])

    def last(self, family: str, start: bytes, end: bytes) -> tuple[bytes, bytes] | None:
        """The last pair with start <= key < end."""
        table = self._table(family)
        found = table.between(start, end)[-1:]
        return self._read(table, found)[0] if found else None

    def batch(self) -> SimulatedBatch:
        """An empty write."""
        return SimulatedBatch(self._families)

    def write(self, batch: WriteBatch) -> None:
        """Visible at once, durable with the next `commit`."""
        self._apply(batch)
        self._disk.reach(WRITTEN)

    def commit(self, batch: WriteBatch) -> None:
        """Visible, then durable, with all that was written before."""
        self._check()
        self._disk.reach(BEFORE)
        self._apply(batch)
        self._disk.on_visible()
        self._disk.reach(VISIBLE)
        if self._disk.slow_ms:
            self._disk.pass_ms(self._disk.slow_ms)
        if self._disk.breaks:
            self._is_broken = True
            raise self._build_disk_fault("Input/output error")
        self._medium.sync()
        self._disk.reach(DURABLE)

    def compact(self, family: str, _start: bytes, _end: bytes) -> None:
        """Nothing is to be given back."""
        self._table(family)

    def close(self) -> None:
        """Give the folder back; makes nothing durable."""
        if self._life == self._disk.life and not self._is_closed and not self._is_read_only:
            self._medium.is_open = False
        self._is_closed = True

    def _table(self, family: str) -> _Table:
        self._check()
        return self._medium.tables[family]

    def _read(self, table: _Table, keys: list[bytes]) -> list[tuple[bytes, bytes]]:
        try:
            return [table.read(key) for key in keys]
        except LookupError:
            raise self._build_damage("block checksum mismatch") from None

    def _apply(self, batch: WriteBatch) -> None:
        self._check()
        if self._is_read_only:
            raise self._build_disk_fault("Not supported operation in read only mode.")
        if self._is_broken:
            raise self._build_disk_fault("Input/output error")
        self._check_room()
        self._medium.apply(batch.inner)

    def _check(self) -> None:
        if self._life != self._disk.life:
            raise Crash
        if self._is_closed:
            raise NodeStoppedError(f"{self._folder} is closed", "Start the node again, ask again.")

    def _check_room(self) -> None:
        if self._disk.full:
            raise self._build_disk_fault("No space left on device")

    def _build_disk_fault(self, text: str) -> NodeError:
        return self._tell(StorageError(f"reading or writing {self._folder} failed: {text}", _CURE))

    def _build_damage(self, text: str) -> NodeError:
        return self._tell(
            CorruptFolderError(f"the stored data in {self._folder} is damaged: {text}", _CURE)
        )

    def _tell(self, fault: NodeError) -> NodeError:
        self.on_fault(fault)
        return fault

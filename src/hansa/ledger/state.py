"""State as the kernel sees it: a committed reader, and overlays of changes above it. Pure.

`MemoryState` keeps everything in memory (tests, replays); the node's storage is the durable reader.
"""

import bisect
from functools import lru_cache
from typing import Protocol, TypeVar

from hansa.encoding.canonical import decode_typed
from hansa.ledger.blocks import Block, BlockResult, Change
from hansa.ledger.model import Record, compute_state_key
from hansa.ledger.tree import MemoryBuckets, StateTree

R = TypeVar("R", bound=Record)


class Reader(Protocol):
    """Ordered key-value reads: all that a contract's rules may depend on."""

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`."""
        ...

    def scan(self, start: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` pairs with start <= key < end, in key order."""
        ...


class StateReader(Reader, Protocol):
    """Committed state at `height`, whose block time was `time_ms`."""

    @property
    def height(self) -> int: ...

    @property
    def time_ms(self) -> int: ...

    @property
    def tree(self) -> StateTree: ...

    def has_seen(self, transaction_id: bytes) -> bool:
        """Whether a transaction with this id is within the replay window (D3)."""
        ...


class Steady:
    """A reader that does not change while a block is executed: what was read is remembered."""

    def __init__(self, below: Reader) -> None:
        self._known: dict[bytes, bytes | None] = {}
        self._get = below.get
        self.scan = below.scan

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`, read once."""
        try:
            return self._known[key]
        except KeyError:
            value = self._known[key] = self._get(key)
            return value


class Overlay:
    """Changes above a reader. Dropped to roll back, `fold` to keep."""

    def __init__(self, below: Reader) -> None:
        self.below = below
        self.changes: dict[bytes, bytes | None] = {}
        self._sorted: list[bytes] = []

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`, changes first."""
        if key in self.changes:
            return self.changes[key]
        return self.below.get(key)

    def put(self, key: bytes, value: bytes | None) -> None:
        """Set or (None) delete."""
        if key not in self.changes:
            bisect.insort(self._sorted, key)
        self.changes[key] = value

    def scan(self, start: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Ordered pairs with the changes merged in."""
        low = bisect.bisect_left(self._sorted, start)
        high = bisect.bisect_left(self._sorted, end)
        own = self._sorted[low:high]
        if not own:
            return self.below.scan(start, end, limit)
        merged = dict(self.below.scan(start, end, limit + len(own)))
        for key in own:
            value = self.changes[key]
            if value is None:
                merged.pop(key, None)
            else:
                merged[key] = value
        return sorted(merged.items())[:limit]

    def list_changes(self, start: bytes, end: bytes) -> list[Change]:
        """The changes with start <= key < end, in key order."""
        low = bisect.bisect_left(self._sorted, start)
        high = bisect.bisect_left(self._sorted, end)
        return [(key, self.changes[key]) for key in self._sorted[low:high]]

    def fold(self, target: "Overlay") -> None:
        """Put every change into `target`, the overlay below."""
        for key, value in self.changes.items():
            target.put(key, value)

    def sorted_changes(self) -> tuple[Change, ...]:
        """The changes in key order."""
        return tuple((key, self.changes[key]) for key in self._sorted)


class MemoryState:
    """Committed state in memory; the same rules as the durable one."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self._sorted: list[bytes] = []
        self._seen: dict[bytes, int] = {}
        self._buckets = MemoryBuckets()
        self._tree = StateTree(self._buckets)
        self._height = 0
        self._time_ms = 0

    @property
    def height(self) -> int:
        """Height of the last applied block (0: genesis)."""
        return self._height

    @property
    def time_ms(self) -> int:
        """Time of the last applied block."""
        return self._time_ms

    @property
    def tree(self) -> StateTree:
        """The authenticated tree over this state."""
        return self._tree

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`."""
        return self.values.get(key)

    def scan(self, start: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Ordered pairs with start <= key < end."""
        low = bisect.bisect_left(self._sorted, start)
        high = bisect.bisect_left(self._sorted, end)
        return [(key, self.values[key]) for key in self._sorted[low : min(high, low + limit)]]

    def has_seen(self, transaction_id: bytes) -> bool:
        """Whether the id is within the replay window."""
        return transaction_id in self._seen

    def apply_genesis(self, changes: tuple[Change, ...], time_ms: int) -> None:
        """Take the genesis state as height 0."""
        delta = self._tree.compute(changes)
        self._store(changes)
        self._buckets.write(delta.buckets)
        self._tree.apply(delta, 0)
        self._time_ms = time_ms

    def apply(self, block: Block, result: BlockResult) -> None:
        """Take an executed block."""
        self._store(result.changes)
        self._buckets.write(result.delta.buckets)
        self._tree.apply(result.delta, block.height)
        for transaction_id in result.seen:
            self._seen[transaction_id] = block.height
        if result.forgotten:
            gone = set(result.forgotten)
            self._seen = {key: height for key, height in self._seen.items() if height not in gone}
        self._height, self._time_ms = block.height, block.time_ms

    def _store(self, changes: tuple[Change, ...]) -> None:
        for key, value in changes:
            if value is None:
                if self.values.pop(key, None) is not None:
                    del self._sorted[bisect.bisect_left(self._sorted, key)]
            else:
                if key not in self.values:
                    bisect.insort(self._sorted, key)
                self.values[key] = value


@lru_cache(maxsize=8192)
def decode_record(kind: type[R], data: bytes) -> R:
    """Decode a stored record; records are immutable, so hot ones are decoded once."""
    return decode_typed(data, kind)


def get_record(reader: Reader, app: str, kind: type[R], *parts: str) -> R | None:
    """The record of `kind` with this identifier, or None."""
    data = reader.get(compute_state_key(app, kind.KIND, parts))
    return None if data is None else decode_record(kind, data)


def get_system(reader: Reader, kind: type[R], *parts: str) -> R | None:
    """As get_record, for a record that the kernel itself reads."""
    return get_record(reader, kind.OWNER, kind, *parts)


def compute_range(app: str, kind: type[Record], prefix: tuple[str, ...]) -> tuple[bytes, bytes]:
    """Key range (start, end) of all records of `kind` whose identifier begins with `prefix`."""
    start = compute_state_key(app, kind.KIND, prefix) + b"/"
    return start, start[:-1] + b"0"


def scan_records(
    reader: Reader,
    app: str,
    kind: type[R],
    prefix: tuple[str, ...] = (),
    *,
    limit: int,
    after: tuple[str, ...] = (),
) -> list[R]:
    """Records under `prefix` in key order, beginning after the identifier `after`."""
    start, end = compute_range(app, kind, prefix)
    if after:
        start = compute_state_key(app, kind.KIND, after) + b"\x00"
    return [decode_record(kind, data) for _key, data in reader.scan(start, end, limit)]

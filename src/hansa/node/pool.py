"""What waits for a block: bounded, without doubles, fair between members. In memory only.

A transaction is in the pool until its block is durable, or it can no longer enter. A crash loses
the pool, and clients send again: the id stays the same.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Final

import msgspec

from hansa.node.faults import PoolFull

# Four blocks at the limits: more waiting only means more waiting time.
POOL_TRANSACTIONS_MAX: Final = 20_000
POOL_BYTES_MAX: Final = 16_000_000
# One member may fill half of the pool (D19): the others always find room.
LANE_SHARE: Final = 2
# Protobuf around each transaction of a block (bytes).
TRANSACTION_OVERHEAD: Final = 8
_NEVER: Final = 2**63


class Waiting(msgspec.Struct):
    """A transaction in the pool. `lane` is the member that pays for it; `expiry` the last height
    that it may have; `is_taken`: the engine has it.
    """

    id: bytes
    data: bytes
    lane: str
    expiry: int = _NEVER
    is_taken: bool = False
    is_gone: bool = False


class _Lane:
    """One member's transactions, in the order of their arrival."""

    def __init__(self) -> None:
        self.queue: deque[Waiting] = deque()
        self.count = 0
        self.size = 0


class TransactionPool:
    """Transactions by id, in lanes by member. Used from any thread."""

    def __init__(
        self, count_max: int = POOL_TRANSACTIONS_MAX, bytes_max: int = POOL_BYTES_MAX
    ) -> None:
        self._count_max, self._bytes_max = count_max, bytes_max
        self._waiting: dict[bytes, Waiting] = {}
        self._lanes: OrderedDict[str, _Lane] = OrderedDict()
        self._size = 0
        self._untaken = 0
        self._untaken_size = 0
        self._first_expiry = _NEVER
        # The engine waits on it; whoever gives it work notifies.
        self.changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, transaction_id: bytes) -> bool:
        return transaction_id in self._waiting

    def holds(self, transaction_id: bytes, data: bytes) -> bool:
        """Whether it waits here with these very bytes."""
        waiting = self._waiting.get(transaction_id)
        return waiting is not None and waiting.data == data

    @property
    def has_work(self) -> bool:
        """Whether something waits that the engine does not have."""
        return self._untaken > 0

    @property
    def taken(self) -> tuple[int, int]:
        """How many the engine has, and their bytes."""
        return len(self._waiting) - self._untaken, self._size - self._untaken_size

    def check_room(self, lane: str, size: int, retry_after_s: int) -> None:
        """Raise PoolFull when a transaction of `size` bytes has no room now."""
        if len(self._waiting) >= self._count_max or self._size + size > self._bytes_max:
            raise PoolFull(retry_after_s, f"{len(self._waiting)} transactions")
        own = self._lanes.get(lane)
        if own is not None and (
            own.count * LANE_SHARE >= self._count_max
            or (own.size + size) * LANE_SHARE > self._bytes_max
        ):
            raise PoolFull(retry_after_s, f"{own.count} transactions of this member")

    def add(self, waiting: Waiting) -> None:
        """Take a transaction whose id is not in the pool; callers hold `changed`."""
        self._waiting[waiting.id] = waiting
        lane = self._lanes.setdefault(waiting.lane, _Lane())
        lane.queue.append(waiting)
        lane.count += 1
        lane.size += len(waiting.data)
        self._size += len(waiting.data)
        self._untaken += 1
        self._untaken_size += len(waiting.data)
        self._first_expiry = min(self._first_expiry, waiting.expiry)
        self.changed.notify_all()

    def take(self, count_max: int, bytes_max: int) -> list[Waiting]:
        """Up to so many for the engine: one of each member in turn. They stay until `remove`."""
        taken: list[Waiting] = []
        size = 0
        with self.changed:
            open_lanes = deque(name for name, lane in self._lanes.items() if lane.queue)
            while open_lanes and len(taken) < count_max:
                name = open_lanes.popleft()
                queue = self._lanes[name].queue
                while queue and queue[0].is_gone:
                    queue.popleft()
                if not queue:
                    continue
                size += len(queue[0].data) + TRANSACTION_OVERHEAD
                if size > bytes_max and taken:
                    break
                taken.append(queue.popleft())
                if queue:
                    open_lanes.append(name)
            for name in dict.fromkeys(waiting.lane for waiting in taken):
                self._lanes.move_to_end(name)
            for waiting in taken:
                waiting.is_taken = True
                self._untaken -= 1
                self._untaken_size -= len(waiting.data)
        return taken

    def give_back(self, taken: Iterable[Waiting]) -> None:
        """The engine does not have them after all: first in their lanes again, in this order."""
        with self.changed:
            for waiting in reversed(list(taken)):
                if waiting.is_gone or not waiting.is_taken:
                    continue
                waiting.is_taken = False
                self._untaken += 1
                self._untaken_size += len(waiting.data)
                self._lanes[waiting.lane].queue.appendleft(waiting)
            self.changed.notify_all()

    def remove(self, taken: Iterable[Waiting]) -> None:
        """Their block is durable: forget them."""
        self.discard(waiting.id for waiting in taken)

    def discard(self, ids: Iterable[bytes]) -> list[Waiting]:
        """Forget those of `ids` that are here, taken or not, and give them."""
        gone = []
        with self.changed:
            for identity in ids:
                waiting = self._waiting.pop(identity, None)
                if waiting is not None:
                    self._forget(waiting)
                    gone.append(waiting)
            if gone:
                self.changed.notify_all()
        return gone

    def find_expired(self, height: int) -> list[Waiting]:
        """Those that may not enter the block at `height` any more; to be discarded."""
        if self._first_expiry >= height:
            return []
        with self.changed:
            old = [each for each in self._waiting.values() if each.expiry < height]
            later = (each.expiry for each in self._waiting.values() if each.expiry >= height)
            self._first_expiry = min(later, default=_NEVER)
        return old

    def _forget(self, waiting: Waiting) -> None:
        waiting.is_gone = True
        size = len(waiting.data)
        if not waiting.is_taken:  # it stays in its lane's queue until `take` meets it
            self._untaken -= 1
            self._untaken_size -= size
        self._size -= size
        lane = self._lanes[waiting.lane]
        lane.count -= 1
        lane.size -= size
        if not lane.count:
            del self._lanes[waiting.lane]

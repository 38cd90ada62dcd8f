"""What waits for a block: bounded, without doubles, fair between members. In memory only.

A transaction is in the pool until its block is durable; a crash loses the pool, and clients send
again: the id stays the same.
"""

import threading
from collections import OrderedDict, deque
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


class Waiting(msgspec.Struct):
    """A transaction in the pool. `lane` is the member that pays for it."""

    id: bytes
    data: bytes
    lane: str
    is_taken: bool = False


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
        # The engine waits on it; whoever gives it work notifies.
        self.changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, transaction_id: bytes) -> bool:
        return transaction_id in self._waiting

    @property
    def has_work(self) -> bool:
        """Whether something waits for a block that is not yet being made."""
        return self._untaken > 0

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
        self.changed.notify_all()

    def take(self, count_max: int, bytes_max: int) -> list[Waiting]:
        """Up to so many for one block: one of each member in turn. They stay until `remove`."""
        taken: list[Waiting] = []
        size = 0
        with self.changed:
            open_lanes = deque(name for name, lane in self._lanes.items() if lane.queue)
            while open_lanes and len(taken) < count_max:
                name = open_lanes.popleft()
                queue = self._lanes[name].queue
                size += len(queue[0].data) + TRANSACTION_OVERHEAD
                if size > bytes_max and taken:
                    break
                taken.append(queue.popleft())
                if queue:
                    open_lanes.append(name)
            for name in {waiting.lane for waiting in taken}:
                self._lanes.move_to_end(name)
            for waiting in taken:
                waiting.is_taken = True
            self._untaken -= len(taken)
        return taken

    def remove(self, taken: list[Waiting]) -> None:
        """Their block is durable: forget them."""
        with self.changed:
            for waiting in taken:
                del self._waiting[waiting.id]
                lane = self._lanes[waiting.lane]
                lane.count -= 1
                lane.size -= len(waiting.data)
                self._size -= len(waiting.data)
                if not lane.count:
                    del self._lanes[waiting.lane]

"""What goes into a proposal, and whether another's may be voted for: one rule for both.

Each transaction must pass `check_transaction` on committed state, none may be there twice. Pure
but for the application that it asks.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from hansa.ledger.admission import AdmittedTransaction
from hansa.ledger.rejections import Rejection
from hansa.node.application import LedgerApplication
from hansa.primitives.limits import BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX

# Offered to one block; those of more would be asked again in the next.
OFFERED_MAX: Final = 4 * BLOCK_TRANSACTIONS_MAX
# The end of the year 9999, where protobuf's time ends.
TIME_MS_MAX: Final = 253_402_300_799_999


class Choice(msgspec.Struct):
    """`chosen` in order; `refused`: what may not enter: the engine's pool may drop it."""

    chosen: list[bytes]
    refused: set[bytes]


def choose_transactions(
    application: LedgerApplication, offered: Iterable[bytes], time_ms: int, bytes_max: int
) -> Choice:
    """Choose from the engine's pool for a block of at most `bytes_max`, counted as protobuf.

    In the order offered when all have room; else one of each member in turn (D19).
    """
    admitted: list[AdmittedTransaction] = []
    refused: set[bytes] = set()
    ids: set[bytes] = set()
    data_of: dict[bytes, bytes] = {}
    for _index, data in zip(range(OFFERED_MAX), offered, strict=False):
        try:
            each = application.check(data, time_ms=time_ms)
        except Rejection:
            refused.add(data)
            continue
        if each.transaction.id not in ids:
            ids.add(each.transaction.id)
            data_of[each.transaction.id] = data
            admitted.append(each)
    total = sum(measure(each.transaction.size) for each in admitted)
    if total > bytes_max or len(admitted) > BLOCK_TRANSACTIONS_MAX:
        admitted = _share(admitted, bytes_max)
    return Choice([data_of[each.transaction.id] for each in admitted], refused)


def find_fault(
    application: LedgerApplication, transactions: Sequence[bytes], time_ms: int
) -> str | None:
    """Why no honest proposer puts these into the next block; None when one may."""
    state_ms, height = application.storage.time_ms, application.storage.height
    if not state_ms < time_ms <= TIME_MS_MAX and not (height == 0 and time_ms == state_ms):
        return f"its time {time_ms} is not after the block before, {state_ms}"
    if len(transactions) > BLOCK_TRANSACTIONS_MAX:
        return f"more than {BLOCK_TRANSACTIONS_MAX} transactions"
    if sum(measure(len(data)) for data in transactions) > BLOCK_BYTES_MAX:
        return f"more than {BLOCK_BYTES_MAX} bytes"
    ids: set[bytes] = set()
    for data in transactions:
        try:
            identity = application.check(data, time_ms=time_ms).transaction.id
        except Rejection as rejection:
            return f"{rejection.code}: {rejection.text}"
        if identity in ids:
            return f"transaction {identity.hex()} twice"
        ids.add(identity)
    return None


def measure(size: int) -> int:
    """Bytes of a transaction of `size` in a block: tag, length, content."""
    length, rest = 1, size >> 7
    while rest:
        length, rest = length + 1, rest >> 7
    return 1 + length + size


def _share(admitted: Iterable[AdmittedTransaction], bytes_max: int) -> list[AdmittedTransaction]:
    """One of each member in turn, as long as there is room."""
    lanes: dict[str, deque[AdmittedTransaction]] = {}
    for each in admitted:
        lanes.setdefault(each.accounts[0].member, deque()).append(each)
    waiting = deque(lanes.values())
    chosen: list[AdmittedTransaction] = []
    room = bytes_max
    while waiting and len(chosen) < BLOCK_TRANSACTIONS_MAX:
        lane = waiting.popleft()
        room -= measure(lane[0].transaction.size)
        if room < 0:
            break
        chosen.append(lane.popleft())
        if lane:
            waiting.append(lane)
    return chosen

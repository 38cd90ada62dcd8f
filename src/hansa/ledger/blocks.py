"""A decided block, and what executing it gives. Pure values."""

import msgspec

from hansa.ledger.receipts import MessageResult, TransactionResult
from hansa.ledger.tree import TreeDelta

Change = tuple[bytes, bytes | None]


class Block(msgspec.Struct, frozen=True):
    """What the engine decided. `time_ms` is block time, UTC; `hash` is this block's header hash."""

    chain: str
    height: int
    time_ms: int
    hash: bytes
    transactions: tuple[bytes, ...] = ()


class BlockResult(msgspec.Struct, frozen=True):
    """One result per transaction, in order; changes sorted by key, a None value deletes.

    `seen` are the ids of this block's transactions; `forgotten` heights whose ids are pruned.
    """

    results: tuple[TransactionResult, ...]
    deadlines: tuple[MessageResult, ...]
    changes: tuple[Change, ...]
    state_root: bytes
    delta: TreeDelta
    results_hash: bytes
    seen: tuple[bytes, ...] = ()
    forgotten: tuple[int, ...] = ()

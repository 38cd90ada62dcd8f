"""A decided block, and what executing it gives. Pure values."""

from typing import Literal

import msgspec

from hansa.ledger.receipts import MessageResult, TransactionResult
from hansa.ledger.tree import TreeDelta

Change = tuple[bytes, bytes | None]


class Misbehaviour(msgspec.Struct, frozen=True):
    """A validator that provably broke the engine's rules. `address`: 20 bytes; times in ms, UTC."""

    kind: Literal["duplicate_vote", "light_client_attack"]
    address: bytes
    power: int
    height: int
    time_ms: int
    total_power: int


class ValidatorUpdate(msgspec.Struct, frozen=True):
    """A change of the validator set: Ed25519 key (32 bytes) and its new power, 0 to remove it."""

    public_key: bytes
    power: int


class Block(msgspec.Struct, frozen=True):
    """What the engine decided. `time_ms` is block time, UTC; `hash` is this block's header hash.

    `signers`: addresses whose votes decided the block before, in the order of the set.
    """

    chain: str
    height: int
    time_ms: int
    hash: bytes
    transactions: tuple[bytes, ...] = ()
    signers: tuple[bytes, ...] = ()
    misbehaviours: tuple[Misbehaviour, ...] = ()


class BlockResult(msgspec.Struct, frozen=True):
    """One result per transaction, in order; changes sorted by key, a None value deletes.

    `seen` are the ids of this block's transactions; `forgotten` heights whose ids are pruned;
    `validator_updates` are sorted by key; `encoded` are the leaves under `results_hash`.
    """

    results: tuple[TransactionResult, ...]
    deadlines: tuple[MessageResult, ...]
    changes: tuple[Change, ...]
    state_root: bytes
    delta: TreeDelta
    results_hash: bytes
    seen: tuple[bytes, ...] = ()
    forgotten: tuple[int, ...] = ()
    validator_updates: tuple[ValidatorUpdate, ...] = ()
    encoded: tuple[bytes, ...] = ()

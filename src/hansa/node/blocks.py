"""A block as it is stored: head, transactions, votes, results, changes, and its seal. Pure.

The seal is a part of its own: under CometBFT it comes after the block.
"""

from struct import Struct
from typing import Final

import msgspec

from hansa.comet.commit import Commit
from hansa.comet.header import Header
from hansa.ledger.blocks import Block, BlockResult, Change, Misbehaviour
from hansa.ledger.receipts import MessageResult, TransactionResult

# Parts of a stored block, each under its own key.
HEAD: Final = b"h"
TRANSACTIONS: Final = b"t"
RESULTS: Final = b"r"
CHANGES: Final = b"c"
VOTES: Final = b"v"
SEAL: Final = b"s"
PARTS: Final = (HEAD, TRANSACTIONS, RESULTS, CHANGES, VOTES, SEAL)

_HEIGHT = Struct(">Q")
_PLACE = Struct(">QIB")


class Seal(msgspec.Struct, frozen=True):
    """What makes a block provable outside: its header and the commit that decided it."""

    header: Header
    commit: Commit


class BlockHead(msgspec.Struct, frozen=True):
    """The small part of a stored block. `transactions` and `deadlines` are numbers of results."""

    height: int
    time_ms: int
    hash: bytes
    transactions: int
    deadlines: int
    state_root: bytes
    results_hash: bytes

    @property
    def is_empty(self) -> bool:
        """Whether the block changed nothing."""
        return not self.transactions and not self.deadlines


class BlockResults(msgspec.Struct, frozen=True):
    """Results of one block: one per transaction, in order, and those of fired deadlines."""

    results: tuple[TransactionResult, ...]
    deadlines: tuple[MessageResult, ...]


class Votes(msgspec.Struct, frozen=True):
    """What the engine says with a block: who signed the one before, and who broke its rules."""

    signers: tuple[bytes, ...] = ()
    misbehaviours: tuple[Misbehaviour, ...] = ()


class StoredBlock(msgspec.Struct, frozen=True):
    """A committed block, whole. Changes are sorted by key; a None value deletes."""

    head: BlockHead
    transactions: tuple[bytes, ...]
    results: BlockResults
    changes: tuple[Change, ...]
    votes: Votes = Votes()

    @property
    def height(self) -> int:
        """Its height."""
        return self.head.height

    @property
    def time_ms(self) -> int:
        """Block time, milliseconds, UTC."""
        return self.head.time_ms

    @property
    def hash(self) -> bytes:
        """Hash of its header, 32 bytes."""
        return self.head.hash

    def decided(self, chain: str) -> Block:
        """The block as the engine decided it: the kernel can execute it again."""
        return Block(
            chain=chain,
            height=self.height,
            time_ms=self.time_ms,
            hash=self.hash,
            transactions=self.transactions,
            signers=self.votes.signers,
            misbehaviours=self.votes.misbehaviours,
        )


class Place(msgspec.Struct, frozen=True):
    """Where a transaction is: height, index in the block, and its result's code."""

    height: int
    index: int
    code: int


_encode = msgspec.msgpack.Encoder().encode
_encode_json = msgspec.json.Encoder().encode
_decode_head = msgspec.msgpack.Decoder(BlockHead).decode
_decode_transactions = msgspec.msgpack.Decoder(tuple[bytes, ...]).decode
_decode_results = msgspec.json.Decoder(BlockResults).decode
_decode_changes = msgspec.msgpack.Decoder(tuple[tuple[bytes, bytes | None], ...]).decode
_decode_votes = msgspec.msgpack.Decoder(Votes).decode
_decode_seal = msgspec.msgpack.Decoder(Seal).decode


def encode_key(height: int, part: bytes) -> bytes:
    """Storage key of a part of a block: height order is key order."""
    return _HEIGHT.pack(height) + part


def build_head(block: Block, result: BlockResult) -> BlockHead:
    """The small part of an executed block."""
    return BlockHead(
        height=block.height,
        time_ms=block.time_ms,
        hash=block.hash,
        transactions=len(result.results),
        deadlines=len(result.deadlines),
        state_root=result.state_root,
        results_hash=result.results_hash,
    )


def encode_parts(head: BlockHead, block: Block, result: BlockResult) -> list[tuple[bytes, bytes]]:
    """Storage keys and values of a block; of an empty one its head and votes."""
    parts = [(encode_key(head.height, HEAD), _encode(head))]
    if block.signers or block.misbehaviours:
        votes = Votes(block.signers, block.misbehaviours)
        parts.append((encode_key(head.height, VOTES), _encode(votes)))
    if not head.is_empty:
        results = BlockResults(result.results, result.deadlines)
        parts += [
            (encode_key(head.height, TRANSACTIONS), _encode(block.transactions)),
            (encode_key(head.height, RESULTS), _encode_json(results)),
            (encode_key(head.height, CHANGES), _encode(result.changes)),
        ]
    return parts


def decode_head(data: bytes) -> BlockHead:
    """The small part, from storage."""
    return _decode_head(data)


def decode_transactions(data: bytes | None) -> tuple[bytes, ...]:
    """The transactions, from storage."""
    return _decode_transactions(data) if data is not None else ()


def decode_results(data: bytes | None) -> BlockResults:
    """The results, from storage."""
    return _decode_results(data) if data is not None else BlockResults((), ())


def decode_changes(data: bytes | None) -> tuple[Change, ...]:
    """The changes, from storage."""
    return _decode_changes(data) if data is not None else ()


def decode_votes(data: bytes | None) -> Votes:
    """Signers and misbehaviours, from storage."""
    return _decode_votes(data) if data is not None else Votes()


def encode_seal(seal: Seal) -> bytes:
    """A seal, for storage."""
    return _encode(seal)


def decode_seal(data: bytes) -> Seal:
    """A seal, from storage."""
    return _decode_seal(data)


def encode_place(place: Place) -> bytes:
    """A transaction's place for the index."""
    return _PLACE.pack(place.height, place.index, place.code)


def decode_place(data: bytes) -> Place:
    """A transaction's place from the index."""
    return Place(*_PLACE.unpack(data))

"""What a node answers about transactions: where they stand, what proves them. Pure values."""

from typing import Final, Literal

import msgspec

from hansa.comet.commit import Commit
from hansa.comet.header import Header
from hansa.comet.validators import ValidatorSet
from hansa.ledger.receipts import TransactionResult
from hansa.ledger.rejections import Rejection
from hansa.node.blocks import Seal

State = Literal["unknown", "pending", "committed", "invalid"]
ID_SIZE: Final = 32


class NoSuchTransaction(Rejection):
    """No block that can be proved holds it."""

    CODESPACE = "node"
    CODE = "no_such_transaction"
    RULE = "DESIGN 4.7"
    TEXT = "The ledger holds no transaction {id}, or not yet."
    REMEDY = "Ask for its status; when that is unknown, send the same bytes again."


class NoSuchMessage(Rejection):
    """The transaction has fewer messages."""

    CODESPACE = "node"
    CODE = "no_such_message"
    RULE = "DESIGN 4.6"
    TEXT = "The transaction has {count} messages, counted from 0."
    REMEDY = "Name one of them."


class BlockNotKept(Rejection):
    """The block is older than what this node keeps."""

    CODESPACE = "node"
    CODE = "block_not_kept"
    RULE = "DESIGN 4.7"
    TEXT = "Block {height} is not kept here; this node keeps blocks from {base} on."
    REMEDY = "Ask a node that keeps all blocks; the result itself stays as it was."


class TransactionStatus(msgspec.Struct, frozen=True):
    """Where a transaction stands. `committed` and `invalid` are final, durable and provable.

    No `index` and `result`: this node no longer keeps the block, or never had it.
    """

    id: str
    state: State
    height: int | None = None
    index: int | None = None
    result: TransactionResult | None = None


class ReceiptParts(msgspec.Struct, frozen=True):
    """All that proves one message's result.

    `results` are the leaves under `header.last_results_hash`; `header` is that of height + 1, and
    `validators` are those that voted on it.
    """

    height: int
    index: int
    message: int
    transaction: bytes
    result: TransactionResult
    results: tuple[bytes, ...]
    block: Seal
    header: Header
    commit: Commit
    validators: ValidatorSet


def decode_id(transaction: str) -> bytes:
    """32 bytes of 64 hex digits. Raises NoSuchTransaction."""
    try:
        identity = bytes.fromhex(transaction)
    except ValueError:
        identity = b""
    if len(identity) != ID_SIZE or identity.hex() != transaction:
        raise NoSuchTransaction(id=transaction)
    return identity

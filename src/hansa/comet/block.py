"""What a block is made of: data hash, results, the block's bytes and its part set. Pure.

Source: CometBFT v0.39.4 types/block.go, types/tx.go, types/results.go, types/part_set.go.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from hansa.comet.commit import Commit
from hansa.comet.header import BlockID, Header, PartSetHeader
from hansa.crypto.hashing import sha256
from hansa.crypto.merkle import merkle_root
from hansa.encoding.protobuf import message_field
from hansa.ledger.receipts import ExecTxResult

# CometBFT BlockPartSizeBytes.
PART_SIZE: Final = 65_536


def compute_results_hash(results: Iterable[ExecTxResult]) -> bytes:
    """`last_results_hash` of the next header."""
    return merkle_root([result.encode() for result in results])


def compute_data_hash(transactions: Iterable[bytes]) -> bytes:
    """`data_hash`: each leaf is the SHA-256 of a transaction."""
    return merkle_root([sha256(transaction) for transaction in transactions])


def encode_block(header: Header, transactions: Iterable[bytes], last_commit: Commit) -> bytes:
    """tendermint.types.Block without evidence."""
    data = b"".join(message_field(1, transaction) for transaction in transactions)
    return b"".join(
        (
            message_field(1, header.encode()),
            message_field(2, data),
            message_field(3, b""),
            message_field(4, last_commit.encode()),
        )
    )


def split_parts(block: bytes) -> list[bytes]:
    """The block's bytes in pieces of 64 KiB."""
    return [block[start : start + PART_SIZE] for start in range(0, len(block), PART_SIZE)]


def compute_part_set_header(block: bytes) -> PartSetHeader:
    """Number of parts of the block's bytes and the Merkle root over them."""
    parts = split_parts(block)
    return PartSetHeader(total=len(parts), hash=merkle_root(parts))


def compute_block_id(header: Header, transactions: Sequence[bytes], last_commit: Commit) -> BlockID:
    """CometBFT's own id of the block: header hash and part set."""
    block = encode_block(header, transactions, last_commit)
    return BlockID(hash=header.hash(), parts=compute_part_set_header(block))

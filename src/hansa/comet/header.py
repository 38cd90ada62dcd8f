"""Block headers and what they name: Header, BlockID, PartSetHeader, and their hashes. Pure.

Encoded to JSON by msgspec as they stand: bytes as base64. Source: CometBFT v0.39.4 types/block.go,
types/encoding_helper.go, proto/tendermint/types/types.proto.
"""

from typing import Final

import msgspec

from hansa.comet.wire import Timestamp
from hansa.crypto.hashing import sha256
from hansa.crypto.merkle import EMPTY_ROOT, HASH_SIZE, merkle_root
from hansa.encoding.protobuf import bytes_field, integer_field, message_field

# The block protocol of CometBFT v0.34 to v0.40.
BLOCK_PROTOCOL: Final = 11
# CometBFT MaxChainIDLen.
CHAIN_ID_SIZE_MAX: Final = 50
# Hash of an empty evidence list: Hansa's blocks carry evidence only under CometBFT.
EVIDENCE_HASH_EMPTY: Final = EMPTY_ROOT


class PartSetHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Number of 64 KiB parts of a block, and the Merkle root over them."""

    total: int = 0
    hash: bytes = b""

    def encode(self) -> bytes:
        """tendermint.types.PartSetHeader (and its canonical twin)."""
        return integer_field(1, self.total) + bytes_field(2, self.hash)


class BlockID(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block by header hash and parts. All empty: no block (before height 1, a nil vote)."""

    hash: bytes = b""
    parts: PartSetHeader = PartSetHeader()

    def is_complete(self) -> bool:
        """Whether it names a block (CometBFT BlockID.IsComplete)."""
        return len(self.hash) == len(self.parts.hash) == HASH_SIZE and self.parts.total > 0

    def encode(self) -> bytes:
        """tendermint.types.BlockID (and its canonical twin)."""
        return bytes_field(1, self.hash) + message_field(2, self.parts.encode())


class Version(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Block protocol and application protocol."""

    block: int = BLOCK_PROTOCOL
    app: int = 0

    def encode(self) -> bytes:
        """tendermint.version.Consensus."""
        return integer_field(1, self.block) + integer_field(2, self.app)


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """CometBFT's block header. Hashes are 32 bytes or empty, `proposer_address` 20 bytes.

    `app_hash` and `last_results_hash` are those of the block before.
    """

    version: Version
    chain_id: str
    height: int
    time: Timestamp
    last_block_id: BlockID
    last_commit_hash: bytes
    data_hash: bytes
    validators_hash: bytes
    next_validators_hash: bytes
    consensus_hash: bytes
    app_hash: bytes
    last_results_hash: bytes
    evidence_hash: bytes
    proposer_address: bytes

    def hash(self) -> bytes:
        """The block's hash, 32 bytes: Merkle root over the 14 fields in order."""
        return merkle_root(
            [
                self.version.encode(),
                bytes_field(1, self.chain_id.encode()),
                integer_field(1, self.height),
                self.time.encode(),
                self.last_block_id.encode(),
                bytes_field(1, self.last_commit_hash),
                bytes_field(1, self.data_hash),
                bytes_field(1, self.validators_hash),
                bytes_field(1, self.next_validators_hash),
                bytes_field(1, self.consensus_hash),
                bytes_field(1, self.app_hash),
                bytes_field(1, self.last_results_hash),
                bytes_field(1, self.evidence_hash),
                bytes_field(1, self.proposer_address),
            ]
        )

    def encode(self) -> bytes:
        """tendermint.types.Header."""
        return b"".join(
            (
                message_field(1, self.version.encode()),
                bytes_field(2, self.chain_id.encode()),
                integer_field(3, self.height),
                message_field(4, self.time.encode()),
                message_field(5, self.last_block_id.encode()),
                bytes_field(6, self.last_commit_hash),
                bytes_field(7, self.data_hash),
                bytes_field(8, self.validators_hash),
                bytes_field(9, self.next_validators_hash),
                bytes_field(10, self.consensus_hash),
                bytes_field(11, self.app_hash),
                bytes_field(12, self.last_results_hash),
                bytes_field(13, self.evidence_hash),
                bytes_field(14, self.proposer_address),
            )
        )


def compute_consensus_hash(*, block_max_bytes: int, block_max_gas: int) -> bytes:
    """`consensus_hash`: it covers these two consensus parameters only (types/params.go)."""
    return sha256(integer_field(1, block_max_bytes) + integer_field(2, block_max_gas))

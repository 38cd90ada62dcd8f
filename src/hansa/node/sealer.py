"""Block headers and commits of the embedded engine, in CometBFT's format, signed by its one key.

Source: CometBFT v0.39.4 state/state.go (MakeBlock), types/block.go. Pure but for the key it holds.
"""

from typing import Final

import msgspec

from hansa.comet.block import compute_block_id, compute_data_hash
from hansa.comet.commit import (
    COMMIT,
    EMPTY_COMMIT,
    NO_BLOCK,
    Commit,
    CommitSig,
    encode_vote_sign_bytes,
)
from hansa.comet.header import (
    EVIDENCE_HASH_EMPTY,
    Header,
    Version,
    compute_consensus_hash,
)
from hansa.comet.validators import (
    Validator,
    ValidatorSet,
    compute_address,
    compute_validators_hash,
    sort_validators,
)
from hansa.comet.wire import Timestamp
from hansa.crypto.keys import PrivateKey
from hansa.crypto.merkle import EMPTY_ROOT
from hansa.ledger.genesis import Genesis
from hansa.node.blocks import BlockHead, Seal
from hansa.primitives.limits import BLOCK_BYTES_MAX

# Version of the application's protocol in each header.
APPLICATION_PROTOCOL: Final = 1
# No limit of gas: cost units are the kernel's own (D19).
BLOCK_GAS_MAX: Final = -1
CONSENSUS_HASH: Final = compute_consensus_hash(
    block_max_bytes=BLOCK_BYTES_MAX, block_max_gas=BLOCK_GAS_MAX
)


class LastBlock(msgspec.Struct, frozen=True):
    """What the next header says of the block before it."""

    height: int
    root: bytes
    results_hash: bytes
    commit: Commit


def build_validators(genesis: Genesis) -> ValidatorSet:
    """The validator set of the first block, in CometBFT's order."""
    return sort_validators(Validator(each.key.raw, each.power) for each in genesis.validators)


class Sealer:
    """Makes each next header, and signs the commit of the block that it heads."""

    def __init__(
        self,
        genesis: Genesis,
        key: PrivateKey,
        root: bytes,
        head: BlockHead | None,
        seal: Seal | None,
    ) -> None:
        """Go on after `head` and its seal (None: from genesis), whose state root is `root`."""
        self.chain = genesis.chain
        self._key = key
        self._address = compute_address(key.public.raw)
        self.validators = build_validators(genesis)
        self._validators_hash = compute_validators_hash(self.validators)
        self._last = LastBlock(0, root, EMPTY_ROOT, EMPTY_COMMIT)
        if head is not None and seal is not None:
            self._last = LastBlock(head.height, head.state_root, head.results_hash, seal.commit)

    def build_header(self, time_ms: int, transactions: tuple[bytes, ...]) -> Header:
        """The header of the next block."""
        last = self._last
        return Header(
            version=Version(app=APPLICATION_PROTOCOL),
            chain_id=self.chain,
            height=last.height + 1,
            time=Timestamp.from_ms(time_ms),
            last_block_id=last.commit.block_id if last.height else NO_BLOCK,
            last_commit_hash=last.commit.hash(),
            data_hash=compute_data_hash(transactions),
            validators_hash=self._validators_hash,
            next_validators_hash=self._validators_hash,
            consensus_hash=CONSENSUS_HASH,
            app_hash=last.root,
            last_results_hash=last.results_hash,
            evidence_hash=EVIDENCE_HASH_EMPTY,
            proposer_address=self._address,
        )

    def sign(self, header: Header, transactions: tuple[bytes, ...]) -> Seal:
        """The precommit for the block under `header`, as its commit."""
        block_id = compute_block_id(header, transactions, self._last.commit)
        signed = encode_vote_sign_bytes(
            self.chain, height=header.height, round_=0, block_id=block_id, time=header.time
        )
        signature = CommitSig(COMMIT, self._address, header.time, self._key.sign(signed))
        commit = Commit(header.height, 0, block_id, (signature,))
        return Seal(header=header, commit=commit)

    def advance(self, head: BlockHead, seal: Seal) -> None:
        """The block is committed: the next header follows it."""
        self._last = LastBlock(head.height, head.state_root, head.results_hash, seal.commit)

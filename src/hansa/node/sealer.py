"""Block headers and commits of the embedded engine, in CometBFT's format, signed by its one key.

Source: CometBFT v0.39.4 state/state.go (MakeBlock), types/block.go. Pure but for the key it holds;
reads the storage that it is opened on.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from hansa.comet.block import compute_block_id, compute_data_hash
from hansa.comet.commit import (
    ABSENT,
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
    compute_total_power,
    compute_validators_hash,
    sort_validators,
)
from hansa.comet.wire import Timestamp
from hansa.crypto.keys import PrivateKey
from hansa.crypto.merkle import EMPTY_ROOT
from hansa.ledger.blocks import Change, ValidatorUpdate
from hansa.ledger.genesis import Genesis
from hansa.ledger.state import compute_range, decode_record
from hansa.ledger.system import Validator as ValidatorRecord
from hansa.node.blocks import BlockHead, Seal
from hansa.node.faults import CorruptFolderError, EngineError, ForeignFolderError
from hansa.node.storage import Storage
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


def apply_updates(validators: ValidatorSet, updates: Iterable[ValidatorUpdate]) -> ValidatorSet:
    """The set after updates, in CometBFT's order; power 0 removes."""
    powers = {each.public_key: each.power for each in validators}
    powers |= {each.public_key: each.power for each in updates}
    return sort_validators(Validator(key, power) for key, power in powers.items() if power)


def read_updates(validators: ValidatorSet, changes: Iterable[Change]) -> list[ValidatorUpdate]:
    """What a stored block's changes said to the engine, whose set was `validators`."""
    keys = {each.address.hex(): each.public_key for each in validators}
    start, end = compute_range(ValidatorRecord.OWNER, ValidatorRecord, ())
    updates = []
    for key, value in changes:
        if not start <= key < end:
            continue
        if value is not None:
            record = decode_record(ValidatorRecord, value)
            updates.append(ValidatorUpdate(record.public_key.raw, record.effective_power))
        elif known := keys.get(key.rpartition(b"/")[2].decode()):
            updates.append(ValidatorUpdate(known, 0))
    return updates


def find_sets(storage: Storage, genesis: Genesis) -> tuple[ValidatorSet, ValidatorSet]:
    """Who votes on the next block, and on the one after it.

    Updates of a block hold from two blocks later. Raises CorruptFolderError when the last blocks do
    not say it.
    """
    height = storage.height
    seal = storage.seal(height)
    last = None if seal is None else storage.validators(seal.header.validators_hash)
    if seal is None or last is None:
        return (build_validators(genesis),) * 2
    following = last
    if before := storage.block(height - 1):
        following = apply_updates(last, read_updates(last, before.changes))
    if compute_validators_hash(following) != seal.header.next_validators_hash:
        raise CorruptFolderError(
            f"block {height - 1} does not lead to the validators that header {height} names",
            "Restore the home folder from a backup, or make it anew from another node's data.",
        )
    block = storage.block(height)
    updates = read_updates(following, block.changes if block is not None else ())
    return following, apply_updates(following, updates)


class Sealer:
    """Makes each next header, and signs the commit of the block that it heads."""

    def __init__(
        self,
        genesis: Genesis,
        key: PrivateKey,
        last: LastBlock,
        sets: tuple[ValidatorSet, ValidatorSet],
    ) -> None:
        """Go on after `last`; `sets` are as of `find_sets`."""
        self.chain = genesis.chain
        self._key = key
        self.address = compute_address(key.public.raw)
        self._last = last
        self.validators, self._following = sets

    @classmethod
    def open(cls, genesis: Genesis, key: PrivateKey, storage: Storage) -> "Sealer":
        """Go on after the last block of `storage`. Raises ForeignFolderError when the key has no
        vote.
        """
        head, seal = storage.head(storage.height), storage.seal(storage.height)
        last = LastBlock(0, storage.root, EMPTY_ROOT, EMPTY_COMMIT)
        if head is not None and seal is not None:
            last = LastBlock(head.height, head.state_root, head.results_hash, seal.commit)
        sealer = cls(genesis, key, last, find_sets(storage, genesis))
        if all(each.address != sealer.address for each in sealer.validators):
            raise ForeignFolderError(
                "the key in keys/validator.json is not a validator's of this chain",
                "Put the validator's own key back from your backup of it.",
            )
        return sealer

    def check_power(self) -> None:
        """Raise EngineError when this key's votes do not decide the next block alone."""
        total = compute_total_power(self.validators)
        own = sum(each.power for each in self.validators if each.address == self.address)
        if 3 * own <= 2 * total:
            raise EngineError(
                f"this node's validator key has {own} of {total} votes, not more than two thirds:"
                f" it cannot decide block {self._last.height + 1} alone",
                "Put the key that governance named into keys/validator.json; a league of several"
                " validators runs on CometBFT ([engine] kind in node.toml).",
            )

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
            validators_hash=compute_validators_hash(self.validators),
            next_validators_hash=compute_validators_hash(self._following),
            consensus_hash=CONSENSUS_HASH,
            app_hash=last.root,
            last_results_hash=last.results_hash,
            evidence_hash=EVIDENCE_HASH_EMPTY,
            proposer_address=self.address,
        )

    def sign(self, header: Header, transactions: tuple[bytes, ...]) -> Seal:
        """The precommit for the block under `header`, as its commit."""
        block_id = compute_block_id(header, transactions, self._last.commit)
        signed = encode_vote_sign_bytes(
            self.chain, height=header.height, round_=0, block_id=block_id, time=header.time
        )
        own = CommitSig(COMMIT, self.address, header.time, self._key.sign(signed))
        signatures = tuple(
            own if each.address == self.address else CommitSig(ABSENT) for each in self.validators
        )
        commit = Commit(header.height, 0, block_id, signatures)
        return Seal(header=header, commit=commit)

    def advance(self, head: BlockHead, seal: Seal, updates: Iterable[ValidatorUpdate]) -> None:
        """The block is committed: the next header follows it."""
        self._last = LastBlock(head.height, head.state_root, head.results_hash, seal.commit)
        self.validators, self._following = self._following, apply_updates(self._following, updates)

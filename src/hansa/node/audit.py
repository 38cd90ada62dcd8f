"""Every stored block compared with its header, its neighbours and the index of transactions.

What `hansa doctor --deep` asks. Reads the storage that it is given; pure otherwise.
"""

from typing import Final

import msgspec

from hansa.comet.block import compute_block_id, compute_data_hash
from hansa.comet.commit import EMPTY_COMMIT, NO_BLOCK, InvalidCommit, verify_commit
from hansa.comet.header import EVIDENCE_HASH_EMPTY, Header
from hansa.comet.validators import ValidatorSet, compute_validators_hash
from hansa.crypto.merkle import EMPTY_ROOT, merkle_root
from hansa.ledger.receipts import INVALID, encode_exec_tx_result
from hansa.node.blocks import BlockHead, Place, Seal, StoredBlock
from hansa.node.faults import CorruptFolderError
from hansa.node.storage import Storage

CURE: Final = (
    "Stop the node. Restore the home folder from a backup, or make it anew from another node's"
    " data; keep the damaged folder until then."
)


class _Damage(Exception):
    """What is wrong with one block."""


def check_chain(storage: Storage, chain: str, validators: ValidatorSet) -> int:
    """Check every block that is kept and the index of transactions; the number of blocks.

    `validators`: the set of genesis. Raises CorruptFolderError that names the first height at
    which something is not as it was written.
    """
    before: BlockHead | None = None
    seal_before: Seal | None = None
    indexed = 0
    for height in range(storage.base, storage.height + 1):
        try:
            block = _read_block(storage, height)
            _check_content(block)
            seal = storage.seal(height)
            if seal is not None:
                _check_header(block, seal, before, chain)
                _check_link(seal.header, before, seal_before)
                _check_commit(storage, block, seal, seal_before, chain)
                if height == 1:
                    _check_first(seal.header, validators)
            _need(seal is not None or height > storage.sealed, "its header is missing")
            indexed += _check_places(storage, block)
        except CorruptFolderError as error:
            raise CorruptFolderError(f"block {height}: {error.text}", error.cure) from error
        except (_Damage, InvalidCommit, msgspec.MsgspecError, ValueError) as error:
            raise CorruptFolderError(f"block {height} is damaged: {error}", CURE) from error
        before, seal_before = block.head, seal
    _check_end(storage, before, indexed)
    return storage.height - storage.base + 1


def _read_block(storage: Storage, height: int) -> StoredBlock:
    block = storage.block(height)
    if block is None:
        raise _Damage("it is missing")
    return block


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise _Damage(what)


def _check_content(block: StoredBlock) -> None:
    """The parts belong to the head: their numbers, and the results to their hash."""
    head, results = block.head, block.results
    _need(head.transactions == len(block.transactions), "transactions are missing")
    _need(head.transactions == len(results.results), "results of transactions are missing")
    _need(head.deadlines == len(results.deadlines), "results of deadlines are missing")
    leaves = [encode_exec_tx_result(each) for each in results.results]
    _need(head.results_hash == merkle_root(leaves), "the results are not those of its hash")


def _check_header(block: StoredBlock, seal: Seal, before: BlockHead | None, chain: str) -> None:
    """The header says what is stored, and what the block before it led to."""
    header, head = seal.header, block.head
    _need(head.hash == header.hash(), "its hash is not that of its header")
    _need((header.chain_id, header.height) == (chain, head.height), "the header is another's")
    _need(header.time.ms == head.time_ms, "its time is not that of its header")
    _need(header.data_hash == compute_data_hash(block.transactions), "other transactions")
    if before is not None:
        _need(header.app_hash == before.state_root, "the state before it is another")
        _need(header.last_results_hash == before.results_hash, "the results before it are others")


def _check_first(header: Header, validators: ValidatorSet) -> None:
    _need(header.last_block_id == NO_BLOCK, "the first block follows another")
    _need(header.last_results_hash == EMPTY_ROOT, "the first block follows results")
    _need(
        header.validators_hash == compute_validators_hash(validators),
        "the first validators are not those of genesis",
    )


def _check_link(header: Header, before: BlockHead | None, seal_before: Seal | None) -> None:
    """The header follows the one before it, and its validators are those announced there."""
    if before is None or seal_before is None:
        return
    last = seal_before.commit.block_id
    _need(header.last_block_id == last, "it does not follow the block before it")
    announced = seal_before.header.next_validators_hash
    _need(header.validators_hash == announced, "its validators are not those announced before it")


def _check_commit(
    storage: Storage, block: StoredBlock, seal: Seal, seal_before: Seal | None, chain: str
) -> None:
    """More than two thirds of its validators' power signed this very block. Raises InvalidCommit.

    The parts of the block are hashed again where all that they hold is stored: CometBFT's blocks
    may hold evidence, or another commit of the block before than the one that is stored.
    """
    header, block_id = seal.header, seal.commit.block_id
    _need(block_id.hash == block.hash, "the commit is for another block")
    last = EMPTY_COMMIT if block.height == 1 else seal_before.commit if seal_before else None
    if last is not None and last.hash() == header.last_commit_hash and _is_plain(header):
        block_id = compute_block_id(header, block.transactions, last)
    validators = storage.validators(header.validators_hash)
    if validators is None:
        raise _Damage("its validators are missing")
    _need(
        compute_validators_hash(validators) == header.validators_hash,
        "its validators are not those of its header",
    )
    verify_commit(chain, validators, block_id, block.height, seal.commit)


def _is_plain(header: Header) -> bool:
    """Whether the block holds nothing but transactions and the last commit."""
    return header.evidence_hash == EVIDENCE_HASH_EMPTY


def _check_places(storage: Storage, block: StoredBlock) -> int:
    """How many of the block's transactions the index finds here; each is found somewhere."""
    here = 0
    for index, result in enumerate(block.results.results):
        found = storage.place(bytes.fromhex(result.id))
        if found == Place(height=block.height, index=index, code=result.code):
            here += 1
        elif found is None or result.code != INVALID:
            raise _Damage(f"the index does not find its transaction {result.id}")
    return here


def _check_end(storage: Storage, last: BlockHead | None, indexed: int) -> None:
    """The last block is where the ledger says it is, and the index has nothing else."""
    if last is not None and (last.state_root, last.time_ms) != (storage.root, storage.time_ms):
        raise CorruptFolderError(
            f"block {last.height}, the last one, does not lead to the state that is stored", CURE
        )
    count = sum(1 for _place in storage.places())
    if storage.base == 1 and count != indexed:
        raise CorruptFolderError(
            f"the index of transactions has {count} entries, the blocks have {indexed}", CURE
        )

"""Every stored block compared with its header, its neighbours and the index of transactions.

What `hansa doctor --deep` asks. Reads the storage that it is given; pure otherwise.
"""

from typing import Final

import msgspec

from hansa.comet.block import compute_block_id, compute_data_hash
from hansa.comet.commit import EMPTY_COMMIT, NO_BLOCK, Commit, InvalidCommit, verify_commit
from hansa.comet.header import Header
from hansa.comet.validators import ValidatorSet
from hansa.comet.wire import Timestamp
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

    Raises CorruptFolderError that names the first height at which something is not as it was
    written.
    """
    before: BlockHead | None = None
    indexed = 0
    for height in range(storage.base, storage.height + 1):
        try:
            block = _read_block(storage, height)
            _check_content(block)
            if block.head.seal is not None:
                _check_header(block, block.head.seal, before, chain)
                _check_commit(block, block.head.seal, before, chain, validators)
            indexed += _check_places(storage, block)
        except CorruptFolderError as error:
            raise CorruptFolderError(f"block {height}: {error.text}", error.cure) from error
        except (_Damage, InvalidCommit, msgspec.MsgspecError, ValueError) as error:
            raise CorruptFolderError(f"block {height} is damaged: {error}", CURE) from error
        before = block.head
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
    """The header says what is stored, and follows the block before it."""
    header, head = seal.header, block.head
    _need(head.hash == header.hash(), "its hash is not that of its header")
    _need((header.chain_id, header.height) == (chain, head.height), "the header is another's")
    _need(header.time == Timestamp.from_ms(head.time_ms), "its time is not that of its header")
    _need(header.data_hash == compute_data_hash(block.transactions), "other transactions")
    if before is not None:
        _check_link(header, before)
    elif header.height == 1:
        _need(header.last_block_id == NO_BLOCK, "the first block follows another")
        _need(header.last_results_hash == EMPTY_ROOT, "the first block follows results")


def _check_link(header: Header, before: BlockHead) -> None:
    last = _last_commit(before)
    _need(header.last_block_id == last.block_id, "it does not follow the block before it")
    _need(header.last_commit_hash == last.hash(), "the commit of the block before is another")
    _need(header.app_hash == before.state_root, "the state before it is another")
    _need(header.last_results_hash == before.results_hash, "the results before it are others")


def _check_commit(
    block: StoredBlock,
    seal: Seal,
    before: BlockHead | None,
    chain: str,
    validators: ValidatorSet,
) -> None:
    """More than two thirds of the power signed this very block. Raises InvalidCommit."""
    block_id = seal.commit.block_id
    _need(block_id.hash == block.hash, "the commit is for another block")
    if before is not None or block.height == 1:
        block_id = compute_block_id(seal.header, block.transactions, _last_commit(before))
    verify_commit(chain, validators, block_id, block.height, seal.commit)


def _last_commit(before: BlockHead | None) -> Commit:
    return EMPTY_COMMIT if before is None or before.seal is None else before.seal.commit


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

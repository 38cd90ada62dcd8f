"""Storages with made-up records: what tests of snapshots, restore and pruning stand on."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from hansa.comet.block import compute_block_id
from hansa.comet.commit import EMPTY_COMMIT, Commit
from hansa.comet.header import EVIDENCE_HASH_EMPTY, Header, Version
from hansa.comet.validators import Validator, compute_validators_hash, sort_validators
from hansa.comet.wire import Timestamp
from hansa.crypto.hashing import sha256
from hansa.crypto.merkle import EMPTY_ROOT
from hansa.ledger.blocks import Block, BlockResult
from hansa.ledger.receipts import TransactionResult
from hansa.ledger.tree_proof import verify_state_proof
from hansa.node.blocks import Seal
from hansa.node.folder import Identity, create_storage, make_identity
from hansa.node.storage import Storage
from hansa.testing.chain import make_key

CHAIN = "test-1"
TIME_MS = 1_700_000_000_000
IDENTITY: Identity = make_identity(CHAIN, bytes(32))
VALIDATORS = sort_validators([Validator(make_key("validator").public.raw, 1)])

Values = Mapping[bytes, bytes | None]


def make_records(count: int, size: int = 300, seed: int = 1) -> dict[bytes, bytes]:
    """Records of about `size` bytes under ordinary keys."""
    source = random.Random(seed)
    return {
        f"app/kind/{number:08d}".encode(): source.randbytes(source.randint(size // 2, size))
        for number in range(count)
    }


def make_storage(folder: Path, records: Values) -> Storage:
    """A storage at height 0 with `records`."""
    create_storage(folder, IDENTITY, tuple(sorted(records.items())), TIME_MS)
    return Storage(folder, IDENTITY)


def grow(storage: Storage, changes: Values, transactions: Sequence[bytes] = ()) -> Block:
    """Commit the next block, which makes `changes`; no seal yet."""
    results = [
        TransactionResult(id=sha256(each).hex(), code=0, cost=0, messages=())
        for each in transactions
    ]
    ordered = tuple(sorted(changes.items()))
    delta = storage.tree.compute(ordered)
    height = storage.height + 1
    seal = make_seal(height, storage.root)
    block = Block(CHAIN, height, TIME_MS + height, seal.header.hash(), tuple(transactions))
    result = BlockResult(results, (), ordered, delta.root, delta, EMPTY_ROOT)
    storage.commit_block(block, result, None)
    return block


def make_seal(height: int, app_hash: bytes, *, time_ms: int | None = None) -> Seal:
    """A header and an empty commit: storage asks for hashes, not for signatures."""
    digest = compute_validators_hash(VALIDATORS)
    header = Header(
        version=Version(),
        chain_id=CHAIN,
        height=height,
        time=Timestamp.from_ms(TIME_MS + height if time_ms is None else time_ms),
        last_block_id=EMPTY_COMMIT.block_id,
        last_commit_hash=EMPTY_ROOT,
        data_hash=EMPTY_ROOT,
        validators_hash=digest,
        next_validators_hash=digest,
        consensus_hash=bytes(32),
        app_hash=app_hash,
        last_results_hash=EMPTY_ROOT,
        evidence_hash=EVIDENCE_HASH_EMPTY,
        proposer_address=VALIDATORS[0].address,
    )
    block_id = compute_block_id(header, (), EMPTY_COMMIT)
    return Seal(header, Commit(height, 0, block_id, ()))


def seal_to(storage: Storage, height: int, roots: Sequence[bytes]) -> None:
    """Seal the blocks up to `height`; `roots[h]` is the state root of height h."""
    for each in range(storage.sealed + 1, height + 1):
        storage.put_seal(make_seal(each, roots[each - 1]), VALIDATORS)


def check_proof(storage: Storage, key: bytes, value: bytes | None) -> int:
    """`key` is proved to have `value` under the header that is named; that height."""
    found, proof, height = storage.prove(key)
    assert found == value
    seal = storage.seal(height + 1)
    assert seal is not None
    verify_state_proof(seal.header.app_hash, key, found, proof)
    return height

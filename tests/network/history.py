"""What the nodes of a league have stored, compared block by block and executed again. At rest only.

Three ways to the same roots: the kernel alone on a state in memory; the application on a data
folder of its own, as the embedded engine drives it; what each node stored and each header says.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hansa.catalog import build_registry
from hansa.comet.commit import verify_commit
from hansa.ledger.blocks import Block
from hansa.ledger.contracts import Registry
from hansa.ledger.execution import execute_block
from hansa.ledger.genesis import Genesis, compute_genesis_changes
from hansa.ledger.state import MemoryState
from hansa.node.application import LedgerApplication
from hansa.node.archive import Archive
from hansa.node.blocks import StoredBlock
from hansa.node.home import Home
from hansa.node.storage import Storage, create_storage, make_identity


@contextmanager
def open_archives(folders: Sequence[Path]) -> Iterator[list[Archive]]:
    """The stored chains of stopped nodes."""
    with ExitStack() as stack:
        yield [stack.enter_context(Archive(folder)) for folder in folders]


def check_agreement(archives: Sequence[Archive], committed: Mapping[str, int]) -> int:
    """No two nodes differ at any height, headers say what was stored, nothing acknowledged is lost.

    The least height of them.
    """
    longest = max(archives, key=lambda archive: archive.storage.height)
    for archive in archives:
        check_alone(archive)
        first, last = archive.heights()
        for height in range(first, last + 1):
            own, other = archive.block(height), longest.block(height)
            assert own.head == other.head, f"height {height}: two states"
            assert own.transactions == other.transactions, f"height {height}: two blocks"
            assert own.results == other.results, f"height {height}: two results"
    least = min(archive.storage.height for archive in archives)
    for archive in archives:
        for identity, height in committed.items():
            place = archive.storage.place(bytes.fromhex(identity))
            assert place is not None, f"{identity}, acknowledged at {height}, is lost"
            assert place.height == height, (identity, place, height)
    return least


def check_alone(archive: Archive) -> None:
    """One chain: each header follows the one before and names its state and results; each commit
    decides; each transaction is there once; records are those of the tree.
    """
    storage = archive.storage
    first, last = archive.heights()
    seen: set[str] = set()
    for height in range(first, min(storage.sealed, last) + 1):
        seal, head = storage.seal(height), storage.head(height)
        assert seal is not None and head is not None
        assert seal.header.hash() == head.hash == seal.commit.block_id.hash, height
        validators = storage.validators(seal.header.validators_hash)
        assert validators is not None, height
        verify_commit(archive.chain, validators, seal.commit.block_id, height, seal.commit)
        after = storage.seal(height + 1)
        if after is not None:
            assert after.header.app_hash == head.state_root, f"height {height}: root"
            assert after.header.last_results_hash == head.results_hash, f"height {height}: results"
            assert after.header.last_block_id.hash == head.hash, f"height {height}: link"
        ids = [each.id for each in archive.block(height).results.results]
        assert not seen.intersection(ids) and len(set(ids)) == len(ids), f"height {height}: twice"
        seen.update(ids)
    storage.check_records()


def rebuild(stored: StoredBlock, chain: str) -> Block:
    """The block as the engine decided it."""
    head = stored.head
    return Block(
        chain=chain,
        height=head.height,
        time_ms=head.time_ms,
        hash=head.hash,
        transactions=stored.transactions,
        signers=stored.votes.signers,
        misbehaviours=stored.votes.misbehaviours,
    )


def replay_by_kernel(
    archive: Archive, genesis: Genesis | None = None, registry: Registry | None = None
) -> int:
    """All blocks from genesis, by the kernel alone, on memory; how many. By default with the
    contracts of the catalog.
    """
    genesis, registry = genesis or archive.home.genesis, registry or build_registry()
    state = MemoryState()
    state.apply_genesis(compute_genesis_changes(genesis, registry), genesis.time_ms)
    for height in range(1, archive.storage.height + 1):
        stored = archive.block(height)
        block = rebuild(stored, archive.chain)
        result = execute_block(state, block, registry)
        assert result.state_root == stored.head.state_root, f"height {height}: root"
        assert result.results_hash == stored.head.results_hash, f"height {height}: results"
        assert result.changes == stored.changes, f"height {height}: changes"
        state.apply(block, result)
    assert dict(archive.storage.records()) == state.values
    return archive.storage.height


def replay_as_embedded(archive: Archive, folder: Path) -> int:
    """All decided blocks from genesis, through application and storage as the embedded engine
    drives them: execute, then one durable write. How many.
    """
    home: Home = archive.home
    registry = build_registry()
    identity = make_identity(archive.chain, home.genesis_digest)
    changes = compute_genesis_changes(home.genesis, registry)
    create_storage(folder, identity, changes, home.genesis.time_ms)
    with Storage(folder, identity) as storage:
        application = LedgerApplication(archive.chain, storage, registry)
        for height in range(1, archive.storage.height + 1):
            stored = archive.block(height)
            block = rebuild(stored, archive.chain)
            result = application.execute(block)
            seal = archive.storage.seal(height)
            validators = None
            if seal is not None:
                validators = archive.storage.validators(seal.header.validators_hash)
            head = application.commit(block, result, seal, validators)
            assert head == stored.head, f"height {height}"
        assert storage.root == archive.storage.root
        storage.check_records()
        return storage.height

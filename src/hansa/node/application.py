"""The state machine and its storage, without an engine: check, execute, commit.

The embedded engine drives it directly; the CometBFT engine drives it through ABCI. It has no clock:
block times come from the engine.
"""

from hansa.ledger.admission import AdmittedTransaction, SignatureCache, check_transaction
from hansa.ledger.blocks import Block, BlockResult
from hansa.ledger.contracts import Registry
from hansa.ledger.execution import execute_block
from hansa.ledger.rejections import invariant
from hansa.ledger.state import compute_range
from hansa.ledger.system import Deadline
from hansa.ledger.transactions import SignedTransaction
from hansa.node.blocks import BlockHead, Seal
from hansa.node.storage import Storage


class LedgerApplication:
    """One chain's state machine above its storage. `check` from any thread, the rest from one."""

    def __init__(self, chain: str, storage: Storage, registry: Registry) -> None:
        self.chain = chain
        self.storage = storage
        self.registry = registry
        self.verified = SignatureCache()

    def check(
        self, data: bytes, *, time_ms: int, decoded: SignedTransaction | None = None
    ) -> AdmittedTransaction:
        """Whether `data` may enter the next block, on committed state. Raises a Rejection.

        `time_ms` is the least time that the next block can have. The signature is verified once:
        execution finds it in the cache.
        """
        identity = decoded.id if decoded is not None else None
        return check_transaction(
            self.storage,
            data,
            self.registry,
            chain=self.chain,
            height=self.storage.height + 1,
            time_ms=time_ms,
            has_seen=identity is not None and self.storage.has_seen(identity),
            verified=self.verified,
            decoded=decoded,
        )

    def execute(self, block: Block) -> BlockResult:
        """Execute the next block on committed state. Changes nothing. Raises InvariantViolation."""
        invariant(block.chain == self.chain, "a block of another chain")
        return execute_block(self.storage, block, self.registry, self.verified)

    def commit(self, block: Block, result: BlockResult, seal: Seal | None) -> BlockHead:
        """Make an executed block durable in one write. Raises StorageError: stop the node."""
        invariant(block.height == self.storage.height + 1, "blocks are committed in order")
        return self.storage.commit_block(block, result, seal)

    def next_deadline_ms(self) -> int | None:
        """Block time at which the next deadline is due, None when there is none (D17)."""
        found = self.storage.scan(*compute_range(Deadline.OWNER, Deadline, ()), 1)
        if not found:
            return None
        key = found[0][0].decode("ascii")
        return int(key.split("/")[2])

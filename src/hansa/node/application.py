"""The state machine and its storage, without an engine: check, execute, commit.

The embedded engine drives it directly; the CometBFT engine drives it through ABCI. It has no clock:
block times come from the engine.
"""

from typing import Final

from hansa.comet.validators import ValidatorSet
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import CanonicalError
from hansa.ledger.admission import (
    AdmittedTransaction,
    SignatureCache,
    check_transaction,
    compute_window,
)
from hansa.ledger.blocks import Block, BlockResult
from hansa.ledger.contracts import Registry
from hansa.ledger.execution import execute_block
from hansa.ledger.rejections import invariant
from hansa.ledger.state import compute_range
from hansa.ledger.system import Deadline
from hansa.ledger.transactions import SignedTransaction
from hansa.node.blocks import BlockHead, Seal
from hansa.node.faults import CorruptFolderError, NodeError
from hansa.node.folder import BACKUP
from hansa.node.storage import Storage

# Transactions whose admission at this height is remembered: two full blocks.
ADMITTED_MAX: Final = 10_000


class Admissions:
    """Who may enter at one height: what the door found, the proposal need not ask again.

    Changes speed, never results: by the digest of the bytes and the window of quotas.
    """

    def __init__(self, height: int) -> None:
        self.height = height
        self.found: dict[tuple[bytes, int], AdmittedTransaction] = {}


class LedgerApplication:
    """One chain's state machine above its storage. `check` from any thread, the rest from one."""

    def __init__(self, chain: str, storage: Storage, registry: Registry) -> None:
        self.chain = chain
        self.storage = storage
        self.registry = registry
        self.verified = SignatureCache()
        self._admissions = Admissions(storage.height + 1)
        self._fault: NodeError | None = None

    def stop(self, fault: NodeError) -> None:
        """What was read may be damaged: nothing more is executed or committed. From any thread."""
        self._fault = self._fault or fault

    def use(self, storage: Storage) -> None:
        """Go on with another storage of this chain: a restored snapshot's."""
        self.storage = storage
        self._admissions = Admissions(storage.height + 1)

    def check(
        self, data: bytes, *, time_ms: int, decoded: SignedTransaction | None = None
    ) -> AdmittedTransaction:
        """Whether `data` may enter the next block, on committed state. Raises a Rejection.

        `time_ms` is the least time that the next block can have. The signature is verified once:
        execution finds it in the cache. Who was admitted is not asked again at this height.
        """
        admissions, storage = self._admissions, self.storage
        window = compute_window(storage, time_ms)
        known = admissions.found.get((sha256(data) if decoded is None else decoded.digest, window))
        if known is not None:
            return known
        if decoded is None:
            decoded = self.verified.decode(data)
        try:
            admitted = check_transaction(
                storage,
                data,
                self.registry,
                chain=self.chain,
                height=admissions.height,
                time_ms=time_ms,
                has_seen=storage.has_seen(decoded.id),
                verified=self.verified,
                decoded=decoded,
            )
        except CanonicalError as error:
            raise _build_damage(error) from error
        if len(admissions.found) < ADMITTED_MAX:
            admissions.found[decoded.digest, window] = admitted
        return admitted

    def execute(self, block: Block) -> BlockResult:
        """Execute the next block on committed state. Changes nothing. Raises InvariantViolation,
        and a NodeError when something of it could not be read: then its result is worth nothing.
        """
        invariant(block.chain == self.chain, "a block of another chain")
        try:
            result = execute_block(self.storage, block, self.registry, self.verified)
        except CanonicalError as error:
            raise _build_damage(error) from error
        self._check_sound()
        return result

    def commit(
        self,
        block: Block,
        result: BlockResult,
        seal: Seal | None,
        validators: ValidatorSet | None = None,
    ) -> BlockHead:
        """Make an executed block durable in one write. Raises StorageError: stop the node."""
        invariant(block.height == self.storage.height + 1, "blocks are committed in order")
        self._check_sound()
        head = self.storage.commit_block(block, result, seal, validators)
        # After the new state is shown whole: a check that read of two states ends with the old one.
        self._admissions = Admissions(head.height + 1)
        return head

    def _check_sound(self) -> None:
        """To a contract, a record that cannot be read is an exception like any other (D21)."""
        if self._fault is not None:
            raise self._fault

    def next_deadline_ms(self) -> int | None:
        """Block time at which the next deadline is due, None when there is none (D17)."""
        found = self.storage.scan(*compute_range(Deadline.OWNER, Deadline, ()), 1)
        if not found:
            return None
        key = found[0][0].decode("ascii")
        return int(key.split("/")[2])


def _build_damage(error: CanonicalError) -> NodeError:
    """The kernel met a stored record that is none: nobody sent it, so the folder is damaged."""
    return CorruptFolderError(f"a stored record cannot be read: {error}", BACKUP)

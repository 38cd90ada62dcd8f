"""What the gateway needs of a node. Protocols only, so that any engine can stand behind it."""

from collections.abc import Callable, Set
from typing import Protocol

from hansa.comet.commit import Commit
from hansa.comet.header import Header
from hansa.comet.rpc import RpcClient
from hansa.comet.validators import ValidatorSet
from hansa.ledger.genesis import Genesis
from hansa.ledger.receipts import TransactionResult
from hansa.ledger.state import StateReader
from hansa.ledger.tree_proof import StateProof
from hansa.node.answers import ReceiptParts, TransactionStatus
from hansa.node.blocks import BlockHead, StoredBlock
from hansa.node.engine import NetworkView


class Ledger(Protocol):
    """A running node. Every method may be called from any thread."""

    @property
    def chain(self) -> str: ...

    @property
    def genesis(self) -> Genesis: ...

    @property
    def sealed_height(self) -> int:
        """Newest height whose header, commit and validators are here, with all before it."""
        ...

    @property
    def rpc(self) -> RpcClient | None:
        """The engine's own RPC, never to be given to others; None when there is none."""
        ...

    def network(self) -> NetworkView | None:
        """The engine and its peers; None for an embedded engine."""
        ...

    def validators_at(self, height: int) -> ValidatorSet:
        """The validators who decided the block at `height`. Raises LookupError."""
        ...

    @property
    def height(self) -> int:
        """Height of the last committed block."""
        ...

    @property
    def state(self) -> StateReader:
        """Committed state."""
        ...

    @property
    def failure(self) -> BaseException | None:
        """Why the node stopped by itself, if it did."""
        ...

    def submit(self, data: bytes) -> str:
        """Take signed bytes; their id. Raises Rejection, PoolFull, NodeStoppedError."""
        ...

    def try_transaction(self, data: bytes, unsigned: Set[str]) -> TransactionResult:
        """What it would result in now if `unsigned` sign it too; nothing is kept. Raises Malformed,
        WrongSignature.
        """
        ...

    def status(self, transaction: str) -> TransactionStatus:
        """Where a transaction stands."""
        ...

    def heights(self) -> tuple[int, int]:
        """First height kept and last committed one."""
        ...

    def block(self, height: int) -> StoredBlock:
        """A committed block. Raises LookupError."""
        ...

    def head(self, height: int) -> BlockHead:
        """The small part of a committed block. Raises LookupError."""
        ...

    def header(self, height: int) -> Header:
        """A header. Raises LookupError."""
        ...

    def commit(self, height: int) -> Commit:
        """The commit of the block at `height`. Raises LookupError."""
        ...

    def receipt(self, transaction: str, message: int) -> ReceiptParts:
        """What proves a message's result. Raises NoSuchTransaction, NoSuchMessage."""
        ...

    def prove(self, key: bytes) -> tuple[bytes | None, StateProof, int]:
        """Record or None, proof, and the height H whose state it is: header H + 1 has the root."""
        ...

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener` with each new height; returns what ends that."""
        ...

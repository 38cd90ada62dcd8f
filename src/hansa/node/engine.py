"""What a `LedgerNode` needs of the engine that decides its blocks, and what it may be told of it.

Two stand behind it: `embedded.py` (one process, one key) and `comet_engine.py` (CometBFT). Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from hansa.comet.commit import Commit
from hansa.comet.header import Header
from hansa.comet.rpc import Broadcast, RpcClient
from hansa.comet.validators import ValidatorSet
from hansa.ledger.rejections import Rejection
from hansa.node.application import LedgerApplication
from hansa.node.blocks import BlockHead
from hansa.node.home import Home
from hansa.node.pool import TransactionPool
from hansa.node.storage import Storage


class PeerView(msgspec.Struct, frozen=True):
    """A connected node: hex id of its key, `host:port`, and who dialled."""

    id: str
    address: str
    direction: Literal["inbound", "outbound"]
    name: str = ""


class NetworkView(msgspec.Struct, frozen=True):
    """The engine beside the node. `height` is the engine's own; `last_exit`: why it last ended.

    `is_running`: its process lives; `is_reachable`: it answers; `snapshot`: height of the newest
    snapshot that joining nodes can have, 0 without any.
    """

    kind: Literal["comet"]
    version: str
    node_id: str
    address: str
    is_running: bool
    is_reachable: bool
    catching_up: bool
    height: int
    sealed_height: int
    restarts: int
    last_exit: str
    peers: tuple[PeerView, ...]
    outstanding: int
    snapshot: int = 0


class Engine(Protocol):
    """Decides blocks and has the application execute and commit them."""

    def start(self) -> None:
        """Begin; returns when transactions can be taken. Raises a NodeError."""
        ...

    def stop(self) -> None:
        """Finish what is in hand and end. Safe to repeat, from any thread."""
        ...

    def halt(self) -> None:
        """Make no further block: storage has failed. From any thread; returns at once."""
        ...

    @property
    def is_behind(self) -> bool:
        """Whether the others are known to be further: what is refused here may be right there."""
        ...

    def next_time_ms(self) -> int:
        """The least time, as far as this node can know, of a block made now."""
        ...

    def network(self) -> NetworkView | None:
        """The engine and its peers; None when there is no network."""
        ...

    def dial(self, peers: Sequence[str]) -> None:
        """Have the engine connect to `id@host:port`, and again whenever the connection is lost."""
        ...

    @property
    def rpc(self) -> RpcClient | None:
        """The engine's own RPC, never to be given to others; None when there is none."""
        ...


class PoolDoor(Protocol):
    """The part of an engine's RPC that takes transactions: `hansa.comet.rpc.RpcClient`."""

    def give(self, transactions: Sequence[bytes]) -> list[Broadcast]:
        """What became of each. Raises EngineUnreachable, RpcError."""
        ...

    def call(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Any other method. Raises EngineUnreachable, RpcError."""
        ...


class HeaderDoor(Protocol):
    """The part of an engine's RPC that shows what was decided: `hansa.comet.rpc.RpcClient`."""

    def signed_header(self, height: int) -> tuple[Header, Commit]:
        """Header and commit of a height. Raises EngineUnreachable, RpcError."""
        ...

    def validators(self, height: int) -> ValidatorSet:
        """The validators of a height. Raises EngineUnreachable, RpcError."""
        ...


class EngineDoor(PoolDoor, HeaderDoor, Protocol):
    """Both parts."""


class TransactionTooLarge(Rejection):
    """The engine takes no transaction of that size."""

    CODESPACE = "node"
    CODE = "transaction_too_large"
    RULE = "DESIGN 4.3"
    TEXT = "The transaction is too large for the consensus engine."
    REMEDY = "Send its messages in several transactions."


class Listener(msgspec.Struct, frozen=True):
    """What the node wants to hear. Each call returns soon and raises nothing.

    `on_block`: durable, with the ids of its transactions. `on_sealed`: all blocks below this height
    are provable. `on_refused`: these bytes of a transaction may not enter, or no longer. `on_stop`:
    the engine has ended, by itself with a reason; `on_storage`: a restored snapshot took the
    storage's place.
    """

    on_block: Callable[[BlockHead, Sequence[bytes]], None]
    on_sealed: Callable[[int], None]
    on_refused: Callable[[bytes, bytes, Rejection], None]
    on_stop: Callable[[BaseException | None], None]
    on_storage: Callable[[Storage], None] = lambda _storage: None


# Makes the engine of a node; `start` and `stop` are the node's to call.
BuildEngine = Callable[[Home, LedgerApplication, TransactionPool, Listener], Engine]

"""An engine's RPC as its node's feeder and sealing know it, without a socket. Pure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hansa.comet.commit import Commit
from hansa.comet.header import Header
from hansa.comet.rpc import Broadcast, EngineUnreachable, RpcError
from hansa.comet.validators import ValidatorSet

if TYPE_CHECKING:
    from hansa.testing.simulation.engine import SimulatedEngine


class SimulatedRpc:
    """Answers for one engine, while it lives."""

    def __init__(self, engine: "SimulatedEngine") -> None:
        self._engine = engine
        self.is_away = False

    def _check_here(self) -> None:
        if self.is_away or not self._engine.is_alive:
            raise EngineUnreachable("the engine does not answer")

    def give(self, transactions: Sequence[bytes]) -> list[Broadcast]:
        """broadcast_tx_async: CheckTx comes afterwards."""
        self._check_here()
        return [self._engine.take(data) for data in transactions]

    def call(self, method: str, _params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """`unsafe_flush_mempool` only."""
        self._check_here()
        if method != "unsafe_flush_mempool":
            raise RpcError(-32601, f"Method not found: {method}")
        self._engine.empty_pool()
        return {}

    def signed_header(self, height: int) -> tuple[Header, Commit]:
        """Header and commit: of the newest block the commit that this engine saw."""
        self._check_here()
        books, stage = self._engine.books, self._engine.stage
        if not books.base <= height <= books.stored:
            raise RpcError(-32603, f"height {height} is not available")
        block = stage.consensus.decided(height)
        if height < books.stored:
            return block.header, block.commit
        return block.header, block.build_seen_commit(stage.seed, self._engine.name)

    def validators(self, height: int) -> ValidatorSet:
        """Who votes on the block of `height`."""
        self._check_here()
        if height > self._engine.books.height + 2:
            raise RpcError(-32603, f"height {height} is not available")
        return self._engine.stage.consensus.validators(height)

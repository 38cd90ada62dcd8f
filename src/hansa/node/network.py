"""What the engine beside a node says of itself and its peers, asked at most once a second.

Touches the engine's RPC.
"""

import threading
import time
from pathlib import Path
from typing import Final

from hansa.comet.install import ENGINE as ENGINE_VERSION
from hansa.comet.rpc import EngineUnreachable, Peer, RpcClient, RpcError, Status
from hansa.node.engine import NetworkView, PeerView

# Older than this is asked again.
FRESH_S: Final = 1.0
# Whoever asks for the status is not kept waiting by an engine that hangs.
TIMEOUT_S: Final = 2.0


class NetworkWatch:
    """The last answers of one engine. Used from any thread."""

    def __init__(self, node_id: str, address: str, rpc: Path) -> None:
        """`node_id`, `address`: what this node is called and where it listens for others."""
        self.node_id, self.address = node_id, address
        self._rpc = RpcClient(rpc, timeout_s=TIMEOUT_S)
        self._lock = threading.Lock()
        self._status: Status | None = None
        self._peers: tuple[PeerView, ...] = ()
        self._asked = -FRESH_S

    def ask(self) -> tuple[Status | None, tuple[PeerView, ...]]:
        """Status and peers of a moment ago; no status when the engine does not answer."""
        with self._lock:
            if time.monotonic() - self._asked >= FRESH_S:
                try:
                    self._status = self._rpc.status()
                    self._peers = tuple(_view(peer) for peer in self._rpc.net_info())
                except (EngineUnreachable, RpcError):
                    self._status, self._peers = None, ()
                self._asked = time.monotonic()
            return self._status, self._peers

    @property
    def is_behind(self) -> bool:
        """Whether the engine is known to be catching up, or has not said yet."""
        status = self._status
        return status is None or status.catching_up

    @property
    def is_catching_up(self) -> bool:
        """Whether the engine said so when it was last asked."""
        status = self._status
        return status is not None and status.catching_up

    def look(
        self,
        *,
        is_running: bool,
        sealed_height: int,
        restarts: int,
        last_exit: str,
        outstanding: int,
        snapshot: int = 0,
    ) -> NetworkView:
        """For status pages."""
        status, peers = self.ask()
        return NetworkView(
            kind="comet",
            version=ENGINE_VERSION,
            node_id=self.node_id,
            address=self.address,
            is_running=is_running,
            is_reachable=status is not None,
            catching_up=status.catching_up if status else False,
            height=status.height if status else 0,
            sealed_height=sealed_height,
            restarts=restarts,
            last_exit=last_exit,
            peers=peers,
            outstanding=outstanding,
            snapshot=snapshot,
        )

    def close(self) -> None:
        """Let the connections go."""
        self._rpc.close()


def _view(peer: Peer) -> PeerView:
    return PeerView(
        id=peer.node_id,
        address=peer.address,
        direction="outbound" if peer.outbound else "inbound",
        name=peer.moniker,
    )

"""Watches that only admitted nodes stay connected: the engine asks only when a peer connects.

A peer whose member was expelled stays until this node restarts its own engine; nodes do so one
after the other, so that the league goes on. Touches the engine's RPC.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from hansa.ledger.state import Reader, scan_records
from hansa.ledger.system import Node
from hansa.node.engine import PeerView

# Between the restarts of two nodes: an engine is back within a second or two.
STAGGER_S: Final = 5.0
_NODES_MAX: Final = 10_000

_log = structlog.get_logger("hansa.node")


class Admittance:
    """Says when the own engine must begin anew, since a peer may no longer be connected."""

    def __init__(self, admits: Callable[[str], bool], *, stagger_s: float = STAGGER_S) -> None:
        self._admits = admits
        self._stagger_s = stagger_s
        self._due: float | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a restart is due once it is this node's turn."""
        return self._due is not None

    def must_restart(self, peers: Sequence[PeerView], own: str, state: Reader) -> bool:
        """Whether the time has come. Asked every second or so, with the peers of now."""
        foreign = [peer.id for peer in peers if not self._admits(peer.id)]
        if not foreign:
            self._due = None
            return False
        now = time.monotonic()
        if self._due is None:
            wait_s = self._stagger_s * find_place(state, own)
            self._due = now + wait_s
            _log.warning("peer_not_admitted", peers=foreign, restart_in_s=wait_s)
        if now < self._due:
            return False
        self._due = None
        return True


def find_place(state: Reader, own: str) -> int:
    """Place of a node among all that are admitted, by id: 0, 1, …"""
    nodes = scan_records(state, Node.OWNER, Node, limit=_NODES_MAX)
    return sum(node.id < own for node in nodes)

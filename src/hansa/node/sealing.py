"""The thread that fetches headers and commits from CometBFT, so that what is committed is provable.

Touches the engine's RPC and the seals of the node's storage.
"""

import threading
from collections.abc import Callable
from typing import Final

import structlog

from hansa.comet.rpc import EngineUnreachable, RpcError
from hansa.ledger.rejections import InvariantViolation
from hansa.node.application import LedgerApplication
from hansa.node.blocks import Seal
from hansa.node.engine import HeaderDoor
from hansa.node.faults import NodeError

_TICK_S: Final = 1.0
_PAUSE_S: Final = 0.1

_log = structlog.get_logger("hansa.node")


class Sealing:
    """Seals one node's blocks as they come, and at its start those that it missed."""

    def __init__(
        self,
        application: LedgerApplication,
        rpc: HeaderDoor,
        *,
        on_sealed: Callable[[int], None],
        on_fault: Callable[[BaseException], None],
    ) -> None:
        self._application, self._rpc = application, rpc
        self._on_sealed, self._on_fault = on_sealed, on_fault
        self._stopping = False
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hansa-sealing", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the seal in hand. Safe to repeat, before `start` too."""
        self._stopping = True
        self._wanted.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def wake(self) -> None:
        """A block is durable."""
        self._wanted.set()

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._wanted.wait(_TICK_S)
                self._wanted.clear()
                try:
                    self.seal_all()
                except (EngineUnreachable, RpcError) as error:
                    _log.debug("seal_delayed", problem=str(error))
                    self._wanted.wait(_PAUSE_S)
        except (NodeError, InvariantViolation, MemoryError, OSError) as error:
            self._on_fault(error)

    def seal_all(self) -> None:
        """Up to the last block. Raises EngineUnreachable, RpcError; InvariantViolation: a fork."""
        while not self._stopping:
            storage = self._application.storage
            height = storage.sealed + 1
            if height > storage.height:
                return
            seal = Seal(*self._rpc.signed_header(height))
            before = storage.seal(height - 1)
            if before is not None and before.commit.hash() != seal.header.last_commit_hash:
                # The newest commit is the one this node saw; the next header names the final one.
                self._put(Seal(*self._rpc.signed_header(height - 1)))
            self._put(seal)
            self._on_sealed(height)

    def _put(self, seal: Seal) -> None:
        storage, header = self._application.storage, seal.header
        known = storage.validators(header.validators_hash)
        storage.put_seal(seal, None if known else self._rpc.validators(header.height))

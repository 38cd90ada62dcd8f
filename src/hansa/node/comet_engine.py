"""CometBFT as the engine of a node: its process, its socket to us, what is asked of it over RPC."""

from collections.abc import Callable

from hansa.node.application import LedgerApplication
from hansa.node.engine import Listener, NetworkView
from hansa.node.faults import EngineError
from hansa.node.home import Home
from hansa.node.pool import TransactionPool
from hansa.node.release import ComputeDigest


class CometEngine:
    """One engine beside one node."""

    def __init__(
        self,
        home: Home,
        application: LedgerApplication,
        pool: TransactionPool,
        listener: Listener,
        clock: Callable[[], int],
        compute_digest: ComputeDigest | None,
    ) -> None:
        self._home, self._application, self._clock = home, application, clock

    def start(self) -> None:
        """Not yet."""
        raise EngineError("the engine is not there yet", "Wait.")

    def stop(self) -> None:
        """Nothing runs."""

    def halt(self) -> None:
        """Nothing runs."""

    def next_time_ms(self) -> int:
        """The least time of the next block."""
        return max(self._application.storage.time_ms + 1, self._clock())

    def network(self) -> NetworkView | None:
        """None yet."""
        return None

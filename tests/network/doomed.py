"""The process that dies at a chosen point: a node and a real engine on the home of a toy league.

Started once; forks for each run, so that a run costs no import. Reads one JSON order a line, prints
what the run reports (`committed <id> <height>`), then `ended <wait status>`.
"""

import ctypes
import os
import signal
from pathlib import Path
from typing import Any

import structlog

from hansa.comet.process import EngineProcess
from hansa.node import comet_engine, key_value
from hansa.node.ledger_node import LedgerNode
from tests.crash.driver import WRITE_BUFFER, serve_orders
from tests.node.comet_league import build_registry

INDEX = "FAIL_TEST_INDEX"


class DoomedEngine(EngineProcess):
    """CometBFT that ends at a point of its own choosing (libs/fail): `points` are those of its
    lives, one after the other; then it lives. `together`: the node dies with it, as of kill -9.
    """

    points: list[int]
    together: bool

    def start(self) -> None:
        self._test_environment = {INDEX: str(self.points.pop(0))} if self.points else {}
        if self.together and self._test_environment:
            self._on_exit = lambda _ended: os.kill(os.getpid(), signal.SIGKILL)
        super().start()


def run(order: dict[str, Any]) -> None:
    """One run, in the forked child. Never returns when it is killed."""
    home = Path(order["home"])
    key_value.WRITE_BUFFER_BYTES = WRITE_BUFFER
    DoomedEngine.points, DoomedEngine.together = order["points"], order["together"]
    comet_engine.EngineProcess = DoomedEngine  # type: ignore[misc]
    comet_engine.QUICK_MAX, comet_engine.BACK_OFF_S = 1_000, (0.05,)  # type: ignore[misc]
    shim = ctypes.CDLL(None)
    shim.hansa_shim_start(
        str(home).encode(), order["journal"].encode(), ctypes.c_long(order["kill_at"])
    )
    shim.hansa_shim_count.restype = ctypes.c_long
    with LedgerNode.open(home, build_registry()) as node:
        print("opened", shim.hansa_shim_count(), flush=True)
        for line in Path(order["transactions"]).read_text().splitlines():
            status = node.wait(node.submit(line.encode()), 60)
            print(status.state, status.id, status.height, flush=True)
        while DoomedEngine.points:  # idle blocks pass the points as well
            node.wait_height(node.height + 1, 60)
        print("changes", shim.hansa_shim_count(), flush=True)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    serve_orders(run)

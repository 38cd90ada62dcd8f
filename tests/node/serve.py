"""A node in a process of its own, for tests: runs until a signal, counting all the while."""

import signal
import sys
import threading
from pathlib import Path

from hansa.node.faults import NodeError
from hansa.node.ledger_node import LedgerNode
from hansa.node.logs import configure_logs
from tests.node.league import ToyLeague


def main(folder: Path) -> int:
    configure_logs()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    league = ToyLeague(folder)
    try:
        node = LedgerNode.open(folder, league.registry)
    except NodeError as error:
        print(error.diagnostics(), file=sys.stderr)
        return 1
    with node:
        for name in ("canary", "x", "x", "x"):
            node.wait(node.submit(league.count(name)), 10)
        print("running", flush=True)
        while not stop.wait(0.001):
            node.submit(league.count())
    print("stopped", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))

"""A node in a process of its own, for tests: runs until a signal, counting all the while."""

import signal
import sys
import time
from pathlib import Path

from hansa.node.faults import NodeError
from hansa.node.ledger_node import LedgerNode
from hansa.node.logs import configure_logs
from tests.node.league import ToyLeague


def main(folder: Path) -> int:
    configure_logs()
    # A list: an event set by a handler waits for ever when the signal comes inside its own `wait`.
    stop: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: stop.append(number))
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
        while not stop:
            node.submit(league.count())
            time.sleep(0.001)
    print("stopped", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))

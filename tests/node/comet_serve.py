"""A node on CometBFT in a process of its own, for tests: counts until it is killed."""

import sys
import time
from pathlib import Path

from hansa.node.ledger_node import LedgerNode
from hansa.node.logs import configure_logs
from tests.node.comet_league import build_registry


def main(home: Path) -> int:
    """Say the id of each transaction that is committed; the transactions come on standard input."""
    configure_logs()
    with LedgerNode.open(home, build_registry()) as node:
        print("running", flush=True)
        for line in sys.stdin:
            identity = node.submit(line.strip().encode())
            if node.wait(identity, 30).state == "committed":
                print(identity, flush=True)
        time.sleep(3600)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))

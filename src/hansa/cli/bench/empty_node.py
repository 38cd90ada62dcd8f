"""The process of the empty application: `python -m hansa.cli.bench.empty_node SOCKET`.

Answers one engine at SOCKET until SIGINT or until whoever started it has gone.
"""

import sys
import threading
from pathlib import Path

from hansa.cli.lifeline import follow_parent
from hansa.cli.signals import stoppable
from hansa.comet.abci.empty import EmptyApplication
from hansa.comet.abci.server import Server


def main(arguments: list[str]) -> int:
    """Serve; the exit code is 1 when the server failed."""
    ended = threading.Event()
    faults: list[BaseException] = []

    def fail(error: BaseException) -> None:
        faults.append(error)
        ended.set()

    with stoppable():
        follow_parent()
        server = Server(Path(arguments[0]), EmptyApplication(), on_fatal=fail)
        server.start()
        try:
            ended.wait()
        except KeyboardInterrupt:
            pass  # asked to stop
        finally:
            server.stop()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

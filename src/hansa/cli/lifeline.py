"""A child that does not outlive its parent: the end of a pipe says that the parent has gone.

Works however the parent ended, kill -9 included. The pipe is the child's standard input.
"""

import os
import signal
import threading
import time
from typing import Final

# Set for a child: its standard input is the pipe that its parent holds open.
LIFELINE: Final = "HANSA_LIFELINE"
# A child that was asked to stop and has not by then ends at once.
GRACE_S: Final = 40.0


def follow_parent() -> None:
    """Stop this process, as SIGTERM does, as soon as its parent is gone. Nothing for others."""
    if os.environ.pop(LIFELINE, "") != "1":
        return
    threading.Thread(target=_watch, args=(0,), name="hansa-lifeline", daemon=True).start()


def _watch(descriptor: int) -> None:
    while os.read(descriptor, 1):  # nothing is ever written: this returns when it is closed
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)

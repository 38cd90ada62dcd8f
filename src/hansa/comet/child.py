"""Commands whose process dies with ours, however ours dies. Pure: makes arguments."""

import os
import sys
from collections.abc import Sequence
from typing import Final

# Runs in a fresh interpreter whose place the command then takes: no code of ours after a fork.
# prctl(PR_SET_PDEATHSIG, SIGKILL): the kernel kills the command when the thread that started it
# ends. Systems other than Linux have no such thing.
_TRAMPOLINE: Final = """
import os, sys
parent, command = int(sys.argv[1]), sys.argv[2:]
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
if os.getppid() != parent:
    os._exit(125)
try:
    os.execv(command[0], command)
except OSError as error:
    sys.exit(f"{command[0]}: {error.strerror}")
"""


def bind_to_us(command: Sequence[str]) -> list[str]:
    """`command` (an absolute path and arguments) as a child that ends with the thread that starts
    it: that thread must live as long as the child is wanted.
    """
    return [sys.executable, "-I", "-S", "-c", _TRAMPOLINE, str(os.getpid()), *command]

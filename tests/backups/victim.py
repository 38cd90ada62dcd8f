"""A back-up or restore that is killed at a change of the disk: the process that dies.

Arguments: make | restore, from, to, KILL_AT (0: never). Prints how many changes there were.
"""

import os
import signal
import sys
from pathlib import Path

from tests.backups.pieces import WORDS, back_up, bring_back

CHANGES = frozenset(
    ("os.mkdir", "os.rename", "os.remove", "os.link", "os.rmdir", "shutil.copyfile", "open")
)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def watch(kill_at: int) -> list[int]:
    """Count changes of the disk from now on, and die just before that one."""
    count = [0]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event not in CHANGES:
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITES):
            return
        count[0] += 1
        if count[0] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return count


def run(what: str, source: Path, target: Path, kill_at: int) -> int:
    """Do it; how many changes."""
    count = watch(kill_at)
    if what == "make":
        back_up(source, target, WORDS)
    else:
        bring_back(source, target, WORDS)
    return count[0]


def main() -> None:
    """Fork for each order, so that imports are paid once. Orders: what, from, to, kill at."""
    for line in sys.stdin:
        what, source, target, kill_at = line.rstrip("\n").split("\t")
        pid = os.fork()
        if not pid:
            print("changes", run(what, Path(source), Path(target), int(kill_at)), flush=True)
            os._exit(0)
        _pid, status = os.waitpid(pid, 0)
        print("ended", status, flush=True)


if __name__ == "__main__":
    main()

"""The processes of a league's nodes: begun, watched, begun again, stopped. Touches processes.

One process `hansa start LEAGUE/nodes/N` for each node, in a group of its own, at the end of a
lifeline: none outlives this one.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from hansa.cli.lifeline import LIFELINE
from hansa.cli.network import NodeFolder
from hansa.node.running import Running

# What a node says on standard error, its last words when it fails.
START_LOG: Final = "start.log"
WORDS_MAX: Final = 4_000
BACK_OFF_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 60.0)
# Who has run this long is begun anew without delay.
STEADY_S: Final = 60.0
STOP_WITHIN_S: Final = 30.0


class Worker:
    """One node's process. `state`: starting, ready, ended, or elsewhere (somebody else runs it)."""

    def __init__(self, node: NodeFolder) -> None:
        self.node = node
        self.state = "ended"
        self.running: Running | None = None
        self.reason = ""
        self.again_at = 0.0
        self.restarts = 0
        self._failures = 0
        self._began = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._line = b""

    @property
    def pid(self) -> int:
        """Process id, 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    def begin(self) -> None:
        """Start the process, unless somebody else runs that node."""
        holder = self.node.holder()
        if holder is not None:
            self.state, self.reason = "elsewhere", f"process {holder}" if holder else "unknown"
            self.running = self.node.running()
            return
        self._line = b""
        self.running = None
        command = [sys.executable, "-m", "hansa.cli", "start", str(self.node.folder), "--json"]
        with (self.node.folder / START_LOG).open("wb") as words:
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter)
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                process_group=0,
                env=os.environ | {LIFELINE: "1"},
            )
        if self._process.stdout is not None:
            os.set_blocking(self._process.stdout.fileno(), False)
        self.state, self._began = "starting", time.monotonic()

    def look(self) -> bool:
        """See what became of the process; whether its state has changed."""
        process = self._process
        if process is None:
            return False
        if self.state == "starting" and self._read_ready(process):
            return True
        status = process.poll()
        if status is None:
            return False
        self._process = None
        self.state, self.running = "ended", None
        self.reason = explain_end(status, self.node.folder / START_LOG)
        if time.monotonic() - self._began >= STEADY_S:
            self._failures = 0
        delay = BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1)]
        self._failures += 1
        self.again_at = time.monotonic() + delay
        _close_pipes(process)
        return True

    def _read_ready(self, process: "subprocess.Popen[bytes]") -> bool:
        stream = process.stdout
        while stream is not None and b"\n" not in self._line:
            chunk = stream.read(4096)
            if not chunk:
                return False
            self._line += chunk
        with suppress(ValueError, TypeError, KeyError):
            said = json.loads(self._line.split(b"\n", 1)[0])
            fields = {name: said.get(name, "") for name in ("node", "p2p", "chain")}
            self.running = Running(url=said["url"], pid=said["pid"], **fields)
            self.state = "ready"
            return True
        return False

    def is_due(self) -> bool:
        """Whether it is time to begin again."""
        return self.state == "ended" and time.monotonic() >= self.again_at

    def signal(self, number: signal.Signals) -> None:
        """Tell the process; with SIGKILL all of its group."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)

    def wait(self, within_s: float) -> None:
        """Wait for the end; kill the whole group when it takes too long."""
        process = self._process
        if process is None:
            return
        try:
            process.wait(max(within_s, 0.0))
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            process.wait()
        self._process, self.state = None, "ended"
        _close_pipes(process)


def stop_all(workers: Iterable[Worker]) -> None:
    """Ask every process to stop, in order, and wait for each. Asked twice, it kills."""
    workers = list(workers)
    for worker in workers:
        worker.signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_WITHIN_S
    try:
        for worker in workers:
            worker.wait(deadline - time.monotonic())
    except KeyboardInterrupt:
        for worker in workers:
            worker.signal(signal.SIGKILL)
            worker.wait(STOP_WITHIN_S)


def settle(workers: list[Worker], within_s: float, pause: Callable[[], None]) -> None:
    """Look until every process is ready or has ended, or time is up."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and any(each.state == "starting" for each in workers):
        pause()
        for worker in workers:
            worker.look()


def explain_end(status: int, words: Path) -> str:
    """Why a process ended: the signal, or its own last words."""
    if status < 0:
        try:
            return f"killed ({signal.Signals(-status).name})"
        except ValueError:
            return f"killed (signal {-status})"
    said = _read_words(words)
    return said or ("stopped" if status == 0 else f"exit code {status}")


def _read_words(path: Path) -> str:
    """The refusal that a command printed, in one line; "" when it printed none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - WORDS_MAX))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    marked = [number for number, line in enumerate(lines) if line.startswith("✗ ")]
    if not marked:
        return ""
    said = [line.strip() for line in lines[marked[-1] : marked[-1] + 3]]
    return "; ".join([said[0].removeprefix("✗ "), *said[1:]])


def _close_pipes(process: "subprocess.Popen[bytes]") -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()

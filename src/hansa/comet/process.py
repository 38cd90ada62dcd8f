"""The engine's process: started, watched, stopped; it dies with us. Touches processes and its log.

The kernel kills the engine when the thread that started it ends, whatever ended it
(PR_SET_PDEATHSIG): that thread is the watcher, which lives exactly as long as the engine.
"""

import contextlib
import os
import re
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from hansa.comet.child import bind_to_us
from hansa.comet.exits import HALTED, EngineExit, explain_exit
from hansa.comet.faults import EngineStartError

LOG_BYTES_MAX: Final = 16_000_000
# What is read of the log to find a reason.
TAIL_BYTES: Final = 128_000
LINE_BYTES_MAX: Final = 1_000
STOP_TIMEOUT_S: Final = 10.0
KILL_TIMEOUT_S: Final = 5.0
WATCH_S: Final = 0.5
# CometBFT's own variables (CMT_…, CMTHOME, TMHOME) would override what we wrote.
_FOREIGN: Final = ("CMT", "TMHOME", "TM_", "FAIL_TEST_INDEX")

OnExit = Callable[[EngineExit], None]


class _Run:
    """One life of the engine."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.started = threading.Event()
        self.ended = threading.Event()
        self.asked = False
        self.exit: EngineExit | None = None
        self.error: OSError | None = None


class EngineProcess:
    """One engine. Its methods may be called from any thread, and none blocks for ever."""

    def __init__(
        self,
        binary: Path,
        home: Path,
        log: Path,
        *,
        rpc: Path | None = None,
        on_exit: OnExit | None = None,
        test_environment: Mapping[str, str] | None = None,
    ) -> None:
        """`home` is the engine's folder (`--home`). `rpc`: its socket, removed before a start.

        `on_exit` is called in the watcher's thread when the engine ended without being asked to;
        it may call `start`. `test_environment`: CometBFT's fail points, for tests only.
        """
        self._binary = binary
        self._home = home
        self._log = log
        self._rpc = rpc
        self._on_exit = on_exit
        self._test_environment = dict(test_environment or {})
        self._lock = threading.Lock()
        self._run: _Run | None = None

    @property
    def alive(self) -> bool:
        """Whether the engine's process runs."""
        run = self._run
        return run is not None and not run.ended.is_set()

    @property
    def pid(self) -> int | None:
        """Process id of the engine that runs, None when none does."""
        run = self._run
        return run.process.pid if run is not None and run.process and self.alive else None

    @property
    def last_exit(self) -> EngineExit | None:
        """How the engine ended, None while it runs and before its first start."""
        return self._run.exit if self._run is not None else None

    def start(self) -> None:
        """Start the engine, unless it runs. Raises EngineStartError."""
        with self._lock:
            if self.alive:
                return
            self._remove_socket()
            run = self._run = _Run()
            threading.Thread(
                target=self._watch, args=(run,), name="engine-watch", daemon=True
            ).start()
            run.started.wait()
        if run.error is not None:
            raise EngineStartError(
                f"the engine cannot be started: {run.error.strerror}",
                f"See that {self._log.parent} has space and belongs to this user; then: "
                "hansa engine install",
            ) from run.error

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End the engine: asked first, killed after `timeout_s`. `on_exit` is not called."""
        with self._lock:
            run = self._run
            if run is None or run.process is None:
                return
            run.asked = True
            if timeout_s > 0 and not run.ended.is_set():
                run.process.terminate()
                run.ended.wait(timeout_s)
            if not run.ended.is_set():
                run.process.kill()
                run.ended.wait(KILL_TIMEOUT_S)
            self._remove_socket()

    def kill(self) -> None:
        """End the engine at once, as a power cut would. `on_exit` is not called."""
        self.stop(0)

    def restart(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Stop and start: all connections to peers are made, and judged, anew."""
        self.stop(timeout_s)
        self.start()

    def _watch(self, run: _Run) -> None:
        """The watcher's thread: starts the engine, waits for its end, says why."""
        start = self._spawn(run)
        process = run.process
        if process is not None:
            log = _LogWatch(self._log, start)
            status = self._await_end(process, log)
            run.exit = explain_exit(status, log.read_tail(), asked=run.asked)
        run.ended.set()
        if run.exit is not None and not run.asked and self._on_exit is not None:
            self._on_exit(run.exit)

    def _spawn(self, run: _Run) -> int:
        """Start the child; the length of the log before."""
        inherited = {n: value for n, value in os.environ.items() if not n.startswith(_FOREIGN)}
        engine = [str(self._binary), "start", "--home", str(self._home)]
        start = 0
        try:
            _put_aside(self._log)
            with os.fdopen(_open_private(self._log), "ab") as log:
                start = log.seek(0, os.SEEK_END)
                run.process = subprocess.Popen(  # noqa: S603
                    bind_to_us(engine),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=inherited | self._test_environment,
                    process_group=0,
                )
        except OSError as error:
            run.error = error
            run.ended.set()
        run.started.set()
        return start

    def _await_end(self, process: "subprocess.Popen[bytes]", log: "_LogWatch") -> int:
        """The exit status. An engine whose consensus has ended is ended too: it would stay."""
        give_up: float | None = None
        with _EndOf(process) as end:
            while not end.wait(WATCH_S):
                if give_up is None and log.has_new(HALTED):
                    process.terminate()
                    give_up = time.monotonic() + KILL_TIMEOUT_S
                elif give_up is not None and time.monotonic() > give_up:
                    process.kill()
                log.bound()
        return process.wait()

    def _remove_socket(self) -> None:
        """A killed engine leaves its socket, and the next could not bind there."""
        if self._rpc is not None:
            with contextlib.suppress(OSError):
                self._rpc.unlink(missing_ok=True)


class _EndOf:
    """Waits for the end of a process without waking up in between (where the system can)."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._descriptor = -1

    def __enter__(self) -> "_EndOf":
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                self._descriptor = os.pidfd_open(self._process.pid)
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def wait(self, timeout_s: float) -> bool:
        """Whether it has ended, at the latest after `timeout_s`."""
        if self._descriptor >= 0:
            return bool(select.select([self._descriptor], [], [], timeout_s)[0])
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)
            return True
        return False


class _LogWatch:
    """What one engine adds to its log, and a bound on it. An unreadable log says nothing."""

    def __init__(self, path: Path, start: int) -> None:
        self._path = path
        self._start = start
        self._seen = start

    def has_new(self, words: re.Pattern[bytes]) -> bool:
        """Whether `words` (of one line) were written since the last call."""
        start = max(self._start, self._seen - LINE_BYTES_MAX)
        data = self._read(start)
        self._seen = start + len(data)
        return words.search(data) is not None

    def read_tail(self) -> bytes:
        """The last that this engine wrote."""
        with contextlib.suppress(OSError):
            size = self._path.stat().st_size
            return self._read(max(self._start, size - TAIL_BYTES))
        return b""

    def bound(self) -> None:
        """Put a long log aside while the engine goes on writing to it (it appends)."""
        with contextlib.suppress(OSError):
            if self._path.stat().st_size > LOG_BYTES_MAX:
                shutil.copyfile(self._path, _aside(self._path))
                os.truncate(self._path, 0)
                self._start = self._seen = 0

    def _read(self, start: int) -> bytes:
        with contextlib.suppress(OSError), self._path.open("rb") as file:
            file.seek(start)
            return file.read(LOG_BYTES_MAX)
        return b""


def _put_aside(log: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES_MAX:
            log.replace(_aside(log))


def _aside(log: Path) -> Path:
    return log.with_name(f"{log.name}.1")


def _open_private(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    return os.open(path, flags, 0o600)

"""Runs the duties of applications (`appkit.route.Duty`): a thread each, woken by growth and work.

A fault of one is logged and it is tried again; the gateway goes on.
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from hansa.api.desk import OpenBackroom
from hansa.api.gate import Gate
from hansa.api.limits import DUTY_FAULT_S, DUTY_S_MAX
from hansa.appkit.route import Duty

_log = structlog.get_logger("hansa.api")


class Duties:
    """All duties of one gateway."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._runners = [
            _Runner(gate, app.name, duty)
            for app in gate.applications.values()
            for duty in app.doors.duties
        ]

    def start(self) -> None:
        """Begin; from now on growth of the read model wakes them."""
        if not self._runners:
            return
        self._gate.is_ending = False
        self._gate.wake_duties = self.wake
        self._end = self._gate.index.subscribe(lambda _height: self.wake())
        for runner in self._runners:
            runner.start()

    def stop(self) -> None:
        """End, when each has come to the end of what it has in hand."""
        if not self._runners:
            return
        self._gate.is_ending = True
        self._end()
        for runner in self._runners:
            runner.stop()

    def wake(self, application: str = "") -> None:
        """Have the duties of an application run soon (of all: no name)."""
        for runner in self._runners:
            if application in ("", runner.application):
                runner.wake()


class _Runner:
    def __init__(self, gate: Gate, application: str, duty: Duty) -> None:
        self.application = application
        self._gate, self._duty = gate, duty
        self._room = OpenBackroom(gate, application)
        self._woken = threading.Event()
        self._work = ThreadPoolExecutor(1, thread_name_prefix=f"{application}-{duty.name}")
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"{self.application}-{self._duty}")
        self._thread.start()

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        self._woken.set()
        if self._thread is not None:
            self._thread.join()
        self._work.shutdown()

    def _run(self) -> None:
        while not self._gate.is_ending:
            self._woken.clear()
            done: Future[float] = self._work.submit(self._duty.run, self._room)
            error = done.exception()
            if error is not None:
                _log.warning(
                    "duty_failed",
                    application=self.application,
                    duty=self._duty.name,
                    kind=type(error).__name__,
                )
            delay = DUTY_FAULT_S if error is not None else min(done.result(), DUTY_S_MAX)
            self._woken.wait(max(delay, 0.0))

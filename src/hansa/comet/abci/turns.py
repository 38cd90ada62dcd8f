"""Turns on the application: one call at a time, consensus before the mempool.

Locks only.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """One lock with two doors.

    A plain lock would let a thread with thousands of `CheckTx` take it again and again while the
    block waits; here the mempool steps back as soon as consensus asks.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count_lock = threading.Lock()
        self.wanted = 0  # consensus calls that wait or run
        self._nobody_waits = threading.Event()
        self._nobody_waits.set()

    @contextmanager
    def consensus(self) -> Iterator[None]:
        """Next in line, before every mempool call that has not begun."""
        with self._count_lock:
            self.wanted += 1
            self._nobody_waits.clear()
        try:
            with self._lock:
                yield
        finally:
            with self._count_lock:
                self.wanted -= 1
                if not self.wanted:
                    self._nobody_waits.set()

    def enter_mempool(self) -> None:
        """Take the lock when consensus does not want it; `leave_mempool` gives it back."""
        while True:
            if self.wanted:
                self._nobody_waits.wait()
            self._lock.acquire()
            if not self.wanted:
                return
            self._lock.release()

    def try_mempool(self, timeout_s: float) -> bool:
        """As `enter_mempool`, for about so long at most; whether the lock is taken."""
        if self.wanted and not self._nobody_waits.wait(timeout_s):
            return False
        if not self._lock.acquire(timeout=timeout_s):
            return False
        if self.wanted:
            self._lock.release()
            return False
        return True

    def leave_mempool(self) -> None:
        """Give the lock back."""
        self._lock.release()

"""The ABCI 2.0 socket server: threads, one per connection of the engine, strictly in order.

Touches its unix socket and calls the `Handler`; knows nothing of the ledger. A connection that
sends what is not ABCI is closed and logged; a fault of the handler ends the server.
"""

import selectors
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from hansa.comet.abci.connection import Connection, list_calls
from hansa.comet.abci.framing import FRAME_MAX
from hansa.comet.abci.handler import Handler, StopNode
from hansa.comet.abci.listener import open_listener, remove_socket
from hansa.comet.abci.turns import Turns

__all__ = ["CONNECTIONS_MAX", "Handler", "Server", "StopNode"]

# An engine opens four; a second engine may come while the first one ends.
CONNECTIONS_MAX: Final = 32
STOP_S: Final = 10.0

_log = structlog.get_logger("hansa.abci")


class Server:
    """Answers one engine's calls from `handler` at the unix socket `path`.

    `on_fatal` is told once, from a thread of the server, what the handler raised; by then the
    engine has the exception, every connection is closed and no further call begins. It may call
    `stop()`. Memory: at most one frame (`frame_max` bytes) and its message per connection.
    """

    def __init__(
        self,
        path: Path,
        handler: Handler,
        *,
        on_fatal: Callable[[BaseException], None],
        frame_max: int = FRAME_MAX,
    ) -> None:
        self.path = path
        self._calls = list_calls(handler)
        self._on_fatal = on_fatal
        self._frame_max = frame_max
        self._turns = Turns()
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._connections: dict[Connection, threading.Thread] = {}
        self._wake: socket.socket | None = None
        self._acceptor: threading.Thread | None = None

    def start(self) -> None:
        """Listen, and accept in a thread. Once. Raises `SocketRefused` and `OSError`."""
        with self._lock:
            if self._acceptor or self._ending.is_set():
                raise RuntimeError("a server starts once; make a new one")
            listener = open_listener(self.path)
            woken, self._wake = socket.socketpair()
            self._acceptor = threading.Thread(
                target=self._accept, args=(listener, woken), name="abci-accept", daemon=True
            )
            self._acceptor.start()

    def stop(self) -> None:
        """Close every connection and wait until the calls that run have ended (at most 10 s).

        Safe to call twice, before `start`, and from `on_fatal`. The engine ends itself by it.
        """
        self._end()
        with self._lock:
            threads = [*self._connections.values(), *filter(None, [self._acceptor])]
        deadline = time.monotonic() + STOP_S
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    def _end(self) -> None:
        """Take no connection and begin no call any more."""
        with self._lock:
            self._ending.set()
            if self._wake:
                self._wake.close()
            for connection in self._connections:
                connection.end()

    def _accept(self, listener: socket.socket, woken: socket.socket) -> None:
        """Take connections until the end; then the socket file goes."""
        inode = self.path.lstat().st_ino
        with selectors.DefaultSelector() as selector, listener, woken:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            try:
                while not self._ending.is_set():
                    if any(key.fileobj is listener for key, _ in selector.select()):
                        self._take(listener)
            except (OSError, RuntimeError) as error:  # no log, no thread: nobody could be served
                self._fail(error)
            finally:
                remove_socket(self.path, inode)

    def _take(self, listener: socket.socket) -> None:
        """One new connection; closed at once when there are too many."""
        try:
            stream, _ = listener.accept()
        except OSError as error:  # gone before it was taken, or no file descriptors left
            _log.warning("connection_lost", problem=str(error))
            self._ending.wait(0.1)
            return
        with self._lock:
            if self._ending.is_set() or len(self._connections) >= CONNECTIONS_MAX:
                _log.warning("connection_refused", problem=f"at most {CONNECTIONS_MAX} at once")
                stream.close()
                return
            connection = Connection(stream, self._calls, self._turns, self._frame_max)
            thread = threading.Thread(
                target=self._run, args=(connection,), name="abci-connection", daemon=True
            )
            thread.start()
            self._connections[connection] = thread

    def _run(self, connection: Connection) -> None:
        """The life of one connection; a fault of the handler ends all."""
        try:
            connection.run()
        finally:
            with self._lock:
                del self._connections[connection]
            if connection.failure is not None:
                self._fail(connection.failure)

    def _fail(self, error: BaseException) -> None:
        """End all; the first fault is told, unless the end had come before."""
        with self._lock:
            first = not self._ending.is_set()
            self._ending.set()
        self._end()
        if first:
            self._on_fatal(error)

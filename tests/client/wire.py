"""A wire that fails as networks do: drops requests, drops answers, answers for the server."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

Plan = Callable[[int], str | bytes]


class Wire:
    """Forwards one connection after another to `target`, as `plan(number)` says for each.

    "pass", "lose request", "lose answer", or the bytes of an answer of its own.
    """

    def __init__(self, target: str, plan: Plan) -> None:
        self.plan = plan
        self.connections = 0
        parts = urlsplit(target)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                caller, _address = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            with caller:
                self._serve(caller, self.plan(self.connections))

    def _serve(self, caller: socket.socket, what: str | bytes) -> None:
        request = _read_message(caller)
        if isinstance(what, bytes):
            caller.sendall(what)
        elif what != "lose request":
            with socket.create_connection(self._target) as server:
                server.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
                answer = b"".join(iter(lambda: server.recv(65_536), b""))
            if what == "pass":
                caller.sendall(answer)


def _read_message(connection: socket.socket) -> bytes:
    """One request: head and as many bytes as it says."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65_536)
        if not more:
            return data
        data += more
    head, _mark, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _colon, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextmanager
def failing_wire(target: str, plan: Plan) -> Iterator[Wire]:
    """A wire before `target`."""
    wire = Wire(target, plan)
    wire.start()
    try:
        yield wire
    finally:
        wire.stop()

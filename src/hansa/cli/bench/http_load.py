"""HTTP requests on kept connections, as many at once as there are, and how long each took.

Talks to one address of this machine; speaks as much of HTTP/1.1 as our server answers with.
"""

import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final, NamedTuple, Self

from hansa.cli.bench.load import Stalled

TIMEOUT_S: Final = 30.0
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"
_READ: Final = 65_536


class Answer(NamedTuple):
    """Status and body of an answer."""

    status: int
    body: bytes


class Asked(NamedTuple):
    """What came of one load: seconds of each answer that was as expected, all others by status.

    `exhausted`: nothing was left to ask.
    """

    seconds: float
    times: tuple[float, ...]
    others: dict[int, int]
    exhausted: bool


class Connection:
    """One kept connection with at most one request on its way."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        self.asked_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, request: bytes) -> None:
        """Begin a request."""
        self.asked_at = time.perf_counter()
        self._socket.sendall(request)

    def receive(self) -> Answer:
        """Its answer. Raises Stalled when the server ends the connection."""
        data = self._rest
        while (end := data.find(_HEAD_END)) < 0:
            data += self._read()
        head = data[:end].lower()
        place = head.find(_LENGTH)
        if place < 0:
            raise Stalled(f"an answer without a length: {data[:200]!r}")
        length = int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0])
        whole = end + len(_HEAD_END) + length
        while len(data) < whole:
            data += self._read()
        self._rest = data[whole:]
        return Answer(int(data[9:12]), data[end + len(_HEAD_END) : whole])

    def ask(self, request: bytes) -> Answer:
        """Both."""
        self.send(request)
        return self.receive()

    def _read(self) -> bytes:
        try:
            data = self._socket.recv(_READ)
        except OSError as error:
            raise Stalled(f"the server does not answer: {error}") from error
        if not data:
            raise Stalled("the server closed a connection")
        return data


def encode_request(
    method: str,
    target: str,
    *,
    host: str,
    token: str = "",
    body: bytes | None = None,
    media: str = "",
) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}"]
    if token:
        lines.append(f"authorization: Bearer {token}")
    if body is not None:
        lines += [f"content-type: {media}", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def run_requests(
    place: tuple[str, int],
    requests: Iterator[bytes],
    *,
    expect: int,
    connections: int,
    seconds: float,
) -> Asked:
    """Ask for so long, one request on each connection at a time. Raises Stalled."""
    times: list[float] = []
    others: Counter[int] = Counter()
    with ExitStack() as stack:
        open_ = [stack.enter_context(Connection(*place)) for _ in range(connections)]
        began = time.perf_counter()
        end = began + seconds
        busy: list[Connection] = []
        for each, request in zip(open_, requests, strict=False):
            each.send(request)
            busy.append(each)
        exhausted = len(busy) < len(open_)
        while busy:
            going = []
            for each in busy:
                answer = each.receive()
                now = time.perf_counter()
                if answer.status == expect:
                    times.append(now - each.asked_at)
                else:
                    others[answer.status] += 1
                request_ = next(requests, None) if now < end else None
                exhausted |= request_ is None and now < end
                if request_ is not None:
                    each.send(request_)
                    going.append(each)
            busy = going
        took = time.perf_counter() - began
    return Asked(took, tuple(times), dict(others), exhausted)

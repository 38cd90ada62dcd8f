"""Bytes to a gateway and what comes back, beneath every HTTP library."""

import socket
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Heard:
    """`statuses`: of all answers, in order; `closed`: whether the gateway hung up after them."""

    statuses: tuple[int, ...]
    data: bytes
    closed: bool


class RawClient:
    """One connection to a gateway at `http://127.0.0.1:PORT`."""

    def __init__(self, url: str, patience_s: float = 30.0) -> None:
        self.raw = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
        self.raw.settimeout(patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.raw.close()

    def say(self, data: bytes) -> None:
        """Send; a gateway that hung up already need not hear it."""
        try:
            self.raw.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def hear(self) -> Heard:
        """All answers until the gateway hangs up; a question that it has to answer comes last."""
        data = b""
        try:
            while part := self.raw.recv(65_536):
                data += part
            closed = True
        except ConnectionResetError:
            closed = True
        except TimeoutError:
            closed = False
        return Heard(find_statuses(data), data, closed)


def find_statuses(data: bytes) -> tuple[int, ...]:
    """Statuses of answers one after the other: each body is as long as its head says."""
    found = []
    while data.startswith(b"HTTP/1.1 "):
        head, _end, rest = data.partition(b"\r\n\r\n")
        found.append(int(head[9:12]))
        lengths = [
            int(line.partition(b":")[2])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        ]
        data = rest[lengths[0] if lengths else len(rest) :]
    return tuple(found)

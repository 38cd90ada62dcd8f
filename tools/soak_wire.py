"""What `soak.py` asks a node through, and sees of its process: kept and idle connections, /proc."""

import asyncio
import socket
from pathlib import Path
from urllib.parse import urlsplit


class Wire:
    """One kept connection."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._host, self._port = place.hostname or "", place.port or 0
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, int, bytes]:
        """Status, seconds to wait and body of an answer. Raises OSError, EOFError."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n"
        self._writer.write(f"{head}Content-Type: application/jose\r\n\r\n".encode() + body)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        found = {
            name.lower(): value.strip()
            for name, _colon, value in (line.partition(":") for line in lines[1:])
        }
        answer = await self._reader.readexactly(int(found.get("content-length", "0")))
        if found.get("connection") == "close":
            self.close()
        return int(lines[0].split()[1]), int(found.get("retry-after", "0")), answer

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def open_idle(url: str) -> socket.socket:
    """A connection with half a head on it."""
    place = urlsplit(url)
    made = socket.socket()
    made.setblocking(False)
    try:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(made, (place.hostname, place.port))
        await loop.sock_sendall(made, b"GET /v1/status HTTP/1.1\r\nHost: local")
    except OSError:
        made.close()
        raise
    return made


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side has hung up."""
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def read_memory(pid: int) -> dict[str, int]:
    """Fields of a process's memory in KiB; empty when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    rows = (line.partition(":") for line in lines if line.endswith(" kB"))
    return {name: int(value.split()[0]) for name, _colon, value in rows}


def count_files(pid: int) -> int:
    """Open files and sockets of a process; 0 when it has ended."""
    try:
        return sum(1 for _each in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return 0

"""Bytes that mean nothing, sent to each socket of a node. Touches those sockets only."""

import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from hansa.comet.sockets import locate_sockets
from tests.network.nodes import NodeProcess

CONNECTIONS: Final = 12
# Length prefixes that promise much, half of an HTTP request, a TLS hello, an empty frame, zeros.
SHAPES: Final = (
    b"",
    b"\x00",
    b"\xff" * 12,
    b"\x80" * 9 + b"\x01",
    b"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n[",
    b'POST / HTTP/1.1\r\nContent-Length: 90\r\n\r\n{"jsonrpc":"2.0","id":1,"method":"commit"}',
    b"GET /unsafe_flush_mempool?x=" + b"A" * 60_000 + b" HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x04\x0a\x02\x08\x01" * 50,
)


def make_noise(seed: int) -> Iterator[bytes]:
    """Shapes that come close, then random bytes; the same for the same seed."""
    draw = random.Random(seed)
    for shape in SHAPES:
        yield shape
        yield shape + draw.randbytes(draw.randrange(1, 4_000))
    for _ in range(CONNECTIONS):
        yield draw.randbytes(draw.randrange(1, 200_000))


def disturb(node: NodeProcess, seed: int) -> int:
    """Noise on the ABCI socket, the RPC socket and the p2p port; how many connections took it."""
    sockets = locate_sockets(node.folder)
    host, _, port = node.p2p.rpartition(":")
    taken = 0
    held: list[socket.socket] = []
    try:
        for data in make_noise(seed):
            for family, address in (
                (socket.AF_UNIX, str(sockets.abci)),
                (socket.AF_UNIX, str(sockets.rpc)),
                (socket.AF_INET, (host, int(port))),
            ):
                with suppress(OSError):  # refused or cut while we speak: its good right
                    stream = socket.socket(family, socket.SOCK_STREAM)
                    held.append(stream)
                    stream.settimeout(2.0)
                    stream.connect(address)
                    taken += 1
                    stream.sendall(data)
    finally:
        for stream in held:
            stream.close()
    return taken

"""Ports on this machine that nobody has. Binds and closes them."""

import socket
from contextlib import ExitStack


def find_ports(count: int) -> list[int]:
    """So many free TCP ports of 127.0.0.1, all different."""
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            listener = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            listener.bind(("127.0.0.1", 0))
            found.append(int(listener.getsockname()[1]))
        return found

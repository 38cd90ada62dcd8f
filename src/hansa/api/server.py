"""`serve`: the gateway on a port, with limits that only the server can hold. Binds to loopback."""

import asyncio
import resource
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn

from hansa.api.application import Gateway
from hansa.api.connections import Connections, TimedProtocol
from hansa.api.limits import CONNECTIONS_MAX, FILES_KEPT, HEARTBEAT_S, SOCKET_BYTES_MAX

# Bytes of a request's head: an address of 8 kB and the headers of any client.
HEAD_BYTES_MAX = 32_768
# Connections that the system holds until they are taken.
BACKLOG = 2_000
KEEP_ALIVE_S = 30


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. Port 0: any free one. With a certificate (PEM files) it speaks TLS."""

    host: str = "127.0.0.1"
    port: int = 0
    certificate: str | None = None
    private_key: str | None = None


def serve(app: Gateway, address: Address, *, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM, or until the ledger fails. Raises OSError of the address.

    `on_ready` is told the base URL.
    """
    raise_file_limit()
    with bind(address) as listening:
        asyncio.run(serve_socket(app, address, listening, on_ready))


def raise_file_limit() -> None:
    """Let this process have as many files and connections open as the system allows it."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed != most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def count_connections() -> int:
    """How many connections are held at once: files are kept back for ledger and read model."""
    allowed, _most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return CONNECTIONS_MAX
    return min(CONNECTIONS_MAX, max(allowed - FILES_KEPT, allowed // 2))


def bind(address: Address) -> socket.socket:
    """The listening socket. Raises OSError when host or port cannot be had."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # Named as TCP, or asyncio would not switch Nagle's delay off: 40 ms an answer.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address.host, address.port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def format_url(address: Address, listening: socket.socket) -> str:
    """Base URL of a listening socket."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    scheme = "https" if address.certificate else "http"
    return f"{scheme}://{host}:{listening.getsockname()[1]}"


async def serve_socket(
    app: Gateway,
    address: Address,
    listening: socket.socket,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """As `serve`, in a running event loop and on a bound socket."""
    server = build_server(app, address)
    server.has_failed = lambda: app.gate.ledger.failure is not None
    if on_ready is not None:
        server.on_ready = lambda: on_ready(format_url(address, listening))
    await server.serve(sockets=[listening])


class Server(uvicorn.Server):
    """Uvicorn's server, which says when it takes requests, and ends when there is no ledger."""

    on_ready: Callable[[], None] | None = None
    has_failed: Callable[[], bool] | None = None

    async def on_tick(self, counter: int) -> bool:
        """Asked every tenth of a second whether to end."""
        failed = self.has_failed is not None and self.has_failed()
        return failed or await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started and self.on_ready is not None:
            self.on_ready()


def build_server(app: Gateway, address: Address) -> Server:
    """The server, not yet started."""
    options: dict[str, Any] = {
        "http": partial(TimedProtocol, Connections(count_connections())),
        "ws": "websockets-sansio",
        "ws_max_size": SOCKET_BYTES_MAX,
        "ws_ping_interval": HEARTBEAT_S,
        "ws_ping_timeout": HEARTBEAT_S,
        "ws_per_message_deflate": False,
        "lifespan": "on",
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "date_header": True,
        "proxy_headers": False,
        "timeout_keep_alive": KEEP_ALIVE_S,
        "timeout_graceful_shutdown": 5,
        "h11_max_incomplete_event_size": HEAD_BYTES_MAX,
        "backlog": BACKLOG,
        "ssl_certfile": address.certificate,
        "ssl_keyfile": address.private_key,
    }
    return Server(uvicorn.Config(app, **options))

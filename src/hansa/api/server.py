"""`serve`: the gateway on a port, with limits that only the server can hold. Binds to loopback."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from hansa.api.application import Gateway
from hansa.api.limits import HEAD_WITHIN_S, HEARTBEAT_S, SOCKET_BYTES_MAX

# Bytes of a request's head: an address of 8 kB and the headers of any client.
HEAD_BYTES_MAX = 32_768
CONNECTIONS_MAX = 2_000
KEEP_ALIVE_S = 30


class TimedProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose first request's head does not arrive in time."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first head."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_WITHIN_S, self._give_up)

    def _give_up(self) -> None:
        # Uvicorn sets the cycle with the first whole head; it declares it as never unset.
        if getattr(self, "cycle", None) is None:
            self.transport.close()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """The head is whole: from here on the websocket's own protocol watches the time."""
        self._head_timer.cancel()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._head_timer.cancel()
        super().connection_lost(exc)


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
    with bind(address) as listening:
        asyncio.run(serve_socket(app, address, listening, on_ready))


def bind(address: Address) -> socket.socket:
    """The listening socket. Raises OSError when host or port cannot be had."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # Named as TCP, or asyncio would not switch Nagle's delay off: 40 ms an answer.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address.host, address.port))
        listening.listen(CONNECTIONS_MAX)
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
        "http": TimedProtocol,
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
        "backlog": CONNECTIONS_MAX,
        "ssl_certfile": address.certificate,
        "ssl_keyfile": address.private_key,
    }
    return Server(uvicorn.Config(app, **options))

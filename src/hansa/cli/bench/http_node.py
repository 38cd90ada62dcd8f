"""The process of a gateway under load: `python -m hansa.cli.bench.http_node HOME`.

A node on the embedded engine with its read model and its gateway, as `hansa start` runs them; in
the same server, at `/empty/...`, handlers that do nothing. Prints its address as one line of JSON.
"""

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from litestar import Litestar, Response, get, post
from litestar.params import RawBody

from hansa.api.application import Gateway
from hansa.api.gate import Gate
from hansa.api.guard import LOOPBACK, Receive, Scope, Send
from hansa.api.server import Address, serve
from hansa.catalog import build_registry, compute_code_digest, load_applications
from hansa.cli.lifeline import follow_parent
from hansa.cli.signals import stoppable
from hansa.console.application import make_console
from hansa.index.follower import Follower
from hansa.index.shape import Shape
from hansa.index.store import Index
from hansa.ledger.genesis import compute_genesis_changes
from hansa.node.garbage import settle_garbage
from hansa.node.ledger_node import LedgerNode
from hansa.node.logs import configure_logs

EMPTY_ASGI: Final = "/empty/asgi"
EMPTY_HANDLER: Final = "/empty/handler"
_BODY: Final = b"{}"


@get(EMPTY_HANDLER, media_type="application/json")
async def answer_nothing() -> Response[bytes]:
    """An empty handler of the same framework."""
    return Response(_BODY, media_type="application/json")


@post(EMPTY_HANDLER, status_code=202, media_type="application/json")
async def take_nothing(body: RawBody) -> Response[bytes]:
    """The same for a body, which is read and dropped."""
    del body
    return Response(_BODY, media_type="application/json")


class MeasuredGateway(Gateway):
    """A gateway that also answers at two addresses where nothing is done."""

    _empty = Litestar([answer_nothing, take_nothing], logging_config=None, openapi_config=None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        path = scope.get("path", "")
        if path == EMPTY_HANDLER:
            await self._empty(scope, receive, send)  # type: ignore[arg-type]
        elif path == EMPTY_ASGI:
            await _answer_bare(send)
        else:
            await super().__call__(scope, receive, send)


async def _answer_bare(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _BODY})


def run_gateway(home: Path, stack: ExitStack) -> None:
    """Open all, serve until a signal, close all."""
    configure_logs(stack.enter_context(home.with_name("node.log").open("w")))
    registry = build_registry()
    node = stack.enter_context(LedgerNode.open(home, registry, compute_digest=compute_code_digest))
    index = Index.open(
        f"sqlite:///{home.parent}/index.sqlite", Shape(load_applications()), node.chain
    )
    stack.callback(index.close)
    follower = Follower(index, node, lambda: compute_genesis_changes(node.genesis, registry))
    node.pace_by(follower.wait_near)
    follower.start()
    stack.callback(follower.stop)
    gate = Gate(
        node, index, follower=follower, genesis_digest=node.home.genesis_digest.hex(), home=home
    )

    def tell(url: str) -> None:
        settle_garbage()
        print(json.dumps({"url": url}), flush=True)

    serve(MeasuredGateway(gate, LOOPBACK, make_console), Address(), on_ready=tell)


def main(arguments: list[str]) -> int:
    """Serve the home that is named."""
    with stoppable(), ExitStack() as stack:
        follow_parent()
        try:
            run_gateway(Path(arguments[0]), stack)
        except KeyboardInterrupt:
            pass  # asked to stop
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

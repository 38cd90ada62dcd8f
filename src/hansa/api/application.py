"""`make_app`: the gateway as one ASGI application. Its routes are read here, top to bottom."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from litestar import Litestar, Request
from litestar.di import Provide
from litestar.handlers.base import BaseRouteHandler
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.routes import HTTPRoute

from hansa import __version__
from hansa.api import (
    applications,
    comet,
    credentials,
    dids,
    drafts,
    exchange,
    explorer,
    judging,
    network,
    nodes,
    records,
    service,
    stream,
    transactions,
)
from hansa.api.app_routes import Doorplates, build_handlers
from hansa.api.door import Ledger
from hansa.api.duties import Duties
from hansa.api.errors import answer_exception
from hansa.api.gate import Gate, TheGate
from hansa.api.guard import LOOPBACK, AsgiApp, Guard, Receive, Scope, Send
from hansa.api.limits import BODY_BYTES_MAX
from hansa.api.openapi import describe_api, get_openapi
from hansa.api.openid.routes import OPENID_ROUTES
from hansa.api.problems import Refusal
from hansa.api.query import check_query
from hansa.api.service import read_token
from hansa.api.sessions import read_clock_ms
from hansa.api.sockets import Sockets
from hansa.index.follower import Follower
from hansa.index.sight import STRANGER, Viewer
from hansa.index.store import Index
from hansa.node.neighbours import AddressBook

ROUTES: tuple[Any, ...] = (
    transactions.submit_transaction,
    transactions.list_transactions,
    drafts.read_draft_file,
    transactions.get_transaction,
    transactions.get_bytes,
    transactions.get_receipt,
    transactions.get_deadline_receipt,
    explorer.list_blocks,
    explorer.get_block,
    explorer.list_messages,
    explorer.list_events,
    stream.stream_events,
    applications.list_applications,
    applications.get_application,
    applications.prepare_message,
    applications.list_table,
    applications.total_table,
    records.list_records,
    records.get_record,
    records.get_history,
    records.get_proof,
    credentials.get_facts,
    credentials.get_status_list,
    judging.judge,
    exchange.hand_out,
    *OPENID_ROUTES,
    dids.resolve_did,
    dids.list_did_versions,
    comet.get_checkpoint,
    comet.call_comet,
    service.ask_challenge,
    service.open_session,
    service.get_session,
    service.close_session,
    service.get_status,
    service.get_health,
    network.get_network,
    nodes.list_nodes,
    nodes.announce_node,
    service.get_metrics,
    get_openapi,
)


# Makes the face of a gateway from its API: what answers at every address that is not the API's.
Face = Callable[[AsgiApp], AsgiApp]


class Gateway:
    """The ASGI application. `gate`: its parts, for those who run it."""

    def __init__(self, gate: Gate, hosts: Iterable[str], face: Face | None = None) -> None:
        names = tuple(hosts)
        self.gate = gate
        self.litestar = _build_litestar(gate)
        plates = Doorplates(gate.applications.values())
        sockets = Sockets(gate, plates)
        self._guard = Guard(self.litestar, gate.meters, names, plates, sockets.open)
        self._face = None if face is None else Guard(face(self._guard), gate.meters, names)
        self._own = {route.path.lstrip("/").partition("/")[0] for route in self.litestar.routes}
        gate.meters.watch(
            "hansa_http_in_flight", "Requests at work.", lambda: self._guard.in_flight
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if self._face is not None and scope["type"] == "http":
            if scope["path"].lstrip("/").partition("/")[0] not in self._own:
                await self._face(scope, receive, send)
                return
        await self._guard(scope, receive, send)


def make_app(
    ledger: Ledger,
    index: Index,
    *,
    follower: Follower | None = None,
    genesis_digest: str = "",
    book: AddressBook | None = None,
    hosts: Iterable[str] = LOOPBACK,
    clock: Callable[[], int] = read_clock_ms,
    face: Face | None = None,
    home: Path | None = None,
    deliver_to: Iterable[str] = (),
    fetch_from: Iterable[str] = (),
    vaults: Path | None = None,
    public: str = "",
) -> Gateway:
    """A gateway over a running node and its read model.

    hosts: names under which it answers (`*`: any); genesis_digest: hex, shown in the status; book:
    where the other nodes are, None without any; face: makes what answers at all other addresses
    (the console); home: the node's folder, for its service keys and notebook; deliver_to: the only
    hosts to which subscriptions deliver (none: any public address); fetch_from: likewise for
    what is fetched (did:web); vaults: folder of the members'
    vaults from which it hands out (none: it hands out nothing); public: the https address by
    which wallets know it (none: the one they ask). The caller runs the follower and closes node
    and read model afterwards.
    """
    gate = Gate(
        ledger,
        index,
        genesis_digest=genesis_digest,
        follower=follower,
        book=book,
        clock=clock,
        home=home,
        deliver_to=deliver_to,
        fetch_from=fetch_from,
        vaults=vaults,
        public=public,
    )
    return Gateway(gate, hosts, face)


def _build_litestar(gate: Gate) -> Litestar:
    duties = Duties(gate)

    @asynccontextmanager
    async def run_pulse(_app: Litestar) -> AsyncGenerator[None, None]:
        await gate.pulse.start()
        duties.start()
        try:
            yield
        finally:
            await gate.run(duties.stop)
            await gate.pulse.stop()
            gate.notebooks.close()

    app = Litestar(
        route_handlers=[*ROUTES, *build_handlers(gate.applications.values())],
        dependencies={
            "gate": Provide(lambda: gate, sync_to_thread=False),
            "viewer": Provide(find_viewer),
        },
        exception_handlers={Exception: answer_exception},
        before_request=check_request,
        lifespan=[run_pulse],
        logging_config=None,
        openapi_config=OpenAPIConfig(title="Hansa gateway", version=__version__, path="/openapi"),
        request_max_body_size=BODY_BYTES_MAX + 1,
    )
    _note_parameters(app)
    gate.description = describe_api(app, gate.shape)
    return app


async def find_viewer(request: Request[Any, Any, Any], gate: TheGate) -> Viewer:
    """On whose behalf a request asks. Raises Refusal for a token that opens nothing."""
    token = read_token(request.headers.get("authorization", ""))
    if not token:
        return STRANGER
    session = gate.sessions.find_fresh(token)
    if session is None:
        session = await gate.run(gate.sessions.get, token)
    request.scope["state"]["account"] = session.account
    return session.viewer


async def check_request(request: Request[Any, Any, Any]) -> None:
    """What every address asks of a request. Litestar would copy the handler for each of its guards,
    and run those that are no coroutines in threads.
    """
    handler = request.route_handler
    check_query(request, handler)
    check_media(request, handler)


def check_media(request: Request[Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuse a body of another media type than the address takes."""
    media = handler.opt.get("media")
    if not media:
        return
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given and given not in media:
        raise Refusal(
            415,
            "api.wrong_media_type",
            "The body is of another media type than this address takes.",
            remedy=f"Send Content-Type: {media[0]}.",
            headers={"accept": ", ".join(media)},
        )


def _note_parameters(app: Litestar) -> None:
    """Give each handler the names of its parameters, from its own signature."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            if isinstance(handler, HTTPRouteHandler):
                handler.opt["query"] = _find_query_names(route, handler)


def _find_query_names(route: HTTPRoute, handler: HTTPRouteHandler) -> set[str]:
    own = {"request", "body", "data", "gate", "viewer", *route.path_parameters}
    names = set()
    for name, field in handler.parsed_fn_signature.parameters.items():
        if name not in own:
            names.add(getattr(field.kwarg_definition, "name", None) or name)
    return names

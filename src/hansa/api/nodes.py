"""Routes of nodes' addresses: a node announces where it is, and asks where the others are."""

import msgspec
from litestar import Response, get, post
from litestar.params import RawBody

from hansa.api.gate import TheGate
from hansa.api.limits import SMALL_BODY_BYTES_MAX
from hansa.api.problems import Refusal
from hansa.api.service import JSON_MEDIA
from hansa.api.threads import threaded
from hansa.comet.announcement import Announcement, InvalidAnnouncement, decode_announcement


class Announcements(msgspec.Struct, frozen=True):
    """`own`: instance of this gateway's node, drawn at each start; `nodes`: newest of each."""

    own: str
    nodes: tuple[Announcement, ...]


@get(
    "/v1/nodes",
    tags=["service"],
    summary="Where the league's nodes are",
    description="Each announcement is signed by its node's key; an address is only a hint.",
)
@threaded
def list_nodes(gate: TheGate) -> Announcements:
    """Addresses of admitted nodes."""
    if gate.book is None:
        return Announcements(own="", nodes=())
    return Announcements(own=gate.book.instance, nodes=gate.book.entries())


@post(
    "/v1/nodes",
    status_code=200,
    tags=["service"],
    summary="Announce a node's address",
    description="Taken from admitted nodes only; the newest of each counts.",
    opt={"media": JSON_MEDIA, "consumes": Announcement, "body_max": SMALL_BODY_BYTES_MAX},
)
@threaded
def announce_node(body: RawBody, gate: TheGate) -> Response[None]:
    """Keep a node's announcement when it is newer."""
    if gate.book is None:
        raise Refusal(
            409,
            "api.no_network",
            "This league runs in one process: it has no other nodes.",
            remedy="Announce a node to a gateway of its own league.",
        )
    try:
        announcement = decode_announcement(body)
    except InvalidAnnouncement as error:
        raise Refusal(
            400,
            "api.not_json",
            f"The body is no announcement: {error}.",
            remedy="Send the canonical JSON that a node signed.",
        ) from error
    gate.book.take(announcement)
    return Response(None)

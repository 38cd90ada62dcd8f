"""Routes of the doors for wallets, and of the clerks who offer credentials and ask for them."""

from typing import Annotated, Any, Final, TypeVar

import msgspec
from litestar import Request, get, post
from litestar.params import Parameter, RawBody

from hansa.api.gate import TheGate, TheViewer
from hansa.api.openid.limits import FORM_BYTES_MAX
from hansa.api.openid.offers import OfferAsked, OfferMade, OfferSeen, decide, make_offer, see_offer
from hansa.api.openid.questions import (
    RequestAsked,
    RequestMade,
    RequestSeen,
    make_request,
    see_request,
)
from hansa.api.openid.wallet_routes import WALLET_ROUTES
from hansa.api.problems import Refusal, refuse_stranger
from hansa.api.threads import threaded
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_document
from hansa.index.sight import Viewer

T = TypeVar("T", bound=msgspec.Struct)
Id = Annotated[str, Parameter(max_length=64, description="As it was answered.")]
_JSON: Final = {"media": ("application/json",)}
_BYTES_MAX: Final = 2 * FORM_BYTES_MAX


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said of a wallet that waits (by its pairing code), or of an offer (by its id)."""

    pairing: str = ""
    offer: str = ""
    is_approved: bool


@post("/v1/openid/offers", status_code=201, include_in_schema=False, opt=_JSON)
@threaded
def post_offer(
    request: Request[Any, Any, Any], body: RawBody, gate: TheGate, viewer: TheViewer
) -> OfferMade:
    """Offer a credential to a wallet."""
    asked = _read(body, OfferAsked, viewer)
    return make_offer(gate, viewer, gate.openid.find_address(request), asked)


@get("/v1/openid/offers/{id_:str}", include_in_schema=False)
@threaded
def get_offer_state(id_: Id, gate: TheGate, viewer: TheViewer) -> OfferSeen:
    """What became of an offer."""
    _check_signed_in(viewer)
    return see_offer(gate, viewer, id_)


@post("/v1/openid/decisions", status_code=200, include_in_schema=False, opt=_JSON)
@threaded
def post_decision(body: RawBody, gate: TheGate, viewer: TheViewer) -> OfferSeen:
    """Approve or refuse a wallet, or a credential that waits for a clerk."""
    said = _read(body, Decision, viewer)
    if bool(said.pairing) == bool(said.offer):
        raise _refuse_body("one of pairing and offer is asked for")
    return decide(
        gate, viewer, pairing=said.pairing, offer=said.offer, is_approved=said.is_approved
    )


@post("/v1/openid/requests", status_code=201, include_in_schema=False, opt=_JSON)
@threaded
def post_question(
    request: Request[Any, Any, Any], body: RawBody, gate: TheGate, viewer: TheViewer
) -> RequestMade:
    """Ask a wallet for presentations."""
    asked = _read(body, RequestAsked, viewer)
    return make_request(gate, viewer, gate.openid.find_address(request), asked)


@get("/v1/openid/requests/{id_:str}", include_in_schema=False)
@threaded
def get_question(id_: Id, gate: TheGate, viewer: TheViewer) -> RequestSeen:
    """What a wallet answered."""
    _check_signed_in(viewer)
    return see_request(gate, viewer, id_)


def _read(body: bytes, type_: type[T], viewer: Viewer) -> T:
    """The body of somebody who has signed in. Raises Refusal."""
    _check_signed_in(viewer)
    try:
        return msgspec.convert(parse_document(body, size_max=_BYTES_MAX), type=type_)
    except Malformed as why:
        raise _refuse_body(why.text) from why
    except msgspec.ValidationError as why:
        raise _refuse_body(str(why)[:200]) from why


def _check_signed_in(viewer: Viewer) -> None:
    if viewer.is_stranger:
        raise refuse_stranger()


def _refuse_body(text: str) -> Refusal:
    return Refusal(
        400,
        "api.not_json",
        f"The body is not what this address takes: {text}.",
        remedy="See docs/openid.md.",
    )


OPENID_ROUTES: Final[tuple[Any, ...]] = (
    *WALLET_ROUTES,
    post_offer,
    get_offer_state,
    post_decision,
    post_question,
    get_question,
)

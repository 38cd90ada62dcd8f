"""Addresses that wallets ask, as OpenID4VCI 1.0 and OpenID4VP 1.0 have them. Secrets stand in paths
and bodies, never in the log: it has the path's template.
"""

from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.params import Parameter, RawBody

from hansa.api.gate import TheGate
from hansa.api.openid.answers import (
    parse_fields,
    read_bearer,
    read_form,
    read_json,
    tell,
    wallet_route,
)
from hansa.api.openid.authorising import Back, authorise, give_token, push_request
from hansa.api.openid.issuer import list_configurations, need_issuer
from hansa.api.openid.issuing import Given, give_credential, give_deferred, take_notification
from hansa.api.openid.promises import REFERENCE, Reference
from hansa.api.openid.questions import give_request_object
from hansa.api.openid.verifying import describe_no, take_response
from hansa.api.query import OPEN_QUERY
from hansa.identity.openid.faults import OpenIdError
from hansa.identity.openid.metadata import (
    build_issuer_metadata,
    build_key_metadata,
    build_server_metadata,
)
from hansa.identity.openid.presentations import ANSWER_BYTES_MAX, REQUEST_TYPE

Asked = Request[Any, Any, Any]
Secret = Annotated[str, Parameter(max_length=64, description="What only the wallet was told.")]
_OPEN: Final = {OPEN_QUERY: True}
_CREDENTIAL_BYTES_MAX: Final = 200_000
# Percent-encoding makes three characters of one.
_RESPONSE_BYTES_MAX: Final = ANSWER_BYTES_MAX + ANSWER_BYTES_MAX // 2
_NONCE_MAX: Final = 512
_REFRESH_S: Final = 3
_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>Approve this wallet</title>'
    "<main><h1>Who are you?</h1><p>Tell this code to the clerk who made you the offer, or approve "
    "it yourself with the key of your account:</p><p><strong>{}</strong></p>"
    "<p>It is good for ten minutes. This page goes on by itself.</p></main></html>"
)


@get("/.well-known/openid-credential-issuer", include_in_schema=False, opt=_OPEN)
@wallet_route
def get_issuer_metadata(request: Asked, gate: TheGate) -> Response[bytes]:
    """What is issued here, and where."""
    issuer = need_issuer(gate)
    configurations = list_configurations(gate.ledger.state, issuer).values()
    base = gate.openid.find_address(request)
    return tell(build_issuer_metadata(base, configurations, issuer.signer.private.public))


@get("/.well-known/oauth-authorization-server", include_in_schema=False, opt=_OPEN)
@wallet_route
def get_server_metadata(request: Asked, gate: TheGate) -> Response[bytes]:
    """Where tokens are given."""
    need_issuer(gate)
    return tell(build_server_metadata(gate.openid.find_address(request)))


@get("/.well-known/jwt-vc-issuer", include_in_schema=False, opt=_OPEN)
@wallet_route
def get_key_metadata(request: Asked, gate: TheGate) -> Response[bytes]:
    """The key by which credentials are signed here."""
    signer = need_issuer(gate).signer
    base = gate.openid.find_address(request)
    return tell(build_key_metadata(base, signer.kid, signer.private.public))


@get("/openid/offers/{secret:str}", include_in_schema=False, opt=_OPEN)
@wallet_route
def get_offer(secret: Secret, gate: TheGate) -> Response[bytes]:
    """A credential offer by reference."""
    found = gate.openid.drawer.find(REFERENCE, secret, Reference)
    if found is None:
        raise OpenIdError("invalid_request", "the offer is unknown or over", 404)
    return tell(found[0].offer)


@post("/openid/par", status_code=201, include_in_schema=False)
@wallet_route
def push(request: Asked, body: RawBody, gate: TheGate) -> Response[bytes]:
    """A pushed authorisation request (RFC 9126)."""
    return tell(push_request(gate, read_form(request, body)), 201)


@get("/openid/authorize", include_in_schema=False, opt=_OPEN)
@wallet_route
def show_authorisation(request: Asked, gate: TheGate) -> Response[bytes]:
    """The page where a wallet's user waits, or the way back to the wallet."""
    fields = parse_fields(request.scope["query_string"])
    found = authorise(gate, gate.openid.find_address(request), fields)
    if isinstance(found, Back):
        return Response(b"", status_code=302, headers={"location": found.address})
    return Response(
        _PAGE.format(found.pairing).encode(),
        media_type="text/html; charset=utf-8",
        headers={"refresh": str(_REFRESH_S)},
    )


@post("/openid/token", status_code=200, include_in_schema=False)
@wallet_route
def ask_token(request: Asked, body: RawBody, gate: TheGate) -> Response[bytes]:
    """A token for a code."""
    return tell(give_token(gate, read_form(request, body)))


@post("/openid/nonce", status_code=200, include_in_schema=False)
@wallet_route
def ask_nonce(gate: TheGate) -> Response[bytes]:
    """A nonce for proofs of keys."""
    need_issuer(gate)
    return tell({"c_nonce": gate.openid.nonces.draw()})


@post("/openid/credential", status_code=200, include_in_schema=False)
@wallet_route
def ask_credential(request: Asked, body: RawBody, gate: TheGate) -> Response[bytes]:
    """Credentials for keys."""
    token = read_bearer(request)
    read_json(request, body, "invalid_credential_request", _CREDENTIAL_BYTES_MAX)
    return _tell_given(give_credential(gate, gate.openid.find_address(request), token, body))


@post("/openid/deferred", status_code=200, include_in_schema=False)
@wallet_route
def ask_deferred(request: Asked, body: RawBody, gate: TheGate) -> Response[bytes]:
    """A credential that had to be approved."""
    token = read_bearer(request)
    return _tell_given(
        give_deferred(gate, token, read_json(request, body, "invalid_credential_request"))
    )


def _tell_given(given: Given) -> Response[bytes]:
    return tell(given.document, 202 if given.is_deferred else 200)


@post("/openid/notification", status_code=200, include_in_schema=False)
@wallet_route
def notify(request: Asked, body: RawBody, gate: TheGate) -> Response[bytes]:
    """What became of a credential."""
    token = read_bearer(request)
    take_notification(gate, token, read_json(request, body, "invalid_notification_request"))
    return Response(b"", status_code=204)


@get("/openid/request/{secret:str}", include_in_schema=False, opt=_OPEN)
@wallet_route
def get_request(secret: Secret, gate: TheGate) -> Response[bytes]:
    """A verifier's request, signed."""
    return _tell_request(give_request_object(gate, secret))


@post("/openid/request/{secret:str}", status_code=200, include_in_schema=False)
@wallet_route
def post_request(secret: Secret, request: Asked, body: RawBody, gate: TheGate) -> Response[bytes]:
    """A verifier's request, signed over the wallet's own nonce too (OpenID4VP 1.0, 5.10)."""
    fields = read_form(request, body) if body else {}
    nonce = fields.get("wallet_nonce", "")
    if len(nonce) > _NONCE_MAX:
        raise OpenIdError("invalid_request", f"wallet_nonce has at most {_NONCE_MAX} characters")
    return _tell_request(give_request_object(gate, secret, nonce))


def _tell_request(data: bytes) -> Response[bytes]:
    return Response(data, media_type=f"application/{REQUEST_TYPE}")


@post("/openid/response/{handle:str}", status_code=200, include_in_schema=False)
@wallet_route
def take_answer(handle: Secret, request: Asked, body: RawBody, gate: TheGate) -> Response[bytes]:
    """A wallet's answer: 200 when it was taken; 400 when what it presents does not hold."""
    answer = take_response(gate, handle, read_form(request, body, _RESPONSE_BYTES_MAX))
    if answer.outcome == "no" and not answer.error:
        raise OpenIdError("invalid_request", f"refused: {describe_no(answer)}")
    return tell({})


WALLET_ROUTES: Final[tuple[Any, ...]] = (
    get_issuer_metadata,
    get_server_metadata,
    get_key_metadata,
    get_offer,
    push,
    show_authorisation,
    ask_token,
    ask_nonce,
    ask_credential,
    ask_deferred,
    notify,
    get_request,
    post_request,
    take_answer,
)

"""The doors for wallets in the gateway's OpenAPI description: addresses, bodies, answers. Pure."""

from typing import Any, Final, NamedTuple

import msgspec

from hansa.api.openid.answers import FORM, JSON
from hansa.api.openid.offers import OfferAsked, OfferMade, OfferSeen
from hansa.api.openid.questions import RequestAsked, RequestMade, RequestSeen
from hansa.api.openid.routes import Decision
from hansa.api.problems import MEDIA_TYPE, Problem
from hansa.identity.openid.presentations import REQUEST_TYPE

Document = dict[str, Any]
_SCHEMAS: Final = "#/components/schemas/"
_REQUEST: Final = f"application/{REQUEST_TYPE}"
_WALLETS: Final = "wallets"
_CLERKS: Final = "offers and requests"


class _Door(NamedTuple):
    """An address of wallets. takes: media of its body; gives: media of its answer."""

    method: str
    path: str
    summary: str
    takes: str = ""
    gives: str = JSON


_DOORS: Final = (
    _Door("get", "/.well-known/openid-credential-issuer", "What is issued (OpenID4VCI)"),
    _Door("get", "/.well-known/oauth-authorization-server", "Where tokens are given (RFC 8414)"),
    _Door("get", "/.well-known/jwt-vc-issuer", "The key that signs credentials (SD-JWT VC)"),
    _Door("get", "/openid/offers/{secret}", "A credential offer by reference"),
    _Door("post", "/openid/par", "A pushed authorisation request (RFC 9126)", FORM),
    _Door("get", "/openid/authorize", "Where a wallet waits for approval", "", "text/html"),
    _Door("post", "/openid/token", "A token for a code", FORM),
    _Door("post", "/openid/nonce", "A nonce for proofs of keys"),
    _Door("post", "/openid/credential", "Credentials for keys", JSON),
    _Door("post", "/openid/deferred", "A credential that had to be approved", JSON),
    _Door("post", "/openid/notification", "What became of a credential", JSON),
    _Door("get", "/openid/request/{secret}", "A request, signed", "", _REQUEST),
    _Door("post", "/openid/request/{secret}", "The same, over the wallet's nonce", FORM, _REQUEST),
    _Door("post", "/openid/response/{handle}", "A wallet's answer (OpenID4VP)", FORM),
)


class _Desk(NamedTuple):
    """An address of clerks, with the types of its body and answer."""

    method: str
    path: str
    summary: str
    takes: type[msgspec.Struct] | None
    gives: type[msgspec.Struct]


_DESKS: Final = (
    _Desk("post", "/v1/openid/offers", "Offer a credential", OfferAsked, OfferMade),
    _Desk("get", "/v1/openid/offers/{id_}", "What became of an offer", None, OfferSeen),
    _Desk("post", "/v1/openid/decisions", "Approve or refuse", Decision, OfferSeen),
    _Desk("post", "/v1/openid/requests", "Ask a wallet", RequestAsked, RequestMade),
    _Desk("get", "/v1/openid/requests/{id_}", "What a wallet answered", None, RequestSeen),
)


def describe_doors(paths: Document, schemas: Document) -> None:
    """Add the doors to an OpenAPI document."""
    for door in _DOORS:
        operation = _describe(door.method, door.path, door.summary, _WALLETS)
        operation["responses"]["2XX"]["content"] = {door.gives: {"schema": {}}}
        if door.takes:
            operation["requestBody"] = {"content": {door.takes: {"schema": {"type": "object"}}}}
        paths.setdefault(door.path, {})[door.method] = operation
    for desk in _DESKS:
        operation = _describe(desk.method, desk.path, desk.summary, _CLERKS)
        operation["security"] = [{"session": []}]
        operation["responses"]["2XX"]["content"] = {JSON: {"schema": _add(schemas, desk.gives)}}
        if desk.takes is not None:
            content = {JSON: {"schema": _add(schemas, desk.takes)}}
            operation["requestBody"] = {"required": True, "content": content}
        paths.setdefault(desk.path, {})[desk.method] = operation


def _describe(method: str, path: str, summary: str, tag: str) -> Document:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    plain = "".join(each if each.isalnum() else "_" for each in path)
    refused: Document = {MEDIA_TYPE: {"schema": {"$ref": _SCHEMAS + Problem.__name__}}}
    if tag == _WALLETS:
        refused[JSON] = {
            "schema": {
                "type": "object",
                "properties": {"error": {"type": "string"}},
                "required": ["error"],
            }
        }
    return {
        "tags": [tag],
        "summary": summary,
        "operationId": f"{method}{plain}",
        "security": [{}],
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
            }
            for name in names
        ],
        "responses": {
            "2XX": {"description": "As the standard has it"},
            "default": {"description": "Refused, or not possible now", "content": refused},
        },
    }


def _add(schemas: Document, type_: type[msgspec.Struct]) -> Document:
    (reference,), found = msgspec.json.schema_components(
        (type_,), ref_template=f"{_SCHEMAS}openid.{{name}}"
    )
    schemas.update({f"openid.{name}": described for name, described in found.items()})
    return reference

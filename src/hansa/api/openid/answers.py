"""How wallets are read and answered: forms and JSON in, JSON out, refusals as OAuth writes them."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, ParamSpec
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, Response

from hansa.api.openid.limits import FORM_BYTES_MAX
from hansa.api.threads import threaded
from hansa.identity.openid.faults import OpenIdError
from hansa.identity.openid.key_proofs import read_object

P = ParamSpec("P")
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
_FIELDS_MAX: Final = 32
Asked = Request[Any, Any, Any]


def wallet_route(
    work: Callable[P, Response[bytes]],
) -> Callable[P, Any]:
    """A handler in a thread; an OpenIdError is answered as the standards have it."""

    @threaded
    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> Response[bytes]:
        try:
            return work(*args, **kwargs)
        except OpenIdError as why:
            return tell_error(why)

    return run


def tell(document: Mapping[str, Any], status: int = 200) -> Response[bytes]:
    """A JSON answer."""
    return Response(msgspec.json.encode(document), status_code=status, media_type=JSON)


def tell_error(why: OpenIdError) -> Response[bytes]:
    """An error answer (RFC 6749, 5.2; RFC 6750, 3)."""
    response = tell({"error": why.error, "error_description": why.text}, why.status)
    if why.status == 401:
        response.headers["www-authenticate"] = f'Bearer error="{why.error}"'
    return response


def read_media(request: Asked) -> str:
    """Media type of the body, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def read_form(request: Asked, body: bytes, size_max: int = FORM_BYTES_MAX) -> dict[str, str]:
    """The fields of a form, each once. Raises OpenIdError."""
    if read_media(request) != FORM:
        raise OpenIdError("invalid_request", f"the body is {FORM}")
    if len(body) > size_max:
        raise OpenIdError("invalid_request", f"a body has at most {size_max} bytes here", 413)
    return parse_fields(body)


def parse_fields(data: bytes) -> dict[str, str]:
    """Fields as forms and addresses have them, each once. Raises OpenIdError."""
    try:
        pairs = parse_qsl(
            data.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError as why:
        raise OpenIdError("invalid_request", "the fields are not percent-encoded UTF-8") from why
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise OpenIdError("invalid_request", "a field is given twice")
    return fields


def read_json(
    request: Asked, body: bytes, error: str, size_max: int = FORM_BYTES_MAX
) -> dict[str, Any]:
    """The JSON object of a body. Raises OpenIdError."""
    check_json(request, body, error, size_max)
    return read_object(body, error)


def check_json(request: Asked, body: bytes, error: str, size_max: int = FORM_BYTES_MAX) -> None:
    """Raise OpenIdError for a body of another media type, or too large."""
    if read_media(request) != JSON:
        raise OpenIdError(error, f"the body is {JSON}")
    if len(body) > size_max:
        raise OpenIdError(error, f"a body has at most {size_max} bytes here", 413)


def read_bearer(request: Asked) -> str:
    """The access token of a request. Raises OpenIdError."""
    scheme, _sep, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise OpenIdError("invalid_token", "an access token is asked for", 401)
    return token.strip()

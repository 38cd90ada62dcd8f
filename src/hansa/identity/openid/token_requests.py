"""Requests at the authorisation server: pushed ones and those for tokens (RFC 6749, 7636, 9126,
9396; OpenID4VCI 1.0, sections 5 and 6). Pure: forms come parsed, nothing is looked up.
"""

import hmac
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from hansa.crypto.hashing import sha256
from hansa.encoding.text import encode_base64url
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_value
from hansa.identity.openid.faults import OpenIdError

PRE_AUTHORISED: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
AUTHORISATION: Final = "authorization_code"
DETAILS_TYPE: Final = "openid_credential"
_PKCE: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_REDIRECT: Final = re.compile(r"[a-z][a-z0-9+.-]*:[\x21-\x7e]{1,1990}", re.ASCII)
_LOOPBACK: Final = re.compile(r"http://(127\.0\.0\.1|\[::1\])(:\d{1,5})?(/[\x21-\x7e]*)?", re.ASCII)
# Schemes that a browser runs or reads instead of handing them to a wallet.
_NOT_WALLETS: Final = frozenset(
    ("http", "javascript", "data", "file", "blob", "about", "vbscript", "view-source", "ftp")
)
_TEXT_MAX: Final = 2_000

Form = Mapping[str, str]


class PushedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An authorisation request. details: whether it asked by authorization_details."""

    client: str
    redirect_uri: str
    challenge: str
    state: str
    issuer_state: str
    has_details: bool = False


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a token. code: of either grant; the rest "" where the grant has none."""

    grant: str
    code: str
    tx_code: str = ""
    client: str = ""
    redirect_uri: str = ""
    verifier: str = ""
    has_details: bool = False


def read_pushed_request(form: Form, configurations: Collection[str]) -> PushedRequest:
    """Read a pushed authorisation request. Raises OpenIdError."""
    if "request_uri" in form or "request" in form:
        raise OpenIdError("invalid_request", "the parameters stand in the form itself")
    if _need(form, "response_type") != "code":
        raise OpenIdError("unsupported_response_type", "response_type is code")
    if form.get("code_challenge_method") != "S256":
        raise OpenIdError("invalid_request", "code_challenge_method is S256")
    challenge = _need(form, "code_challenge")
    if len(challenge) != 43 or _PKCE.fullmatch(challenge) is None:
        raise OpenIdError("invalid_request", "code_challenge is not base64url of a SHA-256")
    asked = form.get("scope", "").split()
    if any(each not in configurations for each in asked):
        raise OpenIdError("invalid_scope", "a scope that no credential here has")
    return PushedRequest(
        client=_need(form, "client_id"),
        redirect_uri=_read_redirect(_need(form, "redirect_uri")),
        challenge=challenge,
        state=form.get("state", ""),
        issuer_state=_need(form, "issuer_state"),
        has_details=_read_details(form, configurations),
    )


def read_token_request(form: Form, configurations: Collection[str]) -> TokenRequest:
    """Read a token request. Raises OpenIdError."""
    grant = _need(form, "grant_type")
    has_details = _read_details(form, configurations)
    if grant == PRE_AUTHORISED:
        return TokenRequest(
            grant=grant,
            code=_need(form, "pre-authorized_code"),
            tx_code=form.get("tx_code", ""),
            has_details=has_details,
        )
    if grant != AUTHORISATION:
        raise OpenIdError("unsupported_grant_type", "known: a pre-authorised code, or a code")
    verifier = _need(form, "code_verifier")
    if _PKCE.fullmatch(verifier) is None:
        raise OpenIdError("invalid_grant", "code_verifier has 43 to 128 plain characters")
    return TokenRequest(
        grant=grant,
        code=_need(form, "code"),
        client=_need(form, "client_id"),
        redirect_uri=_need(form, "redirect_uri"),
        verifier=verifier,
        has_details=has_details,
    )


def fits_challenge(challenge: str, verifier: str) -> bool:
    """Whether a verifier is the one that a challenge was made of (RFC 7636, S256)."""
    made = encode_base64url(sha256(verifier.encode("ascii", "replace")))
    return hmac.compare_digest(made, challenge)


def _need(form: Form, name: str) -> str:
    value = form.get(name, "")
    if not value or len(value) > _TEXT_MAX:
        raise OpenIdError("invalid_request", f"{name} is missing or too long")
    return value


def _read_redirect(uri: str) -> str:
    """Where a browser may be sent: https, this machine, or a wallet's own scheme (RFC 8252)."""
    scheme = uri.partition(":")[0]
    is_fit = _REDIRECT.fullmatch(uri) is not None and "#" not in uri and "\\" not in uri
    is_known = scheme == "https" or scheme not in _NOT_WALLETS or _LOOPBACK.fullmatch(uri)
    if not is_fit or not is_known:
        raise OpenIdError("invalid_request", "redirect_uri is no address of a wallet")
    return uri


def _read_details(form: Form, configurations: Collection[str]) -> bool:
    """Whether credentials are asked for by authorization_details, once these are in order."""
    if "authorization_details" not in form:
        return False
    try:
        details = parse_value(form["authorization_details"].encode())
    except Malformed as why:
        raise OpenIdError("invalid_authorization_details", why.text) from why
    if not isinstance(details, list) or not 0 < len(details) <= 16:
        raise OpenIdError("invalid_authorization_details", "an array of details is asked for")
    for each in details:
        known = isinstance(each, dict) and each.get("type") == DETAILS_TYPE
        if not known or each.get("credential_configuration_id") not in configurations:
            raise OpenIdError("invalid_authorization_details", "a detail of another kind")
    return True


def build_token_response(
    token: str, lasts_s: int, configuration: str, *, has_details: bool
) -> dict[str, Any]:
    """The answer to a token request; credentials are called by their configuration's id."""
    answer: dict[str, Any] = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": lasts_s,
    }
    if has_details:
        answer["authorization_details"] = [
            {
                "type": DETAILS_TYPE,
                "credential_configuration_id": configuration,
                "credential_identifiers": [configuration],
            }
        ]
    return answer

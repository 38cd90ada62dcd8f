"""The authorisation server: pushed requests, the page where a user waits for approval, tokens.

A wallet is approved by a clerk of the issuer, or by the account that the offer names, each signed
in by a key; nobody types a password here.
"""

import hmac
import secrets
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from hansa.api.gate import Gate
from hansa.api.openid.drawer import draw_secret
from hansa.api.openid.issuer import list_configurations, need_issuer
from hansa.api.openid.limits import CODE_MS, PUSHED_MS, TOKEN_MS, TX_CODE_TRIES_MAX
from hansa.api.openid.offers import note_offer
from hansa.api.openid.promises import (
    CODE,
    ISSUER_STATE,
    OFFER,
    PAIRING,
    PUSHED,
    TOKEN,
    Offer,
    Pairing,
    Promise,
    Pushed,
    Redeemed,
    Token,
)
from hansa.identity.openid.faults import OpenIdError
from hansa.identity.openid.token_requests import (
    PRE_AUTHORISED,
    TokenRequest,
    build_token_response,
    fits_challenge,
    read_pushed_request,
    read_token_request,
)

REQUEST_URN: Final = "urn:ietf:params:oauth:request_uri:"
# No letter or digit that is mistaken for another when it is read out.
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_OVER: Final = "the code is unknown, used or over"


class Waiting(msgspec.Struct, frozen=True):
    """Nobody has approved the wallet yet: its user reads this out to who may."""

    pairing: str


class Back(msgspec.Struct, frozen=True):
    """The user goes back to the wallet."""

    address: str


def push_request(gate: Gate, form: dict[str, str]) -> dict[str, Any]:
    """Keep an authorisation request; one at a time for each offer. Raises OpenIdError, Refusal."""
    configurations = list_configurations(gate.ledger.state, need_issuer(gate))
    request = read_pushed_request(form, configurations)
    drawer, now_ms = gate.openid.drawer, gate.clock()
    with drawer.lock:
        found = drawer.find(ISSUER_STATE, request.issuer_state, Redeemed)
        offer = drawer.find(OFFER, found[0].promise.offer, Offer) if found else None
        if found is None or offer is None or offer[0].decision:
            raise OpenIdError("invalid_request", "issuer_state is of no offer that stands")
        if offer[0].pushed:
            earlier = drawer.take(PUSHED, offer[0].pushed, Pushed)
            if earlier is not None:
                drawer.drop(PAIRING, earlier[0].pairing)
        secret, pairing = draw_secret(), _draw_pairing()
        promise, ends_ms = found[0].promise, now_ms + PUSHED_MS
        drawer.put(PUSHED, secret, Pushed(request, promise, pairing), ends_ms)
        drawer.put(PAIRING, pairing, Pairing(promise.offer, promise.subject), ends_ms)
        note_offer(gate, promise.offer, state="waiting", pushed=secret)
    return {"request_uri": REQUEST_URN + secret, "expires_in": PUSHED_MS // 1000}


def authorise(gate: Gate, base: str, fields: dict[str, str]) -> Waiting | Back:
    """What the user's browser is shown, or where it goes. Raises OpenIdError."""
    uri = fields.get("request_uri", "")
    secret = uri.removeprefix(REQUEST_URN)
    drawer = gate.openid.drawer
    with drawer.lock:
        found = drawer.find(PUSHED, secret, Pushed) if uri.startswith(REQUEST_URN) else None
        if found is None:
            raise OpenIdError("invalid_request_uri", "the request is unknown, answered or over")
        pushed = found[0]
        if fields.get("client_id") != pushed.request.client:
            raise OpenIdError("invalid_client", "the request is another wallet's", 401)
        offer = drawer.find(OFFER, pushed.promise.offer, Offer)
        if offer is not None and not offer[0].decision:
            return Waiting(pushed.pairing)
        # what was approved is this wallet: its request was the last, and after it there is none
        if offer is not None and offer[0].decision == "approved":
            code = _grant_code(gate, pushed)
            return _close(gate, secret, pushed, {"code": code}, base)
        return _close(gate, secret, pushed, {"error": "access_denied"}, base)


def _grant_code(gate: Gate, pushed: Pushed) -> str:
    code, request = draw_secret(), pushed.request
    redeemed = Redeemed(pushed.promise, request.client, request.redirect_uri, request.challenge)
    gate.openid.drawer.put(CODE, code, redeemed, gate.clock() + CODE_MS)
    return code


def _close(gate: Gate, secret: str, pushed: Pushed, answer: dict[str, str], base: str) -> Back:
    drawer, request = gate.openid.drawer, pushed.request
    drawer.drop(PUSHED, secret)
    drawer.drop(PAIRING, pushed.pairing)
    drawer.drop(ISSUER_STATE, request.issuer_state)
    more = {"state": request.state} if request.state else {}
    mark = "&" if "?" in request.redirect_uri else "?"
    return Back(f"{request.redirect_uri}{mark}{urlencode({**answer, **more, 'iss': base})}")


def _draw_pairing() -> str:
    drawn = [secrets.choice(_LETTERS) for _place in range(8)]
    return f"{''.join(drawn[:4])}-{''.join(drawn[4:])}"


# --- tokens ---


def give_token(gate: Gate, form: dict[str, str]) -> dict[str, Any]:
    """A token for a code, once. Raises OpenIdError, Refusal."""
    configurations = list_configurations(gate.ledger.state, need_issuer(gate))
    request = read_token_request(form, configurations)
    drawer, now_ms = gate.openid.drawer, gate.clock()
    with drawer.lock:
        promise = _redeem(gate, request)
        token = draw_secret()
        # what waits for a clerk waits longer than a program does
        ends_ms = max(promise.ends_ms if promise.is_deferred else 0, now_ms + TOKEN_MS)
        drawer.put(TOKEN, token, Token(promise, request.has_details), ends_ms)
        drawer.drop(CODE, request.code)
        note_offer(gate, promise.offer, state="redeemed")
    return build_token_response(
        token,
        (ends_ms - now_ms) // 1000,
        promise.configuration,
        has_details=request.has_details,
    )


def _redeem(gate: Gate, request: TokenRequest) -> Promise:
    """What a code stands for, once everything that goes with it is right."""
    found = gate.openid.drawer.find(CODE, request.code, Redeemed)
    if found is None:
        raise OpenIdError("invalid_grant", _OVER)
    redeemed, ends_ms = found
    offer = gate.openid.drawer.find(OFFER, redeemed.promise.offer, Offer)
    if offer is None or offer[0].decision == "refused":
        raise OpenIdError("invalid_grant", _OVER)
    if (request.grant == PRE_AUTHORISED) != (not redeemed.challenge):
        raise OpenIdError("invalid_grant", _OVER)
    if request.grant == PRE_AUTHORISED:
        _check_tx_code(gate, request, redeemed, ends_ms)
        return redeemed.promise
    is_same = (request.client, request.redirect_uri) == (redeemed.client, redeemed.redirect_uri)
    if not is_same or not fits_challenge(redeemed.challenge, request.verifier):
        # whoever has the code and not the verifier has stolen it
        gate.openid.drawer.drop(CODE, request.code)
        note_offer(gate, redeemed.promise.offer, state="failed")
        raise OpenIdError("invalid_grant", "the code was given to another wallet; it is void now")
    return redeemed.promise


def _check_tx_code(gate: Gate, request: TokenRequest, redeemed: Redeemed, ends_ms: int) -> None:
    promise = redeemed.promise
    if bool(promise.tx_code) != bool(request.tx_code):
        wanted = "is asked for" if promise.tx_code else "is not asked for"
        raise OpenIdError("invalid_request", f"a transaction code {wanted}")
    if hmac.compare_digest(promise.tx_code.encode(), request.tx_code.encode()):
        return
    drawer = gate.openid.drawer
    tried = msgspec.structs.replace(promise, tries=promise.tries + 1)
    if tried.tries >= TX_CODE_TRIES_MAX:
        drawer.drop(CODE, request.code)
        note_offer(gate, promise.offer, state="failed")
    else:
        drawer.put(CODE, request.code, msgspec.structs.replace(redeemed, promise=tried), ends_ms)
    raise OpenIdError("invalid_grant", "wrong transaction code")

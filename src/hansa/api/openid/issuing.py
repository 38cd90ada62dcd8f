"""Credentials for wallets: issued to keys that they prove, at once or when a clerk has approved."""

from typing import Any

import msgspec

from hansa.api.gate import Gate
from hansa.api.openid.drawer import draw_secret
from hansa.api.openid.issuer import Issuer, list_configurations, need_issuer
from hansa.api.openid.limits import INTERVAL_S
from hansa.api.openid.offers import note_offer
from hansa.api.openid.promises import (
    NOTIFICATION,
    OFFER,
    TOKEN,
    TRANSACTION,
    Notification,
    Offer,
    Promise,
    Token,
    Transaction,
    issue_copies,
)
from hansa.api.openid.sources import build_state_sources
from hansa.identity.did import parse_jwk
from hansa.identity.openid.faults import OpenIdError
from hansa.identity.openid.key_proofs import (
    CredentialRequest,
    KeyProof,
    judge_proofs,
    read_credential_request,
)
from hansa.identity.resolved import Resolved, Unresolvable

_EVENTS = {
    "credential_accepted": "accepted",
    "credential_failure": "failed",
    "credential_deleted": "deleted",
}


class Given(msgspec.Struct, frozen=True):
    """An answer of the credential endpoints. is_deferred: it says when to ask again."""

    document: dict[str, Any]
    is_deferred: bool = False


def give_credential(gate: Gate, base: str, token: str, body: bytes) -> Given:
    """Credentials for a request with proofs. Raises OpenIdError, Refusal."""
    issuer = need_issuer(gate)
    held, _ends_ms = _find_token(gate, token)
    request = read_credential_request(body)
    _check_wanted(gate, issuer, request, held)
    proofs = judge_proofs(
        request.proofs,
        audience=base,
        resolve=build_state_sources(gate).resolve,
        now_ms=gate.clock(),
        is_nonce=gate.openid.nonces.is_live,
    )
    _check_subject(gate, held.promise.subject, proofs)
    drawer = gate.openid.drawer
    with drawer.lock:
        held, ends_ms = _find_token(gate, token)
        promise = held.promise
        if promise.copies < 1:
            raise OpenIdError("credential_request_denied", "everything promised was issued")
        if not gate.openid.nonces.use(proofs[0].nonce):
            raise OpenIdError("invalid_nonce", "c_nonce was used this moment: ask for a new one")
        chosen = proofs[: promise.copies]
        rest = msgspec.structs.replace(promise, copies=promise.copies - len(chosen))
        drawer.put(TOKEN, token, msgspec.structs.replace(held, promise=rest), ends_ms)
        if promise.is_deferred and not _is_approved(gate, promise):
            return _defer(gate, promise, chosen, token, ends_ms)
    return _issue(gate, issuer, promise, chosen, ends_ms)


def _find_token(gate: Gate, token: str) -> tuple[Token, int]:
    found = gate.openid.drawer.find(TOKEN, token, Token)
    if found is None:
        raise OpenIdError("invalid_token", "the access token is unknown or over", 401)
    return found


def _check_wanted(gate: Gate, issuer: Issuer, request: CredentialRequest, held: Token) -> None:
    promised = held.promise.configuration
    if request.identifier:
        if not held.has_details or request.identifier != promised:
            raise OpenIdError("unknown_credential_identifier", "the token names no such credential")
        return
    if request.configuration not in list_configurations(gate.ledger.state, issuer):
        raise OpenIdError("unknown_credential_configuration", "see the issuer's metadata")
    if held.has_details:
        raise OpenIdError(
            "invalid_credential_request", "the token names credentials by credential_identifiers"
        )
    if request.configuration != promised:
        raise OpenIdError("invalid_credential_request", "the token is for another credential")


def _check_subject(gate: Gate, subject: str, proofs: tuple[KeyProof, ...]) -> None:
    """A promise to a DID is kept to its own keys alone."""
    if not subject:
        return
    try:
        resolved = build_state_sources(gate).resolve(subject)
    except Unresolvable:
        resolved = None
    own = _list_own(resolved, gate.clock())
    if any(each.key not in own for each in proofs):
        raise OpenIdError("invalid_proof", "wrong_holder: the offer is to another holder")


def _list_own(resolved: Resolved | None, now_ms: int) -> list[Any]:
    if resolved is None or resolved.deactivated_ms is not None:
        return []
    return [
        each.key
        for each in resolved.methods
        if each.is_live(now_ms) and "authentication" in each.relationships
    ]


def _issue(
    gate: Gate,
    issuer: Issuer,
    promise: Promise,
    proofs: tuple[KeyProof, ...],
    ends_ms: int,
) -> Given:
    credentials = issue_copies(promise, issuer.signer, proofs, gate.clock())
    notification = draw_secret()
    gate.openid.drawer.put(NOTIFICATION, notification, Notification(promise.offer), ends_ms)
    note_offer(gate, promise.offer, state="issued")
    return Given({"credentials": credentials, "notification_id": notification})


# --- deferred ---


def _is_approved(gate: Gate, promise: Promise) -> bool:
    found = gate.openid.drawer.find(OFFER, promise.offer, Offer)
    return found is not None and found[0].decision == "approved"


def _defer(
    gate: Gate, promise: Promise, proofs: tuple[KeyProof, ...], token: str, ends_ms: int
) -> Given:
    secret = draw_secret()
    keys = tuple((each.key.jwk(), each.did) for each in proofs)
    gate.openid.drawer.put(TRANSACTION, secret, Transaction(promise, keys, token), ends_ms)
    note_offer(gate, promise.offer, state="waiting")
    return Given({"transaction_id": secret, "interval": INTERVAL_S}, is_deferred=True)


def give_deferred(gate: Gate, token: str, members: dict[str, Any]) -> Given:
    """A deferred credential, once it is approved. Raises OpenIdError."""
    issuer = need_issuer(gate)
    _held, ends_ms = _find_token(gate, token)
    if "credential_response_encryption" in members:
        raise OpenIdError("invalid_encryption_parameters", "answers are not encrypted here")
    secret = members.get("transaction_id")
    if not isinstance(secret, str):
        raise OpenIdError("invalid_credential_request", "transaction_id is missing")
    drawer = gate.openid.drawer
    with drawer.lock:
        found = drawer.find(TRANSACTION, secret, Transaction)
        if found is None or found[0].token != token:
            raise OpenIdError("invalid_transaction_id", "it is unknown, answered or over")
        promise = found[0].promise
        offer = drawer.find(OFFER, promise.offer, Offer)
        if offer is None or offer[0].decision == "refused":
            drawer.drop(TRANSACTION, secret)
            raise OpenIdError("credential_request_denied", "the issuer has refused it")
        if offer[0].decision != "approved":
            return Given({"transaction_id": secret, "interval": INTERVAL_S}, is_deferred=True)
        drawer.drop(TRANSACTION, secret)
    proofs = tuple(KeyProof(parse_jwk(jwk), did, "") for jwk, did in found[0].keys)
    return _issue(gate, issuer, promise, proofs, ends_ms)


# --- notifications ---


def take_notification(gate: Gate, token: str, members: dict[str, Any]) -> None:
    """Note what a wallet says became of a credential. Raises OpenIdError."""
    _find_token(gate, token)
    event = members.get("event")
    state = _EVENTS.get(event) if isinstance(event, str) else None
    secret = members.get("notification_id")
    if state is None or not isinstance(secret, str):
        raise OpenIdError("invalid_notification_request", "an event and its id are asked for")
    found = gate.openid.drawer.find(NOTIFICATION, secret, Notification)
    if found is None:
        raise OpenIdError("invalid_notification_id", "it is unknown or over")
    note_offer(gate, found[0].offer, state=state, event=event)

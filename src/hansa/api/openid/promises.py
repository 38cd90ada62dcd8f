"""What stands between an offer and its credential: entries of the drawer, and what they become."""

import secrets
from typing import Any, Final, Literal

import msgspec

from hansa.client.credentials import SALT_BYTES, Order, issue_sd_jwt, issue_vc
from hansa.client.keys import Signer
from hansa.identity.dcql import SD_JWT_FORMAT
from hansa.identity.json_document import parse_document
from hansa.identity.openid.key_proofs import KeyProof
from hansa.identity.openid.token_requests import PushedRequest

# Kinds of entries.
OFFER: Final = "offer"
REFERENCE: Final = "reference"
CODE: Final = "code"
ISSUER_STATE: Final = "issuer_state"
PUSHED: Final = "pushed"
PAIRING: Final = "pairing"
TOKEN: Final = "token"  # noqa: S105  # the kind, not one of them
TRANSACTION: Final = "transaction"
NOTIFICATION: Final = "notification"

OfferState = Literal[
    "offered",
    "waiting",
    "approved",
    "refused",
    "redeemed",
    "issued",
    "accepted",
    "failed",
    "deleted",
]


class StatusPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the status of one copy stands."""

    uri: str
    index: int
    purposes: tuple[str, ...]


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """A credential that was offered, until it is issued. offer: its clerk's id. places: of its
    copies' status; copies: how many are left. For a wallet to get it, where asked: tx_code, or
    somebody's approval (`is_deferred`: after its request).
    """

    offer: str
    configuration: str
    format: str
    schema: str
    vct: str
    type: str
    claims: dict[str, Any]
    subject: str
    accreditation: str
    places: tuple[StatusPlace, ...]
    copies: int
    valid_from_ms: int
    valid_until_ms: int | None
    is_deferred: bool = False
    is_pre_authorised: bool = True
    tx_code: str = ""
    tries: int = 0
    ends_ms: int


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a clerk sees of an offer: nothing of its claims. decision: what a clerk or the holder
    has said; pushed: the request that stands; event: the wallet's word.
    """

    by: str
    configuration: str
    grant: str
    state: OfferState
    ends_ms: int
    subject: str = ""
    decision: Literal["", "approved", "refused"] = ""
    pushed: str = ""
    event: str = ""


class Reference(msgspec.Struct, frozen=True):
    """An offer that is fetched by its address."""

    offer: dict[str, Any]


class Pushed(msgspec.Struct, frozen=True):
    """A wallet's authorisation request, with the pairing code that its user is shown."""

    request: PushedRequest
    promise: Promise
    pairing: str


class Pairing(msgspec.Struct, frozen=True):
    """For which offer, and for whom, a pairing code stands."""

    offer: str
    subject: str


class Redeemed(msgspec.Struct, frozen=True):
    """An authorisation code: the promise, and what the token request must show."""

    promise: Promise
    client: str = ""
    redirect_uri: str = ""
    challenge: str = ""


class Token(msgspec.Struct, frozen=True):
    """An access token. has_details: credentials are asked for by identifier."""

    promise: Promise
    has_details: bool = False


class Transaction(msgspec.Struct, frozen=True):
    """A deferred credential: what was promised, to which keys (JWK, DID)."""

    promise: Promise
    keys: tuple[tuple[dict[str, str], str], ...]
    token: str


class Notification(msgspec.Struct, frozen=True):
    """Which offer a notification is about."""

    offer: str


def issue_copies(
    promise: Promise, signer: Signer, proofs: tuple[KeyProof, ...], now_ms: int
) -> list[dict[str, Any]]:
    """One credential for each key, each with a status of its own, as a response lists them."""
    used = len(promise.places) - promise.copies
    made = []
    for number, proof in enumerate(proofs):
        place = promise.places[used + number] if promise.places else None
        made.append({"credential": issue_copy(promise, place, signer, proof, now_ms)})
    return made


def issue_copy(
    promise: Promise, place: StatusPlace | None, signer: Signer, proof: KeyProof, now_ms: int
) -> Any:
    """A credential for the holder of a key: text of an SD-JWT VC, or a W3C document. Malformed."""
    is_sd_jwt = promise.format == SD_JWT_FORMAT
    order = Order(
        issuer=signer.account,
        claims=promise.claims,
        subject=promise.subject if is_sd_jwt or promise.subject else proof.did,
        types=(promise.type,),
        schema=promise.schema,
        vct=promise.vct,
        accreditation=promise.accreditation,
        status=None if place is None else (place.uri, place.index, place.purposes),
        valid_from_ms=promise.valid_from_ms,
        valid_until_ms=promise.valid_until_ms,
    )
    if not is_sd_jwt:
        return parse_document(issue_vc(order, (signer,), now_ms))
    salts = [secrets.token_bytes(SALT_BYTES) for _claim in order.claims]
    return issue_sd_jwt(order, signer, holder=proof.key, salts=salts, now_ms=now_ms)

"""Offers of credentials, as clerks make, see and approve them. Writes to the drawer only: nothing
is on the ledger, and no claim is written where the gateway itself could read it again.
"""

import secrets
from typing import Any, Final, Literal
from urllib.parse import urlencode

import msgspec

from hansa.api.gate import Gate
from hansa.api.openid.drawer import draw_secret
from hansa.api.openid.issuer import Issuer, is_active, list_configurations, need_clerks_issuer
from hansa.api.openid.limits import CLAIMS_BYTES_MAX, KEPT_MS, OFFER_MS, OFFER_MS_MAX, TOKEN_MS
from hansa.api.openid.promises import (
    CODE,
    ISSUER_STATE,
    OFFER,
    PAIRING,
    REFERENCE,
    Offer,
    Pairing,
    Promise,
    Redeemed,
    Reference,
    StatusPlace,
    issue_copy,
)
from hansa.api.problems import Refusal, refuse_unseen
from hansa.client.facts import build_status_uri
from hansa.contracts.accreditations.model import Accreditation, SubjectLink
from hansa.contracts.credentials.model import StatusList
from hansa.contracts.schemas.model import Schema
from hansa.encoding.canonical import CanonicalError
from hansa.identity.did import is_did
from hansa.identity.did_key import did_of_key
from hansa.identity.faults import Malformed
from hansa.identity.json_schema import InvalidSchema
from hansa.identity.json_validation import CompiledSchema
from hansa.identity.moments import InvalidMoment
from hansa.identity.openid.key_proofs import KeyProof
from hansa.identity.openid.metadata import BATCH_MAX, TX_CODE_DIGITS, Configuration, build_offer
from hansa.identity.openid.token_requests import AUTHORISATION, PRE_AUTHORISED
from hansa.identity.sd_jwt_vc import parse_sd_jwt_vc
from hansa.identity.vc import parse_credential
from hansa.index.sight import Viewer
from hansa.ledger.model import is_key_part
from hansa.ledger.state import StateReader, get_record, scan_records

SCHEME: Final = "openid-credential-offer://"
_LINKS_MAX: Final = 50
Grant = Literal["pre-authorised", "authorisation"]


class OfferAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An offer as a clerk asks for it. configuration: of the metadata; subject: DID to whose keys
    alone it is issued, "" for whoever redeems it; list, indexes: status of each copy ("" and ():
    it cannot be revoked); is_deferred: it is issued when a clerk has approved it.
    """

    configuration: str
    claims: dict[str, Any]
    subject: str = ""
    accreditation: str = ""
    list: str = ""
    indexes: tuple[int, ...] = ()
    copies: int = 1
    valid_from_ms: int | None = None
    valid_until_ms: int | None = None
    lasts_ms: int = OFFER_MS
    grant: Grant = "pre-authorised"
    has_tx_code: bool = False
    is_deferred: bool = False
    is_by_reference: bool = False


class OfferMade(msgspec.Struct, frozen=True):
    """An offer that was made. uri: what the wallet opens; tx_code: for its user, by another way."""

    id: str
    uri: str
    tx_code: str
    ends_ms: int


class OfferSeen(msgspec.Struct, frozen=True):
    """An offer as its clerk sees it. state `expired`: nobody redeemed it in time."""

    id: str
    configuration: str
    grant: str
    state: str
    event: str
    subject: str
    by: str
    ends_ms: int


def make_offer(gate: Gate, viewer: Viewer, base: str, asked: OfferAsked) -> OfferMade:
    """Keep a promise and tell its secret once. Raises Refusal."""
    issuer = need_clerks_issuer(gate, viewer, is_issuing=True)
    now_ms = gate.clock()
    id_, code = draw_secret(), draw_secret()
    promise = _build_promise(gate, issuer, base, asked, id_, now_ms)
    _try_promise(promise, issuer, now_ms)
    drawer = gate.openid.drawer
    offer = Offer(
        by=viewer.account,
        configuration=asked.configuration,
        grant=asked.grant,
        state="offered",
        ends_ms=promise.ends_ms,
        subject=asked.subject,
    )
    drawer.put(OFFER, id_, offer, _keep_until(promise.ends_ms))
    kind = CODE if promise.is_pre_authorised else ISSUER_STATE
    drawer.put(kind, code, Redeemed(promise), promise.ends_ms)
    document = build_offer(
        base,
        asked.configuration,
        code=code,
        is_pre_authorised=promise.is_pre_authorised,
        has_tx_code=asked.has_tx_code,
    )
    uri = _write_uri(gate, base, document, promise.ends_ms, asked.is_by_reference)
    return OfferMade(id_, uri, promise.tx_code, promise.ends_ms)


def _write_uri(
    gate: Gate, base: str, document: dict[str, Any], ends_ms: int, is_by_reference: bool
) -> str:
    if not is_by_reference:
        text = msgspec.json.encode(document).decode()
        return f"{SCHEME}?{urlencode({'credential_offer': text})}"
    secret = draw_secret()
    gate.openid.drawer.put(REFERENCE, secret, Reference(document), ends_ms)
    address = f"{base}/openid/offers/{secret}"
    return f"{SCHEME}?{urlencode({'credential_offer_uri': address})}"


def _build_promise(
    gate: Gate, issuer: Issuer, base: str, asked: OfferAsked, id_: str, now_ms: int
) -> Promise:
    state = gate.ledger.state
    configuration = list_configurations(state, issuer).get(asked.configuration)
    if configuration is None:
        raise refuse_offer(
            "unknown_configuration",
            "This issuer does not issue credentials of that configuration.",
            "See credential_configurations_supported of the issuer's metadata.",
        )
    is_pre_authorised = asked.grant == "pre-authorised"
    _check_asked(asked, is_pre_authorised)
    _check_claims(configuration, asked.claims)
    places = _find_places(state, issuer, base, asked)
    start_ms = now_ms if asked.valid_from_ms is None else asked.valid_from_ms
    if asked.valid_until_ms is not None and asked.valid_until_ms <= start_ms:
        raise refuse_offer("wrong_validity", "It would end before it begins.", "Give a later end.")
    return Promise(
        offer=id_,
        configuration=configuration.id,
        format=configuration.format,
        schema=configuration.schema,
        vct=configuration.vct,
        type=configuration.type,
        claims=asked.claims,
        subject=asked.subject,
        accreditation=asked.accreditation or _find_accreditation(state, issuer, configuration),
        places=places,
        copies=asked.copies,
        valid_from_ms=start_ms,
        valid_until_ms=asked.valid_until_ms,
        is_deferred=asked.is_deferred,
        is_pre_authorised=is_pre_authorised,
        tx_code=_draw_tx_code() if asked.has_tx_code else "",
        ends_ms=now_ms + asked.lasts_ms,
    )


def _try_promise(promise: Promise, issuer: Issuer, now_ms: int) -> None:
    """Make the credential once, for nobody: what cannot be signed, or read again, is refused to the
    clerk, now.
    """
    public = issuer.signer.private.public
    place = promise.places[0] if promise.places else None
    proof = KeyProof(public, did_of_key(public), "")
    try:
        made = issue_copy(promise, place, issuer.signer, proof, now_ms)
        if isinstance(made, str):
            parse_sd_jwt_vc(made)
        else:
            parse_credential(made)
    except (Malformed, CanonicalError, InvalidMoment) as why:
        text = f"No credential can be made of it: {why}."
        raise refuse_offer("wrong_claims", text, "Mend the claims.") from why


def _check_asked(asked: OfferAsked, is_pre_authorised: bool) -> None:
    if not 1_000 <= asked.lasts_ms <= OFFER_MS_MAX or not 1 <= asked.copies <= BATCH_MAX:
        raise refuse_offer(
            "wrong_number",
            f"An offer lasts at most 30 days and is of 1 to {BATCH_MAX} copies.",
            "Give smaller numbers.",
        )
    if not is_pre_authorised and (asked.has_tx_code or asked.is_deferred):
        raise refuse_offer(
            "wrong_grant",
            "By authorisation, somebody approves the wallet itself.",
            "Give tx_code and is_deferred with a pre-authorised code only.",
        )
    if asked.subject and not (is_did(asked.subject) or asked.subject.startswith("did:key:")):
        raise refuse_offer("wrong_subject", "The subject is no DID known here.", "Name an account.")


def _check_claims(configuration: Configuration, claims: dict[str, Any]) -> None:
    if len(msgspec.json.encode(claims)) > CLAIMS_BYTES_MAX:
        raise refuse_offer("too_large", "The claims are too large.", "Put files in the vault.")
    try:
        faults = CompiledSchema(configuration.document).find_faults(claims)
    except InvalidSchema as why:
        raise refuse_offer(
            "wrong_schema", "The schema cannot be read.", "Publish it anew."
        ) from why
    if faults:
        text = "; ".join(f"{path or '/'}: {keyword}" for path, keyword in faults[:5])
        raise refuse_offer("wrong_claims", f"The claims do not fit: {text}.", "Mend the claims.")


def _find_places(
    state: StateReader, issuer: Issuer, base: str, asked: OfferAsked
) -> tuple[StatusPlace, ...]:
    """Where the status of each copy stands. Raises Refusal."""
    if not asked.list and not asked.indexes:
        return ()
    did = issuer.account.did
    found = (
        get_record(state, "credentials", StatusList, did, asked.list)
        if (is_key_part(asked.list))
        else None
    )
    if found is None:
        raise refuse_offer(
            "unknown_list",
            "The issuer has no such status list.",
            "Open it: hansa credential open-status-list",
        )
    is_fit = all(0 <= index < found.size for index in asked.indexes)
    if len(set(asked.indexes)) != asked.copies or not is_fit:
        raise refuse_offer(
            "wrong_indexes", "Each copy has an index of its own in the list.", "Draw them again."
        )
    uri = build_status_uri(base, did, asked.list)
    return tuple(StatusPlace(uri, index, tuple(found.purposes)) for index in asked.indexes)


def _find_accreditation(state: StateReader, issuer: Issuer, configuration: Configuration) -> str:
    """The issuer's own accreditation that names the schema; "" when it has none."""
    schema = get_record(state, "schemas", Schema, configuration.schema)
    names = set(schema.scope_names) if schema is not None else set()
    did = issuer.account.did
    for each in scan_records(state, "accreditations", SubjectLink, (did,), limit=_LINKS_MAX):
        link = get_record(state, "accreditations", Accreditation, each.link)
        if link is None or not is_active(link.standing):
            continue
        if any(names & set(scope.schemas) for scope in link.scope):
            return each.link
    return ""


def _draw_tx_code() -> str:
    return f"{secrets.randbelow(10**TX_CODE_DIGITS):0{TX_CODE_DIGITS}d}"


# --- what becomes of it ---


def see_offer(gate: Gate, viewer: Viewer, id_: str) -> OfferSeen:
    """An offer by its id, for the issuer's clerks. Raises Refusal."""
    need_clerks_issuer(gate, viewer, is_issuing=True)
    found = gate.openid.drawer.find(OFFER, id_, Offer)
    if found is None:
        raise refuse_unseen()
    offer = found[0]
    is_over = offer.state == "offered" and offer.ends_ms <= gate.clock()
    return OfferSeen(
        id=id_,
        configuration=offer.configuration,
        grant=PRE_AUTHORISED if offer.grant == "pre-authorised" else AUTHORISATION,
        state="expired" if is_over else offer.state,
        event=offer.event,
        subject=offer.subject,
        by=offer.by,
        ends_ms=offer.ends_ms,
    )


def note_offer(gate: Gate, id_: str, **changes: Any) -> None:
    """Note what became of an offer, if it is still remembered."""
    drawer = gate.openid.drawer
    with drawer.lock:
        found = drawer.find(OFFER, id_, Offer)
        if found is not None:
            drawer.put(OFFER, id_, msgspec.structs.replace(found[0], **changes), found[1])


def decide(gate: Gate, viewer: Viewer, *, pairing: str, offer: str, is_approved: bool) -> OfferSeen:
    """Approve or refuse a wallet by its pairing code, or a deferred credential by its offer.

    By a clerk of the issuer; a wallet also by the holder to whom the offer is made. Raises Refusal.
    """
    drawer = gate.openid.drawer
    paired = drawer.find(PAIRING, pairing, Pairing) if pairing else None
    is_holder = paired is not None and paired[0].subject == viewer.account != ""
    if not is_holder:
        need_clerks_issuer(gate, viewer, is_issuing=True)
    if pairing and paired is None:
        raise refuse_unseen()
    id_ = paired[0].offer if paired is not None else offer
    with drawer.lock:
        found = drawer.find(OFFER, id_, Offer)
        if found is None:
            raise refuse_unseen()
        if found[0].decision or found[0].state not in ("waiting", "offered", "redeemed"):
            raise refuse_offer(
                "decided", f"It is {found[0].state} already.", "Make a new offer.", 409
            )
        if is_approved and not pairing and found[0].grant != "pre-authorised":
            raise refuse_offer("no_wallet", "No wallet is named.", "Give the code that it shows.")
        state = "approved" if is_approved else "refused"
        note_offer(gate, id_, state=state, decision=state)
    return OfferSeen(
        id=id_ if not is_holder else "",
        configuration=found[0].configuration,
        grant=found[0].grant,
        state=state,
        event=found[0].event,
        subject=found[0].subject,
        by=found[0].by,
        ends_ms=found[0].ends_ms,
    )


def _keep_until(ends_ms: int) -> int:
    return ends_ms + TOKEN_MS + KEPT_MS


def refuse_offer(code: str, detail: str, remedy: str, status: int = 422) -> Refusal:
    """An offer that cannot be made."""
    return Refusal(status, f"openid.{code}", detail, remedy=remedy)

"""Requests to wallets for presentations, as a verifier's clerk makes and reads them.

A request stands under its handle: the address that a wallet answers, and the clerk's id. What was
presented is sealed by it too, and forgotten when the request is over.
"""

from typing import Any, Final, Literal
from urllib.parse import urlencode

import msgspec

from hansa.api.gate import Gate
from hansa.api.openid.drawer import draw_secret
from hansa.api.openid.issuer import need_clerks_issuer, need_issuer
from hansa.api.openid.jwe import EncryptionKey
from hansa.api.openid.limits import KEPT_MS, REQUEST_MS, REQUEST_MS_MAX
from hansa.api.problems import Refusal, refuse_unseen
from hansa.encoding.canonical import CanonicalError
from hansa.identity.dcql import Query, read_query
from hansa.identity.faults import Malformed
from hansa.identity.jws import sign_jws
from hansa.identity.openid.faults import OpenIdError
from hansa.identity.openid.presentations import (
    CLIENT_PREFIX,
    DIRECT_POST,
    DIRECT_POST_JWT,
    REQUEST_TYPE,
    build_request,
)
from hansa.identity.report import DAY_MS, Check, Outcome, Policy
from hansa.index.sight import Viewer

SCHEME: Final = "openid4vp://"
QUESTION: Final = "question"
ASK: Final = "ask"
Mode = Literal["direct_post", "direct_post.jwt"]


class Demands(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each credential must be beside the query; as `identity.report.Policy`."""

    issuers: tuple[str, ...] = ()
    cosigners: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    need_accreditation: bool = True
    anchors: tuple[str, ...] = ()
    jurisdiction: str = ""
    need_status: bool = False
    accept_ended_keys: bool = False
    max_age_ms: int | None = DAY_MS


class RequestAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request as a clerk asks for it."""

    dcql_query: dict[str, Any]
    demands: Demands = Demands()
    response_mode: Mode = DIRECT_POST
    lasts_ms: int = REQUEST_MS


class RequestMade(msgspec.Struct, frozen=True):
    """A request that was made. uri: what the wallet opens."""

    id: str
    uri: str
    ends_ms: int


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A presentation as it was judged. holder: when that was proved; claims: of what was proved,
    only where the whole answer is a yes.
    """

    query: str
    outcome: Outcome
    form: str
    issuers: tuple[str, ...]
    holder: str
    claims: tuple[dict[str, Any], ...]
    checks: tuple[Check, ...]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a wallet answered. error: that it gives nothing, in the standard's word. faults: query
    and code of what was not asked for, or is missing.
    """

    outcome: Outcome
    error: str = ""
    faults: tuple[tuple[str, str], ...] = ()
    presentations: tuple[Shown, ...] = ()
    at_ms: int = 0


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A request that stands: what was asked, and the answer once there is one."""

    by: str
    verifier: str
    query: dict[str, Any]
    demands: Demands
    mode: Mode
    nonce: str
    state: str
    response_uri: str
    encryption: str
    ends_ms: int
    answer: Answer | None = None

    @property
    def audience(self) -> str:
        """To whom a presentation must be made: the client_id, prefix and all."""
        return CLIENT_PREFIX + self.verifier

    def read_query(self) -> Query:
        """The query; it was read once when the request was made."""
        return read_query(self.query)

    def build_policy(self, *, needs_holder: bool) -> Policy:
        """What each presentation is held to."""
        demands = self.demands
        return Policy(
            audience=self.audience if needs_holder else "",
            nonce=self.nonce if needs_holder else "",
            need_holder=needs_holder,
            issuers=demands.issuers,
            cosigners=demands.cosigners,
            schemas=demands.schemas,
            suites=demands.suites,
            need_accreditation=demands.need_accreditation,
            anchors=frozenset(demands.anchors) or None,
            jurisdiction=demands.jurisdiction,
            need_status=demands.need_status,
            accept_ended_keys=demands.accept_ended_keys,
            max_age_ms=demands.max_age_ms,
        )


class Ask(msgspec.Struct, frozen=True):
    """Which request a request_uri stands for."""

    handle: str


class RequestSeen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request as its clerk sees it: waiting, answered, declined or expired."""

    id: str
    state: str
    ends_ms: int
    answer: Answer | None = None


def make_request(gate: Gate, viewer: Viewer, base: str, asked: RequestAsked) -> RequestMade:
    """Ask wallets for presentations. Raises Refusal."""
    issuer = need_clerks_issuer(gate, viewer, is_issuing=False)
    _check_query(asked.dcql_query)
    if not 1_000 <= asked.lasts_ms <= REQUEST_MS_MAX:
        raise refuse_request("wrong_number", "A request lasts an hour at most.", "Give less.")
    handle, secret = draw_secret(), draw_secret()
    is_sealed = asked.response_mode == DIRECT_POST_JWT
    question = Question(
        by=viewer.account,
        verifier=issuer.account.did,
        query=asked.dcql_query,
        demands=asked.demands,
        mode=asked.response_mode,
        nonce=draw_secret(),
        state=draw_secret(),
        response_uri=f"{base}/openid/response/{handle}",
        encryption=EncryptionKey.generate().encode() if is_sealed else "",
        ends_ms=gate.clock() + asked.lasts_ms,
    )
    drawer = gate.openid.drawer
    drawer.put(QUESTION, handle, question, question.ends_ms + KEPT_MS)
    drawer.put(ASK, secret, Ask(handle), question.ends_ms)
    address = f"{base}/openid/request/{secret}"
    fields = {"client_id": question.audience, "request_uri": address, "request_uri_method": "post"}
    return RequestMade(handle, f"{SCHEME}?{urlencode(fields)}", question.ends_ms)


def _check_query(query: dict[str, Any]) -> None:
    try:
        read_query(query)
    except Malformed as why:
        raise refuse_request(why.code, f"dcql_query: {why.text}.", "Mend the query.") from why


def see_request(gate: Gate, viewer: Viewer, handle: str) -> RequestSeen:
    """A request by its id, for the verifier's clerks. Raises Refusal."""
    issuer = need_clerks_issuer(gate, viewer, is_issuing=False)
    found = gate.openid.drawer.find(QUESTION, handle, Question)
    if found is None or found[0].verifier != issuer.account.did:
        raise refuse_unseen()
    question = found[0]
    answer = question.answer
    if answer is None:
        state = "expired" if question.ends_ms <= gate.clock() else "waiting"
    else:
        state = "declined" if answer.error else "answered"
    return RequestSeen(id=handle, state=state, ends_ms=question.ends_ms, answer=answer)


def give_request_object(gate: Gate, secret: str, wallet_nonce: str = "") -> bytes:
    """The signed request, as often as it is fetched until it is answered or over. OpenIdError."""
    issuer = need_issuer(gate)
    drawer = gate.openid.drawer
    ask = drawer.find(ASK, secret, Ask)
    found = drawer.find(QUESTION, ask[0].handle, Question) if ask is not None else None
    if found is None or found[0].answer is not None:
        raise OpenIdError("invalid_request_uri", "the request is unknown, answered or over", 404)
    question = found[0]
    if question.verifier != issuer.account.did:
        raise OpenIdError("invalid_request_uri", "the request is of another verifier", 404)
    key = EncryptionKey.decode(question.encryption) if question.encryption else None
    claims = build_request(
        verifier=question.verifier,
        nonce=question.nonce,
        state=question.state,
        response_uri=question.response_uri,
        query=question.query,
        mode=question.mode,
        issued_s=gate.clock() // 1000,
        until_s=question.ends_ms // 1000,
        encryption_key=None if key is None else key.public_jwk(),
        wallet_nonce=wallet_nonce,
    )
    private = issuer.signer.private
    header = {"alg": private.alg, "kid": issuer.signer.kid, "typ": REQUEST_TYPE}
    try:
        return sign_jws(claims, header=header, sign=private.sign).encode()
    except CanonicalError as why:
        raise OpenIdError("invalid_request", "wallet_nonce cannot be repeated") from why


def refuse_request(code: str, detail: str, remedy: str) -> Refusal:
    """A request that cannot be made."""
    return Refusal(422, f"openid.{code}", detail, remedy=remedy)

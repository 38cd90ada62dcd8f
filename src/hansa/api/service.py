"""Routes of the gateway itself: sign in and out, status, health, metrics."""

from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.params import RawBody
from prometheus_client import generate_latest

from hansa import __version__
from hansa.api.gate import TheGate, TheViewer
from hansa.api.limits import SMALL_BODY_BYTES_MAX
from hansa.api.problems import Refusal, refuse_parameter, refuse_stranger
from hansa.api.threads import threaded
from hansa.api.views import (
    Challenge,
    ChallengeQuestion,
    CurrentSession,
    Health,
    Held,
    Opened,
    Status,
)
from hansa.encoding.json_faults import NOT_JSON
from hansa.identity.did import is_did
from hansa.index.faults import ABSENT

JSON_MEDIA = ("application/json",)
JOSE_MEDIA = ("application/jose", "text/plain")
# Blocks that the read model may be behind before that is worth a word.
BEHIND_MAX = 100


@post(
    "/v1/sessions/challenge",
    status_code=200,
    sync_to_thread=False,
    tags=["sessions"],
    summary="Ask for a challenge to sign in",
    description="Given to any DID, whether there is such an account or not.",
    opt={"media": JSON_MEDIA, "consumes": ChallengeQuestion, "body_max": SMALL_BODY_BYTES_MAX},
)
def ask_challenge(body: RawBody, gate: TheGate) -> Challenge:
    """A challenge for an account."""
    try:
        question = msgspec.json.decode(body, type=ChallengeQuestion)
    except NOT_JSON as error:
        raise Refusal(
            400,
            "api.not_json",
            "The body is not a JSON object with `account`.",
            remedy='Send {"account":"did:hansa:…"}.',
        ) from error
    if not is_did(question.account):
        raise refuse_parameter("account", "not a DID of an account")
    challenge, expires_ms = gate.sessions.challenge(question.account)
    return Challenge(challenge, gate.ledger.chain, expires_ms)


@post(
    "/v1/sessions",
    status_code=201,
    tags=["sessions"],
    summary="Sign in",
    description=(
        "The body is a compact JWS over the canonical JSON "
        '`{"account","chain","challenge","kind":"hansa.session/1"}` by a key of the account with '
        "the purpose authenticate or sign."
    ),
    opt={"media": JOSE_MEDIA, "body_max": SMALL_BODY_BYTES_MAX},
)
@threaded
def open_session(body: RawBody, gate: TheGate) -> Opened:
    """A session for the signer."""
    token, session = gate.sessions.open(body)
    return Opened(token, session.account, session.member, session.expires_ms)


@get(
    "/v1/sessions/current",
    tags=["sessions"],
    summary="Who is signed in",
    opt={"signed_in": True},
)
@threaded
def get_session(
    request: Request[Any, Any, Any], gate: TheGate, viewer: TheViewer
) -> CurrentSession:
    """The session of the bearer token."""
    if viewer.is_stranger:
        raise refuse_stranger()
    session = gate.sessions.get(read_token(request.headers.get("authorization", "")))
    return CurrentSession(
        account=session.account,
        member=session.member,
        key=session.kid,
        dids=list(viewer.dids),
        roles=[Held(role, scope) for role, scope in sorted(viewer.roles)],
        expires_ms=session.expires_ms,
    )


@delete(
    "/v1/sessions/current",
    status_code=204,
    tags=["sessions"],
    summary="Sign out",
    opt={"signed_in": True},
)
@threaded
def close_session(request: Request[Any, Any, Any], gate: TheGate, viewer: TheViewer) -> None:
    """End the session of the bearer token."""
    if viewer.is_stranger:
        raise refuse_stranger()
    gate.sessions.close(read_token(request.headers.get("authorization", "")))


def read_token(header: str) -> str:
    """Token of an Authorization header, "" when there is none. Raises Refusal."""
    if not header:
        return ""
    scheme, _sep, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > 128:
        raise Refusal(
            401,
            "api.wrong_authorization",
            "The Authorization header is not `Bearer TOKEN`.",
            remedy="Send the token of POST /v1/sessions, or no such header.",
            headers={"www-authenticate": "Bearer"},
        )
    return token


@get("/v1/status", tags=["service"], summary="Where the ledger stands")
@threaded
def get_status(gate: TheGate) -> Status:
    """Chain, height, release."""
    base, height = gate.ledger.heights()
    network = gate.ledger.network()
    return Status(
        chain=gate.ledger.chain,
        height=height,
        base=base,
        time_ms=gate.ledger.state.time_ms,
        genesis=gate.genesis_digest,
        release=__version__,
        index_height=max(gate.index.height, 0),
        applications=list(gate.applications),
        snapshot=network.snapshot if network is not None else 0,
    )


@get(
    "/v1/health",
    tags=["service"],
    summary="Whether all is well",
    description="503 when the ledger has stopped; the read model being behind is `degraded`.",
)
@threaded
def get_health(gate: TheGate) -> Response[Health]:
    """Health of ledger and read model."""
    failed = gate.ledger.failure is not None
    behind = max(0, gate.ledger.height - gate.index.height)
    index = "ok"
    if not gate.index.is_kept:
        index = ABSENT
    elif gate.follower is not None and gate.follower.fault is not None:
        index = gate.follower.fault.code
    elif gate.follower is not None and not gate.follower.is_running:
        index = "index.stopped"
    elif behind > BEHIND_MAX:
        index = "index.behind"
    health = Health(
        status="failing" if failed else "ok" if index in ("ok", ABSENT) else "degraded",
        ledger="node.stopped" if failed else "ok",
        index=index,
        index_behind=behind,
    )
    return Response(health, status_code=503 if failed else 200)


@get(
    "/metrics",
    tags=["service"],
    summary="Metrics for Prometheus",
    media_type="text/plain",
    opt={"produces": "metrics"},
)
@threaded
def get_metrics(gate: TheGate) -> Response[bytes]:
    """Counters of this gateway, heights of ledger and read model."""
    return Response(
        generate_latest(gate.meters.registry),
        media_type="text/plain; version=0.0.4; charset=utf-8",
    )

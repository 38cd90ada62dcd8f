"""Routes of DID resolution (W3C, HTTP binding): whoever knows a DID may resolve it."""

import re
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.params import Parameter

from hansa.api.did_reader import DidAnswer, refuse, resolve_key
from hansa.api.gate import TheGate, TheViewer
from hansa.api.headers import TrustedHeight
from hansa.api.problems import refuse_parameter, refuse_stranger, refuse_unseen
from hansa.api.threads import threaded
from hansa.identity.did import DID_METHOD, is_did
from hansa.identity.did_history import DOCUMENT_MEDIA_TYPE, MEDIA_TYPE, Asked
from hansa.identity.did_key import PREFIX as KEY_METHOD
from hansa.identity.did_web import PREFIX as WEB_METHOD
from hansa.identity.moments import InvalidMoment, format_moment, parse_moment
from hansa.primitives.limits import INTEGER_MAX

_DID: Final = re.compile(r"did:[a-z0-9]+:(?:[A-Za-z0-9._:-]|%[0-9A-Fa-f]{2}){1,1024}", re.ASCII)
_MILLISECONDS: Final = re.compile(r"[0-9]{1,15}", re.ASCII)

DidPath = Annotated[str, Parameter(max_length=1_100, description="A DID, percent-encoded.")]
Number = Annotated[int | None, Parameter(ge=1, le=INTEGER_MAX, description="Of which version.")]
Height = Annotated[int | None, Parameter(ge=0, le=INTEGER_MAX, description="As at this height.")]
Time = Annotated[
    str,
    Parameter(
        max_length=40,
        description="As at this time: 2026-11-22T08:00:00Z, or milliseconds since 1970.",
    ),
]


class VersionOfDid(msgspec.Struct, frozen=True):
    """A version of a DID document: from height `since`, decided at block time `since_ms`."""

    version: int
    since: int
    since_ms: int
    updated: str


class DidHistory(msgspec.Struct, frozen=True):
    """The versions of a DID, oldest first; of a very long history the newest thousand."""

    did: str
    versions: list[VersionOfDid]


@get(
    "/v1/dids/{did:str}",
    tags=["dids"],
    summary="What a DID stands for",
    description=(
        "A DID resolution result (W3C), or with `Accept: application/did` the document alone. "
        "did:hansa from this ledger, newest or as at one of version, height and time; did:key from "
        "itself; did:web fetched by the gateway for those who have signed in. 400 invalidDid, 404 "
        "notFound, 410 deactivated, 501 methodNotSupported are results too. `proof`: with "
        "`hansa:proofs`, a file hansa.proof/1 of each record from which the answer was made: the "
        "account with its keys, member and kind, and its profile."
    ),
    media_type=MEDIA_TYPE,
    opt={"produces": "did"},
)
@threaded
def resolve_did(
    did: DidPath,
    request: Request[Any, Any, Any],
    gate: TheGate,
    viewer: TheViewer,
    version: Number = None,
    height: Height = None,
    time: Time = "",
    proof: Annotated[bool, Parameter(description="With proofs of the records.")] = False,
    trusted: TrustedHeight = 0,
) -> Response[bytes]:
    """A DID resolution result."""
    asked = _read_asked(version, height, time)
    if not did.startswith(DID_METHOD) and not asked.is_newest:
        raise refuse_parameter("version", "only did:hansa has a history")
    if _DID.fullmatch(did) is None:
        answer = refuse("invalidDid", "not a DID")
    elif did.startswith(DID_METHOD):
        answer = refuse("invalidDid", "did:hansa: and 32 of a-z 2-7")
        if is_did(did):
            answer = gate.dids.resolve(did, asked, proof=proof, trusted=trusted)
    elif did.startswith(KEY_METHOD):
        answer = resolve_key(did)
    elif did.startswith(WEB_METHOD):
        if viewer.is_stranger:
            raise refuse_stranger()
        answer = gate.dids.resolve_web(did)
    else:
        answer = refuse("methodNotSupported", "supported: did:hansa, did:key, did:web")
    return _respond(answer, request.headers.get("accept", ""))


@get("/v1/dids/{did:str}/versions", tags=["dids"], summary="The versions of a DID")
@threaded
def list_did_versions(did: DidPath, gate: TheGate) -> DidHistory:
    """Numbers, heights and block times of a DID of this ledger."""
    found = gate.dids.list_versions(did) if is_did(did) else ()
    if not found:
        raise refuse_unseen()
    versions = [
        VersionOfDid(each.number, each.since, each.since_ms, format_moment(each.since_ms))
        for each in found
    ]
    return DidHistory(did, versions)


def _read_asked(version: int | None, height: int | None, time: str) -> Asked:
    if sum((version is not None, height is not None, time != "")) > 1:
        raise refuse_parameter("version", "give one of version, height and time")
    if not time:
        return Asked(version=version, height=height)
    if _MILLISECONDS.fullmatch(time) is not None:
        return Asked(time_ms=int(time))
    try:
        return Asked(time_ms=parse_moment(time))
    except InvalidMoment as error:
        raise refuse_parameter("time", str(error)) from error


def _respond(answer: DidAnswer, accept: str) -> Response[bytes]:
    wanted = [each.partition(";")[0].strip() for each in accept.lower().split(",")]
    if answer.document and DOCUMENT_MEDIA_TYPE in wanted:
        return Response(answer.document, status_code=answer.status, media_type=DOCUMENT_MEDIA_TYPE)
    return Response(answer.body, status_code=answer.status, media_type=MEDIA_TYPE)

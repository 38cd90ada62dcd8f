"""What a verifier asks of wallets, and what they answer (OpenID4VP 1.0, sections 5 to 8). Pure:
whether the presentations hold is for `identity.verify`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hansa.identity.data_integrity import CRYPTOSUITES
from hansa.identity.dcql import (
    LDP_FORMAT,
    SD_JWT_FORMAT,
    Candidate,
    Query,
    list_query_faults,
)
from hansa.identity.dcql_answer import describe_sd_jwt, describe_vc
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_value
from hansa.identity.openid.faults import OpenIdError
from hansa.identity.openid.key_proofs import PROOF_ALGS
from hansa.identity.sd_jwt_vc import parse_sd_jwt_vc
from hansa.identity.vc import parse_credential, parse_presentation

REQUEST_TYPE: Final = "oauth-authz-req+jwt"
# The wallet's own name where nothing is known of it (OpenID4VP 1.0, 5.8).
ANY_WALLET: Final = "https://self-issued.me/v2"
CLIENT_PREFIX: Final = "decentralized_identifier:"
DIRECT_POST: Final = "direct_post"
DIRECT_POST_JWT: Final = "direct_post.jwt"
ENCRYPTIONS: Final = ("A128GCM", "A256GCM")
ANSWER_BYTES_MAX: Final = 600_000
PRESENTATIONS_MAX: Final = 32


class Presented(msgspec.Struct, frozen=True):
    """A presentation of a VP token: for which query, in which format, its bytes for `verify`."""

    query: str
    format: str
    document: bytes


def build_request(
    *,
    verifier: str,
    nonce: str,
    state: str,
    response_uri: str,
    query: Mapping[str, Any],
    mode: str = DIRECT_POST,
    issued_s: int,
    until_s: int,
    encryption_key: Mapping[str, str] | None = None,
    wallet_nonce: str = "",
) -> dict[str, Any]:
    """Claims of a request object by the verifier with this DID. encryption_key: JWK to which a
    direct_post.jwt is encrypted; wallet_nonce: what the wallet sent when it fetched the request.
    """
    metadata: dict[str, Any] = {
        "vp_formats_supported": {
            SD_JWT_FORMAT: {
                "sd-jwt_alg_values": [*PROOF_ALGS],
                "kb-jwt_alg_values": [*PROOF_ALGS],
            },
            LDP_FORMAT: {
                "proof_type_values": ["DataIntegrityProof"],
                "cryptosuite_values": [*CRYPTOSUITES],
            },
        }
    }
    if encryption_key is not None:
        metadata["jwks"] = {"keys": [dict(encryption_key)]}
        metadata["encrypted_response_enc_values_supported"] = [*ENCRYPTIONS]
    request = {
        "aud": ANY_WALLET,
        "client_id": CLIENT_PREFIX + verifier,
        "client_metadata": metadata,
        "dcql_query": dict(query),
        "exp": until_s,
        "iat": issued_s,
        "nonce": nonce,
        "response_mode": mode,
        "response_type": "vp_token",
        "response_uri": response_uri,
        "state": state,
    }
    return {**request, "wallet_nonce": wallet_nonce} if wallet_nonce else request


def read_vp_token(text: bytes, query: Query) -> tuple[Presented, ...]:
    """The presentations of a VP token, in its order. Raises OpenIdError."""
    try:
        token = parse_value(text, size_max=ANSWER_BYTES_MAX)
    except Malformed as why:
        raise OpenIdError("invalid_request", f"vp_token: {why.code}: {why.text}") from why
    if not isinstance(token, dict) or not token:
        raise OpenIdError("invalid_request", "vp_token is an object of presentations by query")
    formats = {each.id: each.format for each in query.credentials}
    if set(token) - set(formats):
        raise OpenIdError("invalid_request", "unknown_query: vp_token answers what nobody asked")
    found = [
        _take_presentation(id_, formats[id_], each)
        for id_, listed in token.items()
        for each in _need_list(listed)
    ]
    if len(found) > PRESENTATIONS_MAX:
        raise OpenIdError("invalid_request", f"more than {PRESENTATIONS_MAX} presentations")
    return tuple(found)


def _need_list(value: object) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise OpenIdError("invalid_request", "the answer to a query is an array of presentations")
    return value


def _take_presentation(query: str, format_: str, value: object) -> Presented:
    if format_ == SD_JWT_FORMAT and isinstance(value, str) and value.isascii():
        return Presented(query, format_, value.encode())
    if format_ == LDP_FORMAT and isinstance(value, dict):
        return Presented(query, format_, msgspec.json.encode(value))
    raise OpenIdError("invalid_request", f"wrong_format: {format_} was asked for by {query}")


def list_answer_faults(query: Query, answer: Sequence[Presented]) -> list[tuple[str, str]]:
    """What of an answer is not what was asked for: (query id, code), codes of `dcql` and of
    documents that cannot be read.
    """
    candidates: dict[str, list[Candidate]] = {}
    faults: list[tuple[str, str]] = []
    for each in answer:
        try:
            candidates.setdefault(each.query, []).extend(_describe(each))
        except Malformed as why:
            faults.append((each.query, why.code))
    return faults or list_query_faults(query, candidates)


def _describe(presented: Presented) -> list[Candidate]:
    """The credentials of a presentation, as DCQL judges them."""
    if presented.format == SD_JWT_FORMAT:
        vc = parse_sd_jwt_vc(presented.document.decode("ascii"))
        found = describe_sd_jwt(vc)
        return [msgspec.structs.replace(found, has_holder=bool(vc.sd_jwt.key_binding))]
    types = msgspec.json.decode(presented.document).get("type")
    named = types if isinstance(types, list) else [types]
    if "VerifiablePresentation" in named:
        presentation = parse_presentation(presented.document)
        if presentation.enveloped or not presentation.credentials:
            raise Malformed("wrong_format", "an ldp_vc presentation has credentials in it")
        held = [parse_credential(each).document for each in presentation.credentials]
        return [describe_vc(each, has_holder=True) for each in held]
    return [describe_vc(parse_credential(presented.document).document, has_holder=False)]

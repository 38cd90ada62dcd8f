"""Credential requests and the proofs of keys in them (OpenID4VCI 1.0, section 8.2, appendix F.1).
Pure: whether a nonce was given out, and not yet used, is for who gave it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from hansa.crypto.signatures import SUITES, InvalidKey, PublicKey, check_public_key
from hansa.identity.did import InvalidDid, parse_jwk
from hansa.identity.did_key import did_of_key
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_document
from hansa.identity.jws import Jws, find_signature_fault, parse_jws
from hansa.identity.openid.faults import OpenIdError
from hansa.identity.resolved import Resolver, Unresolvable

PROOF_TYPE: Final = "openid4vci-proof+jwt"
PROOF_ALGS: Final = tuple(SUITES)
# A wallet makes a proof for one request, at once.
WINDOW_MS: Final = 300_000
# Copies of one credential asked for at once.
PROOFS_MAX: Final = 16
_JWK_EXTRAS: Final = frozenset(("kid", "alg", "use", "key_ops", "x5t#S256"))
_KEY_MEMBERS: Final = ("jwk", "kid", "x5c", "trust_chain")


class CredentialRequest(msgspec.Struct, frozen=True):
    """What a wallet asks for: by configuration or by identifier, one of them ""; its proofs."""

    configuration: str
    identifier: str
    proofs: tuple[str, ...]


class KeyProof(msgspec.Struct, frozen=True):
    """A key that its holder has proved. did: as the proof names it, else the did:key of the key."""

    key: PublicKey
    did: str
    nonce: str


def read_credential_request(body: bytes) -> CredentialRequest:
    """Read a credential request. Raises OpenIdError."""
    members = read_object(body, "invalid_credential_request")
    configuration = _read_name(members, "credential_configuration_id")
    identifier = _read_name(members, "credential_identifier")
    if bool(configuration) == bool(identifier):
        raise OpenIdError(
            "invalid_credential_request",
            "one of credential_configuration_id and credential_identifier is asked for",
        )
    if "credential_response_encryption" in members:
        raise OpenIdError("invalid_encryption_parameters", "answers are not encrypted here")
    return CredentialRequest(configuration, identifier, _read_proofs(members))


def read_object(body: bytes, error: str) -> dict[str, Any]:
    """A JSON object, read strictly. Raises OpenIdError."""
    try:
        return parse_document(body)
    except Malformed as why:
        raise OpenIdError(error, f"{why.code}: {why.text}") from why


def _read_name(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name, "")
    if not isinstance(value, str) or len(value) > 300 or (name in members and not value):
        raise OpenIdError("invalid_credential_request", f"{name} is not a name")
    return value


def _read_proofs(members: Mapping[str, Any]) -> tuple[str, ...]:
    proofs = members.get("proofs")
    if not isinstance(proofs, dict) or len(proofs) != 1:
        raise OpenIdError("invalid_proof", "proofs of one type are asked for")
    listed = proofs.get("jwt")
    if listed is None:
        raise OpenIdError("invalid_proof", "proofs of the type jwt are asked for")
    if not isinstance(listed, list) or not 0 < len(listed) <= PROOFS_MAX:
        raise OpenIdError("invalid_proof", f"1 to {PROOFS_MAX} proofs are asked for")
    if not all(isinstance(each, str) for each in listed):
        raise OpenIdError("invalid_proof", "a proof is a compact JWS")
    return tuple(listed)


def judge_proofs(
    proofs: Sequence[str],
    *,
    audience: str,
    resolve: Resolver,
    now_ms: int,
    is_nonce: Callable[[str], bool],
) -> tuple[KeyProof, ...]:
    """The keys of a request's proofs, once every one of them holds. Raises OpenIdError.

    audience: the issuer's identifier; is_nonce: whether a nonce is a live one of the issuer. All
    proofs name one nonce, and each another key: what they prove is proved for this request.
    """
    found = tuple(_judge_proof(text, audience, resolve, now_ms) for text in proofs)
    nonces = {each.nonce for each in found}
    if len(nonces) != 1 or not is_nonce(min(nonces)):
        raise OpenIdError("invalid_nonce", "c_nonce is unknown, used or over: ask for a new one")
    if len({each.key for each in found}) != len(found):
        raise OpenIdError("invalid_proof", "two proofs are of one key")
    return found


def _judge_proof(text: str, audience: str, resolve: Resolver, now_ms: int) -> KeyProof:
    try:
        jws = parse_jws(text, types=(PROOF_TYPE, f"application/{PROOF_TYPE}"))
        claims = parse_document(jws.payload)
    except Malformed as why:
        raise OpenIdError("invalid_proof", f"{why.code}: {why.text}") from why
    key, did = _find_key(jws, resolve, now_ms)
    fault = find_signature_fault(jws, key)
    if fault:
        raise OpenIdError("invalid_proof", f"{fault}: the proof does not hold under its key")
    if claims.get("aud") != audience:
        raise OpenIdError("invalid_proof", "wrong_audience: the proof is made for another issuer")
    issued = claims.get("iat")
    if not isinstance(issued, int) or isinstance(issued, bool):
        raise OpenIdError("invalid_proof", "iat is missing, or not in whole seconds")
    if abs(now_ms - issued * 1000) > WINDOW_MS:
        raise OpenIdError("invalid_proof", "stale_proof: the proof is not of now")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonce:
        raise OpenIdError("invalid_nonce", "a proof names the c_nonce of the nonce endpoint")
    return KeyProof(key, did or did_of_key(key), nonce)


def _find_key(jws: Jws, resolve: Resolver, now_ms: int) -> tuple[PublicKey, str]:
    """Key of a proof, and the DID that the header names ("" for a bare key)."""
    named = [name for name in _KEY_MEMBERS if name in jws.header]
    if named == ["jwk"]:
        return read_public_jwk(jws.header["jwk"]), ""
    if named != ["kid"]:
        raise OpenIdError("invalid_proof", "the header names one key, by jwk or by kid")
    did = jws.kid.partition("#")[0]
    try:
        resolved = resolve(did) if did.startswith("did:") else None
    except Unresolvable as why:
        raise OpenIdError("invalid_proof", "unresolvable: its DID is not of this ledger") from why
    method = None if resolved is None else resolved.find_method_at(jws.kid, now_ms)
    if resolved is None or resolved.deactivated_ms is not None or method is None:
        raise OpenIdError("invalid_proof", "unknown_key: kid is not a key of a DID known here")
    if "authentication" not in method.relationships or not method.is_live(now_ms):
        raise OpenIdError("invalid_proof", "unknown_key: the key does not authenticate its DID now")
    return method.key, did


def read_public_jwk(jwk: object) -> PublicKey:
    """A public key as wallets write it. Raises OpenIdError."""
    if not isinstance(jwk, dict) or "d" in jwk or "k" in jwk:
        raise OpenIdError("invalid_proof", "jwk is not a public key")
    try:
        key = parse_jwk({name: jwk[name] for name in jwk if name not in _JWK_EXTRAS})
        check_public_key(key)
    except (InvalidDid, InvalidKey) as why:
        raise OpenIdError("invalid_proof", "jwk is not a key of a known kind") from why
    return key

"""DIDs of the method `did:hansa`: names made from inception keys, parsed and described. Pure."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hansa.crypto.hashing import sha256
from hansa.crypto.signatures import PublicKey
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import TextError, decode_base64url

DID_METHOD: Final = "did:hansa:"
# 160 bits: nobody finds a second key for a given DID (2**160 work); short enough to read out.
_DIGEST_BYTES: Final = 20
_DID: Final = re.compile(r"did:hansa:[a-z2-7]{32}", re.ASCII)
_FRAGMENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)

# JOSE names of the curves (RFC 7518, RFC 8037; SM2: ADR 15): alg -> (kty, crv, coordinates, bytes
# of each).
_CURVES: Final[Mapping[str, tuple[str, str, tuple[str, ...], int]]] = {
    "EdDSA": ("OKP", "Ed25519", ("x",), 32),
    "ES256": ("EC", "P-256", ("x", "y"), 32),
    "SM2": ("EC", "SM2", ("x", "y"), 32),
}

# Which relationships of a DID document each purpose of a key stands for (W3C DID 1.0, 5.3).
RELATIONSHIPS: Final[Mapping[str, tuple[str, ...]]] = {
    "sign": ("assertionMethod", "authentication", "capabilityInvocation"),
    "assert": ("assertionMethod",),
    "authenticate": ("authentication",),
    "service": ("capabilityInvocation",),
}


class InvalidDid(ValueError):
    """Not a DID, a DID URL or a JWK of this method."""


@dataclass(frozen=True, slots=True)
class DidUrl:
    """A key of an account: `did:hansa:…#k1`."""

    did: str
    fragment: str

    def __str__(self) -> str:
        return f"{self.did}#{self.fragment}"


@dataclass(frozen=True, slots=True)
class VerificationMethod:
    """One live key of an account; `scope` limits a service key to applications."""

    fragment: str
    key: PublicKey
    purposes: tuple[str, ...]
    scope: tuple[str, ...] = ()


def parse_jwk(jwk: Mapping[str, object]) -> PublicKey:
    """Public key of a JWK with its required members only. Raises InvalidDid; judges no point."""
    for alg, (kty, crv, names, size) in _CURVES.items():
        if jwk.get("kty") != kty or jwk.get("crv") != crv:
            continue
        if set(jwk) != {"kty", "crv", *names}:
            raise InvalidDid("a JWK of this method has its required members only")
        raw = b"".join(_decode_coordinate(jwk[name], size) for name in names)
        return PublicKey.from_raw(alg, raw)
    raise InvalidDid("unknown kind of JWK")


def _decode_coordinate(value: object, size: int) -> bytes:
    try:
        raw = decode_base64url(value) if isinstance(value, str) else b""
    except TextError as error:
        raise InvalidDid("a coordinate is not strict base64url") from error
    if len(raw) != size:
        raise InvalidDid(f"a coordinate has {size} bytes")
    return raw


def compute_did(inception_key: PublicKey) -> str:
    """DID of the account that this key opens (D18): base32 of 20 bytes of SHA-256 of its JWK.

    It stays the same through every rotation: the inception key may be long revoked.
    """
    digest = sha256(encode_canonical(inception_key.jwk()))[:_DIGEST_BYTES]
    return DID_METHOD + base64.b32encode(digest).decode("ascii").lower()


def is_did(text: str) -> bool:
    """Whether `text` is a DID of this method, without path, query or fragment."""
    return _DID.fullmatch(text) is not None


def parse_did_url(text: str) -> DidUrl:
    """DID URL of a key, `did#fragment`; raises InvalidDid for anything else (no path, no query)."""
    did, mark, fragment = text.partition("#")
    if not mark or not is_did(did) or _FRAGMENT.fullmatch(fragment) is None:
        raise InvalidDid("not a DID URL of a key (did:hansa:…#fragment)")
    return DidUrl(did, fragment)


def build_did_document(
    did: str,
    methods: Sequence[VerificationMethod],
    *,
    controller: str = "",
    closed: bool = False,
    agreements: Sequence[tuple[str, dict[str, str]]] = (),
    services: Sequence[tuple[str, str, str]] = (),
) -> dict[str, object]:
    """DID document (W3C DID 1.0) of an account's live keys; a closed account has none.

    `controller`: DID of the sponsoring member when it is not the subject itself. The scope of a
    service key is told in `hansa:scope`. `agreements`: fragment and JWK; `services`: fragment, type
    and address.
    """
    document: dict[str, object] = {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/suites/jws-2020/v1",
        ],
        "id": did,
    }
    if controller and controller != did:
        document["controller"] = controller
    if closed:
        return {**document, "deactivated": True}
    described = [_describe_method(did, method) for method in methods]
    described += [_describe_jwk(did, fragment, jwk) for fragment, jwk in agreements]
    document["verificationMethod"] = described
    relationships: dict[str, list[str]] = {}
    for method in methods:
        meant = {name for purpose in method.purposes for name in RELATIONSHIPS[purpose]}
        for relationship in sorted(meant):
            relationships.setdefault(relationship, []).append(f"{did}#{method.fragment}")
    if agreements:
        relationships["keyAgreement"] = [f"{did}#{fragment}" for fragment, _jwk in agreements]
    if services:
        document["service"] = [
            {"id": f"{did}#{fragment}", "type": kind, "serviceEndpoint": endpoint}
            for fragment, kind, endpoint in services
        ]
    return {**document, **relationships}


def _describe_jwk(did: str, fragment: str, jwk: Mapping[str, str]) -> dict[str, object]:
    return {
        "id": f"{did}#{fragment}",
        "type": "JsonWebKey2020",
        "controller": did,
        "publicKeyJwk": jwk,
    }


def _describe_method(did: str, method: VerificationMethod) -> dict[str, object]:
    described = _describe_jwk(did, method.fragment, method.key.jwk())
    if method.scope:
        described["hansa:scope"] = list(method.scope)
    return described

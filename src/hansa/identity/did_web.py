"""did:web: where its document is, and what that document says. Pure: fetching is the gateway's.

Source: W3C CCG, did:web Method Specification. Whoever holds the domain holds the DID; it has no
history, so its keys count for all times as they stand now.
"""

import re
from typing import Any, Final

from hansa.crypto.signatures import InvalidKey, PublicKey, check_public_key
from hansa.identity.did import InvalidDid, parse_jwk
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_document
from hansa.identity.multikey import decode_multikey
from hansa.identity.resolved import Method, Resolved

PREFIX: Final = "did:web:"
DOCUMENT_BYTES_MAX: Final = 64_000
_METHODS_MAX: Final = 64
_HOST: Final = re.compile(
    r"(?=.{1,253}(?:%3A|$))(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
    r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?(?:%3A[1-9][0-9]{0,4})?",
    re.ASCII,
)
_SEGMENT: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}", re.ASCII)
_RELATIONSHIPS: Final = (
    "assertionMethod",
    "authentication",
    "capabilityDelegation",
    "capabilityInvocation",
)


def build_address(did: str) -> str:
    """HTTPS address of the document. Raises InvalidDid.

    Names of hosts only, in lower case: no IP address, no user, no path that climbs.
    """
    if not did.startswith(PREFIX) or len(did) > 1024:
        raise InvalidDid("not a did:web")
    host, *segments = did.removeprefix(PREFIX).split(":")
    if _HOST.fullmatch(host) is None or not all(map(_SEGMENT.fullmatch, segments)):
        raise InvalidDid("a did:web has a host name and plain path segments")
    name, _, port = host.partition("%3A")
    if port and int(port) > 65535:
        raise InvalidDid("no such port")
    place = "/".join(segments) if segments else ".well-known"
    return f"https://{name}{':' + port if port else ''}/{place}/did.json"


def read_did_web(did: str, data: bytes) -> Resolved:
    """The keys of a fetched document. Raises InvalidDid, Malformed; unknown kinds are left out."""
    build_address(did)
    document = parse_document(data, size_max=DOCUMENT_BYTES_MAX)
    if document.get("id") != did:
        raise InvalidDid("the document is of another DID")
    methods: dict[str, PublicKey] = {}
    relationships: dict[str, list[str]] = {}
    for described in _read_list(document, "verificationMethod"):
        _add_method(did, described, methods)
    for relationship in _RELATIONSHIPS:
        for each in _read_list(document, relationship):
            if isinstance(each, dict):
                _add_method(did, each, methods)
                each = each.get("id")
            if isinstance(each, str):
                relationships.setdefault(_complete(did, each), []).append(relationship)
    return Resolved(
        did,
        tuple(Method(url, key, tuple(relationships.get(url, ()))) for url, key in methods.items()),
        source="web",
    )


def _read_list(document: dict[str, Any], name: str) -> list[Any]:
    found = document.get(name, [])
    if not isinstance(found, list) or len(found) > _METHODS_MAX:
        raise Malformed("not_a_did_document", f"{name} is not a short list")
    return found


def _complete(did: str, url: str) -> str:
    return did + url if url.startswith("#") else url


def _add_method(did: str, described: Any, methods: dict[str, PublicKey]) -> None:
    """Take a method whose key is of a suite of ours and whose controller is the DID itself."""
    if not isinstance(described, dict) or not isinstance(described.get("id"), str):
        raise Malformed("not_a_did_document", "a verification method has an id")
    url = _complete(did, described["id"])
    if described.get("controller", did) != did or not url.startswith(did + "#"):
        return
    if url in methods:
        raise Malformed("not_a_did_document", "two verification methods have one id")
    try:
        key = _read_key(described)
        check_public_key(key)
    except (InvalidDid, InvalidKey):
        return
    methods[url] = key


def _read_key(described: dict[str, Any]) -> PublicKey:
    multikey, jwk = described.get("publicKeyMultibase"), described.get("publicKeyJwk")
    if isinstance(multikey, str) and jwk is None:
        return decode_multikey(multikey)
    if isinstance(jwk, dict) and multikey is None:
        told = {name: jwk[name] for name in ("kty", "crv", "x", "y") if name in jwk}
        if "d" in jwk:
            raise InvalidDid("a private key is published")
        return parse_jwk(told)
    raise InvalidDid("a method has one key")

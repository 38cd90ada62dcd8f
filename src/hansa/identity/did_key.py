"""did:key: a DID that is its own key; nothing is looked up, nothing can be rotated. Pure.

Source: W3C CCG, The did:key Method v0.9 (no derived key-agreement key: such keys are published).
"""

from functools import lru_cache
from typing import Final

from hansa.crypto.signatures import InvalidKey, PublicKey
from hansa.identity.multikey import decode_multikey, encode_multikey
from hansa.identity.resolved import Method, Resolved

PREFIX: Final = "did:key:"
_RELATIONSHIPS: Final = (
    "assertionMethod",
    "authentication",
    "capabilityDelegation",
    "capabilityInvocation",
)


def did_of_key(key: PublicKey) -> str:
    """The DID that is this key."""
    return PREFIX + encode_multikey(key)


def method_of_key(key: PublicKey) -> str:
    """DID URL of the only method of the DID that is this key."""
    multikey = encode_multikey(key)
    return f"{PREFIX}{multikey}#{multikey}"


@lru_cache(maxsize=4096)
def resolve_did_key(did: str) -> Resolved:
    """The key of a did:key. Raises InvalidKey."""
    if not did.startswith(PREFIX):
        raise InvalidKey("not a did:key")
    multikey = did.removeprefix(PREFIX)
    key = decode_multikey(multikey)
    return Resolved(did, (Method(f"{did}#{multikey}", key, _RELATIONSHIPS),), source="key")

"""Pairwise keys: the same in every release, by the construction that is written down."""

import hashlib
import hmac

import pytest

from hansa.client.pairwise import PairwiseError, derive_pairwise
from hansa.crypto.keys import PrivateKey
from hansa.identity.did_key import did_of_key

SEED = bytes(range(32))


def test_a_pairwise_key_is_hkdf_of_the_seed_and_the_relation() -> None:
    """RFC 5869 by hand: extract with the salt, expand with the relation."""
    extracted = hmac.digest(b"hansa.pairwise/1", SEED, hashlib.sha256)
    expanded = hmac.digest(extracted, b"clinic.example\x01", hashlib.sha256)
    key = derive_pairwise(SEED, "clinic.example")
    assert key.public == PrivateKey.from_seed("EdDSA", expanded).public
    assert did_of_key(key.public) == "did:key:z6MkfZpYewzgutj58GmTvf2hoWArCbBrMii4YrCTm6sWBsJd"


@pytest.mark.parametrize(("seed", "relation"), [(SEED[1:], "a"), (SEED, ""), (SEED, "a" * 257)])
def test_invalid_seeds_and_relations(seed: bytes, relation: str) -> None:
    with pytest.raises(PairwiseError):
        derive_pairwise(seed, relation)

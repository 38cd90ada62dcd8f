"""DIDs: one name per inception key, strict parsing, documents that show live keys only."""

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.crypto.keys import PrivateKey
from hansa.crypto.signatures import PublicKey
from hansa.identity.did import (
    InvalidDid,
    VerificationMethod,
    build_did_document,
    compute_did,
    is_did,
    parse_did_url,
    parse_jwk,
)

ED = PrivateKey.from_seed("EdDSA", b"\x01" * 32).public
EC = PrivateKey.from_seed("ES256", b"\x02" * 32).public


@pytest.mark.parametrize("key", [ED, EC], ids=["EdDSA", "ES256"])
def test_did_is_base32_of_the_digest_of_the_jwk(key: PublicKey) -> None:
    jwk = json.dumps(key.jwk(), sort_keys=True, separators=(",", ":")).encode()
    expected = base64.b32encode(hashlib.sha256(jwk).digest()[:20]).decode().lower()
    assert compute_did(key) == f"did:hansa:{expected}"
    assert is_did(compute_did(key))
    assert "=" not in compute_did(key)


def test_did_of_rfc8037_key_is_frozen() -> None:
    """RFC 8037 A.2 and A.3: a key and its RFC 7638 thumbprint."""
    key = PublicKey(alg="EdDSA", public="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    thumbprint = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k="
    digest = base64.urlsafe_b64decode(thumbprint)[:20]
    assert compute_did(key) == "did:hansa:" + base64.b32encode(digest).decode().lower()


@pytest.mark.parametrize("key", [ED, EC], ids=["EdDSA", "ES256"])
def test_jwk_round_trip(key: PublicKey) -> None:
    assert parse_jwk(key.jwk()) == key


@pytest.mark.parametrize(
    "change",
    [
        {"crv": "secp256k1"},
        {"kty": "RSA"},
        {"kid": "extra"},
        {"x": "AA"},
        {"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo="},
        {"x": 7},
    ],
)
def test_invalid_jwk_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InvalidDid):
        parse_jwk({**ED.jwk(), **change})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "did:hansa:",
        "did:web:example.org#k1",
        compute_did(ED),
        compute_did(ED) + "#",
        compute_did(ED) + "#k 1",
        compute_did(ED) + "#k1#k2",
        compute_did(ED) + "/path#k1",
        compute_did(ED) + "?query=1#k1",
        compute_did(ED).upper() + "#k1",
        compute_did(ED) + "#" + "k" * 33,
        compute_did(ED) + "#k1\n",
        compute_did(ED)[:-1] + "1#k1",
    ],
)
def test_invalid_did_url_is_refused(text: str) -> None:
    with pytest.raises(InvalidDid):
        parse_did_url(text)


def test_did_url_round_trip() -> None:
    text = compute_did(ED) + "#k1"
    assert str(parse_did_url(text)) == text


@given(st.text(max_size=60))
def test_parse_never_dies(text: str) -> None:
    try:
        assert str(parse_did_url(text)) == text
    except InvalidDid:
        pass


def test_document_shows_each_purpose_and_the_controller() -> None:
    did = compute_did(ED)
    document = build_did_document(
        did,
        [
            VerificationMethod("k1", ED, ("sign", "authenticate")),
            VerificationMethod("k2", EC, ("service",), scope=("food_trace",)),
        ],
        controller=compute_did(EC),
    )
    assert document["controller"] == compute_did(EC)
    assert document["assertionMethod"] == [f"{did}#k1"]
    assert document["authentication"] == [f"{did}#k1"]
    assert document["capabilityInvocation"] == [f"{did}#k1", f"{did}#k2"]
    methods = document["verificationMethod"]
    assert isinstance(methods, list)
    assert methods[0]["publicKeyJwk"] == ED.jwk()
    assert methods[1]["hansa:scope"] == ["food_trace"]


def test_document_of_a_closed_account_has_no_keys() -> None:
    document = build_did_document(
        compute_did(ED), [VerificationMethod("k1", ED, ("sign",))], closed=True
    )
    assert document["deactivated"] is True
    assert "verificationMethod" not in document

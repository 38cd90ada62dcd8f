"""Keys as texts: published did:key vectors, one spelling, did:web addresses and documents."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.crypto.keys import PrivateKey
from hansa.crypto.signatures import InvalidKey, PublicKey
from hansa.identity.did import InvalidDid, parse_jwk
from hansa.identity.did_key import did_of_key, method_of_key, resolve_did_key
from hansa.identity.did_web import build_address, read_did_web
from hansa.identity.faults import Malformed
from hansa.identity.multikey import (
    decode_base58,
    decode_multikey,
    encode_base58,
    encode_multikey,
)

FOLDER = Path(__file__).parent.parent / "vectors" / "identity" / "did-key"
VECTORS = json.loads((FOLDER / "vectors.json").read_bytes())
KEYS = [PrivateKey.from_seed(alg, b"\x03" * 32).public for alg in ("EdDSA", "ES256", "SM2")]


@pytest.mark.parametrize("vector", VECTORS["ed25519"], ids=lambda vector: vector["seed"][-1])
def test_published_ed25519_keys(vector: dict[str, str]) -> None:
    key = PrivateKey.from_seed("EdDSA", bytes.fromhex(vector["seed"])).public
    assert did_of_key(key) == vector["did"]
    (method,) = resolve_did_key(vector["did"]).methods
    assert method.key == key
    assert method.id == method_of_key(key) == f"{vector['did']}#{vector['did'][8:]}"


@pytest.mark.parametrize("vector", VECTORS["p256"], ids=("one", "two"))
def test_published_p256_keys(vector: dict[str, dict[str, str]]) -> None:
    key = parse_jwk(vector["jwk"])
    assert did_of_key(key) == vector["did"]
    assert resolve_did_key(did_of_key(key)).methods[0].key == key


@pytest.mark.parametrize("did", VECTORS["unsupported"])
def test_curves_that_are_not_ours_are_refused(did: str) -> None:
    with pytest.raises(InvalidKey):
        resolve_did_key(did)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.alg)
def test_every_suite_has_a_multikey(key: PublicKey) -> None:
    text = encode_multikey(key)
    assert decode_multikey(text) == key
    for wrong in (text[:-1], text + "1", "1" + text, text[1:], text.replace(text[3], "0")):
        with pytest.raises(InvalidKey):
            decode_multikey(wrong)


def test_sm2_has_the_code_of_the_multicodec_table() -> None:
    assert decode_base58(encode_multikey(KEYS[2])).startswith(b"\x86\x24")  # varint of 0x1206


@pytest.mark.parametrize(
    "raw",
    [
        b"\xed\x01" + bytes(32),
        b"\xed\x01" + b"\xff" * 32,
        b"\xed\x01" + b"\x09" * 31,
        b"\x80\x24\x02" + b"\xff" * 32,
        b"\x80\x24\x04" + b"\x01" * 32,
        b"\x86\x24\x02" + b"\xff" * 32,
        b"\x86\x24\x05" + b"\x01" * 32,
        b"\xec\x01" + b"\x09" * 32,
        b"",
    ],
)
def test_keys_that_nobody_may_use_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidKey):
        decode_multikey(encode_base58(raw))
    with pytest.raises(InvalidKey):
        resolve_did_key("did:key:" + encode_base58(raw))


@given(st.binary(max_size=80))
def test_base58_goes_both_ways(data: bytes) -> None:
    text = encode_base58(data)
    assert decode_base58(text) == data
    assert set(text[1:]).isdisjoint("0OIl")


@pytest.mark.parametrize("text", ["", "m1", "z0", "zO", "z l", "Z1", "z" + "1" * 300, "z\n"])
def test_what_is_not_base58_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        decode_base58(text)


@pytest.mark.parametrize(
    ("did", "address"),
    [
        ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
        (
            "did:web:w3c-ccg.github.io:user:alice",
            "https://w3c-ccg.github.io/user/alice/did.json",
        ),
        (
            "did:web:example.com%3A3000:user:alice",
            "https://example.com:3000/user/alice/did.json",
        ),
    ],
)
def test_addresses_of_did_web(did: str, address: str) -> None:
    assert build_address(did) == address


@pytest.mark.parametrize(
    "name",
    [
        "", "localhost", "127.0.0.1", "10.0.0.1:x", "[::1]", "a@b.com", "b.com/x", "b.com:..",
        "b.com:.", "b.com::x", "b.com:", "b.com%3A", "b.com%3A99999", "b.com%3A0", "b.com%2Fx",
        "B.com", "b.com:%2e%2e", "b.com?x", "b.com#x", "-b.com", "b..com", "0x7f.1", "b.com\n",
        "a" * 64 + ".com", "行.com",
    ],
)  # fmt: skip
def test_addresses_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(InvalidDid):
        build_address(f"did:web:{name}")


def test_document_of_did_web_is_read() -> None:
    did = "did:web:example.com"
    document = {
        "id": did,
        "verificationMethod": [
            {"id": f"{did}#a", "controller": did, "publicKeyJwk": KEYS[0].jwk()},
            {"id": "#b", "controller": did, "publicKeyMultibase": encode_multikey(KEYS[2])},
            {"id": f"{did}#c", "controller": "did:web:other.com", "publicKeyJwk": KEYS[1].jwk()},
            {"id": f"{did}#d", "controller": did, "publicKeyMultibase": "zNonsense"},
            {"id": f"{did}#e", "publicKeyJwk": {**KEYS[1].jwk(), "d": "AA"}},
        ],
        "assertionMethod": [f"{did}#a", "#b"],
        "authentication": ["#b", {"id": "#f", "controller": did, "publicKeyJwk": KEYS[1].jwk()}],
    }
    resolved = read_did_web(did, json.dumps(document).encode())
    assert {(each.id[-1], each.key.alg, each.relationships) for each in resolved.methods} == {
        ("a", "EdDSA", ("assertionMethod",)),
        ("b", "SM2", ("assertionMethod", "authentication")),
        ("f", "ES256", ("authentication",)),
    }
    with pytest.raises(InvalidDid):
        read_did_web("did:web:example.org", json.dumps(document).encode())
    document["authentication"] = [{"id": "#a", "publicKeyJwk": KEYS[1].jwk()}]
    with pytest.raises(Malformed):
        read_did_web(did, json.dumps(document).encode())

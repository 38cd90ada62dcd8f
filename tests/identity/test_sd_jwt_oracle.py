"""Two implementations judge each other: ours and openvc-core (a tool of tests, never shipped)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from openvc.errors import OpenvcError
from openvc.keys import Ed25519SigningKey, P256SigningKey
from openvc.proof.sd_jwt import SdJwtVcProofSuite
from openvc.status.bitstring import decode_bitstring, get_status_bit
from openvc.status.token_status_list import decode_status_list
from openvc.status.token_status_list import get_status as get_token_status

from hansa.crypto.keys import PrivateKey
from hansa.encoding.text import encode_base64url
from hansa.identity.bitstring_status import encode_bitstring
from hansa.identity.did import parse_jwk
from hansa.identity.faults import Malformed
from hansa.identity.jws import find_signature_fault, sign_jws
from hansa.identity.sd_jwt import compute_digest, present_sd_jwt
from hansa.identity.sd_jwt_vc import (
    bind_key,
    issue_sd_jwt_vc,
    list_binding_faults,
    parse_sd_jwt_vc,
)
from hansa.identity.token_status import encode_token_list, read_token_list

THEIRS = SdJwtVcProofSuite()
ISSUER, VCT = "https://issuer.example", "urn:example:licence"
KEYS = {alg: PrivateKey.from_seed(alg, b"\x03" * 32) for alg in ("EdDSA", "ES256")}
SALTS = [bytes([n]) * 16 for n in range(1, 20)]
NOW_S = 1_700_000_000


def issue(alg: str) -> str:
    key = KEYS[alg]
    return issue_sd_jwt_vc(
        {"name": "陳大文", "address": {"street": "1 Main", "country": "MO"}, "langs": ["zh", "pt"]},
        vct=VCT,
        issuer=ISSUER,
        method=f"{ISSUER}#k1",
        alg=alg,
        sign=key.sign,
        disclosable=[("name",), ("address",), ("address", "street"), ("langs", 1)],
        salts=SALTS,
        decoys={(): 2, ("langs",): 1},
        holder=key.public,
        issued_s=NOW_S,
    )


@pytest.mark.parametrize("alg", ["EdDSA", "ES256"])
def test_they_believe_what_we_issue_and_present(alg: str) -> None:
    held = parse_sd_jwt_vc(issue(alg))
    paths = [("address", "street"), ("langs", 1)]
    text = bind_key(
        present_sd_jwt(held.sd_jwt, paths),
        audience="https://v.example",
        nonce="n1",
        issued_s=NOW_S + 5,
        alg=alg,
        sign=KEYS[alg].sign,
    )
    result = THEIRS.verify(
        text,
        public_key_jwk=KEYS[alg].public.jwk(),
        audience="https://v.example",
        nonce="n1",
        require_key_binding=True,
        expected_vct=VCT,
        now=datetime.fromtimestamp(NOW_S + 10, UTC),
    )
    assert result.key_bound
    assert result.claims == parse_sd_jwt_vc(text).claims


@pytest.mark.parametrize("alg", ["EdDSA", "ES256"])
def test_we_believe_what_they_issue_and_present(alg: str) -> None:
    kind = Ed25519SigningKey if alg == "EdDSA" else P256SigningKey
    issuer, holder = kind.generate(kid="#k1"), kind.generate(kid="#k2")
    issued = THEIRS.issue(
        {"iss": "did:example:1", "name": "陳大文", "age": 40, "nested": {"a": [1, {"b": None}]}},
        signing_key=issuer,
        disclosable=["name", "nested"],
        holder_jwk=holder.public_jwk(),
        vct=VCT,
        decoys=3,
    )
    text = THEIRS.create_presentation(issued, holder_key=holder, audience="a", nonce="n")
    vc = parse_sd_jwt_vc(text)
    public = parse_jwk({k: v for k, v in issuer.public_jwk().items() if k not in ("kid", "alg")})
    assert find_signature_fault(vc.sd_jwt.jws, public) == ""
    assert vc.claims["nested"] == {"a": [1, {"b": None}]}
    assert vc.issued_ms is not None
    assert list_binding_faults(vc, audience="a", nonce="n", now_ms=vc.issued_ms) == ()


def disclosure(*content: Any) -> str:
    return encode_base64url(json.dumps(content).encode())


A, B = disclosure("salt", "a", 1), disclosure("salt", 1)
DA, DB = compute_digest(A), compute_digest(B)
CASES: list[tuple[dict[str, Any], list[str], dict[str, Any]]] = [
    ({"_sd": [DA]}, [A], {}),
    ({"_sd": [DA]}, [], {}),
    ({"x": [{"...": DB}, 2]}, [B], {}),
    ({}, [A], {}),
    ({"_sd": [DA]}, [A, A], {}),
    ({"_sd": [DA, DA]}, [A], {}),
    ({"_sd": [DA], "a": 2}, [A], {}),
    ({"_sd": [DB]}, [B], {}),
    ({"x": [{"...": DA}]}, [A], {}),
    ({"_sd": [compute_digest(disclosure("s", "_sd", 1))]}, [disclosure("s", "_sd", 1)], {}),
    ({"_sd": [compute_digest(disclosure("s", "...", 1))]}, [disclosure("s", "...", 1)], {}),
    ({"_sd": [compute_digest(disclosure("s", "exp", 1))]}, [disclosure("s", "exp", 1)], {}),
    ({"_sd_alg": "md5"}, [], {}),
    ({}, [], {"typ": "kb+jwt"}),
    ({}, [], {"alg": "none"}),
    ({}, [], {"alg": "HS256"}),
    ({}, [], {"crit": ["x"]}),
    ({"_sd": [DA]}, [A + "="], {}),
    ({"_sd": [compute_digest(disclosure("s", "a", 1, 2))]}, [disclosure("s", "a", 1, 2)], {}),
]


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_both_refuse_the_same(case: tuple[dict[str, Any], list[str], dict[str, Any]]) -> None:
    payload, disclosures, header = case
    key = KEYS["EdDSA"]
    head = {"alg": "EdDSA", "kid": f"{ISSUER}#k1", "typ": "dc+sd-jwt", **header}
    signed = sign_jws({"iss": ISSUER, "vct": VCT, **payload}, header=head, sign=key.sign)
    text = "~".join((signed, *disclosures, ""))
    try:
        ours: Any = parse_sd_jwt_vc(text).claims
    except Malformed:
        ours = None
    try:
        theirs: Any = THEIRS.verify(text, public_key_jwk=key.public.jwk()).claims
    except OpenvcError:
        theirs = None
    assert ours == theirs


def test_both_read_the_same_lists() -> None:
    values = dict.fromkeys(range(0, 131_072, 997), 1)
    packed = decode_bitstring(encode_bitstring(131_072, values))
    assert [index for index in range(9_000) if get_status_bit(packed, index)] == list(values)[:10]
    assert sum(map(int.bit_count, packed)) == len(values)
    spread = {index: index % 4 for index in range(0, 4096, 7)}
    claim = encode_token_list(4096, spread, bits=2)
    theirs = decode_status_list(claim["lst"])
    assert read_token_list(claim) == (2, bytes(theirs))
    read = [get_token_status(theirs, index, bits=2) for index in range(4096)]
    assert read == [spread.get(index, 0) for index in range(4096)]

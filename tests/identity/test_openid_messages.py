"""Messages of OpenID4VCI and OpenID4VP without a gateway: read strictly, each refusal coded."""

import json
from typing import Any

import pytest

from hansa.encoding.text import encode_base64url
from hansa.identity.dcql import read_query
from hansa.identity.openid.faults import OpenIdError
from hansa.identity.openid.key_proofs import judge_proofs, read_credential_request
from hansa.identity.openid.metadata import build_configuration, build_issuer_metadata
from hansa.identity.openid.presentations import list_answer_faults, read_vp_token
from hansa.identity.openid.token_requests import (
    fits_challenge,
    read_pushed_request,
    read_token_request,
)
from hansa.testing.chain import Actor

ISSUER = "https://issuer.example"
PUSHED = {
    "response_type": "code",
    "client_id": "w",
    "redirect_uri": "https://wallet.example/back",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
    "issuer_state": "x",
}
QUERY = read_query(
    {
        "credentials": [
            {"id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["v"]}},
            {"id": "b", "format": "ldp_vc", "meta": {"type_values": [["T"]]}},
        ]
    }
)


def refuse(error: str, work: Any, *args: Any, **more: Any) -> None:
    with pytest.raises(OpenIdError) as refused:
        work(*args, **more)
    assert (refused.value.error, refused.value.status) == (error, 400), refused.value.text


def test_pkce_of_rfc_7636_appendix_b() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert fits_challenge(PUSHED["code_challenge"], verifier)
    assert not fits_challenge(PUSHED["code_challenge"], verifier[:-1] + "K")


@pytest.mark.parametrize(
    ("uri", "is_fit"),
    [
        ("https://wallet.example/back?x=1", True),
        ("com.example.wallet:/back", True),
        ("http://127.0.0.1:5000/back", True),
        ("http://[::1]:5000/back", True),
        ("http://localhost/back", False),
        ("http://127.0.0.1.evil.example/", False),
        ("http://wallet.example/back", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https://wallet.example/#part", False),
        ("https://wallet.example\\@evil.example", False),
        ("https://wallet.example/\nset-cookie:a", False),
        ("HTTPS://wallet.example/", False),
        ("//wallet.example", False),
    ],
)
def test_a_browser_is_sent_to_wallets_only(uri: str, is_fit: bool) -> None:
    form = {**PUSHED, "redirect_uri": uri}
    if is_fit:
        assert read_pushed_request(form, ()).redirect_uri == uri
    else:
        refuse("invalid_request", read_pushed_request, form, ())


def test_tokens_are_asked_for_by_two_grants() -> None:
    refuse("unsupported_grant_type", read_token_request, {"grant_type": "password"}, ())
    code = {"grant_type": "authorization_code", "code": "c", "client_id": "w", "redirect_uri": "u"}
    refuse("invalid_request", read_token_request, code, ())
    refuse("invalid_grant", read_token_request, {**code, "code_verifier": "short"}, ())
    assert read_token_request({**code, "code_verifier": "v" * 43}, ()).verifier == "v" * 43


def test_a_credential_request_names_one_thing_and_one_type_of_proof() -> None:
    good = {"credential_configuration_id": "d", "proofs": {"jwt": ["a.b.c"]}}
    assert read_credential_request(json.dumps(good).encode()).proofs == ("a.b.c",)
    for change, error in (
        ({"credential_identifier": "d"}, "invalid_credential_request"),
        ({"proofs": {"jwt": ["x"], "attestation": ["y"]}}, "invalid_proof"),
        ({"proofs": {"di_vp": [{}]}}, "invalid_proof"),
        ({"proofs": None}, "invalid_proof"),
        ({"credential_response_encryption": {"jwk": {}}}, "invalid_encryption_parameters"),
    ):
        refuse(error, read_credential_request, json.dumps({**good, **change}).encode())
    for data in (b"", b"[]", b'{"a":1,"a":1}', b"\xff", b"{" * 99):
        refuse("invalid_credential_request", read_credential_request, data)


def test_a_key_of_each_suite_can_be_proved() -> None:
    for alg in ("EdDSA", "ES256", "SM2"):
        actor = Actor("holder", alg=alg)
        header = {"alg": alg, "typ": "openid4vci-proof+jwt", "jwk": actor.key.public.jwk()}
        claims = {"aud": ISSUER, "iat": 1_000, "nonce": "n"}
        parts = (encode_base64url(json.dumps(each).encode()) for each in (header, claims))
        signed = ".".join(parts)
        text = f"{signed}.{encode_base64url(actor.key.sign(signed.encode()))}"

        def judge(nonce: str, now_ms: int = 1_000_000, proof: str = text) -> Any:
            return judge_proofs(
                [proof],
                audience=ISSUER,
                resolve=lambda _did: None,
                now_ms=now_ms,
                is_nonce=lambda given: given == nonce,
            )

        (proof,) = judge("n")
        assert proof.key == actor.key.public and proof.did.startswith("did:key:")
        refuse("invalid_nonce", judge, "m")
        for now_ms in (1_000_000 - 300_001, 1_000_000 + 300_001):
            refuse("invalid_proof", judge, "n", now_ms)
        assert judge("n", 1_000_000 + 300_000)


def test_a_vp_token_answers_queries_that_were_asked() -> None:
    found = read_vp_token(b'{"a":["x~"],"b":[{"type":"T"}]}', QUERY)
    assert [(each.query, each.document) for each in found] == [("a", b"x~"), ("b", b'{"type":"T"}')]
    for token in (
        "", "[]", "{}", '{"c":["x"]}', '{"a":"x"}', '{"a":[]}', '{"a":[{}]}', '{"a":["\u00e9"]}',
        '{"b":["x"]}', '{"a":["x"],"a":["y"]}', json.dumps({"a": ["x"] * 33}),
    ):  # fmt: skip
        refuse("invalid_request", read_vp_token, token.encode(), QUERY)


def test_what_cannot_be_read_is_a_fault_of_its_query() -> None:
    found = read_vp_token(b'{"a":["x~"],"b":[{"type":"T"}]}', QUERY)
    assert [query for query, _code in list_answer_faults(QUERY, found)] == ["a", "b"]


def test_metadata_names_the_claims_of_a_schema() -> None:
    made = build_configuration(
        name="business_licence",
        version="2.1.0",
        schema="ab" * 32,
        vct="",
        format_="dc+sd-jwt",
        document={"properties": {"x": {}, "y": {}}, "required": ["y"]},
    )
    assert (made.id, made.type) == ("business_licence-2.1.0.dc+sd-jwt", "BusinessLicence")
    key = Actor("issuer", alg="ES256").key.public
    metadata = build_issuer_metadata(ISSUER, [made], key)
    described = metadata["credential_configurations_supported"][made.id]
    assert described["vct"] == "urn:hansa:schema:" + "ab" * 32
    assert described["credential_signing_alg_values_supported"] == ["ES256"]
    assert described["credential_metadata"]["claims"] == [
        {"path": ["x"], "mandatory": False},
        {"path": ["y"], "mandatory": True},
    ]

"""OpenID4VP 1.0 over HTTP. Names of tests are those of the OpenID Foundation's suite for verifiers
(vp1finalverifier) where it has one. What holds is judged by openvc too.
"""

import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from openvc.did.base import DidResolverRegistry, parse_did_document
from openvc.errors import OpenvcError
from openvc.jwe import decrypt_compact
from openvc.keys import P256KeyAgreementKey
from openvc.openid4vp import verify_vp_token

from hansa.api.openid.jwe import EncryptionKey
from hansa.client.credentials import present
from hansa.client.keys import Signer
from hansa.crypto.keys import PrivateKey
from hansa.identity.did_key import method_of_key
from hansa.testing.chain import make_key
from tests.api.openid.university import (
    ADA,
    CLAIMS,
    EMPLOYER,
    KID,
    LDP,
    PORTER,
    SD_JWT,
    UNIVERSITY,
    VCT,
    University,
)
from tests.api.openid.wallet import Key, Wallet, decode, encode, encrypt, read_jwt

pytestmark = pytest.mark.slow
QUERY: dict[str, Any] = {
    "credentials": [
        {
            "id": "degree",
            "format": "dc+sd-jwt",
            "meta": {"vct_values": [VCT]},
            "claims": [{"path": ["degree"], "values": ["MSc", "PhD"]}],
        }
    ]
}


class Held:
    """A credential in a wallet, with its key."""

    def __init__(self, university: University, wallet: Wallet, **offer: Any) -> None:
        self.university, self.wallet, self.key = university, wallet, Key()
        self.credential = wallet.receive(university.offer(**offer)["uri"], SD_JWT, self.key)

    def show(self, request: dict[str, Any], **said: Any) -> str:
        return self.wallet.present(self.credential, self.key, request, ("degree",), **said)


@pytest.fixture
def held(university: University, wallet: Wallet) -> Held:
    return Held(university, wallet)


def begin(held: Held, **asked: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    made = held.university.ask(asked.pop("query", QUERY), **asked)
    return made, held.wallet.fetch_request(made["uri"])


def conclude(
    held: Held,
    made: dict[str, Any],
    request: dict[str, Any],
    presentation: str,
    *codes: str,
    is_asked_of_oracle: bool = True,
) -> None:
    """Present it: refused here with these codes, which the clerk sees, and by the oracle."""
    if is_asked_of_oracle:
        with pytest.raises(OpenvcError):
            judge_by_oracle(held, request, presentation)
    answer = held.wallet.answer(request, {"degree": [presentation]})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), answer.text
    seen = held.university.see_request(made)
    assert (seen["state"], seen["answer"]["outcome"]) == ("answered", "no")
    found = {code for _query, code in seen["answer"].get("faults", [])}
    for each in seen["answer"]["presentations"]:
        assert each["claims"] == []
        found |= {check["code"] for check in each["checks"] if check["outcome"] == "failed"}
    assert set(codes) <= found, (codes, found)
    for code in codes:
        assert code in answer.json()["error_description"]


class HansaResolver:
    """did:hansa for openvc: the document that the gateway itself resolves, over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url

    def supports(self, did: str) -> bool:
        return did.startswith("did:hansa:")

    def resolve(self, did: str) -> Any:
        headers = {"accept": "application/did"}
        return parse_did_document(httpx.get(f"{self.url}/v1/dids/{did}", headers=headers).json())


def judge_by_oracle(held: Held, request: dict[str, Any], presentation: str) -> Any:
    """The same answer, judged by openvc."""
    return verify_vp_token(
        {"degree": [presentation]},
        dcql_query=request["dcql_query"],
        nonce=request["nonce"],
        client_id=request["client_id"],
        resolver=DidResolverRegistry([HansaResolver(held.university.url)]),
        require_holder_binding=True,
    )


def find_address(made: dict[str, Any]) -> str:
    """The request_uri behind a QR code."""
    return str(parse_qs(urlsplit(made["uri"]).query)["request_uri"][0])


def test_happy_flow(university: University, wallet: Wallet, held: Held) -> None:
    made, request = begin(held)
    assert request["client_id"] == f"decentralized_identifier:{UNIVERSITY.did}"
    assert request["response_mode"] == "direct_post" and request["exp"] > time.time()
    answer = wallet.answer(request, {"degree": [held.show(request)]})
    assert (answer.status_code, answer.json()) == (200, {})
    seen = university.see_request(made)
    (found,) = seen["answer"]["presentations"]
    assert seen["answer"]["outcome"] == found["outcome"] == "yes"
    assert found["claims"] == [{"degree": "MSc"}] and found["issuers"] == [UNIVERSITY.did]
    assert found["holder"].startswith("did:key:zDn")
    passed = {each["name"] for each in found["checks"] if each["outcome"] == "passed"}
    assert {"proof", "issuer_key", "validity", "holder", "audience", "nonce", "schema"} <= passed


def test_request_object_is_signed_by_the_key_of_the_did(
    university: University, wallet: Wallet
) -> None:
    text = wallet.get(find_address(university.ask(QUERY))).text
    header, _claims = read_jwt(text)
    assert (header["kid"], header["alg"]) == (KID, "EdDSA")
    document = university.get(None, f"/v1/dids/{UNIVERSITY.did}").json()["didDocument"]
    method = next(each for each in document["verificationMethod"] if each["id"] == KID)
    assert KID in document["assertionMethod"]
    signed, _dot, signature = text.rpartition(".")
    key = Ed25519PublicKey.from_public_bytes(decode(method["publicKeyJwk"]["x"]))
    key.verify(decode(signature), signed.encode())


def test_request_uri_fetched_twice(university: University, wallet: Wallet, held: Held) -> None:
    """The suite asks that it is served again; once it is answered, it is over."""
    made, request = begin(held)
    assert wallet.fetch_request(made["uri"])["nonce"] == request["nonce"]
    assert wallet.answer(request, {"degree": [held.show(request)]}).status_code == 200
    gone = wallet.get(find_address(made))
    assert (gone.status_code, gone.json()["error"]) == (404, "invalid_request_uri")


def test_request_uri_method_post(university: University, wallet: Wallet, held: Held) -> None:
    made = university.ask(QUERY)
    request = wallet.fetch_request(made["uri"], wallet_nonce="w-1", wallet_metadata="{}")
    assert request["wallet_nonce"] == "w-1"
    assert wallet.answer(request, {"degree": [held.show(request)]}).status_code == 200


def test_invalid_credential_signature(held: Held) -> None:
    made, request = begin(held)
    head, rest = held.credential.split(".", 1)
    body, tail = rest.split(".", 1)
    claims = json.loads(decode(body)) | {"iat": 1}
    held.credential = f"{head}.{encode(json.dumps(claims).encode())}.{tail}"
    conclude(held, made, request, held.show(request), "bad_signature", "not_by_issuer")


def test_invalid_kb_jwt_aud(held: Held) -> None:
    made, request = begin(held)
    wrong = held.show(request, aud="decentralized_identifier:did:hansa:other")
    conclude(held, made, request, wrong, "wrong_audience")


def test_invalid_kb_jwt_aud_without_prefix(held: Held) -> None:
    made, request = begin(held)
    conclude(held, made, request, held.show(request, aud=UNIVERSITY.did), "wrong_audience")


def test_invalid_kb_jwt_nonce(held: Held) -> None:
    made, request = begin(held)
    conclude(held, made, request, held.show(request, nonce="other"), "wrong_nonce")


def test_invalid_kb_jwt_signature(held: Held) -> None:
    made, request = begin(held)
    held.key.private = Key().private
    conclude(held, made, request, held.show(request), "bad_signature")


def test_invalid_sd_hash(held: Held) -> None:
    made, request = begin(held)
    conclude(held, made, request, held.show(request, sd_hash=encode(bytes(32))),
             "wrong_presentation")  # fmt: skip


def test_kb_jwt_iat_in_past(held: Held) -> None:
    made, request = begin(held)
    past = int(time.time()) - 3_600
    conclude(held, made, request, held.show(request, iat=past), "stale_key_binding")


def test_kb_jwt_iat_in_future(held: Held) -> None:
    made, request = begin(held)
    future = int(time.time()) + 3_600
    conclude(held, made, request, held.show(request, iat=future), "stale_key_binding")


def test_present_revoked_credential(university: University, wallet: Wallet) -> None:
    held = Held(university, wallet, list="degrees", indexes=[500])
    made, request = begin(held)
    assert wallet.answer(request, {"degree": [held.show(request)]}).status_code == 200
    university.revoke(500)
    made, request = begin(held)
    conclude(held, made, request, held.show(request), "revoked", is_asked_of_oracle=False)


def test_present_credential_without_status(held: Held) -> None:
    made, request = begin(held)
    assert held.wallet.answer(request, {"degree": [held.show(request)]}).status_code == 200
    made, request = begin(held, demands={"need_status": True})
    conclude(held, made, request, held.show(request), "no_status", is_asked_of_oracle=False)


def test_minimal_cnf_jwk(university: University, wallet: Wallet, held: Held) -> None:
    """The key as wallets write it, with members that are not of the key."""
    key = Key()
    key.jwk = {**key.jwk, "kid": "k", "alg": "ES256", "use": "sig"}
    held.credential, held.key = wallet.receive(university.offer()["uri"], SD_JWT, key), key
    claims = read_jwt(held.credential.split("~")[0])[1]
    assert set(claims["cnf"]["jwk"]) == {"kty", "crv", "x", "y"}
    _made, request = begin(held)
    assert wallet.answer(request, {"degree": [held.show(request)]}).status_code == 200


def test_no_key_binding(held: Held) -> None:
    made, request = begin(held)
    bare = held.show(request).rpartition("~")[0] + "~"
    conclude(held, made, request, bare, "no_holder_binding")


def test_replayed_presentation(university: University, wallet: Wallet, held: Held) -> None:
    _made, request = begin(held)
    shown = held.show(request)
    assert wallet.answer(request, {"degree": [shown]}).status_code == 200
    again = wallet.answer(request, {"degree": [shown]})
    assert (again.status_code, again.json()["error"]) == (400, "invalid_request")
    made, request = begin(held)
    conclude(held, made, request, shown, "wrong_nonce")


def test_claims_that_were_not_asked_for_or_not_given(held: Held) -> None:
    wallet = held.wallet
    made, request = begin(held)
    nothing = wallet.present(held.credential, held.key, request, ())
    conclude(held, made, request, nothing, "wrong_credential", is_asked_of_oracle=False)
    other = {"credentials": [{**QUERY["credentials"][0], "meta": {"vct_values": ["urn:other"]}}]}
    made, request = begin(held, query=other)
    conclude(held, made, request, held.show(request), "wrong_credential")
    two = {"credentials": [*QUERY["credentials"], {**QUERY["credentials"][0], "id": "second"}]}
    made, request = begin(held, query=two)
    conclude(held, made, request, held.show(request), "missing_credential")


def test_demands_of_the_verifier(held: Held) -> None:
    for demands, code in (
        ({"issuers": [EMPLOYER.did]}, "issuer_not_accepted"),
        ({"need_accreditation": True}, "no_accreditation"),
        ({"suites": ["SM2"]}, "suite_not_accepted"),
    ):
        made, request = begin(held, demands=demands)
        conclude(held, made, request, held.show(request), code, is_asked_of_oracle=False)


def test_expired_request(university: University, wallet: Wallet, held: Held) -> None:
    made, request = begin(held)
    university.late_ms = 600_001
    shown = held.show(request, iat=university.clock() // 1000)
    late = wallet.answer(request, {"degree": [shown]})
    assert (late.status_code, late.json()["error"]) == (400, "invalid_request")
    assert university.see_request(made)["state"] == "expired"


def test_wallet_declines(university: University, wallet: Wallet) -> None:
    made = university.ask(QUERY)
    request = wallet.fetch_request(made["uri"])
    no = {"error": "access_denied"}
    assert wallet.post(request["response_uri"], data={**no, "state": "x"}).status_code == 400
    said = wallet.post(request["response_uri"], data={**no, "state": request["state"]})
    assert said.status_code == 200
    seen = university.see_request(made)
    assert (seen["state"], seen["answer"]["error"]) == ("declined", "access_denied")


def test_answers_that_cannot_be_read_do_not_count(
    university: University, wallet: Wallet, held: Held
) -> None:
    _made, request = begin(held)
    shown, url = held.show(request), request["response_uri"]
    for token in ({}, [], {"degree": shown}, {"degree": []}, {"other": [shown]},
                  {"degree": [{}]}, {"degree": [7]}, {"degree": [shown] * 33}):  # fmt: skip
        answer = wallet.answer(request, token)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), token
    form = {"content-type": "application/x-www-form-urlencoded"}
    for data, headers, status in (
        (b"vp_token=%ff&state=x", form, 400),
        (b"state=a&state=b", form, 400),
        (b"vp_token=" + b"x" * 950_000, form, 413),
        (b'{"vp_token":{}}', {"content-type": "application/json"}, 400),
        (b"", form, 400),
    ):
        assert wallet.post(url, content=data, headers=headers).status_code == status
    wrong = wallet.answer(request, {"degree": [shown]}, state="other")
    assert wrong.json()["error"] == "invalid_request"
    duplicate = json.dumps({"degree": [shown]})[:-1] + ',"degree":[]}'
    answer = wallet.post(url, data={"vp_token": duplicate, "state": request["state"]})
    assert answer.status_code == 400
    assert wallet.post(url[:-3] + "abc", data={"state": "x"}).status_code == 400
    assert wallet.answer(request, {"degree": [shown]}).status_code == 200


def test_ldp_vc_presented_by_its_holder(university: University, wallet: Wallet) -> None:
    """A W3C presentation with Data Integrity, by the did:key to which it was issued."""
    holder = make_key("ldp holder")
    method = method_of_key(holder.public)
    nonce = wallet.ask_nonce()
    token = wallet.redeem(university.offer(configuration=LDP)["uri"]).json()["access_token"]
    proof = sign_ed25519(wallet, holder, method, nonce)
    given = wallet.ask_credential(token, proof, credential_configuration_id=LDP)
    (credential,) = given.json()["credentials"]
    query = {
        "credentials": [
            {
                "id": "degree",
                "format": "ldp_vc",
                "meta": {"type_values": [["Degree"]]},
                "claims": [{"path": ["credentialSubject", "degree"]}],
            }
        ]
    }
    document = json.dumps(credential["credential"]).encode()

    def answer(nonce_of: str = "", audience: str = "") -> tuple[Any, Any]:
        made = university.ask(query)
        request = wallet.fetch_request(made["uri"])
        shown = present(
            [document],
            Signer("w", method, holder),
            audience=audience or request["client_id"],
            nonce=nonce_of or request["nonce"],
            now_ms=university.clock(),
        )
        said = wallet.answer(request, {"degree": [json.loads(shown)]})
        return said, university.see_request(made)

    said, seen = answer()
    assert said.status_code == 200, said.text
    assert seen["answer"]["presentations"][0]["claims"] == [CLAIMS]
    for change, code in (({"nonce_of": "x"}, "wrong_nonce"), ({"audience": "x"}, "wrong_audience")):
        said, seen = answer(**change)
        assert said.status_code == 400 and code in said.json()["error_description"]


def sign_ed25519(wallet: Wallet, key: PrivateKey, kid: str, nonce: str) -> str:
    header = {"typ": "openid4vci-proof+jwt", "alg": "EdDSA", "kid": kid}
    _header, claims = read_jwt(wallet.prove(Key(), nonce))
    signed = ".".join(encode(json.dumps(each).encode()) for each in (header, claims))
    return f"{signed}.{encode(key.sign(signed.encode()))}"


def test_requests_that_cannot_be_asked_are_not_made(university: University) -> None:
    for change, code in (
        ({"dcql_query": {}}, "openid.invalid_query"),
        ({"dcql_query": {"credentials": [{"id": "a", "format": "mso_mdoc", "meta": {}}]}},
         "openid.unknown_format"),
        ({"lasts_ms": 10**9}, "openid.wrong_number"),
        ({"response_mode": "fragment"}, "api.not_json"),
    ):  # fmt: skip
        answer = university.post(PORTER, "/v1/openid/requests", **{"dcql_query": QUERY, **change})
        assert (answer.json()["code"], answer.status_code // 100) == (code, 4)


def test_who_may_ask_and_see(university: University) -> None:
    for actor, status in ((None, 401), (EMPLOYER, 403), (ADA, 403)):
        answer = university.post(actor, "/v1/openid/requests", dcql_query=QUERY)
        assert answer.status_code == status
    made = university.ask(QUERY)
    for actor, status in ((None, 401), (EMPLOYER, 403), (ADA, 403)):
        assert university.get(actor, f"/v1/openid/requests/{made['id']}").status_code == status
    assert university.get(PORTER, "/v1/openid/requests/nothing").status_code == 404


# --- encrypted answers ---


def test_direct_post_jwt(university: University, wallet: Wallet, held: Held) -> None:
    made, request = begin(held, response_mode="direct_post.jwt")
    (jwk,) = request["client_metadata"]["jwks"]["keys"]
    said = {"vp_token": {"degree": [held.show(request)]}, "state": request["state"]}
    plain = json.dumps(said).encode()
    url = request["response_uri"]
    bare = wallet.answer(request, said["vp_token"])
    assert (bare.status_code, bare.json()["error"]) == (400, "invalid_request")
    good = encrypt(jwk, plain)
    parts = good.split(".")
    other = {**Key().jwk, "kid": "answer"}
    for wrong in (
        "",
        "a.b.c",
        encrypt(other, plain),
        encrypt(jwk, plain, zip="DEF"),
        encrypt(jwk, plain, crit=["x"]),
        encrypt(jwk, plain, alg="ECDH-ES+A128KW"),
        encrypt(jwk, plain, enc="A128CBC-HS256"),
        encrypt(jwk, plain, epk={"kty": "OKP", "crv": "X25519", "x": jwk["x"]}),
        encrypt(jwk, plain, epk={**jwk, "y": jwk["x"]}),
        encrypt(jwk, plain, epk={**jwk, "y": "AA"}),
        encrypt(jwk, b"not json"),
        encrypt(jwk, b"[]"),
        ".".join((*parts[:3], parts[3][:-4] + "AAAA", parts[4])),
        ".".join((*parts[:4], "AAAA")),
        ".".join((parts[0], "AAAA", *parts[2:])),
    ):
        answer = wallet.post(url, data={"response": wrong})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), wrong
    stale = encrypt(jwk, json.dumps({**said, "state": "other"}).encode())
    assert wallet.post(url, data={"response": stale}).status_code == 400
    assert wallet.post(url, data={"response": good}).status_code == 200
    assert university.see_request(made)["answer"]["outcome"] == "yes"


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_what_is_encrypted_to_a_request_is_opened_alike_by_the_oracle(enc: str) -> None:
    key = EncryptionKey.generate()
    text = encrypt(key.public_jwk(), b'{"a":1}', enc)
    private = ec.derive_private_key(int(key.encode(), 16), ec.SECP256R1())
    assert key.open(text) == {"a": 1} == EncryptionKey.decode(key.encode()).open(text)
    assert decrypt_compact(text, key=P256KeyAgreementKey(private, "answer")) == b'{"a":1}'

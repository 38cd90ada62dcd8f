"""OpenID4VCI 1.0 over HTTP: what a wallet gets, and what it is refused, in the standard's words."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from openvc.errors import OpenvcError
from openvc.openid4vci import (
    parse_credential_issuer_metadata,
    parse_credential_offer,
    verify_credential_request_proofs,
)

from hansa.contracts.schemas.model import PublishSchema
from hansa.encoding.canonical import encode_canonical
from hansa.testing.chain import Actor
from tests.api.openid.university import (
    ADA,
    CLAIMS,
    EMPLOYER,
    ISSUING,
    KID,
    LDP,
    PORTER,
    PUBLIC,
    REGISTRAR,
    SCHEMA,
    SD_JWT,
    UNIVERSITY,
    VCT,
    University,
)
from tests.api.openid.wallet import Key, Wallet, encode, read_jwt

pytestmark = pytest.mark.slow


def test_happy_flow_sd_jwt(university: University, wallet: Wallet) -> None:
    offer = university.offer(list="degrees", indexes=[3])
    read = parse_credential_offer(wallet.open_offer(offer["uri"]))
    assert (read.credential_issuer, read.credential_configuration_ids) == (PUBLIC, (SD_JWT,))
    key = Key()
    credential = wallet.receive(offer["uri"], SD_JWT, key)
    header, claims = read_jwt(credential.split("~")[0])
    assert (header["typ"], header["kid"]) == ("dc+sd-jwt", KID)
    assert (claims["iss"], claims["vct"], claims["cnf"]) == (UNIVERSITY.did, VCT, {"jwk": key.jwk})
    assert claims["status"]["status_list"]["uri"].startswith(f"{PUBLIC}/v1/credentials/")
    assert "Canary" not in json.dumps(claims) and credential.count("~") == 4
    assert university.see_offer(offer)["state"] == "issued"


def test_happy_flow_ldp_vc(university: University, wallet: Wallet) -> None:
    offer = university.offer(configuration=LDP, is_by_reference=True)
    assert "credential_offer_uri=" in offer["uri"] and "Canary" not in offer["uri"]
    credential = wallet.receive(offer["uri"], LDP, Key())
    subject = credential["credentialSubject"]
    assert subject.pop("id").startswith("did:key:zDn") and subject == CLAIMS
    assert credential["proof"]["cryptosuite"] == "eddsa-jcs-2022"
    assert credential["issuer"] == UNIVERSITY.did


def test_metadata_is_read_by_an_independent_implementation(wallet: Wallet) -> None:
    metadata = wallet.read_metadata()
    read = parse_credential_issuer_metadata(metadata)
    assert (read.credential_issuer, read.batch_size) == (PUBLIC, 16)
    configurations = metadata["credential_configurations_supported"]
    assert set(configurations) == {SD_JWT, LDP}
    assert configurations[SD_JWT]["vct"] == VCT
    assert configurations[LDP]["credential_definition"]["type"] == [
        "VerifiableCredential",
        "Degree",
    ]
    assert configurations[LDP]["credential_metadata"]["claims"][1] == {
        "path": ["credentialSubject", "degree"],
        "mandatory": True,
    }
    keys = wallet.get(f"{PUBLIC}/.well-known/jwt-vc-issuer").json()["jwks"]["keys"]
    assert [each["kid"] for each in keys] == [KID]


def test_transaction_code_is_asked_for_and_few_tries_end_the_offer(
    university: University, wallet: Wallet
) -> None:
    offer = university.offer(has_tx_code=True)
    right = offer["tx_code"]
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    assert wallet.redeem(offer["uri"]).json()["error"] == "invalid_request"
    for _try in range(4):
        assert wallet.redeem(offer["uri"], tx_code=wrong).json()["error"] == "invalid_grant"
    key = Key()
    assert wallet.receive(offer["uri"], SD_JWT, key, tx_code=right)
    second = university.offer(has_tx_code=True)
    wrong = f"{(int(second['tx_code']) + 1) % 10**6:06d}"
    for _try in range(5):
        assert wallet.redeem(second["uri"], tx_code=wrong).json()["error"] == "invalid_grant"
    late = wallet.redeem(second["uri"], tx_code=second["tx_code"])
    assert (late.status_code, late.json()["error"]) == (400, "invalid_grant")
    assert university.see_offer(second)["state"] == "failed"
    plain = university.offer()
    assert wallet.redeem(plain["uri"], tx_code="123456").json()["error"] == "invalid_request"


def test_replayed_code(university: University, wallet: Wallet) -> None:
    offer = university.offer()
    assert wallet.redeem(offer["uri"]).status_code == 200
    again = wallet.redeem(offer["uri"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert again.headers["cache-control"] == "no-store"


def test_expired_offer(university: University, wallet: Wallet) -> None:
    offer = university.offer(lasts_ms=1_000, is_by_reference=True)
    read = wallet.open_offer(offer["uri"])
    university.late_ms = 2_000
    code = next(iter(read["grants"].values()))["pre-authorized_code"]
    grant = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
    answer = wallet.ask_token(**{"grant_type": grant, "pre-authorized_code": code})
    assert answer.json()["error"] == "invalid_grant"
    address = parse_qs(urlsplit(offer["uri"]).query)["credential_offer_uri"][0]
    assert wallet.get(address).status_code == 404
    assert university.see_offer(offer)["state"] == "expired"


def test_withdrawn_offer(university: University, wallet: Wallet) -> None:
    offer = university.offer()
    said = university.post(REGISTRAR, "/v1/openid/decisions", offer=offer["id"], is_approved=False)
    assert said.json()["state"] == "refused"
    assert wallet.redeem(offer["uri"]).json()["error"] == "invalid_grant"


def test_expired_token(university: University, wallet: Wallet) -> None:
    token = wallet.redeem(university.offer()["uri"]).json()["access_token"]
    university.late_ms = 600_001
    answer = wallet.ask_credential(token, "x.y.z", credential_configuration_id=SD_JWT)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_batch_gives_each_key_its_own_credential_and_status(
    university: University, wallet: Wallet
) -> None:
    offer = university.offer(copies=3, list="degrees", indexes=[10, 11, 12])
    token = wallet.redeem(offer["uri"]).json()["access_token"]
    nonce, keys = wallet.ask_nonce(), [Key() for _copy in range(5)]
    proofs = [wallet.prove(key, nonce) for key in keys]
    answer = wallet.ask_credential(token, *proofs[:2], credential_configuration_id=SD_JWT)
    nonce = wallet.ask_nonce()
    rest = [wallet.prove(key, nonce) for key in keys[2:]]
    last = wallet.ask_credential(token, *rest, credential_configuration_id=SD_JWT)
    given = [*answer.json()["credentials"], *last.json()["credentials"]]
    claims = [read_jwt(each["credential"].split("~")[0])[1] for each in given]
    assert [each["status"]["status_list"]["idx"] for each in claims] == [10, 11, 12]
    assert [each["cnf"]["jwk"] for each in claims] == [key.jwk for key in keys[:3]]
    proof = wallet.prove(Key(), wallet.ask_nonce())
    more = wallet.ask_credential(token, proof, credential_configuration_id=SD_JWT)
    assert more.json()["error"] == "credential_request_denied"


def test_credential_identifiers_of_authorization_details(
    university: University, wallet: Wallet
) -> None:
    details = [{"type": "openid_credential", "credential_configuration_id": SD_JWT}]
    uri = university.offer()["uri"]
    wrong = [{"type": "openid_credential", "credential_configuration_id": "passport"}]
    refused = wallet.redeem(uri, authorization_details=json.dumps(wrong))
    assert refused.json()["error"] == "invalid_authorization_details"
    token = wallet.redeem(uri, authorization_details=json.dumps(details)).json()
    (named,) = token["authorization_details"]
    (identifier,) = named["credential_identifiers"]
    proof = wallet.prove(Key(), wallet.ask_nonce())
    ask = wallet.ask_credential
    by_other = ask(token["access_token"], proof, credential_identifier="passport")
    assert by_other.json()["error"] == "unknown_credential_identifier"
    by_configuration = ask(token["access_token"], proof, credential_configuration_id=SD_JWT)
    assert by_configuration.json()["error"] == "invalid_credential_request"
    assert ask(token["access_token"], proof, credential_identifier=identifier).status_code == 200


def test_deferred_until_a_clerk_approves(university: University, wallet: Wallet) -> None:
    offer = university.offer(is_deferred=True)
    token = wallet.redeem(offer["uri"]).json()["access_token"]
    proof = wallet.prove(Key(), wallet.ask_nonce())
    answer = wallet.ask_credential(token, proof, credential_configuration_id=SD_JWT)
    assert answer.status_code == 202 and answer.json()["interval"] > 0
    waiting = {"transaction_id": answer.json()["transaction_id"]}
    headers = {"authorization": f"Bearer {token}"}
    url = f"{PUBLIC}/openid/deferred"
    assert wallet.post(url, json=waiting, headers=headers).status_code == 202
    other = wallet.redeem(university.offer()["uri"]).json()["access_token"]
    stolen = wallet.post(url, json=waiting, headers={"authorization": f"Bearer {other}"})
    assert stolen.json()["error"] == "invalid_transaction_id"
    decision = {"offer": offer["id"], "is_approved": True}
    assert university.post(PORTER, "/v1/openid/decisions", **decision).status_code == 403
    assert university.post(REGISTRAR, "/v1/openid/decisions", **decision).status_code == 200
    given = wallet.post(url, json=waiting, headers=headers)
    assert given.status_code == 200 and len(given.json()["credentials"]) == 1
    again = wallet.post(url, json=waiting, headers=headers)
    assert again.json()["error"] == "invalid_transaction_id"


def test_deferred_and_refused(university: University, wallet: Wallet) -> None:
    offer = university.offer(is_deferred=True)
    token = wallet.redeem(offer["uri"]).json()["access_token"]
    proof = wallet.prove(Key(), wallet.ask_nonce())
    waiting = wallet.ask_credential(token, proof, credential_configuration_id=SD_JWT).json()
    decision = {"offer": offer["id"], "is_approved": False}
    assert university.post(REGISTRAR, "/v1/openid/decisions", **decision).status_code == 200
    answer = wallet.post(
        f"{PUBLIC}/openid/deferred",
        json={"transaction_id": waiting["transaction_id"]},
        headers={"authorization": f"Bearer {token}"},
    )
    assert answer.json()["error"] == "credential_request_denied"


def test_notification_is_noted_for_the_clerk(university: University, wallet: Wallet) -> None:
    offer = university.offer()
    token = wallet.redeem(offer["uri"]).json()["access_token"]
    proof = wallet.prove(Key(), wallet.ask_nonce())
    given = wallet.ask_credential(token, proof, credential_configuration_id=SD_JWT).json()
    url, headers = f"{PUBLIC}/openid/notification", {"authorization": f"Bearer {token}"}
    said = {"notification_id": given["notification_id"], "event": "credential_accepted"}
    assert wallet.post(url, json=said).status_code == 401
    wrong = wallet.post(url, json={**said, "event": "credential_sold"}, headers=headers)
    assert wrong.json()["error"] == "invalid_notification_request"
    wrong = wallet.post(url, json={**said, "notification_id": "x"}, headers=headers)
    assert wrong.json()["error"] == "invalid_notification_id"
    assert wallet.post(url, json=said, headers=headers).status_code == 204
    assert university.see_offer(offer)["state"] == "accepted"


def test_an_offer_to_a_holder_is_for_its_keys_alone(university: University, wallet: Wallet) -> None:
    offer = university.offer(subject=ADA.did)
    token = wallet.redeem(offer["uri"]).json()["access_token"]
    other = wallet.prove(Key(), wallet.ask_nonce())
    refused = wallet.ask_credential(token, other, credential_configuration_id=SD_JWT)
    assert refused.json()["error"] == "invalid_proof"
    proof = sign_as(ADA, wallet, wallet.ask_nonce())
    given = wallet.ask_credential(token, proof, credential_configuration_id=SD_JWT)
    assert given.status_code == 200, given.text
    claims = read_jwt(given.json()["credentials"][0]["credential"].split("~")[0])[1]
    assert claims["sub"] == ADA.did


class Issuing(Actor):
    """The university, by the key that issues."""

    def __init__(self) -> None:
        self.name, self.key, self.did, self.kid = "issuing", ISSUING, UNIVERSITY.did, KID


ISSUER = Issuing()


def sign_as(actor: Actor, wallet: Wallet, nonce: str, kid: str = "") -> str:
    """A proof by the key of an account, named by its DID URL."""
    header = {"typ": "openid4vci-proof+jwt", "alg": "EdDSA", "kid": kid or actor.kid}
    _header, claims = read_jwt(wallet.prove(Key(), nonce))
    signed = ".".join(encode(json.dumps(each).encode()) for each in (header, claims))
    return f"{signed}.{encode(actor.key.sign(signed.encode()))}"


# --- proofs of keys: what both implementations refuse ---


def make_wrong_proofs(wallet: Wallet, nonce: str) -> dict[str, list[str]]:
    """Proofs of which each has one thing wrong, by what is wrong."""
    key, other = Key(), Key()
    good = wallet.prove(key, nonce)
    head, body, mac = good.split(".")
    public_only = encode(json.dumps({"alg": "none", "typ": "openid4vci-proof+jwt"}).encode())
    return {
        "wrong_audience": [wallet.prove(key, nonce, aud="https://other.example")],
        "no_audience": [wallet.prove(key, nonce, aud=None)],
        "past": [wallet.prove(key, nonce, iat=1_700_000_000)],
        "future": [wallet.prove(key, nonce, iat=4_000_000_000)],
        "no_iat": [wallet.prove(key, nonce, iat=None)],
        "text_iat": [wallet.prove(key, nonce, iat="now")],
        "no_nonce": [wallet.prove(key, None)],
        "wrong_type": [wallet.prove(key, nonce, header={"typ": "JWT"})],
        "no_type": [wallet.prove(key, nonce, header={"typ": None})],
        "other_key": [wallet.prove(key, nonce, header={"jwk": other.jwk})],
        "jwk_and_kid": [wallet.prove(key, nonce, header={"kid": "k1"})],
        "no_key": [wallet.prove(key, nonce, header={"jwk": None})],
        "private_key": [wallet.prove(key, nonce, header={"jwk": {**key.jwk, "d": "AA"}})],
        "symmetric": [wallet.prove(key, nonce, header={"alg": "HS256"})],
        "critical": [wallet.prove(key, nonce, header={"crit": ["x"], "x": 1})],
        "unsigned": [f"{public_only}.{body}."],
        "truncated": [good[:-5]],
        "changed": [f"{head}.{body[:-4]}AAAA.{mac}"],
        "two_parts": [f"{head}.{body}"],
        "same_key_twice": [good, wallet.prove(key, nonce)],
        "one_of_two_wrong": [good, wallet.prove(other, nonce, aud="x")],
        "two_nonces": [good, wallet.prove(other, nonce + "A")],
    }


NONCE_CODES = {"no_nonce", "two_nonces"}


def test_wrong_proofs_are_refused_here_and_by_the_oracle(
    university: University, wallet: Wallet
) -> None:
    token = wallet.redeem(university.offer(copies=2)["uri"]).json()["access_token"]
    nonce = wallet.ask_nonce()
    wrong = make_wrong_proofs(wallet, nonce)
    for name, proofs in wrong.items():
        answer = wallet.ask_credential(token, *proofs, credential_configuration_id=SD_JWT)
        expected = "invalid_nonce" if name in NONCE_CODES else "invalid_proof"
        assert (answer.status_code, answer.json()["error"]) == (400, expected), (name, answer.text)
        with pytest.raises(OpenvcError):
            judge_by_oracle(proofs, nonce)
    # nothing of all that used the nonce, or the token
    good = [wallet.prove(Key(), nonce), wallet.prove(Key(), nonce)]
    assert len(judge_by_oracle(good, nonce)) == 2
    given = wallet.ask_credential(token, *good, credential_configuration_id=SD_JWT)
    assert given.status_code == 200 and len(given.json()["credentials"]) == 2


def judge_by_oracle(proofs: list[str], nonce: str) -> Any:
    """The same request, judged by openvc."""
    request = {"credential_configuration_id": SD_JWT, "proofs": {"jwt": proofs}}
    return verify_credential_request_proofs(
        request, credential_issuer=PUBLIC, check_nonce=lambda given: given == nonce, batch_size=16
    )


def test_wrong_c_nonce(university: University, wallet: Wallet) -> None:
    token = wallet.redeem(university.offer(copies=3)["uri"]).json()["access_token"]

    def ask(nonce: str) -> Any:
        proof = wallet.prove(Key(), nonce)
        return wallet.ask_credential(token, proof, credential_configuration_id=SD_JWT).json()

    live = wallet.ask_nonce()
    forged = base64.urlsafe_b64encode(bytes(56)).decode().rstrip("=")
    for nonce in ("made-up", live[:-2] + "AA", live[1:], forged):
        assert ask(nonce)["error"] == "invalid_nonce"
    assert "credentials" in ask(live)
    assert ask(live)["error"] == "invalid_nonce"  # replayed
    old = wallet.ask_nonce()
    university.late_ms = 299_000
    assert "credentials" in ask(old)
    old = wallet.ask_nonce()
    university.late_ms += 300_001
    assert wallet.ask_credential(
        token,
        wallet.prove(Key(), old, iat=university.clock() // 1000),
        credential_configuration_id=SD_JWT,
    ).json()["error"] == "invalid_nonce"  # fmt: skip


def test_keys_that_are_no_longer_or_not_of_their_did(
    university: University, wallet: Wallet
) -> None:
    token = wallet.redeem(university.offer()["uri"]).json()["access_token"]
    nonce = wallet.ask_nonce()
    wrong = [
        sign_as(ADA, wallet, nonce, kid=UNIVERSITY.kid),
        sign_as(ADA, wallet, nonce, kid=f"{ADA.did}#k9"),
        sign_as(ADA, wallet, nonce, kid="did:web:files.example#k1"),
        sign_as(ADA, wallet, nonce, kid="k1"),
        sign_as(Actor("nobody"), wallet, nonce),
        sign_as(ISSUER, wallet, nonce),  # that key issues, and authenticates nobody
    ]
    for proof in wrong:
        answer = wallet.ask_credential(token, proof, credential_configuration_id=SD_JWT)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_proof")


def test_wrong_credential_requests(university: University, wallet: Wallet) -> None:
    token = wallet.redeem(university.offer()["uri"]).json()["access_token"]
    url, headers = f"{PUBLIC}/openid/credential", {"authorization": f"Bearer {token}"}
    proofs = {"jwt": [wallet.prove(Key(), wallet.ask_nonce())]}
    named = {"credential_configuration_id": SD_JWT, "proofs": proofs}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"proofs": proofs}, "invalid_credential_request"),
        ({**named, "credential_identifier": SD_JWT}, "invalid_credential_request"),
        ({**named, "credential_configuration_id": 7}, "invalid_credential_request"),
        ({**named, "credential_configuration_id": "nothing"}, "unknown_credential_configuration"),
        ({**named, "credential_configuration_id": LDP}, "invalid_credential_request"),
        ({"credential_identifier": "x", "proofs": proofs}, "unknown_credential_identifier"),
        ({**named, "proofs": {}}, "invalid_proof"),
        ({**named, "proofs": {"jwt": []}}, "invalid_proof"),
        ({**named, "proofs": {"jwt": [1]}}, "invalid_proof"),
        ({**named, "proofs": {"cwt": ["x"]}}, "invalid_proof"),
        ({**named, "proofs": {"jwt": proofs["jwt"] * 17}}, "invalid_proof"),
        ({**named, "credential_response_encryption": {}}, "invalid_encryption_parameters"),
    ]
    for body, expected in cases:
        answer = wallet.post(url, json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (400, expected), body
    for data, media, status in (
        (b"{", "application/json", 400),
        (b'{"a":1,"a":2}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 40 + b"]" * 40, "application/json", 400),
        (b"a=1", "application/x-www-form-urlencoded", 400),
        (b'{"a":"' + b"x" * 250_000 + b'"}', "application/json", 413),
    ):
        answer = wallet.post(url, content=data, headers={**headers, "content-type": media})
        assert answer.status_code == status, (data[:20], answer.text)
        assert answer.json()["error"] == "invalid_credential_request"
    assert wallet.post(url, json=named).status_code == 401
    bad = wallet.post(url, json=named, headers={"authorization": "Basic eDp5"})
    assert (bad.status_code, bad.json()["error"]) == (401, "invalid_token")
    assert wallet.post(url, json=named, headers=headers).status_code == 200


def test_wrong_token_requests(university: University, wallet: Wallet) -> None:
    grant = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
    url = f"{PUBLIC}/openid/token"
    for form, expected in (
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": grant}, "invalid_request"),
        ({"grant_type": grant, "pre-authorized_code": "made-up"}, "invalid_grant"),
        ({"grant_type": grant, "pre-authorized_code": "é"}, "invalid_grant"),
        ({"grant_type": grant, "pre-authorized_code": "x" * 5_000}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_request"),
    ):
        answer = wallet.ask_token(**form)
        assert (answer.status_code, answer.json()["error"]) == (400, expected), form
    form_media = {"content-type": "application/x-www-form-urlencoded"}
    for data, headers, status in (
        (b"grant_type=a&grant_type=b", form_media, 400),
        (b"grant_type=%ff", form_media, 400),
        (b"\xff=\xff", form_media, 400),
        (b"&".join(b"a%d=1" % number for number in range(50)), form_media, 400),
        (b"a=" + b"x" * 70_000, form_media, 413),
        (b'{"grant_type":"x"}', {"content-type": "application/json"}, 400),
        (b"grant_type=a", {}, 400),
    ):
        answer = wallet.post(url, content=data, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (status, "invalid_request")
    assert wallet.http.get("/openid/token").status_code == 405
    assert university.offer()


def test_clerks_who_may_not_offer(university: University) -> None:
    asked = {"configuration": SD_JWT, "claims": CLAIMS}
    for actor, status in ((None, 401), (PORTER, 403), (EMPLOYER, 403), (ADA, 403)):
        assert university.post(actor, "/v1/openid/offers", **asked).status_code == status
    offer = university.offer()
    for actor, status in ((None, 401), (PORTER, 403), (EMPLOYER, 403)):
        assert university.get(actor, f"/v1/openid/offers/{offer['id']}").status_code == status
    assert university.get(REGISTRAR, "/v1/openid/offers/nothing").status_code == 404


@pytest.mark.parametrize("form", ["dc+sd-jwt", "ldp_vc"])
def test_what_no_credential_can_say_is_refused_to_the_clerk(
    university: University, form: str
) -> None:
    """A schema may allow claims that are the credential's own; dates may be none."""
    name = f"free-{len(form)}"
    document = {"$schema": SCHEMA["$schema"], "type": "object", "title": name}
    text = encode_canonical(document).decode()
    university.commit("schemas", PublishSchema(name=name, version="1.0.0", document=text))
    asked: dict[str, Any] = {"configuration": f"{name}-1.0.0.{form}", "claims": {"a": 1}}
    assert university.post(REGISTRAR, "/v1/openid/offers", **asked).status_code == 201
    wrong: list[dict[str, Any]] = [{"valid_until_ms": 10**15}]
    if form == "dc+sd-jwt":
        wrong += [{"claims": {"iss": "x"}}, {"claims": {"_sd": ["x"]}}, {"claims": {"...": 1}}]
    for change in wrong:
        answer = university.post(REGISTRAR, "/v1/openid/offers", **{**asked, **change})
        said = (answer.status_code, answer.json().get("code"))
        assert said == (422, "openid.wrong_claims"), (change, answer.text)


def test_offers_that_cannot_be_kept_are_not_made(university: University) -> None:
    good: dict[str, Any] = {"configuration": SD_JWT, "claims": CLAIMS}
    for change, code in (
        ({"configuration": "passport"}, "openid.unknown_configuration"),
        ({"claims": {**CLAIMS, "degree": "PhD"}}, "openid.wrong_claims"),
        ({"claims": {**CLAIMS, "name": "x" * 70_000}}, "openid.too_large"),
        ({"list": "nothing", "indexes": [1]}, "openid.unknown_list"),
        ({"list": "degrees", "indexes": [1000]}, "openid.wrong_indexes"),
        ({"list": "degrees", "indexes": [1, 1], "copies": 2}, "openid.wrong_indexes"),
        ({"list": "degrees", "indexes": [1], "copies": 2}, "openid.wrong_indexes"),
        ({"copies": 17}, "openid.wrong_number"),
        ({"lasts_ms": 10**12}, "openid.wrong_number"),
        ({"grant": "authorisation", "has_tx_code": True}, "openid.wrong_grant"),
        ({"subject": "ada@example.org"}, "openid.wrong_subject"),
        ({"valid_until_ms": 5}, "openid.wrong_validity"),
        ({"unknown": 1}, "api.not_json"),
        ({"copies": "3"}, "api.not_json"),
    ):
        answer = university.post(REGISTRAR, "/v1/openid/offers", **{**good, **change})
        assert answer.json()["code"] == code, (change, answer.text)
        assert 400 <= answer.status_code < 500

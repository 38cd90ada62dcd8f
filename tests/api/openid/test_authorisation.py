"""The authorisation code: pushed requests, approval by clerk or holder, PKCE."""

import hashlib
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hansa.testing.chain import Actor
from tests.api.openid.university import (
    ADA,
    EMPLOYER,
    PORTER,
    PUBLIC,
    REGISTRAR,
    SD_JWT,
    University,
)
from tests.api.openid.wallet import Key, Wallet, encode

pytestmark = pytest.mark.slow
BACK = "com.wallet.example:/back?x=1"


class Flow:
    """A wallet on its way through the authorisation server."""

    def __init__(self, university: University, wallet: Wallet, **offer: Any) -> None:
        self.university, self.wallet = university, wallet
        self.offer = university.offer(grant="authorisation", **offer)
        grants = wallet.open_offer(self.offer["uri"])["grants"]
        self.issuer_state = grants["authorization_code"]["issuer_state"]
        self.verifier = encode(secrets.token_bytes(32))
        self.pushed = ""

    def push(self, **change: str | None) -> httpx.Response:
        challenge = encode(hashlib.sha256(self.verifier.encode()).digest())
        form = {
            "response_type": "code",
            "client_id": "wallet-1",
            "redirect_uri": BACK,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "scope": SD_JWT,
            "state": "s 1",
            "issuer_state": self.issuer_state,
            **change,
        }
        sent = {name: value for name, value in form.items() if value is not None}
        answer = self.wallet.post(f"{PUBLIC}/openid/par", data=sent)
        self.pushed = answer.json().get("request_uri", "")
        return answer

    def look(self, **change: str) -> httpx.Response:
        fields = {"client_id": "wallet-1", "request_uri": self.pushed, **change}
        return self.wallet.get(f"{PUBLIC}/openid/authorize", params=fields)

    def read_pairing(self) -> str:
        page = self.look()
        assert page.status_code == 200 and page.headers["refresh"] == "3"
        return page.text.partition("<strong>")[2].partition("</strong>")[0]

    def decide(self, actor: Actor, pairing: str, is_approved: bool = True) -> int:
        said = {"pairing": pairing, "is_approved": is_approved}
        return self.university.post(actor, "/v1/openid/decisions", **said).status_code

    def come_back(self) -> dict[str, str]:
        answer = self.look()
        assert answer.status_code == 302 and answer.headers["location"].startswith(BACK + "&")
        fields = parse_qs(urlsplit(answer.headers["location"]).query)
        return {name: value for name, (value,) in fields.items()}

    def redeem(self, code: str, **change: str) -> httpx.Response:
        return self.wallet.ask_token(
            **{
                "grant_type": "authorization_code",
                "code": code,
                "client_id": "wallet-1",
                "redirect_uri": BACK,
                "code_verifier": self.verifier,
                **change,
            }
        )


def test_happy_flow_approved_by_a_clerk(university: University, wallet: Wallet) -> None:
    flow = Flow(university, wallet)
    assert flow.push().status_code == 201
    pairing = flow.read_pairing()
    assert university.see_offer(flow.offer)["state"] == "waiting"
    blindly = {"offer": flow.offer["id"], "is_approved": True}
    answer = university.post(REGISTRAR, "/v1/openid/decisions", **blindly)
    assert answer.json()["code"] == "openid.no_wallet"
    assert flow.decide(PORTER, pairing) == flow.decide(EMPLOYER, pairing) == 403
    assert flow.decide(REGISTRAR, "AAAA-AAAA") == 404
    assert flow.decide(REGISTRAR, pairing) == 200
    assert flow.decide(REGISTRAR, pairing, False) == 409
    back = flow.come_back()
    assert (back["state"], back["iss"]) == ("s 1", PUBLIC)
    token = flow.redeem(back["code"]).json()["access_token"]
    proof = wallet.prove(Key(), wallet.ask_nonce())
    given = wallet.ask_credential(token, proof, credential_configuration_id=SD_JWT)
    assert given.status_code == 200, given.text
    assert flow.redeem(back["code"]).json()["error"] == "invalid_grant"  # replayed code
    assert flow.look().json()["error"] == "invalid_request_uri"  # answered
    assert flow.push().json()["error"] == "invalid_request"


def test_happy_flow_approved_by_the_holder(university: University, wallet: Wallet) -> None:
    flow = Flow(university, wallet, subject=ADA.did)
    details = [{"type": "openid_credential", "credential_configuration_id": SD_JWT}]
    assert flow.push(scope=None, authorization_details=json.dumps(details)).status_code == 201
    assert flow.decide(ADA, flow.read_pairing()) == 200
    assert flow.redeem(flow.come_back()["code"]).status_code == 200


def test_refused_by_the_clerk(university: University, wallet: Wallet) -> None:
    flow = Flow(university, wallet)
    flow.push()
    assert flow.decide(REGISTRAR, flow.read_pairing(), False) == 200
    assert flow.come_back()["error"] == "access_denied"


def test_who_is_approved_is_this_wallet_and_no_other(
    university: University, wallet: Wallet
) -> None:
    """Somebody who saw the offer too pushes a request of his own: it ends the one before."""
    flow = Flow(university, wallet)
    flow.push()
    first, pairing = flow.pushed, flow.read_pairing()
    flow.push(client_id="thief", code_challenge=encode(bytes(32)))
    assert flow.decide(REGISTRAR, pairing) == 404
    flow.pushed = first
    assert flow.look().json()["error"] == "invalid_request_uri"


def test_wrong_pkce(university: University, wallet: Wallet) -> None:
    flow = Flow(university, wallet)
    flow.push()
    flow.decide(REGISTRAR, flow.read_pairing())
    code = flow.come_back()["code"]
    assert flow.redeem(code, code_verifier="short").json()["error"] == "invalid_grant"
    wrong = flow.redeem(code, code_verifier=encode(secrets.token_bytes(32)))
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    assert flow.redeem(code).json()["error"] == "invalid_grant"  # a stolen code is void
    assert university.see_offer(flow.offer)["state"] == "failed"


@pytest.mark.parametrize("change", [{"client_id": "other"}, {"redirect_uri": "https://x.example"}])
def test_a_code_is_for_the_wallet_that_asked(
    university: University, wallet: Wallet, change: dict[str, str]
) -> None:
    flow = Flow(university, wallet)
    flow.push()
    assert flow.look(client_id="other").json()["error"] == "invalid_client"
    flow.decide(REGISTRAR, flow.read_pairing())
    assert flow.redeem(flow.come_back()["code"], **change).json()["error"] == "invalid_grant"


def test_expired_code(university: University, wallet: Wallet) -> None:
    flow = Flow(university, wallet)
    flow.push()
    flow.decide(REGISTRAR, flow.read_pairing())
    code = flow.come_back()["code"]
    university.late_ms = 120_001
    assert flow.redeem(code).json()["error"] == "invalid_grant"


def test_codes_of_the_two_grants_are_not_exchanged(university: University, wallet: Wallet) -> None:
    flow = Flow(university, wallet)
    grant = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
    form = {"grant_type": grant, "pre-authorized_code": flow.issuer_state}
    assert wallet.ask_token(**form).json()["error"] == "invalid_grant"
    flow.push()
    flow.decide(REGISTRAR, flow.read_pairing())
    form["pre-authorized_code"] = flow.come_back()["code"]
    assert wallet.ask_token(**form).json()["error"] == "invalid_grant"
    offered = wallet.open_offer(university.offer()["uri"])["grants"][grant]["pre-authorized_code"]
    assert flow.redeem(offered).json()["error"] == "invalid_grant"


def test_wrong_pushed_requests(university: University, wallet: Wallet) -> None:
    flow = Flow(university, wallet)
    cases: list[tuple[dict[str, str | None], str]] = [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "passport"}, "invalid_scope"),
        ({"issuer_state": None}, "invalid_request"),
        ({"issuer_state": "made-up"}, "invalid_request"),
        ({"request_uri": "https://x.example"}, "invalid_request"),
        ({"client_id": None}, "invalid_request"),
        ({"authorization_details": "{"}, "invalid_authorization_details"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        *(
            ({"redirect_uri": uri}, "invalid_request")
            for uri in (
                "javascript:alert(1)",
                "http://wallet.example/back",
                "https://wallet.example/#x",
                "data:text/html,x",
                "//wallet.example",
                "https://wallet.example/\r\nset-cookie: a=b",
            )
        ),
    ]
    for change, expected in cases:
        answer = flow.push(**change)
        assert (answer.status_code, answer.json()["error"]) == (400, expected), change
    assert flow.push(redirect_uri="http://127.0.0.1:5000/back").status_code == 201
    for fields in ({}, {"request_uri": "urn:x"}, {"request_uri": flow.pushed[:-1] + "!"}):
        answer = wallet.get(f"{PUBLIC}/openid/authorize", params=fields)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request_uri")

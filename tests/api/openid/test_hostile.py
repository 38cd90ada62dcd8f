"""Whatever is sent to the doors for wallets: an answer in the standard's form, never a fault."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hansa.contracts.schemas.model import PublishSchema
from hansa.encoding.canonical import encode_canonical
from hansa.identity.json_schema import DIALECT
from tests.api.openid.test_presentation import QUERY
from tests.api.openid.university import REGISTRAR, SD_JWT, University
from tests.api.openid.wallet import Key, Wallet

pytestmark = pytest.mark.slow
POSTS = ("par", "token", "nonce", "credential", "deferred", "notification")
NAMES = (
    "grant_type pre-authorized_code tx_code code redirect_uri client_id code_verifier scope state "
    "issuer_state authorization_details response_type code_challenge code_challenge_method "
    "request_uri credential_configuration_id credential_identifier proofs transaction_id "
    "notification_id event vp_token error response wallet_nonce credential_response_encryption"
).split()
VALUES = (
    "urn:ietf:params:oauth:grant-type:pre-authorized_code",
    "authorization_code",
    SD_JWT,
    "S256",
    "code",
    "A" * 43,
    "wallet:/x",
    "[]",
    "{}",
    "[{}]",
)
TEXTS = st.one_of(st.sampled_from(VALUES), st.text(max_size=40))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=8,
)
SETTINGS = settings(
    max_examples=30, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def encode_json(value: object) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def check(answer: Any) -> None:
    """2xx, or 4xx with a code; nothing else."""
    assert answer.status_code < 500, (answer.request.url, answer.text)
    if answer.status_code >= 400:
        said = answer.json()
        assert said.get("error") or said.get("code"), answer.text
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", POSTS)
def test_bodies(university: University, wallet: Wallet, path: str) -> None:
    token = wallet.redeem(university.offer(copies=16)["uri"]).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}

    @SETTINGS
    @given(
        st.dictionaries(st.sampled_from(NAMES), JSON, max_size=5),
        st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=8),
        st.binary(max_size=60),
    )
    def send(document: dict[str, Any], form: dict[str, str], data: bytes) -> None:
        url = f"/openid/{path}"
        as_json = {**headers, "content-type": "application/json"}
        check(wallet.http.post(url, content=encode_json(document), headers=as_json))
        plain = {name: value.encode("utf-8", "ignore") for name, value in form.items()}
        check(wallet.http.post(url, data=plain, headers=headers))
        check(wallet.http.post(url, content=data, headers=as_json))

    send()


def test_proofs(university: University, wallet: Wallet) -> None:
    token = wallet.redeem(university.offer(copies=16)["uri"]).json()["access_token"]
    nonce, key = wallet.ask_nonce(), Key()
    heads = st.dictionaries(st.sampled_from(("typ", "alg", "kid", "jwk", "crit", "x5c")), JSON)
    claims = st.dictionaries(st.sampled_from(("aud", "iat", "nonce", "exp", "iss")), JSON)

    @SETTINGS
    @given(heads, claims)
    def send(head: dict[str, Any], said: dict[str, Any]) -> None:
        own = said.pop("nonce", nonce)
        proof = wallet.prove(key, own, header=head, **said)
        check(wallet.ask_credential(token, proof, credential_configuration_id=SD_JWT))

    send()


def test_answers(university: University, wallet: Wallet) -> None:
    """One request stands all of it, and is answered at last by nobody."""
    request = wallet.fetch_request(university.ask(QUERY)["uri"])
    tokens = st.dictionaries(st.sampled_from(("degree", "other")), JSON, max_size=2)

    @SETTINGS
    @given(tokens, st.binary(max_size=60))
    def send(token: dict[str, Any], data: bytes) -> None:
        check(wallet.post(request["response_uri"], data={
            "vp_token": encode_json(token), "state": request["state"],
        }))  # fmt: skip
        form = {"content-type": "application/x-www-form-urlencoded"}
        check(wallet.post(request["response_uri"], content=data, headers=form))

    send()


@pytest.mark.parametrize("form", ["dc+sd-jwt", "ldp_vc"])
def test_claims(university: University, wallet: Wallet, form: str) -> None:
    """Of a schema that allows everything: an offer or a refusal, and what is offered is issued."""
    name = f"any-{len(form)}"
    document = {"$schema": DIALECT, "type": "object", "title": name}
    text = encode_canonical(document).decode()
    university.commit("schemas", PublishSchema(name=name, version="1.0.0", document=text))
    configuration = f"{name}-1.0.0.{form}"
    inner = st.dictionaries(st.text(max_size=4), JSON, max_size=3)
    named = st.dictionaries(st.sampled_from(("id", "iss", "status", "_sd", "...", "x")), JSON)
    with httpx.Client(base_url=university.url, timeout=60) as clerk:
        university.sign_in(clerk, REGISTRAR)

        @settings(SETTINGS, max_examples=12)
        @given(st.one_of(inner, named))
        def send(claims: dict[str, Any]) -> None:
            body = encode_json({"configuration": configuration, "claims": claims})
            media = {"content-type": "application/json"}
            answer = clerk.post("/v1/openid/offers", content=body, headers=media)
            check(answer)
            if answer.status_code == 201:
                assert wallet.receive(answer.json()["uri"], configuration, Key())

        send()


PATHS = (
    *("offers/x", "request/x", "response/x", "authorize", "nothing", "token?x=1"),
    *("request/%00", "request/%ff", "response/%C3%A9", "offers/" + "x" * 99),
    *("authorize?a=1&a=2", "authorize?request_uri=%ff"),
)


def test_addresses(wallet: Wallet) -> None:
    for path in PATHS:
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
            answer = wallet.http.request(method, f"/openid/{path}")
            assert answer.status_code < 500, (method, path, answer.text)
    for path in ("/.well-known/openid-credential-issuer?x=1", "/.well-known/x"):
        assert wallet.http.get(path).status_code in (200, 404)

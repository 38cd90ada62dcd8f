"""The doors themselves: whose key stands in them, what they remember, what they write down."""

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import structlog

from hansa.api.openid.issuer import Issuer, list_configurations
from hansa.contracts.accounts.model import RevokeKey
from hansa.contracts.schemas.model import DeprecateSchema, PublishSchema, UpdateSchema
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import encode_canonical
from hansa.testing.chain import make_key
from tests.api.openid.test_presentation import QUERY
from tests.api.openid.university import (
    ADA,
    CLAIMS,
    ISSUING,
    KID,
    LDP,
    PORTER,
    PUBLIC,
    REGISTRAR,
    SCHEMA,
    SD_JWT,
    UNIVERSITY,
    University,
)
from tests.api.openid.wallet import Key, Wallet

pytestmark = pytest.mark.slow
OPEN = (
    "/.well-known/openid-credential-issuer",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwt-vc-issuer",
)


def read_all(folder: Path) -> bytes:
    """Every file of the node: ledger, read model, notebook."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_nothing_of_a_person_stands_in_files_or_logs(
    university: University, wallet: Wallet
) -> None:
    canary = "Canary-7731"
    with structlog.testing.capture_logs() as logs:
        offer = university.offer(is_by_reference=True, has_tx_code=True)
        waiting = university.offer()
        before = read_all(university.home.parent)
        key = Key()
        credential = wallet.receive(offer["uri"], SD_JWT, key, tx_code=offer["tx_code"])
        made = university.ask(QUERY | {"credentials": [
            {**QUERY["credentials"][0], "claims": [{"path": ["name"]}]}
        ]})  # fmt: skip
        request = wallet.fetch_request(made["uri"])
        shown = wallet.present(credential, key, request, ("name",))
        assert wallet.answer(request, {"degree": [shown]}).status_code == 200
        after = read_all(university.home.parent)
        seen = university.see_request(made)
    assert seen["answer"]["presentations"][0]["claims"] == [{"name": f"Ada {canary}"}]
    secrets = (offer["id"], waiting["id"], made["id"], offer["uri"][-24:])
    marks = [text.encode() for text in (canary, canary[::-1], *secrets)]
    marks += [canary.encode().hex().encode()]
    marks += [base64.urlsafe_b64encode(b"x" * pad + canary.encode())[4:12] for pad in range(3)]
    for mark in marks:
        assert mark not in before + after, mark
    written = json.dumps(logs, default=str)
    paths = [each["route"] for each in logs if each["event"] == "request"]
    assert {"/openid/response/{handle}", "/openid/offers/{secret}"} <= set(paths)
    assert not [mark for mark in (canary, *secrets, credential[:40]) if mark in written]


def test_a_code_given_to_many_at_once_is_one_token(university: University, wallet: Wallet) -> None:
    offer = university.offer()
    ready = threading.Barrier(6)

    def redeem(_number: int) -> int:
        own = Wallet(university.url, PUBLIC)
        with own.http:
            ready.wait()
            return own.redeem(offer["uri"]).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(redeem, range(6))) == [200, 400, 400, 400, 400, 400]


def test_a_proof_sent_twice_at_once_is_one_credential(
    university: University, wallet: Wallet
) -> None:
    token = wallet.redeem(university.offer(copies=8)["uri"]).json()["access_token"]
    proof = wallet.prove(Key(), wallet.ask_nonce())
    ready = threading.Barrier(6)

    def ask(_number: int) -> Any:
        own = Wallet(university.url, PUBLIC)
        with own.http:
            ready.wait()
            return own.ask_credential(token, proof, credential_configuration_id=SD_JWT).json()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(6)))
    assert sum("credentials" in each for each in answers) == 1
    assert {each.get("error") for each in answers} == {None, "invalid_nonce"}


def test_offers_outlive_the_gateway_and_tokens_too(university: University, wallet: Wallet) -> None:
    """What is remembered is in a file: another drawer over it knows it."""
    from hansa.api.openid.drawer import Drawer
    from hansa.api.openid.promises import TOKEN, Token

    token = wallet.redeem(university.offer()["uri"]).json()["access_token"]
    again = Drawer(university.app.gate.notebooks.of("openid"), university.clock)
    found = again.find(TOKEN, token, Token)
    assert found is not None and found[0].promise.claims == CLAIMS


def test_what_is_issued_follows_the_ledger(university: University) -> None:
    gate = university.app.gate
    signer = gate.service.issuing_signer("openid")
    assert signer is not None

    def list_ids() -> set[str]:
        from hansa.ledger.state import get_system
        from hansa.ledger.system import Account

        account = get_system(gate.ledger.state, Account, UNIVERSITY.did)
        assert account is not None
        return set(list_configurations(gate.ledger.state, Issuer(signer, account)))

    assert list_ids() == {SD_JWT, LDP}
    text = encode_canonical({**SCHEMA, "title": "Licence"}).decode()
    university.commit("schemas", PublishSchema(name="licence", version="1.0.0", document=text))
    assert list_ids() == {SD_JWT, LDP, "licence-1.0.0.dc+sd-jwt", "licence-1.0.0.ldp_vc"}
    newer = encode_canonical({**SCHEMA, "title": "Licence 2"}).decode()
    first = sha256(text.encode()).hex()
    university.commit(
        "schemas", UpdateSchema(name="licence", version="1.1.0", document=newer, replaces=first)
    )
    assert "licence-1.1.0.ldp_vc" in list_ids() and "licence-1.0.0.ldp_vc" not in list_ids()
    gone = DeprecateSchema(schema=sha256(newer.encode()).hex(), reason="test")
    university.commit("schemas", gone)
    assert list_ids() == {SD_JWT, LDP}


def test_the_key_in_the_doors_can_only_issue_and_is_no_persons(
    university: University, wallet: Wallet
) -> None:
    """Last of its module: it takes the university's key away."""
    asked = {"configuration": SD_JWT, "claims": CLAIMS}
    standing = university.offer()
    request = university.ask(QUERY)
    persons = make_key("registrar issues")
    university.add_key(REGISTRAR, f"{REGISTRAR.did}#issue", persons)
    for kid, key in (
        (f"{REGISTRAR.did}#issue", persons),
        (UNIVERSITY.kid, UNIVERSITY.key),  # signs transactions too
        (ADA.kid, ADA.key),
        (REGISTRAR.kid, REGISTRAR.key),
        (f"{UNIVERSITY.did}#none", make_key("none")),
    ):
        university.put_key(kid, key)
        for path in OPEN:
            answer = wallet.http.get(path)
            assert (answer.status_code, "error" in answer.json()) == (404, True)
        assert university.post(REGISTRAR, "/v1/openid/offers", **asked).status_code == 403
        assert university.post(PORTER, "/v1/openid/requests", dcql_query=QUERY).status_code == 403
    university.put_key(KID, ISSUING)
    token = wallet.redeem(standing["uri"]).json()["access_token"]
    university.commit("accounts", RevokeKey(account=UNIVERSITY.did, key_id="issue", reason="test"))
    for path in (*OPEN, request["uri"].partition("request_uri=")[2].partition("&")[0]):
        path = path.replace("https%3A%2F%2Funiversity.example", "").replace("%2F", "/")
        assert wallet.http.get(path).status_code == 404, path
    proof = wallet.prove(Key(), "n")
    answer = wallet.ask_credential(token, proof, credential_configuration_id=SD_JWT)
    assert (answer.status_code, answer.json()["error"]) == (404, "temporarily_unavailable")
    assert wallet.post(f"{PUBLIC}/openid/nonce").status_code == 404

"""Submitting: one id and one effect whatever the network does; answers that say what to do."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import msgspec
import pytest

from hansa.client.transactions import Draft, build_payload, sign_payload
from hansa.client.trust import build_trust_root
from hansa.client.verify import verify_receipt
from hansa.ledger.genesis import encode_genesis
from hansa.ledger.transactions import decode_transaction
from hansa.primitives.limits import TRANSACTION_BYTES_MAX
from hansa.testing.chain import Actor
from tests.api.league import ADA, BEA, CAI, CHAIN, CHIEF, League, serve_league
from tests.api.parcels import OpenDepot, PlanClosing, SendParcel, Weigh

JOSE = {"content-type": "application/jose"}
PARALLEL = 1_000
CLIENTS = 25


def submit(client: httpx.Client, data: bytes, media: str = "application/jose") -> httpx.Response:
    return client.post("/v1/transactions", content=data, headers={"content-type": media})


@pytest.mark.slow
def test_the_same_bytes_a_thousand_times_in_parallel_are_one_effect(league: League) -> None:
    data = league.sign(ADA, Weigh(parcel="many", number=1))
    shares = [PARALLEL // CLIENTS] * CLIENTS

    def send(count: int) -> list[httpx.Response]:
        with league.client() as client:
            return [submit(client, data) for _number in range(count)]

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [answer for found in pool.map(send, shares) for answer in found]
    assert len(answers) == PARALLEL
    assert {answer.status_code for answer in answers} == {202}
    (identity,) = {answer.json()["id"] for answer in answers}
    with league.client(ADA) as client:
        found = client.get(f"/v1/transactions/{identity}", params={"wait": 30}).json()
        assert found["state"] == "committed"
        again = submit(client, data)
        assert (again.status_code, again.json()["id"]) == (202, identity)
        assert again.json()["state"] == "committed"
        history = client.get("/v1/history/parcels/weighing/many/1").json()
    assert [item["transaction"] for item in history["items"]] == [identity]
    base, last = league.node.heights()
    blocks = [league.node.block(height) for height in range(base, last + 1)]
    assert sum(block.transactions.count(data) for block in blocks) == 1


def test_after_waiting_everything_can_be_read(league: League) -> None:
    with league.client(ADA) as client:
        for number in range(30):
            data = league.sign(ADA, Weigh(parcel="fresh", number=number))
            status = submit(client, data).json()["status"]
            assert client.get(status, params={"wait": 30}).json()["state"] == "committed"
            assert client.get(f"/v1/apps/parcels/weighing/fresh/{number}").status_code == 200


def submit_and_leave(url: str, data: bytes) -> None:
    """A client whose patience ends just before it reads the answer: it knows nothing of it."""
    place = httpx.URL(url)
    head = f"POST /v1/transactions HTTP/1.1\r\nhost: {place.host}\r\n"
    head += f"content-type: application/jose\r\ncontent-length: {len(data)}\r\n\r\n"
    with socket.create_connection((place.host, place.port or 80)) as connection:
        connection.sendall(head.encode() + data)
        assert connection.recv(1, socket.MSG_PEEK)


def test_after_a_time_out_the_status_is_asked_by_id(league: League) -> None:
    data = league.sign(ADA, Weigh(parcel="slow", number=1))
    submit_and_leave(league.url, data)
    identity = decode_transaction(data).hex_id
    with league.client() as client:
        found = client.get(f"/v1/transactions/{identity}", params={"wait": 30}).json()
        assert found["state"] == "committed"
        assert submit(client, data).json()["id"] == identity


def test_after_a_restart_the_bytes_are_sent_again_or_are_there(tmp_path: Path) -> None:
    with serve_league(tmp_path / "home") as league:
        data = league.sign(ADA, Weigh(parcel="restart", number=1))
        identity = submit(league.client(), data).json()["id"]
    with serve_league(tmp_path / "home") as league, league.client(ADA) as client:
        state = client.get(f"/v1/transactions/{identity}").json()["state"]
        assert state in ("unknown", "pending", "committed")
        assert submit(client, data).json()["id"] == identity
        found = client.get(f"/v1/transactions/{identity}", params={"wait": 30}).json()
        assert found["state"] == "committed"
        assert client.get("/v1/apps/parcels/weighing/restart/1").status_code == 200


def test_an_id_that_nobody_sent_is_unknown(league: League) -> None:
    with league.client() as client:
        answer = client.get(f"/v1/transactions/{'ab' * 32}", params={"wait": 30})
    assert (answer.status_code, answer.json()["state"]) == (200, "unknown")


def test_several_signers_come_as_jws_json(league: League) -> None:
    data = league.sign(ADA, Weigh(parcel="two", number=1), also=[BEA])
    assert data.startswith(b"{")
    with league.client(BEA) as client:
        identity = submit(client, data, "application/jose+json").json()["id"]
        client.get(f"/v1/transactions/{identity}", params={"wait": 30})
        given = client.get(f"/v1/transactions/{identity}/bytes")
    assert given.content == data
    assert given.headers["content-type"].startswith("application/jose+json")


def sign_foreign(signer: Actor, chain: str = CHAIN, expiry: int = 1_000) -> bytes:
    payload = build_payload(
        chain=chain,
        expiry=expiry,
        drafts=[Draft("parcels", OpenDepot(id="x", city="y"))],
        signers=[signer.kid],
    )
    return sign_payload(payload, [(signer.kid, signer.key)])


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "ledger.malformed"),
        (b"a.b", 400, "ledger.malformed"),
        (b"{" * 100_000, 400, "ledger.malformed"),
        (b"\xff\x00" * 50, 400, "ledger.malformed"),
        (b"x" * (TRANSACTION_BYTES_MAX + 1), 413, "api.too_large"),
        (sign_foreign(Actor("nobody")), 403, "ledger.unknown_signer"),
        (sign_foreign(ADA, chain="other-1"), 422, "ledger.wrong_chain"),
        (sign_foreign(ADA, expiry=10**9), 422, "ledger.expiry_too_far"),
        (sign_foreign(ADA)[:-4] + b"AAAA", 403, "ledger.wrong_signature"),
    ],
)
def test_a_refusal_has_code_rule_and_remedy(
    league: League, data: bytes, status: int, code: str
) -> None:
    with league.client() as client:
        answer = submit(client, data)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["rule"] and problem["remedy"] and problem["detail"] and problem["title"]
    assert problem["type"] == f"urn:hansa:problem:{code}"
    assert b"Traceback" not in answer.content


def test_a_rejected_message_says_which_rule(league: League) -> None:
    identity = league.commit(ADA, SendParcel(id="big", other=BEA.did, note="", grams=20_000))
    with league.client(ADA) as client:
        (message,) = client.get(f"/v1/transactions/{identity}").json()["messages"]
    assert message["code"] == "parcels.too_heavy"
    assert message["rule"] == "P1"
    assert message["text"] == "The parcel big weighs 20000 g, more than 10000."
    assert message["remedy"] == "Send two."
    assert message["params"] == {"grams": 20_000, "id": "big", "limit": 10_000}


@pytest.mark.parametrize("later", [0, 5])
def test_receipts_and_proofs_hold_before_the_offline_verifier(league: League, later: int) -> None:
    trust = build_trust_root(encode_genesis(league.genesis))
    messages = [
        SendParcel(id=f"r{later}", other=BEA.did, note="", grams=5),
        SendParcel(id=f"r{later}", other=BEA.did, note="", grams=50_000),
    ]
    identity = league.commit(ADA, *messages)
    for number in range(later):
        league.commit(CAI, OpenDepot(id=f"d{number}", city="x"))
    receipt = f"/v1/transactions/{identity}/messages"
    with league.client(ADA) as client:
        files = [
            client.get(f"{receipt}/0/receipt").content,
            client.get(f"{receipt}/1/receipt").content,
            client.get(f"/v1/proofs/parcels/parcel/r{later}").content,
            # The verifier knows the keys of the release's own kinds.
            client.get(f"/v1/proofs/permissions/grant/e_invoice/auditor/{ADA.did}/-").content,
        ]
    with league.client(BEA) as client:
        files.append(client.get(f"{receipt}/0/receipt").content)
    for data in files:
        verdict = verify_receipt(data, trust)
        assert all(step.ok for step in verdict.steps), verdict
        changed = data.replace(b'"height":', b'"heighT":', 1)
        assert not all(step.ok for step in verify_receipt(changed, trust).steps)


def test_a_fired_deadline_has_a_receipt_for_its_readers(league: League) -> None:
    league.commit(ADA, PlanClosing(id="closing", in_ms=1))
    while not (fired := _find_deadline(league)):
        league.commit(CAI, OpenDepot(id="tick", city="x"))
    trust = build_trust_root(encode_genesis(league.genesis))
    path = f"/v1/blocks/{fired}/deadlines/0/receipt"
    with league.client(CHIEF) as client:
        answer = client.get(path)
        assert all(step.ok for step in verify_receipt(answer.content, trust).steps)
        assert client.get(f"/v1/blocks/{fired}/deadlines/1/receipt").status_code == 404
        listed = client.get("/v1/messages").json()["items"]
        assert f"deadline/{fired}" in {item["transaction"] for item in listed}
    with league.client(CAI) as client:
        assert client.get(path).status_code == 404
    with league.client() as client:
        assert client.get(path).status_code == 401


def _find_deadline(league: League) -> int:
    base, last = league.node.heights()
    found = [h for h in range(base, last + 1) if league.node.block(h).results.deadlines]
    return found[0] if found and league.index.wait_height(last, 30) else 0


def test_wait_is_bounded(league: League) -> None:
    with league.client() as client:
        answer = client.get(f"/v1/transactions/{'ab' * 32}", params={"wait": 31})
        assert answer.status_code == 400
        assert answer.json()["params"] == {"name": "wait"}


def test_a_prepared_message_is_signed_and_submitted_as_it_is(league: League) -> None:
    from hansa.encoding.text import encode_base64url

    with league.client() as client:
        prepared = client.post(
            "/v1/apps/parcels/messages/OpenDepot",
            params={"signer": CAI.kid},
            json={"id": "prepared", "city": "澳門"},
        ).json()
        signature = encode_base64url(CAI.key.sign(prepared["signing_input"].encode()))
        data = f"{prepared['signing_input']}.{signature}".encode()
        answer = submit(client, data)
        assert (answer.status_code, answer.json()["id"]) == (202, prepared["id"])
        client.get(answer.json()["status"], params={"wait": 30})
        depot = client.get("/v1/apps/parcels/depot/prepared").json()
    assert depot == {"id": "prepared", "city": "澳門", "v": 1}
    assert prepared["canonical"].encode() == msgspec.json.encode(prepared["message"])


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("OpenDepot", b'{"id":"x"}', 422, "api.invalid_message"),
        ("OpenDepot", b'{"id":"x","city":1}', 422, "api.invalid_message"),
        ("OpenDepot", b'{"id":"x","city":"y","more":1}', 422, "api.invalid_message"),
        ("OpenDepot", b'{"id":"x","city":"y","v":9}', 422, "api.invalid_message"),
        ("SetTariff", b'{"id":"x","cents":9007199254740993}', 422, "api.invalid_message"),
        ("SetTariff", b'{"id":"x","cents":1.5}', 422, "api.invalid_message"),
        ("OpenDepot", b"[]", 422, "api.invalid_message"),
        ("OpenDepot", b"{", 400, "api.not_json"),
        ("OpenDepot", b"\xff", 400, "api.not_json"),
        ("OpenDepot", b"[" * 200_000, 400, "api.not_json"),
        ("OpenDepot", b'{"id":"\\ud800","city":"y"}', 400, "api.not_json"),
        ("OpenDepot", b'"' + b"x" * 300_000 + b'"', 413, "api.too_large"),
        ("CloseBook", b'{"id":"x"}', 403, "ledger.internal_message"),
        ("NoSuch", b"{}", 404, "api.not_found"),
    ],
)
def test_a_message_that_cannot_be_is_not_prepared(
    league: League, path: str, body: bytes, status: int, code: str
) -> None:
    with league.client() as client:
        answer = client.post(
            f"/v1/apps/parcels/messages/{path}",
            content=body,
            headers={"content-type": "application/json"},
        )
    assert (answer.status_code, answer.json()["code"]) == (status, code)

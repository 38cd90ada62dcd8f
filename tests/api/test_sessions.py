"""Signing in: a fresh challenge, a living key, a short bounded session that holds no rights."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import structlog

from hansa.api.limits import CHALLENGE_MS, SESSION_MS, SESSIONS_PER_ACCOUNT_MAX
from hansa.client.sessions import sign_session_statement
from hansa.testing.chain import Actor
from tests.api.league import ADA, BEA, CAI, CHIEF, CITIZEN, CLERK, League, serve_league
from tests.api.parcels import EndGrant, EndKey, OpenDepot, SendParcel, SetStanding


@pytest.fixture
def own(tmp_path: Path) -> Iterator[League]:
    """A league of this test's own."""
    with serve_league(tmp_path / "home") as league:
        yield league


def open_session(client: httpx.Client, statement: bytes) -> httpx.Response:
    headers = {"content-type": "application/jose"}
    return client.post("/v1/sessions", content=statement, headers=headers)


def whoami(client: httpx.Client) -> httpx.Response:
    return client.get("/v1/sessions/current")


def test_a_session_says_who_is_signed_in(league: League) -> None:
    with league.client(CLERK) as client:
        found = whoami(client).json()
        assert (found["account"], found["member"]) == (CLERK.did, ADA.did)
        assert found["dids"] == [CLERK.did, ADA.did]
        assert client.delete("/v1/sessions/current").status_code == 204
        assert whoami(client).status_code == 401
    with league.client(CITIZEN) as client:
        assert whoami(client).json()["dids"] == [CITIZEN.did]
    with league.client() as client:
        assert whoami(client).status_code == 401


def test_a_challenge_serves_once(league: League) -> None:
    with league.client() as client:
        statement = league.sign_statement(client, ADA)
        assert open_session(client, statement).status_code == 201
        again = open_session(client, statement)
    assert (again.status_code, again.json()["code"]) == (403, "api.sign_in_refused")


def forge(league: League, client: httpx.Client, what: str) -> bytes:
    asked = client.post("/v1/sessions/challenge", json={"account": ADA.did}).json()
    values = {
        "account": ADA.did,
        "chain": asked["chain"],
        "challenge": asked["challenge"],
        "kid": ADA.kid,
        "key": ADA.key,
    }
    changes = {
        "another account": {"account": BEA.did, "kid": BEA.kid, "key": BEA.key},
        "another chain": {"chain": "other-1"},
        "a made-up challenge": {"challenge": "A" * 75},
        "another's key": {"key": CAI.key},
        "another's key id": {"kid": CAI.kid, "key": CAI.key},
        "an unknown key id": {"kid": f"{ADA.did}#k9"},
        "another algorithm": {"key": BEA.key},
    }
    return sign_session_statement(**{**values, **changes[what]})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "what",
    [
        "another account",
        "another chain",
        "a made-up challenge",
        "another's key",
        "another's key id",
        "an unknown key id",
        "another algorithm",
    ],
)
def test_a_statement_that_is_not_right_in_all_is_refused(league: League, what: str) -> None:
    with league.client() as client:
        answer = open_session(client, forge(league, client, what))
    assert (answer.status_code, answer.json()["code"]) == (403, "api.sign_in_refused")


@pytest.mark.parametrize("data", [b"", b"a.b.c", b"....", b"\xff" * 99, b"{}", b"x" * 5_000])
def test_garbage_opens_nothing(league: League, data: bytes) -> None:
    with league.client() as client:
        assert open_session(client, data).status_code == 403


def test_a_transaction_is_no_statement_and_the_other_way_round(league: League) -> None:
    with league.client() as client:
        transaction = league.sign(ADA, OpenDepot(id="x", city="y"))
        assert open_session(client, transaction).status_code == 403
        statement = league.sign_statement(client, ADA)
        answer = client.post(
            "/v1/transactions", content=statement, headers={"content-type": "application/jose"}
        )
    assert answer.json()["code"] == "ledger.malformed"


def test_a_challenge_and_a_session_end(own: League) -> None:
    with own.client() as client:
        own.now_ms = 10**12
        statement = own.sign_statement(client, ADA)
        own.now_ms += CHALLENGE_MS
        assert open_session(client, statement).status_code == 403
        client.headers["authorization"] = f"Bearer {own.sign_in(client, ADA)}"
        own.now_ms += SESSION_MS - 1
        assert whoami(client).status_code == 200
        own.now_ms += 1
        answer = whoami(client)
    assert (answer.status_code, answer.json()["code"]) == (401, "api.session_ended")
    assert "invalid_token" in answer.headers["www-authenticate"]


def test_an_account_has_a_bounded_number_of_sessions(own: League) -> None:
    with own.client() as client:
        tokens = [own.sign_in(client, ADA) for _number in range(SESSIONS_PER_ACCOUNT_MAX + 1)]
        other = own.sign_in(client, BEA)

        def is_open(token: str) -> bool:
            client.headers["authorization"] = f"Bearer {token}"
            return whoami(client).status_code == 200

        assert [is_open(token) for token in (tokens[0], tokens[1], tokens[-1], other)] == [
            False,
            True,
            True,
            True,
        ]


@pytest.mark.parametrize(
    "header", ["Bearer", "Basic YTpi", "Bearer " + "x" * 43, "Bearer " + "x" * 999]
)
def test_a_token_that_opens_nothing_is_told_never_ignored(league: League, header: str) -> None:
    with league.client() as client:
        answer = client.get("/v1/events", headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_key_that_ended_ends_its_sessions(own: League) -> None:
    with own.client(CAI) as client:
        assert whoami(client).status_code == 200
        own.commit(ADA, EndKey(did=CAI.did), app="accounts")
        assert whoami(client).status_code == 401
        del client.headers["authorization"]
        assert open_session(client, own.sign_statement(client, CAI)).status_code == 403


@pytest.mark.parametrize("actor", [ADA, CLERK], ids=["its own", "its clerk's"])
def test_a_member_that_lost_its_standing_ends_sessions(own: League, actor: Actor) -> None:
    with own.client(actor) as client:
        assert whoami(client).status_code == 200
        own.commit(CAI, SetStanding(did=ADA.did, standing="suspended"), app="members")
        assert whoami(client).status_code == 401


def test_a_role_that_was_withdrawn_is_gone_with_the_next_block(own: League) -> None:
    own.commit(ADA, SendParcel(id="p", other=BEA.did, note="", grams=1))
    with own.client(CHIEF) as client:
        assert client.get("/v1/apps/parcels/parcel/p").status_code == 200
        own.commit(ADA, EndGrant(holder=CHIEF.did, scope="-"), app="permissions")
        assert client.get("/v1/apps/parcels/parcel/p").status_code == 404
        assert whoami(client).json()["roles"] == []


def test_neither_bodies_nor_tokens_nor_addresses_are_logged(own: League) -> None:
    canary = "CANARY-2b81"
    with structlog.testing.capture_logs() as logs, own.client() as client:
        token = own.sign_in(client, ADA)
        client.headers["authorization"] = f"Bearer {token}"
        note = SendParcel(id="p", other=BEA.did, note=canary, grams=1)
        data = own.sign(ADA, note)
        client.post("/v1/transactions", content=data, headers={"content-type": "text/plain"})
        client.get(f"/v1/apps/parcels/parcel/{canary}", params={"proof": canary})
        client.get("/v1/apps/parcels/parcel", params={"note": canary})
        client.post("/v1/apps/parcels/messages/SendParcel", json={"note": canary})
    told = repr(logs)
    assert "/v1/apps/{app}/{kind}/{key}" in told
    assert ADA.did in told
    for secret in (canary, token, data.decode().split(".")[1]):
        assert secret not in told

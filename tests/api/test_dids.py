"""DID resolution over HTTP: results and their errors, proofs, and did:web behind the guard."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hansa.api.did_reader import WEB_KEPT_MS, DidReader
from hansa.api.outbound import Outbound
from hansa.client.receipts import ProofFile, encode_file
from hansa.encoding.canonical import decode_typed
from hansa.identity.did_history import Asked
from hansa.identity.did_key import did_of_key
from hansa.identity.did_web import DOCUMENT_BYTES_MAX
from hansa.ledger.state import decode_record
from hansa.ledger.system import Account
from hansa.ledger.tree_proof import verify_state_proof
from hansa.testing.chain import Actor, make_key
from tests.api.league import ADA, BEA, CHIEF, CITIZEN, League
from tests.api.parcels import SendParcel
from tests.api.web_of_dids import HOST, Web, serve_web

RESULT = "application/did-resolution"


def resolve(league: League, did: str, actor: Actor | None = None, **params: Any) -> Any:
    with league.client(actor) as client:
        return client.get(f"/v1/dids/{did.replace('%', '%25')}", params=params)


def test_whoever_knows_a_did_resolves_it(league: League) -> None:
    answer = resolve(league, CITIZEN.did)
    assert (answer.status_code, answer.headers["content-type"]) == (200, RESULT)
    result = answer.json()
    assert result["didDocument"]["id"] == CITIZEN.did
    assert result["didDocument"]["controller"] == ADA.did
    assert result["didDocument"]["assertionMethod"] == [CITIZEN.kid]
    assert result["didDocumentMetadata"]["versionId"] == "1"
    assert result["didResolutionMetadata"] == {"contentType": "application/did"}


@pytest.mark.parametrize(
    ("did", "status", "error"),
    [
        ("nonsense", 400, "invalidDid"),
        ("did:hansa:short", 400, "invalidDid"),
        (f"{ADA.did}x", 400, "invalidDid"),
        (ADA.did.upper(), 400, "invalidDid"),
        (f"{ADA.did}%23k1", 400, "invalidDid"),
        ("did:key:z6Mk", 400, "invalidDid"),
        (Actor("nobody").did, 404, "notFound"),
        ("did:foo:bar", 501, "methodNotSupported"),
    ],
)
def test_errors_are_those_of_did_resolution(
    league: League, did: str, status: int, error: str
) -> None:
    answer = resolve(league, did)
    assert (answer.status_code, answer.headers["content-type"]) == (status, RESULT)
    result = answer.json()
    assert result["didResolutionMetadata"]["error"] == error
    assert result["didDocument"] is None


def test_a_did_key_is_its_own_document(league: League) -> None:
    did = did_of_key(make_key("ada").public)
    document = resolve(league, did).json()["didDocument"]
    assert document["id"] == did
    assert document["assertionMethod"] == [document["verificationMethod"][0]["id"]]


def test_the_document_alone_is_given_to_who_asks_for_it(league: League) -> None:
    with league.client() as client:
        answer = client.get(f"/v1/dids/{ADA.did}", headers={"accept": "application/did"})
    assert answer.headers["content-type"] == "application/did"
    assert answer.json()["id"] == ADA.did


def test_a_proof_is_of_each_record_and_in_the_one_form_of_files(league: League) -> None:
    league.commit(ADA, SendParcel(id="proved", other=BEA.did, note="", grams=1))
    body = resolve(league, CITIZEN.did, proof="true").content
    files = msgspec.json.decode(body, type=dict[str, msgspec.Raw])["hansa:proofs"]
    found = []
    for raw in msgspec.json.decode(files, type=list[msgspec.Raw]):
        file = decode_typed(raw, ProofFile)
        assert encode_file(file) == bytes(raw)
        value = None if bytes(file.record) == b"null" else bytes(file.record)
        root = file.header.app_hash
        verify_state_proof(root, file.key.encode(), value, file.proof)
        found.append((file.key, value is None, file.height))
    heights = {height for _key, _absent, height in found}
    assert [(key, absent) for key, absent, _height in found] == [
        (f"accounts/account/{CITIZEN.did}", False),
        (f"accounts/did_profile/{CITIZEN.did}", True),
    ]
    assert heights == {league.node.sealed_height - 1}


def test_that_there_is_no_such_did_is_proved_too(league: League) -> None:
    answer = resolve(league, Actor("nobody").did, proof="true")
    assert answer.status_code == 404
    (proof,) = answer.json()["hansa:proofs"]
    assert proof["record"] is None


def test_answers_are_kept_until_the_next_block(league: League) -> None:
    reader = league.app.gate.dids
    first = reader.resolve(ADA.did, Asked(), proof=True)
    assert reader.resolve(ADA.did, Asked(), proof=True) is first
    league.commit(ADA, SendParcel(id="next", other=BEA.did, note="", grams=1))
    assert reader.resolve(ADA.did, Asked(), proof=True) is not first


def test_versions_are_listed_and_asked_for(league: League) -> None:
    with league.client() as client:
        history = client.get(f"/v1/dids/{ADA.did}/versions").json()
    assert [each["version"] for each in history["versions"]] == [1]
    assert resolve(league, ADA.did, version=1).status_code == 200
    assert resolve(league, ADA.did, version=2).status_code == 404
    assert resolve(league, ADA.did, height=0).status_code == 200
    assert resolve(league, ADA.did, time="2026-01-01T00:00:00Z").status_code == 200
    with league.client() as client:
        assert client.get(f"/v1/dids/{Actor('nobody').did}/versions").status_code == 404
        assert client.get("/v1/dids/nonsense/versions").status_code == 404


@pytest.mark.parametrize(
    "params",
    [
        {"version": 0},
        {"version": 1, "height": 1},
        {"time": "yesterday"},
        {"time": "2026-01-01T00:00:00"},
        {"height": -1},
        {"versionId": "1"},
    ],
)
def test_invalid_questions(league: League, params: dict[str, Any]) -> None:
    answer = resolve(league, ADA.did, **params)
    assert answer.status_code == 400
    assert answer.json()["code"] == "api.invalid_parameter"


def test_the_state_told_is_that_of_the_account(league: League) -> None:
    value = league.node.state.get(f"accounts/account/{ADA.did}".encode())
    assert value is not None
    assert decode_record(Account, value).did == ADA.did
    assert resolve(league, ADA.did).json()["didDocument"]["verificationMethod"]


# did:web


@pytest.fixture
def web(league: League, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A web server that this gateway's operator allows, and whose certificate it trusts."""
    gate = league.app.gate
    with serve_web(tmp_path, monkeypatch) as running:
        outbound = Outbound([f"{HOST}:{running.port}"], tls=running.tls)
        monkeypatch.setattr(
            gate, "dids", DidReader(gate.ledger, gate.paths, outbound, league.clock)
        )
        yield running


def test_a_document_of_the_web_is_fetched_and_kept_a_while(
    league: League, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.put_document(web.did, ".well-known")
    answer = resolve(league, web.did, CHIEF)
    assert answer.status_code == 200, answer.text
    assert answer.json()["didDocument"]["assertionMethod"] == [f"{web.did}#k1"]
    assert resolve(league, web.did, CHIEF).status_code == 200
    assert web.asked == ["/.well-known/did.json"]
    monkeypatch.setattr(league, "now_ms", league.clock() + WEB_KEPT_MS)
    league.app.gate.dids.resolve_web(web.did)
    assert len(web.asked) == 2


def test_strangers_send_the_gateway_nowhere(league: League, web: Web) -> None:
    web.put_document(web.did, ".well-known")
    answer = resolve(league, web.did)
    assert (answer.status_code, answer.json()["code"]) == (401, "api.sign_in_first")
    assert web.asked == []


def test_a_private_host_is_not_asked_unless_the_operator_names_it(
    league: League, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.put_document(web.did, ".well-known")
    gate = league.app.gate
    for outbound, why in (
        (Outbound(tls=web.tls), "private network"),
        (Outbound(["other.example"], tls=web.tls), "not allowed"),
    ):
        reader = DidReader(gate.ledger, gate.paths, outbound, league.clock)
        answer = reader.resolve_web(web.did)
        assert answer.status == 502
        assert why in msgspec.json.decode(answer.body)["didResolutionMetadata"]["hansa:detail"]
    assert web.asked == []


def test_a_certificate_that_is_not_trusted_ends_it(league: League, web: Web) -> None:
    gate = league.app.gate
    outbound = Outbound([f"{HOST}:{web.port}"])
    reader = DidReader(gate.ledger, gate.paths, outbound, league.clock)
    assert reader.resolve_web(web.did).status == 502
    assert web.asked == []


def test_what_the_web_may_not_do(league: League, web: Web) -> None:
    """Redirects, large, encoded, foreign and broken documents; each place is asked once."""
    web.put_document(web.did, "elsewhere")
    place = f"https://{HOST}:{web.port}/elsewhere/did.json"
    large = b"{" + b" " * DOCUMENT_BYTES_MAX + b"}"
    web.answers["/moved/did.json"] = (302, {"location": place}, b"")
    web.answers["/large/did.json"] = (200, {}, large)
    web.answers["/packed/did.json"] = (200, {"content-encoding": "gzip"}, gzip.compress(b"{}"))
    web.answers["/broken/did.json"] = (200, {}, b'{"id":1,"id":2}')
    web.put_document(web.did, "foreign")
    for name in ("moved", "large", "packed", "broken", "foreign"):
        answer = resolve(league, f"{web.did}:{name}", CHIEF)
        assert (answer.status_code, name) == (502, name)
        assert answer.json()["didResolutionMetadata"]["error"] == "internalError"
    assert resolve(league, f"{web.did}:none", CHIEF).status_code == 404
    assert f"/{'elsewhere'}/did.json" not in web.asked
    assert len(web.asked) == 6


@pytest.mark.parametrize(
    "did",
    [
        "did:web:127.0.0.1",
        "did:web:localhost",
        "did:web:a.example:..",
        "did:web:A.example",
        "did:web:user%40a.example",
    ],
)
def test_addresses_that_no_did_web_has(league: League, did: str) -> None:
    answer = resolve(league, did, CHIEF)
    assert answer.status_code == 400
    assert answer.json()["didResolutionMetadata"]["error"] == "invalidDid"

"""What light clients and joining nodes ask a gateway: checkpoints, and CometBFT's RPC, bounded."""

from typing import Any

import httpx
import msgspec
import pytest

from hansa.api.comet import BATCH_MAX, METHODS
from hansa.api.limits import SMALL_BODY_BYTES_MAX
from hansa.client.checkpoints import decode_checkpoint
from hansa.client.trust import build_trust_root
from hansa.client.verify import verify_receipt
from hansa.comet.header import compute_consensus_hash
from hansa.comet.rpc_json import parse_commit_answer, parse_validators_answer
from hansa.ledger.genesis import encode_genesis
from tests.api.league import ADA, League
from tests.api.parcels import OpenDepot

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def grown(league: League) -> League:
    """Some blocks."""
    for number in range(3):
        league.commit(ADA, OpenDepot(id=f"grown{number}", city="x"))
    return league


def post(league: League, body: Any) -> httpx.Response:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    with league.client() as client:
        return client.post("/v1/comet", content=data, headers=JSON)


def call(league: League, method: Any, params: Any = None, identity: Any = 0) -> dict[str, Any]:
    asked = {"jsonrpc": "2.0", "id": identity, "method": method, "params": params}
    answer = post(league, asked)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    assert found["id"] == identity
    return found


def test_a_strangers_light_client_gets_headers_votes_and_validators(grown: League) -> None:
    node = grown.node
    for height in (1, 2, node.sealed_height):
        params = {"height": str(height)}
        result = msgspec.json.encode(call(grown, "commit", params)["result"])
        assert parse_commit_answer(result) == (node.header(height), node.commit(height))
        page = call(grown, "validators", {**params, "page": "1", "per_page": "100"})["result"]
        found, total = parse_validators_answer(msgspec.json.encode(page))
        assert (tuple(found), total) == (node.validators_at(height), 1)
        header = call(grown, "header", {"height": height}, identity="x")["result"]["header"]
        assert header["height"] == str(height)
        block = call(grown, "consensus_params", params)["result"]["consensus_params"]["block"]
        digest = compute_consensus_hash(
            block_max_bytes=int(block["max_bytes"]), block_max_gas=int(block["max_gas"])
        )
        assert digest == node.header(height).consensus_hash


def test_without_a_height_the_newest_is_meant(grown: League) -> None:
    newest = grown.node.sealed_height
    for params in (None, {}, {"height": None}):
        result = call(grown, "commit", params)["result"]
        assert int(result["signed_header"]["header"]["height"]) >= newest
    status = call(grown, "status")["result"]
    assert int(status["sync_info"]["latest_block_height"]) >= newest
    assert status["node_info"]["network"] == grown.node.chain
    assert status["sync_info"]["earliest_block_height"] == "1"
    assert call(grown, "health") == {"jsonrpc": "2.0", "id": 0, "result": {}}


def test_status_tells_nothing_of_the_node_itself(grown: League) -> None:
    status = call(grown, "status")["result"]
    assert {status["node_info"][name] for name in ("id", "listen_addr")} == {""}
    assert status["node_info"]["other"]["rpc_address"] == ""
    assert status["validator_info"]["address"] == ""


def test_heights_out_of_reach_are_refused_in_cometbfts_words(grown: League) -> None:
    """Its light client looks for these words (light/provider/http)."""
    for method in ("commit", "header", "validators", "consensus_params"):
        error = call(grown, method, {"height": "999999"})["error"]
        assert error["code"] == -32603
        assert "height 999999 must be less than or equal to" in error["data"]


@pytest.mark.parametrize(
    "method",
    ["block", "broadcast_tx_sync", "dial_peers", "abci_query", "net_info", "", "Commit", "commit "],
)
def test_invalid_methods_are_not_passed_on(grown: League, method: str) -> None:
    assert method not in METHODS
    assert call(grown, method, {"height": "1"})["error"]["code"] == -32601


@pytest.mark.parametrize(
    "params",
    [
        {"height": "0"},
        {"height": "-1"},
        {"height": -1},
        {"height": 1.0},
        {"height": True},
        {"height": "1e3"},
        {"height": " 1"},
        {"height": "１"},
        {"height": "9" * 16},
        {"height": ["1"]},
        {"height": {}},
        {"hash": "00"},
        {"height": "1", "prove": "1"},
        ["1"],
        "1",
        7,
    ],
)
def test_invalid_parameters(grown: League, params: Any) -> None:
    assert call(grown, "commit", params)["error"]["code"] == -32602


def test_invalid_page_of_validators(grown: League) -> None:
    error = call(grown, "validators", {"height": "1", "page": "2", "per_page": "1"})["error"]
    assert error["data"] == "page should be within [1, 1] range, given 2"
    assert call(grown, "validators", {"page": "0"})["error"]["code"] == -32602


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": 1, "method": "health"},
        {"jsonrpc": "1.0", "id": 1, "method": "health"},
        {"jsonrpc": "2.0", "method": "health"},
        {"jsonrpc": "2.0", "id": None, "method": "health"},
        {"jsonrpc": "2.0", "id": True, "method": "health"},
        {"jsonrpc": "2.0", "id": 1.5, "method": "health"},
        {"jsonrpc": "2.0", "id": {}, "method": "health"},
        {"jsonrpc": "2.0", "id": 1, "method": 7},
        {"jsonrpc": "2.0", "id": 1},
    ],
)
def test_invalid_requests(grown: League, body: Any) -> None:
    answer = post(grown, body)
    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == -32600


HEALTH = b'{"jsonrpc":"2.0","id":1,"method":"health"}'


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"\xff", b"[" * 4_000, b'{"a":1}}', b"7", b'"x"', b"null", b"[]"),
        b"[" + b",".join([HEALTH] * (BATCH_MAX + 1)) + b"]",
    ],
)
def test_invalid_bodies(grown: League, body: bytes) -> None:
    answer = post(grown, body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "api.not_json_rpc"


def test_a_list_of_calls_has_as_many_answers_in_order(grown: League) -> None:
    calls = [
        {"jsonrpc": "2.0", "id": number, "method": "commit" if number % 2 else "nothing"}
        for number in range(BATCH_MAX)
    ]
    answers = post(grown, calls).json()
    assert [each["id"] for each in answers] == list(range(BATCH_MAX))
    assert ["result" in each for each in answers] == [number % 2 == 1 for number in range(10)]
    assert post(grown, [7]).json()[0]["error"]["code"] == -32600


def test_large_bodies_and_other_media_are_refused(grown: League) -> None:
    large = b'{"id":"' + b"x" * SMALL_BODY_BYTES_MAX + b'"}'
    assert post(grown, large).status_code == 413
    with grown.client() as client:
        answer = client.post("/v1/comet", content=b"{}", headers={"content-type": "text/xml"})
        assert answer.status_code == 415
        assert client.get("/v1/comet").status_code == 405


# --- checkpoints ---


def test_a_checkpoint_follows_from_the_genesis(grown: League) -> None:
    trust = build_trust_root(encode_genesis(grown.genesis))
    with grown.client() as client:
        for query, height in (("", 0), ("?height=2", 2), ("?height=1", 1), ("?trusted=1", 0)):
            answer = client.get(f"/v1/checkpoint{query}")
            found = decode_checkpoint(answer.content)
            assert found.height == (height or grown.node.sealed_height)
            verdict = verify_receipt(answer.content, trust)
            assert (verdict.outcome, verdict.kind) == ("yes", "checkpoint")


def test_a_checkpoint_of_what_is_not_here_says_what_is(grown: League) -> None:
    with grown.client() as client:
        answer = client.get("/v1/checkpoint?height=999999")
        assert answer.status_code == 404
        assert answer.json()["code"] == "api.no_header_yet"
        assert answer.json()["params"]["newest"] >= 3
        for query in ("height=-1", "height=x", "trusted=-1", f"trusted={2**53}"):
            assert client.get(f"/v1/checkpoint?{query}").status_code == 400

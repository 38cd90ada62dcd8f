"""A node without a read model takes transactions and proves; what only rows can say it refuses."""

from pathlib import Path

import httpx

from hansa.api.application import make_app
from hansa.index.absent import AbsentIndex
from hansa.index.shape import Shape
from tests.api.league import ADA, CHAIN, League
from tests.api.parcels import APPLICATIONS, OpenDepot
from tests.api.serving import serve_gateway
from tests.api.test_limits import check_problem


def test_a_node_without_a_read_model_serves_the_ledger_and_refuses_lists(tmp_path: Path) -> None:
    league = League(tmp_path / "home")
    index = AbsentIndex(Shape(APPLICATIONS), CHAIN, league.node.height)
    league.node.subscribe(index.skip_to)
    app = make_app(league.node, index, genesis_digest="ab" * 32)
    with serve_gateway(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        headers = {"content-type": "text/plain"}
        data = league.sign(ADA, OpenDepot(id="on", city="x"))
        sent = client.post("/v1/transactions", content=data, headers=headers)
        found = client.get(f"/v1/transactions/{sent.json()['id']}", params={"wait": 30}).json()
        assert (sent.status_code, found.get("state")) == (202, "committed")
        assert client.get("/v1/proofs/parcels/depot/on").status_code == 200
        client.headers["authorization"] = f"Bearer {league.sign_in(client, ADA)}"
        for path in ("/v1/blocks", "/v1/apps/parcels/depot", "/v1/apps/parcels/tables/parcels"):
            problem = check_problem(client.get(path), 503, "index.absent")
            assert "follow = true" in problem["remedy"]
        health = client.get("/v1/health").json()
        assert (health["status"], health["index"], health["index_behind"]) == (
            "ok",
            "index.absent",
            0,
        )
    league.close()
    index.close()

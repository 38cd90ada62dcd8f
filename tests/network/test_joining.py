"""Nodes join and leave a league under load: nobody else is disturbed, nothing fails meanwhile.

One league for the whole file; each test leaves it with four validators or more.
"""

import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from struct import Struct
from typing import Any

import msgspec
import pytest

from hansa.client.faults import Refused
from hansa.client.verify import verify_receipt
from hansa.comet.sign_state import read_sign_state
from hansa.node.home import DATA, ENGINE, SNAPSHOTS, open_home, rewrite_settings
from hansa.node.neighbours import BOOK
from tests.network.league import NetworkLeague, running_league
from tests.network.newcomer import Newcomer, read_status, vote_for
from tests.network.nodes import PATIENCE_S, NodeProcess, wait_until

pytestmark = pytest.mark.slow

INTERVAL = 15
OBSERVER, VALIDATOR, HARBOUR, LATE = 5, 6, 7, 8


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetworkLeague]:
    """Four validators of six members, past their second snapshot."""
    folder = tmp_path_factory.mktemp("joining")
    with running_league(folder, members=6, snapshot_interval=INTERVAL) as running:
        first = min(running.nodes)
        wait_until(lambda: running.height() > 2 * INTERVAL + 2, "two snapshots")
        wait_until(lambda: read_status(running.nodes[first])["snapshot"], "a snapshot to give")
        yield running


@pytest.fixture(scope="module")
def comers() -> dict[int, Newcomer]:
    """Those who joined in an earlier test, by their node's number."""
    return {}


def list_engines(league: NetworkLeague) -> dict[int, list[int]]:
    return {node.number: node.engine_pids for node in league.running}


def test_an_observer_begins_from_a_snapshot_and_serves_proofs(
    league: NetworkLeague,
) -> None:
    old = next(iter(league.ledger.committed))
    engines = list_engines(league)
    comer = Newcomer(league, OBSERVER, "seller-3")
    with league.load(league.pick([1, 2, 3, 4])) as load:
        load.go_on()
        said = comer.enter("--observer")
        assert said["stage"] == "observing"
        load.go_on()
    node = comer.node
    assert '"snapshot_restored"' in node.log and "snapshot_chunk_refused" not in node.log
    base = read_status(node)["base"]
    assert base > INTERVAL
    assert engines.items() <= list_engines(league).items(), "nobody else's engine began anew"
    data = league.trade.invoice()
    assert league.commit(data, node) == ["ok"]
    league.check_receipts(node, list(league.ledger.committed)[-1:])
    with node.gateway(league.trade.sellers[0]) as gateway:
        wait_until(lambda: gateway.league().index_height >= base, "the read model follows")
        proof = gateway.proof("members", "member", league.trade.bureau.account)
        assert proof.is_there and verify_receipt(proof.data, league.root).outcome == "yes"
        with pytest.raises(Refused, match="block_not_kept") as refused:
            gateway.receipt(old, 0)
    assert any(each.url in refused.value.remedy for each in league.pick([1, 2, 3, 4]))
    with league.nodes[1].gateway() as gateway:
        bases = wait_until(
            lambda: (
                (found := {each.node: each.base for each in gateway.nodes()})
                and found.get(node.node_id) == base
                and found
            ),
            "the others hear from where on it keeps blocks",
        )
    assert bases[league.nodes[2].node_id] == 1


def test_a_validator_joins_and_another_leaves(
    league: NetworkLeague, comers: dict[int, Newcomer]
) -> None:
    """Four vote before, five between, four after; no request fails at those who stay."""
    comer = comers[VALIDATOR] = Newcomer(league, VALIDATOR, "seller-4")
    staying = league.pick([1, 3, 4])
    engines = {node.number: node.engine_pids for node in staying}
    with league.load(staying) as load:
        load.go_on()
        assert comer.enter()["stage"] == "voting"
        voting = wait_until(
            lambda: (
                (found := league.nodes[1].network()["validators"])
                and all(each["signed"] for each in found)
                and found
            ),
            "all five sign",
        )
        assert len(voting) == 5
        load.go_on()
        leaving = league.nodes[2]
        key = league.folder / "keys" / "seller-0.key.json"
        said, hinted = comer.run("leave", leaving.folder, "--as", key, expect=2)
        assert said["taken_back"] == ["vote"] and "stop the node" in hinted
        said, _hinted = comer.run("leave", leaving.folder, "--as", key, expect=2)
        assert said["taken_back"] == []
        load.go_on()
        leaving.stop()
        said, _hinted = comer.run("leave", leaving.folder, "--as", key)
        assert said["taken_back"] == ["node"]
        assert comer.run("leave", leaving.folder, "--as", key)[0]["taken_back"] == []
        load.go_on()
    assert engines == {node.number: node.engine_pids for node in staying}
    del league.nodes[2]
    league.settle()


def test_a_wiped_node_comes_back_from_a_snapshot(
    league: NetworkLeague, comers: dict[int, Newcomer]
) -> None:
    """Under load: keys and last votes stay, blocks and state are fetched."""
    comer = comers[VALIDATOR]
    victim = comer.node
    with league.load(league.pick([1, 3, 4])) as load:
        load.go_on()
        victim.kill()
        signed = read_sign_state(victim.folder / ENGINE)
        assert signed[0] > 0
        shutil.rmtree(victim.folder / DATA)  # the disk lost it
        said, _hinted = comer.join("--anew")
        assert said["stage"] == "start"
        assert read_sign_state(victim.folder / ENGINE) >= signed
        victim.start()
        assert comer.join("--wait", 120, expect=0)[0]["stage"] == "voting"
        load.go_on()
    assert '"snapshot_restored"' in victim.log
    assert read_status(victim)["base"] > INTERVAL
    league.settle()
    assert not victim.network()["evidence"]


def test_an_organisation_becomes_a_member_with_its_node(league: NetworkLeague) -> None:
    """A member proposes what the newcomer wrote; then it joins as any other."""
    comer = Newcomer(league, HARBOUR)
    comer.key = "harbour"
    comer.run("keys", "new", "harbour")
    options = ("--observer", "--admit", "Harbour Office", "--jurisdiction", "HK")
    with league.load(league.pick([1, 3, 4])) as load:
        load.go_on()
        said, _hinted = comer.join(*options)
        assert said["stage"] == "wanted"
        again, _hinted = comer.join(*options)
        assert again == said
        request = comer.node.folder / "request.json"
        place = ("--as", "seller-1", "--league", league.folder, "--node", "1")
        line = ("governance", "propose", "--topic", "harbour", "--actions", f"@{request}", *place)
        league.run(*line)
        with league.nodes[1].gateway(league.trade.bureau) as gateway:
            found = gateway.records("governance", "proposal", limit=200).items
        vote_for(league, max(int(each["id"]) for each in found))
        assert comer.join(*options)[0]["stage"] == "start"
        comer.node.start()
        said, _hinted = comer.join(*options, "--wait", 120, expect=0)
        assert said["stage"] == "observing"
        load.go_on()
    with comer.node.gateway() as gateway:
        node = gateway.record("validators", "node", comer.node.node_id)
        member = gateway.record("members", "member", node["member"]) if node else None
    assert member is not None and member["name"] == "Harbour Office"


def test_a_header_that_nobody_has_stops_the_node_and_joining_again_renews_it(
    league: NetworkLeague, comers: dict[int, Newcomer]
) -> None:
    """Started too late, or with a wrong hash: told with the cure, and nothing is believed."""
    comer = comers[LATE] = Newcomer(league, LATE, "seller-3")
    vote_for(league, comer.join("--observer")[0]["proposal"])
    assert comer.join("--observer")[0]["stage"] == "start"
    folder = comer.node.folder
    settings = open_home(folder).settings
    wrong = msgspec.structs.replace(settings.sync, trust_hash="00" * 32)
    rewrite_settings(folder, msgspec.structs.replace(settings, sync=wrong))
    comer.node.begin()
    assert comer.node.wait_end(PATIENCE_S) == 2
    assert "hansa join" in comer.node.words + comer.node.log
    assert not find_event(comer.node, "snapshot_taken")
    assert comer.join("--observer")[0]["stage"] == "start"
    assert open_home(folder).settings.sync.trust_hash != wrong.trust_hash


def test_a_peer_that_spoils_a_chunk_is_named_and_another_gives_it(
    league: NetworkLeague, comers: dict[int, Newcomer]
) -> None:
    """At first the newcomer knows no other peer than the one that spoils."""
    liar, honest, comer = league.nodes[1], league.nodes[3], comers[LATE]
    liar.stop()
    league.configure(1, engine={"snapshot_interval": 0})  # it keeps, and offers, what it has
    for folder in sorted((liar.folder / SNAPSHOTS).iterdir()):
        spoil(folder)
    liar.start()
    assert comer.join("--observer")[0]["stage"] == "start"
    league.configure(LATE, p2p={"peers": (f"{liar.node_id}@{liar.p2p}",), "gateways": ()})
    node = comer.node
    (node.folder / BOOK).unlink(missing_ok=True)  # it may have heard of others in its first start
    node.start()
    refused = wait_until(lambda: find_event(node, "snapshot_chunk_refused"), "a chunk is refused")
    assert refused["peer"] == liar.node_id
    assert not find_event(node, "snapshot_restored")
    rpc = node.rpc
    rpc.dial([f"{honest.node_id}@{honest.p2p}"])
    rpc.close()
    wait_until(lambda: find_event(node, "snapshot_restored"), "another gave the chunk")
    league.settle([league.nodes[3], node])


def spoil(folder: Path) -> None:
    """Change a byte of a snapshot's first chunk, and the digest by which its node would notice."""
    entry = Struct(">QI32s")
    chunks, index = bytearray((folder / "chunks").read_bytes()), folder / "index"
    offset, size, digest = entry.unpack_from(index.read_bytes())
    chunk = memoryview(chunks)[offset : offset + size]
    assert sha256(chunk).digest() == digest
    chunk[size // 2] ^= 1
    (folder / "chunks").write_bytes(chunks)
    rest = index.read_bytes()[entry.size :]
    index.write_bytes(entry.pack(offset, size, sha256(chunk).digest()) + rest)


def find_event(node: NodeProcess, event: str) -> dict[str, Any] | None:
    """The first of these in a node's log."""
    lines = (json.loads(line) for line in node.log.splitlines())
    return next((line for line in lines if line.get("event") == event), None)

"""Validators that break the rules, members that leave, keys in use twice, state that was changed.

One league for the whole file. Evidence is crafted with a validator's own key and handed to an
engine by its private RPC, as the engine itself hands on what it has seen.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from rocksdict import Options, Rdict

from hansa.apps.e_invoice.model.records import Quota
from hansa.catalog import build_registry
from hansa.cli.bench.workload import SCHEME, compute_tax_number
from hansa.client.verify import verify_receipt
from hansa.comet.files import compute_node_id
from hansa.comet.validators import compute_address
from hansa.contracts.governance.model import SetParameter
from hansa.contracts.members.model import ExpelMember
from hansa.contracts.validators.model import AdmitNode, ReinstateValidator, RemoveValidator
from hansa.crypto.keys import PrivateKey
from hansa.ledger.model import compute_state_key
from hansa.node.home import KEYS, VALIDATOR, create_home, open_home
from tests.network.evidence import submit_double_vote
from tests.network.league import NetworkLeague, build_action
from tests.network.nodes import PATIENCE_S, NodeProcess, wait_until

pytestmark = pytest.mark.slow

MEMBER_OF_4 = "seller-2"


def accuse(league: NetworkLeague, number: int, teller: NodeProcess) -> str:
    """A double vote of that node's validator, at the newest height at which it voted, told to one
    engine; the validator's address.
    """
    key = open_home(league.nodes[number].folder).validator_key()
    address = compute_address(key.public.raw)
    rpc = teller.rpc
    height = rpc.status().height
    while address not in {each.address for each in rpc.validators(height)}:
        height -= 1
    known = {each["height"] for each in list_evidence(teller)}
    height = next(each for each in range(height, 0, -1) if each not in known)
    submit_double_vote(rpc, key, rpc.signed_header(height)[0])
    rpc.close()
    return address.hex()


def find_validator(node: NodeProcess, number: int, league: NetworkLeague) -> dict[str, Any]:
    """What a node says of the validator of another's member."""
    names = ("tax-bureau", "seller-0", "seller-1", MEMBER_OF_4)
    did = league.trade.signers[names[number - 1]].account
    return next(each for each in node.network()["validators"] if each["member"] == did)


def list_evidence(node: NodeProcess) -> list[dict[str, Any]]:
    return list(node.network()["evidence"])


def count_validators(node: NodeProcess) -> int:
    """How many vote on the next block, by the engine."""
    rpc = node.rpc
    found = len(rpc.validators(rpc.status().height))
    rpc.close()
    return found


def test_double_signing_is_proved_recorded_and_suspends(league: NetworkLeague) -> None:
    with league.load() as load:
        load.go_on(1)
        address = accuse(league, 4, league.nodes[1])
        for node in league.nodes.values():
            (found,) = wait_until(lambda n=node: list_evidence(n), f"evidence at {node.number}")
            assert (found["address"], found["outcome"]) == (address, "suspended")
            assert found["kind"] == "duplicate_vote"
            assert find_validator(node, 4, league)["state"] == "suspended"
            wait_until(lambda n=node: count_validators(n) == 3, "the engine's set is without it")
        load.go_on()
    league.settle()
    check_evidence_receipt(league, address)


def check_evidence_receipt(league: NetworkLeague, address: str) -> None:
    """The record is proved, and so is what the block did about it, by the genesis alone."""
    node = league.nodes[2]
    with node.gateway(league.trade.bureau) as gateway:
        (record,) = gateway.records("validators", "evidence").items
        assert record["address"] == address
        proof = gateway.proof(
            "validators", "evidence", address, f"{record['height']:012d}", record["kind"]
        )
        assert proof.is_there and verify_receipt(proof.data, league.root).outcome == "yes"
        receipt = gateway._send("GET", f"/v1/blocks/{record['recorded']}/deadlines/0/receipt")
    assert verify_receipt(receipt, league.root).outcome == "yes"


def test_the_same_evidence_again_changes_nothing(league: NetworkLeague) -> None:
    """Told of another height, a suspended validator is recorded once more and stays suspended."""
    accuse(league, 4, league.nodes[2])
    wait_until(lambda: len(list_evidence(league.nodes[3])) == 2, "the second evidence")
    outcomes = {each["outcome"] for each in list_evidence(league.nodes[3])}
    assert outcomes == {"suspended", "not_voting"}


def test_governance_reinstates_it(league: NetworkLeague) -> None:
    reinstate(league)
    with league.load() as load:
        load.go_on()
    wait_until(
        lambda: find_validator(league.nodes[1], 4, league)["signed"] > 0, "its votes are counted"
    )


def test_the_last_quorum_keeps_its_votes(league: NetworkLeague) -> None:
    """With one of four away, the evidence against another is recorded, and it goes on voting."""
    short = SetParameter(application="validators", name="live_ms", value=4_000)
    league.decide(build_action("governance", short))
    league.nodes[3].kill()
    with league.load(league.others(3)) as load:
        load.go_on()
        gone = find_validator(league.nodes[1], 3, league)["last_time_ms"]
        wait_until(
            lambda: league.nodes[1].network()["time_ms"] > gone + 6_000, "node 3 is long away"
        )
        load.go_on(1)
        known = len(list_evidence(league.nodes[1]))
        accuse(league, 4, league.nodes[1])
        wait_until(lambda: len(list_evidence(league.nodes[1])) > known, "the evidence")
        load.go_on()
    assert "kept_for_quorum" in {each["outcome"] for each in list_evidence(league.nodes[1])}
    assert count_validators(league.nodes[1]) == 4
    league.nodes[3].start()
    league.settle()
    long = SetParameter(application="validators", name="live_ms", value=120_000)
    league.decide(build_action("governance", long))


def test_a_copied_home_is_refused_beside_the_original(league: NetworkLeague) -> None:
    original = league.nodes[4]
    copy = league.folder / "copy"
    shutil.copytree(original.folder, copy, ignore=shutil.ignore_patterns("*.sock", "*.lock"))
    twin = NodeProcess(5, copy, league.environment)
    twin.begin()
    try:
        assert twin.wait_end() != 0
    finally:
        twin.destroy()
    assert f"the node at {original.url} runs with the same key" in twin.words, twin.words
    with league.load() as load:
        load.go_on(1)
    shutil.rmtree(copy)


def test_a_validator_key_in_two_homes_is_refused(league: NetworkLeague) -> None:
    """Node 3 comes back with the validator's key of node 4, which runs."""
    node = league.nodes[3]
    node.stop()
    path = node.folder / KEYS / VALIDATOR
    own = path.read_bytes()
    path.write_bytes((league.nodes[4].folder / KEYS / VALIDATOR).read_bytes())
    node.begin()
    assert node.wait_end() != 0
    assert f"the node at {league.nodes[4].url} runs with the same key" in node.words, node.words
    path.write_bytes(own)
    node.start()
    league.settle()


def test_a_key_that_two_nodes_vote_with_is_found_out(league: NetworkLeague) -> None:
    """The real thing: a second node of the member votes with the same key, beside the first. Sooner
    or later both propose; the others have two votes of one height, and the log says so.
    """
    folder = league.folder / "nodes" / "5"
    own, node_key = open_home(league.nodes[4].folder), PrivateKey.generate()
    create_home(
        folder, own.genesis, own.validator_key(), build_registry(), own.settings, node=node_key
    )
    identity = compute_node_id(node_key.public.raw)
    member = league.trade.signers[MEMBER_OF_4].account
    league.decide(
        build_action("validators", AdmitNode(id=identity, member=member, kind="validator"))
    )
    known = len(list_evidence(league.nodes[1]))
    twin = NodeProcess(5, folder, league.environment)
    twin.command = (sys.executable, "-m", "tests.network.unguarded")
    try:
        with league.load(league.pick([1, 2, 3])) as load:
            twin.start()
            wait_until(
                lambda: len(list_evidence(league.nodes[1])) > known, "both votes are evidence"
            )
            load.go_on()
    finally:
        twin.destroy()
    for node in league.nodes.values():
        wait_until(lambda n=node: find_validator(n, 4, league)["state"] == "suspended", "no vote")
        assert '"event": "misbehaviour"' in node.log
    league.settle()
    shutil.rmtree(folder)
    reinstate(league)


def reinstate(league: NetworkLeague) -> None:
    """Governance gives node 4 its vote back."""
    address = find_validator(league.nodes[1], 4, league)["address"]
    league.decide(
        build_action("validators", ReinstateValidator(validator=address, reason="explained"))
    )
    for node in league.nodes.values():
        wait_until(lambda n=node: count_validators(n) == 4, "it votes again")


@pytest.mark.parametrize("is_behind", [False, True], ids=["votes", "is behind"])
def test_a_changed_record_is_found_and_hurts_nobody_else(
    league: NetworkLeague, tmp_path: Path, is_behind: bool
) -> None:
    """A quota that every invoice draws on is other than decided: the node ends with that reason,
    whether it votes on the next invoice or fetches it as a block of the past.
    """
    victim, others = league.nodes[3], league.others(3)
    victim.stop()
    kept = [(name, tmp_path / name) for name in ("data", "engine")]
    for name, copy in kept:
        shutil.copytree(victim.folder / name, copy)
    change_record(victim.folder / "data")
    if is_behind:
        with league.load(others) as load:
            load.go_on()
    victim.start()
    with league.load(others) as load:
        load.go_on()
        assert victim.wait_end(PATIENCE_S) != 0
        load.go_on()
    assert "Traceback" not in victim.words, victim.words
    assert "not the one that the league decided on" in victim.words, victim.words
    state = victim.folder / "engine" / "data" / "priv_validator_state.json"
    signed = state.read_bytes()
    for name, copy in kept:
        shutil.rmtree(victim.folder / name)
        shutil.copytree(copy, victim.folder / name)
    state.write_bytes(signed)
    victim.start()
    league.settle()


def change_record(data: Path) -> None:
    """Another amount in the seller's quota, in the database's own words."""
    seller = f"{SCHEME}:{compute_tax_number(0)}"
    key = compute_state_key("e_invoice", Quota.KIND, (seller, "CNY"))
    families = {name: Options(raw_mode=True) for name in Rdict.list_cf(str(data))}
    database = Rdict(str(data), Options(raw_mode=True), column_families=families)
    records = database.get_column_family("records")
    old = records[key]
    new = old.replace(b'"amount":1', b'"amount":2')
    assert new != old, old
    records[key] = new
    records.flush()
    database.close()


def test_an_expelled_members_node_is_cut_off_by_the_others(league: NetworkLeague) -> None:
    """Last of the league: its validator goes, it is expelled, and nobody stays connected to it."""
    expelled = league.nodes[4]
    others = league.others(4)
    address = find_validator(others[0], 4, league)["address"]
    member = league.trade.signers[MEMBER_OF_4].account
    with league.load(others) as load:
        load.go_on(1)
        league.decide(
            build_action("validators", RemoveValidator(validator=address, reason="expelled")),
            build_action("members", ExpelMember(member=member, reason="fault_test")),
        )
        for node in others:
            wait_until(
                lambda n=node: expelled.node_id not in {p["node"] for p in n.network()["peers"]},
                f"node {node.number} has dropped the expelled one",
            )
        before = expelled.height()
        load.go_on(5)
        assert expelled.height() == before

"""Whose nodes may connect (V7), the first of them, and the engine's set through it all."""

import pytest
from msgspec.structs import replace

from hansa.contracts.members.model import ExpelMember
from hansa.contracts.validators.model import NODES_MAX, RemoveNode, RetireNode
from hansa.ledger.genesis import InvalidGenesis, compute_genesis_changes
from hansa.ledger.receipts import OK
from hansa.ledger.system import Node, is_admitted
from hansa.testing.chain import Actor, Chain
from tests.contracts.league import build_chain, build_genesis, build_propose
from tests.contracts.votes import (
    ALMA,
    APP,
    BRUNO,
    CHEN,
    DORA,
    EMIL,
    MEMBERS,
    VOTERS,
    EngineSet,
    activate,
    build_admit_node,
    build_approve,
    build_four,
    build_node,
    build_rekey,
    build_remove,
    build_vote_chain,
    decide,
    get_address,
    get_node_id,
    list_powers,
    list_validators,
    misbehave,
    reinstate,
    resign,
    set_power,
)


@pytest.fixture
def chain() -> Chain:
    return build_four()


def test_nodes_of_members_in_good_standing_are_admitted(chain: Chain) -> None:
    state = chain.state
    assert is_admitted(state, get_node_id(ALMA), 0)
    assert not is_admitted(state, get_node_id(EMIL), chain.height)
    decide(chain, build_admit_node(EMIL, kind="observer"))
    assert is_admitted(state, get_node_id(EMIL), chain.height + 1)
    decide(chain, ("members", ExpelMember(member=EMIL.did, reason="fraud")))
    assert is_admitted(state, get_node_id(EMIL), chain.height)
    assert not is_admitted(state, get_node_id(EMIL), chain.height + 1)


def test_who_leaves_is_cut_off_when_its_vote_no_longer_counts(chain: Chain) -> None:
    fall = ("members", ExpelMember(member=DORA.did, reason="fraud"))
    decide(chain, build_remove(DORA), fall)
    # The block after this one is still decided by a set in which DORA has her power.
    assert is_admitted(chain.state, get_node_id(DORA), chain.height)
    chain.block()
    assert not is_admitted(chain.state, get_node_id(DORA), chain.height)


@pytest.mark.parametrize("name", ["", "x", "a/b", "é", "A" * 200, "../..", "0" * 40])
def test_strange_node_ids_are_not_admitted(chain: Chain, name: str) -> None:
    assert not is_admitted(chain.state, name, chain.height)


def test_invalid_node_twice(chain: Chain) -> None:
    code, params = decide(chain, (APP, replace(build_admit_node(ALMA)[1], member=EMIL.did)))
    assert (code, params) == (
        "validators.node_taken",
        {"node": get_node_id(ALMA), "member": ALMA.did},
    )


@pytest.mark.parametrize("name", ["", "0" * 39, "0" * 41, "A" * 40, "g" * 40, "0" * 40 + "\n"])
def test_invalid_node_id(chain: Chain, name: str) -> None:
    message = replace(build_admit_node(EMIL)[1], id=name)
    result = chain.send(ALMA, "governance", build_propose((APP, message)))
    assert result.code == "ledger.malformed"


def test_invalid_further_node_of_a_member_with_enough(chain: Chain) -> None:
    for number in range(1, NODES_MAX + 1):
        assert decide(chain, build_admit_node(EMIL, number, "observer")) == ("", {})
    code, params = decide(chain, build_admit_node(EMIL, NODES_MAX + 1, "observer"))
    assert (code, params) == (
        "validators.too_many_nodes",
        {"member": EMIL.did, "limit": NODES_MAX},
    )


def test_administrator_retires_its_own_node(chain: Chain) -> None:
    decide(chain, build_admit_node(EMIL))
    message = RetireNode(id=get_node_id(EMIL), reason="old")
    assert chain.send(ALMA, APP, message).code == "accounts.not_administrator"
    assert chain.send(EMIL, APP, message).code == OK
    assert chain.send(EMIL, APP, message).code == "validators.no_such_node"
    assert not is_admitted(chain.state, get_node_id(EMIL), chain.height + 1)
    assert decide(chain, (APP, RemoveNode(id=get_node_id(EMIL), reason="old")))[0] == (
        "validators.no_such_node"
    )


def test_last_node_of_an_active_validator_stays(chain: Chain) -> None:
    retire = RetireNode(id=get_node_id(DORA), reason="moves")
    refused = chain.send(DORA, APP, retire)
    assert refused.code == "validators.node_of_validator"
    assert refused.params == {"node": get_node_id(DORA), "validator": get_address(DORA)}
    remove = (APP, RemoveNode(id=get_node_id(DORA), reason="moves"))
    assert decide(chain, remove)[0] == "validators.node_of_validator"
    decide(chain, build_admit_node(DORA, 2, "observer"))
    assert chain.send(DORA, APP, retire).code == "validators.node_of_validator"
    decide(chain, build_admit_node(DORA, 3))
    assert chain.send(DORA, APP, RetireNode(id=get_node_id(DORA, 2), reason="moves")).code == OK
    assert chain.send(DORA, APP, retire).code == OK
    assert resign(chain, DORA).code == OK
    last = RetireNode(id=get_node_id(DORA, 3), reason="leaves")
    assert chain.send(DORA, APP, last).code == OK
    assert chain.get("", Node, get_node_id(DORA, 3)) is None


# genesis, and the whole


@pytest.mark.parametrize(
    ("nodes", "problem"),
    [
        ([build_node(ALMA), build_node(ALMA)], "node_taken"),
        ([build_node(ALMA, number) for number in range(NODES_MAX + 1)], "too_many_nodes"),
        ([build_node(Actor("stranger"))], "wrong_genesis"),
        ([{**build_node(ALMA), "kind": "king"}], "wrong_genesis"),
        ([{**build_node(ALMA), "id": "x"}], "wrong_genesis"),
    ],
    ids=["twice", "many", "stranger", "kind", "id"],
)
def test_invalid_nodes_of_the_genesis(nodes: list[object], problem: str) -> None:
    chain = build_chain(ALMA)
    document = build_genesis((ALMA,), {APP: {"nodes": nodes}})
    with pytest.raises(InvalidGenesis, match=problem):
        compute_genesis_changes(replace(chain.genesis, contracts=document), chain.registry)


def test_invalid_genesis_with_a_validator_of_no_member() -> None:
    chain = build_vote_chain((ALMA, BRUNO), {ALMA: 10, BRUNO: 10})
    document = build_genesis((ALMA,), {APP: {"nodes": []}})
    with pytest.raises(InvalidGenesis, match="no member"):
        compute_genesis_changes(replace(chain.genesis, contracts=document), chain.registry)


def test_validator_that_is_nobodys_may_be_suspended_reinstated_and_removed() -> None:
    chain = build_vote_chain(MEMBERS, dict.fromkeys(VOTERS, 10))
    nobodys = replace(chain.genesis.validators[3], member="")
    chain = Chain(
        chain.registry,
        chain.genesis.contracts,
        validators=(*chain.genesis.validators[:3], nobodys),
    )
    chain.block()
    chain.block()
    misbehave(chain, DORA)
    assert decide(chain, reinstate(DORA)) == ("", {})
    assert decide(chain, build_rekey(DORA, "new", member="")) == ("", {})
    assert decide(chain, build_remove(DORA, get_address(DORA, "new"))) == ("", {})
    assert len(list_validators(chain)) == 3


def test_set_of_the_engine_is_the_set_in_state_through_every_change(chain: Chain) -> None:
    engine = EngineSet(chain)
    seen = len(chain.results)
    decide(chain, build_approve(EMIL, 7), build_admit_node(EMIL))
    activate(chain, EMIL)
    decide(chain, build_rekey(ALMA, "new"))
    chain.advance(1_000)
    misbehave(chain, BRUNO)
    decide(chain, reinstate(BRUNO))
    resign(chain, CHEN)
    decide(chain, set_power(DORA, 3), set_power(EMIL, 12))
    results, chain.results[seen:] = chain.results[seen:], []
    for result in results:
        chain.results.append(result)
        engine.take(chain)
    assert engine.powers == list_powers(chain)
    assert len(engine.powers) == 4

"""What follows from proved misbehaviour (V6)."""

import pytest

from hansa.contracts.members.model import ReinstateMember, SuspendMember
from hansa.contracts.validators.model import RemoveNode
from hansa.ledger.receipts import OK
from hansa.ledger.system import Evidence
from hansa.testing.chain import Chain
from tests.contracts.league import find_violations, govern
from tests.contracts.votes import (
    ALMA,
    APP,
    BRUNO,
    CHEN,
    DORA,
    EMIL,
    activate,
    build_approve,
    build_four,
    build_misbehaviour,
    build_rekey,
    decide,
    get_address,
    get_node_id,
    get_raw,
    get_updates,
    get_validator,
    misbehave,
    reinstate,
    resign,
    set_parameter,
    set_power,
    set_signers,
)


@pytest.fixture
def chain() -> Chain:
    return build_four()


def test_double_signing_suspends_until_governance_decides(chain: Chain) -> None:
    result = misbehave(chain, DORA)
    assert result.code == OK
    assert [event.type for event in result.events] == ["MisbehaviourRecorded", "ValidatorSuspended"]
    assert get_updates(chain) == {get_raw(DORA): 0}
    assert get_validator(chain, DORA).state == "suspended"
    evidence = chain.get("", Evidence, get_address(DORA), f"{1:012d}", "duplicate_vote")
    assert evidence is not None
    assert (evidence.member, evidence.outcome, evidence.recorded) == (
        DORA.did,
        "suspended",
        chain.height,
    )
    assert activate(chain, DORA).code == "validators.wrong_state"
    assert decide(chain, reinstate(ALMA))[0] == "validators.wrong_state"
    assert decide(chain, reinstate(DORA)) == ("", {})
    assert get_updates(chain) == {get_raw(DORA): 10}


def test_same_evidence_twice_changes_nothing(chain: Chain) -> None:
    misbehave(chain, DORA)
    decide(chain, reinstate(DORA))
    again = misbehave(chain, DORA)
    assert again.code == "validators.already_recorded"
    assert again.params == {
        "kind": "duplicate_vote",
        "validator": get_address(DORA),
        "height": 1,
    }
    assert get_validator(chain, DORA).state == "active"
    block = chain.block(misbehaviours=[build_misbehaviour(ALMA)] * 2)
    assert [each.code for each in block.deadlines] == [OK, "validators.already_recorded"]


def test_another_height_or_kind_is_further_evidence(chain: Chain) -> None:
    misbehave(chain, DORA)
    assert misbehave(chain, DORA, height=2).code == OK
    attack = build_misbehaviour(DORA, kind="light_client_attack")
    assert chain.block(misbehaviours=[attack]).deadlines[0].code == OK
    recorded = chain.get("", Evidence, get_address(DORA), f"{1:012d}", "light_client_attack")
    assert recorded is not None
    assert recorded.outcome == "not_voting"


def test_light_client_attack_suspends_alike(chain: Chain) -> None:
    chain.block(misbehaviours=[build_misbehaviour(DORA, kind="light_client_attack")])
    assert get_validator(chain, DORA).state == "suspended"


def test_never_the_last_live_quorums_vote_is_suspended(chain: Chain) -> None:
    set_signers(chain, ALMA, BRUNO, CHEN)
    chain.advance(200_000)
    result = misbehave(chain, CHEN)
    assert result.code == OK
    assert [event.type for event in result.events] == ["MisbehaviourRecorded"]
    assert get_updates(chain) == {}
    evidence = chain.get("", Evidence, get_address(CHEN), f"{1:012d}", "duplicate_vote")
    assert evidence is not None
    assert evidence.outcome == "kept_for_quorum"
    # The one who does not vote can go at any time.
    assert misbehave(chain, DORA).code == OK
    assert get_validator(chain, DORA).state == "suspended"


def test_two_in_one_block_are_judged_one_after_the_other(chain: Chain) -> None:
    both = [build_misbehaviour(CHEN), build_misbehaviour(DORA)]
    set_signers(chain, ALMA, BRUNO, CHEN)
    chain.advance(200_000)
    chain.block(misbehaviours=both)
    assert get_validator(chain, CHEN).state == "active"
    assert get_validator(chain, DORA).state == "suspended"
    assert find_violations(chain.state) == []


def test_suspension_is_a_parameter(chain: Chain) -> None:
    decide(chain, set_parameter("suspend_double_signers", 0))
    misbehave(chain, DORA)
    evidence = chain.get("", Evidence, get_address(DORA), f"{1:012d}", "duplicate_vote")
    assert evidence is not None
    assert evidence.outcome == "kept_by_parameter"
    assert get_validator(chain, DORA).state == "active"


def test_evidence_against_the_unknown_and_the_former_is_recorded(chain: Chain) -> None:
    assert misbehave(chain, EMIL).code == OK
    unknown = chain.get("", Evidence, get_address(EMIL), f"{1:012d}", "duplicate_vote")
    assert unknown is not None
    assert (unknown.member, unknown.outcome) == ("", "not_voting")
    resign(chain, DORA)
    misbehave(chain, DORA)
    former = chain.get("", Evidence, get_address(DORA), f"{1:012d}", "duplicate_vote")
    assert former is not None
    assert (former.member, former.outcome) == (DORA.did, "not_voting")


def test_suspended_validator_keeps_its_place_and_may_be_changed(chain: Chain) -> None:
    misbehave(chain, DORA)
    assert decide(chain, build_approve(DORA, name="new"))[0] == "validators.already_validator"
    assert decide(chain, set_power(DORA, 3)) == ("", {})
    assert decide(chain, build_rekey(DORA, "new")) == ("", {})
    assert get_validator(chain, DORA).state == "suspended"
    assert resign(chain, DORA, get_address(DORA, "new")).code == OK
    assert find_violations(chain.state) == []


def test_invalid_reinstatement_of_the_fallen_and_of_one_without_a_node(chain: Chain) -> None:
    misbehave(chain, DORA)
    suspend = ("members", SuspendMember(member=DORA.did, reason="audit"))
    assert decide(chain, suspend) == ("", {})
    council = (ALMA, BRUNO, CHEN, EMIL)
    assert govern(chain, council, reinstate(DORA)).code == "validators.wrong_member"
    govern(chain, council, ("members", ReinstateMember(member=DORA.did, reason="audit.done")))
    govern(chain, council, (APP, RemoveNode(id=get_node_id(DORA), reason="old")))
    assert govern(chain, council, reinstate(DORA)).code == "validators.no_node"

"""Who votes on blocks, rule by rule (V1 to V5, M6)."""

import pytest
from msgspec.structs import replace

from hansa.contracts.members.model import ExpelMember, SuspendMember
from hansa.contracts.validators.model import (
    ActivateValidator,
    ApproveValidator,
    FormerKey,
    RecordMisbehaviour,
)
from hansa.crypto.signatures import PublicKey
from hansa.encoding.text import encode_base64url
from hansa.ledger.receipts import OK
from hansa.ledger.system import Liveness, is_admitted
from hansa.primitives.limits import VALIDATOR_POWER_MAX, VALIDATORS_MAX
from hansa.testing.chain import Actor, Chain, make_key
from hansa.testing.league import make_validator_key
from tests.contracts.league import (
    build_admit,
    build_open_account,
    build_propose,
    find_violations,
    govern,
)
from tests.contracts.votes import (
    ALMA,
    APP,
    BRUNO,
    CHEN,
    DORA,
    EMIL,
    FARA,
    MEMBERS,
    STAFF,
    VOTERS,
    activate,
    build_admit_node,
    build_approve,
    build_four,
    build_rekey,
    build_remove,
    build_vote_chain,
    decide,
    find_validator,
    get_address,
    get_node_id,
    get_raw,
    get_updates,
    get_validator,
    list_powers,
    possess,
    reinstate,
    resign,
    set_parameter,
    set_power,
    set_signers,
    vote,
)


@pytest.fixture
def chain() -> Chain:
    return build_four()


# V1: keys


def test_approved_validator_is_a_candidate_without_power(chain: Chain) -> None:
    assert decide(chain, build_approve(EMIL)) == ("", {})
    validator = get_validator(chain, EMIL)
    assert (validator.state, validator.power, validator.since) == ("candidate", 10, chain.height)
    assert validator.address == get_address(EMIL)
    assert get_updates(chain) == {}


@pytest.mark.parametrize("message", ["approve", "rekey", "admit"])
def test_invalid_change_without_governance(chain: Chain, message: str) -> None:
    messages = {
        "approve": build_approve(EMIL)[1],
        "rekey": build_rekey(ALMA, "new")[1],
        "admit": build_admit_node(EMIL)[1],
    }
    assert chain.send(ALMA, APP, messages[message]).code == "ledger.internal_message"


def test_invalid_evidence_from_an_account_or_a_proposal(chain: Chain) -> None:
    message = RecordMisbehaviour(
        address=get_address(BRUNO),
        height=1,
        kind="duplicate_vote",
        power=10,
        time_ms=1,
        total_power=40,
    )
    assert chain.send(ALMA, APP, message).code == "ledger.internal_message"
    proposed = chain.send(ALMA, "governance", build_propose((APP, message)))
    assert proposed.code == "governance.not_an_action"


@pytest.mark.parametrize("what", ["another key", "another member", "another chain", "zeros"])
def test_invalid_possession(chain: Chain, what: str) -> None:
    key = make_validator_key(EMIL)
    signed = {
        "another key": possess(make_key("mallory"), EMIL.did),
        "another member": possess(key, FARA.did),
        "another chain": possess(key, EMIL.did, chain="other-1"),
        "zeros": encode_base64url(bytes(64)),
    }
    approve = replace(build_approve(EMIL)[1], possession=signed[what])
    code, params = decide(chain, (APP, approve))
    assert (code, params) == ("validators.wrong_possession", {"member": EMIL.did})
    assert find_validator(chain, EMIL.did) is None


@pytest.mark.parametrize(
    "key",
    [
        make_key("p256", "ES256").public,
        PublicKey.from_raw("EdDSA", bytes(32)),
        PublicKey.from_raw("EdDSA", b"\xff" * 32),
        PublicKey.from_raw("EdDSA", b"\x02" * 31),
        PublicKey(alg="EdDSA", public="not base64url!"),
        PublicKey(alg="none", public=""),
    ],
    ids=["p256", "small order", "not canonical", "short", "no text", "no suite"],
)
def test_invalid_key(chain: Chain, key: PublicKey) -> None:
    approve = ApproveValidator(
        member=EMIL.did, key=key, power=1, possession=encode_base64url(b"\x01" + bytes(63))
    )
    assert decide(chain, (APP, approve))[0] == "validators.wrong_key"


def test_invalid_key_of_another_validator(chain: Chain) -> None:
    approve = build_approve(EMIL, name="alma/validator")
    code, params = decide(chain, approve)
    assert (code, params) == ("validators.key_used_before", {"validator": get_address(ALMA)})


def test_removed_key_comes_back_for_its_member_alone(chain: Chain) -> None:
    assert decide(chain, build_remove(DORA)) == ("", {})
    former = chain.get(APP, FormerKey, get_address(DORA))
    assert former == FormerKey(
        address=get_address(DORA), member=DORA.did, replaced=False, until=chain.height
    )
    stolen = build_approve(EMIL, name="dora/validator")
    assert decide(chain, stolen)[0] == "validators.key_used_before"
    assert decide(chain, build_approve(DORA)) == ("", {})


def test_replaced_key_never_comes_back(chain: Chain) -> None:
    assert decide(chain, build_rekey(DORA, "new")) == ("", {})
    new = get_address(DORA, "new")
    assert decide(chain, build_rekey(DORA, "dora/validator", new))[0] == (
        "validators.key_used_before"
    )
    assert decide(chain, build_remove(DORA, new)) == ("", {})
    assert decide(chain, build_approve(DORA))[0] == "validators.key_used_before"
    assert decide(chain, build_approve(DORA, name="new")) == ("", {})


def test_new_key_takes_power_and_state_in_the_block_in_which_the_old_one_loses_it(
    chain: Chain,
) -> None:
    assert decide(chain, build_rekey(DORA, "new")) == ("", {})
    assert get_updates(chain) == {get_raw(DORA): 0, make_key("new").public.raw: 10}
    validator = get_validator(chain, DORA)
    assert (validator.state, validator.power) == ("active", 10)
    assert validator.address == get_address(DORA, "new")


def test_candidate_with_a_new_key_has_no_power_yet(chain: Chain) -> None:
    decide(chain, build_approve(EMIL))
    assert decide(chain, build_rekey(EMIL, "new")) == ("", {})
    assert get_updates(chain) == {}
    assert get_validator(chain, EMIL).state == "candidate"


def test_invalid_new_key_signed_for_another_member(chain: Chain) -> None:
    code, _params = decide(chain, build_rekey(DORA, "new", member=EMIL.did))
    assert code == "validators.wrong_possession"


# V2: numbers


def test_invalid_second_validator_of_a_member(chain: Chain) -> None:
    code, params = decide(chain, build_approve(ALMA, name="second"))
    assert code == "validators.already_validator"
    assert params == {"member": ALMA.did, "validator": get_address(ALMA), "state": "active"}


@pytest.mark.parametrize("power", [0, -1, VALIDATOR_POWER_MAX + 1, 2**53])
def test_invalid_power(chain: Chain, power: int) -> None:
    for action in (build_approve(EMIL, power), set_power(ALMA, power)):
        result = chain.send(ALMA, "governance", build_propose(action))
        assert result.code in ("ledger.malformed", "ledger.overflow")


def test_largest_powers_stay_below_the_engines_limit() -> None:
    assert VALIDATORS_MAX * VALIDATOR_POWER_MAX < (2**63 - 1) // 8
    assert VALIDATORS_MAX * VALIDATOR_POWER_MAX < 2**53


def test_invalid_validator_beyond_the_number(chain: Chain) -> None:
    voters = {Actor(f"voter {number}"): 10 for number in range(VALIDATORS_MAX - 1)}
    chain = build_vote_chain((ALMA, EMIL, FARA, *voters), voters, parts={
        "governance": {"weights": {ALMA.did: 1}}
    })  # fmt: skip
    assert govern(chain, (ALMA,), build_approve(EMIL)).code == ""
    proposal = govern(chain, (ALMA,), build_approve(FARA))
    assert proposal.code == "validators.too_many_validators"
    assert proposal.params == {"limit": VALIDATORS_MAX}


# V3: the quorum guard


def test_power_is_changed_for_the_engine_in_the_same_block(chain: Chain) -> None:
    assert decide(chain, set_power(ALMA, 15)) == ("", {})
    assert get_updates(chain) == {get_raw(ALMA): 15}
    assert decide(chain, set_power(ALMA, 15)) == ("", {})
    assert get_updates(chain) == {}


def test_power_of_a_candidate_is_no_matter_of_the_engine(chain: Chain) -> None:
    decide(chain, build_approve(EMIL))
    set_signers(chain)
    chain.advance(1_000_000)
    assert decide(chain, set_power(EMIL, 1_000)) == ("", {})
    assert get_updates(chain) == {}


def test_invalid_removal_of_one_who_votes_while_another_does_not(chain: Chain) -> None:
    set_signers(chain, ALMA, BRUNO, CHEN)
    chain.advance(200_000)
    code, params = decide(chain, build_remove(CHEN))
    assert (code, params) == ("validators.quorum_at_risk", {"live": 20, "total": 30, "needed": 21})
    assert get_validator(chain, CHEN).state == "active"
    assert decide(chain, build_remove(DORA)) == ("", {})
    assert decide(chain, build_remove(CHEN)) == ("", {})


def test_exactly_two_thirds_are_not_enough() -> None:
    chain = build_vote_chain(MEMBERS, dict.fromkeys(VOTERS[:3], 10))
    chain.block()
    set_signers(chain, ALMA, BRUNO)
    chain.advance(200_000)
    code, params = decide(chain, set_power(ALMA, 10))
    assert (code, params) == ("validators.quorum_at_risk", {"live": 20, "total": 30, "needed": 21})
    assert decide(chain, set_power(ALMA, 11)) == ("", {})


def test_invalid_removal_of_the_last_validator() -> None:
    chain = build_vote_chain(MEMBERS, {ALMA: 10})
    chain.block()
    code, params = decide(chain, build_remove(ALMA))
    assert (code, params) == ("validators.quorum_at_risk", {"live": 0, "total": 0, "needed": 1})
    assert resign(chain, ALMA).code == "validators.quorum_at_risk"


def test_new_validator_counts_as_absent_until_it_votes() -> None:
    chain = build_vote_chain(MEMBERS, {ALMA: 10})
    chain.block()
    assert decide(chain, build_admit_node(BRUNO), build_approve(BRUNO, 5)) == ("", {})
    refused = activate(chain, BRUNO)
    assert refused.code == "validators.quorum_at_risk"
    assert refused.params == {"live": 10, "total": 15, "needed": 11}
    decide(chain, set_power(BRUNO, 4))
    set_signers(chain, ALMA)  # it does not vote yet
    assert activate(chain, BRUNO).code == OK
    assert get_updates(chain) == {get_raw(BRUNO): 4}
    assert decide(chain, set_power(BRUNO, 10))[0] == "validators.quorum_at_risk"
    set_signers(chain, ALMA, BRUNO)
    assert decide(chain, set_power(BRUNO, 10)) == ("", {})
    assert list_powers(chain) == {get_raw(ALMA): 10, get_raw(BRUNO): 10}


def test_invalid_new_keys_of_so_many_that_the_others_could_not_decide(chain: Chain) -> None:
    rekeys = (build_rekey(ALMA, "new 1"), build_rekey(BRUNO, "new 2"))
    code, params = decide(chain, *rekeys)
    assert (code, params) == ("validators.quorum_at_risk", {"live": 20, "total": 40, "needed": 27})
    assert get_validator(chain, ALMA).address == get_address(ALMA)


def test_lately_is_a_parameter(chain: Chain) -> None:
    decide(chain, set_power(ALMA, 10))
    set_signers(chain, ALMA, BRUNO, CHEN)
    chain.advance(100_000)
    assert decide(chain, set_parameter("live_ms", 50_000)) == ("", {})
    assert decide(chain, build_remove(CHEN))[0] == "validators.quorum_at_risk"
    assert decide(chain, set_parameter("live_ms", 86_400_000)) == ("", {})
    assert decide(chain, build_remove(CHEN)) == ("", {})


def test_without_signers_only_what_was_seen_counts(chain: Chain) -> None:
    decide(chain, set_power(ALMA, 10))
    set_signers(chain)
    assert decide(chain, set_power(ALMA, 11)) == ("", {})
    chain.advance(200_000)
    code, params = decide(chain, set_power(ALMA, 10))
    assert (code, params) == ("validators.quorum_at_risk", {"live": 0, "total": 40, "needed": 27})


def test_invalid_change_in_the_first_block_for_nobody_was_seen_to_vote() -> None:
    chain = build_vote_chain((ALMA,), {ALMA: 10})
    assert resign(chain, ALMA).params == {"live": 0, "total": 0, "needed": 1}
    assert chain.get("", Liveness, "validators") is None


# V4: who does what


def test_administrator_activates_the_candidate_whose_node_is_admitted(chain: Chain) -> None:
    decide(chain, build_approve(EMIL))
    assert activate(chain, EMIL).code == "validators.no_node"
    decide(chain, build_admit_node(EMIL, kind="observer"))
    assert activate(chain, EMIL).code == "validators.no_node"
    decide(chain, build_admit_node(EMIL, 2))
    result = activate(chain, EMIL)
    assert [event.type for event in result.events] == ["ValidatorActivated"]
    assert get_updates(chain) == {get_raw(EMIL): 10}
    assert activate(chain, EMIL).code == "validators.wrong_state"


@pytest.mark.parametrize("who", ["another member", "no administrator"])
def test_invalid_activation_and_resignation_by(chain: Chain, who: str) -> None:
    decide(chain, build_approve(EMIL), build_admit_node(EMIL))
    chain.send(EMIL, "accounts", build_open_account(STAFF, EMIL))
    actor = ALMA if who == "another member" else STAFF
    for result in (
        activate(chain, actor, get_address(EMIL)),
        resign(chain, actor, get_address(EMIL)),
    ):
        assert result.code == "accounts.not_administrator"
        assert result.params == {"member": EMIL.did}


def test_invalid_change_of_nobody(chain: Chain) -> None:
    unknown = get_address(EMIL)
    for result in (activate(chain, EMIL), resign(chain, EMIL)):
        assert (result.code, result.params) == (
            "validators.no_such_validator",
            {"validator": unknown},
        )
    for action in (
        set_power(EMIL, 1),
        build_rekey(EMIL, "new"),
        build_remove(EMIL),
        reinstate(EMIL),
    ):
        assert decide(chain, action)[0] == "validators.no_such_validator"


def test_resigned_validator_is_gone_and_its_member_needs_a_new_approval(chain: Chain) -> None:
    assert resign(chain, DORA).code == OK
    assert get_updates(chain) == {get_raw(DORA): 0}
    assert find_validator(chain, DORA.did) is None
    assert activate(chain, DORA).code == "validators.no_such_validator"
    decide(chain, build_approve(DORA))
    assert activate(chain, DORA).code == OK


def test_candidate_may_resign_whoever_votes(chain: Chain) -> None:
    decide(chain, build_approve(EMIL))
    set_signers(chain)
    chain.advance(1_000_000)
    assert resign(chain, EMIL).code == OK
    assert get_updates(chain) == {}


def test_removed_and_added_again_in_one_block_gives_no_update(chain: Chain) -> None:
    proposal = build_propose(build_remove(DORA), build_approve(DORA))
    chain.send(ALMA, "governance", proposal)
    chain.send(BRUNO, "governance", vote(1))
    chain.send(CHEN, "governance", vote(1))
    result = chain.block(
        [
            chain.sign(DORA, [("governance", vote(1))]),
            chain.sign(DORA, [(APP, ActivateValidator(validator=get_address(DORA)))]),
        ]
    )
    assert [each.code for each in result.results] == [0, 0]
    assert result.validator_updates == ()
    assert get_validator(chain, DORA).since == chain.height
    assert find_violations(chain.state) == []


def test_several_changes_of_one_key_in_one_block_are_one_update(chain: Chain) -> None:
    assert decide(chain, set_power(ALMA, 12), set_power(ALMA, 14), set_power(BRUNO, 9)) == ("", {})
    assert get_updates(chain) == {get_raw(ALMA): 14, get_raw(BRUNO): 9}
    assert decide(chain, set_power(ALMA, 12), set_power(ALMA, 14)) == ("", {})
    assert get_updates(chain) == {}


def test_failed_proposal_changes_no_power(chain: Chain) -> None:
    code, _params = decide(chain, set_power(ALMA, 12), build_remove(EMIL))
    assert code == "validators.no_such_validator"
    assert get_updates(chain) == {}


# V5, M6: members


@pytest.mark.parametrize("kind", [SuspendMember, ExpelMember])
def test_member_whose_validator_votes_stays_in_good_standing(
    chain: Chain, kind: type[SuspendMember | ExpelMember]
) -> None:
    fall = ("members", kind(member=DORA.did, reason="fraud"))
    code, params = decide(chain, fall)
    assert code == "members.validator_votes"
    assert params == {"member": DORA.did, "validator": get_address(DORA)}
    assert decide(chain, build_remove(DORA), fall) == ("", {})
    assert get_updates(chain) == {get_raw(DORA): 0}


def test_candidate_of_a_fallen_member_never_votes(chain: Chain) -> None:
    decide(chain, build_approve(EMIL), build_admit_node(EMIL))
    fall = build_propose(("members", SuspendMember(member=EMIL.did, reason="audit")))
    chain.send(ALMA, "governance", fall)
    for actor in (BRUNO, CHEN):
        chain.send(actor, "governance", vote(2))
    # In the block of the decision itself EMIL can still sign.
    result = chain.block(
        [
            chain.sign(DORA, [("governance", vote(2))]),
            chain.sign(EMIL, [(APP, ActivateValidator(validator=get_address(EMIL)))]),
        ]
    )
    refused = result.results[1].messages[0]
    assert (refused.code, refused.params) == (
        "validators.wrong_member",
        {"member": EMIL.did, "standing": "suspended"},
    )
    assert find_violations(chain.state) == []


def test_invalid_approval_for_nobody_and_for_the_fallen(chain: Chain) -> None:
    stranger = Actor("stranger")
    assert decide(chain, build_approve(stranger))[1]["standing"] == "unknown"
    decide(chain, ("members", ExpelMember(member=EMIL.did, reason="fraud")))
    for action in (build_approve(EMIL), build_admit_node(EMIL)):
        assert decide(chain, action)[0] == "validators.wrong_member"


def test_one_proposal_admits_member_node_and_validator(chain: Chain) -> None:
    gina = Actor("gina")
    assert decide(
        chain, ("members", build_admit(gina)), build_admit_node(gina), build_approve(gina)
    ) == ("", {})
    assert activate(chain, gina).code == OK
    assert is_admitted(chain.state, get_node_id(gina), chain.height + 1)

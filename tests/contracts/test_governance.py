"""Proposals, votes and what they change, rule by rule (G1 to G7)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hansa.contracts.governance import handlers
from hansa.contracts.governance.model import (
    VOTERS_MAX,
    ActivateContract,
    Ballot,
    CancelActivation,
    CloseProposal,
    FreezeTarget,
    Proposal,
    Propose,
    Rules,
    SetParameter,
    SetRules,
    SetWeight,
    UnfreezeTarget,
    Vote,
    Weight,
    format_proposal_id,
)
from hansa.contracts.governance.tally import compute_outcome
from hansa.contracts.members.model import SuspendMember
from hansa.contracts.permissions.model import GrantRole
from hansa.ledger.genesis import InvalidGenesis, compute_genesis_changes
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK
from hansa.ledger.system import Activation, Freeze, Parameter
from hansa.primitives.limits import DEADLINES_PER_BLOCK_MAX
from hansa.testing.chain import Actor, Chain
from tests.contracts import land
from tests.contracts.land import Parcel, Reform, RegisterParcel, Ring
from tests.contracts.league import (
    WEEK_MS,
    build_admit,
    build_chain,
    build_genesis,
    build_open_account,
    build_propose,
    find_violations,
    get_last_proposal,
    get_proposal,
    govern,
)

ALMA, BRUNO, CHEN, GUEST = Actor("alma"), Actor("bruno"), Actor("chen"), Actor("guest")
STAFF, DORA = Actor("staff"), Actor("dora")
COUNCIL = (ALMA, BRUNO, CHEN)
WEIGHTS = {ALMA.did: 3, BRUNO.did: 2, CHEN.did: 2}
DIGEST = "ab" * 32


@pytest.fixture
def chain() -> Chain:
    """Weights 3, 2, 2 and a guest without; threshold 2/3: five of seven pass."""
    made = build_chain(
        *COUNCIL, GUEST, parts={"governance": {"weights": WEIGHTS}}, contracts=(land.contract,)
    )
    made.send(ALMA, "accounts", build_open_account(STAFF, ALMA))
    return made


def set_fee(value: int = 7) -> tuple[str, SetParameter]:
    return ("governance", SetParameter(application="land", name="fee", value=value))


def get_fee(chain: Chain) -> int | None:
    found = chain.get("", Parameter, "land", "fee")
    return found.value if found is not None else None


def vote(chain: Chain, actor: Actor, choice: Any = "yes", number: int = 1) -> str:
    return chain.send(actor, "governance", Vote(proposal=number, choice=choice)).code


def propose(chain: Chain, actor: Actor, *actions: tuple[str, Message]) -> str:
    return chain.send(actor, "governance", build_propose(*actions)).code


def pass_own(chain: Chain, message: Message) -> Proposal:
    return govern(chain, COUNCIL, ("governance", message))


# G1, G2, G3: votes


def test_a_proposal_passes_at_the_threshold_and_is_executed_at_once(chain: Chain) -> None:
    assert propose(chain, ALMA, set_fee()) == OK
    assert get_proposal(chain, 1).state == "OPEN"
    assert get_fee(chain) is None
    assert vote(chain, BRUNO) == OK
    assert (get_proposal(chain, 1).state, get_proposal(chain, 1).yes) == ("EXECUTED", 5)
    assert get_fee(chain) == 7
    assert find_violations(chain.state) == []


def test_a_proposal_is_rejected_as_soon_as_it_cannot_pass(chain: Chain) -> None:
    propose(chain, BRUNO, set_fee())
    assert vote(chain, ALMA, "no") == OK
    assert get_proposal(chain, 1).state == "REJECTED"
    assert vote(chain, CHEN) == "governance.voting_closed"
    assert get_fee(chain) is None


def test_a_proposal_lapses_at_its_deadline(chain: Chain) -> None:
    propose(chain, ALMA, set_fee())
    fired = chain.advance(WEEK_MS).deadlines
    assert [each.code for each in fired] == [OK]
    assert get_proposal(chain, 1).state == "LAPSED"
    assert vote(chain, BRUNO) == "governance.voting_closed"


def test_a_decided_proposal_has_no_deadline(chain: Chain) -> None:
    govern(chain, COUNCIL, set_fee())
    assert chain.advance(WEEK_MS).deadlines == ()


def test_invalid_vote_after_the_time_when_the_deadline_waits_for_a_later_block(
    chain: Chain,
) -> None:
    propose(chain, ALMA, set_fee())
    bells = [Ring(id=f"b{number}", at_ms=0) for number in range(DEADLINES_PER_BLOCK_MAX)]
    late = chain.sign(BRUNO, [("governance", Vote(proposal=1, choice="yes"))])
    chain.submit(ALMA, "land", *bells)
    block = chain.block([late], step_ms=WEEK_MS)
    assert len(block.deadlines) == DEADLINES_PER_BLOCK_MAX
    assert get_proposal(chain, 1).state == "OPEN"
    assert block.results[0].messages[0].code == "governance.voting_closed"
    chain.advance(1)
    assert get_proposal(chain, 1).state == "LAPSED"


def test_invalid_second_vote(chain: Chain) -> None:
    propose(chain, BRUNO, set_fee())
    assert vote(chain, BRUNO) == "governance.already_voted"
    assert vote(chain, BRUNO, "no") == "governance.already_voted"
    assert vote(chain, CHEN) == OK
    assert vote(chain, CHEN) == "governance.already_voted"
    assert get_proposal(chain, 1).yes == 4


def test_invalid_vote_and_proposal_without_weight(chain: Chain) -> None:
    propose(chain, ALMA, set_fee())
    refused = chain.send(GUEST, "governance", Vote(proposal=1, choice="yes"))
    assert refused.code == "governance.not_a_voter"
    assert ALMA.did in str(refused.params["voters"])
    assert propose(chain, GUEST, set_fee()) == "governance.not_a_voter"


def test_invalid_vote_by_staff_that_is_no_delegate(chain: Chain) -> None:
    assert propose(chain, STAFF, set_fee()) == "governance.not_a_delegate"
    delegate = GrantRole(application="governance", role="delegate", holder=STAFF.did)
    assert chain.send(ALMA, "permissions", delegate).code == OK
    assert propose(chain, STAFF, set_fee()) == OK
    assert vote(chain, ALMA) == "governance.already_voted"


def test_invalid_vote_on_a_proposal_that_is_not_there(chain: Chain) -> None:
    assert vote(chain, ALMA, number=9) == "governance.no_such_proposal"


def test_weights_and_threshold_are_those_of_the_opening(chain: Chain) -> None:
    propose(chain, CHEN, set_fee())
    pass_own(chain, SetWeight(member=CHEN.did, weight=100))
    pass_own(chain, SetRules(numerator=1, denominator=1, voting_ms=WEEK_MS, governing_min=1))
    assert vote(chain, ALMA) == OK
    proposal = get_proposal(chain, 1)
    assert (proposal.state, proposal.yes) == ("EXECUTED", 5)
    ballot = chain.get("governance", Ballot, format_proposal_id(1), CHEN.did)
    assert ballot is not None
    assert ballot.weight == 2


def test_a_suspended_member_is_not_in_the_electorate_of_later_proposals(chain: Chain) -> None:
    govern(chain, COUNCIL, ("members", SuspendMember(member=ALMA.did, reason="audit")))
    govern(chain, (BRUNO, CHEN), set_fee())
    proposal = get_last_proposal(chain)
    assert {voter.member for voter in proposal.voters} == {BRUNO.did, CHEN.did}
    assert proposal.state == "EXECUTED"


@given(
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(1, 20),
    st.integers(1, 20),
)
def test_outcome_is_decided_once_and_never_both(
    yes: int, no: int, rest: int, numerator: int, denominator: int
) -> None:
    """Whatever the rest votes, a decided outcome stays; and exact thirds are exact."""
    if not denominator < 2 * numerator <= 2 * denominator or yes + no + rest == 0:
        return
    total = yes + no + rest
    threshold = {"total": total, "numerator": numerator, "denominator": denominator}
    outcome = compute_outcome(yes=yes, no=no, **threshold)
    best = compute_outcome(yes=yes + rest, no=no, **threshold)
    worst = compute_outcome(yes=yes, no=no + rest, **threshold)
    if outcome == "passed":
        assert best == worst == "passed"
    elif outcome == "rejected":
        assert best == worst == "rejected"
    else:
        assert (best, worst) == ("passed", "rejected")


# G4: execution


def test_actions_are_executed_all_or_none_and_the_proposal_says_why(chain: Chain) -> None:
    proposal = govern(
        chain,
        COUNCIL,
        set_fee(),
        ("members", build_admit(DORA)),
        ("members", build_admit(BRUNO)),
    )
    assert (proposal.state, proposal.code) == ("FAILED", "members.already_member")
    assert proposal.failed_action == 2
    assert get_fee(chain) is None
    changed = {key for key, _value in chain.results[-1].changes}
    assert {key.split(b"/")[1] for key in changed} <= {
        b"proposal", b"ballot", b"deadline", b"usage", b"block", b"seen", b"liveness"
    }  # fmt: skip
    events = [event.type for event in chain.results[-1].results[0].messages[0].events]
    assert events == ["VoteCast", "ProposalClosed"]
    assert find_violations(chain.state) == []


def test_an_action_that_breaks_fails_the_proposal_and_halts_nothing(chain: Chain) -> None:
    proposal = govern(
        chain, COUNCIL, ("land", Reform(id="a")), ("land", Reform(id="b", breaks=True))
    )
    assert (proposal.state, proposal.code) == ("FAILED", "ledger.contract_fault")
    assert chain.get("land", Parcel, "a") is None
    assert govern(chain, COUNCIL, ("land", Reform(id="a"))).state == "EXECUTED"


def test_a_later_action_sees_what_an_earlier_one_did(chain: Chain) -> None:
    proposal = govern(
        chain,
        COUNCIL,
        ("members", build_admit(DORA)),
        ("governance", SetWeight(member=DORA.did, weight=5)),
    )
    assert proposal.state == "EXECUTED"
    assert propose(chain, DORA, set_fee()) == OK


def test_a_fault_of_governance_itself_is_refused_but_freezes_nothing(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every other faulty type is frozen (D21); nobody could lift a freeze of this one."""
    with monkeypatch.context() as patch:
        patch.setattr(handlers, "list_voters", lambda _ctx: 1 // 0)
        assert propose(chain, ALMA, set_fee()) == "ledger.contract_fault"
    assert chain.get("", Freeze, "message:governance.Propose") is None
    assert propose(chain, ALMA, set_fee()) == OK


# G5: nobody locked out


def test_invalid_change_that_leaves_no_governing_member(chain: Chain) -> None:
    suspend = [("members", SuspendMember(member=actor.did, reason="audit")) for actor in COUNCIL]
    proposal = govern(chain, COUNCIL, *suspend)
    assert proposal.code == "governance.no_one_could_pass"
    assert proposal.params == {
        "able": 0, "members": 0, "minimum": 1, "required": 1, "total": 0
    }  # fmt: skip


def test_invalid_freeze_that_leaves_too_few_votes_is_refused_with_the_numbers(
    chain: Chain,
) -> None:
    freeze = FreezeTarget(target=f"account:{ALMA.did}", reason="audit")
    proposal = pass_own(chain, freeze)
    assert proposal.code == "governance.no_one_could_pass"
    assert proposal.params == {
        "able": 4, "members": 2, "minimum": 1, "required": 5, "total": 7
    }  # fmt: skip
    assert chain.get("", Freeze, f"account:{ALMA.did}") is None
    small = pass_own(chain, FreezeTarget(target=f"account:{CHEN.did}", reason="audit"))
    assert small.state == "EXECUTED"


def test_invalid_weights_below_the_fewest_governing_members(chain: Chain) -> None:
    three = SetRules(numerator=2, denominator=3, voting_ms=WEEK_MS, governing_min=3)
    assert pass_own(chain, three).state == "EXECUTED"
    assert pass_own(chain, SetWeight(member=CHEN.did, weight=0)).code == (
        "governance.no_one_could_pass"
    )
    four = replace(three, governing_min=4)
    assert pass_own(chain, four).code == "governance.no_one_could_pass"


@pytest.mark.parametrize(
    "target",
    [
        "contract:governance",
        "message:governance.Vote",
        "contract:nowhere",
        "message:land.NoSuch",
        f"account:{Actor('nobody').did}",
    ],
)
def test_invalid_freeze(chain: Chain, target: str) -> None:
    proposal = pass_own(chain, FreezeTarget(target=target, reason="audit"))
    assert proposal.code in ("governance.not_freezable", "ledger.contract_not_active")
    assert chain.get("", Freeze, target) is None


def test_a_frozen_contract_message_or_account_is_stopped_and_started(chain: Chain) -> None:
    parcel = RegisterParcel(id="p", owner=ALMA.did)
    for target in ("contract:land", "message:land.RegisterParcel", f"account:{GUEST.did}"):
        assert pass_own(chain, FreezeTarget(target=target, reason="audit")).state == "EXECUTED"
        assert chain.send(GUEST, "land", parcel).code == "ledger.frozen"
        again = pass_own(chain, FreezeTarget(target=target, reason="audit"))
        assert again.code == "governance.already_frozen"
        assert pass_own(chain, UnfreezeTarget(target=target)).state == "EXECUTED"
        assert chain.send(GUEST, "land", parcel).code == OK
        assert pass_own(chain, UnfreezeTarget(target=target)).code == "governance.not_frozen"


# G6: actions


@pytest.mark.parametrize(
    ("application", "message", "code"),
    [
        ("governance", Vote(proposal=1, choice="yes"), "governance.not_an_action"),
        ("governance", CloseProposal(proposal=1), "governance.not_an_action"),
        ("land", RegisterParcel(id="p", owner="x"), "governance.not_an_action"),
        ("nowhere", Vote(proposal=1, choice="yes"), "ledger.contract_not_active"),
        ("land", Vote(proposal=1, choice="yes"), "ledger.unknown_message"),
    ],
)
def test_invalid_action_is_refused_before_anyone_votes(
    chain: Chain, application: str, message: Message, code: str
) -> None:
    assert propose(chain, ALMA, (application, message)) == code


def test_invalid_action_that_does_not_decode(chain: Chain) -> None:
    message = build_propose(set_fee())
    action = replace(message.actions[0], body={**message.actions[0].body, "value": "seven"})
    result = chain.send(ALMA, "governance", replace(message, actions=(action,)))
    assert result.code == "ledger.malformed"


@pytest.mark.parametrize("number", [0, 17])
def test_invalid_number_of_actions(chain: Chain, number: int) -> None:
    message = Propose(topic="test", actions=build_propose(*[set_fee()] * number).actions)
    assert chain.send(ALMA, "governance", message).code == "ledger.malformed"


# G7: parameters, rules, weights, activation


def test_parameters_are_declared_and_bounded(chain: Chain) -> None:
    assert pass_own(chain, set_fee(100)[1]).state == "EXECUTED"
    for value in (0, 101, -5):
        proposal = pass_own(chain, set_fee(value)[1])
        assert proposal.code == "governance.parameter_out_of_bounds"
        assert (proposal.params["low"], proposal.params["high"]) == (1, 100)
    unknown = SetParameter(application="land", name="feee", value=1)
    assert pass_own(chain, unknown).code == "governance.no_such_parameter"
    assert get_fee(chain) == 100


@pytest.mark.parametrize(("numerator", "denominator"), [(1, 2), (1, 3), (4, 3), (1, 1000)])
def test_invalid_threshold(chain: Chain, numerator: int, denominator: int) -> None:
    rules = SetRules(
        numerator=numerator, denominator=denominator, voting_ms=WEEK_MS, governing_min=1
    )
    assert pass_own(chain, rules).code == "governance.wrong_rules"
    assert chain.get("governance", Rules, "rules") == Rules()


def test_invalid_weight_of_a_stranger(chain: Chain) -> None:
    proposal = pass_own(chain, SetWeight(member=DORA.did, weight=1))
    assert proposal.code == "governance.wrong_voter"


def test_voters_are_bounded() -> None:
    crowd = tuple(Actor(f"member {number}") for number in range(VOTERS_MAX + 1))
    weights = {actor.did: 1 for actor in crowd[:VOTERS_MAX]}
    chain = build_chain(*crowd, parts={"governance": {"weights": weights}})
    more = ("governance", SetWeight(member=crowd[-1].did, weight=1))
    less = ("governance", SetWeight(member=crowd[5].did, weight=0))
    assert govern(chain, crowd[:90], more).code == "governance.wrong_voter"
    assert govern(chain, crowd[:90], less, more).state == "EXECUTED"
    assert chain.get("governance", Weight, crowd[5].did) is None


def test_a_contract_is_activated_at_a_later_height_by_its_digest(chain: Chain) -> None:
    height = chain.height + 100
    activate = ActivateContract(application="land", version=2, digest=DIGEST, height=height)
    assert pass_own(chain, activate).state == "EXECUTED"
    found = chain.get("", Activation, "land")
    assert found is not None
    assert [(entry.version, entry.height) for entry in found.versions] == [(1, 0), (2, height)]
    later = replace(activate, version=3, height=height + 5)
    assert pass_own(chain, later).state == "EXECUTED"
    assert pass_own(chain, CancelActivation(application="land")).state == "EXECUTED"
    proposal = pass_own(chain, CancelActivation(application="land"))
    assert proposal.code == "governance.nothing_pending"
    assert chain.send(ALMA, "land", RegisterParcel(id="p", owner="x")).code == OK
    assert find_violations(chain.state) == []


def test_a_new_contract_is_activated_and_taken_back(chain: Chain) -> None:
    new = ActivateContract(application="sea", version=1, digest=DIGEST, height=chain.height + 100)
    assert pass_own(chain, new).state == "EXECUTED"
    assert pass_own(chain, CancelActivation(application="sea")).state == "EXECUTED"
    assert chain.get("", Activation, "sea") is None


def test_invalid_activation(chain: Chain) -> None:
    soon = ActivateContract(application="land", version=2, digest=DIGEST, height=chain.height + 3)
    assert pass_own(chain, soon).code == "governance.wrong_activation"
    delay = SetParameter(application="governance", name="activation_heights", value=1)
    assert pass_own(chain, delay).state == "EXECUTED"
    two = replace(soon, height=chain.height + 3)
    assert pass_own(chain, two).state == "EXECUTED"
    chain.block()
    chain.block()
    old = replace(soon, version=1, height=chain.height + 50)
    assert pass_own(chain, old).code == "governance.wrong_activation"


@pytest.mark.parametrize(
    "part",
    [
        {"weights": {}},
        {"weights": {ALMA.did: 0}},
        {"weights": {DORA.did: 1}},
        {"rules": {"numerator": 1, "denominator": 2}},
        {"rules": {"governing_min": 9}},
        {"parameters": [{"application": "land", "name": "fee", "value": 0}]},
        {"parameters": [{"application": "land", "name": "feee", "value": 1}]},
        {"unknown": 1},
    ],
)
def test_invalid_genesis_governance(part: dict[str, Any]) -> None:
    chain = build_chain(*COUNCIL, contracts=(land.contract,))
    document = build_genesis(COUNCIL, {"governance": part})
    with pytest.raises(InvalidGenesis):
        compute_genesis_changes(replace(chain.genesis, contracts=document), chain.registry)


def test_joining_takes_an_admission_and_votes_and_touches_nobody_else(chain: Chain) -> None:
    """Pains 11 and 22: the candidate sends key and signature, members vote, it has joined."""
    before = dict(chain.state.values)
    govern(chain, COUNCIL, ("members", build_admit(DORA)))
    touched = {
        key
        for key, value in chain.state.values.items()
        if before.get(key) != value and key.split(b"/")[0] in (b"members", b"accounts")
    }
    assert all(DORA.did.encode() in key for key in touched)
    assert chain.send(DORA, "land", RegisterParcel(id="p", owner=DORA.did)).code == OK

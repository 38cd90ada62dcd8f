"""Quotas (Q1, Q2): allowances by governance, charged by the kernel, always room to vote."""

import pytest
from msgspec.structs import replace

from hansa.contracts.governance.model import SetParameter, Vote
from hansa.contracts.quotas.handlers import contract, view_quota
from hansa.contracts.quotas.model import UNITS_MIN, QuotaState, SetAllowance
from hansa.ledger.context import ReadContext, Scope
from hansa.ledger.genesis import InvalidGenesis, compute_genesis_changes
from hansa.ledger.receipts import OK
from hansa.ledger.system import Allowance
from hansa.testing.chain import Actor, Chain
from tests.contracts import land
from tests.contracts.land import RegisterParcel
from tests.contracts.league import (
    build_chain,
    build_genesis,
    build_open_account,
    build_propose,
    find_violations,
    govern,
)

ALMA, BRUNO, CITIZEN = Actor("alma"), Actor("bruno"), Actor("citizen")
PARCEL = RegisterParcel(id="p", owner="nobody")


@pytest.fixture
def chain() -> Chain:
    return build_chain(
        ALMA,
        BRUNO,
        parts={"quotas": {"allowances": {BRUNO.did: UNITS_MIN}}},
        contracts=(land.contract,),
    )


def view(chain: Chain, member: str) -> QuotaState:
    scope = Scope(
        chain=chain.chain,
        height=chain.height,
        time_ms=chain.time_ms,
        transaction="",
        message_index=0,
    )
    return view_quota(ReadContext(chain.state, contract.name, scope), member)


def allow(actor: Actor, units: int) -> tuple[str, SetAllowance]:
    return ("quotas", SetAllowance(member=actor.did, units=units))


def test_allowance_is_set_by_governance(chain: Chain) -> None:
    assert govern(chain, (ALMA, BRUNO), allow(ALMA, 5_000)).state == "EXECUTED"
    assert chain.get("", Allowance, ALMA.did) == Allowance(member=ALMA.did, units=5_000)
    assert chain.send(ALMA, "quotas", allow(ALMA, 9_000)[1]).code == "ledger.internal_message"
    assert find_violations(chain.state) == []


def test_invalid_allowance_that_leaves_no_room_to_vote(chain: Chain) -> None:
    proposal = govern(chain, (ALMA, BRUNO), allow(ALMA, UNITS_MIN - 1))
    assert proposal.code == "quotas.allowance_too_small"
    assert proposal.params["minimum"] == UNITS_MIN


def test_the_smallest_allowance_has_room_for_the_largest_proposal_and_a_vote() -> None:
    member = build_propose(*[allow(ALMA, 5_000)] * 16)
    assert member.COST + Vote.COST + 256 + 2 < UNITS_MIN


def test_invalid_allowance_of_a_stranger(chain: Chain) -> None:
    proposal = govern(chain, (ALMA, BRUNO), allow(Actor("nobody"), 5_000))
    assert proposal.code == "quotas.no_such_member"


def test_spending_is_seen_and_held_and_begins_anew_in_the_next_window(chain: Chain) -> None:
    assert chain.send(BRUNO, "land", PARCEL).code == OK
    before = view(chain, BRUNO.did)
    assert (before.allowance, before.spent) == (UNITS_MIN, 1)
    bursts = [chain.submit(BRUNO, "land", *[PARCEL] * 400) for _ in range(5)]
    assert bursts[-1].messages[0].code == "ledger.quota_spent"
    assert view(chain, BRUNO.did).spent <= UNITS_MIN
    assert chain.send(ALMA, "land", PARCEL).code == OK
    chain.advance(60_000)
    assert view(chain, BRUNO.did).spent == 0
    assert chain.send(BRUNO, "land", PARCEL).code == OK


def test_a_citizen_spends_its_sponsors_allowance(chain: Chain) -> None:
    chain.send(BRUNO, "accounts", build_open_account(CITIZEN, BRUNO, kind="citizen"))
    before = view(chain, BRUNO.did).spent
    assert chain.send(CITIZEN, "land", PARCEL).code == OK
    assert view(chain, BRUNO.did).spent == before + 1


@pytest.mark.parametrize("value", [0, 999, 86_400_001])
def test_invalid_window(chain: Chain, value: int) -> None:
    window = SetParameter(application="quotas", name="window_ms", value=value)
    proposal = govern(chain, (ALMA, BRUNO), ("governance", window))
    assert proposal.code == "governance.parameter_out_of_bounds"


def test_a_member_without_an_allowance_has_the_default(chain: Chain) -> None:
    assert view(chain, ALMA.did).allowance > UNITS_MIN


def test_invalid_genesis_allowance(chain: Chain) -> None:
    document = build_genesis((ALMA,), {"quotas": {"allowances": {ALMA.did: 1}}})
    with pytest.raises(InvalidGenesis, match="allowance_too_small"):
        compute_genesis_changes(replace(chain.genesis, contracts=document), chain.registry)

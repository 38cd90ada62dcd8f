"""Roles, rule by rule (P1 to P5)."""

from typing import Any

import pytest
from msgspec.structs import replace

from hansa.contracts.accounts.model import CloseAccount
from hansa.contracts.members.model import ExpelMember
from hansa.contracts.permissions.model import GrantRole, PastGrant, WithdrawRole
from hansa.ledger.genesis import InvalidGenesis, compute_genesis_changes
from hansa.ledger.receipts import OK
from hansa.ledger.system import Grant
from hansa.testing.chain import START_MS, Actor, Chain
from tests.contracts import land
from tests.contracts.league import (
    build_chain,
    build_genesis,
    build_open_account,
    find_violations,
    govern,
)

ALMA, BRUNO, STAFF, CITIZEN = Actor("alma"), Actor("bruno"), Actor("staff"), Actor("citizen")
COUNCIL = (ALMA, BRUNO)
END = START_MS + 1_000_000


@pytest.fixture
def chain() -> Chain:
    """BRUNO holds land.registry for the scope north, until END."""
    registry = {
        "application": "land",
        "role": "registry",
        "holder": BRUNO.did,
        "scope": "north",
        "until_ms": END,
    }
    made = build_chain(
        *COUNCIL, parts={"permissions": {"grants": [registry]}}, contracts=(land.contract,)
    )
    made.send(ALMA, "accounts", build_open_account(STAFF, ALMA))
    made.send(ALMA, "accounts", build_open_account(CITIZEN, ALMA, kind="citizen"))
    return made


def grant(
    holder: Actor, role: str = "clerk", scope: str = "north", until_ms: int | None = END
) -> GrantRole:
    return GrantRole(
        application="land", role=role, holder=holder.did, scope=scope, until_ms=until_ms
    )


def withdraw(holder: Actor, role: str = "clerk", scope: str = "north") -> WithdrawRole:
    return WithdrawRole(
        application="land", role=role, holder=holder.did, scope=scope, reason="moved"
    )


def send(chain: Chain, actor: Actor, message: Any) -> str:
    return chain.send(actor, "permissions", message).code


def test_a_holder_of_the_granting_role_delegates(chain: Chain) -> None:
    assert send(chain, BRUNO, grant(STAFF)) == OK
    assert chain.has_role("land", "clerk", STAFF.did, "north")
    assert not chain.has_role("land", "clerk", STAFF.did, "south")
    assert find_violations(chain.state) == []


def test_invalid_grant_says_who_could_grant(chain: Chain) -> None:
    result = chain.send(ALMA, "permissions", grant(STAFF))
    assert result.code == "permissions.not_allowed_to_grant"
    assert result.params["grantors"] == "land.registry"
    result = chain.send(BRUNO, "permissions", grant(ALMA, "registry"))
    assert result.code == "permissions.not_allowed_to_grant"
    assert result.params["grantors"] == "governance"


def test_governance_grants_what_names_it_and_nothing_else(chain: Chain) -> None:
    top = grant(ALMA, "registry", "-", None)
    assert govern(chain, COUNCIL, ("permissions", top)).state == "EXECUTED"
    proposal = govern(chain, COUNCIL, ("permissions", grant(STAFF)))
    assert proposal.code == "permissions.not_allowed_to_grant"


def test_an_administrator_grants_to_its_own_only(chain: Chain) -> None:
    porter = grant(STAFF, "porter", "-", None)
    assert send(chain, ALMA, porter) == OK
    assert send(chain, BRUNO, porter) == "permissions.not_allowed_to_grant"
    assert send(chain, STAFF, grant(CITIZEN, "porter")) == "permissions.not_allowed_to_grant"


def test_a_citizen_does_not_grant_with_its_sponsors_role(chain: Chain) -> None:
    top = grant(ALMA, "registry", "-", None)
    govern(chain, COUNCIL, ("permissions", top))
    assert send(chain, CITIZEN, grant(BRUNO)) == "permissions.not_allowed_to_grant"
    assert send(chain, STAFF, grant(BRUNO)) == OK


@pytest.mark.parametrize("scope", ["south", "-"])
def test_invalid_grant_beyond_the_granters_scope(chain: Chain, scope: str) -> None:
    result = chain.send(BRUNO, "permissions", grant(STAFF, scope=scope))
    assert result.code == "permissions.scope_exceeded"
    assert result.params["own"] == "north"


@pytest.mark.parametrize("until_ms", [END + 1, None])
def test_invalid_grant_beyond_the_granters_end(chain: Chain, until_ms: int | None) -> None:
    result = chain.send(BRUNO, "permissions", grant(STAFF, until_ms=until_ms))
    assert result.code == "permissions.end_exceeded"
    assert result.params["limit_ms"] == END


def test_a_role_ends_by_block_time_and_grants_no_more(chain: Chain) -> None:
    assert send(chain, BRUNO, grant(STAFF, until_ms=END - 500_000)) == OK
    chain.advance(END - 500_000 - chain.time_ms)
    assert not chain.has_role("land", "clerk", STAFF.did, "north")
    chain.advance(END - chain.time_ms)
    late = grant(STAFF, until_ms=END + 9_000)
    assert send(chain, BRUNO, late) == "permissions.not_allowed_to_grant"


def test_invalid_end_that_has_passed(chain: Chain) -> None:
    passed = grant(STAFF, until_ms=chain.time_ms + 1_000)
    assert send(chain, BRUNO, passed) == "permissions.end_passed"


def test_invalid_role_that_is_not_declared(chain: Chain) -> None:
    assert send(chain, BRUNO, grant(STAFF, "king")) == "permissions.no_such_role"
    assert send(chain, BRUNO, withdraw(STAFF, "king")) == "permissions.no_such_role"
    other = replace(grant(STAFF), application="sea")
    assert send(chain, BRUNO, other) == "ledger.contract_not_active"


def test_invalid_holder(chain: Chain) -> None:
    assert send(chain, BRUNO, grant(Actor("nobody"))) == "permissions.wrong_holder"
    chain.send(ALMA, "accounts", CloseAccount(account=STAFF.did, reason="left"))
    assert send(chain, BRUNO, grant(STAFF)) == "permissions.wrong_holder"
    govern(chain, COUNCIL, ("members", ExpelMember(member=ALMA.did, reason="fraud")))
    assert send(chain, BRUNO, grant(ALMA)) == "permissions.wrong_holder"
    assert send(chain, BRUNO, grant(CITIZEN)) == "permissions.wrong_holder"


def test_granting_again_prolongs_and_never_shortens(chain: Chain) -> None:
    assert send(chain, BRUNO, grant(STAFF, until_ms=END - 9)) == OK
    first = chain.get("", Grant, "land", "clerk", STAFF.did, "north")
    assert send(chain, BRUNO, grant(STAFF, until_ms=END - 9)) == "permissions.already_granted"
    assert send(chain, BRUNO, grant(STAFF, until_ms=END - 99)) == "permissions.already_granted"
    assert send(chain, BRUNO, grant(STAFF)) == OK
    second = chain.get("", Grant, "land", "clerk", STAFF.did, "north")
    assert first is not None
    assert second is not None
    assert (second.since_ms, second.until_ms) == (first.since_ms, END)


def test_withdrawal_takes_effect_after_its_block_and_what_was_stays_on_record(
    chain: Chain,
) -> None:
    send(chain, BRUNO, grant(STAFF))
    granted_ms = chain.time_ms
    assert send(chain, BRUNO, withdraw(STAFF)) == OK
    withdrawn_ms = chain.time_ms
    assert chain.has_role("land", "clerk", STAFF.did, "north")
    chain.advance(1)
    assert not chain.has_role("land", "clerk", STAFF.did, "north")
    assert send(chain, BRUNO, withdraw(STAFF)) == "permissions.not_granted"
    assert send(chain, BRUNO, grant(STAFF)) == OK
    past = chain.get("permissions", PastGrant, "land", "clerk", STAFF.did, "north", str(granted_ms))
    assert past is not None
    assert (past.since_ms, past.until_ms) == (granted_ms, withdrawn_ms + 1)
    assert find_violations(chain.state) == []


def test_a_holder_gives_its_role_back_and_its_administrator_takes_it(chain: Chain) -> None:
    send(chain, BRUNO, grant(STAFF))
    assert send(chain, STAFF, withdraw(STAFF)) == OK
    chain.advance(1)
    send(chain, BRUNO, grant(STAFF))
    assert send(chain, ALMA, withdraw(STAFF)) == OK
    send(chain, BRUNO, grant(CITIZEN))
    assert send(chain, ALMA, withdraw(CITIZEN)) == "permissions.not_allowed_to_grant"
    assert send(chain, CITIZEN, withdraw(CITIZEN)) == OK


def test_invalid_withdrawal_by_a_stranger_or_beyond_the_own_scope(chain: Chain) -> None:
    govern(chain, COUNCIL, ("permissions", grant(ALMA, "registry", "south", None)))
    send(chain, ALMA, grant(STAFF, scope="south"))
    assert send(chain, CITIZEN, withdraw(STAFF, scope="south")) == (
        "permissions.not_allowed_to_grant"
    )
    assert send(chain, BRUNO, withdraw(STAFF, scope="south")) == "permissions.scope_exceeded"


def test_what_was_granted_stands_when_the_granters_role_ends(chain: Chain) -> None:
    send(chain, BRUNO, grant(STAFF))
    govern(chain, COUNCIL, ("permissions", withdraw(BRUNO, "registry")))
    chain.advance(1)
    assert chain.has_role("land", "clerk", STAFF.did, "north")
    assert send(chain, BRUNO, grant(CITIZEN)) == "permissions.not_allowed_to_grant"


@pytest.mark.parametrize(
    "change", [{"role": "king"}, {"holder": Actor("nobody").did}, {"until_ms": -1}]
)
def test_invalid_genesis_grant(change: dict[str, Any]) -> None:
    given = {"application": "land", "role": "registry", "holder": ALMA.did, **change}
    document = build_genesis(COUNCIL, {"permissions": {"grants": [given]}})
    chain = build_chain(*COUNCIL, contracts=(land.contract,))
    with pytest.raises(InvalidGenesis):
        compute_genesis_changes(replace(chain.genesis, contracts=document), chain.registry)

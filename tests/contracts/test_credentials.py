"""Status lists, rule by rule (S1 to S5)."""

from typing import Any

import pytest

from hansa.contracts.accounts.model import OpenAccount
from hansa.contracts.credentials.handlers import contract, view_status
from hansa.contracts.credentials.invariants import INVARIANTS
from hansa.contracts.credentials.model import (
    INDEXES_MAX,
    SIZE_MAX,
    SUSPENSIONS_MAX,
    OpenStatusList,
    ReinstateStatus,
    SetStatus,
    Status,
    StatusList,
)
from hansa.contracts.permissions.model import GrantRole
from hansa.ledger.context import ReadContext, Scope
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK, MessageResult
from hansa.testing.chain import Actor, Chain
from tests.contracts.league import build_chain, build_open_account

ISSUER, OTHER, STAFF = Actor("issuer"), Actor("other"), Actor("clerk")
LIST = "licences"


@pytest.fixture
def chain() -> Chain:
    """ISSUER has the list `licences` of 1,000 entries."""
    grants = [
        {"application": "credentials", "role": "issuer", "holder": actor.did, "scope": "-"}
        for actor in (ISSUER, OTHER)
    ]
    made = build_chain(ISSUER, OTHER, parts={"permissions": {"grants": grants}})
    assert made.send(ISSUER, contract, build_open()).code == OK
    return made


def build_open(**changes: Any) -> OpenStatusList:
    fields: dict[str, Any] = {"issuer": ISSUER.did, "list": LIST, "size": 1_000}
    return OpenStatusList(**{**fields, **changes})


def build_set(*indexes: int, value: Any = "revoked", **changes: Any) -> SetStatus:
    fields: dict[str, Any] = {"issuer": ISSUER.did, "list": LIST, "reason": "withdrawn"}
    return SetStatus(**{**fields, **changes}, indexes=indexes, value=value)


def build_reinstate(*indexes: int) -> ReinstateStatus:
    return ReinstateStatus(issuer=ISSUER.did, list=LIST, indexes=indexes)


def send(chain: Chain, message: Message, actor: Actor = ISSUER) -> str:
    result: MessageResult = chain.send(actor, contract, message)
    return result.code.removeprefix("credentials.")


def get_status(chain: Chain, index: int) -> Status | None:
    return chain.get("credentials", Status, ISSUER.did, LIST, f"{index:07d}")


def view(chain: Chain, index: int, name: str = LIST) -> str:
    scope = Scope(chain.chain, chain.height, chain.time_ms, "", 0)
    return view_status(ReadContext(chain.state, "credentials", scope), ISSUER.did, name, index)


def find_violations(chain: Chain) -> list[str]:
    return [each for invariant in INVARIANTS for each in invariant.check(chain.state)]


# --- S1: who ---


def test_invalid_issuer_whom_the_sender_does_not_act_for(chain: Chain) -> None:
    assert send(chain, build_open(list="another"), OTHER) == "not_the_issuer"
    assert send(chain, build_set(1), OTHER) == "not_the_issuer"


def test_an_account_needs_the_role_that_its_administrator_grants(chain: Chain) -> None:
    opened: OpenAccount = build_open_account(STAFF, ISSUER)
    assert chain.send(ISSUER, "accounts", opened).code == OK
    grant = GrantRole(application="credentials", role="issuer", holder=STAFF.did)
    member_wide = send(chain, build_set(1), STAFF)
    assert member_wide == OK  # its member holds the role
    assert send(chain, build_open(issuer=STAFF.did, list="own"), STAFF) == OK
    assert chain.send(OTHER, "permissions", grant).code != OK


def test_invalid_sender_without_the_role() -> None:
    made = build_chain(ISSUER)
    assert send(made, build_open()) == "ledger.missing_role"
    grant = GrantRole(application="credentials", role="issuer", holder=ISSUER.did)
    assert made.send(ISSUER, "permissions", grant).code == OK
    assert send(made, build_open()) == OK


def test_a_citizen_does_not_act_for_its_sponsor(chain: Chain) -> None:
    citizen = Actor("citizen")
    opened = build_open_account(citizen, ISSUER, kind="citizen")
    assert chain.send(ISSUER, "accounts", opened).code == OK
    assert send(chain, build_set(1), citizen) == "ledger.missing_role"


# --- S2: the list ---


def test_a_list_keeps_its_name_and_size(chain: Chain) -> None:
    assert send(chain, build_open(size=10)) == "list_is_open"
    found = chain.get("credentials", StatusList, ISSUER.did, LIST)
    assert found is not None
    assert (found.size, found.bits) == (1_000, 2)


@pytest.mark.parametrize(
    "purposes", [("suspension",), ("suspension", "revocation"), ("revocation", "revocation")]
)
def test_invalid_purposes(chain: Chain, purposes: Any) -> None:
    assert send(chain, build_open(list="b", purposes=purposes)) == "wrong_purposes"


def test_a_list_of_one_bit_cannot_suspend(chain: Chain) -> None:
    assert send(chain, build_open(list="b", purposes=("revocation",))) == OK
    assert send(chain, build_set(1, value="suspended", list="b")) == "not_for_suspension"
    assert send(chain, build_set(1, list="b")) == OK


def test_invalid_list_that_nobody_opened(chain: Chain) -> None:
    assert send(chain, build_set(1, list="b")) == "no_such_list"
    assert view(chain, 1, "b") == ""


@pytest.mark.parametrize("size", [0, SIZE_MAX + 1])
def test_invalid_size(chain: Chain, size: int) -> None:
    assert send(chain, build_open(list="b", size=size)) == "ledger.malformed"


# --- S3: indexes ---


@pytest.mark.parametrize(
    ("indexes", "code"),
    [
        ((1_000,), "index_beyond_list"),
        ((3, 3), "index_repeated"),
        ((4, 3), "index_repeated"),
        ((), "ledger.malformed"),
        (tuple(range(INDEXES_MAX + 1)), "ledger.malformed"),
    ],
)
def test_invalid_indexes(chain: Chain, indexes: tuple[int, ...], code: str) -> None:
    assert send(chain, build_set(*indexes)) == code
    assert get_status(chain, 3) is None


def test_a_thousand_indexes_in_one_message_all_or_none(chain: Chain) -> None:
    assert send(chain, build_set(999)) == OK
    assert send(chain, build_set(*range(1_000))) == "already_set"
    assert view(chain, 0) == "valid"
    assert send(chain, build_set(*range(999))) == OK
    assert {view(chain, index) for index in range(1_000)} == {"revoked"}


# --- S4: what stands ---


def test_revocation_is_final(chain: Chain) -> None:
    assert send(chain, build_set(7)) == OK
    assert send(chain, build_set(7)) == "already_set"
    assert send(chain, build_set(7, value="suspended")) == "revoked_for_good"
    assert send(chain, build_reinstate(7)) == "revoked_for_good"
    assert view(chain, 7) == "revoked"


def test_what_stood_can_be_told_for_any_time(chain: Chain) -> None:
    times = [chain.time_ms]
    for message in (
        build_set(7, value="suspended"),
        build_reinstate(7),
        build_set(7, value="suspended"),
        build_set(7),
    ):
        assert send(chain, message) == OK
        times.append(chain.time_ms)
    status = get_status(chain, 7)
    assert status is not None
    said = [status.at(time) for time in times]
    assert said == ["valid", "suspended", "valid", "suspended", "revoked"]
    assert status.at(times[1] - 1) == "valid"


def test_invalid_reinstatement_of_what_is_not_suspended(chain: Chain) -> None:
    assert send(chain, build_reinstate(7)) == "not_suspended"
    assert send(chain, build_set(7, value="suspended")) == OK
    assert send(chain, build_set(7, value="suspended")) == "already_set"
    assert send(chain, build_reinstate(7)) == OK
    assert send(chain, build_reinstate(7)) == "not_suspended"


# --- S5: bounds ---


def test_suspensions_are_bounded_and_revocation_is_always_possible(chain: Chain) -> None:
    for _turn in range(SUSPENSIONS_MAX):
        assert send(chain, build_set(7, value="suspended")) == OK
        assert send(chain, build_reinstate(7)) == OK
    assert send(chain, build_set(7, value="suspended")) == "too_many_suspensions"
    assert send(chain, build_set(7)) == OK
    assert find_violations(chain) == []

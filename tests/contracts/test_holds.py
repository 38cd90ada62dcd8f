"""Holds, rule by rule (H1 to H5)."""

from typing import Any

import pytest
from msgspec.structs import replace

from hansa.contracts.holds.model import HOLDS_MAX, LapseHold, PastHold, PlaceHold, ReleaseHold
from hansa.contracts.permissions.model import GrantRole, WithdrawRole
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK, MessageResult
from hansa.ledger.state import scan_records
from hansa.ledger.system import Hold
from hansa.testing.chain import Actor, Chain
from tests.contracts import land
from tests.contracts.land import Parcel, RegisterParcel, TransferParcel
from tests.contracts.league import build_chain, build_open_account, find_violations, govern

ALMA, BRUNO = Actor("alma"), Actor("bruno")
BANK, RIVAL, COURT, AUTHORITY = Actor("bank"), Actor("rival"), Actor("court"), Actor("authority")
STAFF, TELLER, CITIZEN = Actor("staff"), Actor("teller"), Actor("citizen")
ROLES = ((BANK, "bank"), (RIVAL, "bank"), (COURT, "court"), (AUTHORITY, "authority"))
MOVE = TransferParcel(id="p", owner=BRUNO.did)


@pytest.fixture
def chain() -> Chain:
    """Parcel p belongs to ALMA, parcel c to her citizen; banks and courts hold their roles."""
    grants = [
        {"application": "holds", "role": role, "holder": actor.did, "scope": "land"}
        for actor, role in ROLES
    ]
    made = build_chain(
        ALMA,
        BRUNO,
        BANK,
        RIVAL,
        COURT,
        AUTHORITY,
        parts={
            "permissions": {"grants": grants},
            "governance": {"weights": {ALMA.did: 1, BRUNO.did: 1}},
        },
        contracts=(land.contract,),
    )
    made.send(ALMA, "accounts", build_open_account(STAFF, ALMA))
    made.send(BANK, "accounts", build_open_account(TELLER, BANK))
    made.send(ALMA, "accounts", build_open_account(CITIZEN, ALMA, kind="citizen"))
    made.send(ALMA, "land", RegisterParcel(id="p", owner=ALMA.did))
    made.send(ALMA, "land", RegisterParcel(id="c", owner=CITIZEN.did))
    return made


def place(kind: Any = "seizure", parcel: str = "p", until_ms: int | None = None) -> PlaceHold:
    return PlaceHold(
        application="land",
        record_kind="parcel",
        record_key=(parcel,),
        kind=kind,
        until_ms=until_ms,
    )


def send(chain: Chain, message: Message, *actors: Actor, app: str = "holds") -> MessageResult:
    return chain.send(list(actors), app, message)


def list_holds(chain: Chain) -> list[Hold]:
    return scan_records(chain.state, "holds", Hold, limit=1_000)


def release(chain: Chain, index: int = 0) -> ReleaseHold:
    hold = list_holds(chain)[index]
    return ReleaseHold(
        application="land",
        record_kind="parcel",
        record_key=hold.record_key,
        hold=hold.id,
        reason="settled",
    )


@pytest.mark.parametrize(
    ("actor", "kind", "code"),
    [
        (COURT, "seizure", OK),
        (COURT, "freeze", OK),
        (AUTHORITY, "freeze", OK),
        (AUTHORITY, "seizure", "holds.not_allowed_to_place"),
        (COURT, "pledge", "holds.not_allowed_to_place"),
        (BANK, "freeze", "holds.not_allowed_to_place"),
        (BANK, "seizure", "holds.not_allowed_to_place"),
        (ALMA, "pledge", "holds.not_allowed_to_place"),
    ],
)
def test_each_kind_is_placed_by_its_office(
    chain: Chain, actor: Actor, kind: str, code: str
) -> None:
    result = send(chain, place(kind), actor)
    assert result.code == code
    if code != OK:
        assert "holds." in str(result.params["roles"])


def test_a_held_record_is_changed_only_with_the_placers_signature(chain: Chain) -> None:
    assert send(chain, MOVE, ALMA, app="land").code == OK
    assert send(chain, place(), COURT).code == OK
    refused = send(chain, MOVE, ALMA, app="land")
    assert (refused.code, refused.params["placed_by"]) == ("ledger.held", COURT.did)
    assert send(chain, MOVE, ALMA, AUTHORITY, app="land").code == "ledger.held"
    assert send(chain, MOVE, ALMA, COURT, app="land").code == OK


def test_a_pledge_needs_the_owner_and_the_bank(chain: Chain) -> None:
    assert send(chain, place("pledge"), BANK).code == "holds.owner_must_sign"
    assert send(chain, place("pledge"), BANK, BRUNO).code == "holds.owner_must_sign"
    assert send(chain, place("pledge"), BANK, STAFF).code == "holds.owner_must_sign"
    assert send(chain, place("pledge"), BANK, CITIZEN).code == "holds.owner_must_sign"
    assert send(chain, place("pledge"), BANK, ALMA).code == OK
    assert find_violations(chain.state) == []


def test_staff_signs_pledges_when_it_is_made_pledgor(chain: Chain) -> None:
    pledgor = GrantRole(application="holds", role="pledgor", holder=STAFF.did)
    assert send(chain, pledgor, ALMA, app="permissions").code == OK
    assert send(chain, place("assignment"), BANK, STAFF).code == OK


def test_a_citizen_pledges_what_is_its_own(chain: Chain) -> None:
    assert send(chain, place("pledge", "c"), BANK, ALMA).code == "holds.owner_must_sign"
    assert send(chain, place("pledge", "c"), BANK, CITIZEN).code == OK


@pytest.mark.parametrize("first", ["pledge", "assignment"])
def test_invalid_second_assignment_without_the_first_holder(chain: Chain, first: str) -> None:
    """Double financing: nothing is pledged or assigned twice behind the first bank's back."""
    assert send(chain, place(first), BANK, ALMA).code == OK
    refused = send(chain, place("assignment"), RIVAL, ALMA)
    assert (refused.code, refused.params["placed_by"]) == ("holds.holder_must_sign", BANK.did)
    assert send(chain, place("pledge"), RIVAL, ALMA, BANK).code == OK
    assert len(list_holds(chain)) == 2


def test_invalid_pledge_of_a_seized_record(chain: Chain) -> None:
    assert send(chain, place(), COURT).code == OK
    assert send(chain, place("pledge"), BANK, ALMA).code == "holds.holder_must_sign"


def test_a_court_seizes_what_is_pledged_and_both_stand(chain: Chain) -> None:
    assert send(chain, place("pledge"), BANK, ALMA).code == OK
    assert send(chain, place(), COURT).code == OK
    assert send(chain, MOVE, ALMA, BANK, app="land").code == "ledger.held"
    assert send(chain, MOVE, ALMA, BANK, COURT, app="land").code == OK


@pytest.mark.parametrize(
    "change",
    [
        {"record_key": ("nowhere",)},
        {"record_kind": "bell"},
        {"record_key": ("p", "q")},
        {"record_key": ("~",)},
        {"record_key": ("p", "~", "p")},
    ],
)
def test_invalid_hold_on_a_record_that_is_not_there(chain: Chain, change: dict[str, Any]) -> None:
    result = send(chain, replace(place(), **change), COURT)
    assert result.code == "holds.not_holdable"
    assert list_holds(chain) == []


def test_invalid_hold_on_an_application_that_does_not_ask(chain: Chain) -> None:
    wide = GrantRole(application="holds", role="court", holder=COURT.did)
    govern(chain, (ALMA, BRUNO), ("permissions", wide))
    members = replace(place(), application="members", record_kind="member", record_key=(ALMA.did,))
    assert send(chain, members, COURT).code == "holds.not_holdable"
    nowhere = replace(place(), application="nowhere")
    assert send(chain, nowhere, COURT).code == "ledger.contract_not_active"


def test_offices_are_scoped_by_application(chain: Chain) -> None:
    other = replace(place(), application="members")
    assert send(chain, other, COURT).code == "holds.not_allowed_to_place"


def test_a_hold_is_released_by_its_placer_only(chain: Chain) -> None:
    send(chain, place("pledge"), BANK, ALMA)
    for actor in (ALMA, RIVAL, COURT):
        refused = send(chain, release(chain), actor)
        assert (refused.code, refused.params["placed_by"]) == ("holds.not_the_placer", BANK.did)
    message = release(chain)
    assert send(chain, message, TELLER).code == OK
    assert send(chain, message, BANK).code == "holds.no_such_hold"
    assert send(chain, MOVE, ALMA, app="land").code == OK
    past = scan_records(chain.state, "holds", PastHold, limit=9)
    assert [(each.ended_by, each.reason) for each in past] == [(TELLER.did, "settled")]


def test_who_lost_the_office_releases_no_more_but_governance_does(chain: Chain) -> None:
    send(chain, place("pledge"), BANK, ALMA)
    lost = WithdrawRole(
        application="holds", role="bank", holder=BANK.did, scope="land", reason="licence"
    )
    govern(chain, (ALMA, BRUNO), ("permissions", lost))
    chain.advance(1)
    assert send(chain, release(chain), BANK).code == "holds.not_the_placer"
    assert send(chain, MOVE, ALMA, BANK, app="land").code == "ledger.held"
    assert govern(chain, (ALMA, BRUNO), ("holds", release(chain))).state == "EXECUTED"
    assert list_holds(chain) == []


def test_a_hold_lapses_by_block_time(chain: Chain) -> None:
    until_ms = chain.time_ms + 100_000
    assert send(chain, place(until_ms=until_ms), COURT).code == OK
    assert send(chain, MOVE, ALMA, app="land").code == "ledger.held"
    fired = chain.advance(until_ms - chain.time_ms).deadlines
    assert [each.code for each in fired] == [OK]
    assert list_holds(chain) == []
    assert send(chain, MOVE, ALMA, app="land").code == OK


def test_a_released_hold_has_no_deadline(chain: Chain) -> None:
    send(chain, place(until_ms=chain.time_ms + 100_000), COURT)
    assert send(chain, release(chain), COURT).code == OK
    assert chain.advance(200_000).deadlines == ()


def test_invalid_end_that_has_passed(chain: Chain) -> None:
    assert send(chain, place(until_ms=chain.time_ms), COURT).code == "holds.end_passed"


def test_invalid_lapse_sent_by_an_account(chain: Chain) -> None:
    message = LapseHold(application="land", record_kind="parcel", record_key=("p",), hold="x")
    assert send(chain, message, COURT).code == "ledger.internal_message"


def test_holds_on_a_record_are_bounded(chain: Chain) -> None:
    messages = [place()] * (HOLDS_MAX + 1)
    codes = [each.code for each in chain.submit(COURT, "holds", *messages).messages]
    assert codes == [OK] * HOLDS_MAX + ["holds.too_many_holds"]


def test_holds_of_one_record_are_not_those_of_another(chain: Chain) -> None:
    send(chain, RegisterParcel(id="p-2", owner=ALMA.did), ALMA, app="land")
    send(chain, place(), COURT)
    other = TransferParcel(id="p-2", owner=BRUNO.did)
    assert send(chain, other, ALMA, app="land").code == OK
    parcel = chain.get("land", Parcel, "p")
    assert parcel is not None
    assert parcel.owner == ALMA.did

"""Accounts and keys, rule by rule (A1 to A9)."""

from typing import Any

import pytest
from msgspec.structs import replace

from hansa.catalog import SYSTEM
from hansa.contracts.accounts.document import build_account_document
from hansa.contracts.accounts.keys import KEYS_KEPT_MAX, KEYS_LIVE_MAX
from hansa.contracts.accounts.model import (
    CloseAccount,
    OpenMemberAccount,
    ReinstateAccount,
    RetiredKey,
    RevokeKey,
    SetAdministrator,
    SuspendAccount,
)
from hansa.contracts.permissions.model import GrantRole
from hansa.contracts.standing import judge_signer
from hansa.crypto.signatures import PublicKey, verify_signature
from hansa.ledger.genesis import InvalidGenesis, compute_genesis_changes
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK
from hansa.ledger.system import Account, Member, compute_standing, find_key
from hansa.testing.chain import Actor, Chain, make_key
from tests.contracts import land
from tests.contracts.land import RegisterParcel
from tests.contracts.league import (
    build_add_key,
    build_chain,
    build_genesis,
    build_open_account,
    build_propose,
    build_replace_key,
    find_violations,
    get_account,
    govern,
    possess,
)

ALMA, BRUNO, STAFF, CLERK = Actor("alma"), Actor("bruno"), Actor("staff"), Actor("clerk")
CITIZEN, SERVICE = Actor("citizen", alg="ES256"), Actor("service")
COUNCIL = (ALMA, BRUNO)
PARCEL = RegisterParcel(id="p", owner="nobody")


@pytest.fixture
def chain() -> Chain:
    made = build_chain(*COUNCIL, contracts=(land.contract,))
    send(made, ALMA, build_open_account(STAFF, ALMA))
    send(made, ALMA, build_open_account(CITIZEN, ALMA, kind="citizen"))
    return made


def send(chain: Chain, actor: Actor, message: Message) -> str:
    return chain.send(actor, "accounts", message).code


def sign_with(chain: Chain, actor: Actor, key_id: str, name: str, message: Message) -> str:
    """The code of a message signed with another key of the actor's account."""
    data = chain.sign(
        actor,
        [("land" if isinstance(message, RegisterParcel) else "accounts", message)],
        kids=[f"{actor.did}#{key_id}"],
        keys=[make_key(name)],
    )
    return chain.block([data]).results[0].messages[0].code


def revoke(actor: Actor, key_id: str = "k1") -> RevokeKey:
    return RevokeKey(account=actor.did, key_id=key_id, reason="lost")


# A1, A2, A5: opening


def test_an_account_opens_and_signs_at_the_next_height(chain: Chain) -> None:
    assert chain.send(STAFF, "land", PARCEL).code == OK
    assert chain.send(CITIZEN, "land", PARCEL).code == OK
    assert get_account(chain, STAFF.did).member == ALMA.did
    assert find_violations(chain.state) == []


def test_a_key_added_in_a_block_cannot_sign_in_the_same_block(chain: Chain) -> None:
    opened = chain.sign(ALMA, [("accounts", build_open_account(CLERK, ALMA))])
    used = chain.sign(CLERK, [("land", PARCEL)])
    results = chain.block([opened, used]).results
    assert [each.messages[0].code for each in results] == [OK, "ledger.unknown_signer"]


def test_invalid_opening_by_one_who_is_no_administrator(chain: Chain) -> None:
    message = build_open_account(CLERK, ALMA)
    assert send(chain, STAFF, message) == "accounts.not_allowed_to_open"
    assert send(chain, CITIZEN, message) == "accounts.not_allowed_to_open"


def test_a_registrar_opens_accounts_for_citizens_only(chain: Chain) -> None:
    grant = GrantRole(application="accounts", role="registrar", holder=STAFF.did)
    assert chain.send(ALMA, "permissions", grant).code == OK
    citizen = build_open_account(Actor("zoe"), ALMA, kind="citizen")
    assert send(chain, STAFF, citizen) == OK
    assert send(chain, STAFF, build_open_account(CLERK, ALMA)) == "accounts.not_allowed_to_open"


def test_invalid_opening_of_an_account_twice(chain: Chain) -> None:
    assert send(chain, ALMA, build_open_account(STAFF, ALMA)) == "accounts.account_exists"
    send(chain, ALMA, CloseAccount(account=STAFF.did, reason="left"))
    assert send(chain, ALMA, build_open_account(STAFF, ALMA)) == "accounts.account_exists"


@pytest.mark.parametrize(
    "change",
    [
        {"key_id": "k9"},
        {"possession": possess(make_key("clerk"), BRUNO.did)},
        {"possession": possess(make_key("clerk"), ALMA.did, chain="other-1")},
        {"possession": possess(make_key("staff"), ALMA.did)},
    ],
    ids=["other name", "other member", "other chain", "other key"],
)
def test_invalid_possession(chain: Chain, change: dict[str, Any]) -> None:
    message = replace(build_open_account(CLERK, ALMA), **change)
    assert send(chain, ALMA, message) == "accounts.wrong_possession"


def test_invalid_possession_seen_by_another_member_and_sent_as_its_own(chain: Chain) -> None:
    assert send(chain, BRUNO, build_open_account(CLERK, ALMA)) == "accounts.wrong_possession"


@pytest.mark.parametrize(
    "key",
    [
        PublicKey.from_raw("EdDSA", bytes(32)),
        PublicKey.from_raw("EdDSA", b"\x01" + bytes(31)),
        PublicKey.from_raw("EdDSA", b"\x07" * 31),
        PublicKey.from_raw("ES256", b"\x07" * 64),
        PublicKey(alg="RS256", public="AAAA"),
        PublicKey(alg="EdDSA", public="not base64!"),
    ],
    ids=["small order", "identity", "short", "not on curve", "unknown suite", "not base64url"],
)
def test_invalid_key_is_refused_at_registration(chain: Chain, key: PublicKey) -> None:
    opening = replace(build_open_account(CLERK, ALMA), key=key)
    assert send(chain, ALMA, opening) == "accounts.wrong_key"
    adding = replace(build_add_key(STAFF.did, ALMA.did, "new"), key=key)
    assert send(chain, STAFF, adding) == "accounts.wrong_key"
    replacing = replace(build_replace_key(STAFF.did, ALMA.did, "new"), key=key)
    assert send(chain, STAFF, replacing) == "accounts.wrong_key"


def test_a_key_of_small_order_would_sign_everything() -> None:
    """Why it is refused: one signature holds for every message under it (ZIP-215)."""
    key = PublicKey.from_raw("EdDSA", bytes(32))
    for message in (b"one", b"another"):
        verify_signature(key, message, b"\x01" + bytes(63))


def test_invalid_first_account_without_admission(chain: Chain) -> None:
    message = OpenMemberAccount(
        key_id="k1", key=CLERK.key.public, possession=possess(CLERK.key, CLERK.did)
    )
    assert send(chain, ALMA, message) == "ledger.internal_message"
    proposal = chain.send(ALMA, "governance", build_propose(("accounts", message)))
    assert proposal.code == "governance.not_an_action"


# A3, A4, A6, A7: keys


def test_rotation_has_no_height_without_a_key_and_keeps_what_was_signed(chain: Chain) -> None:
    assert chain.send(STAFF, "land", PARCEL).code == OK
    signed = chain.height
    assert send(chain, STAFF, build_replace_key(STAFF.did, ALMA.did, "new")) == OK
    turned = chain.height
    assert send(chain, STAFF, revoke(STAFF, "k2")) == "ledger.unknown_signer"
    assert sign_with(chain, STAFF, "k2", "new", PARCEL) == OK
    account = get_account(chain, STAFF.did)
    for height in range(signed, chain.height + 1):
        valid = [key.id for key in account.keys if find_key(account, key.id, height)]
        assert valid == (["k1"] if height <= turned else ["k2"])


def test_the_did_document_shows_the_keys_of_a_height(chain: Chain) -> None:
    assert send(chain, STAFF, build_replace_key(STAFF.did, ALMA.did, "new")) == OK
    turned = chain.height
    account = get_account(chain, STAFF.did)
    for height, name in ((turned, "k1"), (turned + 1, "k2")):
        document = build_account_document(account, height)
        assert document["assertionMethod"] == [f"{STAFF.did}#{name}"]
        assert document["controller"] == ALMA.did
    send(chain, ALMA, CloseAccount(account=STAFF.did, reason="left"))
    closed = build_account_document(get_account(chain, STAFF.did), chain.height + 1)
    assert closed["deactivated"] is True


def test_a_revoked_key_is_refused_later_and_good_as_at_its_height(chain: Chain) -> None:
    assert send(chain, STAFF, build_add_key(STAFF.did, ALMA.did, "new")) == OK
    revoking = chain.sign(STAFF, [("accounts", revoke(STAFF))])
    beside = chain.sign(STAFF, [("land", PARCEL)])
    results = chain.block([revoking, beside]).results
    assert [each.messages[0].code for each in results] == [OK, OK]
    height = chain.height
    assert chain.send(STAFF, "land", PARCEL).code == "ledger.unknown_signer"
    account = get_account(chain, STAFF.did)
    member = chain.get("", Member, ALMA.did)
    assert member is not None
    assert judge_signer(account, member, "k1", height) == ""
    assert judge_signer(account, member, "k1", height + 1) == "no_such_key_at_this_height"


def test_a_lost_key_is_revoked_by_another_key_or_by_an_administrator(chain: Chain) -> None:
    send(chain, STAFF, build_add_key(STAFF.did, ALMA.did, "two", "k2"))
    send(chain, STAFF, build_add_key(STAFF.did, ALMA.did, "three", "k3"))
    assert sign_with(chain, STAFF, "k2", "two", revoke(STAFF, "k1")) == OK
    assert send(chain, ALMA, revoke(STAFF, "k2")) == OK
    assert sign_with(chain, STAFF, "k3", "three", PARCEL) == OK
    assert sign_with(chain, STAFF, "k2", "two", PARCEL) == "ledger.unknown_signer"


@pytest.mark.parametrize("actor", [BRUNO, CITIZEN], ids=["another member", "another account"])
def test_invalid_change_of_somebody_elses_account(chain: Chain, actor: Actor) -> None:
    for message in (
        revoke(STAFF),
        build_add_key(STAFF.did, ALMA.did, "new"),
        build_replace_key(STAFF.did, ALMA.did, "new"),
        CloseAccount(account=STAFF.did, reason="left"),
    ):
        assert send(chain, actor, message) == "accounts.not_your_account"
    for other in (
        SuspendAccount(account=STAFF.did, reason="leave"),
        SetAdministrator(account=STAFF.did, admin=True),
    ):
        assert send(chain, actor, other) == "accounts.not_administrator"


def test_invalid_revocation_of_the_last_key(chain: Chain) -> None:
    assert send(chain, STAFF, revoke(STAFF)) == "accounts.last_key"
    login = build_add_key(STAFF.did, ALMA.did, "login", purposes=("authenticate",))
    assert send(chain, STAFF, login) == OK
    assert send(chain, ALMA, revoke(STAFF)) == "accounts.last_key"
    assert send(chain, STAFF, revoke(STAFF, "k2")) == OK


def test_two_revocations_in_one_block_leave_a_key(chain: Chain) -> None:
    send(chain, STAFF, build_add_key(STAFF.did, ALMA.did, "new"))
    first = chain.sign(STAFF, [("accounts", revoke(STAFF, "k1"))])
    second = chain.sign(ALMA, [("accounts", revoke(STAFF, "k2"))])
    results = chain.block([first, second]).results
    assert [each.messages[0].code for each in results] == [OK, "accounts.last_key"]


def test_invalid_key_that_is_not_there_or_has_ended(chain: Chain) -> None:
    assert send(chain, STAFF, revoke(STAFF, "k7")) == "accounts.no_such_key"
    send(chain, STAFF, build_replace_key(STAFF.did, ALMA.did, "new"))
    assert sign_with(chain, STAFF, "k2", "new", revoke(STAFF)) == "accounts.no_such_key"


def test_invalid_key_or_name_used_before(chain: Chain) -> None:
    send(chain, STAFF, build_replace_key(STAFF.did, ALMA.did, "new"))
    same_key = build_add_key(STAFF.did, ALMA.did, "staff", "k3")
    same_name = build_add_key(STAFF.did, ALMA.did, "other", "k1")
    assert sign_with(chain, STAFF, "k2", "new", same_key) == "accounts.key_used_before"
    assert sign_with(chain, STAFF, "k2", "new", same_name) == "accounts.key_used_before"


@pytest.mark.parametrize(
    "shape",
    [
        {"purposes": ()},
        {"purposes": ("sign", "authenticate")},
        {"purposes": ("sign", "sign")},
        {"purposes": ("service", "sign"), "scope": ("land",)},
        {"purposes": ("service",)},
        {"purposes": ("service",), "scope": ("land", "land")},
        {"purposes": ("service",), "scope": ("accounts",)},
        *({"purposes": ("service",), "scope": (name,)} for name in SYSTEM),
        {"purposes": ("service",), "scope": tuple(f"a{n:02d}" for n in range(17))},
        {"purposes": ("sign",), "scope": ("land",)},
        {"purposes": ("sign",), "until": 1_000},
        {"purposes": ("authenticate",), "until": 2},
    ],
)
def test_invalid_purposes(chain: Chain, shape: dict[str, Any]) -> None:
    message = build_add_key(STAFF.did, ALMA.did, "new", **shape)
    assert send(chain, STAFF, message) == "accounts.wrong_purposes"


def test_a_service_key_acts_only_in_its_scope(chain: Chain) -> None:
    opening = build_open_account(
        SERVICE, ALMA, kind="service", purposes=("service",), scope=("land",)
    )
    assert send(chain, ALMA, opening) == OK
    assert chain.send(SERVICE, "land", PARCEL).code == OK
    assert send(chain, SERVICE, revoke(SERVICE)) == "ledger.unknown_signer"
    person = build_open_account(CLERK, ALMA, kind="service")
    assert send(chain, ALMA, person) == "accounts.wrong_purposes"
    account, member = get_account(chain, SERVICE.did), chain.get("", Member, ALMA.did)
    assert member is not None
    assert judge_signer(account, member, "k1", chain.height, "land") == ""
    assert judge_signer(account, member, "k1", chain.height, "other") == "key_not_for_this_purpose"


def test_an_authentication_key_does_not_sign_and_ends_by_itself(chain: Chain) -> None:
    until = chain.height + 4
    login = build_add_key(STAFF.did, ALMA.did, "login", purposes=("authenticate",), until=until)
    assert send(chain, STAFF, login) == OK
    assert sign_with(chain, STAFF, "k2", "login", PARCEL) == "ledger.unknown_signer"
    account = get_account(chain, STAFF.did)
    assert find_key(account, "k2", until - 1) is not None
    assert find_key(account, "k2", until) is None


def test_live_keys_are_bounded(chain: Chain) -> None:
    messages = [
        build_add_key(STAFF.did, ALMA.did, f"key {number}", f"k{number}")
        for number in range(2, KEYS_LIVE_MAX + 2)
    ]
    codes = [each.code for each in chain.submit(STAFF, "accounts", *messages).messages]
    assert codes == [OK] * (KEYS_LIVE_MAX - 1) + ["accounts.too_many_keys"]


def test_an_account_rotates_for_ever_and_old_keys_stay_on_record(chain: Chain) -> None:
    last = KEYS_KEPT_MAX + 10
    for number in range(1, last):
        message = build_replace_key(
            STAFF.did, ALMA.did, f"key {number + 1}", f"k{number}", f"k{number + 1}"
        )
        assert send(chain, ALMA, message) == OK
    account = get_account(chain, STAFF.did)
    assert len(account.keys) == KEYS_KEPT_MAX
    retired = chain.get("accounts", RetiredKey, STAFF.did, "k1")
    assert retired is not None
    assert retired.retired.public == STAFF.key.public
    again = build_add_key(STAFF.did, ALMA.did, "staff", "fresh")
    assert send(chain, ALMA, again) == "accounts.key_used_before"
    again = build_add_key(STAFF.did, ALMA.did, "fresh", "k1")
    assert send(chain, ALMA, again) == "accounts.key_used_before"
    assert find_violations(chain.state) == []


def test_many_rotations_in_one_block_never_file_a_key_that_is_still_valid(chain: Chain) -> None:
    messages = [
        build_replace_key(STAFF.did, ALMA.did, f"key {n + 1}", f"k{n}", f"k{n + 1}")
        for n in range(1, KEYS_KEPT_MAX + 2)
    ]
    codes = [each.code for each in chain.submit(ALMA, "accounts", *messages).messages]
    assert codes.index("accounts.too_many_keys") == KEYS_KEPT_MAX - 1
    assert find_key(get_account(chain, STAFF.did), "k1", chain.height) is not None


# A8, A9: standing


def test_a_closed_account_is_closed_for_good(chain: Chain) -> None:
    assert send(chain, STAFF, CloseAccount(account=STAFF.did, reason="left")) == OK
    assert chain.send(STAFF, "land", PARCEL).code == "ledger.unknown_signer"
    account = get_account(chain, STAFF.did)
    assert compute_standing(account.standing, chain.height) == "closed"
    for message in (
        ReinstateAccount(account=STAFF.did, reason="back"),
        SuspendAccount(account=STAFF.did, reason="back"),
        build_add_key(STAFF.did, ALMA.did, "new"),
        build_replace_key(STAFF.did, ALMA.did, "new"),
        revoke(STAFF),
        CloseAccount(account=STAFF.did, reason="left"),
        SetAdministrator(account=STAFF.did, admin=True),
    ):
        assert send(chain, ALMA, message) == "accounts.wrong_standing"


def test_suspension_stops_and_reinstatement_restores(chain: Chain) -> None:
    suspend = SuspendAccount(account=STAFF.did, reason="leave")
    assert send(chain, ALMA, suspend) == OK
    assert chain.send(STAFF, "land", PARCEL).code == "ledger.not_in_good_standing"
    assert send(chain, ALMA, suspend) == "accounts.wrong_standing"
    assert send(chain, ALMA, ReinstateAccount(account=STAFF.did, reason="back")) == OK
    assert chain.send(STAFF, "land", PARCEL).code == OK


def test_the_first_account_of_a_member_stays(chain: Chain) -> None:
    send(chain, ALMA, build_open_account(CLERK, ALMA, admin=True))
    for message in (
        CloseAccount(account=ALMA.did, reason="left"),
        SuspendAccount(account=ALMA.did, reason="left"),
        SetAdministrator(account=ALMA.did, admin=False),
    ):
        assert send(chain, CLERK, message) == "accounts.first_account"


def test_administrators_are_staff_and_act_only_for_their_member(chain: Chain) -> None:
    assert send(chain, ALMA, SetAdministrator(account=STAFF.did, admin=True)) == OK
    assert send(chain, STAFF, build_open_account(CLERK, ALMA)) == OK
    assert send(chain, ALMA, SetAdministrator(account=STAFF.did, admin=False)) == OK
    assert send(chain, STAFF, revoke(CLERK)) == "accounts.not_your_account"
    citizen = SetAdministrator(account=CITIZEN.did, admin=True)
    assert send(chain, ALMA, citizen) == "accounts.not_staff"
    opening = build_open_account(Actor("zoe"), ALMA, kind="citizen", admin=True)
    assert send(chain, ALMA, opening) == "accounts.not_staff"


def test_governance_restores_a_member_that_lost_all_its_keys_and_reaches_no_other(
    chain: Chain,
) -> None:
    lost = build_replace_key(BRUNO.did, BRUNO.did, "bruno anew")
    stray = build_replace_key(STAFF.did, ALMA.did, "staff anew")
    proposal = govern(chain, COUNCIL, ("accounts", stray))
    assert proposal.code == "accounts.not_for_governance"
    assert govern(chain, COUNCIL, ("accounts", lost)).state == "EXECUTED"
    assert sign_with(chain, BRUNO, "k2", "bruno anew", PARCEL) == OK


def test_a_citizen_does_not_use_the_roles_of_its_sponsor(chain: Chain) -> None:
    grant = GrantRole(application="accounts", role="registrar", holder=ALMA.did)
    assert chain.send(ALMA, "permissions", grant).code == OK
    opening = build_open_account(Actor("zoe"), ALMA, kind="citizen")
    assert send(chain, CITIZEN, opening) == "accounts.not_allowed_to_open"
    assert send(chain, STAFF, opening) == OK


def test_invalid_account_that_is_not_there(chain: Chain) -> None:
    assert send(chain, ALMA, revoke(CLERK)) == "ledger.no_such_record"
    assert chain.get("", Account, CLERK.did) is None


def test_two_signers_and_a_replaced_key_between(chain: Chain) -> None:
    """Signed together, but the key of one is replaced in the block before: refused as a whole."""
    together = chain.sign([ALMA, STAFF], [("land", PARCEL, 0), ("land", PARCEL, 1)], mode="atomic")
    again = chain.sign([ALMA, STAFF], [("land", PARCEL, 0), ("land", PARCEL, 1)], mode="atomic")
    assert chain.block([together]).results[0].code == 0
    assert send(chain, ALMA, build_replace_key(STAFF.did, ALMA.did, "new")) == OK
    assert chain.block([again]).results[0].messages[0].code == "ledger.unknown_signer"
    assert chain.block([together]).results[0].messages[0].code == "ledger.already_seen"


@pytest.mark.parametrize(
    "change",
    [
        {"did": STAFF.did},
        {"member": BRUNO.did},
        {"kind": "staff"},
        {"kind": "citizen", "admin": True},
        {"key_id": "K 1"},
        {"key": {"alg": "EdDSA", "public": "A" * 43}},
        {"purposes": ["service"]},
        {"purposes": ["authenticate"]},
        {"unknown": 1},
    ],
)
def test_invalid_genesis_account(change: dict[str, Any]) -> None:
    chain = build_chain(*COUNCIL)
    document = build_genesis(COUNCIL)
    document["accounts"]["accounts"][0].update(change)
    with pytest.raises(InvalidGenesis):
        compute_genesis_changes(replace(chain.genesis, contracts=document), chain.registry)


def test_invalid_genesis_without_a_members_first_account() -> None:
    chain = build_chain(*COUNCIL)
    document = build_genesis(COUNCIL)
    document["accounts"]["accounts"].pop()
    with pytest.raises(InvalidGenesis, match="no first account"):
        compute_genesis_changes(replace(chain.genesis, contracts=document), chain.registry)

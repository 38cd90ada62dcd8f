"""Promised keys, services, agreement keys, versions: rules A10 and A12."""

from typing import Any

import pytest

from hansa.contracts.accounts.did_handlers import AGREEMENTS_MAX, SERVICES_MAX
from hansa.contracts.accounts.did_model import (
    CommitNextKey,
    RemoveAgreementKey,
    RemoveService,
    SetAgreementKey,
    SetRecovery,
    SetService,
    UseNextKey,
)
from hansa.contracts.accounts.keys import compute_key_digest, compute_next_key_statement
from hansa.contracts.accounts.model import CloseAccount, RevokeKey
from hansa.contracts.accounts.profile import DidProfile, PastProfile
from hansa.contracts.standing import judge_signer
from hansa.encoding.text import encode_base64url
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK
from hansa.ledger.system import Member, find_key
from hansa.testing.chain import CHAIN, Actor, Chain, make_key
from tests.contracts import land
from tests.contracts.league import (
    build_add_key,
    build_chain,
    build_open_account,
    build_replace_key,
    find_violations,
    get_account,
    govern,
)

ALMA, BRUNO, STAFF, CITIZEN = Actor("alma"), Actor("bruno"), Actor("staff"), Actor("citizen")
SERVICE = Actor("service")
BOX = encode_base64url(b"\x09" + bytes(31))


@pytest.fixture
def chain() -> Chain:
    made = build_chain(ALMA, BRUNO, contracts=(land.contract,))
    send(made, ALMA, build_open_account(STAFF, ALMA))
    send(made, ALMA, build_open_account(CITIZEN, ALMA, kind="citizen"))
    opening = build_open_account(
        SERVICE, ALMA, kind="service", purposes=("service",), scope=("land",)
    )
    send(made, ALMA, opening)
    return made


def send(chain: Chain, actor: Actor, message: Message) -> str:
    return chain.send(actor, "accounts", message).code


def send_with(chain: Chain, actor: Actor, key_id: str, name: str, message: Message) -> str:
    """The code of a message signed with another key of the actor's account."""
    data = chain.sign(
        actor,
        [("accounts", message)],
        kids=[f"{actor.did}#{key_id}"],
        keys=[make_key(name)],
    )
    return chain.block([data]).results[0].messages[0].code


def digest(name: str) -> str:
    return compute_key_digest(make_key(name).public)


def promise(actor: Actor, name: str) -> CommitNextKey:
    return CommitNextKey(account=actor.did, next_key=digest(name))


def use(
    actor: Actor, member: Actor, name: str, key_id: str = "n1", *, after: str = "", **change: Any
) -> UseNextKey:
    """The promised key of this test name enters; `after`: thumbprint of the one after it."""
    key = make_key(name)
    statement = compute_next_key_statement(
        chain=CHAIN,
        account=actor.did,
        member=member.did,
        key_id=key_id,
        key=key.public,
        next_key=after,
    )
    given: dict[str, Any] = {
        "account": actor.did,
        "key_id": key_id,
        "key": key.public,
        "next_key": after,
        "possession": encode_base64url(key.sign(statement)),
    }
    return UseNextKey(**{**given, **change})


def get_profile(chain: Chain, actor: Actor) -> DidProfile:
    found = chain.get("accounts", DidProfile, actor.did)
    assert found is not None
    return found


# A10


def test_a_thief_of_the_current_key_can_put_in_no_key_and_the_owner_shuts_it_out(
    chain: Chain,
) -> None:
    assert send(chain, STAFF, promise(STAFF, "kept apart")) == OK
    thief = STAFF
    for stolen in (
        build_add_key(STAFF.did, ALMA.did, "thief", "t1"),
        build_add_key(STAFF.did, ALMA.did, "thief", "t1", purposes=("assert",)),
        build_add_key(STAFF.did, ALMA.did, "thief", "t1", purposes=("authenticate",)),
        build_replace_key(STAFF.did, ALMA.did, "thief", key_id="t1"),
        promise(STAFF, "thief"),
        agreement(STAFF, "thief"),
        SetRecovery(account=STAFF.did, agents=(BRUNO.did,), threshold=1),
        CloseAccount(account=STAFF.did, reason="gone"),
    ):
        assert send(chain, thief, stolen) == "accounts.next_key_only"
    assert send(chain, thief, use(STAFF, ALMA, "thief")) == "accounts.wrong_next_key"
    assert send(chain, STAFF, use(STAFF, ALMA, "kept apart", after=digest("next"))) == OK
    assert send(chain, thief, RevokeKey(account=STAFF.did, key_id="n1", reason="x")) == (
        "ledger.unknown_signer"
    )
    assert get_profile(chain, STAFF).next_key == digest("next")
    assert find_violations(chain.state) == []


def test_not_even_an_administrator_puts_a_key_in_beside_the_promised_one(chain: Chain) -> None:
    assert send(chain, CITIZEN, promise(CITIZEN, "kept apart")) == OK
    adding = build_add_key(CITIZEN.did, ALMA.did, "sponsor", "s1")
    assert send(chain, ALMA, adding) == "accounts.next_key_only"


def test_the_promised_key_enters_also_when_a_thief_has_revoked_all_that_could_sign(
    chain: Chain,
) -> None:
    assert send(chain, STAFF, build_add_key(STAFF.did, ALMA.did, "device", "d1")) == OK
    assert send(chain, STAFF, promise(STAFF, "kept apart")) == OK
    revoking = RevokeKey(account=STAFF.did, key_id="k1", reason="theft")
    assert send_with(chain, STAFF, "d1", "device", revoking) == OK
    assert send(chain, BRUNO, use(STAFF, ALMA, "kept apart")) == OK
    account = get_account(chain, STAFF.did)
    live = [key.id for key in account.keys if find_key(account, key.id, chain.height + 1)]
    assert live == ["n1"]


def test_who_carries_the_promised_key_cannot_change_what_it_says(chain: Chain) -> None:
    assert send(chain, STAFF, promise(STAFF, "kept apart")) == OK
    changed = use(STAFF, ALMA, "kept apart", next_key=digest("thief"))
    assert send(chain, STAFF, changed) == "accounts.wrong_possession"


def test_all_signing_keys_end_when_the_promised_key_enters_and_others_stay(chain: Chain) -> None:
    seal = build_add_key(STAFF.did, ALMA.did, "seal", "seal", purposes=("assert",))
    assert send(chain, STAFF, seal) == OK
    assert send(chain, STAFF, build_add_key(STAFF.did, ALMA.did, "device", "d1")) == OK
    assert send(chain, STAFF, promise(STAFF, "kept apart")) == OK
    assert send(chain, STAFF, use(STAFF, ALMA, "kept apart")) == OK
    account = get_account(chain, STAFF.did)
    live = [key.id for key in account.keys if find_key(account, key.id, chain.height + 1)]
    assert live == ["seal", "n1"]
    adding = build_add_key(STAFF.did, ALMA.did, "more", "m1")
    assert send_with(chain, STAFF, "n1", "kept apart", adding) == OK


def test_invalid_promise_of_a_key_that_the_account_has_had(chain: Chain) -> None:
    assert send(chain, STAFF, promise(STAFF, "staff")) == "accounts.key_used_before"
    assert send(chain, STAFF, promise(STAFF, "kept apart")) == OK
    again = use(STAFF, ALMA, "kept apart", after=digest("staff"))
    assert send(chain, STAFF, again) == "accounts.key_used_before"
    itself = use(STAFF, ALMA, "kept apart", after=digest("kept apart"))
    assert send(chain, STAFF, itself) == "accounts.key_used_before"


def test_only_the_account_itself_promises_and_no_service_account(chain: Chain) -> None:
    assert send(chain, ALMA, promise(STAFF, "kept apart")) == "accounts.only_itself"
    assert send(chain, ALMA, promise(SERVICE, "kept apart")) == "accounts.not_for_service"
    assert send(chain, ALMA, use(STAFF, ALMA, "kept apart")) == "accounts.wrong_next_key"


def test_an_administrator_closes_the_account_of_one_who_left_a_promise(chain: Chain) -> None:
    assert send(chain, STAFF, promise(STAFF, "kept apart")) == OK
    assert send(chain, ALMA, CloseAccount(account=STAFF.did, reason="left")) == OK
    assert send(chain, STAFF, use(STAFF, ALMA, "kept apart")) == "ledger.unknown_signer"
    assert send(chain, BRUNO, use(STAFF, ALMA, "kept apart")) == "accounts.wrong_standing"


def test_governance_goes_above_the_promise_of_a_first_account(chain: Chain) -> None:
    assert send(chain, ALMA, promise(ALMA, "lost")) == OK
    adding = build_add_key(ALMA.did, ALMA.did, "new", "g1")
    assert govern(chain, (BRUNO, ALMA), ("accounts", adding)).state == "EXECUTED"
    assert get_profile(chain, ALMA).next_key == ""


# What a key may do


def test_a_key_that_asserts_signs_no_transaction(chain: Chain) -> None:
    adding = build_add_key(STAFF.did, ALMA.did, "seal", "seal", purposes=("assert",))
    assert send(chain, STAFF, adding) == OK
    message = RevokeKey(account=STAFF.did, key_id="k1", reason="x")
    assert send_with(chain, STAFF, "seal", "seal", message) == "ledger.unknown_signer"
    account, member = get_account(chain, STAFF.did), chain.get("", Member, ALMA.did)
    assert member is not None
    judged = judge_signer(account, member, "seal", chain.height + 1, "land")
    assert judged == "key_not_for_this_purpose"
    both = build_add_key(STAFF.did, ALMA.did, "door", "door", purposes=("assert", "authenticate"))
    assert send(chain, STAFF, both) == OK
    assert send_with(chain, STAFF, "door", "door", message) == "ledger.unknown_signer"


def test_invalid_end_in_advance_of_a_key_that_asserts(chain: Chain) -> None:
    adding = build_add_key(STAFF.did, ALMA.did, "seal", "seal", purposes=("assert",), until=900)
    assert send(chain, STAFF, adding) == "accounts.wrong_purposes"


def test_a_key_that_asserts_is_not_one_with_which_an_account_can_act(chain: Chain) -> None:
    adding = build_add_key(STAFF.did, ALMA.did, "seal", "seal", purposes=("assert",))
    assert send(chain, STAFF, adding) == OK
    assert send(chain, STAFF, RevokeKey(account=STAFF.did, key_id="k1", reason="x")) == (
        "accounts.last_key"
    )


# A12


def service(actor: Actor, name: str = "files", endpoint: str = "https://a.example/") -> SetService:
    return SetService(account=actor.did, id=name, type="LinkedDomains", endpoint=endpoint)


def test_each_change_is_a_version_with_height_and_block_time(chain: Chain) -> None:
    opened_ms = get_account(chain, STAFF.did).keys[0].since_ms
    assert send(chain, STAFF, service(STAFF)) == OK
    second = (chain.height + 1, chain.time_ms)
    assert send(chain, STAFF, build_replace_key(STAFF.did, ALMA.did, "new")) == OK
    profile = get_profile(chain, STAFF)
    assert (profile.version, profile.since) == (3, chain.height + 1)
    assert [each.id for each in profile.services] == ["files"]
    first = chain.get("accounts", PastProfile, STAFF.did, "00000001")
    filed = chain.get("accounts", PastProfile, STAFF.did, "00000002")
    assert first is not None and filed is not None
    assert (first.since_ms, first.services) == (opened_ms, ())
    assert (filed.since, filed.since_ms) == second
    assert find_violations(chain.state) == []


def test_several_changes_in_one_block_are_one_version(chain: Chain) -> None:
    first = chain.sign(STAFF, [("accounts", service(STAFF, "a"))])
    second = chain.sign(STAFF, [("accounts", service(STAFF, "b"))])
    chain.block([first, second])
    profile = get_profile(chain, STAFF)
    assert (profile.version, [each.id for each in profile.services]) == (2, ["a", "b"])


def test_a_service_is_said_anew_and_removed(chain: Chain) -> None:
    assert send(chain, STAFF, service(STAFF)) == OK
    assert send(chain, STAFF, service(STAFF, endpoint="https://b.example/")) == OK
    assert [each.endpoint for each in get_profile(chain, STAFF).services] == ["https://b.example/"]
    removing = RemoveService(account=STAFF.did, id="files")
    assert send(chain, STAFF, removing) == OK
    assert send(chain, STAFF, removing) == "accounts.no_such_entry"
    assert get_profile(chain, STAFF).services == ()


def test_services_and_agreement_keys_are_bounded(chain: Chain) -> None:
    for number in range(SERVICES_MAX):
        assert send(chain, STAFF, service(STAFF, f"s{number}")) == OK
    assert send(chain, STAFF, service(STAFF, "more")) == "accounts.too_many_entries"
    for number in range(AGREEMENTS_MAX):
        assert send(chain, STAFF, agreement(STAFF, f"a{number}")) == OK
    assert send(chain, STAFF, agreement(STAFF, "more")) == "accounts.too_many_entries"
    assert send(chain, STAFF, RemoveAgreementKey(account=STAFF.did, id="a0")) == OK
    assert send(chain, STAFF, RemoveAgreementKey(account=STAFF.did, id="a0")) == (
        "accounts.no_such_entry"
    )


def agreement(actor: Actor, name: str = "box", alg: Any = "X25519", public: str = BOX) -> Any:
    return SetAgreementKey(account=actor.did, id=name, alg=alg, public=public)


P25519 = 2**255 - 19


@pytest.mark.parametrize(
    ("alg", "raw"),
    [
        ("X25519", bytes(32)),
        ("X25519", b"\x01" + bytes(31)),
        ("X25519", (P25519 - 1).to_bytes(32, "little")),
        ("X25519", P25519.to_bytes(32, "little")),
        ("X25519", b"\xff" * 32),
        (
            "X25519",
            bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        ),
        (
            "X25519",
            bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        ),
        ("SM2", b"\x07" * 64),
        ("SM2", b"\x07" * 32),
    ],
)
def test_invalid_agreement_key(chain: Chain, alg: str, raw: bytes) -> None:
    message = agreement(STAFF, alg=alg, public=encode_base64url(raw))
    assert send(chain, STAFF, message) == "accounts.wrong_agreement_key"


def test_content_may_be_sealed_to_an_sm2_key(chain: Chain) -> None:
    public = make_key("box", alg="SM2").public.public
    assert send(chain, STAFF, agreement(STAFF, alg="SM2", public=public)) == OK


def test_a_sponsor_does_not_speak_for_a_citizen(chain: Chain) -> None:
    assert send(chain, ALMA, agreement(CITIZEN)) == "accounts.only_itself"
    assert send(chain, ALMA, service(STAFF)) == OK
    assert send(chain, ALMA, service(SERVICE)) == OK
    assert send(chain, BRUNO, service(STAFF)) == "accounts.only_itself"


def test_a_document_of_a_person_names_no_address(chain: Chain) -> None:
    assert send(chain, CITIZEN, service(CITIZEN)) == "accounts.not_for_citizen"
    assert send(chain, CITIZEN, agreement(CITIZEN)) == OK


def test_a_closed_account_says_nothing_more(chain: Chain) -> None:
    assert send(chain, STAFF, service(STAFF)) == OK
    assert send(chain, ALMA, CloseAccount(account=STAFF.did, reason="left")) == OK
    assert get_profile(chain, STAFF).services == ()
    assert send(chain, ALMA, service(STAFF)) == "accounts.wrong_standing"

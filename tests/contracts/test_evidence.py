"""Evidence, rule by rule (E1 to E6)."""

from typing import Any

import pytest
from msgspec.structs import replace

from hansa.contracts.evidence.handlers import stood
from hansa.contracts.evidence.model import (
    LOG_MAX,
    STANDS_MAX,
    TOKENS_MAX,
    AddLog,
    AttachToken,
    CreateEvidence,
    Evidence,
    EvidenceSignature,
    LogEntry,
    RevokeEvidence,
    SignEvidence,
    TimeStamp,
    UnrevokeEvidence,
)
from hansa.crypto.hashing import sha256
from hansa.encoding.text import encode_base64url
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK, MessageResult
from hansa.ledger.state import scan_records
from hansa.primitives.limits import MESSAGES_MAX
from hansa.testing.chain import Actor, Chain
from tests.contracts.league import build_chain, build_open_account, find_violations

NOTARY, BANK, CITIZEN = Actor("notary"), Actor("bank"), Actor("citizen")
APP = "evidence"
VALUE = encode_base64url(sha256(b"salt and deed"))
OTHER = encode_base64url(sha256(b"another"))
CREATE = CreateEvidence(id="deed-1", form="commitment", value=VALUE)
SIGN = SignEvidence(owner=NOTARY.did, id="deed-1", value=VALUE)
REVOKE = RevokeEvidence(owner=NOTARY.did, id="deed-1", reason="forged")
UNREVOKE = UnrevokeEvidence(owner=NOTARY.did, id="deed-1")
LOG = AddLog(owner=NOTARY.did, id="deed-1", code="shown", commitment=OTHER)
TOKEN = b"a token"
ATTACH = AttachToken(
    owner=NOTARY.did,
    id="deed-1",
    digest=encode_base64url(sha256(TOKEN)),
    token=encode_base64url(TOKEN),
)


@pytest.fixture
def chain() -> Chain:
    """The notary has put a deed on record."""
    made = build_chain(NOTARY, BANK)
    made.send(BANK, "accounts", build_open_account(CITIZEN, BANK, kind="citizen"))
    assert send(made, CREATE, NOTARY).code == OK
    return made


def send(chain: Chain, message: Message, actor: Actor) -> MessageResult:
    result = chain.send(actor, APP, message)
    assert find_violations(chain.state, APP) == []
    return result


def get(chain: Chain, name: str = "deed-1", owner: Actor = NOTARY) -> Evidence:
    found = chain.get(APP, Evidence, owner.did, name)
    assert found is not None
    return found


def get_signature(chain: Chain, signer: Actor) -> EvidenceSignature:
    found = chain.get(APP, EvidenceSignature, NOTARY.did, "deed-1", signer.did)
    assert found is not None
    return found


def test_only_a_root_has_several_items(chain: Chain) -> None:
    many = CreateEvidence(form="root", value=OTHER, items=10_000)
    for form in ("commitment", "digest"):
        refused = send(chain, replace(many, form=form), BANK)
        assert refused.code == "evidence.not_a_root"
    assert send(chain, many, BANK).code == OK
    assert get(chain, OTHER, BANK).items == 10_000


def test_more_items_than_the_limit_are_no_message(chain: Chain) -> None:
    many = CreateEvidence(form="root", value=OTHER, items=10_001)
    assert send(chain, many, BANK).code == "ledger.malformed"


def test_evidence_stands_under_its_owner_and_a_name_or_the_value(chain: Chain) -> None:
    assert get(chain).value == VALUE
    assert send(chain, replace(CREATE, id=""), NOTARY).code == OK
    assert get(chain, VALUE).since_ms == chain.time_ms
    assert send(chain, CREATE, CITIZEN).code == OK
    assert get(chain, owner=CITIZEN).value == VALUE


def test_a_name_is_used_once_and_evidence_never_changes(chain: Chain) -> None:
    before = get(chain)
    for message in (CREATE, replace(CREATE, value=OTHER)):
        refused = send(chain, message, NOTARY)
        assert (refused.code, refused.params["since_ms"]) == (
            "evidence.already_there",
            before.since_ms,
        )
    assert get(chain) == before


def test_several_sign_each_for_itself_the_value_that_it_names(chain: Chain) -> None:
    assert send(chain, SIGN, NOTARY).code == "evidence.already_signed"
    assert send(chain, replace(SIGN, value=OTHER), BANK).code == "evidence.other_value"
    assert send(chain, replace(SIGN, id="deed-2"), BANK).code == "evidence.no_such_evidence"
    for actor in (BANK, CITIZEN):
        assert send(chain, SIGN, actor).code == OK
        assert send(chain, SIGN, actor).code == "evidence.already_signed"
    found = scan_records(chain.state, APP, EvidenceSignature, limit=10)
    assert {each.signer for each in found} == {NOTARY.did, BANK.did, CITIZEN.did}


def test_each_signer_revokes_and_takes_up_its_own_signature(chain: Chain) -> None:
    send(chain, SIGN, BANK)
    since_ms = chain.time_ms
    assert send(chain, REVOKE, CITIZEN).code == "evidence.not_a_signer"
    assert send(chain, UNREVOKE, BANK).code == "evidence.not_revoked"
    assert send(chain, REVOKE, BANK).code == OK
    revoked_ms = chain.time_ms
    assert send(chain, REVOKE, BANK).code == "evidence.not_standing"
    assert send(chain, UNREVOKE, BANK).code == OK
    again_ms = chain.time_ms
    signature = get_signature(chain, BANK)
    times = (since_ms - 1, since_ms, revoked_ms - 1, revoked_ms, again_ms - 1, again_ms)
    assert [stood(signature, at) for at in times] == [False, True, True, False, False, True]
    assert signature.stands[0].reason == "forged"
    assert stood(get_signature(chain, NOTARY), revoked_ms)


def test_a_signature_is_not_taken_up_for_ever(chain: Chain) -> None:
    sent = chain.submit(NOTARY, APP, *[REVOKE, UNREVOKE] * STANDS_MAX).messages
    codes = [each.code for each in sent]
    assert codes == [OK] * (2 * STANDS_MAX - 1) + ["evidence.revoked_too_often"]


def test_a_log_is_added_in_order_by_those_who_stand_by_it(chain: Chain) -> None:
    assert send(chain, LOG, BANK).code == "evidence.not_a_signer"
    send(chain, SIGN, BANK)
    for actor in (NOTARY, BANK):
        assert send(chain, LOG, actor).code == OK
    send(chain, REVOKE, BANK)
    assert send(chain, LOG, BANK).code == "evidence.not_standing"
    found = scan_records(chain.state, APP, LogEntry, limit=10)
    assert [(each.number, each.by, each.code) for each in found] == [
        (1, NOTARY.did, "shown"),
        (2, BANK.did, "shown"),
    ]


@pytest.mark.slow
def test_a_log_has_an_end(chain: Chain) -> None:
    """Others fill half of it and the owner all: nobody crowds it out."""
    send(chain, SIGN, BANK)
    half = LOG_MAX // 2
    for actor, left in ((BANK, half), (NOTARY, LOG_MAX - half)):
        codes: list[str] = []
        while len(codes) <= left:
            several = [LOG] * min(MESSAGES_MAX, left + 1 - len(codes))
            codes += [each.code for each in chain.submit(actor, APP, *several).messages]
        assert codes == [OK] * left + ["evidence.log_full"]


def test_strangers_do_not_crowd_the_owner_out_of_its_time_stamps(chain: Chain) -> None:
    send(chain, SIGN, BANK)
    tokens = [
        replace(ATTACH, digest=encode_base64url(sha256(bytes([number]))), token="")
        for number in range(TOKENS_MAX + 2)
    ]
    half, full = TOKENS_MAX // 2, "evidence.too_many_tokens"
    sent = chain.submit(BANK, APP, *tokens[: half + 1]).messages
    assert [each.code for each in sent] == [OK] * half + [full]
    sent = chain.submit(NOTARY, APP, *tokens[half + 1 :]).messages
    assert [each.code for each in sent] == [OK] * half + [full]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, OK),
        ({"token": ""}, OK),
        ({"digest": OTHER}, "evidence.wrong_token"),
        ({"token": encode_base64url(b"another token")}, "evidence.wrong_token"),
        ({"token": "A"}, "evidence.wrong_token"),
        ({"token": "A" * 10_924}, "ledger.malformed"),
    ],
)
def test_a_token_has_its_digest(chain: Chain, changes: dict[str, Any], code: str) -> None:
    assert send(chain, replace(ATTACH, **changes), NOTARY).code == code


def test_tokens_are_attached_once_by_those_who_stand_by_it(chain: Chain) -> None:
    assert send(chain, ATTACH, BANK).code == "evidence.not_a_signer"
    assert send(chain, ATTACH, NOTARY).code == OK
    assert send(chain, ATTACH, NOTARY).code == "evidence.already_attached"
    found = scan_records(chain.state, APP, TimeStamp, limit=10)
    assert [(each.by, each.token) for each in found] == [(NOTARY.did, ATTACH.token)]

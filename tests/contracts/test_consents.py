"""Consents, rule by rule (C1 to C12)."""

import re
from typing import Any

import pytest

from hansa.contracts import consents
from hansa.contracts.consents.model import (
    ACCESS_MS,
    DAY_MS,
    GRANT_MS_MAX,
    HOLDINGS_MAX,
    REVIEW_MS,
    Access,
    AccessLog,
    DataGrant,
    DeclareErasure,
    Delivery,
    Emergency,
    Erasure,
    Holding,
    ReceiveContent,
    ReviewBreakGlass,
    WithdrawGrant,
    compute_head,
)
from hansa.contracts.mandates.model import ActScope, GiveOnBehalf, Mandate, UseMandate
from hansa.contracts.permissions.model import GrantRole
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK, MessageResult
from hansa.ledger.state import scan_records
from hansa.testing.chain import START_MS, Actor, Chain
from tests.contracts.clinic import (
    BANK,
    BLOOD,
    CITY,
    CLINIC,
    KEY,
    MEDIC,
    NAME,
    NURSE,
    PAT,
    QUINN,
    TELLER,
    WATCH,
    break_in,
    build_clinic,
    commit_to,
    declare,
    find_violations,
    give,
    list_accesses,
    list_emergencies,
    list_grants,
    make_grant,
    read,
)
from tests.contracts.league import govern

DIGEST = "ab" * 32


@pytest.fixture
def chain() -> Chain:
    return build_clinic()


def send(chain: Chain, actor: Actor, message: Message) -> MessageResult:
    return chain.send(actor, "consents", message)


def get_grant(chain: Chain, identity: str) -> DataGrant:
    found = chain.get("consents", DataGrant, identity)
    assert found is not None
    return found


def withdraw(grant: str, **changes: Any) -> WithdrawGrant:
    return WithdrawGrant(grant=grant, reason="changed_mind", **changes)


OTHER_BASIS = {"legal_basis": "legal_obligation", "record": "", "document": DIGEST}


@pytest.mark.parametrize(
    ("actor", "changes", "code"),
    [
        (PAT, {}, OK),
        (QUINN, {}, "consents.not_yours_to_give"),
        (CITY, {}, "consents.not_yours_to_give"),
        (CLINIC, {}, "consents.not_yours_to_give"),
        (BANK, {}, "consents.not_yours_to_give"),
        (PAT, {"record": ""}, "consents.ground_missing"),
        (CLINIC, OTHER_BASIS, OK),
        (NURSE, OTHER_BASIS, OK),
        (PAT, OTHER_BASIS, "consents.not_yours_to_give"),
        (TELLER, OTHER_BASIS, "consents.not_yours_to_give"),
        (CLINIC, {**OTHER_BASIS, "document": ""}, "consents.ground_missing"),
        (PAT, {"controller": NURSE.did}, "consents.no_such_party"),
        (PAT, {"receiver": Actor("nobody").did}, "consents.no_such_party"),
        (PAT, {"fields": (NAME, NAME)}, "consents.fields_repeated"),
        (PAT, {"until_ms": START_MS}, "consents.wrong_end"),
        (PAT, {"until_ms": START_MS + 2 * GRANT_MS_MAX}, "consents.wrong_end"),
        (PAT, {"since_ms": START_MS}, "consents.wrong_end"),
        (PAT, {"since_ms": START_MS + 31 * DAY_MS}, "consents.wrong_end"),
    ],
)
def test_c1_c2_who_gives_what_for_how_long(
    chain: Chain, actor: Actor, changes: dict[str, Any], code: str
) -> None:
    assert send(chain, actor, give(**changes)).code == code
    assert len(list_grants(chain)) == (code == OK)


def test_c1_c3_a_guardian_gives_and_withdraws_under_a_mandate(chain: Chain) -> None:
    """What a court gave the parent covers the very next message, and nothing else."""
    role = GrantRole(application="mandates", role="court", holder=CITY.did)
    govern(chain, (CLINIC, BANK, CITY, WATCH), ("permissions", role))
    scope = (ActScope("consents", ("GiveGrant", "WithdrawGrant")),)
    ward = GiveOnBehalf(
        principal=PAT.did, delegate=QUINN.did, scope=scope, purpose="care", basis="guardian"
    )
    sent = chain.send(CITY, "mandates", ward)
    assert sent.code == OK, sent
    mandate = scan_records(chain.state, "mandates", Mandate, limit=2)[0].id

    def act(message: Message, *, sender: Actor = QUINN, named: str = "") -> list[str]:
        type_ = named or type(message).__name__
        use = UseMandate(mandate=mandate, application="consents", type=type_)
        data = chain.sign(sender, [("mandates", use), ("consents", message)], mode="atomic")
        return [each.code for each in chain.block([data]).results[0].messages]

    fell = "ledger.other_message_rejected"
    assert act(give()) == [OK, OK]
    grant = list_grants(chain)[0].id
    refused = [fell, "consents.not_yours_to_give"]
    assert act(give(), named="WithdrawGrant") == refused
    assert act(give(subject=CITY.did)) == refused
    assert act(give(), sender=NURSE)[0] == "mandates.not_the_delegate"
    assert send(chain, QUINN, withdraw(grant)).code == "consents.not_yours_to_end"
    assert act(withdraw(grant)) == [OK, OK]
    assert get_grant(chain, grant).state == "withdrawn"


def test_c2_a_grant_is_over_by_itself(chain: Chain) -> None:
    grant = make_grant(chain)
    chain.advance(31 * DAY_MS)
    found = get_grant(chain, grant)
    assert (found.state, found.ended_by) == ("expired", "deadline")
    assert send(chain, BANK, read(grant)).code == "consents.grant_over"
    assert send(chain, PAT, withdraw(grant)).code == "consents.grant_over"
    assert find_violations(chain) == []


def test_c2_what_waits_for_its_deadline_counts_no_more(chain: Chain) -> None:
    """The deadline fires at the beginning of the block whose time has come: never late."""
    grant = make_grant(chain)
    data = chain.sign(BANK, [("consents", read(grant))])
    chain.time_ms = get_grant(chain, grant).until_ms - 1_000
    assert chain.block([data]).results[0].messages[0].code == "consents.grant_over"


@pytest.mark.parametrize(
    ("actor", "basis", "code"),
    [
        (PAT, {}, OK),
        (BANK, {}, OK),
        (TELLER, {}, OK),
        (WATCH, {}, OK),
        (CLINIC, {}, "consents.not_yours_to_end"),
        (CITY, {}, "consents.not_yours_to_end"),
        (QUINN, {}, "consents.not_yours_to_end"),
        (NURSE, OTHER_BASIS, OK),
        (PAT, OTHER_BASIS, "consents.not_yours_to_end"),
    ],
)
def test_c3_who_ends_a_grant_and_it_counts_at_once(
    chain: Chain, actor: Actor, basis: dict[str, Any], code: str
) -> None:
    assert send(chain, NURSE if basis else PAT, give(**basis)).code == OK
    grant = list_grants(chain)[0].id
    assert send(chain, actor, withdraw(grant)).code == code
    wanted = OK if code != OK else "consents.grant_over"
    assert send(chain, BANK, read(grant)).code == wanted
    assert find_violations(chain) == []


def test_c3_consent_and_its_withdrawal_in_one_block_leave_no_use(chain: Chain) -> None:
    grant = make_grant(chain)
    first = chain.sign(PAT, [("consents", withdraw(grant, record=commit_to("withdrawn")))])
    second = chain.sign(BANK, [("consents", read(grant))])
    codes = [result.messages[0].code for result in chain.block([first, second]).results]
    assert codes == [OK, "consents.grant_over"]
    found = get_grant(chain, grant)
    assert (found.state, found.record) == ("withdrawn", commit_to("withdrawn"))
    assert send(chain, PAT, withdraw("nothing")).code == "consents.no_such_grant"


@pytest.mark.parametrize(
    ("actor", "changes", "code"),
    [
        (BANK, {}, OK),
        (TELLER, {"fields": (BLOOD, NAME)}, OK),
        (CLINIC, {}, "consents.not_the_receiver"),
        (PAT, {}, "consents.not_the_receiver"),
        (MEDIC, {}, "consents.not_the_receiver"),
        (BANK, {"purpose": "marketing"}, "consents.wrong_purpose"),
        (BANK, {"fields": ("diagnosis",)}, "consents.field_not_granted"),
        (BANK, {"fields": (NAME, "diagnosis")}, "consents.field_not_granted"),
        (BANK, {"fields": (NAME, NAME)}, "consents.fields_repeated"),
        (BANK, {"seal_alg": "SM2"}, "consents.wrong_seal_key"),
        (BANK, {"seal_key": KEY + KEY}, "consents.wrong_seal_key"),
        (BANK, {"seal_key": "A" * 43}, "consents.wrong_seal_key"),
        (BANK, {"seal_alg": "SM2", "seal_key": KEY + KEY}, "consents.wrong_seal_key"),
        (BANK, {"grant": "nothing"}, "consents.no_such_grant"),
    ],
)
def test_c5_data_is_read_within_the_grant(
    chain: Chain, actor: Actor, changes: dict[str, Any], code: str
) -> None:
    grant = make_grant(chain)
    assert send(chain, actor, read(**{"grant": grant, **changes})).code == code
    assert len(list_accesses(chain)) == get_grant(chain, grant).used == (code == OK)
    assert find_violations(chain) == []


def test_c5_no_more_uses_than_were_given(chain: Chain) -> None:
    grant = make_grant(chain, uses_max=2)
    assert [send(chain, BANK, read(grant)).code for _ in range(3)] == [OK, OK, "consents.used_up"]
    assert get_grant(chain, grant).state == "used_up"
    assert [each.use for each in list_accesses(chain)] == [1, 2]
    assert send(chain, PAT, withdraw(grant)).code == OK
    chain.advance(31 * DAY_MS)
    assert get_grant(chain, grant).state == "withdrawn"
    assert find_violations(chain) == []


def test_c5_not_before_it_begins(chain: Chain) -> None:
    grant = make_grant(chain, since_ms=START_MS + DAY_MS)
    assert send(chain, BANK, read(grant)).code == "consents.not_yet"
    chain.advance(DAY_MS)
    assert send(chain, BANK, read(grant)).code == OK


def test_c5_a_replayed_transaction_is_no_second_access(chain: Chain) -> None:
    grant = make_grant(chain)
    data = chain.sign(BANK, [("consents", read(grant))])
    chain.block([data])
    chain.block([data])
    assert len(list_accesses(chain)) == 1


def test_c4_what_was_not_declared_is_not_read_nor_counted(chain: Chain) -> None:
    grant = make_grant(chain, fields=(NAME, "income"))
    assert send(chain, BANK, read(grant, fields=("income",))).code == "consents.nothing_held"
    assert get_grant(chain, grant).used == 0
    assert send(chain, BANK, declare("income")).code == OK
    assert send(chain, BANK, read(grant, fields=("income",))).code == "consents.nothing_held"
    assert send(chain, NURSE, declare("income")).code == OK
    assert send(chain, BANK, read(grant, fields=("income",))).code == OK


def test_c4_a_controller_declares_no_more_than_an_erasure_can_look_at(chain: Chain) -> None:
    more = [declare(f"field-{number}") for number in range(HOLDINGS_MAX - 1)]
    codes = [each.code for each in chain.submit(NURSE, "consents", *more).messages]
    assert codes == [OK] * (HOLDINGS_MAX - 2) + ["consents.too_many_holdings"]
    assert send(chain, NURSE, declare(NAME, "newer")).code == OK


def test_c10_an_erasure_ends_all_that_holds_the_content(chain: Chain) -> None:
    assert send(chain, NURSE, declare("alias", NAME)).code == OK
    erase = DeclareErasure(subject=PAT.did, commitment=commit_to(NAME), reason="asked_for")
    assert send(chain, NURSE, erase).code == OK
    erasure = chain.get("consents", Erasure, PAT.did, CLINIC.did, commit_to(NAME))
    assert erasure is not None
    assert erasure.fields == ("alias", NAME)
    held = scan_records(chain.state, "consents", Holding, limit=10)
    assert [each.field for each in held] == [BLOOD]


@pytest.mark.parametrize(
    ("actor", "subject", "code"),
    [
        (CLINIC, PAT, OK),
        (NURSE, PAT, OK),
        (TELLER, PAT, "consents.not_the_controller"),
        (PAT, PAT, "consents.not_the_controller"),
        (CLINIC, Actor("nobody"), "consents.no_such_party"),
    ],
)
def test_c4_who_declares(chain: Chain, actor: Actor, subject: Actor, code: str) -> None:
    assert send(chain, actor, declare("x", subject=subject)).code == code


def test_c6_the_head_binds_every_access_in_order(chain: Chain) -> None:
    grant, other = make_grant(chain), make_grant(chain, receiver=QUINN.did)
    assert send(chain, BANK, read(grant)).code == OK
    assert send(chain, MEDIC, break_in()).code == OK
    assert send(chain, QUINN, read(other)).code == OK
    log = chain.get("consents", AccessLog, PAT.did)
    accesses = list_accesses(chain)
    assert log is not None
    assert [each.number for each in accesses] == [1, 2, 3]

    def fold(entries: list[Access]) -> str:
        head = ""
        for each in entries:
            head = compute_head(head, each)
        return head

    assert log.accesses == 3
    assert fold(accesses) == log.head
    assert fold(accesses[:2]) != log.head
    assert fold([accesses[1], accesses[0], accesses[2]]) != log.head
    assert find_violations(chain) == []


@pytest.mark.parametrize(
    ("actor", "changes", "code"),
    [
        (MEDIC, {}, OK),
        (CITY, {}, "ledger.missing_role"),
        (NURSE, {}, "ledger.missing_role"),
        (WATCH, {}, "ledger.missing_role"),
        (MEDIC, {"controller": MEDIC.did}, "consents.no_such_party"),
        (MEDIC, {"subject": Actor("nobody").did}, "consents.no_such_party"),
        (MEDIC, {"fields": ("income",)}, "consents.nothing_held"),
        (MEDIC, {"fields": (BLOOD, BLOOD)}, "consents.fields_repeated"),
        (MEDIC, {"seal_alg": "SM2"}, "consents.wrong_seal_key"),
    ],
)
def test_c7_glass_is_broken_by_whose_office_it_is(
    chain: Chain, actor: Actor, changes: dict[str, Any], code: str
) -> None:
    sent = send(chain, actor, break_in(**changes))
    assert sent.code == code
    names = [event.type for event in sent.events]
    assert names == (["AccessRecorded", "BreakGlassUsed"] if code == OK else [])
    assert find_violations(chain) == []


def test_c7_the_league_hears_of_it_but_not_about_whom(chain: Chain) -> None:
    sent = send(chain, MEDIC, break_in())
    loud = next(event for event in sent.events if event.type == "BreakGlassUsed")
    assert PAT.did.encode() not in bytes(loud.body)
    kinds = {each.__name__: each for each in consents.EVENTS}
    assert kinds["BreakGlassUsed"].VISIBILITY == "league"
    assert kinds["AccessRecorded"].VISIBILITY == "parties"


def test_c8_a_review_in_time(chain: Chain) -> None:
    assert send(chain, MEDIC, break_in()).code == OK
    (emergency,) = list_emergencies(chain)
    review = ReviewBreakGlass(emergency=emergency.id, verdict="justified", findings=DIGEST)
    assert send(chain, CITY, review).code == "ledger.missing_role"
    assert send(chain, WATCH, review).code == OK
    assert send(chain, WATCH, review).code == "consents.already_reviewed"
    chain.advance(2 * REVIEW_MS)
    (found,) = list_emergencies(chain)
    assert (found.verdict, found.reviewer, found.is_overdue) == ("justified", WATCH.did, False)
    assert find_violations(chain) == []
    unknown = ReviewBreakGlass(emergency="nothing", verdict="justified")
    assert send(chain, WATCH, unknown).code == "consents.no_such_emergency"


def test_c8_a_review_that_is_late_is_announced_and_still_due(chain: Chain) -> None:
    assert send(chain, MEDIC, break_in()).code == OK
    result = chain.advance(REVIEW_MS)
    types = [event.type for each in result.deadlines for event in each.events]
    assert types == ["OverdueBreakGlass"]
    (emergency,) = list_emergencies(chain)
    assert emergency.is_overdue
    review = ReviewBreakGlass(emergency=emergency.id, verdict="unjustified")
    assert send(chain, WATCH, review).code == OK
    assert find_violations(chain) == []


def test_c8_nobody_judges_its_own_organisation(chain: Chain) -> None:
    for holder in (CITY, CLINIC):
        role = GrantRole(application="consents", role="regulator", holder=holder.did)
        assert govern(chain, (CLINIC, BANK, CITY), ("permissions", role)).state == "EXECUTED"
    assert send(chain, MEDIC, break_in()).code == OK
    review = ReviewBreakGlass(emergency=list_emergencies(chain)[0].id, verdict="justified")
    assert send(chain, CITY, review).code == "consents.not_yours_to_review"
    assert send(chain, CLINIC, review).code == "consents.not_yours_to_review"
    assert send(chain, WATCH, review).code == OK


def test_c9_a_taker_signs_once_for_what_it_took(chain: Chain) -> None:
    grant = make_grant(chain)
    receive = ReceiveContent(subject=PAT.did, number=1, package=commit_to("sealed"))
    assert send(chain, BANK, receive).code == "consents.no_such_access"
    assert send(chain, BANK, read(grant)).code == OK
    assert send(chain, CLINIC, receive).code == "consents.no_such_access"
    assert send(chain, TELLER, receive).code == OK
    assert send(chain, BANK, receive).code == "consents.already_received"
    found = chain.get("consents", Delivery, PAT.did, "000000001")
    assert found is not None
    assert (found.taker, found.actor) == (BANK.did, TELLER.did)


def test_c10_what_is_erased_is_read_no_more_and_does_not_return(chain: Chain) -> None:
    grant = make_grant(chain)
    erase = DeclareErasure(subject=PAT.did, commitment=commit_to(NAME), reason="retention_over")
    assert send(chain, BANK, erase).code == OK
    assert send(chain, TELLER, erase).code == "consents.not_the_controller"
    assert chain.get("consents", Holding, PAT.did, CLINIC.did, NAME) is not None
    assert send(chain, NURSE, erase).code == OK
    assert chain.get("consents", Erasure, PAT.did, CLINIC.did, commit_to(NAME)) is not None
    assert send(chain, BANK, read(grant)).code == "consents.nothing_held"
    assert send(chain, NURSE, declare()).code == "consents.erased"
    assert send(chain, NURSE, erase).code == "consents.erased"
    assert send(chain, NURSE, declare(NAME, "newer")).code == OK
    assert send(chain, BANK, read(grant)).code == OK
    assert find_violations(chain) == []


def test_c10_the_erasure_of_an_older_content_leaves_the_newer(chain: Chain) -> None:
    assert send(chain, NURSE, declare(NAME, "newer")).code == OK
    erase = DeclareErasure(subject=PAT.did, commitment=commit_to(NAME), reason="replaced")
    assert send(chain, NURSE, erase).code == OK
    held = chain.get("consents", Holding, PAT.did, CLINIC.did, NAME)
    assert held is not None
    assert held.commitment == commit_to("newer")


def test_c11_an_access_opens_its_content_for_a_day_at_most(chain: Chain) -> None:
    grant = make_grant(chain)
    assert send(chain, BANK, read(grant)).code == OK
    short = make_grant(chain, until_ms=chain.time_ms + 60_000)
    assert send(chain, BANK, read(short)).code == OK
    first, second = list_accesses(chain)
    assert first.until_ms == first.at_ms + ACCESS_MS
    assert second.until_ms == get_grant(chain, short).until_ms


def test_c12_nothing_but_dids_codes_and_commitments_is_kept(chain: Chain) -> None:
    """Every text of every record is a DID, a code, a commitment, a digest or a key."""
    grant = make_grant(chain)
    assert send(chain, BANK, read(grant)).code == OK
    assert send(chain, MEDIC, break_in()).code == OK
    shape = re.compile(
        r'"(did:hansa:[a-z2-7]{32}|[a-z0-9_.-]{0,64}|[A-Z0-9]{1,8}|[A-Za-z0-9_-]{43}|[0-9a-f-]{34,64})"'
    )
    kinds = (DataGrant, Holding, Access, AccessLog, Emergency)
    for kind in kinds:
        for record in scan_records(chain.state, "consents", kind, limit=100):
            values = re.findall(r':("[^"]*")', encode_canonical(record).decode())
            assert all(shape.fullmatch(each) for each in values), record

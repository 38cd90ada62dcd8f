"""Mandates, rule by rule (M1 to M7)."""

from typing import Any

import pytest
from msgspec.structs import replace

from hansa.contracts.accounts.model import SuspendAccount
from hansa.contracts.mandates.model import (
    PAIR_MAX,
    ActScope,
    Appointment,
    GiveMandate,
    GiveOnBehalf,
    Limit,
    Mandate,
    Use,
    UseMandate,
    WithdrawMandate,
)
from hansa.contracts.permissions.model import GrantRole
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK, MessageResult, TransactionResult
from hansa.ledger.state import scan_records
from hansa.testing.chain import Actor, Chain
from tests.contracts import desk
from tests.contracts.desk import Pay
from tests.contracts.league import build_chain, build_open_account, find_violations, govern

FIRM, RIVAL, COURT = Actor("firm"), Actor("rival"), Actor("court")
CLERK, STAND_IN, CITIZEN, PARENT = (
    Actor("clerk"),
    Actor("stand-in"),
    Actor("citizen"),
    Actor("parent"),
)
APP = "mandates"
PAYING = (ActScope("desk", ("Pay",)),)
DAY_MS = 86_400_000
YUAN = Limit(currency="CNY", per_act=100, total=250)


@pytest.fixture
def chain() -> Chain:
    """A firm with two clerks, a rival with a citizen and her parent, a court."""
    grants = [{"application": APP, "role": "court", "holder": COURT.did, "scope": "-"}]
    made = build_chain(
        FIRM,
        RIVAL,
        COURT,
        parts={
            "permissions": {"grants": grants},
            "governance": {"weights": {FIRM.did: 1, RIVAL.did: 1}},
        },
        contracts=(desk.contract,),
    )
    for actor in (CLERK, STAND_IN):
        made.send(FIRM, "accounts", build_open_account(actor, FIRM))
    for actor in (CITIZEN, PARENT):
        made.send(RIVAL, "accounts", build_open_account(actor, RIVAL, kind="citizen"))
    return made


def build_give(principal: Actor = FIRM, delegate: Actor = CLERK, **changes: Any) -> GiveMandate:
    given = GiveMandate(
        principal=principal.did, delegate=delegate.did, scope=PAYING, purpose="cash"
    )
    return replace(given, **changes)


def send(chain: Chain, message: Message, *actors: Actor) -> MessageResult:
    result = chain.send(list(actors), APP, message)
    assert find_violations(chain.state, APP) == []
    return result


def list_mandates(chain: Chain) -> list[Mandate]:
    return scan_records(chain.state, APP, Mandate, limit=1_000)


def give(chain: Chain, sender: Actor = FIRM, **changes: Any) -> str:
    """Give a mandate; its id."""
    before = {each.id for each in list_mandates(chain)}
    result = send(chain, build_give(**changes), sender)
    assert result.code == OK, (result.code, result.params)
    return next(each.id for each in list_mandates(chain) if each.id not in before)


def get(chain: Chain, mandate: str) -> Mandate:
    found = chain.get(APP, Mandate, mandate)
    assert found is not None
    return found


def build_use(mandate: str, amount: int = 0, **changes: Any) -> UseMandate:
    use = UseMandate(
        mandate=mandate,
        application="desk",
        type="Pay",
        amount=amount,
        currency="CNY" if amount else "",
    )
    return replace(use, **changes)


def pay(
    chain: Chain,
    mandate: str,
    amount: int = 0,
    sender: Actor = CLERK,
    principal: Actor = FIRM,
    **changes: Any,
) -> TransactionResult:
    """Use the mandate and pay, in one atomic transaction."""
    use = build_use(mandate, amount, **changes)
    act = Pay(payer=principal.did, amount=amount, currency="CNY" if amount else "")
    data = chain.sign(sender, [(APP, use), ("desk", act)], mode="atomic")
    result = chain.block([data]).results[0]
    assert find_violations(chain.state, APP) == []
    return result


def code_of(result: TransactionResult) -> str:
    """Why an atomic transaction failed, or ok."""
    codes = [each.code for each in result.messages]
    return next((code for code in codes if code not in (OK, "ledger.atomic")), OK)


# M1


@pytest.mark.parametrize(
    ("sender", "principal", "code"),
    [
        (FIRM, FIRM, OK),
        (CITIZEN, CITIZEN, OK),
        (STAND_IN, FIRM, "mandates.not_the_principal"),
        (RIVAL, FIRM, "mandates.not_the_principal"),
        (RIVAL, CITIZEN, "mandates.not_the_principal"),
        (CITIZEN, RIVAL, "mandates.not_the_principal"),
        (COURT, CITIZEN, "mandates.not_the_principal"),
    ],
)
def test_only_the_principal_gives(chain: Chain, sender: Actor, principal: Actor, code: str) -> None:
    assert send(chain, build_give(principal), sender).code == code


def test_an_account_with_the_role_signatory_gives_for_its_member(chain: Chain) -> None:
    message = build_give(FIRM, CITIZEN)
    assert send(chain, message, CLERK).code == "mandates.not_the_principal"
    role = GrantRole(application=APP, role="signatory", holder=CLERK.did)
    assert chain.send(FIRM, "permissions", role).code == OK
    assert send(chain, message, CLERK).code == OK


def build_on_behalf(**changes: Any) -> GiveOnBehalf:
    message = GiveOnBehalf(
        principal=CITIZEN.did,
        delegate=PARENT.did,
        scope=PAYING,
        purpose="care",
        basis="guardian",
        depth=1,
    )
    return replace(message, **changes)


def test_a_court_gives_on_behalf_and_the_ward_cannot_withdraw(chain: Chain) -> None:
    assert send(chain, build_on_behalf(), PARENT).code == "mandates.not_allowed_on_behalf"
    assert send(chain, build_on_behalf(), COURT).code == OK
    mandate = list_mandates(chain)[0]
    assert (mandate.office, mandate.basis, mandate.giver) == ("court", "guardian", COURT.did)
    assert code_of(pay(chain, mandate.id, sender=PARENT, principal=CITIZEN)) == OK
    lawyer = build_give(CITIZEN, CLERK, parent=mandate.id, purpose="care")
    assert send(chain, lawyer, PARENT).code == OK
    below = next(each for each in list_mandates(chain) if each.parent)
    for each in (mandate, below):
        withdraw = WithdrawMandate(mandate=each.id, reason="mine")
        assert send(chain, withdraw, CITIZEN).code == "mandates.not_yours"
    end = WithdrawMandate(mandate=mandate.id, reason="of_age")
    assert send(chain, end, COURT).code == OK
    assert code_of(pay(chain, below.id, principal=CITIZEN)) == "mandates.not_live"


# M2


def test_what_is_given_on_stays_within(chain: Chain) -> None:
    end = chain.time_ms + 10 * DAY_MS
    parent = give(chain, limit=YUAN, until_ms=end, depth=2)
    child = build_give(FIRM, STAND_IN, parent=parent, limit=YUAN, until_ms=end, depth=1)
    more: dict[str, dict[str, Any]] = {
        "parties": {"principal": RIVAL.did},
        "purpose": {"purpose": "other"},
        "scope": {"scope": (ActScope("desk"),)},
        "levels": {"depth": 2},
        "times": {"until_ms": None},
        "limits": {"limit": None},
    }
    for what, changes in more.items():
        refused = send(chain, replace(child, **changes), CLERK)
        assert (refused.code, refused.params["what"]) == ("mandates.beyond_parent", what)
    for limit in (
        Limit(currency="HKD", per_act=1, total=1),
        Limit(currency="CNY", per_act=None, total=250),
        Limit(currency="CNY", per_act=100, total=251),
    ):
        refused = send(chain, replace(child, limit=limit), CLERK)
        assert refused.params["what"] == "limits"
    late = replace(child, until_ms=end + 1)
    assert send(chain, late, CLERK).params["what"] == "times"
    assert send(chain, child, STAND_IN).code == "mandates.not_the_delegate"
    assert send(chain, child, FIRM).code == "mandates.not_the_delegate"
    assert send(chain, child, CLERK).code == OK


def test_a_mandate_without_depth_is_not_given_on(chain: Chain) -> None:
    parent = give(chain)
    child = build_give(FIRM, STAND_IN, parent=parent)
    assert send(chain, child, CLERK).code == "mandates.no_depth_left"
    missing = build_give(FIRM, STAND_IN, parent="nothing")
    assert send(chain, missing, CLERK).code == "mandates.no_such_mandate"


def test_a_dead_mandate_is_not_given_on(chain: Chain) -> None:
    parent = give(chain, depth=1)
    send(chain, WithdrawMandate(mandate=parent, reason="left"), FIRM)
    child = build_give(FIRM, STAND_IN, parent=parent)
    assert send(chain, child, CLERK).code == "mandates.not_live"


# M3


def test_one_act_and_the_sum_are_limited(chain: Chain) -> None:
    mandate = give(chain, limit=YUAN)
    refused = pay(chain, mandate, 101)
    assert code_of(refused) == "mandates.over_limit"
    assert refused.messages[0].params == {"amount": 101, "left": 100, "mandate": mandate}
    for _ in range(2):
        assert code_of(pay(chain, mandate, 100)) == OK
    assert code_of(pay(chain, mandate, 51)) == "mandates.over_limit"
    assert code_of(pay(chain, mandate, 50)) == OK
    assert code_of(pay(chain, mandate, 1)) == "mandates.over_limit"
    assert code_of(pay(chain, mandate, 0)) == OK
    assert (get(chain, mandate).used, get(chain, mandate).uses) == (250, 4)


def test_the_sum_of_all_below_is_limited(chain: Chain) -> None:
    """Two stand-ins with the whole limit each cannot spend it twice."""
    parent = give(chain, limit=YUAN, depth=1)
    below = [
        give(chain, CLERK, delegate=actor, parent=parent, limit=YUAN)
        for actor in (STAND_IN, CITIZEN)
    ]
    assert code_of(pay(chain, below[0], 100, STAND_IN)) == OK
    assert code_of(pay(chain, below[1], 100, CITIZEN)) == OK
    refused = pay(chain, below[1], 100, CITIZEN)
    assert code_of(refused) == "mandates.over_limit"
    assert refused.messages[0].params["mandate"] == parent
    assert code_of(pay(chain, parent, 50)) == OK
    assert [get(chain, each).used for each in (parent, *below)] == [250, 100, 100]


def test_the_currency_is_that_of_the_limit(chain: Chain) -> None:
    mandate = give(chain, limit=YUAN)
    assert code_of(pay(chain, mandate, 1, currency="HKD")) == "mandates.wrong_currency"
    assert code_of(pay(chain, mandate, 1, currency="")) == "mandates.wrong_currency"


# M4


@pytest.mark.parametrize(("sender", "state"), [(FIRM, "withdrawn"), (CLERK, "given_back")])
def test_a_withdrawn_mandate_is_never_used(chain: Chain, sender: Actor, state: str) -> None:
    mandate = give(chain)
    assert code_of(pay(chain, mandate)) == OK
    withdraw = WithdrawMandate(mandate=mandate, reason="left")
    assert send(chain, withdraw, STAND_IN).code == "mandates.not_yours"
    assert send(chain, withdraw, sender).code == OK
    assert (get(chain, mandate).state, get(chain, mandate).ended_ms) == (state, chain.time_ms)
    assert code_of(pay(chain, mandate)) == "mandates.not_live"
    assert send(chain, withdraw, sender).code == "mandates.already_ended"


def test_withdrawal_counts_at_once_within_the_block(chain: Chain) -> None:
    parent = give(chain, depth=1)
    child = give(chain, CLERK, delegate=STAND_IN, parent=parent)
    act = Pay(payer=FIRM.did, amount=0, currency="")

    def sign(mandate: str, sender: Actor) -> bytes:
        return chain.sign(sender, [(APP, build_use(mandate)), ("desk", act)], mode="atomic")

    withdraw = chain.sign(FIRM, [(APP, WithdrawMandate(mandate=parent, reason="left"))])
    block = chain.block(
        [
            sign(parent, CLERK),
            sign(child, STAND_IN),
            withdraw,
            sign(parent, CLERK),
            sign(child, STAND_IN),
        ]
    )
    assert [code_of(each) for each in block.results] == [
        OK,
        OK,
        OK,
        "mandates.not_live",
        "mandates.not_live",
    ]
    assert find_violations(chain.state, APP) == []


def test_the_giver_withdraws_what_it_gave_on_and_governance_any(chain: Chain) -> None:
    parent = give(chain, depth=1)
    child = give(chain, CLERK, delegate=STAND_IN, parent=parent)
    assert send(chain, WithdrawMandate(mandate=child, reason="left"), CLERK).code == OK
    end = WithdrawMandate(mandate=parent, reason="abuse")
    assert govern(chain, (FIRM, RIVAL), (APP, end)).state == "EXECUTED"
    assert get(chain, parent).state == "withdrawn"


def test_a_mandate_holds_from_its_beginning_to_its_end(chain: Chain) -> None:
    start = chain.time_ms + DAY_MS
    mandate = give(chain, since_ms=start, until_ms=start + DAY_MS)
    assert pay(chain, mandate).messages[0].params["why"] == "not_begun"
    chain.advance(DAY_MS)
    assert code_of(pay(chain, mandate)) == OK
    chain.advance(DAY_MS)
    assert pay(chain, mandate).messages[0].params["why"] == "expired"


# M5


def test_a_use_covers_exactly_the_next_message(chain: Chain) -> None:
    mandate = give(chain)
    use, act = build_use(mandate), Pay(payer=FIRM.did, amount=0, currency="")

    def run(*messages: tuple[str, Message], mode: str = "atomic") -> list[str]:
        data = chain.sign(CLERK, messages, mode=mode)
        return [each.code for each in chain.block([data]).results[0].messages]

    refused, fell = "desk.not_the_payer", "ledger.other_message_rejected"
    assert run(("desk", act)) == [refused]
    assert run((APP, use), ("desk", act)) == [OK, OK]
    assert run((APP, use), ("desk", act), ("desk", act)) == [fell, fell, refused]
    dear = build_use(mandate, 5)
    assert run((APP, dear), ("desk", act)) == [fell, refused]
    assert run((APP, use), ("desk", replace(act, amount=5, currency="CNY"))) == [fell, refused]
    assert run((APP, use), ("desk", replace(act, payer=RIVAL.did))) == [fell, refused]
    data = chain.sign([CLERK, STAND_IN], [(APP, use, 0), ("desk", act, 1)], mode="atomic")
    assert [each.code for each in chain.block([data]).results[0].messages] == [fell, refused]
    assert [each.by for each in scan_records(chain.state, APP, Use, limit=100)] == [CLERK.did]


def test_a_use_is_counted_only_with_its_act(chain: Chain) -> None:
    mandate = give(chain, limit=YUAN)
    use, act = build_use(mandate, 60), Pay(payer=RIVAL.did, amount=60, currency="CNY")
    alone = "mandates.nothing_covered"

    def run(*messages: tuple[str, Message], mode: str) -> list[str]:
        data = chain.sign(CLERK, messages, mode=mode)
        return [each.code for each in chain.block([data]).results[0].messages]

    assert run((APP, use), ("desk", act), mode="independent") == [alone, "desk.not_the_payer"]
    assert run((APP, use), mode="atomic") == [alone]
    assert run(("desk", replace(act, payer=CLERK.did)), (APP, use), mode="atomic")[1] == alone
    assert (get(chain, mandate).used, get(chain, mandate).uses) == (0, 0)


def test_a_mandate_is_used_by_its_delegate_for_what_it_names(chain: Chain) -> None:
    mandate = give(chain)
    assert code_of(pay(chain, mandate, sender=STAND_IN)) == "mandates.not_the_delegate"
    assert code_of(pay(chain, mandate, type="Refund")) == "mandates.out_of_scope"
    assert code_of(pay(chain, mandate, application="land")) == "mandates.out_of_scope"
    assert code_of(pay(chain, "nothing")) == "mandates.no_such_mandate"


def test_a_members_agent_uses_a_mandate_to_the_member(chain: Chain) -> None:
    mandate = give(chain, RIVAL, principal=RIVAL, delegate=FIRM)
    assert code_of(pay(chain, mandate, sender=CLERK, principal=RIVAL)) == (
        "mandates.not_the_delegate"
    )
    role = GrantRole(application=APP, role="agent", holder=CLERK.did)
    assert chain.send(FIRM, "permissions", role).code == OK
    assert code_of(pay(chain, mandate, sender=CLERK, principal=RIVAL)) == OK


def test_the_view_finds_who_could_act(chain: Chain) -> None:
    mandate = give(chain, limit=YUAN)
    asked = ("Pay", "CNY")

    def ask(amount: int, delegate: Actor = CLERK) -> str:
        message = desk.Ask(
            principal=FIRM.did,
            delegate=delegate.did,
            type=asked[0],
            amount=amount,
            currency=asked[1],
        )
        assert chain.send(RIVAL, "desk", message).code == OK
        found = chain.get("desk", desk.Answer, "last")
        assert found is not None
        return found.text

    assert ask(100) == mandate
    assert ask(101) == ""
    assert ask(1, STAND_IN) == ""
    send(chain, WithdrawMandate(mandate=mandate, reason="left"), FIRM)
    assert ask(1) == ""


# M6


def test_parties_are_known_and_differ(chain: Chain) -> None:
    stranger = Actor("stranger")
    assert send(chain, build_give(FIRM, stranger), FIRM).code == "mandates.unknown_party"
    assert send(chain, build_give(FIRM, FIRM), FIRM).code == "mandates.same_party"


def test_nobody_acts_through_one_who_is_suspended(chain: Chain) -> None:
    parent = give(chain, depth=1)
    child = give(chain, CLERK, delegate=CITIZEN, parent=parent)
    assert code_of(pay(chain, child, sender=CITIZEN)) == OK
    suspend = SuspendAccount(account=CLERK.did, reason="leave")
    assert chain.send(FIRM, "accounts", suspend).code == OK
    assert code_of(pay(chain, child, sender=CITIZEN)) == "mandates.not_in_good_standing"
    assert send(chain, build_give(FIRM, CLERK), FIRM).code == "mandates.not_in_good_standing"


# M7


def test_nothing_is_backdated_or_empty(chain: Chain) -> None:
    now = chain.time_ms
    cases: tuple[dict[str, Any], ...] = (
        {"since_ms": now},
        {"until_ms": now},
        {"since_ms": now + DAY_MS, "until_ms": now + DAY_MS},
    )
    for times in cases:
        assert send(chain, build_give(**times), FIRM).code == "mandates.wrong_times"


@pytest.mark.parametrize(
    "scope",
    [
        (ActScope("nowhere"),),
        (ActScope("desk", ("Fly",)),),
        (ActScope("desk"), ActScope("desk", ("Pay",))),
    ],
)
def test_a_scope_names_what_there_is(chain: Chain, scope: tuple[ActScope, ...]) -> None:
    assert send(chain, build_give(scope=scope), FIRM).code == "mandates.wrong_scope"


def test_few_mandates_are_live_from_one_to_one(chain: Chain) -> None:
    for _ in range(PAIR_MAX - 1):
        give(chain)
    give(chain, until_ms=chain.time_ms + DAY_MS)
    assert send(chain, build_give(), FIRM).code == "mandates.too_many_mandates"
    assert send(chain, build_give(FIRM, STAND_IN), FIRM).code == OK
    chain.advance(DAY_MS)
    assert send(chain, build_give(), FIRM).code == OK
    found = scan_records(chain.state, APP, Appointment, (FIRM.did, CLERK.did), limit=100)
    assert len(found) == PAIR_MAX

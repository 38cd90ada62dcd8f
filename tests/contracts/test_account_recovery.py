"""Recovery of an account by its agents: rule A11."""

import pytest
from msgspec.structs import replace

from hansa.contracts.accounts.did_model import (
    ApproveRecovery,
    CommitNextKey,
    SetAgreementKey,
    SetRecovery,
    VetoRecovery,
)
from hansa.contracts.accounts.keys import compute_key_digest
from hansa.contracts.accounts.model import (
    CloseAccount,
    SuspendAccount,
)
from hansa.contracts.accounts.profile import DidProfile, Recovery, RecoveryPlan
from hansa.contracts.accounts.recoveries import DELAY_MS_DEFAULT, WINDOW_MS_DEFAULT
from hansa.contracts.governance.model import FreezeTarget, SetParameter
from hansa.encoding.text import encode_base64url
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK
from hansa.ledger.state import scan_records
from hansa.ledger.system import find_key
from hansa.testing.chain import Actor, Chain, make_key
from tests.contracts.league import (
    build_add_key,
    build_chain,
    build_open_account,
    find_violations,
    get_account,
    govern,
    possess,
)

ALMA, BRUNO = Actor("alma"), Actor("bruno")
OWNER = Actor("owner")
AGENTS = tuple(sorted((Actor("ada"), Actor("ben"), Actor("cora")), key=lambda each: each.did))
ADA, BEN, CORA = AGENTS


@pytest.fixture
def chain() -> Chain:
    """An account with three agents of whom two suffice."""
    made = build_chain(ALMA, BRUNO)
    send(made, ALMA, build_open_account(OWNER, ALMA, kind="citizen"))
    for agent in AGENTS:
        send(made, BRUNO, build_open_account(agent, BRUNO))
    assert send(made, OWNER, plan(*AGENTS)) == OK
    return made


def send(chain: Chain, actor: Actor, message: Message) -> str:
    return chain.send(actor, "accounts", message).code


def plan(*agents: Actor, threshold: int = 2) -> SetRecovery:
    dids = tuple(sorted(each.did for each in agents))
    return SetRecovery(account=OWNER.did, agents=dids, threshold=threshold)


def approve(name: str = "new", key_id: str = "r1") -> ApproveRecovery:
    key = make_key(name)
    return ApproveRecovery(
        account=OWNER.did,
        key_id=key_id,
        key=key.public,
        possession=possess(key, ALMA.did, account=OWNER.did, key_id=key_id),
    )


def list_waiting(chain: Chain) -> list[Recovery]:
    return scan_records(chain.state, "accounts", Recovery, limit=100)


def list_live(chain: Chain) -> list[str]:
    account = get_account(chain, OWNER.did)
    return [key.id for key in account.keys if find_key(account, key.id, chain.height + 1)]


def wait(chain: Chain, ms: int) -> list[str]:
    """Let time pass; the codes of the deadlines that fired."""
    return [each.code for each in chain.advance(ms).deadlines]


def agree(chain: Chain, name: str = "new") -> None:
    assert send(chain, ADA, approve(name)) == OK
    assert send(chain, BEN, approve(name)) == OK


def test_enough_agents_give_a_new_key_after_the_delay_and_all_old_keys_end(chain: Chain) -> None:
    assert (
        send(chain, OWNER, build_add_key(OWNER.did, ALMA.did, "seal", purposes=("assert",))) == OK
    )
    box = encode_base64url(b"\x09" + bytes(31))
    sealing = SetAgreementKey(account=OWNER.did, id="box", alg="X25519", public=box)
    assert send(chain, OWNER, sealing) == OK
    agree(chain)
    (waiting,) = list_waiting(chain)
    assert (waiting.state, waiting.due_ms) == ("agreed", chain.time_ms + DELAY_MS_DEFAULT)
    assert wait(chain, DELAY_MS_DEFAULT - 1) == []
    assert list_live(chain) == ["k1", "k2"]
    assert wait(chain, 1) == [OK]
    assert list_live(chain) == ["r1"]
    assert list_waiting(chain) == []
    assert send(chain, OWNER, VetoRecovery(account=OWNER.did)) == "ledger.unknown_signer"
    profile = chain.get("accounts", DidProfile, OWNER.did)
    assert profile is not None and (profile.version, profile.agreements) == (4, ())
    assert find_violations(chain.state) == []


def test_too_few_agents_lapse_with_the_time_they_had(chain: Chain) -> None:
    assert send(chain, ADA, approve()) == OK
    assert [each.state for each in list_waiting(chain)] == ["open"]
    assert wait(chain, WINDOW_MS_DEFAULT) == [OK]
    assert list_waiting(chain) == []
    assert send(chain, BEN, approve()) == OK
    assert [len(each.approvals) for each in list_waiting(chain)] == [1]


def test_a_live_key_of_the_account_vetoes(chain: Chain) -> None:
    agree(chain)
    assert send(chain, ALMA, VetoRecovery(account=OWNER.did)) == "accounts.only_itself"
    assert send(chain, OWNER, VetoRecovery(account=OWNER.did)) == OK
    assert send(chain, OWNER, VetoRecovery(account=OWNER.did)) == "accounts.no_recovery"
    assert wait(chain, DELAY_MS_DEFAULT) == []
    assert list_live(chain) == ["k1"]


def test_only_agents_approve_and_each_once(chain: Chain) -> None:
    assert send(chain, BRUNO, approve()) == "accounts.not_an_agent"
    assert send(chain, OWNER, approve()) == "accounts.not_an_agent"
    assert send(chain, ADA, approve()) == OK
    assert send(chain, ADA, approve()) == "accounts.already_approved"


def test_an_agent_stands_behind_one_key_at_a_time(chain: Chain) -> None:
    assert send(chain, ADA, approve("mallory's")) == OK
    assert send(chain, BEN, approve("new")) == OK
    assert send(chain, ADA, approve("new")) == OK
    (waiting,) = list_waiting(chain)
    assert (waiting.state, len(waiting.approvals)) == ("agreed", 2)
    assert send(chain, ADA, approve("mallory's")) == "accounts.already_approved"
    assert find_violations(chain.state) == []


def test_a_false_agent_cannot_keep_the_others_from_agreeing(chain: Chain) -> None:
    assert send(chain, CORA, approve("mallory's")) == OK
    agree(chain)
    assert wait(chain, DELAY_MS_DEFAULT) == [OK]
    assert list_live(chain) == ["r1"]
    assert get_account(chain, OWNER.did).keys[-1].public == make_key("new").public
    assert list_waiting(chain) == []


def test_the_first_key_that_is_agreed_wins(chain: Chain) -> None:
    assert send(chain, OWNER, plan(*AGENTS, threshold=1)) == OK
    assert send(chain, ADA, approve("first")) == OK
    chain.advance(1_000)
    assert send(chain, BEN, approve("second", "r2")) == OK
    assert wait(chain, DELAY_MS_DEFAULT) == [OK, OK]
    assert list_live(chain) == ["r1"]
    assert list_waiting(chain) == []


def test_a_recovery_sets_the_promise_about_the_next_key_aside(chain: Chain) -> None:
    lost = CommitNextKey(account=OWNER.did, next_key=compute_key_digest(make_key("lost").public))
    assert send(chain, OWNER, lost) == OK
    agree(chain)
    assert wait(chain, DELAY_MS_DEFAULT) == [OK]
    assert list_live(chain) == ["r1"]
    profile = chain.get("accounts", DidProfile, OWNER.did)
    assert profile is not None and profile.next_key == ""


def test_who_cannot_veto_is_not_recovered(chain: Chain) -> None:
    agree(chain)
    assert send(chain, ALMA, SuspendAccount(account=OWNER.did, reason="leave")) == OK
    assert wait(chain, DELAY_MS_DEFAULT) == [OK]
    assert list_live(chain) == ["k1"]
    assert list_waiting(chain) == []


def test_a_frozen_account_is_not_recovered(chain: Chain) -> None:
    agree(chain)
    frozen = FreezeTarget(target=f"account:{OWNER.did}", reason="court")
    assert govern(chain, (ALMA, BRUNO), ("governance", frozen)).state == "EXECUTED"
    assert wait(chain, DELAY_MS_DEFAULT) == [OK]
    assert list_live(chain) == ["k1"]


def test_a_key_that_entered_meanwhile_is_not_put_in_again(chain: Chain) -> None:
    agree(chain)
    assert send(chain, OWNER, build_add_key(OWNER.did, ALMA.did, "new", "found")) == OK
    assert wait(chain, DELAY_MS_DEFAULT) == [OK]
    assert list_live(chain) == ["k1", "found"]


def test_closing_and_a_new_plan_end_what_waits(chain: Chain) -> None:
    agree(chain)
    assert send(chain, OWNER, plan()) == "accounts.wrong_plan"
    assert send(chain, OWNER, plan(threshold=0)) == OK
    assert list_waiting(chain) == []
    assert chain.get("accounts", RecoveryPlan, OWNER.did) is None
    assert send(chain, ADA, approve()) == "accounts.not_an_agent"
    assert send(chain, OWNER, plan(*AGENTS)) == OK
    agree(chain)
    assert send(chain, ALMA, CloseAccount(account=OWNER.did, reason="moved")) == OK
    assert list_waiting(chain) == []
    assert wait(chain, DELAY_MS_DEFAULT) == []
    assert find_violations(chain.state) == []


def test_invalid_plans(chain: Chain) -> None:
    given = plan(*AGENTS)
    assert send(chain, ALMA, given) == "accounts.only_itself"
    for wrong in (
        plan(*AGENTS, threshold=4),
        plan(*AGENTS, threshold=0),
        plan(ADA, OWNER),
        plan(ADA, Actor("nobody")),
        replace(given, agents=given.agents[::-1]),
        replace(given, agents=(ADA.did, ADA.did)),
    ):
        assert send(chain, OWNER, wrong) == "accounts.wrong_plan"
    assert send(chain, BRUNO, CloseAccount(account=ADA.did, reason="left")) == OK
    assert send(chain, OWNER, given) == "accounts.wrong_plan"


def test_invalid_keys_are_not_approved(chain: Chain) -> None:
    assert send(chain, ADA, approve("owner")) == "accounts.key_used_before"
    assert send(chain, ADA, approve(key_id="k1")) == "accounts.key_used_before"
    forged = replace(approve(), possession=approve("other").possession)
    assert send(chain, ADA, forged) == "accounts.wrong_possession"


def test_the_league_sets_the_times(chain: Chain) -> None:
    changes = tuple(
        ("governance", SetParameter(application="accounts", name=name, value=60_000))
        for name in ("recovery_window_ms", "recovery_delay_ms")
    )
    assert govern(chain, (ALMA, BRUNO), *changes).state == "EXECUTED"
    assert send(chain, ADA, approve()) == OK
    assert wait(chain, 60_000) == [OK]
    assert list_waiting(chain) == []
    agree(chain)
    assert wait(chain, 60_000) == [OK]
    assert list_live(chain) == ["r1"]

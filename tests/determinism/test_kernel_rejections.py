"""The kernel's own refusals in blocks of a real league, recorded for the replays too."""

from hansa.apps.e_invoice.model.messages import DeliverInvoice
from hansa.contracts.accounts.model import RevokeKey
from hansa.contracts.schemas.model import PublishStandard
from hansa.ledger.receipts import OK
from hansa.testing.chain import Actor, Chain
from hansa.testing.league import League
from tests.contracts.league import build_propose

APP = "e_invoice"
MESSAGE = (APP, DeliverInvoice(invoice="none"))


def get_code(chain: Chain, data: bytes) -> str:
    return chain.block([data]).results[0].messages[0].code


def test_kernel_refusals_stand_in_blocks() -> None:
    league = League("ada", "bea")
    chain, ada = league.chain, league.actors["ada"]
    chain.block()
    chain.block()
    stranger = Actor("stranger")
    other = League("ada").chain
    other.chain = "other-1"
    cases = {
        "ledger.expired": chain.sign(ada, [MESSAGE], expiry=1),
        "ledger.expiry_too_far": chain.sign(ada, [MESSAGE], expiry=20_000),
        "ledger.wrong_chain": other.sign(ada, [MESSAGE]),
        "ledger.wrong_signature": chain.sign(ada, [MESSAGE], keys=[stranger.key]),
        "ledger.unknown_signer": chain.sign(stranger, [MESSAGE]),
        "ledger.malformed": b"not a transaction",
    }
    for code, data in cases.items():
        assert get_code(chain, data) == code
    data = chain.sign(ada, [MESSAGE])
    assert get_code(chain, data) != "ledger.already_seen"
    assert get_code(chain, data) == "ledger.already_seen"


def test_atomic_messages_fall_together_in_a_real_league() -> None:
    league = League("ada")
    revoke = RevokeKey(account=league.did("ada"), key_id="k1", reason="lost")
    data = league.chain.sign(league.actors["ada"], [MESSAGE, ("accounts", revoke)], mode="atomic")
    codes = [message.code for message in league.chain.block([data]).results[0].messages]
    assert "ledger.other_message_rejected" in codes
    assert OK not in codes


def test_a_record_beyond_its_limit_stands_in_a_block() -> None:
    league = League("ada")
    actions = [
        ("schemas", PublishStandard(name=name, version="1.0.0", document="x" * 60_000))
        for name in ("a", "b", "c")
    ]
    data = league.chain.sign(league.actors["ada"], [("governance", build_propose(*actions))])
    assert get_code(league.chain, data) == "ledger.too_large"

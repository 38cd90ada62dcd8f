"""A mandate for evidence: the contracts of the catalog alone, so that its blocks can be kept."""

from hansa.contracts.evidence.model import CreateEvidence
from hansa.contracts.mandates.model import (
    ActScope,
    GiveMandate,
    Mandate,
    UseMandate,
    WithdrawMandate,
)
from hansa.encoding.text import encode_base64url
from hansa.ledger.receipts import OK
from hansa.ledger.state import scan_records
from hansa.testing.chain import Actor
from tests.contracts.league import build_chain, build_open_account

FIRM, CLERK = Actor("firm"), Actor("clerk")


def test_a_clerk_puts_evidence_on_record_under_a_mandate_until_it_is_withdrawn() -> None:
    chain = build_chain(FIRM, parts={"governance": {"weights": {FIRM.did: 1}}})
    assert chain.send(FIRM, "accounts", build_open_account(CLERK, FIRM)).code == OK
    scope = (ActScope("evidence", ("CreateEvidence",)),)
    give = GiveMandate(principal=FIRM.did, delegate=CLERK.did, scope=scope, purpose="deeds")
    assert chain.send(FIRM, "mandates", give).code == OK
    (mandate,) = scan_records(chain.state, "mandates", Mandate, limit=9)

    def act(name: str) -> list[str]:
        value = encode_base64url(bytes(32))
        use = UseMandate(mandate=mandate.id, application="evidence", type="CreateEvidence")
        made = CreateEvidence(id=name, form="commitment", value=value)
        data = chain.sign(CLERK, [("mandates", use), ("evidence", made)], mode="atomic")
        return [each.code for each in chain.block([data]).results[0].messages]

    assert act("deed-1") == [OK, OK]
    withdraw = WithdrawMandate(mandate=mandate.id, reason="ended")
    assert chain.send(FIRM, "mandates", withdraw).code == OK
    assert act("deed-2") == ["mandates.not_live", "ledger.other_message_rejected"]

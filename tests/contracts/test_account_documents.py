"""What an account's DID stands for in time, from its records alone."""

from msgspec.structs import replace

from hansa.contracts.accounts.document import resolved_of_records
from hansa.contracts.accounts.model import CloseAccount, RetiredKey, RevokeKey
from hansa.contracts.accounts.profile import AgreementKey, DidProfile
from hansa.ledger.receipts import OK
from hansa.testing.chain import Actor, Chain
from tests.contracts.league import (
    build_add_key,
    build_chain,
    build_open_account,
    build_replace_key,
    get_account,
)

ALMA, STAFF = Actor("alma"), Actor("staff")


def open_chain() -> Chain:
    chain = build_chain(ALMA)
    assert chain.send(ALMA, "accounts", build_open_account(STAFF, ALMA)).code == OK
    return chain


def test_a_replaced_key_counts_until_the_block_time_of_its_replacement() -> None:
    chain = open_chain()
    opened_ms = chain.time_ms
    replacing = build_replace_key(STAFF.did, ALMA.did, "new")
    assert chain.send(STAFF, "accounts", replacing).code == OK
    resolved = resolved_of_records(get_account(chain, STAFF.did), height=chain.height)
    old, new = resolved.methods
    assert (old.since_ms, old.until_ms) == (opened_ms, chain.time_ms)
    assert (new.since_ms, new.until_ms) == (chain.time_ms, None)
    assert old.relationships == ("assertionMethod", "authentication", "capabilityInvocation")


def test_a_key_that_asserts_is_an_assertion_method_and_nothing_more() -> None:
    chain = open_chain()
    adding = build_add_key(STAFF.did, ALMA.did, "seal", "seal", purposes=("assert",))
    assert chain.send(STAFF, "accounts", adding).code == OK
    resolved = resolved_of_records(get_account(chain, STAFF.did), height=chain.height)
    found = resolved.find_method(f"{STAFF.did}#seal")
    assert found is not None
    assert found.relationships == ("assertionMethod",)


def test_a_closed_account_is_deactivated_from_the_block_time_of_its_closing() -> None:
    chain = open_chain()
    adding = build_add_key(STAFF.did, ALMA.did, "second")
    assert chain.send(STAFF, "accounts", adding).code == OK
    revoking = RevokeKey(account=STAFF.did, key_id="k1", reason="lost")
    assert chain.send(ALMA, "accounts", revoking).code == OK
    closing = CloseAccount(account=STAFF.did, reason="left")
    assert chain.send(ALMA, "accounts", closing).code == OK
    resolved = resolved_of_records(get_account(chain, STAFF.did), height=chain.height)
    assert resolved.deactivated_ms == chain.time_ms
    assert [each.until_ms is None for each in resolved.methods] == [False, False]


def test_a_key_that_ended_as_planned_counts_for_nothing_when_its_time_is_unknown() -> None:
    chain = open_chain()
    adding = build_add_key(
        STAFF.did, ALMA.did, "door", "door", purposes=("authenticate",), until=chain.height + 5
    )
    assert chain.send(STAFF, "accounts", adding).code == OK
    account = get_account(chain, STAFF.did)
    url = f"{STAFF.did}#door"
    now = resolved_of_records(account, height=chain.height).find_method(url)
    later = resolved_of_records(account, height=chain.height + 5).find_method(url)
    assert now is not None and now.is_live(chain.time_ms)
    assert later is not None and not later.is_live(chain.time_ms)


def test_filed_keys_and_agreement_keys_belong_to_their_account_only() -> None:
    account = get_account(open_chain(), STAFF.did)
    key = replace(account.keys[0], id="k0", until=3, until_ms=7)
    own = RetiredKey(account=STAFF.did, mark="k0", retired=key)
    other = RetiredKey(account=ALMA.did, mark="k9", retired=replace(key, id="k9"))
    profile = DidProfile(
        account=STAFF.did,
        version=2,
        since=4,
        since_ms=9,
        agreements=(AgreementKey(id="box", alg="X25519", public="A" * 43, since_ms=9),),
    )
    resolved = resolved_of_records(account, profile, (own, other), height=9)
    names = [each.id.partition("#")[2] for each in resolved.methods]
    assert names == ["k0", "k1", "agree.box"]
    strange = resolved_of_records(account, replace(profile, account=ALMA.did), height=9)
    assert len(strange.methods) == 1

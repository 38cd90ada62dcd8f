"""Which keys open a session: those that sign or authenticate, never one that only asserts."""

from types import SimpleNamespace
from typing import Any

import pytest

from hansa.api.problems import Refusal
from hansa.api.sessions import Sessions
from hansa.client.sessions import sign_session_statement
from hansa.ledger.receipts import OK
from hansa.ledger.system import Purpose
from hansa.testing.chain import CHAIN, Actor, Chain, make_key
from tests.contracts.league import build_add_key, build_chain, build_open_account

ALMA, STAFF = Actor("alma"), Actor("staff")


def sign_in(chain: Chain, key_id: str, name: str) -> str:
    ledger: Any = SimpleNamespace(chain=CHAIN, state=chain.state, height=chain.height)
    sessions = Sessions(ledger, ())
    challenge, _end = sessions.challenge(STAFF.did)
    statement = sign_session_statement(
        account=STAFF.did,
        chain=CHAIN,
        challenge=challenge,
        kid=f"{STAFF.did}#{key_id}",
        key=make_key(name),
    )
    _token, session = sessions.open(statement)
    return session.account


@pytest.mark.parametrize(
    ("purposes", "may"),
    [
        (("sign",), True),
        (("authenticate",), True),
        (("assert", "authenticate"), True),
        (("assert",), False),
    ],
)
def test_a_key_that_only_asserts_opens_no_session(purposes: tuple[Purpose, ...], may: bool) -> None:
    chain = build_chain(ALMA)
    assert chain.send(ALMA, "accounts", build_open_account(STAFF, ALMA)).code == OK
    adding = build_add_key(STAFF.did, ALMA.did, "seal", "seal", purposes=purposes)
    assert chain.send(STAFF, "accounts", adding).code == OK
    # a key is valid from the next height on
    chain.advance(1_000)
    if may:
        assert sign_in(chain, "seal", "seal") == STAFF.did
    else:
        with pytest.raises(Refusal) as refused:
            sign_in(chain, "seal", "seal")
        assert refused.value.code == "api.sign_in_refused"

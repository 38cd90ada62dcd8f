"""Status lists say what the ledger says, in both forms, signed or not at all."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from hansa.api.problems import Refusal
from hansa.api.status_lists import Asked, StatusLists, pack_list, write_list
from hansa.client.keys import Signer
from hansa.contracts.credentials.model import OpenStatusList, ReinstateStatus, SetStatus
from hansa.identity.bitstring_status import BitstringEntry, read_bitstring_list
from hansa.identity.data_integrity import check_proofs
from hansa.identity.resolved import Method, Resolved
from hansa.identity.token_status import REVOKED, SUSPENDED, VALID, parse_status_token
from hansa.ledger.receipts import OK
from hansa.ledger.state import StateReader
from hansa.testing.chain import START_MS
from hansa.testing.league import League

URI = "https://gate.example/v1/credentials/x/status/licences"
MILLION = 1_000_000
CHOSEN = tuple(range(7, MILLION, 1_000))


@pytest.fixture(scope="module")
def league() -> League:
    """A million entries, a thousand of them revoked, then two more suspended."""
    made = League("issuer", "other", grants=[("credentials", "issuer", "issuer")])
    issuer = made.did("issuer")
    for message in (
        OpenStatusList(issuer=issuer, list="licences", size=MILLION),
        SetStatus(issuer=issuer, list="licences", indexes=CHOSEN, value="revoked", reason="test"),
        SetStatus(issuer=issuer, list="licences", indexes=(1, 2), value="suspended", reason="test"),
        ReinstateStatus(issuer=issuer, list="licences", indexes=(2,)),
        OpenStatusList(issuer=issuer, list="short", size=10, purposes=("revocation",)),
    ):
        assert made.send("issuer", "credentials", message).code == OK
    return made


def build_list(state: StateReader, asked: Asked, signer: Signer | None, now_ms: int) -> bytes:
    """A list from the state of now, not kept."""
    return write_list(pack_list(state, asked, now_ms), asked, signer, now_ms)


def ask(league: League, purpose: str, name: str = "licences") -> Asked:
    return Asked(league.did("issuer"), name, purpose, URI)


def get_signer(league: League) -> Signer:
    actor = league.actors["issuer"]
    return Signer("lists", actor.kid, actor.key)


def test_both_forms_say_what_the_ledger_says(league: League) -> None:
    state, signer = league.chain.state, get_signer(league)
    token = parse_status_token(
        build_list(state, ask(league, ""), signer, START_MS).decode(), uri=URI
    )
    said = {index: token.get(index) for index in (0, 1, 2, 7, 8, 1_007, 999_007)}
    assert said == {
        0: VALID, 1: SUSPENDED, 2: VALID, 7: REVOKED, 8: VALID, 1_007: REVOKED, 999_007: REVOKED
    }  # fmt: skip
    for purpose, expected in (("revocation", {7}), ("suspension", {1})):
        uri = f"{URI}?purpose={purpose}"
        document = json.loads(build_list(state, ask(league, purpose), signer, START_MS))
        found = read_bitstring_list(document, uri=uri)
        values = {n for n in (0, 1, 2, 7, 8) if found.get(BitstringEntry(uri, n, purpose))}
        assert values == expected


def test_a_list_is_signed_by_the_key_that_was_put_there(league: League) -> None:
    signer = get_signer(league)
    document = json.loads(
        build_list(league.chain.state, ask(league, "revocation"), signer, START_MS)
    )
    key = Method(signer.kid, signer.private.public, ("assertionMethod",))

    def resolve(did: str) -> Resolved:
        return Resolved(did, (key,))

    (proof,) = check_proofs(document, resolve, purpose="assertionMethod", at_ms=START_MS)
    assert (proof.code, document["issuer"]) == ("", signer.account)


def test_without_a_key_there_is_no_token_and_an_unsigned_bitstring(league: League) -> None:
    state = league.chain.state
    with pytest.raises(Refusal) as refusal:
        build_list(state, ask(league, ""), None, START_MS)
    assert refusal.value.code == "api.no_status_key"
    assert "proof" not in json.loads(build_list(state, ask(league, "revocation"), None, START_MS))


@pytest.mark.parametrize(
    ("purpose", "name", "code"),
    [
        ("revocation", "unknown", "api.not_found"),
        ("revocation", "a/b", "api.not_found"),
        ("suspension", "short", "api.invalid_parameter"),
        ("message", "licences", "api.invalid_parameter"),
    ],
)
def test_invalid_list(league: League, purpose: str, name: str, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        build_list(league.chain.state, ask(league, purpose, name), None, START_MS)
    assert refusal.value.code == code


def test_a_list_is_kept_for_its_time_and_made_anew_afterwards(league: League) -> None:
    class Ledger:
        state = league.chain.state

    class Keys:
        def issuing_signer(self, _name: str) -> Signer:
            made.append(1)
            return get_signer(league)

    made: list[int] = []
    times = iter((START_MS, START_MS + 59_999, START_MS + 60_000, START_MS - 1))
    ledger: Any = Ledger()
    keys: Any = Keys()
    lists = StatusLists(ledger, keys, lambda: next(times))
    first = lists.get(ask(league, ""))
    assert lists.get(ask(league, "")) == first
    assert lists.get(ask(league, "")) != first
    lists.get(ask(league, ""))  # the clock went back: what was made later counts no more
    assert len(made) == 3


def test_a_list_asked_for_under_many_names_is_read_from_the_ledger_once(league: League) -> None:
    reads: list[int] = []

    class Ledger:
        @property
        def state(self) -> Any:
            reads.append(1)
            return league.chain.state

    class Keys:
        def issuing_signer(self, _name: str) -> Signer:
            return get_signer(league)

    ledger: Any = Ledger()
    keys: Any = Keys()
    lists = StatusLists(ledger, keys, lambda: START_MS)
    for purpose in ("", "revocation"):
        asked = [replace(ask(league, purpose), uri=f"http://localhost:{n}/x") for n in range(1, 9)]
        assert len({lists.get(each) for each in asked}) == 8
    assert len(reads) == 2

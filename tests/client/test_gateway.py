"""The client of the REST API against a real league, over wires that lose things."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hansa.client import gateway as module
from hansa.client.faults import ClientError, Refused, Unreachable
from hansa.client.gateway import Gateway
from hansa.client.keys import Signer, generate_signer
from hansa.client.replies import TransactionStatus
from hansa.client.trust import build_trust_root
from hansa.client.verify import verify_receipt
from hansa.ledger.genesis import encode_genesis
from hansa.testing.chain import Actor
from tests.api.league import ADA, BEA, CAI, League, serve_league
from tests.api.parcels import OpenDepot, SendParcel
from tests.client.wire import failing_wire

pytestmark = pytest.mark.slow
UNKNOWN = "0" * 64


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[League]:
    folder: Path = tmp_path_factory.mktemp("gateway") / "home"
    with serve_league(folder) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once; how often it tries is not changed."""
    monkeypatch.setattr(module, "FIRST_WAIT_S", 0.01)


def as_signer(actor: Actor) -> Signer:
    return Signer(actor.name, actor.kid, actor.key)


def open_depot(league: League, name: str) -> bytes:
    return league.sign(ADA, OpenDepot(id=name, city="广州"))


@pytest.mark.parametrize("loss", ["lose request", "lose answer"])
def test_submit_over_a_wire_that_loses_things_has_one_effect(league: League, loss: str) -> None:
    data = open_depot(league, f"depot-{loss[5:]}")
    with (
        failing_wire(league.url, lambda number: loss if number <= 3 else "pass") as wire,
        Gateway(wire.url) as gateway,
    ):
        identity = gateway.submit(data)
        assert wire.connections == 4
    with Gateway(league.url) as gateway:
        assert gateway.wait(identity, 30).state == "committed"
        assert gateway.submit(data) == identity
        found = gateway.status(identity)
        assert [message.code for message in found.messages] == ["ok"]
        versions = gateway.history("parcels", "depot", f"depot-{loss[5:]}")
        assert len(versions.items) == 1


def test_unreachable_says_that_asking_again_is_safe(league: League) -> None:
    data = open_depot(league, "depot-never")
    with (
        failing_wire(league.url, lambda number: "lose request") as wire,
        Gateway(wire.url) as gateway,
        pytest.raises(Unreachable) as fault,
    ):
        gateway.submit(data)
    assert "safe" in fault.value.remedy


def test_busy_gateway_is_asked_again(league: League) -> None:
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with (
        failing_wire(league.url, lambda number: busy if number <= 2 else "pass") as wire,
        Gateway(wire.url) as gateway,
    ):
        assert gateway.league().chain == league.node.chain
        assert wire.connections == 3


def test_spent_quota_is_a_no_and_is_not_asked_again(league: League) -> None:
    body = b'{"code":"ledger.quota_spent","detail":"spent","rule":"D19","remedy":"wait"}'
    spent = b"HTTP/1.1 429 No\r\nRetry-After: 60\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    with (
        failing_wire(league.url, lambda number: spent % len(body) + body) as wire,
        Gateway(wire.url) as gateway,
    ):
        with pytest.raises(Refused) as refusal:
            gateway.league()
        assert wire.connections == 1
    assert (refusal.value.code, refusal.value.rule) == ("ledger.quota_spent", "D19")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]",
        b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{"chain":1}',
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nh",
        b"nonsense\r\n\r\n",
    ],
)
def test_server_that_is_no_gateway_is_a_fault_with_a_remedy(league: League, answer: bytes) -> None:
    with (
        failing_wire(league.url, lambda number: answer) as wire,
        Gateway(wire.url) as gateway,
        pytest.raises(ClientError) as fault,
    ):
        gateway.league()
    assert fault.value.remedy


def test_refusal_that_is_no_problem_document_still_has_a_code(league: League) -> None:
    answer = b"HTTP/1.1 500 No\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>"
    with (
        failing_wire(league.url, lambda number: answer) as wire,
        Gateway(wire.url) as gateway,
        pytest.raises(Refused) as refusal,
    ):
        gateway.league()
    assert refusal.value.code == "http.500"


def test_refusals_carry_code_rule_and_remedy(league: League) -> None:
    with Gateway(league.url) as gateway, pytest.raises(Refused) as refusal:
        gateway.submit(b"nonsense")
    assert refusal.value.code == "ledger.malformed"
    assert refusal.value.rule == "D1"
    assert refusal.value.remedy
    assert refusal.value.status == 400


def test_signed_in_reads_its_own_and_strangers_do_not(league: League) -> None:
    league.commit(ADA, SendParcel(id="p-1", other=BEA.did, note="茶", grams=10))
    for actor in (ADA, BEA):
        with Gateway(league.url, as_signer(actor)) as gateway:
            found = gateway.record("parcels", "parcel", "p-1")
            assert found is not None
            assert found["note"] == "茶"
            assert [each["id"] for each in gateway.records("parcels", "parcel").items] == ["p-1"]
    with Gateway(league.url, as_signer(CAI)) as gateway:
        assert gateway.record("parcels", "parcel", "p-1") is None
    with Gateway(league.url) as gateway, pytest.raises(Refused) as refusal:
        gateway.record("parcels", "parcel", "p-1")
    assert refusal.value.status == 401


def test_ended_session_is_opened_again(league: League) -> None:
    league.commit(ADA, SendParcel(id="p-2", other=BEA.did, note="n", grams=10))
    with Gateway(league.url, as_signer(ADA)) as gateway:
        assert gateway.record("parcels", "parcel", "p-2")
        league.app.gate.sessions.close(gateway._session)
        assert gateway.record("parcels", "parcel", "p-2")


def test_key_of_no_account_cannot_sign_in_but_may_ask_by_id(league: League) -> None:
    identity = league.commit(ADA, OpenDepot(id="d-7", city="澳門"))
    with Gateway(league.url, generate_signer("stranger")) as gateway:
        with pytest.raises(Refused) as refusal:
            gateway.record("parcels", "depot", "d-7")
        assert refusal.value.code == module.SIGN_IN_REFUSED
        assert gateway.status(identity).state == "committed"


def test_unknown_transaction_is_unknown_and_waiting_ends(league: League) -> None:
    with Gateway(league.url) as gateway:
        assert gateway.status(UNKNOWN).state == "unknown"
        found = gateway.wait(UNKNOWN, 0.1)
        assert found.state == "unknown"
        assert not found.is_final


def test_words_of_a_rejection_reach_its_sender(league: League) -> None:
    heavy = SendParcel(id="p-3", other=BEA.did, note="n", grams=10**9)
    identity = league.commit(ADA, heavy)
    with Gateway(league.url, as_signer(ADA)) as gateway:
        message = gateway.status(identity).messages[0]
    assert (message.code, message.rule) == ("parcels.too_heavy", "P1")
    assert message.remedy == "Send two."


def test_pages_follow_each_other_without_loss(league: League) -> None:
    for number in range(7):
        league.commit(ADA, OpenDepot(id=f"page-{number}", city="香港"))
    with Gateway(league.url) as gateway:
        seen: list[str] = []
        after = None
        while True:
            page = gateway.records("parcels", "depot", limit=3, after=after)
            seen += [each["id"] for each in page.items]
            after = page.next
            if after is None:
                break
        found = gateway.records("parcels", "depot", filters={"city": "香港"}, limit=100)
        opened = gateway.events(app="parcels", kind="DepotOpened")
    assert seen == sorted(set(seen))
    assert {f"page-{number}" for number in range(7)} <= set(seen)
    assert len(found.items) == 7
    assert len(opened.items) >= 7


def test_receipt_and_proofs_verify_offline(league: League) -> None:
    identity = league.commit(ADA, OpenDepot(id="d-8", city="广州"))
    trust = build_trust_root(encode_genesis(league.genesis))
    with Gateway(league.url, as_signer(ADA)) as gateway:
        receipt = gateway.receipt(identity, 0)
        there = gateway.proof("parcels", "depot", "d-8")
        absent = gateway.proof("parcels", "depot", "d-9")
        with pytest.raises(Refused):
            gateway.receipt(UNKNOWN, 0)
    assert (there.is_there, absent.is_there) == (True, False)
    for data in (receipt, there.data):
        assert verify_receipt(data, trust).outcome == "yes"
    # The toy application is in no catalog, so nobody can say which identifiers its records have.
    assert verify_receipt(absent.data, trust).outcome == "could_not_judge"


def test_status_survives_fields_of_a_later_release() -> None:
    later = {"id": UNKNOWN, "state": "committed", "height": 3, "colour": "red", "messages": []}
    assert msgspec.convert(later, type=TransactionStatus).is_final

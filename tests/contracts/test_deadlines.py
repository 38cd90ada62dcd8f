"""Deadlines (D17): ordered by time and id, bounded, each with its receipt, failing alone."""

import pytest

from hansa.ledger.receipts import OK
from hansa.ledger.system import Deadline, Freeze
from hansa.primitives.limits import DEADLINES_PER_BLOCK_MAX
from hansa.testing.chain import START_MS, Actor, Chain
from tests.contracts import land
from tests.contracts.land import Bell, Hush, Ring, Rung
from tests.contracts.league import build_chain

ALMA = Actor("alma")
LATER = START_MS + 60_000


@pytest.fixture
def chain() -> Chain:
    return build_chain(ALMA, contracts=(land.contract,))


def ring(chain: Chain, *messages: Ring) -> None:
    result = chain.submit(ALMA, "land", *messages)
    assert result.code == 0, result


def list_rung(chain: Chain) -> tuple[str, ...]:
    bell = chain.get("land", Bell, "all")
    return bell.rung if bell is not None else ()


def test_deadlines_fire_by_time_then_by_id(chain: Chain) -> None:
    ring(
        chain,
        Ring(id="c", at_ms=LATER),
        Ring(id="b", at_ms=LATER + 1),
        Ring(id="z", at_ms=LATER - 1),
        Ring(id="a", at_ms=LATER),
    )
    chain.advance(120_000)
    assert list_rung(chain) == ("z", "a", "c", "b")


def test_deadline_never_fires_before_its_time(chain: Chain) -> None:
    ring(chain, Ring(id="a", at_ms=LATER))
    chain.advance(LATER - 1 - chain.time_ms)
    assert list_rung(chain) == ()
    chain.advance(1)
    assert list_rung(chain) == ("a",)


def test_deadlines_of_one_block_are_bounded_and_the_rest_fires_next(chain: Chain) -> None:
    number = DEADLINES_PER_BLOCK_MAX + 50
    ring(chain, *(Ring(id=f"r{index:04d}", at_ms=LATER) for index in range(number)))
    assert len(chain.advance(120_000).deadlines) == DEADLINES_PER_BLOCK_MAX
    assert len(list_rung(chain)) == DEADLINES_PER_BLOCK_MAX
    assert len(chain.advance(1).deadlines) == 50
    assert list_rung(chain) == tuple(f"r{index:04d}" for index in range(number))
    assert chain.advance(1).deadlines == ()


def test_each_deadline_has_a_receipt_of_its_own(chain: Chain) -> None:
    ring(chain, Ring(id="a", at_ms=LATER), Ring(id="b", at_ms=LATER, fails=True))
    first, second = chain.advance(120_000).deadlines
    assert (first.code, first.type, first.sender) == (OK, "land/Rung/1", "deadline")
    assert (second.code, second.params) == ("land.cracked", {"id": "b"})
    assert (first.index, second.index) == (0, 1)


def test_a_refused_deadline_leaves_no_trace_and_is_not_fired_again(chain: Chain) -> None:
    ring(
        chain,
        Ring(id="a", at_ms=LATER, fails=True),
        Ring(id="b", at_ms=LATER),
    )
    chain.advance(120_000)
    assert list_rung(chain) == ("b",)
    assert chain.advance(1).deadlines == ()


def test_a_broken_deadline_is_contract_fault_and_freezes_its_type(chain: Chain) -> None:
    ring(
        chain,
        Ring(id="a", at_ms=LATER, breaks=True),
        Ring(id="b", at_ms=LATER),
    )
    codes = [result.code for result in chain.advance(120_000).deadlines]
    assert codes == ["ledger.contract_fault", "ledger.frozen"]
    assert chain.get("", Freeze, "message:land.Rung") is not None
    assert list_rung(chain) == ()


def test_a_cancelled_deadline_does_not_fire(chain: Chain) -> None:
    ring(chain, Ring(id="a", at_ms=LATER), Ring(id="b", at_ms=LATER))
    assert chain.send(ALMA, "land", Hush(id="a", at_ms=LATER)).code == OK
    assert chain.send(ALMA, "land", Hush(id="nothing", at_ms=LATER)).code == OK
    chain.advance(120_000)
    assert list_rung(chain) == ("b",)


def test_a_deadline_is_state_until_it_fires(chain: Chain) -> None:
    ring(chain, Ring(id="a", at_ms=LATER))
    assert chain.get("", Deadline, f"{LATER:015d}", "land", "a") is not None
    chain.advance(120_000)
    assert chain.get("", Deadline, f"{LATER:015d}", "land", "a") is None


def test_invalid_deadline_message_sent_by_an_account(chain: Chain) -> None:
    assert chain.send(ALMA, "land", Rung(id="a")).code == "ledger.internal_message"


@pytest.mark.parametrize("at_ms", [-1, 10**15])
def test_invalid_time_of_a_deadline(chain: Chain, at_ms: int) -> None:
    assert chain.send(ALMA, "land", Ring(id="a", at_ms=at_ms)).code == "ledger.overflow"

"""What waits for CometBFT is given, given again, forgotten; who may stay connected."""

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from hansa.comet.rpc import Broadcast, EngineUnreachable
from hansa.encoding.canonical import encode_canonical
from hansa.ledger.model import compute_state_key
from hansa.ledger.state import MemoryState
from hansa.ledger.system import Node
from hansa.node.admittance import Admittance, find_place
from hansa.node.engine import PeerView
from hansa.node.feeder import OUTSTANDING_BYTES_MAX, OUTSTANDING_MAX, Feeder
from hansa.node.pool import TransactionPool, Waiting
from hansa.node.watch import Watch

TAKEN = Broadcast(taken=True)
FULL = Broadcast(taken=False, error="mempool is full: number of txs 20000 (max: 20000)")
LARGE = Broadcast(taken=False, error="Tx too large. Max size is 1000000, but got 1000001")


class Gate:
    """An engine's RPC that answers as told; `given` is all that it was given."""

    def __init__(self) -> None:
        self.given: list[bytes] = []
        self.answer: Callable[[bytes], Broadcast] = lambda _data: TAKEN
        self.is_there = True
        self.flushes = 0

    def give(self, transactions: Sequence[bytes]) -> list[Broadcast]:
        if not self.is_there:
            raise EngineUnreachable("gone")
        self.given += transactions
        return [self.answer(each) for each in transactions]

    def call(self, method: str) -> dict[str, object]:
        assert method == "unsafe_flush_mempool"
        self.flushes += 1
        return {}


class Feeding:
    def __init__(self, stale_s: float = 60) -> None:
        self.pool, self.gate = TransactionPool(), Gate()
        self.refused: list[bytes] = []
        self.feeder = Feeder(
            self.pool,
            self.gate,  # type: ignore[arg-type]
            on_too_large=self.refuse,
            stale_s=stale_s,
        )
        self.feeder.start()

    def refuse(self, waiting: Waiting) -> None:
        self.refused.append(waiting.id)
        self.pool.discard([waiting.id])

    def add(self, name: str, lane: str = "a", size: int = 10, expiry: int = 100) -> bytes:
        waiting = Waiting(name.encode(), name.encode().ljust(size), lane, expiry)
        with self.pool.changed:
            self.pool.add(waiting)
        return waiting.id


@pytest.fixture
def feeding():
    made = Feeding()
    yield made
    made.feeder.stop()


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


def test_outstanding_is_bounded_by_number_and_goes_on_as_blocks_come(feeding: Feeding) -> None:
    ids = [feeding.add(f"t{number}") for number in range(OUTSTANDING_MAX + 500)]
    until(lambda: len(feeding.gate.given) == OUTSTANDING_MAX)
    time.sleep(0.1)
    assert feeding.feeder.outstanding == OUTSTANDING_MAX == len(feeding.gate.given)
    feeding.pool.discard(ids[:300])
    until(lambda: len(feeding.gate.given) == OUTSTANDING_MAX + 300)


def test_outstanding_is_bounded_by_bytes(feeding: Feeding) -> None:
    for number in range(12):
        feeding.add(f"t{number}", size=900_000)
    until(lambda: len(feeding.gate.given) >= 4)
    time.sleep(0.1)
    assert sum(map(len, feeding.gate.given)) <= OUTSTANDING_BYTES_MAX + 900_000


def test_what_is_given_is_fair_between_members(feeding: Feeding) -> None:
    with feeding.pool.changed:  # the feeder sees them all at once
        for number in range(700):
            feeding.add(f"flood {number}", "a")
        for number in range(10):
            feeding.add(f"few {number}", "b")
    until(lambda: len(feeding.gate.given) == 710)
    places = [at for at, data in enumerate(feeding.gate.given) if data.startswith(b"few")]
    assert places[-1] < 25


def test_everything_is_given_again_after_a_restart_of_the_engine(feeding: Feeding) -> None:
    for number in range(20):
        feeding.add(f"t{number}")
    until(lambda: len(feeding.gate.given) == 20)
    feeding.pool.discard([b"t3"])
    feeding.feeder.give_again()
    until(lambda: len(feeding.gate.given) == 39)
    assert sorted(feeding.gate.given[20:]) == sorted(set(feeding.gate.given) - {b"t3".ljust(10)})


def test_an_unreachable_or_full_engine_is_asked_again(feeding: Feeding) -> None:
    feeding.gate.is_there = False
    feeding.add("one")
    time.sleep(0.1)
    assert feeding.feeder.outstanding == 0
    feeding.gate.answer = lambda _data: FULL
    feeding.gate.is_there = True
    until(lambda: len(feeding.gate.given) > 1)
    feeding.gate.answer = lambda _data: TAKEN
    until(lambda: feeding.feeder.outstanding == 1)


def test_what_is_too_large_is_refused_and_holds_up_nothing(feeding: Feeding) -> None:
    feeding.gate.answer = lambda data: LARGE if data.startswith(b"large") else TAKEN
    feeding.add("large")
    feeding.add("small")
    until(lambda: feeding.feeder.outstanding == 1 and len(feeding.pool) == 1)
    assert feeding.refused == [b"large"]


def test_what_got_lost_in_the_engine_is_given_again() -> None:
    feeding = Feeding(stale_s=0.2)
    try:
        feeding.add("one")
        until(lambda: len(feeding.gate.given) >= 2)
    finally:
        feeding.feeder.stop()


def test_a_stall_has_the_engine_tell_its_peers_again(
    feeding: Feeding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hansa.node.feeder.STALL_FIRST_S", 0.3)
    feeding.feeder.note_progress()
    feeding.add("one")
    until(lambda: feeding.gate.flushes == 1 and len(feeding.gate.given) == 2)
    monkeypatch.setattr("hansa.node.feeder.STALL_FIRST_S", 30.0)
    feeding.feeder.note_progress()
    time.sleep(0.5)
    assert feeding.gate.flushes <= 2


def test_expired_ones_are_found_once_their_height_has_passed() -> None:
    pool = TransactionPool()
    with pool.changed:
        for number, expiry in enumerate((5, 9, 7)):
            pool.add(Waiting(bytes([number]), b"x", "a", expiry))
    assert pool.find_expired(5) == []
    assert [each.id for each in pool.find_expired(6)] == [bytes([0])]
    pool.discard([bytes([0])])
    assert pool.find_expired(7) == []
    assert [each.id for each in pool.find_expired(8)] == [bytes([2])]
    pool.discard([bytes([2]), bytes([9])])
    assert len(pool) == 1 and pool.has_work


def test_what_a_block_brought_is_not_taken_any_more() -> None:
    pool = TransactionPool()
    with pool.changed:
        for number in range(4):
            pool.add(Waiting(bytes([number]), b"x", "ab"[number % 2]))
    pool.discard([bytes([0]), bytes([1])])
    assert [each.id for each in pool.take(9, 10**6)] == [bytes([2]), bytes([3])]
    assert pool.taken == (2, 2) and not pool.has_work


def test_given_back_ones_are_first_in_their_lanes_again() -> None:
    pool = TransactionPool()
    with pool.changed:
        for number in range(6):
            pool.add(Waiting(bytes([number]), b"x", "a"))
    taken = pool.take(3, 10**6)
    pool.discard([taken[1].id])
    pool.give_back(taken)
    pool.give_back(taken)
    assert [each.id[0] for each in pool.take(9, 10**6)] == [0, 2, 3, 4, 5]


def test_whoever_waits_for_a_dropped_transaction_is_woken() -> None:
    watch = Watch(0)
    woken = threading.Event()

    def wait() -> None:
        with watch.transaction("x") as final:
            assert final.wait(20)
            woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: "x" in watch._waiters)
    watch.tell(["y"])
    assert not woken.wait(0.05)
    watch.tell(["x"])
    thread.join()
    assert woken.is_set()


def make_state(*ids: str) -> MemoryState:
    state = MemoryState()
    changes = []
    for each in sorted(ids):
        node = Node(id=each, member="did:hansa:" + "a" * 32, kind="validator", since=0)
        key = compute_state_key(Node.OWNER, Node.KIND, node.key())
        changes.append((key, encode_canonical(node)))
    state._store(tuple(changes))
    return state


def test_a_peer_that_is_no_longer_admitted_goes_in_turn() -> None:
    ids = ["aa" * 20, "bb" * 20, "cc" * 20]
    state = make_state(*ids)
    assert [find_place(state, each) for each in ids] == [0, 1, 2]
    admitted = set(ids)
    peers = [PeerView(each, "127.0.0.1:1", "inbound") for each in ids]
    first = Admittance(admitted.__contains__, stagger_s=0.3)
    second = Admittance(admitted.__contains__, stagger_s=0.3)
    assert not first.must_restart(peers, ids[0], state)
    admitted.discard(ids[2])
    assert first.must_restart(peers, ids[0], state)
    assert not second.must_restart(peers, ids[1], state)
    assert not second.must_restart(peers[:2], ids[1], state)  # it went by itself
    assert not second.must_restart(peers, ids[1], state)
    time.sleep(0.35)
    assert second.must_restart(peers, ids[1], state)
    assert not second.must_restart(peers, ids[1], state)

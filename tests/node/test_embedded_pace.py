"""The embedded engine's pace: blocks wait for who follows them, gather under load, stay small."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hansa.node.embedded import BLOCK_BYTES, GATHER_S
from hansa.node.ledger_node import LedgerNode
from tests.ledger.toy import Count
from tests.node.league import ToyLeague, read_counter

LOST_S = 30


@pytest.fixture
def league(tmp_path: Path) -> ToyLeague:
    made = ToyLeague(tmp_path / "home")
    made.create()
    return made


@pytest.fixture
def node(league: ToyLeague) -> Iterator[LedgerNode]:
    with league.open() as running:
        yield running


class Brake:
    """Lets one block after the other pass, when it is told to."""

    def __init__(self, node: LedgerNode) -> None:
        self.asked: list[int] = []
        self.free = threading.Event()
        self.waits = threading.Event()
        node.pace_by(self)

    def __call__(self, height: int) -> None:
        self.asked.append(height)
        self.waits.set()
        self.free.wait(LOST_S)


def test_no_block_is_made_before_who_follows_lets_it(node: LedgerNode, league: ToyLeague) -> None:
    first = node.height
    brake = Brake(node)
    ids = [node.submit(league.count()) for _ in range(20)]
    assert brake.waits.wait(LOST_S)
    assert node.height == first and brake.asked == [first]
    assert node.status(ids[0]).state == "pending"
    brake.free.set()
    places = {node.wait(each, LOST_S).height for each in ids}
    # What came meanwhile is in one block: the engine takes after it has waited.
    assert places == {first + 1}
    assert read_counter(node, "x") == 20


def test_each_block_asks_with_the_height_before_it(node: LedgerNode, league: ToyLeague) -> None:
    brake, first = Brake(node), node.height
    brake.free.set()
    for _ in range(3):
        node.wait(node.submit(league.count()), LOST_S)
    node.close()
    assert brake.asked == list(range(first, first + len(brake.asked)))
    assert len(brake.asked) >= 4


def test_a_block_of_many_is_not_followed_at_once(node: LedgerNode, league: ToyLeague) -> None:
    brake = Brake(node)
    ids = [node.submit(league.count()) for _ in range(2)]
    assert brake.waits.wait(LOST_S)
    brake.free.set()
    height = node.wait(ids[1], LOST_S).height
    assert height is not None
    node.wait(node.submit(league.count()), LOST_S)
    # Times of blocks are whole milliseconds, each cut to the one before.
    assert node.head(height + 1).time_ms - node.head(height).time_ms >= GATHER_S * 1000 - 1


def test_a_stop_does_not_wait_for_more(league: ToyLeague, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hansa.node.embedded.GATHER_S", 10.0 * LOST_S)
    with league.open() as node:
        brake = Brake(node)
        ids = [node.submit(league.count()) for _ in range(2)]
        assert brake.waits.wait(LOST_S)
        brake.free.set()
        assert node.wait_height(brake.asked[0] + 1, LOST_S)
        ended = threading.Thread(target=node.close)
        ended.start()
        ended.join(LOST_S)
        assert not ended.is_alive()
    with league.open() as again:
        assert {again.status(each).state for each in ids} == {"committed"}


def test_a_block_takes_a_bounded_part_of_what_waits(node: LedgerNode, league: ToyLeague) -> None:
    brake = Brake(node)
    message = Count(id="x" * 200, by=1, limit=10**9)
    ids = [node.submit(league.sign(*[message] * 50)) for _ in range(100)]
    brake.free.set()
    for each in ids:
        assert node.wait(each, LOST_S).state == "committed"
    sizes = [sum(map(len, node.block(height).transactions)) for height in range(1, node.height + 1)]
    assert sum(sizes) > BLOCK_BYTES
    assert max(sizes) <= BLOCK_BYTES

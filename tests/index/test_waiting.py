"""A ledger may wait a moment for its read model: for one that follows closely, and for no other."""

import threading
from collections.abc import Iterator

import pytest

from hansa.index.faults import IndexFault
from hansa.index.follower import NEAR_BLOCKS, Follower
from tests.index.chain import ChainSource, open_index

LOST_S = 30


class Held:
    """A read model that takes over nothing until it is told to, and its follower."""

    def __init__(self, url: str, blocks: int) -> None:
        self.source = ChainSource(seed=11)
        self.index = open_index(url)
        self.free, self.at_work = threading.Event(), threading.Event()
        seen = self.index.apply

        def hold(*args: object) -> None:
            self.at_work.set()
            assert self.free.wait(LOST_S)
            seen(*args)  # type: ignore[arg-type]

        self.index.apply = hold  # type: ignore[method-assign, assignment]
        self.source.grow(blocks)
        self.follower = Follower(self.index, self.source, self.source.genesis)

    def is_waited_for(self, height: int) -> bool:
        """Whether a ledger at `height` waits."""
        waiting = threading.Thread(target=self.follower.wait_near, args=(height,))
        waiting.start()
        waiting.join(0.2)
        is_waiting = waiting.is_alive()
        self.free.set()
        waiting.join(LOST_S)
        assert not waiting.is_alive()
        return is_waiting


@pytest.fixture
def held(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    monkeypatch.setattr("hansa.index.follower.HOLD_S", LOST_S)
    made = Held(sqlite_url, 3)
    yield made
    made.free.set()
    made.follower.stop()
    made.index.close()


def test_one_that_lacks_more_than_the_last_block_is_waited_for(held: Held) -> None:
    held.follower.start()
    assert held.at_work.wait(LOST_S)
    assert held.is_waited_for(3)
    assert held.index.height >= 2


def test_one_that_lacks_the_last_block_is_not(held: Held) -> None:
    held.free.set()
    held.follower.start()
    assert held.index.wait_height(3, LOST_S)
    held.free.clear()
    assert not held.is_waited_for(4)


def test_one_that_is_made_anew_is_not(held: Held) -> None:
    held.follower.start()
    assert held.at_work.wait(LOST_S)
    assert not held.is_waited_for(NEAR_BLOCKS)


@pytest.mark.parametrize("trouble", ["not started", "database away"])
def test_one_in_trouble_is_not(held: Held, trouble: str) -> None:
    if trouble == "database away":
        held.follower.start()
        assert held.at_work.wait(LOST_S)
        held.follower.fault = IndexFault("index.database", "away", "wait")
    assert not held.is_waited_for(3)


def test_the_wait_ends_though_the_read_model_stands_still(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hansa.index.follower.HOLD_S", 0.05)
    held.follower.start()
    assert held.at_work.wait(LOST_S)
    held.follower.wait_near(3)
    assert held.index.height < 2

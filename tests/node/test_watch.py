"""Listeners hear of everything that changes an answer, not of blocks alone."""

import threading

from hansa.node.watch import Watch

LONG_S = 30.0


def test_listeners_hear_when_a_transaction_becomes_final_after_the_last_block() -> None:
    watch = Watch(4)
    heard: list[int] = []
    told = threading.Semaphore(0)

    def listen(height: int) -> None:
        heard.append(height)
        told.release()

    end = watch.subscribe(listen)
    watch.grow(5)
    assert told.acquire(timeout=LONG_S)
    watch.tell(["ab"])  # sealed: no block follows
    assert told.acquire(timeout=LONG_S)
    assert heard == [5, 5]
    end()
    watch.end()


def test_a_transaction_that_becomes_final_wakes_who_waits_for_it_and_nobody_else() -> None:
    watch = Watch(1)
    with watch.transaction("ab") as mine, watch.transaction("cd") as other:
        watch.tell(["ab"])
        assert mine.is_set()
        assert not other.is_set()
        watch.end()
        assert other.is_set()

"""The record cache answers as the store does, whatever is forgotten, and never an older value."""

import threading

import pytest

from hansa.node import record_cache
from hansa.node.record_cache import RecordCache


def test_cache_answers_as_the_store_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_cache, "GENERATION_BYTES", 3_000)
    store: dict[bytes, bytes] = {}
    cache = RecordCache(store.get)
    for step in range(500):
        key = b"%d" % (step * 7 % 41)
        value = b"%d" % step if step % 5 else None
        if value is None:
            store.pop(key, None)
        else:
            store[key] = value
        cache.apply(((key, value),))
        for number in range(0, 41, 3):
            assert cache.get(b"%d" % number) == store.get(b"%d" % number)
    assert len(cache._young) + len(cache._old) < 41


def test_hot_record_is_loaded_once() -> None:
    loads: list[bytes] = []
    cache = RecordCache(lambda key: loads.append(key))
    assert [cache.get(b"x") for _ in range(10)] == [None] * 10
    assert loads == [b"x"]


def test_value_read_before_a_change_never_outlives_it() -> None:
    reading, changed = threading.Event(), threading.Event()

    def load(_key: bytes) -> bytes:
        reading.set()
        changed.wait(10)
        return b"old"

    cache = RecordCache(load)
    reader = threading.Thread(target=cache.get, args=(b"x",))
    reader.start()
    assert reading.wait(10)
    cache.apply(((b"x", b"new"),))
    changed.set()
    reader.join()
    assert cache.get(b"x") == b"new"

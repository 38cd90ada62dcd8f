"""The read model of a node that does not keep all blocks: the same rows from its first block on."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from hansa.index import store
from hansa.index.faults import IndexFault
from hansa.index.follower import MissingBlocks, follow_once, rebuild
from hansa.index.store import NOTHING, Index
from tests.index.chain import ChainBlock, ChainSource, open_index
from tests.index.test_rebuild import follow_all

pytestmark = pytest.mark.slow

BASE = 20


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "OPENING_RECORDS", 7)


@pytest.fixture
def source() -> ChainSource:
    made = ChainSource(seed=5)
    made.grow(45)
    return made


def read(index: Index, name: str) -> list[dict[str, Any]]:
    table = index.tables.metadata.tables[name]
    order = [column for column in table.columns if column.primary_key]
    with index.reading() as connection:
        found = connection.execute(select(table).order_by(*order)).mappings().all()
    return [dict(row) for row in found]


def compare(full: Index, opened: Index, base: int, at: int) -> None:
    """All of `opened` is in `full`; of the blocks from `base` on and of the state, all is here.

    It was opened at height `at`: what the records were that changed until then is not known.
    """
    assert opened.height == full.height
    for name in full.tables.metadata.tables:
        whole, part = read(full, name), read(opened, name)
        if name == "records":
            for row in (*whole, *part):
                row["height"] = max(row["height"], base - 1)
        elif name == "record_history":
            changed = {row["key"] for row in whole if base <= row["height"] <= at}
            last = {row["key"]: row["value"] for row in whole if row["height"] < base}
            whole = [row for row in whole if row["height"] >= base]
            unchanged = {key: value for key, value in last.items() if key not in changed and value}
            opening = {row["key"]: row["value"] for row in part if row["height"] == base - 1}
            assert opening == unchanged
            part = [row for row in part if row["height"] >= base]
        elif "height" in full.tables.metadata.tables[name].columns and name != "progress":
            whole = [row for row in whole if row["height"] >= base]
        assert part == whole, name


@pytest.mark.parametrize("base", [2, BASE, 45, 46])
def test_opened_read_model_is_the_full_one_from_its_first_block(
    sqlite_url: str, tmp_path: Any, source: ChainSource, base: int
) -> None:
    full, opened = open_index(sqlite_url), open_index(f"sqlite:///{tmp_path}/opened.sqlite")
    follow_all(full, source)
    source.base = base
    follow_all(opened, source)
    compare(full, opened, base, 45)
    source.grow(10)
    for index in (full, opened):
        follow_all(index, source)
    compare(full, opened, base, 45)
    source.base = base + 5
    rebuild(opened, source, source.genesis)
    compare(full, opened, base + 5, 55)
    full.close()
    opened.close()


def test_both_databases_open_alike(sqlite_url: str, postgres_url: str, source: ChainSource) -> None:
    source.base = BASE
    indexes = [open_index(url) for url in (sqlite_url, postgres_url)]
    for index in indexes:
        follow_all(index, source)
    one, other = indexes
    for name in one.tables.metadata.tables:
        assert read(one, name) == read(other, name), name
    for index in indexes:
        index.close()


class Cut(Exception):
    """The process is stopped."""


@pytest.mark.parametrize("at", [0, 1, 4, 9, 12])
def test_opening_that_was_cut_off_is_begun_again(
    sqlite_url: str,
    tmp_path: Any,
    source: ChainSource,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
) -> None:
    source.base = BASE
    calls = 0
    whole = Index._write

    def cut(index: Index, *rest: Any) -> None:
        nonlocal calls
        calls += 1
        if calls > at:
            raise Cut
        whole(index, *rest)

    index = open_index(sqlite_url)
    with monkeypatch.context() as patch:
        patch.setattr(Index, "_write", cut)
        with pytest.raises(Cut):
            follow_all(index, source)
    index.close()
    index = open_index(sqlite_url)
    assert index.height == NOTHING
    calm = open_index(f"sqlite:///{tmp_path}/calm.sqlite")
    for each in (index, calm):
        follow_all(each, source)
    for name in index.tables.metadata.tables:
        assert read(index, name) == read(calm, name), name
    index.close()
    calm.close()


def test_read_model_that_missed_pruned_blocks_says_so(sqlite_url: str, source: ChainSource) -> None:
    index = open_index(sqlite_url)
    follow_all(index, source)
    source.grow(30)
    source.base = 60
    with pytest.raises(MissingBlocks):
        follow_once(index, source, source.genesis)
    rebuild(index, source, source.genesis)
    assert index.height == 75
    index.close()


def test_read_model_of_a_genesis_begins_again_when_a_snapshot_was_restored(
    sqlite_url: str, tmp_path: Any, source: ChainSource
) -> None:
    """The node's state was that of the genesis when the follower first looked."""
    early, late = open_index(sqlite_url), open_index(f"sqlite:///{tmp_path}/late.sqlite")
    assert follow_once(early, source, source.genesis)
    assert early.height == 0
    source.base = BASE
    follow_all(early, source)
    follow_all(late, source)
    for name in early.tables.metadata.tables:
        assert read(early, name) == read(late, name), name
    early.close()
    late.close()


def test_blocks_that_are_pruned_while_it_opens_are_a_fault_and_the_next_try_is_higher(
    sqlite_url: str, source: ChainSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_index(sqlite_url)
    source.base = BASE

    def gone(height: int) -> ChainBlock:
        source.base = 30
        raise LookupError(height)

    with monkeypatch.context() as patch:
        patch.setattr(source, "block", gone)
        with pytest.raises(IndexFault):
            follow_once(index, source, source.genesis)
    assert index.height == NOTHING
    follow_all(index, source)
    heights: Sequence[int] = [row["height"] for row in read(index, "blocks")]
    assert heights == list(range(30, 46))
    index.close()

"""The read model is a function of the blocks: however it got there, in whichever database."""

import random
import threading

import pytest
from sqlalchemy import select, text

from hansa.appkit.application import Application
from hansa.index.digest import compute_digests
from hansa.index.faults import IndexFault
from hansa.index.follower import Follower, MissingBlocks, follow_once, rebuild
from hansa.index.shape import Shape
from hansa.index.store import NOTHING, Index
from tests.api.league import CHAIN
from tests.api.parcels import APPLICATION, APPLICATIONS
from tests.index.chain import ChainSource, open_index


def follow_all(index: Index, source: ChainSource) -> None:
    while follow_once(index, source, source.genesis):
        pass


def test_rebuild_gives_the_same_tables_bit_for_bit(database: str) -> None:
    source = ChainSource(seed=1)
    index = open_index(database)
    stops = random.Random(7)
    for _stop in range(12):
        source.grow(stops.randrange(6))
        follow_all(index, source)
        if stops.random() < 0.5:
            index.close()
            index = open_index(database)
    followed = compute_digests(index)
    rebuild(index, source, source.genesis)
    assert compute_digests(index) == followed
    index.close()


def test_both_databases_hold_the_same_rows(sqlite_url: str, postgres_url: str) -> None:
    source = ChainSource(seed=2)
    source.grow(40)
    digests = []
    for url in (sqlite_url, postgres_url):
        index = open_index(url)
        follow_all(index, source)
        digests.append(compute_digests(index))
        index.close()
    assert digests[0] == digests[1]
    assert len(set(digests[0].values())) == len(digests[0])


def test_every_table_has_rows(sqlite_url: str) -> None:
    source = ChainSource(seed=2)
    source.grow(40)
    index = open_index(sqlite_url)
    follow_all(index, source)
    with index.reading() as connection:
        empty = [
            name
            for name, table in index.tables.metadata.tables.items()
            if connection.execute(select(table).limit(1)).one_or_none() is None
        ]
    assert empty == []


def test_a_batch_is_written_whole_or_not_at_all(sqlite_url: str) -> None:
    source = ChainSource(seed=3)
    source.grow(10)
    index = open_index(sqlite_url)
    follow_once(index, source, source.genesis)
    before = compute_digests(index)
    with index.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE events RENAME TO elsewhere")
    with pytest.raises(IndexFault):
        follow_once(index, source, source.genesis)
    with index.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO events")
    assert index.height == 0
    assert compute_digests(index) == before
    follow_all(index, source)
    followed = compute_digests(index)
    rebuild(index, source, source.genesis)
    assert compute_digests(index) == followed


def test_two_writers_are_found_out(sqlite_url: str) -> None:
    source = ChainSource(seed=4)
    source.grow(3)
    first, second = open_index(sqlite_url), open_index(sqlite_url)
    follow_all(first, source)
    with pytest.raises(IndexFault) as caught:
        second.apply((), source.genesis())
    assert caught.value.code in ("index.two_writers", "index.database")
    assert first.height == 3


@pytest.mark.parametrize("url", ["sqlite://", "mysql://h/d", "nonsense", "postgresql://h/d"])
def test_an_address_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(IndexFault) as caught:
        open_index(url)
    assert caught.value.code == "index.url"


def test_a_database_of_another_chain_is_refused(database: str) -> None:
    open_index(database).close()
    with pytest.raises(IndexFault) as caught:
        Index.open(database, Shape(APPLICATIONS), "other-1")
    assert caught.value.code == "index.foreign"


def test_other_types_start_from_the_beginning(database: str) -> None:
    source = ChainSource(seed=5)
    source.grow(5)
    index = open_index(database)
    follow_all(index, source)
    index.close()
    poorer = Application(
        name="parcels", title="", contract=APPLICATION.contract, records=APPLICATION.records
    )
    fewer = Index.open(database, Shape((*APPLICATIONS[:-1], poorer)), CHAIN)
    assert fewer.height == NOTHING
    follow_all(fewer, source)
    fewer.close()
    richer = open_index(database)
    assert richer.height == NOTHING
    follow_all(richer, source)
    with richer.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM parcels__parcels")).scalar_one()
    richer.close()


def test_pruned_blocks_are_named_as_missing(sqlite_url: str) -> None:
    source = ChainSource(seed=6)
    source.grow(4)
    index = open_index(sqlite_url)
    follow_all(index, source)
    source.grow(4)
    source.base = 7
    with pytest.raises(MissingBlocks) as caught:
        follow_once(index, source, source.genesis)
    assert caught.value.code == "index.missing_blocks"


def test_the_follower_outlives_a_database_that_is_away(sqlite_url: str) -> None:
    source = ChainSource(seed=8)
    source.grow(4)
    index = open_index(sqlite_url)
    with index.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE blocks RENAME TO away")
    follower = Follower(index, source, source.genesis)
    failed, seen = threading.Event(), index.apply

    def watch(*args: object) -> None:
        try:
            seen(*args)  # type: ignore[arg-type]
        except IndexFault:
            failed.set()
            raise

    index.apply = watch  # type: ignore[method-assign, assignment]
    follower.start()
    assert failed.wait(30)
    assert follower.is_running
    with index.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO blocks")
    assert index.wait_height(4, 60)
    follower.stop()
    assert not follower.is_running
    assert follower.fault is None

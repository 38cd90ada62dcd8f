"""The read model is a function of the blocks: however it got there, in whichever database."""

import random
import threading
from pathlib import Path

import pytest
import structlog
import structlog.testing
from sqlalchemy import select, text

from hansa.appkit.application import Application
from hansa.index.checkup import check_index
from hansa.index.digest import compute_digests
from hansa.index.faults import IndexFault
from hansa.index.follower import Follower, MissingBlocks, follow_once, rebuild
from hansa.index.renewal import open_or_renew, renew
from hansa.index.shape import Shape
from hansa.index.store import NOTHING, Index
from tests.api.league import CHAIN
from tests.api.parcels import APPLICATION, APPLICATIONS
from tests.index.chain import ChainBlock, ChainSource, open_index

pytestmark = pytest.mark.slow


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


class Unreadable(Exception):
    """What a ledger with a damaged disk raises."""


def test_ledger_that_cannot_be_read_ends_the_follower_with_a_fault(sqlite_url: str) -> None:
    source = ChainSource(seed=9)
    source.grow(4)

    def fail(height: int) -> ChainBlock:
        raise Unreadable(f"block {height} is damaged")

    source.block = fail  # type: ignore[method-assign]
    index = open_index(sqlite_url)
    follower = Follower(index, source, source.genesis, broken=(Unreadable,))
    with structlog.testing.capture_logs() as lines:
        follower.start()
        follower._thread.join(60)
    assert not follower.is_running
    assert follower.fault is not None
    assert follower.fault.code == "index.source"
    assert [line["event"] for line in lines] == ["index_stopped"]
    assert "Unreadable" in lines[0]["text"] and "block 1 is damaged" in lines[0]["text"]
    follower.stop()
    index.close()


def damage(url: str, start: int = 0) -> Path:
    """Random bytes in place of what the file holds from `start` on."""
    path = Path(url.removeprefix("sqlite:///"))
    content = path.read_bytes()
    noise = random.Random(3).randbytes(len(content) - start)
    path.write_bytes(content[:start] + noise)
    return path


def make_index(url: str) -> tuple[ChainSource, dict[str, str]]:
    source = ChainSource(seed=10)
    source.grow(20)
    index = open_index(url)
    follow_all(index, source)
    digests = compute_digests(index)
    index.close()
    return source, digests


SHAPE = Shape(APPLICATIONS)


@pytest.mark.parametrize("start", [0, 5_000])
def test_damaged_file_is_named_and_made_anew(sqlite_url: str, start: int) -> None:
    source, digests = make_index(sqlite_url)
    path = damage(sqlite_url, start)
    path.with_name(path.name + "-wal").write_bytes(b"left over")
    with pytest.raises(IndexFault) as caught:
        check_index(sqlite_url, SHAPE, CHAIN, deep=True)
    assert caught.value.code == "index.damaged"
    assert "hansa index rebuild" in caught.value.hint
    index = renew(sqlite_url, SHAPE, CHAIN)
    rebuild(index, source, source.genesis)
    assert compute_digests(index) == digests
    index.close()
    assert check_index(sqlite_url, SHAPE, CHAIN, deep=True) == 20


def test_damaged_file_is_replaced_when_it_is_opened(sqlite_url: str) -> None:
    source, digests = make_index(sqlite_url)
    damage(sqlite_url)
    with pytest.raises(IndexFault) as caught:
        open_index(sqlite_url)
    assert caught.value.code == "index.damaged"
    index, renewed = open_or_renew(sqlite_url, SHAPE, CHAIN)
    assert renewed and index.height == NOTHING
    follow_all(index, source)
    assert compute_digests(index) == digests
    index.close()
    index, renewed = open_or_renew(sqlite_url, SHAPE, CHAIN)
    assert not renewed and index.height == 20
    index.close()


def test_tables_of_another_form_are_dropped(database: str) -> None:
    source, digests = make_index(database)
    index = open_index(database)
    with index.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE progress RENAME COLUMN shape TO form")
    index.close()
    with pytest.raises(IndexFault):
        open_index(database)
    with pytest.raises(IndexFault):
        check_index(database, SHAPE, CHAIN)
    index = renew(database, SHAPE, CHAIN)
    rebuild(index, source, source.genesis)
    assert compute_digests(index) == digests
    index.close()


def test_read_model_of_another_chain_is_never_thrown_away(database: str) -> None:
    make_index(database)
    for attempt in (renew, open_or_renew, check_index):
        with pytest.raises(IndexFault) as caught:
            attempt(database, SHAPE, "another-1")
        assert caught.value.code == "index.foreign"
    assert check_index(database, SHAPE, CHAIN) == 20


def test_looking_at_a_read_model_makes_and_changes_no_file(sqlite_url: str) -> None:
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent
    assert check_index(sqlite_url, SHAPE, CHAIN, deep=True) is None
    make_index(sqlite_url)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert check_index(sqlite_url, SHAPE, CHAIN, deep=True) == 20
    assert {path: path.read_bytes() for path in folder.iterdir()} == before

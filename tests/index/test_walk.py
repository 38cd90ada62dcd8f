"""Closures over links: complete, equal everywhere, bounded and saying so, for who may see."""

import random
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import pytest

from hansa.appkit.application import Application, Column, Row, Table
from hansa.appkit.walk import Closure, Link, Way
from hansa.encoding.canonical import encode_canonical
from hansa.index import walk
from hansa.index.shape import Shape
from hansa.index.sight import STRANGER, Viewer
from hansa.index.store import Index
from hansa.index.walk import open_snapshot
from hansa.ledger.blocks import Change
from hansa.ledger.contracts import Contract
from hansa.ledger.model import Record, Visibility
from tests.index.databases import make_database

# From, to, and since when that is over (0: it is not).
Pair = tuple[str, str, int]
DOWN = (Way("links", "source"),)
UP = (Way("links", "target"),)


class Baking(Record, frozen=True, kw_only=True):
    """What was made of what, for everybody."""

    KIND: ClassVar[str] = "baking"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: str
    pairs: tuple[Pair, ...]


class Secret(Record, frozen=True, kw_only=True):
    """What was made of what, for its owner."""

    KIND: ClassVar[str] = "secret"

    id: str
    owner: str
    pairs: tuple[Pair, ...]

    def parties(self) -> tuple[str, ...]:
        return (self.owner,)


def project(record: Baking | Secret) -> list[Row]:
    return [{"source": a, "target": b, "ended": ended or None} for a, b, ended in record.pairs]


COLUMNS = (Column("source"), Column("target"), Column("ended", "integer"))
BAKERY = Application(
    name="bakery",
    title="Bakery",
    contract=Contract("bakery"),
    records=(Baking, Secret),
    tables=(Table("links", Baking, COLUMNS, project), Table("secrets", Secret, COLUMNS, project)),
)


def write(kind: str, id_: str, pairs: Iterable[Pair], **rest: Any) -> Change:
    body = {"v": 1, "id": id_, "pairs": [list(pair) for pair in pairs], **rest}
    return f"bakery/{kind}/{id_}".encode(), encode_canonical(body)


def fill(url: str, pairs: Iterable[Pair], *, order: int = 0) -> Index:
    """A read model of these links, several to a record, written in some order."""
    chunks: dict[str, list[Pair]] = {}
    for number, pair in enumerate(pairs):
        chunks.setdefault(f"b{number // 3}", []).append(pair)
    changes = [write("baking", name, chunk) for name, chunk in chunks.items()]
    random.Random(order).shuffle(changes)
    index = Index.open(url, Shape([BAKERY]), "walks")
    index.apply((), changes)
    return index


def go(index: Index, roots: list[str], ways: tuple[Way, ...] = DOWN, **bounds: int) -> Closure:
    with open_snapshot(index, "bakery", STRANGER) as snapshot:
        return snapshot.walk(roots, ways, **bounds)


def make_pairs(seed: int, things: int, count: int) -> list[Pair]:
    """Links, some of them over, with rings, doubles and names in several scripts."""
    draw = random.Random(seed)
    names = [f"{draw.choice(['a', 'Z', '~', '茶', 'é'])}{number}" for number in range(things)]
    return [(draw.choice(names), draw.choice(names), draw.choice([0, 0, 5])) for _ in range(count)]


def follow(pairs: list[Pair], roots: list[str], ways: tuple[Way, ...]) -> dict[str, int]:
    """The same by hand: thing to depth."""
    depths = dict.fromkeys(roots, 0)
    level, depth = set(roots), 0
    while level:
        depth += 1
        beyond = set()
        for way in ways:
            for source, target, ended in pairs:
                start, end = (source, target) if way.start == "source" else (target, source)
                if start in level and end not in depths and not (way.unless and ended):
                    beyond.add(end)
        depths.update(dict.fromkeys(beyond, depth))
        level = beyond
    return depths


@pytest.fixture
def chain(sqlite_url: str) -> Iterator[Index]:
    """flour -> dough -> bread -> slice 0 … 9."""
    slices = [("bread", f"slice{number}", 0) for number in range(10)]
    index = fill(sqlite_url, [("flour", "dough", 0), ("dough", "bread", 0), *slices])
    yield index
    index.close()


def test_a_walk_reaches_everything_below_and_above_in_order(chain: Index) -> None:
    down = go(chain, ["dough"])
    slices = [f"slice{number}" for number in range(10)]
    assert [(each.item, each.depth) for each in down.reached] == [
        ("dough", 0),
        ("bread", 1),
        *((name, 2) for name in slices),
    ]
    assert Link("dough", "bread", "links", "b0") in down.links
    assert len(down.links) == 11 and down.cut == "" and down.height == 0
    assert go(chain, ["slice3"], UP).items == ("slice3", "bread", "dough", "flour")
    assert go(chain, ["nobody"]).items == ("nobody",)
    assert go(chain, []).items == ()


def test_a_walk_that_is_cut_says_by_what(chain: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    few = go(chain, ["flour"], items_max=6)
    assert few.cut == "items"
    assert few.items == ("flour", "dough", "bread", "slice0", "slice1", "slice2")
    near = go(chain, ["flour"], depth_max=2)
    assert (near.cut, near.items) == ("depth", ("flour", "dough", "bread"))
    assert go(chain, ["flour"], depth_max=3).cut == ""
    assert go(chain, ["flour"], items_max=13).cut == ""
    monkeypatch.setattr(walk, "WALK_LINKS_MAX", 5)
    cut = go(chain, ["flour"])
    assert cut.cut == "links" and len(cut.links) == 5
    assert cut.items == ("flour", "dough", "bread", "slice0", "slice1", "slice2")


def test_a_ring_ends_the_walk(sqlite_url: str) -> None:
    index = fill(sqlite_url, [("a", "b", 0), ("b", "c", 0), ("c", "a", 0)])
    assert go(index, ["b"]).items == ("b", "c", "a")
    index.close()


def test_links_that_are_over_are_gone_over_only_when_asked(sqlite_url: str) -> None:
    index = fill(sqlite_url, [("crate", "pig", 0), ("truck", "crate", 7), ("box", "ham", 0)])
    assert go(index, ["truck"]).items == ("truck", "crate", "pig")
    now = (Way("links", "source", unless="ended"), Way("links", "target", unless="ended"))
    assert go(index, ["truck"], now).items == ("truck",)
    assert go(index, ["pig"], now).items == ("pig", "crate")
    index.close()


def test_a_walk_may_go_over_several_tables(sqlite_url: str) -> None:
    index = fill(sqlite_url, [("pig", "ham", 0)])
    index.apply((), [write("secret", "x", [("ham", "box", 0)], owner="did:hansa:me")])
    ways = (Way("links", "source"), Way("secrets", "source"))
    me = Viewer("did:hansa:me", ("did:hansa:me",), True)
    for viewer, items in ((me, ("pig", "ham", "box")), (STRANGER, ("pig", "ham"))):
        with open_snapshot(index, "bakery", viewer) as snapshot:
            found = snapshot.walk(["pig"], ways)
        assert found.items == items
        assert [link.table for link in found.links] == ["secrets", "links"][-len(items) + 1 :]
    index.close()


@pytest.mark.parametrize("seed", range(4))
def test_a_walk_is_the_closure_whatever_the_order_of_writing_and_of_statements(
    sqlite_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    pairs = make_pairs(seed, things=60, count=90)
    roots = sorted({pairs[0][0], pairs[1][1]})
    ways = (Way("links", "source"), Way("links", "target", unless="ended"))
    one = fill(sqlite_url, pairs, order=1)
    other = fill(f"sqlite:///{tmp_path}/other.sqlite", pairs, order=2)
    found = go(one, roots, ways)
    assert {each.item: each.depth for each in found.reached} == follow(pairs, roots, ways)
    bounded = go(one, roots, ways, items_max=9)
    monkeypatch.setattr(walk, "WALK_STATEMENT_KEYS", 2)
    assert go(other, roots[::-1], ways) == found
    assert go(other, roots, ways, items_max=9) == bounded
    for index in (one, other):
        index.close()


@pytest.mark.slow
def test_both_databases_walk_alike(
    sqlite_url: str, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        pairs = make_pairs(seed, things=300, count=500)
        roots = [pairs[0][0]]
        ways = (Way("links", "source"), Way("links", "target", unless="ended"))
        lite, big = fill(f"{sqlite_url}{seed}", pairs), fill(make_database(postgres), pairs)
        assert go(lite, roots, ways) == go(big, roots, ways)
        assert go(lite, roots, ways, items_max=40) == go(big, roots, ways, items_max=40)
        monkeypatch.setattr(walk, "WALK_LINKS_MAX", 50)
        assert go(lite, roots, ways) == go(big, roots, ways)
        monkeypatch.undo()
        snapshots = [open_snapshot(each, "bakery", STRANGER) for each in (lite, big)]
        with snapshots[0] as one, snapshots[1] as other:
            names = [pair[0] for pair in pairs]
            rows = one.pick("links", "source", names)
            assert rows == other.pick("links", "source", names) and len(rows) == 500
        for index in (lite, big):
            index.close()


def test_the_digest_differs_when_anything_differs(sqlite_url: str, tmp_path: Any) -> None:
    pairs = [("a", "b", 0), ("b", "c", 0)]
    one = fill(sqlite_url, pairs)
    digests = {go(one, ["a"]).digest, go(one, ["b"]).digest, go(one, ["a"], items_max=2).digest}
    one.apply((), [write("baking", "more", [("a", "c", 0)])])
    digests.add(go(one, ["a"]).digest)
    assert len(digests) == 4
    one.close()


@pytest.mark.slow
def test_an_open_snapshot_sees_nothing_that_is_written_later(database: str) -> None:
    index = fill(database, [("a", "b", 0)])
    with open_snapshot(index, "bakery", STRANGER) as snapshot:
        before = snapshot.walk(["a"], DOWN)
        index.apply((), [write("baking", "later", [("a", "c", 0)])])
        assert snapshot.walk(["a"], DOWN) == before
    assert go(index, ["a"]).items == ("a", "b", "c")
    index.close()


def test_links_of_records_that_one_may_not_read_are_not_there(sqlite_url: str) -> None:
    index = Index.open(sqlite_url, Shape([BAKERY]), "walks")
    mine = write("secret", "x", [("a", "b", 0)], owner="did:hansa:me")
    theirs = write("secret", "y", [("b", "c", 0)], owner="did:hansa:them")
    index.apply((), [mine, theirs])
    me = Viewer("did:hansa:me", ("did:hansa:me",), True)
    for viewer, items in ((me, ("a", "b")), (STRANGER, ("a",))):
        with open_snapshot(index, "bakery", viewer) as snapshot:
            assert snapshot.walk(["a"], (Way("secrets", "source"),)).items == items
            picked = snapshot.pick("secrets", "source", ["a", "b"])
            assert [row["target"] for row in picked] == list(items[1:])
    index.close()


def test_picked_rows_are_bounded_and_in_the_order_of_their_names(chain: Index) -> None:
    with open_snapshot(chain, "bakery", STRANGER) as snapshot:
        rows = snapshot.pick("links", "target", ["slice9", "slice1", "dough"], limit=2)
        own = snapshot.pick("links", "key", ["b0", "b9", "nothing"])
    assert [row["target"] for row in rows] == ["dough", "slice1"]
    assert [row["key"] for row in own] == ["b0", "b0", "b0"]


def test_rows_are_counted_in_groups_with_their_first_and_last_time(sqlite_url: str) -> None:
    pairs = [("b", "x", 3), ("a", "x", 9), ("a", "x", 5), ("a", "y", 1), ("c", "x", 2)]
    index = fill(sqlite_url, pairs)
    with open_snapshot(index, "bakery", STRANGER) as snapshot:
        rows = snapshot.count("links", "source", ["b", "a"], by=("target",), time="ended")
        few = snapshot.count("links", "source", ["b", "a"], by=(), time="ended", limit=1)
    assert rows == [
        {"source": "a", "target": "x", "count": 2, "first": 5, "last": 9},
        {"source": "a", "target": "y", "count": 1, "first": 1, "last": 1},
        {"source": "b", "target": "x", "count": 1, "first": 3, "last": 3},
    ]
    assert few == [{"source": "a", "count": 3, "first": 1, "last": 9}]
    index.close()


def test_a_column_without_an_index_has_none(sqlite_url: str) -> None:
    index = Index.open(sqlite_url, Shape([BAKERY]), "walks")
    table = index.tables.projections[("bakery", "links")]
    leading = sorted(next(iter(each.columns)).name for each in table.indexes)
    assert leading == ["source", "target"]
    index.close()

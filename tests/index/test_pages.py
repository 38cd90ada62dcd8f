"""Keyset pages: complete, in order, without doubles, bounded; totals exact beyond any word size."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select

from hansa.index.limits import SCANNED_MAX
from hansa.index.pages import Branch, Key, Page, Row, collect_page
from hansa.index.projections import Filter, TooManyGroups, compute_totals, list_rows
from hansa.index.records import list_visible
from hansa.index.sight import STRANGER, Viewer
from tests.api.league import ADA, BEA, CAI
from tests.api.parcels import OpenDepot, SendParcel
from tests.index.chain import ChainSource, open_index
from tests.index.test_rebuild import follow_all

ROWS = Table("rows", MetaData(), Column("number", Integer, primary_key=True))


def build_branch(
    numbers: set[int], rows: dict[int, Row], descending: bool, looked: list[int]
) -> Branch:
    def fetch(after: Key | None, count: int) -> Sequence[Row]:
        ordered = sorted(numbers, reverse=descending)
        if after is not None:
            beyond = int(after[0])
            ordered = [n for n in ordered if (n < beyond if descending else n > beyond)]
        looked.append(count)
        return [rows[n] for n in ordered[:count]]

    return Branch(fetch, lambda row: row["number"] % 7 != 0)


def make_rows(numbers: set[int]) -> dict[int, Row]:
    engine = create_engine("sqlite://")
    ROWS.metadata.create_all(engine)
    with engine.begin() as connection:
        if numbers:
            connection.execute(insert(ROWS), [{"number": n} for n in numbers])
        found = connection.execute(select(ROWS)).mappings().all()
    engine.dispose()
    return {row["number"]: row for row in found}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sets(st.integers(0, 300)), min_size=1, max_size=4),
    st.integers(1, 40),
    st.booleans(),
    st.sampled_from([1, 2, 50]),
)
def test_pages_together_are_everything_once_in_order(
    subsets: list[set[int]], limit: int, descending: bool, every: int
) -> None:
    every_number = set().union(*subsets)
    rows = make_rows(every_number)
    branches = [build_branch(subset, rows, descending, []) for subset in subsets]
    met: list[int] = []
    after: Key | None = None
    while True:
        page: Page = collect_page(
            branches,
            key_of=lambda row: (row["number"],),
            keep=lambda row: row["number"] % every == 0,
            after=after,
            limit=limit,
            descending=descending,
        )
        assert len(page.rows) <= limit
        met += [row["number"] for row in page.rows]
        after = page.next
        if after is None:
            break
    wanted = {n for n in every_number if n % 7 and n % every == 0}
    assert met == sorted(wanted, reverse=descending)


def test_a_page_looks_at_a_bounded_number_of_rows() -> None:
    rows = make_rows(set(range(3 * SCANNED_MAX)))
    looked: list[int] = []
    page = collect_page(
        [build_branch(set(rows), rows, False, looked)],
        key_of=lambda row: (row["number"],),
        keep=lambda row: False,
        after=None,
        limit=50,
    )
    assert page.rows == [] and page.next is not None
    assert sum(looked) <= SCANNED_MAX + max(looked)


def test_every_record_is_met_once_while_others_come_and_go(sqlite_url: str) -> None:
    source = ChainSource()
    index = open_index(sqlite_url)
    source.inner.block([source.sign(ADA, *(OpenDepot(id=f"a{n}", city="x") for n in range(90)))])
    follow_all(index, source)
    kind = index.shape.records[("parcels", "depot")]
    met: list[str] = []
    after: str | None = None
    for turn in range(100):
        page = list_visible(index, kind, STRANGER, prefix=kind.prefix, after=after, limit=7)
        met += [row["key"] for row in page.rows]
        more = [OpenDepot(id=f"{letter}{turn}", city="y") for letter in "Zabz"]
        source.inner.block([source.sign(ADA, *more)])
        follow_all(index, source)
        if page.next is None or turn > 60:
            break
        after = str(page.next[0])
    assert len(set(met)) == len(met)
    assert {f"parcels/depot/a{n}" for n in range(90)} <= set(met)
    index.close()


@pytest.fixture
def weighed(database: str) -> Any:
    """Parcels of known weights in either database."""
    source = ChainSource()
    parcels = [
        (ADA, SendParcel(id=f"p{n}", other=BEA.did, note="", grams=grams))
        for n, grams in enumerate([5, 7, 2_000, -2_000, 9_000])
    ]
    parcels.append((CAI, SendParcel(id="q", other=CAI.did, note="", grams=1)))
    for sender, parcel in parcels:
        source.inner.block([source.sign(sender, parcel)])
    index = open_index(database)
    follow_all(index, source)
    yield index
    index.close()


def test_totals_count_what_the_viewer_sees(weighed: Any) -> None:
    kind = weighed.shape.records[("parcels", "parcel")]
    ada = Viewer(ADA.did, (ADA.did,), True)
    options: dict[str, Any] = {"filters": [], "group_by": ["size"], "sums": ["grams"]}
    assert compute_totals(weighed, kind, "parcels", ada, **options) == [
        {"group": {"size": "large"}, "count": 2, "sums": {"grams": 11_000}},
        {"group": {"size": "small"}, "count": 3, "sums": {"grams": -1_988}},
    ]
    chief = Viewer("did:hansa:x", (), True, frozenset({("parcels.inspector", "-")}))
    options["group_by"] = []
    assert compute_totals(weighed, kind, "parcels", chief, **options)[0]["count"] == 6
    assert compute_totals(weighed, kind, "parcels", STRANGER, **options)[0]["count"] == 0


def test_rows_are_filtered_by_value_and_range(weighed: Any) -> None:
    kind = weighed.shape.records[("parcels", "parcel")]
    ada = Viewer(ADA.did, (ADA.did,), True)

    def ids(*filters: Filter) -> list[str]:
        page = list_rows(weighed, kind, "parcels", ada, filters=filters, after=None, limit=50)
        return [row["id"] for row in page.rows]

    assert ids(Filter("size", "is", "large")) == ["p2", "p4"]
    assert ids(Filter("grams", "min", 7), Filter("grams", "max", 2_000)) == ["p1", "p2"]
    assert ids(Filter("id", "is", "q")) == []


def test_a_filter_that_no_index_serves_looks_at_a_bounded_number_of_rows(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hansa.index.pages.SCANNED_MAX", 40)
    source = ChainSource()
    sent = [SendParcel(id=f"p{n:03}", other=BEA.did, note="", grams=n) for n in range(90)]
    source.inner.block([source.sign(ADA, *sent)])
    index = open_index(database)
    follow_all(index, source)
    kind = index.shape.records[("parcels", "parcel")]
    ada = Viewer(ADA.did, (ADA.did,), True)

    def pages(*filters: Filter) -> list[list[str]]:
        found: list[list[str]] = []
        after: Key | None = None
        while after is not None or not found:
            options: Any = {"filters": filters, "after": after, "limit": 5}
            page = list_rows(index, kind, "parcels", ada, **options)
            found.append([row["id"] for row in page.rows])
            after = page.next
        return found

    assert pages(Filter("grams", "is", 88)) == [[], ["p088"]]
    assert pages(Filter("grams", "min", 85), Filter("grams", "max", 86))[-1] == ["p085", "p086"]
    assert pages(Filter("id", "is", "p088"), Filter("grams", "min", 5)) == [["p088"]]
    index.close()


def test_a_record_may_have_several_rows_and_pages_meet_each_once(weighed: Any) -> None:
    kind = weighed.shape.records[("parcels", "parcel")]
    ada = Viewer(ADA.did, (ADA.did,), True)
    met: list[tuple[str, str]] = []
    after = None
    for _page in range(20):
        page = list_rows(weighed, kind, "halves", ada, filters=[], after=after, limit=2)
        met += [(row["id"], row["half"]) for row in page.rows]
        after = page.next
        if after is None:
            break
    assert met == [
        ("p0", "first"),
        ("p1", "first"),
        ("p2", "first"),
        ("p2", "second"),
        ("p3", "first"),
        ("p4", "first"),
        ("p4", "second"),
    ]
    options: dict[str, Any] = {"filters": [], "group_by": ["half"], "sums": ["grams"]}
    assert compute_totals(weighed, kind, "halves", ada, **options) == [
        {"group": {"half": "first"}, "count": 5, "sums": {"grams": 2 + 3 + 1_000 - 1_000 + 4_500}},
        {"group": {"half": "second"}, "count": 2, "sums": {"grams": 1_000 + 4_500}},
    ]


def test_totals_are_exact_beyond_64_bits(database: str) -> None:
    source = ChainSource()
    index = open_index(database)
    follow_all(index, source)
    kind = index.shape.records[("parcels", "parcel")]
    table = index.tables.projections[("parcels", "parcels")]
    grams = [2**63 - 1, 2**63 - 1, 2**62 + 5, -(2**63) + 1, 3]
    with index.engine.begin() as connection:
        rows = [
            {
                "key": f"parcels/parcel/{n}",
                "line": 0,
                "id": "",
                "size": "",
                "owner": "",
                "grams": each,
            }
            for n, each in enumerate(grams)
        ]
        connection.execute(insert(table), rows)
    chief = Viewer("did:hansa:x", (), True, frozenset({("parcels.inspector", "-")}))
    found = compute_totals(index, kind, "parcels", chief, filters=[], group_by=[], sums=["grams"])
    assert found == [{"group": {}, "count": len(grams), "sums": {"grams": sum(grams)}}]
    index.close()


def test_rows_are_counted_where_nothing_is_summed(sqlite_url: str) -> None:
    index = open_index(sqlite_url)
    kind = index.shape.records[("parcels", "parcel")]
    chief = Viewer("did:hansa:x", (), True, frozenset({("parcels.inspector", "-")}))
    found = compute_totals(index, kind, "parcels", chief, filters=[], group_by=[], sums=[])
    assert found == [{"group": {}, "count": 0, "sums": {}}]
    index.close()


def test_too_many_groups_are_refused(sqlite_url: str) -> None:
    index = open_index(sqlite_url)
    kind = index.shape.records[("parcels", "parcel")]
    table = index.tables.projections[("parcels", "parcels")]
    with index.engine.begin() as connection:
        rows = [
            {
                "key": f"parcels/parcel/{n}",
                "line": 0,
                "id": f"{n}",
                "size": "",
                "owner": "",
                "grams": 0,
            }
            for n in range(1_001)
        ]
        connection.execute(insert(table), rows)
    chief = Viewer("did:hansa:x", (), True, frozenset({("parcels.inspector", "-")}))
    with pytest.raises(TooManyGroups):
        compute_totals(index, kind, "parcels", chief, filters=[], group_by=["id"], sums=[])
    index.close()

"""Recall and trace-back: all of it, nothing else, who has it, the same from everywhere (I10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.apps.food_trace.trace import recall
from hansa.apps.food_trace.trace.origins import build_trace_back
from hansa.apps.food_trace.trace.recall import Holding, build_recall
from hansa.apps.food_trace.views.trail import find_level
from tests.apps.food_trace.trace.conftest import (
    ABATTOIR,
    CRATE,
    DUMPLING,
    FARM,
    GOOD_CRATE,
    GOOD_LOIN,
    GOOD_PIGS,
    GOOD_SAUSAGE,
    LOIN,
    MAKER,
    PALLET,
    PIGS,
    SALT,
    SAUSAGE,
    SHOP,
    STORE,
)
from tests.apps.food_trace.trace.shelf import HOUR, Shelf, lot, unit


def test_a_recall_is_whatever_was_made_of_it_and_nothing_else(shelf: Shelf) -> None:
    with shelf.open() as snapshot:
        found = build_recall(snapshot, [PIGS])
    assert [(each.item, each.steps) for each in found.affected] == [
        (PIGS, 0),
        (LOIN, 1),
        (SAUSAGE, 2),
        (DUMPLING, 3),
    ]
    assert found.cut == "" and found.roots == (PIGS,)


def test_what_shares_a_unit_with_it_is_not_recalled_and_what_is_in_a_recalled_unit_is(
    shelf: Shelf,
) -> None:
    shelf.pack(12, "shop", SHOP, CRATE, GOOD_SAUSAGE)
    with shelf.open() as snapshot:
        pigs = build_recall(snapshot, [PIGS])
        crate = build_recall(snapshot, [CRATE])
    assert GOOD_SAUSAGE not in [each.item for each in pigs.affected]
    assert [each.item for each in crate.affected] == [CRATE, GOOD_SAUSAGE, SAUSAGE, DUMPLING]


def test_a_class_without_a_lot_leads_nowhere(shelf: Shelf) -> None:
    """Scraps of any making go into any other: nobody knows which."""
    scraps, pie = "01.09521000000018", lot(7, "PIE")
    shelf.make(12, "maker", MAKER, (SAUSAGE,), (scraps,))
    shelf.make(13, "maker", MAKER, (scraps, GOOD_LOIN), (pie,))
    with shelf.open() as snapshot:
        affected = {each.item for each in build_recall(snapshot, [PIGS]).affected}
        back = build_trace_back(snapshot, [pie])
    assert pie not in affected
    assert {each.item for each in back.ancestors} == {pie, scraps, GOOD_LOIN, GOOD_PIGS}


@pytest.mark.parametrize(
    ("item", "level"),
    [
        ("01.09521000000018.21.7", "instance"),
        ("01.09521000000018.10.L", "lot"),
        ("01.09521000000018", "class"),
        ("00.095210000000000017", "instance"),
        ("8003.09521000000018X1", "instance"),
        ("8003.09521000000018", "class"),
        ("~urn:example:1", ""),
        ("~#00", ""),
        ("nonsense", ""),
    ],
)
def test_what_an_identifier_names_is_seen_by_its_form(item: str, level: str) -> None:
    assert find_level(item) == level


def test_a_recall_says_who_had_each_lot_and_where_the_units_are_that_it_is_in(shelf: Shelf) -> None:
    with shelf.open() as snapshot:
        found = build_recall(snapshot, [SAUSAGE])
    by_place = {(each.place, each.item): each for each in found.holdings}
    assert by_place[(MAKER, SAUSAGE)].status == "seen"
    assert by_place[(MAKER, SAUSAGE)].first_ms == 4 * HOUR
    assert by_place[(MAKER, SAUSAGE)].last_ms == 6 * HOUR
    assert by_place[(STORE, SAUSAGE)].events == 2
    assert by_place[(SHOP, CRATE)] == Holding(
        member="did:hansa:shop",
        place=SHOP,
        item=CRATE,
        status="inside",
        first_ms=None,
        last_ms=10 * HOUR,
        events=2,
        contents=(SAUSAGE,),
    )
    assert PALLET not in {each.item for each in found.holdings}  # nothing of it is in there now
    assert GOOD_CRATE not in {each.item for each in found.holdings}


def test_what_is_in_a_unit_in_a_unit_is_where_the_outermost_is(shelf: Shelf) -> None:
    shelf.pack(12, "haulier", STORE, unit(9), CRATE)
    with shelf.open() as snapshot:
        found = build_recall(snapshot, [SAUSAGE])
    inside = [each for each in found.holdings if each.status == "inside"]
    assert [(each.item, each.member, each.contents) for each in inside] == [
        (unit(9), "did:hansa:haulier", (SAUSAGE,))
    ]


def test_objects_are_here_inside_or_ended(shelf: Shelf) -> None:
    ham, gone, packed = (f"01.00000000000006.21.{name}" for name in ("HAM", "GONE", "PACKED"))
    shelf.make(12, "maker", MAKER, (SAUSAGE,), (ham, gone, packed))
    shelf.step(13, "shop", action="DELETE", place=SHOP, items=(gone,))
    shelf.pack(13, "maker", MAKER, unit(8), packed)
    with shelf.open() as snapshot:
        found = build_recall(snapshot, [LOIN])
    stands = {(each.item, each.status, each.place) for each in found.holdings}
    assert {(ham, "here", MAKER), (gone, "ended", SHOP), (unit(8), "inside", MAKER)} <= stands
    assert packed not in {each.item for each in found.holdings}


def test_a_recall_that_is_too_large_says_so(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    with shelf.open() as snapshot:
        assert build_recall(snapshot, [PIGS], items_max=3).cut == "items"
        assert build_recall(snapshot, [PIGS], items_max=100).cut == ""
        assert build_recall(snapshot, [PIGS, GOOD_PIGS]).cut == ""
        monkeypatch.setattr(recall, "HOLDINGS_MAX", 2)
        found = build_recall(snapshot, [PIGS])
        assert found.cut == "rows" and len(found.affected) == 4


def test_a_trace_back_is_whatever_it_was_made_of_down_to_its_origins(shelf: Shelf) -> None:
    with shelf.open() as snapshot:
        found = build_trace_back(snapshot, [DUMPLING])
    assert [(each.item, each.steps) for each in found.ancestors] == [
        (DUMPLING, 0),
        (SAUSAGE, 1),
        (LOIN, 2),
        (SALT, 2),
        (PIGS, 3),
    ]
    origins = {each.item: each for each in found.origins}
    assert set(origins) == {PIGS, SALT}
    assert origins[PIGS].made_at == FARM and not origins[PIGS].is_outside
    assert origins[SALT].is_outside
    loin = next(each for each in found.ancestors if each.item == LOIN)
    assert (loin.made_at, loin.made_by) == (ABATTOIR, "did:hansa:abattoir")


def test_a_unit_is_traced_back_to_what_is_or_was_in_it(shelf: Shelf) -> None:
    with shelf.open() as snapshot:
        crate = build_trace_back(snapshot, [CRATE])
        pallet = build_trace_back(snapshot, [PALLET])
    assert {each.item for each in crate.ancestors} == {CRATE, SAUSAGE, LOIN, SALT, PIGS}
    assert {each.item for each in pallet.ancestors} == {PALLET, SAUSAGE, LOIN, SALT, PIGS}
    assert not crate.ancestors[0].is_origin


def test_trace_back_and_recall_are_each_others_reverse(shelf: Shelf) -> None:
    lots = [PIGS, GOOD_PIGS, LOIN, GOOD_LOIN, SALT, SAUSAGE, GOOD_SAUSAGE, DUMPLING]
    with shelf.open() as snapshot:
        down = {each: build_recall(snapshot, [each]) for each in lots}
        up = {each: build_trace_back(snapshot, [each]) for each in lots}
    for one in lots:
        for other in lots:
            reached = other in {each.item for each in down[one].affected}
            assert reached == (one in {each.item for each in up[other].ancestors})


def test_an_item_that_is_not_there_has_no_lineage(shelf: Shelf) -> None:
    with shelf.open() as snapshot:
        found = build_recall(snapshot, ["01.00000000000099.10.NO"])
        back = build_trace_back(snapshot, ["01.00000000000099.10.NO"])
    assert [each.level for each in found.affected] == [""] and not found.holdings
    assert back.origins[0].is_outside


@given(st.from_regex(r"[A-Za-z0-9._:~#+-]{1,60}", fullmatch=True))
def test_whatever_stands_in_a_record_has_a_level(item: str) -> None:
    assert find_level(item) in ("instance", "lot", "class", "")

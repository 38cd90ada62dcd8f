"""Labels: origin, path, results, and whether it is stopped, as the contract's own walk finds it."""

import pytest

from hansa.apps.food_trace.trace import carriage, label
from hansa.apps.food_trace.trace.label import build_label
from tests.apps.food_trace.trace.conftest import (
    ABATTOIR,
    CRATE,
    DUMPLING,
    FARM,
    LOIN,
    MAKER,
    OTHER_SHOP,
    PALLET,
    PIGS,
    SALT,
    SAUSAGE,
    SHOP,
    STORE,
)
from tests.apps.food_trace.trace.shelf import HOUR, Shelf

COLD = {"kind": "cold_chain", "source": "E1"}


def state(shelf: Shelf, item: str) -> str:
    with shelf.open() as snapshot:
        return build_label(snapshot, item).state


def test_a_label_tells_the_way_from_the_farm_to_the_shop(shelf: Shelf) -> None:
    with shelf.open() as snapshot:
        found = build_label(snapshot, SAUSAGE)
    assert [each.place for each in found.path] == [FARM, ABATTOIR, MAKER, STORE, SHOP]
    farm, _abattoir, maker, store, shop = found.path
    assert (farm.items, farm.is_own, farm.first_ms) == ((PIGS,), False, HOUR)
    assert (maker.is_own, maker.first_ms, maker.last_ms) == (True, 4 * HOUR, 6 * HOUR)
    assert maker.biz_steps == ("creating_class_instance", "packing")
    assert store.items == (PALLET, CRATE, SAUSAGE)
    assert (shop.items, shop.is_own, shop.biz_steps) == ((CRATE,), False, ("receiving",))
    assert {each.item for each in found.origins} == {PIGS, SALT}
    assert (found.made_at, found.made_ms, found.level) == (MAKER, 4 * HOUR, "lot")


def test_where_a_unit_was_before_and_after_is_not_the_way_of_what_was_in_it(shelf: Shelf) -> None:
    shelf.step(12, "other", place=OTHER_SHOP, items=(PALLET,))
    with shelf.open() as snapshot:
        places = [each.place for each in build_label(snapshot, SAUSAGE).path]
    assert OTHER_SHOP not in places


def test_where_other_amounts_of_its_ingredients_went_is_not_its_way(shelf: Shelf) -> None:
    shelf.step(12, "other", place=OTHER_SHOP, items=(SAUSAGE,))
    with shelf.open() as snapshot:
        path = build_label(snapshot, DUMPLING).path
    assert [each.place for each in path] == [FARM, ABATTOIR, MAKER]


def test_a_label_shows_results_of_all_that_it_was_made_of(shelf: Shelf) -> None:
    shelf.result(LOIN, "pass")
    shelf.result(DUMPLING, "pass")
    with shelf.open() as snapshot:
        assert [each.item for each in build_label(snapshot, SAUSAGE).results] == [LOIN]


def test_a_flag_above_stops_it_and_a_recall_recalls_it(shelf: Shelf) -> None:
    assert state(shelf, DUMPLING) == "clear"
    shelf.flag(DUMPLING, 1, "laboratory")
    assert (state(shelf, SAUSAGE), state(shelf, DUMPLING)) == ("clear", "stopped")
    shelf.flag(PIGS, 2)
    with shelf.open() as snapshot:
        found = build_label(snapshot, DUMPLING)
    assert found.state == "recalled"
    assert [(each.item, each.status) for each in found.notices] == [
        (DUMPLING, "OPEN"),
        (PIGS, "OPEN"),
    ]
    assert state(shelf, "01.00000000000099.10.NO") == "unknown"


def test_a_closed_flag_stops_nothing_and_is_shown(shelf: Shelf) -> None:
    shelf.flag(PIGS, 1, closed=4, closed_ms=HOUR, reason="completed")
    with shelf.open() as snapshot:
        found = build_label(snapshot, DUMPLING)
    assert (found.state, [each.status for each in found.notices]) == ("clear", ["CLOSED"])


def test_an_item_that_was_released_on_the_way_passes_no_flag_on(shelf: Shelf) -> None:
    shelf.flag(PIGS, 1)
    shelf.change(SAUSAGE, cleared=1)
    assert (state(shelf, LOIN), state(shelf, SAUSAGE)) == ("recalled", "clear")
    assert state(shelf, DUMPLING) == "clear"
    shelf.make(12, "maker", MAKER, (LOIN,), (DUMPLING,))
    assert state(shelf, DUMPLING) == "recalled"  # another way round the one that was released


def test_a_flag_after_the_release_stops_again(shelf: Shelf) -> None:
    shelf.flag(PIGS, 1)
    shelf.change(SAUSAGE, cleared=1)
    shelf.flag(LOIN, 2)
    assert state(shelf, DUMPLING) == "recalled"


def test_an_excursion_reaches_what_was_inside_then_and_what_was_made_of_it(shelf: Shelf) -> None:
    shelf.flag(PALLET, 1, since_ms=7 * HOUR, until_ms=7 * HOUR, **COLD)
    assert state(shelf, SAUSAGE) == "stopped"
    assert state(shelf, DUMPLING) == "stopped"
    assert state(shelf, LOIN) == "clear"


def test_an_excursion_before_or_after_the_stay_does_not_reach_it(shelf: Shelf) -> None:
    shelf.flag(PALLET, 1, since_ms=5 * HOUR, until_ms=5 * HOUR, **COLD)
    shelf.flag(PALLET, 2, since_ms=9 * HOUR, until_ms=10 * HOUR, **COLD)
    assert state(shelf, SAUSAGE) == "clear"


def test_an_excursion_of_another_product_in_the_unit_does_not_reach_it(shelf: Shelf) -> None:
    now = 7 * HOUR
    shelf.flag(PALLET, 1, product=PIGS[:17], since_ms=now, until_ms=now, **COLD)
    assert state(shelf, SAUSAGE) == "clear"
    shelf.flag(PALLET, 2, product=SAUSAGE[:17], since_ms=now, until_ms=now, **COLD)
    assert state(shelf, SAUSAGE) == "stopped"


def test_a_missing_unit_stops_what_is_still_in_it(shelf: Shelf) -> None:
    shelf.flag(PALLET, 1, "missing")
    assert state(shelf, SAUSAGE) == "clear"
    shelf.flag(CRATE, 2, "missing")
    assert state(shelf, SAUSAGE) == "stopped"


def test_a_label_that_could_not_look_at_all_does_not_say_clear(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label, "LABEL_ITEMS_MAX", 3)
    with shelf.open() as snapshot:
        found = build_label(snapshot, DUMPLING)
    assert (found.state, found.cut) == ("unknown", "items")
    shelf.flag(SAUSAGE, 1)
    assert state(shelf, DUMPLING) == "recalled"
    monkeypatch.undo()
    monkeypatch.setattr(carriage, "UNITS_MAX", 1)
    with shelf.open() as snapshot:
        found = build_label(snapshot, SAUSAGE)
    assert found.cut == "items"


def test_a_path_that_is_not_whole_says_so(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label, "STOPS_MAX", 2)
    with shelf.open() as snapshot:
        found = build_label(snapshot, SAUSAGE)
    assert (found.state, found.cut, len(found.path)) == ("clear", "rows", 2)

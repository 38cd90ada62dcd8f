"""A food chain on a shelf: one bad lot of pork, what became of it, and another that is good."""

from pathlib import Path

import pytest

from tests.apps.food_trace.trace.shelf import Shelf, lot, place, unit

PIGS, GOOD_PIGS = lot(1, "PIGS"), lot(1, "GOOD")
LOIN, GOOD_LOIN = lot(2, "LOIN"), lot(2, "GOOD")
SALT = lot(3, "SALT")
SAUSAGE, GOOD_SAUSAGE = lot(4, "SAUSAGE"), lot(4, "GOOD")
DUMPLING = lot(5, "DUMPLING")
PALLET, CRATE, GOOD_CRATE = unit(1), unit(2), unit(3)
FARM, ABATTOIR, MAKER, STORE, SHOP, OTHER_SHOP = map(place, range(1, 7))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Pigs to loin to sausages (with salt) to dumplings; a pallet unpacked, a crate still whole."""
    made = Shelf(f"sqlite:///{tmp_path}/shelf.sqlite")
    for pigs in (PIGS, GOOD_PIGS):
        made.step(1, "farm", action="ADD", biz_step="commissioning", place=FARM, items=(pigs,))
    made.make(2, "abattoir", ABATTOIR, (PIGS,), (LOIN,))
    made.make(3, "abattoir", ABATTOIR, (GOOD_PIGS,), (GOOD_LOIN,))
    made.step(3, "maker", biz_step="receiving", place=MAKER, items=(LOIN, GOOD_LOIN, SALT))
    made.make(4, "maker", MAKER, (LOIN, SALT), (SAUSAGE,))
    made.make(4, "maker", MAKER, (GOOD_LOIN, SALT), (GOOD_SAUSAGE,))
    made.make(5, "maker", MAKER, (SAUSAGE,), (DUMPLING,))
    made.pack(6, "maker", MAKER, PALLET, SAUSAGE)
    made.step(7, "store", biz_step="storing", place=STORE, items=(PALLET,))
    made.unpack(8, "store", STORE, PALLET, SAUSAGE)
    made.pack(9, "store", STORE, CRATE, SAUSAGE)
    made.pack(9, "store", STORE, GOOD_CRATE, GOOD_SAUSAGE)
    made.step(10, "shop", biz_step="receiving", place=SHOP, items=(CRATE,))
    made.step(11, "other", biz_step="receiving", place=OTHER_SHOP, items=(GOOD_CRATE,))
    return made

"""The graph around an item, the check of its trail, and the names that people give items."""

import msgspec
import pytest

from hansa.apps.food_trace.faults import BadCheckDigit
from hansa.apps.food_trace.model import Item
from hansa.apps.food_trace.trace.completeness import check_trail
from hansa.apps.food_trace.trace.lineage import Graph, build_lineage
from hansa.apps.food_trace.trace.naming import NoSuchName, read_item
from tests.apps.food_trace.trace.conftest import (
    CRATE,
    DUMPLING,
    GOOD_SAUSAGE,
    LOIN,
    MAKER,
    PIGS,
    SALT,
    SAUSAGE,
)
from tests.apps.food_trace.trace.shelf import HOUR, Shelf


def graph(shelf: Shelf, item: str, **steps: int) -> Graph:
    with shelf.open() as snapshot:
        return build_lineage(snapshot, item, **steps)


def test_a_graph_has_what_is_above_and_below_with_makings_between(shelf: Shelf) -> None:
    found = graph(shelf, SAUSAGE)
    ranks = {node.id: node.rank for node in found.nodes if node.kind == "item"}
    assert ranks == {PIGS: -4, LOIN: -2, SALT: -2, SAUSAGE: 0, DUMPLING: 2}
    makings = [node for node in found.nodes if node.kind == "making"]
    assert [node.rank for node in makings] == [-3, -1, 1]
    assert (makings[1].place, makings[1].time_ms) == (MAKER, 4 * HOUR)
    names = {node.id for node in found.nodes}
    assert all({edge.source, edge.target} <= names for edge in found.edges)
    assert len(found.edges) == 7 and found.cut == ""


def test_a_graph_goes_as_far_as_it_was_asked_and_says_that_there_is_more(shelf: Shelf) -> None:
    near = graph(shelf, SAUSAGE, up=1, down=0)
    assert {node.id for node in near.nodes if node.kind == "item"} == {SAUSAGE, LOIN, SALT}
    assert near.cut == "depth"
    assert graph(shelf, SAUSAGE, up=2, down=1).cut == ""


def test_a_graph_of_too_many_nodes_is_cut(shelf: Shelf) -> None:
    found = graph(shelf, SALT, nodes_max=3)
    assert found.cut == "items" and len(found.nodes) == 3
    assert GOOD_SAUSAGE in {node.id for node in graph(shelf, SALT).nodes}


def test_what_is_in_a_unit_goes_into_it(shelf: Shelf) -> None:
    edges = {(each.source, each.target, each.kind) for each in graph(shelf, CRATE).edges}
    assert (SAUSAGE, CRATE, "packed") in edges


def test_a_trail_is_complete_with_all_its_steps_only(shelf: Shelf) -> None:
    item, steps = shelf.item(SAUSAGE), shelf.steps[SAUSAGE]
    assert check_trail(item, steps[::-1]).is_complete
    for number in range(len(steps)):
        assert not check_trail(item, steps[:number] + steps[number + 1 :]).is_complete
    other = shelf.steps[PIGS][0]
    assert not check_trail(item, [*steps, other]).is_complete
    hidden = msgspec.structs.replace(steps[1], place="~urn:hansa:hidden:x")
    assert not check_trail(item, [steps[0], hidden, *steps[2:]]).is_complete
    withdrawn = msgspec.structs.replace(steps[1], withdrawn="x#error")
    assert check_trail(item, [steps[0], withdrawn, *steps[2:]]).is_complete
    assert check_trail(Item(id="x", level="lot", product=""), []).is_complete


@pytest.mark.parametrize(
    "text",
    [
        "urn:epc:class:lgtin:9521000.000001.L1",
        "https://id.gs1.org/01/09521000000018/10/L1",
        "https://shop.example/food/01/09521000000018/10/L1?x=1",
        "/01/09521000000018/10/L1",
        "01.09521000000018.10.L1",
        " 01/09521000000018/10/L1 ",
    ],
)
def test_an_item_has_one_name_however_people_write_it(text: str) -> None:
    assert read_item(text) == "01.09521000000018.10.L1"


@pytest.mark.parametrize("text", ["", "a b", "01/x/y", "x/../y", "食", "a" * 129, "%00"])
def test_what_names_no_item_is_refused(text: str) -> None:
    with pytest.raises(NoSuchName):
        read_item(text)


def test_a_wrong_check_digit_is_told() -> None:
    with pytest.raises(BadCheckDigit):
        read_item("01/09521000000012/10/L1")

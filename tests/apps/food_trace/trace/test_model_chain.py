"""The model food chain: the contract takes all of it, tracing finds what went into what, and the
measurement's records are the contract's own.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.identifiers import element_of
from hansa.apps.food_trace.model import messages as m
from hansa.apps.food_trace.trace.label import build_label
from hansa.apps.food_trace.trace.origins import build_trace_back
from hansa.apps.food_trace.trace.recall import build_recall
from hansa.catalog import load_applications
from hansa.cli.bench.food_records import FoodRecords
from hansa.cli.demo.food.chain import FoodChain
from hansa.cli.demo.food.firms import PROVINCE
from hansa.cli.demo.food.writing import write_document, write_normal, write_object
from hansa.index.shape import Shape
from hansa.index.sight import STRANGER
from hansa.index.store import Index
from hansa.index.walk import open_snapshot
from tests.apps.food_trace.trace.model_chain import APP, AUTHORITY, ModelLeague

EVENTS = 500
# What the measurement leaves out: who awaits what.
TABLES = ("event_items", "events", "event_terms", "readings", "links", "stays", "items")


def test_the_same_seed_writes_the_same_events_and_another_others() -> None:
    one, same, other = (list(FoodChain(seed, PROVINCE).run(200)) for seed in (4, 4, 5))
    assert [each.event for each in one] == [each.event for each in same]
    assert [each.event for each in one] != [each.event for each in other]
    times = [each.time_ms for each in one]
    assert times == sorted(times)


def test_every_event_is_valid_and_written_in_the_normal_form() -> None:
    captured = list(FoodChain(2, PROVINCE).run(250))
    document = write_document([each.event for each in captured], captured[-1].time_ms)
    read = read_document(json.dumps(document).encode())
    assert not list(read.all_failures())
    for each, normal in zip(captured, read.events, strict=True):
        ours = write_normal(each.event)
        cut = ours.index('"eventID"'), normal.document.index('"eventID"')
        assert ours[: cut[0]] == normal.document[: cut[1]]
        assert ours.partition("CBV2.0")[2] == normal.document.partition("CBV2.0")[2]


@pytest.fixture(scope="module")
def league() -> ModelLeague:
    made = ModelLeague()
    made.run(made.food.run(EVENTS))
    return made


def read_rows(index: Index, name: str) -> list[dict[str, Any]]:
    table = index.tables.projections[(APP, name)]
    with index.reading() as connection:
        found = connection.execute(select(table).order_by(table.c.key, table.c.line)).mappings()
        return [dict(row) for row in found]


@pytest.mark.slow
def test_the_measurements_records_are_those_that_the_contract_writes(
    league: ModelLeague, tmp_path: Path
) -> None:
    real = league.follow(f"sqlite:///{tmp_path}/real.sqlite", load_applications())
    records = FoodRecords(league.members())
    captures = {row["number"]: row for row in read_rows(real, "events")}
    again = FoodChain(1, start_ms=league.chain.genesis.time_ms - 10**9)
    for number, captured in enumerate(again.run(EVENTS), start=1):
        row = captures[number]
        records.add(captured, row["height"], row["recorded_ms"])
    ours = Index.open(f"sqlite:///{tmp_path}/ours.sqlite", Shape(load_applications()), "ours")
    ours.apply((), records.take())
    for name in TABLES:
        assert read_rows(ours, name) == read_rows(real, name), name
    for index in (real, ours):
        index.close()


@pytest.mark.slow
def test_tracing_finds_what_went_into_what(league: ModelLeague, tmp_path: Path) -> None:
    made = {
        element_of(lot): {element_of(each) for each in inputs}
        for lot, inputs in league.food.made_of.items()
    }
    index = league.follow(f"sqlite:///{tmp_path}/index.sqlite", load_applications())
    lots = sorted({*made, *set().union(*made.values())})
    with open_snapshot(index, APP, STRANGER) as snapshot:
        for lot in lots:
            above = {each.item for each in build_trace_back(snapshot, [lot]).ancestors}
            assert above == close(lot, made)
            below = {each.item for each in build_recall(snapshot, [lot]).affected}
            assert below == {other for other in lots if lot in close(other, made)}
    index.close()


def close(lot: str, made: dict[str, set[str]]) -> set[str]:
    found, waiting = {lot}, [lot]
    while waiting:
        for each in made.get(waiting.pop(), ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found


@pytest.mark.slow
def test_what_a_label_says_is_what_the_contract_does(tmp_path: Path) -> None:
    """Recall the spice: what the contract refuses to ship or sell, labels show as recalled."""
    league = ModelLeague(seed=3)
    league.run(league.food.run(EVENTS))
    spice = element_of(league.food.spices[0])
    league.tell(AUTHORITY, m.OpenRecall(recall="R1", items=(spice,), reason="chemical"))
    index = league.follow(f"sqlite:///{tmp_path}/index.sqlite", load_applications())
    with open_snapshot(index, APP, STRANGER) as snapshot:
        recall = build_recall(snapshot, [spice])
        states = {
            element_of(lot): build_label(snapshot, element_of(lot)).state
            for lot in league.food.made_of
        }
    affected = {each.item for each in recall.affected}
    assert {lot for lot, state in states.items() if state == "recalled"} == affected - {spice}
    codes = {}
    for number, lot in enumerate(league.food.made_of):
        firm = next(each for each in league.food.firms if f":{each.prefix}." in lot)
        time_ms = league.chain.time_ms - 1_000 + number
        event = write_object(time_ms, "OBSERVE", "shipping", firm.site, [(lot, 1)])
        message = m.CaptureEvent(document=write_normal(event))
        codes[element_of(lot)] = league.send(firm.name, message)
    assert {lot for lot, code in codes.items() if code == "recalled"} == affected - {spice}
    assert "ok" in codes.values()
    index.close()

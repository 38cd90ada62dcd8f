"""`hansa bench food`: fills, asks, counts; its report says what was found."""

from pathlib import Path

import pytest

from hansa.cli.bench.command import hide_password
from hansa.cli.bench.figures import Percentiles
from hansa.cli.bench.food_capture import measure_capture
from hansa.cli.bench.food_index import FoodModel
from hansa.cli.bench.food_report import FoodReport, Question, format_food
from hansa.cli.bench.machine import describe_machine, read_load


def hear(_text: str) -> None:
    pass


def make_question(most: float) -> Question:
    times = Percentiles(count=2, p50=0.1, p95=most, p99=most, most=most)
    return Question(
        name="recall",
        wall=times,
        cpu=times,
        found_median=3,
        found_most=4,
        lines_median=5,
        lines_most=6,
        bytes_most=2_048,
        cut=0,
    )


@pytest.mark.slow
def test_every_question_is_asked_of_a_filled_read_model(tmp_path: Path) -> None:
    model = FoodModel(f"sqlite:///{tmp_path}/food.sqlite")
    filled = model.fill(1_200, hear)
    questions = model.ask(3, hear)
    model.close()
    assert (filled.events, filled.rows["events"]) == (1_200, 1_200)
    assert filled.items == filled.rows["items"] > 100
    assert {each.wall.count for each in questions} == {3}
    assert all(each.found_most and not each.cut for each in questions)
    report = FoodReport(
        command="hansa bench food",
        began="2026-01-01",
        took_s=1.0,
        machine=describe_machine(tmp_path),
        versions={},
        load_before=read_load(),
        load_after=read_load(),
        filled=filled,
        questions=questions,
        capture=None,
    )
    told = format_food(report)
    assert all(each.name in told for each in questions) and "1,200 events" in told


@pytest.mark.slow
def test_capture_and_invoices_are_counted_on_one_node(tmp_path: Path) -> None:
    found = measure_capture(tmp_path, 1)
    assert found.invoices.transactions == found.events.transactions > 0
    assert set(found.invoices.stages) == set(found.events.stages)
    assert found.ratio > 0 and found.read_us > 0


def test_an_answer_that_takes_a_second_misses_the_goal() -> None:
    assert make_question(0.999).is_met
    assert not make_question(1.0).is_met


def test_a_kept_measurement_has_no_password() -> None:
    url = "postgresql+pg8000://me:s3cret@db.example/food?x=1"
    shown = hide_password(f"hansa bench food --database '{url}' --quick", url)
    assert "s3cret" not in shown and "me:***@db.example/food" in shown
    assert hide_password("hansa bench food", "") == "hansa bench food"

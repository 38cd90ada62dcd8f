"""Exact decimals: units of one kind are one unit, and degrees of three scales compare exactly."""

import pytest

from hansa.apps.food_trace.contract.balance import is_exceeded
from hansa.apps.food_trace.contract.units import (
    add,
    compare_readings,
    format_number,
    is_more,
    subtract,
    to_sum_unit,
)


@pytest.mark.parametrize(
    ("amount", "scale", "uom", "expected"),
    [
        (1_500, 0, "GRM", (15, 1, "KGM")),
        (2, 0, "TNE", (2_000, 0, "KGM")),
        (1, 0, "LBR", (45_359_237, 8, "KGM")),
        (250, 0, "MLT", (25, 2, "LTR")),
        (3, 0, "MTQ", (3_000, 0, "LTR")),
        (12, 0, "H87", (12, 0, "")),
        (7, 0, "XBX", (7, 0, "XBX")),
        (0, 3, "KGM", (0, 0, "KGM")),
    ],
)
def test_units_of_one_kind_are_one(
    amount: int, scale: int, uom: str, expected: tuple[int, int, str]
) -> None:
    assert to_sum_unit(amount, scale, uom) == expected


def test_sums_are_exact() -> None:
    assert add((1, 1), (2, 2)) == (12, 2)
    assert subtract((1, 0), (1, 3)) == (999, 3)
    assert is_more((1001, 3), (1, 0))
    assert not is_more((1000, 3), (1, 0))


@pytest.mark.parametrize(
    ("number", "text"), [((125, 1), "12.5"), ((-5, 2), "-0.05"), ((7, 0), "7"), ((0, 0), "0")]
)
def test_numbers_are_written_as_people_do(number: tuple[int, int], text: str) -> None:
    assert format_number(number) == text


@pytest.mark.parametrize(
    ("reading", "uom", "bound", "bound_uom", "order"),
    [
        ((392, 1), "FAH", (4, 0), "CEL", 0),
        ((393, 1), "FAH", (4, 0), "CEL", 1),
        ((27_315, 2), "KEL", (0, 0), "CEL", 0),
        ((-40, 0), "FAH", (-40, 0), "CEL", 0),
        ((-401, 1), "FAH", (-40, 0), "CEL", -1),
        ((85, 0), "P1", (90, 0), "P1", -1),
        ((4, 0), "CEL", (4, 0), "P1", None),
    ],
)
def test_readings_compare_exactly_or_not_at_all(
    reading: tuple[int, int], uom: str, bound: tuple[int, int], bound_uom: str, order: int | None
) -> None:
    assert compare_readings(reading, uom, bound, bound_uom) == order


def test_yields_add_up_without_rounding() -> None:
    third = {333_333: (333_333, 0)}
    assert not is_exceeded((1_000_000, 0), third)
    assert is_exceeded((999_999, 0), third)
    assert not is_exceeded((2, 0), {1_000_000: (1, 0), 2_000_000: (2, 0)})
    assert is_exceeded((2, 0), {1_000_000: (1, 0), 2_000_000: (2_001, 3)})

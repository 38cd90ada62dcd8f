"""Derived claims: ages reached, bands of amounts."""

import pytest

from hansa.identity.predicates import derive_ages, derive_band


@pytest.mark.parametrize(
    ("born", "on", "reached"),
    [
        ("2008-11-22", "2026-11-22", True),
        ("2008-11-23", "2026-11-22", False),
        ("2008-02-29", "2026-02-28", False),
        ("2008-02-29", "2026-03-01", True),
        ("1950-01-01", "2026-11-22", True),
    ],
)
def test_an_age_is_reached_on_the_birthday(born: str, on: str, reached: bool) -> None:
    assert derive_ages(born, [18], on=on) == {"age_over_18": reached}


def test_ages_come_in_order_once() -> None:
    ages = derive_ages("2000-01-01", [65, 18, 18], on="2026-11-22")
    assert list(ages.items()) == [("age_over_18", True), ("age_over_65", False)]


@pytest.mark.parametrize(
    ("born", "ages", "on"),
    [
        ("2027-01-01", [18], "2026-11-22"),
        ("2000-02-30", [18], "2026-11-22"),
        ("2000-1-1", [18], "2026-11-22"),
        ("2000-01-01", [0], "2026-11-22"),
        ("2000-01-01", [150], "2026-11-22"),
        ("2000-01-01", list(range(1, 18)), "2026-11-22"),
        ("2000-01-01", [18], "today"),
    ],
)
def test_what_is_no_age_is_refused(born: str, ages: list[int], on: str) -> None:
    with pytest.raises(ValueError, match=r"born|ages|day"):
        derive_ages(born, ages, on=on)


@pytest.mark.parametrize(
    ("value", "band"),
    [
        (-5, {"below": 0}),
        (0, {"from": 0, "below": 20_000}),
        (19_999, {"from": 0, "below": 20_000}),
        (20_000, {"from": 20_000, "below": 50_000}),
        (50_000, {"from": 50_000}),
    ],
)
def test_a_band_holds_its_lower_edge(value: int, band: dict[str, int]) -> None:
    assert derive_band(value, [0, 20_000, 50_000]) == band


@pytest.mark.parametrize("edges", [[], [2, 1], [1, 1], list(range(33))])
def test_edges_ascend(edges: list[int]) -> None:
    with pytest.raises(ValueError, match="edges"):
        derive_band(1, edges)

"""Numbers, money and times as each place writes them, and exact."""

from decimal import Decimal

import pytest

from hansa.locales import LANGUAGES
from hansa.locales.writing import Writing, format_iso

WRITE = {tag: Writing(language) for tag, language in LANGUAGES.items()}
NBSP = "\u00a0"
MORNING = 1_772_953_445_000  # 2026-03-08T07:04:05Z


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("zh-Hans", "1,234,567"),
        ("zh-Hant", "1,234,567"),
        ("en", "1,234,567"),
        ("pt", f"1{NBSP}234{NBSP}567"),
    ],
)
def test_numbers_are_grouped_as_the_place_does(tag: str, text: str) -> None:
    assert WRITE[tag].number(1_234_567) == text


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("zh-Hans", "HK$1,234.50"),
        ("zh-Hant", "HK$1,234.50"),
        ("en", "HK$1,234.50"),
        ("pt", f"1{NBSP}234,50{NBSP}HK$"),
    ],
)
def test_money_is_written_as_the_place_does(tag: str, text: str) -> None:
    assert WRITE[tag].money(123_450, "HKD") == text


def test_money_is_never_rounded() -> None:
    write = WRITE["en"]
    assert write.money("90071992547409915", "CNY").endswith("900,719,925,474,099.15")
    assert write.money(-5, "MOP").endswith("0.05")
    assert write.money(12_345, "JPY").endswith("123.45")
    assert write.money(1_234, "HKD", 3).endswith("1.234")
    assert write.money(100, "<b>") == "1.00 <b>"
    assert write.money(100, "") == "1.00"


def test_scaled_numbers_keep_their_places() -> None:
    assert WRITE["en"].scaled(-1850, 2) == "-18.50"
    assert WRITE["pt"].scaled(5, 1) == "0,5"
    assert WRITE["en"].number(Decimal("1E+3")) == "1,000"
    assert WRITE["en"].percent(1, 8) == "12.5%"
    assert WRITE["en"].percent(0, 0) == "0%"


def test_times_are_those_of_the_bay_area() -> None:
    assert format_iso(MORNING) == "2026-03-08T07:04:05Z"
    for tag, day in (("zh-Hans", "2026年3月8日"), ("en", "8 Mar 2026"), ("pt", "08/03/2026")):
        assert WRITE[tag].date(MORNING) == day
        assert "3:04:05" in WRITE[tag].time(MORNING).replace("15:04:05", "3:04:05")
    assert WRITE["en"].day("2026-03-09") == "9 Mar 2026"


@pytest.mark.parametrize("ms", [2**53, -(2**53), 10**30, -62_200_000_000_000])
def test_a_time_beyond_the_calendar_is_shown_as_a_number(ms: int) -> None:
    assert WRITE["en"].when(ms) == str(ms)
    assert format_iso(ms) == ""
    assert WRITE["en"].span(ms)
    assert WRITE["en"].ago(ms, 0)


@pytest.mark.parametrize("text", ["", "no day", "2026-13-01", "2026-02-30"])
def test_what_is_no_day_stays_as_it_is(text: str) -> None:
    assert WRITE["zh-Hant"].day(text) == text

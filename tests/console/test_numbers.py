"""What people type becomes exactly that number, or is refused; never another one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.console.numbers import (
    NotANumber,
    parse_day,
    parse_scaled,
    parse_span,
    parse_time,
    write_rate,
    write_scaled,
    write_span,
    write_time,
)
from hansa.primitives.limits import INTEGER_MAX


@pytest.mark.parametrize(
    ("text", "scale", "decimal", "value"),
    [
        ("1234.5", 2, ".", 123450),
        ("1,234.50", 2, ".", 123450),
        ("1 234,50", 2, ",", 123450),
        ("1\u00a0234,50", 2, ",", 123450),
        ("1.234,50", 2, ",", 123450),
        ("1.234.567,8", 2, ",", 123456780),
        ("\uff11\uff12\uff13\uff0e\uff14\uff15", 2, ".", 12345),  # full width, as an IME types
        ("\u22121.00", 2, ".", -100),
        ("-0.01", 2, ".", -1),
        ("+7", 2, ".", 700),
        (".5", 2, ".", 50),
        ("1.2300", 2, ".", 123),
        ("12'345.67", 2, ".", 1234567),
        ("13", 4, ".", 130000),
        ("0", 0, ".", 0),
        ("1,000", 0, ".", 1000),
        ("90071992547409.91", 2, ".", INTEGER_MAX),
    ],
)
def test_exact(text: str, scale: int, decimal: str, value: int) -> None:
    assert parse_scaled(text, scale, decimal) == value


@pytest.mark.parametrize(
    ("text", "scale", "decimal", "code"),
    [
        ("", 2, ".", "number"),
        ("abc", 2, ".", "number"),
        ("1e3", 2, ".", "number"),
        ("1.2.3", 2, ".", "number"),
        ("--1", 2, ".", "number"),
        ("-", 2, ".", "number"),
        (".", 2, ".", "number"),
        ("NaN", 2, ".", "number"),
        ("1.", 2, ".", "number"),
        ("0x10", 0, ".", "number"),
        ("\u0661\u0662", 0, ".", "number"),
        ("9" * 50, 0, ".", "number"),
        ("1.005", 2, ".", "decimals"),
        ("1.5", 0, ".", "decimals"),
        ("90071992547409.92", 2, ".", "range"),
        ("1,5", 2, ".", "ambiguous"),
        ("1,23", 2, ".", "ambiguous"),
        ("12.50", 2, ",", "ambiguous"),
        ("1,23.4", 2, ".", "ambiguous"),
        ("1,2,3", 2, ".", "number"),
        ("1,234", 3, ".", "ambiguous"),
        ("1.234", 3, ",", "ambiguous"),
    ],
)
def test_refused(text: str, scale: int, decimal: str, code: str) -> None:
    with pytest.raises(NotANumber) as refused:
        parse_scaled(text, scale, decimal)
    assert refused.value.code == code


@given(st.integers(-INTEGER_MAX, INTEGER_MAX), st.integers(0, 6), st.sampled_from(".,"))
def test_what_a_field_shows_is_read_as_it_was(value: int, scale: int, decimal: str) -> None:
    assert parse_scaled(write_scaled(value, scale, decimal), scale, decimal) == value
    assert parse_scaled(write_rate(value, scale, decimal), scale, decimal) == value


@given(st.text(max_size=12), st.sampled_from(".,"))
def test_whatever_is_typed_is_a_number_or_a_refusal(text: str, decimal: str) -> None:
    try:
        assert isinstance(parse_scaled(text, 2, decimal), int)
    except NotANumber as refused:
        assert refused.code in ("number", "decimals", "range", "ambiguous")


def test_times_are_local_at_utc_8_and_come_back() -> None:
    assert parse_time("1970-01-01T08:00") == 0
    assert parse_time("1970-01-01T00:00Z") == 0
    for ms in (0, 1_773_000_000_000, 1_773_000_000_123, 1_773_000_061_000):
        assert parse_time(write_time(ms)) == ms
    for text in ("", "tomorrow", "2026-13-01T00:00", "2026-02-30"):
        with pytest.raises(NotANumber):
            parse_time(text)


def test_days_exist() -> None:
    assert parse_day(" 2026-03-09 ") == "2026-03-09"
    for text in ("2026-02-30", "09/03/2026", "2026-3-9", ""):
        with pytest.raises(NotANumber):
            parse_day(text)


@given(st.integers(0, INTEGER_MAX))
def test_spans_come_back(ms: int) -> None:
    assert parse_span(write_span(ms)) == ms


@pytest.mark.parametrize("text", ["", "7", "7 weeks", "d", "1 d x", "-1 d", "9" * 30 + " d"])
def test_spans_refused(text: str) -> None:
    with pytest.raises(NotANumber):
        parse_span(text)

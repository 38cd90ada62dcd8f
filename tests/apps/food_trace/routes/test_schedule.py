"""Schedules come when they say, in UTC, and what never comes is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.apps.food_trace.routes.epcis.schedule import (
    FIELDS,
    InvalidSchedule,
    find_next,
    read_schedule,
)


def next_of(schedule: dict[str, Any], after: str) -> str:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    found = find_next(read_schedule(schedule), int(moment.timestamp() * 1000))
    return datetime.fromtimestamp(found / 1000, UTC).isoformat()[:19]


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        ({"hour": "1", "minute": "5"}, "2026-01-01T01:04:59", "2026-01-01T01:05:00"),
        ({"hour": "1", "minute": "5"}, "2026-01-01T01:05:00", "2026-01-02T01:05:00"),
        ({"hour": "1"}, "2026-01-01T00:00:00", "2026-01-01T01:00:00"),
        ({"second": "0/30"}, "2026-01-01T00:00:01", "2026-01-01T00:00:30"),
        ({"second": "0,15,[30-31]"}, "2026-01-01T00:00:16", "2026-01-01T00:00:30"),
        ({"minute": "*"}, "2026-12-31T23:59:30", "2027-01-01T00:00:00"),
        ({"dayOfWeek": "1"}, "2026-01-01T00:00:00", "2026-01-05T00:00:00"),
        ({"dayOfMonth": "29", "month": "2"}, "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ({"hour": 8}, "2026-01-01T09:00:00", "2026-01-02T08:00:00"),
    ],
)
def test_the_next_time_is_the_first_that_fits(
    schedule: dict[str, Any], after: str, due: str
) -> None:
    assert next_of(schedule, after) == due


@pytest.mark.parametrize(
    "schedule",
    [
        {},
        {"year": "2026"},
        {"second": "60"},
        {"minute": "-1"},
        {"hour": ""},
        {"hour": "[8-"},
        {"hour": "9-8"},
        {"hour": "0/0"},
        {"dayOfWeek": "0"},
        {"month": None},
        {"hour": True},
        {"hour": ["1"]},
        {"second": "1" * 300},
        {"dayOfMonth": "31", "month": "2"},
    ],
)
def test_what_is_no_schedule_or_never_comes_is_refused(schedule: dict[str, Any]) -> None:
    with pytest.raises(InvalidSchedule):
        read_schedule(schedule)


@given(
    st.dictionaries(st.sampled_from(list(FIELDS)), st.text("0123456789,-[]*/ ", max_size=12)),
    st.integers(0, 2**42),
)
def test_any_text_is_a_schedule_or_is_refused_and_time_goes_on(
    schedule: dict[str, str], after_ms: int
) -> None:
    try:
        found = find_next(read_schedule(schedule), after_ms)
    except InvalidSchedule:
        return
    assert found > after_ms and found % 1000 == 0

"""Schedules of subscriptions, as cron has them (GS1 EPCIS 2.0 clauses 8.2.5.3 and 12.7.3). Pure.

A field is a list of numbers and ranges: `0,30`, `[8-17]`, also `8-17`, `*`, `0/30`. Times are UTC.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

FIELDS: Final[dict[str, tuple[int, int]]] = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "dayOfMonth": (1, 31),
    "month": (1, 12),
    "dayOfWeek": (1, 7),
}
_ITEM: Final = re.compile(r"\[?([0-9]{1,2})(?:-([0-9]{1,2}))?\]?\Z")
_STEP: Final = re.compile(r"(\*|[0-9]{1,2})/([0-9]{1,2})\Z")
_DAY_MS: Final = 86_400_000
# 29 February of a leap year comes again within eight years.
_DAYS_AHEAD: Final = 366 * 8 + 2


class InvalidSchedule(ValueError):
    """A schedule that is none, or that never comes; in words."""


class Schedule(msgspec.Struct, frozen=True):
    """Sorted values of each field."""

    second: tuple[int, ...]
    minute: tuple[int, ...]
    hour: tuple[int, ...]
    day_of_month: tuple[int, ...]
    month: tuple[int, ...]
    day_of_week: tuple[int, ...]


def read_schedule(given: Mapping[str, Any]) -> Schedule:
    """The schedule of named fields; a field that is not given is any. Raises InvalidSchedule.

    What is finer than the finest given field is its first value: `hour: 1` is 01:00:00.
    """
    unknown = [name for name in given if name not in FIELDS]
    if unknown or not given:
        raise InvalidSchedule(f"a schedule names some of: {', '.join(FIELDS)}")
    names = list(FIELDS)
    finest = min(names.index(name) for name in given)
    values = []
    for place, (name, (low, high)) in enumerate(FIELDS.items()):
        if name in given:
            values.append(_read_field(name, given[name], low, high))
        elif place < min(finest, 3):
            values.append((low,))
        else:
            values.append(tuple(range(low, high + 1)))
    schedule = Schedule(*values)
    find_next(schedule, 0)
    return schedule


def _read_field(name: str, value: Any, low: int, high: int) -> tuple[int, ...]:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or len(text) > 200:
        raise InvalidSchedule(f"{name} is a text such as 0,30 or [8-17]")
    found: set[int] = set()
    for item in text.replace(" ", "").split(","):
        found.update(_read_item(item, low, high))
    if not found or min(found) < low or max(found) > high:
        raise InvalidSchedule(f"{name} is a list of numbers and ranges from {low} to {high}")
    return tuple(sorted(found))


def _read_item(item: str, low: int, high: int) -> range:
    if item == "*":
        return range(low, high + 1)
    step = _STEP.match(item)
    if step is not None and int(step[2]) > 0:
        start = low if step[1] == "*" else int(step[1])
        return range(start, high + 1, int(step[2]))
    found = _ITEM.match(item)
    if found is None:
        raise InvalidSchedule(f"{item[:40]!r} is no number, range or step")
    first = int(found[1])
    last = int(found[2]) if found[2] else first
    if first > last:
        raise InvalidSchedule(f"{item[:40]!r} goes backwards")
    return range(first, last + 1)


def find_next(schedule: Schedule, after_ms: int) -> int:
    """The first time beyond `after_ms` (ms since 1970, UTC). Raises InvalidSchedule: never."""
    seconds = after_ms // 1000 + 1
    day, rest = divmod(seconds, 86_400)
    for _ in range(_DAYS_AHEAD):
        if _is_day(schedule, day):
            within = _find_within(schedule, rest)
            if within is not None:
                return (day * 86_400 + within) * 1000
        day, rest = day + 1, 0
    raise InvalidSchedule("that day never comes")


def _is_day(schedule: Schedule, day: int) -> bool:
    month, of_month = _civil(day)
    # 1 January 1970 was a Thursday, which is day 4.
    of_week = (day + 3) % 7 + 1
    return (
        month in schedule.month
        and of_month in schedule.day_of_month
        and of_week in schedule.day_of_week
    )


def _find_within(schedule: Schedule, start: int) -> int | None:
    """The first second of a day from `start` on."""
    for hour in schedule.hour:
        for minute in schedule.minute:
            base = (hour * 60 + minute) * 60
            if base + 59 < start:
                continue
            for second in schedule.second:
                if base + second >= start:
                    return base + second
    return None


def _civil(day: int) -> tuple[int, int]:
    """Month and day of the month of a day since 1970-01-01 (Gregorian calendar)."""
    shifted = day + 719_468
    of_era = shifted % 146_097
    of_century = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * of_century + of_century // 4 - of_century // 100)
    month = (5 * of_year + 2) // 153
    return (month + 3 if month < 10 else month - 9), of_year - (153 * month + 2) // 5 + 1

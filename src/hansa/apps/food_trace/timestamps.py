"""ISO 8601 date-times with a zone as UTC milliseconds, and back, in integers. Pure.

Source: EPCIS 2.0 clause 6.4 (dateTimeStamp); RFC 3339. Consensus code: knows no clock.
"""

import re
from functools import lru_cache
from typing import Final

_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,32}))?)?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))\Z"
)
_OFFSET: Final = re.compile(r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)\Z")
_MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY_MS: Final = 86_400_000


class InvalidTime(ValueError):
    """A text that is no date-time with a time zone, or no day of the calendar."""


def is_offset(text: str) -> bool:
    """Whether a text is an eventTimeZoneOffset: `+08:00`, `-14:00` at most."""
    return _OFFSET.match(text) is not None


@lru_cache(maxsize=4_096)
def parse_time(text: str) -> int:
    """Milliseconds since 1970-01-01T00:00:00Z; what is finer is cut off. Raises InvalidTime.

    Seconds may be missing, as ISO 8601 lets them and XML in use does.
    """
    found = _TIME.match(text)
    if found is None:
        raise InvalidTime(text[:40])
    year, month, day, hour, minute = map(int, found.group(1, 2, 3, 4, 5))
    second = int(found[6] or "0")
    if not (year and 1 <= month <= 12 and 1 <= day <= _count_days(year, month)):
        raise InvalidTime(text)
    if hour > 23 or minute > 59 or second > 59:
        raise InvalidTime(text)
    milliseconds = int((found[7] or "0").ljust(3, "0")[:3])
    if found[8]:
        shift = int(found[9]) * 60 + int(found[10])
        if shift > 14 * 60 or int(found[10]) > 59:
            raise InvalidTime(text)
        minute -= shift if found[8] == "+" else -shift
    days = _days_from_civil(year, month, day)
    return days * _DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + milliseconds


def format_time(time_ms: int, offset: str = "") -> str:
    """`2026-07-22T04:45:00.000Z`, or the local time of an offset: `…T06:45:00.000+02:00`."""
    zone = "Z"
    if offset:
        shift = int(offset[1:3]) * 60 + int(offset[4:6])
        time_ms += (shift if offset[0] == "+" else -shift) * 60_000
        zone = offset
    days, rest = divmod(time_ms, _DAY_MS)
    year, month, day = _civil_from_days(days)
    seconds, milliseconds = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return (
        f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}{zone}"
    )


def _count_days(year: int, month: int) -> int:
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and is_leap else _MONTH_DAYS[month - 1]


def _days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar, years counted from March."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _civil_from_days(days: int) -> tuple[int, int, int]:
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    day = of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, day

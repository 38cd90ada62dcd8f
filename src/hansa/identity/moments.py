"""Times in documents (RFC 3339, XSD dateTimeStamp) to and from milliseconds of Unix time. Pure."""

import re
from typing import Final

_MOMENT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)
_MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY_MS: Final = 86_400_000
_YEAR_9999_MS: Final = 253_402_300_800_000


class InvalidMoment(ValueError):
    """Text that is not a time with its offset, or a time outside the years 0001 to 9999."""


def parse_moment(text: str) -> int:
    """Milliseconds since 1970 of `2026-11-22T08:00:00Z` (offset required, finer parts are cut off).

    Raises InvalidMoment.
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise InvalidMoment("not a time with its offset (2026-11-22T08:00:00Z)")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    if not (year and 1 <= month <= 12 and 1 <= day <= _count_days(year, month)):
        raise InvalidMoment("no such day")
    if hour > 23 or minute > 59 or second > 59:
        raise InvalidMoment("no such time of day")
    fraction = int((found[7] or "0").ljust(3, "0")[:3])
    offset = 0
    if found[8]:
        offset_hours, offset_minutes = int(found[9]), int(found[10])
        if offset_minutes > 59 or offset_hours * 60 + offset_minutes > 14 * 60:
            raise InvalidMoment("no such offset")
        offset = (offset_hours * 60 + offset_minutes) * (-1 if found[8] == "-" else 1)
    seconds = (_count_days_since_1970(year, month, day) * 24 + hour) * 3600
    return (seconds + (minute - offset) * 60 + second) * 1000 + fraction


def format_moment(at_ms: int) -> str:
    """`2026-11-22T08:00:00Z`; with `.mmm` where it is not a whole second. Raises InvalidMoment."""
    days, rest = divmod(at_ms, _DAY_MS)
    if not -62_135_596_800_000 <= at_ms < _YEAR_9999_MS:
        raise InvalidMoment("outside the years 0001 to 9999")
    year, month, day = _to_civil(days)
    seconds, fraction = divmod(rest, 1000)
    tail = f".{fraction:03}" if fraction else ""
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{tail}"
    return f"{year:04}-{month:02}-{day:02}T{clock}Z"


def _count_days(year: int, month: int) -> int:
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return _MONTH_DAYS[month - 1] + leap


def _count_days_since_1970(year: int, month: int, day: int) -> int:
    """Days of the proleptic Gregorian calendar; the year begins in March, so leap days end it."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return (
        era * 146097
        + year_of_era * 365
        + year_of_era // 4
        - year_of_era // 100
        + (day_of_year - 719468)
    )


def _to_civil(days: int) -> tuple[int, int, int]:
    era, day_of_era = divmod(days + 719468, 146097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day

"""Axes: where the ticks stand, and where a value does. Pure; numbers here are for drawing only."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

import msgspec

from hansa.console.charts.figure import FormatTime, Grain

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = 1_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_STEPS: Final[tuple[tuple[int, Grain], ...]] = (
    (_SECOND, "second"),
    (5 * _SECOND, "second"),
    (15 * _SECOND, "second"),
    (_MINUTE, "minute"),
    (5 * _MINUTE, "minute"),
    (15 * _MINUTE, "minute"),
    (_HOUR, "minute"),
    (3 * _HOUR, "minute"),
    (6 * _HOUR, "minute"),
    (12 * _HOUR, "minute"),
    (_DAY, "day"),
    (2 * _DAY, "day"),
    (7 * _DAY, "day"),
    (14 * _DAY, "day"),
)
_MONTH_STEPS: Final = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12_000)
# Years that a calendar can name.
TIME_MIN: Final = -62_135_596_800_000
TIME_MAX: Final = 253_402_300_799_000


class Scale(msgspec.Struct, frozen=True):
    """Maps values from low..high to places from start..end."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The place of a value; what lies outside is put on the edge."""
        if self.high == self.low:
            return (self.start + self.end) / 2
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


def choose_ticks(low: float, high: float, count: int = 5) -> list[Fraction]:
    """Round numbers (1, 2, 5 times a power of ten) that cover low..high, lowest first, exact."""
    if high <= low:
        low, high = (low - 1, high + 1) if low else (0.0, 1.0)
    rough = Fraction(high - low) / max(1, count)
    power = Fraction(1)
    while power * 10 <= rough:
        power *= 10
    while power > rough:
        power /= 10
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough)
    first = Fraction(low) // step
    last = -(-Fraction(high) // step)
    return [step * each for each in range(int(first), int(last) + 1)]


def choose_whole_ticks(low: int, high: int, count: int = 4) -> list[int]:
    """As `choose_ticks`, whole numbers only: counts have no halves."""
    if high - low <= count:
        return list(range(low, max(high, low + 1) + 1))
    return [int(each) for each in choose_ticks(low, high, count)]


def format_decimal(value: Fraction) -> str:
    """A tick's number without needless zeros: 4, 2.5, -18."""
    text = f"{float(value):.6f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def choose_time_ticks(
    start: int, end: int, count: int = 6, zone_ms: int = 0
) -> tuple[list[int], Grain]:
    """Times within start..end (ms) at which the reader's clock or calendar shows something round.

    `zone_ms`: how far that clock is before UTC.
    """
    ticks, grain = _choose_ticks(clamp_time(start) + zone_ms, clamp_time(end) + zone_ms, count)
    return [tick - zone_ms for tick in ticks], grain


def _choose_ticks(start: int, end: int, count: int) -> tuple[list[int], Grain]:
    span = max(1, end - start)
    for step, grain in _STEPS:
        if span <= step * count:
            first = -(-start // step)
            return [each * step for each in range(first, end // step + 1)], grain
    return _choose_months(start, end, count)


def _choose_months(start: int, end: int, count: int) -> tuple[list[int], Grain]:
    first, last = _count_months(start) + 1, _count_months(end)
    fitting = (each for each in _MONTH_STEPS if last - first <= each * count)
    step = next(fitting, _MONTH_STEPS[-1])
    months = range(-(-first // step) * step, last + 1, step)
    grain: Grain = "month" if step < 12 else "year"
    return [_find_month(each) for each in months], grain


def _count_months(time_ms: int) -> int:
    date = to_datetime(time_ms)
    return date.year * 12 + date.month - 1


def _find_month(months: int) -> int:
    date = datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)
    return (date - _EPOCH) // timedelta(milliseconds=1)


def clamp_time(time_ms: int) -> int:
    """The nearest time that a calendar can name."""
    return min(TIME_MAX, max(TIME_MIN, time_ms))


def to_datetime(time_ms: int) -> datetime:
    """UTC date and time of milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=clamp_time(time_ms))


def format_time_plainly(time_ms: int, grain: Grain) -> str:
    """A time in UTC, ISO 8601: what is written where no language is known."""
    date = to_datetime(time_ms).replace(tzinfo=None)
    if grain in ("year", "month"):
        return date.date().isoformat()[: 4 if grain == "year" else 7]
    if grain == "day":
        return date.date().isoformat()
    if grain == "clock":
        return date.time().isoformat("seconds" if date.second else "minutes")
    return date.isoformat(" ", "minutes" if grain == "minute" else "seconds")


def label_times(
    ticks: Sequence[int], grain: Grain, format_time: FormatTime
) -> list[tuple[str, str]]:
    """Two lines under each tick: the time of day, and the day where it is another than before."""
    if grain in ("year", "month", "day"):
        return [(format_time(each, grain), "") for each in ticks]
    labels = []
    before = ""
    for each in ticks:
        day = format_time(each, "day")
        labels.append((format_time(each, "clock"), "" if day == before else day))
        before = day
    return labels

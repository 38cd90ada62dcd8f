"""Numbers, times and spans of time as people type them, exactly, and back into a form's fields.
Pure: no floats, no locale of the machine.
"""

import datetime
import re
import unicodedata
from decimal import Decimal
from typing import Final

from hansa.locales.writing import ZONE, read_ms
from hansa.primitives.limits import INTEGER_MAX

# Digits of the largest ledger integer, and what may part them.
_CHARACTERS_MAX: Final = 40
_SPACES: Final = re.compile(r"[\s\u00a0\u2009\u202f'\u2019]")
_MINUS: Final = str.maketrans({"\u2212": "-", "\u2010": "-", "\u2011": "-", "\u2013": "-"})
_GROUPED: Final = re.compile(r"\d{1,3}(,\d{3})+")
_SPAN: Final = re.compile(r"(\d{1,12})\s*([a-z]*)")
_UNITS_MS: Final = {"d": 86_400_000, "h": 3_600_000, "min": 60_000, "s": 1_000, "ms": 1}
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class NotANumber(ValueError):
    """What was typed is no such number. `code`: `number`, `decimals`, `range` or `ambiguous`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse_scaled(text: str, scale: int, decimal: str = ".") -> int:
    """`1,234.50` with scale 2 is 123450. `decimal`: the reader's decimal sign, `.` or `,`.

    The other sign may group thousands, three digits each. What two readers could take for two
    numbers is refused. Raises NotANumber.
    """
    plain = _SPACES.sub("", unicodedata.normalize("NFKC", text)).translate(_MINUS)
    if not plain or len(plain) > _CHARACTERS_MAX:
        raise NotANumber("number")
    sign = -1 if plain[0] == "-" else 1
    whole, places = _split(plain[1:] if plain[0] in "+-" else plain, scale, decimal)
    kept = places.rstrip("0")
    if len(kept) > scale:
        raise NotANumber("decimals")
    value = sign * int(whole + places[:scale].ljust(scale, "0"))
    if abs(value) > INTEGER_MAX:
        raise NotANumber("range")
    return value


def _split(plain: str, scale: int, decimal: str) -> tuple[str, str]:
    """Digits before and after the decimal sign. Raises NotANumber."""
    group = "," if decimal == "." else "."
    head, sep, places = plain.partition(decimal)
    if sep and (not _is_digits(places) or group in places):
        raise NotANumber("number")
    if group in head:
        is_clear = bool(sep) or scale < 3 or head.count(group) > 1
        head = _ungroup(head.replace(group, ","), is_clear=is_clear)
    if not _is_digits(head or "0") or not (head or places):
        raise NotANumber("number")
    return head or "0", places


def _ungroup(head: str, *, is_clear: bool) -> str:
    """Digits without the group signs (`,` here). A sign that groups nothing is refused.

    `1.5` where `,` is the decimal sign, `1,5` where `.` is, and of three places either: another
    reader takes it for another number, so none is guessed.
    """
    if _GROUPED.fullmatch(head) is None:
        raise NotANumber("number" if is_clear and head.count(",") > 1 else "ambiguous")
    if not is_clear:
        raise NotANumber("ambiguous")
    return head.replace(",", "")


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def write_scaled(value: int, scale: int, decimal: str = ".") -> str:
    """As a field shows it: no groups, all places of the scale; `123450` with 2 is `1234.50`."""
    return f"{Decimal(value).scaleb(-scale):f}".replace(".", decimal)


def write_rate(value: int, scale: int, decimal: str = ".") -> str:
    """As `write_scaled`, without zeros at the end: `130000` with 4 is `13`."""
    text = write_scaled(value, scale, decimal)
    return text.rstrip("0").rstrip(decimal) if decimal in text else text


def parse_time(text: str) -> int:
    """ms since 1970 of a local time at UTC+8, `2026-03-09T07:04` or with seconds. Raises
    NotANumber.
    """
    try:
        when = datetime.datetime.fromisoformat(text.strip().replace(" ", "T"))
    except ValueError as error:
        raise NotANumber("number") from error
    if when.tzinfo is None:
        when = when.replace(tzinfo=ZONE)
    since = when - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def write_time(ms: int) -> str:
    """A time as the field shows it; what no calendar names stays a number."""
    when = read_ms(ms)
    if when is None:
        return str(ms)
    timespec = "milliseconds" if ms % 1000 else "seconds" if ms % 60_000 else "minutes"
    return when.replace(tzinfo=None).isoformat(timespec=timespec)


def parse_day(text: str) -> str:
    """A calendar day, `2026-03-09`. Raises NotANumber."""
    plain = unicodedata.normalize("NFKC", text).strip()
    try:
        return datetime.date.fromisoformat(plain).isoformat()
    except ValueError as error:
        raise NotANumber("number") from error


def parse_span(text: str) -> int:
    """ms of `7 d`, `12 h`, `30 min`, `90 s` or `500 ms`, or several after each other. Raises
    NotANumber.
    """
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    found = _SPAN.findall(plain)
    if (
        not found
        or _SPAN.sub("", plain).strip()
        or any(unit not in _UNITS_MS for _n, unit in found)
    ):
        raise NotANumber("number")
    value = sum(int(number) * _UNITS_MS[unit] for number, unit in found)
    if value > INTEGER_MAX:
        raise NotANumber("range")
    return value


def write_span(ms: int) -> str:
    """`7 d`, `1 d 12 h`: the units that are in it."""
    parts, left = [], ms
    for unit, length in _UNITS_MS.items():
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"

"""Numbers, money, dates and times as each place writes them (CLDR, by Babel). Pure.

All three jurisdictions live at UTC+8 without summer time; times are shown there.
"""

import datetime
from decimal import Decimal
from typing import Final, Literal

from babel.core import Locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, format_percent

from hansa.locales.languages import Language

ZONE: Final = datetime.timezone(datetime.timedelta(hours=8), "UTC+8")
Length = Literal["short", "medium", "long", "full"]
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
# Milliseconds within the years that a calendar can name; others are shown as a number.
_MS_MAX: Final = 253_370_000_000_000


class Writing:
    """How one language's readers see values. Never rounds: integers and decimals are exact."""

    def __init__(self, language: Language) -> None:
        self._locale = language.locale

    def number(self, value: int | Decimal) -> str:
        """`1,234,567`, with as many places as the value has."""
        places = _count_places(value)
        pattern = "#,##0" + ("." + "0" * places if places else "")
        return format_decimal(value, format=pattern, locale=self._locale)

    def scaled(self, amount: int, scale: int) -> str:
        """amount / 10**scale, exact."""
        return self.number(Decimal(amount).scaleb(-scale))

    def money(self, amount: int | str, currency: str, scale: int = 2) -> str:
        """An amount in units of 10**-scale of a currency (ISO 4217); text for large sums."""
        value = Decimal(amount).scaleb(-scale)
        if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
            return f"{self.number(value)} {currency}".rstrip()
        return format_currency(
            value, currency, locale=self._locale, currency_digits=False, decimal_quantization=False
        )

    def rate(self, amount: int, scale: int) -> str:
        """amount / 10**scale per cent, exact, without zeros at its end: `13%`, not `13.0000%`."""
        return f"{self.number(Decimal(amount).scaleb(-scale).normalize())}%"

    def percent(self, part: int, whole: int) -> str:
        """part / whole as per cent, to one place; nothing of nothing is nothing."""
        share = Decimal(part) / Decimal(whole) if whole else Decimal(0)
        return format_percent(share, format="#,##0.#%", locale=self._locale)

    def date(self, ms: int, length: Length = "medium") -> str:
        """The day of a time in ms since 1970."""
        when = read_ms(ms)
        return str(ms) if when is None else format_date(when, length, locale=self._locale)

    def time(self, ms: int) -> str:
        """The time of day, with seconds."""
        when = read_ms(ms)
        return str(ms) if when is None else format_time(when, "medium", locale=self._locale)

    def when(self, ms: int, length: Length = "medium") -> str:
        """Day and time."""
        when = read_ms(ms)
        return str(ms) if when is None else format_datetime(when, length, locale=self._locale)

    def day(self, text: str) -> str:
        """A calendar day given as `2026-03-09`; anything else as it is."""
        try:
            day = datetime.date.fromisoformat(text)
        except ValueError:
            return text
        return format_date(day, "medium", locale=self._locale)

    def place(self, code: str) -> str:
        """A country or region by its ISO 3166-1 code; the code when CLDR has no name."""
        return str(Locale.parse(self._locale).territories.get(code, code))

    def span(self, ms: int) -> str:
        """A length of time in its largest unit: `3 days`."""
        return format_timedelta(
            datetime.timedelta(milliseconds=min(abs(ms), _MS_MAX)), locale=self._locale
        )

    def ago(self, ms: int, now_ms: int) -> str:
        """`3 days ago`, `in 2 hours`."""
        difference = max(-_MS_MAX, min(_MS_MAX, ms - now_ms))
        return format_timedelta(
            datetime.timedelta(milliseconds=difference), add_direction=True, locale=self._locale
        )

    def all_of(self, parts: list[str]) -> str:
        """`A, B and C`."""
        return format_list(parts, locale=self._locale)


def read_ms(ms: int) -> datetime.datetime | None:
    """The time at UTC+8; None beyond the calendar."""
    if not -62_000_000_000_000 < ms < _MS_MAX:
        return None
    return (_EPOCH + datetime.timedelta(milliseconds=ms)).astimezone(ZONE)


def format_iso(ms: int) -> str:
    """`2026-03-09T07:04:05Z`, as machines read it; empty beyond the calendar."""
    when = read_ms(ms)
    if when is None:
        return ""
    return when.astimezone(datetime.UTC).isoformat(timespec="seconds")[:19] + "Z"


def _count_places(value: int | Decimal) -> int:
    if isinstance(value, int):
        return 0
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0

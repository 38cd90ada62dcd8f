"""How numbers in refusals are written: rates per cent, amounts with their decimals, times as times.

A refusal's parameters are the ledger's integers (D14). Names say which are rates and times; what
else is a rate or an amount is listed here, as the refusals' words are in the catalogues. Pure.
"""

import re
from collections.abc import Mapping
from typing import Final

from hansa.locales.writing import Writing

# Parts per million, as a percentage.
_RATE_SCALE: Final = 4
_AMOUNT_SCALE: Final = 2
# Milliseconds from here on are a time (1973), below a span of it.
_TIME_MIN: Final = 10**11
# What is in hundredths of a currency in all refusals of an application.
AMOUNTS: Final[Mapping[str, frozenset[str]]] = {
    "e_invoice": frozenset("stated computed amount allowed credited original used left".split()),
    "mandates": frozenset({"amount", "left"}),
}
# Rates whose names do not say so, by the refusal.
RATES: Final[Mapping[str, frozenset[str]]] = {
    "food_trace.yield_too_high": frozenset({"limit"}),
}
_INTEGER = re.compile("-?[0-9]{1,19}")


def is_rate(code: str, name: str) -> bool:
    """Whether a parameter of the refusal `code` is in parts per million."""
    return name == "ppm" or name.endswith("_ppm") or name in RATES.get(code, ())


def is_amount(code: str, name: str) -> bool:
    """Whether a parameter of the refusal `code` is in hundredths of a currency."""
    return name in AMOUNTS.get(code.partition(".")[0], ())


def write_number(writing: Writing, code: str, name: str, value: object) -> str | None:
    """A parameter of the refusal `code` as people write it; None when it is no rate, amount or
    time. `value`: an integer, or its digits.
    """
    if isinstance(value, bool) or not _INTEGER.fullmatch(str(value)):
        return None
    number = int(str(value))
    if is_rate(code, name):
        return writing.rate(number, _RATE_SCALE)
    if is_amount(code, name):
        return writing.scaled(number, _AMOUNT_SCALE)
    if name.endswith("_ms") and number >= _TIME_MIN:
        return writing.when(number)
    return None

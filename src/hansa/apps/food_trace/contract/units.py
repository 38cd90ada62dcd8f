"""Exact decimals and units of measure: what can be added, and what a limit says of a reading. Pure.

A number is (amount, scale), amount / 10**scale. Codes are those of UN/ECE Recommendation 20.
"""

from typing import Final

Number = tuple[int, int]

# Unit: the unit in which amounts of its kind are summed, and by what number it is multiplied.
_UNITS: Final[dict[str, tuple[str, int, int]]] = {
    "KGM": ("KGM", 1, 0),
    "GRM": ("KGM", 1, 3),
    "MGM": ("KGM", 1, 6),
    "TNE": ("KGM", 1_000, 0),
    "LBR": ("KGM", 45_359_237, 8),
    "ONZ": ("KGM", 28_349_523_125, 12),
    "LTR": ("LTR", 1, 0),
    "DLT": ("LTR", 1, 1),
    "CLT": ("LTR", 1, 2),
    "MLT": ("LTR", 1, 3),
    "HLT": ("LTR", 100, 0),
    "MTQ": ("LTR", 1_000, 0),
    "DMQ": ("LTR", 1, 0),
    "C62": ("", 1, 0),
    "EA": ("", 1, 0),
    "H87": ("", 1, 0),
}
# Pieces are counted, not weighed: cutting makes more of them.
PIECES: Final = ""


def to_sum_unit(amount: int, scale: int, uom: str) -> tuple[int, int, str]:
    """An amount in the unit in which its kind is summed: grams in kilograms, and so on."""
    unit, factor, shift = _UNITS.get(uom, (uom, 1, 0))
    amount, scale = amount * factor, scale + shift
    while scale and amount % 10 == 0:
        amount, scale = amount // 10, scale - 1
    return amount, scale, unit


def add(first: Number, second: Number) -> Number:
    """The sum, at the larger scale."""
    scale = max(first[1], second[1])
    return rescale(first, scale) + rescale(second, scale), scale


def subtract(first: Number, second: Number) -> Number:
    """The difference, at the larger scale."""
    return add(first, (-second[0], second[1]))


def is_more(first: Number, second: Number) -> bool:
    """Whether first > second."""
    return bool(first[0] * 10 ** second[1] > second[0] * 10 ** first[1])


def rescale(number: Number, scale: int) -> int:
    """The amount at a scale that is at least the number's own."""
    return int(number[0] * 10 ** (scale - number[1]))


def format_number(number: Number) -> str:
    """As people write it: 12.5."""
    amount, scale = number
    digits = str(abs(amount)).rjust(scale + 1, "0")
    text = f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits
    return f"-{text}" if amount < 0 else text


def compare_readings(reading: Number, uom: str, bound: Number, bound_uom: str) -> int | None:
    """-1, 0, 1: the reading is below, at, above the bound; None: the units do not compare."""
    first, second = _to_kind(reading, uom), _to_kind(bound, bound_uom)
    if first[1] != second[1]:
        return None
    return is_more(first[0], second[0]) - is_more(second[0], first[0])


def _to_kind(number: Number, uom: str) -> tuple[Number, str]:
    """Temperatures as 900ths of a degree Celsius, exactly; anything else as it is."""
    amount, scale = number
    if uom == "CEL":
        return (amount * 900, scale), "temperature"
    if uom == "FAH":
        return ((amount - 32 * 10**scale) * 500, scale), "temperature"
    if uom == "KEL":
        return ((amount * 100 - 27_315 * 10**scale) * 9, scale), "temperature"
    amount, scale, unit = to_sum_unit(amount, scale, uom)
    return (amount, scale), unit

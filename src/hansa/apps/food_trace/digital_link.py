"""GS1 Digital Links: a web address with a GS1 key in its path, as (AI, value) pairs. Pure.

Source: GS1 Digital Link URI syntax 1.2, section 4. Any host; query and fragment are no part of it.
"""

import re
from typing import Final

from hansa.apps.food_trace.faults import BadCheckDigit
from hansa.primitives.identifiers import compute_gs1_digit

Pairs = tuple[tuple[str, str], ...]

_PERCENT: Final = re.compile(r"%([0-9A-Fa-f]{2})")
# Characters of an AI value: GS1 character set 82.
_VALUE: Final = re.compile(r"[!-\"%-?A-Z_a-z]+\Z")

# AI: (digits, further characters allowed, digits that the check digit closes). I7 is about GTIN,
# SSCC and GLN; of the others GS1's own published examples have wrong ones: they are kept as given.
PRIMARY: Final[dict[str, tuple[int, int, int]]] = {
    "00": (18, 0, 18),
    "01": (14, 0, 14),
    "253": (13, 17, 0),
    "255": (13, 12, 0),
    "401": (0, 30, 0),
    "402": (17, 0, 0),
    "414": (13, 0, 13),
    "417": (13, 0, 13),
    "8003": (14, 16, 0),
    "8004": (0, 30, 0),
    "8006": (18, 0, 14),
    "8010": (0, 30, 0),
    "8013": (0, 25, 0),
    "8017": (18, 0, 0),
    "8018": (18, 0, 0),
}
# Qualifiers of a primary key; the first that is present makes the key, the others are details.
_QUALIFIERS: Final[dict[str, tuple[str, ...]]] = {
    "01": ("21", "235", "10", "22"),
    "414": ("254",),
    "8006": ("21", "10", "22"),
    "8010": ("8011",),
    "8017": ("8019",),
    "8018": ("8019",),
}
_QUALIFIER_LENGTHS: Final = {
    "10": 20,
    "21": 20,
    "22": 20,
    "235": 28,
    "254": 20,
    "8011": 12,
    "8019": 10,
}
# The short names of the first Digital Link standard; still read, never written.
_NAMES: Final = {
    "gtin": "01",
    "sscc": "00",
    "gdti": "253",
    "gcn": "255",
    "ginc": "401",
    "gsin": "402",
    "gln": "414",
    "party": "417",
    "grai": "8003",
    "giai": "8004",
    "itip": "8006",
    "cpid": "8010",
    "gmn": "8013",
    "gsrnp": "8017",
    "gsrn": "8018",
    "cpv": "22",
    "lot": "10",
    "ser": "21",
    "glnx": "254",
    "cpsn": "8011",
    "srin": "8019",
}


def read_link(uri: str, *, is_checked: bool = True) -> Pairs | None:
    """The parts of a Digital Link of any host, or None where it is none.

    Raises BadCheckDigit, unless `is_checked` is false.
    """
    path = uri.split("#", 1)[0].split("?", 1)[0].split("://", 1)[1]
    words = path.rstrip("/").split("/")[1:]
    for place in range(len(words) - 1):
        ai = _NAMES.get(words[place], words[place])
        if ai in PRIMARY and (len(words) - place) % 2 == 0:
            pairs = _read_path(ai, words[place + 1 :], uri if is_checked else "")
            if pairs is not None:
                return pairs
    return None


def _read_path(ai: str, words: list[str], uri: str) -> Pairs | None:
    value = _read_primary(ai, words[0])
    if not value:
        return None
    found: dict[str, str] = {}
    for place in range(1, len(words), 2):
        name = _NAMES.get(words[place], words[place])
        plain = decode_value(words[place + 1], _QUALIFIER_LENGTHS.get(name, 0))
        if name not in _QUALIFIERS.get(ai, ()) or not plain or name in found:
            return None
        found[name] = plain
    closed = PRIMARY[ai][2]
    if closed and uri:
        expected = compute_gs1_digit(value[: closed - 1])
        if value[closed - 1] != expected:
            raise BadCheckDigit(key=uri, expected=expected)
    for name in _QUALIFIERS.get(ai, ()):
        if name in found and not (name == "254" and found[name] == "0"):
            return ((ai, value), (name, found[name]))
    return ((ai, value),)


def _read_primary(ai: str, text: str) -> str:
    digits, more, _ = PRIMARY[ai]
    if ai == "01" and is_digits(text) and len(text) in {8, 12, 13}:
        return text.rjust(14, "0")
    plain = decode_value(text, digits + more)
    return plain if len(plain) >= digits and (not digits or is_digits(plain[:digits])) else ""


def is_digits(text: str) -> bool:
    """Whether all is 0-9, and something is there."""
    return text.isascii() and text.isdigit()


def decode_value(text: str, length: int) -> str:
    """A URN's or a path's value without its %XX, or "" when it is no AI value of that length."""
    plain = _PERCENT.sub(lambda found: chr(int(found[1], 16)), text) if "%" in text else text
    return plain if 0 < len(plain) <= length and _VALUE.match(plain) else ""

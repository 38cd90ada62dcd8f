"""EPC URNs (`urn:epc:id:…`, classes and patterns) as (AI, value) pairs. Pure.

Source: EPC Tag Data Standard 2.0, section 6. A URN has no check digit: it is computed.
"""

from typing import Final

from hansa.apps.food_trace.digital_link import Pairs, decode_value, is_digits
from hansa.apps.food_trace.faults import BadIdentifier
from hansa.primitives.identifiers import compute_gs1_digit

# scheme: (AI, digits of company prefix and reference together, AI of the serial or "" when it is
# part of the value, how many characters the serial may have).
_NUMERIC: Final[dict[str, tuple[str, int, str, int]]] = {
    "sgtin": ("01", 13, "21", 20),
    "lgtin": ("01", 13, "10", 20),
    "upui": ("01", 13, "235", 28),
    "sgln": ("414", 12, "254", 20),
    "grai": ("8003", 12, "", 16),
    "gdti": ("253", 12, "", 17),
    "sgcn": ("255", 12, "", 12),
}
# The same without a serial.
_PLAIN: Final[dict[str, tuple[str, int]]] = {
    "sscc": ("00", 17),
    "gsrn": ("8018", 17),
    "gsrnp": ("8017", 17),
    "gsin": ("402", 16),
    "pgln": ("417", 12),
}
# Company prefix and a reference of any characters, without a check digit; characters together.
_FREE: Final[dict[str, tuple[str, int]]] = {"giai": ("8004", 30), "ginc": ("401", 30)}
_KNOWN: Final = {*_NUMERIC, *_PLAIN, *_FREE, "cpi", "itip"}
# The value after AI, prefix and reference starts with the indicator or the extension digit.
_FIRST_DIGIT_MOVES: Final = {"01", "00"}


def read_urn(uri: str) -> Pairs | None:
    """The parts of an EPC URN, or None where its scheme is no GS1 key. Raises BadIdentifier."""
    words = uri.split(":", 4)
    if len(words) != 5 or words[2] not in {"id", "class", "idpat"}:
        return None
    kind, scheme, body = words[2:]
    if scheme not in _KNOWN or (kind == "class") != (scheme == "lgtin"):
        return None
    parts = body.split(".", 1) if scheme in _FREE else body.split(".")
    pairs = _read_scheme(scheme, parts, is_pattern=kind == "idpat")
    if pairs is None:
        if kind == "idpat" and "*" in body:
            return None  # a pattern of many classes: only for queries
        raise BadIdentifier(key=uri)
    return pairs


def _read_scheme(scheme: str, parts: list[str], *, is_pattern: bool) -> Pairs | None:
    if scheme in _NUMERIC:
        return _read_numeric(*_NUMERIC[scheme], parts, is_pattern)
    if scheme in _PLAIN and len(parts) == 2:
        ai, length = _PLAIN[scheme]
        number = _join_digits(ai, parts[0], parts[1], length)
        return ((ai, number),) if number else None
    if scheme in _FREE and len(parts) == 2 and _is_prefix(parts[0]):
        ai, length = _FREE[scheme]
        reference = decode_value(parts[1], length - len(parts[0]))
        return ((ai, parts[0] + reference),) if reference else None
    if scheme == "cpi":
        return _read_cpi(parts, is_pattern)
    return _read_itip(parts, is_pattern) if scheme == "itip" else None


def _read_numeric(
    ai: str, length: int, serial_ai: str, serial_max: int, parts: list[str], is_pattern: bool
) -> Pairs | None:
    if len(parts) < 3:
        return None
    number = _join_digits(ai, parts[0], parts[1], length)
    serial = ".".join(parts[2:])
    if is_pattern and serial == "*":
        serial = ""
    else:
        serial = decode_value(serial, serial_max)
        if not serial:
            return None
    if not number:
        return None
    if ai == "8003":
        number = "0" + number
    if not serial_ai:
        return ((ai, number + serial),)
    if not serial or (ai == "414" and serial == "0"):
        return ((ai, number),)
    return ((ai, number), (serial_ai, serial))


def _read_cpi(parts: list[str], is_pattern: bool) -> Pairs | None:
    if len(parts) != 3 or not _is_prefix(parts[0]):
        return None
    reference = decode_value(parts[1], 30 - len(parts[0]))
    if not reference:
        return None
    if is_pattern and parts[2] == "*":
        return (("8010", parts[0] + reference),)
    if not is_digits(parts[2]) or len(parts[2]) > 12:
        return None
    return (("8010", parts[0] + reference), ("8011", parts[2]))


def _read_itip(parts: list[str], is_pattern: bool) -> Pairs | None:
    if len(parts) < 5 or not all(len(part) == 2 and is_digits(part) for part in parts[2:4]):
        return None
    number = _join_digits("01", parts[0], parts[1], 13)
    serial = ".".join(parts[4:])
    if not number:
        return None
    number += parts[2] + parts[3]
    if is_pattern and serial == "*":
        return (("8006", number),)
    serial = decode_value(serial, 20)
    return (("8006", number), ("21", serial)) if serial else None


def _join_digits(ai: str, prefix: str, reference: str, length: int) -> str:
    """Prefix and reference with the check digit, or "" when they are not `length` digits."""
    if not _is_prefix(prefix) or len(prefix) + len(reference) != length:
        return ""
    if reference and not is_digits(reference):
        return ""
    if ai in _FIRST_DIGIT_MOVES:
        if not reference:
            return ""
        digits = reference[0] + prefix + reference[1:]
    else:
        digits = prefix + reference
    return digits + compute_gs1_digit(digits)


def _is_prefix(text: str) -> bool:
    return 6 <= len(text) <= 12 and is_digits(text)

"""Conditions of a query that only the event's own document can answer. Pure.

Sensor values, quantities, ILMD and extensions stand in the normal document alone; the read model
has no columns for them. Numbers compare exactly. Source: GS1 EPCIS 2.0 clause 8.2.7.1.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Final

import msgspec

from hansa.apps.food_trace.event_tree import parse_number
from hansa.apps.food_trace.timestamps import InvalidTime, parse_time

Fields = dict[str, Any]
# Whether an event passes.
Test = Callable[[Fields], bool]

_QUANTITIES: Final = (
    "quantityList",
    "childQuantityList",
    "inputQuantityList",
    "outputQuantityList",
)
_REPORTED: Final = (
    "type deviceID deviceMetadata rawData dataProcessingMethod microorganism chemicalSubstance "
    "coordinateReferenceSystem bizRules stringValue hexBinaryValue uriValue booleanValue"
).split()
_TIMES: Final = ("time", "startTime", "endTime")
_AMOUNT: Final = re.compile(
    r"(EQ|GT|GE|LT|LE)_(value|minValue|maxValue|meanValue|sDev|percValue|percRank|quantity)"
    r"(?:_([A-Z0-9]{2,4}))?"
)
_EXTENSION: Final = re.compile(
    r"(EQ|GT|GE|LT|LE|EXISTS)_(INNER_)?"
    r"(?:(ILMD|ERROR_DECLARATION|SENSORELEMENT|SENSORMETADATA|SENSORREPORT|readPoint|bizLocation)_)?"
    r"(\{[^}]*\}.+)",
    re.DOTALL,
)
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "GT": lambda found, wanted: bool(found > wanted),
    "GE": lambda found, wanted: bool(found >= wanted),
    "LT": lambda found, wanted: bool(found < wanted),
    "LE": lambda found, wanted: bool(found <= wanted),
}


def build_test(name: str, value: Any) -> Test | None:
    """The test of a parameter as `documents.query` reads it; None when it is none of these."""
    operation, _sep, field = name.partition("_")
    if operation == "EQ" and field in _REPORTED:
        wanted = value if isinstance(value, tuple) else (value,)
        return lambda event: any(found in wanted for found in _iterate_reported(event, field))
    if operation in ("GE", "LT") and field in _TIMES:
        bound = parse_time(value)
        return lambda event: any(
            _COMPARE[operation](time, bound) for time in _iterate_times(event, field)
        )
    if name == "EXISTS_sensorElementList":
        return lambda event: bool(event.get("sensorElementList"))
    if name == "EXISTS_ilmd":
        return lambda event: bool(event.get("ilmd"))
    amount = _AMOUNT.fullmatch(name)
    if amount is not None:
        return _build_amount(amount[1], amount[2], amount[3] or "", value)
    extension = _EXTENSION.fullmatch(name)
    if extension is not None:
        return _build_extension(
            extension[1], bool(extension[2]), extension[3] or "", extension[4], value
        )
    return None


def _build_amount(operation: str, field: str, uom: str, value: Any) -> Test:
    wanted = _read_numbers(value)

    def passes(event: Fields) -> bool:
        for item in _iterate_quantities(event) if field == "quantity" else _iterate_reports(event):
            number = _read_number(item.get(field))
            if number is None or (uom and item.get("uom") != uom):
                continue
            if _judge_number(operation, number, wanted):
                return True
        return False

    return passes


def _build_extension(operation: str, is_inner: bool, where: str, name: str, value: Any) -> Test:
    def passes(event: Fields) -> bool:
        roots = list(_find_roots(event, where))
        found = _iterate_inner(roots, name, where) if is_inner else _iterate_named(roots, name)
        return any(_judge_value(operation, each, value) for each in found)

    return passes


def _judge_number(operation: str, number: Fraction, wanted: Sequence[Fraction]) -> bool:
    if operation == "EQ":
        return number in wanted
    return any(_COMPARE[operation](number, each) for each in wanted)


def _judge_value(operation: str, found: Any, wanted: Any) -> bool:
    """A value of an extension: a list passes when one of its values does."""
    if operation == "EXISTS":
        return True
    if isinstance(found, list):
        return any(_judge_value(operation, each, wanted) for each in found)
    if operation == "EQ":
        texts = wanted if isinstance(wanted, tuple) else (wanted,)
        return any(_is_equal(found, each) for each in texts)
    number, bound = _read_number(found), _read_number(wanted)
    if number is not None and bound is not None:
        return _COMPARE[operation](number, bound)
    if isinstance(found, str) and isinstance(wanted, str):
        try:
            return _COMPARE[operation](parse_time(found), parse_time(wanted))
        except InvalidTime:
            return False
    return False


def _is_equal(found: Any, wanted: Any) -> bool:
    if isinstance(found, bool):
        return wanted in (str(found).lower(), found)
    if isinstance(found, str) and isinstance(wanted, str):
        return found == wanted
    number, other = _read_number(found), _read_number(wanted)
    return number is not None and number == other


def _read_number(value: Any) -> Fraction | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return Fraction(value)
    text = bytes(value).decode() if isinstance(value, msgspec.Raw) else value
    if not isinstance(text, str):
        return None
    try:
        amount, scale = parse_number(text)
    except ValueError:
        return None
    return Fraction(amount, 10**scale)


def _read_numbers(value: Any) -> list[Fraction]:
    values = value if isinstance(value, tuple) else (value,)
    return [number for each in values if (number := _read_number(each)) is not None]


def _iterate_quantities(event: Fields) -> Iterator[Fields]:
    for name in _QUANTITIES:
        yield from event.get(name, ())


def _iterate_elements(event: Fields) -> Iterator[Fields]:
    yield from event.get("sensorElementList", ())


def _iterate_reports(event: Fields) -> Iterator[Fields]:
    for element in _iterate_elements(event):
        yield from element.get("sensorReport", ())


def _iterate_parts(event: Fields) -> Iterator[Fields]:
    """Reports and metadata: both may say a device, a time, a method."""
    for element in _iterate_elements(event):
        yield element.get("sensorMetadata", {})
        yield from element.get("sensorReport", ())


def _iterate_reported(event: Fields, field: str) -> Iterator[Any]:
    for part in _iterate_parts(event):
        if field in part:
            yield part[field]


def _iterate_times(event: Fields, field: str) -> Iterator[int]:
    for text in _iterate_reported(event, field):
        yield parse_time(text)


def _find_roots(event: Fields, where: str) -> Iterator[Fields]:
    if where == "ILMD":
        yield event.get("ilmd", {})
    elif where == "ERROR_DECLARATION":
        yield event.get("errorDeclaration", {})
    elif where in ("readPoint", "bizLocation"):
        yield event.get(where, {})
    elif where == "SENSORELEMENT":
        yield from _iterate_elements(event)
    elif where == "SENSORMETADATA":
        yield from (each.get("sensorMetadata", {}) for each in _iterate_elements(event))
    elif where == "SENSORREPORT":
        yield from _iterate_reports(event)
    else:
        yield event


def _iterate_named(roots: Sequence[Fields], name: str) -> Iterator[Any]:
    for root in roots:
        if name in root:
            yield root[name]


def _iterate_inner(roots: Sequence[Fields], name: str, where: str) -> Iterator[Any]:
    """Values of that name below the extensions of a root, at any depth."""
    for root in roots:
        for key, value in root.items():
            if where or key.startswith("{"):
                yield from _iterate_below(value, name)


def _iterate_below(value: Any, name: str) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == name:
                yield inner
            yield from _iterate_below(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _iterate_below(inner, name)

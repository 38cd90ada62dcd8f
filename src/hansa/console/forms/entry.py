"""From what was typed to a message's body: exact, every fault at its field. And back. Pure.

Typed values are text by path: `content.lines.0.net`. A list's number of rows is `PATH.__n`, a
union's choice `PATH.__is`, an option of several `PATH.__OPTION`, another party `PATH.__other`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from hansa.console.forms.faults import Fault
from hansa.console.forms.shape import Shape
from hansa.console.numbers import (
    NotANumber,
    parse_day,
    parse_scaled,
    parse_span,
    parse_time,
    write_rate,
    write_scaled,
    write_span,
    write_time,
)
from hansa.encoding.json_faults import NOT_JSON
from hansa.primitives.identifiers import (
    SCHEMES,
    InvalidIdentifier,
    check_identifier,
    normalise,
)

# Rows of one list in a form; a bulk comes by a file.
ROWS_MAX: Final = 200
NOTHING: Final = object()
# Decimal places that a field beside an amount may say.
_SCALES: Final = frozenset("0123456789")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DID: Final = re.compile(r"did:hansa:[a-z2-7]{32}")
Typed = Mapping[str, str]
# The shape of an application's message, None when there is none.
Lookup = Callable[[str, str], Shape | None]


def no_actions(_application: str, _message: str) -> Shape | None:
    """For forms that carry no other messages."""
    return None


@dataclass(slots=True)
class Reading:
    """One form being read."""

    typed: Typed
    decimal: str
    lookup: Lookup = no_actions
    faults: list[Fault] = field(default_factory=list)

    def refuse(self, path: str, code: str, **params: Any) -> object:
        """Note a fault; what is refused has no value."""
        self.faults.append(Fault(path, code, params))
        return NOTHING

    def text(self, path: str) -> str:
        """What was typed there, without space around it."""
        return self.typed.get(path, "").strip()


def read_form(
    shape: Shape, typed: Typed, *, decimal: str = ".", lookup: Lookup = no_actions
) -> tuple[dict[str, Any], list[Fault]]:
    """Body of a message and the faults of what was typed. decimal: the reader's decimal sign."""
    reading = Reading(typed, decimal, lookup)
    body = _read_group(shape, "", reading)
    return body if isinstance(body, dict) else {}, reading.faults


def join(path: str, name: str) -> str:
    """Path of a field in a group."""
    return f"{path}.{name}" if path else name


def count_rows(shape: Shape, path: str, typed: Typed) -> int:
    """Rows of a list that the form shows or was sent with."""
    text = typed.get(f"{path}.__n", "")
    if text.isascii() and text.isdigit() and len(text) <= 4:
        return min(int(text), ROWS_MAX)
    prefix = f"{path}."
    given = [name[len(prefix) :].partition(".")[0] for name in typed if name.startswith(prefix)]
    numbers = [int(each) for each in given if each.isascii() and each.isdigit() and len(each) < 5]
    least = max(shape.items_min, 1 if shape.required and not shape.has_default else 0)
    return min(max([least, *(number + 1 for number in numbers)]), ROWS_MAX)


def is_blank(shape: Shape, path: str, typed: Typed) -> bool:
    """Whether nothing was typed into a field or anything within it, defaults apart."""
    prefix = f"{path}."
    usual = type_default(shape)
    for name, text in typed.items():
        if name == path or name.startswith(prefix):
            inner = name.removeprefix(prefix) if name != path else ""
            is_count = name.endswith(".__n")
            if text.strip() and not is_count and text.strip() != usual.get(inner, ""):
                return False
    return True


def type_default(shape: Shape) -> dict[str, str]:
    """What an untouched field shows, by path within it (`""`: itself)."""
    typed: dict[str, str] = {}
    if shape.has_default:
        _type_value(shape, "", shape.default, ".", typed)
    for each in shape.fields:
        for inner, text in type_default(each).items():
            typed[join(each.name, inner) if inner else each.name] = text
    return {path: text for path, text in typed.items() if text}


# -- reading ------------------------------------------------------------------------


def _read(shape: Shape, path: str, reading: Reading) -> Any:
    """The value of a field, or NOTHING: left out, or refused."""
    if shape.kind == "constant":
        return shape.value
    if shape.is_flat and not (shape.kind == "flag" or reading.text(path) or _other(path, reading)):
        return _read_blank(shape, path, reading)
    if shape.is_nullable and is_blank(shape, path, reading.typed):
        return None if not shape.has_default else NOTHING
    return _READERS[shape.kind](shape, path, reading)


def _read_blank(shape: Shape, path: str, reading: Reading) -> Any:
    if shape.has_default:
        return NOTHING
    if shape.is_nullable:
        return None
    if shape.kind == "choice":
        return "" if "" in shape.options else reading.refuse(path, "choose")
    return reading.refuse(path, "needed")


def _read_group(shape: Shape, path: str, reading: Reading) -> Any:
    if shape.has_default and not shape.required and is_blank(shape, path, reading.typed):
        return NOTHING
    body: dict[str, Any] = {}
    for each in shape.fields:
        value = _read(each, join(path, each.name), reading)
        if value is not NOTHING:
            body[each.name] = value
    return body


def _read_list(shape: Shape, path: str, reading: Reading) -> Any:
    item = shape.item
    if item is None:
        return []
    values = []
    for index in range(count_rows(shape, path, reading.typed)):
        row = f"{path}.{index}"
        if is_blank(item, row, reading.typed):
            continue
        value = _read(item, row, reading)
        if value is not NOTHING:
            values.append(value)
    refused = any(fault.path.startswith(f"{path}.") for fault in reading.faults)
    least = max(shape.items_min, 1 if shape.required and not shape.has_default else 0)
    if len(values) < least and not refused:
        return reading.refuse(path, "few", count=least)
    if shape.items_max is not None and len(values) > shape.items_max:
        return reading.refuse(path, "many", count=shape.items_max)
    return values if values or not shape.has_default else NOTHING


def _read_several(shape: Shape, path: str, reading: Reading) -> Any:
    chosen = [each for each in shape.options if reading.text(f"{path}.__{each}")]
    if not chosen and shape.has_default:
        return NOTHING
    least = max(shape.items_min, 1 if shape.required else 0)
    return chosen if len(chosen) >= least else reading.refuse(path, "choose")


def _read_union(shape: Shape, path: str, reading: Reading) -> Any:
    chosen = reading.text(f"{path}.__is")
    found = next((each for each in shape.variants if each.type == chosen), None)
    if found is None:
        return reading.refuse(path, "choose")
    return _read_group(found, f"{path}.{found.type}", reading)


def _read_action(shape: Shape, path: str, reading: Reading) -> Any:
    inner = find_action(shape, path, reading.typed, reading.lookup)
    if inner is None:
        return reading.refuse(path, "message")
    return _write_out(inner, _read_group(inner, path, reading))


def _write_out(shape: Shape, value: Any) -> Any:
    """The value with every default in it: an action of a proposal is signed as it stands."""
    if isinstance(value, list) and shape.item is not None:
        return [_write_out(shape.item, each) for each in value]
    if not isinstance(value, dict) or not shape.fields:
        return value
    return {
        each.name: _write_out(each, value[each.name]) if each.name in value else each.default
        for each in shape.fields
        if each.name in value or each.has_default
    }


def find_action(shape: Shape, path: str, typed: Typed, lookup: Lookup) -> Shape | None:
    """Shape of the message that the fields beside `path` name."""
    beside = path.rpartition(".")[0]
    message = typed.get(join(beside, shape.unit), "")
    return lookup(typed.get(join(beside, "application"), ""), message) if message else None


def _read_json(_shape: Shape, path: str, reading: Reading) -> Any:
    text = reading.text(path)
    try:
        return msgspec.json.decode(text) if text else reading.refuse(path, "needed")
    except NOT_JSON:
        return reading.refuse(path, "json")


def _read_flag(_shape: Shape, path: str, reading: Reading) -> Any:
    return reading.text(path) in ("on", "true")


def _read_choice(shape: Shape, path: str, reading: Reading) -> Any:
    text = reading.text(path)
    found = next((each for each in shape.options if str(each) == text), NOTHING)
    return reading.refuse(path, "choose") if found is NOTHING else found


def _read_integer(shape: Shape, path: str, reading: Reading) -> Any:
    try:
        value = parse_scaled(reading.text(path), 0, reading.decimal)
    except NotANumber as refused:
        return reading.refuse(path, "whole" if refused.code == "decimals" else refused.code)
    return _check_bounds(shape, path, reading, value)


def _read_scaled(shape: Shape, path: str, reading: Reading) -> Any:
    scale = shape.scale
    if shape.scale_of:
        given = reading.text(join(path.rpartition(".")[0], shape.scale_of))
        scale = int(given) if given in _SCALES else 0
    try:
        value = parse_scaled(reading.text(path).rstrip("%"), scale, reading.decimal)
    except NotANumber as refused:
        return reading.refuse(path, refused.code, scale=scale)
    return _check_bounds(shape, path, reading, value)


def _check_bounds(shape: Shape, path: str, reading: Reading, value: int) -> Any:
    if shape.low is not None and value < shape.low:
        return reading.refuse(path, "low", low=write_rate(shape.low, shape.scale, reading.decimal))
    if shape.high is not None and value > shape.high:
        high = write_rate(shape.high, shape.scale, reading.decimal)
        return reading.refuse(path, "high", high=high)
    return value


def _read_parsed(code: str, parse: Callable[[str], Any]) -> Callable[[Shape, str, Reading], Any]:
    def read(shape: Shape, path: str, reading: Reading) -> Any:
        try:
            value = parse(reading.text(path))
        except NotANumber:
            return reading.refuse(path, code)
        return value if isinstance(value, str) else _check_bounds(shape, path, reading, value)

    return read


def _other(path: str, reading: Reading) -> str:
    return reading.text(f"{path}.__other")


def _read_party(shape: Shape, path: str, reading: Reading) -> Any:
    text = _other(path, reading) or reading.text(path)
    if shape.pattern and _DID.fullmatch(text) is None:
        return reading.refuse(path, "did")
    return _check_text(shape, path, reading, text)


def _read_text(shape: Shape, path: str, reading: Reading) -> Any:
    text = reading.text(path)
    if shape.meaning == "identifier":
        return _read_identifier(shape, path, reading, text)
    return _check_text(shape, path, reading, text)


def _read_long(shape: Shape, path: str, reading: Reading) -> Any:
    return _check_text(shape, path, reading, reading.text(path).replace("\r\n", "\n"))


def _check_text(shape: Shape, path: str, reading: Reading, text: str) -> Any:
    if _CONTROL.search(text):
        return reading.refuse(path, "control")
    if len(text) < shape.length_min and shape.length_min != shape.length_max:
        return reading.refuse(path, "short", count=shape.length_min)
    if shape.length_max is not None and len(text) > shape.length_max:
        return reading.refuse(path, "long", count=shape.length_max)
    is_short = len(text) < shape.length_min
    if is_short or (shape.pattern and re.search(shape.pattern, text) is None):
        return reading.refuse(path, "form")
    return text


def _read_identifier(shape: Shape, path: str, reading: Reading, text: str) -> Any:
    """An identifier in its one spelling, its check digits judged. Of a scheme that is not known
    here the ledger judges.
    """
    scheme, value, prefix = shape.scheme, text, ""
    if shape.unit:
        scheme = reading.text(join(path.rpartition(".")[0], shape.unit))
    elif not scheme:
        scheme, sep, value = text.partition(":")
        prefix = scheme + sep
    if scheme not in SCHEMES:
        return _check_text(shape, path, reading, text)
    try:
        check_identifier(scheme, value)
    except InvalidIdentifier as invalid:
        return reading.refuse(path, invalid.reason, scheme=scheme)
    return _check_text(shape, path, reading, prefix + normalise(scheme, value))


_READERS: Final[dict[str, Callable[[Shape, str, Reading], Any]]] = {
    "group": _read_group,
    "list": _read_list,
    "several": _read_several,
    "union": _read_union,
    "action": _read_action,
    "json": _read_json,
    "flag": _read_flag,
    "choice": _read_choice,
    "integer": _read_integer,
    "scaled": _read_scaled,
    "date": _read_parsed("date", parse_day),
    "time": _read_parsed("time", parse_time),
    "span": _read_parsed("span", parse_span),
    "party": _read_party,
    "text": _read_text,
    "long": _read_long,
}


# -- and back ------------------------------------------------------------------------


def type_body(shape: Shape, body: Mapping[str, Any], *, decimal: str = ".") -> dict[str, str]:
    """What would have been typed to give `body`."""
    typed: dict[str, str] = {}
    _type_fields(shape, "", body, decimal, typed)
    return typed


def _type_fields(
    shape: Shape, path: str, body: Mapping[str, Any], decimal: str, typed: dict[str, str]
) -> None:
    for each in shape.fields:
        scale = body.get(each.scale_of, 0) if each.scale_of else each.scale
        field_ = replace(each, scale=scale) if each.scale_of else each
        if each.name in body:
            _type_value(field_, join(path, each.name), body[each.name], decimal, typed)


def _type_value(shape: Shape, path: str, value: Any, decimal: str, typed: dict[str, str]) -> None:
    if value is None or shape.kind == "constant":
        return
    if shape.kind == "group" and isinstance(value, Mapping):
        _type_fields(shape, path, value, decimal, typed)
    elif shape.kind == "list" and shape.item is not None:
        typed[f"{path}.__n"] = str(len(value))
        for index, each in enumerate(value):
            _type_value(shape.item, f"{path}.{index}", each, decimal, typed)
    elif shape.kind == "several":
        typed.update({f"{path}.__{each}": "on" for each in value})
    elif shape.kind in ("json", "union", "action"):
        typed[path] = msgspec.json.encode(value).decode()
    else:
        typed[path] = write_value(shape, value, decimal)


def write_value(shape: Shape, value: Any, decimal: str = ".") -> str:
    """A single value as its field shows it."""
    if isinstance(value, bool):
        return "on" if value else ""
    if isinstance(value, int):
        if shape.kind == "scaled":
            write = write_rate if shape.meaning == "rate" else write_scaled
            return write(value, shape.scale, decimal)
        if shape.kind in ("time", "span"):
            return write_time(value) if shape.kind == "time" else write_span(value)
    return str(value)

"""The parts of a normal document, each with the place of what is wrong. Pure; consensus code.

Numbers stay as written until `parse_number`; no float is ever made. Raises InvalidEvent.
"""

import re
from functools import lru_cache
from typing import Any, Final

import msgspec

from hansa.apps.food_trace.faults import BadCheckDigit, BadIdentifier, InvalidEvent
from hansa.apps.food_trace.identifiers import element_of, is_uri, make_opaque
from hansa.apps.food_trace.timestamps import InvalidTime, parse_time
from hansa.primitives.limits import INTEGER_MAX

Number = tuple[int, int]  # (amount, scale): amount / 10**scale, without trailing zeros

# One event must fit a message and a record, which write its quotes and backslashes twice.
DOCUMENT_BYTES_MAX: Final = 96_000
STORED_BYTES_MAX: Final = 112_000
# An extension of an extension of a sensor element is at 12.
DOCUMENT_DEPTH_MAX: Final = 32
# A pallet of cartons of pieces; more are another event.
ITEMS_MAX: Final = 2_000
# Places of a quantity: a record counts in whole 10**-scale of its unit.
QUANTITY_SCALE_MAX: Final = 12
# A double of IEEE 754 is written with 17 digits and an exponent; a number beyond is no measurement.
NUMBER_CHARACTERS_MAX: Final = 64
READING_SCALE_MAX: Final = 40

_NUMBER: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,3}))?\Z")


class Quantity(msgspec.Struct, frozen=True):
    """A quantity of a class or lot: amount / 10**scale in `uom` ("" counts pieces).

    `amount` is None where the event names the class without saying how much.
    """

    item: str
    amount: int | None
    scale: int
    uom: str


class Reading(msgspec.Struct, frozen=True):
    """One sensor report. `type` is the measurement ("Temperature"), `uom` a Rec. 20 code.

    `time_ms` is the report's own time, else the element's time or end, else None.
    """

    type: str
    time_ms: int | None
    uom: str
    value: Number | None = None
    min: Number | None = None
    max: Number | None = None
    mean: Number | None = None
    component: str = ""
    exception: str = ""
    device: str = ""
    substance: str = ""
    organism: str = ""


class Party(msgspec.Struct, frozen=True):
    """A source, a destination or a business transaction: its type ("owning_party") and who."""

    type: str
    value: str


class ErrorDeclaration(msgspec.Struct, frozen=True):
    """That the event with this id was in error (EPCIS 7.4.1.3); `corrective` are event ids."""

    time_ms: int
    reason: str
    corrective: tuple[str, ...]


def _keep_number(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


_decoder = msgspec.json.Decoder(float_hook=_keep_number)
_encoder = msgspec.json.Encoder(order="sorted")


def parse_number(text: str) -> Number:
    """A JSON number as (amount, scale) without trailing zeros. Raises ValueError."""
    found = _NUMBER.match(text) if len(text) <= NUMBER_CHARACTERS_MAX else None
    if found is None:
        raise ValueError(text[:NUMBER_CHARACTERS_MAX])
    places = found[3] or ""
    digits, scale = found[2] + places, len(places)
    if found[4]:
        scale -= int(found[4])
    kept = digits.rstrip("0")
    scale -= len(digits) - len(kept)
    if not kept:
        return 0, 0
    if not -READING_SCALE_MAX <= scale <= READING_SCALE_MAX:
        raise ValueError(text)
    amount = int(found[1] + kept)
    return (amount * 10**-scale, 0) if scale < 0 else (amount, scale)


def decode_normal(document: str) -> dict[str, Any]:
    """The fields of a document that is the normal spelling of one JSON object."""
    try:
        data = document.encode()
        if len(data) > DOCUMENT_BYTES_MAX or _count_stored(data) > STORED_BYTES_MAX:
            raise InvalidEvent("NORMAL-SIZE", "/")
        fields = _decoder.decode(data)
        if not isinstance(fields, dict):
            raise InvalidEvent("NORMAL-FORM", "/")
        if _is_deeper(fields, DOCUMENT_DEPTH_MAX):
            raise InvalidEvent("NORMAL-DEPTH", "/")
        again = _encoder.encode(fields)
    except RecursionError:
        raise InvalidEvent("NORMAL-DEPTH", "/") from None
    except (msgspec.MsgspecError, UnicodeError):
        raise InvalidEvent("NORMAL-FORM", "/") from None
    if again != data:
        raise InvalidEvent("NORMAL-FORM", "/")
    return fields


def _count_stored(data: bytes) -> int:
    return len(data) + data.count(b'"') + data.count(b"\\")


def _is_deeper(value: Any, levels: int) -> bool:
    if levels == 0:
        return True
    for item in value.values() if type(value) is dict else value:
        kind = type(item)
        if (kind is dict or kind is list) and _is_deeper(item, levels - 1):
            return True
    return False


def read_text(fields: dict[str, Any], name: str, path: str = "") -> str:
    value = fields.get(name, "")
    if type(value) is not str:
        raise InvalidEvent("EPCIS-SHAPE", f"{path}/{name}")
    return value


def read_object(fields: dict[str, Any], name: str, path: str) -> dict[str, Any]:
    value = fields.get(name)
    if value is None and name not in fields:
        return {}
    if type(value) is not dict:
        raise InvalidEvent("EPCIS-SHAPE", f"{path}/{name}")
    return value


def read_list(fields: dict[str, Any], name: str, kind: type, path: str = "") -> list[Any]:
    value = fields.get(name)
    if value is None and name not in fields:
        return []
    if type(value) is not list:
        raise InvalidEvent("EPCIS-SHAPE", f"{path}/{name}")
    if len(value) > ITEMS_MAX:
        raise InvalidEvent("NORMAL-ITEMS", f"{path}/{name}")
    for place, item in enumerate(value):
        if type(item) is not kind:
            raise InvalidEvent("EPCIS-SHAPE", f"{path}/{name}/{place}")
    return value


def read_texts(fields: dict[str, Any], name: str, path: str) -> tuple[str, ...]:
    return tuple(read_list(fields, name, str, path)) if name in fields else ()


def read_time(fields: dict[str, Any], name: str, path: str) -> int:
    text = fields.get(name)
    try:
        return parse_time(text if type(text) is str else "")
    except InvalidTime:
        raise InvalidEvent("EPCIS-TIME", f"{path}/{name}") from None


def read_element(fields: dict[str, Any], name: str, path: str) -> str:
    if name not in fields:
        return ""
    return _to_element(read_text(fields, name, path), f"{path}/{name}")


def _to_element(uri: str, path: str) -> str:
    element = find_element(uri)
    if not element:
        raise InvalidEvent("EPCIS-URI", path)
    return element


@lru_cache(maxsize=16_384)
def find_element(uri: str) -> str:
    """The element form of a URI, "" for what is none. Raises BadCheckDigit, BadIdentifier."""
    return element_of(uri) if is_uri(uri) else ""


def read_elements(fields: dict[str, Any], name: str) -> tuple[str, ...]:
    if name not in fields:
        return ()
    return tuple(
        dict.fromkeys(
            _to_element(uri, f"/{name}/{place}")
            for place, uri in enumerate(read_list(fields, name, str))
        )
    )


def read_place(fields: dict[str, Any], name: str) -> str:
    if name not in fields:
        return ""
    place = read_object(fields, name, "")
    if "id" not in place:
        raise InvalidEvent("EPCIS-SHAPE", f"/{name}")
    return read_element(place, "id", f"/{name}")


def read_quantities(fields: dict[str, Any], name: str) -> tuple[Quantity, ...]:
    if name not in fields:
        return ()
    return tuple(
        _read_quantity(item, f"/{name}/{place}")
        for place, item in enumerate(read_list(fields, name, dict))
    )


def _read_quantity(item: dict[str, Any], path: str) -> Quantity:
    if "epcClass" not in item:
        raise InvalidEvent("EPCIS-SHAPE", path)
    element = read_element(item, "epcClass", path)
    uom = read_text(item, "uom", path)
    number = _read_number(item, "quantity", path)
    if number is None:
        return Quantity(element, None, 0, uom)
    amount, scale = number
    if not 0 <= amount <= INTEGER_MAX or scale > QUANTITY_SCALE_MAX:
        raise InvalidEvent("NORMAL-QUANTITY", f"{path}/quantity")
    return Quantity(element, amount, scale, uom)


def _read_number(item: dict[str, Any], name: str, path: str) -> Number | None:
    value = item.get(name)
    if value is None and name not in item:
        return None
    try:
        if type(value) is int:
            return _whole(value)
        if type(value) is msgspec.Raw:
            return parse_number(bytes(value).decode())
    except ValueError:
        raise InvalidEvent("NORMAL-NUMBER", f"{path}/{name}") from None
    raise InvalidEvent("EPCIS-NUMBER", f"{path}/{name}")


def _whole(value: int) -> Number:
    if abs(value) >= 10**NUMBER_CHARACTERS_MAX:
        raise ValueError
    return value, 0


def read_parties(fields: dict[str, Any], name: str, role: str) -> tuple[Party, ...]:
    if name not in fields:
        return ()
    return tuple(
        _read_party(item, role, f"/{name}/{place}")
        for place, item in enumerate(read_list(fields, name, dict))
    )


def _read_party(item: dict[str, Any], role: str, path: str) -> Party:
    value = read_text(item, role, path)
    if not is_uri(value):
        raise InvalidEvent("EPCIS-URI", f"{path}/{role}")
    try:
        element = element_of(value)
    except (BadCheckDigit, BadIdentifier):
        if role != "bizTransaction":
            raise
        element = make_opaque(value)  # any document's number may look like a key
    return Party(read_text(item, "type", path), element)


def read_readings(fields: dict[str, Any]) -> tuple[Reading, ...]:
    if "sensorElementList" not in fields:
        return ()
    found: list[Reading] = []
    for place, element in enumerate(read_list(fields, "sensorElementList", dict)):
        path = f"/sensorElementList/{place}"
        metadata = read_object(element, "sensorMetadata", path)
        default = next((name for name in ("time", "endTime") if name in metadata), "")
        time_ms = read_time(metadata, default, f"{path}/sensorMetadata") if default else None
        device = read_text(metadata, "deviceID", f"{path}/sensorMetadata")
        for number, report in enumerate(read_list(element, "sensorReport", dict, path)):
            found.append(_read_reading(report, f"{path}/sensorReport/{number}", time_ms, device))
    if len(found) > ITEMS_MAX:
        raise InvalidEvent("NORMAL-ITEMS", "/sensorElementList")
    return tuple(found)


def _read_reading(report: dict[str, Any], path: str, time_ms: int | None, device: str) -> Reading:
    return Reading(
        read_text(report, "type", path),
        read_time(report, "time", path) if "time" in report else time_ms,
        read_text(report, "uom", path),
        _read_number(report, "value", path),
        _read_number(report, "minValue", path),
        _read_number(report, "maxValue", path),
        _read_number(report, "meanValue", path),
        read_text(report, "component", path),
        read_text(report, "exception", path),
        read_text(report, "deviceID", path) or device,
        read_text(report, "chemicalSubstance", path),
        read_text(report, "microorganism", path),
    )


def read_error(fields: dict[str, Any]) -> ErrorDeclaration | None:
    if "errorDeclaration" not in fields:
        return None
    declared = read_object(fields, "errorDeclaration", "")
    return ErrorDeclaration(
        read_time(declared, "declarationTime", "/errorDeclaration"),
        read_text(declared, "reason", "/errorDeclaration"),
        read_texts(declared, "correctiveEventIDs", "/errorDeclaration"),
    )

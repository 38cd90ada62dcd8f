"""The event hash id of CBV 2.0: one id for one event, whatever the syntax. Pure, no network.

Source: CBV 2.0 section 8.9 as release 1.9.3 of its reference implementation computes it. Pinned by
`?ver=CBV2.0`; left out are eventID, recordTime, errorDeclaration and comments, and how XML marks
the types of extensions, which JSON cannot say.
"""

import re
from functools import lru_cache
from typing import Any, Final

import msgspec

from hansa.apps.food_trace.digital_link import Pairs, read_link
from hansa.apps.food_trace.documents import vocabulary
from hansa.apps.food_trace.documents.vocabulary import Vocabulary
from hansa.apps.food_trace.faults import BadIdentifier
from hansa.apps.food_trace.identifiers import parse
from hansa.apps.food_trace.timestamps import format_time, parse_time
from hansa.crypto.hashing import sha256

HASH_VERSION: Final = "CBV2.0"

_NUMBER: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,3}))?\Z")
_FINER: Final = re.compile(r"T[0-9:]{8}\.[0-9]{3}[5-9]")
# What the algorithm's version has for the GS1 Web Vocabulary; the address has moved since.
_GS1_VOC: Final = "https://gs1.org/voc/"
_MOVED: Final = {
    "{https://ref.gs1.org/voc/}": "{https://gs1.org/voc/}",
    "{urn:epcglobal:epcis:xsd:2}": "",
}
_COMMENT: Final = "{http://www.w3.org/2000/01/rdf-schema#}comment"
# Characters of a key that stay as they are in a path (Digital Link 1.2, table 7-1).
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._~';=-]")

_METADATA: Final = (
    "time startTime endTime deviceID deviceMetadata rawData dataProcessingMethod bizRules".split()
)
_REPORT: Final = (
    "type exception deviceID deviceMetadata rawData dataProcessingMethod time microorganism "
    "chemicalSubstance value component stringValue booleanValue hexBinaryValue uriValue minValue "
    "maxValue meanValue sDev percRank percValue uom coordinateReferenceSystem"
).split()
_ITEM_LISTS: Final = {"epcList", "inputEPCList", "childEPCs", "outputEPCList"}
# The order in which the fields of an event are written.
_ORDER: Final = (
    "eventTime eventTimeZoneOffset certificationInfo parentID epcList inputEPCList childEPCs "
    "quantityList childQuantityList inputQuantityList outputEPCList outputQuantityList action "
    "transformationID bizStep disposition persistentDisposition readPoint bizLocation "
    "sensorElementList"
).split()
# After them, in the order of the alphabet: these, and the extensions.
_PARTY_LISTS: Final = {
    "bizTransactionList": "bizTransaction",
    "destinationList": "destination",
    "sourceList": "source",
}
_LEFT_OUT: Final = {"type", "eventID", "recordTime", "errorDeclaration", _COMMENT}
_WORDS: Final[dict[str, Vocabulary]] = {
    "bizStep": vocabulary.BIZ_STEP,
    "disposition": vocabulary.DISPOSITION,
    "bizTransactionList": vocabulary.TRANSACTION,
    "destinationList": vocabulary.PARTY,
    "sourceList": vocabulary.PARTY,
    "component": vocabulary.COMPONENT,
}


def compute_hash_id(event: dict[str, Any]) -> str:
    """The hash id of a normal event's tree: `ni:///sha-256;…?ver=CBV2.0`."""
    digest = sha256(compute_pre_hash(event).encode("utf-8", "surrogatepass")).hex()
    return f"ni:///sha-256;{digest}?ver={HASH_VERSION}"


def compute_pre_hash(event: dict[str, Any]) -> str:
    """What is hashed: every field with its value, in the algorithm's order."""
    written = [f"eventType={event['type']}"]
    written += [_write_field(name, event[name]) for name in _ORDER if name in event]
    rest = [
        _write_parties(name, item, event[name])
        for name, item in _PARTY_LISTS.items()
        if name in event
    ]
    if "ilmd" in event:
        rest.append("ilmd" + _write_extensions(event["ilmd"]))
    rest += _list_extensions(event)
    return "".join([*written, *sorted(rest)])


def _write_field(name: str, value: Any) -> str:
    if name in _ITEM_LISTS:
        return name + "".join(sorted("epc=" + canonise(item) for item in value))
    if name.endswith("uantityList"):
        return name + "".join(sorted(map(_write_quantity, value)))
    if name in {"readPoint", "bizLocation"}:
        return f"{name}id={canonise(value['id'])}" + _write_extensions(value, "id")
    if name == "persistentDisposition":
        return name + "".join(_write_dispositions(part, value) for part in ("set", "unset"))
    if name == "sensorElementList":
        return name + "".join(sorted(map(_write_sensor, value)))
    if name == "certificationInfo":
        return "".join(sorted(f"{name}={canonise(item)}" for item in value))
    if name == "eventTime":
        return f"{name}={_format_time(value)}"
    if name in _WORDS:
        return f"{name}={_write_word(_WORDS[name], value)}"
    return f"{name}={canonise(value)}"


def _write_quantity(item: dict[str, Any]) -> str:
    fields = ("epcClass", "quantity", "uom")
    written = [f"{name}={canonise(item[name])}" for name in fields if name in item]
    return "quantityElement" + "".join(written)


def _write_dispositions(part: str, value: dict[str, Any]) -> str:
    words = value.get(part, ())
    return "".join(sorted(f"{part}={_write_word(vocabulary.DISPOSITION, word)}" for word in words))


def _write_sensor(element: dict[str, Any]) -> str:
    written = ["sensorElement"]
    if element.get("sensorMetadata"):
        metadata = element["sensorMetadata"]
        written.append("sensorMetadata" + _write_readings(metadata, _METADATA))
    reports = element.get("sensorReport", ())
    written += sorted("sensorReport" + _write_readings(report, _REPORT) for report in reports)
    written.append(_write_extensions(element, "sensorMetadata", "sensorReport"))
    return "".join(written)


def _write_readings(fields: dict[str, Any], order: list[str]) -> str:
    written = []
    for name in order:
        if name in fields:
            value = fields[name]
            if name in {"time", "startTime", "endTime"}:
                text = _format_time(value)
            elif name in {"type", "exception"}:
                text = _write_gs1(value)
            elif name == "component":
                text = _write_word(vocabulary.COMPONENT, value)
            else:
                text = canonise(value)
            written.append(f"{name}={text}")
    return "".join(written) + _write_extensions(fields, *order)


def _write_parties(name: str, item: str, parties: list[dict[str, Any]]) -> str:
    written = []
    for party in parties:
        kind = f"type={_write_word(_WORDS[name], party['type'])}" if "type" in party else ""
        written.append(f"{kind}{item}={canonise(party[item])}")
    return name + "".join(sorted(written))


def _list_extensions(fields: dict[str, Any]) -> list[str]:
    """The extensions of an object, one text for each value."""
    written: list[str] = []
    for name, value in fields.items():
        if name.startswith("{") and name not in _LEFT_OUT:
            written += _write_extension(name, value)
    return written


def _write_extensions(fields: dict[str, Any], *known: str) -> str:
    """All fields but the known ones, sorted."""
    written: list[str] = []
    for name, value in fields.items():
        if name not in known and name not in {_COMMENT, "#text"}:
            written += _write_extension(name, value)
    return "".join(sorted(written))


def _write_extension(name: str, value: Any) -> list[str]:
    for now, then in _MOVED.items():
        name = name.replace(now, then)
    return [_write_one(name, item) for item in (value if type(value) is list else [value])]


def _write_one(name: str, value: Any) -> str:
    if type(value) is dict:
        text = canonise(value.get("#text", ""))
        return name + (f"={text}" if text else "") + _write_extensions(value)
    if type(value) is list:
        return name + "".join(sorted(_write_one("", item) for item in value))
    text = canonise(value)
    return f"{name}={text}" if text else name


# -- values -----------------------------------------------------------------------------------


def canonise(value: Any) -> str:
    """A value as it is hashed: numbers plain, keys as canonical Digital Links, words as URIs."""
    if type(value) is str:
        return _canonise_text(value)
    if type(value) is msgspec.Raw:
        return _canonise_text(bytes(value).decode())
    if value is None:
        return ""
    if type(value) is bool:
        return "true" if value else "false"
    return str(value)


@lru_cache(maxsize=16_384)
def _canonise_text(text: str) -> str:
    text = text.strip()
    if text[:1] in "+-.0123456789":
        return _plain_number(text)
    if text.startswith(("urn:epcglobal:cbv:", "cbv:", "gs1:")):
        return _expand(text)
    if text.startswith(("urn:epc:", "https://", "http://")):
        return _canonise_link(text)
    return text


def _plain_number(text: str) -> str:
    """A number without sign +, leading and trailing zeros, or exponent; other text as it is."""
    found = _NUMBER.match(text) if len(text) <= 40 else None
    if found is None or not (found[2] or found[3]):
        return text
    digits, places = found[2] + (found[3] or ""), len(found[3] or "") - int(found[4] or "0")
    if places < 0:
        digits, places = digits + "0" * -places, 0
    digits = digits.rjust(places + 1, "0")
    whole = digits[: len(digits) - places].lstrip("0") or "0"
    part = digits[len(digits) - places :].rstrip("0")
    plain = whole + (f".{part}" if part else "")
    return f"-{plain}" if found[1] == "-" and plain != "0" else plain


def _expand(text: str) -> str:
    if text.startswith("gs1:"):
        return _GS1_VOC + text[4:]
    if text.startswith("cbv:"):
        return vocabulary.CBV + text[4:]
    for words in (*_WORDS.values(), vocabulary.DISPOSITION, vocabulary.REASON):
        if words.urn and text.startswith(words.urn):
            return words.web + text[len(words.urn) :]
    return text


def _canonise_link(uri: str) -> str:
    if not uri.startswith("urn:"):
        found = read_link(uri, is_checked=False)
        return uri if found is None else _write_link(found)
    try:
        key = parse(uri)
    except BadIdentifier:
        return uri
    return uri if key is None else _write_link(key.parts)


def _write_link(pairs: Pairs) -> str:
    path = "https://id.gs1.org"
    for ai, value in pairs:
        if ai != "22":
            path += f"/{ai}/" + (value if value.isalnum() else _UNSAFE.sub(_escape, value))
    return path


def _escape(found: re.Match[str]) -> str:
    return "".join(f"%{code:02X}" for code in found[0].encode())


def _write_word(words: Vocabulary, text: str) -> str:
    return words.to_web(text) if text in words.words else canonise(text)


def _write_gs1(text: str) -> str:
    if ":" not in text:
        return _GS1_VOC + text
    return canonise(text)


def _format_time(text: str) -> str:
    """UTC with milliseconds; what is finer is rounded."""
    return format_time(parse_time(text) + (1 if _FINER.search(text) else 0))

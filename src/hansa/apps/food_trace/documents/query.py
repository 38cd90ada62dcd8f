"""A query's parameters: from a JSON object, an XML poll or a web address, checked. Pure.

Source: EPCIS 2.0 clause 8.2.7 (SimpleEventQuery) and the query schema of its REST binding. What a
parameter means is the read model's; here its name is one of the standard's and its value fits.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from hansa.apps.food_trace.documents import vocabulary
from hansa.apps.food_trace.documents.names import EPCIS_CONTEXT, Context
from hansa.apps.food_trace.documents.rulebook import Failure, make_failure
from hansa.apps.food_trace.documents.vocabulary import Vocabulary
from hansa.apps.food_trace.event import TYPES
from hansa.apps.food_trace.event_tree import parse_number
from hansa.apps.food_trace.identifiers import is_uri
from hansa.apps.food_trace.timestamps import InvalidTime, parse_time

VALUES_MAX: Final = 1_000

# A checked value: text, a number as its JSON text is `msgspec.Raw` or int, true/false, a list.
Judge = Callable[[Any, Context], Any]


class InvalidValue(ValueError):
    """A value that does not fit its parameter."""


class Query(msgspec.Struct, frozen=True):
    """A query by name with its parameters, words and lists made normal.

    Lists are tuples; words of CBV are bare; numbers are int or `msgspec.Raw` (as written). Names
    of extensions in parameters are in Clark's form: `EQ_{http://ns.example.com/epcis/}myField`.
    """

    name: str
    parameters: dict[str, Any]


def read_parameters(
    given: Mapping[str, Any], context: Context = EPCIS_CONTEXT, path: str = ""
) -> tuple[dict[str, Any], list[Failure]]:
    """Check parameters by name and value; what is wrong is left out and said."""
    read: dict[str, Any] = {}
    failures: list[Failure] = []
    for name, value in given.items():
        if name == "@context":
            continue
        full, judge = find_parameter(name, context)
        place = f"{path}/{name}"
        if judge is None:
            failures.append(make_failure("QUERY-PARAMETER", place, name))
            continue
        try:
            read[full] = judge(value, context)
        except InvalidValue:
            said = value if isinstance(value, str) else ""
            failures.append(make_failure("QUERY-VALUE", place, said))
    return read, failures


def find_parameter(name: str, context: Context) -> tuple[str, Judge | None]:
    """A parameter's full name and how its value is judged; None when the standard has no such."""
    judge = _NAMED.get(name)
    if judge is not None:
        return name, judge
    for pattern, found in _PATTERNS:
        if pattern.fullmatch(name):
            return name, found
    matched = _EXTENSION.fullmatch(name)
    if matched is None:
        return name, None
    local = context.expand_name(matched[2]) or (matched[2] if matched[2][0] == "{" else None)
    if local is None:
        return name, None
    return matched[1] + local, _EXTENSION_JUDGES[matched[1].partition("_")[0]]


# -- values -----------------------------------------------------------------------------------


def _judge_text(value: Any, _context: Context) -> str:
    if not isinstance(value, str):
        raise InvalidValue
    return value


def _judge_uri(value: Any, context: Context) -> str:
    text = context.expand_value(_judge_text(value, context))
    if not is_uri(text):
        raise InvalidValue
    return text


def _judge_time(value: Any, context: Context) -> str:
    text = _judge_text(value, context)
    try:
        parse_time(text)
    except InvalidTime:
        raise InvalidValue from None
    return text


def _judge_number(value: Any, _context: Context) -> Any:
    if isinstance(value, bool):
        raise InvalidValue
    text = bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value)
    try:
        parse_number(text)
    except ValueError:
        raise InvalidValue from None
    return int(text) if re.fullmatch(r"-?[0-9]+", text) else msgspec.Raw(text.encode())


def _judge_count(value: Any, context: Context) -> int:
    number = _judge_number(value, context)
    if not isinstance(number, int) or number < 1:
        raise InvalidValue
    return number


def _judge_presence(value: Any, _context: Context) -> bool:
    """EXISTS_… is a name without a value: anything may stand there."""
    if isinstance(value, dict | list):
        raise InvalidValue
    return True


def _judge_boolean(value: Any, _context: Context) -> bool:
    if value in ("true", True):
        return True
    if value in ("false", False):
        return False
    raise InvalidValue


def _judge_type(value: Any, context: Context) -> str:
    text = _judge_text(value, context)
    if text not in TYPES and not is_uri(text):
        raise InvalidValue
    return text


def _one_of(*allowed: str) -> Judge:
    def judge(value: Any, _context: Context) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise InvalidValue
        return value

    return judge


def _word(words: Vocabulary) -> Judge:
    def judge(value: Any, context: Context) -> str:
        text = _judge_text(value, context)
        full = context.expand_value(text)
        found = words.find_word(text) or words.find_word(full)
        if found is None and not is_uri(full):
            raise InvalidValue
        return found or full

    return judge


def _list(item: Judge) -> Judge:
    """A list; a single text is a list of what `|` parts, as in a web address."""

    def judge(value: Any, context: Context) -> tuple[Any, ...]:
        if isinstance(value, str):
            value = value.split("|")
        elif not isinstance(value, list | tuple):
            value = [value]
        if not value or len(value) > VALUES_MAX:
            raise InvalidValue
        return tuple(item(each, context) for each in value)

    return judge


def _judge_free(value: Any, context: Context) -> Any:
    """EQ_ of an extension: texts, a time or a number."""
    if isinstance(value, list | tuple | str):
        return _list(_judge_text)(value, context)
    return _judge_number(value, context)


def _judge_bound(value: Any, context: Context) -> Any:
    """GE_, GT_, LE_, LT_ of an extension: a time or a number."""
    try:
        return _judge_time(value, context)
    except InvalidValue:
        return _judge_number(value, context)


_URIS: Final = _list(_judge_uri)
_NUMBERS: Final = _list(_judge_number)
_TEXTS: Final = _list(_judge_text)
_DISPOSITIONS: Final = _list(_word(vocabulary.DISPOSITION))

_NAMED: Final[dict[str, Judge]] = {
    "eventType": _list(_judge_type),
    "EQ_action": _list(_one_of("ADD", "OBSERVE", "DELETE")),
    "EQ_bizStep": _list(_word(vocabulary.BIZ_STEP)),
    "EQ_disposition": _DISPOSITIONS,
    "EQ_persistentDisposition_set": _DISPOSITIONS,
    "EQ_persistentDisposition_unset": _DISPOSITIONS,
    "EQ_errorReason": _list(_word(vocabulary.REASON)),
    "EQ_type": _list(_word(vocabulary.MEASUREMENT)),
    "EQ_quantity": _NUMBERS,
    "EQ_booleanValue": _judge_boolean,
    "EXISTS_errorDeclaration": _judge_presence,
    "EXISTS_sensorElementList": _judge_presence,
    "EXISTS_ilmd": _judge_presence,
    "orderBy": _judge_text,
    "orderDirection": _one_of("ASC", "DESC"),
    "eventCountLimit": _judge_count,
    "maxEventCount": _judge_count,
    "perPage": _judge_count,
    "nextPageToken": _judge_text,
    **dict.fromkeys(
        """EQ_readPoint WD_readPoint EQ_bizLocation WD_bizLocation EQ_transformationID MATCH_epc
        MATCH_parentID MATCH_inputEPC MATCH_outputEPC MATCH_anyEPC MATCH_epcClass
        MATCH_inputEPCClass MATCH_outputEPCClass MATCH_anyEPCClass EQ_eventID
        EQ_correctiveEventID EQ_deviceID EQ_dataProcessingMethod EQ_microorganism
        EQ_chemicalSubstance EQ_bizRules EQ_uriValue EQ_deviceMetadata EQ_rawData
        EQ_coordinateReferenceSystem""".split(),
        _URIS,
    ),
    **dict.fromkeys(["EQ_stringValue", "EQ_hexBinaryValue"], _TEXTS),
    **{
        f"{bound}_{name}": _judge_time
        for bound in ("GE", "LT")
        for name in (
            "eventTime recordTime errorDeclarationTime errorDeclaration_Time time startTime "
            "endTime".split()
        )
    },
    **{
        f"{bound}_{name}": _judge_number
        for bound in ("GT", "GE", "LT", "LE")
        for name in ("quantity", "percRank")
    },
}
_PATTERNS: Final[tuple[tuple[re.Pattern[str], Judge], ...]] = (
    (re.compile(r"EQ_(?:bizTransaction|source|destination)_[^\s]+"), _URIS),
    (
        re.compile(
            r"EQ_(?:value|minValue|maxValue|meanValue|sDev|percValue|quantity)_[A-Z0-9]{2,4}"
        ),
        _NUMBERS,
    ),
    (
        re.compile(
            r"(?:GE|GT|LE|LT)_(?:value|minValue|maxValue|meanValue|sDev|percValue|quantity)"
            r"_[A-Z0-9]{2,4}"
        ),
        _judge_number,
    ),
    (re.compile(r"EQ_(?:value|minValue|maxValue|meanValue|sDev|percValue|percRank)"), _NUMBERS),
    (re.compile(r"EQ_ATTR_\w+_[^\s]+"), _judge_free),
    (re.compile(r"HASATTR_[^\s]+"), _TEXTS),
)
# Where an extension stands, and its name: `EQ_INNER_ILMD_example:grading`.
_EXTENSION: Final = re.compile(
    r"((?:EQ|GT|GE|LT|LE|EXISTS)_(?:INNER_)?"
    r"(?:(?:ILMD|ERROR_DECLARATION|SENSORELEMENT|SENSORMETADATA|SENSORREPORT|readPoint|bizLocation)"
    r"_)?)([^\s]*(?::|#|\})[^\s]+)"
)
_EXTENSION_JUDGES: Final[dict[str, Judge]] = {
    "EQ": _judge_free,
    **dict.fromkeys(["GT", "GE", "LT", "LE"], _judge_bound),
    "EXISTS": _judge_presence,
}

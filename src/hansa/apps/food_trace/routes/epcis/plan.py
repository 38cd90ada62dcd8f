"""A query's parameters as conditions on the read model's tables, and tests of documents. Pure.

Source of the meanings: GS1 EPCIS 2.0 clause 8.2.7.1 (SimpleEventQuery).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from hansa.appkit.route import AnyOf, Condition, Related, Trouble, Wanted
from hansa.apps.food_trace.contract.declaration import compute_declaration_key
from hansa.apps.food_trace.documents import vocabulary
from hansa.apps.food_trace.documents.master_data import name_attribute
from hansa.apps.food_trace.documents.names import EPCIS_CONTEXT, Context
from hansa.apps.food_trace.documents.query import read_parameters
from hansa.apps.food_trace.documents.rulebook import RULES
from hansa.apps.food_trace.event import event_key
from hansa.apps.food_trace.identifiers import element_of, make_opaque
from hansa.apps.food_trace.routes.epcis.event_tests import Test, build_test
from hansa.apps.food_trace.routes.epcis.problems import refuse, refuse_parameter
from hansa.apps.food_trace.timestamps import parse_time
from hansa.ledger.rejections import Rejection

TERMS: Final = "event_terms"
ITEMS: Final = "event_items"
# Values of one query, in all its parameters together.
VALUES_MAX: Final = 2_000
# Patterns of EPCs in one query: each looks through the items.
PATTERNS_MAX: Final = 20
# More matches than that are too many for one answer, whatever maxEventCount says.
COUNT_MAX: Final = 10_000

_ANY: Final = ("epc", "child", "parent", "input", "output")
_ROLES: Final[dict[str, tuple[str, ...]]] = {
    "MATCH_epc": ("epc", "child"),
    "MATCH_parentID": ("parent",),
    "MATCH_inputEPC": ("input",),
    "MATCH_outputEPC": ("output",),
    "MATCH_anyEPC": _ANY,
    "MATCH_epcClass": ("epc", "child"),
    "MATCH_inputEPCClass": ("input",),
    "MATCH_outputEPCClass": ("output",),
    "MATCH_anyEPCClass": ("epc", "child", "input", "output"),
}
# Parameter: column, and how it is compared.
_COLUMNS: Final[dict[str, tuple[str, str]]] = {
    "eventType": ("type", "in"),
    "EQ_action": ("action", "in"),
    "EQ_bizStep": ("biz_step", "in"),
    "EQ_disposition": ("disposition", "in"),
}
_TIMES: Final[dict[str, str]] = {
    "eventTime": "time_ms",
    "recordTime": "recorded_ms",
    "errorDeclarationTime": "declared_ms",
    "errorDeclaration_Time": "declared_ms",
}
_TERMS: Final[dict[str, str]] = {
    "EQ_persistentDisposition_set": "set",
    "EQ_persistentDisposition_unset": "unset",
    "EQ_errorReason": "reason",
    "EQ_correctiveEventID": "corrective",
}
PLACES: Final[dict[str, str]] = {"readPoint": "read_point", "bizLocation": "biz_location"}
_PARTY: Final = re.compile(r"EQ_(bizTransaction|source|destination)_(.+)")
_PARTY_TERMS: Final = {
    "bizTransaction": "transaction",
    "source": "source",
    "destination": "destination",
}
_ORDERS: Final[dict[str, str]] = {"eventTime": "time_ms", "recordTime": "recorded_ms"}
_PATTERN: Final = re.compile(r"urn:epc:idpat:([a-z]+):(.+)")
# Fields whose values are vocabulary elements, as far as events are asked by them here.
COLUMNS: Final[dict[str, str]] = {"bizStep": "biz_step", "disposition": "disposition"}
_CLASS: Final = "epcClass"
_ATTRIBUTE: Final = re.compile(r"(HASATTR|EQ_ATTR)_([A-Za-z]+)(?:_(.+))?", re.DOTALL)
_CONTROLS: Final = frozenset(("orderBy", "orderDirection", "eventCountLimit", "maxEventCount"))


class Attribute(msgspec.Struct, frozen=True):
    """What a field's master data must have: one of the attributes `names`, or the first of them
    with one of `values`.
    """

    field: str
    names: tuple[str, ...]
    values: tuple[str, ...] | None = None


class Within(msgspec.Struct, frozen=True):
    """A place of a column with all that is in it: `condition` is what the places' own numbers
    say, `ids` their element forms.
    """

    column: str
    ids: tuple[str, ...]
    condition: Wanted


class Plan(msgspec.Struct, frozen=True):
    """A query, ready to be asked. `order`: column of the events; `limit`: eventCountLimit, `most`:
    maxEventCount (0: none); `attributes`, `within`: what master data answers (`master_data`).
    """

    wanted: tuple[Wanted, ...]
    tests: tuple[Test, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    within: tuple[Within, ...] = ()
    order: str = "number"
    descending: bool = False
    limit: int = 0
    most: int = 0


def make_plan(given: Mapping[str, Any], context: Context = EPCIS_CONTEXT) -> Plan:
    """The plan of parameters as they stand in an address or a query's JSON. Raises Trouble."""
    read, failures = read_parameters(given, context)
    for failure in failures:
        rule = RULES.get(failure.rule)
        raise refuse_parameter(failure.path.lstrip("/"), rule.text if rule else failure.text)
    _check_size(read)
    wanted: list[Wanted] = []
    tests: list[Test] = []
    attributes: list[Attribute] = []
    within: list[Within] = []
    for name, value in read.items():
        if name in _CONTROLS:
            continue
        asked = _ATTRIBUTE.fullmatch(name)
        if asked is not None:
            attributes.append(_build_attribute(name, asked, value, context))
            continue
        bound, _sep, field = name.partition("_")
        if bound == "WD" and field in PLACES:
            within.append(_build_within(name, PLACES[field], value))
            continue
        condition = _build_condition(name, value)
        test = build_test(name, value) if condition is None else None
        if condition is not None:
            wanted.append(condition)
        elif test is not None:
            tests.append(test)
        else:
            raise refuse_parameter(name, "not a parameter of this address")
    plan = Plan(tuple(wanted), tuple(tests), tuple(attributes), tuple(within))
    return _control(read, plan)


def _build_attribute(name: str, asked: re.Match[str], value: Any, context: Context) -> Attribute:
    """HASATTR_field = names, EQ_ATTR_field_name = values. Raises Trouble."""
    operation, field, attribute = asked.groups()
    if field not in (*PLACES, *COLUMNS, _CLASS):
        known = ", ".join((*PLACES, *COLUMNS, _CLASS))
        raise refuse_parameter(name, f"master data is asked for these fields: {known}")
    values = value if isinstance(value, tuple) else (value,)
    texts = tuple(
        bytes(each).decode() if isinstance(each, msgspec.Raw) else str(each) for each in values
    )
    if (operation == "EQ_ATTR") != bool(attribute):
        raise refuse_parameter(name, "HASATTR_field takes names, EQ_ATTR_field_name values")
    if attribute:
        return Attribute(field, (name_attribute(attribute, context),), texts)
    return Attribute(field, tuple(name_attribute(each, context) for each in texts))


def build_word(field: str, uri: str) -> str:
    """A business step or disposition as events have it: the bare word of CBV, or its URI."""
    words = vocabulary.BIZ_STEP if field == "bizStep" else vocabulary.DISPOSITION
    return words.find_word(uri) or uri


def relate_classes(uris: list[str]) -> Wanted:
    """Events with quantities of these classes; those that are none of a known scheme are none."""
    known = [each for each in uris if _is_item(each)]
    return _relate_items("MATCH_anyEPCClass", known[:VALUES_MAX])


def _is_item(uri: str) -> bool:
    try:
        _build_item("MATCH_anyEPCClass", uri)
    except Trouble:
        return False
    return True


def _check_size(read: Mapping[str, Any]) -> None:
    """Refuse what no database takes: too many values, a character that stands for nothing."""
    count = 0
    for name, value in read.items():
        values = value if isinstance(value, tuple) else (value,)
        count += len(values)
        if any(isinstance(each, str) and "\x00" in each for each in values):
            raise refuse_parameter(name, "a character that stands for nothing")
    if count > VALUES_MAX:
        raise refuse_complex(f"more than {VALUES_MAX} values")


def refuse_complex(text: str) -> Exception:
    """More than one query may ask."""
    return refuse(
        413,
        "query_too_complex",
        f"The query has {text}.",
        exception="QueryTooComplexException",
        title="Query is too complex",
        remedy="Ask in parts.",
    )


def _control(read: Mapping[str, Any], plan: Plan) -> Plan:
    """The plan with order and counts."""
    order_by, direction = read.get("orderBy", ""), read.get("orderDirection", "DESC")
    limit, most = read.get("eventCountLimit", 0), read.get("maxEventCount", 0)
    if limit and most:
        raise refuse_parameter("maxEventCount", "not together with eventCountLimit")
    if limit and not order_by:
        raise refuse_parameter("eventCountLimit", "only with orderBy")
    if not order_by:
        return msgspec.structs.replace(plan, limit=limit, most=most)
    if order_by not in _ORDERS:
        raise refuse_parameter("orderBy", "this door orders by eventTime or recordTime")
    return msgspec.structs.replace(
        plan,
        order=_ORDERS[order_by],
        descending=direction == "DESC",
        limit=limit,
        most=most,
    )


def _build_condition(name: str, value: Any) -> Wanted | None:
    """The condition on the tables; None when only the documents can tell."""
    if name in _COLUMNS:
        column, _test = _COLUMNS[name]
        return Condition(column, "in", value)
    if name in _TERMS:
        return _relate_term(_TERMS[name], value)
    if name in _ROLES:
        return _relate_items(name, value)
    bound, _sep, field = name.partition("_")
    if bound in ("GE", "LT") and field in _TIMES:
        return Condition(_TIMES[field], "min" if bound == "GE" else "below", parse_time(value))
    if bound == "EQ" and field in PLACES:
        return Condition(PLACES[field], "in", tuple(_to_element(name, each) for each in value))
    party = _PARTY.fullmatch(name)
    if party is not None:
        return _build_party(name, party[1], party[2], value)
    found = _SINGLE.get(name)
    return found(name, value) if found is not None else None


def _build_within(name: str, column: str, value: Any) -> Within:
    """A place with what is in it: the same GLN with any extension, and what master data says."""
    elements = tuple(_to_element(name, each) for each in value)
    exact = Condition(column, "in", elements)
    glns = [each for each in elements if each.startswith("414.") and each.count(".") == 1]
    likes = (Condition(column, "like", f"{each}.254.*") for each in glns)
    return Within(column, elements, AnyOf((exact, *likes)))


def _build_party(name: str, kind: str, type_: str, value: Any) -> Wanted:
    words = vocabulary.TRANSACTION if kind == "bizTransaction" else vocabulary.PARTY
    read = _to_document if kind == "bizTransaction" else _to_element
    values = tuple(read(name, each) for each in value)
    return Related(
        TERMS,
        (
            Condition("term", "is", _PARTY_TERMS[kind]),
            Condition("type", "is", words.find_word(type_) or type_),
            Condition("value", "in", values),
        ),
    )


def _build_event_id(_name: str, value: Any) -> Wanted:
    keys = [event_key(each) for each in value]
    return Condition("key", "in", (*keys, *map(compute_declaration_key, keys)))


def _build_transformation(name: str, value: Any) -> Wanted:
    return Condition("transformation", "in", tuple(_to_element(name, each) for each in value))


_SINGLE: Final[dict[str, Callable[[str, Any], Wanted]]] = {
    "EQ_eventID": _build_event_id,
    "EQ_transformationID": _build_transformation,
    "EXISTS_errorDeclaration": lambda _name, _value: Condition("declared_ms", "some"),
}


def _relate_term(term: str, values: Any) -> Wanted:
    return Related(TERMS, (Condition("term", "is", term), Condition("value", "in", tuple(values))))


def _relate_items(name: str, uris: Any) -> Wanted:
    """Events with one of these EPCs or classes: plain ones are one look-up, a pattern one each."""
    role = Condition("role", "in", _ROLES[name])
    found = [_build_item(name, uri) for uri in uris]
    plain = tuple(str(each.value) for each in found if each.test == "is")
    patterns = [each for each in found if each.test != "is"]
    if len(patterns) > PATTERNS_MAX:
        raise refuse_complex(f"more than {PATTERNS_MAX} patterns")
    one = [Related(ITEMS, (Condition("item", "in", plain), role))] if plain else []
    return AnyOf((*one, *(Related(ITEMS, (each, role)) for each in patterns)))


def _build_item(name: str, uri: str) -> Condition:
    """One EPC or class, or a pattern of them (EPC Tag Data Standard 2.0, section 8)."""
    pattern = _PATTERN.fullmatch(uri)
    if pattern is None or "*" not in uri:
        plain = uri.replace("urn:epc:idpat:", "urn:epc:id:", 1)
        return Condition("item", "is", _to_element(name, plain))
    like = _translate(pattern[1], pattern[2].split("."), is_class=name.endswith("Class"))
    if not like:
        raise refuse_parameter(name, "this pattern is of no scheme that is known here")
    return Condition("item", "like", like)


def _translate(scheme: str, parts: list[str], *, is_class: bool) -> str:
    """An EPC pattern in element form; `?` is any digit of a number that a `*` leaves open.

    The pattern of all serial numbers of a GTIN is also how EPCIS names its class.
    """
    last = parts[-1]
    tail = "*" if last == "*" else last
    fixed = [part for part in parts[:-1] if part != "*"]
    if not all(part.isascii() and part.isdigit() for part in fixed):
        return ""
    ai, digits, serial = _SHAPES.get(scheme, ("", 0, ""))
    if not ai or len(parts) != (3 if serial else 2):
        return ""
    number = _open_number(scheme, [*parts[:-1]] if serial else parts, digits)
    if not number:
        return ""
    if not serial or (is_class and scheme == "sgtin" and last == "*"):
        return f"{ai}.{number}"
    return f"{ai}.{number}.{serial}.{tail}"


# Scheme: AI, digits of the number with its check digit, AI of the serial.
_SHAPES: Final[dict[str, tuple[str, int, str]]] = {
    "sgtin": ("01", 14, "21"),
    "lgtin": ("01", 14, "10"),
    "sscc": ("00", 18, ""),
    "sgln": ("414", 13, "254"),
}


def _open_number(scheme: str, parts: list[str], digits: int) -> str:
    """The number of an EPC: its first digit moves to the front in GTIN and SSCC, a check digit
    follows.
    """
    prefix, reference = parts[0], parts[1] if len(parts) > 1 else "*"
    if prefix == "*" or not 4 <= len(prefix) <= 12:
        return ""
    moves = scheme in ("sgtin", "lgtin", "sscc")
    if reference == "*":
        front = "?" if moves else ""
        return front + prefix + "?" * (digits - len(front) - len(prefix))
    body = reference[:1] + prefix + reference[1:] if moves else prefix + reference
    return body + "?" if len(body) == digits - 1 else ""


def _to_document(_name: str, uri: str) -> str:
    """A document's number: as events keep it, also one that only looks like a key."""
    try:
        return element_of(uri)
    except Rejection:
        return make_opaque(uri)


def _to_element(name: str, uri: str) -> str:
    try:
        return element_of(uri)
    except Rejection as rejection:
        raise refuse_parameter(name, rejection.text) from rejection

"""An event in XML as fields of the JSON binding, extensions in Clark's form. Pure.

Source: EPCIS 2.0 clause 9.6 and its XML schema. What is wrong here (elements that nobody knows, the
wrong order) is noted; the values are judged by `fields.py` as those of JSON are.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
from lxml import etree

from hansa.apps.food_trace.documents.names import BUILTIN, Context, make_name
from hansa.apps.food_trace.documents.rulebook import DocumentRefused, Failure, make_failure
from hansa.apps.food_trace.documents.strict_json import load_text
from hansa.apps.food_trace.documents.tables import TABLES
from hansa.apps.food_trace.documents.xml_tree import get_place, iterate

# Elements of EPCIS stand in no namespace; some writers put them in the document's.
EPCIS_NAMESPACE: Final = "urn:epcglobal:epcis:xsd:2"
EPCIS_NAMESPACES: Final = {
    EPCIS_NAMESPACE,
    "urn:epcglobal:epcis-query:xsd:2",
    "urn:epcglobal:epcis-masterdata:xsd:2",
}
# Where our own writer says what XML cannot: the value as JSON, or fields with odd names.
JSON_NAMESPACE: Final = "urn:hansa:epcis-json"
JSON_ATTRIBUTE: Final = f"{{{JSON_NAMESPACE}}}json"
FIELDS_ELEMENT: Final = f"{{{JSON_NAMESPACE}}}fields"
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
_NUMBER: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eE][+-]?[0-9]{1,3})?\Z")
_NUMBERS: Final = frozenset(
    "value minValue maxValue meanValue sDev percRank percValue quantity".split()
)
# Wrappers of EPCIS 1.x, and for what may come.
_WRAPPERS: Final = {"extension", "baseExtension"}

Reader = Callable[["EventXml", etree._Element], Any]


def get_tag(element: etree._Element) -> str:
    """A bare name for EPCIS's own elements, Clark's form for others."""
    tag = str(element.tag)
    if not tag.startswith("{"):
        return tag
    namespace, _, local = tag[1:].partition("}")
    return local if namespace in EPCIS_NAMESPACES else make_name(namespace, local)


def get_text(element: etree._Element) -> str:
    """The element's text without white space around it, unless it asks to keep it."""
    text = element.text or ""
    return text if element.get(_XML + "space") == "preserve" else text.strip(" \t\r\n")


def parse_number(text: str) -> Any:
    """A number of XML Schema in JSON's spelling (`+05.` is 5); other text as it is."""
    found = _NUMBER.match(text)
    if found is None or not (found[2] or found[3]):
        return text
    sign, exponent = found[1].removeprefix("+"), found[4] or ""
    whole = found[2].lstrip("0") or "0"
    token = sign + whole + (f".{found[3]}" if found[3] else "") + exponent
    if found[3] or exponent:
        return msgspec.Raw(token.encode())
    return int(token) if len(token) < 4_000 else text


class EventXml:
    """One event element taken apart; `failures` are what no table of fields could find."""

    def __init__(self, element: etree._Element) -> None:
        self.element = element
        self.failures: list[Failure] = []
        self.fields: dict[str, Any] = {"type": get_tag(element)}
        self._read_children(element)
        self.fields = _settle(self.fields)
        if self.fields["type"] in TABLES:
            self._check_order()

    @property
    def context(self) -> Context:
        """The prefixes that compact URIs in values may use."""
        namespaces = {str(key): uri for key, uri in self.element.nsmap.items() if key}
        return Context({**namespaces, **BUILTIN}, {})

    def _read_children(self, parent: etree._Element, *, is_wrapped: bool = False) -> None:
        for child in iterate(parent):
            tag = get_tag(child)
            reader = _READERS.get(tag)
            if tag in _WRAPPERS:
                self._read_children(child, is_wrapped=True)
            elif reader is not None:
                self._add(tag, reader(self, child), child)
            elif tag.startswith("{"):
                add_element(self.fields, tag, child)
            elif is_wrapped:  # what a later version of the standard may add
                add_element(self.fields, f"{{{EPCIS_NAMESPACE}}}{tag}", child)
            else:
                self.fail("EPCIS-UNKNOWN-FIELD", child)

    def _add(self, tag: str, value: Any, child: etree._Element) -> None:
        if tag == "certificationInfo":
            self.fields.setdefault(tag, []).append(value)
        elif tag in self.fields:
            self.fail("EPCIS-UNIQUE", child)
        else:
            self.fields[tag] = value

    def _check_order(self) -> None:
        """`action` before `eventTime` breaks the schema beyond what its own test files let pass."""
        tags = [get_tag(child) for child in iterate(self.element)]
        known = [tag for tag in tags if tag in _ORDER]
        if "action" in known and "eventTime" in known:
            if known.index("action") < known.index("eventTime"):
                place = get_place(self.element) + "/action"
                self.failures.append(make_failure("EPCIS-ORDER", place))
                return
        base = [tag for tag in known if tag in _BASE]
        if base != sorted(base, key=_BASE.index) or known[: len(base)] != base:
            self.failures.append(make_failure("EPCIS-ORDER-NOTE", get_place(self.element)))

    def fail(self, rule: str, element: etree._Element) -> None:
        """Note a fault at an element."""
        self.failures.append(make_failure(rule, get_place(element)))

    def read_items(self, element: etree._Element, item: str) -> list[etree._Element]:
        """The children of a list, which all have one name."""
        found = []
        for child in iterate(element):
            if get_tag(child) == item:
                found.append(child)
            else:
                self.fail("EPCIS-UNKNOWN-FIELD", child)
        return found


def add_value(fields: dict[str, Any], name: str, value: Any) -> None:
    """Add a value of an extension; elements of one name are an array."""
    if name not in fields:
        fields[name] = value
    elif type(fields[name]) is _Several:
        fields[name].append(value)
    else:
        fields[name] = _Several([fields[name], value])


def add_element(fields: dict[str, Any], tag: str, element: etree._Element) -> None:
    """Add an element of an extension, or the fields that our own writer put together."""
    if tag != FIELDS_ELEMENT:
        add_value(fields, tag, read_free(element))
        return
    kept = _load_kept(get_text(element))
    for name, value in kept.items() if type(kept) is dict else ():
        add_value(fields, name, value)


class _Several(list[Any]):
    """Elements of one name, while they are gathered: an array inside them stays one."""


def read_free(element: etree._Element) -> Any:
    """An element of an extension: its text, or an object of its attributes and elements."""
    kept = element.get(JSON_ATTRIBUTE)
    if kept is not None:
        return _load_kept(kept)
    fields = read_attributes(element)
    for child in iterate(element):
        add_element(fields, get_tag(child), child)
    text = get_text(element)
    if not fields:
        return text
    if text.strip():
        fields["#text"] = text
    return _settle(fields)


def _load_kept(text: str) -> Any:
    try:
        return load_text(text)
    except DocumentRefused:
        return text


def _settle(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if type(value) is _Several else value for name, value in fields.items()
    }


def read_attributes(element: etree._Element) -> dict[str, Any]:
    """The attributes as fields, without those that are about XML itself."""
    found: dict[str, Any] = {}
    for name, value in element.attrib.items():
        tag = str(name)
        if tag != JSON_ATTRIBUTE and not tag.startswith((_XSI, _XML)):
            namespace, _, local = tag[1:].partition("}") if tag.startswith("{") else ("", "", tag)
            found[make_name(namespace, local) if namespace else local] = str(value)
    return found


# -- the standard's own elements --------------------------------------------------------------


def _read_text(_event: EventXml, element: etree._Element) -> Any:
    return get_text(element)


def _read_list(item: str) -> Reader:
    def read(event: EventXml, element: etree._Element) -> Any:
        return [get_text(child) for child in event.read_items(element, item)]

    return read


def _read_quantities(event: EventXml, element: etree._Element) -> Any:
    found = []
    for item in event.read_items(element, "quantityElement"):
        fields: dict[str, Any] = {}
        for child in iterate(item):
            tag, text = get_tag(child), get_text(child)
            fields[tag] = parse_number(text) if tag == "quantity" else text
        found.append(fields)
    return found


def _read_place(_event: EventXml, element: etree._Element) -> Any:
    fields: dict[str, Any] = {}
    for child in iterate(element):
        for each in iterate(child) if get_tag(child) in _WRAPPERS else [child]:
            add_element(fields, get_tag(each), each)
    return _settle(fields)


def _read_typed(item: str) -> Reader:
    def read(event: EventXml, element: etree._Element) -> Any:
        found = []
        for child in event.read_items(element, item):
            kind = child.get("type")
            fields = {item: get_text(child)}
            found.append(fields if kind is None else {"type": kind.strip(), **fields})
        return found

    return read


def _read_persistent(event: EventXml, element: etree._Element) -> Any:
    fields: dict[str, Any] = {}
    for child in iterate(element):
        tag = get_tag(child)
        if tag in {"set", "unset"}:
            fields.setdefault(tag, []).append(get_text(child))
        else:
            event.fail("EPCIS-UNKNOWN-FIELD", child)
    return fields


def _read_sensors(event: EventXml, element: etree._Element) -> Any:
    return [_read_sensor(event, item) for item in event.read_items(element, "sensorElement")]


def _read_sensor(event: EventXml, element: etree._Element) -> Any:
    fields: dict[str, Any] = {}
    for child in iterate(element):
        tag = get_tag(child)
        if tag == "sensorMetadata":
            fields[tag] = _read_readings(child)
        elif tag == "sensorReport":
            fields.setdefault(tag, []).append(_read_report(child))
        elif tag.startswith("{"):
            add_element(fields, tag, child)
        elif tag in _WRAPPERS:
            for each in iterate(child):
                add_element(fields, get_tag(each), each)
        else:
            event.fail("EPCIS-UNKNOWN-FIELD", child)
    return _settle(fields)


def _read_report(element: etree._Element) -> Any:
    fields = _read_readings(element)
    for name in fields.keys() & _NUMBERS:
        fields[name] = parse_number(fields[name])
    if "booleanValue" in fields:
        text = fields["booleanValue"]
        fields["booleanValue"] = {"true": True, "1": True, "false": False, "0": False}.get(
            text, text
        )
    return fields


def _read_readings(element: etree._Element) -> dict[str, Any]:
    """The attributes of sensor metadata or a report, and what our own writer put beside them."""
    fields: dict[str, Any] = {
        name: value if name == "stringValue" else value.strip(" \t\r\n")
        for name, value in read_attributes(element).items()
    }
    kept = _load_kept(element.get(JSON_ATTRIBUTE, "{}"))
    return {**fields, **kept} if type(kept) is dict else fields


def _read_ilmd(event: EventXml, element: etree._Element) -> Any:
    fields: dict[str, Any] = {}
    for child in iterate(element):
        inner = iterate(child) if get_tag(child) in _WRAPPERS else [child]
        for each in inner:
            add_element(fields, get_tag(each), each)
    for name in fields:
        if not name.startswith("{"):
            event.fail("EPCIS-UNKNOWN-FIELD", element)
    return {name: value for name, value in _settle(fields).items() if name.startswith("{")}


def _read_error(event: EventXml, element: etree._Element) -> Any:
    fields: dict[str, Any] = {}
    for child in iterate(element):
        tag = get_tag(child)
        if tag == "correctiveEventIDs":
            items = event.read_items(child, "correctiveEventID")
            fields[tag] = [get_text(item) for item in items]
        elif tag in {"declarationTime", "reason"}:
            fields[tag] = get_text(child)
        elif tag in _WRAPPERS:
            for each in iterate(child):
                add_element(fields, get_tag(each), each)
        else:
            add_element(fields, tag, child)
    return _settle(fields)


_READERS: Final[dict[str, Reader]] = {
    **dict.fromkeys(
        "eventTime recordTime eventTimeZoneOffset eventID certificationInfo action bizStep "
        "disposition parentID transformationID".split(),
        _read_text,
    ),
    **dict.fromkeys(("epcList", "childEPCs", "inputEPCList", "outputEPCList"), _read_list("epc")),
    **dict.fromkeys(
        ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"),
        _read_quantities,
    ),
    "readPoint": _read_place,
    "bizLocation": _read_place,
    "bizTransactionList": _read_typed("bizTransaction"),
    "sourceList": _read_typed("source"),
    "destinationList": _read_typed("destination"),
    "persistentDisposition": _read_persistent,
    "sensorElementList": _read_sensors,
    "ilmd": _read_ilmd,
    "errorDeclaration": _read_error,
}
_BASE: Final = (
    "eventTime recordTime eventTimeZoneOffset eventID errorDeclaration certificationInfo".split()
)
_ORDER: Final = frozenset(_READERS)

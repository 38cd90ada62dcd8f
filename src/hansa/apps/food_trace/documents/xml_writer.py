"""Normal events as EPCIS XML: capture documents, query results, single events. Pure.

Source: EPCIS 2.0 clause 9. What `xml.py` reads again is the same normal event: what XML has no way
to say (a number in an extension, an empty list, an odd name) goes with it as JSON, in attributes
and elements of a namespace of our own, which other readers pass over.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import msgspec
from lxml import etree

from hansa.apps.food_trace.documents import vocabulary
from hansa.apps.food_trace.documents.document import SCHEMA_VERSION
from hansa.apps.food_trace.documents.names import BUILTIN, Prefixes, split_name
from hansa.apps.food_trace.documents.stored import (
    KeyFormat,
    StoredEvent,
    choose_prefixes,
    load_event,
)
from hansa.apps.food_trace.documents.vocabulary import Vocabulary
from hansa.apps.food_trace.documents.xml_events import (
    EPCIS_NAMESPACE,
    FIELDS_ELEMENT,
    JSON_ATTRIBUTE,
    JSON_NAMESPACE,
)

# How words are written (header GS1-CBV-XML-Format): URNs, or web addresses.
WordFormat = Literal["urn", "web"]

_QUERY: Final = "urn:epcglobal:epcis-query:xsd:2"
_encoder: Final = msgspec.json.Encoder(order="sorted")
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LOCAL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*\Z")

_BASE: Final = (
    "eventTime recordTime eventTimeZoneOffset eventID errorDeclaration certificationInfo".split()
)
_WHY: Final = "action bizStep disposition readPoint bizLocation".split()
_HOW: Final = "sourceList destinationList sensorElementList persistentDisposition".split()
_PARENT: Final = [
    *_BASE, "parentID", "childEPCs", *_WHY, "bizTransactionList", "childQuantityList", *_HOW,
]  # fmt: skip
# The elements of each event in the order of the XML schema.
_ORDER: Final[dict[str, list[str]]] = {
    "ObjectEvent": [
        *_BASE, "epcList", *_WHY, "bizTransactionList", "quantityList", *_HOW, "ilmd",
    ],
    "AggregationEvent": _PARENT,
    "AssociationEvent": _PARENT,
    "TransactionEvent": [
        *_BASE, "bizTransactionList", "parentID", "epcList", *_WHY, "quantityList", *_HOW,
    ],
    "TransformationEvent": [
        *_BASE, "inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList",
        "transformationID", *_WHY, "bizTransactionList", *_HOW, "ilmd",
    ],
}  # fmt: skip
_WORDS: Final = {
    "bizStep": vocabulary.BIZ_STEP,
    "disposition": vocabulary.DISPOSITION,
    "reason": vocabulary.REASON,
    "bizTransaction": vocabulary.TRANSACTION,
    "source": vocabulary.PARTY,
    "destination": vocabulary.PARTY,
    "type": vocabulary.MEASUREMENT,
    "exception": vocabulary.ALERT,
    "component": vocabulary.COMPONENT,
}


def write_capture_xml(
    events: Sequence[StoredEvent],
    creation_date: str,
    words: WordFormat = "urn",
    keys: KeyFormat = "given",
) -> bytes:
    """An EPCISDocument."""
    writer = _Writer(events, words, keys)
    root = writer.make_root("epcis", EPCIS_NAMESPACE, "EPCISDocument", creation_date)
    writer.write_list(etree.SubElement(root, "EPCISBody"))
    return _serialise(root)


def write_results_xml(
    events: Sequence[StoredEvent],
    creation_date: str,
    query_name: str,
    subscription_id: str = "",
    words: WordFormat = "urn",
    keys: KeyFormat = "given",
) -> bytes:
    """An EPCISQueryDocument with the results of a query."""
    writer = _Writer(events, words, keys)
    root = writer.make_root("epcisq", _QUERY, "EPCISQueryDocument", creation_date)
    body = etree.SubElement(root, "EPCISBody")
    results = etree.SubElement(body, f"{{{_QUERY}}}QueryResults")
    etree.SubElement(results, "queryName").text = query_name
    if subscription_id:
        etree.SubElement(results, "subscriptionID").text = subscription_id
    writer.write_list(etree.SubElement(results, "resultsBody"))
    return _serialise(root)


def write_event_xml(
    event: StoredEvent, words: WordFormat = "urn", keys: KeyFormat = "given"
) -> bytes:
    """One event by itself."""
    writer = _Writer([event], words, keys)
    tree = writer.trees[0]
    root = etree.Element(
        f"{{{EPCIS_NAMESPACE}}}{tree['type']}", nsmap=writer.make_nsmap("epcis", EPCIS_NAMESPACE)
    )
    writer.write_event(root, tree)
    return _serialise(root)


def _serialise(root: etree._Element) -> bytes:
    etree.cleanup_namespaces(root, keep_ns_prefixes=["cbv", "gs1"])
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


class _Writer:
    def __init__(self, events: Sequence[StoredEvent], words: WordFormat, keys: KeyFormat) -> None:
        self.words = words
        self.trees = [load_event(event, keys) for event in events]
        self.prefixes = choose_prefixes(events)
        for tree in self.trees:
            _gather(tree, self.prefixes)
        self.json_prefix = self.prefixes.find(JSON_NAMESPACE)

    def make_nsmap(self, prefix: str, namespace: str) -> dict[str, str]:
        """All prefixes stand at the root."""
        own = {name: iri for iri, name in self.prefixes.used.items()}
        known = {name: BUILTIN[name] for name in ("cbvmda", "gs1", "rdfs")}
        return {
            prefix: namespace,
            **known,
            **own,
            self.prefixes.find(JSON_NAMESPACE): JSON_NAMESPACE,
        }

    def make_root(self, prefix: str, namespace: str, name: str, created: str) -> etree._Element:
        root = etree.Element(f"{{{namespace}}}{name}", nsmap=self.make_nsmap(prefix, namespace))
        root.set("schemaVersion", SCHEMA_VERSION)
        root.set("creationDate", created)
        return root

    def write_list(self, parent: etree._Element) -> None:
        events = etree.SubElement(parent, "EventList")
        for tree in self.trees:
            self.write_event(etree.SubElement(events, tree["type"]), tree)

    def write_event(self, element: etree._Element, tree: dict[str, Any]) -> None:
        for name in _ORDER[tree["type"]]:
            if name in tree:
                self._write_field(element, name, tree[name])
        write_fields(element, {name: tree[name] for name in tree if name.startswith("{")})

    def _write_field(self, parent: etree._Element, name: str, value: Any) -> None:
        if name == "certificationInfo":
            for item in value:
                etree.SubElement(parent, name).text = item
            return
        element = etree.SubElement(parent, name)
        if isinstance(value, str):
            element.text = self._word(name, value)
        else:
            _FIELDS[name](self, element, name, value)

    def write_items(self, parent: etree._Element, _name: str, value: Any) -> None:
        """`epc` elements."""
        for item in value:
            etree.SubElement(parent, "epc").text = item

    def write_quantities(self, parent: etree._Element, _name: str, value: Any) -> None:
        """`quantityElement` elements."""
        for item in value:
            inner = etree.SubElement(parent, "quantityElement")
            for part in ("epcClass", "quantity", "uom"):
                if part in item:
                    text = item[part]
                    etree.SubElement(inner, part).text = (
                        text if isinstance(text, str) else format_plain(text)
                    )

    def _word(self, name: str, text: str) -> str:
        words: Vocabulary | None = _WORDS.get(name)
        if words is None:
            return text
        return words.to_urn(text) if self.words == "urn" else words.to_web(text)

    def write_parties(self, parent: etree._Element, name: str, value: Any) -> None:
        """Business transactions, sources, destinations."""
        role = name.removesuffix("List")
        for party in value:
            element = etree.SubElement(parent, role)
            element.text = party[role]
            if "type" in party:
                element.set("type", self._word(role, party["type"]))

    def write_dispositions(self, parent: etree._Element, _name: str, value: Any) -> None:
        """`set` and `unset`."""
        for part in ("set", "unset"):
            for word in value.get(part, ()):
                etree.SubElement(parent, part).text = self._word("disposition", word)

    def write_open(self, parent: etree._Element, _name: str, value: Any) -> None:
        """readPoint, bizLocation, ilmd: `id` first, then extensions."""
        if "id" in value:
            etree.SubElement(parent, "id").text = value["id"]
        write_fields(parent, {name: value[name] for name in value if name != "id"})

    def write_error(self, parent: etree._Element, _name: str, value: Any) -> None:
        """An error declaration."""
        for name in ("declarationTime", "reason"):
            if name in value:
                etree.SubElement(parent, name).text = self._word(name, value[name])
        if "correctiveEventIDs" in value:
            inner = etree.SubElement(parent, "correctiveEventIDs")
            for item in value["correctiveEventIDs"]:
                etree.SubElement(inner, "correctiveEventID").text = item
        write_fields(parent, {name: value[name] for name in value if name.startswith("{")})

    def write_sensors(self, parent: etree._Element, _name: str, value: Any) -> None:
        """`sensorElement` elements."""
        for item in value:
            self._write_sensor(etree.SubElement(parent, "sensorElement"), item)

    def _write_sensor(self, parent: etree._Element, value: dict[str, Any]) -> None:
        if "sensorMetadata" in value:
            self._write_readings(
                etree.SubElement(parent, "sensorMetadata"), value["sensorMetadata"]
            )
        for report in value.get("sensorReport", ()):
            self._write_readings(etree.SubElement(parent, "sensorReport"), report)
        write_fields(parent, {name: value[name] for name in value if name.startswith("{")})

    def _write_readings(self, element: etree._Element, fields: dict[str, Any]) -> None:
        """Attributes; what no attribute can hold stands together as JSON."""
        left: dict[str, Any] = {}
        for name, value in fields.items():
            is_own = not name.startswith("{")
            if isinstance(value, str) and is_plain(value) and is_name(name):
                element.set(name, self._word(name, value) if is_own else value)
            elif is_own and not isinstance(value, str):
                element.set(name, format_plain(value))
            else:
                left[name] = value
        if left:
            element.set(JSON_ATTRIBUTE, dump(left))


_FIELDS: Final[dict[str, Callable[[_Writer, etree._Element, str, Any], None]]] = {
    **dict.fromkeys(("epcList", "childEPCs", "inputEPCList", "outputEPCList"), _Writer.write_items),
    **dict.fromkeys(
        ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"),
        _Writer.write_quantities,
    ),
    **dict.fromkeys(("bizTransactionList", "sourceList", "destinationList"), _Writer.write_parties),
    "persistentDisposition": _Writer.write_dispositions,
    "sensorElementList": _Writer.write_sensors,
    "errorDeclaration": _Writer.write_error,
    "readPoint": _Writer.write_open,
    "bizLocation": _Writer.write_open,
    "ilmd": _Writer.write_open,
}


# -- extensions -------------------------------------------------------------------------------


def write_fields(parent: etree._Element, fields: dict[str, Any]) -> None:
    """Extensions as elements; those with a name that XML has not stand together as JSON."""
    left: dict[str, Any] = {}
    for name, value in fields.items():
        if not is_name(name):
            left[name] = value
        elif type(value) is list and len(value) > 1:
            for item in value:
                write_value(etree.SubElement(parent, name), item)
        else:
            write_value(etree.SubElement(parent, name), value)
    if left:
        etree.SubElement(parent, FIELDS_ELEMENT).text = dump(left)


def write_value(element: etree._Element, value: Any) -> None:
    """A text as text, an object as elements, anything else as JSON in an attribute."""
    if type(value) is str and is_plain(value):
        element.text = value
        return
    if type(value) is dict and _has_elements(value):
        text = value.get("#text")
        element.text = text
        write_fields(element, {name: value[name] for name in value if name != "#text"})
        return
    if type(value) in {int, bool, msgspec.Raw}:
        element.text = format_plain(value)
    element.set(JSON_ATTRIBUTE, dump(value))


def _has_elements(value: dict[str, Any]) -> bool:
    text = value.get("#text", "x")
    is_text = type(text) is str and is_plain(text) and text != ""
    return is_text and len(value) > ("#text" in value)


def is_plain(text: str) -> bool:
    """Whether XML gives a text back as it is: no control characters, no white space around."""
    return _ILLEGAL.search(text) is None and text == text.strip() and "\r" not in text


def is_name(name: str) -> bool:
    """Whether a name can be an element's or attribute's, and is no name of ours."""
    namespace, local = split_name(name)
    is_free = namespace not in {JSON_NAMESPACE, EPCIS_NAMESPACE, _QUERY}
    return _LOCAL.match(local) is not None and is_free and is_plain(namespace)


def format_plain(value: Any) -> str:
    """A number or boolean as XML writes it: exactly as it was given."""
    if type(value) is bool:
        return "true" if value else "false"
    return bytes(value).decode() if type(value) is msgspec.Raw else str(value)


def dump(value: Any) -> str:
    """JSON that XML can hold."""
    text = _encoder.encode(value).decode()
    return _ILLEGAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _gather(value: Any, prefixes: Prefixes) -> None:
    """Give every namespace below its prefix, so that all stand at the root."""
    if type(value) is dict:
        for key, item in value.items():
            namespace, _ = split_name(key)
            if namespace and is_plain(namespace):
                prefixes.find(namespace)
            _gather(item, prefixes)
    elif type(value) is list:
        for item in value:
            _gather(item, prefixes)

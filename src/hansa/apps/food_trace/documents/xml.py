"""EPCIS documents in XML: capture documents, bare events, query results, polls. Pure.

Source: EPCIS 2.0 clause 9. Places are XPaths. Master data documents and capture jobs are
recognised; they hold no events.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from lxml import etree

from hansa.apps.food_trace.documents.document import EpcisDocument, Kind
from hansa.apps.food_trace.documents.master_data import Element, read_xml_header
from hansa.apps.food_trace.documents.names import BUILTIN, Context
from hansa.apps.food_trace.documents.normal import NormalEvent, normalise
from hansa.apps.food_trace.documents.query import Query, read_parameters
from hansa.apps.food_trace.documents.rulebook import DocumentRefused, Failure, make_failure
from hansa.apps.food_trace.documents.xml_events import (
    EventXml,
    get_tag,
    get_text,
)
from hansa.apps.food_trace.documents.xml_tree import find_place, get_place, iterate, parse_xml
from hansa.apps.food_trace.event import TYPES
from hansa.apps.food_trace.timestamps import InvalidTime, parse_time

_OLD: Final = ("{urn:epcglobal:epcis:xsd:1}", "{urn:epcglobal:epcis-query:xsd:1}")
_HEADER: Final = ("schemaVersion", "creationDate")
_XSI_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"


def read_xml(data: bytes) -> EpcisDocument:
    """An XML document with all its events judged. Raises DocumentRefused when it is none."""
    root = parse_xml(data)
    if str(root.tag).startswith(_OLD):
        raise DocumentRefused("EPCIS-VERSION", "this is EPCIS 1.x", get_place(root))
    tag = get_tag(root)
    reader = _Reader(root)
    if tag == "EPCISDocument":
        return reader.read_capture()
    if tag == "EPCISQueryDocument":
        return reader.read_query_document()
    if tag == "EPCISMasterDataDocument":
        return reader.make("master_data", ())
    if tag == "EPCISCaptureJob":
        return reader.make("capture_job", ())
    if tag in TYPES:
        return reader.make("event", (_read_event(root),))
    raise DocumentRefused(
        "FORMAT-UNKNOWN",
        f"the element {tag[:80]!r} is no EPCIS document and no event",
        get_place(root),
    )


class _Reader:
    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.failures: list[Failure] = []

    def fail(self, rule: str, path: str, said: str = "") -> None:
        self.failures.append(make_failure(rule, path, said))

    def make(self, kind: Kind, events: tuple[NormalEvent, ...], **more: Any) -> EpcisDocument:
        header = {name: self.root.get(name, "") for name in _HEADER if name in self.root.attrib}
        vocabulary: tuple[Element, ...] = ()
        if kind in ("capture", "query_results", "master_data"):
            vocabulary, failures = read_xml_header(self.root)
            self.failures += failures
        return EpcisDocument(
            syntax="xml",
            kind=kind,
            header=header if kind != "event" else {},
            events=events,
            failures=tuple(self.failures),
            vocabulary=vocabulary,
            **more,
        )

    def read_capture(self) -> EpcisDocument:
        self._check_header()
        body = self._find(self.root, "EPCISBody")
        events = self._find(body, "EventList") if body is not None else None
        return self.make("capture", self._read_events(events))

    def read_query_document(self) -> EpcisDocument:
        body = self._find(self.root, "EPCISBody")
        for part in iterate(body) if body is not None else ():
            if get_tag(part) == "Poll":
                return self._read_poll(part)
            if get_tag(part) == "QueryResults":
                return self._read_results(part)
        if body is not None:
            self.fail("EPCIS-DOCUMENT", get_place(body))
        return self.make("query_results", ())

    def _check_header(self) -> None:
        place = get_place(self.root)
        for name in _HEADER:
            if name not in self.root.attrib:
                self.fail("EPCIS-DOCUMENT", f"{place}/@{name}")
        created = self.root.get("creationDate")
        if created is not None:
            try:
                parse_time(created.strip())
            except InvalidTime:
                self.fail("EPCIS-TIME", f"{place}/@creationDate", created)

    def _find(self, parent: etree._Element, tag: str) -> etree._Element | None:
        for child in iterate(parent):
            if get_tag(child) == tag:
                return child
        self.fail("EPCIS-DOCUMENT", f"{get_place(parent)}/{tag}")
        return None

    def _read_results(self, results: etree._Element) -> EpcisDocument:
        inner = self._find(results, "resultsBody")
        events = self._find(inner, "EventList") if inner is not None else None
        texts = {get_tag(child): get_text(child) for child in iterate(results)}
        return self.make(
            "query_results",
            self._read_events(events),
            query_name=texts.get("queryName", ""),
            subscription_id=texts.get("subscriptionID", ""),
        )

    def _read_events(self, events: etree._Element | None) -> tuple[NormalEvent, ...]:
        return tuple(map(_read_event, _flatten(events))) if events is not None else ()

    def _read_poll(self, poll: etree._Element) -> EpcisDocument:
        names = [get_text(child) for child in iterate(poll) if get_tag(child) == "queryName"]
        if not names or not names[0]:
            self.fail("QUERY-NAME", f"{get_place(poll)}/queryName")
        given: dict[str, Any] = {}
        places: dict[str, str] = {}
        for part in iterate(poll):
            for param in iterate(part) if get_tag(part) == "params" else ():
                name, value = self._read_param(param)
                if name:
                    given[name], places[name] = value, get_place(param)
        namespaces = {str(key): uri for key, uri in poll.nsmap.items() if key}
        parameters, failures = read_parameters(given, Context({**namespaces, **BUILTIN}, {}))
        for failure in failures:
            place = places.get(failure.path.removeprefix("/"), get_place(poll))
            self.failures.append(msgspec.structs.replace(failure, path=place))
        return self.make("query", (), query=Query(names[0] if names else "", parameters))

    def _read_param(self, param: etree._Element) -> tuple[str, Any]:
        children = {get_tag(child): child for child in iterate(param)}
        if "name" not in children or "value" not in children:
            self.fail("QUERY-VALUE", get_place(param))
            return "", ""
        value = children["value"]
        items = [get_text(child) for child in iterate(value)]
        kind = value.get(_XSI_TYPE, "")
        is_list = bool(items) or kind.endswith("ArrayOfString")
        return get_text(children["name"]), items if is_list else get_text(value)


def _flatten(events: etree._Element) -> Iterator[etree._Element]:
    """The events of a list; the wrapper that EPCIS 1.x needed for some is passed through."""
    for child in iterate(events):
        if get_tag(child) == "extension":
            yield from _flatten(child)
        else:
            yield child


def _read_event(element: etree._Element) -> NormalEvent:
    event = EventXml(element)
    normal = normalise(event.fields, event.context, "", is_xml=True, failures=tuple(event.failures))
    count = len(event.failures)
    placed = tuple(
        failure
        if number < count
        else msgspec.structs.replace(failure, path=find_place(element, failure.path))
        for number, failure in enumerate(normal.failures)
    )
    return msgspec.structs.replace(normal, failures=placed, path=get_place(element))

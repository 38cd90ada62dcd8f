"""EPCIS documents in JSON-LD: capture documents, bare events, query results, queries. Pure.

Source: EPCIS 2.0 clause 10 and its JSON schema. Places are JSON pointers (RFC 6901).
"""

import re
from typing import Any, Final

from hansa.apps.food_trace.documents.document import EpcisDocument, Kind
from hansa.apps.food_trace.documents.fields import escape
from hansa.apps.food_trace.documents.master_data import Element, read_json_header
from hansa.apps.food_trace.documents.names import EPCIS_CONTEXT, Context, InvalidContext
from hansa.apps.food_trace.documents.normal import NormalEvent, normalise
from hansa.apps.food_trace.documents.query import Query, find_parameter, read_parameters
from hansa.apps.food_trace.documents.rulebook import DocumentRefused, Failure, make_failure
from hansa.apps.food_trace.documents.strict_json import load_json
from hansa.apps.food_trace.event import TYPES
from hansa.apps.food_trace.timestamps import InvalidTime, parse_time

_VERSION: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*\Z")
_HEADER: Final = (
    "id schemaVersion creationDate sender receiver instanceIdentifier epcisHeader".split()
)
_QUERY_CONTEXT: Final = "query-schema"


def read_json(data: bytes, context: Context = EPCIS_CONTEXT) -> EpcisDocument:
    """A JSON document with all its events judged. Raises DocumentRefused when it is none.

    `context` is what holds before the document's own (prefixes from a request's headers).
    """
    noted: list[str] = []
    root = load_json(data, noted)
    if not isinstance(root, dict):
        raise DocumentRefused("FORMAT-UNKNOWN", "the document is no JSON object")
    reader = _Reader(root, context)
    for key in noted:
        reader.fail("JSON-ID-TWICE", "/", key)
    return reader.read()


class _Reader:
    def __init__(self, root: dict[str, Any], context: Context) -> None:
        self.root = root
        self.context = context
        self.failures: list[Failure] = []

    def read(self) -> EpcisDocument:
        kind = self.root.get("type")
        if "type" not in self.root and _is_query(self.root, self.context):
            return self._read_query()
        if "@context" in self.root:
            self._enter()
        elif self.context is EPCIS_CONTEXT:
            self.fail("EPCIS-CONTEXT", "/@context")
        if kind == "EPCISDocument":
            return self._read_events("capture", self._get_body(), "/epcisBody")
        if kind == "EPCISQueryDocument":
            return self._read_results()
        if kind == "EPCISMasterDataDocument":
            self._check_header(is_query=False)
            return self._make("master_data", ())
        if isinstance(kind, str) and (kind in TYPES or "eventTime" in self.root):
            return self._make("event", (normalise(self.root, self.context, ""),))
        said = kind[:80] if isinstance(kind, str) else "none"
        raise DocumentRefused(
            "FORMAT-UNKNOWN", f"the type {said!r} is no EPCIS document and no event", "/type"
        )

    def fail(self, rule: str, path: str, said: object = "") -> None:
        self.failures.append(make_failure(rule, path, said if isinstance(said, str) else ""))

    def _enter(self) -> None:
        try:
            self.context = self.context.extend(self.root["@context"])
        except InvalidContext:
            self.fail("EPCIS-CONTEXT", "/@context")

    def _get_body(self) -> dict[str, Any]:
        self._check_header(is_query=False)
        return self._get_object(self.root, "epcisBody", "")

    def _get_object(self, fields: dict[str, Any], name: str, path: str) -> dict[str, Any]:
        value = fields.get(name)
        if isinstance(value, dict):
            return value
        self.fail("EPCIS-SHAPE" if name in fields else "EPCIS-DOCUMENT", f"{path}/{name}")
        return {}

    def _check_header(self, *, is_query: bool) -> None:
        known = {"@context", "type", "epcisBody", *_HEADER}
        for key in self.root:
            if key not in known and self.context.expand_name(key) is None:
                self.fail("EPCIS-UNKNOWN-FIELD", f"/{escape(key)}")
        for name in ("schemaVersion", "creationDate"):
            if name not in self.root and not is_query:
                self.fail("EPCIS-DOCUMENT", f"/{name}")
        version = self.root.get("schemaVersion", "2.0")
        if not isinstance(version, str) or _VERSION.match(version) is None:
            self.fail("EPCIS-SHAPE", "/schemaVersion", version)
        created = self.root.get("creationDate")
        if "creationDate" in self.root:
            try:
                parse_time(created if isinstance(created, str) else "")
            except InvalidTime:
                self.fail("EPCIS-TIME", "/creationDate", created)

    def _read_results(self) -> EpcisDocument:
        self._check_header(is_query=True)
        body = self._get_object(self.root, "epcisBody", "")
        results = self._get_object(body, "queryResults", "/epcisBody") if body else {}
        path = "/epcisBody/queryResults"
        if results and not isinstance(results.get("queryName"), str):
            self.fail("QUERY-NAME", f"{path}/queryName")
        inner = self._get_object(results, "resultsBody", path) if results else {}
        document = self._read_events("query_results", inner, f"{path}/resultsBody")
        name, subscription = results.get("queryName"), results.get("subscriptionID")
        return EpcisDocument(
            syntax="json",
            kind="query_results",
            header=document.header,
            events=document.events,
            failures=document.failures,
            vocabulary=document.vocabulary,
            query_name=name if isinstance(name, str) else "",
            subscription_id=subscription if isinstance(subscription, str) else "",
        )

    def _read_events(self, kind: Kind, body: dict[str, Any], path: str) -> EpcisDocument:
        found = body.get("eventList")
        if body and not isinstance(found, list):
            rule = "EPCIS-SHAPE" if "eventList" in body else "EPCIS-DOCUMENT"
            self.fail(rule, f"{path}/eventList")
        events = []
        for place, fields in enumerate(found if isinstance(found, list) else ()):
            where = f"{path}/eventList/{place}"
            if isinstance(fields, dict):
                events.append(normalise(fields, self.context, where))
            else:
                self.fail("EPCIS-SHAPE", where)
        return self._make(kind, tuple(events))

    def _read_query(self) -> EpcisDocument:
        context = self.context
        if "@context" in self.root:
            self._enter()
            context = self.context
        name = self.root.get("queryName", "SimpleEventQuery")
        given = {key: value for key, value in self.root.items() if key != "queryName"}
        parameters, failures = read_parameters(given, context)
        self.failures += failures
        query = Query(name if isinstance(name, str) else "SimpleEventQuery", parameters)
        return EpcisDocument(
            syntax="json", kind="query", failures=tuple(self.failures), query=query
        )

    def _make(self, kind: Kind, events: tuple[NormalEvent, ...]) -> EpcisDocument:
        header = {name: self.root[name] for name in _HEADER if name in self.root}
        vocabulary: tuple[Element, ...] = ()
        if kind in ("capture", "query_results", "master_data") and "epcisHeader" in header:
            vocabulary, failures = read_json_header(header["epcisHeader"], self.context)
            self.failures += failures
        return EpcisDocument(
            syntax="json",
            kind=kind,
            header=header if kind != "event" else {},
            events=events,
            failures=tuple(self.failures),
            vocabulary=vocabulary,
        )


def _is_query(root: dict[str, Any], context: Context) -> bool:
    said = root.get("@context")
    if isinstance(said, str) and _QUERY_CONTEXT in said:
        return True
    names = [name for name in root if name not in {"@context", "queryName"}]
    known = [name for name in names if find_parameter(name, context)[1] is not None]
    return "queryName" in root or bool(known)

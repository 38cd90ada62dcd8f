"""A whole EPCIS document as it was read: what it is, its events, what is wrong with it. Pure."""

from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from hansa.apps.food_trace.documents.master_data import Element
from hansa.apps.food_trace.documents.normal import NormalEvent
from hansa.apps.food_trace.documents.query import Query
from hansa.apps.food_trace.documents.rulebook import Failure

Syntax = Literal["json", "xml"]
Kind = Literal["capture", "event", "query_results", "query", "master_data", "capture_job"]

CONTEXT_URL: Final = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
SCHEMA_VERSION: Final = "2.0"


class EpcisDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document. `failures` are those of the document itself; each event has its own.

    `header`: id, schemaVersion, creationDate, sender, receiver, instanceIdentifier, as given.
    `vocabulary`: master data in its header. `query_name` and `subscription_id` are those of query
    results.
    """

    syntax: Syntax
    kind: Kind
    header: dict[str, Any] = {}
    events: tuple[NormalEvent, ...] = ()
    failures: tuple[Failure, ...] = ()
    query: Query | None = None
    vocabulary: tuple[Element, ...] = ()
    query_name: str = ""
    subscription_id: str = ""

    def all_failures(self) -> Iterator[Failure]:
        """Those of the document, then those of each event in order."""
        yield from self.failures
        for event in self.events:
            yield from event.failures

    @property
    def is_valid(self) -> bool:
        """Whether nothing fatal is wrong with it."""
        return all(failure.flag != "fatal" for failure in self.all_failures())

"""JSON Schemas of messages, records and events, and the plain description that edges derive from.
Pure.
"""

from typing import Any

import msgspec

from hansa.appkit.application import Application
from hansa.ledger.contracts import get_version
from hansa.ledger.model import Event, Message, Record

SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def build_schema(kind: type[Message] | type[Record] | type[Event]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one type; `v` is its version."""
    return {"$schema": SCHEMA_DIALECT, **msgspec.json.schema(kind)}


def describe_application(application: Application) -> dict[str, Any]:
    """All that an application says of itself, as plain data."""
    return {
        "name": application.name,
        "title": application.title,
        "version": application.contract.version,
        "roles": [
            {"name": role.name, "granted_by": list(role.granted_by), "text": role.text}
            for role in application.roles
        ],
        "messages": [
            {
                "name": message.__name__,
                "version": get_version(message),
                "role": message.ROLE,
                "internal": message.INTERNAL,
                "cost": message.COST,
                "text": (message.__doc__ or "").strip(),
                "schema": build_schema(message),
            }
            for message in application.messages
        ],
        "records": [
            {
                "kind": record.KIND,
                "version": get_version(record),
                "visibility": record.VISIBILITY,
                "readers": list(record.READERS),
                "schema": build_schema(record),
            }
            for record in application.records
        ],
        "events": [
            {
                "name": event.__name__,
                "version": get_version(event),
                "visibility": event.VISIBILITY,
                "schema": build_schema(event),
            }
            for event in application.events
        ],
        "rejections": [
            {
                "code": f"{rejection.CODESPACE}.{rejection.CODE}",
                "rule": rejection.RULE,
                "text": rejection.TEXT,
                "remedy": rejection.REMEDY,
            }
            for rejection in application.rejections
        ],
        "invariants": [{"id": each.id, "text": each.text} for each in application.invariants],
    }

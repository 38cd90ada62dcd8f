"""JSON Schemas of messages, records and events, and the plain description that edges derive from.
Pure.
"""

from typing import Any

import msgspec

from hansa.appkit.application import Application, Table
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
        "settings": msgspec.to_builtins(application.contract.settings),
        "messages": [_describe_message(message) for message in application.messages],
        "records": [
            {
                "kind": record.KIND,
                "owner": record.OWNER or application.name,
                "key": list(record.KEY),
                "key_form": record.KEY_FORM,
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
        "tables": [_describe_table(application.name, table) for table in application.tables],
        "lifecycles": [
            {
                "record": each.record.KIND,
                "field": each.field,
                "states": list(each.states),
                "transitions": msgspec.to_builtins(each.transitions),
            }
            for each in application.lifecycles
        ],
        "fields": msgspec.to_builtins(application.fields),
        "files": [
            {
                "message": each.message,
                "accept": each.accept,
                "path": f"/{application.cli_name}{each.path}",
            }
            for each in application.files
        ],
        "waiting": msgspec.to_builtins(application.waiting),
    }


def _describe_message(message: type[Message]) -> dict[str, Any]:
    return {
        "name": message.__name__,
        "version": get_version(message),
        "role": message.ROLE,
        "internal": message.INTERNAL,
        "governed": message.GOVERNED,
        "cost": message.COST,
        "text": (message.__doc__ or "").strip(),
        "schema": build_schema(message),
    }


def _describe_table(name: str, table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "record": table.record.KIND,
        "owner": table.record.OWNER or name,
        "columns": [{"name": each.name, "type": each.type} for each in table.columns],
        "totals": list(table.totals),
        "unit": table.unit,
        "main": list(table.main),
    }

"""Schemas as people name them on the command line: by id, name, line or version. Asks the node."""

from typing import Any, NamedTuple

from hansa.client.faults import ClientError
from hansa.client.gateway import Gateway
from hansa.identity.links import list_scope_names

APPLICATION = "schemas"


class UnknownSchema(ClientError):
    """Nothing is published under this name."""

    CODE = "cli.unknown_schema"


class KnownSchema(NamedTuple):
    """The record of a schema (None: only its line is known) and how scopes may name it."""

    names: tuple[str, ...]
    record: dict[str, Any] | None


def find_schema(gateway: Gateway, text: str) -> KnownSchema:
    """The schema of an id, of `NAME` (its newest version), `NAME@VERSION`, or the line
    `NAME:MAJOR` (its newest version). Raises UnknownSchema.
    """
    if len(text) == 64 and ":" not in text and "@" not in text:
        record = gateway.record(APPLICATION, "schema", text)
        if record is None:
            raise UnknownSchema(f"there is no schema {text}", "hansa schema list")
        return _know(record)
    name, _at, version = text.partition("@")
    name, _colon, major = name.partition(":")
    line = gateway.record(APPLICATION, "schema_line", name)
    versions = [
        each
        for each in (line["versions"] if line is not None else ())
        if version in ("", each["version"]) and major in ("", each["version"].split(".")[0])
    ]
    if not versions:
        raise UnknownSchema(f"nothing is published as {text}", "hansa schema list")
    newest = max(versions, key=lambda each: [int(part) for part in each["version"].split(".")])
    found = find_schema(gateway, newest["schema"])
    return found if not major else KnownSchema((f"{name}:{major}",), found.record)


def _know(record: dict[str, Any]) -> KnownSchema:
    names = list_scope_names(record["id"], record["name"], record["version"])
    return KnownSchema(names, record)

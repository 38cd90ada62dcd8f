"""Fields of a form out of a JSON Schema 2020-12: what an issuer fills in. Pure.

What a form has no control for (objects, arrays, several types) is written as JSON.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

Kind = Literal["text", "integer", "number", "boolean", "choice", "date", "datetime", "json"]
_FORMATS: Final[Mapping[str, Kind]] = {"date": "date", "date-time": "datetime"}
_PLAIN: Final[Mapping[str, Kind]] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}


class SchemaField(msgspec.Struct, frozen=True, kw_only=True):
    """A claim. `label`, `help`: the schema's own words, or the claim's name. Bounds as the schema
    has them; `options`: JSON of each value that there is.
    """

    name: str
    label: str
    help: str = ""
    kind: Kind = "text"
    is_required: bool = False
    options: tuple[str, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""


def derive_fields(schema: Mapping[str, Any]) -> list[SchemaField]:
    """The claims at the top of a schema, required ones first."""
    required = {each for each in schema.get("required", ()) if isinstance(each, str)}
    properties = schema.get("properties", {})
    fields = [
        _derive(name, _follow(each, schema), is_required=name in required)
        for name, each in properties.items()
    ]
    unlisted = [
        SchemaField(name=name, label=name, kind="json", is_required=True)
        for name in sorted(required - set(properties))
    ]
    return sorted(fields + unlisted, key=lambda field: not field.is_required)


def _follow(part: object, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part, or what its reference within the document names."""
    for _step in range(8):
        if not isinstance(part, Mapping):
            return {}
        place = part.get("$ref")
        if not isinstance(place, str) or not place.startswith("#/"):
            return part
        found: Any = schema
        for name in place[2:].split("/"):
            found = found.get(name) if isinstance(found, Mapping) else None
        part = found
    return {}


def _derive(name: str, part: Mapping[str, Any], *, is_required: bool) -> SchemaField:
    options = part.get("enum", [part["const"]] if "const" in part else None)
    kind: Kind = "json"
    if isinstance(options, list):
        kind = "choice"
    elif isinstance(part.get("type"), str):
        kind = _PLAIN.get(part["type"], "json")
        if kind == "text":
            kind = _FORMATS.get(str(part.get("format", "")), "text")
    return SchemaField(
        name=name,
        label=_read_text(part, "title") or name,
        help=_read_text(part, "description"),
        kind=kind,
        is_required=is_required,
        options=tuple(msgspec.json.encode(each).decode() for each in options or ()),
        minimum=_read_number(part, "minimum"),
        maximum=_read_number(part, "maximum"),
        min_length=_read_count(part, "minLength"),
        max_length=_read_count(part, "maxLength"),
        pattern=_read_text(part, "pattern"),
    )


def _read_text(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""


def _read_number(part: Mapping[str, Any], name: str) -> int | float | None:
    value = part.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _read_count(part: Mapping[str, Any], name: str) -> int | None:
    value = _read_number(part, name)
    return value if isinstance(value, int) and value >= 0 else None

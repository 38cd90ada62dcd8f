"""The shape of a type: from its JSON Schema and the meanings its application gives, a tree of
fields that forms, previews and record pages share. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

Kind = Literal[
    "text",
    "long",  # text of several lines
    "integer",
    "scaled",  # integer shown with `scale` digits after the decimal sign
    "date",
    "time",
    "span",
    "choice",
    "several",  # any of a few options
    "flag",
    "party",  # DID of a member or an account
    "group",
    "list",
    "union",
    "action",  # body of the message that two fields beside it name
    "json",
    "constant",
]
Schema = Mapping[str, Any]

# Deeper than any message; a type that contains itself ends here as JSON.
DEPTH_MAX: Final = 8
# From so many characters on a text has several lines.
LONG_TEXT: Final = 600
_DID_PATTERN: Final = "^did:"
_SCALED: Final = ("amount", "rate", "decimal")
_SCHEMA_KINDS: Final[dict[str, Kind]] = {"boolean": "flag", "object": "json"}
_MEANT_KINDS: Final[dict[str, Kind]] = {
    "date": "date",
    "time": "time",
    "duration": "span",
    "party": "party",
    "member": "party",
    "document": "long",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One field, or a whole type.

    name: for its words; type: title of the struct that declares it (of a group: its own). required:
    the type has no default for it. default: JSON, where `has_default`. `meaning`, `scale`, `unit`,
    `scale_of`, `record`, `scheme`: as FieldMeaning. options: values of a choice. low, high: bounds
    of an integer; length_min, length_max: of a text; items_min, items_max: of a list. pattern: a
    regular expression that a text must match somewhere.
    """

    name: str
    kind: Kind
    type: str = ""
    required: bool = True
    is_nullable: bool = False
    has_default: bool = False
    default: Any = None
    meaning: str = ""
    scale: int = 0
    unit: str = ""
    scale_of: str = ""
    record: str = ""
    scheme: str = ""
    options: tuple[Any, ...] = ()
    low: int | None = None
    high: int | None = None
    length_min: int = 0
    length_max: int | None = None
    pattern: str = ""
    items_min: int = 0
    items_max: int | None = None
    fields: tuple["Shape", ...] = ()
    item: "Shape | None" = None
    variants: tuple["Shape", ...] = ()
    value: Any = None

    def field(self, name: str) -> "Shape | None":
        """The field of a group by its name."""
        return next((each for each in self.fields if each.name == name), None)

    @property
    def is_flat(self) -> bool:
        """Whether it is a single value."""
        return self.kind not in ("group", "list", "union", "action", "json", "several")


def derive_shape(schema: Schema, meanings: Sequence[Mapping[str, Any]]) -> Shape:
    """The shape of a message, record or event. `schema`: its JSON Schema as the API gives it;
    `meanings`: the application's `fields`.
    """
    found = {str(each["name"]): each for each in meanings}
    return _Deriver(schema.get("$defs", {}), found).derive(schema, name="", owner="", depth=0)


class _Deriver:
    """One derivation: the definitions and the meanings at hand."""

    def __init__(
        self, definitions: Mapping[str, Schema], meanings: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._definitions = definitions
        self._meanings = meanings

    def derive(self, schema: Schema, *, name: str, owner: str, depth: int) -> Shape:
        """The shape of one field of the struct `owner`."""
        inner, is_nullable = self._unwrap(schema)
        shape = self._describe(inner, name, owner, depth)
        has_default = "default" in schema or "default" in inner
        return replace(
            shape,
            is_nullable=is_nullable,
            has_default=has_default,
            default=schema.get("default", inner.get("default")),
        )

    def _unwrap(self, schema: Schema) -> tuple[Schema, bool]:
        """Without references and without `or null`."""
        while "$ref" in schema:
            schema = self._definitions[schema["$ref"].rpartition("/")[2]]
        choices = schema.get("anyOf")
        if choices is None:
            return schema, False
        kept = [each for each in choices if each.get("type") != "null"]
        if len(kept) == len(choices):
            return schema, False
        inner: Schema = kept[0] if len(kept) == 1 else {**schema, "anyOf": kept}
        return self._unwrap(inner)[0], True

    def _describe(self, schema: Schema, name: str, owner: str, depth: int) -> Shape:
        if depth > DEPTH_MAX:
            return Shape(name, "json", owner)
        if "anyOf" in schema:
            return self._describe_union(schema, name, owner, depth)
        if "const" in schema or "enum" in schema:
            return _describe_choice(schema, name, owner)
        if schema.get("type") == "array":
            return self._describe_list(schema, name, owner, depth)
        if "properties" in schema:
            return self._describe_group(schema, name, depth)
        return self._describe_scalar(schema, name, owner)

    def _describe_group(self, schema: Schema, name: str, depth: int) -> Shape:
        title = str(schema.get("title", ""))
        required = schema.get("required", ())
        fields = tuple(
            replace(
                self.derive(each, name=field, owner=title, depth=depth + 1),
                required=field in required,
            )
            for field, each in schema["properties"].items()
        )
        return Shape(name, "group", title, fields=_mark_actions(fields))

    def _describe_list(self, schema: Schema, name: str, owner: str, depth: int) -> Shape:
        items = schema.get("items")
        bounds = {"items_min": schema.get("minItems", 0), "items_max": schema.get("maxItems")}
        if not isinstance(items, Mapping):
            return Shape(name, "json", owner)
        item = self.derive(items, name=name, owner=owner, depth=depth + 1)
        if item.kind == "choice":
            return Shape(name, "several", owner, options=item.options, item=item, **bounds)
        return Shape(name, "list", owner, item=item, **bounds)

    def _describe_union(self, schema: Schema, name: str, owner: str, depth: int) -> Shape:
        variants = tuple(
            self.derive(each, name=name, owner=owner, depth=depth + 1) for each in schema["anyOf"]
        )
        if all(each.kind == "group" for each in variants):
            return Shape(name, "union", owner, variants=variants)
        return Shape(name, "json", owner)

    def _describe_scalar(self, schema: Schema, name: str, owner: str) -> Shape:
        meaning = self._find_meaning(schema, name, owner)
        shape = Shape(
            name,
            _choose_kind(schema, str(meaning["meaning"])),
            owner,
            meaning=str(meaning["meaning"]),
            scale=int(meaning.get("scale", 0)),
            unit=str(meaning.get("unit", "")),
            scale_of=str(meaning.get("scale_of", "")),
            record=str(meaning.get("record", "")),
            scheme=str(meaning.get("scheme", "")),
            low=schema.get("minimum", _step(schema.get("exclusiveMinimum"), 1)),
            high=schema.get("maximum", _step(schema.get("exclusiveMaximum"), -1)),
            length_min=schema.get("minLength", 0),
            length_max=schema.get("maxLength"),
            pattern=schema.get("pattern", ""),
        )
        return shape

    def _find_meaning(self, schema: Schema, name: str, owner: str) -> Mapping[str, Any]:
        """What the application says, else what name and pattern say."""
        found = self._meanings.get(f"{owner}.{name}") or self._meanings.get(name)
        if found is not None:
            return found
        if schema.get("type") == "integer" and name.endswith("_ms"):
            return {"meaning": "time"}
        if schema.get("type") == "integer" and (name == "height" or name.endswith("_height")):
            return {"meaning": "height"}
        is_did = str(schema.get("pattern", "")).startswith(_DID_PATTERN)
        return {"meaning": "party" if is_did else ""}


def _describe_choice(schema: Schema, name: str, owner: str) -> Shape:
    values = tuple(schema["enum"]) if "enum" in schema else (schema["const"],)
    if len(values) == 1:
        return Shape(name, "constant", owner, value=values[0])
    return Shape(name, "choice", owner, options=values)


def _choose_kind(schema: Schema, meaning: str) -> Kind:
    type_ = schema.get("type")
    if type_ == "integer":
        if meaning in _SCALED:
            return "scaled"
        found = _MEANT_KINDS.get(meaning, "integer")
        return found if found in ("time", "span") else "integer"
    if type_ == "string":
        is_long = (schema.get("maxLength") or 0) >= LONG_TEXT
        return _MEANT_KINDS.get(meaning, "long" if is_long else "text")
    return _SCHEMA_KINDS.get(str(type_), "json")


def _mark_actions(fields: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """An object beside a field that names a message is that message's body."""
    named = next((each for each in fields if each.meaning == "message"), None)
    if named is None:
        return fields
    return tuple(
        replace(each, kind="action", unit=named.name) if each.kind == "json" else each
        for each in fields
    )


def _step(bound: int | None, by: int) -> int | None:
    return None if bound is None else bound + by

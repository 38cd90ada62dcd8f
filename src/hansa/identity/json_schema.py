"""JSON Schemas that the league publishes: a bounded profile of draft 2020-12, judged purely.

Every validator of a chain computes this: no library, no network, no recursion in schemas. What
changed between two versions is `schema_changes.find_incompatible`, also offered here.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from hansa.identity.schema_changes import find_incompatible
from hansa.identity.schema_pattern import is_linear_pattern

__all__ = ["DIALECT", "InvalidSchema", "check_schema", "find_incompatible"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_DEPTH_MAX: Final = 32
# Schemas within a schema once every reference is written out: bounds the work of one validation.
SCHEMA_NODES_MAX: Final = 5_000
PATTERNS_MAX: Final = 64
TYPES: Final = ("array", "boolean", "integer", "null", "number", "object", "string")
# Formats are judged (2020-12 format-assertion); an unknown one would be judged by nobody.
FORMATS: Final = frozenset(
    ("date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid")
)
_REFERENCE: Final = "#/$defs/"
_ANNOTATIONS: Final = frozenset(
    "$comment title description default examples deprecated readOnly writeOnly "
    "contentEncoding contentMediaType".split()
)
_ROOT_ONLY: Final = frozenset(("$schema", "$id", "$defs"))
_ONE_SCHEMA: Final = frozenset(
    ("additionalProperties", "items", "not", "if", "then", "else", "contains", "propertyNames")
)
_MANY_SCHEMAS: Final = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
_NAMED_SCHEMAS: Final = frozenset(("properties", "patternProperties", "dependentSchemas"))


class InvalidSchema(ValueError):
    """Not a schema of the profile: `code` says why, `path` (JSON pointer) where."""

    def __init__(self, code: str, path: str) -> None:
        super().__init__(f"{code} at {path or 'the root'}")
        self.code = code
        self.path = path


def check_schema(document: Mapping[str, object]) -> int:
    """Check a schema document against the profile. Raises InvalidSchema. Gives its number of
    schemas with every reference written out: what judging one value may cost.

    Codes: wrong_dialect, unknown_keyword, wrong_value, misplaced_keyword, foreign_reference,
    unknown_reference, recursive_reference, reference_with_siblings, unsafe_pattern,
    unknown_format, too_deep, too_large.
    """
    if document.get("$schema") != DIALECT:
        raise InvalidSchema("wrong_dialect", "/$schema")
    return _Walk(document.get("$defs", {})).check(document)


class _Size(NamedTuple):
    """How large a schema is with its references written out."""

    nodes: int
    height: int


class _Walk:
    """One walk over a document: each definition is judged once, and counted where it is used."""

    def __init__(self, definitions: object) -> None:
        if not isinstance(definitions, dict):
            raise InvalidSchema("wrong_value", "/$defs")
        self.definitions: dict[str, object] = definitions
        self.sizes: dict[str, _Size] = {}
        self.patterns = 0

    def check(self, document: Mapping[str, object]) -> int:
        for name in self.definitions:
            self.measure_definition(name, _pointer("/$defs", name), (), 1)
        return self.measure(document, "", (), 0).nodes

    def measure_definition(
        self, name: str, path: str, within: tuple[str, ...], depth: int
    ) -> _Size:
        if name in within:
            raise InvalidSchema("recursive_reference", path)
        if name not in self.sizes:
            pointer = _pointer("/$defs", name)
            opened = (*within, name)
            self.sizes[name] = self.measure(self.definitions[name], pointer, opened, depth)
        return self.sizes[name]

    def measure(self, schema: object, path: str, within: tuple[str, ...], depth: int) -> _Size:
        """Size of one schema; checks each of its keywords."""
        if isinstance(schema, bool):
            return _Size(1, 0)
        if not isinstance(schema, Mapping):
            raise InvalidSchema("wrong_value", path)
        if depth > SCHEMA_DEPTH_MAX:
            raise InvalidSchema("too_deep", path)
        if "$ref" in schema:
            return self.measure_reference(schema, path, within, depth)
        nodes, height = 1, 0
        for keyword, value in schema.items():
            here = _pointer(path, keyword)
            for child, child_path in self.list_children(keyword, value, here, path):
                size = self.measure(child, child_path, within, depth + 1)
                nodes, height = nodes + size.nodes, max(height, size.height + 1)
        if nodes > SCHEMA_NODES_MAX or height > SCHEMA_DEPTH_MAX:
            raise InvalidSchema("too_large" if nodes > SCHEMA_NODES_MAX else "too_deep", path)
        return _Size(nodes, height)

    def measure_reference(
        self, schema: Mapping[str, object], path: str, within: tuple[str, ...], depth: int
    ) -> _Size:
        here = _pointer(path, "$ref")
        target = schema["$ref"]
        if not isinstance(target, str) or not target.startswith(_REFERENCE):
            raise InvalidSchema("foreign_reference", here)
        name = target.removeprefix(_REFERENCE)
        if name not in self.definitions:
            raise InvalidSchema("unknown_reference", here)
        if set(schema) - {"$ref"} - _ANNOTATIONS:
            raise InvalidSchema("reference_with_siblings", here)
        return self.measure_definition(name, here, within, depth)

    def list_children(
        self, keyword: str, value: object, here: str, path: str
    ) -> list[tuple[object, str]]:
        """Schemas directly under one keyword, after its value was checked."""
        if keyword in _ROOT_ONLY:
            _check_root_keyword(keyword, value, here, path)
            return []
        if keyword in _ONE_SCHEMA:
            return [(value, here)]
        if keyword in _MANY_SCHEMAS:
            _require(isinstance(value, list) and bool(value), here)
            assert isinstance(value, list)
            return [(child, _pointer(here, str(n))) for n, child in enumerate(value)]
        if keyword in _NAMED_SCHEMAS:
            _require(isinstance(value, dict), here)
            assert isinstance(value, dict)
            if keyword == "patternProperties":
                for pattern in value:
                    self.check_pattern(pattern, _pointer(here, pattern))
            return [(child, _pointer(here, name)) for name, child in value.items()]
        self.check_plain(keyword, value, here)
        return []

    def check_plain(self, keyword: str, value: object, here: str) -> None:
        """A keyword without schemas under it."""
        if keyword in _ANNOTATIONS or keyword.startswith("x-"):
            return
        if keyword == "pattern":
            self.check_pattern(value, here)
        elif keyword == "format":
            if not isinstance(value, str) or value not in FORMATS:
                raise InvalidSchema("unknown_format", here)
        elif keyword in _VALUES:
            _require(_VALUES[keyword](value), here)
        else:
            raise InvalidSchema("unknown_keyword", here)

    def check_pattern(self, value: object, here: str) -> None:
        _require(isinstance(value, str), here)
        self.patterns += 1
        if self.patterns > PATTERNS_MAX or not is_linear_pattern(str(value)):
            raise InvalidSchema("unsafe_pattern", here)


def _pointer(path: str, part: str) -> str:
    return f"{path}/{part.replace('~', '~0').replace('/', '~1')}"


def _require(holds: bool, path: str) -> None:
    if not holds:
        raise InvalidSchema("wrong_value", path)


def _check_root_keyword(keyword: str, value: object, here: str, path: str) -> None:
    if path:
        raise InvalidSchema("misplaced_keyword", here)
    _require(keyword == "$defs" or isinstance(value, str), here)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_names(value: object) -> bool:
    """A list of different strings."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return False
    return len(set(value)) == len(value)


def _is_types(value: object) -> bool:
    if isinstance(value, str):
        return value in TYPES
    return isinstance(value, list) and bool(value) and _is_names(value) and set(value) <= set(TYPES)


def _is_dependencies(value: object) -> bool:
    return isinstance(value, dict) and all(_is_names(each) for each in value.values())


_VALUES: Final[Mapping[str, Callable[[object], bool]]] = {
    "type": _is_types,
    "enum": lambda value: isinstance(value, list) and bool(value),
    "const": lambda _: True,
    "required": _is_names,
    "dependentRequired": _is_dependencies,
    "uniqueItems": lambda value: isinstance(value, bool),
    "multipleOf": _is_positive,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _is_count),
    **dict.fromkeys(("minProperties", "maxProperties", "minContains", "maxContains"), _is_count),
}

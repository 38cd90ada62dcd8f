"""What a new version of a schema takes away from the old one. Pure.

"Compatible": whatever the old schema accepts, the new one accepts too, and no name that the old one
explains is left unexplained. What cannot be shown to be so counts as incompatible. The way back (do
readers of the old version understand what the new one writes?) is the same question, swapped.

One thing is let through on purpose: a name the old schema does not speak of, though it let it pass,
may be given a meaning (an optional property is added). A closed old schema leaves not even that.
"""

from collections.abc import Mapping
from typing import Any, Final

Finding = tuple[str, str]
Schema = dict[str, Any]
FINDINGS_MAX: Final = 100
# A schema of 5,000 nodes has no more pairs, unless each of many is compared with each of many: that
# would take minutes, of every validator.
COMPARISONS_MAX: Final = 10_000

_TYPES: Final = frozenset(("array", "boolean", "null", "number", "integer", "object", "string"))
_ANNOTATIONS: Final = frozenset(
    "$schema $id $defs $comment title description default examples deprecated readOnly writeOnly "
    "contentEncoding contentMediaType".split()
)
# Keywords whose change is only allowed to be their removal.
_WHOLE: Final = ("pattern", "format", "oneOf")
_LOWER: Final = ("minLength", "minItems", "minProperties")
_UPPER: Final = ("maxLength", "maxItems", "maxProperties")


class _Findings(list[Finding]):
    """What was found, and how many pairs may still be compared."""

    left = COMPARISONS_MAX


def find_incompatible(old: Mapping[str, object], new: Mapping[str, object]) -> list[Finding]:
    """What the new schema refuses or forgets of the old one: [(JSON pointer, code)], in order.

    Both must have passed `check_schema`. Empty: compatible. Codes: type_narrowed, values_narrowed,
    bound_tightened, pattern_changed, format_changed, required_added, property_removed, closed,
    oneof_changed, condition_changed, contains_changed, composition_changed, names_changed,
    dependency_added, unique_added, multiple_changed, too_large (more than COMPARISONS_MAX pairs
    would have to be compared). At most FINDINGS_MAX are told.
    """
    found = _Findings()
    _compare(_expand(old, old), _expand(new, new), "", found)
    return found[:FINDINGS_MAX]


def _expand(schema: object, root: Mapping[str, object]) -> Schema:
    """A schema with references written out, `true` and `false` as schemas, annotations gone."""
    return _Expansion(root).expand(schema)


class _Expansion:
    def __init__(self, root: Mapping[str, object]) -> None:
        definitions = root.get("$defs", {})
        self.definitions: Mapping[str, object] = (
            definitions if isinstance(definitions, dict) else {}
        )
        self.expanded: dict[str, Schema] = {}

    def expand(self, schema: object) -> Schema:
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        assert isinstance(schema, Mapping)
        if "$ref" in schema:
            name = str(schema["$ref"]).removeprefix("#/$defs/")
            if name not in self.expanded:
                self.expanded[name] = self.expand(self.definitions[name])
            return self.expanded[name]
        return {
            keyword: self.expand_value(keyword, value)
            for keyword, value in schema.items()
            if keyword not in _ANNOTATIONS and not keyword.startswith("x-")
        }

    def expand_value(self, keyword: str, value: Any) -> Any:
        if keyword in ("properties", "patternProperties", "dependentSchemas"):
            return {name: self.expand(child) for name, child in value.items()}
        if keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
            return [self.expand(child) for child in value]
        if keyword in ("enum", "const"):
            listed = value if keyword == "enum" else [value]
            return {freeze_json(each) for each in listed}
        if keyword == "required":
            return dict.fromkeys(value)
        if keyword == "dependentRequired":
            return {name: frozenset(needed) for name, needed in value.items()}
        if isinstance(value, dict | bool) and keyword != "uniqueItems":
            return self.expand(value)
        return value


def freeze_json(value: object) -> tuple[object, ...]:
    """A JSON value as something hashable, equal when JSON Schema calls it so (1 = 1.0 != true)."""
    if isinstance(value, dict):
        members = ((name, freeze_json(member)) for name, member in value.items())
        return ("object", *sorted(members, key=lambda member: member[0]))
    if isinstance(value, list):
        return ("array", *(freeze_json(item) for item in value))
    if isinstance(value, bool) or value is None:
        return ("literal", str(value))
    return ("string" if isinstance(value, str) else "number", value)


def _compare(old: Schema, new: Schema, path: str, found: _Findings) -> None:
    """Adds to `found` what `new` refuses of what `old` accepts."""
    if old == new or not new or _accepts_nothing(old) or len(found) >= FINDINGS_MAX:
        if not new:
            _compare_names(old, new, path, found)
        return
    found.left -= 1
    if found.left < 0:
        found += [(path, "too_large")] * (found.left == -1)
        return
    if _accepts_nothing(new):
        found.append((path, "closed"))
        return
    _compare_type_and_values(old, new, path, found)
    _compare_bounds(old, new, path, found)
    _compare_names(old, new, path, found)
    _compare_objects(old, new, path, found)
    _compare_arrays(old, new, path, found)
    _compare_compositions(old, new, path, found)


def _accepts_nothing(schema: Schema) -> bool:
    return schema.get("not") == {}


def _list_types(schema: Schema) -> frozenset[str]:
    named = schema.get("type")
    if named is None:
        return _TYPES
    listed = frozenset([named] if isinstance(named, str) else named)
    return listed | {"integer"} if "number" in listed else listed


def _compare_type_and_values(old: Schema, new: Schema, path: str, found: _Findings) -> None:
    if not _list_types(old) <= _list_types(new):
        found.append((f"{path}/type", "type_narrowed"))
    for keyword in ("enum", "const"):
        if keyword in new:
            kept = [old[each] for each in ("enum", "const") if each in old]
            if not any(values <= new[keyword] for values in kept):
                found.append((f"{path}/{keyword}", "values_narrowed"))
    for keyword in _WHOLE:
        if keyword in new and new[keyword] != old.get(keyword):
            found.append((f"{path}/{keyword}", f"{keyword.lower()}_changed"))


def _compare_bounds(old: Schema, new: Schema, path: str, found: _Findings) -> None:
    for keyword in _LOWER:
        if new.get(keyword, 0) > old.get(keyword, 0):
            found.append((f"{path}/{keyword}", "bound_tightened"))
    for keyword in _UPPER:
        if keyword in new and (keyword not in old or new[keyword] < old[keyword]):
            found.append((f"{path}/{keyword}", "bound_tightened"))
    for sign, inclusive, exclusive in (
        (1, "minimum", "exclusiveMinimum"),
        (-1, "maximum", "exclusiveMaximum"),
    ):
        before = _find_bound(old, sign, inclusive, exclusive)
        after = _find_bound(new, sign, inclusive, exclusive)
        if after is not None and (before is None or after > before):
            found.append((f"{path}/{inclusive}", "bound_tightened"))
    step = new.get("multipleOf")
    if step is not None and not _is_multiple(old.get("multipleOf"), step):
        found.append((f"{path}/multipleOf", "multiple_changed"))
    if new.get("uniqueItems") and not old.get("uniqueItems"):
        found.append((f"{path}/uniqueItems", "unique_added"))


def _find_bound(
    schema: Schema, sign: int, inclusive: str, exclusive: str
) -> tuple[Any, bool] | None:
    """The tighter of two bounds: (value times sign, whether the value is out); larger, tighter."""
    bounds = [
        (sign * schema[keyword], keyword == exclusive)
        for keyword in (inclusive, exclusive)
        if keyword in schema
    ]
    return max(bounds, default=None)


def _is_multiple(before: Any, step: Any) -> bool:
    if isinstance(before, int) and isinstance(step, int):
        return before % step == 0
    return bool(before == step)


def _compare_names(old: Schema, new: Schema, path: str, found: _Findings) -> None:
    """Every name that the old schema explains is explained by the new one."""
    known = new.get("properties", {})
    for name in old.get("properties", {}):
        if name not in known:
            found.append((f"{path}/properties/{escape_pointer(name)}", "property_removed"))


def _compare_objects(old: Schema, new: Schema, path: str, found: _Findings) -> None:
    for name in new.get("required", ()):
        if name not in old.get("required", ()):
            found.append((f"{path}/required/{escape_pointer(name)}", "required_added"))
    for name, needed in new.get("dependentRequired", {}).items():
        if not needed <= old.get("dependentRequired", {}).get(name, frozenset()):
            found.append((f"{path}/dependentRequired/{escape_pointer(name)}", "dependency_added"))
    _compare_properties(old, new, path, found)
    patterns, known_patterns = new.get("patternProperties", {}), old.get("patternProperties", {})
    if set(patterns) != set(known_patterns):
        found.append((f"{path}/patternProperties", "names_changed"))
    else:
        for pattern, child in patterns.items():
            here = f"{path}/patternProperties/{escape_pointer(pattern)}"
            _compare(known_patterns[pattern], child, here, found)
    for keyword in ("additionalProperties", "propertyNames"):
        _compare(old.get(keyword, {}), new.get(keyword, {}), f"{path}/{keyword}", found)


def _compare_properties(old: Schema, new: Schema, path: str, found: _Findings) -> None:
    explained = old.get("properties", {})
    others = old.get("additionalProperties", {})
    for name, child in new.get("properties", {}).items():
        here = f"{path}/properties/{escape_pointer(name)}"
        if name in explained:
            _compare(explained[name], child, here, found)
        elif old.get("patternProperties"):  # whether a pattern spoke of the name is not looked into
            found.append((here, "names_changed"))
        elif others:  # a map whose values had a type of their own; an open one spoke of no name
            _compare(others, child, here, found)


def _compare_arrays(old: Schema, new: Schema, path: str, found: _Findings) -> None:
    before, after = old.get("prefixItems", []), new.get("prefixItems", [])
    rest_before, rest_after = old.get("items", {}), new.get("items", {})
    for place in range(max(len(before), len(after))):
        first = before[place] if place < len(before) else rest_before
        second = after[place] if place < len(after) else rest_after
        _compare(first, second, f"{path}/prefixItems/{place}", found)
    _compare(rest_before, rest_after, f"{path}/items", found)
    counted = ("contains", "minContains", "maxContains")
    if "contains" in new and any(old.get(each) != new.get(each) for each in counted):
        found.append((f"{path}/contains", "contains_changed"))


def _compare_compositions(old: Schema, new: Schema, path: str, found: _Findings) -> None:
    """allOf keeps its parts, anyOf may win some at its end; a condition stays or goes."""
    before, after = old.get("allOf", []), new.get("allOf", [])
    if len(after) != len(before):
        found.append((f"{path}/allOf", "composition_changed"))
    for place, (first, second) in enumerate(zip(before, after, strict=False)):
        _compare(first, second, f"{path}/allOf/{place}", found)
    if "anyOf" in new:
        before, after = old.get("anyOf", []), new["anyOf"]
        if not before or len(after) < len(before):
            found.append((f"{path}/anyOf", "composition_changed"))
        for place, (first, second) in enumerate(zip(before, after, strict=False)):
            _compare(first, second, f"{path}/anyOf/{place}", found)
    if "not" in new and new["not"] != old.get("not"):
        found.append((f"{path}/not", "composition_changed"))
    condition = ("if", "then", "else")
    if "if" in new and any(old.get(each) != new.get(each) for each in condition):
        found.append((f"{path}/if", "condition_changed"))
    for name, child in new.get("dependentSchemas", {}).items():
        if old.get("dependentSchemas", {}).get(name) != child:
            here = f"{path}/dependentSchemas/{escape_pointer(name)}"
            found.append((here, "dependency_added"))


def escape_pointer(part: str) -> str:
    """One part of a JSON pointer (RFC 6901)."""
    return part.replace("~", "~0").replace("/", "~1")

"""JSON Schemas of the league: the bounded profile, what a new version takes away, and judging."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.identity.json_schema import DIALECT, InvalidSchema, check_schema, find_incompatible
from hansa.identity.json_validation import CompiledSchema
from hansa.identity.schema_pattern import is_linear_pattern

LICENCE: dict[str, Any] = {
    "$schema": DIALECT,
    "$id": "https://schemas.example/licence",
    "title": "Licence",
    "type": "object",
    "properties": {
        "number": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{1,8}$", "maxLength": 12},
        "kind": {"enum": ["food", "retail"]},
        "capital": {"$ref": "#/$defs/amount"},
        "owners": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
    },
    "required": ["number"],
    "additionalProperties": False,
    "$defs": {"amount": {"type": "integer", "minimum": 0, "maximum": 1000}},
}


def change(path: str, value: object) -> dict[str, Any]:
    """LICENCE with another value (None: nothing) at a JSON pointer."""
    document = json.loads(json.dumps(LICENCE))
    *way, last = path.strip("/").split("/")
    place = document
    for part in way:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return dict(document)


def test_schema_of_the_profile_passes() -> None:
    check_schema(LICENCE)


@pytest.mark.parametrize(
    ("path", "value", "code", "where"),
    [
        ("/$schema", "http://json-schema.org/draft-07/schema#", "wrong_dialect", "/$schema"),
        ("/properties/kind/anyof", [], "unknown_keyword", "/properties/kind/anyof"),
        ("/$dynamicRef", "#x", "unknown_keyword", "/$dynamicRef"),
        ("/unevaluatedProperties", False, "unknown_keyword", "/unevaluatedProperties"),
        ("/properties/kind/$id", "x", "misplaced_keyword", "/properties/kind/$id"),
        ("/properties/kind/enum", [], "wrong_value", "/properties/kind/enum"),
        ("/properties/kind/enum", {}, "wrong_value", "/properties/kind/enum"),
        ("/properties/kind", "string", "wrong_value", "/properties/kind"),
        ("/required", ["a", "a"], "wrong_value", "/required"),
        ("/type", "text", "wrong_value", "/type"),
        ("/type", ["object", "object"], "wrong_value", "/type"),
        ("/type", [["object"]], "wrong_value", "/type"),
        ("/allOf", [], "wrong_value", "/allOf"),
        ("/properties/owners/maxItems", True, "wrong_value", "/properties/owners/maxItems"),
        ("/properties/owners/maxItems", -1, "wrong_value", "/properties/owners/maxItems"),
        ("/properties/capital/$ref", "https://a.example/s", "foreign_reference", None),
        ("/properties/capital/$ref", "#", "foreign_reference", None),
        ("/properties/capital/$ref", 7, "foreign_reference", None),
        ("/properties/capital/$ref", "#/$defs/other", "unknown_reference", None),
        ("/properties/capital/minimum", 1, "reference_with_siblings", None),
        ("/$defs/amount", {"not": {"$ref": "#/$defs/amount"}}, "recursive_reference", None),
        ("/$defs/amount", {"$ref": "#/$defs/amount"}, "recursive_reference", None),
        ("/properties/number/pattern", "(a+)\\1", "unsafe_pattern", None),
        ("/properties/number/pattern", "(?=a)a", "unsafe_pattern", None),
        ("/properties/number/format", "iri", "unknown_format", None),
        ("/properties/number/format", {}, "unknown_format", None),
        ("/properties/number/format", ["date"], "unknown_format", None),
    ],
)
def test_what_is_not_of_the_profile_is_refused(
    path: str, value: object, code: str, where: str | None
) -> None:
    with pytest.raises(InvalidSchema) as refused:
        check_schema(change(path, value))
    assert refused.value.code == code
    assert where is None or refused.value.path == where


def test_references_that_multiply_are_too_large() -> None:
    """Thirteen doublings are 8,192 schemas, in a page of text."""
    doubling = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(13)}
    document = {"$schema": DIALECT, "$defs": {**doubling, "d13": {}}, "$ref": "#/$defs/d0"}
    with pytest.raises(InvalidSchema, match="too_large"):
        check_schema(document)


@pytest.mark.parametrize("forward", [True, False])
def test_depth_counts_references_written_out(forward: bool) -> None:
    chain: dict[str, object] = {
        f"d{n}": {"not": {"not": {"not": {"$ref": f"#/$defs/d{n + 1}"}}}} for n in range(12)
    }
    chain["d12"] = {}
    listed = chain if forward else dict(reversed(chain.items()))
    with pytest.raises(InvalidSchema, match="too_deep"):
        check_schema({"$schema": DIALECT, "$defs": listed})
    deep: object = True
    for _ in range(40):
        deep = {"not": deep}
    with pytest.raises(InvalidSchema, match="too_deep"):
        check_schema({"$schema": DIALECT, "not": deep})


@pytest.mark.parametrize(
    ("pattern", "linear"),
    [
        ("^[A-Z]{2}-[0-9]{1,8}$", True),
        (r"^(?:\d{4}|[^\s\]a-c]+)?$", True),
        ("(a+)+$", True),  # no engine here backtracks
        ("^(a|b)*?c", True),
        ("(", False),
        ("a)", False),
        ("*a", False),
        ("a**", False),
        ("[z-a]", False),
        ("[]", False),
        ("(?i)a", False),
        ("(?<n>a)", False),
        (r"\p{L}", False),
        (r"\u0041", False),
        (r"\b", False),
        ("a{5,2}", False),
        ("a{0}", True),
        ("((a{1000}){1000}){1000}", False),
        ("a" * 257, False),
    ],
)
def test_patterns_are_linear(pattern: str, linear: bool) -> None:
    assert is_linear_pattern(pattern) is linear


@given(st.text(alphabet="ab-^$.*+?()[]{}|\\d1,2:", max_size=16))
def test_each_pattern_that_passes_compiles(pattern: str) -> None:
    if is_linear_pattern(pattern):
        CompiledSchema({"$schema": DIALECT, "pattern": pattern}).is_valid("aab-")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/title", "Another title"),
        ("/properties/number/maxLength", 20),
        ("/properties/number/pattern", None),
        ("/properties/kind/enum", ["retail", "food", "bar"]),
        ("/properties/kind", True),
        ("/properties/note", {"type": "string"}),
        ("/properties/owners/items/type", ["string", "null"]),
        ("/properties/owners/maxItems", None),
        ("/$defs/amount/maximum", 2000),
        ("/$defs/amount/type", "number"),
        ("/additionalProperties", None),
        ("/required", None),
    ],
)
def test_what_only_adds_is_compatible(path: str, value: object) -> None:
    new = change(path, value)
    check_schema(new)
    assert find_incompatible(LICENCE, new) == []


@pytest.mark.parametrize(
    ("path", "value", "where", "code"),
    [
        ("/type", "array", "/type", "type_narrowed"),
        ("/properties/kind/enum", ["food"], "/properties/kind/enum", "values_narrowed"),
        ("/properties/kind/const", "food", "/properties/kind/const", "values_narrowed"),
        ("/properties/number/maxLength", 11, "/properties/number/maxLength", "bound_tightened"),
        ("/properties/number/minLength", 1, "/properties/number/minLength", "bound_tightened"),
        ("/properties/number/pattern", "^a$", "/properties/number/pattern", "pattern_changed"),
        ("/properties/number/format", "uuid", "/properties/number/format", "format_changed"),
        ("/properties/kind", None, "/properties/kind", "property_removed"),
        ("/properties/kind", False, "/properties/kind", "closed"),
        ("/required", ["kind", "number"], "/required/kind", "required_added"),
        ("/$defs/amount/minimum", 1, "/properties/capital/minimum", "bound_tightened"),
        ("/$defs/amount/exclusiveMaximum", 1000, "/properties/capital/maximum", "bound_tightened"),
        ("/$defs/amount/multipleOf", 2, "/properties/capital/multipleOf", "multiple_changed"),
        ("/properties/owners/uniqueItems", True, "/properties/owners/uniqueItems", "unique_added"),
        ("/properties/owners/contains", {}, "/properties/owners/contains", "contains_changed"),
        ("/properties/owners/items/type", "null", "/properties/owners/items/type", "type_narrowed"),
        ("/propertyNames", {"maxLength": 9}, "/propertyNames/maxLength", "bound_tightened"),
        ("/dependentRequired", {"a": ["b"]}, "/dependentRequired/a", "dependency_added"),
        (
            "/dependentSchemas",
            {"a": {"minProperties": 2}},
            "/dependentSchemas/a",
            "dependency_added",
        ),
        ("/patternProperties", {"^x": {}}, "/patternProperties", "names_changed"),
        ("/allOf", [{}], "/allOf", "composition_changed"),
        ("/anyOf", [{"minProperties": 1}], "/anyOf", "composition_changed"),
        ("/oneOf", [{"minProperties": 1}], "/oneOf", "oneof_changed"),
        ("/not", {"required": ["kind"]}, "/not", "composition_changed"),
        ("/if", {"required": ["kind"]}, "/if", "condition_changed"),
    ],
)
def test_what_takes_away_is_incompatible(path: str, value: object, where: str, code: str) -> None:
    new = change(path, value)
    check_schema(new)
    assert (where, code) in find_incompatible(LICENCE, new)


def test_a_closed_schema_is_not_closed_further() -> None:
    opened = change("/additionalProperties", None)
    assert find_incompatible(opened, LICENCE) == [("/additionalProperties", "closed")]
    typed = change("/additionalProperties", {"type": "string"})
    added = {**typed, "properties": {**typed["properties"], "note": {"type": "integer"}}}
    assert find_incompatible(typed, added) == [("/properties/note/type", "type_narrowed")]


def test_a_name_that_a_pattern_may_have_explained_is_not_explained_anew() -> None:
    old = {"patternProperties": {"^x": {"type": "string"}}}
    new = {**old, "properties": {"xa": {"type": "integer"}}}
    assert find_incompatible(old, new) == [("/properties/xa", "names_changed")]


def test_true_is_not_one() -> None:
    old, new = {"enum": [1]}, {"enum": [True]}
    assert find_incompatible(old, new) == [("/enum", "values_narrowed")]
    assert find_incompatible({"const": 1}, {"enum": [1.0, "a"]}) == []


NAMES = ("a", "b")
LEAVES = st.one_of(
    st.booleans(),
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["integer", "number", "string", ["string", "null"], "boolean"]),
            "enum": st.lists(st.sampled_from([0, 1, 2, "x", "xx", None, True]), min_size=1),
            "const": st.sampled_from([1, 1.0, True, "x"]),
            "minimum": st.integers(0, 2),
            "exclusiveMinimum": st.integers(0, 2),
            "maximum": st.integers(0, 3),
            "multipleOf": st.integers(1, 3),
            "minLength": st.integers(0, 2),
            "maxLength": st.integers(0, 2),
            "pattern": st.sampled_from(["^x$", "x"]),
        },
    ),
)


def _nest(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    children = st.dictionaries(st.sampled_from(NAMES), inner, max_size=2)
    listed = st.lists(inner, min_size=1, max_size=2)
    objects = {
        "properties": children,
        "required": st.lists(st.sampled_from(NAMES), unique=True),
        "dependentRequired": st.just({"a": ["b"]}),
        "maxProperties": st.integers(0, 2),
        "propertyNames": st.sampled_from([True, {"const": "a"}, {"pattern": "a"}]),
        "patternProperties": st.dictionaries(st.just("a"), inner, max_size=1),
        "additionalProperties": inner,
    }
    arrays = {
        "prefixItems": listed,
        "items": inner,
        "minItems": st.integers(0, 2),
        "uniqueItems": st.booleans(),
        "contains": inner,
        "maxContains": st.integers(0, 2),
    }
    composed = {
        "allOf": listed,
        "anyOf": listed,
        "oneOf": listed,
        "not": inner,
        "if": inner,
        "then": inner,
    }
    return st.one_of(
        st.fixed_dictionaries({}, optional=objects),
        st.fixed_dictionaries({}, optional=arrays),
        st.fixed_dictionaries({}, optional=composed),
    )


SCHEMAS = st.recursive(LEAVES, _nest, max_leaves=4)
SCALARS = st.sampled_from([0, 1, 2, 3, 1.5, "", "x", "xx", "y", None, True, False])
INSTANCES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=4,
)


def _mutate(schema: Any, draw: Any) -> Any:
    """A near relative of a schema: one keyword somewhere is gone or another's."""
    if not isinstance(schema, dict) or not schema or draw(st.integers(0, 3)) == 0:
        return draw(SCHEMAS)
    key = draw(st.sampled_from(sorted(schema)))
    value = schema[key]
    if isinstance(value, dict) and key in ("properties", "patternProperties") and value:
        name = draw(st.sampled_from(sorted(value)))
        return {**schema, key: {**value, name: _mutate(value[name], draw)}}
    if key in ("allOf", "anyOf", "prefixItems"):
        return {**schema, key: [_mutate(value[0], draw), *value[1:]]}
    if key in ("items", "additionalProperties", "contains", "not"):
        return {**schema, key: _mutate(value, draw)}
    if draw(st.booleans()):
        return {each: schema[each] for each in schema if each != key}
    other = draw(SCHEMAS)
    return {**schema, **(other if isinstance(other, dict) else {})}


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(st.data())
def test_what_was_valid_stays_valid_under_a_compatible_change(data: st.DataObject) -> None:
    """Judged by a library that knows nothing of our comparison."""
    old = data.draw(SCHEMAS)
    new = _mutate(old, data.draw)
    if not isinstance(old, dict) or not isinstance(new, dict):
        return
    old, new = {"$schema": DIALECT, **old}, {"$schema": DIALECT, **new}
    if find_incompatible(old, new) or _gives_meaning_to_a_name(old, new):
        return
    instance = data.draw(INSTANCES)
    if CompiledSchema(old).is_valid(instance):
        assert CompiledSchema(new).is_valid(instance)


def _gives_meaning_to_a_name(old: Any, new: Any) -> bool:
    """The one thing that is let through on purpose: somewhere a name is newly explained."""
    if isinstance(old, dict) and isinstance(new, dict):
        added = set(new.get("properties", {})) - set(old.get("properties", {}))
        parts = [(old[key], new[key]) for key in sorted(set(old) & set(new))]
        if "items" in old and "prefixItems" in new:
            parts += [(old["items"], each) for each in new["prefixItems"]]
        if "items" in new and "prefixItems" in old:
            parts += [(each, new["items"]) for each in old["prefixItems"]]
        if "additionalProperties" in old and isinstance(new.get("properties"), dict):
            parts += [(old["additionalProperties"], each) for each in new["properties"].values()]
        return bool(added) or any(_gives_meaning_to_a_name(a, b) for a, b in parts)
    if isinstance(old, list) and isinstance(new, list):
        return any(_gives_meaning_to_a_name(a, b) for a, b in zip(old, new, strict=False))
    return False


def test_faults_name_places_not_values() -> None:
    compiled = CompiledSchema(LICENCE)
    assert compiled.find_faults({"number": "GZ-1", "capital": 5}) == []
    faults = compiled.find_faults({"number": "secret", "capital": -1, "a/b": 0})
    assert faults == [
        ("", "additionalProperties"),
        ("/capital", "minimum"),
        ("/number", "pattern"),
    ]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date", "2026-11-22", "2026-02-30"),
        ("date-time", "2026-11-22T08:00:00Z", "2026-11-22"),
        ("email", "a@b.example", "a"),
        ("uri", "did:hansa:abc", "no uri"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
    ],
)
def test_formats_are_judged(name: str, good: str, bad: str) -> None:
    compiled = CompiledSchema({"$schema": DIALECT, "format": name})
    assert compiled.is_valid(good)
    assert not compiled.is_valid(bad)


def test_a_pattern_of_exponential_fame_is_linear_here() -> None:
    """A backtracking engine would need 2**5000 steps."""
    compiled = CompiledSchema({"$schema": DIALECT, "pattern": "^(a+)+$"})
    assert not compiled.is_valid("a" * 5000 + "!")


def test_the_widest_patterns_are_refused_not_compiled() -> None:
    with pytest.raises(InvalidSchema, match="unsafe_pattern"):
        CompiledSchema({"$schema": DIALECT, "pattern": r"^(?:\w{300}){300}$"})


def test_many_compared_with_each_of_many_is_not_compared() -> None:
    """Every validator compares: two small schemas must not cost the league minutes."""
    old = {"$schema": DIALECT, "prefixItems": [{"maxLength": 1}, *[True] * 200]}
    new = {"$schema": DIALECT, "items": {"prefixItems": [{"minLength": 0}] * 200}}
    for document in (old, new):
        check_schema(document)
    assert [code for _path, code in find_incompatible(old, new)] == ["too_large"]
    assert find_incompatible(new, new) == []


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("pattern", ["[a||b]", "[||]", "^[a-z||]$"])
def test_no_pattern_that_some_engines_warn_of_is_published(pattern: str) -> None:
    """A validator that runs with warnings as errors would refuse what the others accept."""
    assert not is_linear_pattern(pattern)
    assert is_linear_pattern(pattern.replace("||", "|"))


def test_a_document_made_to_cost_its_verifier_hours_is_refused_at_once() -> None:
    """2,000 alternatives for each of 20,000 items: forty million reasons why not."""
    many = CompiledSchema({"$schema": DIALECT, "items": {"oneOf": [{"type": "string"}] * 2_000}})
    assert many.find_faults([1] * 20_000) == [("", "too_large")]
    assert many.find_faults([1] * 1_000) == [("", "invalid")]
    assert many.find_faults([1]) == [("/0", "oneOf")]
    plain = CompiledSchema({"$schema": DIALECT, "items": {"type": "integer"}})
    assert plain.find_faults([1] * 60_000) == []

"""What is inside a nested field, in words and as an example of JSON: for help. Pure."""

import json
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import inspect

from hansa.cli.fields import find_item, unwrap

# Deeper than any message; a type that contains itself ends here.
DEPTH_MAX: Final = 4


def describe_shape(kind: inspect.Type) -> list[str]:
    """A line for each field of the structs that a field holds; empty when it holds none."""
    lines = []
    for depth, struct in _walk(kind):
        indent = "  " * depth
        for field in struct.fields:
            inner, notes = unwrap(field.type)
            need = "" if field.required else " (optional)"
            text = f": {notes}" if notes else ""
            lines.append(f"{indent}{field.encode_name}  {name_type(inner)}{need}{text}")
    return lines


def name_type(kind: inspect.Type) -> str:
    """A type's name in JSON's words."""
    item = find_item(kind)
    if item is not None:
        return f"list of {name_type(item)}"
    if isinstance(kind, inspect.LiteralType):
        return "|".join(str(value) for value in kind.values)
    if isinstance(kind, inspect.UnionType):
        return " or ".join(name_type(each) for each in kind.types)
    if isinstance(kind, inspect.StructType):
        return kind.cls.__name__
    words = {inspect.IntType: "integer", inspect.StrType: "text", inspect.BoolType: "true|false"}
    return words.get(type(kind), "object")


def make_example(kind: inspect.Type, depth: int = 0) -> Any:
    """A value of the right form, for people to fill in: only what is required."""
    kind = unwrap(kind)[0]
    item = find_item(kind)
    if item is not None:
        return [make_example(item, depth)]
    if isinstance(kind, inspect.UnionType):
        return make_example(kind.types[0], depth)
    if isinstance(kind, inspect.LiteralType):
        return kind.values[0]
    if isinstance(kind, inspect.StructType) and depth < DEPTH_MAX:
        tag = {kind.tag_field: kind.tag} if kind.tag_field else {}
        return tag | {
            field.encode_name: make_example(field.type, depth + 1)
            for field in kind.fields
            if field.required
        }
    if isinstance(kind, inspect.IntType):
        return kind.ge or 0
    if isinstance(kind, inspect.BoolType):
        return False
    return "…" if isinstance(kind, inspect.StrType) else {}


def format_example(kind: inspect.Type) -> str:
    """The example as one line of JSON."""
    return json.dumps(make_example(kind), ensure_ascii=False)


def _walk(kind: inspect.Type, depth: int = 0) -> Iterator[tuple[int, inspect.StructType]]:
    """The structs that a field holds, outermost first."""
    kind = find_item(kind) or kind
    if isinstance(kind, inspect.UnionType):
        for each in kind.types:
            yield from _walk(unwrap(each)[0], depth)
    if not isinstance(kind, inspect.StructType) or depth >= DEPTH_MAX:
        return
    yield depth, kind
    for field in kind.fields:
        yield from _walk(unwrap(field.type)[0], depth + 1)


def is_struct(kind: inspect.Type, struct: type[msgspec.Struct]) -> bool:
    """Whether a field holds that struct, or a list of it."""
    inner = find_item(kind) or kind
    return isinstance(inner, inspect.StructType) and inner.cls is struct

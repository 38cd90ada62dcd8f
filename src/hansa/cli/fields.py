"""From a message type to command-line options and back. Pure: reads types, touches nothing.

Scalars become typed options with the bounds and descriptions of the type's annotations; lists of
scalars may be given several times; what is nested is JSON text or @FILE.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click
import msgspec
from msgspec import inspect

Resolve = Callable[[str], str]
M = TypeVar("M", bound=msgspec.Struct)

# Options that every derived command has: a field of the same name becomes --field-NAME.
RESERVED: Final = frozenset(
    "--as --with --league --node --json --body --mode --no-wait --timeout --expiry --help".split()
)


class Field(NamedTuple):
    """One option of a message. `kind` says how its text becomes a value."""

    name: str
    option: str
    kind: str  # "integer", "text", "did", "flag", "choice", "many", "json"
    required: bool
    type: inspect.Type
    help: str

    @property
    def parameter(self) -> str:
        """Name of the click parameter: never that of an option which every command has."""
        return f"field_{self.name}"


def describe_fields(message: type[msgspec.Struct]) -> list[Field]:
    """The fields of a message type, in their order."""
    info = inspect.type_info(message)
    if not isinstance(info, inspect.StructType):
        return []
    return [_describe(field) for field in info.fields]


def _describe(field: inspect.Field) -> Field:
    inner, notes = unwrap(field.type)
    kind = _find_kind(inner)
    required = field.required and not isinstance(inner, inspect.NoneType)
    return Field(
        name=field.name,
        option=_name_option(field.name),
        kind=kind,
        required=required,
        type=inner,
        help=_describe_help(field, inner, kind, notes),
    )


def _name_option(name: str) -> str:
    option = "--" + name.replace("_", "-")
    return f"--field-{option[2:]}" if option in RESERVED else option


def unwrap(kind: inspect.Type) -> tuple[inspect.Type, str]:
    """The type without metadata and without `| None`, and its description."""
    notes = ""
    while True:
        if isinstance(kind, inspect.Metadata):
            notes = notes or str((kind.extra_json_schema or {}).get("description", ""))
            kind = kind.type
        elif isinstance(kind, inspect.UnionType):
            kinds = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
            if len(kinds) != 1:
                return kind, notes
            kind = kinds[0]
        else:
            return kind, notes


def _find_kind(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.IntType):
        return "integer"
    if isinstance(kind, inspect.StrType):
        return "did" if (kind.pattern or "").lstrip("^").startswith("did:") else "text"
    if isinstance(kind, inspect.BoolType):
        return "flag"
    if isinstance(kind, inspect.LiteralType):
        return "choice"
    inner = find_item(kind)
    if inner is not None:
        return "many" if _find_kind(inner) in ("integer", "text", "did", "choice") else "json"
    return "json"


def find_item(kind: inspect.Type) -> inspect.Type | None:
    """The type of a list's items, None for what is no list."""
    if not isinstance(kind, inspect.ListType | inspect.VarTupleType | inspect.SetType):
        return None
    return unwrap(kind.item_type)[0]


def _describe_help(field: inspect.Field, kind: inspect.Type, form: str, notes: str) -> str:
    parts = [notes or field.name.replace("_", " ").capitalize() + "."]
    if form == "json":
        parts.append("(JSON or @FILE)")
    if form == "many":
        parts.append("(may be given several times)")
    if isinstance(kind, inspect.StrType) and kind.max_length is not None:
        parts.append(f"(at most {kind.max_length} characters)")
    plain = isinstance(field.default, int | str) and not isinstance(field.default, bool)
    if plain and field.default != "":
        parts.append(f"[default: {field.default}]")
    return " ".join(parts)


def build_option(field: Field) -> click.Option:
    """The click option of a field."""
    names = [field.option, field.parameter]
    if field.kind == "flag":
        names = [f"{field.option}/--no-{field.option[2:]}", field.parameter]
        return click.Option(names, default=None, required=False, help=field.help)
    label = {"json": "JSON|@FILE", "did": "DID|NAME", "text": "TEXT"}.get(field.kind)
    return click.Option(
        names,
        type=_find_click_type(field.type),
        multiple=field.kind == "many",
        metavar=label,
        required=False,
        help=field.help + (" (required)" if field.required else ""),
    )


def _find_click_type(kind: inspect.Type) -> "click.ParamType[Any]":
    if isinstance(kind, inspect.IntType):
        low = kind.ge if kind.ge is not None else _step(kind.gt, 1)
        high = kind.le if kind.le is not None else _step(kind.lt, -1)
        return click.IntRange(min=low, max=high)
    if isinstance(kind, inspect.LiteralType):
        return click.Choice([str(value) for value in kind.values])
    inner = find_item(kind)
    if inner is not None:
        return _find_click_type(inner) if _find_kind(inner) != "json" else click.STRING
    return click.STRING


def _step(bound: int | None, by: int) -> int | None:
    return None if bound is None else bound + by


def build_body(fields: list[Field], values: dict[str, Any], resolve: Resolve) -> dict[str, Any]:
    """Body of a message from the options given. `resolve` turns a name into a DID.

    Raises click.UsageError naming the option that is missing or does not parse.
    """
    body: dict[str, Any] = {}
    for field in fields:
        value = values.get(field.name)
        if value is None or (field.kind == "many" and not value):
            if field.required and field.kind == "many":
                body[field.name] = []
            elif field.required:
                raise click.UsageError(f"{field.option} is missing: {field.help}")
            continue
        body[field.name] = _parse(field, value, resolve)
    return body


def _parse(field: Field, value: Any, resolve: Resolve) -> Any:
    if field.kind == "did":
        return resolve(value)
    if field.kind == "many":
        inner = find_item(field.type)
        is_did = inner is not None and _find_kind(inner) == "did"
        return [resolve(each) if is_did else each for each in value]
    if field.kind == "json":
        return parse_json(value, field.option)
    return value


def parse_json(text: str, option: str) -> Any:
    """JSON given as text, as @FILE or as @- (standard input). Raises click.UsageError."""
    try:
        if text == "@-":
            text = sys.stdin.read()
        elif text.startswith("@"):
            text = Path(text[1:]).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise click.UsageError(f"{option}: cannot read {text[1:]}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"{option} is not JSON: {error}") from error


def build_message(message: type[M], body: Any) -> M:
    """A message of a body, checked against the type's bounds. Raises click.UsageError."""
    if isinstance(body, dict):
        tag = message.__struct_config__.tag
        body = {message.__struct_config__.tag_field or "v": tag, **body}
    try:
        return msgspec.convert(body, type=message)
    except (msgspec.ValidationError, RecursionError) as error:
        raise click.UsageError(f"{message.__name__}: {error}") from error

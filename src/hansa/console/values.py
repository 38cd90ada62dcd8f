"""Values for people: what a field of a record, a message or a table says, in the reader's words and
writing, with a link to what it names. Pure: plain text out, which templates escape.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from hansa.console.asking import join_path
from hansa.console.charts.markup import clean
from hansa.console.forms.shape import Shape
from hansa.console.templates import shorten
from hansa.locales.words import Words, choose_context
from hansa.locales.writing import Writing

DID_PREFIX: Final = "did:hansa:"
# Longer single values are shown on a line of their own.
_LONG: Final = 80
_SCALE_MAX: Final = 18


@dataclass(frozen=True, slots=True)
class Shown:
    """One value on a page.

    kind: "plain", "amount" (to the right), "id" (an identifier), "tag" (a state or option), "none",
    "long" (several lines), "group" (`parts` are its fields), "table" (`columns`, and rows whose
    `parts` are cells), "list" (`parts` without names). title: the whole of what is shortened.
    """

    label: str = ""
    text: str = ""
    kind: str = "plain"
    href: str = ""
    title: str = ""
    value: str = ""
    field: str = ""
    parts: tuple["Shown", ...] = ()
    columns: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom values are written. `app`: whose they are; names: of DIDs."""

    app: str
    words: Words
    writing: Writing
    names: Mapping[str, str] = field(default_factory=dict)

    def label(self, name: str) -> str:
        """A field's words."""
        return self.words.of("field", name, app=self.app)

    def show(self, shape: Shape, value: Any, beside: Sequence[Mapping[str, Any]] = ()) -> Shown:
        """A value with its label. `beside`: what it stands in, innermost first, for its unit."""
        return replace(
            self._show(shape, value, beside), label=self.label(shape.name), field=shape.name
        )

    def _show(self, shape: Shape, value: Any, beside: Sequence[Mapping[str, Any]]) -> Shown:
        if value is None or value == "" or value == [] or value == {}:
            return Shown(text="–", kind="none")
        if isinstance(value, Mapping):
            return self._show_mapping(shape, value, beside)
        if isinstance(value, list | tuple):
            return self._show_list(shape, value, beside)
        if isinstance(value, bool):
            return Shown(text=self.words("Yes") if value else self.words("No"))
        if isinstance(value, int):
            return self._show_integer(shape, value, beside)
        return self._show_text(shape, clean(str(value)))

    def _show_mapping(
        self, shape: Shape, value: Mapping[str, Any], beside: Sequence[Mapping[str, Any]]
    ) -> Shown:
        scopes = (value, *beside)
        found = {each.name: each for each in _fields_of(shape, value)}
        parts = tuple(
            self.show(found.get(name) or guess_shape(name, each), each, scopes)
            for name, each in _sort(found, value)
        )
        return Shown(kind="group", parts=parts)

    def _show_list(
        self, shape: Shape, value: Sequence[Any], beside: Sequence[Mapping[str, Any]]
    ) -> Shown:
        item = shape.item or replace(shape, kind="json", item=None)
        rows = tuple(self._show(item, each, beside) for each in value)
        if all(each.kind == "group" for each in rows) and _are_flat(rows):
            return self._make_table(item, rows)
        return Shown(kind="list", parts=rows)

    def _make_table(self, item: Shape, rows: tuple[Shown, ...]) -> Shown:
        """Rows that are flat groups, as a table; columns that are empty in all are left out."""
        names = [each.name for each in item.fields] or [part.field for part in rows[0].parts]
        cells = [{part.field: part for part in row.parts} for row in rows]
        used = [
            name for name in names if any(row.get(name, _NOTHING).kind != "none" for row in cells)
        ]
        columns = tuple(
            (self.label(name), any(row.get(name, _NOTHING).kind == "amount" for row in cells))
            for name in used
        )
        lines = tuple(Shown(parts=tuple(row.get(name, _NOTHING) for name in used)) for row in cells)
        return Shown(kind="table", columns=columns, parts=lines)

    def _show_integer(self, shape: Shape, value: int, beside: Sequence[Mapping[str, Any]]) -> Shown:
        if shape.kind == "scaled":
            return Shown(text=self.scaled(shape, value, beside), kind="amount", value=str(value))
        if shape.meaning == "time":
            return Shown(text=self.writing.when(value), value=str(value))
        if shape.meaning == "duration":
            return Shown(text=self.writing.span(value), value=str(value))
        if shape.meaning == "height" and not value:
            return _NOTHING
        if shape.meaning == "height":
            href = join_path("explorer", "blocks", str(value))
            return Shown(text=self.writing.number(value), href=href, kind="amount")
        if shape.meaning == "record" and shape.record:
            return Shown(text=str(value), href=self._find_record(shape, str(value)))
        return Shown(text=self.writing.number(value), kind="amount", value=str(value))

    def scaled(self, shape: Shape, value: int | str, beside: Sequence[Mapping[str, Any]]) -> str:
        """An amount, a rate or a quantity, exact, with its unit. `value`: text for large sums."""
        if shape.meaning == "rate":
            return self.writing.rate(int(value), shape.scale)
        unit = _find_unit(shape, beside)
        if shape.meaning == "amount":
            return self.writing.money(value, unit, shape.scale)
        scale = _find_scale(shape, beside)
        return f"{self.writing.scaled(int(value), scale)} {unit}".rstrip()

    def _show_text(self, shape: Shape, value: str) -> Shown:
        if shape.kind == "choice":
            return Shown(
                text=self.words.of(choose_context(shape.name), value, app=self.app),
                kind="tag",
                value=value,
            )
        if value.startswith(DID_PREFIX):
            name = self.names.get(value) or shorten(value)
            href = join_path("apps", "members", "records", "member", value)
            return Shown(text=name, href=href if value in self.names else "", title=value)
        if shape.meaning == "application":
            return Shown(text=self.words.application(value, value), title=value)
        if shape.meaning == "date":
            return Shown(text=self.writing.day(value), value=value)
        href = self._find_record(shape, value)
        if shape.meaning in ("identifier", "record") or href:
            return Shown(text=value, href=href, kind="id", title=value)
        if "\n" in value or len(value) > _LONG:
            is_token = " " not in value and "\n" not in value and shape.meaning != "document"
            return Shown(text=value, kind="id" if is_token and len(value) < 200 else "long")
        is_digest = shape.meaning in ("commitment", "digest") or len(value) in (43, 64, 86)
        return Shown(text=value, kind="id" if is_digest and " " not in value else "plain")

    def _find_record(self, shape: Shape, value: str) -> str:
        """The page of the record that a value names; nothing for what is not a key of one."""
        if not shape.record or value.startswith("p:"):
            return ""
        app, sep, kind = shape.record.partition("/")
        return join_path("apps", app if sep else self.app, "records", kind if sep else app, value)


_NOTHING: Final = Shown(text="–", kind="none")


def guess_shape(name: str, value: object) -> Shape:
    """The shape of a value that no schema describes."""
    if isinstance(value, int) and name.endswith("_ms"):
        return Shape(name, "time", meaning="time")
    if isinstance(value, int) and (name == "height" or name.endswith("_height")):
        return Shape(name, "integer", meaning="height")
    return Shape(name, "json")


def list_dids(value: object) -> Iterator[str]:
    """Every DID within a value."""
    if isinstance(value, str):
        if value.startswith(DID_PREFIX):
            yield value.partition("#")[0]
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from list_dids(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from list_dids(each)


def write_json(value: object) -> str:
    """JSON as people read it: indented, keys in order."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2).decode()


def _fields_of(shape: Shape, value: Mapping[str, Any]) -> tuple[Shape, ...]:
    if shape.kind != "union":
        return shape.fields
    names = set(value)
    fitting = [each for each in shape.variants if names <= {part.name for part in each.fields}]
    return fitting[0].fields if fitting else ()


def _sort(found: Mapping[str, Shape], value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """In the order of the type, then what it does not know; versions are no content."""
    known = [(name, value[name]) for name in found if name in value]
    rest = [(name, each) for name, each in value.items() if name not in found]
    return [(name, each) for name, each in (*known, *rest) if name != "v"]


def _are_flat(rows: Sequence[Shown]) -> bool:
    return all(
        part.kind not in ("group", "list", "table", "long") for row in rows for part in row.parts
    )


def _find_unit(shape: Shape, beside: Sequence[Mapping[str, Any]]) -> str:
    """The unit that a field beside it, or further out, says."""
    for scope in beside:
        unit = scope.get(shape.unit)
        if isinstance(unit, str):
            return unit
    return ""


def _find_scale(shape: Shape, beside: Sequence[Mapping[str, Any]]) -> int:
    """How many decimal places the amount has, where a field beside it says so."""
    scale = beside[0].get(shape.scale_of) if shape.scale_of and beside else None
    return scale if isinstance(scale, int) and 0 <= scale <= _SCALE_MAX else shape.scale

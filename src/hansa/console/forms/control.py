"""What a page shows of a form: the tree of its fields with what was typed and what is wrong, and
adding and removing rows. Pure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hansa.console.forms.entry import (
    ROWS_MAX,
    Lookup,
    Typed,
    count_rows,
    find_action,
    join,
    no_actions,
    type_default,
)
from hansa.console.forms.faults import Fault
from hansa.console.forms.shape import Shape

# In the template of a further row: where its number will stand.
NEXT_ROW: Final = "__i__"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Control:
    """One field of a form on a page.

    path: its name in the form; text: what was typed; faults: its own. parts: fields of a group,
    rows of a list, variants of a union; template: a further row. number: of a row, from 1.
    """

    shape: Shape
    path: str
    text: str = ""
    faults: tuple[Fault, ...] = ()
    parts: tuple["Control", ...] = ()
    template: "Control | None" = None
    number: int = 0
    chosen: tuple[str, ...] = ()
    other: str = ""
    beside: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its id in the page."""
        return "f-" + _UNSAFE.sub("-", self.path)

    @property
    def is_needed(self) -> bool:
        """Whether it must be filled in."""
        shape = self.shape
        has_blank = shape.kind == "choice" and "" in shape.options
        return not (shape.has_default or shape.is_nullable or has_blank or shape.kind == "flag")

    @property
    def is_table(self) -> bool:
        """Whether rows of it are single values beside each other."""
        item = self.shape.item
        return (
            item is not None and item.kind == "group" and all(each.is_flat for each in item.fields)
        )

    def walk(self) -> Iterator["Control"]:
        """Itself and everything in it, in the order of the page."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True, slots=True)
class Sheet:
    """What all controls of one form are built from."""

    typed: Typed
    faults: Mapping[str, tuple[Fault, ...]]
    lookup: Lookup = no_actions


def build_controls(
    shape: Shape, typed: Typed, faults: Sequence[Fault] = (), lookup: Lookup = no_actions
) -> Control:
    """The form. Faults of no field of it are at its root."""
    by_path: dict[str, tuple[Fault, ...]] = {}
    for each in faults:
        by_path[each.path] = (*by_path.get(each.path, ()), each)
    root = _build(shape, "", Sheet(typed, by_path, lookup))
    shown = {control.path for control in root.walk()}
    homeless = [each for path, found in by_path.items() if path not in shown for each in found]
    return replace(root, faults=(*root.faults, *homeless))


def _build(shape: Shape, path: str, sheet: Sheet, number: int = 0) -> Control:
    control = Control(
        shape,
        path,
        text=sheet.typed.get(path, ""),
        faults=sheet.faults.get(path, ()),
        number=number,
        other=sheet.typed.get(f"{path}.__other", ""),
    )
    if shape.kind == "group":
        return replace(control, parts=_build_fields(shape, path, sheet))
    if shape.kind == "list":
        return _build_rows(control, sheet)
    if shape.kind == "several":
        chosen = tuple(
            str(each) for each in shape.options if sheet.typed.get(f"{path}.__{each}", "")
        )
        return replace(control, chosen=chosen)
    if shape.kind == "union":
        return _build_union(control, sheet)
    if shape.kind == "action":
        inner = find_action(shape, path, sheet.typed, sheet.lookup)
        parts = _build_fields(inner, path, sheet) if inner is not None else ()
        return replace(control, parts=parts)
    if shape.unit:
        beside = path.rpartition(".")[0]
        return replace(control, beside={shape.unit: sheet.typed.get(join(beside, shape.unit), "")})
    return control


def _build_fields(shape: Shape, path: str, sheet: Sheet) -> tuple[Control, ...]:
    return tuple(
        _build(each, join(path, each.name), sheet)
        for each in shape.fields
        if each.kind != "constant"
    )


def _build_rows(control: Control, sheet: Sheet) -> Control:
    item, path = control.shape.item, control.path
    if item is None:
        return control
    count = count_rows(control.shape, path, sheet.typed)
    rows = tuple(_build(item, f"{path}.{index}", sheet, index + 1) for index in range(count))
    place = f"{path}.{NEXT_ROW}"
    usual = {
        join(place, name) if name else place: text for name, text in type_default(item).items()
    }
    further = _build(item, place, Sheet(usual, {}, sheet.lookup))
    return replace(control, parts=rows, template=further)


def _build_union(control: Control, sheet: Sheet) -> Control:
    chosen = sheet.typed.get(f"{control.path}.__is", "")
    parts = tuple(
        _build(each, f"{control.path}.{each.type}", sheet) for each in control.shape.variants
    )
    return replace(control, parts=parts, chosen=(chosen,) if chosen else ())


def fill_defaults(shape: Shape, typed: Typed) -> dict[str, str]:
    """What a fresh form shows: the defaults, and what is given already."""
    return {**type_default(shape), **typed}


def add_row(typed: Typed, path: str, count: int) -> dict[str, str]:
    """One more row in the list at `path`, which shows `count` of them."""
    return {**typed, f"{path}.__n": str(min(count + 1, ROWS_MAX))}


def remove_row(typed: Typed, path: str, index: int, count: int) -> dict[str, str]:
    """Without the row `index` of the list at `path`; those below move up."""
    kept: dict[str, str] = {}
    prefix = f"{path}."
    for name, text in typed.items():
        row, sep, rest = name.removeprefix(prefix).partition(".")
        if not name.startswith(prefix) or not (row.isascii() and row.isdigit()):
            kept[name] = text
            continue
        if int(row) != index:
            at = int(row) - (int(row) > index)
            kept[f"{prefix}{at}{sep}{rest}"] = text
    kept[f"{path}.__n"] = str(max(0, count - 1))
    return kept

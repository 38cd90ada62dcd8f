"""Filters of lists: what stands in the address, what the API is asked, what people typed. Pure.

The address is the saved link: it holds exact values (`due_min=12.50`, a decimal point, no groups)
under the columns' names, so it means the same in every language.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hansa.console.forms.shape import Shape
from hansa.console.numbers import (
    NotANumber,
    parse_day,
    parse_scaled,
    parse_time,
    write_rate,
    write_scaled,
    write_time,
)

# Fields of the filter form: what is in them was typed by a person.
TYPED: Final = "t."
BOUNDS: Final = ("_min", "_max")


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter: column, bound ("", "_min", "_max"), its exact value in the address, what the API
    is given.
    """

    column: str
    bound: str
    value: str
    asked: str

    @property
    def name(self) -> str:
        """Its name in the address, and at the API."""
        return self.column + self.bound


@dataclass(slots=True)
class Filters:
    """Filters that were read, and what of them cannot be read: name -> fault code."""

    conditions: list[Condition] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def asked(self) -> dict[str, str]:
        """Parameters for the API."""
        return {each.name: each.asked for each in self.conditions}

    @property
    def query(self) -> dict[str, str]:
        """Parameters for the address."""
        return {each.name: each.value for each in self.conditions}


def is_ranged(shape: Shape) -> bool:
    """Whether a column is filtered from and to: numbers, times and days; of all else by value."""
    return shape.kind in ("integer", "scaled", "time", "span", "date")


def list_names(shape: Shape) -> tuple[str, ...]:
    """Names of a column's filters."""
    return tuple(shape.name + bound for bound in BOUNDS) if is_ranged(shape) else (shape.name,)


def read_filters(columns: Iterable[Shape], query: Mapping[str, str], decimal: str) -> Filters:
    """Filters of an address. decimal: sign of the reader, for what was typed."""
    filters = Filters()
    for shape in columns:
        for bound in ("", *BOUNDS):
            name = shape.name + bound
            typed = query.get(TYPED + name, "").strip()
            exact = query.get(name, "").strip()
            if typed or exact:
                _read(filters, shape, bound, typed or exact, decimal if typed else ".")
    return filters


def _read(filters: Filters, shape: Shape, bound: str, text: str, decimal: str) -> None:
    try:
        asked = _convert(shape, text, decimal)
    except NotANumber as refused:
        filters.faults[shape.name + bound] = refused.code
        return
    filters.conditions.append(Condition(shape.name, bound, write_exact(shape, asked), asked))


def _convert(shape: Shape, text: str, decimal: str) -> str:
    if shape.kind == "date":
        return parse_day(text)
    if shape.kind == "time":
        return str(int(text) if text.isascii() and text.isdigit() else parse_time(text))
    if shape.kind in ("integer", "scaled", "span"):
        return str(parse_scaled(text, shape.scale, decimal))
    return text


def write_exact(shape: Shape, asked: str, decimal: str = ".") -> str:
    """A filter's value as the address has it, or with a reader's decimal sign as a field shows."""
    if shape.kind == "scaled":
        write = write_rate if shape.meaning == "rate" else write_scaled
        return write(int(asked), shape.scale, decimal)
    if shape.kind == "time" and asked.isdigit():
        return write_time(int(asked))
    return asked

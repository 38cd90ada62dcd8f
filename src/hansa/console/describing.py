"""What applications say of themselves, as pages use it: asked of the API once for a release.

Touches nothing but the visitor's API.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from hansa.console.asking import ApiProblem
from hansa.console.forms.shape import Shape, derive_shape
from hansa.console.problems import refuse_address
from hansa.console.visit import Visit

if TYPE_CHECKING:
    from hansa.console.frame import Frame

_kept: "WeakKeyDictionary[Frame, dict[str, Described]]" = WeakKeyDictionary()


class Described:
    """One application or system contract: `GET /v1/apps/{app}`."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self.name = str(raw["name"])
        self.title = str(raw["title"])
        self.messages = _newest(raw["messages"], "name")
        self.records = _newest(raw["records"], "kind")
        self.events = _newest(raw["events"], "name")
        self.tables: dict[str, dict[str, Any]] = {each["name"]: each for each in raw["tables"]}
        self._shapes: dict[tuple[str, str], Shape] = {}

    def message(self, name: str) -> Shape | None:
        """The shape of a message."""
        return self._derive("message", name, self.messages)

    def record(self, kind: str) -> Shape | None:
        """The shape of a kind of records."""
        return self._derive("record", kind, self.records)

    def event(self, name: str) -> Shape | None:
        """The shape of an event."""
        return self._derive("event", name, self.events)

    def column(self, table: str, name: str) -> Shape:
        """The shape of a table's column: of its meaning, and of the record's field of that name."""
        found = self._shapes.get((table, name))
        if found is None:
            found = self._shapes[(table, name)] = self._derive_column(table, name)
        return found

    def _derive_column(self, table: str, name: str) -> Shape:
        about = self.tables[table]
        column = next(each for each in about["columns"] if each["name"] == name)
        record = self.record(about["record"])
        field = record.field(name) if record else None
        if field is not None and field.kind == "choice":
            return field
        for cycle in self.raw["lifecycles"]:
            is_mark = len(cycle["states"]) < 3
            if cycle["record"] == about["record"] and cycle["field"] == name and not is_mark:
                return Shape(name, "choice", table, options=tuple(cycle["states"]))
        type_ = "integer" if column["type"] == "integer" else "string"
        schema = {"title": table, "properties": {name: {"type": type_}}}
        return derive_shape(schema, self.raw["fields"]).fields[0]

    def _derive(self, sort: str, name: str, types: Mapping[str, Any]) -> Shape | None:
        if name not in types:
            return None
        found = self._shapes.get((sort, name))
        if found is None:
            schema = types[name]["schema"]
            found = self._shapes[(sort, name)] = derive_shape(schema, self.raw["fields"])
        return found

    @cached_property
    def governed(self) -> tuple[str, ...]:
        """Messages that a proposal may carry."""
        return tuple(name for name, each in self.messages.items() if each["governed"])

    @cached_property
    def sendable(self) -> tuple[str, ...]:
        """Messages that an account may send itself."""
        return tuple(name for name, each in self.messages.items() if not each["internal"])


async def describe(visit: Visit, app: str) -> Described:
    """An application by its name, in either spelling. Raises ApiProblem."""
    name = app.replace("-", "_")
    raw = (await visit.frame.describe_all(visit.api)).get(name)
    if raw is None:
        raise refuse_address()
    kept = _kept.setdefault(visit.frame, {})
    if name not in kept or kept[name].raw is not raw:
        kept[name] = Described(raw)
    return kept[name]


async def describe_all(visit: Visit) -> list[Described]:
    """Every application, civic ones first."""
    names = list(await visit.frame.describe_all(visit.api))
    found = [await describe(visit, name) for name in names]
    return sorted(found, key=lambda each: not is_civic(each))


async def find_described(visit: Visit, app: str) -> Described | None:
    """An application that somebody typed, None when there is none."""
    try:
        return await describe(visit, app)
    except ApiProblem:
        return None


def is_civic(about: Described) -> bool:
    """Whether it has tables of its own: system contracts have none."""
    return bool(about.tables)


def need(found: Shape | None) -> Shape:
    """A shape that the address names. Raises ApiProblem."""
    if found is None:
        raise refuse_address()
    return found


def _newest(entries: list[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    """By name; of several versions the newest."""
    found: dict[str, dict[str, Any]] = {}
    for each in entries:
        known = found.get(each[key])
        if known is None or known["version"] < each["version"]:
            found[each[key]] = each
    return found

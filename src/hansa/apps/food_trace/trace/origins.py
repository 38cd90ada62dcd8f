"""Trace-back: what something was made of, down to where the ledger knows no more (I10)."""

from collections.abc import Sequence
from typing import Any

import msgspec

from hansa.appkit.walk import ITEMS_MAX, Closure, Cut, Snapshot
from hansa.apps.food_trace.trace.ways import UP, list_items


class Ancestor(msgspec.Struct, frozen=True, kw_only=True):
    """An item that something was made of, or that is or was in it.

    `is_origin`: the ledger knows nothing that it was made of. `is_outside`: nor who made it; it
    came into the league from outside.
    """

    item: str
    steps: int
    level: str
    product: str
    made_ms: int | None
    made_by: str
    made_at: str
    flags: int
    is_origin: bool
    is_outside: bool


class TraceBack(msgspec.Struct, frozen=True, kw_only=True):
    """All of a trace-back, nearest first. `cut`: it is not whole, and which bound ended it."""

    height: int
    roots: tuple[str, ...]
    digest: str
    cut: Cut
    ancestors: tuple[Ancestor, ...]

    @property
    def origins(self) -> tuple[Ancestor, ...]:
        """Where it all came from."""
        return tuple(each for each in self.ancestors if each.is_origin)


def build_trace_back(
    snapshot: Snapshot, roots: Sequence[str], *, items_max: int = ITEMS_MAX
) -> TraceBack:
    """What some items were made of; they themselves come first."""
    return describe_trace_back(snapshot, snapshot.walk(roots, UP, items_max=items_max))


def describe_trace_back(snapshot: Snapshot, closure: Closure) -> TraceBack:
    """The same of a closure that was walked upwards."""
    steps = list_items(closure)
    rows = {str(row["id"]): row for row in snapshot.pick("items", "key", [i for i, _ in steps])}
    made = {link.target for link in closure.links if link.table == "links"}
    made |= {link.source for link in closure.links if link.table == "stays"}
    return TraceBack(
        height=closure.height,
        roots=closure.roots,
        digest=closure.digest,
        cut=closure.cut,
        ancestors=tuple(
            _describe(item, count, rows.get(item) or {}, item not in made) for item, count in steps
        ),
    )


def _describe(item: str, steps: int, row: dict[str, Any], is_origin: bool) -> Ancestor:
    return Ancestor(
        item=item,
        steps=steps,
        level=row.get("level") or "",
        product=row.get("product") or "",
        made_ms=row.get("made_ms"),
        made_by=row.get("made_by") or "",
        made_at=row.get("made_at") or "",
        flags=row.get("flags") or 0,
        is_origin=is_origin,
        is_outside=is_origin and not row.get("commissioned"),
    )

"""The applications' tables as one viewer sees them: rows by filters, and exact totals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import eq, ge, le
from typing import Any, Final, Literal

from sqlalchemy import Connection, Table, and_, cast, func, or_, select

from hansa.index.faults import IndexFault
from hansa.index.limits import GROUPS_MAX
from hansa.index.pages import Branch, Key, Page, Row, allow_all, collect_page
from hansa.index.schema import NUMBER
from hansa.index.shape import RecordKind
from hansa.index.sight import Viewer
from hansa.index.store import Index

_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {"is": eq, "min": ge, "max": le}
# Sums are taken in two halves, so that no database overflows or rounds.
_HALF = 2**32


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on one column."""

    column: str
    comparison: Literal["is", "min", "max"]
    value: str | int | bool


def list_rows(
    index: Index,
    kind: RecordKind,
    name: str,
    viewer: Viewer,
    *,
    filters: Sequence[Filter],
    after: Key | None,
    limit: int,
) -> Page:
    """Rows of a table under the filters, in the order of (record's key, line).

    A filter that no index serves looks at a bounded number of rows, so a page may be short.
    """
    table = index.tables.projections[(kind.app, name)]
    sight = kind.sight(viewer)
    served = {next(iter(each.columns)).name for each in table.indexes}
    conditions = [_build_condition(table, each) for each in filters if each.column in served]
    query = select(table).where(*conditions)
    with index.reading() as connection:
        if sight.is_whole:
            branches = [_branch(connection, query, table.c.key, table.c.line)]
        else:
            parties = index.tables.record_parties
            joined = query.join(parties, parties.c.key == table.c.key)
            branches = [
                _branch(
                    connection,
                    joined.where(parties.c.mark == mark),
                    parties.c.key,
                    table.c.line,
                )
                for mark in sight.marks
            ]
        return collect_page(
            branches,
            key_of=lambda row: (row["key"], row["line"]),
            keep=_build_keep([each for each in filters if each.column not in served]),
            after=after,
            limit=limit,
        )


def _branch(connection: Connection, query: Any, key: Any, line: Any) -> Branch:
    ordered = query.order_by(key, line)

    def fetch(after: Key | None, count: int) -> Sequence[Row]:
        page = ordered
        if after is not None:
            beyond = or_(key > after[0], and_(key == after[0], line > after[1]))
            # The first condition lets both databases walk the index from there.
            page = ordered.where(key >= after[0], beyond)
        rows: Sequence[Row] = connection.execute(page.limit(count)).mappings().all()
        return rows

    return Branch(fetch)


def _build_condition(table: Table, wanted: Filter) -> Any:
    return _COMPARISONS[wanted.comparison](table.c[wanted.column], wanted.value)


def _build_keep(filters: Sequence[Filter]) -> Callable[[Row], bool]:
    """Whether a row passes all filters, as the database would say: no value passes none."""

    def keep(row: Row) -> bool:
        return all(
            row[each.column] is not None
            and _COMPARISONS[each.comparison](row[each.column], each.value)
            for each in filters
        )

    return keep if filters else allow_all


class TooManyGroups(IndexFault):
    """The totals would have more groups than one answer holds."""

    def __init__(self) -> None:
        super().__init__(
            "index.too_many_groups",
            f"more than {GROUPS_MAX} groups",
            "group by fewer columns, or filter first",
        )


def compute_totals(
    index: Index,
    kind: RecordKind,
    name: str,
    viewer: Viewer,
    *,
    filters: Sequence[Filter],
    group_by: Sequence[str],
    sums: Sequence[str],
) -> list[dict[str, Any]]:
    """Count and exact sums over the rows that the viewer sees, per group. Raises TooManyGroups."""
    table = index.tables.projections[(kind.app, name)]
    sight = kind.sight(viewer)
    groups = [table.c[column] for column in group_by]
    halves = [_sum_halves(table.c[column]) for column in sums]
    query = select(*groups, func.count(), *(half for pair in halves for half in pair))
    query = query.select_from(table).where(*(_build_condition(table, each) for each in filters))
    if not sight.is_whole:
        parties = index.tables.record_parties
        own = select(parties.c.key).where(
            parties.c.mark.in_(sight.marks),
            parties.c.key > kind.prefix,
            parties.c.key < kind.prefix + "\x7f",
        )
        query = query.where(table.c.key.in_(own))
    if groups:
        query = query.group_by(*groups).order_by(*groups)
    with index.reading() as connection:
        rows = connection.execute(query.limit(GROUPS_MAX + 1)).all()
    if len(rows) > GROUPS_MAX:
        raise TooManyGroups
    return [_build_total(row, group_by, sums) for row in rows]


def _sum_halves(column: Any) -> tuple[Any, Any]:
    high = func.coalesce(func.sum(column // _HALF), 0)
    low = func.coalesce(func.sum(column % _HALF), 0)
    return cast(high, NUMBER), cast(low, NUMBER)


def _build_total(row: Any, group_by: Sequence[str], sums: Sequence[str]) -> dict[str, Any]:
    values = list(row)
    groups = dict(zip(group_by, values, strict=False))
    count, *halves = values[len(group_by) :]
    totals = {
        name: int(halves[2 * place]) * _HALF + int(halves[2 * place + 1])
        for place, name in enumerate(sums)
    }
    return {"group": groups, "count": int(count), "sums": totals}

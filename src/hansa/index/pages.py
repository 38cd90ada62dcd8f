"""Keyset pages: what one may see is merged from several ordered queries, filtered, and cut.

A page looks at a bounded number of rows, so it may be short: only `next` tells if there is more.
Every row that is there throughout is met exactly once, whatever is written meanwhile.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from hansa.index.limits import SCANNED_MAX

Key = tuple[int | str, ...]
Row = RowMapping
# Rows fetched at once while filtering: a page's worth, within bounds.
_CHUNK_MIN = 32


def allow_all(_row: Row) -> bool:
    """Every row passes."""
    return True


@dataclass(frozen=True, slots=True)
class Branch:
    """One ordered query. `fetch(after, count)` gives rows beyond `after`; `allow`: which pass."""

    fetch: Callable[[Key | None, int], Sequence[Row]]
    allow: Callable[[Row], bool] = allow_all


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and the key after which the next page begins (None: there is no more)."""

    rows: list[Row]
    next: Key | None


def collect_page(
    branches: Sequence[Branch],
    *,
    key_of: Callable[[Row], Key],
    keep: Callable[[Row], bool] = allow_all,
    after: Key | None,
    limit: int,
    descending: bool = False,
) -> Page:
    """One page of the rows that some branch allows and `keep` keeps, in the order of their keys."""
    kept: list[Row] = []
    scanned = 0
    chunk = max(limit + 1, _CHUNK_MIN)
    while True:
        merged, is_last = _merge(branches, key_of, after, chunk, descending)
        for row, is_allowed in merged:
            if is_allowed and keep(row):
                if len(kept) == limit:
                    return Page(kept, key_of(kept[-1]))
                kept.append(row)
            after = key_of(row)
        scanned += len(merged)
        if is_last:
            return Page(kept, None)
        if scanned >= SCANNED_MAX:
            return Page(kept, after)


def _merge(
    branches: Sequence[Branch],
    key_of: Callable[[Row], Key],
    after: Key | None,
    chunk: int,
    descending: bool,
) -> tuple[list[tuple[Row, bool]], bool]:
    """The first `chunk` rows over all branches, each once; and whether that was all."""
    found: dict[Key, tuple[Row, bool]] = {}
    is_last = True
    for branch in branches:
        rows = branch.fetch(after, chunk)
        is_last = is_last and len(rows) < chunk
        for row in rows:
            key = key_of(row)
            known = found.get(key)
            found[key] = (row, branch.allow(row) or (known is not None and known[1]))
    ordered = sorted(found, reverse=descending)
    # Beyond the chunk a full branch may have left rows out that belong in between.
    cut = ordered if is_last else ordered[:chunk]
    return [found[key] for key in cut], is_last

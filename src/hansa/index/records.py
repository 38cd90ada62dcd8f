"""Records and their histories as one viewer sees them."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from hansa.index.pages import Branch, Key, Page, Row, allow_all, collect_page
from hansa.index.schema import Tables
from hansa.index.shape import RecordKind
from hansa.index.sight import Viewer, compute_marks, is_visible
from hansa.index.store import Index


def get_visible(index: Index, kind: RecordKind, key: str, viewer: Viewer) -> Row | None:
    """The record under a state key, or None when there is none or the viewer may not read it."""
    sight = kind.sight(viewer)
    if not sight.is_whole and not sight.marks:
        return None
    any_record, of_parties = _build_point_queries(index.tables)
    query = any_record if sight.is_whole else of_parties
    asked = {"wanted": key} if sight.is_whole else {"wanted": key, "marks": sight.marks}
    with index.reading() as connection:
        return connection.execute(query, asked).mappings().one_or_none()


@lru_cache(4)
def _build_point_queries(tables: Tables) -> tuple[Select[Any], Select[Any]]:
    """The record `wanted`, and the same where it has one of `marks`: built once, asked often."""
    records, parties = tables.records, tables.record_parties
    query = select(records).where(records.c.key == bindparam("wanted"))
    named = select(parties.c.key).where(
        parties.c.key == bindparam("wanted"),
        parties.c.mark.in_(bindparam("marks", expanding=True)),
    )
    return query, query.where(named.exists())


def list_visible(
    index: Index,
    kind: RecordKind,
    viewer: Viewer,
    *,
    prefix: str,
    after: str | None,
    limit: int,
    keep: Callable[[Row], bool] = allow_all,
) -> Page:
    """Records of a kind whose state keys begin with `prefix`, in key order."""
    start = prefix if after is None else max(prefix, after)
    # State keys are ASCII: nothing of the range comes after its prefix and the last character.
    end = prefix + "\x7f"
    sight = kind.sight(viewer)
    tables = index.tables
    with index.reading() as connection:
        if sight.is_whole:
            branches = [_branch(connection, select(tables.records), tables.records, start, end)]
        else:
            parties = tables.record_parties
            joined = select(tables.records).join(parties, parties.c.key == tables.records.c.key)
            branches = [
                _branch(connection, joined.where(parties.c.mark == mark), parties, start, end)
                for mark in sight.marks
            ]
        return collect_page(branches, key_of=_key_of, keep=keep, after=None, limit=limit)


def _key_of(row: Row) -> Key:
    return (row["key"],)


def _branch(connection: Connection, query: Any, driver: Any, start: str, end: str) -> Branch:
    bounded = query.where(driver.c.key < end).order_by(driver.c.key)

    def fetch(after: Key | None, count: int) -> Sequence[Row]:
        beyond = start if after is None else after[0]
        page = bounded.where(driver.c.key > beyond).limit(count)
        rows: Sequence[Row] = connection.execute(page).mappings().all()
        return rows

    return Branch(fetch)


def list_history(
    index: Index, kind: RecordKind, key: str, viewer: Viewer, *, after: int | None, limit: int
) -> Page:
    """Versions of a record, oldest first: each is shown to whom that very version names.

    A deletion is shown to whom the version before it was.
    """
    table = index.tables.record_history
    ordered = select(table).where(table.c.key == key).order_by(table.c.height)
    with index.reading() as connection:
        judge = _HistoryJudge(connection, index, kind, viewer)
        if after is not None:
            before = ordered.where(table.c.height <= after).order_by(None)
            last = connection.execute(before.order_by(table.c.height.desc()).limit(1)).mappings()
            judge.look(last.one_or_none())

        def fetch(beyond: Key | None, count: int) -> Sequence[Row]:
            height = after if beyond is None else beyond[0]
            page = ordered if height is None else ordered.where(table.c.height > height)
            return connection.execute(page.limit(count)).mappings().all()

        return collect_page(
            [Branch(fetch)],
            key_of=lambda row: (row["height"],),
            keep=judge.look,
            after=None,
            limit=limit,
        )


class _HistoryJudge:
    """Judges versions in order, as a deletion has no parties of its own."""

    def __init__(
        self, connection: Connection, index: Index, kind: RecordKind, viewer: Viewer
    ) -> None:
        self._connection = connection
        self._index = index
        self._kind = kind
        self._sight = kind.sight(viewer)
        self._is_shown = False

    def look(self, row: Row | None) -> bool:
        """Whether the version is shown."""
        if row is not None and row["value"] is not None:
            self._is_shown = self._sight.is_whole or self._names_viewer(row["value"])
        return row is not None and self._is_shown

    def _names_viewer(self, value: str) -> bool:
        record = self._kind.decode(value)
        if record is None:
            return False
        parties, readers = record.parties(), self._kind.newest.READERS
        identities = self._index.tables.identities
        query = select(identities.c.did, identities.c.jurisdiction)
        places: dict[str, str] = {}
        if readers and parties:
            found = self._connection.execute(query.where(identities.c.did.in_(parties)))
            places = {row.did: row.jurisdiction for row in found}
        return is_visible(self._sight, compute_marks(parties, readers, places))


def names_party(index: Index, app: str, first: str, viewer: Viewer) -> bool:
    """Whether the viewer is named by a `parties` record of `app` with this first key part.

    Who may read an invoice may ask for a proof that it was never reimbursed.
    """
    kinds = [
        kind
        for (owner, _name), kind in sorted(index.shape.records.items())
        if owner == app and kind.newest.VISIBILITY == "parties"
    ]
    for kind in kinds:
        exact = kind.prefix + first
        if get_visible(index, kind, exact, viewer) is not None:
            return True
        under = list_visible(index, kind, viewer, prefix=exact + "/", after=None, limit=1)
        if under.rows:
            return True
    return False

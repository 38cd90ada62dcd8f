"""Blocks to rows: what each table gains, and which records' rows are replaced. Touches no database.

The same blocks give the same rows however they are cut into batches: a rebuild is bit for bit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hansa.appkit.application import Table
from hansa.encoding.canonical import encode_canonical
from hansa.index.limits import CELL_CHARACTERS_MAX
from hansa.index.schema import DEADLINE_POSITION
from hansa.index.shape import RecordKind, Shape
from hansa.index.sight import compute_marks
from hansa.index.source import CommittedBlock
from hansa.ledger.blocks import Change
from hansa.ledger.context import GOVERNANCE
from hansa.ledger.model import Record
from hansa.ledger.receipts import OK, EventOut, MessageResult, TransactionResult
from hansa.ledger.rejections import Rejection
from hansa.ledger.system import Account, Member
from hansa.ledger.transactions import decode_transaction

Row = tuple[Any, ...]
Identity = tuple[str, str]
# A compact JWS begins with base64url; several signers come as JSON.
_JSON = b"{"


class Batch:
    """Rows of consecutive blocks. `appended` only grows; `records` and `identities` replace."""

    def __init__(self, shape: Shape, find_identity: Callable[[str], Identity | None]) -> None:
        self.appended: dict[str, list[Row]] = {}
        self.records: dict[str, Row | None] = {}
        self.record_marks: dict[str, tuple[str, ...]] = {}
        self.projected: dict[tuple[str, str], dict[str, list[Row]]] = {}
        self.identities: dict[str, Identity] = {}
        self.size = 0
        self._marks: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[str, ...]] = {}
        self._shape = shape
        self._find_identity = find_identity

    def add_opening(self, height: int, changes: Sequence[Change]) -> None:
        """The records that there are before the first block that is followed: those of genesis, or
        of the height before the node's first block.
        """
        self._add_changes(height, changes, {})

    def learn_members(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Who and where the members are, before records that name them; adds no row of theirs."""
        kinds = ((self._shape.find_record(key.decode("ascii")), value) for key, value in records)
        found = [kind.decode(value) for kind, value in kinds if kind is not None]
        self._learn_identities([record for record in found if record is not None])

    def add_block(self, block: CommittedBlock) -> None:
        """One block: its records first, so that its own new accounts are known to its events."""
        results = block.results
        writers = _find_writers(results.results, results.deadlines)
        self._add_changes(block.height, block.changes, writers)
        ordinals = _Ordinals()
        self._add_messages(
            (block.height, DEADLINE_POSITION, f"deadline/{block.height}"),
            (),
            results.deadlines,
            ordinals,
        )
        messages = 0
        pairs = zip(block.transactions, results.results, strict=True)
        for position, (data, result) in enumerate(pairs):
            self._add_transaction(block.height, position, data, result, ordinals)
            messages += len(result.messages)
        self._append(
            "blocks",
            (
                block.height,
                block.time_ms,
                block.hash.hex(),
                len(block.transactions),
                messages,
                len(results.deadlines),
            ),
        )

    def _append(self, table: str, row: Row) -> None:
        self.appended.setdefault(table, []).append(row)
        self.size += 1

    def _add_changes(
        self, height: int, changes: Sequence[Change], writers: Mapping[str, str]
    ) -> None:
        decoded = []
        for raw_key, value in changes:
            key = raw_key.decode("ascii")
            kind = self._shape.find_record(key)
            if kind is None:
                continue
            record = None if value is None else kind.decode(value)
            decoded.append((key, kind, value, record))
        self._learn_identities([record for *_rest, record in decoded if record is not None])
        for key, kind, value, record in decoded:
            text = None if value is None else value.decode()
            self.records[key] = None if text is None else (key, text, height)
            self.record_marks[key] = self._mark_record(kind, record)
            self.size += 1 + len(self.record_marks[key])
            if kind.has_history:
                self._append("record_history", (key, height, text, writers.get(kind.app, "")))
            for table in kind.tables:
                rows = _project(table, record) if isinstance(record, table.record) else ()
                cells = _build_cells(key, table.columns, rows)
                self.projected.setdefault((kind.app, table.name), {})[key] = cells
                self.size += len(cells)

    def _learn_identities(self, records: Sequence[Record]) -> None:
        """Members first: accounts come before them in key order, and are where their member is."""
        self._marks.clear()
        for record in records:
            if isinstance(record, Member):
                self.identities[record.did] = (record.did, record.jurisdiction)
        for record in records:
            if isinstance(record, Account) and record.did != record.member:
                member = self._identify(record.member)
                self.identities[record.did] = (record.member, member[1] if member else "")

    def _identify(self, did: str) -> Identity | None:
        return self.identities.get(did) or self._find_identity(did)

    def _mark_record(self, kind: RecordKind, record: Record | None) -> tuple[str, ...]:
        if record is None or kind.newest.VISIBILITY == "public":
            return ()
        return self._mark(record.parties(), kind.newest.READERS)

    def _mark(self, parties: tuple[str, ...], readers: tuple[str, ...]) -> tuple[str, ...]:
        """The same parties trade again and again: their marks are computed once in a block."""
        marks = self._marks.get((parties, readers))
        if marks is None:
            places = {did: self._identify(did) for did in parties} if readers else {}
            found = {did: identity[1] for did, identity in places.items() if identity}
            marks = self._marks[parties, readers] = compute_marks(parties, readers, found)
        return marks

    def _add_transaction(
        self,
        height: int,
        position: int,
        data: bytes,
        result: TransactionResult,
        ordinals: "_Ordinals",
    ) -> None:
        signers = _find_signers(data, result)
        entry = (height, position, result.id)
        marks, visibility = self._add_messages(entry, signers, result.messages, ordinals)
        apps = sorted({message.type.partition("/")[0] for message in result.messages})
        self._append(
            "transactions",
            (
                *entry,
                result.code,
                result.cost,
                len(result.messages),
                len(data),
                " ".join(apps),
                visibility,
            ),
        )
        for mark in sorted(marks):
            self._append("transaction_parties", (mark, height, position))

    def _add_messages(
        self,
        entry: tuple[int, int, str],
        signers: Sequence[str],
        messages: Sequence[MessageResult],
        ordinals: "_Ordinals",
    ) -> tuple[set[str], str]:
        """Append results; returns the marks that see one of them, and the widest visibility."""
        height, position, transaction = entry
        dids = {kid.partition("#")[0] for kid in signers}
        dids |= {found[0] for did in dids if (found := self._identify(did))}
        signing = tuple(sorted(dids))
        seen_by: set[str] = set()
        visibilities = {"parties"}
        for message in messages:
            app, _sep, rest = message.type.partition("/")
            place = (position, message.index, transaction)
            marks, visibility = self._add_events(height, place, message.events, ordinals)
            marks |= set(self._mark(signing, self._shape.readers.get(app, ())))
            ordinal = ordinals.next_message()
            params = encode_canonical(message.params).decode()
            described = (message.sender, message.message, message.code, params, visibility)
            row = (height, ordinal, *place, app, rest.partition("/")[0], *described)
            self._append("messages", row)
            for mark in sorted(marks):
                self._append("message_parties", (mark, height, ordinal))
            seen_by |= marks
            visibilities.add(visibility)
        return seen_by, _widest(visibilities)

    def _add_events(
        self,
        height: int,
        entry: Row,
        events: Sequence[EventOut],
        ordinals: "_Ordinals",
    ) -> tuple[set[str], str]:
        """Append a message's events; returns the marks that see one, and the widest visibility."""
        seen_by: set[str] = set()
        visibilities = {"parties"}
        for event in events:
            ordinal = ordinals.next_event()
            kind = self._shape.events.get((event.app, event.type))
            decoded = kind.decode(event.body) if kind else None
            visibility: str = kind.newest.VISIBILITY if kind and decoded else "parties"
            marks: tuple[str, ...] = ()
            if kind and decoded and visibility != "public":
                marks = self._mark(decoded.parties(), kind.newest.READERS)
            body = bytes(event.body).decode()
            row = (height, ordinal, *entry, event.app, event.type, body, visibility)
            self._append("events", row)
            for mark in marks:
                self._append("event_parties", (mark, height, ordinal))
            seen_by.update(marks)
            visibilities.add(visibility)
        return seen_by, _widest(visibilities)


def _widest(visibilities: set[str]) -> str:
    return next(each for each in ("public", "league", "parties") if each in visibilities)


class _Ordinals:
    """Counters of one block: messages and events in the order of execution."""

    def __init__(self) -> None:
        self.messages = 0
        self.events = 0

    def next_message(self) -> int:
        self.messages += 1
        return self.messages - 1

    def next_event(self) -> int:
        self.events += 1
        return self.events - 1


def _find_signers(data: bytes, result: TransactionResult) -> tuple[str, ...]:
    """Kids of all signers. One signer is in the results already; only several need the bytes."""
    senders = {message.sender for message in result.messages if message.sender}
    if not data.startswith(_JSON) or not senders:
        return tuple(sorted(senders))
    try:
        return decode_transaction(data).payload.signers
    except Rejection:
        return tuple(sorted(senders))


def _find_writers(
    results: Sequence[TransactionResult], deadlines: Sequence[MessageResult]
) -> dict[str, str]:
    """Application -> the one transaction of the block that can have written its records."""
    candidates: dict[str, set[str]] = {}
    for result in results:
        for message in result.messages:
            if message.code == OK:
                candidates.setdefault(message.type.partition("/")[0], set()).add(result.id)
    for message in deadlines:
        candidates.setdefault(message.type.partition("/")[0], set()).add("deadline")
    if GOVERNANCE in candidates:
        # An executed proposal writes for other applications, so theirs cannot be told.
        candidates = {GOVERNANCE: candidates[GOVERNANCE]}
    return {app: next(iter(ids)) for app, ids in candidates.items() if len(ids) == 1}


def _project(table: Table, record: Record) -> Sequence[Mapping[str, Any]]:
    projected = table.project(record)
    return [projected] if isinstance(projected, dict) else projected


def _build_cells(
    key: str, columns: Sequence[Any], projected: Iterable[Mapping[str, Any]]
) -> list[Row]:
    """Cells that both databases hold alike: no NUL, bounded text."""
    names = [column.name for column in columns]
    rows = []
    for line, row in enumerate(projected):
        cells = [row.get(name) for name in names]
        text = "".join([cell for cell in cells if type(cell) is str])
        if "\x00" in text or len(text) > CELL_CHARACTERS_MAX:
            cells = list(map(_cut_cell, cells))
        rows.append((key, line, *cells))
    return rows


def _cut_cell(value: str | int | None) -> str | int | None:
    if type(value) is str:
        return value.replace("\x00", "\ufffd")[:CELL_CHARACTERS_MAX]
    return value

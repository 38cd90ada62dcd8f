"""Capture jobs: what a client gave becomes signed transactions that are never lost.

Everything is in the notebook before anything is sent: a restart sends the same bytes again, which
have the same id and one effect. What the ledger has already is done, so the same document may be
given again too. Through the desk only.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from hansa.appkit.route import Desk
from hansa.apps.food_trace.contract.declaration import compute_declaration_key, is_same
from hansa.apps.food_trace.documents.normal import NormalEvent
from hansa.apps.food_trace.event import event_key
from hansa.apps.food_trace.model.messages import CaptureEvent
from hansa.apps.food_trace.model.records import Capture
from hansa.apps.food_trace.routes.epcis.negotiation import CAPTURE_EVENTS_MAX
from hansa.apps.food_trace.timestamps import format_time

Behaviour = Literal["rollback", "proceed"]
JOB: Final = "job/"
PART: Final = "part/"
DATA: Final = "data/"
OLD: Final = "old/"
# One transaction of a job: the size that the ledger takes at its best rate.
CHUNK_EVENTS: Final = 100
# Bytes of documents in one transaction: written as JSON text in JSON, then in base64, they stay
# below the largest transaction (hansa.primitives.limits.TRANSACTION_BYTES_MAX).
CHUNK_BYTES: Final = 600_000
# Errors that a job lists; the events' own identifiers are enough to ask for the rest.
ERRORS_MAX: Final = 1_000
_TIME_MAX: Final = 2**44


class Job(msgspec.Struct, kw_only=True):
    """A capture job as it is kept. `parts`: transactions not yet decided; `seen`: those that are.

    Newer jobs have smaller ids. `mark`: who gave it, for whoever goes on with it.
    """

    id: str
    account: str
    mark: str
    behaviour: Behaviour
    created_ms: int
    events: int
    parts: list[int]
    finished_ms: int = 0
    captured: int = 0
    known: int = 0
    failed: int = 0
    errors: list[dict[str, Any]] = []

    @property
    def name(self) -> str:
        """Its name in the notebook."""
        return f"{JOB}{self.account}/{self.id}"


class Part(msgspec.Struct, kw_only=True):
    """One transaction of a job, sent or to be sent. Its documents and bytes stand under DATA."""

    job: str
    account: str
    number: int
    transaction: str
    expiry: int
    sent_ms: int = 0
    tries: int = 1

    @property
    def name(self) -> str:
        """Its name in the notebook; parts of older jobs come first."""
        return f"{PART}{_rank(self.job)}{self.job}/{self.number:05}"


class Load(msgspec.Struct, frozen=True):
    """What a part carries: normal documents and the signed bytes."""

    documents: tuple[str, ...]
    data: bytes


class Store:
    """Jobs and parts in the application's notebook."""

    def __init__(self, desk: Desk) -> None:
        self._notebook = desk.notebook

    def save(self, job: Job, loads: Sequence[tuple[Part, Load]] = ()) -> None:
        """Write a job with new parts, durably."""
        puts = {job.name: _encode(job), f"{OLD}{job.created_ms:014}/{job.name}": b""}
        for part, load in loads:
            puts[part.name] = _encode(part)
            puts[DATA + part.name] = _encode(load)
        self._notebook.change(puts)

    def note(self, part: Part) -> None:
        """Write what changed of a part that is not decided."""
        self._notebook.update(part.name, _encode(part))

    def close(self, job: Job, part: Part) -> None:
        """A part is decided: the job without it, durably."""
        self._notebook.change({job.name: _encode(job)}, (part.name, DATA + part.name))

    def job(self, account: str, identity: str) -> Job | None:
        """A job of an account."""
        return _decode_job(self._notebook.get(f"{JOB}{account}/{identity}"))

    def jobs(self, account: str, after: str, limit: int) -> list[Job]:
        """Jobs of an account, newest first, beyond the id `after`."""
        prefix = f"{JOB}{account}/"
        start = prefix + after if after else ""
        found = self._notebook.list(prefix, start, limit)
        return [msgspec.json.decode(value, type=Job) for _name, value in found]

    def parts(self, after: str, limit: int) -> list[Part]:
        """Parts that are not decided, oldest first."""
        found = self._notebook.list(PART, after, limit)
        return [msgspec.json.decode(value, type=Part) for _name, value in found]

    def parts_of(self, job: Job) -> list[Part]:
        """The parts of one job that are not decided, in order."""
        prefix = f"{PART}{_rank(job.id)}{job.id}/"
        found = self._notebook.list(prefix, "", CAPTURE_EVENTS_MAX)
        return [msgspec.json.decode(value, type=Part) for _name, value in found]

    def load(self, part: Part) -> Load | None:
        """What a part carries."""
        found = self._notebook.get(DATA + part.name)
        return None if found is None else msgspec.json.decode(found, type=Load)

    def forget(self, before_ms: int, limit: int) -> int:
        """Drop jobs that ended long ago; how many."""
        found = self._notebook.list(OLD, "", limit)
        ended = [name for name, _value in found if int(name.split("/")[1]) < before_ms]
        gone = []
        for name in ended:
            job = _decode_job(self._notebook.get(name.split("/", 2)[2]))
            if job is None or job.finished_ms:
                gone += [name, name.split("/", 2)[2]]
        if gone:
            self._notebook.change({}, gone)
        return len(gone) // 2


def _encode(value: object) -> bytes:
    return msgspec.json.encode(value)


def _decode_job(data: bytes | None) -> Job | None:
    return None if data is None else msgspec.json.decode(data, type=Job)


def _rank(identity: str) -> str:
    """What puts older jobs first: their ids put newer ones first."""
    return f"{_TIME_MAX - int(identity[:11], 16):011x}"


def make_id(now_ms: int, random: str) -> str:
    """An id by which newer jobs come first, and that nobody guesses."""
    return f"{_TIME_MAX - now_ms:011x}-{random}"


def split(documents: Sequence[str], *, is_atomic: bool) -> list[list[str]]:
    """Documents as the loads of transactions; all in one when it is all or nothing."""
    if is_atomic:
        return [list(documents)] if documents else []
    chunks: list[list[str]] = []
    size = 0
    for document in documents:
        weight = measure(document)
        if not chunks or len(chunks[-1]) >= CHUNK_EVENTS or size + weight > CHUNK_BYTES:
            chunks.append([])
            size = 0
        chunks[-1].append(document)
        size += weight
    return chunks


def measure(document: str) -> int:
    """Bytes of a document as a text within JSON."""
    return len(msgspec.json.encode(document)) + 100


def find_known(desk: Desk, documents: Sequence[str]) -> set[str]:
    """Documents that are on the ledger already, as far as the asker sees."""
    keys = {find_key(document): document for document in documents}
    found = desk.records(Capture, list(keys))
    return {document for key, document in keys.items() if _is_same(found.get(key), document)}


def _is_same(capture: Capture | None, document: str) -> bool:
    """Whether it is the same event, however it is written (I6)."""
    if capture is None:
        return False
    return capture.document == document or is_same(capture.document, document)


def find_key(document: str) -> str:
    """The record key of a normal document: of its event, or of its declaration of an error."""
    fields = msgspec.json.decode(document, type=_Key)
    key = event_key(fields.eventID)
    return compute_declaration_key(key) if fields.errorDeclaration is not None else key


class _Key(msgspec.Struct):
    eventID: str  # noqa: N815 - the standard's own name
    errorDeclaration: Any = None  # noqa: N815


def begin(
    desk: Desk,
    events: Sequence[NormalEvent],
    behaviour: Behaviour,
    errors: Sequence[dict[str, Any]] = (),
) -> Job:
    """Sign what is new, keep it, send it. Raises Trouble (no service key, not for the asker).

    `events` are valid; `errors` are of events that are not (behaviour proceed).
    """
    documents = list(dict.fromkeys(each.document for each in events))
    known = find_known(desk, documents)
    fresh = [document for document in documents if document not in known]
    now = desk.now_ms
    job = Job(
        id=make_id(now, desk.draw()[:12]),
        account=desk.viewer.account,
        mark=desk.mark,
        behaviour=behaviour,
        created_ms=now,
        events=len(events) + len(errors),
        parts=[],
        known=len(known),
        failed=len(errors),
        errors=list(errors[:ERRORS_MAX]),
    )
    loads = []
    for number, chunk in enumerate(split(fresh, is_atomic=behaviour == "rollback")):
        loads.append(prepare(desk, job, number, chunk))
        job.parts.append(number)
    if not loads:
        job.finished_ms = now
    Store(desk).save(job, loads)
    return job


def prepare(
    desk: Desk, job: Job, number: int, documents: Sequence[str], tries: int = 1
) -> tuple[Part, Load]:
    """One signed transaction of a job."""
    messages = [CaptureEvent(document=document) for document in documents]
    signed = desk.prepare(messages, is_atomic=job.behaviour == "rollback")
    part = Part(
        job=job.id,
        account=job.account,
        number=number,
        transaction=signed.id,
        expiry=signed.expiry,
        sent_ms=desk.now_ms,
        tries=tries,
    )
    return part, Load(tuple(documents), signed.data)


def describe(job: Job, errors_max: int = ERRORS_MAX) -> dict[str, Any]:
    """A job as EPCIS shows it (CaptureJob), with what Hansa counts beside."""
    told: dict[str, Any] = {
        "captureID": job.id,
        "createdAt": format_time(job.created_ms),
        "running": not job.finished_ms,
        "success": not job.failed,
        "captureErrorBehaviour": job.behaviour,
        "errors": job.errors[:errors_max],
    }
    if job.finished_ms:
        told["finishedAt"] = format_time(job.finished_ms)
    told["hansa:events"] = {
        "given": job.events,
        "captured": job.captured,
        "already": job.known,
        "failed": job.failed,
    }
    return told

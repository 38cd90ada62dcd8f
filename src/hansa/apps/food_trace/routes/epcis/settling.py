"""The duty that brings capture jobs to their end: sends, sends again, notes what became of them.

Runs at start, at each growth and when a job comes in. Through the backroom's desk only.
"""

from typing import Any, Final

import msgspec

from hansa.appkit.command import Outcome
from hansa.appkit.route import Backroom, Desk, Trouble
from hansa.apps.food_trace.rejections import AlreadyCaptured
from hansa.apps.food_trace.routes.epcis.jobs import (
    ERRORS_MAX,
    Job,
    Load,
    Part,
    Store,
    find_known,
    prepare,
)
from hansa.apps.food_trace.routes.epcis.problems import PREFIX
from hansa.ledger.execution import OtherMessageRejected
from hansa.ledger.receipts import OK
from hansa.ledger.rejections import Rejection

# Sent and not heard of for so long: sent again, which changes nothing if it is under way.
AGAIN_MS: Final = 10_000
# Parts looked at in one run; the next run comes at once.
PARTS_MAX: Final = 500
# A new signature for what expired, or for what another has captured meanwhile.
TRIES_MAX: Final = 20
# Jobs that ended are told of for a month.
KEPT_MS: Final = 30 * 86_400_000
IDLE_S: Final = 60.0
_KNOWN: Final = f"{AlreadyCaptured.CODESPACE}.{AlreadyCaptured.CODE}"
_OTHER: Final = f"{OtherMessageRejected.CODESPACE}.{OtherMessageRejected.CODE}"
# Refusals at the door that end by themselves.
_PASSING: Final = frozenset(("ledger.quota_spent", "ledger.expired"))


def settle_jobs(room: Backroom) -> float:
    """Look at every part that is not decided; after how many seconds to look again."""
    store = Store(room)
    after, seen = "", 0
    while not room.is_ending:
        parts = store.parts(after, 50)
        for part in parts:
            _settle(room, store, part)
        seen += len(parts)
        if len(parts) < 50 or seen >= PARTS_MAX:
            break
        after = parts[-1].name
    if not seen:
        store.forget(room.now_ms - KEPT_MS, 200)
        return IDLE_S
    return AGAIN_MS / 1000


def _settle(room: Backroom, store: Store, part: Part) -> None:
    """One part: decided, to be sent (again), or to be signed anew."""
    job = store.job(part.account, part.job)
    if job is None:
        return
    outcomes = room.outcomes(part.transaction)
    if outcomes is not None:
        _finish(room, store, job, part, outcomes)
    elif room.height > part.expiry + 1:
        _renew(room, store, job, part)
    elif room.now_ms - part.sent_ms >= AGAIN_MS:
        _send(room, store, job, part)


def send_now(desk: Desk, job: Job) -> None:
    """Send a job's parts as soon as they are kept; what cannot go now goes later."""
    store = Store(desk)
    for part in store.parts_of(job):
        load = store.load(part)
        try:
            desk.send(b"" if load is None else load.data)
        except (Rejection, Trouble):
            # Nothing of it is under way, so that only here its part is written: the duty goes on.
            part.sent_ms = 0
            store.note(part)
            break
    desk.wake()


def _send(desk: Desk, store: Store, job: Job, part: Part) -> None:
    load = store.load(part)
    if load is None:
        return
    part.sent_ms = desk.now_ms
    store.note(part)
    try:
        desk.send(load.data)
    except Trouble:
        return  # no room now: again in a while
    except Rejection as rejection:
        if rejection.code not in _PASSING:
            _fail(desk, store, job, part, load, rejection)


def _fail(desk: Desk, store: Store, job: Job, part: Part, load: Load, rejection: Rejection) -> None:
    """The door does not take it: the key was revoked, the member suspended."""
    error = {
        "type": PREFIX + "SecurityException",
        "title": "The ledger does not take it",
        "status": 403,
        "detail": rejection.text[:1_000],
        "code": rejection.code,
        "rule": rejection.RULE,
        "remedy": rejection.remedy,
    }
    _close(desk, store, job, part, failed=len(load.documents), errors=[error])


def _renew(
    room: Backroom, store: Store, job: Job, part: Part, done: frozenset[str] = frozenset()
) -> None:
    """It can no longer enter: what is not on the ledger is signed anew, by who may still do it.

    `done`: documents of which the ledger itself said that it has them.
    """
    load = store.load(part)
    if load is None:
        return
    desk = room.desk_of(job.mark)
    if desk is None or part.tries >= TRIES_MAX:
        _fail(room, store, job, part, load, _Ended() if desk is None else _NotTaken())
        return
    known = find_known(desk, load.documents) | done
    fresh = [document for document in load.documents if document not in known]
    job.known += len(known)
    if not fresh:
        _close(room, store, job, part)
        return
    try:
        # What goes on is no further try.
        tries = part.tries + (0 if known else 1)
        renewed, newer = prepare(desk, job, part.number, fresh, tries)
    except Trouble:
        _fail(room, store, job, part, load, _Ended())
        return
    store.save(job, [(renewed, newer)])
    _send(desk, store, job, renewed)


class _Ended(Rejection):
    """The right to have it signed has ended."""

    CODESPACE, CODE, RULE = "food_trace", "service_ended", "D12"
    TEXT = "The service key does not sign for this client any more."
    REMEDY = "Give the document again with a token that may capture."


class _NotTaken(Rejection):
    """It was signed again and again and never entered a block."""

    CODESPACE, CODE, RULE = "food_trace", "not_taken", "D3"
    TEXT = "The transaction has been signed anew many times and has entered no block."
    REMEDY = "See hansa doctor, then give the document again: what is on the ledger is known."


def _finish(
    room: Backroom, store: Store, job: Job, part: Part, outcomes: tuple[Outcome, ...]
) -> None:
    """What became of each event of a part."""
    load = store.load(part)
    documents = load.documents if load is not None else ()
    if not outcomes or outcomes[0].code in _PASSING:
        # The block is not kept here any more, or its time was not right: see what there is.
        _renew(room, store, job, part)
        return
    refused = [each for each in outcomes if each.code not in (OK, _KNOWN, _OTHER)]
    known = [each for each in outcomes if each.code == _KNOWN]
    if job.behaviour == "rollback" and known and not refused:
        # All or nothing, and one was there already: the others are to be captured without it.
        _renew(room, store, job, part, frozenset(documents[each.index] for each in known))
        return
    errors = [_describe(each, documents) for each in refused]
    is_whole = job.behaviour == "rollback" or len(outcomes) != len(documents)
    failed = len(documents) if refused and is_whole else len(refused)
    job.known += len(known)
    job.captured += sum(each.code == OK for each in outcomes)
    _close(room, store, job, part, failed=failed, errors=errors)


def _describe(outcome: Outcome, documents: tuple[str, ...]) -> dict[str, Any]:
    """A refusal by the ledger's rules, as a job lists it."""
    known = outcome.index < len(documents)
    event_id = _read_id(documents[outcome.index]) if known else ""
    return {
        "type": PREFIX + "ValidationException",
        "title": "A rule of the ledger refused the event",
        "status": 400,
        "detail": outcome.text[:1_000],
        "code": outcome.code,
        "rule": outcome.rule,
        "remedy": outcome.remedy,
        "eventID": event_id,
    }


class _Id(msgspec.Struct):
    eventID: str  # noqa: N815 - the standard's own name


def _read_id(document: str) -> str:
    return msgspec.json.decode(document, type=_Id).eventID


def _close(
    desk: Desk,
    store: Store,
    job: Job,
    part: Part,
    *,
    failed: int = 0,
    errors: list[dict[str, Any]] | None = None,
) -> None:
    job.failed += failed
    room = ERRORS_MAX - len(job.errors)
    job.errors = [*job.errors, *(errors or [])[: max(room, 0)]]
    job.parts = [number for number in job.parts if number != part.number]
    if not job.parts:
        job.finished_ms = desk.now_ms
    store.close(job, part)

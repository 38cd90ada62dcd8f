"""`/capture` and POST `/events`: documents become capture jobs (GS1 EPCIS 2.0 clauses 12.8, 12.9).

What can be said at once is said at once: a document that is not valid, too large, or from whom the
service key does not sign is refused; everything else is a job. Through the desk only.
"""

import time
from typing import Any, Final
from urllib.parse import quote

import msgspec

from hansa.appkit.route import Asking, Desk, Reply
from hansa.apps.food_trace.documents.document import EpcisDocument
from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.documents.normal import NormalEvent
from hansa.apps.food_trace.documents.rulebook import DocumentRefused, make_failure
from hansa.apps.food_trace.model.records import Capture
from hansa.apps.food_trace.routes.epcis.answers import (
    answer_json,
    guarded,
    write_event,
    write_job_xml,
)
from hansa.apps.food_trace.routes.epcis.jobs import (
    CHUNK_BYTES,
    Behaviour,
    Job,
    Store,
    begin,
    describe,
    find_key,
    measure,
)
from hansa.apps.food_trace.routes.epcis.master_data import keep
from hansa.apps.food_trace.routes.epcis.negotiation import (
    CAPTURE_BYTES_MAX,
    CAPTURE_EVENTS_MAX,
    JSON_TYPES,
    ROLLBACK_EVENTS_MAX,
    XML_TYPES,
    answer_headers,
    check_versions,
    choose_media,
    read_context,
    read_form,
)
from hansa.apps.food_trace.routes.epcis.paging import Token, build_link, read_paging
from hansa.apps.food_trace.routes.epcis.problems import (
    describe_failure,
    refuse,
    refuse_document,
)
from hansa.apps.food_trace.routes.epcis.settling import send_now

BEHAVIOUR: Final = "gs1-capture-error-behaviour"
JOBS: Final = "capture"
# One event is answered when it is decided; a block takes a second, a busy league some.
EVENT_WAIT_MS: Final = 20_000
# Errors of each job in a list of jobs; all of them at the job's own address.
ERRORS_SHOWN: Final = 10
_LOOK_S: Final = 0.5
_PAUSE_S: Final = 0.02


@guarded
def post_capture(desk: Desk, asking: Asking) -> Reply:
    """Take a document: 202 with the address of its job."""
    check_versions(asking.headers)
    choose_media(asking.headers.get("accept", ""), (*JSON_TYPES, *XML_TYPES))
    behaviour = read_behaviour(asking)
    check_service(desk)
    document = read_body(asking)
    if document.kind not in ("capture", "query_results"):
        raise refuse(
            400,
            "no_capture_document",
            "This is no EPCISDocument and no EPCISQueryDocument.",
            remedy="Master data is captured in the header of an EPCISDocument.",
        )
    check_size(document, behaviour)
    events, errors = sift(document, behaviour)
    keep(desk, document.vocabulary)
    job = begin(desk, events, behaviour, errors)
    send_now(desk, job)
    location = f"{asking.path.rstrip('/')}/{job.id}"
    return Reply(202, headers=(*answer_headers(), ("Location", location)))


def check_service(desk: Desk) -> None:
    """Whether anybody signs here for the asker, said before the document is read."""
    if not desk.service:
        raise refuse(
            403,
            "no_service",
            "No service key of this gateway signs for you.",
            remedy=(
                "Use a client's token that may capture: hansa service client LABEL food-trace "
                "--may capture"
            ),
        )


def read_behaviour(asking: Asking) -> Behaviour:
    """`GS1-Capture-Error-Behaviour`: rollback unless it says proceed."""
    text = asking.headers.get(BEHAVIOUR, "rollback").strip().lower()
    if text == "proceed":
        return "proceed"
    if text in ("rollback", "all", ""):
        return "rollback"
    raise refuse(400, "capture_behaviour", "GS1-Capture-Error-Behaviour is rollback or proceed.")


def read_body(asking: Asking) -> EpcisDocument:
    """The document of a request. Raises Trouble; the media type must be that of the content."""
    media = asking.headers.get("content-type", "").partition(";")[0].strip().lower()
    looks_like_xml = asking.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if media and asking.body.strip() and (media in XML_TYPES) != looks_like_xml:
        raise refuse(415, "content_differs", f"The body is not {media}.")
    try:
        document = read_document(asking.body, read_context(asking.headers))
    except DocumentRefused as error:
        raise refuse_document([make_failure(error.rule, error.path, error.text)]) from error
    if any(failure.flag == "fatal" for failure in document.failures):
        raise refuse_document(document.failures)
    return document


def check_size(document: EpcisDocument, behaviour: Behaviour) -> None:
    """Whether a document is within the limits that OPTIONS tells."""
    count = len(document.events)
    if count > CAPTURE_EVENTS_MAX:
        raise refuse_limit(f"A document has at most {CAPTURE_EVENTS_MAX} events here.")
    if behaviour == "proceed":
        return
    size = sum(measure(each.document) for each in document.events)
    if count > ROLLBACK_EVENTS_MAX or size > CHUNK_BYTES:
        raise refuse_limit(
            f"All or nothing is one transaction: at most {ROLLBACK_EVENTS_MAX} events in "
            f"{CHUNK_BYTES} bytes."
        )


def refuse_limit(text: str) -> Exception:
    """More than one capture may hold."""
    return refuse(
        413,
        "capture_limit",
        text,
        remedy=(
            "Send it in parts, or with GS1-Capture-Error-Behaviour: proceed, by which each event "
            "stands alone."
        ),
        headers={
            "GS1-EPCIS-Capture-Limit": str(CAPTURE_EVENTS_MAX),
            "GS1-EPCIS-Capture-File-Size-Limit": str(CAPTURE_BYTES_MAX),
        },
    )


def sift(
    document: EpcisDocument, behaviour: Behaviour
) -> tuple[list[NormalEvent], list[dict[str, Any]]]:
    """The valid events, and the errors of the others. Raises Trouble under rollback."""
    valid = [event for event in document.events if event.is_valid]
    wrong = [event for event in document.events if not event.is_valid]
    if wrong and behaviour == "rollback":
        raise refuse_document(failure for event in wrong for failure in event.failures)
    errors = []
    for event in wrong:
        fatal = [failure for failure in event.failures if failure.flag == "fatal"]
        errors.append(describe_failure(fatal[0], event.event_id))
    return valid, errors


@guarded
def list_jobs(desk: Desk, asking: Asking) -> Reply:
    """Capture jobs of the asker's account, newest first."""
    token, size, query = read_paging(asking, JOBS)
    refuse_parameters(query)
    after = str(token.after[0]) if token is not None else ""
    jobs = Store(desk).jobs(desk.viewer.account, after, size + 1)
    shown, more = jobs[:size], len(jobs) > size
    beyond = Token(JOBS, (), (shown[-1].id,), size) if more and shown else None
    told = [describe(job, ERRORS_SHOWN) for job in shown]
    return answer_json(asking, told, build_link(asking, beyond))


@guarded
def get_job(desk: Desk, asking: Asking) -> Reply:
    """One job."""
    check_versions(asking.headers)
    job = Store(desk).job(desk.viewer.account, asking.parts["captureID"])
    if job is None:
        raise refuse_missing("capture job")
    media = choose_media(asking.headers.get("accept", ""), (*JSON_TYPES, *XML_TYPES))
    told = describe(job)
    body = write_job_xml(told) if media in XML_TYPES else msgspec.json.encode(told)
    return Reply(200, body, media, answer_headers())


def refuse_missing(what: str) -> Exception:
    """There is none, or none that the asker may see."""
    return refuse(404, "not_found", f"There is no such {what}.", exception="NoSuchNameException")


def refuse_parameters(query: tuple[tuple[str, str], ...]) -> None:
    """Refuse parameters where an address has none."""
    for name, _value in query:
        raise refuse(400, "unknown_parameter", f"This address has no parameter {name[:80]}.")


@guarded
def post_event(desk: Desk, asking: Asking) -> Reply:
    """Capture one event and say what became of it: 201 with its address."""
    form = read_form(asking.headers)
    check_service(desk)
    document = read_body(asking)
    if document.kind != "event" or len(document.events) != 1:
        raise refuse(
            400, "no_event", "This is no single EPCIS event.", remedy="POST documents to /capture."
        )
    events, _errors = sift(document, "rollback")
    key = find_key(events[0].document)
    job = begin(desk, events, "rollback")
    send_now(desk, job)
    job = _wait(desk, job)
    if job.failed:
        raise _refuse_event(job.errors)
    if not job.finished_ms:
        raise refuse(
            503,
            "not_decided_yet",
            "The ledger has not decided yet; the event is kept and will be.",
            remedy=f"See {asking.base}/epcis/capture/{job.id}, or send the same event again.",
            headers={"retry-after": "5"},
        )
    capture = desk.record(Capture, key)
    if capture is None:
        raise refuse_missing("event that you may read")
    location = f"{asking.path.rstrip('/')}/{quote(events[0].event_id, safe=':;')}"
    headers = (*answer_headers(), ("Location", location))
    return Reply(201, write_event(capture, form), form.media, headers)


def _wait(desk: Desk, job: Job) -> Job:
    """The job as soon as it has ended, or as it is after a while."""
    store, end_ms = Store(desk), desk.now_ms + EVENT_WAIT_MS
    found: Job = job
    while not found.finished_ms and desk.now_ms < end_ms:
        for part in store.parts_of(found):
            if desk.outcomes(part.transaction, _LOOK_S) is not None:
                desk.wake()
                time.sleep(_PAUSE_S)
        found = store.job(job.account, job.id) or found
    return found


def _refuse_event(errors: list[dict[str, Any]]) -> Exception:
    """The event as the ledger's rules refused it."""
    error = errors[0] if errors else {}
    code = str(error.get("code", "food_trace.refused"))
    status = 409 if code == "food_trace.event_changed" else int(error.get("status", 400))
    trouble = refuse(
        status,
        code.removeprefix("food_trace."),
        str(error.get("detail", "")),
        remedy=str(error.get("remedy", "")),
    )
    trouble.code, trouble.rule = code, str(error.get("rule", ""))
    return trouble

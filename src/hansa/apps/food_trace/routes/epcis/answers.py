"""Answers: events as query documents in JSON-LD or XML, collections, capture jobs. Pure."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

import msgspec

from hansa.appkit.route import Asking, Desk, Reply, Trouble
from hansa.apps.food_trace.documents.document import CONTEXT_URL
from hansa.apps.food_trace.documents.json_writer import write_event_json, write_results_json
from hansa.apps.food_trace.documents.stored import KeyFormat, StoredEvent
from hansa.apps.food_trace.documents.xml_writer import (
    WordFormat,
    write_event_xml,
    write_results_xml,
)
from hansa.apps.food_trace.model.records import Capture
from hansa.apps.food_trace.routes.epcis.negotiation import (
    JSON_TYPES,
    Form,
    NotAcceptable,
    answer_headers,
    check_versions,
    choose_media,
    read_form,
)
from hansa.apps.food_trace.routes.epcis.problems import refuse
from hansa.apps.food_trace.timestamps import format_time

Run = Callable[[Desk, Asking], Reply]
SIMPLE: Final = "SimpleEventQuery"
_encoder: Final = msgspec.json.Encoder()


def guarded(run: Run) -> Run:
    """A route for members only: strangers see none of it; what cannot be given is 406."""

    def serve(desk: Desk, asking: Asking) -> Reply:
        if desk.viewer.is_stranger:
            raise refuse(
                401,
                "sign_in_first",
                "EPCIS events are shown to the members whom they concern.",
                remedy="Send a client's token or a session's as `Authorization: Bearer TOKEN`.",
                headers={"www-authenticate": "Bearer"},
            )
        return tolerant(run)(desk, asking)

    return serve


def tolerant(run: Run) -> Run:
    """A route for anybody; what cannot be given is 406."""

    def serve(desk: Desk, asking: Asking) -> Reply:
        try:
            return run(desk, asking)
        except NotAcceptable as error:
            raise refuse_form(error) from error

    return serve


def refuse_form(error: NotAcceptable) -> Trouble:
    """What the client asks for cannot be given."""
    return refuse(406, "not_acceptable", f"{error}.", remedy="Ask OPTIONS of this address.")


def answer_json(
    asking: Asking, value: Any, headers: tuple[tuple[str, str], ...] = (), status: int = 200
) -> Reply:
    """A JSON document. Raises NotAcceptable."""
    check_versions(asking.headers)
    media = choose_media(asking.headers.get("accept", ""), JSON_TYPES)
    return Reply(status, _encoder.encode(value), media, (*answer_headers(), *headers))


def answer_collection(
    asking: Asking, members: Sequence[str], headers: tuple[tuple[str, str], ...] = ()
) -> Reply:
    """A collection of names or identifiers."""
    value = {"@context": CONTEXT_URL, "type": "Collection", "member": list(members)}
    return answer_json(asking, value, headers)


def answer_events(
    desk: Desk,
    asking: Asking,
    captures: Sequence[Capture],
    query_name: str,
    headers: tuple[tuple[str, str], ...] = (),
) -> Reply:
    """An EPCISQueryDocument in the form that the request asks for. Raises NotAcceptable."""
    form = read_form(asking.headers)
    body = write_results(captures, form, desk.now_ms, query_name)
    return Reply(200, body, form.media, (*answer_headers(), *headers))


def write_results(
    captures: Sequence[Capture],
    form: Form,
    now_ms: int,
    query_name: str,
    subscription: str = "",
) -> bytes:
    """The bytes of an EPCISQueryDocument."""
    stored = [StoredEvent(each.document, each.recorded_ms) for each in captures]
    created, keys = format_time(now_ms), find_keys(form)
    if form.is_xml:
        words = find_words(form)
        return write_results_xml(stored, created, query_name, subscription, words, keys)
    return write_results_json(stored, created, query_name, subscription, keys)


def write_event(capture: Capture, form: Form) -> bytes:
    """One event by itself."""
    stored, keys = StoredEvent(capture.document, capture.recorded_ms), find_keys(form)
    if form.is_xml:
        return write_event_xml(stored, find_words(form), keys)
    return write_event_json(stored, keys)


def find_words(form: Form) -> WordFormat:
    """How words of CBV are written in XML."""
    return "web" if form.cbv_format == "Always_Web_URI" else "urn"


def find_keys(form: Form) -> KeyFormat:
    """How identifiers are written."""
    return "digital_link" if form.epc_format == "Always_GS1_Digital_Link" else "given"


def write_job_xml(job: dict[str, Any]) -> bytes:
    """A capture job in XML, as the standard's example has it."""
    attributes = "".join(
        f" {name}={quoteattr(_format(job[name]))}" for name in ("running", "success", "captureID")
    )
    names = ("captureErrorBehaviour", "createdAt", "finishedAt")
    parts = "".join(f"<{name}>{escape(str(job[name]))}</{name}>" for name in names if name in job)
    errors = "".join(f"<error>{_write_error(each)}</error>" for each in job["errors"])
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<epcis:EPCISCaptureJob xmlns:epcis="urn:epcglobal:epcis:xsd:2"{attributes}>'
        f"{parts}<errors>{errors}</errors></epcis:EPCISCaptureJob>"
    ).encode()


def _write_error(error: dict[str, Any]) -> str:
    return "".join(f"<{name}>{escape(_format(value))}</{name}>" for name, value in error.items())


def _format(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

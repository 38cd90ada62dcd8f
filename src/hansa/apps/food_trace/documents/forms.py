"""An EPCIS document as the form of `CaptureEvent`: one body for each of its events. Pure."""

from hansa.appkit.files import FileFault, FileRead
from hansa.apps.food_trace.documents.importers import read_document
from hansa.apps.food_trace.documents.rulebook import DocumentRefused

_KINDS = frozenset({"capture", "event"})


def read_for_form(data: bytes) -> FileRead:
    """The normal documents of a capture document's events, or every fault."""
    try:
        document = read_document(data)
    except DocumentRefused as refused:
        return FileRead(faults=(FileFault(refused.rule, "fatal", refused.path, refused.text),))
    faults = tuple(
        FileFault(each.rule, each.flag, each.path, each.text) for each in document.all_failures()
    )
    if document.kind not in _KINDS:
        text = f"this is no capture document but: {document.kind.replace('_', ' ')}"
        return FileRead(faults=(FileFault("CAPTURE-KIND", "fatal", "/", text), *faults))
    if not document.is_valid:
        return FileRead(faults=faults)
    return FileRead(tuple({"document": each.document} for each in document.events), faults)

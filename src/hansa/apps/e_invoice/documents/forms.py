"""An invoice document as the form of `IssueInvoice`: what goes on chain of it. Pure.

Who a party is on the ledger is guessed from the document's own identifiers; the person corrects it.
The commitment is made where the document is, never here.
"""

import msgspec

from hansa.appkit.files import FileFault, FileRead
from hansa.apps.e_invoice.commands.parties import find_own
from hansa.apps.e_invoice.document import InexactNumber
from hansa.apps.e_invoice.documents.check import check_document
from hansa.apps.e_invoice.documents.importers import import_document
from hansa.apps.e_invoice.documents.xml_source import DocumentRefused
from hansa.apps.e_invoice.issue import build_issue_message


def read_for_form(data: bytes) -> FileRead:
    """One body of IssueInvoice, without commitment, or every broken rule."""
    report = check_document(data, "")
    faults = tuple(
        FileFault(each.rule, each.flag, each.path, each.text) for each in report.failures
    )
    if report.verdict != "valid":
        return FileRead(faults=faults)
    try:
        document = import_document(data)
        message = build_issue_message(
            document,
            seller=find_own(document.seller) or "",
            buyer=find_own(document.buyer) or "",
            commitment="",
        )
    except DocumentRefused as refused:
        return FileRead(faults=(FileFault(refused.rule, "fatal", "/", refused.text),))
    except InexactNumber as number:
        text = f"a rate with over 4 decimals: {number}"
        return FileRead(faults=(FileFault("RATE-TOO-FINE", "fatal", "/", text),))
    return FileRead(bodies=(msgspec.to_builtins(message),), faults=faults)

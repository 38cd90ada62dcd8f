"""A file of any syntax we read as an InvoiceDocument. Pure: takes bytes, touches nothing."""

import msgspec

from hansa.apps.e_invoice.document import InvoiceDocument
from hansa.apps.e_invoice.documents.cii import convert_cii
from hansa.apps.e_invoice.documents.fapiao import import_fapiao
from hansa.apps.e_invoice.documents.sources import read_source
from hansa.apps.e_invoice.documents.ubl import import_ubl
from hansa.apps.e_invoice.documents.xml_source import DocumentRefused


def import_document(data: bytes) -> InvoiceDocument:
    """UBL Invoice or CreditNote, CII D16B, or 数电票 (also in a zip) as the neutral document.

    Imports only; whether the rules hold is `check_document`'s. Raises DocumentRefused.
    """
    source = read_source(data)
    if source.syntax == "fapiao":
        return import_fapiao(source.root)
    if source.syntax == "ubl":
        return import_ubl(source.root)
    converted = convert_cii(source.root)
    try:
        document = import_ubl(converted.root)
    except DocumentRefused as refused:
        place = converted.find_origin(refused.path)
        raise DocumentRefused(refused.rule, refused.text, place) from None
    return msgspec.structs.replace(document, syntax="cii")

"""A file of either syntax as a document with normal events. Pure: takes bytes, touches nothing."""

from hansa.apps.food_trace.documents.document import EpcisDocument
from hansa.apps.food_trace.documents.json import read_json
from hansa.apps.food_trace.documents.names import EPCIS_CONTEXT, Context
from hansa.apps.food_trace.documents.rulebook import DocumentRefused
from hansa.apps.food_trace.documents.xml import read_xml

_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def read_document(data: bytes, context: Context = EPCIS_CONTEXT) -> EpcisDocument:
    """JSON-LD or XML, by its first character. Raises DocumentRefused when it can't be read.

    `context` holds prefixes that a request's headers define, for JSON.
    """
    start = data[:64]
    for bom in _BOMS:
        start = start.removeprefix(bom)
    first = start.replace(b"\x00", b"").lstrip()[:1]
    if first == b"<":
        return read_xml(data)
    if first in (b"{", b"["):
        return read_json(data, context)
    if not data.strip():
        raise DocumentRefused("FORMAT-UNKNOWN", "the file is empty")
    raise DocumentRefused("FORMAT-UNKNOWN", "this is neither JSON nor XML")

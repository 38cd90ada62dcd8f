"""What kind of invoice a file is: UBL, CII or the Chinese 数电票, also wrapped in a zip. Pure."""

import io
import zipfile
import zlib
from typing import Literal

import msgspec
from lxml import etree

from hansa.apps.e_invoice.documents.xml_source import (
    DOCUMENT_BYTES_MAX,
    DocumentRefused,
    format_name,
    parse_xml,
)

Syntax = Literal["ubl", "cii", "fapiao"]

# A tax platform's archive holds the XML beside a PDF and an OFD.
ZIP_ENTRIES_MAX = 64
# How each entry of a zip's directory begins: counted before any is read.
_ZIP_ENTRY = b"PK\x01\x02"
# Of other methods a few bytes may unpack to gigabytes at one stroke: only these stop at a bound.
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_ROOTS: dict[str, Syntax] = {
    f"{{{_UBL}Invoice-2}}Invoice": "ubl",
    f"{{{_UBL}CreditNote-2}}CreditNote": "ubl",
    "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice": "cii",
    "EInvoice": "fapiao",
}


class Source(msgspec.Struct, frozen=True):
    """A parsed file: its syntax, its root, and the XML as it was (out of its zip)."""

    syntax: Syntax
    root: etree._Element
    content: bytes


def read_source(data: bytes) -> Source:
    """Raises DocumentRefused: `XML-…`, `ZIP-…` or `FORMAT-UNKNOWN`."""
    content = _unwrap(data) if data.startswith(b"PK\x03\x04") else data
    if content.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"PK")):
        raise DocumentRefused("FORMAT-UNKNOWN", "this is not XML: an invoice is read from its XML")
    root = parse_xml(content)
    syntax = _ROOTS.get(str(root.tag))
    if syntax is None:
        raise DocumentRefused(
            "FORMAT-UNKNOWN",
            f"the root element {format_name(str(root.tag))[:80]!r} is not a UBL Invoice or "
            "CreditNote, a CII CrossIndustryInvoice or an EInvoice",
            "/" + format_name(str(root.tag))[:80],
        )
    return Source(syntax, root, content)


def _unwrap(data: bytes) -> bytes:
    """The one XML file of a zip."""
    if data.count(_ZIP_ENTRY) > ZIP_ENTRIES_MAX:
        raise DocumentRefused("ZIP-TOO-LARGE", f"more than {ZIP_ENTRIES_MAX} files in it")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = [each for each in archive.infolist() if each.filename.lower().endswith(".xml")]
            if len(found) != 1:
                raise DocumentRefused(
                    "ZIP-NOT-ONE-INVOICE",
                    f"{len(found)} XML files in the zip: unpack it and name the invoice",
                )
            if found[0].compress_type not in _ZIP_METHODS:
                raise DocumentRefused("ZIP-BROKEN", "it is packed otherwise than by deflate")
            with archive.open(found[0]) as stream:
                content = stream.read(DOCUMENT_BYTES_MAX + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DocumentRefused("ZIP-BROKEN", str(error)[:200]) from None
    except (RuntimeError, ValueError, OSError) as error:
        # zipfile says RuntimeError for an encrypted entry, ValueError/OSError for odd offsets.
        raise DocumentRefused("ZIP-BROKEN", str(error)[:200]) from None
    if len(content) > DOCUMENT_BYTES_MAX:
        raise DocumentRefused("ZIP-TOO-LARGE", f"more than {DOCUMENT_BYTES_MAX} bytes unpacked")
    return content

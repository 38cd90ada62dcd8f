"""Files that no invoice software wrote: refused with a stable id and words, never a stack trace."""

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.apps.e_invoice.documents.check import check_document, format_report
from hansa.apps.e_invoice.documents.importers import import_document
from hansa.apps.e_invoice.documents.xml_source import (
    DEPTH_MAX,
    DOCUMENT_BYTES_MAX,
    ELEMENTS_MAX,
    DocumentRefused,
)
from tests.apps.e_invoice.documents_data import EN16931, EXAMPLES, FIXTURES

INVOICE = (EXAMPLES / "ubl-tc434-example3.xml").read_bytes()
FAPIAO = (FIXTURES / "fapiao-0.2-blue.xml").read_bytes()
NAMESPACES = (
    b'xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" '
    b'xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" '
    b'xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"'
)
BILLION_LAUGHS = (
    b'<!DOCTYPE lolz [<!ENTITY lol "lol">'
    + b"".join(b'<!ENTITY lol%d "%s">' % (n, b"&lol%d;" % (n - 1) * 10) for n in range(2, 10))
    + b"]><Invoice "
    + NAMESPACES
    + b">&lol9;</Invoice>"
)
EXTERNAL = (
    b'<!DOCTYPE Invoice [<!ENTITY file SYSTEM "file:///etc/passwd">]>'
    b"<Invoice " + NAMESPACES + b"><cbc:ID>&file;</cbc:ID></Invoice>"
)


def wrap(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return out.getvalue()


REFUSED = {
    "empty": (b"", "XML-NOT-WELL-FORMED"),
    "spaces": (b" \n", "XML-NOT-WELL-FORMED"),
    "text": (b"Dear sirs, please find enclosed", "XML-NOT-WELL-FORMED"),
    "cut short": (INVOICE[:-200], "XML-NOT-WELL-FORMED"),
    "control character": (INVOICE.replace(b"TOSL108", b"\x01"), "XML-NOT-WELL-FORMED"),
    "unbound prefix": (b"<x:Invoice/>", "XML-NOT-WELL-FORMED"),
    "billion laughs": (BILLION_LAUGHS, "XML-DOCTYPE"),
    "external entity": (EXTERNAL, "XML-DOCTYPE"),
    "external entity in utf-16": (EXTERNAL.decode().encode("utf-16"), "XML-DOCTYPE"),
    "remote DTD": (
        b'<!DOCTYPE Invoice SYSTEM "http://127.0.0.1:1/x">' + INVOICE[38:],
        "XML-DOCTYPE",
    ),
    "undefined entity": (INVOICE.replace(b"TOSL108", b"&x;"), "XML-NOT-WELL-FORMED"),
    "latin-1 that says utf-8": (INVOICE.replace(b"TOSL108", b"\xe9"), "XML-ENCODING"),
    "unknown encoding": (INVOICE.replace(b"UTF-8", b"EBCDIC-1"), "XML-ENCODING"),
    "utf-32": (b"\xff\xfe\x00\x00" + b"<\x00\x00\x00", "XML-ENCODING"),
    "utf-16 cut": (INVOICE.decode().encode("utf-16")[:-1], "XML-ENCODING"),
    "utf-8 said, utf-16 sent": (INVOICE.decode().encode("utf-16"), "XML-ENCODING"),
    "latin-1 said, utf-8 mark": (
        b"\xef\xbb\xbf" + INVOICE.replace(b"UTF-8", b"ISO-8859-1"),
        "XML-ENCODING",
    ),
    "utf-16 said, utf-8 sent": (INVOICE.replace(b"UTF-8", b"UTF-16"), "XML-ENCODING"),
    "too deep": (b"<a>" * (DEPTH_MAX + 1) + b"</a>" * (DEPTH_MAX + 1), "XML-TOO-DEEP"),
    "too many elements": (b"<a>" + b"<b/>" * ELEMENTS_MAX + b"</a>", "XML-TOO-LARGE"),
    "too many attributes": (
        b"<a " + b" ".join(b'a%d=""' % n for n in range(100)) + b"/>",
        "XML-TOO-LARGE",
    ),
    "too many payees": (
        b"<Invoice " + NAMESPACES + b">" + b"<cac:PayeeParty/>" * 1001 + b"</Invoice>",
        "XML-TOO-LARGE",
    ),
    "too many rates": (
        b"<Invoice "
        + NAMESPACES
        + b"><cac:TaxTotal>"
        + b"<cac:TaxSubtotal/>" * 201
        + b"</cac:TaxTotal></Invoice>",
        "XML-TOO-LARGE",
    ),
    "too large": (b"<a>" + b"x" * DOCUMENT_BYTES_MAX + b"</a>", "XML-TOO-LARGE"),
    "another vocabulary": (b"<html/>", "FORMAT-UNKNOWN"),
    "a UBL order": (
        b'<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"/>',
        "FORMAT-UNKNOWN",
    ),
    "an invoice without its namespace": (b"<Invoice/>", "FORMAT-UNKNOWN"),
    "a set of rule tests": (
        (EN16931 / "unit-invoice-ubl/BR-16.xml").read_bytes(),
        "FORMAT-UNKNOWN",
    ),
    "PDF": (b"%PDF-1.7 ...", "FORMAT-UNKNOWN"),
    "zip without XML": (wrap(("a.pdf", b"%PDF")), "ZIP-NOT-ONE-INVOICE"),
    "zip with two": (wrap(("a.xml", FAPIAO), ("b.xml", FAPIAO)), "ZIP-NOT-ONE-INVOICE"),
    "zip of many": (wrap(*((f"{n}.txt", b"") for n in range(65))), "ZIP-TOO-LARGE"),
    "zip bomb": (wrap(("a.xml", b" " * (DOCUMENT_BYTES_MAX + 2))), "ZIP-TOO-LARGE"),
    "zip by bzip2": (wrap(("a.xml", FAPIAO), method=zipfile.ZIP_BZIP2), "ZIP-BROKEN"),
    "zip by lzma": (wrap(("a.xml", FAPIAO), method=zipfile.ZIP_LZMA), "ZIP-BROKEN"),
    "zip in a zip": (wrap(("a.xml", wrap(("b.xml", FAPIAO)))), "FORMAT-UNKNOWN"),
    "broken zip": (wrap(("a.xml", FAPIAO))[:200], "ZIP-BROKEN"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_no_invoice_is_refused_by_name(name: str) -> None:
    data, rule = REFUSED[name]
    report = check_document(data, "x.xml")
    assert report.verdict == "unjudged"
    assert [(failure.rule, failure.flag) for failure in report.failures] == [(rule, "fatal")]
    assert report.failures[0].text
    assert "root:" not in report.failures[0].text
    if name not in ("too many payees", "too many rates"):
        with pytest.raises(DocumentRefused) as refused:
            import_document(data)
        assert refused.value.rule == rule


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_an_invoice_in_another_encoding_is_the_same_invoice(codec: str) -> None:
    text = INVOICE.decode()
    data = text.replace("UTF-8", "UTF-16" if "16" in codec else "UTF-8").encode(codec)
    assert check_document(data, "x.xml").verdict == "valid"
    assert import_document(data) == import_document(INVOICE)


@pytest.mark.parametrize("codec", ["gbk", "gb2312", "gb18030"])
def test_a_chinese_invoice_in_a_chinese_encoding_is_the_same_invoice(codec: str) -> None:
    data = FAPIAO.decode().replace("UTF-8", codec).encode(codec)
    assert check_document(data, "x.xml").verdict == "valid"
    assert import_document(data) == import_document(FAPIAO)


def test_latin_1_that_says_so_is_read() -> None:
    data = INVOICE.decode().replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert check_document(data, "x.xml").verdict == "valid"


def test_a_zipped_invoice_is_the_same_invoice() -> None:
    data = wrap(("dzfp.pdf", b"%PDF"), ("dzfp.xml", FAPIAO))
    assert import_document(data) == import_document(FAPIAO)
    assert check_document(data, "x.zip").verdict == "valid"


def test_comments_and_instructions_change_nothing() -> None:
    marked = INVOICE.replace(b"TOSL108", b"TOSL<!-- <!DOCTYPE x> --><?x y?>108")
    assert import_document(marked) == import_document(INVOICE)
    assert check_document(marked, "x.xml").verdict == "valid"


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_damage_to_the_bytes_gets_out_as_anything_but_a_report(data: st.DataObject) -> None:
    raw = bytearray(
        data.draw(
            st.sampled_from(
                (INVOICE, FAPIAO, wrap(("a.xml", FAPIAO)), INVOICE.decode().encode("utf-16"))
            )
        )
    )
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    report = check_document(bytes(raw), "x.xml")
    assert report.verdict in ("valid", "invalid", "unjudged")
    assert report.verdict == "valid" or report.failures


def test_control_characters_of_a_file_never_reach_a_terminal() -> None:
    hostile = INVOICE.replace(b">125<", b">1\xc2\x9b31m25\xe2\x80\xae<").replace(
        b"<cbc:Percent>25", b"<cbc:Percent>\xc2\x9b2J"
    )
    report = check_document(hostile, "a\x1b[31m.xml")
    for line in format_report(report):
        assert line.isprintable()


@pytest.mark.slow
def test_the_largest_document_is_judged_in_seconds() -> None:
    """Thousands of lines, each breaking rules: linear work, not quadratic."""
    line = (
        b"<cac:InvoiceLine>"
        + b"<cac:Item><cac:ClassifiedTaxCategory/></cac:Item>" * 2
        + b"</cac:InvoiceLine>"
    )
    data = b"<Invoice " + NAMESPACES + b">" + line * 5000 + b"</Invoice>"
    report = check_document(data, "x.xml")
    assert sum(failure.rule == "BR-21" for failure in report.failures) == 5000

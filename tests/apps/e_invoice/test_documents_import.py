"""UBL and CII files as the neutral document: exact integers, the same from both syntaxes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from hansa.apps.e_invoice.document import (
    Identifier,
    InexactNumber,
    InvoiceDocument,
    Preceding,
    Scaled,
    format_amount,
    format_scaled,
    parse_amount,
    parse_rounded,
    parse_scaled,
)
from hansa.apps.e_invoice.documents.importers import import_document
from hansa.apps.e_invoice.documents.xml_source import DocumentRefused
from tests.apps.e_invoice.documents_data import EN16931, EXAMPLES

FILES = sorted((*EN16931.glob("*-examples/*.xml"), *EXAMPLES.glob("*.xml")))


def load(name: str) -> InvoiceDocument:
    return import_document((EN16931 / name).read_bytes())


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_example_is_imported_and_adds_up(file) -> None:
    document = import_document(file.read_bytes())
    total = document.totals
    assert sum(line.net for line in document.lines) == total.lines
    assert sum(each.amount for each in document.allowances) == total.allowances
    assert sum(each.amount for each in document.charges) == total.charges
    assert total.lines - total.allowances + total.charges == total.without_vat
    assert sum(each.tax for each in document.vat) == total.vat
    assert total.without_vat + total.vat == total.with_vat
    assert total.with_vat - total.paid + total.rounding == total.due
    assert document.number and document.issue_date and document.seller.name
    assert document.syntax == file.parent.name[:3] or file.parent == EXAMPLES


def test_an_invoice_field_by_field() -> None:
    document = load("ubl-examples/ubl-tc434-example2.xml")
    assert (document.kind, document.type_code, document.number) == ("invoice", "380", "TOSL108")
    assert (document.issue_date, document.due_date) == ("2013-06-30", "2013-07-20")
    assert (document.currency, document.tax_currency) == ("NOK", "")
    assert document.seller.legal_id == Identifier("", "123456789")
    assert document.seller.vat_id == "NO123456789MVA"
    assert document.seller.identifiers == (Identifier("0088", "1238764941386"),)
    assert document.seller.country == "NO"
    assert [each.amount for each in document.allowances] == [10000]
    assert [each.amount for each in document.charges] == [10000]
    line = document.lines[0]
    assert (line.id, line.quantity, line.unit) == ("1", Scaled(2), "EA")
    assert (line.net, line.price, line.base_quantity) == (127300, Scaled(1273), Scaled(1))
    assert (line.category, line.rate) == ("S", Scaled(25))
    assert (line.allowances, line.charges) == ((1200,), (1200,))
    assert (document.totals.paid, document.totals.due) == (100000, 80178)


def test_a_credit_note_is_one() -> None:
    document = load("ubl-examples/ubl-tc434-creditnote1.xml")
    assert (document.kind, document.type_code) == ("credit_note", "381")


def test_the_preceding_invoice_is_named() -> None:
    assert load("ubl-examples/ubl-tc434-example5.xml").preceding == (
        Preceding("TOSL109", "2013-03-10"),
    )
    assert load("cii-examples/CII_example5.xml").preceding == (Preceding("TOSL109", "2013-03-10"),)


@pytest.mark.parametrize("number", [4, 5])
def test_cii_and_ubl_of_one_invoice_say_the_same(number: int) -> None:
    """The publishers wrote examples 4 and 5 in both syntaxes (with other unit codes)."""
    ours = load(f"ubl-examples/ubl-tc434-example{number}.xml")
    theirs = load(f"cii-examples/CII_example{number}.xml")
    for name in ("number", "type_code", "kind", "issue_date", "due_date", "currency", "totals"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert [(line.id, line.net, line.price, line.rate) for line in ours.lines] == [
        (line.id, line.net, line.price, line.rate) for line in theirs.lines
    ]
    assert [(each.category, each.taxable, each.tax) for each in ours.vat] == [
        (each.category, each.taxable, each.tax) for each in theirs.vat
    ]


def test_the_vat_total_in_the_tax_currency_is_apart() -> None:
    data = (EXAMPLES / "ubl-tc434-example3.xml").read_bytes()
    root = etree.fromstring(data)
    name = root.find("{*}DocumentCurrencyCode")
    extra = etree.SubElement(root, name.tag.replace("DocumentCurrency", "TaxCurrency"))
    extra.text = "EUR"
    total = etree.fromstring(etree.tostring(root.find("{*}TaxTotal")))
    for child in list(total)[1:]:
        total.remove(child)
    total[0].text, total[0].attrib["currencyID"] = "12.34", "EUR"
    root.append(total)
    document = import_document(etree.tostring(root))
    assert document.totals.vat_accounting == 1234
    assert document.totals.vat == import_document(data).totals.vat


REFUSALS = [
    ("LegalMonetaryTotal/PayableAmount", "1.005", "IMPORT-AMOUNT"),
    ("LegalMonetaryTotal/PayableAmount", "1e3", "IMPORT-AMOUNT"),
    ("LegalMonetaryTotal/PayableAmount", "", "IMPORT-AMOUNT"),
    ("LegalMonetaryTotal/PayableAmount", "90071992547409.92", "IMPORT-AMOUNT"),
    ("InvoiceLine/InvoicedQuantity", "NaN", "IMPORT-NUMBER"),
    ("InvoiceLine/Item/ClassifiedTaxCategory/Percent", "٢٥", "IMPORT-NUMBER"),
    ("IssueDate", "2013-13-01", "IMPORT-DATE"),
    ("IssueDate", "30.06.2013", "IMPORT-DATE"),
]


@pytest.mark.parametrize(("path", "text", "rule"), REFUSALS)
def test_an_inexact_value_is_refused_at_its_place(path: str, text: str, rule: str) -> None:
    root = etree.parse(str(EXAMPLES / "ubl-tc434-example3.xml")).getroot()
    root.find("/".join("{*}" + step for step in path.split("/"))).text = text
    with pytest.raises(DocumentRefused) as refused:
        import_document(etree.tostring(root))
    assert refused.value.rule == rule
    assert refused.value.path.rpartition(":")[2].startswith(path.rpartition("/")[2])


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_amounts_round_trip(amount: int) -> None:
    assert parse_amount(format_amount(amount)) == amount


@given(st.integers(-(2**53) + 1, 2**53 - 1), st.integers(0, 12))
def test_exact_numbers_round_trip_and_are_equal_when_equal(value: int, scale: int) -> None:
    text = format_scaled(Scaled(value, scale))
    found = parse_scaled(text)
    assert found.value * 10**scale == value * 10**found.scale
    assert found.scale == 0 or found.value % 10
    assert parse_scaled(text + ("0" if "." in text else ".0")) == found
    assert parse_rounded(text) == found


@pytest.mark.parametrize("text", ["", ".", "-", "1,5", "1e2", "0x1", "1_0", "١", "--1", "1 0"])
def test_what_is_not_a_decimal_is_refused(text: str) -> None:
    for parse in (parse_scaled, parse_amount, parse_rounded):
        with pytest.raises(InexactNumber):
            parse(text)


def test_a_price_with_more_places_than_fit_is_rounded_half_away_from_zero() -> None:
    assert parse_rounded("943.3962264150943396") == Scaled(943396226415094, 12)
    assert parse_rounded("-0.0000000000005") == Scaled(-1, 12)
    assert parse_rounded("9007199254740990.6") == Scaled(9007199254740991)
    with pytest.raises(InexactNumber):
        parse_rounded("9007199254740991.5")
    with pytest.raises(InexactNumber):
        parse_scaled("943.3962264150943396")

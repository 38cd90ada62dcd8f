"""The published EN 16931 rules: every expectation and example of the people who publish them."""

import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from hansa.apps.e_invoice.documents.check import CheckReport, check_document
from tests.apps.e_invoice.documents_data import EN16931, EXAMPLES, read_expectations

EXAMPLE_FILES = sorted((*EN16931.glob("*-examples/*.xml"), *EXAMPLES.glob("*.xml")))
PLACE = re.compile(r"(/[A-Za-z:]+(\[[0-9]+\])?)*(/@[A-Za-z]+)?\Z")


@cache
def judge(fragment: bytes) -> CheckReport:
    return check_document(fragment, "fragment.xml")


@pytest.mark.parametrize(
    ("folder", "count"), [("unit-invoice-ubl", 551), ("unit-creditnote-ubl", 109)]
)
def test_every_published_expectation_is_met(folder: str, count: int) -> None:
    expectations = list(read_expectations(folder))
    wrong = []
    for expected in expectations:
        found = [f for f in judge(expected.fragment).failures if f.rule == expected.rule]
        flags = {failure.flag for failure in found}
        wanted = {"success": set(), "error": {"fatal"}, "warning": {"warning"}}[expected.outcome]
        if flags != wanted or expected.number not in (None, len(found)):
            wrong.append((expected.where, expected.outcome, expected.rule, found))
    assert wrong == []
    assert len(expectations) == count


@pytest.mark.parametrize("file", EXAMPLE_FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_published_example_is_valid(file) -> None:
    assert check_document(file.read_bytes(), file.name) == CheckReport(file.name, "valid", ())


def test_there_are_all_examples() -> None:
    assert len(EXAMPLE_FILES) == 17 + 7 + 16


def test_a_place_is_the_xpath_of_the_element() -> None:
    """Every place of every failure of every fragment is an XPath, and finds one element there."""
    names = {
        "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
        "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    }
    seen = set()
    for expected in (
        *read_expectations("unit-invoice-ubl"),
        *read_expectations("unit-creditnote-ubl"),
    ):
        root = etree.fromstring(expected.fragment)
        names["u"] = etree.QName(root).namespace
        for failure in judge(expected.fragment).failures:
            assert PLACE.match(failure.path), failure
            path = re.sub("^/(Invoice|CreditNote)", r"/u:\1", failure.path)
            seen.add(failure.rule)
            # an attribute that is missing has a place too
            found = root.xpath(path.partition("/@")[0], namespaces=names)
            assert len(found) == 1, failure
    assert len(seen) > 150


AMOUNTS = (
    ("LegalMonetaryTotal/LineExtensionAmount", "BR-CO-10"),
    ("LegalMonetaryTotal/TaxExclusiveAmount", "BR-CO-13"),
    ("LegalMonetaryTotal/TaxInclusiveAmount", "BR-CO-15"),
    ("LegalMonetaryTotal/PayableAmount", "BR-CO-16"),
    ("TaxTotal/TaxAmount", "BR-CO-14"),
)


@pytest.mark.parametrize(("path", "rule"), AMOUNTS)
@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.xml")), ids=lambda file: file.stem)
def test_a_tampered_total_breaks_its_rule_at_its_place(file, path: str, rule: str) -> None:
    root = etree.parse(str(file)).getroot()
    element = root.find("/".join("{*}" + step for step in path.split("/")))
    whole, _, cents = (element.text or "").partition(".")
    element.text = f"{int(whole) + 1}.{cents}"
    report = check_document(etree.tostring(root), "tampered.xml")
    assert report.verdict == "invalid"
    broken = {failure.rule: failure for failure in report.failures}
    assert broken[rule].flag == "fatal"
    assert "LegalMonetaryTotal" in broken[rule].path or "TaxTotal" in broken[rule].path


def test_a_cii_failure_names_the_cii_element() -> None:
    data = (EN16931 / "cii-examples/CII_example3.xml").read_bytes()
    broken = data.replace(b"<ram:DuePayableAmount>", b"<ram:DuePayableAmount>9")
    report = check_document(broken, "cii.xml")
    (failure,) = (failure for failure in report.failures if failure.rule == "BR-CO-16")
    assert report.verdict == "invalid"
    assert failure.path.endswith(
        "ram:SpecifiedTradeSettlementHeaderMonetarySummation/ram:DuePayableAmount"
    )
    assert failure.path.startswith("/rsm:CrossIndustryInvoice/rsm:SupplyChainTradeTransaction")


def test_a_cii_line_failure_has_the_lines_index() -> None:
    root = etree.parse(str(EN16931 / "cii-examples/CII_example4.xml")).getroot()
    line = root.findall(".//{*}IncludedSupplyChainTradeLineItem")[1]
    product = line.find("{*}SpecifiedTradeProduct")
    product.remove(product.find("{*}Name"))
    report = check_document(etree.tostring(root), "cii.xml")
    assert [(f.rule, f.flag) for f in report.failures] == [("BR-25", "fatal")]
    assert "ram:IncludedSupplyChainTradeLineItem[2]" in report.failures[0].path


def test_a_category_of_another_scheme_is_no_vat_category() -> None:
    """The published BR-47 and BR-48 count only categories whose scheme is VAT."""
    data = (EXAMPLES / "ubl-tc434-example3.xml").read_bytes()
    root = etree.fromstring(data)
    for scheme in root.iterfind("{*}TaxTotal/{*}TaxSubtotal/{*}TaxCategory/{*}TaxScheme/{*}ID"):
        scheme.text = "GST"
    rules = {failure.rule for failure in check_document(etree.tostring(root), "x").failures}
    assert {"BR-47", "BR-48"} <= rules


def test_a_code_is_asked_wherever_it_stands() -> None:
    """A credit note with an invoice's line: the code list rules look at every element."""
    fragment = b"""<CreditNote xmlns="urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"
      xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
      xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
      <cac:InvoiceLine><cac:Item><cac:ClassifiedTaxCategory><cbc:ID>QQ</cbc:ID>
      </cac:ClassifiedTaxCategory></cac:Item></cac:InvoiceLine></CreditNote>"""
    (found,) = (f for f in check_document(fragment, "x").failures if f.rule == "BR-CL-18")
    assert found.path == "/CreditNote/cac:InvoiceLine/cac:Item/cac:ClassifiedTaxCategory/cbc:ID"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_element_left_out_is_judged(data: st.DataObject) -> None:
    """A document with pieces missing or moved is judged; nothing else can come out."""
    files = [
        *EXAMPLES.glob("ubl-tc434-example[3-7].xml"),
        EN16931 / "cii-examples/CII_example5.xml",
    ]
    root = etree.parse(str(data.draw(st.sampled_from(sorted(files))))).getroot()
    elements = list(root.iterdescendants(etree.Element))
    for element in data.draw(st.lists(st.sampled_from(elements), min_size=1, max_size=5)):
        parent = element.getparent()
        match data.draw(st.sampled_from(("drop", "move", "empty", "text"))):
            case "drop" if parent is not None:
                parent.remove(element)
            case "move" if element is not root:
                root.append(element)
            case "empty":
                element.text = None
            case _:
                element.text = data.draw(st.sampled_from(("1e3", "-1", "NaN", "x", "9" * 70, "٣")))
    report = check_document(etree.tostring(root), "mutated.xml")
    assert report.verdict in ("valid", "invalid")
    assert all(failure.flag in ("fatal", "warning") for failure in report.failures)


TOTALS = "/Invoice/cac:LegalMonetaryTotal/"
SUBTOTAL = "/Invoice/cac:TaxTotal/cac:TaxSubtotal[2]"
LINE = "/Invoice/cac:InvoiceLine[2]"
PRICE = LINE + "/cac:Price/cbc:PriceAmount"
UNREADABLE = (
    ("LegalMonetaryTotal/PayableAmount", {"BR-CO-16": TOTALS + "cbc:PayableAmount"}),
    ("LegalMonetaryTotal/LineExtensionAmount", {
        "BR-CO-10": TOTALS + "cbc:LineExtensionAmount",
        "BR-CO-13": TOTALS + "cbc:TaxExclusiveAmount",
    }),
    ("TaxTotal/TaxAmount", {
        "BR-CO-14": "/Invoice/cac:TaxTotal/cbc:TaxAmount",
        "BR-CO-15": TOTALS + "cbc:TaxInclusiveAmount",
    }),
    ("TaxTotal/TaxSubtotal[2]/TaxableAmount", {"BR-CO-17": SUBTOTAL}),
    ("TaxTotal/TaxSubtotal[2]/TaxCategory/Percent", {"BR-CO-17": SUBTOTAL}),
    ("InvoiceLine[2]/Price/PriceAmount", {"UBL-NOT-A-NUMBER": PRICE, "BR-27": LINE}),
)  # fmt: skip


@pytest.mark.parametrize("amount", ["1,00", "", "1e2", "NaN", "１２", "abc"])
@pytest.mark.parametrize(("path", "wanted"), UNREADABLE, ids=[path for path, _ in UNREADABLE])
def test_what_cannot_be_computed_is_said_of_its_own_place(
    path: str, wanted: dict[str, str], amount: str
) -> None:
    root = etree.parse(str(EXAMPLES / "ubl-tc434-example4.xml")).getroot()
    element = root.find("/".join("{*}" + step for step in path.split("/")))
    element.text = amount
    report = check_document(etree.tostring(root), "amount.xml")
    found = {failure.rule: failure.path for failure in report.failures}
    if amount in ("1e2", "NaN"):
        wanted = {rule: place for rule, place in wanted.items() if rule != "BR-27"}  # 100 there
    assert {rule: found[rule] for rule in wanted} == wanted
    assert not any("AccountingCustomerParty" in place for place in found.values())

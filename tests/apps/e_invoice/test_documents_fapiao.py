"""The Chinese fully digitalised invoice: import, red letter, and every rule that it can break."""

import pytest

from hansa.apps.e_invoice.document import Identifier, Preceding, Scaled
from hansa.apps.e_invoice.documents.check import check_document
from hansa.apps.e_invoice.documents.importers import import_document
from hansa.apps.e_invoice.issue import build_issue_message
from tests.apps.e_invoice.documents_data import FIXTURES

BLUE = (FIXTURES / "fapiao-0.2-blue.xml").read_text(encoding="utf-8")
RATES = (FIXTURES / "fapiao-0.31-rates.xml").read_text(encoding="utf-8")
RED = (FIXTURES / "fapiao-0.31-red.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", [BLUE, RATES, RED], ids=("blue", "rates", "red"))
def test_a_whole_invoice_is_valid(text: str) -> None:
    report = check_document(text.encode(), "fapiao.xml")
    assert (report.verdict, report.failures) == ("valid", ())


def test_the_fields_go_where_en_16931_has_them() -> None:
    document = import_document(BLUE.encode())
    assert (document.syntax, document.kind, document.type_code) == ("fapiao", "invoice", "380")
    assert document.number == "26440000000000000001"
    assert (document.issue_date, document.currency) == ("2026-03-02", "CNY")
    assert document.seller.vat_id == "91440101MA00XXXX0A"
    assert document.seller.legal_id == Identifier("CN-USCC", "91440101MA00XXXX0A")
    assert document.buyer.legal_id == Identifier("CN-USCC", "91440300MA00XXXX19")
    (line,) = document.lines
    assert (line.net, line.rate, line.category) == (94340, Scaled(6), "S")
    assert line.price == Scaled(943396226415094, 12)
    totals = document.totals
    assert (totals.without_vat, totals.vat, totals.with_vat, totals.due) == (
        94340,
        5660,
        100000,
        100000,
    )


def test_the_amount_in_characters_goes_to_the_ledger_i9() -> None:
    document = import_document(BLUE.encode())
    assert document.capitals == "壹仟圆整"
    message = build_issue_message(document, seller="CN-USCC:1", buyer="CN-USCC:2", commitment="c")
    assert message.content.capitals == document.capitals


def test_the_breakdown_is_the_lines_by_rate_with_discounts_and_exemptions() -> None:
    document = import_document(RATES.encode())
    assert [(each.category, each.rate, each.taxable, each.tax) for each in document.vat] == [
        ("E", Scaled(), 6000, 0),
        ("S", Scaled(6), 10000, 600),
        ("S", Scaled(13), 300000, 39000),
    ]
    discount = document.lines[1]
    assert (discount.net, discount.quantity) == (-18584, Scaled(-1))
    assert document.buyer.legal_id is None  # a person has no number


def test_a_red_letter_is_a_credit_note_for_its_invoice() -> None:
    document = import_document(RED.encode())
    assert (document.kind, document.type_code) == ("credit_note", "381")
    assert document.preceding == (Preceding("26440000000000000001"),)
    assert document.totals == import_document(BLUE.encode()).totals
    assert document.lines[0].quantity == Scaled(1)


def test_a_red_letter_that_says_it_in_the_remark_only() -> None:
    begin, _, rest = RED.partition("    <SpecificInformation>")
    text = begin + rest.partition("</SpecificInformation>\n")[2].replace(
        "<Remark/>",
        "<Remark>被红冲蓝字数电票号码：26440000000000000001 红字发票信息确认单编号：1</Remark>",
    )
    assert import_document(text.encode()).preceding == (Preceding("26440000000000000001"),)


def test_a_nil_line_is_no_line() -> None:
    nil = (
        '<IssuItemInformation xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:nil="true"/>'
    )
    text = BLUE.replace("    <AdditionalInformation>", nil + "<AdditionalInformation>")
    assert import_document(text.encode()) == import_document(BLUE.encode())


BROKEN = [
    (BLUE, "<TotalAmWithoutTax>943.40", "<TotalAmWithoutTax>943.41", {"CN-TOTAL-NET", "CN-TOTAL"}),
    (BLUE, "<TotalTaxAm>56.60", "<TotalTaxAm>56.61", {"CN-TOTAL-TAX", "CN-TOTAL"}),
    (
        BLUE,
        "<TotalTax-includedAmount>1000.00",
        "<TotalTax-includedAmount>1000.01",
        {"CN-TOTAL", "CN-CAPITALS"},
    ),
    (BLUE, "<TotalTaxAm>56.60", "<TotalTaxAm>56.605", {"CN-TOTAL-NUMBER"}),
    (BLUE, "壹仟圆整", "壹仟零壹圆整", {"CN-CAPITALS"}),
    (BLUE, "壹仟圆整", "1000.00", {"CN-CAPITALS"}),
    (BLUE, "91440101MA00XXXX0A", "91440101MA00XXXX0B", {"CN-IDENTIFIER"}),
    (BLUE, "<SellerIdNum>91440101MA00XXXX0A", "<SellerIdNum>", {"CN-IDENTIFIER"}),
    (BLUE, "<SellerName>虚构销售有限公司", "<SellerName>", {"CN-NAME"}),
    (BLUE, "InvoiceNumber>26440000000000000001", "InvoiceNumber>2644", {"CN-NUMBER"}),
    (BLUE, "<EIid>26440000000000000001", "<EIid>26440000000000000009", {"CN-NUMBER"}),
    (BLUE, "<Version>0.2", "<Version>9.9", {"CN-VERSION"}),
    (BLUE, "<IssueTime>2026-03-02", "<IssueTime>02.03.2026", {"CN-DATE"}),
    (BLUE, "<LabelCode>Y", "<LabelCode>Q", {"CN-ISSUE-TYPE"}),
    (BLUE, "<Quantity>1<", "<Quantity>2<", {"CN-LINE-AMOUNT"}),
    (BLUE, "<TaxRate>0.06", "<TaxRate>0.13", {"CN-LINE-TAX"}),
    (BLUE, "<TaxRate>0.06", "<TaxRate>免税", {"CN-LINE-TAX"}),
    (BLUE, "<TaxRate>0.06", "<TaxRate>six", {"CN-LINE-NUMBER"}),
    (BLUE, "<Amount>943.40", "<Amount>943.4x", {"CN-LINE-NUMBER"}),
    (BLUE, "<TotaltaxIncludedAmount>1000.00", "<TotaltaxIncludedAmount>999.00", {"CN-LINE-TOTAL"}),
    (BLUE, "IssuItemInformation", "OtherInformation", {"CN-LINE", "CN-TOTAL-NET", "CN-TOTAL-TAX"}),
    (RED, "<OriginalInvoiceCode>26440000000000000001", "<OriginalInvoiceCode>", {"CN-RED"}),
    (RED, "<LabelCode>N", "<LabelCode>Y", {"CN-SIGN"}),
    (BLUE, "<LabelCode>Y", "<LabelCode>N", {"CN-SIGN", "CN-RED"}),
]


@pytest.mark.parametrize(("text", "old", "new", "rules"), BROKEN, ids=range(len(BROKEN)))
def test_a_broken_rule_is_named(text: str, old: str, new: str, rules: set[str]) -> None:
    assert old in text
    report = check_document(text.replace(old, new).encode(), "fapiao.xml")
    assert {failure.rule for failure in report.failures} == rules
    assert report.verdict == ("valid" if rules == {"CN-VERSION"} else "invalid")
    assert all(failure.path.startswith("/EInvoice") for failure in report.failures)

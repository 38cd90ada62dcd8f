"""A UBL 2.1 Invoice or CreditNote as an InvoiceDocument, in exact integers. Pure.

Asks only what the neutral document needs; the published rules are `check.py`'s.
"""

import re
from collections.abc import Callable, Iterator

from lxml import etree

from hansa.apps.e_invoice.document import (
    Adjustment,
    Identifier,
    InexactNumber,
    InvoiceDocument,
    Line,
    Party,
    Preceding,
    Scaled,
    Totals,
    VatBreakdown,
    parse_amount,
    parse_rounded,
    parse_scaled,
)
from hansa.apps.e_invoice.documents.xml_source import DocumentRefused, Places, get_name
from hansa.apps.e_invoice.model.content import CREDIT_NOTE_CODES

_DATE = re.compile(r"([0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))(?:Z|[+-]\d\d:\d\d)?\Z")


class Reader:
    """Reads values out of a tree and names the place of what is missing or inexact."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self._places: Places | None = None

    def refuse(self, rule: str, text: str, element: etree._Element) -> DocumentRefused:
        """The refusal of a value at an element's place."""
        self._places = self._places or Places(self._root)
        return DocumentRefused(rule, text, self._places.of(element))

    def text(self, parent: etree._Element, path: str) -> str:
        """Trimmed text of the first element at `path` (local names), "" when there is none."""
        found = self.first(parent, path)
        return (found.text or "").strip() if found is not None else ""

    def first(self, parent: etree._Element, path: str) -> etree._Element | None:
        """The first element at `path`."""
        return next(self.all(parent, path), None)

    def all(self, parent: etree._Element, path: str) -> Iterator[etree._Element]:
        """Every element at `path`, a path of local names."""
        return parent.iterfind("/".join("{*}" + step for step in path.split("/")))

    def need(self, parent: etree._Element, path: str) -> etree._Element:
        """The element at `path`. Raises DocumentRefused when there is none."""
        found = self.first(parent, path)
        if found is None:
            raise self.refuse("IMPORT-MISSING", f"there is no {path}", parent)
        return found

    def amount(self, parent: etree._Element, path: str, *, needed: bool = True) -> int:
        """Hundredths. What is not needed and not there is zero."""
        if not needed and self.first(parent, path) is None:
            return 0
        element = self.need(parent, path)
        try:
            return parse_amount(element.text or "")
        except InexactNumber:
            raise self.refuse(
                "IMPORT-AMOUNT", f"{(element.text or '')[:40]!r} has no exact hundredths", element
            ) from None

    def scaled(
        self,
        parent: etree._Element,
        path: str,
        default: Scaled | None = None,
        parse: Callable[[str], Scaled] = parse_scaled,
    ) -> Scaled:
        """An exact decimal; `default` when there is none. `parse` may round (parse_rounded)."""
        if default is not None and not self.text(parent, path):
            return default
        element = self.need(parent, path)
        try:
            return parse(element.text or "")
        except InexactNumber:
            raise self.refuse(
                "IMPORT-NUMBER", f"{(element.text or '')[:40]!r} is no exact number", element
            ) from None

    def date(self, parent: etree._Element, path: str) -> str:
        """`YYYY-MM-DD` (a time zone is dropped), "" when there is none."""
        element = self.first(parent, path)
        if element is None or not (element.text or "").strip():
            return ""
        found = _DATE.match((element.text or "").strip())
        if found is None:
            raise self.refuse("IMPORT-DATE", f"{(element.text or '')[:40]!r} is no date", element)
        return found[1]


def import_ubl(root: etree._Element) -> InvoiceDocument:
    """Raises DocumentRefused (`IMPORT-…`) where a value is missing, inexact or not a date."""
    read = Reader(root)
    is_note = get_name(root) == "CreditNote"
    type_code = read.text(root, "CreditNoteTypeCode" if is_note else "InvoiceTypeCode")
    currency = read.need(root, "DocumentCurrencyCode").text or ""
    tax_currency = read.text(root, "TaxCurrencyCode")
    adjustments = [_read_adjustment(read, each) for each in read.all(root, "AllowanceCharge")]
    due = read.date(root, "DueDate") or read.date(root, "PaymentMeans/PaymentDueDate")
    return InvoiceDocument(
        syntax="ubl",
        kind="credit_note" if is_note or type_code in CREDIT_NOTE_CODES else "invoice",
        type_code=type_code,
        number=(read.need(root, "ID").text or "").strip(),
        issue_date=read.date(root, "IssueDate"),
        due_date=due,
        currency=currency.strip(),
        tax_currency=tax_currency,
        seller=_read_party(read, root, "AccountingSupplierParty/Party"),
        buyer=_read_party(read, root, "AccountingCustomerParty/Party"),
        preceding=tuple(
            Preceding(read.text(each, "ID"), read.date(each, "IssueDate"))
            for each in read.all(root, "BillingReference/InvoiceDocumentReference")
        ),
        lines=tuple(
            _read_line(read, each, is_note=is_note)
            for each in read.all(root, "CreditNoteLine" if is_note else "InvoiceLine")
        ),
        allowances=tuple(found for is_charge, found in adjustments if not is_charge),
        charges=tuple(found for is_charge, found in adjustments if is_charge),
        vat=tuple(_read_vat(read, each) for each in read.all(root, "TaxTotal/TaxSubtotal")),
        totals=_read_totals(read, root, currency.strip(), tax_currency),
        specification=read.text(root, "CustomizationID"),
    )


def _read_party(read: Reader, root: etree._Element, path: str) -> Party:
    party = read.need(root, path)
    numbers: dict[bool, str] = {}
    for registration in read.all(party, "PartyTaxScheme"):
        is_vat = read.text(registration, "TaxScheme/ID").upper() == "VAT"
        numbers.setdefault(is_vat, read.text(registration, "CompanyID"))
    legal = read.first(party, "PartyLegalEntity/CompanyID")
    endpoint = read.first(party, "EndpointID")
    identifiers = [_read_identifier(each) for each in read.all(party, "PartyIdentification/ID")]
    return Party(
        name=read.text(party, "PartyLegalEntity/RegistrationName")
        or read.text(party, "PartyName/Name"),
        identifiers=tuple(found for found in identifiers if found.scheme != "SEPA"),
        legal_id=_read_identifier(legal) if legal is not None else None,
        vat_id=numbers.get(True, ""),
        tax_id=numbers.get(False, ""),
        endpoint=_read_identifier(endpoint) if endpoint is not None else None,
        country=read.text(party, "PostalAddress/Country/IdentificationCode"),
    )


def _read_identifier(element: etree._Element) -> Identifier:
    return Identifier((element.get("schemeID") or "").strip(), (element.text or "").strip())


def _read_line(read: Reader, line: etree._Element, *, is_note: bool) -> Line:
    quantity = "CreditedQuantity" if is_note else "InvoicedQuantity"
    category = "Item/ClassifiedTaxCategory"
    adjustments = [
        (_is_charge(read, each), read.amount(each, "Amount"))
        for each in read.all(line, "AllowanceCharge")
    ]
    return Line(
        id=(read.need(line, "ID").text or "").strip(),
        quantity=read.scaled(line, quantity, parse=parse_rounded),
        unit=read.need(line, quantity).get("unitCode") or "",
        net=read.amount(line, "LineExtensionAmount"),
        price=read.scaled(line, "Price/PriceAmount", parse=parse_rounded),
        base_quantity=read.scaled(line, "Price/BaseQuantity", Scaled(1), parse_rounded),
        category=read.text(line, f"{category}/ID"),
        rate=read.scaled(line, f"{category}/Percent", Scaled()),
        allowances=tuple(amount for is_charge, amount in adjustments if not is_charge),
        charges=tuple(amount for is_charge, amount in adjustments if is_charge),
        name=read.text(line, "Item/Name"),
    )


def _is_charge(read: Reader, element: etree._Element) -> bool:
    indicator = read.need(element, "ChargeIndicator")
    if (indicator.text or "").strip() not in ("true", "false", "1", "0"):
        raise read.refuse("IMPORT-INDICATOR", "neither an allowance nor a charge", indicator)
    return (indicator.text or "").strip() in ("true", "1")


def _read_adjustment(read: Reader, element: etree._Element) -> tuple[bool, Adjustment]:
    return _is_charge(read, element), Adjustment(
        amount=read.amount(element, "Amount"),
        category=read.text(element, "TaxCategory/ID"),
        rate=read.scaled(element, "TaxCategory/Percent", Scaled()),
    )


def _read_vat(read: Reader, element: etree._Element) -> VatBreakdown:
    return VatBreakdown(
        category=read.text(element, "TaxCategory/ID"),
        rate=read.scaled(element, "TaxCategory/Percent", Scaled()),
        taxable=read.amount(element, "TaxableAmount"),
        tax=read.amount(element, "TaxAmount"),
        exemption_code=read.text(element, "TaxCategory/TaxExemptionReasonCode"),
    )


def _read_totals(read: Reader, root: etree._Element, currency: str, tax_currency: str) -> Totals:
    found = list(read.all(root, "LegalMonetaryTotal"))
    if len(found) != 1:
        raise read.refuse("IMPORT-TOTALS", f"{len(found)} groups of totals, not one", root)
    total = found[0]
    vat = vat_accounting = 0
    for each in read.all(root, "TaxTotal"):
        stated = read.need(each, "TaxAmount").get("currencyID") or currency
        if stated == currency:
            vat += read.amount(each, "TaxAmount")
        elif stated == tax_currency:
            vat_accounting += read.amount(each, "TaxAmount")
        else:
            raise read.refuse("IMPORT-CURRENCY", f"VAT in {stated[:8]!r}", each)
    return Totals(
        lines=read.amount(total, "LineExtensionAmount"),
        allowances=read.amount(total, "AllowanceTotalAmount", needed=False),
        charges=read.amount(total, "ChargeTotalAmount", needed=False),
        without_vat=read.amount(total, "TaxExclusiveAmount"),
        vat=vat,
        with_vat=read.amount(total, "TaxInclusiveAmount"),
        paid=read.amount(total, "PrepaidAmount", needed=False),
        rounding=read.amount(total, "PayableRoundingAmount", needed=False),
        due=read.amount(total, "PayableAmount"),
        vat_accounting=vat_accounting,
    )

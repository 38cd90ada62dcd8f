"""A UN/CEFACT CII D16B invoice as the UBL document that says the same (EN 16931-3). Pure.

So one rule book and one importer serve both; every made element remembers the CII element's place.
Rules about the CII syntax itself (CII-SR-…, CII-DT-…) are not asked.
"""

import msgspec
from lxml import etree

from hansa.apps.e_invoice.documents import cii_bindings as bind
from hansa.apps.e_invoice.documents.cii_bindings import Rows
from hansa.apps.e_invoice.documents.xml_source import Places
from hansa.apps.e_invoice.model.content import CREDIT_NOTE_CODES

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_SPACES = {
    "cac": f"{_UBL}CommonAggregateComponents-2",
    "cbc": f"{_UBL}CommonBasicComponents-2",
}
_POINT_DATE_CODES = {"5": "3", "29": "35", "72": "432"}


class Converted(msgspec.Struct, frozen=True):
    """The UBL document, and for each place in it the place in the CII document it came from."""

    root: etree._Element
    origins: dict[str, str]

    def find_origin(self, path: str) -> str:
        """The CII place of a UBL place, or of the nearest element above it that has one."""
        element, _, attribute = path.partition("/@")
        while element and element not in self.origins:
            element = element.rpartition("/")[0]
        found = self.origins.get(element, "/rsm:CrossIndustryInvoice")
        return f"{found}/@{attribute}" if attribute and path.startswith(element + "/@") else found


def convert_cii(source: etree._Element) -> Converted:
    """The document as UBL. What is missing stays missing: the rules say so."""
    type_code = (source.findtext("{*}ExchangedDocument/{*}TypeCode") or "").strip()
    return _Conversion(source, is_note=type_code in CREDIT_NOTE_CODES).convert()


class _Conversion:
    def __init__(self, source: etree._Element, *, is_note: bool) -> None:
        kind = "CreditNote" if is_note else "Invoice"
        namespace = f"{_UBL}{kind}-2"
        self.kind = kind
        self.source = source
        self.root = etree.Element(f"{{{namespace}}}{kind}", nsmap={"ubl": namespace, **_SPACES})
        self.made: dict[etree._Element, etree._Element] = {self.root: source}
        trade = _find(source, "SupplyChainTradeTransaction")
        empty = etree.Element("none")
        self.trade = trade if trade is not None else empty
        self.agreement = _need(self.trade, "ApplicableHeaderTradeAgreement", empty)
        self.delivery = _need(self.trade, "ApplicableHeaderTradeDelivery", empty)
        self.settlement = _need(self.trade, "ApplicableHeaderTradeSettlement", empty)
        self.currency = _text(self.settlement, "InvoiceCurrencyCode")

    def convert(self) -> Converted:
        self.copy(self.source, self.root, bind.head(self.kind))
        self.copy(self.settlement, self.root, bind.SETTLEMENT)
        self.copy(self.agreement, self.root, bind.AGREEMENT)
        self.copy(self.delivery, self.root, bind.DELIVERY)
        self._convert_references()
        self._convert_parties()
        self._convert_payment()
        for each in _all(self.settlement, "SpecifiedTradeAllowanceCharge"):
            self._convert_adjustment(each, self.root)
        self._convert_taxes()
        for line in _all(self.trade, "IncludedSupplyChainTradeLineItem"):
            self._convert_line(line)
        theirs, ours = Places(self.source), Places(self.root)
        origins = {ours.of(element): theirs.of(origin) for element, origin in self.made.items()}
        return Converted(self.root, origins)

    # -- making elements ------------------------------------------------------

    def make(
        self, parent: etree._Element, name: str, origin: etree._Element, text: str = ""
    ) -> etree._Element:
        """A new UBL element `prefix:Name` under `parent`."""
        prefix, _, local = name.partition(":")
        element = etree.SubElement(parent, f"{{{_SPACES[prefix]}}}{local}")
        element.text = text or None
        self.made[element] = origin
        return element

    def reach(self, parent: etree._Element, path: str, origin: etree._Element) -> etree._Element:
        """The element at a path of prefixed names, made where it is not there."""
        for name in path.split("/") if path else ():
            prefix, _, local = name.partition(":")
            found = parent.find(f"{{{_SPACES[prefix]}}}{local}")
            parent = found if found is not None else self.make(parent, name, origin)
        return parent

    def copy(self, source: etree._Element, target: etree._Element, rows: Rows) -> None:
        """Each row: a CII path, a UBL path, and attributes (UBL name from CII name)."""
        for theirs, ours, attributes in rows:
            above, _, last = ours.rpartition("/")
            for found in _all(source, theirs):
                made = self.make(self.reach(target, above, found), last, found, _value(found))
                for name, wanted in attributes.items():
                    if found.get(wanted) is not None:
                        made.set(name, found.get(wanted, ""))
                if _is_amount(last):
                    made.set("currencyID", found.get("currencyID") or self.currency)

    # -- the parts of an invoice ----------------------------------------------

    def _convert_references(self) -> None:
        for note in _all(self.source, "ExchangedDocument/IncludedNote"):
            subject, content = _text(note, "SubjectCode"), _text(note, "Content")
            self.make(self.root, "cbc:Note", note, f"#{subject}#{content}" if subject else content)
        for each in _all(self.settlement, "InvoiceReferencedDocument"):
            reference = self.make(self.root, "cac:BillingReference", each)
            self.copy(each, reference, bind.PRECEDING)
        for each in _all(self.agreement, "AdditionalReferencedDocument"):
            code = _text(each, "TypeCode")
            if code == "50":
                self.copy(each, self.root, bind.TENDER)
                continue
            reference = self.make(self.root, "cac:AdditionalDocumentReference", each)
            self.copy(each, reference, bind.SUPPORTING)
            if code == "130":
                self.copy(each, reference, bind.INVOICED_OBJECT)
        for each in _all(self.settlement, "ApplicableTradeTax/DueDateTypeCode"):
            period = self.reach(self.root, "cac:InvoicePeriod", each)
            if period.find(f"{{{_SPACES['cbc']}}}DescriptionCode") is None:
                code = _value(each)
                self.make(period, "cbc:DescriptionCode", each, _POINT_DATE_CODES.get(code, code))

    def _convert_parties(self) -> None:
        for theirs, source, ours in (
            ("SellerTradeParty", self.agreement, "cac:AccountingSupplierParty/cac:Party"),
            ("BuyerTradeParty", self.agreement, "cac:AccountingCustomerParty/cac:Party"),
            ("SellerTaxRepresentativeTradeParty", self.agreement, "cac:TaxRepresentativeParty"),
            ("PayeeTradeParty", self.settlement, "cac:PayeeParty"),
        ):
            for party in _all(source, theirs):
                self._convert_party(party, self.reach(self.root, ours, party))
        for place in _all(self.delivery, "ShipToTradeParty"):
            target = self.reach(self.root, "cac:Delivery", place)
            self.copy(place, target, bind.SHIP_TO)

    def _convert_party(self, party: etree._Element, target: etree._Element) -> None:
        is_plain = target.tag in (
            f"{{{_SPACES['cac']}}}PayeeParty",
            f"{{{_SPACES['cac']}}}TaxRepresentativeParty",
        )
        for each in (*_all(party, "ID"), *_all(party, "GlobalID")):
            holder = self.make(target, "cac:PartyIdentification", each)
            identifier = self.make(holder, "cbc:ID", each, _value(each))
            if each.get("schemeID") is not None:
                identifier.set("schemeID", each.get("schemeID", ""))
        self.copy(party, target, bind.PLAIN_PARTY if is_plain else bind.PARTY)
        self.copy(party, target, bind.ANY_PARTY)
        for each in _all(party, "SpecifiedTaxRegistration/ID"):
            registration = self.make(target, "cac:PartyTaxScheme", each)
            self.make(registration, "cbc:CompanyID", each, _value(each))
            scheme = self.make(registration, "cac:TaxScheme", each)
            self.make(scheme, "cbc:ID", each, "VAT" if each.get("schemeID") == "VA" else "TAX")

    def _convert_payment(self) -> None:
        reference = _find(self.settlement, "PaymentReference")
        for means in _all(self.settlement, "SpecifiedTradeSettlementPaymentMeans"):
            target = self.make(self.root, "cac:PaymentMeans", means)
            self.copy(means, target, bind.PAYMENT)
            if reference is not None:
                self.make(target, "cbc:PaymentID", reference, _value(reference))
        for each in _all(self.settlement, "SpecifiedTradePaymentTerms/DirectDebitMandateID"):
            mandate = self.reach(self.root, "cac:PaymentMeans/cac:PaymentMandate", each)
            self.make(mandate, "cbc:ID", each, _value(each))
        for each in _all(self.settlement, "CreditorReferenceID"):
            party = self.reach(self.root, "cac:AccountingSupplierParty/cac:Party", each)
            holder = self.make(party, "cac:PartyIdentification", each)
            self.make(holder, "cbc:ID", each, _value(each)).set("schemeID", "SEPA")
        due = _find(self.settlement, "SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString")
        if due is not None and self.kind == "Invoice":
            self.make(self.root, "cbc:DueDate", due, _value(due))
        elif due is not None:
            means = self.reach(self.root, "cac:PaymentMeans", due)
            self.make(means, "cbc:PaymentDueDate", due, _value(due))

    def _convert_adjustment(self, each: etree._Element, parent: etree._Element) -> None:
        target = self.make(parent, "cac:AllowanceCharge", each)
        self.copy(each, target, bind.ADJUSTMENT)
        for tax in _all(each, "CategoryTradeTax") if parent is self.root else ():
            self._convert_category(tax, target, "cac:TaxCategory")

    def _convert_category(self, tax: etree._Element, parent: etree._Element, name: str) -> None:
        category = self.make(parent, name, tax)
        self.copy(tax, category, bind.CATEGORY)
        scheme = _find(tax, "TypeCode")
        if scheme is not None:
            holder = self.make(category, "cac:TaxScheme", scheme)
            self.make(holder, "cbc:ID", scheme, _value(scheme))

    def _convert_taxes(self) -> None:
        summation = _find(self.settlement, "SpecifiedTradeSettlementHeaderMonetarySummation")
        totals = list(_all(summation, "TaxTotalAmount")) if summation is not None else []
        taxes = list(_all(self.settlement, "ApplicableTradeTax"))
        main = next((each for each in totals if each.get("currencyID") == self.currency), None)
        if main is None and totals and totals[0].get("currencyID") is None:
            main = totals[0]
        if main is not None or taxes:
            origin = main if main is not None else taxes[0]
            target = self.make(self.root, "cac:TaxTotal", origin)
            if main is not None:
                self._convert_tax_amount(main, target)
            elif not totals:
                # BT-110 may be left out of a CII invoice without VAT; UBL writes the zero.
                zero = self.make(target, "cbc:TaxAmount", origin, "0")
                zero.set("currencyID", self.currency)
            for tax in taxes:
                subtotal = self.make(target, "cac:TaxSubtotal", tax)
                self.copy(tax, subtotal, bind.SUBTOTAL)
                self._convert_category(tax, subtotal, "cac:TaxCategory")
        for each in totals:
            if each is not main:
                self._convert_tax_amount(each, self.make(self.root, "cac:TaxTotal", each))
        if summation is not None:
            self.copy(
                summation, self.make(self.root, "cac:LegalMonetaryTotal", summation), bind.TOTALS
            )

    def _convert_tax_amount(self, amount: etree._Element, target: etree._Element) -> None:
        made = self.make(target, "cbc:TaxAmount", amount, _value(amount))
        made.set("currencyID", amount.get("currencyID") or self.currency)

    def _convert_line(self, line: etree._Element) -> None:
        target = self.make(self.root, f"cac:{self.kind}Line", line)
        self.copy(line, target, bind.line(self.kind))
        for each in _all(line, "SpecifiedLineTradeSettlement/SpecifiedTradeAllowanceCharge"):
            self._convert_adjustment(each, target)
        item = "cac:Item"
        for tax in _all(line, "SpecifiedLineTradeSettlement/ApplicableTradeTax"):
            holder = self.reach(target, item, tax)
            self._convert_category(tax, holder, "cac:ClassifiedTaxCategory")
        for each in _all(line, "SpecifiedTradeProduct/ApplicableProductCharacteristic"):
            made = self.make(self.reach(target, item, each), "cac:AdditionalItemProperty", each)
            self.copy(each, made, bind.PROPERTY)
        for each in _all(line, "SpecifiedTradeProduct/DesignatedProductClassification"):
            made = self.make(self.reach(target, item, each), "cac:CommodityClassification", each)
            self.copy(each, made, bind.CLASSIFICATION)
        gross = "SpecifiedLineTradeAgreement/GrossPriceProductTradePrice"
        for each in _all(line, f"{gross}/AppliedTradeAllowanceCharge/ActualAmount"):
            made = self.reach(target, "cac:Price/cac:AllowanceCharge", each)
            self.make(made, "cbc:ChargeIndicator", each, "false")
            self.copy(each, made, ((".", "cbc:Amount", {}),))
        for each in _all(line, "SpecifiedLineTradeSettlement/AdditionalReferencedDocument"):
            reference = self.make(target, "cac:DocumentReference", each)
            self.copy(each, reference, bind.INVOICED_OBJECT)
            self.copy(each, reference, (("IssuerAssignedID", "cbc:ID", {}),))


# -- reading CII ----------------------------------------------------------------


def _all(parent: etree._Element, path: str) -> list[etree._Element]:
    if path == ".":
        return [parent]
    return parent.findall("/".join("{*}" + step for step in path.split("/")))


def _find(parent: etree._Element, path: str) -> etree._Element | None:
    return next(iter(_all(parent, path)), None)


def _need(parent: etree._Element, path: str, default: etree._Element) -> etree._Element:
    found = _find(parent, path)
    return default if found is None else found


def _text(parent: etree._Element, path: str) -> str:
    found = _find(parent, path)
    return (found.text or "").strip() if found is not None else ""


def _value(element: etree._Element) -> str:
    """An element's text; a date in format 102 (`YYYYMMDD`) as UBL writes it."""
    text = element.text or ""
    plain = text.strip()
    is_date = element.get("format") == "102" or element.tag.endswith("}DateTimeString")
    if is_date and len(plain) == 8 and plain.isascii() and plain.isdigit():
        return f"{plain[:4]}-{plain[4:6]}-{plain[6:]}"
    return text


def _is_amount(name: str) -> bool:
    return name.endswith("Amount")

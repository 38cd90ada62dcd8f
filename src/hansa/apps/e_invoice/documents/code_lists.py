"""EN 16931 code list rules (BR-CL-…) asked of every element that the rules match. Pure.

The lists are those of the published rules (EUPL-1.2), as `mock-einvoice` carries them. Its own
BR-CL rules look only where the standard has a place for the code; the published ones look anywhere.
"""

import re
from collections.abc import Callable, Iterator, Mapping

import msgspec
from lxml import etree

from hansa.apps.e_invoice.documents.xml_source import get_name

_SPACE = re.compile(r"[ \t\r\n]+")
_AMOUNTS = frozenset(
    f"cbc:{name}"
    for name in (
        "Amount BaseAmount PriceAmount TaxAmount TaxableAmount LineExtensionAmount "
        "TaxExclusiveAmount TaxInclusiveAmount AllowanceTotalAmount ChargeTotalAmount "
        "PrepaidAmount PayableRoundingAmount PayableAmount"
    ).split()
)


class CodeFailure(msgspec.Struct, frozen=True):
    """A code that is not in its list: the rule, the element (and attribute), what was found."""

    rule: str
    element: etree._Element
    attribute: str
    text: str


class _Rule(msgspec.Struct, frozen=True):
    id: str
    about: str
    attribute: str = ""  # the code is this attribute, "" the element's text
    required: bool = False  # asked also where the attribute is missing
    upper: bool = False
    when: Callable[[etree._Element], bool] | None = None


# Rules by (parent's name or "", own name), in the order of the published file.
_RULES: Mapping[tuple[str, str], tuple[_Rule, ...]]


def check_codes(
    root: etree._Element, lists: Mapping[str, tuple[str, ...]]
) -> Iterator[CodeFailure]:
    """Every code that is not in its list, in document order.

    `lists` maps a rule's id to its list or lists: codes between single spaces, as published.
    """
    for element in root.iter(etree.Element):
        name, parent = get_name(element), element.getparent()
        above = get_name(parent) if parent is not None else ""
        for rule in (*_RULES.get(("", name), ()), *_RULES.get((above, name), ())):
            if rule.when is not None and not rule.when(element):
                continue
            code = element.get(rule.attribute) if rule.attribute else element.text or ""
            if code is None and not rule.required:
                continue
            if not _is_listed(rule, element, code or "", lists[rule.id]):
                shown = f"{code[:80]!r} is not in the list" if code else "it has no code"
                yield CodeFailure(rule.id, element, rule.attribute, f"{rule.about}: {shown}")


def _is_listed(rule: _Rule, element: etree._Element, code: str, lists: tuple[str, ...]) -> bool:
    if rule.id == "BR-CL-01":
        lists = lists[:1] if get_name(element) == "cbc:InvoiceTypeCode" else lists[1:]
    elif rule.id == "BR-CL-10" and not _is_seller_or_payee(element):
        lists = lists[:1]
    elif rule.id == "BR-CL-24":
        return code in lists  # compared as written, one by one
    trimmed = _SPACE.sub(" ", code.upper() if rule.upper else code).strip(" ")
    return " " not in trimmed and any(f" {trimmed} " in codes for codes in lists)


def _is_seller_or_payee(element: etree._Element) -> bool:
    """The scheme SEPA is a creditor's: on the seller or the payee only."""
    return any(
        get_name(above) in ("cac:AccountingSupplierParty", "cac:PayeeParty")
        for above in element.iterancestors()
    )


def _has_type_130(element: etree._Element) -> bool:
    parent = element.getparent()
    return parent is not None and any(
        get_name(child) == "cbc:DocumentTypeCode" and child.text == "130" for child in parent
    )


def _is_indicated(*values: str) -> Callable[[etree._Element], bool]:
    def is_indicated(element: etree._Element) -> bool:
        parent = element.getparent()
        return parent is not None and any(
            get_name(child) == "cbc:ChargeIndicator" and (child.text or "").strip() in values
            for child in parent
        )

    return is_indicated


def _build_rules() -> dict[tuple[str, str], tuple[_Rule, ...]]:
    reference = _Rule(
        "BR-CL-07", "the scheme is a UNTDID 1153 code", "schemeID", when=_has_type_130
    )
    unit = _Rule("BR-CL-23", "the unit is a UN/ECE Recommendation 20 or 21 code", "unitCode")
    type_code = _Rule("BR-CL-01", "the type code is one for this kind of document")
    code = "cbc:AllowanceChargeReasonCode"
    rules = {
        ("", "cbc:InvoiceTypeCode"): type_code,
        ("", "cbc:CreditNoteTypeCode"): type_code,
        ("", "cbc:DocumentCurrencyCode"): _Rule("BR-CL-04", "the currency is an ISO 4217 code"),
        ("", "cbc:TaxCurrencyCode"): _Rule("BR-CL-05", "the VAT currency is an ISO 4217 code"),
        ("cac:InvoicePeriod", "cbc:DescriptionCode"): _Rule(
            "BR-CL-06", "the VAT point date code is 3, 35 or 432"
        ),
        ("cac:AdditionalDocumentReference", "cbc:ID"): reference,
        ("cac:DocumentReference", "cbc:ID"): reference,
        ("cac:PartyIdentification", "cbc:ID"): _Rule(
            "BR-CL-10", "the scheme is an ISO 6523 code, or SEPA on seller or payee", "schemeID"
        ),
        ("cac:PartyLegalEntity", "cbc:CompanyID"): _Rule(
            "BR-CL-11", "the scheme is an ISO 6523 code", "schemeID"
        ),
        ("cac:CommodityClassification", "cbc:ItemClassificationCode"): _Rule(
            "BR-CL-13", "the scheme is a UNTDID 7143 code", "listID"
        ),
        ("cac:Country", "cbc:IdentificationCode"): _Rule(
            "BR-CL-14", "the country is an ISO 3166-1 code"
        ),
        ("cac:OriginCountry", "cbc:IdentificationCode"): _Rule(
            "BR-CL-15", "the country of origin is an ISO 3166-1 code"
        ),
        ("cac:PaymentMeans", "cbc:PaymentMeansCode"): _Rule(
            "BR-CL-16", "the payment means is a UNTDID 4461 code"
        ),
        ("cac:TaxCategory", "cbc:ID"): _Rule("BR-CL-17", "the VAT category is one of the ten"),
        ("cac:ClassifiedTaxCategory", "cbc:ID"): _Rule(
            "BR-CL-18", "the line's VAT category is one of the ten"
        ),
        ("cac:StandardItemIdentification", "cbc:ID"): _Rule(
            "BR-CL-21", "the scheme is an ISO 6523 code", "schemeID"
        ),
        ("", "cbc:TaxExemptionReasonCode"): _Rule(
            "BR-CL-22", "the exemption reason is a VATEX code", upper=True
        ),
        ("", "cbc:InvoicedQuantity"): unit,
        ("", "cbc:CreditedQuantity"): unit,
        ("", "cbc:BaseQuantity"): unit,
        ("", "cbc:EmbeddedDocumentBinaryObject"): _Rule(
            "BR-CL-24", "the MIME type is one of the six", "mimeCode"
        ),
        ("", "cbc:EndpointID"): _Rule("BR-CL-25", "the scheme is an EAS code", "schemeID"),
        ("cac:DeliveryLocation", "cbc:ID"): _Rule(
            "BR-CL-26", "the scheme is an ISO 6523 code", "schemeID"
        ),
    }
    currency = _Rule("BR-CL-03", "the currency is an ISO 4217 code", "currencyID", required=True)
    found: dict[tuple[str, str], tuple[_Rule, ...]] = {key: (rule,) for key, rule in rules.items()}
    found |= {("", name): (currency,) for name in _AMOUNTS}
    found["cac:AllowanceCharge", code] = (
        _Rule("BR-CL-19", "a UNTDID 5189 code", when=_is_indicated("false", "0")),
        _Rule("BR-CL-20", "a UNTDID 7161 code", when=_is_indicated("true", "1")),
    )
    return found


_RULES = _build_rules()
# The rules that this module answers for, so that they are asked once.
CODE_RULES = frozenset(rule.id for rules in _RULES.values() for rule in rules)

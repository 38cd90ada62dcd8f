"""Which CII element says what which UBL element says (EN 16931-3-2 and 3-3): tables only.

A row: path in CII (local names), path in UBL (prefixed names), attributes as UBL name: CII name.
"""

Rows = tuple[tuple[str, str, dict[str, str]], ...]

_SCHEME = {"schemeID": "schemeID"}
_UNIT = {"unitCode": "unitCode"}


def head(kind: str) -> Rows:
    """The head of an `Invoice` or a `CreditNote`."""
    context = "ExchangedDocumentContext"
    return (
        (f"{context}/GuidelineSpecifiedDocumentContextParameter/ID", "cbc:CustomizationID", {}),
        (f"{context}/BusinessProcessSpecifiedDocumentContextParameter/ID", "cbc:ProfileID", {}),
        ("ExchangedDocument/ID", "cbc:ID", {}),
        ("ExchangedDocument/IssueDateTime/DateTimeString", "cbc:IssueDate", {}),
        ("ExchangedDocument/TypeCode", f"cbc:{kind}TypeCode", {}),
    )


SETTLEMENT: Rows = (
    ("InvoiceCurrencyCode", "cbc:DocumentCurrencyCode", {}),
    ("TaxCurrencyCode", "cbc:TaxCurrencyCode", {}),
    ("ReceivableSpecifiedTradeAccountingAccount/ID", "cbc:AccountingCost", {}),
    ("ApplicableTradeTax/TaxPointDate/DateString", "cbc:TaxPointDate", {}),
    ("BillingSpecifiedPeriod/StartDateTime/DateTimeString", "cac:InvoicePeriod/cbc:StartDate", {}),
    ("BillingSpecifiedPeriod/EndDateTime/DateTimeString", "cac:InvoicePeriod/cbc:EndDate", {}),
    ("SpecifiedTradePaymentTerms/Description", "cac:PaymentTerms/cbc:Note", {}),
)
AGREEMENT: Rows = (
    ("BuyerReference", "cbc:BuyerReference", {}),
    ("BuyerOrderReferencedDocument/IssuerAssignedID", "cac:OrderReference/cbc:ID", {}),
    ("SellerOrderReferencedDocument/IssuerAssignedID", "cac:OrderReference/cbc:SalesOrderID", {}),
    ("ContractReferencedDocument/IssuerAssignedID", "cac:ContractDocumentReference/cbc:ID", {}),
    ("SpecifiedProcuringProject/ID", "cac:ProjectReference/cbc:ID", {}),
)
DELIVERY: Rows = (
    (
        "DespatchAdviceReferencedDocument/IssuerAssignedID",
        "cac:DespatchDocumentReference/cbc:ID",
        {},
    ),
    (
        "ReceivingAdviceReferencedDocument/IssuerAssignedID",
        "cac:ReceiptDocumentReference/cbc:ID",
        {},
    ),
    (
        "ActualDeliverySupplyChainEvent/OccurrenceDateTime/DateTimeString",
        "cac:Delivery/cbc:ActualDeliveryDate",
        {},
    ),
)
PRECEDING: Rows = (
    ("IssuerAssignedID", "cac:InvoiceDocumentReference/cbc:ID", {}),
    (
        "FormattedIssueDateTime/DateTimeString",
        "cac:InvoiceDocumentReference/cbc:IssueDate",
        {},
    ),
)
TENDER: Rows = (("IssuerAssignedID", "cac:OriginatorDocumentReference/cbc:ID", {}),)
SUPPORTING: Rows = (
    ("IssuerAssignedID", "cbc:ID", {}),
    ("Name", "cbc:DocumentDescription", {}),
    (
        "AttachmentBinaryObject",
        "cac:Attachment/cbc:EmbeddedDocumentBinaryObject",
        {"mimeCode": "mimeCode", "filename": "filename"},
    ),
    ("URIID", "cac:Attachment/cac:ExternalReference/cbc:URI", {}),
)
INVOICED_OBJECT: Rows = (("TypeCode", "cbc:DocumentTypeCode", {}),)


def _address(path: str) -> Rows:
    return (
        ("PostalTradeAddress/LineOne", f"{path}/cbc:StreetName", {}),
        ("PostalTradeAddress/LineTwo", f"{path}/cbc:AdditionalStreetName", {}),
        ("PostalTradeAddress/LineThree", f"{path}/cac:AddressLine/cbc:Line", {}),
        ("PostalTradeAddress/CityName", f"{path}/cbc:CityName", {}),
        ("PostalTradeAddress/PostcodeCode", f"{path}/cbc:PostalZone", {}),
        ("PostalTradeAddress/CountrySubDivisionName", f"{path}/cbc:CountrySubentity", {}),
        ("PostalTradeAddress/CountryID", f"{path}/cac:Country/cbc:IdentificationCode", {}),
    )


SHIP_TO: Rows = (
    ("ID", "cac:DeliveryLocation/cbc:ID", _SCHEME),
    ("GlobalID", "cac:DeliveryLocation/cbc:ID", _SCHEME),
    ("Name", "cac:DeliveryParty/cac:PartyName/cbc:Name", {}),
    *_address("cac:DeliveryLocation/cac:Address"),
)
ANY_PARTY: Rows = (
    ("SpecifiedLegalOrganization/ID", "cac:PartyLegalEntity/cbc:CompanyID", _SCHEME),
    *_address("cac:PostalAddress"),
)
PLAIN_PARTY: Rows = (("Name", "cac:PartyName/cbc:Name", {}),)
_CONTACT = "DefinedTradeContact"
PARTY: Rows = (
    ("URIUniversalCommunication/URIID", "cbc:EndpointID", _SCHEME),
    ("Name", "cac:PartyLegalEntity/cbc:RegistrationName", {}),
    ("SpecifiedLegalOrganization/TradingBusinessName", "cac:PartyName/cbc:Name", {}),
    ("Description", "cac:PartyLegalEntity/cbc:CompanyLegalForm", {}),
    (f"{_CONTACT}/PersonName", "cac:Contact/cbc:Name", {}),
    (f"{_CONTACT}/TelephoneUniversalCommunication/CompleteNumber", "cac:Contact/cbc:Telephone", {}),
    (f"{_CONTACT}/EmailURIUniversalCommunication/URIID", "cac:Contact/cbc:ElectronicMail", {}),
)
_CARD = "ApplicableTradeSettlementFinancialCard"
_ACCOUNT = "PayeePartyCreditorFinancialAccount"
PAYMENT: Rows = (
    ("TypeCode", "cbc:PaymentMeansCode", {}),
    (f"{_CARD}/ID", "cac:CardAccount/cbc:PrimaryAccountNumberID", {}),
    (f"{_CARD}/CardholderName", "cac:CardAccount/cbc:HolderName", {}),
    (f"{_ACCOUNT}/IBANID", "cac:PayeeFinancialAccount/cbc:ID", {}),
    (f"{_ACCOUNT}/ProprietaryID", "cac:PayeeFinancialAccount/cbc:ID", {}),
    (f"{_ACCOUNT}/AccountName", "cac:PayeeFinancialAccount/cbc:Name", {}),
    (
        "PayeeSpecifiedCreditorFinancialInstitution/BICID",
        "cac:PayeeFinancialAccount/cac:FinancialInstitutionBranch/cbc:ID",
        {},
    ),
    (
        "PayerPartyDebtorFinancialAccount/IBANID",
        "cac:PaymentMandate/cac:PayerFinancialAccount/cbc:ID",
        {},
    ),
)
ADJUSTMENT: Rows = (
    ("ChargeIndicator/Indicator", "cbc:ChargeIndicator", {}),
    ("ReasonCode", "cbc:AllowanceChargeReasonCode", {}),
    ("Reason", "cbc:AllowanceChargeReason", {}),
    ("CalculationPercent", "cbc:MultiplierFactorNumeric", {}),
    ("ActualAmount", "cbc:Amount", {}),
    ("BasisAmount", "cbc:BaseAmount", {}),
)
CATEGORY: Rows = (
    ("CategoryCode", "cbc:ID", {}),
    ("RateApplicablePercent", "cbc:Percent", {}),
    ("ExemptionReasonCode", "cbc:TaxExemptionReasonCode", {}),
    ("ExemptionReason", "cbc:TaxExemptionReason", {}),
)
SUBTOTAL: Rows = (
    ("BasisAmount", "cbc:TaxableAmount", {}),
    ("CalculatedAmount", "cbc:TaxAmount", {}),
)
TOTALS: Rows = (
    ("LineTotalAmount", "cbc:LineExtensionAmount", {}),
    ("TaxBasisTotalAmount", "cbc:TaxExclusiveAmount", {}),
    ("GrandTotalAmount", "cbc:TaxInclusiveAmount", {}),
    ("AllowanceTotalAmount", "cbc:AllowanceTotalAmount", {}),
    ("ChargeTotalAmount", "cbc:ChargeTotalAmount", {}),
    ("TotalPrepaidAmount", "cbc:PrepaidAmount", {}),
    ("RoundingAmount", "cbc:PayableRoundingAmount", {}),
    ("DuePayableAmount", "cbc:PayableAmount", {}),
)
PROPERTY: Rows = (("Description", "cbc:Name", {}), ("Value", "cbc:Value", {}))
CLASSIFICATION: Rows = (
    (
        "ClassCode",
        "cbc:ItemClassificationCode",
        {"listID": "listID", "listVersionID": "listVersionID"},
    ),
)


def line(kind: str) -> Rows:
    """A line of an `Invoice` or a `CreditNote`."""
    product, settlement = "SpecifiedTradeProduct", "SpecifiedLineTradeSettlement"
    agreement, period = "SpecifiedLineTradeAgreement", "BillingSpecifiedPeriod"
    quantity = "InvoicedQuantity" if kind == "Invoice" else "CreditedQuantity"
    return (
        ("AssociatedDocumentLineDocument/LineID", "cbc:ID", {}),
        ("AssociatedDocumentLineDocument/IncludedNote/Content", "cbc:Note", {}),
        ("SpecifiedLineTradeDelivery/BilledQuantity", f"cbc:{quantity}", _UNIT),
        (
            f"{settlement}/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount",
            "cbc:LineExtensionAmount",
            {},
        ),
        (
            f"{settlement}/ReceivableSpecifiedTradeAccountingAccount/ID",
            "cbc:AccountingCost",
            {},
        ),
        (
            f"{settlement}/{period}/StartDateTime/DateTimeString",
            "cac:InvoicePeriod/cbc:StartDate",
            {},
        ),
        (f"{settlement}/{period}/EndDateTime/DateTimeString", "cac:InvoicePeriod/cbc:EndDate", {}),
        (
            f"{agreement}/BuyerOrderReferencedDocument/LineID",
            "cac:OrderLineReference/cbc:LineID",
            {},
        ),
        (f"{product}/Description", "cac:Item/cbc:Description", {}),
        (f"{product}/Name", "cac:Item/cbc:Name", {}),
        (f"{product}/BuyerAssignedID", "cac:Item/cac:BuyersItemIdentification/cbc:ID", {}),
        (f"{product}/SellerAssignedID", "cac:Item/cac:SellersItemIdentification/cbc:ID", {}),
        (f"{product}/GlobalID", "cac:Item/cac:StandardItemIdentification/cbc:ID", _SCHEME),
        (
            f"{product}/OriginTradeCountry/ID",
            "cac:Item/cac:OriginCountry/cbc:IdentificationCode",
            {},
        ),
        (
            f"{agreement}/NetPriceProductTradePrice/ChargeAmount",
            "cac:Price/cbc:PriceAmount",
            {},
        ),
        (
            f"{agreement}/NetPriceProductTradePrice/BasisQuantity",
            "cac:Price/cbc:BaseQuantity",
            _UNIT,
        ),
        (
            f"{agreement}/GrossPriceProductTradePrice/ChargeAmount",
            "cac:Price/cac:AllowanceCharge/cbc:BaseAmount",
            {},
        ),
    )

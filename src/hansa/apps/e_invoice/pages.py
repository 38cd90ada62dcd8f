"""What pages and forms need to know beyond the types: life cycles and meanings of fields. Pure.

The life cycle is that of README.md; what a value means is what the docstrings of `model` say.
"""

from hansa.appkit.key_rule import KeyRule
from hansa.appkit.meaning import FieldMeaning, Lifecycle, Meaning, Transition
from hansa.apps.e_invoice.model import Invoice, RedLetter, Reimbursement, Taxpayer
from hansa.apps.e_invoice.model.content import FAPIAO_DIGITS, NUMBER_MAX
from hansa.apps.e_invoice.model.records import Credited, Pseudonym, Quota

_RED_OPEN = ("RED_REQUESTED", "RED_CONFIRMED")
# A use, a freeze and credits happen beside the path of reimbursement: each is drawn for itself.
LIFECYCLES = (
    Lifecycle(
        Invoice,
        "status",
        ("ISSUED", "DELIVERED", "CLAIMED", "SUBMITTED", "REIMBURSED", "POSTED", "ARCHIVED"),
        (
            Transition("IssueInvoice", (), "ISSUED"),
            Transition("DeliverInvoice", ("ISSUED",), "DELIVERED"),
            Transition("ClaimInvoice", ("DELIVERED",), "CLAIMED"),
            Transition("SubmitInvoice", ("DELIVERED", "CLAIMED"), "SUBMITTED"),
            Transition("RejectSubmission", ("CLAIMED", "SUBMITTED"), "DELIVERED"),
            Transition("ReimburseInvoice", ("SUBMITTED",), "REIMBURSED"),
            Transition("ReverseReimbursement", ("REIMBURSED",), "DELIVERED"),
            Transition("PostInvoice", ("REIMBURSED",), "POSTED"),
            Transition("ArchiveInvoice", ("POSTED",), "ARCHIVED"),
        ),
    ),
    Lifecycle(
        Invoice,
        "red",
        ("", "RED_REQUESTED", "RED_CONFIRMED", "RED_REJECTED", "RED_LAPSED"),
        (
            Transition("RequestRedLetter", ("", "RED_REJECTED", "RED_LAPSED"), "RED_REQUESTED"),
            Transition("ConfirmRedLetter", ("RED_REQUESTED",), "RED_CONFIRMED"),
            Transition("RejectRedLetter", ("RED_REQUESTED",), "RED_REJECTED"),
            Transition("LapseRedLetter", _RED_OPEN, "RED_LAPSED"),
            Transition("IssueInvoice", ("RED_CONFIRMED",), ""),
        ),
    ),
    Lifecycle(
        Invoice,
        "credit",
        ("", "PARTIALLY_CREDITED", "FULLY_CREDITED"),
        (
            Transition("IssueInvoice", ("", "PARTIALLY_CREDITED"), "PARTIALLY_CREDITED"),
            Transition("IssueInvoice", ("", "PARTIALLY_CREDITED"), "FULLY_CREDITED"),
        ),
    ),
    Lifecycle(
        Invoice,
        "used_height",
        ("", "USE_CONFIRMED"),
        (Transition("ConfirmUse", ("",), "USE_CONFIRMED"),),
    ),
    Lifecycle(
        Invoice,
        "frozen_by",
        ("", "FROZEN"),
        (
            Transition("FreezeInvoice", ("",), "FROZEN"),
            Transition("ReleaseInvoice", ("FROZEN",), ""),
        ),
    ),
    Lifecycle(
        RedLetter,
        "status",
        ("RED_REQUESTED", "RED_CONFIRMED", "CREDITED", "RED_REJECTED", "RED_LAPSED"),
        (
            Transition("RequestRedLetter", (), "RED_REQUESTED"),
            Transition("ConfirmRedLetter", ("RED_REQUESTED",), "RED_CONFIRMED"),
            Transition("IssueInvoice", ("RED_CONFIRMED",), "CREDITED"),
            Transition("RejectRedLetter", ("RED_REQUESTED",), "RED_REJECTED"),
            Transition("LapseRedLetter", _RED_OPEN, "RED_LAPSED"),
        ),
    ),
    Lifecycle(
        Reimbursement,
        "reversed_height",
        ("REIMBURSED", "REIMBURSEMENT_REVERSED"),
        (
            Transition("ReimburseInvoice", (), "REIMBURSED"),
            Transition("ReverseReimbursement", ("REIMBURSED",), "REIMBURSEMENT_REVERSED"),
        ),
    ),
    Lifecycle(
        Taxpayer,
        "suspended",
        ("REGISTERED", "SUSPENDED"),
        (
            Transition("RegisterTaxpayer", (), "REGISTERED"),
            Transition("SuspendSeller", ("REGISTERED",), "SUSPENDED"),
            Transition("ResumeSeller", ("SUSPENDED",), "REGISTERED"),
        ),
    ),
)

# Types and tables, each with its amounts.
_AMOUNTS = {
    "InvoiceLine": "net",
    "Adjustment": "amount",
    "VatLine": "taxable tax",
    "InvoiceTotals": "lines allowances charges without_vat vat with_vat paid rounding due",
    "GrantQuota": "amount",
    "RequestRedLetter": "amount",
    "Quota": "amount used",
    "Credited": "total without_vat lines taxable tax",
    "Reimbursement": "amount",
    "RedLetter": "amount",
    "QuotaGranted": "amount",
    "InvoiceIssued": "with_vat",
    "InvoiceCredited": "amount total",
    "InvoiceReimbursed": "amount",
    "ReimbursementReversed": "amount",
    "RedLetterRequested": "amount",
    "RedLetterConfirmed": "amount",
    "invoices": "without_vat vat with_vat due",
    "vat": "taxable tax",
    "quotas": "amount used left",
    "reimbursements": "amount",
    "red_letters": "amount",
}
_MEANINGS: dict[str, Meaning] = {
    "issue_date": "date",
    "since": "date",
    "currency": "currency",
    "jurisdiction": "jurisdiction",
    "member": "member",
    "employer": "member",
    "seller_member": "member",
    "buyer_member": "member",
    "requested_by": "member",
    "answers": "member",
    "scheme": "scheme",
    "commitment": "commitment",
}
FIELDS = (
    *(
        FieldMeaning(f"{kind}.{name}", "amount", scale=2, unit="currency")
        for kind, names in _AMOUNTS.items()
        for name in names.split()
    ),
    *(FieldMeaning(name, meaning) for name, meaning in _MEANINGS.items()),
    FieldMeaning("rate_ppm", "rate", scale=4),
    FieldMeaning("invoice", "record", record="invoice"),
    FieldMeaning("invoices.id", "record", record="invoice"),
    FieldMeaning("taxpayers.id", "record", record="taxpayer"),
    FieldMeaning("seller", "identifier", record="taxpayer"),
    FieldMeaning("buyer", "identifier", record="taxpayer"),
    FieldMeaning("taxpayer", "identifier", record="taxpayer"),
    FieldMeaning("RegisterTaxpayer.value", "identifier", unit="scheme"),
)

# The identifiers of `model`, for verifiers without Python: those of `parse_invoice_id` and kin.
_PARTY = r"(?P<scheme>[^:/]+):(?P<value>[^:/]+)"
_INVOICE = rf"(?:[0-9]{{{FAPIAO_DIGITS}}}|{_PARTY}:(?P<number>[^:/]+))"
_NUMBERED = _INVOICE + r"(?:/[0-9]+)?"
_IDENTIFIER = ("identifier", "scheme", "value")
_NUMBER = ("escaped", "number", r"A-Za-z0-9._+#\-", str(NUMBER_MAX))
KEY_RULES = (
    KeyRule(Taxpayer, _PARTY, (_IDENTIFIER,)),
    KeyRule(Quota, _PARTY + r"/[A-Z]{3}", (_IDENTIFIER,)),
    KeyRule(Invoice, _INVOICE, (_IDENTIFIER, _NUMBER)),
    KeyRule(Credited, _INVOICE, (_IDENTIFIER, _NUMBER)),
    KeyRule(Reimbursement, _NUMBERED, (_IDENTIFIER, _NUMBER)),
    KeyRule(RedLetter, _NUMBERED, (_IDENTIFIER, _NUMBER)),
    KeyRule(Pseudonym, r"p:(?P<key>[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{86})", (("public_key", "key"),)),
)

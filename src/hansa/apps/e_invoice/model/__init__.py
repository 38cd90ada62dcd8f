"""The words of e_invoice: `content` (an invoice on chain), `records`, `messages`, `events`."""

from hansa.apps.e_invoice.model.content import (
    CREDIT_NOTE_CODES,
    PPM,
    Adjustment,
    InvoiceContent,
    InvoiceLine,
    InvoiceTotals,
    PrecedingInvoice,
    VatLine,
    compute_claim,
    compute_invoice_id,
    decode_pseudonym,
)
from hansa.apps.e_invoice.model.events import EVENTS
from hansa.apps.e_invoice.model.messages import IssueInvoice
from hansa.apps.e_invoice.model.records import (
    RECORDS,
    Credited,
    Invoice,
    Pseudonym,
    Quota,
    RedLetter,
    Reimbursement,
    Taxpayer,
)

__all__ = [
    "CREDIT_NOTE_CODES",
    "EVENTS",
    "PPM",
    "RECORDS",
    "Adjustment",
    "Credited",
    "Invoice",
    "InvoiceContent",
    "InvoiceLine",
    "InvoiceTotals",
    "IssueInvoice",
    "PrecedingInvoice",
    "Pseudonym",
    "Quota",
    "RedLetter",
    "Reimbursement",
    "Taxpayer",
    "VatLine",
    "compute_claim",
    "compute_invoice_id",
    "decode_pseudonym",
]

"""Messages of e_invoice, in the order of an invoice's life. Amounts are hundredths. Pure.

A person's rights are a one-time key, not an account, so that no invoice names a citizen (D8).
"""

from typing import ClassVar, Literal

from hansa.apps.e_invoice.model.content import InvoiceContent
from hansa.ledger.model import Message
from hansa.primitives.values import Count, Currency, Did, Name

SuspensionReason = Literal["investigation", "arrears", "key_lost", "deregistered"]
RejectionReason = Literal["not_ours", "wrong_data", "not_allowed", "duplicate"]
RedReason = Literal["issued_in_error", "goods_returned", "service_stopped", "price_reduced"]


class RegisterTaxpayer(Message, frozen=True, kw_only=True):
    """Tax authority: register which member a tax identifier is (`scheme` and `value` apart).

    `since`: from this date on all its invoices are on this ledger (YYYY-MM-DD).
    """

    scheme: Name
    value: Name
    member: Did
    since: str


class CorrectTaxpayer(Message, frozen=True, kw_only=True):
    """Tax authority: a tax identifier was registered for the wrong member; from now on it is this.

    Invoices that exist keep the members that they were issued, delivered and paid under.
    """

    taxpayer: Name
    member: Did


class SuspendSeller(Message, frozen=True, kw_only=True):
    """Tax authority: stop a seller from issuing."""

    seller: Name
    reason: SuspensionReason


class ResumeSeller(Message, frozen=True, kw_only=True):
    """Tax authority: let a suspended seller issue again."""

    seller: Name


class GrantQuota(Message, frozen=True, kw_only=True):
    """Tax authority: how much (hundredths without VAT) and how many a seller may issue."""

    seller: Name
    currency: Currency
    amount: Count
    count: Count


class IssueInvoice(Message, frozen=True, kw_only=True):
    """Seller: issue an invoice, or a credit that names its one original."""

    COST: ClassVar[int] = 3

    content: InvoiceContent


class InvoiceMessage(Message, frozen=True, kw_only=True):
    """A step of one invoice."""

    invoice: Name


class DeliverInvoice(InvoiceMessage, frozen=True, kw_only=True):
    """Seller: state that the buyer was given the invoice. Buyer: state that it arrived."""


class ClaimInvoice(InvoiceMessage, frozen=True, kw_only=True):
    """Hand a person's invoice to an employer (DID of the member). Anyone may send it.

    `proof`: base64url signature of the buyer's one-time key over `compute_claim(...)`.
    """

    COST: ClassVar[int] = 2

    employer: Did
    proof: str


class SubmitInvoice(InvoiceMessage, frozen=True, kw_only=True):
    """Employer (or the buying organisation): take the invoice in for reimbursement."""


class RejectSubmission(InvoiceMessage, frozen=True, kw_only=True):
    """Employer: return a claimed or submitted invoice."""

    reason: RejectionReason


class ReimburseInvoice(InvoiceMessage, frozen=True, kw_only=True):
    """Employer: state that what is left of the invoice was paid out."""


class ReverseReimbursement(InvoiceMessage, frozen=True, kw_only=True):
    """Employer: take a reimbursement back; the invoice is free again."""

    reason: RejectionReason


class PostInvoice(InvoiceMessage, frozen=True, kw_only=True):
    """Employer: state that the reimbursed invoice is in the books."""


class ArchiveInvoice(InvoiceMessage, frozen=True, kw_only=True):
    """Employer: state that the posted invoice is archived."""


class ConfirmUse(InvoiceMessage, frozen=True, kw_only=True):
    """Buying organisation: use the invoice for input VAT."""


class RequestRedLetter(InvoiceMessage, frozen=True, kw_only=True):
    """Seller or buyer side: ask the other to agree that `amount` (with VAT) is credited."""

    amount: Count
    reason: RedReason


class ConfirmRedLetter(InvoiceMessage, frozen=True, kw_only=True):
    """The other side: agree to a red letter; the seller then issues the credit."""


class RejectRedLetter(InvoiceMessage, frozen=True, kw_only=True):
    """The other side: refuse a red letter."""


class LapseRedLetter(InvoiceMessage, frozen=True, kw_only=True):
    """Deadline: a red letter that nobody answered or used lapses."""

    INTERNAL: ClassVar[bool] = True

    number: int


class FreezeInvoice(InvoiceMessage, frozen=True, kw_only=True):
    """Tax authority of the seller: nothing moves until it is released."""


class ReleaseInvoice(InvoiceMessage, frozen=True, kw_only=True):
    """Tax authority of the seller: end a freeze."""

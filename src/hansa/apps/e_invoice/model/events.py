"""Events of e_invoice: what was done to which invoice, for its parties of that moment. Pure."""

from typing import ClassVar

from hansa.apps.e_invoice.model.messages import RedReason, RejectionReason, SuspensionReason
from hansa.apps.e_invoice.model.records import READERS
from hansa.ledger.model import Event, Visibility


class TaxpayerEvent(Event, frozen=True, kw_only=True):
    """About a taxpayer; as public in the league as its registration."""

    VISIBILITY: ClassVar[Visibility] = "league"

    taxpayer: str
    member: str


class TaxpayerRegistered(TaxpayerEvent, frozen=True, kw_only=True):
    """A tax identifier was registered."""


class TaxpayerCorrected(TaxpayerEvent, frozen=True, kw_only=True):
    """A tax identifier is another member's from now on; `earlier` is whose it was until now."""

    earlier: str


class SellerSuspended(TaxpayerEvent, frozen=True, kw_only=True):
    """A seller was stopped."""

    reason: SuspensionReason


class SellerResumed(TaxpayerEvent, frozen=True, kw_only=True):
    """A seller may issue again."""


class InvoiceEvent(Event, frozen=True, kw_only=True):
    """About one invoice; `by` is the member who acted ("" the clock), `readers` its parties."""

    READERS: ClassVar[tuple[str, ...]] = READERS

    invoice: str
    by: str
    readers: tuple[str, ...]

    def parties(self) -> tuple[str, ...]:
        """The invoice's parties at that moment."""
        return self.readers


class QuotaGranted(Event, frozen=True, kw_only=True):
    """A quota was set."""

    READERS: ClassVar[tuple[str, ...]] = READERS

    seller: str
    member: str
    currency: str
    amount: int
    count: int

    def parties(self) -> tuple[str, ...]:
        """The seller."""
        return (self.member,)


class InvoiceIssued(InvoiceEvent, frozen=True, kw_only=True):
    """An invoice was issued: its number is taken for ever."""

    currency: str
    with_vat: int


class InvoiceCredited(InvoiceEvent, frozen=True, kw_only=True):
    """An invoice was credited in part or in full by `credit`."""

    credit: str
    amount: int
    total: int


class InvoiceDelivered(InvoiceEvent, frozen=True, kw_only=True):
    """The buyer has the invoice."""


class InvoiceClaimed(InvoiceEvent, frozen=True, kw_only=True):
    """A person handed the invoice to an employer."""

    employer: str


class InvoiceSubmitted(InvoiceEvent, frozen=True, kw_only=True):
    """An employer took the invoice in."""


class SubmissionRejected(InvoiceEvent, frozen=True, kw_only=True):
    """An employer returned the invoice."""

    reason: RejectionReason


class InvoiceReimbursed(InvoiceEvent, frozen=True, kw_only=True):
    """The invoice was paid out."""

    amount: int


class ReimbursementReversed(InvoiceEvent, frozen=True, kw_only=True):
    """A reimbursement was taken back."""

    amount: int
    reason: RejectionReason


class InvoicePosted(InvoiceEvent, frozen=True, kw_only=True):
    """The invoice is in the books."""


class InvoiceArchived(InvoiceEvent, frozen=True, kw_only=True):
    """The invoice is archived."""


class UseConfirmed(InvoiceEvent, frozen=True, kw_only=True):
    """The invoice was used for input VAT."""


class RedLetterRequested(InvoiceEvent, frozen=True, kw_only=True):
    """One side asked for a red letter."""

    amount: int
    reason: RedReason
    until_ms: int


class RedLetterConfirmed(InvoiceEvent, frozen=True, kw_only=True):
    """The other side agreed."""

    amount: int


class RedLetterRejected(InvoiceEvent, frozen=True, kw_only=True):
    """The other side refused."""


class RedLetterLapsed(InvoiceEvent, frozen=True, kw_only=True):
    """Nobody answered, or the credit was not issued, in time."""


class InvoiceFrozen(InvoiceEvent, frozen=True, kw_only=True):
    """The tax authority froze the invoice."""


class InvoiceReleased(InvoiceEvent, frozen=True, kw_only=True):
    """The tax authority released the invoice."""


EVENTS: tuple[type[Event], ...] = (
    TaxpayerRegistered,
    TaxpayerCorrected,
    SellerSuspended,
    SellerResumed,
    QuotaGranted,
    InvoiceIssued,
    InvoiceCredited,
    InvoiceDelivered,
    InvoiceClaimed,
    InvoiceSubmitted,
    SubmissionRejected,
    InvoiceReimbursed,
    ReimbursementReversed,
    InvoicePosted,
    InvoiceArchived,
    UseConfirmed,
    RedLetterRequested,
    RedLetterConfirmed,
    RedLetterRejected,
    RedLetterLapsed,
    InvoiceFrozen,
    InvoiceReleased,
)

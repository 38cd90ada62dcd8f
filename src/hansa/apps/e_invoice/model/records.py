"""Records of e_invoice. Amounts are hundredths of the currency, times ms of block time. Pure.

Readers: the parties (members' DIDs), tax authorities and auditors of the parties' jurisdictions.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from hansa.apps.e_invoice.model.content import (
    InvoiceContent,
    decode_pseudonym,
    parse_invoice_id,
)
from hansa.apps.e_invoice.model.messages import RedReason
from hansa.ledger.model import Record, Visibility
from hansa.primitives.identifiers import is_canonical
from hansa.primitives.limits import INTEGER_MAX
from hansa.primitives.values import Currency

Ordinal = Annotated[int, Meta(ge=1, le=INTEGER_MAX, description="1, 2, … for each invoice")]

READERS = ("e_invoice.tax_authority", "e_invoice.auditor")

Status = Literal["ISSUED", "DELIVERED", "CLAIMED", "SUBMITTED", "REIMBURSED", "POSTED", "ARCHIVED"]
Red = Literal["", "RED_REQUESTED", "RED_CONFIRMED", "RED_REJECTED", "RED_LAPSED"]
Credit = Literal["", "PARTIALLY_CREDITED", "FULLY_CREDITED"]
LetterStatus = Literal["RED_REQUESTED", "RED_CONFIRMED", "RED_REJECTED", "RED_LAPSED", "CREDITED"]


class Taxpayer(Record, frozen=True, kw_only=True):
    """A registered taxpayer: which member a tax identifier is, and whether it may issue.

    `since`: from this date all its invoices are on this ledger. `suspended`: the reason, or "".
    `earlier`: members for which it was registered in error, each once; their invoices stay theirs.
    """

    KIND: ClassVar[str] = "taxpayer"
    VISIBILITY: ClassVar[Visibility] = "league"

    id: str
    member: str
    jurisdiction: str
    since: str
    registered_by: str
    suspended: str = ""
    earlier: tuple[str, ...] = ()

    @classmethod
    def is_key(cls, parts: tuple[str, ...]) -> bool:
        """A tax identifier that holds, in its one spelling."""
        return super().is_key(parts) and _is_taxpayer(parts[0])


class Quota(Record, frozen=True, kw_only=True):
    """What a seller may issue in a currency, without VAT, and what of it is used.

    `used` is issued less credited; `count_used` counts invoices, `numbers` also credits.
    """

    KIND: ClassVar[str] = "quota"
    KEY: ClassVar[tuple[str, ...]] = ("seller", "currency")
    READERS: ClassVar[tuple[str, ...]] = READERS

    seller: str
    member: str
    currency: Currency
    amount: int
    count: int
    used: int = 0
    count_used: int = 0
    numbers: int = 0

    def parties(self) -> tuple[str, ...]:
        """The seller."""
        return (self.member,)

    @classmethod
    def is_key(cls, parts: tuple[str, ...]) -> bool:
        """A tax identifier and a currency."""
        return super().is_key(parts) and _is_taxpayer(parts[0])


class Invoice(Record, frozen=True, kw_only=True):
    """An issued invoice or credit, and how far it has come.

    `buyer_member` is "" for a person or an organisation that is not registered; `claimants` are the
    employers to whom the person handed it. Heights are 0 until it happens. `letters` and
    `reimbursements` count the records of those kinds; `frozen_by` names the bureau, or is "";
    `consents` are members whose holds on the original a credit was co-signed under (I8).
    """

    KIND: ClassVar[str] = "invoice"
    ABSENCE: ClassVar[Visibility] = "league"
    READERS: ClassVar[tuple[str, ...]] = READERS

    id: str
    content: InvoiceContent
    seller_member: str
    buyer_member: str
    height: int
    status: Status = "ISSUED"
    claimants: tuple[str, ...] = ()
    employer: str = ""
    used_height: int = 0
    posted_height: int = 0
    credit: Credit = ""
    red: Red = ""
    letter: int = 0
    letters: int = 0
    reimbursements: int = 0
    frozen_by: str = ""
    consents: tuple[str, ...] = ()

    def parties(self) -> tuple[str, ...]:
        """Seller, buyer, employer, and employers who were handed the invoice."""
        named = (self.seller_member, self.buyer_member, self.employer, *self.claimants)
        return tuple(dict.fromkeys(did for did in named if did))

    @classmethod
    def is_key(cls, parts: tuple[str, ...]) -> bool:
        """An identifier that an invoice can have."""
        return super().is_key(parts) and parse_invoice_id(parts[0]) is not None


class Credited(Record, frozen=True, kw_only=True):
    """What the credits of an invoice have taken back, in the order of its lines and VAT breakdown.

    No such record: nothing was credited (a proof of absence shows it).
    """

    KIND: ClassVar[str] = "credited"
    KEY: ClassVar[tuple[str, ...]] = ("invoice",)
    READERS: ClassVar[tuple[str, ...]] = READERS

    invoice: str
    readers: tuple[str, ...]
    credits: tuple[str, ...]
    total: int
    without_vat: int
    lines: tuple[int, ...]
    taxable: tuple[int, ...]
    tax: tuple[int, ...]

    def parties(self) -> tuple[str, ...]:
        """Those of the invoice."""
        return self.readers

    @classmethod
    def is_key(cls, parts: tuple[str, ...]) -> bool:
        """An identifier that an invoice can have."""
        return super().is_key(parts) and parse_invoice_id(parts[0]) is not None


class Reimbursement(Record, frozen=True, kw_only=True):
    """One reimbursement. `<invoice>/1` absent proves: not yet reimbursed anywhere (I3)."""

    KIND: ClassVar[str] = "reimbursement"
    KEY: ClassVar[tuple[str, ...]] = ("invoice", "number")
    READERS: ClassVar[tuple[str, ...]] = READERS

    invoice: str
    number: Ordinal
    employer: str
    amount: int
    height: int
    reversed_height: int = 0

    def parties(self) -> tuple[str, ...]:
        """The employer."""
        return (self.employer,)

    @classmethod
    def is_key(cls, parts: tuple[str, ...]) -> bool:
        """An identifier that an invoice can have, and a number from 1."""
        return super().is_key(parts) and parse_invoice_id(parts[0]) is not None


class RedLetter(Record, frozen=True, kw_only=True):
    """A red-letter request: amount with VAT to credit, who asked, who answers, until when."""

    KIND: ClassVar[str] = "red_letter"
    KEY: ClassVar[tuple[str, ...]] = ("invoice", "number")
    READERS: ClassVar[tuple[str, ...]] = READERS

    invoice: str
    number: Ordinal
    amount: int
    reason: RedReason
    requested_by: str
    answers: str
    until_ms: int
    status: LetterStatus = "RED_REQUESTED"

    def parties(self) -> tuple[str, ...]:
        """Who asked and who answers."""
        return (self.requested_by, self.answers) if self.answers else (self.requested_by,)

    @classmethod
    def is_key(cls, parts: tuple[str, ...]) -> bool:
        """An identifier that an invoice can have, and a number from 1."""
        return super().is_key(parts) and parse_invoice_id(parts[0]) is not None


class Pseudonym(Record, frozen=True, kw_only=True):
    """A person's one-time key and the one invoice it stands on (D8)."""

    KIND: ClassVar[str] = "pseudonym"
    READERS: ClassVar[tuple[str, ...]] = READERS

    id: str
    invoice: str
    seller_member: str

    def parties(self) -> tuple[str, ...]:
        """The seller."""
        return (self.seller_member,)

    @classmethod
    def is_key(cls, parts: tuple[str, ...]) -> bool:
        """A one-time key."""
        return super().is_key(parts) and decode_pseudonym(parts[0]) is not None


def _is_taxpayer(identifier: str) -> bool:
    scheme, _sep, value = identifier.partition(":")
    return is_canonical(scheme, value)


RECORDS = (Taxpayer, Quota, Invoice, Credited, Reimbursement, RedLetter, Pseudonym)

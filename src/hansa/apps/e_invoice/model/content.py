"""What an invoice says on chain: integers, codes and identifiers, and how it is identified. Pure.

No names, addresses or item texts: those stay in the document, of which the chain has a commitment.
"""

import re
from typing import Literal

import msgspec

from hansa.crypto.signatures import InvalidKey, PublicKey, check_public_key
from hansa.primitives.identifiers import is_canonical

# 25 % is 250,000 parts per million: four decimals of a per cent, more than any VAT rate has.
PPM = 1_000_000
# UNTDID 1001 codes that EN 16931 lists for credit notes (BR-CL-01).
CREDIT_NOTE_CODES = frozenset(
    ("81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532")
)

# Of a 数电票's number.
FAPIAO_DIGITS = 20
# A number is an identifier, not a text: a long one would carry what must not be here.
NUMBER_MAX = 60

_ESCAPED = re.compile(rb"~([0-9A-F]{2})")
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+#")


class InvoiceLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line (BG-25): net BT-131 in hundredths. `credits`: the original's line that it takes back
    ("": the one with the same id, category and rate if there is one, else its rate as a whole).
    """

    id: str
    net: int
    category: str
    rate_ppm: int
    credits: str = ""


class Adjustment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document allowance (BG-20) or charge (BG-21), amount in hundredths."""

    amount: int
    category: str
    rate_ppm: int


class VatLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One VAT breakdown (BG-23): taxable BT-116 and tax BT-117 in hundredths."""

    category: str
    rate_ppm: int
    taxable: int
    tax: int


class InvoiceTotals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Totals (BG-22) in hundredths, BT-106 … BT-115; what the document does not give is zero."""

    lines: int
    allowances: int
    charges: int
    without_vat: int
    vat: int
    with_vat: int
    paid: int
    rounding: int
    due: int


class PrecedingInvoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A preceding invoice (BG-3) of the same seller: number BT-25, date BT-26 ("" if not given)."""

    number: str
    issue_date: str = ""


class InvoiceContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The part of an invoice that its rules are about. Amounts are hundredths of `currency`.

    `seller` is `scheme:value`; `buyer` the same, or `p:` and a person's one-time public key.
    `commitment` is base64url SHA-256 over salt and document (I7); `capitals` the amount in Chinese
    characters where the document carries it (I9).
    """

    standard: Literal["en16931", "fapiao"]
    type_code: str
    number: str
    issue_date: str
    currency: str
    seller: str
    buyer: str
    lines: tuple[InvoiceLine, ...]
    allowances: tuple[Adjustment, ...] = ()
    charges: tuple[Adjustment, ...] = ()
    vat: tuple[VatLine, ...]
    totals: InvoiceTotals
    preceding: tuple[PrecedingInvoice, ...] = ()
    commitment: str
    capitals: str = ""

    @property
    def is_credit(self) -> bool:
        """A credit note, or an invoice whose total is negative."""
        return self.type_code in CREDIT_NOTE_CODES or self.totals.with_vat < 0

    @property
    def credit_sign(self) -> int:
        """By what an amount of this credit is multiplied to be what it takes back."""
        return 1 if self.type_code in CREDIT_NOTE_CODES else -1

    @property
    def capitals_amounts(self) -> tuple[int, ...]:
        """What the amount in characters may say: a red letter's is the total as a negative."""
        total = self.totals.with_vat
        return (total, -total) if self.type_code in CREDIT_NOTE_CODES else (total,)


def compute_invoice_id(standard: str, seller: str, number: str) -> str:
    """The identifier that makes a number unique (I1).

    The 20 digits of a 数电票 as they are; else `seller:number`, where each byte of the number that
    no key may hold is `~` and two hex digits.
    """
    if standard == "fapiao":
        return number
    if _PLAIN.issuperset(number):
        return f"{seller}:{number}"
    plain = (chr(byte) if chr(byte) in _PLAIN else f"~{byte:02X}" for byte in number.encode())
    return f"{seller}:{''.join(plain)}"


def parse_invoice_id(invoice: str) -> tuple[str, str] | None:
    """Seller ("" for a 数电票, whose number does not say it) and number of an identifier that
    `compute_invoice_id` can give; None for any other.
    """
    if len(invoice) == FAPIAO_DIGITS and invoice.isascii() and invoice.isdigit():
        return "", invoice
    scheme, _sep, rest = invoice.partition(":")
    value, _sep, plain = rest.partition(":")
    try:
        number = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), plain.encode())
        text = number.decode()
    except UnicodeError:
        return None
    seller = f"{scheme}:{value}"
    is_number = 0 < len(text) <= NUMBER_MAX and text == text.strip(" \t\r\n")
    is_one = is_canonical(scheme, value) and compute_invoice_id("", seller, text) == invoice
    return (seller, text) if is_number and is_one else None


def compute_claim(chain: str, invoice: str, employer: str) -> bytes:
    """What a person's one-time key signs to hand an invoice to an employer, on this chain only."""
    return f"hansa.e_invoice.claim/1\n{chain}\n{invoice}\n{employer}".encode()


def decode_pseudonym(buyer: str) -> PublicKey | None:
    """The one-time key in `p:` and its base64url (Ed25519: 43 characters, P-256: 86), or None.

    A key that no signature could be trusted under (small order) is None too.
    """
    kind, _sep, public = buyer.partition(":")
    key = PublicKey(alg={43: "EdDSA", 86: "ES256"}.get(len(public), ""), public=public)
    try:
        check_public_key(key)
    except InvalidKey:
        return None
    return key if kind == "p" else None

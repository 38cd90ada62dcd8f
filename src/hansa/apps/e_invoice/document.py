"""The neutral invoice: what UBL, CII and the Chinese 数电票 all say, in exact integers. Pure.

Importers make it, the contract's messages are filled from it; it never goes on chain as it is.
"""

import re
from typing import Literal

import msgspec

from hansa.primitives.limits import INTEGER_MAX

# EN 16931 allows two decimals in every amount, whatever the currency (BR-DEC-01 … BR-DEC-28, all
# fatal), and a fully digitalised invoice is in CNY. So an amount is a number of hundredths of the
# currency's unit: 100 JPY, 100 HUF and 100 EUR are all 10000. ISO 4217 exponents are for show.
AMOUNT_SCALE = 2
# Places of a number that we keep. More are refused, but for prices and quantities (parse_rounded).
SCALE_MAX = 12
# A number that is longer than this as text is no amount of money.
NUMBER_CHARACTERS_MAX = 64

_DECIMAL = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?\Z")


class InexactNumber(ValueError):
    """A number that is not a plain decimal, has too many places, or is beyond 2**53 - 1."""


class Scaled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An exact decimal: `value` / 10**`scale`. Made by `parse_scaled`, it has no trailing zeros,
    so equal numbers are equal structs (25.00 % is value 25, scale 0).
    """

    value: int = 0
    scale: int = 0


class Identifier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A party's identifier. `scheme` is a name of `hansa.primitives.identifiers.SCHEMES` where it
    is known there (an ISO 6523 code such as "0192", or "CN-USCC"), otherwise as written, or "".
    """

    scheme: str
    value: str


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seller or buyer. Names and identifiers of a person are personal data: never on chain."""

    name: str = ""
    identifiers: tuple[Identifier, ...] = ()  # BT-29/BT-46, in document order
    legal_id: Identifier | None = None  # BT-30/BT-47
    vat_id: str = ""  # BT-31/BT-48
    tax_id: str = ""  # BT-32, seller only
    endpoint: Identifier | None = None  # BT-34/BT-49
    country: str = ""  # BT-40/BT-55, ISO 3166-1 alpha-2

    def all_identifiers(self) -> tuple[Identifier, ...]:
        """Every identifier, each once: legal, VAT ("VAT"), tax ("TAX"), others, endpoint."""
        found = [self.legal_id] if self.legal_id else []
        found += [Identifier("VAT", self.vat_id)] if self.vat_id else []
        found += [Identifier("TAX", self.tax_id)] if self.tax_id else []
        found += list(self.identifiers)
        found += [self.endpoint] if self.endpoint else []
        return tuple(dict.fromkeys(found))


class Preceding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A preceding invoice (BG-3): number BT-25 and issue date BT-26 ("" when not given)."""

    number: str
    issue_date: str = ""


class Adjustment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An allowance (BG-20) or a charge (BG-21) of the document: hundredths; rate in per cent."""

    amount: int
    category: str
    rate: Scaled = Scaled()


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An invoice line (BG-25). `net` is BT-131, after the line's own allowances and charges.

    A rate that is not given (category O) is zero. `allowances` and `charges` are BT-136 and BT-141.
    """

    id: str
    quantity: Scaled
    unit: str
    net: int
    price: Scaled
    base_quantity: Scaled = Scaled(1)
    category: str = ""
    rate: Scaled = Scaled()
    allowances: tuple[int, ...] = ()
    charges: tuple[int, ...] = ()
    name: str = ""  # BT-153; may hold personal data


class VatBreakdown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One VAT breakdown (BG-23): BT-118, BT-119 (zero when not given), BT-116, BT-117, BT-121."""

    category: str
    rate: Scaled
    taxable: int
    tax: int
    exemption_code: str = ""


class Totals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Document totals (BG-22) in hundredths; what is not given is zero."""

    lines: int  # BT-106
    allowances: int = 0  # BT-107
    charges: int = 0  # BT-108
    without_vat: int = 0  # BT-109
    vat: int = 0  # BT-110
    with_vat: int = 0  # BT-112
    paid: int = 0  # BT-113
    rounding: int = 0  # BT-114
    due: int = 0  # BT-115
    vat_accounting: int = 0  # BT-111, in the tax currency


class InvoiceDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An invoice or a credit note. Dates are `YYYY-MM-DD` or ""; amounts are hundredths.

    A credit note's amounts are positive; an invoice that credits has negative ones. Tolerances are
    those of the published rules: BR-CO-10 … BR-CO-16 exact, BR-CO-17 and BR-S-08 within one unit.
    """

    syntax: Literal["ubl", "cii", "fapiao"]
    kind: Literal["invoice", "credit_note"]
    type_code: str  # BT-3
    number: str  # BT-1
    issue_date: str  # BT-2
    currency: str  # BT-5
    seller: Party
    buyer: Party
    lines: tuple[Line, ...]
    totals: Totals
    vat: tuple[VatBreakdown, ...]
    due_date: str = ""  # BT-9
    tax_currency: str = ""  # BT-6
    preceding: tuple[Preceding, ...] = ()
    allowances: tuple[Adjustment, ...] = ()
    charges: tuple[Adjustment, ...] = ()
    specification: str = ""  # BT-24
    capitals: str = ""  # the total with VAT in Chinese characters, where the document has it (I9)


def parse_scaled(text: str) -> Scaled:
    """An XML Schema decimal as an exact number without trailing zeros.

    Raises InexactNumber: not a decimal, more than SCALE_MAX places, or beyond 2**53 - 1.
    """
    text = text.strip(" \t\r\n")
    found = _DECIMAL.match(text) if len(text) <= NUMBER_CHARACTERS_MAX else None
    if found is None or not (found[2] or found[3]):
        raise InexactNumber(text[:NUMBER_CHARACTERS_MAX])
    places = (found[3] or "").rstrip("0")
    value = int(f"{found[1]}{found[2]}{places}")
    if len(places) > SCALE_MAX or abs(value) > INTEGER_MAX:
        raise InexactNumber(text[:NUMBER_CHARACTERS_MAX])
    return Scaled(value, len(places))


def parse_rounded(text: str) -> Scaled:
    """A price or a quantity: what does not fit 2**53 - 1 or SCALE_MAX is rounded, half away from 0.

    Platforms print unit prices with 13 and more places; amounts never depend on them, and the
    document itself keeps them all. Raises InexactNumber: not a decimal, or too large.
    """
    text = text.strip(" \t\r\n")
    found = _DECIMAL.match(text) if len(text) <= NUMBER_CHARACTERS_MAX else None
    if found is None or not (found[2] or found[3]):
        raise InexactNumber(text[:NUMBER_CHARACTERS_MAX])
    places = found[3] or ""
    digits = int((found[2] or "0") + places)
    for scale in range(min(len(places), SCALE_MAX), -1, -1):
        unit = 10 ** (len(places) - scale)
        value = (2 * digits + unit) // (2 * unit)
        if value <= INTEGER_MAX:
            while scale and value % 10 == 0:
                value, scale = value // 10, scale - 1
            return Scaled(-value if found[1] == "-" else value, scale)
    raise InexactNumber(text)


def parse_amount(text: str) -> int:
    """An amount as hundredths. Raises InexactNumber, also for a third decimal that is not zero."""
    number = parse_scaled(text)
    if number.scale > AMOUNT_SCALE:
        raise InexactNumber(text[:NUMBER_CHARACTERS_MAX])
    amount: int = number.value * 10 ** (AMOUNT_SCALE - number.scale)
    if abs(amount) > INTEGER_MAX:
        raise InexactNumber(text[:NUMBER_CHARACTERS_MAX])
    return amount


def format_scaled(number: Scaled) -> str:
    """Plain decimal text: Scaled(-105, 2) is "-1.05"."""
    digits = str(abs(number.value)).rjust(number.scale + 1, "0")
    whole, places = digits[: len(digits) - number.scale], digits[len(digits) - number.scale :]
    return ("-" if number.value < 0 else "") + whole + ("." + places if places else "")


def format_amount(amount: int) -> str:
    """Hundredths as text with two decimals: -5 is "-0.05"."""
    return format_scaled(Scaled(amount, AMOUNT_SCALE))

"""The form of an invoice's fields: what no invoice may lack or contain, before any sum. Pure."""

from hansa.apps.e_invoice import rejections as r
from hansa.apps.e_invoice.contract.arithmetic import list_rates
from hansa.apps.e_invoice.model.content import (
    FAPIAO_DIGITS,
    NUMBER_MAX,
    PPM,
    InvoiceContent,
    compute_invoice_id,
    decode_pseudonym,
)
from hansa.encoding.text import TextError, decode_base64url
from hansa.ledger.model import is_key_part
from hansa.primitives.capitals import NotCapitals, format_capitals, parse_capitals
from hansa.primitives.identifiers import InvalidIdentifier, check_identifier, normalise

# A line id is an identifier, not a text: long ones would carry what must not be here.
LINE_ID_MAX = 50
_DIGITS = frozenset("0123456789")
_CAPITAL_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def check_fields(content: InvoiceContent) -> None:
    """Raise FieldInvalid, CommitmentInvalid or CapitalsWrong, with the field."""
    _require(is_number(content.standard, content.seller, content.number), "number")
    check_date("issue_date", content.issue_date)
    _require(
        len(content.currency) == 3 and _CAPITAL_LETTERS.issuperset(content.currency), "currency"
    )
    _require(0 < len(content.type_code) <= 3 and _DIGITS.issuperset(content.type_code), "type_code")
    _require(bool(content.lines), "lines")
    for line in content.lines:
        _require(0 < len(line.id) <= LINE_ID_MAX and len(line.credits) <= LINE_ID_MAX, "line id")
    _require(all(0 <= rate <= PPM for _category, rate in list_rates(content)), "rate_ppm")
    for preceding in content.preceding:
        _require(is_number(content.standard, content.seller, preceding.number), "preceding number")
        if preceding.issue_date:
            check_date("preceding issue_date", preceding.issue_date)
    _check_commitment(content.commitment)
    _check_capitals(content)


def is_number(standard: str, seller: str, number: str) -> bool:
    """Whether `number` can name an invoice: 20 digits for a 数电票, else what fits a key (I1)."""
    if standard == "fapiao":
        return len(number) == FAPIAO_DIGITS and _DIGITS.issuperset(number)
    if not 0 < len(number) <= NUMBER_MAX or number != number.strip(" \t\r\n"):
        return False
    return is_key_part(compute_invoice_id(standard, seller, number))


def check_date(field: str, date: str) -> None:
    """Raise FieldInvalid unless `date` is a calendar date YYYY-MM-DD."""
    parts = date.split("-")
    digits = [len(part) for part in parts] == [4, 2, 2] and all(map(_DIGITS.issuperset, parts))
    _require(digits, field)
    year, month, day = map(int, parts)
    _require(1 <= month <= 12 and 1 <= day <= _DAYS[month - 1], field)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    _require(leap or (month, day) != (2, 29), field)


def check_party_identifier(identifier: str) -> None:
    """Raise IdentifierInvalid unless `scheme:value` passes its check digits, in its one spelling.

    `p:` and a public key that signatures can be trusted under is a person's (I10, D8).
    """
    scheme, _sep, value = identifier.partition(":")
    if decode_pseudonym(identifier) is not None:
        return
    try:
        check_identifier(scheme, value)
    except InvalidIdentifier as error:
        raise r.IdentifierInvalid(identifier=identifier) from error
    if value != normalise(scheme, value) or not is_key_part(identifier):
        raise r.IdentifierInvalid(identifier=identifier)


def _require(holds: bool, field: str) -> None:
    if not holds:
        raise r.FieldInvalid(field=field)


def _check_commitment(commitment: str) -> None:
    try:
        digest = decode_base64url(commitment)
    except TextError as error:
        raise r.CommitmentInvalid() from error
    if len(digest) != 32:
        raise r.CommitmentInvalid()


def _check_capitals(content: InvoiceContent) -> None:
    """The words say the total with VAT (I9)."""
    if not content.capitals:
        return
    try:
        holds = parse_capitals(content.capitals) in content.capitals_amounts
    except NotCapitals:
        holds = False
    if not holds:
        amount = content.totals.with_vat
        raise r.CapitalsWrong(amount=amount, capitals=_format_capitals(content))


def _format_capitals(content: InvoiceContent) -> str:
    try:
        return format_capitals(content.totals.with_vat, content.currency)
    except NotCapitals:
        return "-"

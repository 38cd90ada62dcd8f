"""I1 … I10 of domains 1.1 as functions over state: each gives its violations. Pure.

They recompute everything from the invoices themselves and trust no running sum of the contract.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from hansa.apps.e_invoice import rejections as r
from hansa.apps.e_invoice.contract.arithmetic import compute_faults
from hansa.apps.e_invoice.contract.credits import check_within, compute_credited
from hansa.apps.e_invoice.contract.fields import check_party_identifier
from hansa.apps.e_invoice.contract.issue import compute_quota_use
from hansa.apps.e_invoice.model import (
    Credited,
    Invoice,
    Quota,
    RedLetter,
    Reimbursement,
    Taxpayer,
    compute_invoice_id,
)
from hansa.encoding.text import TextError, decode_base64url
from hansa.ledger.contracts import Invariant
from hansa.ledger.model import Record
from hansa.ledger.state import Reader, get_record, get_system, scan_records
from hansa.ledger.system import BlockRecord, Hold
from hansa.primitives.capitals import NotCapitals, parse_capitals
from hansa.primitives.limits import SCAN_MAX

APP = "e_invoice"
R = TypeVar("R", bound=Record)


def check_i1(reader: Reader) -> list[str]:
    """A number is used once: as many invoices as numbers were ever taken, each under its own id."""
    found = []
    taken: dict[tuple[str, str], int] = {}
    for invoice in scan(reader, Invoice):
        content = invoice.content
        if invoice.id != compute_invoice_id(content.standard, content.seller, content.number):
            found.append(f"{invoice.id}: stands under another number")
        key = (content.seller, content.currency)
        taken[key] = taken.get(key, 0) + 1
    for quota in scan(reader, Quota):
        if quota.numbers != taken.get((quota.seller, quota.currency), 0):
            found.append(f"{quota.seller} {quota.currency}: a number was used twice")
    return found


def check_i2(reader: Reader) -> list[str]:
    """EN 16931's sums hold in every invoice."""
    return [
        f"{invoice.id}: {fault.RULE}"
        for invoice in scan(reader, Invoice)
        for fault in compute_faults(invoice.content)
    ]


def check_i3(reader: Reader) -> list[str]:
    """At most one live reimbursement, and exactly one once it says so."""
    live: dict[str, int] = {}
    for paid in scan(reader, Reimbursement):
        live[paid.invoice] = live.get(paid.invoice, 0) + (0 if paid.reversed_height else 1)
    return [
        f"{invoice.id}: {live.get(invoice.id, 0)} live reimbursements while {invoice.status}"
        for invoice in scan(reader, Invoice)
        if live.get(invoice.id, 0) != (invoice.status in ("REIMBURSED", "POSTED", "ARCHIVED"))
    ]


def check_i4(reader: Reader) -> list[str]:
    """Credits recomputed from their invoices stay within the original, in every part."""
    found = []
    for credit in scan(reader, Invoice):
        if credit.content.is_credit and len(credit.content.preceding) != 1:
            found.append(f"{credit.id}: a credit without exactly one original")
    for original, notes in _scan_originals(reader):
        stated = get_record(reader, APP, Credited, original.id)
        sums: Credited | None = None
        try:
            for credit in notes:
                sums = compute_credited(original, sums, credit)
            if sums:
                check_within(original.content, sums)
        except r.Refusal as refusal:
            found.append(f"{original.id}: {refusal.code} {refusal.params}")
            continue
        if (sums and sums.total) != (stated and stated.total):
            found.append(f"{original.id}: its credits do not come to what is recorded")
        if sums and sums.total == original.content.totals.with_vat:
            found += _find_late_payments(reader, original, notes)
    return found


def check_i5(reader: Reader) -> list[str]:
    """What was used for input VAT or posted is credited only under a confirmed red letter."""
    found = []
    for original, notes in _scan_originals(reader):
        since = min(filter(None, (original.used_height, original.posted_height)), default=None)
        if since is None:
            continue
        needed = sum(credit.height > since for credit in notes)
        letters = scan(reader, RedLetter, original.id)
        confirmed = sum(letter.status == "CREDITED" for letter in letters)
        if needed > confirmed:
            found.append(f"{original.id}: {needed} credits, {confirmed} confirmed")
    return found


def check_i6(reader: Reader) -> list[str]:
    """Issued less credited is within the quota, and is what the quota says is used."""
    used: dict[tuple[str, str], tuple[int, int]] = {}
    for invoice in scan(reader, Invoice):
        key = (invoice.content.seller, invoice.content.currency)
        amount, count = compute_quota_use(invoice.content)
        old = used.get(key, (0, 0))
        used[key] = (old[0] + amount, old[1] + count)
    found = []
    for quota in scan(reader, Quota):
        amount, count = used.pop((quota.seller, quota.currency), (0, 0))
        if (amount, count) != (quota.used, quota.count_used):
            found.append(f"{quota.seller} {quota.currency}: the used quota is wrong")
        if amount > quota.amount or count > quota.count:
            found.append(f"{quota.seller} {quota.currency}: {amount} of {quota.amount}")
    return found + [f"{seller} {currency}: issued without quota" for seller, currency in used]


def check_i7(reader: Reader) -> list[str]:
    """Every invoice carries a commitment that some document can be held against."""
    found = []
    for invoice in scan(reader, Invoice):
        try:
            size = len(decode_base64url(invoice.content.commitment))
        except TextError:
            size = 0
        if size != 32:
            found.append(f"{invoice.id}: no document can match its commitment")
    return found


def check_i8(reader: Reader) -> list[str]:
    """No credit was issued under a live hold without its placer's consent."""
    found = []
    for original, notes in _scan_originals(reader):
        holds = scan_records(
            reader, Hold.OWNER, Hold, (APP, Invoice.KIND, original.id, "~"), limit=SCAN_MAX
        )
        for hold in holds:
            for credit in notes:
                at_ms = _read_time(reader, credit.height)
                is_live = hold.since_ms < at_ms and (hold.until_ms is None or at_ms < hold.until_ms)
                if is_live and hold.placed_by not in credit.consents:
                    found.append(f"{original.id}: credited against the hold {hold.id}")
    return found


def check_i9(reader: Reader) -> list[str]:
    """Where an amount in Chinese characters is given, it says the total."""
    found = []
    for invoice in scan(reader, Invoice):
        content = invoice.content
        if not content.capitals:
            continue
        try:
            amount = parse_capitals(content.capitals)
        except NotCapitals:
            amount = None
        if amount not in content.capitals_amounts:
            found.append(f"{invoice.id}: the characters say {amount}")
    return found


def check_i10(reader: Reader) -> list[str]:
    """Identifiers pass their check digits; the seller is who he is, or was, registered as."""
    found = []
    taxpayers = {taxpayer.id: taxpayer for taxpayer in scan(reader, Taxpayer)}
    named = [(taxpayer, taxpayer) for taxpayer in taxpayers]
    for invoice in scan(reader, Invoice):
        named.append((invoice.id, invoice.content.buyer))
        seller = taxpayers.get(invoice.content.seller)
        if seller is None or invoice.seller_member not in (seller.member, *seller.earlier):
            found.append(f"{invoice.id}: the seller is not who he is registered as")
    for where, identifier in named:
        try:
            check_party_identifier(identifier)
        except r.IdentifierInvalid:
            found.append(f"{where}: {identifier} fails its check")
    return found


def scan(reader: Reader, kind: type[R], *prefix: str) -> Iterator[R]:
    """Every record of a kind, in key order, page by page."""
    after: tuple[str, ...] = ()
    while page := scan_records(reader, APP, kind, prefix, limit=SCAN_MAX, after=after):
        yield from page
        after = page[-1].key()


def _scan_originals(reader: Reader) -> Iterator[tuple[Invoice, list[Invoice]]]:
    """Each original with the credits that name it, in the order in which they were recorded."""
    notes: dict[str, list[Invoice]] = {}
    for credit in scan(reader, Invoice):
        content = credit.content
        if content.is_credit and content.preceding:
            number = content.preceding[0].number
            key = compute_invoice_id(content.standard, content.seller, number)
            notes.setdefault(key, []).append(credit)
    for original, found in notes.items():
        invoice = get_record(reader, APP, Invoice, original)
        if invoice is not None:
            yield invoice, sorted(found, key=lambda credit: (credit.height, credit.id))


def _find_late_payments(reader: Reader, original: Invoice, notes: list[Invoice]) -> list[str]:
    """Reimbursements after the credit that left nothing."""
    return [
        f"{original.id}: reimbursed after it was fully credited"
        for paid in scan(reader, Reimbursement, original.id)
        if paid.height > notes[-1].height
    ]


def _read_time(reader: Reader, height: int) -> int:
    block = get_system(reader, BlockRecord, f"{height:012d}")
    return block.time_ms if block else 0


_CHECKS: tuple[tuple[str, Callable[[Reader], list[str]]], ...] = (
    ("I1", check_i1),
    ("I2", check_i2),
    ("I3", check_i3),
    ("I4", check_i4),
    ("I5", check_i5),
    ("I6", check_i6),
    ("I7", check_i7),
    ("I8", check_i8),
    ("I9", check_i9),
    ("I10", check_i10),
)
INVARIANTS = tuple(Invariant(name, check.__doc__ or name, check) for name, check in _CHECKS)

"""Issue an invoice, or a credit that names its one original: the entry checks of D10. Pure."""

import msgspec

from hansa.apps.e_invoice import rejections as r
from hansa.apps.e_invoice.contract.arithmetic import compute_faults
from hansa.apps.e_invoice.contract.fields import check_fields, check_party_identifier
from hansa.apps.e_invoice.contract.manifest import contract, need_taxpayer, require_party
from hansa.apps.e_invoice.contract.red_letter import credit_original, read_consents
from hansa.apps.e_invoice.model import events as e
from hansa.apps.e_invoice.model import messages as m
from hansa.apps.e_invoice.model.content import InvoiceContent, compute_invoice_id
from hansa.apps.e_invoice.model.records import Invoice, Pseudonym, Quota, Taxpayer
from hansa.ledger.context import Context
from hansa.ledger.model import is_key_part


@contract.handles(m.IssueInvoice)
def issue_invoice(ctx: Context, message: m.IssueInvoice) -> None:
    """READ who sells, CHECK every entry rule, WRITE invoice, quota and original, EMIT."""
    content = message.content
    seller = need_taxpayer(ctx, content.seller)
    _check_seller(ctx, seller)
    check_fields(content)
    invoice_id = compute_invoice_id(content.standard, content.seller, content.number)
    _check_number_free(ctx, invoice_id, content.number)
    for fault in compute_faults(content):
        raise fault
    originals = _read_originals(ctx, content, seller)
    invoice = Invoice(
        id=invoice_id,
        content=content,
        seller_member=seller.member,
        buyer_member=_read_buyer(ctx, content.buyer),
        height=ctx.height,
    )
    if content.is_credit:
        credit_original(ctx, originals[0], invoice)
        consents = read_consents(ctx, originals[0])
        invoice = msgspec.structs.replace(invoice, consents=consents)
    else:
        _take_pseudonym(ctx, invoice)
    _take_quota(ctx, content, seller.member)
    ctx.put(invoice)
    ctx.emit(
        e.InvoiceIssued(
            invoice=invoice.id,
            by=seller.member,
            readers=invoice.parties(),
            currency=content.currency,
            with_vat=content.totals.with_vat,
        )
    )


def _check_number_free(ctx: Context, invoice_id: str, number: str) -> None:
    """Invoices are never deleted, so a number that is not there was never used (I1)."""
    if ctx.get(Invoice, invoice_id) is not None:
        raise r.NumberUsed(number=number)


def _check_seller(ctx: Context, seller: Taxpayer) -> None:
    """The seller is who he is registered as, has the role, and is not suspended."""
    require_party(ctx, "seller", seller.member)
    ctx.require_role("seller", seller.jurisdiction)
    if seller.suspended:
        raise r.SellerStopped(
            seller=seller.id, reason=seller.suspended, jurisdiction=seller.jurisdiction
        )


def _read_originals(ctx: Context, content: InvoiceContent, seller: Taxpayer) -> list[Invoice]:
    """The preceding invoices that are on the ledger; for a credit exactly one (I4).

    Only an invoice that is no credit may name one from before the seller's time on the ledger.
    """
    if content.is_credit and len(content.preceding) != 1:
        raise r.NotOneOriginal(count=len(content.preceding))
    found = []
    for preceding in content.preceding:
        key = compute_invoice_id(content.standard, content.seller, preceding.number)
        original = ctx.get(Invoice, key)
        if original is not None:
            _check_same_parties(content, original.content)
            found.append(original)
        elif content.is_credit or not "" < preceding.issue_date < seller.since:
            raise r.PrecedingUnknown(number=preceding.number, since=seller.since)
    return found


def _check_same_parties(content: InvoiceContent, original: InvoiceContent) -> None:
    """A person is another pseudonym on each invoice, so only a credit must repeat it."""
    same = (content.seller, content.currency) == (original.seller, original.currency)
    both_persons = content.buyer.startswith("p:") and original.buyer.startswith("p:")
    if content.buyer != original.buyer and (content.is_credit or not both_persons):
        same = False
    if not same:
        raise r.PrecedingForeign(number=original.number)


def _read_buyer(ctx: Context, buyer: str) -> str:
    """DID of the buyer's member, "" for a person or one who is not registered (I10)."""
    is_named = is_key_part(buyer) and not buyer.startswith("p:")
    found = ctx.get(Taxpayer, buyer) if is_named else None
    if found is None:  # a registered identifier was checked when it was registered
        check_party_identifier(buyer)
    return found.member if found else ""


def _take_pseudonym(ctx: Context, invoice: Invoice) -> None:
    buyer = invoice.content.buyer
    if not buyer.startswith("p:"):
        return
    if ctx.get(Pseudonym, buyer) is not None:
        raise r.PseudonymUsed()
    ctx.put(Pseudonym(id=buyer, invoice=invoice.id, seller_member=invoice.seller_member))


def _take_quota(ctx: Context, content: InvoiceContent, member: str) -> None:
    """A credit needs no quota left, and gives back what it credits."""
    quota = ctx.get(Quota, content.seller, content.currency)
    if quota is None:
        raise r.NoQuota(seller=content.seller, currency=content.currency)
    amount, count = compute_quota_use(content)
    if not content.is_credit:
        _check_quota(quota, amount)
    ctx.put(
        msgspec.structs.replace(
            quota,
            member=member,
            used=quota.used + amount,
            count_used=quota.count_used + count,
            numbers=quota.numbers + 1,
        )
    )


def _check_quota(quota: Quota, amount: int) -> None:
    """Issued less credited is within the quota (I6)."""
    left, numbers = quota.amount - quota.used, quota.count - quota.count_used
    if amount > left or numbers < 1:
        raise r.QuotaSpent(amount=amount, left=left, numbers=numbers)


def compute_quota_use(content: InvoiceContent) -> tuple[int, int]:
    """Hundredths without VAT, and invoices, that issuing this uses of the quota."""
    if content.is_credit:
        return -content.credit_sign * content.totals.without_vat, 0
    return max(0, content.totals.without_vat), 1

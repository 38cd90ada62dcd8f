"""Rows for people: an invoice and its VAT by rate, signed so that sums are net of credits. Pure.

Seller, buyer, employer and auditor see the same tables, each the rows of the records they may read.
"""

from collections.abc import Iterable, Sequence

from hansa.appkit.application import Column, Row, Table
from hansa.appkit.waiting import Waiting
from hansa.apps.e_invoice.model import Invoice, Quota, RedLetter, Reimbursement, Taxpayer
from hansa.apps.e_invoice.model.content import PPM, InvoiceContent


def project_invoice(invoice: Invoice) -> Row:
    """One row per invoice or credit; a credit's amounts are negative."""
    content, totals = invoice.content, invoice.content.totals
    sign = compute_sign(content)
    return {
        "id": invoice.id,
        "number": content.number,
        "kind": "credit" if content.is_credit else "invoice",
        "issue_date": content.issue_date,
        "period": content.issue_date[:7],
        "currency": content.currency,
        "rates": " ".join(format_rate(each.category, each.rate_ppm) for each in content.vat),
        "seller": content.seller,
        "buyer": content.buyer,
        "seller_member": invoice.seller_member,
        "buyer_member": invoice.buyer_member,
        "employer": invoice.employer,
        "status": invoice.status,
        "use": "USE_CONFIRMED" if invoice.used_height else "",
        "red": invoice.red,
        "credit": invoice.credit,
        "frozen_by": invoice.frozen_by,
        "without_vat": sign * totals.without_vat,
        "vat": sign * totals.vat,
        "with_vat": sign * totals.with_vat,
        "due": sign * totals.due,
        "height": invoice.height,
    }


def compute_vat_rows(invoice: Invoice) -> list[Row]:
    """One row per VAT category and rate of an invoice; a credit's amounts are negative."""
    content = invoice.content
    sign = compute_sign(content)
    return [
        {
            "invoice": invoice.id,
            "rate": format_rate(each.category, each.rate_ppm),
            "category": each.category,
            "rate_ppm": each.rate_ppm,
            "period": content.issue_date[:7],
            "currency": content.currency,
            "seller": content.seller,
            "buyer": content.buyer,
            "seller_member": invoice.seller_member,
            "buyer_member": invoice.buyer_member,
            "employer": invoice.employer,
            "status": invoice.status,
            "taxable": sign * each.taxable,
            "tax": sign * each.tax,
        }
        for each in content.vat
    ]


def compute_totals(
    rows: Iterable[Row], by: Sequence[str], amounts: Sequence[str]
) -> dict[tuple[str, ...], tuple[int, ...]]:
    """Exact sums of integer columns, then the number of rows, for each value of `by`, sorted."""
    sums: dict[tuple[str, ...], list[int]] = {}
    for row in rows:
        found = sums.setdefault(tuple(str(row[name]) for name in by), [0] * (len(amounts) + 1))
        for at, name in enumerate(amounts):
            found[at] += int(row[name] or 0)
        found[-1] += 1
    return {key: tuple(sums[key]) for key in sorted(sums)}


def compute_sign(content: InvoiceContent) -> int:
    """-1 for a credit note, whose amounts are written as positive, else 1."""
    return -1 if content.is_credit and content.credit_sign > 0 else 1


def format_rate(category: str, rate_ppm: int) -> str:
    """`S 25%`, `S 9.975%`, `E 0%`."""
    whole, places = divmod(rate_ppm, PPM // 100)
    text = f"{whole}.{places:04d}".rstrip("0").rstrip(".")
    return f"{category} {text}%"


def project_taxpayer(taxpayer: Taxpayer) -> Row:
    """One row per registered tax identifier."""
    return {
        "id": taxpayer.id,
        "member": taxpayer.member,
        "jurisdiction": taxpayer.jurisdiction,
        "since": taxpayer.since,
        "suspended": taxpayer.suspended,
    }


def project_quota(quota: Quota) -> Row:
    """One row per seller and currency, with what is left."""
    return {
        "seller": quota.seller,
        "currency": quota.currency,
        "amount": quota.amount,
        "used": quota.used,
        "left": quota.amount - quota.used,
        "count": quota.count,
        "count_used": quota.count_used,
        "numbers": quota.numbers,
    }


def project_reimbursement(paid: Reimbursement) -> Row:
    """One row per reimbursement, also reversed ones."""
    return {
        "invoice": paid.invoice,
        "employer": paid.employer,
        "status": "REIMBURSEMENT_REVERSED" if paid.reversed_height else "REIMBURSED",
        "amount": paid.amount,
        "height": paid.height,
    }


def project_red_letter(letter: RedLetter) -> Row:
    """One row per request."""
    return {
        "invoice": letter.invoice,
        "status": letter.status,
        "reason": letter.reason,
        "requested_by": letter.requested_by,
        "answers": letter.answers,
        "amount": letter.amount,
        "until_ms": letter.until_ms,
    }


def _columns(text: str, integers: str, indexed: str | None = None) -> tuple[Column, ...]:
    """`indexed`: the texts that have an index of their own; None: all. Invoices are many, so theirs
    are few: what waits for a member, and what people look for by name.
    """
    asked = (text if indexed is None else indexed).split()
    named = [Column(name, indexed=name in asked) for name in text.split()]
    return (*named, *(Column(name, "integer") for name in integers.split()))


TABLES = (
    Table(
        "invoices",
        Invoice,
        _columns(
            "id number kind issue_date period currency rates seller buyer seller_member"
            " buyer_member employer status use red credit frozen_by",
            "without_vat vat with_vat due height",
            indexed="number seller_member buyer_member employer status",
        ),
        project_invoice,
        ("without_vat", "vat", "with_vat", "due"),
        unit="currency",
        main=("number", "issue_date", "seller_member", "buyer_member", "status", "red", "with_vat"),
    ),
    Table(
        "vat",
        Invoice,
        _columns(
            "invoice rate category period currency seller buyer seller_member buyer_member"
            " employer status",
            "rate_ppm taxable tax",
            indexed="invoice seller_member buyer_member",
        ),
        compute_vat_rows,
        ("taxable", "tax"),
        unit="currency",
        main=("invoice", "period", "rate", "seller_member", "buyer_member", "taxable", "tax"),
    ),
    Table(
        "taxpayers",
        Taxpayer,
        _columns("id member jurisdiction since suspended", ""),
        project_taxpayer,
    ),
    Table(
        "quotas",
        Quota,
        _columns("seller currency", "amount used left count count_used numbers"),
        project_quota,
        ("amount", "used", "left", "count", "count_used"),
        unit="currency",
    ),
    Table(
        "reimbursements",
        Reimbursement,
        _columns("invoice employer status", "amount height"),
        project_reimbursement,
    ),
    Table(
        "red_letters",
        RedLetter,
        _columns("invoice status reason requested_by answers", "amount until_ms"),
        project_red_letter,
    ),
)

# What home pages show: to employers, buyers, sellers, and those who watch over sellers.
WAITING = (
    Waiting(
        "red_letters_to_answer",
        "red_letters",
        where=(("status", "RED_REQUESTED"),),
        mine="answers",
        messages=("ConfirmRedLetter", "RejectRedLetter"),
        is_urgent=True,
    ),
    Waiting(
        "credits_to_issue",
        "invoices",
        where=(("red", "RED_CONFIRMED"),),
        mine="seller_member",
        messages=("IssueInvoice",),
        is_urgent=True,
    ),
    Waiting(
        "to_reimburse",
        "invoices",
        where=(("status", "SUBMITTED"),),
        mine="employer",
        messages=("ReimburseInvoice", "RejectSubmission"),
    ),
    Waiting(
        "to_post",
        "invoices",
        where=(("status", "REIMBURSED"),),
        mine="employer",
        messages=("PostInvoice", "ReverseReimbursement"),
    ),
    Waiting(
        "to_archive",
        "invoices",
        where=(("status", "POSTED"),),
        mine="employer",
        messages=("ArchiveInvoice",),
    ),
    Waiting(
        "to_deliver",
        "invoices",
        where=(("status", "ISSUED"),),
        mine="seller_member",
        messages=("DeliverInvoice",),
    ),
    Waiting(
        "received",
        "invoices",
        where=(("status", "DELIVERED"),),
        mine="buyer_member",
        messages=("SubmitInvoice", "RequestRedLetter"),
    ),
)

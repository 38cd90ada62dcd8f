"""From a neutral document to the message that issues it: what goes on chain, nothing else. Pure.

Names, addresses, item texts, prices and quantities stay behind, in the document.
"""

from collections.abc import Mapping

from hansa.apps.e_invoice.document import Adjustment as DocumentAdjustment
from hansa.apps.e_invoice.document import InexactNumber, InvoiceDocument, Scaled, format_scaled
from hansa.apps.e_invoice.model import (
    Adjustment,
    InvoiceContent,
    InvoiceLine,
    InvoiceTotals,
    IssueInvoice,
    PrecedingInvoice,
    VatLine,
)

# A per cent is 10,000 parts per million.
PPM_SCALE = 4


def build_issue_message(
    document: InvoiceDocument,
    *,
    seller: str,
    buyer: str,
    commitment: str,
    capitals: str = "",
    line_credits: Mapping[str, str] | None = None,
) -> IssueInvoice:
    """The message for `document`, between parties as the ledger knows them.

    `seller`: registered tax identifier `scheme:value`; `buyer`: the same, or `p:` and a person's
    one-time public key; `commitment`: of the document in the vault. `line_credits` says for a
    credit whose lines have other ids than the original's which line each takes back.

    Raises InexactNumber: a rate with more than four decimals.
    """
    totals = document.totals
    named = line_credits or {}
    content = InvoiceContent(
        standard="fapiao" if document.syntax == "fapiao" else "en16931",
        type_code=document.type_code,
        number=document.number,
        issue_date=document.issue_date,
        currency=document.currency,
        seller=seller,
        buyer=buyer,
        lines=tuple(
            InvoiceLine(
                id=line.id,
                net=line.net,
                category=line.category,
                rate_ppm=convert_rate(line.rate),
                credits=named.get(line.id, ""),
            )
            for line in document.lines
        ),
        allowances=tuple(map(_convert_adjustment, document.allowances)),
        charges=tuple(map(_convert_adjustment, document.charges)),
        vat=tuple(
            VatLine(
                category=each.category,
                rate_ppm=convert_rate(each.rate),
                taxable=each.taxable,
                tax=each.tax,
            )
            for each in document.vat
        ),
        totals=InvoiceTotals(
            lines=totals.lines,
            allowances=totals.allowances,
            charges=totals.charges,
            without_vat=totals.without_vat,
            vat=totals.vat,
            with_vat=totals.with_vat,
            paid=totals.paid,
            rounding=totals.rounding,
            due=totals.due,
        ),
        preceding=tuple(
            PrecedingInvoice(number=each.number, issue_date=each.issue_date)
            for each in document.preceding
        ),
        commitment=commitment,
        capitals=capitals or document.capitals,
    )
    return IssueInvoice(content=content)


def convert_rate(rate: Scaled) -> int:
    """A rate in per cent as parts per million. Raises InexactNumber: more than four decimals."""
    if rate.scale > PPM_SCALE:
        raise InexactNumber(format_scaled(rate))
    ppm: int = rate.value * 10 ** (PPM_SCALE - rate.scale)
    return ppm


def _convert_adjustment(adjustment: DocumentAdjustment) -> Adjustment:
    return Adjustment(
        amount=adjustment.amount,
        category=adjustment.category,
        rate_ppm=convert_rate(adjustment.rate),
    )

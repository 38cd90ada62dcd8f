"""From a neutral document to what goes on chain: integers, codes, identifiers. Pure."""

from hansa.apps.e_invoice.document import InvoiceDocument, Scaled
from hansa.apps.e_invoice.model.content import (
    Adjustment,
    InvoiceContent,
    InvoiceLine,
    InvoiceTotals,
    PrecedingInvoice,
    VatLine,
)

# Parts per million of a rate in per cent: four decimals.
_RATE_PLACES = 4


class RateTooFine(ValueError):
    """A VAT rate has more decimals than the ledger keeps."""


def build_content(
    document: InvoiceDocument, *, seller: str, buyer: str, commitment: str
) -> InvoiceContent:
    """The invoice as the ledger has it. Raises RateTooFine. Amounts stay in hundredths."""
    totals = document.totals
    return InvoiceContent(
        standard="fapiao" if document.syntax == "fapiao" else "en16931",
        type_code=document.type_code,
        number=document.number,
        issue_date=document.issue_date,
        currency=document.currency,
        seller=seller,
        buyer=buyer,
        lines=tuple(
            InvoiceLine(
                id=line.id, net=line.net, category=line.category, rate_ppm=to_ppm(line.rate)
            )
            for line in document.lines
        ),
        allowances=tuple(
            Adjustment(amount=each.amount, category=each.category, rate_ppm=to_ppm(each.rate))
            for each in document.allowances
        ),
        charges=tuple(
            Adjustment(amount=each.amount, category=each.category, rate_ppm=to_ppm(each.rate))
            for each in document.charges
        ),
        vat=tuple(
            VatLine(
                category=each.category,
                rate_ppm=to_ppm(each.rate),
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
    )


def to_ppm(rate: Scaled) -> int:
    """A rate in per cent as parts per million: 25.5 % is 255,000. Raises RateTooFine."""
    if rate.scale > _RATE_PLACES:
        raise RateTooFine(f"the rate {rate.value} / 10^{rate.scale} per cent is too fine")
    return int(rate.value * 10 ** (_RATE_PLACES - rate.scale))

"""What credits take back of an original: by line, by VAT rate, in total, never more (I4). Pure."""

from hansa.apps.e_invoice import rejections as r
from hansa.apps.e_invoice.model.content import InvoiceContent, InvoiceLine
from hansa.apps.e_invoice.model.records import Credited, Invoice


def compute_credited(original: Invoice, before: Credited | None, credit: Invoice) -> Credited:
    """The sums of all credits of `original` after `credit`, yet to be checked (`check_within`).

    A line of the credit takes back the line it names, or the one with its own id, category and
    rate; else it reduces its rate as a whole (a discount on everything), bounded by the rate.
    Raises CreditAboveOriginal for a line or a rate that is not there, FieldInvalid for no amount.
    """
    whole, part = original.content, credit.content
    sign = part.credit_sign
    if sign * part.totals.with_vat <= 0:
        raise r.FieldInvalid(field="totals.with_vat of a credit")
    lines = list(before.lines) if before else [0] * len(whole.lines)
    taxable = list(before.taxable) if before else [0] * len(whole.vat)
    tax = list(before.tax) if before else [0] * len(whole.vat)
    for line in part.lines:
        at = _find_line(whole, line)
        if at is not None:
            lines[at] += sign * line.net
    rates = [(each.category, each.rate_ppm) for each in whole.vat]
    for vat in part.vat:
        if (vat.category, vat.rate_ppm) not in rates:
            place = f"{vat.category} {vat.rate_ppm} ppm"
            raise r.CreditAboveOriginal(place=place, credited=sign * vat.taxable, original=0)
        at = rates.index((vat.category, vat.rate_ppm))
        taxable[at] += sign * vat.taxable
        tax[at] += sign * vat.tax
    return Credited(
        invoice=original.id,
        readers=original.parties(),
        credits=((*before.credits, credit.id) if before else (credit.id,)),
        total=(before.total if before else 0) + sign * part.totals.with_vat,
        without_vat=(before.without_vat if before else 0) + sign * part.totals.without_vat,
        lines=tuple(lines),
        taxable=tuple(taxable),
        tax=tuple(tax),
    )


def check_within(original: InvoiceContent, credited: Credited) -> None:
    """Raise CreditAboveOriginal, with the place, when more is credited than there was (I4)."""
    totals = original.totals
    places = [
        ("total with VAT", credited.total, totals.with_vat),
        ("total without VAT", credited.without_vat, totals.without_vat),
    ]
    for line, of_line in zip(original.lines, credited.lines, strict=True):
        places.append((f"line {line.id}", of_line, line.net))
    for vat, of_taxable, of_tax in zip(original.vat, credited.taxable, credited.tax, strict=True):
        rate = f"{vat.category} {vat.rate_ppm} ppm"
        places += [(f"{rate}, taxable", of_taxable, vat.taxable), (f"{rate}, tax", of_tax, vat.tax)]
    for place, amount, whole in places:
        if not min(0, whole) <= amount <= max(0, whole):
            raise r.CreditAboveOriginal(place=place, credited=amount, original=whole)


def _find_line(original: InvoiceContent, line: InvoiceLine) -> int | None:
    """Index of the original's line that `line` takes back. Raises CreditAboveOriginal: no such."""
    named = line.credits or line.id
    for at, each in enumerate(original.lines):
        same = (each.category, each.rate_ppm) == (line.category, line.rate_ppm)
        if each.id == named and (same or line.credits):
            return at
    if line.credits:
        raise r.CreditAboveOriginal(place=f"line {named}", credited=line.net, original=0)
    return None

"""EN 16931's sums in exact integers: BR-CO-10 … BR-CO-18 and the VAT categories (I2). Pure.

Tolerances are those of the published tests: sums exact, a category's tax (BR-CO-17) and the taxable
amount of S, L, M and B (BR-S-08) less than one unit off. Two cases are stricter than the published
tests: exactly one unit off (they compare binary floats there), and a rate of S, L, M or B in use
that has no breakdown of its own (they ask only for its category).
"""

from collections.abc import Iterator

from hansa.apps.e_invoice import rejections as r
from hansa.apps.e_invoice.model.content import PPM, InvoiceContent, VatLine

UNIT = 100
# Below half a per cent the published BR-CO-17 takes the rate as zero.
RATE_ROUNDS_TO_ZERO_PPM = 5_000

# Categories that have a breakdown for each rate, and those whose rate and tax are zero.
BY_RATE = frozenset(("S", "L", "M", "B"))
ZERO_RATED = frozenset(("Z", "E", "AE", "K", "G", "O"))
CATEGORIES = BY_RATE | ZERO_RATED

Rate = tuple[str, int]


def compute_faults(content: InvoiceContent) -> Iterator[r.Refusal]:
    """Every rule of the sums that the invoice breaks, in the order of the rules."""
    yield from _compute_total_faults(content)
    yield from _compute_category_faults(content)
    yield from _compute_breakdown_faults(content)


def list_rates(content: InvoiceContent) -> list[Rate]:
    """Every category and rate that the invoice names anywhere, each once, in its order."""
    named = [(line.category, line.rate_ppm) for line in content.lines]
    named += [(each.category, each.rate_ppm) for each in (*content.allowances, *content.charges)]
    named += [(each.category, each.rate_ppm) for each in content.vat]
    return list(dict.fromkeys(named))


def compute_taxable(content: InvoiceContent) -> dict[Rate, int]:
    """Lines plus charges less allowances for each category and rate in use, hundredths."""
    sums: dict[Rate, int] = {}
    for line in content.lines:
        key = (line.category, line.rate_ppm)
        sums[key] = sums.get(key, 0) + line.net
    for sign, adjustments in ((-1, content.allowances), (1, content.charges)):
        for each in adjustments:
            key = (each.category, each.rate_ppm)
            sums[key] = sums.get(key, 0) + sign * each.amount
    return sums


def compute_tax(taxable: int, rate_ppm: int) -> int:
    """|taxable| x rate, rounded half up to hundredths."""
    return (2 * abs(taxable) * rate_ppm + PPM) // (2 * PPM)


def _compute_total_faults(content: InvoiceContent) -> Iterator[r.Refusal]:
    totals = content.totals
    net = totals.lines - totals.allowances + totals.charges
    sums: tuple[tuple[type[r.SumWrong], int, int], ...] = (
        (r.LinesSumWrong, totals.lines, sum(line.net for line in content.lines)),
        (r.AllowancesSumWrong, totals.allowances, sum(a.amount for a in content.allowances)),
        (r.ChargesSumWrong, totals.charges, sum(c.amount for c in content.charges)),
        (r.NetTotalWrong, totals.without_vat, net),
        (r.VatTotalWrong, totals.vat, sum(each.tax for each in content.vat)),
        (r.GrossTotalWrong, totals.with_vat, totals.without_vat + totals.vat),
        (r.AmountDueWrong, totals.due, totals.with_vat - totals.paid + totals.rounding),
    )
    for fault, stated, computed in sums:
        if stated != computed:
            yield _build_sum_fault(fault, stated, computed)


def _compute_category_faults(content: InvoiceContent) -> Iterator[r.Refusal]:
    for category, rate in list_rates(content):
        if category not in CATEGORIES:
            yield r.CategoryUnknown(category=category)
        elif (category in ZERO_RATED and rate != 0) or (category == "S" and rate == 0):
            yield r.RateWrong(category=category, rate_ppm=rate)


def _compute_breakdown_faults(content: InvoiceContent) -> Iterator[r.Refusal]:
    taxable = compute_taxable(content)
    stated = [(each.category, each.rate_ppm) for each in content.vat]
    if not stated:
        yield r.BreakdownTwice(category="", rate_ppm=0)
    for category, rate in dict.fromkeys(key for key in stated if stated.count(key) > 1):
        yield r.BreakdownTwice(category=category, rate_ppm=rate)
    unused = {key for key in stated if key not in taxable and key[0] not in ZERO_RATED}
    for category, rate in sorted(unused | (taxable.keys() - set(stated))):
        yield r.BreakdownMissing(category=category, rate_ppm=rate)
    for each in content.vat:
        yield from _compute_vat_faults(each, taxable.get((each.category, each.rate_ppm), 0))


def _compute_vat_faults(vat: VatLine, taxable: int) -> Iterator[r.Refusal]:
    """BR-S-08 and its sisters, then BR-CO-17 with BR-S-09 and its sisters, for one breakdown."""
    off = abs(vat.taxable - taxable)
    if off >= UNIT or (off and vat.category in ZERO_RATED):
        yield _build_sum_fault(r.TaxableAmountWrong, vat.taxable, taxable)
    tax = compute_tax(vat.taxable, vat.rate_ppm)
    if vat.category in ZERO_RATED:
        holds = vat.tax == 0
    elif vat.rate_ppm < RATE_ROUNDS_TO_ZERO_PPM:
        holds = -UNIT <= 2 * vat.tax < UNIT
    else:
        holds = abs(abs(vat.tax) - tax) < UNIT
    if not holds:
        yield _build_sum_fault(r.CategoryTaxWrong, vat.tax, tax)


def _build_sum_fault(fault: type[r.SumWrong], stated: int, computed: int) -> r.SumWrong:
    return fault(rule=fault.RULE, stated=stated, computed=computed)

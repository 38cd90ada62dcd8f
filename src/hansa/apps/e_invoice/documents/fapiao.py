"""The fully digitalised invoice of China (数电票 XML, versions 0.2, 0.31): import and checks. Pure.

The shape is the one public readers agree on; no schema or rule list is published, so the rules
here (`CN-…`) are ours: arithmetic, check digits, capitals (I2, I9, I10). A red-letter invoice is
a credit note for one preceding invoice.
"""

import re
from collections.abc import Iterator

from lxml import etree

from hansa.apps.e_invoice.document import (
    Identifier,
    InvoiceDocument,
    Line,
    Party,
    Preceding,
    Scaled,
    Totals,
    VatBreakdown,
    format_amount,
    parse_rounded,
    parse_scaled,
)
from hansa.apps.e_invoice.documents.ubl import Reader
from hansa.apps.e_invoice.documents.xml_source import DocumentRefused
from hansa.primitives.capitals import NotCapitals, parse_capitals
from hansa.primitives.identifiers import InvalidIdentifier, check_identifier

# Versions seen in the field whose element names agree.
VERSIONS = ("0.2", "0.20", "0.3", "0.30", "0.31")
# Words in the place of a rate: not taxed, exempt (tax is nought).
_WITHOUT_RATE = {"免税": "E", "不征税": "O"}
# A line's tax is rounded for itself, and platforms carry more places inside: one fen of leeway.
_TAX_LEEWAY = 1

_DATA = "EInvoiceData"
_BASIC = f"{_DATA}/BasicInformation"
_TOTAL = f"{_BASIC}/TotalTax-includedAmount"
_CAPITALS = f"{_BASIC}/TotalTax-includedAmountInChinese"
_RED = f"{_DATA}/SpecificInformation/RedEInvoice"
_NUMBER = "TaxSupervisionInfo/InvoiceNumber"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"

# A broken rule: its id, its flag, the element it is about, in words.
Broken = tuple[str, str, etree._Element, str]


def import_fapiao(root: etree._Element) -> InvoiceDocument:
    """Raises DocumentRefused (`IMPORT-…`). A red-letter invoice's amounts become positive."""
    read = Reader(root)
    is_red = _is_red(read, root)
    sign = -1 if is_red else 1
    lines = tuple(_read_line(read, item, sign, n) for n, item in enumerate(_items(read, root), 1))
    without_tax = sign * read.amount(root, f"{_BASIC}/TotalAmWithoutTax")
    tax = sign * read.amount(root, f"{_BASIC}/TotalTaxAm", needed=False)
    total = sign * read.amount(root, _TOTAL)
    # The currency's unit is the yuan throughout; quantities of a red letter are made positive too.
    return InvoiceDocument(
        syntax="fapiao",
        kind="credit_note" if is_red else "invoice",
        type_code="381" if is_red else "380",
        number=read.text(root, _NUMBER) or read.text(root, "Header/EIid"),
        issue_date=_read_issue_date(read, root),
        currency="CNY",
        seller=_read_party(read, root, "Seller"),
        buyer=_read_party(read, root, "Buyer"),
        preceding=_read_preceding(read, root) if is_red else (),
        capitals=read.text(root, _CAPITALS),
        lines=lines,
        vat=_sum_rates(read, root, lines, sign),
        totals=Totals(
            lines=sum(line.net for line in lines),
            without_vat=without_tax,
            vat=tax,
            with_vat=total,
            due=total,
        ),
        specification="CN:EInvoice:" + read.text(root, "Header/Version"),
    )


def _items(read: Reader, root: etree._Element) -> list[etree._Element]:
    """The lines; a platform writes `xsi:nil` where there is none."""
    items = read.all(root, f"{_DATA}/IssuItemInformation")
    return [item for item in items if item.get(_NIL) != "true" and len(item)]


def _is_red(read: Reader, root: etree._Element) -> bool:
    """`InIssuType` is Y for a blue invoice and N for a red letter."""
    return read.text(root, "Header/InherentLabel/InIssuType/LabelCode").upper() == "N"


def _read_issue_date(read: Reader, root: etree._Element) -> str:
    for path in ("TaxSupervisionInfo/IssueTime", f"{_BASIC}/RequestTime"):
        found = read.first(root, path)
        if found is not None and (found.text or "").strip():
            day = re.match(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])", (found.text or "").strip())
            if day is None or not ("01" <= day[2] <= "12" and "01" <= day[3] <= "31"):
                raise read.refuse("IMPORT-DATE", f"{(found.text or '')[:40]!r} is no date", found)
            return day[0]
    raise read.refuse("IMPORT-MISSING", "there is no IssueTime", root)


def _read_party(read: Reader, root: etree._Element, role: str) -> Party:
    """A buyer who is a person has no tax number: the name alone."""
    path = f"{_DATA}/{role}Information"
    number = read.text(root, f"{path}/{role}IdNum").upper()
    scheme = "CN-USCC" if len(number) == 18 else "CN-TAX"
    return Party(
        name=read.text(root, f"{path}/{role}Name"),
        legal_id=Identifier(scheme, number) if number else None,
        vat_id=number,
        country="CN",
    )


def _read_preceding(read: Reader, root: etree._Element) -> tuple[Preceding, ...]:
    number = read.text(root, f"{_RED}/OriginalInvoiceCode")
    if not number:
        # Older versions say it only in the remark, in words of the tax authority.
        remark = read.text(root, f"{_DATA}/AdditionalInformation/Remark")
        found = re.search("被红冲蓝字数电票号码[:：]\\s*([0-9]{20})", remark)
        number = found[1] if found else ""
    return (Preceding(number),) if number else ()


def _read_line(read: Reader, item: etree._Element, sign: int, number: int) -> Line:
    category, rate = _read_rate(read, item)
    net = sign * read.amount(item, "Amount")
    # A lump sum has neither quantity nor price, nor has a discount, which is a negative line.
    lump = Scaled(-sign if net < 0 else sign)
    quantity = read.scaled(item, "Quantity", lump, parse_rounded)
    return Line(
        id=str(number),
        quantity=Scaled(sign * quantity.value, quantity.scale),
        unit=read.text(item, "MeaUnits"),
        net=net,
        price=read.scaled(item, "UnPrice", parse_scaled(format_amount(abs(net))), parse_rounded),
        category=category,
        rate=rate,
        name=read.text(item, "ItemName"),
    )


def _read_rate(read: Reader, item: etree._Element) -> tuple[str, Scaled]:
    """The category and the rate in per cent: `0.13` is 13 %, `免税` is exempt."""
    text = read.text(item, "TaxRate")
    for word, category in _WITHOUT_RATE.items():
        if word in text:
            return category, Scaled()
    if text in ("", "*", "***"):
        return "O", Scaled()
    rate = read.scaled(item, "TaxRate")
    value, scale = rate.value * (10 ** max(0, 2 - rate.scale)), max(0, rate.scale - 2)
    if value == 0:
        return "Z", Scaled()
    return "S", Scaled(value, scale)


def _sum_rates(
    read: Reader, root: etree._Element, lines: tuple[Line, ...], sign: int
) -> tuple[VatBreakdown, ...]:
    """The breakdown that the invoice doesn't have: its lines by category and rate."""
    sums: dict[tuple[str, int, int], tuple[int, int]] = {}
    for line, item in zip(lines, _items(read, root), strict=True):
        key = (line.category, line.rate.value, line.rate.scale)
        taxable, tax = sums.get(key, (0, 0))
        own = sign * _read_tax(read, item)
        sums[key] = (taxable + line.net, tax + own)
    return tuple(
        VatBreakdown(category, Scaled(value, scale), taxable, tax)
        for (category, value, scale), (taxable, tax) in sorted(sums.items())
    )


def _read_tax(read: Reader, item: etree._Element) -> int:
    """A line's tax; `***` and nothing stand for none."""
    if read.text(item, "ComTaxAm").strip("*") == "":
        return 0
    return read.amount(item, "ComTaxAm")


# -- checks -------------------------------------------------------------------------


def check_fapiao(root: etree._Element) -> Iterator[Broken]:
    """Every broken rule. Raises DocumentRefused for what can't be read at all."""
    read = Reader(root)
    yield from _check_head(read, root)
    yield from _check_parties(read, root)
    yield from _check_red(read, root)
    items = _items(read, root)
    if not items:
        yield "CN-LINE", "fatal", root, "the invoice has at least one line"
    for item in items:
        yield from _check_line(read, item)
    yield from _check_totals(read, root, items)


def _check_head(read: Reader, root: etree._Element) -> Iterator[Broken]:
    number = read.text(root, _NUMBER) or read.text(root, "Header/EIid")
    where = _first(read, root, _NUMBER, "Header/EIid")
    if re.fullmatch("[0-9]{20}", number) is None:
        yield "CN-NUMBER", "fatal", where, "the number (BT-1) has 20 digits"
    elif read.text(root, "Header/EIid") not in ("", number):
        yield "CN-NUMBER", "fatal", where, "the two places of the number (BT-1) agree"
    if read.text(root, "Header/Version") not in VERSIONS:
        version = _first(read, root, "Header/Version")
        yield "CN-VERSION", "warning", version, f"the version is one of {', '.join(VERSIONS)}"
    try:
        _read_issue_date(read, root)
    except DocumentRefused as refused:
        yield "CN-DATE", "fatal", _first(read, root, "TaxSupervisionInfo/IssueTime"), refused.text


def _check_parties(read: Reader, root: etree._Element) -> Iterator[Broken]:
    for role, needed in (("Seller", True), ("Buyer", False)):
        path = f"{_DATA}/{role}Information"
        name = _first(read, root, f"{path}/{role}Name", path)
        if not read.text(root, f"{path}/{role}Name"):
            yield "CN-NAME", "fatal", name, f"the {role.lower()} has a name"
        number = read.text(root, f"{path}/{role}IdNum")
        where = _first(read, root, f"{path}/{role}IdNum", path)
        if not number:
            if needed:
                yield "CN-IDENTIFIER", "fatal", where, "the seller has a tax number (BT-31)"
            continue
        try:
            if len(number) == 18:
                check_identifier("CN-USCC", number)
            elif re.fullmatch("[0-9A-Z]{15}|[0-9A-Z]{20}", number) is None:
                raise InvalidIdentifier("CN-TAX", "format")
        except InvalidIdentifier as invalid:
            text = f"the {role.lower()}'s number is no {invalid.scheme} ({invalid.reason})"
            yield "CN-IDENTIFIER", "fatal", where, text


def _check_red(read: Reader, root: etree._Element) -> Iterator[Broken]:
    label = _first(read, root, "Header/InherentLabel/InIssuType/LabelCode", "Header")
    if read.text(root, "Header/InherentLabel/InIssuType/LabelCode").upper() not in ("Y", "N"):
        yield "CN-ISSUE-TYPE", "fatal", label, "InIssuType is Y (blue) or N (red letter)"
    elif _is_red(read, root) and not _read_preceding(read, root):
        yield "CN-RED", "fatal", label, "a red letter names the invoice that it credits (BG-3)"
    total, where = _try_amount(read, root, _TOTAL), _first(read, root, _TOTAL)
    if total is not None and (total > 0 if _is_red(read, root) else total < 0):
        yield "CN-SIGN", "fatal", where, "a red letter's total is negative, a blue one's is not"


def _check_line(read: Reader, item: etree._Element) -> Iterator[Broken]:
    try:
        category, rate = _read_rate(read, item)
        net, tax = read.amount(item, "Amount"), _read_tax(read, item)
        quantity = read.scaled(item, "Quantity", Scaled(), parse_rounded)
        price = read.scaled(item, "UnPrice", Scaled(), parse_rounded)
        gross = read.amount(item, "TotaltaxIncludedAmount", needed=False)
    except DocumentRefused as refused:
        yield "CN-LINE-NUMBER", "fatal", item, refused.text
        return
    # price × quantity, in hundredths, to within one fen; both are left out for a lump sum
    exact = quantity.value * price.value * 100
    unit = 10 ** (quantity.scale + price.scale)
    if quantity.value and price.value and abs(exact - net * unit) > unit:
        yield "CN-LINE-AMOUNT", "fatal", item, "quantity times price is the amount (BT-131)"
    due = rate.value * net
    scale = 100 * 10**rate.scale
    if category in ("E", "O") and tax != 0:
        yield "CN-LINE-TAX", "fatal", item, "a line without a rate has no tax"
    elif abs(due - tax * scale) > _TAX_LEEWAY * scale:
        yield "CN-LINE-TAX", "fatal", item, "the tax is the amount times the rate, within one fen"
    if read.text(item, "TotaltaxIncludedAmount") and gross != net + tax:
        yield "CN-LINE-TOTAL", "fatal", item, "the line's total is its amount plus its tax"


def _check_totals(
    read: Reader, root: etree._Element, items: list[etree._Element]
) -> Iterator[Broken]:
    totals: dict[str, int] = {}
    for name, path in (
        ("net", f"{_BASIC}/TotalAmWithoutTax"),
        ("tax", f"{_BASIC}/TotalTaxAm"),
        ("total", _TOTAL),
    ):
        value = _try_amount(read, root, path, zero=name == "tax")
        if value is None:
            yield "CN-TOTAL-NUMBER", "fatal", _first(read, root, path, _BASIC), f"{path} is exact"
            return
        totals[name] = value
    nets = [_try_amount(read, item, "Amount") for item in items]
    taxes = [_try_amount(read, item, "ComTaxAm", zero=True) for item in items]
    basic = _first(read, root, _BASIC)
    if None not in nets and sum(filter(None, nets)) != totals["net"]:
        yield "CN-TOTAL-NET", "fatal", basic, "the total without tax is the lines' sum (BR-CO-10)"
    if None not in taxes and sum(filter(None, taxes)) != totals["tax"]:
        yield "CN-TOTAL-TAX", "fatal", basic, "the total tax is the lines' sum (BR-CO-14)"
    if totals["net"] + totals["tax"] != totals["total"]:
        yield "CN-TOTAL", "fatal", basic, "the total is amount plus tax (BR-CO-15)"
    where = _first(read, root, _CAPITALS, _BASIC)
    try:
        written = parse_capitals(read.text(root, _CAPITALS))
    except NotCapitals:
        yield "CN-CAPITALS", "fatal", where, "the amount in capitals can't be read (I9)"
    else:
        if written != totals["total"]:
            text = f"the capitals say {format_amount(written)}, the number says "
            yield "CN-CAPITALS", "fatal", where, text + format_amount(totals["total"]) + " (I9)"


def _try_amount(
    read: Reader, parent: etree._Element, path: str, *, zero: bool = False
) -> int | None:
    """An amount, or None where it can't be read; `zero` takes nothing and stars for none."""
    if zero and read.text(parent, path).strip("*") == "":
        return 0
    try:
        return read.amount(parent, path)
    except DocumentRefused:
        return None


def _first(read: Reader, root: etree._Element, *paths: str) -> etree._Element:
    """The first of these elements that is there, else the root."""
    return next((found for path in paths if (found := read.first(root, path)) is not None), root)

"""The EN 16931 rules (artefacts 1.3.16) over a UBL document, each failure with its place. Pure.

`mock-einvoice` has the 979 published rules as Python; this module is the only door to it, asks the
code list rules and four more of the elements themselves, and turns terms into paths.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from lxml import etree
from mockeinvoice import ubl
from mockeinvoice.model import Refused
from mockeinvoice.rules import published, run
from mockeinvoice.rules.codelists import LISTS

from hansa.apps.e_invoice.documents.code_lists import CODE_RULES, check_codes
from hansa.apps.e_invoice.documents.places import TermPlaces
from hansa.apps.e_invoice.documents.xml_source import DocumentRefused, Places, get_name

EDITION = str(published.SOURCES["en16931"][0])
# Every published rule of the core with its flag.
FLAGS: dict[str, str] = dict(published.LAYERS["en16931"])
# Many rules compare each of these with each line or with one another: a document with more of them
# is an attack. One VAT breakdown per rate, one payment instruction per account.
SUBTOTALS_MAX = 200
# Anything else of one name at the head of a document, its lines apart.
REPEATED_MAX = 1_000
_LINES = ("cac:InvoiceLine", "cac:CreditNoteLine")
_PAYMENT = ("{*}TaxSubtotal", "{*}PaymentMeansCode", "{*}PaymentID")

# What the reader itself finds, where no published rule says it: its code, our rule id and flag.
_READER = {
    "NOT-DECIMAL": ("UBL-NOT-A-NUMBER", "fatal"),
    "STRUCTURE": ("UBL-NOT-A-VALUE", "fatal"),
    "REPEATED": ("UBL-REPEATED", "warning"),
}


# What a rule is about, for where it could not be computed: then it names the document as its place.
_SUBJECTS = {
    "BR-CO-10": "BT-106",
    "BR-CO-11": "BT-107",
    "BR-CO-12": "BT-108",
    "BR-CO-13": "BT-109",
    "BR-CO-14": "BT-110",
    "BR-CO-15": "BT-112",
    "BR-CO-16": "BT-115",
    "BR-CO-17": "BG-23",
    "BR-27": "BG-25",
    "BR-28": "BG-25",
}
# The same for the rules of each VAT category, by their number: line, allowance, charge, breakdown.
_CATEGORY_RULE = re.compile(r"BR-(?:S|Z|E|AE|IC|G|O|AF|AG|IG|IP|B)-(0[5-9])")
_CATEGORY_SUBJECTS = {"05": "BG-25", "06": "BG-20", "07": "BG-21", "08": "BG-23", "09": "BG-23"}


class Failure(msgspec.Struct, frozen=True):
    """One broken rule: its published id, its flag (`fatal` or `warning`), the place, in words."""

    rule: str
    flag: str
    path: str
    text: str


def check_rules(root: etree._Element) -> list[Failure]:
    """Every broken rule of a UBL Invoice or CreditNote, whole or a fragment, in published order.

    Raises DocumentRefused for a document that only an attack would look like.
    """
    _check_repeats(root)
    try:
        document, findings, node = ubl.parse_tree(etree.tostring(root, encoding="utf-8"))
    except Refused as refused:
        raise DocumentRefused("FORMAT-UNKNOWN", str(refused.reason)) from None
    places = TermPlaces(node, document.kind)
    said = list(run(document, "en16931", node))
    unreadable = [finding.path for finding in findings if finding.code == "NOT-DECIMAL"]
    failures = [
        Failure(finding.code, finding.level, _find_place(finding, places, unreadable), finding.text)
        for finding in said
        if finding.code not in CODE_RULES
    ]
    failures += _check_elements(root, {failure.rule for failure in failures})
    failures += _say_reader(
        findings,
        _collect_above(failure.path for failure in failures if failure.rule.startswith("UBL-")),
    )
    order = {rule: number for number, rule in enumerate(FLAGS)}
    return sorted(failures, key=lambda failure: order.get(failure.rule, len(order)))


def _find_place(finding: Any, places: TermPlaces, unreadable: list[str]) -> str:
    """The path of a finding; of a rule that an unreadable amount stopped, its subject's."""
    subject = _SUBJECTS.get(finding.code, "")
    category = _CATEGORY_RULE.fullmatch(finding.code)
    if category is not None:
        subject = _CATEGORY_SUBJECTS[category[1]]
    if finding.path != "/" or not subject:
        return places.find(finding.path)
    if subject.startswith("BG-"):
        return places.find_group(subject, unreadable)
    return places.find(subject)


def _check_repeats(root: etree._Element) -> None:
    for tag in _PAYMENT:
        if sum(1 for _ in root.iter(tag)) > SUBTOTALS_MAX:
            raise DocumentRefused("XML-TOO-LARGE", f"more than {SUBTOTALS_MAX} {tag[3:]} elements")
    for name, count in Counter(get_name(child) for child in root).items():
        if count > REPEATED_MAX and name not in _LINES:
            raise DocumentRefused("XML-TOO-LARGE", f"more than {REPEATED_MAX} {name} elements")


def _say_reader(findings: Any, said: set[str]) -> Iterator[Failure]:
    """What the reader found; a repeated element is not said again where a rule has said it."""
    for finding in findings:
        if finding.code in _READER and (finding.code != "REPEATED" or finding.path not in said):
            rule, flag = _READER[finding.code]
            yield Failure(rule, flag, finding.path, finding.text)


def _collect_above(places: Iterable[str]) -> set[str]:
    """Every place and all that are above it, also without their last index."""
    above: set[str] = set()
    for place in places:
        while place and place not in above:
            above.add(place)
            above.add(place.removesuffix("]").rpartition("[")[0] if place[-1] == "]" else place)
            place = place.rpartition("/")[0]
    return above


def _check_elements(root: etree._Element, failed: set[str]) -> Iterator[Failure]:
    """The rules that are asked of elements, because the model does not hold what they ask."""
    places = Places(root)
    lists = {rule: tuple(codes) for rule, codes in LISTS.items()}
    for found in check_codes(root, lists):
        where = places.of(found.element) + (f"/@{found.attribute}" if found.attribute else "")
        yield Failure(found.rule, FLAGS[found.rule], where, found.text)
    for rule, element, text in _check_vat_scheme(root):
        if rule not in failed:
            yield Failure(rule, FLAGS[rule], places.of(element), text)


def _check_vat_scheme(root: etree._Element) -> Iterator[tuple[str, etree._Element, str]]:
    """BR-32, BR-37, BR-47 and BR-48 count only a category whose tax scheme says VAT."""
    for element in root.iter("{*}AllowanceCharge", "{*}TaxSubtotal"):
        parent = element.getparent()
        above = get_name(parent) if parent is not None else ""
        categories = [_read_category(child) for child in element if _is(child, "TaxCategory")]
        if _is(element, "TaxSubtotal"):
            if above == "cac:TaxTotal" and not any(vat and code for vat, code, _ in categories):
                yield "BR-47", element, "the VAT breakdown has a category code of the scheme VAT"
            if above == "cac:TaxTotal" and not any(
                vat and (rate or code == "O") for vat, code, rate in categories
            ):
                yield "BR-48", element, "the VAT breakdown has a rate, under the scheme VAT"
        elif parent is root and not any(vat and code for vat, code, _ in categories):
            charge = (element.findtext("{*}ChargeIndicator") or "").strip()
            rule = {"false": "BR-32", "0": "BR-32", "true": "BR-37", "1": "BR-37"}.get(charge)
            if rule is not None:
                yield rule, element, "it has a category code of the scheme VAT"


def _read_category(category: etree._Element) -> tuple[bool, str, bool]:
    """Whether the scheme says VAT, the code ("?" for one that is empty), whether it has a rate."""
    schemes = [scheme.text or "" for scheme in category.iterfind("{*}TaxScheme/{*}ID")]
    codes = [(code.text or "").strip() or "?" for code in category.iterfind("{*}ID")]
    is_vat = any(scheme.strip().upper() == "VAT" for scheme in schemes)
    return is_vat, codes[0] if codes else "", category.find("{*}Percent") is not None


def _is(element: etree._Element, name: str) -> bool:
    return isinstance(element.tag, str) and element.tag.rpartition("}")[2] == name

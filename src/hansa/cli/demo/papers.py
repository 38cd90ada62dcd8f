"""The documents of the demo: published examples, and what is made of them to be refused. Pure."""

import copy
import re
from typing import Any, Final

# Who the sellers and buyers of the published examples are in the model league. They are no members
# of ours: the demo says so, and prints this map.
PARTIES: Final = {
    "De Koksmaat": "seller-a",
    "Salescompany ltd.": "seller-a",
    "SÄLJARNAMNET": "seller-a",
    "HEP SPLIT": "seller-a",
    "Enexis B.V.": "seller-a",
    "SubscriptionSeller": "seller-b",
    "SellerCompany": "seller-b",
    "The Sellercompany Incorporated": "seller-b",
    "Bluem BV": "seller-b",
    "My Supplier Company": "seller-b",
}
# Everybody else buys as this member; the household of example 8 is a person, so no name goes on.
BUYER: Final = "buyer"
PERSON: Final = "Klant"
PERSONS_FILE: Final = "ubl-tc434-example8.xml"
TAMPERED_FILE: Final = "ubl-tc434-example9.xml"

_PAYABLE = re.compile(rb"(<cbc:PayableAmount[^>]*>)([^<]*)(</cbc:PayableAmount>)")


def tamper_total(document: bytes) -> bytes:
    """The document with an amount due that is ten thousand more; nothing else is changed."""
    found = _PAYABLE.search(document)
    if found is None:
        raise ValueError("the document has no PayableAmount")
    wrong = b"%s1%s%s" % (found[1], found[2].strip().rjust(7, b"0"), found[3])
    return document[: found.start()] + wrong + document[found.end() :]


def raise_total(content: dict[str, Any]) -> dict[str, Any]:
    """Chain content whose total with VAT is one unit more than its parts, under a new number."""
    changed = copy.deepcopy(content)
    changed["number"] = f"{content['number']}-T"
    for name in ("with_vat", "due"):
        changed["totals"][name] += 100
    return changed


def credit(content: dict[str, Any], number: str, times: int) -> dict[str, Any]:
    """A credit of `times` the invoice, naming it as its one original."""
    changed = copy.deepcopy(content)
    changed["number"], changed["type_code"] = number, "381"
    changed["preceding"] = [{"number": content["number"], "issue_date": content["issue_date"]}]
    for line in changed["lines"]:
        line["net"] *= times
    for each in (*changed["allowances"], *changed["charges"]):
        each["amount"] *= times
    for each in changed["vat"]:
        each["taxable"] *= times
        each["tax"] *= times
    for name in changed["totals"]:
        changed["totals"][name] *= times
    return changed


def flip_byte(data: bytes) -> bytes:
    """The file with one bit of one byte changed, in its middle."""
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

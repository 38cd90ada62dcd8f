"""A league in memory for the tests of e_invoice: two jurisdictions, the catalog's contracts."""

from collections.abc import Sequence
from typing import Any

import msgspec

from hansa.apps.e_invoice import APPLICATION
from hansa.apps.e_invoice.contract.arithmetic import compute_tax
from hansa.apps.e_invoice.model import (
    Adjustment,
    Invoice,
    InvoiceContent,
    InvoiceLine,
    InvoiceTotals,
    IssueInvoice,
    PrecedingInvoice,
    VatLine,
    compute_claim,
    compute_invoice_id,
)
from hansa.apps.e_invoice.model import messages as m
from hansa.contracts.governance.model import Action, Propose
from hansa.contracts.holds.model import PlaceHold
from hansa.contracts.members.model import AmendMember
from hansa.crypto.hashing import sha256
from hansa.encoding.text import encode_base64url
from hansa.ledger.state import scan_records
from hansa.ledger.system import Identifier
from hansa.testing.chain import Actor, make_key
from tests.apps.stage import Grant, Stage, build_genesis

APP = "e_invoice"
JURISDICTIONS = {
    "bureau-cn": "CN",
    "bureau-hk": "HK",
    "seller-a": "CN",
    "seller-b": "HK",
    "buyer-a": "CN",
    "buyer-b": "HK",
    "employer-x": "CN",
    "employer-y": "HK",
    "bank": "CN",
    "court": "CN",
    "outsider": "CN",
}
# Synthetic unified social credit codes with right check digits, and Hong Kong numbers.
TAX_IDS = {
    "seller-a": "CN-USCC:91440101MA5ABCDE0J",
    "seller-b": "HK-BRN:12345678",
    "buyer-a": "CN-USCC:91440300MA5FGHJK0P",
    "buyer-b": "HK-BRN:87654321",
}
UNREGISTERED = "CN-USCC:91440300MA5TTTTT1A"
# In the members' register as the bank's, and registered with no tax bureau.
OWNED = "CN-USCC:91440300MA5KKKKK2K"
SINCE = "2026-01-01"
QUOTA = 10_000_000
Line = tuple[str, int, str, int]


class League(Stage):
    """Actors by name, the chain, and short ways to say what they do. Every send is one block."""

    APPLICATION = APPLICATION

    def __init__(self, *, quota: int = QUOTA, count: int = 1_000) -> None:
        actors = {name: Actor(name) for name in (*JURISDICTIONS, "citizen")}
        genesis = build_genesis(
            actors,
            JURISDICTIONS,
            list_grants(),
            voter="court",
            sponsors={"citizen": "seller-a"},  # and by nobody else
            identifiers={"bank": list_identifiers(OWNED)},
        )
        super().__init__(actors, genesis)
        for name, tax_id in TAX_IDS.items():
            bureau = self.bureau_of(name)
            self.must(bureau, register(tax_id, self.did(name)))
            if name.startswith("seller"):
                grant = m.GrantQuota(seller=tax_id, currency="CNY", amount=quota, count=count)
                self.must(bureau, grant)

    def bureau_of(self, name: str) -> str:
        """The tax bureau of a member's jurisdiction."""
        return f"bureau-{JURISDICTIONS[name].lower()}"

    def issue(self, seller: str, number: str, buyer: str = "buyer-a", **changes: Any) -> str:
        """Issue an invoice that has to be accepted; its id."""
        content = make_content(seller, number, buyer, **changes)
        self.must(seller, IssueInvoice(content=content))
        return compute_invoice_id(content.standard, content.seller, content.number)

    def credit(self, seller: str, number: str, original: str, **changes: Any) -> str:
        """Issue a credit note of all of `original` unless `changes` say what; the code."""
        content = make_credit(self.invoice(original).content, number, **changes)
        return self.send(seller, IssueInvoice(content=content))

    def invoice(self, invoice: str) -> Invoice:
        """The record as it stands."""
        found = self.chain.get(APP, Invoice, invoice)
        assert found is not None
        return found

    def step(self, sender: str, kind: type[m.InvoiceMessage], invoice: str, **fields: Any) -> str:
        """Send a step of an invoice; the code."""
        return self.send(sender, kind(invoice=invoice, **fields))

    def walk(self, invoice: str, employer: str, *kinds: type[m.InvoiceMessage]) -> None:
        """Steps of one sender that have to be accepted."""
        for kind in kinds:
            assert self.step(employer, kind, invoice) == "ok", (kind, self.params)

    def claim(self, person: str, invoice: str, employer: str) -> m.ClaimInvoice:
        """The claim that the person's one-time key signs."""
        key = make_key(person)
        claim = compute_claim(self.chain.chain, invoice, self.did(employer))
        proof = encode_base64url(key.sign(claim))
        return m.ClaimInvoice(invoice=invoice, employer=self.did(employer), proof=proof)

    def hold(self, invoice: str, kind: str = "assignment") -> None:
        """The bank takes the invoice in assignment, with its seller; or a court holds it."""
        message = PlaceHold(
            application=APP, record_kind=Invoice.KIND, record_key=(invoice,), kind=kind
        )
        owner = self.invoice(invoice).seller_member
        seller = next(actor for actor in self.actors.values() if actor.did == owner)
        placer = "bank" if kind in ("assignment", "pledge") else "court"
        signers = [self.actors[placer], seller] if placer == "bank" else [self.actors[placer]]
        self.chain.send(signers, "holds", message)
        assert self.chain.results[-1].results[0].code == 0, self.chain.results[-1].results

    def amend(self, name: str, tax_id: str) -> None:
        """Governance: the member has this identifier, and no other."""
        amend = AmendMember(
            member=self.did(name),
            name=name,
            jurisdiction=JURISDICTIONS[name],
            identifiers=msgspec.convert(list_identifiers(tax_id), tuple[Identifier, ...]),
        )
        body = msgspec.to_builtins(amend)
        action = Action(application="members", type="AmendMember", body=body)
        propose = Propose(topic="test", actions=(action,))
        assert self.chain.send(self.actors["court"], "governance", propose).code == "ok"

    def states(self) -> set[str]:
        """Every state that some invoice is in now."""
        found = scan_records(self.chain.state, APP, Invoice, limit=1_000)
        used = {"USE_CONFIRMED" for each in found if each.used_height}
        return used.union(*((each.status, each.red, each.credit) for each in found))


def list_grants() -> list[Grant]:
    """Who has which role from the beginning."""
    grants = [("e_invoice", "tax_authority", "bureau-cn", "CN")]
    grants += [("e_invoice", "tax_authority", "bureau-hk", "HK")]
    for name in ("seller-a", "seller-b", "outsider"):
        grants.append(("e_invoice", "seller", name, JURISDICTIONS[name]))
    for name in ("buyer-a", "buyer-b", "employer-x", "employer-y"):
        grants.append(("e_invoice", "employer", name, JURISDICTIONS[name]))
    grants.append(("holds", "bank", "bank", "e_invoice"))
    grants.append(("holds", "court", "court", "e_invoice"))
    return grants


def register(tax_id: str, member: str, since: str = SINCE) -> m.RegisterTaxpayer:
    """The registration of a tax identifier."""
    scheme, _sep, value = tax_id.partition(":")
    return m.RegisterTaxpayer(scheme=scheme, value=value, member=member, since=since)


def list_identifiers(tax_id: str) -> list[dict[str, str]]:
    """An identifier as the members' register takes it; none for ""."""
    scheme, _sep, value = tax_id.partition(":")
    return [{"scheme": scheme, "value": value}] if value else []


def make_person(name: str) -> str:
    """A person's pseudonym: the one-time key of that name."""
    return f"p:{make_key(name).public.public}"


def make_content(
    seller: str,
    number: str,
    buyer: str = "buyer-a",
    *,
    lines: Sequence[Line] = (("1", 100_00, "S", 130_000),),
    allowances: Sequence[tuple[int, str, int]] = (),
    charges: Sequence[tuple[int, str, int]] = (),
    paid: int = 0,
    rounding: int = 0,
    **changes: Any,
) -> InvoiceContent:
    """An invoice that holds; `changes` replace fields of it afterwards, right or wrong."""
    sums: dict[tuple[str, int], int] = {}
    for _id, net, category, rate in lines:
        sums[(category, rate)] = sums.get((category, rate), 0) + net
    for sign, each in [(-1, a) for a in allowances] + [(1, c) for c in charges]:
        sums[each[1:]] = sums.get(each[1:], 0) + sign * each[0]
    vat = tuple(
        VatLine(
            category=category,
            rate_ppm=rate,
            taxable=net,
            tax=compute_tax(net, rate) * (-1 if net < 0 else 1),
        )
        for (category, rate), net in sums.items()
    )
    of_lines = sum(line[1] for line in lines)
    allowed, charged = sum(a[0] for a in allowances), sum(c[0] for c in charges)
    without_vat = of_lines - allowed + charged
    tax = sum(each.tax for each in vat)
    totals = InvoiceTotals(
        lines=of_lines,
        allowances=allowed,
        charges=charged,
        without_vat=without_vat,
        vat=tax,
        with_vat=without_vat + tax,
        paid=paid,
        rounding=rounding,
        due=without_vat + tax - paid + rounding,
    )
    content = InvoiceContent(
        standard="en16931",
        type_code="380",
        number=number,
        issue_date="2026-05-29",
        currency="CNY",
        seller=TAX_IDS.get(seller, seller),
        buyer=TAX_IDS.get(buyer, buyer),
        lines=tuple(
            InvoiceLine(id=id_, net=net, category=category, rate_ppm=rate)
            for id_, net, category, rate in lines
        ),
        allowances=tuple(Adjustment(amount=a, category=c, rate_ppm=r) for a, c, r in allowances),
        charges=tuple(Adjustment(amount=a, category=c, rate_ppm=r) for a, c, r in charges),
        vat=vat,
        totals=totals,
        commitment=encode_base64url(sha256(number.encode())),
    )
    return msgspec.structs.replace(content, **changes)


def make_credit(original: InvoiceContent, number: str, **changes: Any) -> InvoiceContent:
    """A credit note of all of `original`, or of the `lines` in `changes`."""
    fields: dict[str, Any] = {
        "type_code": "381",
        "preceding": (PrecedingInvoice(number=original.number),),
    }
    if "lines" in changes:
        content = make_content(original.seller, number, original.buyer, lines=changes.pop("lines"))
        content = msgspec.structs.replace(
            content, currency=original.currency, standard=original.standard
        )
    else:
        content = msgspec.structs.replace(original, number=number, capitals="")
    return msgspec.structs.replace(content, **{**fields, **changes})

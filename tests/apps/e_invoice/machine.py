"""The stateful hunt for I1 … I10: random lives of invoices in two jurisdictions, right and wrong.

Every rule may be refused; what must never happen is a violation, a fault, or a refusal that is not
declared. Choices are small integers taken modulo what there is, so that every draw means something.
"""

from typing import Any, ClassVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hansa.apps.e_invoice.model import (
    Invoice,
    InvoiceContent,
    IssueInvoice,
    PrecedingInvoice,
    RedLetter,
    VatLine,
)
from hansa.apps.e_invoice.model import messages as m
from tests.apps.e_invoice.league import (
    APP,
    OWNED,
    TAX_IDS,
    UNREGISTERED,
    League,
    Line,
    make_content,
    make_credit,
    make_person,
    register,
)

SELLERS = ("seller-a", "seller-b")
EMPLOYERS = ("employer-x", "employer-y", "buyer-a", "buyer-b")
EVERYONE = (*SELLERS, *EMPLOYERS, "outsider", "bank", "bureau-cn", "bureau-hk")
BUYERS = ("buyer-a", "buyer-b", "person", "person", UNREGISTERED)
RATES = (("S", 130_000), ("S", 60_000), ("E", 0), ("Z", 0))
HOUR_MS = 3_600_000
# Spent after a handful of invoices.
QUOTA = 36_000

index = st.integers(0, 31)
amounts = st.integers(1, 9_999)
lines = st.lists(st.tuples(amounts, st.sampled_from(RATES)), min_size=1, max_size=3).map(
    lambda drawn: tuple((str(n), net, *rate) for n, (net, rate) in enumerate(drawn, 1))
)


def spoil(content: InvoiceContent, fault: str) -> InvoiceContent:
    """The content with one thing wrong."""
    totals, vat = content.totals, content.vat
    change = msgspec.structs.replace
    of_totals = {
        "lines": {"lines": totals.lines + 1},
        "allowances": {"allowances": 1},
        "charges": {"charges": 1},
        "net": {"without_vat": totals.without_vat + 1},
        "vat": {"vat": totals.vat + 1},
        "gross": {"with_vat": totals.with_vat + 1},
        "due": {"due": totals.due + 1},
    }
    of_vat = {
        "tax": {"tax": vat[0].tax + 500},
        "taxable": {"taxable": vat[0].taxable + 500},
        "rate": {"rate_ppm": 90_000 if vat[0].category == "S" else 1},
        "category": {"category": "X"},
    }
    of_content: dict[str, dict[str, Any]] = {
        "none": {},
        "date": {"issue_date": "2026-02-30"},
        "commitment": {"commitment": "A" * 42},
        "capitals": {"capitals": "壹元整"},
        "buyer": {"buyer": "CN-USCC:91440300MA5TTTTT1B"},
        "currency": {"currency": "MOP"},
        "no-vat": {"vat": ()},
        "twice": {"vat": (*vat, VatLine(category=vat[0].category, rate_ppm=vat[0].rate_ppm,
                                        taxable=0, tax=0))},
        "unknown-original": {"preceding": (PrecedingInvoice(number="none"),)},
        "two-originals": {"preceding": (PrecedingInvoice(number="1"),) * 2},
    }  # fmt: skip
    if fault in of_totals:
        return change(content, totals=change(totals, **of_totals[fault]))
    if fault in of_vat:
        wrong = (change(vat[0], **of_vat[fault]), *vat[1:])
        tax = sum(each.tax for each in wrong)
        gross = totals.without_vat + tax
        sums = change(totals, vat=tax, with_vat=gross, due=gross - totals.paid + totals.rounding)
        return change(content, vat=wrong, totals=sums)
    return change(content, **of_content[fault])


FAULTS = (
    "none lines allowances charges net vat gross due tax taxable rate category date commitment"
    " capitals buyer currency no-vat twice unknown-original two-originals"
).split()
faults = st.one_of(st.just("none"), st.just("none"), st.sampled_from(FAULTS))


class Lives(RuleBasedStateMachine):
    """Invoices of two sellers from issue to archive or credit. `seen` collects what was reached."""

    seen: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.league = League(quota=QUOTA, count=12)
        self.invoices: list[str] = []
        self.persons: dict[str, str] = {}
        self.held: set[str] = set()
        self.count = 0

    @initialize()
    def begin(self) -> None:
        """Tight quotas in CNY, ample ones in HKD, and four invoices to begin with."""
        for seller in SELLERS:
            for currency, amount in (("CNY", QUOTA), ("HKD", 10**9)):
                grant = m.GrantQuota(
                    seller=TAX_IDS[seller], currency=currency, amount=amount, count=99
                )
                self.league.must(self.league.bureau_of(seller), grant)
        for seller, buyer in zip((*SELLERS, *SELLERS), ("buyer-a", "person", "buyer-b", "person"),
                                 strict=True):  # fmt: skip
            drawn = (("1", 70_00, "S", 130_000), ("2", 9_00, "E", 0))
            self.send_invoice(seller, seller, buyer, drawn)
            self.league.walk(self.invoices[-1], seller, m.DeliverInvoice)

    # What a seller does ---------------------------------------------------------------------------

    @rule(seller=st.sampled_from(SELLERS), buyer=st.sampled_from(BUYERS), lines=lines, reuse=index)
    def issue(self, seller: str, buyer: str, lines: tuple[Line, ...], reuse: int) -> None:
        """Right, but for a number or a pseudonym that may be used, or another's hand."""
        number = str(reuse) if reuse % 4 == 1 else ""
        person = "person 1" if reuse % 5 == 1 else ""
        who = EVERYONE[reuse % len(EVERYONE)] if reuse % 11 == 1 else seller
        self.send_invoice(who, seller, buyer, lines, number=number, person=person)

    @rule(seller=st.sampled_from(SELLERS), lines=lines,
          wrong=st.lists(st.sampled_from(FAULTS), min_size=2, max_size=4, unique=True))  # fmt: skip
    def issue_wrong(self, seller: str, lines: tuple[Line, ...], wrong: list[str]) -> None:
        """Right but for one fault, several times over."""
        self.league.send(self.league.bureau_of(seller), m.ResumeSeller(seller=TAX_IDS[seller]))
        for fault in wrong:
            self.send_invoice(seller, seller, "buyer-a", lines, fault=fault, currency="HKD")

    def send_invoice(
        self,
        who: str,
        seller: str,
        buyer: str,
        lines: tuple[Line, ...],
        *,
        fault: str = "none",
        currency: str = "CNY",
        number: str = "",
        person: str = "",
    ) -> None:
        """Issue under the next number, unless another is given."""
        self.count += 1
        number = number or str(self.count)
        person = person or f"person {number}"
        named = make_person(person) if buyer == "person" else buyer
        content = make_content(seller, number, named, lines=lines, currency=currency)
        content = spoil(content, fault)
        if self.league.send(who, IssueInvoice(content=content)) == "ok":
            self.invoices.append(f"{TAX_IDS[seller]}:{number}")
            self.persons[self.invoices[-1]] = person

    @rule(at=index, share=st.sampled_from(("all", "all", "half", "over", "line", "negative")),
          cosigned=st.booleans(), fault=faults)  # fmt: skip
    def credit(self, at: int, share: str, cosigned: bool, fault: str) -> None:
        """A credit note of everything, of half, of more than there is; or a negative invoice."""
        wanted = [i for i in self.list_invoices() if at % 2 and self.is_guarded(i)]
        invoice = wanted[at % len(wanted)] if wanted else self.pick(at)
        if invoice is None:
            return
        seller = self.name_of(invoice.seller_member)
        signers = (seller, "bank") if cosigned else (seller,)
        self.credit_one(invoice, share, signers, fault if at % 7 == 0 else "none")

    def credit_one(
        self, invoice: Invoice, share: str, signers: tuple[str, ...], fault: str = "none"
    ) -> None:
        """Issue a credit of this share."""
        self.count += 1
        content = spoil(self.make_credit(invoice.content, share), fault)
        if self.league.send(signers, IssueInvoice(content=content)) == "ok":
            self.invoices.append(f"{content.seller}:{content.number}")

    @rule(at=index, sender=index, amount=st.sampled_from(("left", "half", "zero", "over")))
    def request_red_letter(self, at: int, sender: int, amount: str) -> None:
        """By the seller or the buyer's side, sometimes by a stranger."""
        invoice = self.pick(at)
        if invoice is None:
            return
        whole = invoice.content.totals.with_vat
        asked = {"left": whole, "half": whole // 2, "zero": 0, "over": 2 * abs(whole)}[amount]
        side = (invoice.seller_member, invoice.employer or invoice.buyer_member)[sender % 2]
        self.league.send(
            self.name_of(side, sender),
            m.RequestRedLetter(invoice=invoice.id, amount=max(0, asked), reason="goods_returned"),
        )

    @rule(at=index, sender=index, kind=st.sampled_from((m.ConfirmRedLetter, m.RejectRedLetter)))
    def answer_red_letter(self, at: int, sender: int, kind: type[m.InvoiceMessage]) -> None:
        """By who has to answer, sometimes by a stranger."""
        invoice = self.pick(at, red="RED_REQUESTED")
        if invoice is None:
            return
        letter = self.league.chain.get(APP, RedLetter, invoice.id, str(invoice.letter))
        answers = letter.answers if letter and sender % 6 else ""
        self.league.step(self.name_of(answers, sender), kind, invoice.id)

    # What buyers and employers do -----------------------------------------------------------------

    @rule(at=index, times=st.integers(1, 5))
    def go_on(self, at: int, times: int) -> None:
        """The next steps that the invoice is waiting for, by who may take them."""
        for _ in range(times):
            invoice = self.pick(at)
            if invoice is None or self.go_one_step(invoice) != "ok":
                return

    @rule(at=index, then=st.sampled_from(("credit", "ask", "nothing")))
    def use(self, at: int, then: str) -> None:
        """The buyer uses an invoice for input VAT; the seller may want to take it back at once."""
        bought = [i for i in self.list_invoices() if i.buyer_member and not i.content.is_credit]
        if not bought:
            return
        invoice = bought[at % len(bought)]
        seller, whole = self.name_of(invoice.seller_member), invoice.content.totals.with_vat
        self.league.step(self.name_of(invoice.buyer_member), m.ConfirmUse, invoice.id)
        if then == "credit":
            self.credit_one(invoice, "all", (seller,))
        if then == "ask":
            asked = {"amount": whole, "reason": "issued_in_error"}
            self.league.step(seller, m.RequestRedLetter, invoice.id, **asked)

    @rule(at=index, sender=index, kind=st.sampled_from((
        m.DeliverInvoice, m.SubmitInvoice, m.ReimburseInvoice, m.PostInvoice, m.ArchiveInvoice,
        m.ConfirmUse, m.ConfirmUse)))  # fmt: skip
    def take_any_step(self, at: int, sender: int, kind: type[m.InvoiceMessage]) -> None:
        """Any step by anybody: mostly out of turn."""
        invoice = self.pick(at)
        if invoice is not None:
            parties = (*invoice.parties(), "")
            who = self.name_of(parties[sender % len(parties)], sender)
            self.league.step(who, kind, invoice.id)

    @rule(
        at=index, sender=index, kind=st.sampled_from((m.RejectSubmission, m.ReverseReimbursement))
    )
    def take_back(self, at: int, sender: int, kind: type[Any]) -> None:
        """Return or reverse, by the employer or by another."""
        invoice = self.pick(at)
        if invoice is not None:
            who = self.name_of(invoice.employer if sender % 4 else "", sender)
            self.league.step(who, kind, invoice.id, reason="wrong_data")

    @rule(at=index, employer=st.sampled_from((*EMPLOYERS, *EVERYONE)), other=index)
    def claim(self, at: int, employer: str, other: int) -> None:
        """A person hands an invoice to an employer; sometimes with another's key."""
        invoice = self.pick(at)
        if invoice is not None:
            person = self.persons.get(invoice.id, "nobody") if other % 6 else "boris"
            self.league.send("outsider", self.league.claim(person, invoice.id, employer))

    @rule(at=index, first=st.sampled_from(EMPLOYERS), second=st.sampled_from(EMPLOYERS))
    def race(self, at: int, first: str, second: str) -> None:
        """Two organisations submit one invoice in one block: at most one succeeds (I3)."""
        invoice = self.pick(at)
        if invoice is None:
            return
        submit = m.SubmitInvoice(invoice=invoice.id)
        codes = self.league.together((first, submit), (second, submit))
        assert codes.count("ok") <= 1, f"I3: both were accepted: {codes}"

    # What bureaus, holders and time do ------------------------------------------------------------

    @rule(at=index, bureau=index, kind=st.sampled_from((m.FreezeInvoice, m.ReleaseInvoice)))
    def freeze(self, at: int, bureau: int, kind: type[m.InvoiceMessage]) -> None:
        """Rarely, so that lives go on; a release is tried first."""
        for frozen in self.list_invoices():
            if frozen.frozen_by and bureau % 4:
                self.league.step(self.name_of(frozen.frozen_by), m.ReleaseInvoice, frozen.id)
        invoice = self.pick(at)
        if invoice is not None and bureau % 2:
            self.league.step(EVERYONE[-1 - bureau % 2], kind, invoice.id)

    @rule(at=index, seller=st.sampled_from(SELLERS), what=index)
    def supervise(self, at: int, seller: str, what: int) -> None:
        """Suspend and resume, quotas, registrations."""
        bureau, tax_id = self.league.bureau_of(seller), TAX_IDS[seller]
        grant = m.GrantQuota(
            seller=tax_id, currency="CNY", amount=what * 2_000 + 20_000, count=what + 8
        )
        suspend = m.SuspendSeller(seller=tax_id, reason="arrears")
        messages = {
            0: (suspend, m.ResumeSeller(seller=tax_id)),
            1: (m.ResumeSeller(seller=tax_id),),
            2: (suspend,) if at % 3 == 0 else (m.ResumeSeller(seller=tax_id),),
            3: (register(tax_id, self.league.did(seller)),),
            4: (register(UNREGISTERED, self.league.did("outsider")),) if at % 4 == 0 else (),
            6: (register(OWNED, self.league.did(EVERYONE[at % 3])),),
            7: (m.CorrectTaxpayer(taxpayer=TAX_IDS["buyer-a"],
                                  member=self.league.did(("outsider", "buyer-a")[at % 2])),),
            5: (m.GrantQuota(seller=UNREGISTERED, currency="CNY", amount=1, count=1),),
        }  # fmt: skip
        for message in messages.get(what % 12, (grant,)):
            self.league.send(bureau if at % 5 else "bank", message)

    @rule(at=index)
    def hold(self, at: int) -> None:
        """A bank takes an invoice in assignment."""
        invoice = self.pick(at)
        if invoice and not invoice.content.is_credit and invoice.id not in self.held:
            self.league.hold(invoice.id)
            self.held.add(invoice.id)

    @rule(hours=st.sampled_from((1, 1, 24, 73)))
    def wait(self, hours: int) -> None:
        """Time passes; red letters lapse."""
        self.league.pass_time(hours * HOUR_MS)

    # What always holds ----------------------------------------------------------------------------

    @invariant()
    def nothing_is_violated(self) -> None:
        """I1 … I10, and what was reached is noted."""
        found = self.league.violations()
        assert found == [], found
        self.seen.update(self.league.codes | self.league.events)
        self.seen.update(self.league.states())

    # How ------------------------------------------------------------------------------------------

    def list_invoices(self) -> list[Invoice]:
        """Every invoice that was issued here."""
        return [self.league.invoice(each) for each in dict.fromkeys(self.invoices)]

    def pick(self, at: int, **having: str) -> Invoice | None:
        """One of the invoices, of those that have these values if there are any."""
        found = self.list_invoices()
        chosen = [i for i in found if all(getattr(i, k) == v for k, v in having.items())] or found
        return chosen[at % len(chosen)] if chosen else None

    def is_guarded(self, invoice: Invoice) -> bool:
        """Whether more than the seller's will is needed to credit it: I5, I8."""
        return bool(
            invoice.used_height
            or invoice.posted_height
            or invoice.id in self.held
            or invoice.red == "RED_CONFIRMED"
        )

    def name_of(self, did: str, otherwise: int = 0) -> str:
        """The actor with this DID, or one chosen by number."""
        names = {self.league.did(name): name for name in EVERYONE}
        return names.get(did, EVERYONE[otherwise % len(EVERYONE)])

    def make_credit(self, original: InvoiceContent, share: str) -> InvoiceContent:
        """What a credit of this share of the original says."""
        number = f"C{self.count}"
        factor = {"half": (1, 2), "over": (3, 2), "negative": (-1, 1)}.get(share, (1, 1))
        drawn = tuple(
            (each.id, each.net * factor[0] // factor[1], each.category, each.rate_ppm)
            for each in original.lines
        )
        if share == "line":
            drawn = drawn[:1]
        if share == "all":
            return make_credit(original, number)
        kind = "380" if share == "negative" else "381"
        return make_credit(original, number, lines=drawn, type_code=kind)

    def go_one_step(self, invoice: Invoice) -> str:
        """What its status waits for."""
        buyer = self.name_of(invoice.buyer_member) if invoice.buyer_member else ""
        claimant = self.name_of(invoice.claimants[0]) if invoice.claimants else ""
        employer = self.name_of(invoice.employer)
        seller = self.name_of(invoice.seller_member)
        if invoice.status == "ISSUED":
            return self.league.step(seller, m.DeliverInvoice, invoice.id)
        if invoice.status == "DELIVERED" and not (buyer or claimant):
            person = self.persons.get(invoice.id, "nobody")
            return self.league.send("bank", self.league.claim(person, invoice.id, "employer-x"))
        if invoice.status in ("DELIVERED", "CLAIMED"):
            return self.league.step(claimant or buyer, m.SubmitInvoice, invoice.id)
        kinds: dict[str, type[m.InvoiceMessage]] = {
            "SUBMITTED": m.ReimburseInvoice,
            "REIMBURSED": m.PostInvoice,
            "POSTED": m.ArchiveInvoice,
        }
        kind = kinds.get(invoice.status)
        return self.league.step(employer, kind, invoice.id) if kind else "done"

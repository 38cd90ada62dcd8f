"""What people of the league do: an act of a plan becomes the messages that its signers sign. Pure.

What an act's numbers mean stands here alone; whether it is accepted is for the ledger to say.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from hansa.apps.e_invoice.contract.arithmetic import compute_tax
from hansa.apps.e_invoice.model import (
    InvoiceContent,
    InvoiceLine,
    InvoiceTotals,
    IssueInvoice,
    PrecedingInvoice,
    VatLine,
    compute_invoice_id,
)
from hansa.apps.e_invoice.model import messages as m
from hansa.client.transactions import Draft
from hansa.contracts.holds.model import PlaceHold
from hansa.crypto.hashing import sha256
from hansa.crypto.keys import PrivateKey
from hansa.encoding.text import encode_base64url
from hansa.ledger.model import Message
from hansa.ledger.transactions import Mode
from hansa.testing.chain import Actor
from hansa.testing.simulation import workload_tally as tally
from hansa.testing.simulation.plan import Act
from hansa.testing.simulation.workload_league import (
    TAX_IDS,
    TAX_SCHEME,
)

SELLERS: Final = ("seller-a", "seller-b")
RATE_PPM: Final = 130_000


class Signer(msgspec.Struct, frozen=True):
    """A kid and its key."""

    kid: str
    key: PrivateKey


class Sent(msgspec.Struct, frozen=True):
    """Who signs which messages."""

    signers: tuple[Signer, ...]
    drafts: tuple[Draft, ...]
    mode: Mode = "independent"


class Cue(msgspec.Struct, frozen=True):
    """An act whose time has come: at which height and block time of the node that it goes to.

    `ids`: transactions of earlier acts by their labels.
    """

    act: Act
    height: int
    time_ms: int
    ids: dict[str, str] = {}

    @property
    def number(self) -> int:
        """The act's own number."""
        return self.act.number

    def get(self, name: str, least: int = 0) -> int:
        """A number among the act's arguments; `least` where there is none, or a lower one."""
        return max(least, int(self.act.args.get(name, 0)))

    def find(self, kind: str) -> str:
        """Transaction of the last act of a kind that began something in the same slot."""
        return self.ids.get(f"{kind}/{self.get('slot')}", "none")

    def text(self, name: str, default: str = "") -> str:
        """A word among them."""
        return str(self.act.args.get(name, default))


def label(act: Act) -> str:
    """By what later acts find what this one began; "" when it ends something."""
    args = act.args
    return "" if args.get("withdraw") else f"{act.kind}/{args.get('slot', args.get('what', 0))}"


Build = Callable[[Cue], Sent]
ACTS: Final[dict[str, Build]] = {}


def register(build: Build) -> Build:
    """Add an act under its name."""
    ACTS[build.__name__.removeprefix("do_")] = build
    return build


def signer_of(name: str) -> Signer:
    """A member's first account and its first key."""
    actor = Actor(name)
    return Signer(actor.kid, actor.key)


def send(name: str, app: str, *messages: Message, mode: Mode = "independent") -> Sent:
    """Messages of one sender."""
    return Sent((signer_of(name),), tuple(Draft(app, each) for each in messages), mode)


# --- invoices ---


def name_seller(number: int) -> str:
    """Who issues the invoice with this number."""
    return SELLERS[number % len(SELLERS)]


def make_content(nth: int, **changes: Any) -> InvoiceContent:
    """The invoice with this number (n-th): one line, of an amount that is the number's own."""
    net = 10_000 + nth % 997
    tax = compute_tax(net, RATE_PPM)
    name = f"SIM-{nth:06d}"
    content = InvoiceContent(
        standard="en16931",
        type_code="380",
        number=name,
        issue_date="2026-05-29",
        currency="CNY" if nth % 3 else "HKD",
        seller=TAX_IDS[name_seller(nth)],
        buyer=TAX_IDS["buyer"],
        lines=(InvoiceLine(id="1", net=net, category="S", rate_ppm=RATE_PPM),),
        vat=(VatLine(category="S", rate_ppm=RATE_PPM, taxable=net, tax=tax),),
        totals=InvoiceTotals(
            lines=net,
            allowances=0,
            charges=0,
            without_vat=net,
            vat=tax,
            with_vat=net + tax,
            paid=0,
            rounding=0,
            due=net + tax,
        ),
        commitment=encode_base64url(sha256(name.encode())),
    )
    return msgspec.structs.replace(content, **changes)


def name_invoice(number: int) -> str:
    """Identifier of the invoice with this number."""
    content = make_content(number)
    return compute_invoice_id(content.standard, content.seller, content.number)


@register
def do_open(_cue: Cue) -> Sent:
    """The bureau registers the taxpayers and lets the sellers issue."""
    messages: list[Message] = []
    for name, tax_id in TAX_IDS.items():
        value = tax_id.removeprefix(f"{TAX_SCHEME}:")
        did = Actor(name).did
        messages.append(
            m.RegisterTaxpayer(scheme=TAX_SCHEME, value=value, member=did, since="2010-01-01")
        )
    for name in SELLERS:
        for currency in ("CNY", "HKD"):
            quota = {"amount": 400_000, "count": 40}
            messages.append(m.GrantQuota(seller=TAX_IDS[name], currency=currency, **quota))
    return send("bureau", "e_invoice", *messages)


@register
def do_issue(cue: Cue) -> Sent:
    """A seller issues; now and then twice the same number in one transaction."""
    number = cue.get("invoice")
    message = IssueInvoice(content=make_content(number))
    count = 2 if cue.get("twice") else 1
    return send(name_seller(number), "e_invoice", *[message] * count)


@register
def do_credit(cue: Cue) -> Sent:
    """A credit of the whole invoice, under a number of its own."""
    number = cue.get("invoice")
    original = make_content(number)
    content = make_content(
        number,
        number=f"RED-{cue.number:06d}",
        type_code="381",
        preceding=(PrecedingInvoice(number=original.number),),
    )
    return send(name_seller(number), "e_invoice", IssueInvoice(content=content))


STEPS: Final[Mapping[str, tuple[str, type[m.InvoiceMessage], dict[str, Any]]]] = MappingProxyType(
    {
        "deliver": ("seller", m.DeliverInvoice, {}),
        "submit": ("buyer", m.SubmitInvoice, {}),
        "return": ("buyer", m.RejectSubmission, {"reason": "wrong_data"}),
        "pay": ("buyer", m.ReimburseInvoice, {}),
        "unpay": ("buyer", m.ReverseReimbursement, {"reason": "wrong_data"}),
        "post": ("buyer", m.PostInvoice, {}),
        "use": ("buyer", m.ConfirmUse, {}),
        "ask_red": ("seller", m.RequestRedLetter, {"reason": "issued_in_error"}),
        "agree_red": ("buyer", m.ConfirmRedLetter, {}),
        "refuse_red": ("buyer", m.RejectRedLetter, {}),
        "freeze": ("bureau", m.FreezeInvoice, {}),
        "release": ("bureau", m.ReleaseInvoice, {}),
    }
)


@register
def do_step(cue: Cue) -> Sent:
    """A step of an invoice; `then`: the buyer's next ones, in the same transaction."""
    number = cue.get("invoice")
    names = [cue.text("step", "submit")]
    if STEPS[names[0]][0] == "buyer":
        names += cue.text("then").split()
    messages = []
    for name in names:
        fields = dict(STEPS[name][2])
        if name == "ask_red":
            fields["amount"] = make_content(number).totals.with_vat
        messages.append(STEPS[name][1](invoice=name_invoice(number), **fields))
    who = STEPS[names[0]][0]
    sender = name_seller(number) if who == "seller" else who
    return send(sender, "e_invoice", *messages, mode="atomic" if len(names) > 1 else "independent")


@register
def do_hold(cue: Cue) -> Sent:
    """The bank takes an invoice in assignment, with its seller's signature, for a while."""
    number = cue.get("invoice")
    hold = PlaceHold(
        application="e_invoice",
        record_kind="invoice",
        record_key=(name_invoice(number),),
        kind="assignment",
        until_ms=cue.time_ms + cue.get("for_ms", 1),
    )
    return Sent((signer_of("bank"), signer_of(name_seller(number))), (Draft("holds", hold),))


# --- tallies ---


@register
def do_add(cue: Cue) -> Sent:
    """Several tallies at once."""
    adds = [
        tally.Add(id=f"t{(cue.get('tally') + step) % 7}", by=cue.get("by"))
        for step in range(cue.get("count", 1))
    ]
    return send("outsider", tally.NAME, *adds)


@register
def do_add_and_refuse(cue: Cue) -> Sent:
    """One message that stays and one that leaves nothing, or (atomic) both leave nothing."""
    name = f"t{cue.get('tally')}"
    messages = (tally.Add(id=name, by=1), tally.AddAndRefuse(id=name, by=5))
    return send(
        "outsider",
        tally.NAME,
        *messages,
        mode="atomic" if cue.get("atomic") else "independent",
    )


@register
def do_take(cue: Cue) -> Sent:
    """Delete a tally, and now and then make it anew in the same transaction."""
    name = f"t{cue.get('tally')}"
    messages: list[Message] = [tally.Take(id=name)]
    if cue.get("anew"):
        messages.append(tally.Add(id=name, by=1))
    return send("outsider", tally.NAME, *messages)


@register
def do_add_later(cue: Cue) -> Sent:
    """A deadline."""
    later = tally.AddLater(id=f"t{cue.get('tally')}", by=3, in_ms=cue.get("for_ms", 1))
    return send("outsider", tally.NAME, later)


@register
def do_break(_cue: Cue) -> Sent:
    """A contract fault: the message type is frozen from then on (D21)."""
    return send("outsider", tally.NAME, tally.Break(id="t0"))

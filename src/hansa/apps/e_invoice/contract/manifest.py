"""The contract's name, roles and reads, and the checks that several handlers share. Pure."""

from typing import Any, get_args

import msgspec

from hansa.apps.e_invoice import rejections as r
from hansa.apps.e_invoice.model.records import Credited, Invoice, Status, Taxpayer
from hansa.ledger.context import Context, ReadContext
from hansa.ledger.contracts import Contract, Role, Setting

ROLES = (
    Role(
        "tax_authority",
        ("governance",),
        "Tax bureau of a jurisdiction: registers taxpayers, grants quotas, suspends, freezes",
    ),
    Role("seller", ("e_invoice.tax_authority",), "Issues invoices and credits as it is registered"),
    Role("employer", ("e_invoice.tax_authority",), "Reimburses, posts and archives invoices"),
    Role("auditor", ("governance",), "Reads invoices of a jurisdiction, changes nothing"),
)

# Parameter `red_letter_ms`: how long a request, and then its confirmation, stays open: 72 hours.
RED_LETTER_MS = 72 * 3_600_000
SETTINGS = (Setting("red_letter_ms", 60_000, 365 * 86_400_000, "How long a red letter stays open"),)

contract = Contract("e_invoice", 1, roles=ROLES, settings=SETTINGS, reads=("members",))

# The path of reimbursement, in its order.
PATH: tuple[str, ...] = get_args(Status)
OPEN = ("RED_REQUESTED", "RED_CONFIRMED")


@contract.view("invoice")
def read_invoice(ctx: ReadContext, invoice: str) -> tuple[Invoice | None, int]:
    """An invoice and what was credited of it, hundredths with VAT (for cession, trade finance)."""
    credited = ctx.get(Credited, invoice)
    return ctx.get(Invoice, invoice), credited.total if credited else 0


@contract.view("holdable")
def view_holdable(ctx: ReadContext, kind: str, *key: str) -> str | None:
    """Who may assign or pledge the record: an invoice is its seller's claim (D16, I8)."""
    invoice = ctx.get(Invoice, *key) if (kind, len(key)) == (Invoice.KIND, 1) else None
    if invoice is None:
        return None
    return "" if invoice.content.is_credit else invoice.seller_member


def need_taxpayer(ctx: Context, taxpayer: str) -> Taxpayer:
    """The registration. Raises NotRegistered."""
    found = ctx.get(Taxpayer, taxpayer)
    if found is None:
        raise r.NotRegistered(taxpayer=taxpayer)
    return found


def need_invoice(ctx: Context, invoice: str) -> Invoice:
    """The invoice, with its buyer's member if registered by now. Raises NoSuchRecord."""
    found = ctx.need(Invoice, invoice)
    if found.buyer_member or found.content.buyer.startswith("p:"):
        return found
    buyer = ctx.get(Taxpayer, found.content.buyer)
    return msgspec.structs.replace(found, buyer_member=buyer.member) if buyer else found


def get_actor(ctx: Context) -> str:
    """DID of the member for which the sender acts; "" for a citizen and for deadlines."""
    return ctx.member if ctx.member in ctx.holders else ""


def require_party(ctx: Context, party: str, *dids: str) -> None:
    """Raise NotTheParty unless the sender acts for one of the members `dids` ("" is nobody)."""
    actor = get_actor(ctx)
    if not actor or actor not in dids:
        raise r.NotTheParty(party=party)


def require_tax_authority(ctx: Context, jurisdiction: str) -> None:
    """Raise MissingRole unless the sender is a tax bureau of this jurisdiction."""
    ctx.require_role("tax_authority", jurisdiction)


def require_moving(ctx: Context, invoice: Invoice) -> None:
    """Raise StandsFrozen or RedLetterOpen: then nothing but the red letter moves."""
    require_unfrozen(ctx, invoice)
    if invoice.red in OPEN:
        raise r.RedLetterOpen(invoice=invoice.id, red=invoice.red)


def require_unfrozen(ctx: Context, invoice: Invoice) -> None:
    """Raise StandsFrozen: by the tax bureau, or by a court's freeze or seizure (D16)."""
    if invoice.frozen_by:
        raise r.StandsFrozen(invoice=invoice.id, by=invoice.frozen_by)
    for hold in ctx.holds(Invoice, invoice.id):
        if hold.kind in ("freeze", "seizure") and not ctx.is_cosigned(hold):
            raise r.StandsFrozen(invoice=invoice.id, by=hold.placed_by)


def require_payable(invoice: Invoice) -> None:
    """Raise CreditNotPayable for a credit, FullyCredited when nothing is left (I4)."""
    if invoice.content.is_credit:
        raise r.CreditNotPayable(invoice=invoice.id)
    if invoice.credit == "FULLY_CREDITED":
        raise r.FullyCredited(invoice=invoice.id)


def require_status(invoice: Invoice, *needed: str) -> None:
    """Raise WrongStatus before where the step begins, AlreadyPast behind all of it."""
    if invoice.status in needed:
        return
    said = {"invoice": invoice.id, "status": invoice.status, "needed": " or ".join(needed)}
    if all(PATH.index(each) < PATH.index(invoice.status) for each in needed):
        raise r.AlreadyPast(**said)
    raise r.WrongStatus(**said)


def put_step(ctx: Context, invoice: Invoice, **changes: Any) -> dict[str, Any]:
    """Write the invoice with `changes`; returns what every event about it says."""
    changed = msgspec.structs.replace(invoice, **changes)
    ctx.put(changed)
    readers = dict.fromkeys((*invoice.parties(), *changed.parties()))
    return {"invoice": invoice.id, "by": get_actor(ctx), "readers": tuple(readers)}

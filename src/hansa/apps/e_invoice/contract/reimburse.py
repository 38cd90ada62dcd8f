"""The buyer's and the employer's side: deliver, claim, submit, reimburse once, post, use. Pure."""

from typing import Any

import msgspec

from hansa.apps.e_invoice import rejections as r
from hansa.apps.e_invoice.contract.manifest import (
    contract,
    get_actor,
    need_invoice,
    put_step,
    require_moving,
    require_party,
    require_payable,
    require_status,
)
from hansa.apps.e_invoice.model import events as e
from hansa.apps.e_invoice.model import messages as m
from hansa.apps.e_invoice.model.content import compute_claim, decode_pseudonym
from hansa.apps.e_invoice.model.records import Credited, Invoice, Reimbursement
from hansa.crypto.signatures import InvalidSignature, verify_signature
from hansa.encoding.text import TextError, decode_base64url
from hansa.ledger.context import Context

# One person's invoice in the hands of more employers than this is a mistake or a fraud.
CLAIMS_MAX = 8


@contract.handles(m.DeliverInvoice)
def deliver_invoice(ctx: Context, message: m.DeliverInvoice) -> None:
    """The seller states it, or the buying organisation."""
    invoice = need_invoice(ctx, message.invoice)
    require_party(ctx, "seller or buyer", invoice.seller_member, invoice.buyer_member)
    require_moving(ctx, invoice)
    require_status(invoice, "ISSUED")
    ctx.emit(e.InvoiceDelivered(**put_step(ctx, invoice, status="DELIVERED")))


@contract.handles(m.ClaimInvoice)
def claim_invoice(ctx: Context, message: m.ClaimInvoice) -> None:
    """The one-time key names the employer; the sender is only the messenger (D8)."""
    invoice = need_invoice(ctx, message.invoice)
    _check_claim(ctx, invoice, message)
    _require_free_to_submit(ctx, invoice)
    if len(invoice.claimants) >= CLAIMS_MAX:
        raise r.TooManyClaims(invoice=invoice.id, count=CLAIMS_MAX)
    claimants = tuple(dict.fromkeys((*invoice.claimants, message.employer)))
    step = put_step(ctx, invoice, status="CLAIMED", claimants=claimants)
    ctx.emit(e.InvoiceClaimed(**step, employer=message.employer))


@contract.handles(m.SubmitInvoice)
def submit_invoice(ctx: Context, message: m.SubmitInvoice) -> None:
    """The first employer to submit has it; any other is refused, wherever it is (I3)."""
    invoice = need_invoice(ctx, message.invoice)
    handed = "buyer or an employer it was handed to"
    require_party(ctx, handed, invoice.buyer_member, *invoice.claimants)
    _require_employer(ctx)
    _require_free_to_submit(ctx, invoice)
    step = put_step(ctx, invoice, status="SUBMITTED", employer=get_actor(ctx))
    ctx.emit(e.InvoiceSubmitted(**step))


@contract.handles(m.RejectSubmission)
def reject_submission(ctx: Context, message: m.RejectSubmission) -> None:
    """Returns it; other employers who were handed the invoice may still submit it."""
    invoice = need_invoice(ctx, message.invoice)
    require_status(invoice, "CLAIMED", "SUBMITTED")
    is_claimed = invoice.status == "CLAIMED"
    require_party(ctx, "employer", *(invoice.claimants if is_claimed else (invoice.employer,)))
    step = _return_invoice(ctx, invoice)
    ctx.emit(e.SubmissionRejected(**step, reason=message.reason))


@contract.handles(m.ReimburseInvoice)
def reimburse_invoice(ctx: Context, message: m.ReimburseInvoice) -> None:
    """Pays out what is left after credits; one live reimbursement per invoice (I3, I4)."""
    invoice = need_invoice(ctx, message.invoice)
    require_party(ctx, "employer", invoice.employer)
    _require_employer(ctx)
    require_moving(ctx, invoice)
    require_status(invoice, "SUBMITTED")
    require_payable(invoice)
    credited = ctx.get(Credited, invoice.id)
    amount = invoice.content.totals.with_vat - (credited.total if credited else 0)
    number = invoice.reimbursements + 1
    ctx.put(
        Reimbursement(
            invoice=invoice.id,
            number=number,
            employer=get_actor(ctx),
            amount=amount,
            height=ctx.height,
        )
    )
    step = put_step(ctx, invoice, status="REIMBURSED", reimbursements=number)
    ctx.emit(e.InvoiceReimbursed(**step, amount=amount))


@contract.handles(m.ReverseReimbursement)
def reverse_reimbursement(ctx: Context, message: m.ReverseReimbursement) -> None:
    """The only way back from REIMBURSED; what is posted is corrected by a red letter."""
    invoice = need_invoice(ctx, message.invoice)
    require_party(ctx, "employer", invoice.employer)
    require_moving(ctx, invoice)
    require_status(invoice, "REIMBURSED")
    paid = ctx.need(Reimbursement, invoice.id, str(invoice.reimbursements))
    ctx.put(msgspec.structs.replace(paid, reversed_height=ctx.height))
    step = _return_invoice(ctx, invoice)
    ctx.emit(e.ReimbursementReversed(**step, amount=paid.amount, reason=message.reason))


@contract.handles(m.PostInvoice)
def post_invoice(ctx: Context, message: m.PostInvoice) -> None:
    """From now on a red letter needs the employer's confirmation (I5)."""
    invoice = need_invoice(ctx, message.invoice)
    require_party(ctx, "employer", invoice.employer)
    require_moving(ctx, invoice)
    require_status(invoice, "REIMBURSED")
    ctx.emit(e.InvoicePosted(**put_step(ctx, invoice, status="POSTED", posted_height=ctx.height)))


@contract.handles(m.ArchiveInvoice)
def archive_invoice(ctx: Context, message: m.ArchiveInvoice) -> None:
    """The end of the employer's path."""
    invoice = need_invoice(ctx, message.invoice)
    require_party(ctx, "employer", invoice.employer)
    require_moving(ctx, invoice)
    require_status(invoice, "POSTED")
    ctx.emit(e.InvoiceArchived(**put_step(ctx, invoice, status="ARCHIVED")))


@contract.handles(m.ConfirmUse)
def confirm_use(ctx: Context, message: m.ConfirmUse) -> None:
    """Input VAT, once, by the buying organisation; beside the path of reimbursement."""
    invoice = need_invoice(ctx, message.invoice)
    require_party(ctx, "buyer", invoice.buyer_member)
    require_moving(ctx, invoice)
    require_payable(invoice)
    if invoice.status == "ISSUED":
        require_status(invoice, "DELIVERED")
    if invoice.used_height:
        raise r.AlreadyUsed(invoice=invoice.id)
    ctx.emit(e.UseConfirmed(**put_step(ctx, invoice, used_height=ctx.height)))


def _check_claim(ctx: Context, invoice: Invoice, message: m.ClaimInvoice) -> None:
    """Raise ClaimInvalid unless the buyer's one-time key signed for this invoice and employer."""
    key = decode_pseudonym(invoice.content.buyer)
    if key is None:
        raise r.ClaimInvalid()
    claim = compute_claim(ctx.chain, invoice.id, message.employer)
    try:
        verify_signature(key, claim, decode_base64url(message.proof))
    except (TextError, InvalidSignature) as error:
        raise r.ClaimInvalid() from error


def _require_free_to_submit(ctx: Context, invoice: Invoice) -> None:
    require_moving(ctx, invoice)
    require_payable(invoice)
    if invoice.status in ("SUBMITTED", "REIMBURSED", "POSTED", "ARCHIVED"):
        raise r.AlreadySubmitted(invoice=invoice.id, status=invoice.status)
    require_status(invoice, "DELIVERED", "CLAIMED")


def _require_employer(ctx: Context) -> None:
    member = ctx.view("members", "member", get_actor(ctx))
    ctx.require_role("employer", member.jurisdiction if member else "")


def _return_invoice(ctx: Context, invoice: Invoice) -> dict[str, Any]:
    """Free again: DELIVERED, or CLAIMED while another employer still has it in hand."""
    left = tuple(did for did in invoice.claimants if did != get_actor(ctx))
    return put_step(
        ctx, invoice, status="CLAIMED" if left else "DELIVERED", claimants=left, employer=""
    )

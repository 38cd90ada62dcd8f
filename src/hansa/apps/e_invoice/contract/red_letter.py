"""Red letters (request, answer, lapse by block time) and the credit of an original. Pure."""

import msgspec

from hansa.apps.e_invoice import rejections as r
from hansa.apps.e_invoice.contract.credits import check_within, compute_credited
from hansa.apps.e_invoice.contract.manifest import (
    OPEN,
    RED_LETTER_MS,
    contract,
    get_actor,
    need_invoice,
    put_step,
    require_moving,
    require_party,
    require_status,
    require_unfrozen,
)
from hansa.apps.e_invoice.model import events as e
from hansa.apps.e_invoice.model import messages as m
from hansa.apps.e_invoice.model.records import Credited, Invoice, RedLetter
from hansa.ledger.context import Context

CREDITABLE = ("ISSUED", "DELIVERED", "CLAIMED", "SUBMITTED", "POSTED", "ARCHIVED")


@contract.handles(m.RequestRedLetter)
def request_red_letter(ctx: Context, message: m.RequestRedLetter) -> None:
    """Either side asks; the other answers within the time of the parameter."""
    invoice = need_invoice(ctx, message.invoice)
    buyer = invoice.employer if invoice.posted_height else invoice.buyer_member
    require_party(ctx, "seller or buyer", invoice.seller_member, buyer)
    require_moving(ctx, invoice)
    _require_creditable(invoice)
    left = invoice.content.totals.with_vat - _read_credited(ctx, invoice.id)
    if not 0 < message.amount <= left:
        raise r.RedLetterAmount(amount=message.amount, allowed=left)
    letter = RedLetter(
        invoice=invoice.id,
        number=invoice.letters + 1,
        amount=message.amount,
        reason=message.reason,
        requested_by=get_actor(ctx),
        answers=buyer if get_actor(ctx) == invoice.seller_member else invoice.seller_member,
        until_ms=ctx.time_ms + ctx.parameter("red_letter_ms", RED_LETTER_MS),
    )
    ctx.put(letter)
    _schedule_lapse(ctx, letter)
    step = put_step(ctx, invoice, red="RED_REQUESTED", letter=letter.number, letters=letter.number)
    ctx.emit(
        e.RedLetterRequested(
            **step, amount=letter.amount, reason=letter.reason, until_ms=letter.until_ms
        )
    )


@contract.handles(m.ConfirmRedLetter)
def confirm_red_letter(ctx: Context, message: m.ConfirmRedLetter) -> None:
    """The other side agrees (I5); the seller has as long again to issue the credit."""
    invoice, letter = _read_request(ctx, message.invoice)
    ctx.cancel(letter.until_ms, invoice.id)
    until_ms = ctx.time_ms + ctx.parameter("red_letter_ms", RED_LETTER_MS)
    confirmed = msgspec.structs.replace(letter, status="RED_CONFIRMED", until_ms=until_ms)
    ctx.put(confirmed)
    _schedule_lapse(ctx, confirmed)
    step = put_step(ctx, invoice, red="RED_CONFIRMED")
    ctx.emit(e.RedLetterConfirmed(**step, amount=letter.amount))


@contract.handles(m.RejectRedLetter)
def reject_red_letter(ctx: Context, message: m.RejectRedLetter) -> None:
    """The other side refuses; the invoice stands as it was."""
    invoice, letter = _read_request(ctx, message.invoice)
    ctx.cancel(letter.until_ms, invoice.id)
    ctx.put(msgspec.structs.replace(letter, status="RED_REJECTED"))
    ctx.emit(e.RedLetterRejected(**put_step(ctx, invoice, red="RED_REJECTED")))


@contract.handles(m.LapseRedLetter)
def lapse_red_letter(ctx: Context, message: m.LapseRedLetter) -> None:
    """Fired at the letter's time by the kernel."""
    invoice = need_invoice(ctx, message.invoice)
    if invoice.red not in OPEN or invoice.letter != message.number:
        return
    letter = ctx.need(RedLetter, invoice.id, str(message.number))
    ctx.put(msgspec.structs.replace(letter, status="RED_LAPSED"))
    ctx.emit(e.RedLetterLapsed(**put_step(ctx, invoice, red="RED_LAPSED")))


def check_creditable(ctx: Context, original: Invoice, amount: int) -> None:
    """Whether `amount` (with VAT) of the original may be credited now (I4, I5, I8).

    Raises NotCreditable, FullyCredited, StandsFrozen, Held, WrongStatus, RedLetterOpen,
    RedLetterAmount, ConfirmationNeeded.
    """
    require_unfrozen(ctx, original)
    _require_creditable(original)
    ctx.require_free(Invoice, original.id)
    if original.red == "RED_REQUESTED":
        raise r.RedLetterOpen(invoice=original.id, red=original.red)
    if original.red == "RED_CONFIRMED":
        letter = ctx.need(RedLetter, original.id, str(original.letter))
        if amount != letter.amount:
            raise r.RedLetterAmount(amount=amount, allowed=letter.amount)
    elif is_confirmation_needed(original):
        raise r.ConfirmationNeeded(invoice=original.id)


def is_confirmation_needed(original: Invoice) -> bool:
    """Whether the buyer has used the invoice for input VAT or posted it (I5)."""
    return bool(original.used_height or original.posted_height)


def credit_original(ctx: Context, original: Invoice, credit: Invoice) -> None:
    """Take back what `credit` says of `original`, and close its red letter. Raises as above."""
    content = credit.content
    amount = content.credit_sign * content.totals.with_vat
    check_creditable(ctx, original, amount)
    credited = compute_credited(original, ctx.get(Credited, original.id), credit)
    check_within(original.content, credited)
    ctx.put(credited)
    if original.red == "RED_CONFIRMED":
        letter = ctx.need(RedLetter, original.id, str(original.letter))
        ctx.cancel(letter.until_ms, original.id)
        ctx.put(msgspec.structs.replace(letter, status="CREDITED"))
    whole = credited.total == original.content.totals.with_vat
    step = put_step(
        ctx, original, credit="FULLY_CREDITED" if whole else "PARTIALLY_CREDITED", red=""
    )
    ctx.emit(e.InvoiceCredited(**step, credit=credit.id, amount=amount, total=credited.total))


def read_consents(ctx: Context, original: Invoice) -> tuple[str, ...]:
    """Members who hold the original and signed this transaction too (I8)."""
    holds = ctx.holds(Invoice, original.id)
    return tuple(dict.fromkeys(hold.placed_by for hold in holds if ctx.is_cosigned(hold)))


def _require_creditable(invoice: Invoice) -> None:
    if invoice.content.is_credit:
        raise r.NotCreditable(invoice=invoice.id)
    if invoice.credit == "FULLY_CREDITED":
        raise r.FullyCredited(invoice=invoice.id)
    require_status(invoice, *CREDITABLE)


def _read_credited(ctx: Context, invoice: str) -> int:
    credited = ctx.get(Credited, invoice)
    return credited.total if credited else 0


def _read_request(ctx: Context, invoice_id: str) -> tuple[Invoice, RedLetter]:
    """The open request that the sender answers. Raises NoRedLetter, NotTheParty, StandsFrozen."""
    invoice = need_invoice(ctx, invoice_id)
    if invoice.red != "RED_REQUESTED":
        raise r.NoRedLetter(invoice=invoice.id)
    letter = ctx.need(RedLetter, invoice.id, str(invoice.letter))
    require_party(ctx, "other side of the request", letter.answers)
    require_unfrozen(ctx, invoice)
    return invoice, letter


def _schedule_lapse(ctx: Context, letter: RedLetter) -> None:
    lapse = m.LapseRedLetter(invoice=letter.invoice, number=letter.number)
    ctx.schedule(letter.until_ms, lapse, letter.invoice)

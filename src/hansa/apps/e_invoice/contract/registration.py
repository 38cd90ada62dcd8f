"""What a tax bureau does: register, grant quotas, suspend sellers, freeze invoices. Pure."""

import msgspec

from hansa.apps.e_invoice import rejections as r
from hansa.apps.e_invoice.contract.fields import check_date, check_party_identifier
from hansa.apps.e_invoice.contract.manifest import (
    contract,
    get_actor,
    need_invoice,
    need_taxpayer,
    put_step,
    require_tax_authority,
)
from hansa.apps.e_invoice.model import events as e
from hansa.apps.e_invoice.model import messages as m
from hansa.apps.e_invoice.model.currencies import CURRENCIES
from hansa.apps.e_invoice.model.records import Quota, Taxpayer
from hansa.ledger.context import Context, NoSuchRecord
from hansa.ledger.system import Member


@contract.handles(m.RegisterTaxpayer)
def register_taxpayer(ctx: Context, message: m.RegisterTaxpayer) -> None:
    """A tax identifier is one member's at a time: numbers are unique under it (I1, I10)."""
    member = _need_member(ctx, message.member)
    require_tax_authority(ctx, member.jurisdiction)
    taxpayer = f"{message.scheme}:{message.value}"
    check_party_identifier(taxpayer)
    check_date("since", message.since)
    _require_owner(ctx, taxpayer, member.did)
    found = ctx.get(Taxpayer, taxpayer)
    if found is not None:
        raise r.AlreadyRegistered(taxpayer=taxpayer, member=found.member)
    ctx.put(
        Taxpayer(
            id=taxpayer,
            member=message.member,
            jurisdiction=member.jurisdiction,
            since=message.since,
            registered_by=get_actor(ctx) or ctx.sender,
        )
    )
    ctx.emit(e.TaxpayerRegistered(taxpayer=taxpayer, member=message.member))


@contract.handles(m.CorrectTaxpayer)
def correct_taxpayer(ctx: Context, message: m.CorrectTaxpayer) -> None:
    """For the future only: what exists names its members, whose rights and duties stay (I10).

    The bureau of the new member's jurisdiction does it; without the members' register as its proof
    it has to be the bureau of the present registration too.
    """
    found = need_taxpayer(ctx, message.taxpayer)
    member = _need_member(ctx, message.member)
    require_tax_authority(ctx, member.jurisdiction)
    if not _require_owner(ctx, found.id, member.did):
        require_tax_authority(ctx, found.jurisdiction)
    if found.member == member.did:
        raise r.AlreadyRegistered(taxpayer=found.id, member=found.member)
    ctx.put(
        msgspec.structs.replace(
            found,
            member=member.did,
            jurisdiction=member.jurisdiction,
            registered_by=get_actor(ctx) or ctx.sender,
            earlier=tuple(dict.fromkeys((*found.earlier, found.member))),
        )
    )
    ctx.emit(e.TaxpayerCorrected(taxpayer=found.id, member=member.did, earlier=found.member))


@contract.handles(m.SuspendSeller)
def suspend_seller(ctx: Context, message: m.SuspendSeller) -> None:
    """Stops issuing; what was issued lives on."""
    seller = need_taxpayer(ctx, message.seller)
    require_tax_authority(ctx, seller.jurisdiction)
    if seller.suspended:
        raise r.StandingUnchanged(target=seller.id, standing="suspended")
    ctx.put(msgspec.structs.replace(seller, suspended=message.reason))
    ctx.emit(e.SellerSuspended(taxpayer=seller.id, member=seller.member, reason=message.reason))


@contract.handles(m.ResumeSeller)
def resume_seller(ctx: Context, message: m.ResumeSeller) -> None:
    """Ends a suspension."""
    seller = need_taxpayer(ctx, message.seller)
    require_tax_authority(ctx, seller.jurisdiction)
    if not seller.suspended:
        raise r.StandingUnchanged(target=seller.id, standing="active")
    ctx.put(msgspec.structs.replace(seller, suspended=""))
    ctx.emit(e.SellerResumed(taxpayer=seller.id, member=seller.member))


@contract.handles(m.GrantQuota)
def grant_quota(ctx: Context, message: m.GrantQuota) -> None:
    """Sets the whole quota; what is used stays used (I6)."""
    seller = need_taxpayer(ctx, message.seller)
    require_tax_authority(ctx, seller.jurisdiction)
    if message.currency not in CURRENCIES:
        raise r.CurrencyUnknown(currency=message.currency)
    found = ctx.get(Quota, seller.id, message.currency) or Quota(
        seller=seller.id, member=seller.member, currency=message.currency, amount=0, count=0
    )
    if message.amount < found.used or message.count < found.count_used:
        raise r.QuotaBelowUse(used=found.used, numbers=found.count_used)
    quota = msgspec.structs.replace(
        found, member=seller.member, amount=message.amount, count=message.count
    )
    ctx.put(quota)
    ctx.emit(
        e.QuotaGranted(
            seller=quota.seller,
            member=quota.member,
            currency=quota.currency,
            amount=quota.amount,
            count=quota.count,
        )
    )


@contract.handles(m.FreezeInvoice)
def freeze_invoice(ctx: Context, message: m.FreezeInvoice) -> None:
    """Nothing moves until the bureau releases it; deadlines run on."""
    invoice = need_invoice(ctx, message.invoice)
    require_tax_authority(ctx, need_taxpayer(ctx, invoice.content.seller).jurisdiction)
    if invoice.frozen_by:
        raise r.StandingUnchanged(target=invoice.id, standing="frozen")
    ctx.emit(e.InvoiceFrozen(**put_step(ctx, invoice, frozen_by=get_actor(ctx) or ctx.sender)))


@contract.handles(m.ReleaseInvoice)
def release_invoice(ctx: Context, message: m.ReleaseInvoice) -> None:
    """Ends a freeze."""
    invoice = need_invoice(ctx, message.invoice)
    require_tax_authority(ctx, need_taxpayer(ctx, invoice.content.seller).jurisdiction)
    if not invoice.frozen_by:
        raise r.StandingUnchanged(target=invoice.id, standing="released")
    ctx.emit(e.InvoiceReleased(**put_step(ctx, invoice, frozen_by="")))


def _need_member(ctx: Context, did: str) -> Member:
    member: Member | None = ctx.view("members", "member", did)
    if member is None:
        raise NoSuchRecord(kind="member", key=did)
    return member


def _require_owner(ctx: Context, taxpayer: str, member: str) -> bool:
    """Whether the members' register says that the identifier is the member's (I10).

    False when no member has it there; raises OwnedByOther when another member has.
    """
    scheme, _, value = taxpayer.partition(":")
    owner = ctx.view("members", "member_of_identifier", scheme, value)
    if owner and owner != member:
        raise r.OwnedByOther(taxpayer=taxpayer, owner=owner, member=member)
    return bool(owner)

"""Rules of holdings, accesses and deliveries (C4 to C6, C9 to C11)."""

from msgspec.structs import replace

from hansa.contracts.consents.events import (
    AccessRecorded,
    ContentReceived,
    ErasureDeclared,
    HoldingDeclared,
)
from hansa.contracts.consents.model import (
    ACCESS_MS,
    HOLDINGS_MAX,
    Access,
    AccessLog,
    DataGrant,
    DeclareErasure,
    DeclareHolding,
    Delivery,
    Erasure,
    Handed,
    Holding,
    ReceiveContent,
    RecordAccess,
    compute_head,
)
from hansa.contracts.consents.rejections import (
    AlreadyReceived,
    Erased,
    FieldNotGranted,
    NoSuchAccess,
    NothingHeld,
    NotTheReceiver,
    NotYet,
    TooManyHoldings,
    UsedUp,
    WrongPurpose,
)
from hansa.contracts.consents.rights import (
    check_fields,
    check_not_over,
    check_party,
    check_seal_key,
    check_steward,
    contract,
    end_grant,
    need_grant,
    speaks_for,
)
from hansa.ledger.context import Context


@contract.handles(DeclareHolding)
def declare_holding(ctx: Context, message: DeclareHolding) -> None:
    """C4, C10."""
    # READ
    held = ctx.scan(Holding, message.subject, ctx.member)

    # CHECK
    check_steward(ctx, ctx.member)
    check_party(ctx, "subject", message.subject)
    _check_not_erased(ctx, message)
    if len(held) >= HOLDINGS_MAX and message.field not in {each.field for each in held}:
        raise TooManyHoldings(limit=HOLDINGS_MAX)

    # WRITE, EMIT
    ctx.put(
        Holding(
            subject=message.subject,
            controller=ctx.member,
            field=message.field,
            commitment=message.commitment,
            since_ms=ctx.time_ms,
        )
    )
    ctx.emit(
        HoldingDeclared(
            subject=message.subject,
            controller=ctx.member,
            field=message.field,
            commitment=message.commitment,
        )
    )


@contract.handles(DeclareErasure)
def declare_erasure(ctx: Context, message: DeclareErasure) -> None:
    """C10: also of an older content, which a newer one has replaced."""
    # READ
    held = ctx.scan(Holding, message.subject, ctx.member)

    # CHECK
    check_steward(ctx, ctx.member)
    check_party(ctx, "subject", message.subject)
    _check_not_erased(ctx, message)

    # WRITE, EMIT
    gone = [each for each in held if each.commitment == message.commitment]
    for each in gone:
        ctx.delete(Holding, *each.key())
    fields = tuple(each.field for each in gone)
    ctx.put(
        Erasure(
            subject=message.subject,
            controller=ctx.member,
            commitment=message.commitment,
            fields=fields,
            reason=message.reason,
            at_ms=ctx.time_ms,
        )
    )
    ctx.emit(
        ErasureDeclared(
            subject=message.subject,
            controller=ctx.member,
            fields=fields,
            commitment=message.commitment,
            reason=message.reason,
        )
    )


@contract.handles(RecordAccess)
def record_access(ctx: Context, message: RecordAccess) -> None:
    """C5, C6, C11."""
    # READ
    grant = need_grant(ctx, message.grant)

    # CHECK
    if not speaks_for(ctx, grant.receiver, "taker"):
        raise NotTheReceiver(grant=grant.id)
    _check_live(ctx, grant)
    if message.purpose != grant.purpose:
        raise WrongPurpose(grant=grant.id, granted=grant.purpose, purpose=message.purpose)
    check_fields(message.fields)
    for field in message.fields:
        if field not in grant.fields:
            raise FieldNotGranted(grant=grant.id, field=field)
    check_seal_key(message.seal_alg, message.seal_key)
    handed = collect_handed(ctx, grant.subject, grant.controller, message.fields)

    # WRITE, EMIT
    used = grant.used + 1
    write_access(
        ctx,
        Access(
            subject=grant.subject,
            number=count_accesses(ctx, grant.subject) + 1,
            grant=grant.id,
            use=used,
            controller=grant.controller,
            taker=grant.receiver,
            actor=ctx.sender,
            purpose=grant.purpose,
            legal_basis=grant.legal_basis,
            handed=handed,
            seal_alg=message.seal_alg,
            seal_key=message.seal_key,
            at_ms=ctx.time_ms,
            until_ms=min(ctx.time_ms + ACCESS_MS, grant.until_ms),
        ),
    )
    grant = replace(grant, used=used)
    if used == grant.uses_max:
        ctx.cancel(grant.until_ms, grant.id)
        end_grant(ctx, grant, "used_up", "used_up", ctx.sender)
    else:
        ctx.put(grant)


@contract.handles(ReceiveContent)
def receive_content(ctx: Context, message: ReceiveContent) -> None:
    """C9."""
    # READ
    parts = (message.subject, f"{message.number:09d}")
    access = ctx.get(Access, *parts)

    # CHECK
    if access is None or not speaks_for(ctx, access.taker, "taker"):
        raise NoSuchAccess(number=message.number)
    if ctx.get(Delivery, *parts) is not None:
        raise AlreadyReceived(number=message.number)

    # WRITE, EMIT
    ctx.put(
        Delivery(
            subject=access.subject,
            number=access.number,
            controller=access.controller,
            taker=access.taker,
            actor=ctx.sender,
            package=message.package,
            at_ms=ctx.time_ms,
        )
    )
    ctx.emit(
        ContentReceived(
            subject=access.subject,
            controller=access.controller,
            taker=access.taker,
            number=access.number,
            package=message.package,
        )
    )


def _check_not_erased(ctx: Context, message: DeclareHolding | DeclareErasure) -> None:
    if ctx.get(Erasure, message.subject, ctx.member, message.commitment) is not None:
        raise Erased(commitment=message.commitment)


def collect_handed(
    ctx: Context, subject: str, controller: str, fields: tuple[str, ...]
) -> tuple[Handed, ...]:
    """The contents behind the fields, in their order. Raises NothingHeld (C4)."""
    handed = []
    for field in fields:
        held = ctx.get(Holding, subject, controller, field)
        if held is None:
            raise NothingHeld(field=field)
        handed.append(Handed(field=field, commitment=held.commitment))
    return tuple(handed)


def count_accesses(ctx: Context, subject: str) -> int:
    """How many accesses the subject's log has."""
    log = ctx.get(AccessLog, subject)
    return 0 if log is None else log.accesses


def write_access(ctx: Context, access: Access) -> None:
    """Put the access and let its subject's log bind it (C6)."""
    log = ctx.get(AccessLog, access.subject)
    head = compute_head("" if log is None else log.head, access)
    ctx.put(access)
    ctx.put(AccessLog(subject=access.subject, accesses=access.number, head=head))
    ctx.emit(
        AccessRecorded(
            subject=access.subject,
            controller=access.controller,
            taker=access.taker,
            number=access.number,
            grant=access.grant,
            emergency=access.emergency,
            actor=access.actor,
            purpose=access.purpose,
            fields=tuple(each.field for each in access.handed),
            until_ms=access.until_ms,
        )
    )


def _check_live(ctx: Context, grant: DataGrant) -> None:
    check_not_over(ctx, grant)
    if grant.uses_max is not None and grant.used >= grant.uses_max:
        raise UsedUp(grant=grant.id, uses_max=grant.uses_max)
    if ctx.time_ms < grant.since_ms:
        raise NotYet(grant=grant.id, since_ms=grant.since_ms)

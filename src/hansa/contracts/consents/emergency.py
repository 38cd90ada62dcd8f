"""Rules of break-glass and its review (C7, C8). Registers its handlers with the contract."""

from msgspec.structs import replace

from hansa.contracts.consents.accesses import collect_handed, count_accesses, write_access
from hansa.contracts.consents.events import BreakGlassReviewed, BreakGlassUsed, OverdueBreakGlass
from hansa.contracts.consents.model import (
    ACCESS_MS,
    REVIEW_MS,
    Access,
    BreakGlass,
    Emergency,
    MarkOverdue,
    ReviewBreakGlass,
)
from hansa.contracts.consents.rejections import (
    AlreadyReviewed,
    NoSuchEmergency,
    NotYoursToReview,
)
from hansa.contracts.consents.rights import (
    build_id,
    check_accounts,
    check_fields,
    check_seal_key,
    contract,
    need_controller,
)
from hansa.ledger.context import Context

PURPOSE = "emergency"


@contract.handles(BreakGlass)
def break_glass(ctx: Context, message: BreakGlass) -> None:
    """C7, C6."""
    # READ
    controller = need_controller(ctx, message.controller)

    # CHECK
    ctx.require_role("emergency", controller.jurisdiction)
    check_accounts(ctx, subject=message.subject)
    check_fields(message.fields)
    check_seal_key(message.seal_alg, message.seal_key)
    handed = collect_handed(ctx, message.subject, message.controller, message.fields)

    # WRITE
    emergency = Emergency(
        id=build_id(ctx),
        subject=message.subject,
        controller=message.controller,
        taker=ctx.sender,
        member=ctx.member,
        number=count_accesses(ctx, message.subject) + 1,
        reason=message.reason,
        document=message.document,
        at_ms=ctx.time_ms,
        due_ms=ctx.time_ms + ctx.parameter("review_ms", REVIEW_MS),
    )
    ctx.put(emergency)
    ctx.schedule(emergency.due_ms, MarkOverdue(emergency=emergency.id), emergency.id)

    # EMIT
    write_access(
        ctx,
        Access(
            subject=emergency.subject,
            number=emergency.number,
            emergency=emergency.id,
            controller=emergency.controller,
            taker=emergency.taker,
            actor=ctx.sender,
            purpose=PURPOSE,
            legal_basis="vital_interests",
            handed=handed,
            seal_alg=message.seal_alg,
            seal_key=message.seal_key,
            at_ms=ctx.time_ms,
            until_ms=ctx.time_ms + ACCESS_MS,
        ),
    )
    ctx.emit(
        BreakGlassUsed(
            emergency=emergency.id,
            controller=emergency.controller,
            taker=emergency.taker,
            reason=emergency.reason,
            due_ms=emergency.due_ms,
        )
    )


@contract.handles(ReviewBreakGlass)
def review_break_glass(ctx: Context, message: ReviewBreakGlass) -> None:
    """C8."""
    # READ
    emergency = _need_emergency(ctx, message.emergency)
    controller = need_controller(ctx, emergency.controller)

    # CHECK
    ctx.require_role("regulator", controller.jurisdiction)
    if emergency.verdict:
        raise AlreadyReviewed(emergency=emergency.id, verdict=emergency.verdict)
    if ctx.member in (emergency.member, emergency.controller):
        raise NotYoursToReview(emergency=emergency.id, member=ctx.member)

    # WRITE
    if not emergency.is_overdue:
        ctx.cancel(emergency.due_ms, emergency.id)
    ctx.put(
        replace(
            emergency,
            verdict=message.verdict,
            reviewer=ctx.sender,
            reviewed_ms=ctx.time_ms,
            findings=message.findings,
        )
    )

    # EMIT
    ctx.emit(
        BreakGlassReviewed(
            emergency=emergency.id,
            controller=emergency.controller,
            taker=emergency.taker,
            verdict=message.verdict,
            reviewer=ctx.sender,
            was_overdue=emergency.is_overdue,
        )
    )


@contract.handles(MarkOverdue)
def mark_overdue(ctx: Context, message: MarkOverdue) -> None:
    """C8."""
    emergency = _need_emergency(ctx, message.emergency)
    ctx.put(replace(emergency, is_overdue=True))
    ctx.emit(
        OverdueBreakGlass(
            emergency=emergency.id,
            controller=emergency.controller,
            taker=emergency.taker,
            due_ms=emergency.due_ms,
        )
    )


def _need_emergency(ctx: Context, identity: str) -> Emergency:
    emergency = ctx.get(Emergency, identity)
    if emergency is None:
        raise NoSuchEmergency(emergency=identity)
    return emergency

"""Rules of grants (C1 to C3). Accesses: `accesses`; break-glass: `emergency`."""

from msgspec.structs import replace

from hansa.contracts.consents.events import (
    GrantGiven,
)
from hansa.contracts.consents.model import (
    GRANT_MS_MAX,
    DataGrant,
    ExpireGrant,
    GiveGrant,
    WithdrawGrant,
)
from hansa.contracts.consents.rejections import (
    GroundMissing,
    NotYoursToEnd,
    NotYoursToGive,
    WrongEnd,
)
from hansa.contracts.consents.rights import (
    CONSENT,
    build_id,
    check_accounts,
    check_fields,
    check_not_over,
    contract,
    end_grant,
    need_controller,
    need_grant,
    speaks_for,
    speaks_for_subject,
)
from hansa.ledger.context import DEADLINE, Context


@contract.handles(GiveGrant)
def give_grant(ctx: Context, message: GiveGrant) -> None:
    """C1, C2."""
    # READ
    since_ms = ctx.time_ms if message.since_ms is None else message.since_ms

    # CHECK
    _check_parties(ctx, message)
    _check_giver(ctx, message)
    check_fields(message.fields)
    lasts_ms = message.until_ms - ctx.time_ms
    if not ctx.time_ms <= since_ms < message.until_ms or not 0 < lasts_ms <= GRANT_MS_MAX:
        raise WrongEnd(since_ms=since_ms, until_ms=message.until_ms, time_ms=ctx.time_ms)

    # WRITE
    grant = DataGrant(
        id=build_id(ctx),
        subject=message.subject,
        controller=message.controller,
        receiver=message.receiver,
        purpose=message.purpose,
        legal_basis=message.legal_basis,
        fields=message.fields,
        uses_max=message.uses_max,
        since_ms=since_ms,
        until_ms=message.until_ms,
        record=message.record,
        document=message.document,
    )
    ctx.put(grant)
    ctx.schedule(grant.until_ms, ExpireGrant(grant=grant.id), grant.id)

    # EMIT
    ctx.emit(
        GrantGiven(
            grant=grant.id,
            subject=grant.subject,
            controller=grant.controller,
            taker=grant.receiver,
            purpose=grant.purpose,
            legal_basis=grant.legal_basis,
            fields=grant.fields,
            uses_max=grant.uses_max,
            since_ms=grant.since_ms,
            until_ms=grant.until_ms,
            by=ctx.sender,
        )
    )


@contract.handles(WithdrawGrant)
def withdraw_grant(ctx: Context, message: WithdrawGrant) -> None:
    """C3: also of a grant whose last use is taken, so that what was not yet handed out stays."""
    # READ
    grant = need_grant(ctx, message.grant)

    # CHECK
    if not _may_end(ctx, grant):
        giver = grant.subject if grant.legal_basis == CONSENT else grant.controller
        raise NotYoursToEnd(grant=grant.id, giver=giver)
    check_not_over(ctx, grant)

    # WRITE, EMIT
    if grant.state == "live":
        ctx.cancel(grant.until_ms, grant.id)
    kept = message.record or grant.record
    end_grant(ctx, replace(grant, record=kept), "withdrawn", message.reason, ctx.sender)


@contract.handles(ExpireGrant)
def expire_grant(ctx: Context, message: ExpireGrant) -> None:
    """C2: handlers already treat it as over since its time; here its state says so."""
    end_grant(ctx, need_grant(ctx, message.grant), "expired", "expired", DEADLINE)


def _check_parties(ctx: Context, message: GiveGrant) -> None:
    check_accounts(ctx, subject=message.subject, receiver=message.receiver)
    need_controller(ctx, message.controller)


def _check_giver(ctx: Context, message: GiveGrant) -> None:
    is_consent = message.legal_basis == CONSENT
    giver = message.subject if is_consent else message.controller
    may_give = (
        speaks_for_subject(ctx, giver, "GiveGrant")
        if is_consent
        else speaks_for(ctx, giver, "steward")
    )
    if not may_give:
        raise NotYoursToGive(legal_basis=message.legal_basis, giver=giver)
    if not (message.record if is_consent else message.document):
        field = "record" if is_consent else "document"
        raise GroundMissing(legal_basis=message.legal_basis, field=field)


def _may_end(ctx: Context, grant: DataGrant) -> bool:
    if grant.legal_basis == CONSENT:
        may = speaks_for_subject(ctx, grant.subject, "WithdrawGrant")
    else:
        may = speaks_for(ctx, grant.controller, "steward")
    if may or speaks_for(ctx, grant.receiver, "taker"):
        return True
    return ctx.has_role("regulator", need_controller(ctx, grant.controller).jurisdiction)

"""Rules of roles, P1 to P5 of `model`: who may grant what, how far and how long."""

from msgspec.structs import replace

from hansa.contracts.accounts.authority import is_administrator
from hansa.contracts.permissions.model import (
    ANY_SCOPE,
    AlreadyGranted,
    EndExceeded,
    EndPassed,
    GrantRole,
    NoSuchRole,
    NotAllowedToGrant,
    NotGranted,
    PastGrant,
    RoleGranted,
    RoleWithdrawn,
    ScopeExceeded,
    WithdrawRole,
    WrongHolder,
)
from hansa.contracts.standing import get_latest_standing
from hansa.ledger.context import GOVERNANCE, Context, ReadContext
from hansa.ledger.contracts import Contract, Role
from hansa.ledger.system import Account, Grant, Member

MEMBER_ADMIN = "member_admin"

contract = Contract("permissions", records=(Grant, PastGrant))


@contract.handles(GrantRole)
def grant_role(ctx: Context, message: GrantRole) -> None:
    """P1 to P4."""
    # READ
    declared = _need_role(ctx, message.application, message.role)
    old = ctx.get(Grant, message.application, message.role, message.holder, message.scope)

    # CHECK
    member = check_holder(ctx, message.holder)
    if message.until_ms is not None and message.until_ms <= ctx.time_ms:
        raise EndPassed(until_ms=message.until_ms, time_ms=ctx.time_ms)
    limit_ms = _check_entitled(ctx, declared, message, member)
    if limit_ms is not None and not _ends_by(message.until_ms, limit_ms):
        raise EndExceeded(limit_ms=limit_ms)
    is_prolonged = old is not None and is_live(old, ctx.time_ms)
    if old is not None and is_prolonged and _ends_by(message.until_ms, old.until_ms):
        raise AlreadyGranted(role=f"{message.application}.{message.role}", holder=message.holder)

    # WRITE
    if old is not None and not is_prolonged:
        _file(ctx, old)
    grant = Grant(
        application=message.application,
        role=message.role,
        holder=message.holder,
        scope=message.scope,
        since_ms=old.since_ms if old is not None and is_prolonged else ctx.time_ms,
        until_ms=message.until_ms,
        granted_by=ctx.sender,
    )
    ctx.put(grant)

    # EMIT
    ctx.emit(
        RoleGranted(
            application=grant.application,
            role=grant.role,
            holder=grant.holder,
            scope=grant.scope,
            since_ms=grant.since_ms,
            until_ms=grant.until_ms,
            by=ctx.sender,
        )
    )


@contract.handles(WithdrawRole)
def withdraw_role(ctx: Context, message: WithdrawRole) -> None:
    """P4, P5: it ends with this block, so that what this block holds stays good."""
    # READ
    declared = _need_role(ctx, message.application, message.role)
    grant = ctx.get(Grant, message.application, message.role, message.holder, message.scope)
    account = ctx.get(Account, message.holder)

    # CHECK
    until_ms = ctx.time_ms + 1
    if grant is None or not is_live(grant, until_ms):
        name = f"{message.application}.{message.role}"
        raise NotGranted(role=name, holder=message.holder, scope=message.scope)
    member = account.member if account is not None else message.holder
    is_staff = account is None or account.kind != "citizen"
    is_own = ctx.sender == message.holder or (is_staff and is_administrator(ctx, member))
    if not is_own:
        _check_entitled(ctx, declared, message, member)

    # WRITE
    ctx.put(replace(grant, until_ms=until_ms))

    # EMIT
    ctx.emit(
        RoleWithdrawn(
            application=grant.application,
            role=grant.role,
            holder=grant.holder,
            scope=grant.scope,
            until_ms=until_ms,
            reason=message.reason,
            by=ctx.sender,
        )
    )


@contract.view("holds_role")
def view_holds_role(
    ctx: ReadContext, application: str, role: str, holder: str, scope: str = ANY_SCOPE
) -> bool:
    """Whether the holder holds the role now, for this scope or for all."""
    grants = (ctx.get(Grant, application, role, holder, each) for each in (scope, ANY_SCOPE))
    return any(grant is not None and is_live(grant, ctx.time_ms) for grant in grants)


def is_live(grant: Grant, time_ms: int) -> bool:
    """Whether the grant holds at this block time."""
    return grant.since_ms <= time_ms and (grant.until_ms is None or time_ms < grant.until_ms)


def check_holder(ctx: Context, holder: str) -> str:
    """The member behind a DID that can hold a role. Raises WrongHolder (P3)."""
    account = ctx.get(Account, holder)
    did = account.member if account is not None else holder
    member = ctx.get(Member, did)
    if member is None:
        raise WrongHolder(holder=holder, problem="unknown")
    if account is not None and get_latest_standing(account.standing) == "closed":
        raise WrongHolder(holder=holder, problem="closed")
    if get_latest_standing(member.standing) == "expelled":
        raise WrongHolder(holder=holder, problem="expelled")
    return did


def _need_role(ctx: Context, application: str, name: str) -> Role:
    declared = ctx.role(application, name)
    if declared is None:
        raise NoSuchRole(application=application, role=name)
    return declared


def _check_entitled(
    ctx: Context, declared: Role, message: GrantRole | WithdrawRole, member: str
) -> int | None:
    """How long the sender may grant at most (None: no limit). Raises NotAllowedToGrant,
    ScopeExceeded (P1, P2).
    """
    grantors = ", ".join(declared.granted_by)
    if GOVERNANCE in declared.granted_by and ctx.sender == GOVERNANCE:
        return None
    if MEMBER_ADMIN in declared.granted_by and is_administrator(ctx, member):
        return None
    own = _list_own_grants(ctx, declared)
    if not own:
        role = f"{message.application}.{message.role}"
        raise NotAllowedToGrant(role=role, holder=message.holder, grantors=grantors)
    ends = [grant.until_ms for grant in own if grant.scope in (ANY_SCOPE, message.scope)]
    if not ends:
        scopes = ", ".join(sorted({grant.scope for grant in own}))
        raise ScopeExceeded(own=scopes, scope=message.scope, grantors=grantors)
    limits = [end for end in ends if end is not None]
    return None if len(limits) < len(ends) else max(limits)


def _list_own_grants(ctx: Context, declared: Role) -> list[Grant]:
    """The sender's live grants of roles that may grant this one."""
    if ctx.is_internal:
        return []
    own: list[Grant] = []
    for grantor in declared.granted_by:
        application, _dot, role = grantor.partition(".")
        if not role:
            continue
        for holder in dict.fromkeys(ctx.holders):
            found = ctx.scan(Grant, application, role, holder)
            own.extend(grant for grant in found if is_live(grant, ctx.time_ms))
    return own


def _ends_by(until_ms: int | None, limit_ms: int | None) -> bool:
    return limit_ms is None or (until_ms is not None and until_ms <= limit_ms)


def _file(ctx: Context, old: Grant) -> None:
    """Keep the earlier interval on record."""
    if old.until_ms is None:
        raise TypeError("a grant without end is live")
    ctx.put(
        PastGrant(
            application=old.application,
            role=old.role,
            holder=old.holder,
            scope=old.scope,
            since_ms=old.since_ms,
            until_ms=old.until_ms,
            granted_by=old.granted_by,
        )
    )

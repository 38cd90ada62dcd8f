"""The chain of a mandate up to its principal: whether it holds, what it allows, who speaks. Pure
reads.
"""

from hansa.contracts.accounts.authority import is_administrator
from hansa.contracts.mandates.model import DEPTH_MAX, ActScope, Limit, Mandate
from hansa.contracts.mandates.rejections import (
    NoSuchMandate,
    NotInGoodStanding,
    NotLive,
    OutOfScope,
    OverLimit,
    UnknownParty,
    WrongCurrency,
)
from hansa.ledger.context import Context, ReadContext
from hansa.ledger.system import Account, Member, compute_standing


def need_mandate(ctx: ReadContext, mandate: str) -> Mandate:
    """The mandate of this id. Raises NoSuchMandate."""
    found = ctx.get(Mandate, mandate)
    if found is None:
        raise NoSuchMandate(mandate=mandate)
    return found


def walk(ctx: ReadContext, mandate: Mandate) -> tuple[Mandate, ...]:
    """The mandate and those above it, at most DEPTH_MAX + 1, up to its principal's own."""
    chain = [mandate]
    while chain[-1].parent and len(chain) <= DEPTH_MAX:
        chain.append(need_mandate(ctx, chain[-1].parent))
    return tuple(chain)


def check_live(ctx: ReadContext, chain: tuple[Mandate, ...]) -> None:
    """Raise NotLive or NotInGoodStanding unless every mandate of the chain holds now (M4, M6)."""
    for mandate in chain:
        why = explain_end(mandate, ctx.time_ms)
        if why:
            raise NotLive(mandate=mandate.id, why=why)
        check_standing(ctx, mandate.delegate)
    check_standing(ctx, chain[-1].principal)


def explain_end(mandate: Mandate, time_ms: int) -> str:
    """Why the mandate itself does not hold at this block time; "" when it does."""
    if mandate.state != "given":
        return mandate.state
    if time_ms < mandate.since_ms:
        return "not_begun"
    if mandate.until_ms is not None and time_ms >= mandate.until_ms:
        return "expired"
    return ""


def check_standing(ctx: ReadContext, party: str) -> None:
    """Raise UnknownParty or NotInGoodStanding (M6). A member's DID stands for the member."""
    member = ctx.get(Member, party)
    account = ctx.get(Account, party) if member is None else None
    if account is not None:
        member = ctx.get(Member, account.member)
    if member is None:
        raise UnknownParty(party=party)
    histories = [member.standing] if account is None else [account.standing, member.standing]
    if any(compute_standing(history, ctx.height) != "good" for history in histories):
        raise NotInGoodStanding(party=party)


def check_act(
    chain: tuple[Mandate, ...], application: str, type_: str, amount: int, currency: str
) -> None:
    """Raise OutOfScope, WrongCurrency or OverLimit unless each of the chain allows it (M3, M5)."""
    if amount and not currency:
        raise WrongCurrency(mandate=chain[0].id, wanted="a currency", given="none")
    for mandate in chain:
        if not covers(mandate.scope, ActScope(application, (type_,))):
            raise OutOfScope(mandate=mandate.id, application=application, type=type_)
        if mandate.limit is None or not amount:
            continue
        if currency != mandate.limit.currency:
            raise WrongCurrency(mandate=mandate.id, wanted=mandate.limit.currency, given=currency)
        left = measure_left(mandate.limit, mandate.used)
        if left is not None and amount > left:
            raise OverLimit(mandate=mandate.id, amount=amount, left=left)


def measure_left(limit: Limit, used: int) -> int | None:
    """What one act may still dispose of; None when it may of anything."""
    bounds = [limit.per_act] if limit.per_act is not None else []
    bounds.extend([limit.total - used] if limit.total is not None else [])
    return min(bounds, default=None)


def covers(scope: tuple[ActScope, ...], inner: ActScope) -> bool:
    """Whether `scope` allows all that `inner` does; no types: all of the application."""
    return any(
        each.application == inner.application
        and (not each.types or (bool(inner.types) and set(inner.types) <= set(each.types)))
        for each in scope
    )


def find_excess(child: Mandate, parent: Mandate) -> str:
    """In what the child goes beyond its parent, as a code; "" when it stays within (M2)."""
    if child.principal != parent.principal or child.giver != parent.delegate:
        return "parties"
    if child.purpose != parent.purpose or (child.office, child.basis) != (
        parent.office,
        parent.basis,
    ):
        return "purpose"
    if not all(covers(parent.scope, each) for each in child.scope):
        return "scope"
    if child.depth >= parent.depth:
        return "levels"
    if child.since_ms < parent.since_ms or not _is_within(child.until_ms, parent.until_ms):
        return "times"
    return "limits" if _exceeds(child.limit, parent.limit) else ""


def speaks_for(ctx: Context, party: str, role: str) -> bool:
    """Whether the sender acts for the account or member `party`: it is it, or an administrator of
    the member, or its account with the role.
    """
    if ctx.is_internal:
        return False
    if ctx.sender == party:
        return True
    if party not in ctx.holders:
        return False
    return is_administrator(ctx, party) or ctx.has_role(role, holder=ctx.sender)


def _exceeds(child: Limit | None, parent: Limit | None) -> bool:
    if parent is None:
        return False
    if child is None or child.currency != parent.currency:
        return True
    return not (_is_within(child.per_act, parent.per_act) and _is_within(child.total, parent.total))


def _is_within(inner: int | None, outer: int | None) -> bool:
    """None is without end on both sides."""
    return outer is None or (inner is not None and inner <= outer)

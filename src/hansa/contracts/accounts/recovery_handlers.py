"""Rules of recovery (A11). Messages: `did_model`."""

from msgspec.structs import replace

from hansa.contracts.accounts.authority import (
    check_not_promised,
    need_open,
    require_itself,
)
from hansa.contracts.accounts.did_handlers import check_not_service, enter_in_place_of
from hansa.contracts.accounts.did_model import (
    AlreadyApproved,
    ApproveRecovery,
    CompleteRecovery,
    LapseRecovery,
    NoRecovery,
    NotAnAgent,
    RecoveryApproved,
    RecoveryPlanned,
    SetRecovery,
    VetoRecovery,
    WrongPlan,
)
from hansa.contracts.accounts.handlers import (
    check_entering,
    contract,
)
from hansa.contracts.accounts.keys import (
    check_key,
    check_unused,
    list_live_keys,
)
from hansa.contracts.accounts.model import KeyUsedBefore
from hansa.contracts.accounts.profile import (
    Approval,
    Recovery,
    RecoveryPlan,
)
from hansa.contracts.accounts.recoveries import (
    DELAY,
    DELAY_MS_DEFAULT,
    WINDOW,
    WINDOW_MS_DEFAULT,
    can_veto,
    compute_mark,
    drop_recovery,
    end_recovery,
    list_recoveries,
    put_recovery,
)
from hansa.contracts.accounts.versions import begin_version
from hansa.contracts.standing import get_latest_standing
from hansa.crypto.signatures import PublicKey
from hansa.ledger.context import Context, ReadContext
from hansa.ledger.system import Account


@contract.handles(SetRecovery)
def set_recovery(ctx: Context, message: SetRecovery) -> None:
    """A10, A11."""
    # READ
    account = need_open(ctx, message.account)
    plan = RecoveryPlan(
        account=account.did,
        member=account.member,
        agents=message.agents,
        threshold=message.threshold,
    )

    # CHECK
    check_not_service(account)
    require_itself(ctx, account)
    check_not_promised(ctx, account)
    _check_plan(ctx, plan)

    # WRITE
    for recovery in list_recoveries(ctx, account.did):
        end_recovery(ctx, recovery, "vetoed")
    if plan.agents:
        ctx.put(plan)
    elif ctx.get(RecoveryPlan, account.did) is not None:
        ctx.delete(RecoveryPlan, account.did)

    # EMIT
    ctx.emit(
        RecoveryPlanned(
            account=account.did,
            member=account.member,
            agents=plan.agents,
            threshold=plan.threshold,
        )
    )


@contract.handles(ApproveRecovery)
def approve_recovery(ctx: Context, message: ApproveRecovery) -> None:
    """A2, A3, A11."""
    # READ
    account = need_open(ctx, message.account)
    plan = ctx.get(RecoveryPlan, account.did)
    mark = compute_mark(message.key_id, message.key)
    waiting = list_recoveries(ctx, account.did)

    # CHECK
    if plan is None or ctx.sender not in plan.agents:
        raise NotAnAgent(account=account.did)
    check_key(message.key)
    check_entering(ctx, account, message)
    for each in waiting:
        if _find_approval(each, ctx.sender) and (each.mark == mark or each.state == "agreed"):
            raise AlreadyApproved(account=account.did)

    # WRITE
    for each in waiting:
        _take_back(ctx, each, ctx.sender)
    found = ctx.get(Recovery, account.did, mark)
    if found is not None and found.state == "open" and found.due_ms <= ctx.time_ms:
        end_recovery(ctx, found, "lapsed")
        found = None
    recovery = found or _open_recovery(ctx, plan, message, mark)
    drop_recovery(ctx, recovery)
    approvals = (*recovery.approvals, Approval(agent=ctx.sender, at_ms=ctx.time_ms))
    recovery = replace(recovery, approvals=approvals)
    if recovery.state == "open" and len(approvals) >= plan.threshold:
        due_ms = ctx.time_ms + ctx.parameter(DELAY, DELAY_MS_DEFAULT)
        recovery = replace(recovery, state="agreed", due_ms=due_ms)
    put_recovery(ctx, recovery)

    # EMIT
    ctx.emit(
        RecoveryApproved(
            account=account.did,
            member=account.member,
            agents=recovery.agents,
            mark=mark,
            agent=ctx.sender,
            approvals=len(approvals),
            state=recovery.state,
            due_ms=recovery.due_ms,
        )
    )


@contract.handles(VetoRecovery)
def veto_recovery(ctx: Context, message: VetoRecovery) -> None:
    """A11: at any time before it takes effect, also after a delay that nobody has yet acted on."""
    # READ
    account = need_open(ctx, message.account)
    waiting = list_recoveries(ctx, account.did)

    # CHECK
    require_itself(ctx, account)
    if not waiting:
        raise NoRecovery(account=account.did)

    # WRITE, EMIT
    for recovery in waiting:
        end_recovery(ctx, recovery, "vetoed")


@contract.handles(LapseRecovery)
def lapse_recovery(ctx: Context, message: LapseRecovery) -> None:
    """A11: not agreed in time. Another that took effect in this very block may have ended it."""
    recovery = ctx.get(Recovery, message.account, message.mark)
    if recovery is not None:
        end_recovery(ctx, recovery, "lapsed")


@contract.handles(CompleteRecovery)
def complete_recovery(ctx: Context, message: CompleteRecovery) -> None:
    """A11: the agreed key enters in the place of all others; the promise about the next is gone."""
    # READ
    recovery = ctx.get(Recovery, message.account, message.mark)
    account = ctx.need(Account, message.account)

    # CHECK
    if recovery is None:  # another took effect in this very block
        return
    is_free = not _is_known(ctx, account, recovery.key_id, recovery.new_key)
    if not is_free or not can_veto(ctx, account):
        end_recovery(ctx, recovery, "refused")
        return

    # WRITE, EMIT
    end_recovery(ctx, recovery, "completed")
    for other in list_recoveries(ctx, account.did):
        end_recovery(ctx, other, "superseded")
    begin_version(ctx, account, agreements=(), next_key="")
    old = list_live_keys(account, ctx.height + 1)
    enter_in_place_of(ctx, account, list(old), recovery.key_id, recovery.new_key, "recovery")


@contract.view("recovery")
def view_recovery(ctx: ReadContext, did: str) -> tuple[Recovery, ...]:
    """The recoveries of an account that wait."""
    return tuple(list_recoveries(ctx, did))


def _check_plan(ctx: Context, plan: RecoveryPlan) -> None:
    problem = ""
    if list(plan.agents) != sorted(set(plan.agents)):
        problem = "name each agent once, in alphabetical order"
    elif plan.account in plan.agents:
        problem = "an account is not its own agent"
    elif not min(1, len(plan.agents)) <= plan.threshold <= len(plan.agents):
        problem = f"{plan.threshold} of {len(plan.agents)} agents"
    else:
        for did in plan.agents:
            agent = ctx.get(Account, did)
            if agent is None or get_latest_standing(agent.standing) == "closed":
                problem = f"{did} has no open account"
    if problem:
        raise WrongPlan(problem=problem)


def _open_recovery(
    ctx: Context, plan: RecoveryPlan, message: ApproveRecovery, mark: str
) -> Recovery:
    return Recovery(
        account=plan.account,
        member=plan.member,
        mark=mark,
        key_id=message.key_id,
        new_key=message.key,
        agents=plan.agents,
        approvals=(),
        state="open",
        opened_ms=ctx.time_ms,
        due_ms=ctx.time_ms + ctx.parameter(WINDOW, WINDOW_MS_DEFAULT),
    )


def _find_approval(recovery: Recovery, agent: str) -> bool:
    return any(each.agent == agent for each in recovery.approvals)


def _take_back(ctx: Context, recovery: Recovery, agent: str) -> None:
    """The agent stands behind another key now; what nobody stands behind is gone."""
    kept = tuple(each for each in recovery.approvals if each.agent != agent)
    if len(kept) == len(recovery.approvals):
        return
    if kept:
        ctx.put(replace(recovery, approvals=kept))
    else:
        end_recovery(ctx, recovery, "superseded")


def _is_known(ctx: Context, account: Account, key_id: str, key: PublicKey) -> bool:
    try:
        check_unused(ctx, account, key_id, key)
    except KeyUsedBefore:
        return True
    return False

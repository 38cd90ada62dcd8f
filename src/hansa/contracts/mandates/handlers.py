"""Rules of mandates. Messages and rules M1 to M7: `model`; refusals: `rejections`.

How an application takes an act under a mandate: it names `mandates` in its contract's `reads`, and
where it would ask whether the sender is the one who may act, it asks too

    ctx.view("mandates", "may_act", ctx.transaction, ctx.message_index, ctx.sender, principal,
             "e_invoice", "ReimburseInvoice", amount, currency)

The delegate sends `UseMandate` and the application's message in one atomic transaction.
"""

from msgspec.structs import replace

from hansa.contracts.mandates.chain import (
    check_act,
    check_live,
    check_standing,
    explain_end,
    find_excess,
    need_mandate,
    speaks_for,
    walk,
)
from hansa.contracts.mandates.model import (
    PAIR_MAX,
    ActScope,
    Appointment,
    GiveMandate,
    GiveOnBehalf,
    Mandate,
    MandateEnded,
    MandateGiven,
    MandateUsed,
    Office,
    State,
    Use,
    UseMandate,
    WithdrawMandate,
)
from hansa.contracts.mandates.rejections import (
    AlreadyEnded,
    BeyondParent,
    MandatesRejection,
    NoDepthLeft,
    NotAllowedOnBehalf,
    NothingCovered,
    NotTheDelegate,
    NotThePrincipal,
    NotYours,
    SameParty,
    TooManyMandates,
    WrongScope,
    WrongTimes,
)
from hansa.ledger.context import GOVERNANCE, Context, ReadContext
from hansa.ledger.contracts import Contract, ContractNotActive, Role

OFFICES: tuple[Office, ...] = ("court", "registry")

contract = Contract(
    "mandates",
    roles=(
        Role("court", granted_by=(GOVERNANCE,), text="Gives mandates for those who cannot"),
        Role("registry", granted_by=(GOVERNANCE,), text="Records who acts for whom by law"),
        Role("signatory", granted_by=("member_admin",), text="Gives mandates for its member"),
        Role("agent", granted_by=("member_admin",), text="Acts under mandates to its member"),
    ),
    records=(Mandate, Appointment, Use),
)


@contract.handles(GiveMandate)
def give_mandate(ctx: Context, message: GiveMandate) -> None:
    """M1, M2, M6, M7."""
    # READ
    parent = need_mandate(ctx, message.parent) if message.parent else None
    mandate = _build_mandate(ctx, message)

    # CHECK
    if parent is None:
        if not speaks_for(ctx, message.principal, "signatory"):
            raise NotThePrincipal(principal=message.principal)
    else:
        mandate = replace(
            mandate,
            parent=parent.id,
            giver=parent.delegate,
            office=parent.office,
            basis=parent.basis,
        )
        _check_given_on(ctx, mandate, parent)

    # CHECK, WRITE, EMIT
    _give(ctx, mandate)


@contract.handles(GiveOnBehalf)
def give_on_behalf(ctx: Context, message: GiveOnBehalf) -> None:
    """M1, M6, M7."""
    # READ
    office = next((role for role in OFFICES if ctx.has_role(role)), "")

    # CHECK
    if not office:
        roles = ", ".join(f"mandates.{role}" for role in OFFICES)
        raise NotAllowedOnBehalf(principal=message.principal, roles=roles)

    # CHECK, WRITE, EMIT
    mandate = _build_mandate(ctx, message)
    _give(ctx, replace(mandate, giver=ctx.holders[-1], office=office, basis=message.basis))


@contract.handles(WithdrawMandate)
def withdraw_mandate(ctx: Context, message: WithdrawMandate) -> None:
    """M4."""
    # READ
    mandate = need_mandate(ctx, message.mandate)

    # CHECK
    if mandate.state != "given":
        raise AlreadyEnded(mandate=mandate.id, why=mandate.state)
    state = _judge_withdrawal(ctx, mandate)
    if state is None:
        raise NotYours(mandate=mandate.id, giver=mandate.giver, delegate=mandate.delegate)

    # WRITE
    ctx.put(replace(mandate, state=state, ended_ms=ctx.time_ms))
    ctx.delete(Appointment, mandate.principal, mandate.delegate, mandate.id)

    # EMIT
    ctx.emit(
        MandateEnded(
            mandate=mandate.id,
            principal=mandate.principal,
            delegate=mandate.delegate,
            state=state,
            by=ctx.sender,
            reason=message.reason,
        )
    )


@contract.handles(UseMandate)
def use_mandate(ctx: Context, message: UseMandate) -> None:
    """M3, M5, M6."""
    # READ
    mandate = need_mandate(ctx, message.mandate)
    chain = walk(ctx, mandate)

    # CHECK
    if not ctx.followers:
        raise NothingCovered(mandate=mandate.id)
    if not speaks_for(ctx, mandate.delegate, "agent"):
        raise NotTheDelegate(mandate=mandate.id, delegate=mandate.delegate)
    check_live(ctx, chain)
    check_act(chain, message.application, message.type, message.amount, message.currency)

    # WRITE
    for each in chain:
        counted = message.amount if each.limit is not None else 0
        ctx.put(replace(each, used=each.used + counted, uses=each.uses + 1))
    use = Use(
        transaction=ctx.transaction,
        act=ctx.message_index + 1,
        mandate=mandate.id,
        principal=mandate.principal,
        delegate=mandate.delegate,
        by=ctx.sender,
        application=message.application,
        type=message.type,
        amount=message.amount,
        currency=message.currency,
        at_ms=ctx.time_ms,
    )
    ctx.put(use)

    # EMIT
    ctx.emit(
        MandateUsed(
            mandate=use.mandate,
            principal=use.principal,
            delegate=use.delegate,
            by=use.by,
            application=use.application,
            type=use.type,
            amount=use.amount,
            currency=use.currency,
        )
    )


@contract.view("may_act")
def view_may_act(
    ctx: ReadContext,
    transaction: str,
    message_index: int,
    sender: str,
    principal: str,
    application: str,
    type_: str,
    amount: int = 0,
    currency: str = "",
) -> bool:
    """Whether this very message is covered by a use of a mandate of the principal (M5): the message
    before it in its transaction was a `UseMandate` of the same sender, for exactly this.
    """
    use = ctx.get(Use, transaction, str(message_index))
    return use is not None and (
        use.by,
        use.principal,
        use.application,
        use.type,
        use.amount,
        use.currency,
    ) == (sender, principal, application, type_, amount, currency)


@contract.view("find_mandate")
def view_find_mandate(
    ctx: ReadContext,
    principal: str,
    delegate: str,
    application: str,
    type_: str,
    amount: int = 0,
    currency: str = "",
) -> str:
    """The id of a mandate under which the delegate could do this now, or "". Counts nothing."""
    for appointment in ctx.scan(Appointment, principal, delegate, limit=PAIR_MAX):
        chain = walk(ctx, need_mandate(ctx, appointment.mandate))
        try:
            check_live(ctx, chain)
            check_act(chain, application, type_, amount, currency)
        except MandatesRejection:
            continue
        return appointment.mandate
    return ""


def _build_mandate(ctx: Context, message: GiveMandate | GiveOnBehalf) -> Mandate:
    return Mandate(
        id=f"{ctx.transaction[:32]}-{ctx.message_index}",
        principal=message.principal,
        delegate=message.delegate,
        scope=message.scope,
        purpose=message.purpose,
        limit=message.limit,
        depth=message.depth,
        parent="",
        since_ms=ctx.time_ms if message.since_ms is None else message.since_ms,
        until_ms=message.until_ms,
        document=message.document,
        given_by=ctx.sender,
        giver=message.principal,
        office="",
        basis="",
        state="given",
        ended_ms=None,
        used=0,
        uses=0,
    )


def _check_given_on(ctx: Context, mandate: Mandate, parent: Mandate) -> None:
    """M2."""
    if not speaks_for(ctx, parent.delegate, "agent"):
        raise NotTheDelegate(mandate=parent.id, delegate=parent.delegate)
    if parent.depth == 0:
        raise NoDepthLeft(mandate=parent.id)
    check_live(ctx, walk(ctx, parent))
    what = find_excess(mandate, parent)
    if what:
        raise BeyondParent(what=what, parent=parent.id)


def _give(ctx: Context, mandate: Mandate) -> None:
    """M6, M7, then the records."""
    # CHECK
    if mandate.delegate == mandate.principal:
        raise SameParty(party=mandate.principal)
    for party in (mandate.principal, mandate.delegate):
        check_standing(ctx, party)
    since_ms, until_ms = mandate.since_ms, mandate.until_ms
    if since_ms < ctx.time_ms or (until_ms is not None and until_ms <= since_ms):
        end = "no end" if until_ms is None else until_ms
        raise WrongTimes(since_ms=since_ms, until_ms=end, time_ms=ctx.time_ms)
    _check_scope(ctx, mandate.scope)
    _free_places(ctx, mandate)

    # WRITE
    ctx.put(mandate)
    ctx.put(Appointment(principal=mandate.principal, delegate=mandate.delegate, mandate=mandate.id))

    # EMIT
    ctx.emit(
        MandateGiven(
            mandate=mandate.id,
            principal=mandate.principal,
            delegate=mandate.delegate,
            purpose=mandate.purpose,
            parent=mandate.parent,
            office=mandate.office,
            since_ms=since_ms,
            until_ms=until_ms,
        )
    )


def _check_scope(ctx: Context, scope: tuple[ActScope, ...]) -> None:
    """M7: each application once, and all of it known."""
    named: set[str] = set()
    for each in scope:
        name = each.application
        try:
            is_known = ctx.role(name, "") is None and all(
                ctx.knows_message(name, type_) for type_ in each.types
            )
        except ContractNotActive:
            is_known = False
        if name in named or not is_known:
            raise WrongScope(application=name, types=" ".join(each.types))
        named.add(name)


def _free_places(ctx: Context, mandate: Mandate) -> None:
    """M7: forget where expired mandates are found; refuse when none is."""
    standing = ctx.scan(Appointment, mandate.principal, mandate.delegate, limit=PAIR_MAX)
    live = 0
    for each in standing:
        if explain_end(need_mandate(ctx, each.mandate), ctx.time_ms) == "expired":
            ctx.delete(Appointment, *each.key())
        else:
            live += 1
    if live >= PAIR_MAX:
        raise TooManyMandates(
            limit=PAIR_MAX, principal=mandate.principal, delegate=mandate.delegate
        )


def _judge_withdrawal(ctx: Context, mandate: Mandate) -> State | None:
    """How it would end by the sender's word; None when it is not the sender's to end (M4)."""
    is_office = mandate.office != "" and not mandate.parent
    if ctx.sender == GOVERNANCE:
        return "withdrawn"
    if is_office and mandate.giver in ctx.holders and ctx.has_role(mandate.office):
        return "withdrawn"
    if not is_office and speaks_for(ctx, mandate.giver, "agent" if mandate.parent else "signatory"):
        return "withdrawn"
    if not mandate.office and speaks_for(ctx, mandate.principal, "signatory"):
        return "withdrawn"
    return "given_back" if speaks_for(ctx, mandate.delegate, "agent") else None

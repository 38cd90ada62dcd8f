"""Rules of accreditations, R1 to R6 and R8 of `model`: links given, suspended, revoked.

Recognitions (R7) are in `recognitions`.
"""

from collections.abc import Collection
from functools import cache
from typing import NamedTuple

from msgspec.structs import replace

from hansa.contracts.accreditations.chains import (
    acts_for,
    extend_standing,
    find_link,
    find_rank,
    find_suspender_rank,
    list_chain,
    need_link,
    require_force,
)
from hansa.contracts.accreditations.model import (
    LINKS_MAX,
    STANDINGS_MAX,
    Accredit,
    Accreditation,
    AccreditationStandingChanged,
    Accredited,
    Attest,
    AuthoriseRoot,
    Recognition,
    ReinstateAccreditation,
    RevokeAccreditation,
    SubjectLink,
    SuspendAccreditation,
)
from hansa.contracts.accreditations.rejections import (
    ExceedsParent,
    NotAbove,
    NotYours,
    OnlyRoots,
    ParentMayNotAccredit,
    PlacedAbove,
    TooDeep,
    TooManyChanges,
    TooManyLinks,
    UnknownSchema,
    WrongStanding,
    WrongSubject,
    WrongTime,
)
from hansa.contracts.governance.model import ACTIONS_MAX
from hansa.contracts.standing import get_latest_standing
from hansa.identity.accreditation import Finding, verify_accreditation
from hansa.identity.links import (
    ANY_SCHEMA,
    DEPTH_MAX,
    Finder,
    Level,
    Link,
    Scope,
    Standing,
    StandingFrom,
    find_excess,
    judge_time,
)
from hansa.ledger.context import GOVERNANCE, Context, ReadContext
from hansa.ledger.contracts import Contract, Role
from hansa.ledger.model import Record
from hansa.ledger.system import Account, Member

contract = Contract(
    "accreditations",
    roles=(Role("officer", granted_by=("member_admin",), text="Accredits for its member"),),
    reads=("schemas",),
    records=(Accreditation, SubjectLink, Recognition),
)


class Question(NamedTuple):
    """Who wants to attest what, where, under which framework ("" any)."""

    issuer: str
    schema: tuple[str, ...]
    jurisdiction: str
    framework: str


@contract.handles(AuthoriseRoot)
def authorise_root(ctx: Context, message: AuthoriseRoot) -> None:
    """R1, R8."""
    since_ms = check_times(ctx, message.since_ms, message.until_ms)
    check_schemas(ctx, message.scope)
    _check_subject(ctx, message.subject)
    _give(ctx, message, "root", message.framework, since_ms)


@contract.handles(Accredit)
def accredit(ctx: Context, message: Accredit) -> None:
    """R1 to R3, R8."""
    _give_child(ctx, message, "accredit")


@contract.handles(Attest)
def attest(ctx: Context, message: Attest) -> None:
    """R1 to R3, R8."""
    _give_child(ctx, message, "attest")


@contract.handles(SuspendAccreditation)
def suspend_accreditation(ctx: Context, message: SuspendAccreditation) -> None:
    """R4, R5: one that stands higher may suspend again, so that only it can lift it."""
    # READ
    link = need_link(ctx, message.accreditation)
    chain = list_chain(ctx, link.id)

    # CHECK
    rank = _need_rank(ctx, chain)
    latest = link.standing[-1].standing
    is_raised = latest == "suspended" and rank > find_suspender_rank(chain)
    if latest != "active" and not is_raised:
        raise WrongStanding(name=link.id, standing=latest)
    if len(link.standing) >= STANDINGS_MAX:
        raise TooManyChanges(name=link.id, limit=STANDINGS_MAX)

    # WRITE, EMIT
    _put_standing(ctx, link, "suspended", chain[rank].accreditor, message.reason)


@contract.handles(ReinstateAccreditation)
def reinstate_accreditation(ctx: Context, message: ReinstateAccreditation) -> None:
    """R4, R5."""
    # READ
    link = need_link(ctx, message.accreditation)
    chain = list_chain(ctx, link.id)

    # CHECK
    rank = _need_rank(ctx, chain)
    latest = link.standing[-1]
    if latest.standing != "suspended":
        raise WrongStanding(name=link.id, standing=latest.standing)
    if rank < find_suspender_rank(chain):
        raise PlacedAbove(by=latest.by)

    # WRITE, EMIT
    _put_standing(ctx, link, "active", chain[rank].accreditor, message.reason)


@contract.handles(RevokeAccreditation)
def revoke_accreditation(ctx: Context, message: RevokeAccreditation) -> None:
    """R4, R5: by those above, or given back by its subject."""
    # READ
    link = need_link(ctx, message.accreditation)
    chain = list_chain(ctx, link.id)

    # CHECK
    is_own = acts_for(ctx, link.subject)
    by = link.subject if is_own else chain[_need_rank(ctx, chain)].accreditor
    latest = link.standing[-1].standing
    if latest == "revoked":
        raise WrongStanding(name=link.id, standing=latest)

    # WRITE, EMIT
    _put_standing(ctx, link, "revoked", by, message.reason)


@contract.view("accreditation")
def view_accreditation(ctx: ReadContext, accreditation: str) -> Accreditation | None:
    """The link of this id."""
    return ctx.get(Accreditation, accreditation)


@contract.view("verify")
def view_verify(
    ctx: ReadContext,
    accreditation: str,
    issuer: str,
    schema: Collection[str],
    jurisdiction: str,
    framework: str = "",
) -> Finding:
    """The walk from one link, as at the block's time (`identity.accreditation`)."""
    question = Question(issuer, tuple(schema), jurisdiction, framework)
    return _verify(ctx, question, accreditation, lambda each: find_link(ctx, each))


@contract.view("is_entitled")
def view_is_entitled(
    ctx: ReadContext, issuer: str, schema: Collection[str], jurisdiction: str, framework: str = ""
) -> bool:
    """Whether any link of the issuer's lets it attest the schema there, as at the block's time.

    `schema`: all the names of one schema (`Schema.scope_names`).
    """
    question = Question(issuer, tuple(schema), jurisdiction, framework)
    find = cache(lambda each: find_link(ctx, each))
    links = (ctx.need(Accreditation, entry.link) for entry in ctx.scan(SubjectLink, issuer))
    return any(
        _verify(ctx, question, link.id, find).entitled
        for link in links
        if link.level == "attest" and not judge_time(link, ctx.time_ms)
    )


def check_times(ctx: Context, since_ms: int | None, until_ms: int | None) -> int:
    """When it begins: not before now, and before its end. Raises WrongTime."""
    begins_ms = ctx.time_ms if since_ms is None else since_ms
    if begins_ms < ctx.time_ms or (until_ms is not None and until_ms <= begins_ms):
        raise WrongTime(
            since_ms=begins_ms,
            until_ms="no end" if until_ms is None else until_ms,
            time_ms=ctx.time_ms,
        )
    return begins_ms


def check_schemas(ctx: Context, scope: tuple[Scope, ...]) -> None:
    """Raise UnknownSchema for what is neither published nor `*`."""
    for schema in sorted({schema for each in scope for schema in each.schemas}):
        if schema != ANY_SCHEMA and not ctx.view("schemas", "is_scope", schema):
            raise UnknownSchema(schema=schema)


def build_id(ctx: Context, kind: type[Record], *before: str) -> str:
    """An id that no other record of the kind has; the actions of one proposal share a message."""
    name = f"{ctx.transaction[:32]}-{ctx.message_index}"
    names = (name, *(f"{name}.{number}" for number in range(1, ACTIONS_MAX)))
    return next(each for each in names if ctx.get(kind, *before, each) is None)


def _verify(ctx: ReadContext, question: Question, leaf: str, find: Finder) -> Finding:
    place = question.jurisdiction
    return verify_accreditation(
        find,
        ctx.scan(Recognition, place) if place else (),
        leaf=leaf,
        issuer=question.issuer,
        schema=question.schema,
        jurisdiction=place,
        at_ms=ctx.time_ms,
        anchors=None,
        framework=question.framework,
    )


def _give_child(ctx: Context, message: Accredit | Attest, level: Level) -> None:
    # READ
    parent = need_link(ctx, message.parent)
    chain = list_chain(ctx, parent.id)

    # CHECK
    if parent.level == "attest":
        raise ParentMayNotAccredit(parent=parent.id)
    if not acts_for(ctx, parent.subject):
        raise NotYours(parent=parent.id, subject=parent.subject)
    since_ms = check_times(ctx, message.since_ms, message.until_ms)
    if any(ANY_SCHEMA in each.schemas for each in message.scope):
        raise OnlyRoots
    if what := find_excess(parent, message.scope, since_ms, message.until_ms):
        raise ExceedsParent(parent=parent.id, what=what)
    if len(chain) >= DEPTH_MAX:
        raise TooDeep(limit=DEPTH_MAX)
    require_force(ctx, parent.id)
    check_schemas(ctx, message.scope)
    _check_subject(ctx, message.subject)

    # WRITE, EMIT
    _give(ctx, message, level, parent.framework, since_ms, parent)


def _give(
    ctx: Context,
    message: AuthoriseRoot | Accredit | Attest,
    level: Level,
    framework: str,
    since_ms: int,
    parent: Accreditation | None = None,
) -> None:
    accreditor = parent.subject if parent is not None else GOVERNANCE
    link = Accreditation(
        id=build_id(ctx, Accreditation),
        framework=framework,
        level=level,
        parent=parent.id if parent is not None else "",
        accreditor=accreditor,
        subject=message.subject,
        scope=message.scope,
        since_ms=since_ms,
        until_ms=message.until_ms,
        basis=message.basis,
        document=message.document,
        standing=(StandingFrom(since_ms=ctx.time_ms, standing="active", by=accreditor),),
    )
    ctx.put(link)
    ctx.put(SubjectLink(subject=link.subject, link=link.id))
    ctx.emit(
        Accredited(
            accreditation=link.id,
            framework=framework,
            level=level,
            parent=link.parent,
            accreditor=accreditor,
            subject=link.subject,
            scope=link.scope,
            since_ms=since_ms,
            until_ms=link.until_ms,
            basis=link.basis,
        )
    )


def _check_subject(ctx: Context, subject: str) -> None:
    """R8. Raises WrongSubject, TooManyLinks."""
    account = ctx.get(Account, subject)
    member = ctx.get(Member, account.member) if account is not None else None
    if account is None or member is None:
        raise WrongSubject(subject=subject, problem="unknown")
    for standing in (get_latest_standing(account.standing), get_latest_standing(member.standing)):
        if standing in ("closed", "expelled"):
            raise WrongSubject(subject=subject, problem=standing)
    _free_places(ctx, subject)


def _free_places(ctx: Context, subject: str) -> None:
    """R8: forget under the subject what is over for good; else 64 links that nobody asked for, or
    twenty years of renewals, would end its accreditation for ever. Raises TooManyLinks.
    """
    entries = ctx.scan(SubjectLink, subject)
    if len(entries) < LINKS_MAX:
        return
    over = [
        each
        for each in entries
        if judge_time(need_link(ctx, each.link), ctx.time_ms) in ("revoked", "expired")
    ]
    if not over:
        raise TooManyLinks(name=subject, limit=LINKS_MAX)
    for each in over:
        ctx.delete(SubjectLink, *each.key())


def _need_rank(ctx: Context, chain: tuple[Link, ...]) -> int:
    rank = find_rank(ctx, chain)
    if rank < 0:
        raise NotAbove(accreditor=chain[0].accreditor)
    return rank


def _put_standing(
    ctx: Context, link: Accreditation, standing: Standing, by: str, reason: str
) -> None:
    """It begins with the next millisecond, so that what this block holds stays good."""
    entry = StandingFrom(since_ms=ctx.time_ms + 1, standing=standing, by=by, reason=reason)
    ctx.put(replace(link, standing=extend_standing(link.standing, entry)))
    ctx.emit(
        AccreditationStandingChanged(
            accreditation=link.id,
            subject=link.subject,
            standing=standing,
            since_ms=entry.since_ms,
            by=by,
            reason=reason,
        )
    )

"""The contract, and what its rooms ask alike: who may speak for whom, and what stands. Pure."""

from msgspec.structs import replace

from hansa.contracts.accounts.agreement import check_agreement_key
from hansa.contracts.accounts.did_model import WrongAgreementKey
from hansa.contracts.consents.events import (
    GrantEnded,
)
from hansa.contracts.consents.model import (
    DAY_MS,
    Access,
    AccessLog,
    DataGrant,
    Delivery,
    Emergency,
    Erasure,
    GrantState,
    Holding,
)
from hansa.contracts.consents.rejections import (
    FieldsRepeated,
    GrantOver,
    NoSuchGrant,
    NoSuchParty,
    NotTheController,
    WrongSealKey,
)
from hansa.ledger.context import GOVERNANCE, Context
from hansa.ledger.contracts import Contract, Role, Setting
from hansa.ledger.system import Account, Member

CONSENT = "consent"

contract = Contract(
    "consents",
    roles=(
        Role("steward", granted_by=("member_admin",), text="Declares and grants what is held"),
        Role("taker", granted_by=("member_admin",), text="Takes up grants for its member"),
        Role(
            "emergency",
            granted_by=(GOVERNANCE, "consents.regulator"),
            text="May read without a grant in an emergency (scope: a jurisdiction)",
        ),
        Role(
            "regulator",
            granted_by=(GOVERNANCE,),
            text="Sees accesses and reviews break-glass (scope: a jurisdiction)",
        ),
    ),
    reads=("mandates",),
    settings=(Setting("review_ms", 3_600_000, 30 * DAY_MS, "Time for a review of break-glass"),),
    records=(DataGrant, Holding, Access, AccessLog, Delivery, Emergency, Erasure),
)


def build_id(ctx: Context) -> str:
    """The id of what this message makes: nobody chooses it, nobody can take it first."""
    return f"{ctx.transaction[:32]}-{ctx.message_index}"


def speaks_for(ctx: Context, party: str, role: str) -> bool:
    """Whether the sender is the party, or its member is and it holds the role there."""
    return ctx.sender == party or (party in ctx.holders and ctx.has_role(role))


def speaks_for_subject(ctx: Context, subject: str, message: str) -> bool:
    """Whether the sender is the subject, or has its mandate for this very message: a guardian's, a
    lawyer's, used just before it in the same transaction.
    """
    return ctx.sender == subject or bool(
        ctx.view(
            "mandates",
            "may_act",
            *(ctx.transaction, ctx.message_index, ctx.sender, subject, "consents", message),
        )
    )


def need_controller(ctx: Context, did: str) -> Member:
    """The member that holds the data. Raises NoSuchParty."""
    member = ctx.get(Member, did)
    if member is None:
        raise NoSuchParty(role="controller", did=did)
    return member


def check_fields(fields: tuple[str, ...]) -> None:
    """Raise FieldsRepeated unless each is named once."""
    if len(set(fields)) != len(fields):
        raise FieldsRepeated


def check_seal_key(alg: str, key: str) -> None:
    """Raise WrongSealKey for a key to which nothing can be sealed: no use is spent on it."""
    try:
        check_agreement_key(alg, key)
    except WrongAgreementKey as error:
        raise WrongSealKey(alg=alg) from error


def check_accounts(ctx: Context, **parties: str) -> None:
    """Raise NoSuchParty unless each is an account."""
    for role, did in parties.items():
        check_party(ctx, role, did)


def check_party(ctx: Context, role: str, did: str) -> None:
    if ctx.get(Account, did) is None:
        raise NoSuchParty(role=role, did=did)


def check_steward(ctx: Context, member: str) -> None:
    if not member or not speaks_for(ctx, member, "steward"):
        raise NotTheController(member=member or "nobody")


def need_grant(ctx: Context, identity: str) -> DataGrant:
    grant = ctx.get(DataGrant, identity)
    if grant is None:
        raise NoSuchGrant(grant=identity)
    return grant


def check_not_over(ctx: Context, grant: DataGrant) -> None:
    """Raise GrantOver for what was withdrawn or whose time has passed, whatever its state says."""
    if grant.state in ("withdrawn", "expired"):
        raise GrantOver(grant=grant.id, state=grant.state, ended_ms=grant.ended_ms or 0)
    if grant.until_ms <= ctx.time_ms:
        raise GrantOver(grant=grant.id, state="expired", ended_ms=grant.until_ms)


def end_grant(ctx: Context, grant: DataGrant, state: GrantState, reason: str, by: str) -> None:
    ended = replace(grant, state=state, ended_ms=ctx.time_ms, ended_by=by, reason=reason)
    ctx.put(ended)
    ctx.emit(
        GrantEnded(
            grant=grant.id,
            subject=grant.subject,
            controller=grant.controller,
            taker=grant.receiver,
            state=state,
            reason=reason,
            by=by,
        )
    )

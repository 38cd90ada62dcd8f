"""Rules of membership, M1 to M6 of `model`. Who may: governance, but for SetContact."""

from msgspec.structs import replace

from hansa.contracts.accounts.authority import require_administrator
from hansa.contracts.accounts.keys import derive_did
from hansa.contracts.accounts.model import OpenMemberAccount
from hansa.contracts.members.model import (
    AdmitMember,
    AlreadyMember,
    AmendMember,
    Contact,
    ContactChanged,
    ExpelMember,
    IdentifierOwner,
    IdentifierTaken,
    MemberAdmitted,
    MemberAmended,
    MemberStandingChanged,
    NoSuchMember,
    ReinstateMember,
    SetContact,
    SuspendMember,
    ValidatorVotes,
    WrongIdentifier,
    WrongMemberStanding,
)
from hansa.contracts.standing import extend_standing, get_latest_standing
from hansa.ledger.context import Context, ReadContext
from hansa.ledger.contracts import Contract
from hansa.ledger.system import Identifier, Member, Standing, Validator
from hansa.primitives.identifiers import InvalidIdentifier, check_identifier, normalise

# Of things, not of organisations.
_NOT_OF_MEMBERS = frozenset({"GTIN", "SSCC"})

contract = Contract("members", records=(Member, IdentifierOwner, Contact))


@contract.handles(AdmitMember)
def admit_member(ctx: Context, message: AdmitMember) -> None:
    """M1, M2: the member and its first account, by one act."""
    # READ
    did = derive_did(message.key)
    identifiers = normalise_identifiers(message.identifiers)

    # CHECK
    if ctx.get(Member, did) is not None:
        raise AlreadyMember(member=did)
    check_identifiers_free(ctx, did, identifiers)

    # WRITE
    ctx.put(
        Member(
            did=did,
            name=message.name,
            jurisdiction=message.jurisdiction,
            identifiers=identifiers,
            standing=extend_standing((), "good", ctx.height),
        )
    )
    put_identifiers(ctx, did, identifiers)

    # EMIT
    ctx.emit(
        MemberAdmitted(
            member=did,
            name=message.name,
            jurisdiction=message.jurisdiction,
            since=ctx.height + 1,
        )
    )
    ctx.dispatch(
        "accounts",
        OpenMemberAccount(key_id=message.key_id, key=message.key, possession=message.possession),
    )


@contract.handles(AmendMember)
def amend_member(ctx: Context, message: AmendMember) -> None:
    """M2, M5."""
    # READ
    member = _need_member(ctx, message.member)
    identifiers = normalise_identifiers(message.identifiers)

    # CHECK
    if get_latest_standing(member.standing) == "expelled":
        raise WrongMemberStanding(member=member.did, standing="expelled")
    check_identifiers_free(ctx, member.did, identifiers)

    # WRITE
    _delete_identifiers(ctx, member)
    put_identifiers(ctx, member.did, identifiers)
    ctx.put(
        replace(
            member,
            name=message.name,
            jurisdiction=message.jurisdiction,
            identifiers=identifiers,
        )
    )

    # EMIT
    ctx.emit(MemberAmended(member=member.did, name=message.name, jurisdiction=message.jurisdiction))


@contract.handles(SuspendMember)
def suspend_member(ctx: Context, message: SuspendMember) -> None:
    """M3, M6."""
    member = _need_standing(ctx, message.member, "good")
    _check_no_vote(ctx, member)
    _put_standing(ctx, member, "suspended", message.reason)


@contract.handles(ReinstateMember)
def reinstate_member(ctx: Context, message: ReinstateMember) -> None:
    """M3."""
    member = _need_standing(ctx, message.member, "suspended")
    _put_standing(ctx, member, "good", message.reason)


@contract.handles(ExpelMember)
def expel_member(ctx: Context, message: ExpelMember) -> None:
    """M2, M3, M6: its identifiers may be another member's from now on; the record keeps them."""
    member = _need_standing(ctx, message.member, "good", "suspended")
    _check_no_vote(ctx, member)
    _delete_identifiers(ctx, member)
    _put_standing(ctx, member, "expelled", message.reason)


@contract.handles(SetContact)
def set_contact(ctx: Context, message: SetContact) -> None:
    """M5."""
    # CHECK
    require_administrator(ctx, ctx.member)

    # WRITE
    ctx.put(Contact(member=ctx.member, address=message.address))

    # EMIT
    ctx.emit(ContactChanged(member=ctx.member, address=message.address))


@contract.view("member")
def view_member(ctx: ReadContext, did: str) -> Member | None:
    """The member, with its standings."""
    return ctx.get(Member, did)


@contract.view("member_of_identifier")
def view_member_of_identifier(ctx: ReadContext, scheme: str, value: str) -> str:
    """DID of the member that has the identifier, or ""."""
    owner = ctx.get(IdentifierOwner, scheme, normalise(scheme, value))
    return owner.member if owner is not None else ""


def normalise_identifiers(identifiers: tuple[Identifier, ...]) -> tuple[Identifier, ...]:
    """The identifiers in their one spelling, in order. Raises WrongIdentifier (M2)."""
    found: dict[tuple[str, str], Identifier] = {}
    for given in identifiers:
        try:
            check_identifier(given.scheme, given.value)
        except InvalidIdentifier as error:
            raise WrongIdentifier(
                scheme=given.scheme, value=given.value, problem=error.reason
            ) from error
        value = normalise(given.scheme, given.value)
        if given.scheme in _NOT_OF_MEMBERS or (given.scheme, value) in found:
            raise WrongIdentifier(scheme=given.scheme, value=given.value, problem="scheme")
        found[(given.scheme, value)] = Identifier(scheme=given.scheme, value=value)
    return tuple(found[key] for key in sorted(found))


def check_identifiers_free(ctx: Context, did: str, identifiers: tuple[Identifier, ...]) -> None:
    """Raise IdentifierTaken when another member has one of them (M2)."""
    for each in identifiers:
        owner = ctx.get(IdentifierOwner, each.scheme, each.value)
        if owner is not None and owner.member != did:
            raise IdentifierTaken(scheme=each.scheme, value=each.value, member=owner.member)


def put_identifiers(ctx: Context, did: str, identifiers: tuple[Identifier, ...]) -> None:
    """Record whose the identifiers are."""
    for each in identifiers:
        ctx.put(IdentifierOwner(scheme=each.scheme, value=each.value, member=did))


def _delete_identifiers(ctx: Context, member: Member) -> None:
    for each in member.identifiers:
        ctx.delete(IdentifierOwner, each.scheme, each.value)


def _need_member(ctx: Context, did: str) -> Member:
    member = ctx.get(Member, did)
    if member is None:
        raise NoSuchMember(member=did)
    return member


def _need_standing(ctx: Context, did: str, *wanted: Standing) -> Member:
    member = _need_member(ctx, did)
    standing = get_latest_standing(member.standing)
    if standing not in wanted:
        raise WrongMemberStanding(member=did, standing=standing)
    return member


def _check_no_vote(ctx: Context, member: Member) -> None:
    """Raise ValidatorVotes while the member's validator is active (M6)."""
    for validator in ctx.scan(Validator):
        if validator.member == member.did and validator.state == "active":
            raise ValidatorVotes(member=member.did, validator=validator.address)


def _put_standing(ctx: Context, member: Member, standing: Standing, reason: str) -> None:
    ctx.put(replace(member, standing=extend_standing(member.standing, standing, ctx.height)))
    ctx.emit(
        MemberStandingChanged(
            member=member.did, standing=standing, since=ctx.height + 1, reason=reason
        )
    )

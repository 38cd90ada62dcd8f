"""Who may act for a member or on an account (A5, A10). Reads state, changes nothing."""

from hansa.contracts.accounts.did_model import NextKeyOnly, OnlyItself
from hansa.contracts.accounts.model import (
    NotAdministrator,
    NotForGovernance,
    NotYourAccount,
    WrongStanding,
)
from hansa.contracts.accounts.profile import DidProfile
from hansa.contracts.standing import get_latest_standing
from hansa.ledger.context import GOVERNANCE, Context
from hansa.ledger.system import Account


def is_administrator(ctx: Context, member: str) -> bool:
    """Whether the sender is an administrator of `member`."""
    account = None if ctx.is_internal else ctx.get(Account, ctx.sender)
    return account is not None and account.admin and account.member == member


def require_administrator(ctx: Context, member: str) -> None:
    """Raise NotAdministrator unless the sender is one of `member`."""
    if not is_administrator(ctx, member):
        raise NotAdministrator(member=member)


def require_control(ctx: Context, account: Account) -> None:
    """Raise unless the sender is the account, an administrator of its member, or governance for a
    member's first account.
    """
    if ctx.sender == GOVERNANCE:
        if account.kind != "member":
            raise NotForGovernance(account=account.did, member=account.member)
    elif ctx.sender != account.did and not is_administrator(ctx, account.member):
        raise NotYourAccount(account=account.did, member=account.member)


def need_open(ctx: Context, did: str) -> Account:
    """The account, which is not closed. Raises NoSuchRecord, WrongStanding."""
    account = ctx.need(Account, did)
    if get_latest_standing(account.standing) == "closed":
        raise WrongStanding(account=did, standing="closed")
    return account


def require_itself(ctx: Context, account: Account) -> None:
    """Raise OnlyItself unless the account itself sends."""
    if ctx.sender != account.did:
        raise OnlyItself(account=account.did)


def require_speaker(ctx: Context, account: Account) -> None:
    """Raise OnlyItself unless the account itself sends, or an administrator for staff and services:
    a sponsor does not speak for a citizen.
    """
    speaks = account.kind != "citizen" and is_administrator(ctx, account.member)
    if not speaks:
        require_itself(ctx, account)


def check_not_promised(ctx: Context, account: Account) -> None:
    """Raise NextKeyOnly while the account's promise about its next key stands (A10); what
    governance does to a member's first account goes above it.
    """
    profile = ctx.get(DidProfile, account.did)
    if profile is not None and profile.next_key and ctx.sender != GOVERNANCE:
        raise NextKeyOnly(account=account.did)

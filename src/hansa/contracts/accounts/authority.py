"""Who may act for a member or on an account (A5). Reads state, changes nothing."""

from hansa.contracts.accounts.model import NotAdministrator, NotForGovernance, NotYourAccount
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

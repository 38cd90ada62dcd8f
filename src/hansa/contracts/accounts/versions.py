"""Versions of a DID: what its document says, since which height and block time (A12)."""

from typing import Any

from msgspec.structs import replace

from hansa.contracts.accounts.did_model import DidVersionBegun, NextKeySet
from hansa.contracts.accounts.profile import DidProfile, PastProfile
from hansa.ledger.context import Context, ReadContext
from hansa.ledger.system import Account


def derive_first_profile(account: Account) -> DidProfile:
    """The first version of a DID of which nothing but keys was ever said."""
    return DidProfile(
        account=account.did,
        version=1,
        since=account.standing[0].since,
        since_ms=account.keys[0].since_ms,
    )


def need_profile(ctx: ReadContext, account: Account) -> DidProfile:
    """The account's profile as it stands, or its first one."""
    return ctx.get(DidProfile, account.did) or derive_first_profile(account)


def begin_version(ctx: Context, account: Account, **changes: Any) -> None:
    """Say from the next height on what `changes` say; of several in one block the last stays.

    `account`: as it was before, whose first key is still listed. An unchanged promise about the
    next key is kept.
    """
    profile = need_profile(ctx, account)
    changed = replace(profile, **changes)
    if profile.since <= ctx.height:
        ctx.put(file_profile(profile))
        changed = replace(
            changed, version=profile.version + 1, since=ctx.height + 1, since_ms=ctx.time_ms
        )
    ctx.put(changed)
    ctx.emit(
        DidVersionBegun(
            account=account.did, version=changed.version, since=changed.since, by=ctx.sender
        )
    )
    if changed.next_key != profile.next_key:
        emit_promise(ctx, account.did, changed.next_key)


def file_profile(profile: DidProfile) -> PastProfile:
    """The version as it is kept when the next one follows."""
    return PastProfile(
        account=profile.account,
        version=profile.version,
        since=profile.since,
        since_ms=profile.since_ms,
        services=profile.services,
        agreements=profile.agreements,
    )


def emit_promise(ctx: Context, did: str, next_key: str) -> None:
    """Announce which key comes next."""
    ctx.emit(NextKeySet(account=did, next_key=next_key, by=ctx.sender))

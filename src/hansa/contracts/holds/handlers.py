"""Rules of holds on records of any application (D16). Messages and rules H1 to H5: `model`.

Owners' contracts ask with `ctx.require_free` (or `ctx.holds`) before they change a record, and
publish the view `holdable(ctx, kind, *key) -> str | None`: DID of the record's owner (an account or
a member), "" when nobody may pledge it, None when there is no such record.
"""

from collections.abc import Mapping
from typing import Any

from hansa.contracts.holds.model import (
    HOLDS_MAX,
    EndPassed,
    HoldEnded,
    HolderMustSign,
    HoldKind,
    HoldPlaced,
    LapseHold,
    NoSuchHold,
    NotAllowedToPlace,
    NotHoldable,
    NotThePlacer,
    OwnerMustSign,
    PastHold,
    PlaceHold,
    ReleaseHold,
    TooManyHolds,
)
from hansa.ledger.context import GOVERNANCE, Context, ReadContext
from hansa.ledger.contracts import Contract, Role
from hansa.ledger.system import Account, Hold

HOLDABLE = "holdable"
LAPSED = "lapsed"
# Whose office each kind of hold is (H1).
OFFICES: Mapping[HoldKind, tuple[str, ...]] = {
    "freeze": ("court", "authority"),
    "seizure": ("court",),
    "pledge": ("bank",),
    "assignment": ("bank",),
}

contract = Contract(
    "holds",
    roles=(
        Role("court", granted_by=(GOVERNANCE,), text="Seizes and freezes records"),
        Role("authority", granted_by=(GOVERNANCE,), text="Freezes records"),
        Role("bank", granted_by=(GOVERNANCE,), text="Takes pledges and assignments"),
        Role("pledgor", granted_by=("member_admin",), text="Signs pledges for its member"),
    ),
    reads=("*",),
    records=(Hold, PastHold),
)


@contract.handles(PlaceHold)
def place_hold(ctx: Context, message: PlaceHold) -> None:
    """H1 to H3, H5."""
    # READ
    hold = _build_hold(ctx, message)
    record = (message.application, message.record_kind, *message.record_key)
    standing = ctx.scan(Hold, *record, "~")

    # CHECK
    if not hold.role or not ctx.is_cosigned(hold):
        roles = ", ".join(f"holds.{role}" for role in OFFICES[message.kind])
        raise NotAllowedToPlace(kind=message.kind, application=message.application, roles=roles)
    if message.until_ms is not None and message.until_ms <= ctx.time_ms:
        raise EndPassed(until_ms=message.until_ms, time_ms=ctx.time_ms)
    owner = _need_owner(ctx, message)
    if len(standing) >= HOLDS_MAX:
        raise TooManyHolds(limit=HOLDS_MAX)
    if message.kind in ("pledge", "assignment"):
        _check_consents(ctx, message, owner, [hold for hold in standing if is_live(hold, ctx)])

    # WRITE
    ctx.put(hold)
    if hold.until_ms is not None:
        ctx.schedule(hold.until_ms, _build_lapse(hold), hold.id)

    # EMIT
    ctx.emit(
        HoldPlaced(
            application=hold.application,
            record_kind=hold.record_kind,
            record_key=hold.record_key,
            hold=hold.id,
            kind=hold.kind,
            placed_by=hold.placed_by,
            until_ms=hold.until_ms,
            document=message.document,
        )
    )


@contract.handles(ReleaseHold)
def release_hold(ctx: Context, message: ReleaseHold) -> None:
    """H4."""
    # READ
    hold = _need_hold(ctx, message)

    # CHECK
    if not _may_release(ctx, hold):
        raise NotThePlacer(placed_by=hold.placed_by, role=hold.role, kind=hold.kind)

    # WRITE, EMIT
    if hold.until_ms is not None:
        ctx.cancel(hold.until_ms, hold.id)
    _end(ctx, hold, message.reason)


@contract.handles(LapseHold)
def lapse_hold(ctx: Context, message: LapseHold) -> None:
    """H4: contracts already treat it as gone since its time; here it leaves the record."""
    _end(ctx, _need_hold(ctx, message), LAPSED)


@contract.view("holds")
def view_holds(ctx: ReadContext, application: str, kind: str, *key: str) -> tuple[Hold, ...]:
    """The live holds on a record."""
    found = ctx.scan(Hold, application, kind, *key, "~")
    return tuple(hold for hold in found if is_live(hold, ctx))


def is_live(hold: Hold, ctx: ReadContext) -> bool:
    """Whether the hold stands at the block's time: its deadline may wait for a later block."""
    return hold.until_ms is None or ctx.time_ms < hold.until_ms


def _build_hold(ctx: Context, message: PlaceHold) -> Hold:
    """The hold that the sender would place; its role is "" when the sender has no such office."""
    offices = (role for role in OFFICES[message.kind] if ctx.has_role(role, message.application))
    return Hold(
        application=message.application,
        record_kind=message.record_kind,
        record_key=message.record_key,
        id=f"{ctx.transaction[:32]}-{ctx.message_index}",
        kind=message.kind,
        placed_by=ctx.member,
        role=next(offices, ""),
        since_ms=ctx.time_ms,
        until_ms=message.until_ms,
    )


def _build_lapse(hold: Hold) -> LapseHold:
    return LapseHold(
        application=hold.application,
        record_kind=hold.record_kind,
        record_key=hold.record_key,
        hold=hold.id,
    )


def _need_owner(ctx: Context, message: PlaceHold) -> str:
    """The record's owner, by its contract's word. Raises NotHoldable (H2)."""
    owner: Any = None
    # "~" parts the record's identifier from the hold's own
    if "~" not in message.record_key and ctx.has_view(message.application, HOLDABLE):
        owner = ctx.view(message.application, HOLDABLE, message.record_kind, *message.record_key)
    if not isinstance(owner, str):
        raise NotHoldable(
            application=message.application,
            record_kind=message.record_kind,
            record_key="/".join(message.record_key),
        )
    return owner


def _check_consents(ctx: Context, message: PlaceHold, owner: str, standing: list[Hold]) -> None:
    """The owner and everyone with a live hold sign (H3)."""
    signers = zip(ctx.signers, ctx.signer_members, strict=True)
    if not any(_speaks_for(ctx, owner, account, member) for account, member in signers):
        raise OwnerMustSign(kind=message.kind, owner=owner or "(nobody may pledge it)")
    for hold in standing:
        if not ctx.is_cosigned(hold):
            raise HolderMustSign(kind=message.kind, held=hold.kind, placed_by=hold.placed_by)


def _speaks_for(ctx: Context, owner: str, account: str, member: str) -> bool:
    if account == owner and owner:
        return True
    if member != owner or not owner:
        return False
    found = ctx.get(Account, account)
    return (found is not None and found.admin) or ctx.has_role("pledgor", holder=account)


def _need_hold(ctx: Context, message: ReleaseHold | LapseHold) -> Hold:
    parts = (message.application, message.record_kind, *message.record_key, "~", message.hold)
    hold = ctx.get(Hold, *parts)
    if hold is None:
        raise NoSuchHold(hold=message.hold)
    return hold


def _may_release(ctx: Context, hold: Hold) -> bool:
    return ctx.sender == GOVERNANCE or ctx.is_cosigned(hold)


def _end(ctx: Context, hold: Hold, reason: str) -> None:
    ctx.delete(Hold, *hold.key())
    ctx.put(PastHold(hold=hold, ended_ms=ctx.time_ms, ended_by=ctx.sender, reason=reason))
    ctx.emit(
        HoldEnded(
            application=hold.application,
            record_kind=hold.record_kind,
            record_key=hold.record_key,
            hold=hold.id,
            kind=hold.kind,
            placed_by=hold.placed_by,
            by=ctx.sender,
            reason=reason,
        )
    )

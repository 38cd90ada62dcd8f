"""Rules of status lists, S1 to S5 of `model`: who says what of which index, and since when."""

from collections.abc import Sequence

from msgspec.structs import replace

from hansa.contracts.credentials.model import (
    SUSPENSIONS_MAX,
    AlreadySet,
    IndexBeyondList,
    IndexRepeated,
    ListIsOpen,
    NoSuchList,
    NotForSuspension,
    NotSuspended,
    NotTheIssuer,
    OpenStatusList,
    ReinstateStatus,
    RevokedForGood,
    SetStatus,
    Status,
    StatusList,
    StatusListOpened,
    StatusReinstated,
    StatusSet,
    StatusSpan,
    TooManySuspensions,
    WrongPurposes,
)
from hansa.ledger.context import Context, ReadContext
from hansa.ledger.contracts import Contract, Role

PURPOSES = (("revocation",), ("revocation", "suspension"))

contract = Contract(
    "credentials",
    roles=(Role("issuer", granted_by=("member_admin",), text="Keeps status lists for its member"),),
    records=(StatusList, Status),
)


@contract.handles(OpenStatusList)
def open_status_list(ctx: Context, message: OpenStatusList) -> None:
    """S1, S2."""
    # READ
    old = ctx.get(StatusList, message.issuer, message.list)

    # CHECK
    _check_issuer(ctx, message.issuer)
    if message.purposes not in PURPOSES:
        raise WrongPurposes()
    if old is not None:
        raise ListIsOpen(list=message.list)

    # WRITE
    opened = StatusList(
        issuer=message.issuer,
        list=message.list,
        size=message.size,
        purposes=message.purposes,
        opened_ms=ctx.time_ms,
        opened_by=ctx.sender,
    )
    ctx.put(opened)

    # EMIT
    ctx.emit(
        StatusListOpened(
            issuer=opened.issuer,
            list=opened.list,
            size=opened.size,
            purposes=opened.purposes,
            by=ctx.sender,
        )
    )


@contract.handles(SetStatus)
def set_status(ctx: Context, message: SetStatus) -> None:
    """S1, S3 to S5."""
    # READ
    found = _read(ctx, message)

    # CHECK
    suspends = message.value == "suspended"
    if suspends and "suspension" not in found.purposes:
        raise NotForSuspension(list=message.list)
    changed = []
    for index in message.indexes:
        old = ctx.get(Status, message.issuer, message.list, f"{index:07d}")
        spans = old.spans if old is not None else ()
        _check_change(spans, message, index)
        span = StatusSpan(value=message.value, since_ms=ctx.time_ms, reason=message.reason)
        changed.append(_build_status(message, index, (*_end_last(spans, ctx.time_ms), span)))

    # WRITE
    for status in changed:
        ctx.put(status)

    # EMIT
    ctx.emit(
        StatusSet(
            issuer=message.issuer,
            list=message.list,
            indexes=message.indexes,
            value=message.value,
            reason=message.reason,
            by=ctx.sender,
        )
    )


@contract.handles(ReinstateStatus)
def reinstate_status(ctx: Context, message: ReinstateStatus) -> None:
    """S1, S3, S4."""
    # READ
    _read(ctx, message)

    # CHECK
    changed = []
    for index in message.indexes:
        old = ctx.get(Status, message.issuer, message.list, f"{index:07d}")
        standing = get_standing(old.spans) if old is not None else ""
        if standing == "revoked":
            raise RevokedForGood(index=index)
        if old is None or not standing:
            raise NotSuspended(index=index)
        changed.append(_build_status(message, index, _end_last(old.spans, ctx.time_ms)))

    # WRITE
    for status in changed:
        ctx.put(status)

    # EMIT
    ctx.emit(
        StatusReinstated(
            issuer=message.issuer, list=message.list, indexes=message.indexes, by=ctx.sender
        )
    )


@contract.view("status")
def view_status(ctx: ReadContext, issuer: str, name: str, index: int) -> str:
    """`valid`, `suspended` or `revoked` now; "" when the issuer has no such list or index."""
    found = ctx.get(StatusList, issuer, name)
    if found is None or not 0 <= index < found.size:
        return ""
    status = ctx.get(Status, issuer, name, f"{index:07d}")
    return "valid" if status is None else status.at(ctx.time_ms)


def get_standing(spans: Sequence[StatusSpan]) -> str:
    """What was last set and has not ended; "" when nothing stands."""
    return spans[-1].value if spans and spans[-1].until_ms is None else ""


def _check_issuer(ctx: Context, issuer: str) -> None:
    """S1: the role itself is asked for by the kernel."""
    if issuer not in ctx.holders:
        raise NotTheIssuer(issuer=issuer)


def _read(ctx: Context, message: SetStatus | ReinstateStatus) -> StatusList:
    """The list, once sender and indexes hold (S1, S3)."""
    _check_issuer(ctx, message.issuer)
    found = ctx.get(StatusList, message.issuer, message.list)
    if found is None:
        raise NoSuchList(issuer=message.issuer, list=message.list)
    before = -1
    for index in message.indexes:
        if index <= before:
            raise IndexRepeated(index=index)
        before = index
    if before >= found.size:
        raise IndexBeyondList(index=before, size=found.size)
    return found


def _check_change(spans: Sequence[StatusSpan], message: SetStatus, index: int) -> None:
    standing = get_standing(spans)
    if standing == message.value:
        raise AlreadySet(index=index, value=message.value)
    if standing == "revoked":
        raise RevokedForGood(index=index)
    if message.value == "suspended" and len(spans) >= SUSPENSIONS_MAX:
        raise TooManySuspensions(index=index, limit=SUSPENSIONS_MAX)


def _build_status(
    message: SetStatus | ReinstateStatus, index: int, spans: tuple[StatusSpan, ...]
) -> Status:
    return Status(issuer=message.issuer, list=message.list, index=index, spans=spans)


def _end_last(spans: tuple[StatusSpan, ...], time_ms: int) -> tuple[StatusSpan, ...]:
    """The spans with the last one ended now, when it still stands."""
    if not get_standing(spans):
        return spans
    return (*spans[:-1], replace(spans[-1], until_ms=time_ms))

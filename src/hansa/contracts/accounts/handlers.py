"""Rules of accounts and their keys. Messages and rules A1 to A9: `model`."""

from msgspec.structs import replace

from hansa.contracts.accounts.authority import (
    check_not_promised,
    is_administrator,
    need_open,
    require_administrator,
    require_control,
)
from hansa.contracts.accounts.did_model import ApproveRecovery
from hansa.contracts.accounts.keys import (
    add_key,
    check_can_act,
    check_end,
    check_key,
    check_possession,
    check_purposes,
    check_unused,
    derive_did,
    end_key,
    find_live_key,
    list_live_keys,
)
from hansa.contracts.accounts.model import (
    AccountExists,
    AccountOpened,
    AccountStandingChanged,
    AddKey,
    AdministratorChanged,
    CloseAccount,
    FirstAccount,
    KeyAdded,
    KeyEnded,
    NotAllowedToOpen,
    NotStaff,
    OpenAccount,
    OpenMemberAccount,
    ReinstateAccount,
    ReplaceKey,
    RetiredKey,
    RevokeKey,
    SetAdministrator,
    SuspendAccount,
    WrongStanding,
)
from hansa.contracts.accounts.profile import (
    DidProfile,
    PastProfile,
    Recovery,
    RecoveryPlan,
)
from hansa.contracts.accounts.recoveries import DELAY, WINDOW, end_recovery, list_recoveries
from hansa.contracts.accounts.versions import begin_version
from hansa.contracts.standing import extend_standing, get_latest_standing
from hansa.ledger.context import Context, NoSuchRecord, ReadContext
from hansa.ledger.contracts import Contract, Role, Setting
from hansa.ledger.system import Account, Key, Member, Purpose, Standing

DAY_MS = 86_400_000
FIRST_PURPOSES: tuple[Purpose, ...] = ("authenticate", "sign")

contract = Contract(
    "accounts",
    roles=(
        Role(
            "registrar",
            granted_by=("member_admin",),
            text="Opens accounts for citizens whom the member sponsors",
        ),
    ),
    settings=(
        Setting(WINDOW, 60_000, 90 * DAY_MS, "Time for agents to agree on a recovery, ms"),
        Setting(DELAY, 60_000, 90 * DAY_MS, "Time to veto an agreed recovery, ms"),
    ),
    records=(Account, RetiredKey, DidProfile, PastProfile, RecoveryPlan, Recovery),
)


@contract.handles(OpenAccount)
def open_account(ctx: Context, message: OpenAccount) -> None:
    """A1, A2, A4, A5."""
    # READ
    did = derive_did(message.key)

    # CHECK
    is_allowed = is_administrator(ctx, ctx.member) or (
        message.kind == "citizen" and ctx.has_role("registrar")
    )
    if not is_allowed:
        raise NotAllowedToOpen(kind=message.kind, member=ctx.member)
    if message.admin and message.kind != "staff":
        raise NotStaff(kind=message.kind)
    check_purposes(message.kind, message.purposes, message.scope)
    _check_new(ctx, did, ctx.member, message)

    # WRITE, EMIT
    account = Account(
        did=did, member=ctx.member, kind=message.kind, admin=message.admin, keys=(), standing=()
    )
    key = Key(
        id=message.key_id,
        public=message.key,
        purposes=message.purposes,
        since=ctx.height + 1,
        scope=message.scope,
        since_ms=ctx.time_ms,
    )
    check_can_act(replace(account, keys=(key,)), key.id, ctx.height)
    _put_new(ctx, account, key)


@contract.handles(OpenMemberAccount)
def open_member_account(ctx: Context, message: OpenMemberAccount) -> None:
    """A1, A2, A9: the first account of a member that the contract `members` has just admitted."""
    # READ
    did = derive_did(message.key)

    # CHECK
    if ctx.get(Member, did) is None:
        raise NoSuchRecord(kind=Member.KIND, key=did)
    _check_new(ctx, did, did, message)

    # WRITE, EMIT
    account = Account(did=did, member=did, kind="member", admin=True, keys=(), standing=())
    key = Key(
        id=message.key_id,
        public=message.key,
        purposes=FIRST_PURPOSES,
        since=ctx.height + 1,
        since_ms=ctx.time_ms,
    )
    _put_new(ctx, account, key)


@contract.handles(AddKey)
def add_one_key(ctx: Context, message: AddKey) -> None:
    """A2 to A6, A10."""
    # READ
    account = need_open(ctx, message.account)

    # CHECK
    require_control(ctx, account)
    check_not_promised(ctx, account)
    check_key(message.key)
    check_purposes(account.kind, message.purposes, message.scope)
    check_end(message.purposes, message.until, ctx.height)
    check_entering(ctx, account, message)

    # WRITE
    key = Key(
        id=message.key_id,
        public=message.key,
        purposes=message.purposes,
        since=ctx.height + 1,
        until=message.until,
        scope=message.scope,
        since_ms=ctx.time_ms,
    )
    begin_version(ctx, account, next_key="")
    ctx.put(add_key(ctx, account, key))

    # EMIT
    emit_added(ctx, account.did, key)


@contract.handles(ReplaceKey)
def replace_key(ctx: Context, message: ReplaceKey) -> None:
    """A2, A3, A5, A7, A10: no height without a key between the old one and the new one."""
    # READ
    account = need_open(ctx, message.account)
    old = find_live_key(ctx, account, message.old_key_id)

    # CHECK
    require_control(ctx, account)
    check_not_promised(ctx, account)
    check_key(message.key)
    check_entering(ctx, account, message)

    # WRITE
    key = Key(
        id=message.key_id,
        public=message.key,
        purposes=old.purposes,
        since=ctx.height + 1,
        until=old.until,
        scope=old.scope,
        since_ms=ctx.time_ms,
    )
    begin_version(ctx, account, next_key="")
    ctx.put(add_key(ctx, end_key(account, old.id, ctx.height, ctx.time_ms), key))

    # EMIT
    emit_added(ctx, account.did, key)
    emit_ended(ctx, account.did, old.id, message.reason)


@contract.handles(RevokeKey)
def revoke_key(ctx: Context, message: RevokeKey) -> None:
    """A5, A7."""
    # READ
    account = need_open(ctx, message.account)
    key = find_live_key(ctx, account, message.key_id)

    # CHECK
    require_control(ctx, account)
    changed = end_key(account, key.id, ctx.height, ctx.time_ms)
    check_can_act(changed, key.id, ctx.height)

    # WRITE
    begin_version(ctx, account)
    ctx.put(changed)

    # EMIT
    emit_ended(ctx, account.did, key.id, message.reason)


@contract.handles(CloseAccount)
def close_account(ctx: Context, message: CloseAccount) -> None:
    """A5, A8, A9, A10: all keys end with the account, and what waits to bring it a new one."""
    # READ
    account = need_open(ctx, message.account)
    live = list_live_keys(account, ctx.height + 1)

    # CHECK
    require_control(ctx, account)
    _check_not_first(account)
    if ctx.sender == account.did:
        check_not_promised(ctx, account)

    # WRITE
    for recovery in list_recoveries(ctx, account.did):
        end_recovery(ctx, recovery, "closed")
    begin_version(ctx, account, services=(), agreements=(), next_key="")
    for key in live:
        account = end_key(account, key.id, ctx.height, ctx.time_ms)
    _put_standing(ctx, replace(account, admin=False), "closed", message.reason)


@contract.handles(SuspendAccount)
def suspend_account(ctx: Context, message: SuspendAccount) -> None:
    """A5, A8, A9."""
    # READ
    account = ctx.need(Account, message.account)

    # CHECK
    require_administrator(ctx, account.member)
    _check_not_first(account)
    _check_standing(account, "good")

    # WRITE, EMIT
    _put_standing(ctx, account, "suspended", message.reason)


@contract.handles(ReinstateAccount)
def reinstate_account(ctx: Context, message: ReinstateAccount) -> None:
    """A5, A8."""
    # READ
    account = ctx.need(Account, message.account)

    # CHECK
    require_administrator(ctx, account.member)
    _check_standing(account, "suspended")

    # WRITE, EMIT
    _put_standing(ctx, account, "good", message.reason)


@contract.handles(SetAdministrator)
def set_administrator(ctx: Context, message: SetAdministrator) -> None:
    """A5, A9."""
    # READ
    account = need_open(ctx, message.account)

    # CHECK
    require_administrator(ctx, account.member)
    _check_not_first(account)
    if account.kind != "staff":
        raise NotStaff(kind=account.kind)

    # WRITE
    ctx.put(replace(account, admin=message.admin))

    # EMIT
    ctx.emit(
        AdministratorChanged(
            account=account.did, member=account.member, admin=message.admin, by=ctx.sender
        )
    )


@contract.view("account")
def view_account(ctx: ReadContext, did: str) -> Account | None:
    """The account, with its keys and standings."""
    return ctx.get(Account, did)


def _check_standing(account: Account, wanted: Standing) -> None:
    standing = get_latest_standing(account.standing)
    if standing != wanted:
        raise WrongStanding(account=account.did, standing=standing)


def _check_not_first(account: Account) -> None:
    if account.kind == "member":
        raise FirstAccount(account=account.did)


def _check_new(
    ctx: Context, did: str, member: str, message: OpenAccount | OpenMemberAccount
) -> None:
    if ctx.get(Account, did) is not None:
        raise AccountExists(account=did)
    check_possession(
        ctx.chain,
        account=did,
        member=member,
        key_id=message.key_id,
        key=message.key,
        possession=message.possession,
    )


def check_entering(
    ctx: Context, account: Account, message: AddKey | ReplaceKey | ApproveRecovery
) -> None:
    """Raise unless the key is new to the account and its holder has it (A2, A3)."""
    check_unused(ctx, account, message.key_id, message.key)
    check_possession(
        ctx.chain,
        account=account.did,
        member=account.member,
        key_id=message.key_id,
        key=message.key,
        possession=message.possession,
    )


def _put_new(ctx: Context, account: Account, key: Key) -> None:
    standing = extend_standing((), "good", ctx.height)
    ctx.put(replace(account, keys=(key,), standing=standing))
    ctx.emit(
        AccountOpened(
            account=account.did,
            member=account.member,
            kind=account.kind,
            admin=account.admin,
            key_id=key.id,
            by=ctx.sender,
        )
    )
    emit_added(ctx, account.did, key)


def _put_standing(ctx: Context, account: Account, standing: Standing, reason: str) -> None:
    ctx.put(replace(account, standing=extend_standing(account.standing, standing, ctx.height)))
    ctx.emit(
        AccountStandingChanged(
            account=account.did,
            standing=standing,
            since=ctx.height + 1,
            reason=reason,
            by=ctx.sender,
        )
    )


def emit_added(ctx: Context, did: str, key: Key) -> None:
    """Announce a key."""
    ctx.emit(
        KeyAdded(
            account=did,
            key_id=key.id,
            purposes=key.purposes,
            scope=key.scope,
            since=key.since,
            until=key.until,
            by=ctx.sender,
        )
    )


def emit_ended(ctx: Context, did: str, key_id: str, reason: str) -> None:
    """Announce the end of a key."""
    ctx.emit(
        KeyEnded(account=did, key_id=key_id, until=ctx.height + 1, reason=reason, by=ctx.sender)
    )

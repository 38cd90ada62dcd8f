"""Recoveries that wait: found, told and ended (A11). Writes records of the contract `accounts`."""

from hansa.contracts.accounts.did_model import (
    CompleteRecovery,
    LapseRecovery,
    Outcome,
    RecoveryEnded,
)
from hansa.contracts.accounts.keys import compute_key_digest
from hansa.contracts.accounts.profile import Recovery
from hansa.contracts.standing import get_latest_standing
from hansa.crypto.signatures import PublicKey
from hansa.ledger.context import Context, ReadContext
from hansa.ledger.system import Account, Freeze, Member

AGENTS_MAX = 16
# A week to reach people, three days to notice and veto, unless governance sets others.
WINDOW_MS_DEFAULT = 7 * 86_400_000
DELAY_MS_DEFAULT = 3 * 86_400_000
WINDOW = "recovery_window_ms"
DELAY = "recovery_delay_ms"


def compute_mark(key_id: str, key: PublicKey) -> str:
    """Which key is proposed, under which name: part of a record's identifier."""
    return f"{key_id}.{compute_key_digest(key)}"


def list_recoveries(ctx: ReadContext, did: str) -> list[Recovery]:
    """All that wait for the account; each agent stands behind one, so they are few."""
    return ctx.scan(Recovery, did, limit=AGENTS_MAX)


def name_deadline(recovery: Recovery) -> str:
    """Name of its deadline, of the lapse or of the completion."""
    return f"{recovery.account}.{recovery.state}.{recovery.mark}"


def put_recovery(ctx: Context, recovery: Recovery) -> None:
    """Write it, with the deadline that its state asks for."""
    ctx.put(recovery)
    kind = CompleteRecovery if recovery.state == "agreed" else LapseRecovery
    message = kind(account=recovery.account, mark=recovery.mark)
    ctx.schedule(recovery.due_ms, message, name_deadline(recovery))


def drop_recovery(ctx: Context, recovery: Recovery) -> None:
    """Take it and its deadline out of state."""
    ctx.cancel(recovery.due_ms, name_deadline(recovery))
    ctx.delete(Recovery, *recovery.key())


def end_recovery(ctx: Context, recovery: Recovery, outcome: Outcome) -> None:
    """It is over, and everybody concerned is told how."""
    drop_recovery(ctx, recovery)
    ctx.emit(
        RecoveryEnded(
            account=recovery.account,
            member=recovery.member,
            agents=recovery.agents,
            mark=recovery.mark,
            outcome=outcome,
            by=ctx.sender,
        )
    )


def can_veto(ctx: ReadContext, account: Account) -> bool:
    """Whether a live key of the account could sign now: in good standing and not frozen."""
    member = ctx.get(Member, account.member)
    return (
        get_latest_standing(account.standing) == "good"
        and member is not None
        and get_latest_standing(member.standing) == "good"
        and ctx.get(Freeze, f"account:{account.did}") is None
    )

"""Rules of quotas. Messages and rules Q1, Q2: `model`. Who may: governance."""

from hansa.contracts.quotas.model import (
    UNITS_MIN,
    WINDOW_MS_MAX,
    WINDOW_MS_MIN,
    AllowanceSet,
    AllowanceTooSmall,
    NoSuchMember,
    QuotaState,
    SetAllowance,
)
from hansa.ledger.admission import ALLOWANCE_DEFAULT, WINDOW_MS_DEFAULT
from hansa.ledger.context import Context, ReadContext
from hansa.ledger.contracts import Contract, Setting
from hansa.ledger.system import Allowance, Member, Parameter, Usage

contract = Contract(
    "quotas",
    settings=(Setting("window_ms", WINDOW_MS_MIN, WINDOW_MS_MAX, "Length of a quota window"),),
    records=(Allowance, Usage),
)


@contract.handles(SetAllowance)
def set_allowance(ctx: Context, message: SetAllowance) -> None:
    """Q2."""
    # CHECK
    check_allowance(ctx, message.member, message.units)

    # WRITE
    ctx.put(Allowance(member=message.member, units=message.units))

    # EMIT
    ctx.emit(AllowanceSet(member=message.member, units=message.units))


@contract.view("quota")
def view_quota(ctx: ReadContext, member: str) -> QuotaState:
    """What the member may spend in the current window, and what it has spent."""
    found = ctx.get(Parameter, contract.name, "window_ms")
    window = ctx.time_ms // (found.value if found is not None else WINDOW_MS_DEFAULT)
    allowance = ctx.get(Allowance, member)
    usage = ctx.get(Usage, member)
    return QuotaState(
        member=member,
        window=window,
        allowance=allowance.units if allowance is not None else ALLOWANCE_DEFAULT,
        spent=usage.units if usage is not None and usage.window == window else 0,
    )


def check_allowance(ctx: Context, member: str, units: int) -> None:
    """Raise NoSuchMember, AllowanceTooSmall (Q2)."""
    if ctx.get(Member, member) is None:
        raise NoSuchMember(member=member)
    if units < UNITS_MIN:
        raise AllowanceTooSmall(units=units, minimum=UNITS_MIN)

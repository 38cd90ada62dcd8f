"""What the contract `quotas` speaks of. The kernel charges (Usage); governance allots here. Pure.

Q1  A member spends at most its allowance of cost units in a window (the kernel's admission).
Q2  Allowances and the window's length are set by governance, within bounds that always leave room
    to vote.
"""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from hansa.ledger.model import Event, Message, Visibility
from hansa.ledger.rejections import Rejection
from hansa.primitives.limits import INTEGER_MAX
from hansa.primitives.values import Did

# A proposal of the largest size and some votes must fit, or a member could be silenced by quota.
UNITS_MIN = 2_000
WINDOW_MS_MIN = 1_000
WINDOW_MS_MAX = 86_400_000


class QuotaState(msgspec.Struct, frozen=True):
    """What a member may spend in the current window, and what it has spent."""

    member: str
    window: int
    allowance: int
    spent: int


class SetAllowance(Message, frozen=True, kw_only=True):
    """Set the cost units that a member may spend in one window."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    member: Did
    units: Annotated[int, Meta(ge=0, le=INTEGER_MAX, description="cost units in one window")]


class AllowanceSet(Event, frozen=True, kw_only=True):
    """A member may spend `units` in one window."""

    VISIBILITY: ClassVar[Visibility] = "league"

    member: str
    units: int


class QuotasRejection(Rejection):
    """Refusals of the contract `quotas`."""

    CODESPACE = "quotas"


class NoSuchMember(QuotasRejection):
    """No member has this DID."""

    CODE = "no_such_member"
    RULE = "Q2"
    TEXT = "{member} is not a member of this league."
    REMEDY = "Give a member's DID; accounts spend their member's allowance."


class AllowanceTooSmall(QuotasRejection):
    """The member could not even vote."""

    CODE = "allowance_too_small"
    RULE = "Q2"
    TEXT = "{units} units in a window are fewer than the {minimum} that leave room to vote."
    REMEDY = "Set at least {minimum}; to stop a member, suspend it."

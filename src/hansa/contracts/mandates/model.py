"""What the contract `mandates` speaks of: its records, messages and events. Pure.

A mandate lets its delegate act for its principal; both are accounts or members.

M1  A mandate is given by its principal itself (for a member: an administrator, or an account with
    the role signatory), or on behalf of one who cannot by a court or registry, with a legal basis.
M2  A delegate whose mandate has depth left gives it on, within its own: same principal, scope,
    purpose, times and limits not beyond it, one level less.
M3  A use counts its amount on the mandate and on each above it; none goes beyond its limits, for
    one act or in sum.
M4  A mandate ends at its end, or at once, also for what follows in the same block, when its
    principal, its giver or the office that gave it withdraws it or its delegate gives it back; what
    hangs below ends with it. One given on behalf is not withdrawn by its principal.
M5  A use covers one act: the very next message of the same transaction and sender; an application
    asks the view `may_act`. Both stand in one atomic transaction.
M6  Principal and delegate are known, differ, and are in good standing at each use, as is every
    delegate above.
M7  At most PAIR_MAX mandates are live from one principal to one delegate; none is backdated, and
    a scope names only messages that the league has.
"""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from hansa.contracts.fields import Reason
from hansa.ledger.model import Event, Message, Record, Visibility
from hansa.primitives.limits import INTEGER_MAX
from hansa.primitives.values import Count, Currency, Did, Name, TimeMs

# A firm, its manager, a clerk, a stand-in and one to spare; bounds each walk.
DEPTH_MAX = 4
# Mandates of one principal to one delegate that are live together.
PAIR_MAX = 16
# Applications that one mandate names.
SCOPE_MAX = 16
TYPES_MAX = 16

State = Literal["given", "withdrawn", "given_back"]
Office = Literal["", "court", "registry"]
MessageType = Annotated[
    str, Meta(pattern=r"^[A-Z][A-Za-z0-9]{0,63}$(?!\n)", description="a message type")
]
MaybeCommitment = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z0-9_-]{43})?$(?!\n)",
        description='32 bytes in base64url: a salted commitment to the deed, or ""',
    ),
]
MaybeCurrency = Annotated[
    str, Meta(pattern=r"^([A-Z]{3})?$(?!\n)", description='ISO 4217 code, or "" without an amount')
]
Ceiling = Annotated[
    int, Meta(ge=0, le=INTEGER_MAX, description="at most, in minor units of the currency")
]
Depth = Annotated[int, Meta(ge=0, le=DEPTH_MAX, description="levels that may be given on; 0: none")]


class ActScope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An application and the message types that the delegate may send; none: all of it."""

    application: Name
    types: Annotated[tuple[MessageType, ...], Meta(max_length=TYPES_MAX)] = ()


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much the delegate may dispose of, for one act and in sum (null: any)."""

    currency: Currency
    per_act: Ceiling | None = None
    total: Ceiling | None = None


Scopes = Annotated[tuple[ActScope, ...], Meta(min_length=1, max_length=SCOPE_MAX)]


class Mandate(Record, frozen=True, kw_only=True):
    """Authority of `delegate` to act for `principal`, since <= block time < until (ms).

    `parent`: the mandate that it was given on from, "" for none. `giver`: who gave it (principal,
    delegate of the parent, or the office's member), by the account `given_by`. `office`, `basis`:
    role and law by which it, or the first above it, was given on behalf. `used`: sum of what it
    and all below it disposed of, counted where there is a limit; `uses`: how many acts.
    `ended_ms`: when it was withdrawn or given back.
    """

    KIND: ClassVar[str] = "mandate"
    VISIBILITY: ClassVar[Visibility] = "parties"
    READERS: ClassVar[tuple[str, ...]] = ("mandates.court", "mandates.registry")

    id: Name
    principal: Did
    delegate: Did
    scope: tuple[ActScope, ...]
    purpose: str
    limit: Limit | None
    depth: int
    parent: str
    since_ms: int
    until_ms: int | None
    document: str
    given_by: str
    giver: str
    office: Office
    basis: str
    state: State
    ended_ms: int | None
    used: int
    uses: int

    def parties(self) -> tuple[str, ...]:
        """Whom it concerns."""
        return tuple(dict.fromkeys((self.principal, self.delegate, self.giver)))


class Appointment(Record, frozen=True, kw_only=True):
    """Finds the mandates of a principal to a delegate; gone when the mandate has ended."""

    KIND: ClassVar[str] = "appointment"
    KEY: ClassVar[tuple[str, ...]] = ("principal", "delegate", "mandate")
    VISIBILITY: ClassVar[Visibility] = "parties"

    principal: Did
    delegate: Did
    mandate: Name

    def parties(self) -> tuple[str, ...]:
        """Whom it concerns."""
        return (self.principal, self.delegate)


class Use(Record, frozen=True, kw_only=True):
    """A mandate was used for message `act` of a transaction."""

    KIND: ClassVar[str] = "use"
    KEY: ClassVar[tuple[str, ...]] = ("transaction", "act")
    VISIBILITY: ClassVar[Visibility] = "parties"
    READERS: ClassVar[tuple[str, ...]] = ("mandates.court", "mandates.registry")

    transaction: Name
    act: int
    mandate: str
    principal: str
    delegate: str
    by: str
    application: str
    type: str
    amount: int
    currency: str
    at_ms: int

    def parties(self) -> tuple[str, ...]:
        """Whom it concerns."""
        return tuple(dict.fromkeys((self.principal, self.delegate, self.by)))


class GiveMandate(Message, frozen=True, kw_only=True):
    """Give an account or a member authority to act for the principal, or give it on.

    The principal signs; with `parent` the delegate of that mandate does. `scope`: applications and
    message types. `limit`: null for none. `since_ms`: null for now; `until_ms`: null for no end.
    `depth`: how many levels the delegate may give on. `document`: commitment to the deed, or "".
    """

    COST: ClassVar[int] = 2

    principal: Did
    delegate: Did
    scope: Scopes
    purpose: Reason
    limit: Limit | None = None
    since_ms: TimeMs | None = None
    until_ms: TimeMs | None = None
    depth: Depth = 0
    parent: Annotated[str, Meta(max_length=128)] = ""
    document: MaybeCommitment = ""


class GiveOnBehalf(Message, frozen=True, kw_only=True):
    """Give authority for a principal who cannot: a child, a ward, a firm in liquidation.

    The sender holds the role court or registry. `basis`: code of the law or order; `document`:
    commitment to the order, or "".
    """

    COST: ClassVar[int] = 2

    principal: Did
    delegate: Did
    scope: Scopes
    purpose: Reason
    basis: Reason
    limit: Limit | None = None
    since_ms: TimeMs | None = None
    until_ms: TimeMs | None = None
    depth: Depth = 0
    document: MaybeCommitment = ""


class WithdrawMandate(Message, frozen=True, kw_only=True):
    """Withdraw a mandate at once, or give back one's own."""

    GOVERNED: ClassVar[bool] = True

    mandate: Name
    reason: Reason


class UseMandate(Message, frozen=True, kw_only=True):
    """Act under a mandate: covers the next message of this transaction, which must be atomic.

    `application`, `type`: of that message; `amount`, `currency`: what it disposes of, 0 and ""
    when nothing. The amount counts on the mandate and on all above it.
    """

    mandate: Name
    application: Name
    type: MessageType
    amount: Count = 0
    currency: MaybeCurrency = ""


class _MandateEvent(Event, frozen=True, kw_only=True):
    VISIBILITY: ClassVar[Visibility] = "parties"
    READERS: ClassVar[tuple[str, ...]] = ("mandates.court", "mandates.registry")

    mandate: str
    principal: str
    delegate: str

    def parties(self) -> tuple[str, ...]:
        """Whom it concerns."""
        return (self.principal, self.delegate)


class MandateGiven(_MandateEvent, frozen=True, kw_only=True):
    """The delegate may act for the principal."""

    purpose: str
    parent: str
    office: Office
    since_ms: int
    until_ms: int | None


class MandateEnded(_MandateEvent, frozen=True, kw_only=True):
    """A mandate was withdrawn or given back: from now on it cannot be used."""

    state: State
    by: str
    reason: str


class MandateUsed(_MandateEvent, frozen=True, kw_only=True):
    """The delegate acted for the principal."""

    by: str
    application: str
    type: str
    amount: int
    currency: str

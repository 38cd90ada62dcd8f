"""What the contract `consents` announces. A break-glass is told to the league, without its subject;
all else to the parties and regulators. Pure.
"""

from typing import ClassVar

from hansa.contracts.consents.model import REGULATOR, GrantState, LegalBasis, Verdict
from hansa.ledger.model import Event, Visibility


class _PartiesEvent(Event, frozen=True, kw_only=True):
    READERS: ClassVar[tuple[str, ...]] = (REGULATOR,)

    subject: str
    controller: str

    def parties(self) -> tuple[str, ...]:
        """The subject and who holds the data."""
        return (self.subject, self.controller)


class _ReadingEvent(_PartiesEvent, frozen=True, kw_only=True):
    taker: str

    def parties(self) -> tuple[str, ...]:
        """The subject, who holds the data, who reads them."""
        return (self.subject, self.controller, self.taker)


class GrantGiven(_ReadingEvent, frozen=True, kw_only=True):
    """Leave to read was given; `by`: the account that gave it."""

    grant: str
    purpose: str
    legal_basis: LegalBasis
    fields: tuple[str, ...]
    uses_max: int | None
    since_ms: int
    until_ms: int
    by: str


class GrantEnded(_ReadingEvent, frozen=True, kw_only=True):
    """A grant is over: withdrawn, expired or used up. `by` is "deadline" for what time did."""

    grant: str
    state: GrantState
    reason: str
    by: str


class HoldingDeclared(_PartiesEvent, frozen=True, kw_only=True):
    """A controller holds this content about the subject from now on."""

    field: str
    commitment: str


class ErasureDeclared(_PartiesEvent, frozen=True, kw_only=True):
    """A controller destroyed the key of the content behind this commitment."""

    fields: tuple[str, ...]
    commitment: str
    reason: str


class AccessRecorded(_ReadingEvent, frozen=True, kw_only=True):
    """Somebody reads: `number` in the subject's log, under a grant or a break-glass."""

    number: int
    grant: str
    emergency: str
    actor: str
    purpose: str
    fields: tuple[str, ...]
    until_ms: int


class ContentReceived(_ReadingEvent, frozen=True, kw_only=True):
    """The taker signed for what it received."""

    number: int
    package: str


class _LoudEvent(Event, frozen=True, kw_only=True):
    VISIBILITY: ClassVar[Visibility] = "league"

    emergency: str
    controller: str
    taker: str


class BreakGlassUsed(_LoudEvent, frozen=True, kw_only=True):
    """Data were read without a grant; a regulator has until `due_ms` to review it."""

    reason: str
    due_ms: int


class BreakGlassReviewed(_LoudEvent, frozen=True, kw_only=True):
    """A regulator judged a break-glass."""

    verdict: Verdict
    reviewer: str
    was_overdue: bool


class OverdueBreakGlass(_LoudEvent, frozen=True, kw_only=True):
    """Nobody reviewed a break-glass in time; it still waits for its review."""

    due_ms: int

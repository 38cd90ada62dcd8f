"""What the contract `holds` speaks of: messages, events, rejections and its own record. Pure.

H1  Each kind of hold is placed by those whose office it is: seizure by courts, freeze by courts and
    authorities, pledge and assignment by banks; their roles are scoped by application.
H2  A hold stands only on a record whose contract asks for holds: it publishes the view `holdable`.
H3  Pledge and assignment need the signatures of the record's owner and of the placer of every live
    hold on it; freeze and seizure need none.
H4  A hold is released by its placer, in the role that placed it, or by governance; it lapses by
    block time; what stood stays on record (PastHold).
H5  Several holds may stand on one record, at most HOLDS_MAX.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from hansa.contracts.fields import DocumentDigest, Reason
from hansa.ledger.model import Event, Message, Record, Visibility
from hansa.ledger.rejections import Rejection
from hansa.ledger.system import Hold
from hansa.primitives.values import Name, TimeMs

# Far more than the law's queue of claims on one thing; bounds what each change of it must read.
HOLDS_MAX = 32

HoldKind = Literal["freeze", "seizure", "pledge", "assignment"]
RecordKey = Annotated[
    tuple[Name, ...], Meta(min_length=1, max_length=8, description="parts of the identifier")
]


class PastHold(Record, frozen=True, kw_only=True):
    """A hold that was released or has lapsed at block time `ended_ms`."""

    KIND: ClassVar[str] = "past_hold"
    KEY_FORM: ClassVar[str] = Hold.KEY_FORM
    VISIBILITY: ClassVar[Visibility] = "league"

    hold: Hold
    ended_ms: int
    ended_by: str
    reason: str

    def key(self) -> tuple[str, ...]:
        """As the hold itself."""
        return self.hold.key()

    @classmethod
    def is_key(cls, parts: tuple[str, ...]) -> bool:
        """As the hold itself."""
        return Hold.is_key(parts)


class PlaceHold(Message, frozen=True, kw_only=True):
    """Place a hold on a record of an application for the sender's member.

    `until_ms`: block time at which it lapses, null for none. `document`: digest of the order or
    deed off chain, or "". The owner signs a pledge or assignment too, in the same transaction.
    """

    COST: ClassVar[int] = 2

    application: Name
    record_kind: Name
    record_key: RecordKey
    kind: HoldKind
    until_ms: TimeMs | None = None
    document: DocumentDigest = ""


class ReleaseHold(Message, frozen=True, kw_only=True):
    """Release a hold of the sender's member; governance may release any."""

    GOVERNED: ClassVar[bool] = True

    application: Name
    record_kind: Name
    record_key: RecordKey
    hold: Name
    reason: Reason


class LapseHold(Message, frozen=True, kw_only=True):
    """The deadline of a hold."""

    INTERNAL: ClassVar[bool] = True

    application: str
    record_kind: str
    record_key: tuple[str, ...]
    hold: str


class _HoldEvent(Event, frozen=True, kw_only=True):
    VISIBILITY: ClassVar[Visibility] = "league"

    application: str
    record_kind: str
    record_key: tuple[str, ...]
    hold: str
    kind: HoldKind
    placed_by: str


class HoldPlaced(_HoldEvent, frozen=True, kw_only=True):
    """A hold stands on the record until `until_ms` (null: no end)."""

    until_ms: int | None
    document: str


class HoldEnded(_HoldEvent, frozen=True, kw_only=True):
    """A hold was released, or lapsed (reason `lapsed`)."""

    by: str
    reason: str


class HoldsRejection(Rejection):
    """Refusals of the contract `holds`."""

    CODESPACE = "holds"


class NotAllowedToPlace(HoldsRejection):
    """The sender has no office for this kind of hold."""

    CODE = "not_allowed_to_place"
    RULE = "H1"
    TEXT = "A {kind} on records of {application} needs one of the roles {roles}."
    REMEDY = "Ask governance to grant the role to the sender or its member."


class NotHoldable(HoldsRejection):
    """The contract does not ask for holds on this record."""

    CODE = "not_holdable"
    RULE = "H2"
    TEXT = "{application} does not take holds on {record_kind} {record_key}."
    REMEDY = "Compare with the application's reference page: it names the records and their keys."


class OwnerMustSign(HoldsRejection):
    """The owner did not sign."""

    CODE = "owner_must_sign"
    RULE = "H3"
    TEXT = "A {kind} needs the signature of the owner {owner}."
    REMEDY = (
        "Send one transaction that both sign: for an organisation, an administrator or an account"
        " with the role holds.pledgor, which its administrators grant."
    )


class HolderMustSign(HoldsRejection):
    """The placer of a hold that stands did not sign."""

    CODE = "holder_must_sign"
    RULE = "H3"
    TEXT = "A {held} by {placed_by} stands on the record; a {kind} needs its signature."
    REMEDY = "Send one transaction that {placed_by} signs too, or wait for its release."


class EndPassed(HoldsRejection):
    """The end is not after the block's time."""

    CODE = "end_passed"
    RULE = "H4"
    TEXT = "The end {until_ms} is not after the block's time {time_ms}."
    REMEDY = "Give a later end, or null for none."


class TooManyHolds(HoldsRejection):
    """As many holds as may stand on one record."""

    CODE = "too_many_holds"
    RULE = "H5"
    TEXT = "{limit} holds stand on the record already."
    REMEDY = "Have those that are settled released first."


class NoSuchHold(HoldsRejection):
    """No such hold stands."""

    CODE = "no_such_hold"
    RULE = "H4"
    TEXT = "No hold {hold} stands on the record."
    REMEDY = "See the record's holds; released and lapsed ones are past."


class NotThePlacer(HoldsRejection):
    """Only the placer releases."""

    CODE = "not_the_placer"
    RULE = "H4"
    TEXT = "Only {placed_by}, in the role holds.{role}, or governance releases this {kind}."
    REMEDY = "Ask {placed_by} to release it, or propose the release to governance."

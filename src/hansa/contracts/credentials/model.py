"""What the contract `credentials` speaks of: lists, status, messages, events, rejections. Pure.

Credentials never go on chain. A status list says of an index, and of nobody, what became of the
credential that names it; what is absent was never suspended nor revoked.

S1  A status list belongs to one issuer: a member, or an account. Who opens or changes it acts for
    that issuer and holds the role `issuer`, which the member's administrators grant.
S2  Its size and purposes never change; a list has one name, for ever.
S3  Only indexes of the list are set, each once in a message, at most INDEXES_MAX at a time.
S4  Revocation is final. A suspension ends by reinstatement or revocation. What stood stays, as
    intervals in block time: the status as at any day can be told and proved.
S5  An index is suspended at most SUSPENSIONS_MAX times; it can always be revoked.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from hansa.contracts.fields import Reason
from hansa.ledger.model import Event, Message, Record, Visibility
from hansa.ledger.rejections import Rejection
from hansa.primitives.values import Did, Name

# The largest list of W3C's and IETF's own measurements; its plain bitstring has 128 kB.
SIZE_MAX = 2**20
# One message stays far below the limit of a message and changes as many records as a scan reads.
INDEXES_MAX = 1_000
# It writes as many records as a hundred plain messages and more.
COST_OF_MANY = 100
# More than any licence is suspended; keeps the record of one index below 8 kB.
SUSPENSIONS_MAX = 63

Purpose = Literal["revocation", "suspension"]
StatusValue = Literal["revoked", "suspended"]
ListName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9_-]*$(?!\n)",
        max_length=64,
        description="name of a status list: a-z 0-9 _ -",
    ),
]
ListSize = Annotated[int, Meta(ge=1, le=SIZE_MAX, description="number of indexes")]
Index = Annotated[int, Meta(ge=0, lt=SIZE_MAX, description="index in the status list")]
Indexes = Annotated[
    tuple[Index, ...],
    Meta(min_length=1, max_length=INDEXES_MAX, description="indexes, each once"),
]
Purposes = Annotated[
    tuple[Purpose, ...],
    Meta(min_length=1, max_length=2, description="what the list can say"),
]


class StatusSpan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A status from block time since_ms on, before until_ms (null: it still stands)."""

    value: StatusValue
    since_ms: int
    reason: str
    until_ms: int | None = None


class StatusList(Record, frozen=True, kw_only=True):
    """A list of an issuer. With the purpose `suspension` an entry has two bits, else one."""

    KIND: ClassVar[str] = "status_list"
    KEY: ClassVar[tuple[str, ...]] = ("issuer", "list")
    VISIBILITY: ClassVar[Visibility] = "public"
    ABSENCE: ClassVar[Visibility] = "public"

    issuer: Did
    list: ListName
    size: ListSize
    purposes: Purposes
    opened_ms: int
    opened_by: str

    @property
    def bits(self) -> int:
        """Bits of an entry as the IETF's token lists count them: valid, invalid, suspended."""
        return 2 if "suspension" in self.purposes else 1


class Status(Record, frozen=True, kw_only=True):
    """What stood and stands of one index. There is no record of an index that was never set."""

    KIND: ClassVar[str] = "status"
    KEY: ClassVar[tuple[str, ...]] = ("issuer", "list", "index")
    KEY_DIGITS: ClassVar[Mapping[str, int]] = MappingProxyType({"index": 7})
    VISIBILITY: ClassVar[Visibility] = "public"
    ABSENCE: ClassVar[Visibility] = "public"

    issuer: Did
    list: ListName
    index: Index
    spans: tuple[StatusSpan, ...]

    def at(self, time_ms: int) -> str:
        """`valid`, `suspended` or `revoked` at this block time."""
        for span in reversed(self.spans):
            if span.since_ms <= time_ms and (span.until_ms is None or time_ms < span.until_ms):
                return span.value
        return "valid"


class OpenStatusList(Message, frozen=True, kw_only=True):
    """Open a status list of an issuer: the sender's member, or the sender itself.

    `size`: number of indexes. `purposes`: revocation, or revocation and suspension. Give indexes
    out at random: a list is herd-private only while its numbers tell nothing.
    """

    ROLE: ClassVar[str] = "issuer"
    COST: ClassVar[int] = 2

    issuer: Did
    list: ListName
    size: ListSize
    purposes: Purposes = ("revocation", "suspension")


class SetStatus(Message, frozen=True, kw_only=True):
    """Revoke or suspend what stands under these indexes; all or none of them.

    Revocation is final. `reason`: a code; never a person's circumstances.
    """

    ROLE: ClassVar[str] = "issuer"
    COST: ClassVar[int] = COST_OF_MANY

    issuer: Did
    list: ListName
    indexes: Indexes
    value: StatusValue
    reason: Reason


class ReinstateStatus(Message, frozen=True, kw_only=True):
    """End the suspension of these indexes; all or none of them."""

    ROLE: ClassVar[str] = "issuer"
    COST: ClassVar[int] = COST_OF_MANY

    issuer: Did
    list: ListName
    indexes: Indexes


class _StatusEvent(Event, frozen=True, kw_only=True):
    VISIBILITY: ClassVar[Visibility] = "public"

    issuer: str
    list: Name


class StatusListOpened(_StatusEvent, frozen=True, kw_only=True):
    """An issuer has a new status list."""

    size: int
    purposes: tuple[Purpose, ...]
    by: str


class StatusSet(_StatusEvent, frozen=True, kw_only=True):
    """Indexes were suspended or revoked."""

    indexes: tuple[int, ...]
    value: StatusValue
    reason: str
    by: str


class StatusReinstated(_StatusEvent, frozen=True, kw_only=True):
    """Suspensions have ended."""

    indexes: tuple[int, ...]
    by: str


class CredentialsRejection(Rejection):
    """Refusals of the contract `credentials`."""

    CODESPACE = "credentials"


class NotTheIssuer(CredentialsRejection):
    """The sender does not act for the issuer."""

    CODE = "not_the_issuer"
    RULE = "S1"
    TEXT = "The sender does not act for the issuer {issuer}."
    REMEDY = "Send it from an account of that member, or name the sender itself as issuer."


class ListIsOpen(CredentialsRejection):
    """The issuer has a list of this name."""

    CODE = "list_is_open"
    RULE = "S2"
    TEXT = "The issuer has a status list {list} already."
    REMEDY = "Use it, or open one with another name."


class WrongPurposes(CredentialsRejection):
    """Purposes that no list has."""

    CODE = "wrong_purposes"
    RULE = "S2"
    TEXT = "A status list has the purpose revocation, or revocation and suspension in this order."
    REMEDY = "Leave the purposes out, or give them in this order, each once."


class NoSuchList(CredentialsRejection):
    """The issuer has no such list."""

    CODE = "no_such_list"
    RULE = "S2"
    TEXT = "The issuer {issuer} has no status list {list}."
    REMEDY = "Open it first, or see the issuer's lists."


class IndexBeyondList(CredentialsRejection):
    """An index that the list has not."""

    CODE = "index_beyond_list"
    RULE = "S3"
    TEXT = "The index {index} is beyond the list, which has {size}."
    REMEDY = "Compare with the credential's own status entry."


class IndexRepeated(CredentialsRejection):
    """An index stands twice in the message."""

    CODE = "index_repeated"
    RULE = "S3"
    TEXT = "The index {index} stands twice in the message, or not in rising order."
    REMEDY = "Give each index once, in rising order."


class NotForSuspension(CredentialsRejection):
    """The list cannot say that something is suspended."""

    CODE = "not_for_suspension"
    RULE = "S2"
    TEXT = "The list {list} has no purpose suspension."
    REMEDY = "Revoke, or issue the next credentials with a list that has the purpose."


class AlreadySet(CredentialsRejection):
    """The index stands so already."""

    CODE = "already_set"
    RULE = "S4"
    TEXT = "The index {index} is {value} already."
    REMEDY = "Nothing is left to do for this index; leave it out."


class RevokedForGood(CredentialsRejection):
    """Revocation is final."""

    CODE = "revoked_for_good"
    RULE = "S4"
    TEXT = "The index {index} is revoked, which is final."
    REMEDY = "Issue a new credential under another index."


class NotSuspended(CredentialsRejection):
    """There is nothing to reinstate."""

    CODE = "not_suspended"
    RULE = "S4"
    TEXT = "The index {index} is not suspended."
    REMEDY = "Leave it out: what was never set, or was reinstated, is valid."


class TooManySuspensions(CredentialsRejection):
    """As many suspensions as one index may have had."""

    CODE = "too_many_suspensions"
    RULE = "S5"
    TEXT = "The index {index} was suspended {limit} times already."
    REMEDY = "Revoke it and issue a new credential."

"""What the contract `consents` speaks of: its records and messages, rules C1 to C12. Pure.

C1  A grant says who may read which data about whom, held by whom, for what, on which legal basis,
    how often and until when. On consent the subject itself signs it, or who uses a mandate to do
    so for it (a guardian); on any other basis the controller does, and names the digest of its
    ground.
C2  A grant has an end, at most GRANT_MS_MAX ahead, and is over by itself at that time.
C3  The subject withdraws its consent at any time, itself or by a mandate, and it counts at once; a
    controller ends what it gave; a receiver gives back what it has; a regulator ends any grant of
    its jurisdiction.
C4  Content is known here by a salted commitment only: a holding, declared by its controller, at
    most HOLDINGS_MAX about one subject.
C5  Data is read under a live grant, by its receiver, for its purpose, its fields, within its uses;
    the ledger has the access, with what is handed over and the key it is sealed to, before any
    content leaves.
C6  Every access stands in its subject's log, without a gap: the log's head binds them all.
C7  Without a grant data is read in an emergency only (break-glass), by who holds that role for the
    controller's jurisdiction, with a reason; the whole league hears of it.
C8  Each break-glass is reviewed by a regulator who is not its reader; what is not reviewed in time
    is announced as overdue, and still waits for its review.
C9  A taker signs for what it received, once, and only for what was recorded.
C10 An erased content is handed out no more; which it was stays on record.
C11 An access opens its content for ACCESS_MS only, and no longer than its grant stands.
C12 Nothing personal enters: DIDs (a person may have one for each relation), codes, commitments.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from hansa.contracts.fields import DocumentDigest, Reason
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url
from hansa.ledger.model import Message, Record
from hansa.primitives.values import Did, Digest, Name, TimeMs

DAY_MS = 86_400_000
# Ten years: who needs longer asks again.
GRANT_MS_MAX = 3_653 * DAY_MS
# A large document over a slow line, with a night in between; then it is asked for again.
ACCESS_MS = DAY_MS
# What a form asks of a person; bounds what each access must read.
FIELDS_MAX = 32
# What one controller may know of a person by different codes; bounds what an erasure looks at.
HOLDINGS_MAX = 128
# How long a regulator has for a review, unless governance says otherwise.
REVIEW_MS = 3 * DAY_MS

Fields = Annotated[
    tuple[Name, ...],
    Meta(min_length=1, max_length=FIELDS_MAX, description="codes of the data that may be read"),
]
Uses = Annotated[int, Meta(ge=1, le=1_000_000, description="how often it may be read")]
# A vault's salted commitment, or "" where there is no document.
Commitment = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z0-9_-]{43})?$(?!\n)",
        description='salted commitment to a document off chain in base64url, or ""',
    ),
]
# GDPR article 6 (1) and PIPL article 13 (1), under one code each.
LegalBasis = Literal[
    "consent",
    "contract",
    "legal_obligation",
    "vital_interests",
    "public_task",
    "legitimate_interests",
    "public_health",
    "public_information",
]
GrantState = Literal["live", "withdrawn", "expired", "used_up"]
Verdict = Literal["", "justified", "unjustified"]
SealAlg = Literal["X25519", "SM2"]
SealKey = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{43}([A-Za-z0-9_-]{43})?$(?!\n)",
        description="raw public key in base64url: 32 bytes (X25519) or 64 (SM2, x then y)",
    ),
]
REGULATOR = "consents.regulator"


class DataGrant(Record, frozen=True, kw_only=True):
    """Leave for `receiver` to read `fields` about `subject` that `controller` holds.

    Live while since_ms <= block time < until_ms and `state` is live. `uses_max` None: any number.
    `record`: commitment to the consent record (ISO/IEC TS 27560) as it stands now. `document`:
    digest of the ground where the basis is not consent. `ended_ms`: when `state` left live.
    """

    KIND: ClassVar[str] = "data_grant"
    READERS: ClassVar[tuple[str, ...]] = (REGULATOR,)

    id: Name
    subject: Did
    controller: Did
    receiver: Did
    purpose: Reason
    legal_basis: LegalBasis
    fields: tuple[str, ...]
    uses_max: int | None
    used: int = 0
    since_ms: int
    until_ms: int
    state: GrantState = "live"
    ended_ms: int | None = None
    ended_by: str = ""
    reason: str = ""
    record: str
    document: str

    def parties(self) -> tuple[str, ...]:
        """The subject, who holds the data, who may read them."""
        return (self.subject, self.controller, self.receiver)


class Holding(Record, frozen=True, kw_only=True):
    """What a controller holds about a subject under a field's code: a commitment (C4)."""

    KIND: ClassVar[str] = "holding"
    KEY: ClassVar[tuple[str, ...]] = ("subject", "controller", "field")
    READERS: ClassVar[tuple[str, ...]] = (REGULATOR,)

    subject: Did
    controller: Did
    field: Name
    commitment: str
    since_ms: int

    def parties(self) -> tuple[str, ...]:
        """The subject and the controller."""
        return (self.subject, self.controller)


class Handed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One content that an access opens: its field and the commitment that it must open."""

    field: str
    commitment: str


class Access(Record, frozen=True, kw_only=True):
    """Who read what, when, under which grant (or break-glass): never changed, never deleted.

    `number` counts a subject's accesses from 1, `use` those of the grant (0 for break-glass).
    `actor` signed it for `taker`. Content is sealed to `seal_key` and handed out before `until_ms`.
    """

    KIND: ClassVar[str] = "access"
    KEY: ClassVar[tuple[str, ...]] = ("subject", "number")
    KEY_DIGITS: ClassVar[Mapping[str, int]] = MappingProxyType({"number": 9})
    READERS: ClassVar[tuple[str, ...]] = (REGULATOR,)

    subject: Did
    number: int
    grant: str = ""
    emergency: str = ""
    use: int = 0
    controller: Did
    taker: Did
    actor: Did
    purpose: str
    legal_basis: LegalBasis
    handed: tuple[Handed, ...]
    seal_alg: SealAlg
    seal_key: str
    at_ms: int
    until_ms: int

    def parties(self) -> tuple[str, ...]:
        """The subject, who hands out, who takes."""
        return (self.subject, self.controller, self.taker)


class AccessLog(Record, frozen=True, kw_only=True):
    """How many accesses a subject's log has, and the head that binds them (C6)."""

    KIND: ClassVar[str] = "access_log"
    KEY: ClassVar[tuple[str, ...]] = ("subject",)
    READERS: ClassVar[tuple[str, ...]] = (REGULATOR,)

    subject: Did
    accesses: int = 0
    head: str = ""

    def parties(self) -> tuple[str, ...]:
        """The subject."""
        return (self.subject,)


class Delivery(Record, frozen=True, kw_only=True):
    """A taker's word that it received what an access opened (C9)."""

    KIND: ClassVar[str] = "delivery"
    KEY: ClassVar[tuple[str, ...]] = ("subject", "number")
    KEY_DIGITS: ClassVar[Mapping[str, int]] = MappingProxyType({"number": 9})
    READERS: ClassVar[tuple[str, ...]] = (REGULATOR,)

    subject: Did
    number: int
    controller: Did
    taker: Did
    actor: Did
    package: str
    at_ms: int

    def parties(self) -> tuple[str, ...]:
        """As the access."""
        return (self.subject, self.controller, self.taker)


class Emergency(Record, frozen=True, kw_only=True):
    """A break-glass and its review, due at `due_ms` (C8)."""

    KIND: ClassVar[str] = "emergency"
    READERS: ClassVar[tuple[str, ...]] = (REGULATOR,)

    id: Name
    subject: Did
    controller: Did
    taker: Did
    member: Did
    number: int
    reason: Reason
    document: str
    at_ms: int
    due_ms: int
    is_overdue: bool = False
    verdict: Verdict = ""
    reviewer: str = ""
    reviewed_ms: int | None = None
    findings: str = ""

    def parties(self) -> tuple[str, ...]:
        """As the access."""
        return (self.subject, self.controller, self.taker)


class Erasure(Record, frozen=True, kw_only=True):
    """A controller's word that it destroyed the key of the content behind a commitment (C10).

    `fields`: under which it was held until then; none for one that a newer had replaced.
    """

    KIND: ClassVar[str] = "erasure"
    KEY: ClassVar[tuple[str, ...]] = ("subject", "controller", "commitment")
    READERS: ClassVar[tuple[str, ...]] = (REGULATOR,)

    subject: Did
    controller: Did
    commitment: Digest
    fields: tuple[str, ...]
    reason: str
    at_ms: int

    def parties(self) -> tuple[str, ...]:
        """The subject and the controller."""
        return (self.subject, self.controller)


class GiveGrant(Message, frozen=True, kw_only=True):
    """Give leave to read data: as their subject (legal basis consent), or as their controller.

    `uses_max`: null for any number. `since_ms`: null for now. `record`: the vault's commitment to
    the consent record. `document`: digest of the ground, where it is not consent.
    """

    COST: ClassVar[int] = 2

    subject: Did
    controller: Did
    receiver: Did
    purpose: Reason
    legal_basis: LegalBasis
    fields: Fields
    uses_max: Uses | None = None
    since_ms: TimeMs | None = None
    until_ms: TimeMs
    record: Commitment = ""
    document: DocumentDigest = ""


class WithdrawGrant(Message, frozen=True, kw_only=True):
    """Withdraw a grant at once. `record`: commitment to the consent record that says so."""

    grant: Name
    reason: Reason
    record: Commitment = ""


class DeclareHolding(Message, frozen=True, kw_only=True):
    """Say by a commitment what the sender's member holds about a subject; a newer one replaces."""

    subject: Did
    field: Name
    commitment: Digest


class DeclareErasure(Message, frozen=True, kw_only=True):
    """Say that the key of a content was destroyed; it is handed out no more."""

    subject: Did
    commitment: Digest
    reason: Reason


class RecordAccess(Message, frozen=True, kw_only=True):
    """Take up a grant, as its receiver: recorded first, then the content is handed out, sealed.

    `seal_key`: public key made for this access; who holds its private part can open the content.
    """

    COST: ClassVar[int] = 2

    grant: Name
    purpose: Reason
    fields: Fields
    seal_alg: SealAlg
    seal_key: SealKey


class ReceiveContent(Message, frozen=True, kw_only=True):
    """Sign for what an access opened. `package`: SHA-256 of the sealed bytes, base64url."""

    subject: Did
    number: Annotated[int, Meta(ge=1, le=999_999_999, description="number of the access")]
    package: Digest


class BreakGlass(Message, frozen=True, kw_only=True):
    """Read data without a grant in an emergency. Everybody hears of it, and it is reviewed.

    `document`: digest of what shows the emergency, or "".
    """

    COST: ClassVar[int] = 5

    subject: Did
    controller: Did
    fields: Fields
    reason: Reason
    document: DocumentDigest = ""
    seal_alg: SealAlg
    seal_key: SealKey


class ReviewBreakGlass(Message, frozen=True, kw_only=True):
    """Judge a break-glass, as a regulator. `findings`: digest of the report off chain, or ""."""

    emergency: Name
    verdict: Literal["justified", "unjustified"]
    findings: DocumentDigest = ""


class ExpireGrant(Message, frozen=True, kw_only=True):
    """The end of a grant's time."""

    INTERNAL: ClassVar[bool] = True

    grant: str


class MarkOverdue(Message, frozen=True, kw_only=True):
    """The end of the time for a review."""

    INTERNAL: ClassVar[bool] = True

    emergency: str


def compute_head(head: str, access: Access) -> str:
    """The head of a log after one more access: base64url SHA-256 over head ("" at first), a line
    feed, and the SHA-256 of the access as it stands in state.

    Whoever has all accesses of a subject in order comes to the head of its log; who lacks one, or
    has one too many, does not.
    """
    return encode_base64url(sha256(head.encode() + b"\n" + sha256(encode_canonical(access))))


def is_open(grant: DataGrant, time_ms: int) -> bool:
    """Whether content that was recorded under the grant may still leave: its last use too."""
    return grant.state in ("live", "used_up") and grant.since_ms <= time_ms < grant.until_ms

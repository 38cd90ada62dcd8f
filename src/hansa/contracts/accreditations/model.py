"""What the contract `accreditations` speaks of: records, messages and events. Pure.

R1  A root is authorised by governance alone; any other link by the subject of a link that may
    accredit (root or accredit) and is in force.
R2  A child never exceeds its parent: the same framework, each of its schemas in each of its
    jurisdictions within the parent's, its time within the parent's. Only roots have the schema "*".
R3  A chain has at most DEPTH_MAX links.
R4  Standing goes active -> suspended -> active, and to revoked from either; revoked is final. What
    stood stays, as intervals in block time, from the next millisecond on.
R5  Who stands above a link in its chain, in force, or governance changes its standing; a subject
    gives its own back. A suspension is lifted by who placed it, or stands above that one.
R6  A link counts as at a time only when it and every link above it were in force then: what is
    below is never rewritten (`identity.accreditation`).
R7  What one jurisdiction recognises of another's is decided by governance, schema by schema; it
    counts for nothing else, and for nobody's recognition of it in turn.
R8  A subject is an account of the league; at most LINKS_MAX links are found under it, all that may
    still count: what has ended, or was given back, makes room.
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from hansa.contracts.fields import DocumentDigest, Reason
from hansa.identity.links import (
    Assurance,
    Level,
    SchemaPair,
    Scope,
    Standing,
    StandingFrom,
)
from hansa.ledger.model import Event, Message, Record, Visibility
from hansa.primitives.values import Did, Jurisdiction, Name, TimeMs

# A scope is compared pair by pair: 4 x 32 x 8 pairs cost a millisecond.
SCOPES_MAX = 4
# Of one subject: bounds what a question without a link's name must read.
LINKS_MAX = 64
# Of one relying jurisdiction, ended ones too.
RECOGNITIONS_MAX = 128
PAIRS_MAX = 64
# Suspensions and their ends of one link; it can always be revoked.
STANDINGS_MAX = 64

Scopes = Annotated[
    tuple[Scope, ...],
    Meta(min_length=1, max_length=SCOPES_MAX, description="what it covers: schemas, jurisdictions"),
]
SchemaPairs = Annotated[
    tuple[SchemaPair, ...],
    Meta(min_length=1, max_length=PAIRS_MAX, description="what counts as what"),
]
Framework = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9._-]*$(?!\n)",
        max_length=64,
        description="trust framework: a-z 0-9 . _ -",
    ),
]


class Accreditation(Record, frozen=True, kw_only=True):
    """A link of the chain: what `subject` may do (level), for what (scope), from when to when.

    `parent`: the link by which `accreditor` gave it; "" and "governance" of a root. `basis`: code
    of its legal basis, `document`: digest of the act. Times: block time in ms.
    """

    KIND: ClassVar[str] = "accreditation"
    VISIBILITY: ClassVar[Visibility] = "public"
    ABSENCE: ClassVar[Visibility] = "public"

    id: Name
    framework: str
    level: Level
    parent: str
    accreditor: str
    subject: str
    scope: tuple[Scope, ...]
    since_ms: int
    until_ms: int | None
    basis: str
    document: str
    standing: tuple[StandingFrom, ...]


class SubjectLink(Record, frozen=True, kw_only=True):
    """Which links a subject has; those that are over for good only as long as there is room."""

    KIND: ClassVar[str] = "subject_link"
    KEY: ClassVar[tuple[str, ...]] = ("subject", "link")
    VISIBILITY: ClassVar[Visibility] = "public"
    ABSENCE: ClassVar[Visibility] = "public"

    subject: Did
    link: Name


class Recognition(Record, frozen=True, kw_only=True):
    """In `relying`, what `framework` attests in `source` counts as `counts_as`, schema by schema.

    `level`: assurance with which it counts.
    """

    KIND: ClassVar[str] = "recognition"
    KEY: ClassVar[tuple[str, ...]] = ("relying", "id")
    VISIBILITY: ClassVar[Visibility] = "public"
    ABSENCE: ClassVar[Visibility] = "public"

    id: Name
    source: Jurisdiction
    relying: Jurisdiction
    framework: str
    counts_as: str
    schemas: tuple[SchemaPair, ...]
    level: Assurance
    since_ms: int
    until_ms: int | None
    basis: str
    document: str
    standing: tuple[StandingFrom, ...]


class AuthoriseRoot(Message, frozen=True, kw_only=True):
    """Make a member or account a root authority of a trust framework.

    `scope`: a schema may be "*", every schema. `since_ms`: null for at once; `until_ms`: null for
    no end. `basis`: code of the law or treaty; `document`: its digest.
    """

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    framework: Framework
    subject: Did
    scope: Scopes
    since_ms: TimeMs | None = None
    until_ms: TimeMs | None = None
    basis: Reason
    document: DocumentDigest = ""


class _Child(Message, frozen=True, kw_only=True):
    COST: ClassVar[int] = 4

    parent: Name
    subject: Did
    scope: Scopes
    since_ms: TimeMs | None = None
    until_ms: TimeMs | None = None
    basis: Reason
    document: DocumentDigest = ""


class Accredit(_Child, frozen=True, kw_only=True):
    """Accredit a body that may accredit others in turn, within a link of the sender's own.

    `parent`: the sender's own link. `since_ms`: null for at once; `until_ms`: no later than the
    parent's.
    """


class Attest(_Child, frozen=True, kw_only=True):
    """Accredit an issuer of credentials, within a link of the sender's own.

    `parent`: the sender's own link. `since_ms`: null for at once; `until_ms`: no later than the
    parent's.
    """


class SuspendAccreditation(Message, frozen=True, kw_only=True):
    """Suspend a link, and with it all below, until it is reinstated."""

    GOVERNED: ClassVar[bool] = True
    COST: ClassVar[int] = 2

    accreditation: Name
    reason: Reason


class ReinstateAccreditation(Message, frozen=True, kw_only=True):
    """Lift a suspension that the sender placed, or somebody below it in the chain."""

    GOVERNED: ClassVar[bool] = True
    COST: ClassVar[int] = 2

    accreditation: Name
    reason: Reason


class RevokeAccreditation(Message, frozen=True, kw_only=True):
    """End a link, and with it all below, for ever; or give one's own back."""

    GOVERNED: ClassVar[bool] = True
    COST: ClassVar[int] = 2

    accreditation: Name
    reason: Reason


class RecogniseFramework(Message, frozen=True, kw_only=True):
    """Let what a framework attests in one jurisdiction count in another.

    `schemas`: source and target by pairs; nothing else counts. `level`: low, substantial or high.
    """

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    source: Jurisdiction
    relying: Jurisdiction
    framework: Framework
    counts_as: Framework
    schemas: SchemaPairs
    level: Assurance
    since_ms: TimeMs | None = None
    until_ms: TimeMs | None = None
    basis: Reason
    document: DocumentDigest = ""


class _OfRecognition(Message, frozen=True, kw_only=True):
    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    relying: Jurisdiction
    recognition: Name
    reason: Reason


class SuspendRecognition(_OfRecognition, frozen=True, kw_only=True):
    """Suspend a recognition until it is reinstated."""


class ReinstateRecognition(_OfRecognition, frozen=True, kw_only=True):
    """Lift the suspension of a recognition."""


class RevokeRecognition(_OfRecognition, frozen=True, kw_only=True):
    """End a recognition for ever."""


class Accredited(Event, frozen=True, kw_only=True):
    """A link was added to the chain; it covers `scope` from `since_ms` to `until_ms`."""

    VISIBILITY: ClassVar[Visibility] = "public"

    accreditation: str
    framework: str
    level: Level
    parent: str
    accreditor: str
    subject: str
    scope: tuple[Scope, ...]
    since_ms: int
    until_ms: int | None
    basis: str


class AccreditationStandingChanged(Event, frozen=True, kw_only=True):
    """A link has this standing from `since_ms` on; `by`: in whose name."""

    VISIBILITY: ClassVar[Visibility] = "public"

    accreditation: str
    subject: str
    standing: Standing
    since_ms: int
    by: str
    reason: str


class Recognised(Event, frozen=True, kw_only=True):
    """What a framework attests in `source` counts in `relying`."""

    VISIBILITY: ClassVar[Visibility] = "public"

    recognition: str
    source: str
    relying: str
    framework: str
    counts_as: str
    schemas: tuple[SchemaPair, ...]
    level: Assurance
    since_ms: int
    until_ms: int | None
    basis: str


class RecognitionStandingChanged(Event, frozen=True, kw_only=True):
    """A recognition has this standing from `since_ms` on."""

    VISIBILITY: ClassVar[Visibility] = "public"

    recognition: str
    relying: str
    standing: Standing
    since_ms: int
    reason: str

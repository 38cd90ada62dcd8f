"""What the contract `evidence` speaks of: messages, events, rejections and its records. Pure.

E1  Evidence is 32 bytes and never changes: a salted commitment to one document, the root of a tree
    of up to 10,000 items, or the plain digest of a document that is public anyway.
E2  It stands under its owner, the account that created it, and a name: a key of the owner's own,
    or else the value itself; a name is used once.
E3  Anybody may sign it, each for itself, once; whoever signs names the value that it signs.
E4  A signature is revoked by its signer alone, and by it taken up again; each time it stood is on
    record, in block time; what is revoked does not stand from that block time on.
E5  Entries of its log are codes and commitments, numbered in order, added only by those whose
    signature stands; nothing of a log is changed or removed. Others fill at most half of it, as of
    the time-stamps: nobody crowds the owner out.
E6  Time-stamp tokens (RFC 3161) are attached by those whose signature stands: their digest, and
    where it is small the token itself, which must have that digest. Verifiers judge tokens, not
    the ledger.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from hansa.contracts.fields import Reason
from hansa.ledger.model import Event, Message, Record, Visibility
from hansa.ledger.rejections import Rejection
from hansa.primitives.values import Did, Digest, Name

# A morning's documents of an archive under one root: a proof of one has 14 hashes.
ITEMS_MAX = 10_000
# More than any file's life; a number of a log's entry has LOG_DIGITS digits.
LOG_MAX = 9_999
LOG_DIGITS = 4
# Renewals of a time-stamp for a century of archiving.
TOKENS_MAX = 32
# A token with its certificates has 2 to 6 kB.
TOKEN_BYTES_MAX = 8_192
# A signature that was revoked and taken up again more often says nothing any more.
STANDS_MAX = 32

Form = Literal["commitment", "root", "digest"]
OwnName = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z0-9._:~#+-]{1,128})?$(?!\n)",
        description='the owner\'s own name for it, nothing personal, or "": the value itself',
    ),
]
MaybeCommitment = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z0-9_-]{43})?$(?!\n)",
        description='32 bytes in base64url: a salted commitment, or ""',
    ),
]
TokenText = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]*$(?!\n)",
        max_length=(TOKEN_BYTES_MAX * 4 + 2) // 3,
        description='a time-stamp token (RFC 3161) in base64url, or ""',
    ),
]


class Stand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time for which a signature stood, since <= block time < until in ms (None: it stands)."""

    since_ms: int
    until_ms: int | None = None
    reason: str = ""


class Evidence(Record, frozen=True, kw_only=True):
    """32 bytes that were there at block time `since_ms`; what they are of is off chain.

    `items`: leaves of the tree by its maker's word (1 when it is no root). `log`, `tokens`: how
    many there are.
    """

    KIND: ClassVar[str] = "evidence"
    KEY: ClassVar[tuple[str, ...]] = ("owner", "id")
    VISIBILITY: ClassVar[Visibility] = "league"
    ABSENCE: ClassVar[Visibility] = "league"

    owner: Did
    id: Name
    form: Form
    value: Digest
    items: int
    since_ms: int
    log: int = 0
    tokens: int = 0


class EvidenceSignature(Record, frozen=True, kw_only=True):
    """An account's signature on evidence, and the times for which it stood."""

    KIND: ClassVar[str] = "signature"
    KEY: ClassVar[tuple[str, ...]] = ("owner", "id", "signer")
    VISIBILITY: ClassVar[Visibility] = "league"
    ABSENCE: ClassVar[Visibility] = "league"

    owner: Did
    id: Name
    signer: Did
    stands: tuple[Stand, ...]


class LogEntry(Record, frozen=True, kw_only=True):
    """One entry of the log of a piece of evidence."""

    KIND: ClassVar[str] = "log_entry"
    KEY: ClassVar[tuple[str, ...]] = ("owner", "id", "number")
    KEY_DIGITS: ClassVar[Mapping[str, int]] = MappingProxyType({"number": LOG_DIGITS})
    VISIBILITY: ClassVar[Visibility] = "league"

    owner: Did
    id: Name
    number: int
    by: str
    at_ms: int
    code: str
    commitment: str


class TimeStamp(Record, frozen=True, kw_only=True):
    """A time-stamp token of evidence: SHA-256 of its bytes, and the token unless left off chain."""

    KIND: ClassVar[str] = "time_stamp"
    KEY: ClassVar[tuple[str, ...]] = ("owner", "id", "digest")
    VISIBILITY: ClassVar[Visibility] = "league"

    owner: Did
    id: Name
    digest: Digest
    by: str
    at_ms: int
    token: str


class CreateEvidence(Message, frozen=True, kw_only=True):
    """Put a commitment, or the root of many, on record; the sender is owner and first signer.

    `value`: a salted commitment or a root of commitments, so that nobody can guess the document;
    form `digest` is for documents that are public. `hansa evidence add` makes them from files.
    """

    id: OwnName = ""
    form: Form
    value: Digest
    items: Annotated[int, Meta(ge=1, le=ITEMS_MAX, description="items under the root, else 1")] = 1


class SignEvidence(Message, frozen=True, kw_only=True):
    """Add the sender's signature to evidence of any owner. `value`: what the sender signs."""

    owner: Did
    id: Name
    value: Digest


class AddLog(Message, frozen=True, kw_only=True):
    """Add an entry to the log of evidence that the sender signed: what happened, as a code."""

    owner: Did
    id: Name
    code: Reason
    commitment: MaybeCommitment = ""


class AttachToken(Message, frozen=True, kw_only=True):
    """Attach a time-stamp token (RFC 3161) to evidence that the sender signed.

    `digest`: SHA-256 of the token's bytes. `token`: the bytes, or "" to keep them off chain.
    """

    owner: Did
    id: Name
    digest: Digest
    token: TokenText = ""


class RevokeEvidence(Message, frozen=True, kw_only=True):
    """Revoke the sender's own signature on evidence, from this block time on."""

    owner: Did
    id: Name
    reason: Reason


class UnrevokeEvidence(Message, frozen=True, kw_only=True):
    """Take up again the sender's own signature that it revoked."""

    owner: Did
    id: Name


class _EvidenceEvent(Event, frozen=True, kw_only=True):
    VISIBILITY: ClassVar[Visibility] = "league"

    owner: str
    id: str


class EvidenceCreated(_EvidenceEvent, frozen=True, kw_only=True):
    """Evidence is on record."""

    form: Form
    value: str
    items: int


class EvidenceSigned(_EvidenceEvent, frozen=True, kw_only=True):
    """An account signed evidence, or took its signature up again (`again`)."""

    signer: str
    again: bool


class EvidenceRevoked(_EvidenceEvent, frozen=True, kw_only=True):
    """An account's signature on evidence does not stand from block time `until_ms` on."""

    signer: str
    until_ms: int
    reason: str


class LogAdded(_EvidenceEvent, frozen=True, kw_only=True):
    """The log of evidence has a new entry."""

    number: int
    by: str
    code: str


class TokenAttached(_EvidenceEvent, frozen=True, kw_only=True):
    """Evidence has a new time-stamp token."""

    digest: str
    by: str


class EvidenceRejection(Rejection):
    """Refusals of the contract `evidence`."""

    CODESPACE = "evidence"


class NotARoot(EvidenceRejection):
    """Only a root has several items."""

    CODE = "not_a_root"
    RULE = "E1"
    TEXT = "A {form} is of one item, not of {items}."
    REMEDY = "Give the form root for several items under one Merkle root, else leave items out."


class AlreadyThere(EvidenceRejection):
    """The owner used the name before."""

    CODE = "already_there"
    RULE = "E2"
    TEXT = "The sender has evidence {id} already, since {since_ms}."
    REMEDY = "Nothing needs to be done when the value is the same; else choose another id."


class NoSuchEvidence(EvidenceRejection):
    """There is no such evidence."""

    CODE = "no_such_evidence"
    RULE = "E2"
    TEXT = "{owner} has no evidence {id}."
    REMEDY = "Give the owner's DID and the id, as the evidence file or the receipt names them."


class OtherValue(EvidenceRejection):
    """The evidence has another value than the one to be signed."""

    CODE = "other_value"
    RULE = "E3"
    TEXT = "The evidence {id} has the value {value}, not the one that would be signed."
    REMEDY = "See that the document is the right one, and sign the value that it was committed to."


class AlreadySigned(EvidenceRejection):
    """The sender signed it before."""

    CODE = "already_signed"
    RULE = "E3"
    TEXT = "{signer} signed the evidence {id} before."
    REMEDY = "Nothing needs to be done; a revoked signature is taken up by UnrevokeEvidence."


class NotASigner(EvidenceRejection):
    """The sender did not sign it."""

    CODE = "not_a_signer"
    RULE = "E4"
    TEXT = "{signer} did not sign the evidence {id}."
    REMEDY = "Sign it first; another's signature is revoked by that signer alone."


class NotStanding(EvidenceRejection):
    """The sender's signature is revoked."""

    CODE = "not_standing"
    RULE = "E4"
    TEXT = "The signature of {signer} on the evidence {id} is revoked."
    REMEDY = "Take it up again by UnrevokeEvidence, if it is right."


class NotRevoked(EvidenceRejection):
    """The signature stands."""

    CODE = "not_revoked"
    RULE = "E4"
    TEXT = "The signature of {signer} on the evidence {id} stands."
    REMEDY = "Nothing needs to be done."


class RevokedTooOften(EvidenceRejection):
    """It was revoked and taken up as often as is kept on record."""

    CODE = "revoked_too_often"
    RULE = "E4"
    TEXT = "The signature was taken up {limit} times; it stays revoked."
    REMEDY = "Create new evidence."


class LogFull(EvidenceRejection):
    """The log has as many entries as it may."""

    CODE = "log_full"
    RULE = "E5"
    TEXT = "The log of the evidence has {limit} entries."
    REMEDY = "Create new evidence that continues it, and refer to it."


class TooManyTokens(EvidenceRejection):
    """As many tokens as may be attached."""

    CODE = "too_many_tokens"
    RULE = "E6"
    TEXT = "{limit} tokens are attached already."
    REMEDY = "Keep further tokens in the evidence file."


class AlreadyAttached(EvidenceRejection):
    """The token is attached."""

    CODE = "already_attached"
    RULE = "E6"
    TEXT = "The token {digest} is attached already."
    REMEDY = "Nothing needs to be done."


class WrongToken(EvidenceRejection):
    """The token's bytes are not those of the digest."""

    CODE = "wrong_token"
    RULE = "E6"
    TEXT = "The token's bytes do not have the digest {digest}."
    REMEDY = "Give base64url of the token and of its SHA-256, or leave the token out."

"""Messages, events and rejections of what a DID says beyond its keys, and of recovery. Pure.

Rules A10 to A12: `model`. Records: `profile`.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from hansa.contracts.accounts.model import AccountsRejection
from hansa.contracts.accounts.profile import (
    AgreementAlg,
    Endpoint,
    EntryId,
    ServiceType,
    Thumbprint,
)
from hansa.contracts.fields import KeyId, SignatureText
from hansa.crypto.signatures import PublicKey
from hansa.ledger.model import Event, Message, Visibility
from hansa.primitives.values import Did

ThumbprintOrNone = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z0-9_-]{43})?$(?!\n)",
        description='RFC 7638 thumbprint of a key, or ""',
    ),
]
RawKeyText = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{43}([A-Za-z0-9_-]{43})?$(?!\n)",
        description="raw public key in base64url: 32 bytes, or 64 for SM2",
    ),
]
Outcome = Literal["completed", "vetoed", "lapsed", "refused", "superseded", "closed"]


class CommitNextKey(Message, frozen=True, kw_only=True):
    """Promise which key comes next: until it enters (UseNextKey), no other key does.

    Whoever steals the keys of today cannot then put in one of its own. `next_key`: thumbprint of a
    key kept apart, off line. For the account itself.
    """

    account: Did
    next_key: Thumbprint


class UseNextKey(Message, frozen=True, kw_only=True):
    """Let the promised key enter: all other signing keys of the account end.

    `next_key`: thumbprint of the key after that, or "" for no promise. `possession`: the key's own
    signature of what `compute_next_key_statement` gives. Anybody may send it: the key speaks.
    """

    COST: ClassVar[int] = 3

    account: Did
    key_id: KeyId
    key: PublicKey
    next_key: ThumbprintOrNone = ""
    possession: SignatureText


class SetService(Message, frozen=True, kw_only=True):
    """Say, or say anew, where the subject of the DID can be reached; not for citizens."""

    account: Did
    id: EntryId
    type: ServiceType
    endpoint: Endpoint


class RemoveService(Message, frozen=True, kw_only=True):
    """Take a service out of the DID document."""

    account: Did
    id: EntryId


class SetAgreementKey(Message, frozen=True, kw_only=True):
    """Publish, or replace, a key to which others seal content for the account."""

    account: Did
    id: EntryId
    alg: AgreementAlg
    public: RawKeyText


class RemoveAgreementKey(Message, frozen=True, kw_only=True):
    """Take a key-agreement key out of the DID document."""

    account: Did
    id: EntryId


class SetRecovery(Message, frozen=True, kw_only=True):
    """Name the accounts that together may give the account a new key; none takes the plan back.

    What waits under the old plan ends. For the account itself.
    """

    COST: ClassVar[int] = 2

    account: Did
    agents: Annotated[tuple[Did, ...], Meta(max_length=16)]
    threshold: Annotated[int, Meta(ge=0, le=16)]


class ApproveRecovery(Message, frozen=True, kw_only=True):
    """As a recovery agent, approve a new key for an account whose keys are lost.

    The first approval opens the recovery, the one that reaches the threshold starts the delay in
    which the account can veto. An agent stands behind one key at a time. `possession`: as for
    AddKey.
    """

    COST: ClassVar[int] = 3

    account: Did
    key_id: KeyId
    key: PublicKey
    possession: SignatureText


class VetoRecovery(Message, frozen=True, kw_only=True):
    """End all recoveries of the account that wait; for the account itself, by a live key."""

    account: Did


class CompleteRecovery(Message, frozen=True, kw_only=True):
    """The deadline at which an agreed recovery takes effect."""

    INTERNAL: ClassVar[bool] = True

    account: Did
    mark: str


class LapseRecovery(Message, frozen=True, kw_only=True):
    """The deadline by which a recovery must be agreed."""

    INTERNAL: ClassVar[bool] = True

    account: Did
    mark: str


class DidVersionBegun(Event, frozen=True, kw_only=True):
    """What the account's DID document says changes from height `since` on."""

    VISIBILITY: ClassVar[Visibility] = "league"

    account: str
    version: int
    since: int
    by: str


class NextKeySet(Event, frozen=True, kw_only=True):
    """The account promised its next key ("": no promise stands any more)."""

    VISIBILITY: ClassVar[Visibility] = "league"

    account: str
    next_key: str
    by: str


class _RecoveryEvent(Event, frozen=True, kw_only=True):
    VISIBILITY: ClassVar[Visibility] = "parties"

    account: str
    member: str
    agents: tuple[str, ...]

    def parties(self) -> tuple[str, ...]:
        """The account, its member and the agents."""
        return (self.account, self.member, *self.agents)


class RecoveryPlanned(_RecoveryEvent, frozen=True, kw_only=True):
    """The account named its recovery agents (none: it has no plan any more)."""

    threshold: int


class RecoveryApproved(_RecoveryEvent, frozen=True, kw_only=True):
    """An agent approved a key; `due_ms`: when it lapses (open) or takes effect (agreed)."""

    mark: str
    agent: str
    approvals: int
    state: str
    due_ms: int


class RecoveryEnded(_RecoveryEvent, frozen=True, kw_only=True):
    """A recovery is over."""

    mark: str
    outcome: Outcome
    by: str


class OnlyItself(AccountsRejection):
    """Not even an administrator may do this for another account."""

    CODE = "only_itself"
    RULE = "A10"
    TEXT = "Only {account} itself may do this."
    REMEDY = "Sign with a key of that account."


class NextKeyOnly(AccountsRejection):
    """A promise about the next key stands."""

    CODE = "next_key_only"
    RULE = "A10"
    TEXT = "The account {account} has promised its next key; until it enters, this must wait."
    REMEDY = "Let the promised key enter (UseNextKey), without a further promise; then try again."


class WrongNextKey(AccountsRejection):
    """Not the promised key."""

    CODE = "wrong_next_key"
    RULE = "A10"
    TEXT = "The key is not the one that {account} has promised."
    REMEDY = "Use the key whose thumbprint the account's profile shows; without a promise, AddKey."


class NotForService(AccountsRejection):
    """A service account has administrators instead."""

    CODE = "not_for_service"
    RULE = "A10"
    TEXT = "The service account {account} neither promises keys nor is recovered."
    REMEDY = "An administrator of its member changes its keys."


class WrongPlan(AccountsRejection):
    """A recovery plan that cannot work."""

    CODE = "wrong_plan"
    RULE = "A11"
    TEXT = "The recovery plan does not hold: {problem}."
    REMEDY = "Name open accounts of others, each once and in order, and how many of them suffice."


class NotAnAgent(AccountsRejection):
    """No recovery agent of the account."""

    CODE = "not_an_agent"
    RULE = "A11"
    TEXT = "The sender is no recovery agent of {account}."
    REMEDY = "Sign as one of the agents whom the account has named."


class AlreadyApproved(AccountsRejection):
    """The agent has said so, or stands behind a key that is agreed."""

    CODE = "already_approved"
    RULE = "A11"
    TEXT = "The sender has already approved a key of {account}."
    REMEDY = "Nothing needs to be sent again; what is agreed can only be vetoed by the account."


class NoRecovery(AccountsRejection):
    """Nothing to veto."""

    CODE = "no_recovery"
    RULE = "A11"
    TEXT = "No recovery of {account} waits."
    REMEDY = "Nothing needs to be done; revoke a key that others may have instead."


class NotForCitizen(AccountsRejection):
    """A person's DID says nothing of the person."""

    CODE = "not_for_citizen"
    RULE = "A12"
    TEXT = "{account} is a citizen's: an address in its DID document would say who that is."
    REMEDY = "Give the address to those who need it, off the ledger."


class WrongAgreementKey(AccountsRejection):
    """A key to which nobody should seal."""

    CODE = "wrong_agreement_key"
    RULE = "A12"
    TEXT = "The key-agreement key cannot be used: {problem}."
    REMEDY = "Make a new key pair with a Hansa client."


class TooManyEntries(AccountsRejection):
    """As many services or agreement keys as there may be."""

    CODE = "too_many_entries"
    RULE = "A12"
    TEXT = "The account {account} would have more than {limit} of these."
    REMEDY = "Remove one that is not used."


class NoSuchEntry(AccountsRejection):
    """No service or agreement key of that name."""

    CODE = "no_such_entry"
    RULE = "A12"
    TEXT = "The DID document of {account} has no entry {id}."
    REMEDY = "See the account's profile for the names."

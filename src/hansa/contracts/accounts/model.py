"""What the contract `accounts` speaks of: messages, events, rejections and its own record. Pure.

A1  An account's DID derives from its inception key and is used once, also after closing.
A2  A key enters only with a signature of itself (possession) and if its suite allows it (D2).
A3  Neither a key nor its name is used twice in an account.
A4  Purposes fit: `sign` alone acts on the ledger for all; `service` only for named applications,
    never for system contracts; `assert` issues credentials and acts on no ledger; what signs or
    asserts has no end set in advance.
A5  Only the account itself or an administrator of its member changes it; governance acts only on a
    member's first account.
A6  At most KEYS_LIVE_MAX keys are live; ended ones are kept or filed, never forgotten.
A7  An open account keeps a key with which it can act.
A8  Closed is final; standings follow each other in order of height.
A9  A member's first account stays open, in good standing, and its administrator.
A10 While an account has promised its next key, only that key enters, by its own signature, and
    no other to which content is sealed is published; until then the account neither changes its
    recovery plan nor closes itself. Recovery, and governance for a member's first account, set the
    promise aside.
A11 An account may name agents; enough of them, within a time, agree on a new key, which enters
    after a delay unless a live key of the account vetoes; then all its other keys end. Nobody is
    recovered who could not veto: suspended or frozen.
A12 Each change of what a DID document says begins a version, numbered, with height and block time;
    earlier ones are filed. Services and agreement keys are bounded and each name stands once; a
    citizen's document names no service.
"""

from typing import ClassVar, Literal

from hansa.contracts.fields import KeyId, Reason, SignatureText
from hansa.crypto.signatures import PublicKey
from hansa.ledger.model import Event, Message, Record, Visibility
from hansa.ledger.rejections import Rejection
from hansa.ledger.system import Key, Purpose, Standing
from hansa.primitives.values import Did, Height, Name


class RetiredKey(Record, frozen=True, kw_only=True):
    """An ended key that the account no longer lists: `mark` is its id or the digest of its JWK."""

    KIND: ClassVar[str] = "retired_key"
    KEY: ClassVar[tuple[str, ...]] = ("account", "mark")
    VISIBILITY: ClassVar[Visibility] = "league"

    account: Did
    mark: str
    retired: Key


class OpenAccount(Message, frozen=True, kw_only=True):
    """Open an account of the sender's member: for staff or a service, or a citizen it sponsors.

    The DID derives from `key`. `possession` is the key's own signature of the statement that
    `compute_possession_statement` gives. For an administrator, or a registrar for citizens.
    """

    COST: ClassVar[int] = 5

    kind: Literal["staff", "citizen", "service"]
    admin: bool = False
    key_id: KeyId
    key: PublicKey
    purposes: tuple[Purpose, ...]
    scope: tuple[Name, ...] = ()
    possession: SignatureText


class OpenMemberAccount(Message, frozen=True, kw_only=True):
    """Open a new member's first account; sent by the contract `members` when it admits one."""

    INTERNAL: ClassVar[bool] = True

    key_id: KeyId
    key: PublicKey
    possession: SignatureText


class AddKey(Message, frozen=True, kw_only=True):
    """Give an account one more key, valid from the next height.

    `until`: height at which it ends, for keys that do not sign; null for no end.
    """

    COST: ClassVar[int] = 3
    GOVERNED: ClassVar[bool] = True

    account: Did
    key_id: KeyId
    key: PublicKey
    purposes: tuple[Purpose, ...]
    scope: tuple[Name, ...] = ()
    until: Height | None = None
    possession: SignatureText


class ReplaceKey(Message, frozen=True, kw_only=True):
    """Rotate: a new key takes the place and purposes of an old one at the next height."""

    COST: ClassVar[int] = 3
    GOVERNED: ClassVar[bool] = True

    account: Did
    old_key_id: KeyId
    key_id: KeyId
    key: PublicKey
    possession: SignatureText
    reason: Reason


class RevokeKey(Message, frozen=True, kw_only=True):
    """End a key at the next height; a lost or stolen one by another key or an administrator."""

    GOVERNED: ClassVar[bool] = True

    account: Did
    key_id: KeyId
    reason: Reason


class CloseAccount(Message, frozen=True, kw_only=True):
    """Close an account for good; its keys end at the next height."""

    account: Did
    reason: Reason


class SuspendAccount(Message, frozen=True, kw_only=True):
    """Suspend an account of the sender's member from the next height."""

    account: Did
    reason: Reason


class ReinstateAccount(Message, frozen=True, kw_only=True):
    """Lift the suspension of an account of the sender's member."""

    account: Did
    reason: Reason


class SetAdministrator(Message, frozen=True, kw_only=True):
    """Make a staff account an administrator of its member, or no longer."""

    account: Did
    admin: bool


class _AccountEvent(Event, frozen=True, kw_only=True):
    VISIBILITY: ClassVar[Visibility] = "league"


class AccountOpened(_AccountEvent, frozen=True, kw_only=True):
    """An account was opened; `by` is the account that did it, or "governance"."""

    account: str
    member: str
    kind: str
    admin: bool
    key_id: str
    by: str


class KeyAdded(_AccountEvent, frozen=True, kw_only=True):
    """A key is valid from height `since` on."""

    account: str
    key_id: str
    purposes: tuple[str, ...]
    scope: tuple[str, ...]
    since: int
    until: int | None
    by: str


class KeyEnded(_AccountEvent, frozen=True, kw_only=True):
    """A key was revoked or replaced and is not valid from height `until` on."""

    account: str
    key_id: str
    until: int
    reason: str
    by: str


class AccountStandingChanged(_AccountEvent, frozen=True, kw_only=True):
    """An account has another standing from height `since` on."""

    account: str
    standing: Standing
    since: int
    reason: str
    by: str


class AdministratorChanged(_AccountEvent, frozen=True, kw_only=True):
    """A staff account became an administrator of its member, or is no longer."""

    account: str
    member: str
    admin: bool
    by: str


class AccountsRejection(Rejection):
    """Refusals of the contract `accounts`."""

    CODESPACE = "accounts"


class NotAdministrator(AccountsRejection):
    """Only an administrator of the member may do this."""

    CODE = "not_administrator"
    RULE = "A5"
    TEXT = "The sender is not an administrator of {member}."
    REMEDY = (
        "Ask an administrator of that member to send it, or to make the sender one"
        " (SetAdministrator); the first administrator is the account {member}."
    )


class NotAllowedToOpen(AccountsRejection):
    """Neither administrator nor registrar."""

    CODE = "not_allowed_to_open"
    RULE = "A5"
    TEXT = "The sender may not open a {kind} account for {member}."
    REMEDY = (
        "Ask an administrator of the member to open it; for citizens, an administrator can also"
        " grant the role accounts.registrar."
    )


class NotYourAccount(AccountsRejection):
    """Neither the account itself nor an administrator of its member."""

    CODE = "not_your_account"
    RULE = "A5"
    TEXT = "The sender is neither {account} nor an administrator of its member {member}."
    REMEDY = "Sign with a key of that account, or ask an administrator of {member}."


class NotForGovernance(AccountsRejection):
    """Governance reaches only first accounts of members."""

    CODE = "not_for_governance"
    RULE = "A5"
    TEXT = "{account} is not a member's first account; its keys belong to its member {member}."
    REMEDY = "Ask an administrator of {member}; governance may freeze the account instead."


class AccountExists(AccountsRejection):
    """The DID of that key is taken."""

    CODE = "account_exists"
    RULE = "A1"
    TEXT = "The key already opened the account {account}."
    REMEDY = "Make a new key: a DID is used once, also after its account is closed."


class WrongKey(AccountsRejection):
    """A public key that no account may use."""

    CODE = "wrong_key"
    RULE = "A2"
    TEXT = "The public key cannot be used: {problem}."
    REMEDY = "Make a new key with a Hansa client."


class WrongPossession(AccountsRejection):
    """The key did not sign the statement."""

    CODE = "wrong_possession"
    RULE = "A2"
    TEXT = "The key did not sign its statement for {account} on this chain."
    REMEDY = "Sign the possession statement with the new private key itself, for this chain."


class KeyUsedBefore(AccountsRejection):
    """A key or its name is used again."""

    CODE = "key_used_before"
    RULE = "A3"
    TEXT = "The account {account} has already had this key or the name {key_id}."
    REMEDY = "Make a new key and give it a new name."


class WrongPurposes(AccountsRejection):
    """Purposes, scope and end do not fit together."""

    CODE = "wrong_purposes"
    RULE = "A4"
    TEXT = "The key's purposes do not fit: {problem}."
    REMEDY = "Give a signing key no scope and no end; give a service key a scope of applications."


class TooManyKeys(AccountsRejection):
    """The account has as many keys as it may."""

    CODE = "too_many_keys"
    RULE = "A6"
    TEXT = "The account {account} would have more than {limit} keys."
    REMEDY = "Revoke keys that are not used; those ended in this block make room in the next."


class NoSuchKey(AccountsRejection):
    """No live key of that name."""

    CODE = "no_such_key"
    RULE = "A3"
    TEXT = "The account {account} has no live key {key_id}."
    REMEDY = "See the account's keys and their heights in its record."


class LastKey(AccountsRejection):
    """It is the last key with which the account can act."""

    CODE = "last_key"
    RULE = "A7"
    TEXT = "{key_id} is the last key with which {account} can act."
    REMEDY = "Replace it (ReplaceKey), or close the account."


class WrongStanding(AccountsRejection):
    """The account's standing does not allow this."""

    CODE = "wrong_standing"
    RULE = "A8"
    TEXT = "The account {account} is {standing}."
    REMEDY = "Closed is final: open another account. Reinstate a suspended account first."


class FirstAccount(AccountsRejection):
    """The member's first account stays."""

    CODE = "first_account"
    RULE = "A9"
    TEXT = "{account} is the first account of its member and stays its administrator."
    REMEDY = "Rotate its keys instead; governance can suspend or expel the member."


class NotStaff(AccountsRejection):
    """Only staff can be administrators."""

    CODE = "not_staff"
    RULE = "A9"
    TEXT = "A {kind} account cannot be an administrator."
    REMEDY = "Open a staff account for that person."

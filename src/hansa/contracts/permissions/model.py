"""What the contract `permissions` speaks of: messages, events, rejections and its own record. Pure.

P1  A role is granted only by those whom the application names in `Role.granted_by`: holders of
    another role (`app.role`), "governance", or "member_admin" (an administrator, to its own).
P2  A delegated grant stays within the granter's scope ("-" covers all) and ends no later.
P3  Only declared roles are granted, only to accounts and members that are not expelled or closed.
P4  A grant holds from its block time to its end; what was, stays on record (PastGrant).
P5  A grant is withdrawn by those who could grant it, or given back by its holder or its holder's
    administrator; what a granter lawfully granted stands when the granter's own role ends.
"""

from typing import ClassVar

from hansa.contracts.fields import Reason
from hansa.ledger.model import Event, Message, Record, Visibility
from hansa.ledger.rejections import Rejection
from hansa.primitives.values import Did, Name, TimeMs

ANY_SCOPE = "-"


class PastGrant(Record, frozen=True, kw_only=True):
    """An earlier interval of a grant that was given anew; since <= block time < until (ms)."""

    KIND: ClassVar[str] = "past_grant"
    KEY: ClassVar[tuple[str, ...]] = ("application", "role", "holder", "scope", "since_ms")
    VISIBILITY: ClassVar[Visibility] = "public"

    application: str
    role: str
    holder: Did
    scope: str
    since_ms: int
    until_ms: int
    granted_by: str


class GrantRole(Message, frozen=True, kw_only=True):
    """Grant a role of an application to an account or a member.

    `scope`: what it covers ("-": everything). `until_ms`: block time of its end, null for none.
    Granting again with a later end prolongs.
    """

    GOVERNED: ClassVar[bool] = True

    application: Name
    role: Name
    holder: Did
    scope: Name = ANY_SCOPE
    until_ms: TimeMs | None = None


class WithdrawRole(Message, frozen=True, kw_only=True):
    """Withdraw a role, or give back one's own, from the next block time on."""

    GOVERNED: ClassVar[bool] = True

    application: Name
    role: Name
    holder: Did
    scope: Name = ANY_SCOPE
    reason: Reason


class _RoleEvent(Event, frozen=True, kw_only=True):
    VISIBILITY: ClassVar[Visibility] = "public"

    application: str
    role: str
    holder: str
    scope: str


class RoleGranted(_RoleEvent, frozen=True, kw_only=True):
    """A role is held until block time `until_ms` (null: no end)."""

    since_ms: int
    until_ms: int | None
    by: str


class RoleWithdrawn(_RoleEvent, frozen=True, kw_only=True):
    """A role is not held from block time `until_ms` on."""

    until_ms: int
    reason: str
    by: str


class PermissionsRejection(Rejection):
    """Refusals of the contract `permissions`."""

    CODESPACE = "permissions"


class NoSuchRole(PermissionsRejection):
    """The application declares no such role."""

    CODE = "no_such_role"
    RULE = "P3"
    TEXT = "{application} has no role {role}."
    REMEDY = "See the roles on the application's reference page."


class WrongHolder(PermissionsRejection):
    """The holder is unknown or gone."""

    CODE = "wrong_holder"
    RULE = "P3"
    TEXT = "{holder} is not an account or member that can hold a role ({problem})."
    REMEDY = "Give the DID of an open account or of a member of this league."


class NotAllowedToGrant(PermissionsRejection):
    """The sender is not one of those who may grant the role."""

    CODE = "not_allowed_to_grant"
    RULE = "P1"
    TEXT = "The sender may neither grant nor withdraw {role} for {holder}."
    REMEDY = "Ask one of these: {grantors}."


class ScopeExceeded(PermissionsRejection):
    """The granter's own role does not cover the scope."""

    CODE = "scope_exceeded"
    RULE = "P2"
    TEXT = "The sender's own role covers {own}, not {scope}."
    REMEDY = "Grant within the own scope, or ask one who holds it for {scope}: {grantors}."


class EndExceeded(PermissionsRejection):
    """The grant would outlive the granter's own role."""

    CODE = "end_exceeded"
    RULE = "P2"
    TEXT = "The grant would outlive the sender's own role, which ends at {limit_ms}."
    REMEDY = "End the grant by {limit_ms} (ms), or have the own role prolonged first."


class EndPassed(PermissionsRejection):
    """The end is not after the block's time."""

    CODE = "end_passed"
    RULE = "P4"
    TEXT = "The end {until_ms} is not after the block's time {time_ms}."
    REMEDY = "Give a later end, or null for none."


class AlreadyGranted(PermissionsRejection):
    """The role is held at least as long."""

    CODE = "already_granted"
    RULE = "P4"
    TEXT = "{holder} holds {role} for this scope at least as long already."
    REMEDY = "Nothing needs to be done; to shorten it, withdraw it and grant it again."


class NotGranted(PermissionsRejection):
    """There is no live grant to withdraw."""

    CODE = "not_granted"
    RULE = "P4"
    TEXT = "{holder} does not hold {role} for the scope {scope}."
    REMEDY = "See the holder's grants; a withdrawn or ended one needs nothing."

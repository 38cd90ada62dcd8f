"""What the contract `members` speaks of: messages, events, rejections and its own records. Pure.

M1  A member's DID is that of its first account; both are made by one act.
M2  Identifiers hold (check digits) and belong to one member that is not expelled.
M3  Standing goes good -> suspended -> good, and to expelled from either; expelled is final.
M4  Standings are intervals of heights, in order, and none is ever changed afterwards.
M5  Admission, standing and legal attributes change by governance only; a member changes only the
    address of its public page.
M6  A member with an active validator stays in good standing.
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from hansa.contracts.fields import Address, KeyId, OrganisationName, Reason, SignatureText
from hansa.crypto.signatures import PublicKey
from hansa.ledger.model import Event, Message, Record, Visibility
from hansa.ledger.rejections import Rejection
from hansa.ledger.system import Identifier, Standing
from hansa.primitives.identifiers import is_canonical
from hansa.primitives.values import Did, Jurisdiction

# A company has one number in each register that knows it.
IDENTIFIERS_MAX = 8
Identifiers = Annotated[tuple[Identifier, ...], Meta(max_length=IDENTIFIERS_MAX)]


class IdentifierOwner(Record, frozen=True, kw_only=True):
    """Which member has an identifier (M2)."""

    KIND: ClassVar[str] = "identifier"
    KEY: ClassVar[tuple[str, ...]] = ("scheme", "value")
    VISIBILITY: ClassVar[Visibility] = "public"

    scheme: str
    value: str
    member: str

    @classmethod
    def is_key(cls, parts: tuple[str, ...]) -> bool:
        """An identifier that holds, in its one spelling."""
        return super().is_key(parts) and is_canonical(*parts)


class Contact(Record, frozen=True, kw_only=True):
    """Where the member's public page is; of the organisation, never of a person."""

    KIND: ClassVar[str] = "contact"
    KEY: ClassVar[tuple[str, ...]] = ("member",)
    VISIBILITY: ClassVar[Visibility] = "public"

    member: Did
    address: str


class AdmitMember(Message, frozen=True, kw_only=True):
    """Admit an organisation and open its first account with the key that it sent.

    The candidate makes the key and signs the possession statement; its DID derives from the key.
    """

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    name: OrganisationName
    jurisdiction: Jurisdiction
    identifiers: Identifiers = ()
    key_id: KeyId
    key: PublicKey
    possession: SignatureText


class AmendMember(Message, frozen=True, kw_only=True):
    """Change a member's name, jurisdiction and identifiers: all three are set anew."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    member: Did
    name: OrganisationName
    jurisdiction: Jurisdiction
    identifiers: Identifiers = ()


class SuspendMember(Message, frozen=True, kw_only=True):
    """Suspend a member: none of its accounts can sign from the next height."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    member: Did
    reason: Reason


class ReinstateMember(Message, frozen=True, kw_only=True):
    """Lift a member's suspension from the next height."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    member: Did
    reason: Reason


class ExpelMember(Message, frozen=True, kw_only=True):
    """Expel a member for good; its history stays provable."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    member: Did
    reason: Reason


class SetContact(Message, frozen=True, kw_only=True):
    """Say where the sender's organisation has its public page. For an administrator."""

    address: Address


class _MemberEvent(Event, frozen=True, kw_only=True):
    VISIBILITY: ClassVar[Visibility] = "public"


class MemberAdmitted(_MemberEvent, frozen=True, kw_only=True):
    """An organisation is a member from height `since` on."""

    member: str
    name: str
    jurisdiction: str
    since: int


class MemberAmended(_MemberEvent, frozen=True, kw_only=True):
    """A member's name, jurisdiction or identifiers changed."""

    member: str
    name: str
    jurisdiction: str


class MemberStandingChanged(_MemberEvent, frozen=True, kw_only=True):
    """A member has another standing from height `since` on."""

    member: str
    standing: Standing
    since: int
    reason: str


class ContactChanged(_MemberEvent, frozen=True, kw_only=True):
    """A member's public page is elsewhere."""

    member: str
    address: str


class MembersRejection(Rejection):
    """Refusals of the contract `members`."""

    CODESPACE = "members"


class AlreadyMember(MembersRejection):
    """The DID is a member's."""

    CODE = "already_member"
    RULE = "M1"
    TEXT = "{member} is a member already."
    REMEDY = "To come back after an expulsion, a candidate makes a new key."


class NoSuchMember(MembersRejection):
    """No member has this DID."""

    CODE = "no_such_member"
    RULE = "M1"
    TEXT = "{member} is not a member of this league."
    REMEDY = "See the members' list; admission is an action of governance (AdmitMember)."


class WrongIdentifier(MembersRejection):
    """An identifier that does not hold."""

    CODE = "wrong_identifier"
    RULE = "M2"
    TEXT = "{value} is not an identifier of the scheme {scheme} ({problem})."
    REMEDY = "Compare it with the organisation's certificate of registration."


class IdentifierTaken(MembersRejection):
    """Another member has the identifier."""

    CODE = "identifier_taken"
    RULE = "M2"
    TEXT = "{scheme} {value} belongs to {member}."
    REMEDY = "Find out who is right; governance can amend either member."


class WrongMemberStanding(MembersRejection):
    """The member's standing does not allow this."""

    CODE = "wrong_standing"
    RULE = "M3"
    TEXT = "{member} is {standing}."
    REMEDY = (
        "Only a good member can be suspended, only a suspended one reinstated; expelled is final."
    )


class ValidatorVotes(MembersRejection):
    """The member's validator votes on blocks."""

    CODE = "validator_votes"
    RULE = "M6"
    TEXT = "{member} has the active validator {validator}."
    REMEDY = (
        "Remove the validator first (validators RemoveValidator); one proposal can hold both, in"
        " that order."
    )

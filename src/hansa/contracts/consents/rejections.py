"""Refusals of the contract `consents`, each with its rule and a next step. Pure."""

from hansa.ledger.rejections import Rejection


class ConsentsRejection(Rejection):
    """Refusals of the contract `consents`."""

    CODESPACE = "consents"


class NoSuchParty(ConsentsRejection):
    """A party is not in this league."""

    CODE = "no_such_party"
    RULE = "C1"
    TEXT = "The {role} {did} is not in this league."
    REMEDY = "Subject and receiver are accounts, the controller is a member: look them up first."


class NotYoursToGive(ConsentsRejection):
    """Consent is the subject's to give, all else the controller's."""

    CODE = "not_yours_to_give"
    RULE = "C1"
    TEXT = "A grant on the basis {legal_basis} is signed by {giver}."
    REMEDY = (
        "Have {giver} sign it; for an organisation, its own account or one with the role"
        " consents.steward, which its administrators grant."
    )


class GroundMissing(ConsentsRejection):
    """The consent record or the ground is not named."""

    CODE = "ground_missing"
    RULE = "C1"
    TEXT = "A grant on the basis {legal_basis} needs the field {field}."
    REMEDY = (
        "Consent: the commitment to the consent record. Any other basis: the digest of the"
        " document that gives the right."
    )


class FieldsRepeated(ConsentsRejection):
    """A field is named twice."""

    CODE = "fields_repeated"
    RULE = "C1"
    TEXT = "A field is named twice."
    REMEDY = "Name each field once."


class WrongEnd(ConsentsRejection):
    """The grant has no time, or too much of it."""

    CODE = "wrong_end"
    RULE = "C2"
    TEXT = "A grant from {since_ms} until {until_ms} begins before now, has no time, or too much."
    REMEDY = "End it after it begins and after now ({time_ms}), at most ten years ahead."


class NoSuchGrant(ConsentsRejection):
    """There is no such grant."""

    CODE = "no_such_grant"
    RULE = "C5"
    TEXT = "There is no grant {grant}."
    REMEDY = "Ask the subject for a grant; GrantGiven names its id."


class NotYoursToEnd(ConsentsRejection):
    """Neither who gave the grant nor who has it."""

    CODE = "not_yours_to_end"
    RULE = "C3"
    TEXT = "The grant {grant} is ended by {giver}, by its receiver or by a regulator."
    REMEDY = "Ask {giver}; a subject objects to what its controller gave there, or at a regulator."


class GrantOver(ConsentsRejection):
    """The grant is withdrawn or expired."""

    CODE = "grant_over"
    RULE = "C5"
    TEXT = "The grant {grant} is {state} since {ended_ms}."
    REMEDY = "Ask the subject for a new grant."


class NotYet(ConsentsRejection):
    """The grant begins later."""

    CODE = "not_yet"
    RULE = "C5"
    TEXT = "The grant {grant} begins at {since_ms}."
    REMEDY = "Wait until then."


class UsedUp(ConsentsRejection):
    """Every use is taken."""

    CODE = "used_up"
    RULE = "C5"
    TEXT = "All {uses_max} uses of the grant {grant} are taken."
    REMEDY = "Ask the subject for a new grant."


class NotTheReceiver(ConsentsRejection):
    """The grant is somebody else's."""

    CODE = "not_the_receiver"
    RULE = "C5"
    TEXT = "The grant {grant} is not the sender's."
    REMEDY = (
        "Sign as its receiver: for an organisation its own account, or one with the role"
        " consents.taker, which its administrators grant."
    )


class WrongPurpose(ConsentsRejection):
    """Read for something else than the grant says."""

    CODE = "wrong_purpose"
    RULE = "C5"
    TEXT = "The grant {grant} is for {granted}, not for {purpose}."
    REMEDY = "Ask the subject for a grant for that purpose."


class FieldNotGranted(ConsentsRejection):
    """A field beyond the grant."""

    CODE = "field_not_granted"
    RULE = "C5"
    TEXT = "The grant {grant} does not name the field {field}."
    REMEDY = "Ask for less, or ask the subject for a grant of that field."


class NothingHeld(ConsentsRejection):
    """The controller has not declared such a content."""

    CODE = "nothing_held"
    RULE = "C4"
    TEXT = "The controller has declared no content {field} of that subject, or has erased it."
    REMEDY = "Ask the controller to declare it (DeclareHolding); nothing was counted."


class WrongSealKey(ConsentsRejection):
    """The key does not fit its algorithm."""

    CODE = "wrong_seal_key"
    RULE = "C5"
    TEXT = "The key is not one of {alg}."
    REMEDY = "Give 32 bytes for X25519, or 64 for SM2, as base64url."


class NotTheController(ConsentsRejection):
    """The sender does not act for a member that holds data."""

    CODE = "not_the_controller"
    RULE = "C4"
    TEXT = "The sender may not speak for {member} about data that it holds."
    REMEDY = (
        "Sign with the member's own account, or one with the role consents.steward, which its"
        " administrators grant."
    )


class TooManyHoldings(ConsentsRejection):
    """As many contents about one subject as one controller may declare."""

    CODE = "too_many_holdings"
    RULE = "C4"
    TEXT = "{limit} contents of that subject are declared already."
    REMEDY = "Put what belongs together under one field, or erase what is not needed."


class Erased(ConsentsRejection):
    """That content was declared erased."""

    CODE = "erased"
    RULE = "C10"
    TEXT = "The content {commitment} was declared erased."
    REMEDY = "An erased content does not return; commit to a new one."


class NoSuchAccess(ConsentsRejection):
    """There is no such access of the sender's."""

    CODE = "no_such_access"
    RULE = "C9"
    TEXT = "There is no access {number} of that subject that the sender took."
    REMEDY = "AccessRecorded names the number; sign as the taker."


class AlreadyReceived(ConsentsRejection):
    """The taker signed for it before."""

    CODE = "already_received"
    RULE = "C9"
    TEXT = "The access {number} was signed for already."
    REMEDY = "Nothing is left to do."


class NoSuchEmergency(ConsentsRejection):
    """There is no such break-glass."""

    CODE = "no_such_emergency"
    RULE = "C8"
    TEXT = "There is no break-glass {emergency}."
    REMEDY = "BreakGlassUsed names its id."


class AlreadyReviewed(ConsentsRejection):
    """It was judged before."""

    CODE = "already_reviewed"
    RULE = "C8"
    TEXT = "The break-glass {emergency} was judged {verdict}."
    REMEDY = "A verdict is final here; go to court against it."


class NotYoursToReview(ConsentsRejection):
    """Nobody judges what its own organisation did."""

    CODE = "not_yours_to_review"
    RULE = "C8"
    TEXT = "{member} took part in the break-glass {emergency} and does not judge it."
    REMEDY = "Ask another regulator."

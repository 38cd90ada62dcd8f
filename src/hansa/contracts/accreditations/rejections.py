"""Refusals of the contract `accreditations`, with the rule each one holds (`model`). Pure."""

from hansa.ledger.rejections import Rejection


class AccreditationsRejection(Rejection):
    """Refusals of the contract `accreditations`."""

    CODESPACE = "accreditations"


class NoSuchAccreditation(AccreditationsRejection):
    """No link has this id."""

    CODE = "no_such_accreditation"
    RULE = "R1"
    TEXT = "There is no accreditation {accreditation}."
    REMEDY = "See `hansa accredit tree`."


class NotYours(AccreditationsRejection):
    """The sender does not act for the subject of the parent link."""

    CODE = "not_yours"
    RULE = "R1"
    TEXT = "The link {parent} is {subject}'s; the sender does not act for it."
    REMEDY = (
        "Sign as {subject}: its own account, an administrator of the member, or an account with the"
        " role accreditations.officer."
    )


class ParentMayNotAccredit(AccreditationsRejection):
    """A link of level attest carries no others."""

    CODE = "parent_may_not_accredit"
    RULE = "R1"
    TEXT = "{parent} lets its subject issue credentials, not accredit others."
    REMEDY = "Ask its accreditor for a link of level accredit."


class ParentNotInForce(AccreditationsRejection):
    """The parent, or a link above it, is not in force."""

    CODE = "parent_not_in_force"
    RULE = "R1"
    TEXT = "The chain above is not in force: {link} is {problem}."
    REMEDY = "Have that link reinstated or given anew, or wait until it begins."


class ExceedsParent(AccreditationsRejection):
    """The child would exceed its parent."""

    CODE = "exceeds_parent"
    RULE = "R2"
    TEXT = "This would exceed the parent {parent} in its {what}."
    REMEDY = "Stay within the parent's schemas, jurisdictions and time; see `hansa accredit show`."


class OnlyRoots(AccreditationsRejection):
    """Only roots cover every schema."""

    CODE = "only_roots"
    RULE = "R2"
    TEXT = "Only a root covers every schema (*)."
    REMEDY = "Name the schemas, by id or by line NAME:MAJOR."


class UnknownSchema(AccreditationsRejection):
    """A scope names what is not published."""

    CODE = "unknown_schema"
    RULE = "R2"
    TEXT = "{schema} is not a published schema or line."
    REMEDY = "Publish it first, or see `hansa schema list`."


class WrongTime(AccreditationsRejection):
    """It would begin in the past, or end before it begins."""

    CODE = "wrong_time"
    RULE = "R2"
    TEXT = "From {since_ms} to {until_ms} does not do at block time {time_ms}."
    REMEDY = "Begin now (null) or later, and end after the beginning."


class TooDeep(AccreditationsRejection):
    """The chain would be too long."""

    CODE = "too_deep"
    RULE = "R3"
    TEXT = "The chain would have more than {limit} links."
    REMEDY = "Ask a body nearer to the root."


class WrongStanding(AccreditationsRejection):
    """The link or recognition is not in a standing that this changes."""

    CODE = "wrong_standing"
    RULE = "R4"
    TEXT = "{name} is {standing}."
    REMEDY = "Revocation is final; suspend what is active, reinstate what is suspended."


class TooManyChanges(AccreditationsRejection):
    """As many suspensions as one record may keep."""

    CODE = "too_many_changes"
    RULE = "R4"
    TEXT = "The standing of {name} has changed {limit} times."
    REMEDY = "Revoke it, and give a new one."


class NotAbove(AccreditationsRejection):
    """The sender does not stand above the link, or not high enough, or not in force."""

    CODE = "not_above"
    RULE = "R5"
    TEXT = "The sender does not act, in force, for {accreditor} or anybody above it."
    REMEDY = "Ask {accreditor}, a body above it, or propose the change to governance."


class PlacedAbove(AccreditationsRejection):
    """The suspension was placed by somebody higher."""

    CODE = "placed_above"
    RULE = "R5"
    TEXT = "{by} suspended it, and stands above the sender."
    REMEDY = "Ask {by} to lift it."


class WrongRecognition(AccreditationsRejection):
    """A recognition that would say nothing, or two things."""

    CODE = "wrong_recognition"
    RULE = "R7"
    TEXT = "The recognition does not hold: {problem}."
    REMEDY = "Two jurisdictions, and each source schema with one target."


class NoSuchRecognition(AccreditationsRejection):
    """No recognition has this id."""

    CODE = "no_such_recognition"
    RULE = "R7"
    TEXT = "{relying} has no recognition {recognition}."
    REMEDY = "See `hansa accredit list recognition`."


class WrongSubject(AccreditationsRejection):
    """The subject is unknown or gone."""

    CODE = "wrong_subject"
    RULE = "R8"
    TEXT = "{subject} is no open account of the league ({problem})."
    REMEDY = "Admit the organisation, or open the account first."


class TooManyLinks(AccreditationsRejection):
    """As many as may be: of a subject, or of a relying jurisdiction."""

    CODE = "too_many_links"
    RULE = "R8"
    TEXT = "{name} has {limit} already, ended ones counted."
    REMEDY = "Put several schemas and jurisdictions into one."

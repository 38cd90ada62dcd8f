"""Refusals of the contract `mandates`; its rules M1 to M7 are in `model`. Pure."""

from hansa.ledger.rejections import Rejection


class MandatesRejection(Rejection):
    """Refusals of the contract `mandates`."""

    CODESPACE = "mandates"


class NotThePrincipal(MandatesRejection):
    """Only the principal gives its authority away."""

    CODE = "not_the_principal"
    RULE = "M1"
    TEXT = "The sender does not sign for {principal}."
    REMEDY = (
        "Have the principal sign: for a member an administrator, or an account with the role"
        " mandates.signatory, which its administrators grant."
    )


class NotAllowedOnBehalf(MandatesRejection):
    """Only courts and registries give authority on behalf of another."""

    CODE = "not_allowed_on_behalf"
    RULE = "M1"
    TEXT = "Giving a mandate on behalf of {principal} needs one of the roles {roles}."
    REMEDY = "Ask governance to grant the role to the court or registry."


class NoSuchMandate(MandatesRejection):
    """There is no such mandate."""

    CODE = "no_such_mandate"
    RULE = "M2"
    TEXT = "There is no mandate {mandate}."
    REMEDY = "Give the id that the event MandateGiven named."


class NotTheDelegate(MandatesRejection):
    """Only the delegate acts under a mandate or gives it on."""

    CODE = "not_the_delegate"
    RULE = "M2"
    TEXT = "The sender does not act for {delegate}, to whom the mandate {mandate} was given."
    REMEDY = (
        "Have the delegate sign: for a member an administrator, or an account with the role"
        " mandates.agent, which its administrators grant."
    )


class NoDepthLeft(MandatesRejection):
    """The mandate may not be given on."""

    CODE = "no_depth_left"
    RULE = "M2"
    TEXT = "The mandate {mandate} may not be given on."
    REMEDY = "Ask its giver for one with depth, or have the principal give it directly."


class BeyondParent(MandatesRejection):
    """What would be given on is more than what was given."""

    CODE = "beyond_parent"
    RULE = "M2"
    TEXT = "The {what} would go beyond those of the mandate {parent}."
    REMEDY = "Stay within the mandate that is given on; see hansa mandate show."


class OverLimit(MandatesRejection):
    """The act would dispose of more than the mandate allows."""

    CODE = "over_limit"
    RULE = "M3"
    TEXT = "{amount} is more than the {left} that mandate {mandate} leaves for it."
    REMEDY = "Act for less, or have the principal sign this act itself."


class WrongCurrency(MandatesRejection):
    """The mandate's limit is in another currency, or an amount has none."""

    CODE = "wrong_currency"
    RULE = "M3"
    TEXT = "The mandate {mandate} is for {wanted}, not for {given}."
    REMEDY = "Give the amount in that currency, or have the principal sign the act itself."


class NotLive(MandatesRejection):
    """The mandate, or one above it, does not hold now."""

    CODE = "not_live"
    RULE = "M4"
    TEXT = "The mandate {mandate} does not hold: {why}."
    REMEDY = "Ask the principal for a new mandate, or wait for its beginning."


class AlreadyEnded(MandatesRejection):
    """It ended before."""

    CODE = "already_ended"
    RULE = "M4"
    TEXT = "The mandate {mandate} has ended already: {why}."
    REMEDY = "Nothing needs to be done."


class NotYours(MandatesRejection):
    """The sender can neither withdraw it nor give it back."""

    CODE = "not_yours"
    RULE = "M4"
    TEXT = "The sender neither gave the mandate {mandate} nor holds it."
    REMEDY = "It is withdrawn by {giver}, and given back by {delegate}."


class OutOfScope(MandatesRejection):
    """The mandate is not for this act."""

    CODE = "out_of_scope"
    RULE = "M5"
    TEXT = "The mandate {mandate} is not for {type} of {application}."
    REMEDY = "Ask the principal for a mandate that names it."


class UnknownParty(MandatesRejection):
    """A party is not known in this league."""

    CODE = "unknown_party"
    RULE = "M6"
    TEXT = "{party} is neither an account nor a member of this league."
    REMEDY = "Give the DID of an open account or of a member."


class SameParty(MandatesRejection):
    """Nobody needs a mandate of its own."""

    CODE = "same_party"
    RULE = "M6"
    TEXT = "{party} needs no mandate to act for itself."
    REMEDY = "Name another delegate."


class NotInGoodStanding(MandatesRejection):
    """A party is suspended, closed or expelled."""

    CODE = "not_in_good_standing"
    RULE = "M6"
    TEXT = "{party} is not in good standing."
    REMEDY = "Wait until it is reinstated, or have another take its place."


class TooManyMandates(MandatesRejection):
    """As many mandates as may be live between two parties."""

    CODE = "too_many_mandates"
    RULE = "M7"
    TEXT = "{limit} mandates of {principal} to {delegate} are live."
    REMEDY = "Withdraw those that are not needed, or name more in one."


class NothingCovered(MandatesRejection):
    """A use without an act that stands or falls with it."""

    CODE = "nothing_covered"
    RULE = "M5"
    TEXT = "A use of the mandate {mandate} needs its act after it, in the same atomic transaction."
    REMEDY = "Send the use and the act together, atomic: hansa mandate use."


class WrongTimes(MandatesRejection):
    """It would begin in the past, or never hold."""

    CODE = "wrong_times"
    RULE = "M7"
    TEXT = "A mandate from {since_ms} to {until_ms} does not hold from now, {time_ms}, on."
    REMEDY = "Leave the beginning out for now, and give an end after it, or none."


class WrongScope(MandatesRejection):
    """The scope names what the league does not have, or an application twice."""

    CODE = "wrong_scope"
    RULE = "M7"
    TEXT = "The scope names {application} twice, or what is not there: {application} {types}."
    REMEDY = "Name each application once, with message types that its reference page has."

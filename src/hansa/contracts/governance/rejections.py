"""What the contract `governance` refuses. Rules G1 to G7: `model`. Pure."""

from hansa.contracts.governance.model import VOTERS_MAX
from hansa.ledger.rejections import Rejection


class GovernanceRejection(Rejection):
    """Refusals of the contract `governance`."""

    CODESPACE = "governance"


class NotAVoter(GovernanceRejection):
    """The member has no vote in this."""

    CODE = "not_a_voter"
    RULE = "G2"
    TEXT = "{member} has no vote in this: it had no weight or was not in good standing at opening."
    REMEDY = "Ask a member with a vote: {voters}."


class NotADelegate(GovernanceRejection):
    """The account may not act for its member here."""

    CODE = "not_a_delegate"
    RULE = "G3"
    TEXT = "The sender may not propose or vote for {member}."
    REMEDY = (
        "Ask an administrator of {member}, or to be granted the role governance.delegate by one."
    )


class NoSuchProposal(GovernanceRejection):
    """There is no proposal of that number."""

    CODE = "no_such_proposal"
    RULE = "G3"
    TEXT = "There is no proposal {proposal}."
    REMEDY = "See the list of proposals."


class VotingClosed(GovernanceRejection):
    """The proposal is decided, or its deadline has passed."""

    CODE = "voting_closed"
    RULE = "G1"
    TEXT = "Voting on proposal {proposal} is closed ({state})."
    REMEDY = "Open a new proposal if the matter is still wanted."


class AlreadyVoted(GovernanceRejection):
    """The member has voted."""

    CODE = "already_voted"
    RULE = "G3"
    TEXT = "{member} has voted on proposal {proposal}: {choice}. A vote is final."
    REMEDY = "Open another proposal to change what was decided."


class NotAnAction(GovernanceRejection):
    """The message cannot be sent as governance."""

    CODE = "not_an_action"
    RULE = "G6"
    TEXT = "{type} is not a message that governance sends."
    REMEDY = "See the reference page of the contract: governed messages are marked."


class NoOneCouldPass(GovernanceRejection):
    """Afterwards nobody could pass anything."""

    CODE = "no_one_could_pass"
    RULE = "G5"
    TEXT = (
        "Afterwards {able} of {total} votes could be cast by {members} members;"
        " {required} votes and {minimum} members are needed."
    )
    REMEDY = "Give weight to further members, or lower threshold or fewest members, first."


class WrongRules(GovernanceRejection):
    """The threshold is not between half and all."""

    CODE = "wrong_rules"
    RULE = "G1"
    TEXT = "A threshold of {numerator}/{denominator} is not more than half and at most all."
    REMEDY = "Two contrary proposals must not both pass: take more than 1/2, at most 1/1."


class WrongVoter(GovernanceRejection):
    """That member cannot have a weight."""

    CODE = "wrong_voter"
    RULE = "G2"
    TEXT = "{member} cannot have a vote ({problem})."
    REMEDY = f"Only members have votes, and at most {VOTERS_MAX} of them."


class NoSuchParameter(GovernanceRejection):
    """The contract declares no such parameter."""

    CODE = "no_such_parameter"
    RULE = "G7"
    TEXT = "{application} has no parameter {name}."
    REMEDY = "See the parameters on the contract's reference page."


class ParameterOutOfBounds(GovernanceRejection):
    """The value is outside the parameter's bounds."""

    CODE = "parameter_out_of_bounds"
    RULE = "G7"
    TEXT = "{application}.{name} is from {low} to {high}, not {value}."
    REMEDY = "Propose a value within the bounds."


class WrongActivation(GovernanceRejection):
    """Version or height of an activation do not hold."""

    CODE = "wrong_activation"
    RULE = "G7"
    TEXT = "{application} {version} cannot be activated at height {height}: {problem}."
    REMEDY = "Take the version active now or a newer one, and a height at least {delay} ahead."


class NothingPending(GovernanceRejection):
    """No activation is still to come."""

    CODE = "nothing_pending"
    RULE = "G7"
    TEXT = "{application} has no activation that is still to come."
    REMEDY = "An active version is replaced by activating another."


class NotFreezable(GovernanceRejection):
    """The target does not exist, or is governance itself."""

    CODE = "not_freezable"
    RULE = "G6"
    TEXT = "{target} cannot be frozen ({problem})."
    REMEDY = "Name an active contract, one of its message types, or an account; never governance."


class AlreadyFrozen(GovernanceRejection):
    """The target is frozen."""

    CODE = "already_frozen"
    RULE = "G6"
    TEXT = "{target} is frozen already ({reason})."
    REMEDY = "Nothing needs to be done."


class NotFrozen(GovernanceRejection):
    """The target is not frozen."""

    CODE = "not_frozen"
    RULE = "G6"
    TEXT = "{target} is not frozen."
    REMEDY = "See the list of freezes."

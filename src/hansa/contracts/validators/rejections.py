"""What the contract `validators` refuses. Rules V1 to V8: `model`. Pure."""

from hansa.contracts.validators.model import NODES_MAX
from hansa.ledger.rejections import Rejection


class ValidatorsRejection(Rejection):
    """Refusals of the contract `validators`."""

    CODESPACE = "validators"


class QuorumAtRisk(ValidatorsRejection):
    """Too little power would be with validators that were seen to vote lately."""

    CODE = "quorum_at_risk"
    RULE = "V3"
    TEXT = (
        "Afterwards {live} of {total} power would be with validators that voted lately;"
        " {needed} is needed."
    )
    REMEDY = (
        "See who does not vote, and mend that first. A new validator or key counts as absent until"
        " it votes: begin with little power, and raise it once it votes."
    )


class WrongValidatorKey(ValidatorsRejection):
    """A public key that no validator may use."""

    CODE = "wrong_key"
    RULE = "V1"
    TEXT = "The public key cannot be a validator's: {problem}."
    REMEDY = "Take the key that the node itself made (keys/validator.json)."


class WrongValidatorPossession(ValidatorsRejection):
    """The key did not sign the statement."""

    CODE = "wrong_possession"
    RULE = "V1"
    TEXT = "The validator's key did not sign its statement for {member} on this chain."
    REMEDY = "Have the node that holds the key sign it, for this member and this chain."


class KeyOfValidator(ValidatorsRejection):
    """The key is, or was, a validator's."""

    CODE = "key_used_before"
    RULE = "V1"
    TEXT = "The key of {validator} has been a validator's before."
    REMEDY = "Make a new validator key: two nodes with one key are caught as double signers."


class AlreadyValidator(ValidatorsRejection):
    """The member has a validator."""

    CODE = "already_validator"
    RULE = "V2"
    TEXT = "{member} has the validator {validator} ({state})."
    REMEDY = "Change its power or key, or remove it first; a member has one validator."


class TooManyValidators(ValidatorsRejection):
    """The league has as many validators as it may."""

    CODE = "too_many_validators"
    RULE = "V2"
    TEXT = "The league would have more than {limit} validators."
    REMEDY = "Remove candidates that never became active; further members run observers."


class NoSuchValidator(ValidatorsRejection):
    """There is no validator of that address."""

    CODE = "no_such_validator"
    RULE = "V4"
    TEXT = "{validator} is not a validator."
    REMEDY = "See the list of validators; governance approves new ones (ApproveValidator)."


class WrongValidatorState(ValidatorsRejection):
    """The validator's state does not allow this."""

    CODE = "wrong_state"
    RULE = "V4"
    TEXT = "The validator {validator} is {state}."
    REMEDY = "Only a candidate can be activated, only a suspended validator reinstated."


class WrongMember(ValidatorsRejection):
    """The member is unknown or not in good standing."""

    CODE = "wrong_member"
    RULE = "V5"
    TEXT = "{member} is {standing}: only members in good standing run validators and nodes."
    REMEDY = "Admit or reinstate the member first; one proposal can hold both, in that order."


class NoNode(ValidatorsRejection):
    """No node that votes is admitted for the member."""

    CODE = "no_node"
    RULE = "V7"
    TEXT = "{member} has no admitted node of the kind validator."
    REMEDY = "Have governance admit the validator's node first (AdmitNode), and let it follow."


class AlreadyRecorded(ValidatorsRejection):
    """The same evidence once more."""

    CODE = "already_recorded"
    RULE = "V6"
    TEXT = "The {kind} of {validator} at height {height} is on record."
    REMEDY = "Nothing needs to be done."


class NodeTaken(ValidatorsRejection):
    """The node is admitted."""

    CODE = "node_taken"
    RULE = "V7"
    TEXT = "The node {node} is admitted for {member} already."
    REMEDY = "A node has one key and one member; remove it first to change its kind or member."


class TooManyNodes(ValidatorsRejection):
    """The member has as many nodes as it may."""

    CODE = "too_many_nodes"
    RULE = "V7"
    TEXT = "{member} has {limit} nodes already."
    REMEDY = f"Retire one that is not used; a member has at most {NODES_MAX}."


class NoSuchNode(ValidatorsRejection):
    """No node of that id is admitted."""

    CODE = "no_such_node"
    RULE = "V7"
    TEXT = "The node {node} is not admitted."
    REMEDY = "See the list of nodes; an id is 40 characters of lower-case hex."


class NodeOfValidator(ValidatorsRejection):
    """The node is the last of an active validator."""

    CODE = "node_of_validator"
    RULE = "V7"
    TEXT = "{node} is the last node of the active validator {validator}."
    REMEDY = "Remove or resign the validator first, or admit the node that takes its place."

"""Proposals, votes by weight, and what a passed proposal does.

Rules and words: `model`. Handlers: `handlers`. First records: `genesis`.
"""

from hansa.contracts.governance import actions, genesis
from hansa.contracts.governance.events import (
    ActivationCancelled,
    ActivationSet,
    ParameterSet,
    ProposalClosed,
    ProposalOpened,
    RulesSet,
    TargetFrozen,
    TargetUnfrozen,
    VoteCast,
    WeightSet,
)
from hansa.contracts.governance.handlers import contract
from hansa.contracts.governance.invariants import INVARIANTS
from hansa.contracts.governance.model import Ballot, Counter, Proposal, Rules, Weight
from hansa.contracts.governance.rejections import GovernanceRejection
from hansa.ledger.model import Event, Record
from hansa.ledger.system import Activation, Freeze, Parameter

# Importing these registers what they hold with the contract.
ROOMS = (actions, genesis)

RECORDS: tuple[type[Record], ...] = (
    Freeze,
    Parameter,
    Activation,
    Rules,
    Weight,
    Counter,
    Proposal,
    Ballot,
)
EVENTS: tuple[type[Event], ...] = (
    ProposalOpened,
    VoteCast,
    ProposalClosed,
    WeightSet,
    RulesSet,
    ParameterSet,
    ActivationSet,
    ActivationCancelled,
    TargetFrozen,
    TargetUnfrozen,
)
REJECTION = GovernanceRejection

__all__ = ["EVENTS", "INVARIANTS", "RECORDS", "REJECTION", "contract"]

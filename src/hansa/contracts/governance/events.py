"""What the contract `governance` announces. Pure."""

from typing import ClassVar

from hansa.contracts.governance.model import Choice, ProposalState
from hansa.ledger.model import Event, Visibility


class _GovernanceEvent(Event, frozen=True, kw_only=True):
    VISIBILITY: ClassVar[Visibility] = "league"


class ProposalOpened(_GovernanceEvent, frozen=True, kw_only=True):
    """A proposal is open until block time `closes_ms`."""

    proposal: int
    proposer: str
    topic: str
    closes_ms: int
    total: int


class VoteCast(_GovernanceEvent, frozen=True, kw_only=True):
    """A member voted; `yes` and `no` are the weights so far."""

    proposal: int
    member: str
    choice: Choice
    weight: int
    yes: int
    no: int


class ProposalClosed(_GovernanceEvent, frozen=True, kw_only=True):
    """A proposal was decided; `code` says why the execution of a passed one failed."""

    proposal: int
    state: ProposalState
    yes: int
    no: int
    total: int
    code: str
    failed_action: int | None


class WeightSet(_GovernanceEvent, frozen=True, kw_only=True):
    """A member has this voting weight in proposals opened from now on."""

    member: str
    weight: int


class RulesSet(_GovernanceEvent, frozen=True, kw_only=True):
    """The rules of proposals opened from now on."""

    numerator: int
    denominator: int
    voting_ms: int
    governing_min: int


class ParameterSet(_GovernanceEvent, frozen=True, kw_only=True):
    """A parameter of a contract has a new value."""

    application: str
    name: str
    value: int


class ActivationSet(_GovernanceEvent, frozen=True, kw_only=True):
    """A contract's version is active from `height` on."""

    application: str
    version: int
    digest: str
    height: int


class ActivationCancelled(_GovernanceEvent, frozen=True, kw_only=True):
    """An activation that was still to come was taken back."""

    application: str
    version: int
    height: int


class TargetFrozen(_GovernanceEvent, frozen=True, kw_only=True):
    """A contract, message type or account is stopped."""

    target: str
    reason: str


class TargetUnfrozen(_GovernanceEvent, frozen=True, kw_only=True):
    """A contract, message type or account is no longer stopped."""

    target: str

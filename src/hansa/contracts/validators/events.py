"""What the contract `validators` announces. Addresses and ids are lower-case hex. Pure."""

from typing import ClassVar

from hansa.ledger.model import Event, Visibility
from hansa.ledger.system import EvidenceKind, NodeKind, Outcome


class _ValidatorsEvent(Event, frozen=True, kw_only=True):
    VISIBILITY: ClassVar[Visibility] = "public"


class ValidatorApproved(_ValidatorsEvent, frozen=True, kw_only=True):
    """A member may make this validator vote."""

    validator: str
    member: str
    power: int


class ValidatorActivated(_ValidatorsEvent, frozen=True, kw_only=True):
    """A validator votes with this power, for the engine from height `since` on."""

    validator: str
    member: str
    power: int
    since: int


class ValidatorPowerSet(_ValidatorsEvent, frozen=True, kw_only=True):
    """A validator has another power."""

    validator: str
    member: str
    power: int


class ValidatorKeyReplaced(_ValidatorsEvent, frozen=True, kw_only=True):
    """A member's validator has a new key, so a new address; `old` is the former one's."""

    validator: str
    member: str
    old: str
    reason: str


class ValidatorRemoved(_ValidatorsEvent, frozen=True, kw_only=True):
    """A validator is no more; `by` is the account that resigned, or "governance"."""

    validator: str
    member: str
    by: str
    reason: str


class ValidatorSuspended(_ValidatorsEvent, frozen=True, kw_only=True):
    """A validator has no vote until governance decides; the evidence is of `height`."""

    validator: str
    member: str
    kind: EvidenceKind
    height: int


class ValidatorReinstated(_ValidatorsEvent, frozen=True, kw_only=True):
    """A suspended validator votes again, for the engine from height `since` on."""

    validator: str
    member: str
    power: int
    since: int
    reason: str


class MisbehaviourRecorded(_ValidatorsEvent, frozen=True, kw_only=True):
    """A validator provably broke the engine's rules at `height`; `outcome`: what followed."""

    validator: str
    member: str
    kind: EvidenceKind
    height: int
    outcome: Outcome


class NodeAdmitted(_ValidatorsEvent, frozen=True, kw_only=True):
    """A member's node may connect."""

    node: str
    member: str
    kind: NodeKind


class NodeRemoved(_ValidatorsEvent, frozen=True, kw_only=True):
    """A node may not connect any more; `by` is the account that retired it, or "governance"."""

    node: str
    member: str
    by: str
    reason: str

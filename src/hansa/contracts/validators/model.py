"""What the contract `validators` speaks of: records and messages. `events` and
`rejections` have the rest. Pure.

V1  A validator's key is Ed25519, enters with a signature of itself (possession) and never votes for
    two members; a replaced key never comes back.
V2  A member has at most one validator, the league at most VALIDATORS_MAX; powers have bounds.
V3  After every change of the set, more than two thirds of its power is with validators that were
    seen to vote lately; so the set is never empty, and no change stops the league.
V4  Governance approves, re-keys, weighs, reinstates and removes; the member's administrator makes
    the approved validator vote, when its node follows, and may resign.
V5  An active validator's member is in good standing.
V6  What the engine proved is recorded once; it suspends the validator until governance decides,
    unless the quorum (V3) or the parameter `suspend_double_signers` forbids.
V7  A node is one member's, and a member has few; the last node of an active validator stays.
V8  Who was seen to vote is a validator.
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from hansa.contracts.fields import Reason, SignatureText
from hansa.crypto.signatures import PublicKey
from hansa.ledger.model import Message, Record, Visibility
from hansa.ledger.system import EvidenceKind, NodeKind
from hansa.primitives.limits import VALIDATOR_POWER_MAX
from hansa.primitives.values import Count, Did, Height, HexAddress, TimeMs

# An old node and its successor, an observer and its spare.
NODES_MAX = 4
# How long a vote counts as lately seen, unless governance sets `live_ms`.
LIVE_MS = 120_000

Power = Annotated[int, Meta(ge=1, le=VALIDATOR_POWER_MAX, description="voting power, 1 or more")]


class FormerKey(Record, frozen=True, kw_only=True):
    """A key that voted, or might have, for `member` until block `until` removed or replaced it."""

    KIND: ClassVar[str] = "former_key"
    KEY: ClassVar[tuple[str, ...]] = ("address",)
    VISIBILITY: ClassVar[Visibility] = "public"

    address: HexAddress
    member: str
    replaced: bool
    until: int


class ApproveValidator(Message, frozen=True, kw_only=True):
    """Approve a member's validator; it votes once the member's administrator activates it.

    `possession`: the key's own signature of `compute_validator_statement`. A new validator counts
    as absent until it votes: begin with less than half the others' power, raise it later.
    """

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    member: Did
    key: PublicKey
    power: Power
    possession: SignatureText


class ActivateValidator(Message, frozen=True, kw_only=True):
    """Let the approved validator of the sender's member vote: when its node follows the chain.

    For an administrator. The engine counts it from two heights later.
    """

    COST: ClassVar[int] = 5

    validator: HexAddress


class ResignValidator(Message, frozen=True, kw_only=True):
    """Take back the validator of the sender's member; the node must vote for two heights more.

    For an administrator. To come back, governance approves anew.
    """

    COST: ClassVar[int] = 5

    validator: HexAddress
    reason: Reason


class SetValidatorPower(Message, frozen=True, kw_only=True):
    """Change the power of a validator, by its address."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    validator: HexAddress
    power: Power


class ReplaceValidatorKey(Message, frozen=True, kw_only=True):
    """Give a validator a new key; the old one loses its power in the same block, for good.

    The new key counts as absent until it votes.
    """

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    validator: HexAddress
    key: PublicKey
    possession: SignatureText
    reason: Reason


class RemoveValidator(Message, frozen=True, kw_only=True):
    """Remove a validator, by its address; its member may be approved again."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    validator: HexAddress
    reason: Reason


class ReinstateValidator(Message, frozen=True, kw_only=True):
    """Let a suspended validator vote again."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    validator: HexAddress
    reason: Reason


class AdmitNode(Message, frozen=True, kw_only=True):
    """Let a member's node connect, by its id: one that votes, or an observer that only follows."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    id: HexAddress
    member: Did
    kind: NodeKind


class RemoveNode(Message, frozen=True, kw_only=True):
    """A node may no longer connect."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    id: HexAddress
    reason: Reason


class RetireNode(Message, frozen=True, kw_only=True):
    """Take back a node of the sender's member: it may no longer connect. For an administrator."""

    id: HexAddress
    reason: Reason


class RecordMisbehaviour(Message, frozen=True, kw_only=True):
    """What the engine proved of a validator; the ledger sends it at the start of a block."""

    INTERNAL: ClassVar[bool] = True

    address: HexAddress
    height: Height
    kind: EvidenceKind
    power: Count
    time_ms: TimeMs
    total_power: Count

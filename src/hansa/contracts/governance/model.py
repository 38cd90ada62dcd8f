"""What the contract `governance` speaks of: records and messages. `events` and
`rejections` have the rest. Pure.

G1  A proposal passes when yes * denominator >= numerator * total weight; it is rejected as soon as
    it cannot pass any more; it lapses at its deadline.
G2  Weights, total and threshold are those of the proposal's opening.
G3  One vote for each member, by an administrator or delegate; it is final; to propose is to vote
    yes.
G4  The actions of a passed proposal are executed at once, all or none; when one is refused the
    proposal is FAILED with that refusal's code and nothing else has changed.
G5  No action leaves a league in which nobody could pass anything (P1 of what users suffered most).
G6  Actions are messages that declare themselves governed; governance cannot be frozen.
G7  A contract is activated at a later height, never in an older version; parameters stay in bounds.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from hansa.contracts.fields import DocumentDigest, Reason
from hansa.ledger.model import Message, Record, Visibility
from hansa.primitives.limits import INTEGER_MAX
from hansa.primitives.values import Did, Height, Name

# A decision that people can still read.
ACTIONS_MAX = 16
# A proposal carries its electorate; more voters than this elect a committee.
VOTERS_MAX = 128
WEIGHT_MAX = 1_000_000
# Numbers of proposals in keys have as many, so that text order is order of opening.
PROPOSAL_DIGITS = 8
VOTING_MS_MIN = 60_000
VOTING_MS_MAX = 90 * 86_400_000

Choice = Literal["yes", "no"]
ProposalState = Literal["OPEN", "EXECUTED", "FAILED", "REJECTED", "LAPSED"]
Target = Annotated[
    str,
    Meta(
        pattern=r"^(contract:[a-z0-9_]+|message:[a-z0-9_]+\.[A-Za-z0-9]+"
        r"|account:did:hansa:[a-z2-7]{32})$(?!\n)",
        max_length=120,
        description="contract:NAME, message:NAME.TYPE or account:DID",
    ),
]

# What `hansa.catalog` computes over contract, kernel and locked libraries.
CodeDigest = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="SHA-256 in lower-case hex")
]


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message that is sent as governance when the proposal passes."""

    application: Name
    type: Name
    body: dict[str, Any]


class Voter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member with its voting weight."""

    member: str
    weight: int


class Rules(Record, frozen=True, kw_only=True):
    """Threshold, length of voting and fewest governing members; there is one such record."""

    KIND: ClassVar[str] = "rules"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: Literal["rules"] = "rules"
    numerator: int = 2
    denominator: int = 3
    voting_ms: int = 7 * 86_400_000
    governing_min: int = 1


class Weight(Record, frozen=True, kw_only=True):
    """A member's voting weight; members without one have no vote."""

    KIND: ClassVar[str] = "weight"
    KEY: ClassVar[tuple[str, ...]] = ("member",)
    VISIBILITY: ClassVar[Visibility] = "public"

    member: Did
    weight: int


class Counter(Record, frozen=True, kw_only=True):
    """How many proposals there have been."""

    KIND: ClassVar[str] = "counter"
    VISIBILITY: ClassVar[Visibility] = "league"

    id: Literal["proposals"] = "proposals"
    last: int


class Proposal(Record, frozen=True, kw_only=True):
    """A proposal with its electorate, threshold, tally and fate.

    `code`, `params` and `failed_action` tell why it FAILED; an index equal to the number of actions
    means the check of the whole (G5).
    """

    KIND: ClassVar[str] = "proposal"
    KEY_DIGITS: ClassVar[Mapping[str, int]] = MappingProxyType({"id": PROPOSAL_DIGITS})
    VISIBILITY: ClassVar[Visibility] = "league"

    id: int
    proposer: str
    account: str
    topic: str
    document: str
    actions: tuple[Action, ...]
    voters: tuple[Voter, ...]
    numerator: int
    denominator: int
    opened_height: int
    opened_ms: int
    closes_ms: int
    yes: int = 0
    no: int = 0
    state: ProposalState = "OPEN"
    code: str = ""
    params: dict[str, str | int] = msgspec.field(default_factory=dict)
    failed_action: int | None = None


class Ballot(Record, frozen=True, kw_only=True):
    """How a member voted."""

    KIND: ClassVar[str] = "ballot"
    KEY: ClassVar[tuple[str, ...]] = ("proposal", "member")
    KEY_DIGITS: ClassVar[Mapping[str, int]] = MappingProxyType({"proposal": PROPOSAL_DIGITS})
    VISIBILITY: ClassVar[Visibility] = "league"

    proposal: int
    member: Did
    account: str
    choice: Choice
    weight: int
    height: int


def format_proposal_id(number: int) -> str:
    """The key part of a proposal's number."""
    return f"{number:0{PROPOSAL_DIGITS}d}"


class Propose(Message, frozen=True, kw_only=True):
    """Open a proposal; it counts as the proposer's yes, and passes at once if that is enough.

    `topic`: a code for what it is about. `document`: digest of a reasoned text off chain, or "".
    """

    COST: ClassVar[int] = 20

    topic: Reason
    document: DocumentDigest = ""
    actions: Annotated[tuple[Action, ...], Meta(min_length=1, max_length=ACTIONS_MAX)]


class Vote(Message, frozen=True, kw_only=True):
    """Vote on an open proposal for the sender's member; a vote is final."""

    COST: ClassVar[int] = 5

    proposal: Annotated[int, Meta(ge=1, le=99_999_999)]
    choice: Choice


class CloseProposal(Message, frozen=True, kw_only=True):
    """The deadline of a proposal: if it is still open, it lapses."""

    INTERNAL: ClassVar[bool] = True

    proposal: int


class SetWeight(Message, frozen=True, kw_only=True):
    """Set a member's voting weight (0: no vote) for proposals opened from now on."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    member: Did
    weight: Annotated[int, Meta(ge=0, le=WEIGHT_MAX)]


class SetRules(Message, frozen=True, kw_only=True):
    """Set threshold (over half, at most all), length of voting and fewest governing members."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    numerator: Annotated[int, Meta(ge=1, le=1_000)]
    denominator: Annotated[int, Meta(ge=1, le=1_000)]
    voting_ms: Annotated[int, Meta(ge=VOTING_MS_MIN, le=VOTING_MS_MAX)]
    governing_min: Annotated[int, Meta(ge=1, le=VOTERS_MAX)]


class SetParameter(Message, frozen=True, kw_only=True):
    """Set a parameter that a contract declares."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    application: Name
    name: Name
    value: Annotated[int, Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)]


class ActivateContract(Message, frozen=True, kw_only=True):
    """Activate a version of a contract, by the digest of its code, from a height on.

    It takes the place of an activation that is still to come.
    """

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    application: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$(?!\n)", max_length=64)]
    version: Annotated[int, Meta(ge=1, le=10_000)]
    digest: CodeDigest
    height: Height


class CancelActivation(Message, frozen=True, kw_only=True):
    """Take back an activation whose height has not come."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    application: Name


class FreezeTarget(Message, frozen=True, kw_only=True):
    """Stop a contract, a message type or an account, at once."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    target: Target
    reason: Reason


class UnfreezeTarget(Message, frozen=True, kw_only=True):
    """Lift a freeze, also one that followed a contract fault."""

    INTERNAL: ClassVar[bool] = True
    GOVERNED: ClassVar[bool] = True

    target: Target

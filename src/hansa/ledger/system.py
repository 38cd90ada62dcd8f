"""Records that the kernel itself reads; the system contracts of `hansa.contracts` write them. Pure.

"As at height H" is answered by intervals inside the records (D20), never by old tree versions.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

import msgspec

from hansa.crypto.signatures import PublicKey
from hansa.ledger.model import Record, Visibility, is_key_part
from hansa.ledger.state import Reader, get_system
from hansa.primitives.values import Did, HexAddress

Standing = Literal["good", "suspended", "expelled", "closed"]
Purpose = Literal["sign", "assert", "authenticate", "service"]
ValidatorState = Literal["candidate", "active", "suspended"]
NodeKind = Literal["validator", "observer"]
EvidenceKind = Literal["duplicate_vote", "light_client_attack"]
# What followed from misbehaviour: a suspension, or why there was none.
Outcome = Literal["suspended", "kept_for_quorum", "kept_by_parameter", "not_voting"]


class StandingSince(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A standing from a height on, until the next entry begins."""

    since: int
    standing: Standing


class Identifier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An organisation's identifier under a scheme with check digits (`primitives.identifiers`)."""

    scheme: str
    value: str


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key of an account, valid at heights since <= h < until (None: no end yet).

    `scope` limits a service key to applications (empty: all). `since_ms`, `until_ms`: block times
    of the decisions, for what was signed off the ledger; an end set in advance by height has none.
    """

    id: str
    public: PublicKey
    purposes: tuple[Purpose, ...]
    since: int
    until: int | None = None
    scope: tuple[str, ...] = ()
    since_ms: int = 0
    until_ms: int | None = None


class Member(Record, frozen=True, kw_only=True):
    """An organisation of the league; its DID is that of its first account."""

    KIND: ClassVar[str] = "member"
    OWNER: ClassVar[str] = "members"
    KEY: ClassVar[tuple[str, ...]] = ("did",)
    VISIBILITY: ClassVar[Visibility] = "public"

    did: Did
    name: str
    jurisdiction: str
    identifiers: tuple[Identifier, ...] = ()
    standing: tuple[StandingSince, ...]


class Account(Record, frozen=True, kw_only=True):
    """A key holder: a member's own, or a citizen's sponsored by a member."""

    KIND: ClassVar[str] = "account"
    OWNER: ClassVar[str] = "accounts"
    KEY: ClassVar[tuple[str, ...]] = ("did",)
    VISIBILITY: ClassVar[Visibility] = "league"

    did: Did
    member: str
    kind: Literal["member", "staff", "citizen", "service"]
    admin: bool = False
    keys: tuple[Key, ...]
    standing: tuple[StandingSince, ...]

    def parties(self) -> tuple[str, ...]:
        """The account itself (a citizen's too) and its member."""
        return (self.did, self.member)


class Grant(Record, frozen=True, kw_only=True):
    """A role of an application held by an account or a member, since <= block time < until (ms)."""

    KIND: ClassVar[str] = "grant"
    OWNER: ClassVar[str] = "permissions"
    KEY: ClassVar[tuple[str, ...]] = ("application", "role", "holder", "scope")
    VISIBILITY: ClassVar[Visibility] = "public"

    application: str
    role: str
    holder: Did
    scope: str = "-"
    since_ms: int
    until_ms: int | None = None
    granted_by: str


class Freeze(Record, frozen=True, kw_only=True):
    """Stops a contract, a message type or an account: `contract:a`, `message:a.M`,
    `account:did`.
    """

    KIND: ClassVar[str] = "freeze"
    OWNER: ClassVar[str] = "governance"
    KEY: ClassVar[tuple[str, ...]] = ("target",)
    VISIBILITY: ClassVar[Visibility] = "public"

    target: str
    reason: str
    since: int


class Parameter(Record, frozen=True, kw_only=True):
    """A governed integer parameter of an application or of the ledger."""

    KIND: ClassVar[str] = "parameter"
    OWNER: ClassVar[str] = "governance"
    KEY: ClassVar[tuple[str, ...]] = ("application", "name")
    VISIBILITY: ClassVar[Visibility] = "public"

    application: str
    name: str
    value: int


class ActiveVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A contract version and the digest of its code, active from a height on (D7)."""

    version: int
    digest: str
    height: int


class Activation(Record, frozen=True, kw_only=True):
    """Which version of a contract is active from which height."""

    KIND: ClassVar[str] = "activation"
    OWNER: ClassVar[str] = "governance"
    KEY: ClassVar[tuple[str, ...]] = ("application",)
    VISIBILITY: ClassVar[Visibility] = "public"

    application: str
    versions: tuple[ActiveVersion, ...]


class Allowance(Record, frozen=True, kw_only=True):
    """Cost units that a member may spend in one window (D19)."""

    KIND: ClassVar[str] = "allowance"
    OWNER: ClassVar[str] = "quotas"
    KEY: ClassVar[tuple[str, ...]] = ("member",)
    VISIBILITY: ClassVar[Visibility] = "league"

    member: Did
    units: int


class Usage(Record, frozen=True, kw_only=True):
    """Cost units that a member has spent in the window numbered `window`."""

    KIND: ClassVar[str] = "usage"
    OWNER: ClassVar[str] = "quotas"
    KEY: ClassVar[tuple[str, ...]] = ("member",)
    VISIBILITY: ClassVar[Visibility] = "league"

    member: Did
    window: int
    units: int


class Hold(Record, frozen=True, kw_only=True):
    """A freeze, seizure, pledge or assignment on any record (D16), until block time (ms) or
    release.

    `placed_by`: the member; whoever acts for it must hold `role` of the contract `holds`.
    """

    KIND: ClassVar[str] = "hold"
    KEY_FORM: ClassVar[str] = "APPLICATION/KIND/KEY/~/ID"
    OWNER: ClassVar[str] = "holds"
    VISIBILITY: ClassVar[Visibility] = "league"

    application: str
    record_kind: str
    record_key: tuple[str, ...]
    id: str
    kind: Literal["freeze", "seizure", "pledge", "assignment"]
    placed_by: str
    role: str
    since_ms: int
    until_ms: int | None = None

    def key(self) -> tuple[str, ...]:
        """Record first, so that all holds of one record are one ordered range."""
        return (self.application, self.record_kind, *self.record_key, "~", self.id)

    @classmethod
    def is_key(cls, parts: tuple[str, ...]) -> bool:
        """Application, kind, at least one part of the record's identifier, `~`, id."""
        return len(parts) >= 5 and parts.count("~") == 1 and parts[-2] == "~"


class Deadline(Record, frozen=True, kw_only=True):
    """A message that the kernel fires at the start of a block when its time has come (D17).

    It carries another application's message, so nobody may read it at a gateway: the application's
    own records say what will happen to whom.
    """

    KIND: ClassVar[str] = "deadline"
    OWNER: ClassVar[str] = "ledger"
    KEY: ClassVar[tuple[str, ...]] = ("at_ms", "application", "id")
    KEY_DIGITS: ClassVar[Mapping[str, int]] = MappingProxyType({"at_ms": 15})
    VISIBILITY: ClassVar[Visibility] = "parties"

    at_ms: int
    id: str
    application: str
    type: str
    body: str


class BlockRecord(Record, frozen=True, kw_only=True):
    """What a non-empty block leaves in state, so that old receipts prove to a later root (D22).

    All base64url: `hash` of the header, `results` = last_results_hash of the next header,
    `deadlines` = Merkle root of the results of fired deadlines.
    """

    KIND: ClassVar[str] = "block"
    OWNER: ClassVar[str] = "ledger"
    KEY: ClassVar[tuple[str, ...]] = ("height",)
    KEY_DIGITS: ClassVar[Mapping[str, int]] = MappingProxyType({"height": 12})
    VISIBILITY: ClassVar[Visibility] = "public"

    height: int
    time_ms: int
    hash: str
    results: str
    deadlines: str


class Seen(Record, frozen=True, kw_only=True):
    """Transaction ids of one block (base64url of their concatenation), kept EXPIRY_WINDOW heights
    (D3).
    """

    KIND: ClassVar[str] = "seen"
    OWNER: ClassVar[str] = "ledger"
    KEY: ClassVar[tuple[str, ...]] = ("height",)
    KEY_DIGITS: ClassVar[Mapping[str, int]] = MappingProxyType({"height": 12})
    VISIBILITY: ClassVar[Visibility] = "parties"

    height: int
    ids: str


class Validator(Record, frozen=True, kw_only=True):
    """A vote on blocks: `address` derives from the Ed25519 key; `member` is its DID ("" if none).

    Only an active one has power in the engine, from two heights after `since`, the block that gave
    it this state. A record that is gone was removed.
    """

    KIND: ClassVar[str] = "validator"
    OWNER: ClassVar[str] = "validators"
    KEY: ClassVar[tuple[str, ...]] = ("address",)
    VISIBILITY: ClassVar[Visibility] = "public"

    address: HexAddress
    public_key: PublicKey
    member: str
    power: int
    state: ValidatorState
    since: int

    @property
    def effective_power(self) -> int:
        """What the engine counts: its power while it is active, else 0."""
        return self.power if self.state == "active" else 0


class Node(Record, frozen=True, kw_only=True):
    """A node that may connect: `id` is the address of its p2p key; `since` the block that said so.

    A validator's node votes for its member, an observer only follows.
    """

    KIND: ClassVar[str] = "node"
    OWNER: ClassVar[str] = "validators"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: HexAddress
    member: Did
    kind: NodeKind
    since: int


class Evidence(Record, frozen=True, kw_only=True):
    """A validator provably broke the engine's rules at `height`; recorded in block `recorded`.

    `member` is "" where the address is not known. `outcome`: what followed.
    """

    KIND: ClassVar[str] = "evidence"
    OWNER: ClassVar[str] = "validators"
    KEY: ClassVar[tuple[str, ...]] = ("address", "height", "kind")
    KEY_DIGITS: ClassVar[Mapping[str, int]] = MappingProxyType({"height": 12})
    VISIBILITY: ClassVar[Visibility] = "public"

    address: HexAddress
    height: int
    kind: EvidenceKind
    member: str
    power: int
    total_power: int
    time_ms: int
    recorded: int
    outcome: Outcome


class LastSigned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A validator's vote decided the block of `height`; `time_ms` is the next block's time."""

    address: str
    height: int
    time_ms: int


class Liveness(Record, frozen=True, kw_only=True):
    """When each validator was last seen to vote, sorted by address; there is one such record.

    The kernel writes it in blocks that hold something; who never voted is not in it.
    """

    KIND: ClassVar[str] = "liveness"
    OWNER: ClassVar[str] = "ledger"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: Literal["validators"] = "validators"
    signed: tuple[LastSigned, ...] = ()


def is_admitted(reader: Reader, node_id: str, height: int) -> bool:
    """Whether a node (hex p2p id) may connect: it is a member's in good standing as at `height`.

    Ask for the last decided height. A member that block H expelled, and removed from the validators
    with it, is then cut off once H + 1 is decided: the last block for which its vote counts.
    """
    if not is_key_part(node_id):
        return False
    node = get_system(reader, Node, node_id)
    if node is None:
        return False
    member = get_system(reader, Member, node.member)
    return member is not None and compute_standing(member.standing, height) == "good"


def compute_standing(history: tuple[StandingSince, ...], height: int) -> Standing | None:
    """Standing as at `height`; None before the first entry."""
    standing: Standing | None = None
    for entry in history:
        if entry.since <= height:
            standing = entry.standing
    return standing


def find_key(account: Account, key_id: str, height: int) -> Key | None:
    """The account's key `key_id` if it is valid as at `height`."""
    for key in account.keys:
        if key.id == key_id and key.since <= height and (key.until is None or height < key.until):
            return key
    return None

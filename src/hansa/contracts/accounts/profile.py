"""What an account's DID says beyond its keys: the records of its profile and of its recovery. Pure.

Rules A10 to A12: `model`. An account without a DidProfile has only its keys: its first version.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from hansa.crypto.signatures import PublicKey
from hansa.ledger.model import Record, Visibility
from hansa.primitives.values import Did

EntryId = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9_-]*$(?!\n)",
        max_length=20,
        description="name of a service or agreement key within its account: a-z 0-9 _ -",
    ),
]
ServiceType = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z][A-Za-z0-9]*$(?!\n)",
        max_length=64,
        description="type of a service, as the DID registries name it",
    ),
]
Endpoint = Annotated[
    str,
    Meta(
        pattern=r"^https://[A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]+$(?!\n)",
        max_length=500,
        description="https address of a service",
    ),
]
Thumbprint = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{43}$(?!\n)",
        description="RFC 7638 thumbprint of a key: SHA-256 of its JWK in base64url",
    ),
]
AgreementAlg = Literal["X25519", "SM2"]


class DidService(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the subject of a DID can be reached; `#service.ID` in its document."""

    id: EntryId
    type: ServiceType
    endpoint: Endpoint


class AgreementKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public key to which content is sealed; `#agree.ID` in the DID document.

    `public`: base64url of the raw key (X25519: 32 bytes; SM2: 64 bytes x||y). It signs nothing.
    """

    id: EntryId
    alg: AgreementAlg
    public: str
    since_ms: int = 0


class DidProfile(Record, frozen=True, kw_only=True):
    """The newest version of an account's DID, valid from height `since` and block time `since_ms`.

    `version` counts from 1. `next_key`: thumbprint of the only key that may enter next, "" for any.
    Who may recover the account is in RecoveryPlan, which not everybody may read.
    """

    KIND: ClassVar[str] = "did_profile"
    KEY: ClassVar[tuple[str, ...]] = ("account",)
    VISIBILITY: ClassVar[Visibility] = "league"

    account: Did
    version: int
    since: int
    since_ms: int
    services: tuple[DidService, ...] = ()
    agreements: tuple[AgreementKey, ...] = ()
    next_key: str = ""


class PastProfile(Record, frozen=True, kw_only=True):
    """An earlier version of an account's DID, filed when the next one followed. Never changes."""

    KIND: ClassVar[str] = "past_profile"
    KEY: ClassVar[tuple[str, ...]] = ("account", "version")
    KEY_DIGITS: ClassVar[Mapping[str, int]] = MappingProxyType({"version": 8})
    VISIBILITY: ClassVar[Visibility] = "league"

    account: Did
    version: int
    since: int
    since_ms: int
    services: tuple[DidService, ...] = ()
    agreements: tuple[AgreementKey, ...] = ()


class RecoveryPlan(Record, frozen=True, kw_only=True):
    """Which accounts together may give the account a new key; `threshold` of them suffice."""

    KIND: ClassVar[str] = "recovery_plan"
    KEY: ClassVar[tuple[str, ...]] = ("account",)
    VISIBILITY: ClassVar[Visibility] = "parties"

    account: Did
    member: Did
    agents: tuple[Did, ...]
    threshold: int

    def parties(self) -> tuple[str, ...]:
        """The account, its member and the agents."""
        return (self.account, self.member, *self.agents)


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agent's word, at block time."""

    agent: Did
    at_ms: int


class Recovery(Record, frozen=True, kw_only=True):
    """A new key that agents approve for an account; there is one record for each key proposed.

    `mark`: the key's name and thumbprint. `open` it lapses at `due_ms`; `agreed` it takes effect
    then, unless the account vetoes.
    """

    KIND: ClassVar[str] = "recovery"
    KEY: ClassVar[tuple[str, ...]] = ("account", "mark")
    VISIBILITY: ClassVar[Visibility] = "parties"

    account: Did
    member: Did
    mark: str
    key_id: str
    new_key: PublicKey
    agents: tuple[Did, ...]
    approvals: tuple[Approval, ...]
    state: Literal["open", "agreed"]
    opened_ms: int
    due_ms: int

    def parties(self) -> tuple[str, ...]:
        """The account, its member and the agents."""
        return (self.account, self.member, *self.agents)

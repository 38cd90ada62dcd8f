"""What the walk of accreditations reads: links, scopes, standings and recognitions. Pure.

Links and bridges are protocols: the ledger's records have these fields, and so may a bundle's.
"""

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from hansa.primitives.values import Jurisdiction

# A root, six accrediting bodies and an issuer; a longer chain is a maze, not a reason to trust.
DEPTH_MAX = 8
# Scopes are compared pair by pair.
SCHEMAS_MAX = 32
JURISDICTIONS_MAX = 8
ANY_SCHEMA = "*"
GOVERNED = "governance"

Level = Literal["root", "accredit", "attest"]
Standing = Literal["active", "suspended", "revoked"]
Assurance = Literal["low", "substantial", "high"]


class NotFoundOut(Exception):
    """Raised by a finder that cannot find out whether a link exists (not in the bundle, no answer);
    a finder that knows there is none returns None.
    """


class StandingFrom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A standing from block time `since_ms` on, until the next entry begins. `by`: a DID, or
    "governance". `reason`: a code, "" for the first.
    """

    since_ms: int
    standing: Standing
    by: str
    reason: str = ""


# How a scope names what it covers.
SchemaRef = Annotated[
    str,
    Meta(
        pattern=r"^(\*|[0-9a-f]{64}|[a-z][a-z0-9]*([._-][a-z0-9]+)*:(0|[1-9][0-9]{0,4}))$(?!\n)",
        max_length=70,
        description="id of a schema, its line NAME:MAJOR, or (roots only) *",
    ),
]


class Scope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Each schema in each jurisdiction. A schema is named by its id (one document) or by its line
    `name:major` (every compatible version); `*`, of roots only, is every schema.
    """

    schemas: Annotated[tuple[SchemaRef, ...], Meta(min_length=1, max_length=SCHEMAS_MAX)]
    jurisdictions: Annotated[
        tuple[Jurisdiction, ...], Meta(min_length=1, max_length=JURISDICTIONS_MAX)
    ]


class SchemaPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A schema recognised abroad (`source`) and what it counts as at home (`target`)."""

    source: SchemaRef
    target: SchemaRef


class Link(Protocol):
    """One accreditation, as the ledger's record has it."""

    @property
    def id(self) -> str: ...
    @property
    def framework(self) -> str: ...
    @property
    def level(self) -> Level: ...
    @property
    def parent(self) -> str: ...
    @property
    def accreditor(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def scope(self) -> tuple[Scope, ...]: ...
    @property
    def since_ms(self) -> int: ...
    @property
    def until_ms(self) -> int | None: ...
    @property
    def standing(self) -> tuple[StandingFrom, ...]: ...


class Bridge(Protocol):
    """One cross-recognition: in `relying`, what `framework` attests for `source` counts as
    `counts_as`, for the schemas that it pairs and for no others; it is never chained to another.
    """

    @property
    def id(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def relying(self) -> str: ...
    @property
    def framework(self) -> str: ...
    @property
    def counts_as(self) -> str: ...
    @property
    def schemas(self) -> tuple[SchemaPair, ...]: ...
    @property
    def level(self) -> Assurance: ...
    @property
    def since_ms(self) -> int: ...
    @property
    def until_ms(self) -> int | None: ...
    @property
    def standing(self) -> tuple[StandingFrom, ...]: ...


Finder = Callable[[str], Link | None]


def compute_standing(history: tuple[StandingFrom, ...], at_ms: int) -> Standing | None:
    """Standing as at a block time; None before the first entry."""
    standing: Standing | None = None
    for entry in history:
        if entry.since_ms <= at_ms:
            standing = entry.standing
    return standing


def judge_time(link: Link | Bridge, at_ms: int) -> str:
    """Why a link or recognition was not itself in force as at `at_ms`; "" when it was."""
    if at_ms < link.since_ms:
        return "not_yet_valid"
    standing = compute_standing(link.standing, at_ms)
    if standing == "revoked":
        return "revoked"
    if link.until_ms is not None and at_ms >= link.until_ms:
        return "expired"
    return "" if standing == "active" else "suspended"


def find_excess(parent: Link, scope: tuple[Scope, ...], since_ms: int, until_ms: int | None) -> str:
    """How a child would exceed its parent ("schema", "jurisdiction", "scope", "time" or "")."""
    if since_ms < parent.since_ms:
        return "time"
    if parent.until_ms is not None and (until_ms is None or until_ms > parent.until_ms):
        return "time"
    granted = _list_pairs(parent.scope)
    for schema, jurisdiction in sorted(_list_pairs(scope) - granted):
        if (ANY_SCHEMA, jurisdiction) not in granted:
            return _name_excess(granted, schema, jurisdiction)
    return ""


def covers(scope: tuple[Scope, ...], names: Collection[str], jurisdiction: str) -> bool:
    """Whether a scope has one of a schema's names in the jurisdiction."""
    return any(
        jurisdiction in each.jurisdictions
        and (ANY_SCHEMA in each.schemas or any(name in each.schemas for name in names))
        for each in scope
    )


def list_scope_names(schema: str, name: str, version: str) -> tuple[str, ...]:
    """How scopes may name a schema: its id, and its line `name:major` of `version` 1.2.3."""
    return (schema, f"{name}:{version.partition('.')[0]}")


@lru_cache(maxsize=64)
def _list_pairs(scope: tuple[Scope, ...]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (name, place) for each in scope for name in each.schemas for place in each.jurisdictions
    )


def _name_excess(granted: frozenset[tuple[str, str]], schema: str, jurisdiction: str) -> str:
    if all(place != jurisdiction for _name, place in granted):
        return "jurisdiction"
    return "scope" if any(name in (schema, ANY_SCHEMA) for name, _place in granted) else "schema"

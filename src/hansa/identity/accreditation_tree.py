"""The tree of accreditations as at a time, for those who look at it: states told by the walk. Pure.

Made from records as gateways list them (`/v1/apps/accreditations/accreditation`, `…/recognition`):
the command line and the console draw the same tree.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hansa.identity.accreditation import verify_chain
from hansa.identity.links import (
    Assurance,
    Level,
    SchemaPair,
    Scope,
    StandingFrom,
    judge_time,
)

IN_FORCE = "in_force"


class KnownLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link as its record says it."""

    id: str
    framework: str
    level: Level
    parent: str
    accreditor: str
    subject: str
    scope: tuple[Scope, ...]
    since_ms: int
    until_ms: int | None
    basis: str = ""
    document: str = ""
    standing: tuple[StandingFrom, ...]


class KnownBridge(msgspec.Struct, frozen=True, kw_only=True):
    """A recognition as its record says it."""

    id: str
    source: str
    relying: str
    framework: str
    counts_as: str
    schemas: tuple[SchemaPair, ...]
    level: Assurance
    since_ms: int
    until_ms: int | None
    basis: str = ""
    document: str = ""
    standing: tuple[StandingFrom, ...]


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """A link, its state as at the tree's time, and what stands under it, the oldest first.

    `state`: in_force, or why not (suspended, revoked, expired, not_yet_valid, …). `cause`: the link
    above that brought it there, "" when it is its own state.
    """

    link: KnownLink
    state: str
    cause: str
    children: "tuple[Branch, ...]"


class KnownRecognition(msgspec.Struct, frozen=True, kw_only=True):
    """A recognition and its state as at the tree's time."""

    recognition: KnownBridge
    state: str


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """Roots with all below, and what counts across borders. `strays`: links whose parent is not
    among those given.
    """

    at_ms: int
    roots: tuple[Branch, ...]
    strays: tuple[Branch, ...]
    recognitions: tuple[KnownRecognition, ...]


def read_link(record: Mapping[str, Any]) -> KnownLink:
    """A link from its record in plain form. Raises msgspec.ValidationError."""
    return msgspec.convert(record, KnownLink)


def read_bridge(record: Mapping[str, Any]) -> KnownBridge:
    """A recognition from its record in plain form. Raises msgspec.ValidationError."""
    return msgspec.convert(record, KnownBridge)


def build_tree(links: Iterable[KnownLink], bridges: Iterable[KnownBridge], at_ms: int) -> Tree:
    """The tree as at a block time in ms."""
    known = {link.id: link for link in links}
    children: dict[str, list[KnownLink]] = {}
    for link in sorted(known.values(), key=lambda each: (each.since_ms, each.id)):
        children.setdefault(link.parent, []).append(link)
    strays = [
        link
        for parent, found in children.items()
        for link in found
        if parent and parent not in known
    ]
    return Tree(
        at_ms=at_ms,
        roots=tuple(_build_branch(link, known, children, at_ms) for link in children.get("", ())),
        strays=tuple(_build_branch(link, known, children, at_ms) for link in strays),
        recognitions=tuple(
            KnownRecognition(recognition=each, state=judge_time(each, at_ms) or IN_FORCE)
            for each in sorted(bridges, key=lambda each: (each.relying, each.since_ms, each.id))
        ),
    )


def _build_branch(
    link: KnownLink,
    known: Mapping[str, KnownLink],
    children: Mapping[str, list[KnownLink]],
    at_ms: int,
) -> Branch:
    finding = verify_chain(known.get, link.id, at_ms=at_ms)
    failed = next((step for step in finding.steps if step.code), None)
    return Branch(
        link=link,
        state=IN_FORCE if failed is None else failed.code,
        cause="" if failed is None or failed.link == link.id else failed.link,
        children=tuple(
            _build_branch(child, known, children, at_ms) for child in children.get(link.id, ())
        ),
    )

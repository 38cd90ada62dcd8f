"""What accreditations must be, told from accepted messages alone: no record read, no walk used."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from hansa.identity.links import Scope
from hansa.ledger.receipts import EventOut
from tests.contracts.judge import forbid

SCHEMAS = ("licence:1", "permit:1", "degree:1")
PLACES = ("CN", "HK", "MO")
Pairs = frozenset[tuple[str, str]]


def spell_out(scope: tuple[Scope, ...]) -> Pairs:
    """Each schema of the world that the scope covers, in each place."""
    return frozenset(
        (schema, place)
        for each in scope
        for name in each.schemas
        for schema in (SCHEMAS if name == "*" else (name,))
        for place in each.jurisdictions
    )


@dataclass
class Told:
    """A link as its events told it; `changes`: (from when on, standing, by)."""

    parent: str
    level: str
    framework: str
    subject: str
    accreditor: str
    pairs: Pairs
    has_star: bool
    since_ms: int
    until_ms: int | None
    changes: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass
class Bridge:
    """A recognition as its event told it."""

    source: str
    relying: str
    framework: str
    pairs: tuple[tuple[str, str], ...]
    since_ms: int
    until_ms: int | None
    changes: list[tuple[int, str, str]] = field(default_factory=list)


def is_on(told: Told | Bridge, at_ms: int) -> bool:
    """Whether it stood at that time by itself."""
    if at_ms < told.since_ms or (told.until_ms is not None and at_ms >= told.until_ms):
        return False
    begun = [standing for since_ms, standing, _by in told.changes if since_ms <= at_ms]
    return bool(begun) and begun[-1] == "active"


class World:
    """All links and recognitions that were ever told."""

    def __init__(self) -> None:
        self.links: dict[str, Told] = {}
        self.bridges: dict[str, Bridge] = {}

    def climb(self, link: str) -> list[Told]:
        """The link and all above."""
        found = []
        while link:
            found.append(self.links[link])
            link = self.links[link].parent
        return found

    def is_in_force(self, link: str, at_ms: int) -> bool:
        """Whether it and everybody above stood."""
        return all(is_on(told, at_ms) for told in self.climb(link))

    def covers(self, link: str, schema: str, place: str) -> bool:
        """Whether it and everybody above cover it."""
        return all((schema, place) in told.pairs for told in self.climb(link))

    def is_entitled(self, link: str, issuer: str, schema: str, place: str, at_ms: int) -> bool:
        """The right answer."""
        told = self.links[link]
        if told.level != "attest" or told.subject != issuer or not self.is_in_force(link, at_ms):
            return False
        return self.covers(link, schema, place) or any(
            bridge.relying == place
            and bridge.framework == told.framework
            and is_on(bridge, at_ms)
            and any(
                target == schema and self.covers(link, source, bridge.source)
                for source, target in bridge.pairs
            )
            for bridge in self.bridges.values()
        )

    def list_times(self, link: str, now_ms: int) -> list[int]:
        """Moments at which the answer may turn, and now."""
        times = [now_ms]
        facts: list[Told | Bridge] = [*self.climb(link), *self.bridges.values()]
        for told in facts:
            turns = [told.since_ms, *(each[0] for each in told.changes)]
            turns += [told.until_ms] if told.until_ms is not None else []
            times += [each + step for each in turns for step in (-1, 0)]
        return [each for each in times if each <= now_ms]

    def take(self, event: EventOut, body: dict[str, Any], now_ms: int) -> None:
        """Learn from an event of an accepted message."""
        learn = getattr(self, f"_take_{event.type}")
        learn(body, now_ms)

    def _take_Accredited(self, body: dict[str, Any], now_ms: int) -> None:  # noqa: N802
        scope = msgspec.convert(body["scope"], tuple[Scope, ...])
        name = str(body["accreditation"])
        forbid(name in self.links, "R1", "one id, two links")
        until_ms = body["until_ms"]
        told = Told(
            parent=str(body["parent"]),
            level=str(body["level"]),
            framework=str(body["framework"]),
            subject=str(body["subject"]),
            accreditor=str(body["accreditor"]),
            pairs=spell_out(scope),
            has_star=any("*" in each.schemas for each in scope),
            since_ms=int(body["since_ms"]),
            until_ms=None if until_ms is None else int(until_ms),
            changes=[(now_ms, "active", str(body["accreditor"]))],
        )
        self.links[name] = told
        self._judge_new(name, told, now_ms)

    def _judge_new(self, name: str, told: Told, now_ms: int) -> None:
        forbid(told.since_ms < now_ms, "R2", "it begins in the past")
        if told.level == "root":
            forbid(told.parent != "", "R1", "a root under a link")
            return
        parent = self.links[told.parent]
        forbid(told.has_star, "R2", "every schema, and no root")
        forbid(parent.level == "attest", "R1", "an issuer accredits")
        forbid(parent.subject != told.accreditor, "R1", "given by another than the parent's")
        forbid(parent.framework != told.framework, "R2", "another framework")
        forbid(not told.pairs <= parent.pairs, "R2", "more than its parent")
        forbid(told.since_ms < parent.since_ms, "R2", "earlier than its parent")
        if parent.until_ms is not None:
            is_longer = told.until_ms is None or told.until_ms > parent.until_ms
            forbid(is_longer, "R2", "later than its parent")
        forbid(len(self.climb(name)) > 8, "R3", "too long a chain")
        # what is suspended in the same block has its effect afterwards
        forbid(not self.is_in_force(told.parent, now_ms + 1), "R1", "given under what is not")

    def _take_AccreditationStandingChanged(  # noqa: N802
        self, body: dict[str, Any], now_ms: int
    ) -> None:
        self._change(self.links[str(body["accreditation"])], body, now_ms)

    def _take_Recognised(self, body: dict[str, Any], now_ms: int) -> None:  # noqa: N802
        pairs = body["schemas"]
        until_ms = body["until_ms"]
        self.bridges[str(body["recognition"])] = Bridge(
            source=str(body["source"]),
            relying=str(body["relying"]),
            framework=str(body["framework"]),
            pairs=tuple((each["source"], each["target"]) for each in pairs),
            since_ms=int(body["since_ms"]),
            until_ms=None if until_ms is None else int(until_ms),
            changes=[(now_ms, "active", "governance")],
        )

    def _take_RecognitionStandingChanged(  # noqa: N802
        self, body: dict[str, Any], now_ms: int
    ) -> None:
        self._change(self.bridges[str(body["recognition"])], body, now_ms)

    def _change(self, told: Told | Bridge, body: dict[str, Any], now_ms: int) -> None:
        standing, before = str(body["standing"]), told.changes[-1][1]
        forbid(before == "revoked", "R4", f"{standing} after revocation")
        forbid(before == standing == "active", "R4", "active twice")
        forbid(int(body["since_ms"]) != now_ms + 1, "R4", "it begins at another time")
        told.changes.append((now_ms + 1, standing, str(body["by"]) if "by" in body else ""))

    def list_above(self, link: str) -> list[str]:
        """Whose word counts on a link, the nearest first; governance last."""
        return [told.accreditor for told in self.climb(link)]

"""Records of food_trace beside the trail: limits, yields, results, recalls, places, prefixes. Pure.

Times `_ms` are UTC milliseconds of the block, where they do not say otherwise.
"""

from typing import ClassVar, Literal

import msgspec

from hansa.apps.food_trace.model import keys
from hansa.apps.food_trace.model.messages import (
    RecallOutcome,
    RecallReason,
    Verdict,
)
from hansa.ledger.model import Record, Visibility

RecallStatus = Literal["OPEN", "CLOSED"]


class LimitsSince(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits for the captures whose number is greater than `after`, until the next entry."""

    after: int
    uom: str
    scale: int
    low: int | None
    high: int | None


class Limits(keys.FoodRecord, frozen=True, kw_only=True):
    """What a sensor may read for a product in a jurisdiction; `versions`: since when, the last
    holds now.
    """

    KIND: ClassVar[str] = "limits"
    PATTERN: ClassVar[str] = keys.LIMITS
    KEY: ClassVar[tuple[str, ...]] = ("jurisdiction", "product", "sensor")
    VISIBILITY: ClassVar[Visibility] = "public"

    jurisdiction: str
    product: str
    sensor: str
    versions: tuple[LimitsSince, ...]


class YieldSince(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A yield for the captures whose number is greater than `after`."""

    after: int
    ppm: int


class Yield(keys.FoodRecord, frozen=True, kw_only=True):
    """How much of a product a member makes of one unit of what goes in (I3)."""

    KIND: ClassVar[str] = "yield"
    PATTERN: ClassVar[str] = keys.YIELD
    KEY: ClassVar[tuple[str, ...]] = ("member", "product")
    VISIBILITY: ClassVar[Visibility] = "public"

    member: str
    product: str
    versions: tuple[YieldSince, ...]


class LabResult(Record, frozen=True, kw_only=True):
    """A laboratory's result for an item. `number`: the flag that a failed test raised, or 0."""

    KIND: ClassVar[str] = "lab_result"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: str
    laboratory: str
    item: str
    test: str
    verdict: Verdict
    sampled_ms: int
    reported_ms: int
    commitment: str
    number: int = 0


class Recall(Record, frozen=True, kw_only=True):
    """A recall of items, and of the closure of what was made of them (I10)."""

    KIND: ClassVar[str] = "recall"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: str
    member: str
    jurisdiction: str
    items: tuple[str, ...]
    flags: tuple[int, ...]
    reason: RecallReason
    opened_ms: int
    status: RecallStatus = "OPEN"
    outcome: RecallOutcome | Literal[""] = ""
    closed_ms: int = 0


class Site(keys.FoodRecord, frozen=True, kw_only=True):
    """Whose place a GLN is, and what a consumer reads there."""

    KIND: ClassVar[str] = "site"
    PATTERN: ClassVar[str] = keys.GLN
    KEY: ClassVar[tuple[str, ...]] = ("gln",)
    VISIBILITY: ClassVar[Visibility] = "public"

    gln: str
    member: str
    name: str
    town: str
    jurisdiction: str


class Trader(keys.FoodRecord, frozen=True, kw_only=True):
    """Whose a GS1 company prefix is."""

    KIND: ClassVar[str] = "trader"
    PATTERN: ClassVar[str] = keys.PREFIX
    KEY: ClassVar[tuple[str, ...]] = ("prefix",)
    VISIBILITY: ClassVar[Visibility] = "public"

    prefix: str
    member: str
    jurisdiction: str


class PrefixBlock(keys.FoodRecord, frozen=True, kw_only=True):
    """The registered company prefixes that begin with these six digits, sorted."""

    KIND: ClassVar[str] = "prefix_block"
    PATTERN: ClassVar[str] = keys.PREFIX_BLOCK
    VISIBILITY: ClassVar[Visibility] = "public"

    id: str
    prefixes: tuple[str, ...]

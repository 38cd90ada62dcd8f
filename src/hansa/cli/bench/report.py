"""What a measurement of networks found, as one document. Pure.

Times are seconds unless the name says otherwise; rates per second; `cpu` is processor time.
"""

import msgspec

from hansa.cli.bench.circumstances import Circumstances
from hansa.cli.bench.figures import Percentiles, Spread
from hansa.cli.bench.sampler import Share


class LoadFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One network under one kind of transaction, over all repetitions.

    `cpu_us` are microseconds of processor per transaction and validator; `cores` how many cores
    the engines, the nodes, the sender and everything else on the machine kept busy. `full`: how
    often an engine's pool had no room (back-pressure); `lost`: taken and never committed;
    `late_blocks`: decided in a later round than the first; `ran_out`: all that was prepared was
    sent before the time was over.
    """

    messages: int
    length: int
    transactions_per_s: Spread
    messages_per_s: Spread
    engine_cpu_us: Spread
    node_cpu_us: Spread
    message_cpu_us: Spread
    cores: dict[str, float]
    blocks_per_s: float
    transactions_per_block: float
    block_pause: Percentiles | None
    written_per_transaction: float
    memory_mib: dict[str, float]
    refused: dict[str, int]
    full: int
    lost: int
    late_blocks: int
    ran_out: bool


class NetworkFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One network. `finality`: from sending one transaction to its block being applied; `parts`:
    the same time cut into what goes on one after the other (`light.Committed`).
    """

    name: str
    title: str
    validators: int
    finality: Percentiles | None
    loads: tuple[LoadFigures, ...]
    agree: bool
    accepted: int
    sampled: int
    parts: dict[str, Percentiles] = {}


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that was not measured in this run, for the record."""

    name: str
    unit: str
    least: float
    most: float


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """What Hansa is held to, from this run: the peer's time, and a signature check per validator.

    `check_us`: one check of such a transaction on one core.
    """

    messages: int
    peer_per_s: float
    check_us: float
    limit_per_s: float
    hansa_per_s: float | None
    ratio: float | None
    goal: float


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """A figure over another of the same run; with a `unit`, a figure that stands alone.

    `row`: of the table of issue "Speed that anyone can repeat".
    """

    name: str
    ratio: float | None
    goal: float
    at_most: bool = False
    row: str = ""
    unit: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None when it was not measured."""
        if self.ratio is None:
            return None
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for. `window`: transactions on their way at once, at most."""

    validators: int
    seconds: float
    warm_up_s: float
    repeat: int
    light: int
    messages: tuple[int, ...]
    alone: bool
    gateway: bool
    networks: tuple[str, ...]
    window: int


class NodeProfile(msgspec.Struct, frozen=True, kw_only=True):
    """Where the nodes' processor time went: shares of it."""

    cpu_s: float
    threads: dict[str, float]
    own: tuple[Share, ...]
    total: tuple[Share, ...]


class Report(Circumstances, frozen=True, kw_only=True):
    """The whole document. `differences`: engine settings that were not equal (none is right)."""

    kind: str = "hansa.bench.network/1"
    plan: Plan
    configuration: dict[str, object]
    differences: tuple[str, ...]
    verify_per_s: float
    networks: tuple[NetworkFigures, ...]
    alone: tuple[NetworkFigures, ...]
    limits: tuple[Limit, ...]
    ratios: tuple[Ratio, ...]
    profile: NodeProfile | None
    faults: tuple[str, ...]
    elsewhere: tuple[Elsewhere, ...] = ()

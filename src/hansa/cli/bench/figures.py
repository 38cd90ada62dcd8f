"""What measurements are reduced to: percentiles, spread, and the limit that speed is held to. Pure.

Times are seconds, rates per second.
"""

from collections.abc import Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """Several repetitions of one figure: the median is the figure."""

    median: float
    least: float
    most: float
    runs: tuple[float, ...]


class Percentiles(msgspec.Struct, frozen=True):
    """Many observations of one time."""

    count: int
    p50: float
    p95: float
    p99: float
    most: float


def compute_quantile(values: Sequence[float], share: float) -> float:
    """The smallest observation that `share` of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -(-round(share * 1000) * len(ordered) // 1000)
    return ordered[max(rank, 1) - 1]


def compute_median(values: Sequence[float]) -> float:
    """The middle observation; of an even number the mean of the two."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def compute_spread(values: Sequence[float]) -> Spread | None:
    """Median and extremes; None when there is nothing."""
    if not values:
        return None
    return Spread(compute_median(values), min(values), max(values), tuple(values))


def spread_of(values: Sequence[float]) -> Spread:
    """As `compute_spread`; of nothing, zeros."""
    return compute_spread(values) or Spread(0.0, 0.0, 0.0, ())


def compute_percentiles(values: Sequence[float]) -> Percentiles | None:
    """p50, p95, p99 and the worst; None when there is nothing."""
    if not values:
        return None
    return Percentiles(
        count=len(values),
        p50=compute_quantile(values, 0.50),
        p95=compute_quantile(values, 0.95),
        p99=compute_quantile(values, 0.99),
        most=max(values),
    )


def compute_limit(peer_rate: float, check_s: float, *, validators: int, cores: int) -> float:
    """Transactions a second that the peer would reach if each of its validators also checked one
    signature (`check_s` seconds of one core) on a machine where they share `cores`.
    """
    return 1 / (1 / peer_rate + validators * check_s / min(cores, validators))


def divide(figure: float | None, by: float | None) -> float | None:
    """A ratio, None when one side is not there."""
    return figure / by if figure is not None and by else None

"""How much the ledger carried: messages in equal stretches of time, from a list of blocks. Pure."""

from collections.abc import Sequence
from typing import Final

import msgspec
from markupsafe import Markup

from hansa.console.charts.bars import Bar, draw_bars
from hansa.console.charts.figure import FormatCount, FormatTime, Frame, build_notice
from hansa.console.charts.scales import format_time_plainly

# Stretches in one picture, at most.
STRETCHES_MAX: Final = 60
_LENGTHS_S: Final = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800),
    *(21_600, 43_200, 86_400, 172_800, 604_800),
)


class BlockLoad(msgspec.Struct, frozen=True):
    """What a block carried, at a block time in ms."""

    height: int
    time_ms: int
    transactions: int
    messages: int


class Stretch(msgspec.Struct, frozen=True):
    """Sums of the blocks of one stretch of time: from `start_ms`, `length_ms` long."""

    start_ms: int
    length_ms: int
    blocks: int
    transactions: int
    messages: int


def sum_stretches(blocks: Sequence[BlockLoad], zone_ms: int = 0) -> list[Stretch]:
    """Equal stretches of a round length over all blocks, idle ones too, oldest first; they begin
    where a clock `zone_ms` before UTC shows something round.
    """
    if not blocks:
        return []
    first = min(block.time_ms for block in blocks)
    last = max(block.time_ms for block in blocks)
    length = _choose_length(last - first)
    begin = (first + zone_ms) // length
    sums = [[0, 0, 0] for _ in range((last + zone_ms) // length - begin + 1)]
    for block in blocks:
        found = sums[(block.time_ms + zone_ms) // length - begin]
        found[0] += 1
        found[1] += block.transactions
        found[2] += block.messages
    return [
        Stretch((begin + at) * length - zone_ms, length, found[0], found[1], found[2])
        for at, found in enumerate(sums)
    ]


def _choose_length(span_ms: int) -> int:
    for seconds in _LENGTHS_S:
        if span_ms < seconds * 1_000 * (STRETCHES_MAX - 1):
            return seconds * 1_000
    return _LENGTHS_S[-1] * 1_000 * (-(-span_ms // (_LENGTHS_S[-1] * 1_000 * (STRETCHES_MAX - 1))))


def draw_throughput(
    frame: Frame,
    blocks: Sequence[BlockLoad],
    *,
    format_time: FormatTime = format_time_plainly,
    format_value: FormatCount = str,
) -> Markup:
    """A figure of messages per stretch of time."""
    stretches = sum_stretches(blocks, frame.zone_ms)
    if not stretches:
        return build_notice(frame)
    words = frame.words
    is_long = stretches[0].length_ms >= 86_400_000
    bars = [
        Bar(
            format_time(each.start_ms, "day" if is_long else "clock"),
            (each.messages,),
            note=(
                f"{format_time(each.start_ms, 'second')}\n{words.blocks}: "
                f"{format_value(each.blocks)}\n{words.transactions}: "
                f"{format_value(each.transactions)}\n{words.messages}: "
                f"{format_value(each.messages)}"
            ),
        )
        for each in stretches
    ]
    return draw_bars(frame, (words.messages,), bars, format_value=format_value, head=words.time)

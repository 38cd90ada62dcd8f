"""What a measurement of food tracing found, as one document, and for people. Pure.

Times are seconds unless the name says otherwise; `cpu` is processor time.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from hansa.cli.answers import format_table
from hansa.cli.bench.circumstances import Circumstances, list_circumstances
from hansa.cli.bench.figures import Percentiles
from hansa.cli.bench.stages import StageFigures

# What the issue asks for: any recall and any trace-back over a million events.
ANSWER_GOAL_S: Final = 1.0
# Capture of events at the rate of invoices, 100 in a transaction.
CAPTURE_GOAL: Final = 1.0


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of question, asked `wall.count` times for different items.

    `found`: things in the answer, `holdings`: lines of it (median and most); `cut`: how often the
    answer was not whole.
    """

    name: str
    wall: Percentiles
    cpu: Percentiles
    found_median: int
    found_most: int
    lines_median: int
    lines_most: int
    bytes_most: int
    cut: int

    @property
    def is_met(self) -> bool:
        """Whether every one was answered in time."""
        return self.wall.most < ANSWER_GOAL_S


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """The read model that was asked. `size_mib`: of the SQLite file."""

    database: str
    events: int
    items: int
    rows: dict[str, int]
    size_mib: float | None
    took_s: float
    cpu_s: float


class CaptureFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Capture beside invoices, one node's processor time (as `hansa bench stages` counts it).

    `read_us`: reading and judging a document of 100 events, per event, at whoever captures it.
    """

    invoices: StageFigures
    events: StageFigures
    read_us: float

    @property
    def ratio(self) -> float:
        """Rate of events over that of invoices."""
        invoice = self.invoices.total_us / self.invoices.messages
        return invoice / (self.events.total_us / self.events.messages)


class FoodPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for. `database`: "" is an SQLite file of the measurement's own."""

    events: int
    questions: int
    database: str
    capture_blocks: int


class FoodReport(Circumstances, frozen=True, kw_only=True):
    """The whole document."""

    kind: str = "hansa.bench.food/1"
    filled: Filled
    questions: tuple[Question, ...]
    capture: CaptureFigures | None

    @property
    def is_met(self) -> bool:
        """Whether every question was answered in time."""
        return all(each.is_met for each in self.questions)


def format_food(report: FoodReport) -> str:
    """All of it for people."""
    return "\n".join(_list_lines(report))


def _list_lines(report: FoodReport) -> Iterator[str]:
    filled = report.filled
    yield from list_circumstances(report)
    size = "" if filled.size_mib is None else f", {filled.size_mib:,.0f} MiB"
    yield (
        f"{filled.database}: {filled.events:,} events, {filled.items:,} items{size}; filled in "
        f"{filled.took_s:,.0f} s ({filled.cpu_s:,.0f} s of processor)"
    )
    yield ""
    columns = ("question", "times", "p50 ms", "p95", "p99", "most", "cpu p50", "most", "found",
               "most", "lines", "most", "KiB", "cut", "")  # fmt: skip
    yield format_table(columns, [_format_question(each) for each in report.questions])
    if report.capture is not None:
        yield ""
        yield from _list_capture(report.capture)


def _format_question(question: Question) -> list[str]:
    wall, cpu = question.wall, question.cpu
    times = [wall.p50, wall.p95, wall.p99, wall.most, cpu.p50, cpu.most]
    return [
        question.name,
        str(wall.count),
        *(f"{seconds * 1000:,.1f}" for seconds in times),
        f"{question.found_median:,}",
        f"{question.found_most:,}",
        f"{question.lines_median:,}",
        f"{question.lines_most:,}",
        f"{question.bytes_most // 1024:,}",
        str(question.cut),
        "✓" if question.is_met else "✗",
    ]


def _list_capture(capture: CaptureFigures) -> Iterator[str]:
    both = (capture.invoices, capture.events)
    columns = ["microseconds of processor a message"]
    columns += [f"{what} ({each.length:,} bytes)" for what, each in
                zip(("100 invoices", "100 events"), both, strict=True)]  # fmt: skip
    names = list(dict.fromkeys(name for each in both for name in each.stages))
    rows = [
        [name, *(f"{each.stages.get(name, 0.0) / each.messages:,.1f}" for each in both)]
        for name in names
    ]
    rows.append(["all", *(f"{each.total_us / each.messages:,.1f}" for each in both)])
    yield format_table(columns, rows)
    yield f"reading and judging the document, at the client: {capture.read_us:,.1f} us an event"
    sign = "✓" if capture.ratio >= CAPTURE_GOAL else "✗"
    yield f"{sign} events / invoices: {capture.ratio:.2f} (goal >= {CAPTURE_GOAL:g})"

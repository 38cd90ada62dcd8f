"""The document of a row of measurements, and how it is printed. Reads the machine; writes nothing.

Times are seconds, rates per second, unless a unit says otherwise.
"""

import os
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from hansa.cli.answers import format_table
from hansa.cli.bench.circumstances import Beginning, Circumstances, list_circumstances
from hansa.cli.bench.figures import Percentiles, Spread
from hansa.cli.bench.machine import measure_busy
from hansa.cli.bench.report import Ratio

Note = float | int | str | bool | None
_MILLI: Final = 1000


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure over all repetitions. `times`: of single answers, in seconds; `notes`: what else
    is worth knowing of it.
    """

    name: str
    unit: str
    spread: Spread
    times: Percentiles | None = None
    notes: dict[str, Note] = {}


class Sheet(Circumstances, frozen=True, kw_only=True):
    """The whole document. `others`: cores that everything else on the machine kept busy while this
    ran: rates are too low where it is not near zero.
    """

    kind: str
    title: str
    others: float
    repeat: int
    warm_up_s: float
    configuration: dict[str, Note]
    figures: tuple[Figure, ...]
    ratios: tuple[Ratio, ...]
    faults: tuple[str, ...] = ()


class Session:
    """One measurement from its beginning: gives the sheet at its end."""

    def __init__(self, name: str, title: str, command: str) -> None:
        self._name, self._title, self._command = name, title, command
        self._beginning = Beginning()
        self._busy, self._own = measure_busy(), _measure_own()

    def close(
        self,
        folder: Path,
        *,
        repeat: int,
        warm_up_s: float,
        configuration: dict[str, Note],
        figures: Sequence[Figure],
        ratios: Sequence[Ratio],
        faults: Sequence[str] = (),
    ) -> Sheet:
        """All of it. Children that are still there count among the others."""
        others = measure_busy() - self._busy - (_measure_own() - self._own)
        others /= self._beginning.took_s
        return Sheet(
            kind=f"hansa.bench.{self._name}/1",
            title=self._title,
            **self._beginning.end(folder, self._command),
            others=round(max(0.0, others), 2),
            repeat=repeat,
            warm_up_s=warm_up_s,
            configuration=configuration,
            figures=tuple(figures),
            ratios=tuple(ratios),
            faults=tuple(faults),
        )


def _measure_own() -> float:
    """Processor seconds of this process and of the children that it has seen end."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = os.times()
    return own.user + own.system + ended.ru_utime + ended.ru_stime


def format_sheet(sheet: Sheet) -> str:
    """For people: where, how, figures, ratios, faults."""
    return "\n".join(_list_lines(sheet))


def _list_lines(sheet: Sheet) -> Iterator[str]:
    yield from list_circumstances(sheet)
    yield f"others kept {sheet.others:.2f} cores busy"
    yield sheet.title
    yield (
        f"{sheet.repeat} repetitions after {sheet.warm_up_s:g} s of warm-up; "
        "figures are medians (least to most)"
    )
    yield "; ".join(f"{name}: {value}" for name, value in sheet.configuration.items())
    yield ""
    yield _format_figures(sheet.figures)
    yield ""
    yield from (format_ratio(each) for each in sheet.ratios)
    yield from (f"✗ {fault}" for fault in sheet.faults)


def _format_figures(figures: Sequence[Figure]) -> str:
    columns = ("figure", "median", "least to most", "unit", "p50 ms", "p95", "p99", "notes")
    return format_table(columns, [_format_figure(each) for each in figures])


def _format_figure(figure: Figure) -> list[str]:
    spread, times = figure.spread, figure.times
    extremes = f"{format_number(spread.least)} to {format_number(spread.most)}"
    observed = (times.p50, times.p95, times.p99) if times is not None else ()
    return [
        figure.name,
        format_number(spread.median),
        extremes if len(spread.runs) > 1 else "",
        figure.unit,
        *(format_number(seconds * _MILLI) for seconds in observed),
        *[""] * (3 - len(observed)),
        ", ".join(f"{name} {_format_note(value)}" for name, value in figure.notes.items()),
    ]


def _format_note(value: Note) -> str:
    return format_number(value) if isinstance(value, float) else str(value)


def format_number(value: float) -> str:
    """Three digits that say something, and all before the point."""
    size = abs(value)
    places = 0 if size >= 100 or not size else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{places}f}"


def format_ratio(each: Ratio) -> str:
    """A line: whether the goal is met, and by how much."""
    sign = {True: "✓", False: "✗", None: " "}[each.is_met]
    unit = f" {each.unit}" if each.unit else ""
    shown = "not measured" if each.ratio is None else f"{format_number(each.ratio)}{unit}"
    row = f"{each.row} " if each.row else ""
    order = "<=" if each.at_most else ">="
    return f"{sign} {row}{each.name}: {shown} (goal {order} {each.goal:g}{unit})"

"""`hansa bench all`: every row of the table, one command after the other, each kept in its file.

Starts `hansa bench ROW` for each; writes into the folder that it is given.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from hansa.cli.bench.machine import Load, read_load
from hansa.cli.bench.report import Ratio
from hansa.cli.bench.sheet import format_ratio

# The networks that rows compare; the others are for `hansa bench network` alone.
NETWORK: Final = (
    *("--only", "kvstore", "--only", "hansa", "--only", "hansa-voters"),
    *("--no-alone", "--seconds", "4"),
)


class _Kept(msgspec.Struct):
    """What every document has."""

    ratios: tuple[Ratio, ...]
    faults: tuple[str, ...]


class Done(msgspec.Struct, frozen=True):
    """One row: its command, how it ended, what it found. `exit`: 0 when all went well."""

    command: str
    exit: int
    took_s: float
    file: str
    load_before: Load
    ratios: tuple[Ratio, ...]
    faults: tuple[str, ...]


class AllReport(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of one run."""

    kind: str = "hansa.bench.all/1"
    command: str
    began: str
    took_s: float
    rows: tuple[Done, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every row was measured."""
        return all(each.exit == 0 for each in self.rows)


def conduct_all(
    folder: Path, command: str, names: Sequence[str], homes: Path | None,
    tell: Callable[[str], None], *, quick: bool,
) -> AllReport:  # fmt: skip
    """Measure; what one row cannot do does not stop the others."""
    began, started = datetime.now(UTC), time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in names:
        file = folder / f"{name}-{began.date().isoformat()}.json"
        words = ["bench", name, *list_options(name, homes, quick=quick), "-o", str(file)]
        tell(f"hansa {' '.join(words)}")
        rows.append(run_row(words, file))
    return AllReport(
        command=command,
        began=began.isoformat(timespec="seconds"),
        took_s=round(time.monotonic() - started, 1),
        rows=tuple(rows),
    )


def list_options(name: str, homes: Path | None, *, quick: bool) -> list[str]:
    """The options of a row in a run of all."""
    options = ["--quick"] if quick else []
    if name == "network":
        options += NETWORK[:-2] if quick else NETWORK
    if name == "growth" and homes is not None:
        options += ["--homes", str(homes)]
    return options


def run_row(words: Sequence[str], file: Path) -> Done:
    """One row as a command of its own; its progress is shown, its table is not."""
    before, started = read_load(), time.monotonic()
    file.unlink(missing_ok=True)
    done = subprocess.run(  # noqa: S603  (our own interpreter)
        [sys.executable, "-m", "hansa.cli", *words],
        stdout=subprocess.DEVNULL,
        env=dict(os.environ),
        check=False,
    )
    kept = _Kept((), (f"hansa {' '.join(words)} ended with {done.returncode}",))
    if file.exists():
        kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
    return Done(
        command=f"hansa {' '.join(words)}",
        exit=done.returncode,
        took_s=round(time.monotonic() - started, 1),
        file=file.name,
        load_before=before,
        ratios=kept.ratios,
        faults=kept.faults,
    )


def format_all(report: AllReport) -> str:
    """Every figure that has a goal, row by row."""
    lines = [report.command, f"{report.began}, {report.took_s:.0f} s"]
    for each in report.rows:
        lines += ["", f"{each.command}  ({each.took_s:.0f} s, load {each.load_before.one})"]
        lines += [format_ratio(ratio) for ratio in each.ratios]
        lines += [f"✗ {fault}" for fault in each.faults]
    return "\n".join(lines)

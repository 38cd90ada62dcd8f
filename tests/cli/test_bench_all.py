"""`hansa bench all`, and the pictures of what is kept: what failed is told, the rest is drawn."""

import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec

from hansa.cli.bench.every import AllReport, Done, format_all, list_options, run_row
from hansa.cli.bench.figures import compute_percentiles, spread_of
from hansa.cli.bench.machine import Load, describe_machine
from hansa.cli.bench.report import Ratio
from hansa.cli.bench.rows import NAMES, ROWS
from hansa.cli.bench.sheet import Figure, Sheet

ROOT = Path(__file__).resolve().parents[2]
QUIET = Load(0.0, 0.0, 0.0)


def make_sheet(name: str, began: str, ratio: float, folder: Path) -> Sheet:
    return Sheet(
        kind=f"hansa.bench.{name}/1",
        title="a node <in> one process",
        command=f"hansa bench {name} -o kept.json",
        began=began,
        took_s=1.0,
        machine=describe_machine(folder),
        versions={},
        load_before=QUIET,
        load_after=QUIET,
        others=0.0,
        repeat=3,
        warm_up_s=1.0,
        configuration={},
        figures=(
            Figure(
                name="one a transaction",
                unit="messages/s",
                spread=spread_of([1.0, 2.0, 3.0]),
                times=compute_percentiles([0.1]),
            ),
        ),
        ratios=(Ratio(row="B1", name="over checks", ratio=ratio, goal=0.5),),
    )


def test_every_row_has_a_command_of_its_own() -> None:
    commands = {each.name for each in ROWS} | {"network"}
    assert set(NAMES) <= commands
    assert list_options("growth", Path("/homes"), quick=False) == ["--homes", "/homes"]
    assert list_options("network", None, quick=True)[0] == "--quick"
    assert "--seconds" not in list_options("network", None, quick=True)


def test_a_row_that_cannot_be_measured_is_told_and_its_old_file_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "embedded.json"
    file.write_text("{}")
    done = run_row(["bench", "embedded", "--messages", "0", "-o", str(file)], file)
    assert done.exit == 2 and not file.exists()
    assert done.faults == (f"hansa bench embedded --messages 0 -o {file} ended with 2",)
    report = AllReport(command="hansa bench all", began="now", took_s=1.0, rows=(done,))
    assert not report.is_whole
    assert f"✗ {done.faults[0]}" in format_all(report)


def test_a_run_of_all_shows_each_goal() -> None:
    ratio = Ratio(row="B1", name="over checks", ratio=0.6, goal=0.5)
    row = Done("hansa bench embedded", 0, 1.0, "embedded.json", QUIET, (ratio,), ())
    report = AllReport(command="hansa bench all", began="now", took_s=1.0, rows=(row,))
    assert report.is_whole
    assert "✓ B1 over checks: 0.600 (goal >= 0.5)" in format_all(report)


def draw(folder: Path) -> None:
    command = [sys.executable, str(ROOT / "tools" / "plot_bench.py"), str(folder)]
    subprocess.run(command, check=True)


def keep(folder: Path, name: str, document: Any) -> None:
    (folder / name).write_bytes(msgspec.json.encode(document))


def test_the_newest_of_each_kind_is_drawn_and_stands_in_the_table(tmp_path: Path) -> None:
    keep(tmp_path, "b.json", make_sheet("embedded", "2026-01-01", 0.1, tmp_path))
    keep(tmp_path, "a.json", make_sheet("embedded", "2026-02-01", 0.7, tmp_path))
    keep(tmp_path, "other.json", {"kind": "something else"})
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- rows -->\nold\n<!-- end of rows -->\nafter\n")
    draw(tmp_path)
    text = page.read_text()
    assert text.startswith("before\n<!-- rows -->\n| row |")
    assert text.endswith("<!-- end of rows -->\nafter\n") and "old" not in text
    assert "| B1 | over checks | 0.700 (≥ 0.5) | yes |" in text
    assert "0.100" not in text
    pictures = {path.name for path in tmp_path.glob("*.svg")}
    assert pictures == {"goals.svg", "embedded.svg"}
    for name in pictures:
        ElementTree.fromstring((tmp_path / name).read_text())


def test_what_is_kept_can_be_drawn() -> None:
    folder = ROOT / "docs" / "bench"
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.count("<!-- rows -->") == text.count("<!-- end of rows -->") == 1
    for path in folder.glob("*.json"):
        assert msgspec.json.decode(path.read_bytes())["kind"].startswith(
            ("hansa.bench.", "hansa.soak/")
        ), path

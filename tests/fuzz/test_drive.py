"""Every door is fuzzed for a while, and what is planted is found: led by coverage and by chance."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.processes import ROOT
from tests.fuzz.child import CHANCE, LED, import_atheris
from tests.fuzz.doors import DOORS, ROOMS
from tests.fuzz.drive import Run, run_all, tell

pytestmark = pytest.mark.slow
EACH_S = 2.0
SEED = 7


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_is_found_at_the_doors_of(
    room: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another seed each time: what it finds is a fault, and the count says how far it looked."""
    names = [name for name, where in DOORS.items() if where == room]
    seed = int.from_bytes(tmp_path.stat().st_ino.to_bytes(8, "big")[-3:], "big")
    counts = run_all(names, Run(tmp_path, EACH_S, 0, seed))
    with capsys.disabled():
        print()
        tell(counts)
    logs = [path.parent / "log" for count in counts for path in count.found]
    assert not logs, "\n".join(log.read_text("utf-8", "replace")[-3_000:] for log in logs)
    assert all(count.inputs > 0 for count in counts)


def drive(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz.drive", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("how", [LED, CHANCE])
@pytest.mark.parametrize("fault", ["crash", "hang", "yes"])
def test_a_planted_fault_is_found_and_repeated(fault: str, how: str, tmp_path: Path) -> None:
    if how == LED and import_atheris(LED) is None:
        how = CHANCE
    words = [f"planted_{fault}", "--inputs", "20000", "--folder", str(tmp_path)]
    done = drive(*words, *(["--by-chance"] if how == CHANCE else []))
    assert done.returncode == 1, done.stdout + done.stderr
    repeat = re.search(r"FOUND: python -m tests\.fuzz\.drive (.*)", done.stdout)
    assert repeat is not None
    if fault != "hang":
        again = drive(*repeat[1].split())
        assert again.returncode != 0
        assert ("FalseYes" if fault == "yes" else "ZeroDivisionError") in again.stderr

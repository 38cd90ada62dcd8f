"""A cut of the soak: `tools/soak.py` for some seconds, with idle connections beside the load."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.processes import ROOT

pytestmark = pytest.mark.slow

SOAK = ROOT / "tools" / "soak.py"


def test_a_cut_of_the_soak(tmp_path: Path) -> None:
    """No fault, nothing lost, latency bounded; what only long runs show is not judged."""
    output = tmp_path / "soak.json"
    command = [sys.executable, str(SOAK), "--transactions", "1500", "--memory", "768M"]
    command += ["--idle", "300", "--seconds", "30", "-o", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(output.read_text("utf-8"))
    assert found["verdicts"] == {"no_fault": True, "nothing_lost": True, "latency_bounded": True}
    assert found["committed"] == found["accepted"] > 0
    assert found["idle"][0]["held"] == 300
    assert found["memory"]["most_mib"] < 768
    assert len(found["samples"][0]) == len(found["columns"])

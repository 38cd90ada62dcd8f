"""`hansa simulate`: what it says, its exit codes, and that it leaves nothing."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from hansa.cli.simulate import HASH_BLOCK, PROFILES, command, list_batches
from hansa.testing.simulation import plan as plans
from tests.simulation.mutants import MUTANTS

COMMAND = [sys.executable, "-m", "hansa.cli", "simulate"]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_help_teaches() -> None:
    text = CliRunner().invoke(command, ["--help"]).output
    for word in ("--seeds", "--plan", "--hours", "Exit code: 0 nothing found", "hansa simulate"):
        assert word in text


def test_the_command_offers_every_profile() -> None:
    assert PROFILES == plans.PROFILES


def test_one_question_at_a_time() -> None:
    done = CliRunner().invoke(command, ["--seed", "1", "--hours", "2"])
    assert done.exit_code == 2
    assert "Give one of" in done.output


def test_neighbouring_seeds_share_a_child_and_its_hash_seed() -> None:
    batches = [
        [int(each) for each in batch[batch.index("--seeds") + 1 :]]
        for batch in list_batches(HASH_BLOCK - 2, 5, [])
    ]
    assert batches == [[14, 15], [16, 17, 18]]
    endless = list_batches(5, None, [])
    assert next(endless) == ["--seeds", *map(str, range(5, HASH_BLOCK))]
    assert next(endless) == ["--seeds", *map(str, range(HASH_BLOCK, 2 * HASH_BLOCK))]


@pytest.mark.slow
def test_a_seed_is_the_same_again_and_a_plan_is_run_as_it_is_written(tmp_path: Path) -> None:
    first = run(tmp_path, "--seed", "5", "--profile", "calm", "--json")
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert told["runs"] == 1
    assert told["found"] == []
    assert told["codes"]["ok"] > 0
    assert "ledger.expired" not in told["never"]
    subprocess.run([sys.executable, "-c", WRITE_PLAN], cwd=tmp_path, check=True)
    again = run(tmp_path, "--plan", "plan.json")
    assert again.returncode == 0, again.stderr
    assert told["digests"]["5"][:16] in again.stdout
    assert "nothing found" in again.stdout


WRITE_PLAN = """
from pathlib import Path
from hansa.testing.simulation.replacing import SMALL_LIMITS, install
install(SMALL_LIMITS)
from hansa.testing.simulation.plan import encode_plan
from hansa.testing.simulation.run import draw_plan
Path("plan.json").write_bytes(encode_plan(draw_plan(5, "calm")))
"""


@pytest.mark.slow
def test_what_is_found_is_made_small_and_found_again(tmp_path: Path) -> None:
    """By the child, with a fault planted: the command plants none."""
    mutant = next(each for each in MUTANTS if each.name.startswith("M5 "))
    child = [sys.executable, "-m", "hansa.testing.simulation", "--profile", mutant.profile]
    child += ["--mutant", json.dumps([[mutant.module, mutant.old, mutant.new]])]
    done = subprocess.run(
        [*child, "--seeds", "1", "2", "3", "--blocks", "30", "--first", "--shrink-s", "8"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    told = {each["event"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert told["shrunk"]["checker"] == told["found"]["checker"]
    assert told["shrunk"]["acts"] < told["shrunk"]["was_acts"]
    found = subprocess.run(
        [*child, "--plan", told["shrunk"]["file"], "--no-shrink"], cwd=tmp_path, check=False
    )
    assert found.returncode == 1
    clean = [*child[:3], "--profile", mutant.profile, "--plan", told["shrunk"]["file"]]
    assert subprocess.run(clean, cwd=tmp_path, check=False).returncode == 0


@pytest.mark.slow
def test_a_stop_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--hours", "1", "--profile", "calm"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # as in a terminal
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("seed ")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert list(tmp_path.iterdir()) == []

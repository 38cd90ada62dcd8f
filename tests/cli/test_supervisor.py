"""`hansa start LEAGUE`: all nodes run, what dies begins again, and none outlives its parent.

The nodes are embedded ones: how processes are kept does not depend on their engine.
"""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hansa.cli.crew import BACK_OFF_S, Worker, explain_end
from hansa.cli.league import make_league
from hansa.cli.network import NodeFolder
from hansa.cli.template import BAY
from hansa.node.lock import find_holder
from hansa.node.settings import ApiSettings, Settings, encode_settings
from tests.cli.processes import Shell

pytestmark = pytest.mark.slow

WITHIN_S = 60


@pytest.fixture
def bay(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A league's folder with two nodes, each of which makes its own blocks."""
    monkeypatch.setenv("HANSA_HOME", shell.environment["HANSA_HOME"])
    folder = shell.folder / "bay"
    for number in ("1", "2"):
        home = folder / "nodes" / number
        make_league(home, BAY, f"bay-{number}")
        (home / "node.toml").write_text(encode_settings(Settings(api=ApiSettings(port=0))))
    shutil.copytree(folder / "nodes" / "1" / "keys", folder / "keys")
    for name in ("genesis.json", "names.json"):
        shutil.copy(folder / "nodes" / "1" / name, folder / name)
    return folder


def await_line(stream: Any, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first document on standard output of which that holds."""
    for line in stream:
        said: dict[str, Any] = json.loads(line)
        if holds(said):
            return said
    raise AssertionError("the supervisor has ended")


def lives(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def await_true(holds: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def supervised(shell: Shell, *arguments: str | Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Run `hansa start ARGUMENTS --json`; gives the process and its first document."""
    process = shell.begin("start", *arguments, "--json")
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, process.communicate()
        yield process, json.loads(line)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=WITHIN_S)


@pytest.mark.slow
def test_nodes_run_die_begin_again_and_stop(shell: Shell, bay: Path) -> None:
    with supervised(shell, bay) as (process, ready):
        assert ready["event"] == "ready"
        assert [each["state"] for each in ready["nodes"]] == ["ready", "ready"]
        assert ready["url"] == ready["nodes"][0]["url"]
        for number, each in enumerate(ready["nodes"], start=1):
            status = shell.ask("status", "--league", bay, "--node", str(number))
            assert status["url"] == each["url"]
        second = shell.run("start", bay)
        assert second.exit == 2
        assert f"process {process.pid} runs the nodes" in second.err
        alone = shell.run("start", bay / "nodes" / "2")
        assert alone.exit == 2
        assert "already running" in alone.err

        os.kill(ready["nodes"][1]["pid"], signal.SIGKILL)
        ended = await_line(process.stdout, lambda said: said["event"] == "node_ended")
        assert (ended["number"], ended["reason"]) == (2, "killed (SIGKILL)")
        again = await_line(process.stdout, lambda said: said["event"] == "node_ready")
        assert (again["number"], again["restarts"]) == (2, 1)
        assert again["pid"] != ready["nodes"][1]["pid"]
        pids = [ready["nodes"][0]["pid"], again["pid"]]
        assert all(map(lives, pids))
    assert process.returncode == 0
    assert not any(map(lives, pids))
    assert not list(bay.glob("nodes/*/running.json"))


@pytest.mark.slow
def test_no_node_outlives_a_supervisor_that_was_killed(shell: Shell, bay: Path) -> None:
    with supervised(shell, bay) as (process, ready):
        pids = [each["pid"] for each in ready["nodes"]]
        process.kill()
        await_true(lambda: not any(map(lives, pids)))
    assert not list(bay.glob("nodes/*/running.json"))  # they stopped in order
    assert find_holder(bay) is None
    with supervised(shell, bay, "--only", "2") as (_process, ready):
        assert [each["number"] for each in ready["nodes"]] == [2]
        status = shell.run("status", "--league", bay, "--node", "1")
        assert status.exit == 2
        assert "node 1" in status.err and "--node 2" in status.err


@pytest.mark.slow
def test_a_node_that_somebody_else_runs_is_left_alone(shell: Shell, bay: Path) -> None:
    with (
        supervised(shell, bay / "nodes" / "1") as (alone, one),
        supervised(shell, bay) as (_all, ready),
    ):
        assert [each["state"] for each in ready["nodes"]] == ["elsewhere", "ready"]
        assert ready["nodes"][0]["url"] == one["url"]
        assert lives(alone.pid)


@pytest.mark.slow
def test_a_node_that_cannot_start_is_told_with_its_reason_and_the_others_run(
    shell: Shell, bay: Path
) -> None:
    (bay / "nodes" / "2" / "genesis.json").write_text("{}")
    with supervised(shell, bay) as (process, ready):
        assert [each["state"] for each in ready["nodes"]] == ["ready", "ended"]
        told = await_line(process.stdout, lambda said: said["event"] == "node_ended")
        assert told["number"] == 2
        assert "genesis.json cannot be read" in told["reason"]


@pytest.mark.slow
def test_a_league_of_which_no_node_starts_ends_with_the_reason(shell: Shell, bay: Path) -> None:
    for number in ("1", "2"):
        (bay / "nodes" / number / "genesis.json").write_text("{}")
    done = shell.run("start", bay)
    assert done.exit == 2
    assert "no node has started" in done.err and "genesis.json cannot be read" in done.err
    assert "hansa doctor" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--only", "9"), "no node 9"),
        (("--only", "x"), "no numbers"),
        (("--only", ""), "no numbers"),
        (("--only", "1,,2"), "no numbers"),
        (("--port", "0"), "node.toml"),
        (("--host", "0.0.0.0"), "node.toml"),
        (("--log", "x.log"), "node.toml"),
    ],
)
def test_what_a_league_of_nodes_is_not_told(
    shell: Shell, bay: Path, options: tuple[str, ...], said: str
) -> None:
    done = shell.run("start", bay, *options)
    assert done.exit == 2
    assert said in done.err


def test_only_is_for_leagues_of_nodes_and_nodes_must_be_there(shell: Shell, bay: Path) -> None:
    done = shell.run("start", bay / "nodes" / "1", "--only", "1")
    assert done.exit == 2
    assert "--only is for" in done.err
    for number in ("1", "2"):
        (bay / "nodes" / number / "genesis.json").unlink()
    done = shell.run("start", bay)
    assert done.exit == 2
    assert "none is in it" in done.err


def test_who_fails_again_and_again_waits_longer(tmp_path: Path) -> None:
    worker = Worker(NodeFolder(1, tmp_path))
    for delay_s in (*BACK_OFF_S, BACK_OFF_S[-1]):
        worker._process = _Ended()  # type: ignore[assignment]
        worker._began = before = time.monotonic()
        assert worker.look()
        assert before + delay_s <= worker.again_at <= time.monotonic() + delay_s


class _Ended:
    """A process that ended with status 2."""

    stdin = stdout = None
    pid = 0

    def poll(self) -> int:
        return 2


def test_the_end_of_a_process_is_told_by_its_own_words(tmp_path: Path) -> None:
    words = tmp_path / "start.log"
    assert explain_end(-9, words) == "killed (SIGKILL)"
    assert explain_end(-99, words) == "killed (signal 99)"
    assert explain_end(0, words) == "stopped"
    assert explain_end(2, words) == "exit code 2"
    words.write_bytes(
        b"\xff noise\n" * 2000 + "✗ node.fault: no room\n  next: make some\n".encode()
    )
    assert explain_end(2, words) == "node.fault: no room; next: make some"

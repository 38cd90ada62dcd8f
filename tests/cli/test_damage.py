"""Full disks and damaged files: the league says so with the cure, and ends; nothing is hidden."""

import json
import random
import resource
import signal
from pathlib import Path
from subprocess import Popen

import pytest

from hansa.cli.logfile import CappedFile
from hansa.client.health import Health
from tests.cli.processes import Shell
from tests.node.damage import damage_block

pytestmark = pytest.mark.slow


@pytest.fixture
def bay(shell: Shell) -> Path:
    """A league that was never started."""
    shell.ask("init", "bay")
    return shell.folder / "bay"


def begin(shell: Shell, league: Path) -> tuple["Popen[str]", str]:
    process = shell.begin("start", league, "--port", "0", "--json")
    assert process.stdout is not None
    return process, str(json.loads(process.stdout.readline())["url"])


def refuse_writes(pid: int) -> None:
    """From now on no file of that process grows: each write fails, as on a full disk."""
    _soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))


def deliver(shell: Shell) -> int:
    arguments = ("e-invoice", "deliver-invoice", "--invoice", "x:y", "--as", "seller-a")
    return shell.run(*arguments, "--league", "bay").exit


def test_league_without_room_says_one_sentence_and_ends_with_2(shell: Shell, bay: Path) -> None:
    process, _url = begin(shell, bay)
    refuse_writes(process.pid)
    assert deliver(shell) == 2
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Traceback" not in err and "Exception" not in err
    assert err.count("✗") == 1 and "the league has stopped" in err
    assert "space" in err and "start again" in err
    assert shell.run("status", "--league", "bay").exit == 2
    with shell.started(bay):
        assert deliver(shell) == 1  # there is no such invoice: the ledger judges again
    assert shell.run("doctor", "bay").out.count("✓ data")


def flush_blocks(shell: Shell, league: Path) -> None:
    """Blocks 2 and later in one sorted file, then others in a second one."""
    for _start in range(3):
        with shell.started(league):
            assert deliver(shell) == 1


def test_damaged_block_is_named_by_doctor_and_ends_the_league(shell: Shell, bay: Path) -> None:
    flush_blocks(shell, bay)
    damage_block(bay / "data", 2)
    done = shell.run("doctor", "bay", "--deep")
    assert done.exit == 1
    assert "✗ blocks" in done.out and "Corruption" in done.out and "backup" in done.out
    (bay / "index.sqlite").unlink()
    for name in ("index.sqlite-wal", "index.sqlite-shm"):
        (bay / name).unlink(missing_ok=True)
    process = shell.begin("start", bay, "--port", "0")
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Traceback" not in err and "Exception in" not in err
    assert "damaged" in err and "backup" in err
    log = [json.loads(line) for line in (bay / "node.log").read_text().splitlines()]
    told = {line["event"]: line for line in log}
    assert told["node_stopped"]["kind"] == "CorruptFolderError"
    assert "CorruptFolderError" in told["index_stopped"]["text"]


def test_damaged_read_model_is_named_and_made_anew(shell: Shell, bay: Path) -> None:
    with shell.started(bay):
        assert deliver(shell) == 1
    tables = shell.ask("index", "rebuild", "bay")
    noise = random.Random(5).randbytes(50_000)
    (bay / "index.sqlite").write_bytes(noise)
    done = shell.run("doctor", "bay")
    assert done.exit == 1
    assert "✗ read model" in done.out and "hansa index rebuild" in done.out
    rebuilt = shell.run("index", "rebuild", "bay", "--json")
    assert rebuilt.exit == 0 and rebuilt.err == ""
    assert rebuilt.json == tables
    assert "✓ read model" in shell.run("doctor", "bay").out
    (bay / "index.sqlite").write_bytes(noise)
    with shell.started(bay):
        assert shell.run("status", "--league", "bay").exit == 0
    assert "index_made_anew" in (bay / "node.log").read_text()
    assert shell.ask("index", "rebuild", "bay")["height"] >= tables["height"]


def test_rebuild_writes_no_block(shell: Shell, bay: Path) -> None:
    assert shell.ask("index", "rebuild", "bay")["height"] == 0
    assert shell.ask("index", "rebuild", "bay")["height"] == 0


def test_start_without_room_names_a_next_step(shell: Shell, bay: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        process = shell.begin("start", bay, "--port", "0")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Traceback" not in err and "✗" in err and "next: " in err


def test_status_reads_health(shell: Shell, bay: Path) -> None:
    """A node whose storage fails while its process is held still answers nothing well."""
    process, url = begin(shell, bay)
    try:
        status = shell.ask("status", "--node", url)
        assert status["health"]["status"] == "ok"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert shell.run("status", "--node", url).exit == 2


def test_log_never_raises_and_says_what_it_lost(tmp_path: Path) -> None:
    path = tmp_path / "node.log"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with CappedFile(path) as log:
        log.write('{"event":"first"}\n')
        resource.setrlimit(resource.RLIMIT_FSIZE, (25, before[1]))
        try:
            for _line in range(3):
                log.write('{"event":"lost"}\n')
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        log.write('{"event":"last"}\n')
    log.write("after its end\n")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["first", "log_lines_lost", "last"]
    assert lines[1]["lines"] == 3


def test_failing_health_is_told_by_status_and_doctor(
    shell: Shell, bay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from hansa.cli import doctor, status
    from hansa.client.faults import ClientError

    stopped = Health(status="failing", ledger="node.stopped")
    process, url = begin(shell, bay)
    try:
        for module in (doctor, status):
            monkeypatch.setattr(module, "ask_health", lambda _url: stopped)
        found = doctor.look_at_running(bay)
        assert not found.ok and "node.stopped" in found.text and "hansa start" in found.cure
        done = CliRunner().invoke(status.command, ["--node", url])
        assert isinstance(done.exception, ClientError)
        assert "hansa start" in done.exception.remedy
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

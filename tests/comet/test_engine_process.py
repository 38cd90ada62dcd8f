"""The engine's process: it ends when it must, is killed with us, and says why it ended."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hansa.comet import process
from hansa.comet.faults import EngineStartError
from hansa.comet.process import EngineProcess
from hansa.crypto.keys import PrivateKey
from tests.comet.lone import PATIENCE_S, LoneEngine, is_running


def wait_until_gone(pid: int) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while is_running(pid):
        assert time.monotonic() < give_up, "it lives on"
        time.sleep(0.01)


def make_program(path: Path, script: str) -> Path:
    """A stand-in for the engine that cannot be had from the real one: deaf, or mad."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_program_that_is_missing_or_no_program_is_an_exit_with_words(tmp_path: Path) -> None:
    (tmp_path / "garbage").write_bytes(b"\0" * 100)
    (tmp_path / "garbage").chmod(0o755)
    for name in ("none", "garbage"):
        engine = EngineProcess(tmp_path / name, tmp_path, tmp_path / f"{name}.log")
        engine.start()
        give_up = time.monotonic() + PATIENCE_S
        while engine.alive and time.monotonic() < give_up:
            time.sleep(0.01)
        assert engine.last_exit is not None
        assert name in engine.last_exit.text


def test_a_log_that_cannot_be_written_is_told_before_anything_starts(tmp_path: Path) -> None:
    engine = EngineProcess(Path("/bin/true"), tmp_path, tmp_path / "none" / "engine.log")
    with pytest.raises(EngineStartError) as caught:
        engine.start()
    assert caught.value.cure
    assert not engine.alive
    engine.stop()


def test_an_engine_deaf_to_its_end_is_killed(tmp_path: Path) -> None:
    program = make_program(tmp_path / "deaf", "trap '' TERM INT\nwhile :; do sleep 0.05; done")
    engine = EngineProcess(program, tmp_path, tmp_path / "engine.log")
    engine.start()
    pid = engine.pid
    assert pid is not None
    engine.stop(timeout_s=0.2)
    assert not engine.alive
    assert engine.last_exit is not None and engine.last_exit.code == "stopped"
    wait_until_gone(pid)


def test_the_end_is_told_once_and_not_when_it_was_asked_for(tmp_path: Path) -> None:
    told: list[str] = []
    program = make_program(tmp_path / "brief", "echo 'bind: address already in use'; exit 1")
    engine = EngineProcess(
        program, tmp_path, tmp_path / "engine.log", on_exit=lambda each: told.append(each.code)
    )
    engine.start()
    give_up = time.monotonic() + PATIENCE_S
    while not told and time.monotonic() < give_up:
        time.sleep(0.01)
    engine.stop()
    engine.stop()
    assert told == ["address_in_use"]


def test_whoever_is_told_of_the_end_may_start_again(tmp_path: Path) -> None:
    lives: list[int] = []

    def again(_ended: object) -> None:
        lives.append(1)
        if len(lives) < 4:
            engine.start()

    program = make_program(tmp_path / "brief", "exit 1")
    engine = EngineProcess(program, tmp_path, tmp_path / "engine.log", on_exit=again)
    engine.start()
    give_up = time.monotonic() + PATIENCE_S
    while len(lives) < 4 and time.monotonic() < give_up:
        time.sleep(0.01)
    assert len(lives) == 4


@pytest.mark.parametrize(
    "where", ["CONSENSUS FAILURE!!! ", "Error in validation     module=blocksync height=9 hash=A "]
)
def test_an_engine_whose_consensus_has_ended_is_ended_too(tmp_path: Path, where: str) -> None:
    said = f'E[2026] {where}err="wrong Block.Header.AppHash. Expected A, got B"'
    program = make_program(tmp_path / "halted", f"echo '{said}'\nexec sleep 1000")
    engine = EngineProcess(program, tmp_path, tmp_path / "engine.log")
    engine.start()
    give_up = time.monotonic() + PATIENCE_S
    while engine.alive and time.monotonic() < give_up:
        time.sleep(0.01)
    assert engine.last_exit is not None and engine.last_exit.code == "state_differs"


def test_older_lines_of_the_log_do_not_explain_a_later_end(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_text("CONSENSUS FAILURE!!! no space left on device\n")
    program = make_program(tmp_path / "brief", "echo 'something new'; exit 1")
    engine = EngineProcess(program, tmp_path, log)
    engine.start()
    give_up = time.monotonic() + PATIENCE_S
    while engine.alive and time.monotonic() < give_up:
        time.sleep(0.01)
    assert engine.last_exit is not None and "something new" in engine.last_exit.text
    assert "no space" in log.read_text()


def test_the_log_is_bounded_while_the_engine_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOG_BYTES_MAX", 10_000)
    monkeypatch.setattr(process, "WATCH_S", 0.01)
    log = tmp_path / "engine.log"
    program = make_program(
        tmp_path / "chatty",
        'i=0; while [ $i -lt 400 ]; do echo "$i 0123456789012345678901234567890123456789"; '
        "i=$((i+1)); [ $((i % 100)) -eq 0 ] && sleep 0.1; done; echo the last word; exit 1",
    )
    engine = EngineProcess(program, tmp_path, log)
    engine.start()
    give_up = time.monotonic() + PATIENCE_S
    while engine.alive and time.monotonic() < give_up:
        time.sleep(0.01)
    assert (tmp_path / "engine.log.1").exists()
    assert log.stat().st_size < 20_000
    assert engine.last_exit is not None and "the last word" in engine.last_exit.text


def test_variables_of_the_engine_from_outside_do_not_reach_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CMTHOME", "CMT_RPC_LADDR", "TMHOME", "FAIL_TEST_INDEX"):
        monkeypatch.setenv(name, "/elsewhere")
    program = make_program(tmp_path / "env", "env; exit 1")
    engine = EngineProcess(
        program, tmp_path, tmp_path / "log", test_environment={"FAIL_TEST_INDEX": "7"}
    )
    engine.start()
    give_up = time.monotonic() + PATIENCE_S
    while engine.alive and time.monotonic() < give_up:
        time.sleep(0.01)
    told = (tmp_path / "log").read_text()
    assert "/elsewhere" not in told
    assert "FAIL_TEST_INDEX=7" in told
    assert "PATH=" in told


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_engine_dies_with_whoever_started_it(tmp_path: Path, number: int) -> None:
    program = make_program(tmp_path / "deaf", "trap '' TERM INT HUP\nwhile :; do sleep 0.05; done")
    # Started from a thread that ends at once: that alone must not end the engine.
    script = f"""
import signal, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores it
from pathlib import Path
from hansa.comet.process import EngineProcess
engine = EngineProcess(Path({str(program)!r}), Path("."), Path({str(tmp_path / "log")!r}))
thread = threading.Thread(target=engine.start)
thread.start()
thread.join()
time.sleep(0.3)
print(engine.pid, flush=True)
time.sleep(1000)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.send_signal(number)
        parent.wait(PATIENCE_S)
        wait_until_gone(pid)
    finally:
        parent.kill()
        parent.wait()


@pytest.mark.slow
def test_an_engine_starts_stops_and_goes_on(lone: Callable[..., LoneEngine]) -> None:
    one = lone().start()
    one.rpc.broadcast([b"a=1"])
    one.wait_for(lambda: one.rpc.status().height >= 2)
    height = one.rpc.status().height
    one.process.restart()
    one.wait_for(lambda: one.rpc.status().height >= height)
    one.process.start()  # it runs: nothing happens
    one.process.kill()
    assert not one.process.alive and one.process.pid is None
    one.start(height)
    one.process.stop()
    assert one.exits == []
    assert not one.sockets.rpc.exists()


@pytest.mark.slow
def test_a_killed_engine_is_told_and_can_start_again(lone: Callable[..., LoneEngine]) -> None:
    one = lone().start()
    assert one.process.pid is not None
    os.kill(one.process.pid, signal.SIGKILL)
    assert one.wait_for_end().code == "killed"
    assert one.sockets.rpc.exists()  # left behind, and no hindrance:
    one.start()


@pytest.mark.slow
def test_a_taken_port_is_named(lone: Callable[..., LoneEngine]) -> None:
    first, second = lone().start(), lone()
    second.port = first.port
    config = (second.folder / "config" / "config.toml").read_text()
    taken = config.replace(second.config.listen, first.config.listen)
    (second.folder / "config" / "config.toml").write_text(taken)
    second.process.start()
    assert second.wait_for_end().code == "address_in_use"


@pytest.mark.slow
def test_a_second_engine_on_one_folder_is_refused(lone: Callable[..., LoneEngine]) -> None:
    one = lone().start()
    second = EngineProcess(one.process._binary, one.folder, one.home / "second.log")
    second.start()
    one.wait_for(lambda: not second.alive)
    assert second.last_exit is not None and second.last_exit.code == "locked"
    assert one.process.alive


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("release_differs", "persistent_kvstore", "noop"),
        ("genesis_differs", '"max_bytes": "4000000"', '"max_bytes": "4000001"'),
    ],
)
def test_an_engine_that_cannot_take_the_leagues_blocks_ends_with_the_reason(
    lone: Callable[..., LoneEngine], code: str, before: str, after: str
) -> None:
    first = lone().start()
    second = lone(validator=None, node=PrivateKey.from_seed("EdDSA", b"o" * 32), root=b"")
    for name in ("config.toml", "genesis.json"):
        file = second.folder / "config" / name
        file.write_text(file.read_text().replace(before, after))
    second.process.start()
    second.wait_for(lambda: second.rpc.status().height == 0)
    first.rpc.dial([second.address])
    assert second.wait_for_end().code == code
    assert "CONSENSUS FAILURE" in second.log.read_text()
    assert first.process.alive


@pytest.mark.slow
def test_an_engine_older_than_its_application_is_named(lone: Callable[..., LoneEngine]) -> None:
    one = lone(heartbeat_ms=50).start(height=2)
    one.process.stop()
    parts = [one.folder / "data" / name for name in ("blockstore.db", "state.db", "cs.wal")]
    for part in parts:
        shutil.copytree(part, one.home / part.name)
    one.start(height=6)
    one.process.stop()
    for part in parts:
        shutil.rmtree(part)
        shutil.copytree(one.home / part.name, part)
    one.process.start()
    assert one.wait_for_end().code == "application_ahead"
    for part in parts:
        shutil.rmtree(part)
    one.exited.clear()
    one.process.start()
    assert one.wait_for_end().code == "engine_empty"


@pytest.mark.slow
def test_files_that_the_engine_cannot_read_are_named(lone: Callable[..., LoneEngine]) -> None:
    damage = {
        "genesis.json": "genesis_differs",
        "config.toml": "configuration",
        "priv_validator_key.json": "key_unreadable",
    }
    for name, code in damage.items():
        one = lone()
        (one.folder / "config" / name).write_text("{")
        one.process.start()
        assert one.wait_for_end().code == code
        one.write()
        one.start()
        one.close()


@pytest.mark.slow
def test_fail_points_are_for_tests_that_ask_for_them(lone: Callable[..., LoneEngine]) -> None:
    one = lone(test_environment={"FAIL_TEST_INDEX": "2"})
    one.process.start()
    assert "fail-test" in one.wait_for_end().text

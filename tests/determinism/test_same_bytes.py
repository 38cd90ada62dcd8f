"""The same blocks, with every message type and every rejection, give the same bytes anywhere."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from hansa.appkit.application import collect_rejections
from hansa.catalog import load_applications
from hansa.ledger.contracts import get_version
from hansa.ledger.rejections import Rejection
from tests.determinism.pythons import find_others
from tests.determinism.record import Recorded

ROOT = Path(__file__).resolve().parents[2]

# Rejections of the kernel that answer a reader or a genesis, and one that the patterns of all
# message types forestall: a second line of defence for applications to come.
NEVER_IN_A_BLOCK = {
    "ledger.impossible_key",
    "ledger.unsafe_identifier",
    "ledger.version_pruned",
    "ledger.wrong_genesis",
}

# What is left when all is imported: from enough to too little.
MEMORY_KB = (1_048_576, 16_384, 4_096, 1_024)

PLACES = (
    {"PYTHONHASHSEED": "0", "TZ": "Asia/Macau", "LC_ALL": "C", "cwd": "/"},
    {"PYTHONHASHSEED": "1", "TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "cwd": "/tmp"},
    {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Apia", "LC_ALL": "POSIX", "cwd": str(ROOT)},
)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blocks")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "tests.determinism.record"]
    command += ["-p", "no:cacheprovider", "tests/contracts", "tests/apps"]
    command += ["tests/determinism/test_kernel_rejections.py"]
    command += ["-k", "not mutant and not documents and not tree"]
    command += ["--ignore", "tests/apps/food_trace/routes"]  # a gateway's threads, no new messages
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "HANSA_RECORD": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return folder


def list_declared_types() -> set[str]:
    return {
        f"type {application.name}/{message.__name__}/{get_version(message)}"
        for application in load_applications()
        for message in application.messages
        if not message.INTERNAL
    }


def list_declared_codes() -> set[str]:
    load_applications()
    codes = {
        f"code {rejection.CODESPACE}.{rejection.CODE}"
        for application in load_applications()
        for rejection in application.rejections
    }
    for kind in collect_rejections(Rejection):
        is_ours = kind.__module__.startswith("hansa.")
        if is_ours and kind.CODESPACE == "ledger" and f"ledger.{kind.CODE}" not in NEVER_IN_A_BLOCK:
            codes.add(f"code ledger.{kind.CODE}")
    return codes


@pytest.mark.slow
def test_recorded_blocks_hold_every_message_type_and_every_rejection(recorded: Path) -> None:
    covered: set[str] = set()
    for path in recorded.glob("*.json"):
        covered.update(msgspec.json.decode(path.read_bytes(), type=Recorded).covered)
    assert sorted(list_declared_types() - covered) == []
    assert sorted(list_declared_codes() - covered) == []


@pytest.fixture(scope="module")
def expected(recorded: Path) -> dict[str, str]:
    found = {
        path.name: msgspec.json.decode(path.read_bytes(), type=Recorded).digest
        for path in recorded.glob("*.json")
    }
    assert found
    return found


def replay(
    recorded: Path, *options: str, python: Path | str = sys.executable, place: dict[str, str] | None
) -> subprocess.CompletedProcess[str]:
    environment = dict(place or PLACES[0])
    return subprocess.run(
        [python, "-m", "tests.determinism.replay", str(recorded), *options],
        cwd=environment.pop("cwd"),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def read_digests(text: str) -> dict[str, str]:
    """Of whole lines: the last one of a process that died may be cut."""
    return dict(line.split() for line in text.splitlines(keepends=True) if line.endswith("\n"))


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place["TZ"])
def test_replay_in_a_fresh_interpreter_gives_the_same_bytes(
    recorded: Path, expected: dict[str, str], place: dict[str, str]
) -> None:
    done = replay(recorded, place=place)
    assert done.returncode == 0, done.stderr[-3000:]
    assert read_digests(done.stdout) == expected


@pytest.mark.slow
@pytest.mark.parametrize("every", [0, 1], ids=["never", "always"])
def test_when_garbage_is_collected_changes_nothing(
    recorded: Path, expected: dict[str, str], every: int
) -> None:
    done = replay(recorded, "--collect", str(every), place=None)
    assert done.returncode == 0, done.stderr[-3000:]
    assert read_digests(done.stdout) == expected


@pytest.mark.slow
def test_memory_that_ends_gives_the_same_bytes_or_none(
    recorded: Path, expected: dict[str, str]
) -> None:
    """A node whose memory ends may die; what it computed before is what all others have."""
    died = 0
    for kilobytes in MEMORY_KB:
        done = replay(recorded, "--memory", str(kilobytes), place=None)
        found = read_digests(done.stdout)
        assert found.items() <= expected.items(), kilobytes
        assert (done.returncode == 0) == (found == expected), done.stderr[-3000:]
        died += done.returncode != 0
    assert 0 < died < len(MEMORY_KB)


@pytest.mark.slow
def test_other_pythons_give_the_same_bytes(
    recorded: Path, expected: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever this machine has; which these are is said."""
    others = find_others()
    told = [f"{each.version}: not run, {each.problem}" for each in others if not each.python]
    for version, python in [(each.version, each.python) for each in others if each.python]:
        done = replay(recorded, python=python, place=None)
        assert done.returncode == 0, f"{version}: {done.stderr[-3000:]}"
        assert read_digests(done.stdout) == expected, version
        told.append(f"{version}: {len(expected)} leagues, the same bytes")
    own = ".".join(map(str, sys.version_info[:3]))
    with capsys.disabled():
        print(f"\nPythons beside {own}: {'; '.join(told) or 'none is here'}")

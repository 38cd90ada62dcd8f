"""The house stays as its documents say: package map, scaffolding, budgets."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hansa.catalog import CIVIC, load_applications
from hansa.ledger.contracts import get_version

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.parent.name for path in (ROOT / "src" / "hansa").glob("*/__init__.py"))


def run(folder: Path, *command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{folder / 'src'}:{folder}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "README.md"])
def test_the_map_names_every_package_and_no_other(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for package in PACKAGES:
        assert f"`{package}`" in text or f"`{package}/" in text, package
    for named in re.findall(r"`(?:src/hansa/)?([a-z]+)/`", text):
        assert (ROOT / "src" / "hansa" / named).is_dir() or (ROOT / named).is_dir(), named


def test_every_application_has_the_same_rooms() -> None:
    for name in CIVIC:
        folder = ROOT / "src" / "hansa" / "apps" / name
        for room in ("model", "contract"):
            assert (folder / f"{room}.py").exists() or (folder / room).is_dir(), (name, room)
        assert (folder / "README.md").exists()
        assert (folder / "__init__.py").exists()


def test_applications_describe_all_that_they_use() -> None:
    for application in load_applications():
        assert application.records, application.name
        assert application.rejections or application.name == "quotas", application.name
        for message in application.messages:
            assert message.__doc__, message
            assert get_version(message) >= 1
        for rejection in application.rejections:
            assert rejection.RULE, rejection
            assert rejection.TEXT, rejection
            assert rejection.REMEDY, rejection


def test_codes_and_kinds_are_unique_in_each_application() -> None:
    for application in load_applications():
        kinds = [(record.KIND, get_version(record)) for record in application.records]
        assert len(kinds) == len(set(kinds)), application.name
        names = [(event.__name__, get_version(event)) for event in application.events]
        assert len(names) == len(set(names)), application.name


@pytest.mark.slow
def test_a_new_application_passes_every_gate_untouched(tmp_path: Path) -> None:
    for part in ("src", "tools", "docs", "schemas"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tests" / "apps").mkdir(parents=True)
    (tmp_path / "tests" / "__init__.py").touch()
    (tmp_path / "tests" / "apps" / "__init__.py").touch()
    done = subprocess.run(
        [sys.executable, "tools/new_app.py", "harbour_dues"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{tmp_path / 'src'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    run(tmp_path, "ruff", "format", "--check", "src/hansa/apps/harbour_dues", "tests")
    run(tmp_path, "ruff", "check", "src/hansa/apps/harbour_dues", "tests")
    run(tmp_path, "mypy", "src/hansa/apps/harbour_dues")
    run(tmp_path, "importlinter.cli", "lint")
    run(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", "tests/apps/harbour_dues")
    for tool in ("tidy.py", "consensus.py", "generate_reference.py"):
        done = subprocess.run(
            [sys.executable, f"tools/{tool}", "--check"],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{tmp_path / 'src'}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

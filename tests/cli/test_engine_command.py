"""`hansa engine`: what is installed is told, what is not is refused with a next step."""

import json
from pathlib import Path

import pytest

from tests.cli.processes import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A user without any engine."""
    found = Shell(tmp_path, tmp_path)
    found.environment["HANSA_CACHE"] = str(tmp_path / "cache")
    return found


def test_a_missing_engine_is_a_no_with_the_next_step(shell: Shell) -> None:
    done = shell.run("engine", "version")
    assert done.exit == 1
    assert "hansa engine install" in done.err
    document = shell.run("engine", "version", "--json").json
    assert document["version"] == "v0.39.4"
    assert {each["state"] for each in document["engines"]} == {"missing"}
    assert [each["version"] for each in document["engines"] if each["used"]] == ["v0.39.4"]


def test_a_damaged_engine_is_a_no(shell: Shell) -> None:
    folder = Path(shell.environment["HANSA_CACHE"]) / "engine" / "v0.39.4"
    folder.mkdir(parents=True)
    record = {"kind": "hansa.engine/1", "version": "v0.39.4", "sum": "h1:other", "go": "1.26.8"}
    record |= {"platform": "", "sha256": "", "size": 1}
    (folder / "engine.json").write_text(json.dumps(record))
    assert shell.run("engine", "version").exit == 1


@pytest.mark.parametrize("version", ["v1.0.1", "latest", "0.39.4"])
def test_a_version_that_is_not_known_is_refused_with_those_that_are(
    shell: Shell, version: str
) -> None:
    done = shell.run("engine", "install", "--version", version, "--json")
    assert done.exit == 2
    assert done.json["error"]["code"] == "engine.fault"
    assert "v0.39.4" in done.json["error"]["remedy"]

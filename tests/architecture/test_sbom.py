"""docs/sbom.cdx.json is of the locks, whole, with licences that may be used."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tools import sbom

from tests.cli.processes import ROOT

DOCUMENT: dict[str, Any] = json.loads(sbom.FILE.read_text("utf-8"))
PACKAGES = {each["name"]: each for each in DOCUMENT["components"]}


@pytest.mark.parametrize("lock", [sbom.RUNTIME, sbom.DEVELOPMENT])
def test_each_locked_package_is_listed_with_version_and_hashes(lock: str) -> None:
    """Read here by another way than the tool's own."""
    text = (ROOT / lock).read_text("utf-8").replace("\\\n", " ")
    pinned = [line for line in text.splitlines() if "==" in line]
    assert len(pinned) > 40
    for line in pinned:
        name, version = line.split()[0].split("==")
        listed = PACKAGES[name]
        assert (listed["version"], listed["purl"]) == (version, f"pkg:pypi/{name}@{version}")
        hashes = {each["content"] for each in listed["hashes"]}
        assert hashes == set(re.findall(r"sha256:([0-9a-f]{64})", line))
        if lock == sbom.RUNTIME:
            assert listed["scope"] == "required"


def test_nothing_else_is_listed_but_what_is_fetched_beside() -> None:
    locked = set(sbom.read_lock(sbom.DEVELOPMENT))
    assert set(PACKAGES) - locked == {package.name for package in sbom.PACKAGES}
    assert set(sbom.read_lock(sbom.RUNTIME)) <= locked


def test_every_licence_may_be_used() -> None:
    assert sbom.list_refused(DOCUMENT) == []


@pytest.mark.parametrize(
    ("expression", "shipped", "developed"),
    [
        ("MIT", True, True),
        ("MIT OR GPL-3.0-only", True, True),
        ("MIT AND GPL-3.0-only", False, False),
        ("GPL-2.0-or-later", False, False),
        ("AGPL-3.0-only", False, False),
        ("LGPL-3.0-or-later", False, True),
        ("", False, False),
        ("Proprietary", False, False),
    ],
)
def test_gpl_and_what_is_not_known_are_refused(
    expression: str, shipped: bool, developed: bool
) -> None:
    assert sbom.is_allowed(expression, is_shipped=True) is shipped
    assert sbom.is_allowed(expression, is_shipped=False) is developed


def test_a_package_of_unknown_licence_is_refused() -> None:
    with pytest.raises(sbom.UnknownLicence):
        sbom.find_licence("no-such-package", {})


def test_the_document_is_cyclonedx_with_references_that_lead_somewhere() -> None:
    assert (DOCUMENT["bomFormat"], DOCUMENT["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", DOCUMENT["serialNumber"])
    references = [each["bom-ref"] for each in DOCUMENT["components"]]
    assert len(set(references)) == len(references)
    (root,) = DOCUMENT["dependencies"]
    assert root["ref"] == DOCUMENT["metadata"]["component"]["bom-ref"]
    assert set(root["dependsOn"]) <= set(references)
    assert len(root["dependsOn"]) > 20


def test_it_is_made_again_as_it_is() -> None:
    """The same locks, the same bytes, in another process; nothing is asked over a network."""
    script = "import socket, runpy, sys; del socket.socket; sys.argv[1:] = ['--check'];"
    script += f"runpy.run_path({str(Path(ROOT) / 'tools' / 'sbom.py')!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

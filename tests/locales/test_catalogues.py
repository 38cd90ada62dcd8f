"""Every message, field, state, rejection, role and sentence has its words in all four languages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hansa.locales import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report() -> dict[str, dict[str, list[str]]]:
    done = subprocess.run(
        [sys.executable, "tools/catalogue.py", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_word_is_there_and_right(report: dict[str, dict[str, list[str]]], tag: str) -> None:
    """`tools/catalogue.py --write` makes the entries, `--list TAG` names what lacks."""
    assert report[tag] == {"missing": [], "faults": []}

"""No regular expression of our code is slow, whatever it is given (ReDoS)."""

import re
import subprocess
import sys

import pytest

from tests.cli.processes import ROOT
from tests.security import patterns

pytestmark = pytest.mark.slow


def test_no_pattern_is_slow_at_its_worst() -> None:
    """50 kB of each repetition of each pattern, in the ways in which our code uses it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.security.patterns"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(lines) > 150
    assert [line for line in lines if float(line[0]) >= patterns.SECONDS] == []


@pytest.mark.parametrize(
    "slow", [r"(a+)+\Z", r"(a|a)*b", r"(\w+\s?)+\Z", r"x(?:[a-z]+)*y", r"[\w()]+\(.*\)$"]
)
def test_what_is_slow_is_found(slow: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.05)
    patterns.arm()
    seconds, _how = patterns.judge(re.compile(slow), {"match"})
    assert seconds >= 0.05


def test_what_is_linear_is_not() -> None:
    patterns.arm()
    assert patterns.judge(re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"), {"fullmatch"})[0] < 1

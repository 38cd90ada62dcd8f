"""The public door: every expectation and example through `hansa e-invoice check FILE… --json`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hansa.apps.e_invoice.documents.check import check_files, format_report
from tests.apps.e_invoice.documents_data import EN16931, EXAMPLES, FIXTURES, read_expectations

HANSA = Path(sys.executable).with_name("hansa")


def check(*files: Path, code: int, sent: bytes = b"") -> list[dict]:
    names = [str(file) for file in files]
    done = subprocess.run(
        [HANSA, "e-invoice", "check", *names, "--json"],
        input=sent,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    reports = json.loads(done.stdout)
    assert [report["file"] for report in reports] == names
    for report in reports:
        assert set(report) == {"file", "verdict", "failures"}
        for failure in report["failures"]:
            assert set(failure) == {"rule", "flag", "path", "text"}
    return reports


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["unit-invoice-ubl", "unit-creditnote-ubl"])
def test_every_expectation_is_met_through_the_command(folder: str, tmp_path: Path) -> None:
    expectations = list(read_expectations(folder))
    files: dict[bytes, Path] = {}
    for expected in expectations:
        if expected.fragment not in files:
            files[expected.fragment] = tmp_path / f"{len(files)}.xml"
            files[expected.fragment].write_bytes(expected.fragment)
    reports = dict(zip(files, check(*files.values(), code=1), strict=True))
    for expected in expectations:
        failures = reports[expected.fragment]["failures"]
        flags = {failure["flag"] for failure in failures if failure["rule"] == expected.rule}
        wanted = {"success": set(), "error": {"fatal"}, "warning": {"warning"}}
        assert flags == wanted[expected.outcome], expected


def test_every_example_is_valid_through_the_command() -> None:
    files = sorted(
        (*EN16931.glob("*-examples/*.xml"), *EXAMPLES.glob("*.xml"), *FIXTURES.glob("*.xml"))
    )
    assert {report["verdict"] for report in check(*files, code=0)} == {"valid"}


def test_exit_codes_tell_valid_invalid_and_unjudged_apart(tmp_path: Path) -> None:
    good, bad, odd = tmp_path / "good.xml", tmp_path / "bad.xml", tmp_path / "odd.xml"
    invoice = (EXAMPLES / "ubl-tc434-example3.xml").read_bytes()
    good.write_bytes(invoice)
    bad.write_bytes(invoice.replace(b"<cbc:ID>TOSL108</cbc:ID>", b""))
    odd.write_bytes(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    assert check(good, code=0)[0]["failures"] == []
    reports = check(good, bad, code=1)
    assert [report["verdict"] for report in reports] == ["valid", "invalid"]
    assert reports[1]["failures"][0]["rule"] == "BR-02"
    assert reports[1]["failures"][0]["path"] == "/Invoice"
    assert [each["verdict"] for each in check(good, odd, code=2)] == ["valid", "unjudged"]
    check(odd, bad, code=1)
    check(tmp_path / "missing.xml", tmp_path, code=2)
    check(tmp_path / "missing.xml", bad, code=1)


def test_invalid_pipe_is_not_read(tmp_path: Path) -> None:
    """A pipe that nobody writes to would never end."""
    pipe = tmp_path / "pipe.xml"
    os.mkfifo(pipe)
    (failure,) = check(pipe, code=2)[0]["failures"]
    assert failure["rule"] == "FILE-UNREADABLE"
    assert "a pipe, a device or a socket is not read" in failure["text"]


def test_minus_is_the_standard_input() -> None:
    invoice = (EXAMPLES / "ubl-tc434-example3.xml").read_bytes()
    (report,) = check(Path("-"), code=0, sent=invoice)
    assert report["verdict"] == "valid"
    assert check(Path("-"), code=2)[0]["verdict"] == "unjudged"


def test_one_broken_rule_is_not_called_rules(tmp_path: Path) -> None:
    bad = tmp_path / "bad.xml"
    invoice = (EXAMPLES / "ubl-tc434-example3.xml").read_bytes()
    bad.write_bytes(invoice.replace(b"<cbc:ID>TOSL108</cbc:ID>", b""))
    assert "invalid (1 rule broken)" in next(format_report(next(check_files([str(bad)]))))

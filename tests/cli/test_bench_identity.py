"""`hansa bench identity`: what it measures holds, and its report says what was found."""

from pathlib import Path

import pytest

from hansa.cli.bench.identity import IdentityReport, format_identity, measure_dids
from hansa.cli.bench.identity_work import Rate, measure_evidence, measure_lists, measure_suite
from hansa.cli.bench.machine import describe_machine, read_load


def test_every_suite_is_measured_beside_its_own_raw_rate(tmp_path: Path) -> None:
    rates = [*measure_suite("EdDSA", 1, 1), measure_evidence(10, 1)]
    works = [each.work for each in rates]
    assert works[:4] == ["raw sign", "raw verify", "issue VC 2.0", "verify VC 2.0"]
    assert all(each.per_second > 0 for each in rates)
    assert rates[2].share == rates[2].per_second / rates[0].per_second
    report = IdentityReport(
        command="hansa bench identity",
        began="now",
        took_s=1.0,
        machine=describe_machine(tmp_path),
        versions={},
        load_before=read_load(),
        load_after=read_load(),
        rates=(*rates, Rate("", "DID read", 12_345.6)),
        lists=tuple(measure_lists()),
    )
    text = format_identity(report)
    assert "12,346" in text
    assert "W3C bitstring" in text


@pytest.mark.slow
def test_dids_are_read_at_a_node(tmp_path: Path) -> None:
    assert [each.work for each in measure_dids(tmp_path / "league", 6, 1)] == [
        "DID read",
        "DID read with proof",
        "DID read with proof, first",
    ]

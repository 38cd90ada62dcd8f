"""What the command line prints: tables that align, refusals with a next step, logs with an end."""

from pathlib import Path

import pytest

from hansa.cli.answers import NO, UNJUDGED, describe_fault, draw_table, format_table, measure_width
from hansa.cli.asking import format_cell, format_value
from hansa.cli.logfile import CappedFile
from hansa.client.faults import ClientError, Refused
from hansa.ledger.rejections import Rejection


class TooBlue(Rejection):
    """It is too blue."""

    CODE = "too_blue"
    RULE = "R7"
    TEXT = "{what} is too blue."
    REMEDY = "Paint {what} again."


def test_tables_align_in_every_script() -> None:
    text = format_table(["name", "n"], [["羊城示範", "1"], ["Ram City", "22"], ["é́", "3"]])
    lines = text.splitlines()
    assert lines[0] == "NAME      N"
    assert {measure_width(line[: -len(line.split()[-1])]) for line in lines} == {10}


def test_rejection_is_a_no_with_rule_and_remedy() -> None:
    fault = describe_fault(TooBlue(what="the door"))
    assert fault == ("ledger.too_blue", "the door is too blue.", "R7", "Paint the door again.", NO)


def test_refused_is_a_no_and_a_fault_could_not_be_judged() -> None:
    assert describe_fault(Refused("a.b", "t", rule="r", remedy="m")).exit == NO
    assert describe_fault(ClientError("t", "m")).exit == UNJUDGED
    assert describe_fault(OSError(28, "No space left on device", "/x")).exit == UNJUDGED


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("e_invoice.not_registered", 422, NO),
        ("ledger.quota_spent", 429, NO),
        ("ledger.malformed", 400, NO),
        ("ledger.held", 409, NO),
        ("node.no_such_transaction", 404, NO),
        ("api.not_found", 404, NO),
        ("api.sign_in_refused", 403, NO),
        ("node.stopped", 422, UNJUDGED),
        ("node.stopped", 503, UNJUDGED),
        ("api.busy", 429, UNJUDGED),
        ("api.busy", 503, UNJUDGED),
        ("api.internal", 500, UNJUDGED),
        ("api.invalid_parameter", 400, UNJUDGED),
        ("api.sign_in_first", 401, UNJUDGED),
        ("http.502", 502, UNJUDGED),
    ],
)
def test_a_rule_is_a_no_and_a_fault_or_wrong_question_is_not(
    code: str, status: int, expected: int
) -> None:
    assert describe_fault(Refused(code, "t", status=status)).exit == expected


@pytest.mark.parametrize("error", [ValueError("secret"), RecursionError(), MemoryError()])
def test_unexpected_fault_says_what_to_do_and_not_what_it_held(error: Exception) -> None:
    fault = describe_fault(error)
    assert fault.exit == UNJUDGED
    assert "secret" not in fault.text
    assert "HANSA_DEBUG=1" in fault.remedy


def test_log_does_not_grow_without_end(tmp_path: Path) -> None:
    with CappedFile(tmp_path / "node.log", bytes_max=1_000) as log:
        for number in range(200):
            log.write(f"line {number}\n")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["node.log", "node.log.1"]
    assert all(path.stat().st_size < 1_100 for path in tmp_path.iterdir())
    assert "line 199" in (tmp_path / "node.log").read_text() + (tmp_path / "node.log.1").read_text()


def test_narrow_terminals_show_identifiers_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    one, two = "did:hansa:" + "a" * 32, "f" * 64
    for row in ([one, "some words that may be folded as they are many, and more"], [one, two]):
        text = draw_table(["did", "other"], [row])
        assert one in text
        assert row[1].split()[-1] in text
        assert all(measure_width(line) <= 80 for line in text.splitlines())
    assert two in text


def test_cells_are_json_or_identifiers_and_never_python() -> None:
    pair = {"scheme": "CN-USCC", "value": "91440101MA59EXAM08"}
    assert format_value([pair, pair]) == "CN-USCC:91440101MA59EXAM08 CN-USCC:91440101MA59EXAM08"
    assert format_value([{"since": 0, "standing": "good"}]) == '[{"since":0,"standing":"good"}]'
    assert format_cell("f" * 64) == "f" * 64
    assert format_cell("many words " * 9).endswith("…")

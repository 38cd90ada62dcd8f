"""`hansa e-invoice issue`: each paper once, whatever interrupts it; what is wrong is named."""

import json
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.processes import EXAMPLES, Shell
from tests.cli.trade import Trade

pytestmark = pytest.mark.slow
PARTIES = ("--seller", "seller-a", "--buyer", "buyer", "--as", "seller-a")


@pytest.fixture
def own(tmp_path: Path) -> Trade:
    """A league of this test's own, not running yet."""
    outside = Shell(tmp_path / "home", tmp_path)
    outside.ask("init", "bay")
    return Trade(Shell(tmp_path / "home", tmp_path / "bay"))


def count_numbers(trade: Trade) -> int:
    """How many numbers seller-a has used in DKK, by the ledger's own count."""
    quota = trade.shell.ask(
        "e-invoice", "show", "quota", trade.numbers["seller-a"], "DKK", "--as", "seller-a"
    )
    return int(quota["numbers"])


def kill_after(process: "subprocess.Popen[str]", seconds: float, number: int) -> int:
    """Send a signal after a while; the exit code."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    _out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    return process.returncode


def test_killed_at_any_moment_and_run_again_issues_each_once(trade: Trade) -> None:
    files = [trade.paper() for _ in range(12)]
    before = count_numbers(trade)
    moments = random.Random(7)
    kills = 0
    for _ in range(12):
        process = trade.shell.begin("e-invoice", "issue", *files, *PARTIES)
        kills += kill_after(process, 0.3 + moments.random() * 1.5, signal.SIGKILL) != 0
    lines = trade.shell.ask("e-invoice", "issue", *files, *PARTIES)
    assert kills
    assert {line["state"] for line in lines} == {"issued"}
    assert count_numbers(trade) - before == len(files)
    for line in lines:
        shown = trade.shell.ask("tx", "show", line["transaction"], "--as", "seller-a")
        assert shown["messages"][line["index"]]["code"] == "ok"


def test_league_that_dies_while_issuing_loses_and_doubles_nothing(own: Trade) -> None:
    with own.shell.started(own.shell.folder):
        own.open()
    files = [own.paper() for _ in range(30)]
    for seconds in (0.6, 0.9, 1.2):
        server = own.shell.begin("start", own.shell.folder, "--port", "0", "--json")
        assert server.stdout is not None
        assert server.stdout.readline()
        process = own.shell.begin("e-invoice", "issue", *files, *PARTIES)
        time.sleep(seconds)
        server.kill()
        server.communicate()
        assert kill_after(process, 60, signal.SIGKILL) in (0, 2)
    with own.shell.started(own.shell.folder):
        lines = own.shell.ask("e-invoice", "issue", *files, *PARTIES)
        assert {line["state"] for line in lines} == {"issued"}
        assert count_numbers(own) == len(files)


def test_control_c_is_130_and_the_next_run_goes_on(trade: Trade) -> None:
    files = [trade.paper() for _ in range(200)]
    before = count_numbers(trade)
    process = trade.shell.begin("e-invoice", "issue", *files, *PARTIES)
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped" in err
    assert trade.shell.run("e-invoice", "issue", *files, *PARTIES).exit == 0
    assert count_numbers(trade) - before == len(files)


def test_second_issue_at_the_same_time_is_refused(trade: Trade) -> None:
    files = [trade.paper() for _ in range(200)]
    process = trade.shell.begin("e-invoice", "issue", *files, *PARTIES)
    assert process.stderr is not None
    process.stderr.readline()
    done = trade.shell.run("e-invoice", "issue", files[0], *PARTIES)
    assert kill_after(process, 60, signal.SIGKILL) == 0
    assert done.exit == 2
    assert "client.journal_busy" in done.err


def test_without_its_journal_the_ledger_itself_refuses_a_second_issue(trade: Trade) -> None:
    file = trade.paper()
    assert trade.shell.run("e-invoice", "issue", file, *PARTIES).exit == 0
    home = trade.shell.folder.parent / "home"
    for journal in home.glob("journals/*/*/issue.journal"):
        journal.unlink()
    lines = trade.shell.ask("e-invoice", "issue", file, *PARTIES, expect=1)
    assert lines[0]["code"] == "e_invoice.number_used"


def test_more_than_one_transaction_holds(trade: Trade) -> None:
    files = [trade.paper() for _ in range(505)]
    before = count_numbers(trade)
    lines = trade.shell.ask("e-invoice", "issue", *files, *PARTIES)
    assert len({line["transaction"] for line in lines}) == 2
    assert {line["state"] for line in lines} == {"issued"}
    assert count_numbers(trade) - before == 505


def test_invalid_papers_are_named_and_the_valid_ones_issued(trade: Trade) -> None:
    good = trade.paper()
    bad = trade.shell.folder / "tampered.xml"
    text = (trade.shell.folder / trade.paper()).read_text(encoding="utf-8")
    assert ">1125.00<" in text
    bad.write_text(text.replace(">1125.00<", ">1126.00<"), encoding="utf-8")
    (trade.shell.folder / "letter.txt").write_text("Dear sirs")
    lines = trade.shell.ask(
        "e-invoice", "issue", good, bad.name, "letter.txt", "missing.xml", *PARTIES, expect=1
    )
    states = {Path(line["file"]).name: line["state"] for line in lines}
    assert states[good] == "issued"
    assert states["tampered.xml"] == "invalid"
    assert states["letter.txt"] == states["missing.xml"] == "unreadable"
    rules = {failure["rule"] for failure in lines[1]["failures"]}
    assert any(rule.startswith("BR-CO-") for rule in rules)
    done = trade.shell.run("e-invoice", "issue", "letter.txt", *PARTIES)
    assert done.exit == 2


def test_same_document_twice_in_one_run_is_issued_once(trade: Trade) -> None:
    file = trade.paper()
    before = count_numbers(trade)
    lines = trade.shell.ask("e-invoice", "issue", file, file, *PARTIES)
    assert [line["state"] for line in lines] == ["issued", "twin"]
    assert count_numbers(trade) - before == 1


def test_parties_come_from_a_map_a_name_an_identifier_or_are_missed(trade: Trade) -> None:
    file = trade.paper()
    done = trade.shell.run("e-invoice", "issue", file, "--buyer", "buyer", "--as", "seller-a")
    assert done.exit == 1
    mapping = trade.shell.folder / "map.json"
    mapping.write_text(json.dumps({"SubscriptionSeller": trade.numbers["seller-a"]}))
    assert trade.shell.run(
        "e-invoice", "issue", file, "--map", "map.json", "--buyer", trade.numbers["buyer"],
        "--as", "seller-a",
    ).exit == 0  # fmt: skip
    for wrong in ("nonsense", "[]", '{"a": 1}'):
        mapping.write_text(wrong)
        done = trade.shell.run("e-invoice", "issue", file, "--map", "map.json", "--as", "seller-a")
        assert done.exit == 2, wrong
        assert "unexpected" not in done.err
    done = trade.shell.run("e-invoice", "issue", file, "--seller", "nobody", "--as", "seller-a")
    assert done.exit == 2


def test_issue_for_another_seller_is_refused_by_the_ledger(trade: Trade) -> None:
    lines = trade.shell.ask(
        "e-invoice", "issue", trade.paper(), "--seller", "seller-a", "--buyer", "buyer",
        "--as", "seller-b", expect=1,
    )  # fmt: skip
    assert lines[0]["code"] == "e_invoice.not_the_party"
    assert lines[0]["remedy"]


def test_check_gives_the_published_json(shell: Shell) -> None:
    reports = shell.ask("e-invoice", "check", EXAMPLES / "guide-example1.xml")
    assert set(reports[0]) == {"file", "verdict", "failures"}
    assert reports[0]["verdict"] == "valid"
    reports = shell.ask("e-invoice", "check", "missing.xml", expect=2)
    assert reports[0]["verdict"] == "unjudged"
    text = (EXAMPLES / "guide-example3.xml").read_text().replace(">1125.00<", ">1126.00<")
    (shell.folder / "bad.xml").write_text(text)
    reports = shell.ask("e-invoice", "check", "bad.xml", expect=1)
    assert set(reports[0]["failures"][0]) == {"rule", "flag", "path", "text"}


def test_read_model_is_rebuilt_to_the_same_digests(own: Trade) -> None:
    with own.shell.started(own.shell.folder):
        own.open()
        own.issue()
        running = own.shell.run("index", "rebuild", ".")
        assert running.exit == 2
        assert "already running" in running.err
    first = own.shell.ask("index", "rebuild", ".")
    again = own.shell.ask("index", "rebuild", ".")
    assert first == again
    assert first["tables"]["e_invoice__invoices"]
    assert own.shell.run("index", "rebuild", "nowhere").exit == 2


def test_two_documents_of_one_number_keep_apart_in_every_run(trade: Trade) -> None:
    """The second is refused each time; what the first got is not mixed up with it."""
    first, second = trade.paper("SAME-1"), trade.paper("SAME-1")
    answers = [
        trade.shell.ask("e-invoice", "issue", *files, *PARTIES, expect=1)
        for files in ((first, second), (first, second), (second, first))
    ]
    for lines in answers:
        states = {Path(line["file"]).name: line["state"] for line in lines}
        assert states == {first: "issued", second: "refused"}
    transactions = {
        line["transaction"] for lines in answers for line in lines if line["state"] == "issued"
    }
    assert len(transactions) == 1
    content = trade.shell.ask(
        "e-invoice", "show", "invoice", answers[0][0]["invoice"], "--as", "seller-a"
    )["content"]
    for entry in trade.shell.ask("vault", "list", "--as", "seller-a"):
        out = trade.shell.ask(
            "vault", "export", entry["entry"], "-o", "x.xml", "--force", "--as", "seller-a"
        )
        if out["commitment"] == content["commitment"]:
            kept = (trade.shell.folder / "x.xml").read_bytes()
            assert kept == (trade.shell.folder / first).read_bytes()
            return
    raise AssertionError("the issued document is not in the vault")

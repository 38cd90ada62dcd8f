"""Commands against a running league: each with good and bad input, exit codes and JSON."""

import json
import signal
from pathlib import Path

import pytest

from tests.cli.processes import Shell
from tests.cli.trade import Trade

pytestmark = pytest.mark.slow
UNKNOWN = "0" * 64


def test_status_inside_the_folder_and_by_address(trade: Trade) -> None:
    inside = trade.shell.ask("status")
    by_address = Shell(trade.shell.folder.parent / "home", trade.shell.folder.parent)
    assert by_address.ask("status", "--node", inside["url"])["chain"] == inside["chain"]
    assert by_address.ask("status", "--league", "bay")["chain"] == inside["chain"]
    assert by_address.run("status").exit == 2


def test_league_is_found_from_a_folder_below(trade: Trade) -> None:
    below = Shell(trade.shell.folder.parent / "home", trade.shell.folder / "keys")
    assert below.run("status").exit == 0


def test_second_start_of_one_folder_is_refused(trade: Trade) -> None:
    done = trade.shell.run("start", trade.shell.folder, "--port", "0")
    assert done.exit == 2
    assert "already running" in done.err
    assert trade.shell.run("status").exit == 0


def test_port_that_is_taken_is_told_with_the_cure(trade: Trade) -> None:
    port = trade.shell.ask("status")["url"].rpartition(":")[2]
    outside = Shell(trade.shell.folder.parent / "home", trade.shell.folder.parent)
    outside.ask("init", "other")
    done = outside.run("start", "other", "--port", port)
    assert done.exit == 2
    assert "--port 0" in done.err
    assert not (outside.folder / "other" / "running.json").exists()


def test_refused_message_is_exit_1_with_code_rule_and_remedy(trade: Trade) -> None:
    quota = {"seller": trade.numbers["seller-a"], "currency": "EUR", "amount": 1, "count": 1}
    done = trade.shell.run("e-invoice", "grant-quota", "--body", json.dumps(quota), "--as", "buyer")
    assert done.exit == 1
    assert "ledger.missing_role" in done.out
    assert "rule: " in done.out
    assert "next: " in done.out


def test_unknown_signer_is_refused_at_the_door(trade: Trade) -> None:
    trade.shell.run("keys", "new", "stranger")
    done = trade.shell.run("e-invoice", "deliver-invoice", "--invoice", "x", "--as", "stranger")
    assert done.exit == 1
    assert "✗ ledger.unknown_signer" in done.err
    assert "next: " in done.err


def test_options_are_checked_before_anything_is_sent(trade: Trade) -> None:
    command = ("e-invoice", "grant-quota", "--seller", "x", "--currency", "EUR")
    for words in (
        ("--amount", "-1", "--count", "1"),
        ("--amount", "ten", "--count", "1"),
        ("--amount", "1"),
    ):
        done = trade.shell.run(*command, *words, "--as", "tax-bureau")
        assert done.exit == 2, words
        assert "--" in done.err
    done = trade.shell.run("e-invoice", "grant-quota", "--body", "{}", "--as", "tax-bureau")
    assert done.exit == 2
    assert "GrantQuota" in done.err
    done = trade.shell.run("e-invoice", "grant-quota", "--body", "{", "--as", "tax-bureau")
    assert done.exit == 2
    done = trade.shell.run(*command, "--body", "{}", "--as", "tax-bureau")
    assert done.exit == 2
    assert "not both" in done.err


def test_names_stand_for_dids(trade: Trade) -> None:
    shown = trade.shell.ask("members", "show", "member", "seller-a")
    assert shown["did"] == trade.dids["seller-a"]
    done = trade.shell.run("members", "show", "member", "nobody-here")
    assert done.exit == 2


def test_show_of_what_is_not_there_is_exit_1(trade: Trade) -> None:
    done = trade.shell.run("e-invoice", "show", "invoice", "CN-USCC:1:2", "--as", "auditor")
    assert done.exit == 1
    assert trade.shell.run("e-invoice", "show", "nothing", "x").exit == 2


def test_list_pages_and_filters(trade: Trade) -> None:
    first = trade.shell.ask("members", "list", "member", "--limit", "4")
    rest = trade.shell.ask("members", "list", "member", "--limit", "4", "--after", first["next"])
    dids = [each["did"] for each in first["items"] + rest["items"]]
    assert sorted(dids) == sorted(trade.dids.values())
    found = trade.shell.ask("members", "list", "member", "--where", "jurisdiction=HK")
    assert {each["jurisdiction"] for each in found["items"]} == {"HK"}
    assert trade.shell.run("members", "list", "member", "--where", "nonsense").exit == 2
    assert trade.shell.run("members", "list", "member", "--where", "nonsense=1").exit == 2


def test_auditor_sees_every_refusal(trade: Trade) -> None:
    trade.send("deliver-invoice", {"invoice": "x:y"}, "seller-a", expect=1)
    line = trade.issue()
    again = trade.shell.run(
        "e-invoice", "issue", trade.paper(line["number"]),
        "--seller", "seller-a", "--buyer", "buyer", "--as", "seller-a",
    )  # fmt: skip
    assert again.exit == 1
    assert "e_invoice.number_used" in again.out
    for name in ("auditor", "tax-bureau", "seller-a"):
        listed = trade.shell.ask("tx", "list", "--refused", "--as", name)
        codes = {each["code"] for each in listed["items"]}
        assert {"e_invoice.number_used", "ledger.no_such_record"} <= codes, name


def test_receipt_proves_acceptance_and_refusal_offline(trade: Trade) -> None:
    line = trade.issue()
    refused = trade.send("deliver-invoice", {"invoice": "x:y"}, "seller-a", expect=1)
    for name, transaction, accepted in (
        ("yes.json", line["transaction"], True),
        ("no.json", refused["id"], False),
    ):
        trade.shell.ask("receipt", transaction, "-o", name, "--as", "seller-a")
        verdict = trade.shell.ask("verify", name)[0]
        assert verdict["outcome"] == "yes"
        assert verdict["accepted"] is accepted
        assert trade.shell.run("verify", "--accepted", name).exit == (0 if accepted else 1)


def test_receipt_is_not_overwritten_and_unknown_is_refused(trade: Trade) -> None:
    line = trade.issue()
    command = ("receipt", line["transaction"], "-o", "once.json", "--as", "seller-a")
    assert trade.shell.run(*command).exit == 0
    assert trade.shell.run(*command).exit == 2
    assert trade.shell.run(*command, "--force").exit == 0
    done = trade.shell.run("receipt", UNKNOWN, "-o", "none.json", "--as", "seller-a")
    assert done.exit == 1
    assert not (trade.shell.folder / "none.json").exists()
    done = trade.shell.run(*command[:2], "--message", "7", "-o", "m.json", "--as", "seller-a")
    assert done.exit == 1


def test_flipped_receipt_is_no_and_unpinned_is_could_not_judge(trade: Trade) -> None:
    line = trade.issue()
    trade.shell.ask("receipt", line["transaction"], "-o", "r.json", "--as", "seller-a")
    data = (trade.shell.folder / "r.json").read_bytes()
    for place in (5, len(data) // 2, len(data) - 5):
        flipped = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        (trade.shell.folder / "flipped.json").write_bytes(flipped)
        assert trade.shell.run("verify", "flipped.json").exit == 1
    elsewhere = Shell(trade.shell.folder.parent / "empty", trade.shell.folder)
    done = elsewhere.run("verify", "r.json")
    assert done.exit == 2
    assert "hansa trust add" in done.out + done.err
    assert elsewhere.run("verify", "r.json", "--trust", "genesis.json").exit == 0
    assert elsewhere.run("trust", "add", ".").exit == 0
    assert elsewhere.run("verify", "r.json").exit == 0
    assert elsewhere.run("verify", "r.json", "flipped.json").exit == 1


def test_presence_and_absence_are_proved(trade: Trade) -> None:
    line = trade.issue()
    path = f"e-invoice/reimbursement/{line['invoice']}/1"
    trade.shell.ask("prove", path, "--absent", "-o", "absent.json", "--as", "buyer")
    assert trade.shell.ask("verify", "absent.json")[0]["outcome"] == "yes"
    done = trade.shell.run("prove", path, "-o", "present.json", "--as", "buyer")
    assert done.exit == 1
    assert not (trade.shell.folder / "present.json").exists()
    trade.shell.ask("prove", "members/member/buyer", "-o", "buyer.json")
    assert trade.shell.ask("verify", "buyer.json")[0]["outcome"] == "yes"
    assert trade.shell.run("prove", "members/member/buyer", "--absent", "-o", "x").exit == 1
    for wrong in ("members", "members/member", "nothing/x/y", "members/nothing/x"):
        assert trade.shell.run("prove", wrong, "-o", "x").exit == 2, wrong


def test_act_of_two_organisations_signed_one_after_the_other(trade: Trade) -> None:
    body = json.dumps({"address": "https://example.org/"})
    trade.shell.ask(
        "tx", "build", "members", "SetContact", "--body", body, "--as", "seller-a",
        "--with", "seller-b", "-o", "act.json",
    )  # fmt: skip
    one = trade.shell.ask("tx", "sign", "act.json", "--as", "seller-b", "-o", "one.json")
    assert one["complete"] is False
    refused = trade.shell.run("tx", "sign", "one.json", "--as", "buyer", "-o", "bad.json")
    assert refused.exit == 2
    assert trade.shell.run("tx", "send", "one.json").exit == 1
    both = trade.shell.ask("tx", "sign", "one.json", "--as", "seller-a", "-o", "both.json")
    assert both["complete"] is True
    sent = trade.shell.ask("tx", "send", "both.json")
    again = trade.shell.ask("tx", "send", "both.json")
    assert sent == again
    assert trade.shell.ask("tx", "show", sent["id"])["state"] == "committed"
    assert trade.shell.ask("tx", "show", "both.json")["id"] == sent["id"]


def test_unknown_transaction(trade: Trade) -> None:
    assert trade.shell.run("tx", "show", UNKNOWN).exit == 1
    assert trade.shell.run("tx", "wait", UNKNOWN, "--timeout", "0").exit == 2
    assert trade.shell.run("tx", "send", "nothing.json").exit == 2
    (trade.shell.folder / "nonsense.json").write_text("nonsense")
    assert trade.shell.run("tx", "send", "nonsense.json").exit == 1
    assert trade.shell.run("tx", "sign", "nonsense.json", "-o", "x.json").exit == 2


def test_no_wait_gives_the_id_that_wait_takes(trade: Trade) -> None:
    body = json.dumps({"address": "https://example.org/2"})
    sent = trade.shell.ask("members", "set-contact", "--body", body, "--as", "buyer", "--no-wait")
    assert sent["state"] == "pending"
    assert trade.shell.ask("tx", "wait", sent["id"])["state"] == "committed"


def test_key_is_rotated_and_the_old_one_no_longer_signs(trade: Trade) -> None:
    before = trade.shell.ask("keys", "show", "employer")["kid"]
    trade.shell.ask("keys", "rotate", "employer")
    after = trade.shell.ask("keys", "show", "employer")["kid"]
    assert (before.partition("#")[2], after.partition("#")[2]) == ("k1", "k2")
    body = json.dumps({"address": "https://example.org/3"})
    assert trade.shell.run("members", "set-contact", "--body", body, "--as", "employer").exit == 0
    old = trade.shell.run("members", "set-contact", "--body", body, "--as", "employer.k1")
    assert old.exit == 1


def test_staff_account_is_requested_and_opened(trade: Trade) -> None:
    made = trade.shell.ask("keys", "new", "clerk")
    requested = trade.shell.run("keys", "request", "clerk", "--member", "seller-a")
    (trade.shell.folder / "clerk.json").write_text(requested.out)
    assert (
        trade.shell.run(
            "accounts", "open-account", "--body", "@clerk.json", "--as", "seller-b"
        ).exit
        == 1
    )
    trade.shell.ask("accounts", "open-account", "--body", "@clerk.json", "--as", "seller-a")
    shown = trade.shell.ask("accounts", "show", "account", "clerk", "--as", "seller-a")
    assert shown["did"] == made["account"]


def test_default_signer_is_chosen_with_use(trade: Trade) -> None:
    trade.shell.ask("keys", "use", "buyer")
    body = json.dumps({"address": "https://example.org/4"})
    sent = trade.shell.ask("members", "set-contact", "--body", body)
    assert sent["state"] == "committed"
    shown = trade.shell.ask("members", "show", "contact", "buyer")
    assert shown["address"] == "https://example.org/4"
    trade.shell.ask("keys", "use", "tax-bureau")
    assert trade.shell.run("keys", "use", "nobody").exit == 2


def test_pseudonym_is_claimed_by_its_key_only(trade: Trade) -> None:
    made = trade.shell.ask("e-invoice", "pseudonym", "person.json")
    assert trade.shell.run("e-invoice", "pseudonym", "person.json").exit == 2
    line = trade.shell.ask(
        "e-invoice", "issue", trade.paper(), "--seller", "seller-a",
        "--buyer", made["buyer"], "--as", "seller-a",
    )[0]  # fmt: skip
    trade.send("deliver-invoice", {"invoice": line["invoice"]}, "seller-a")
    trade.shell.ask("e-invoice", "pseudonym", "other.json")
    claim = ("e-invoice", "claim", line["invoice"], "--employer", "buyer", "--as", "buyer")
    assert trade.shell.run(*claim, "--key", "other.json").exit == 1
    assert trade.shell.run(*claim, "--key", "genesis.json").exit == 2
    assert trade.shell.run(*claim, "--key", "missing.json").exit == 2
    assert trade.shell.run(*claim, "--key", "person.json").exit == 0


def test_vault_shows_exports_and_erases(trade: Trade) -> None:
    trade.issue()
    entries = [each["entry"] for each in trade.shell.ask("vault", "list", "--as", "seller-a")]
    out = trade.shell.ask("vault", "export", entries[0], "-o", "content.xml", "--as", "seller-a")
    assert (trade.shell.folder / "content.xml").read_bytes().startswith(b"<?xml")
    assert out["commitment"]
    trade.shell.ask("vault", "erase", entries[0], "--yes", "--as", "seller-a")
    gone = trade.shell.run("vault", "export", entries[0], "-o", "again.xml", "--as", "seller-a")
    assert gone.exit == 2
    assert "vault.erased" in gone.err


def test_views_and_exact_totals(trade: Trade) -> None:
    lines = [trade.issue() for _ in range(3)]
    rows = trade.shell.ask(
        "e-invoice", "table", "invoices", "--where", "currency=DKK", "--as", "auditor"
    )["items"]
    assert {line["number"] for line in lines} <= {row["number"] for row in rows}
    groups = trade.shell.ask(
        "e-invoice", "totals", "invoices", "--by", "currency", "--by", "status",
        "--as", "seller-a",
    )  # fmt: skip
    own = trade.shell.ask("e-invoice", "table", "invoices", "--as", "seller-a")["items"]
    assert sum(group["count"] for group in groups) == len(own)
    stated = sum(int(group["sums"]["with_vat"]) for group in groups)
    assert stated == sum(row["with_vat"] for row in own)
    assert (
        trade.shell.run("e-invoice", "totals", "invoices", "--by", "no", "--as", "buyer").exit == 2
    )
    assert trade.shell.run("e-invoice", "table", "nothing").exit == 2


def test_history_of_a_record(trade: Trade) -> None:
    line = trade.issue()
    trade.send("deliver-invoice", {"invoice": line["invoice"]}, "seller-a")
    versions = trade.shell.ask(
        "e-invoice", "history", "invoice", line["invoice"], "--as", "seller-a"
    )["items"]
    assert [each["record"]["status"] for each in versions] == ["ISSUED", "DELIVERED"]
    assert versions[0]["transaction"] == line["transaction"]
    done = trade.shell.run("e-invoice", "history", "invoice", "x:y", "--as", "seller-a")
    assert done.exit == 1


def test_receipt_as_qr_code(trade: Trade) -> None:
    line = trade.issue()
    trade.shell.ask("receipt", line["transaction"], "-o", "qr.json", "--as", "seller-a")
    base = ("--base", "https://ledger.example.org")
    shown = trade.shell.run("qr", "qr.json", *base)
    assert shown.exit == 0
    assert f"https://ledger.example.org/receipts/{line['transaction']}#m=0" in shown.out
    made = trade.shell.ask("qr", "qr.json", *base, "--svg", "qr.svg")
    assert made["file"] == "qr.svg"
    assert (trade.shell.folder / "qr.svg").read_text().startswith("<svg")
    assert trade.shell.run("qr", "genesis.json", *base).exit == 2
    assert trade.shell.run("qr", "qr.json", "--base", "ftp://x").exit == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_start_stops_cleanly_when_asked(tmp_path: Path, number: signal.Signals) -> None:
    shell = Shell(tmp_path / "home", tmp_path)
    shell.ask("init", "bay")
    process = shell.begin("start", "bay", "--port", "0")
    assert process.stdout is not None
    assert "is ready at http://127.0.0.1:" in process.stdout.readline()
    assert (tmp_path / "bay" / "running.json").exists()
    process.send_signal(number)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert not (tmp_path / "bay" / "running.json").exists()
    assert '"event": "node_closed"' in (tmp_path / "bay" / "node.log").read_text()


def test_killed_league_starts_again_and_its_address_is_mended(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home", tmp_path)
    shell.ask("init", "bay")
    process = shell.begin("start", "bay", "--port", "0", "--json")
    assert process.stdout is not None
    assert process.stdout.readline()
    process.kill()
    process.communicate()
    assert shell.run("status", "--league", "bay").exit == 2
    with shell.started(tmp_path / "bay"):
        assert shell.run("status", "--league", "bay").exit == 0


def test_a_proposal_is_learnt_from_help_checked_here_and_voted_by_its_number(trade: Trade) -> None:
    shell = trade.shell
    said = shell.run("governance", "propose", "--help").out
    for word in ("application", "SetAllowance", "member*", "hansa governance vote --proposal"):
        assert word in said
    for actions, wrong in (
        ([{"application": "nothing", "type": "A", "body": {}}], "there are: "),
        ([{"application": "quotas", "type": "A", "body": {}}], "it may send: SetAllowance"),
        ([{"application": "quotas", "type": "SetAllowance", "body": {"units": 1}}], "member"),
        ({}, "list"),
    ):
        done = shell.run("governance", "propose", "--topic", "t", "--actions", json.dumps(actions))
        assert done.exit == 2
        assert wrong in done.err
    body = {"member": "seller-a", "units": 50_000_000}
    actions = [{"application": "quotas", "type": "SetAllowance", "body": body}]
    command = ("governance", "propose", "--topic", "quotas", "--actions", json.dumps(actions))
    done = shell.run(*command)
    assert "ProposalOpened " in done.out
    assert " proposal=1 " in done.out
    sent = shell.ask(*command)
    number = next(e["body"]["proposal"] for e in sent["events"] if e["type"] == "ProposalOpened")
    for name in ("seller-a", "seller-b", "buyer"):
        vote = ("governance", "vote", "--proposal", str(number), "--choice", "yes", "--as", name)
        voted = shell.ask(*vote)
    closed = next(e["body"] for e in voted["events"] if e["type"] == "ProposalClosed")
    assert closed["state"] == "EXECUTED"


def test_a_candidate_asks_to_be_admitted_and_is(trade: Trade) -> None:
    shell = trade.shell
    shell.ask("keys", "new", "harbour")
    request = ("keys", "request", "harbour")
    assert shell.run(*request).exit == 2
    asked = shell.run(*request, "--admit", "Harbour Office", "--jurisdiction", "HK")
    (shell.folder / "harbour.json").write_text(asked.out)
    command = ("governance", "propose", "--topic", "admission", "--actions", "@harbour.json")
    sent = shell.ask(*command, "--as", "tax-bureau")
    number = next(e["body"]["proposal"] for e in sent["events"] if e["type"] == "ProposalOpened")
    for name in ("seller-a", "seller-b", "buyer"):
        shell.ask("governance", "vote", "--proposal", str(number), "--choice", "yes", "--as", name)
    assert shell.ask("members", "show", "member", "harbour")["name"] == "Harbour Office"


def test_who_asks_is_told_and_may_be_nobody(trade: Trade) -> None:
    shell = trade.shell
    assert "as tax-bureau" in shell.run("members", "list", "member").err
    line = trade.issue()
    show = ("e-invoice", "list", "invoice", "--limit", "200")
    assert shell.ask(*show)["items"]
    assert (
        shell.run(*show, "--as", "nobody").exit != 0
        or not shell.ask(*show, "--as", "nobody")["items"]
    )
    for identity, said in (("5f2c", "64 hex digits"), (line["transaction"], "1 message")):
        done = shell.run("receipt", identity, "--message", "99", "-o", "x.json")
        assert said in done.err
        assert done.exit == (2 if identity == "5f2c" else 1)


def test_reason_is_judged_before_a_key_is_made(trade: Trade) -> None:
    done = trade.shell.run("keys", "rotate", "auditor", "--reason", "x y")
    assert done.exit == 2
    assert "code" in done.err
    assert "^" not in done.err
    assert not (trade.shell.folder / "keys" / "auditor.next.key.json").exists()

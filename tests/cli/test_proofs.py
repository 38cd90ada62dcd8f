"""`hansa prove` and `hansa verify`: what a proof of absence says, to whom, and what it must not."""

import pytest

from hansa.cli.verify import CONTENT_MAX, format_content
from tests.cli.trade import Trade


@pytest.mark.slow
@pytest.mark.parametrize("rest", ["", "/01", "/0", "/x", "/1/y/z"])
def test_a_mistyped_identifier_is_not_proved_absent(trade: Trade, rest: str) -> None:
    line = trade.issue()
    path = f"e-invoice/reimbursement/{line['invoice']}{rest}"
    done = trade.shell.run("prove", path, "--absent", "-o", "wrong.json", "--as", "buyer")
    assert done.exit == 2
    assert "INVOICE/NUMBER" in done.err
    assert not (trade.shell.folder / "wrong.json").exists()


@pytest.mark.slow
def test_that_an_invoice_was_never_issued_is_proved_to_every_member(trade: Trade) -> None:
    number = f"{trade.numbers['seller-a']}:NOPE"
    for name in ("seller-a", "seller-b", "buyer", "tax-bureau", "auditor"):
        file = f"never-{name}.json"
        path = f"e-invoice/invoice/{number}"
        trade.shell.ask("prove", path, "--absent", "-o", file, "--as", name)
        done = trade.shell.run("verify", file)
        assert done.exit == 0
        assert f"has NO e_invoice/invoice/{number}" in done.out.splitlines()[-1]


@pytest.mark.slow
def test_an_issued_invoice_is_not_absent_and_shown_to_its_parties_only(trade: Trade) -> None:
    path = f"e-invoice/invoice/{trade.issue()['invoice']}"
    done = trade.shell.run("prove", path, "--absent", "-o", "x.json", "--as", "seller-b")
    assert done.exit == 1
    assert "api.not_absent" in done.out + done.err
    assert trade.shell.run("prove", path, "-o", "there.json", "--as", "buyer").exit == 0
    told = trade.shell.run("verify", "there.json").out.splitlines()
    assert told[-2].startswith('  record: {"buyer_member": "did:hansa:')
    assert told[-1].endswith(f" has {path.replace('e-invoice', 'e_invoice', 1)}")


@pytest.mark.slow
def test_verify_shows_what_a_receipt_is_of(trade: Trade) -> None:
    line = trade.issue()
    refused = trade.send("deliver-invoice", {"invoice": line["invoice"]}, "seller-a")
    trade.shell.ask("receipt", refused["id"], "-o", "shown.json", "--as", "seller-a")
    told = trade.shell.run("verify", "shown.json").out
    assert f'  message: {{"invoice": "{line["invoice"]}", "v": 1}}' in told


def test_content_is_shown_short_and_cannot_move_the_terminal() -> None:
    shown = format_content({"nested": {"b": 1}, "text": "a\x1b[2J\u202e\nb\u9000", "n": 2})
    assert shown.isprintable()
    assert shown.index('"text"') < shown.index('"nested"')
    assert "\u9000" in shown
    assert len(format_content({"long": "x" * 10_000})) == CONTENT_MAX + 1
    message = {"app": "a", "body": {"b": 1}, "sender": 0, "type": "T"}
    assert format_content(message) == '{"b": 1}'
    assert format_content([1, "x"]) == '[1, "x"]'

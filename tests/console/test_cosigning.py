"""Two organisations sign one act: each in its own browser, or one of them by the command line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.browsing import Visitor, check_accessible, check_fits, drop_file, look
from tests.console.league import ConsoleLeague
from tests.console.test_looking import find_number

pytestmark = pytest.mark.slow
CHECK = ".derived > .actions button[value=check]"
BANK, OWNER = "employer", "seller-a"


@pytest.fixture(scope="module", autouse=True)
def bank(league: ConsoleLeague) -> Iterator[None]:
    """One of the members is a bank, by the league's vote."""
    grant = {
        "application": "holds", "role": "bank", "holder": league.dids[BANK],
        "scope": "e_invoice", "until_ms": None,
    }  # fmt: skip
    action = {"application": "permissions", "type": "GrantRole", "body": grant}
    told = league.shell.ask(
        "governance", "propose", "--topic", "bank", "--actions", json.dumps([action]),
        "--as", "tax-bureau",
    )  # fmt: skip
    number = str(find_number(told))
    for member in ("auditor", "buyer", "employer", "seller-a"):
        arguments = ("--proposal", number, "--choice", "yes", "--as", member)
        league.shell.run("governance", "vote", *arguments, "--json")
    yield


def fill_pledge(page: Page, invoice: str) -> None:
    page.goto(
        "/apps/holds/messages/PlaceHold?application=e_invoice&record_kind=invoice"
        f"&record_key.0={invoice}&kind=pledge"
    )
    page.click(CHECK)
    expect(page.locator("#faults")).to_contain_text("signature of the owner")


def sign_first(page: Page, league: ConsoleLeague, other: str) -> bytes:
    """The first signer's way: names the second, signs, saves the file."""
    expect(page.locator("#f-with")).to_be_visible()  # opened by what the ledger said
    page.select_option("#f-with", league.dids[other])
    page.click(CHECK)
    expect(page.locator("#sign")).to_be_enabled()
    page.click("#sign")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the file").click()
    return Path(saved.value.path()).read_bytes()


def give_file(page: Page, data: bytes) -> None:
    page.goto("/sign-together")
    file = {"name": "draft.json", "mimeType": "application/json", "buffer": data}
    page.set_input_files("#draft-file", file)  # type: ignore[arg-type]
    expect(page.locator("#sign")).to_be_enabled()


def count_holds(league: ConsoleLeague, invoice: str) -> int:
    with league.api(BANK) as api:
        found = api.get("/v1/apps/holds/hold", params={"prefix": f"e_invoice/invoice/{invoice}"})
    assert found.is_success, found.text
    return len(found.json()["items"])


def test_a_pledge_is_signed_by_the_bank_and_then_by_the_owner(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    invoice = str(league.trade.issue()["invoice"])
    bank, owner = visitor.open(), visitor.open()
    visitor.sign_in_by_key_file(bank, BANK)
    visitor.sign_in_by_key_file(owner, OWNER)
    fill_pledge(bank, invoice)
    check_accessible(bank)
    look(bank, "cosign-form")
    bank.select_option("#f-with", league.dids[OWNER])
    bank.click(CHECK)
    expect(bank.locator(".notice.warning")).to_contain_text("your signature alone")
    check_accessible(bank)
    look(bank, "cosign-preview")
    bank.click("#sign")
    expect(bank.locator("#signed")).to_be_visible()
    check_accessible(bank)
    look(bank, "cosign-signed")
    pasted = bank.input_value("#draft-text")
    assert count_holds(league, invoice) == 0
    owner.goto("/sign-together")
    check_accessible(owner)
    look(owner, "cosign-open")
    owner.fill("#draft", pasted)
    owner.get_by_role("button", name="Open it").click()
    expect(owner.locator(".notice.news")).to_contain_text("would let this pass")
    expect(owner.locator(".preview").first).to_contain_text("Pledge")
    expect(owner.locator("#signers + ul")).to_contain_text("has not signed")
    owner.get_by_text("The exact text that is signed").click()
    expect(owner.locator("#exact")).to_contain_text("PlaceHold")
    exact = json.loads(str(owner.locator("#exact").text_content()))
    assert exact["messages"][0]["body"]["record_key"] == [invoice]
    check_accessible(owner)
    look(owner, "cosign-draft")
    owner.click("#sign")
    owner.wait_for_url("**/transactions/*")
    expect(owner.locator("h1")).to_have_text("Done")
    assert count_holds(league, invoice) == 1


def test_the_second_signs_what_the_first_began_by_the_command_line(
    visitor: Visitor, league: ConsoleLeague, tmp_path: Path
) -> None:
    invoice = str(league.trade.issue()["invoice"])
    body = {
        "application": "e_invoice", "record_kind": "invoice", "record_key": [invoice],
        "kind": "pledge",
    }  # fmt: skip
    unsigned, signed = tmp_path / "act.json", tmp_path / "signed.jws"
    league.shell.ask(
        "tx", "build", "holds", "PlaceHold", "--body", json.dumps(body), "--as", BANK,
        "--with", OWNER, "-o", unsigned,
    )  # fmt: skip
    owner = visitor.open()
    visitor.sign_in_by_key_file(owner, OWNER)
    give_file(owner, unsigned.read_bytes())  # nobody has signed yet: the owner may be the first
    expect(owner.locator("#sign")).to_have_text("Sign")
    league.shell.ask("tx", "sign", unsigned, "--as", BANK, "-o", signed)
    give_file(owner, signed.read_bytes())
    expect(owner.locator("#sign")).to_have_text("Sign and send")
    owner.click("#sign")
    owner.wait_for_url("**/transactions/*")
    assert count_holds(league, invoice) == 1


def test_the_command_line_takes_the_file_that_a_browser_made(
    visitor: Visitor, league: ConsoleLeague, tmp_path: Path
) -> None:
    invoice = str(league.trade.issue()["invoice"])
    page = visitor.open(language="pt", phone=True)
    visitor.sign_in_by_key_file(page, BANK)
    page.goto("/?lang=en")
    fill_pledge(page, invoice)
    check_fits(page)
    draft, whole = tmp_path / "draft.json", tmp_path / "whole.json"
    draft.write_bytes(sign_first(page, league, OWNER))
    check_fits(page)
    look(page, "cosign-signed-phone")
    shown: Any = league.shell.ask("tx", "show", draft)
    assert shown["missing"] == [league.signer(OWNER).kid]
    done = league.shell.ask("tx", "sign", draft, "--as", OWNER, "-o", whole)
    assert done["complete"]
    give_file(page, whole.read_bytes())  # whole by now: the console can send it too
    expect(page.locator("#sign")).to_have_text("Send it")
    check_fits(page)
    look(page, "cosign-draft-phone")
    page.click("#sign")
    page.wait_for_url("**/transactions/*")
    assert count_holds(league, invoice) == 1


def test_who_is_no_signer_reads_and_cannot_sign(
    visitor: Visitor, league: ConsoleLeague, tmp_path: Path
) -> None:
    act = tmp_path / "act.json"
    body = {"invoice": league.invoices[0]}
    league.shell.ask(
        "tx", "build", "e_invoice", "DeliverInvoice", "--body", json.dumps(body), "--as", OWNER,
        "-o", act,
    )  # fmt: skip
    page = visitor.open("auditor")
    page.goto("/sign-together")
    expect(page.locator("#draft-file")).to_be_visible()
    drop_file(page, "#draft-form", act.read_text())
    expect(page.locator(".lead")).to_contain_text("none of its signers")
    expect(page.locator("#sign")).to_have_count(0)


def test_a_changed_file_is_refused_and_what_the_ledger_would_refuse_is_said(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    invoice = str(league.trade.issue()["invoice"])
    bank, owner = visitor.open(), visitor.open("seller-a")
    visitor.sign_in_by_key_file(bank, BANK)
    fill_pledge(bank, invoice)
    data = sign_first(bank, league, OWNER)
    changed = json.loads(data)
    changed["signatures"][0]["signature"] = "A" * 86
    for text, said in (
        (json.dumps(changed, separators=(",", ":")), "signature"),
        ("<script>alert(1)</script>", "not a transaction"),
    ):
        owner.goto("/sign-together")
        owner.fill("#draft", text)
        owner.get_by_role("button", name="Open it").click()
        expect(owner.locator(".notice.refused[role=alert]").first).to_contain_text(said)
        assert owner.input_value("#draft") == text
    check_accessible(owner)
    give_file(owner, data)
    owner.click("#sign")  # the session was opened without a key in this browser
    expect(owner.locator("#outcome")).to_contain_text("not in this browser")
    assert count_holds(league, invoice) == 0


def test_one_cannot_sign_beside_oneself_or_with_nobody_s_key(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    page = visitor.open(BANK)
    fill_pledge(page, league.invoices[0])
    page.locator(".cosigner .other summary").click()
    for did, said in (
        (league.dids[BANK], "your own account"),
        ("did:hansa:" + "a" * 32, "no account of that DID"),
    ):
        page.fill("[name=_with_other]", did)
        page.click(CHECK)
        expect(page.locator("#f-with-fault")).to_contain_text(said)

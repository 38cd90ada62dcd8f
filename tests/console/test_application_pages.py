"""Clerks at their work in a real browser: issue, bad input, two at once, back button, an attack.

`league` has two issued invoices; each test takes what it needs by numbers of its own.
"""

import hashlib
import json
import re
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from hansa.locales import LANGUAGES
from tests.console.browsing import Visitor, check_accessible, check_fits, look
from tests.console.league import ConsoleLeague

pytestmark = pytest.mark.slow
ATTACK = "<img src=x onerror=alert(1)>"
CHECK = ".derived .actions button[value=check]"


def fill_invoice(page: Page, league: ConsoleLeague, number: str, line: str = "1") -> None:
    """An invoice of one line: 800.00 and 25 % of VAT."""
    page.goto("/apps/e_invoice/messages/IssueInvoice")
    page.select_option('[name="content.standard"]', "en16931")
    for name, text in {
        "type_code": "380",
        "number": number,
        "issue_date": "2026-03-09",
        "currency": "DKK",
        "seller": league.numbers["seller-a"],
        "buyer": league.numbers["buyer"],
        "lines.0.id": line,
        "lines.0.net": "800.00",
        "lines.0.category": "S",
        "lines.0.rate_ppm": "25",
        "vat.0.category": "S",
        "vat.0.rate_ppm": "25",
        "vat.0.taxable": "800",
        "vat.0.tax": "200",
        "totals.lines": "800",
        "totals.allowances": "0",
        "totals.charges": "0",
        "totals.without_vat": "800",
        "totals.vat": "200",
        "totals.with_vat": "1,000.00",
        "totals.paid": "0",
        "totals.rounding": "0",
        "totals.due": "1,000",
    }.items():
        page.fill(f'[name="content.{name}"]', text)


def choose_document(page: Page, tmp_path: Path) -> dict[str, str]:
    """Give the document; what the browser saves of it."""
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"the invoice as it was printed")
    with page.expect_download() as saved:
        page.set_input_files("[data-commitment]", paper)
    opening: dict[str, str] = json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))
    return opening


def preview(page: Page) -> None:
    page.click(CHECK)
    expect(page.locator("#send")).to_be_enabled()


def sign(page: Page) -> None:
    page.click("#send")
    page.wait_for_url("**/transactions/*")


def test_an_invoice_is_issued_once_whatever_is_clicked(
    visitor: Visitor, league: ConsoleLeague, tmp_path: Path
) -> None:
    page = visitor.open()
    visitor.sign_in_by_key_file(page, "seller-a")
    fill_invoice(page, league, "F-1")
    opening = choose_document(page, tmp_path)
    check_accessible(page)
    page.click(CHECK)
    expect(page.locator("#send")).to_be_enabled()
    check_accessible(page)
    look(page, "form-preview")
    expect(page.locator(".preview")).to_contain_text("DKK1,000.00")
    exact = page.locator(".preview pre").text_content()
    assert exact is not None
    assert json.loads(exact)["body"]["content"]["totals"]["with_vat"] == 100_000
    page.dblclick("#send")
    page.wait_for_url("**/transactions/*")
    expect(page.locator("h1")).to_have_text("Done")
    check_accessible(page)
    look(page, "transaction-done")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download the receipt").click()
    receipt = json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))
    assert receipt["message"]["body"]["content"]["number"] == "F-1"
    tagged = b"hansa.vault.commitment/1\x00" + urlsafe_b64decode(opening["salt"] + "=")
    made = hashlib.sha256(tagged + b"the invoice as it was printed").digest()
    assert urlsafe_b64decode(opening["commitment"] + "=") == made
    assert receipt["message"]["body"]["content"]["commitment"] == opening["commitment"]
    with league.api("seller-a") as api:
        sent = [
            each
            for each in api.get("/v1/messages", params={"limit": 50}).json()["items"]
            if each["type"] == "IssueInvoice" and receipt["result"]["message"] == each["digest"]
        ]
    assert len(sent) == 1
    page.go_back()
    expect(page).to_have_url(re.compile("/messages/IssueInvoice"))
    assert page.locator("#send").count() == 0


def test_faults_are_told_at_their_fields_and_nothing_is_sent(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    page = visitor.open("seller-a")
    fill_invoice(page, league, "F-2")
    page.fill('[name="content.seller"]', league.numbers["seller-a"][:-1] + "7")
    page.fill('[name="content.lines.0.net"]', "800,5")
    page.fill('[name="content.commitment"]', "A" * 43)
    expect(page.locator("#f-content-seller-judged")).to_contain_text("check digit")
    page.click(CHECK)
    expect(page.locator("#faults")).to_be_focused()
    expect(page.locator("#f-content-seller-fault")).to_contain_text("check digit")
    expect(page.locator("#f-content-lines-0-net-fault")).to_contain_text("decimal sign")
    assert page.input_value('[name="content.totals.with_vat"]') == "1,000.00"
    check_accessible(page)
    page.fill('[name="content.seller"]', league.numbers["seller-a"])
    page.fill('[name="content.lines.0.net"]', "801")
    page.click(CHECK)  # well formed; the sum is wrong, which the ledger's own rules say
    expect(page.locator("#faults")).to_contain_text("BR-CO-10")
    look(page, "form-faults")
    page.get_by_role("button", name="Add: Lines").click()
    page.fill('[name="content.lines.1.net"]', "-1")
    page.locator('[name="content.lines.1.net"]').press("Enter")
    expect(page.locator("#f-content-lines-1-id-fault")).to_be_visible()
    with league.api("seller-a") as api:
        found = api.get("/v1/apps/e_invoice/tables/invoices", params={"number": "F-2"})
    assert found.json()["items"] == []


def test_of_two_clerks_the_second_sees_who_was_first(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    invoice = league.invoices[1]
    address = f"/apps/e_invoice/messages/DeliverInvoice?invoice={invoice}"
    seller, buyer = visitor.open(), visitor.open()
    visitor.sign_in_by_key_file(seller, "seller-a")
    visitor.sign_in_by_key_file(buyer, "buyer")
    for page in (seller, buyer):
        page.goto(address)
        preview(page)
    sign(seller)
    expect(seller.locator("h1")).to_have_text("Done")
    sign(buyer)  # both were shown that it would pass
    expect(buyer.locator("h1")).to_have_text("Refused")
    expect(buyer.locator(".outcome")).to_contain_text("Rule I3")
    expect(buyer.locator(".change")).to_contain_text("Deliver invoice by 羊城示範貿易有限公司")
    check_accessible(buyer)
    look(buyer, "transaction-refused")
    buyer.goto(address)
    buyer.click(CHECK)  # now the form knows
    expect(buyer.locator("#faults")).to_contain_text("is Delivered")
    expect(buyer.locator("#faults .change")).to_contain_text("羊城示範貿易有限公司")


def test_a_record_s_page_offers_what_the_rules_allow(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    invoice = league.invoices[0]
    page = visitor.open("buyer")
    page.goto(f"/apps/e_invoice/records/invoice/{invoice}")
    steps = page.locator("section:has(> #steps)")
    expect(steps.get_by_role("link", name="Deliver invoice")).to_be_visible()
    expect(steps.get_by_role("link", name="Freeze invoice")).to_have_count(0)
    steps.locator("summary").click()
    expect(steps.locator("details")).to_contain_text("Freeze invoice")
    expect(page.locator(".states .present").first).to_have_text("Issued")
    expect(page.locator(".steps > li")).to_contain_text("羊城示範貿易有限公司")
    check_accessible(page)
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download the proof").click()
    proof = json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))
    assert (proof["kind"], proof["record"]["id"]) == ("hansa.proof/1", invoice)
    with page.expect_download() as saved:
        page.get_by_role("link", name="Proof that there is none").first.click()
    assert json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))["record"] is None


def test_a_list_is_filtered_saved_as_a_link_and_exported(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    page = visitor.open("seller-a", language="pt")
    page.goto("/apps/e_invoice/tables/invoices")
    page.locator(".filterbox summary").click()
    page.fill('[name="t.with_vat_min"]', "1.124,99")
    page.fill('[name="t.number"]', "N-2")
    page.locator(".filterbox button").click()
    expect(page).to_have_url(re.compile(r"\?number=N-2&with_vat_min=1124\.99$"))
    expect(page.locator(".listing tbody tr")).to_have_count(1)
    saved_link = page.url
    page.goto(saved_link.replace("1124.99", "1125.01"))
    expect(page.locator(".empty")).to_be_visible()
    page.goto(saved_link)
    check_accessible(page)
    with page.expect_download() as saved:
        page.locator("a[download]").click()
    text = Path(saved.value.path()).read_bytes().decode("utf-8-sig")
    lines = text.splitlines()
    assert len(lines) == 2
    assert ",1125.00," in lines[1]
    assert league.dids["seller-a"] in lines[1]


def test_what_an_attacker_wrote_is_shown_and_never_run(
    visitor: Visitor, league: ConsoleLeague, tmp_path: Path
) -> None:
    page = visitor.open()
    visitor.sign_in_by_key_file(page, "seller-a")
    fill_invoice(page, league, ATTACK, line=ATTACK)
    choose_document(page, tmp_path)
    preview(page)
    expect(page.locator(".preview")).to_contain_text(ATTACK)
    sign(page)
    expect(page.locator("h1")).to_have_text("Done")
    page.get_by_role("link", name="Open: Invoice").click()
    expect(page.locator("h1.key")).to_be_visible()
    expect(page.locator("main")).to_contain_text(ATTACK)
    page.goto("/apps/e_invoice/tables/invoices")
    expect(page.locator(".listing")).to_contain_text(ATTACK)
    page.goto("/apps/governance/messages/Propose?topic=%3Cscript%3Ealert(1)%3C/script%3E")
    for box in page.locator(".derived input:not([type=hidden],[type=file])").all():
        if box.is_visible():
            box.fill(ATTACK)
    page.click(CHECK)
    expect(page.locator("#faults")).to_be_visible()
    page.goto(f"/apps/e_invoice/tables/invoices?number={ATTACK}%27%22&seller=x")
    expect(page.locator(".chips")).to_contain_text(ATTACK)


def test_a_form_is_filled_from_the_document_and_commits_to_it(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    page = visitor.open("seller-a", language="pt")
    page.goto("/apps/e_invoice/messages/IssueInvoice")
    paper = league.shell.folder / league.trade.paper("G-1")
    with page.expect_download() as saved:
        page.set_input_files("#from-file", paper)
    opening = json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))
    expect(page.locator('[name="content.number"]')).to_have_value("G-1")
    expect(page.locator('[name="content.totals.with_vat"]')).to_have_value("1125,00")
    expect(page.locator('[name="content.commitment"]')).to_have_value(opening["commitment"])
    page.fill('[name="content.seller"]', league.numbers["seller-a"])
    page.fill('[name="content.buyer"]', league.numbers["buyer"])
    preview(page)
    page.goto("/apps/e_invoice/messages/IssueInvoice")
    page.set_input_files(
        "#from-file", {"name": "x.xml", "mimeType": "text/xml", "buffer": b"<a>&b;</a>"}
    )
    expect(page.locator("#faults")).to_contain_text("XML-")


def test_events_of_one_file_are_signed_once(visitor: Visitor, league: ConsoleLeague) -> None:
    page = visitor.open()
    visitor.sign_in_by_key_file(page, "seller-a")
    page.goto("/apps/food_trace/messages/CaptureEvent")
    page.set_input_files(
        "#from-file",
        {"name": "two.json", "mimeType": "application/json", "buffer": make_epcis(2026, 2126)},
    )
    expect(page.locator("#send")).to_be_enabled()
    expect(page.locator(".bulk > li")).to_have_count(2)
    check_accessible(page)
    look(page, "bulk-preview")
    sign(page)  # each stands for itself: what has not happened yet is refused (I5)
    expect(page.locator("h1")).to_have_text("Done in part: 1 of 2 refused")
    expect(page.locator(".outcome.done")).to_have_count(1)
    expect(page.locator(".outcome.refused")).to_contain_text("Rule I5")


def make_epcis(*years: int) -> bytes:
    """A capture document of an observation in each year."""
    events = [
        {
            "type": "ObjectEvent",
            "action": "OBSERVE",
            "bizStep": "inspecting",
            "eventTime": f"{year}-03-01T10:00:00Z",
            "eventTimeZoneOffset": "+08:00",
            "epcList": ["urn:epc:id:sgtin:4012345.011111.9876"],
            "readPoint": {"id": "urn:epc:id:sgln:4012345.00005.0"},
        }
        for year in years
    ]
    document = {
        "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-09T00:00:00Z",
        "epcisBody": {"eventList": events},
    }
    return json.dumps(document).encode()


@pytest.mark.parametrize("tag", sorted(LANGUAGES))
def test_pages_fit_and_are_accessible_in_every_language(
    visitor: Visitor, league: ConsoleLeague, tag: str
) -> None:
    dark = tag in ("zh-Hans", "pt")
    page = visitor.open("seller-a", language=tag, dark=dark, phone=tag != "en")
    for name, path in {
        "app": "/apps/e_invoice",
        "table": "/apps/e_invoice/tables/invoices",
        "record": f"/apps/e_invoice/records/invoice/{league.invoices[0]}",
        "form": "/apps/e_invoice/messages/IssueInvoice",
        "propose": "/apps/governance/messages/Propose",
        "kind": "/apps/members/records/member",
    }.items():
        page.goto(path)
        expect(page.locator("html")).to_have_attribute("lang", tag)
        if tag in ("en", "pt"):  # on a desk and on a phone: the others differ by their words alone
            check_accessible(page)
        check_fits(page)
        look(page, f"{name}-{tag}-{'phone' if tag != 'en' else 'desk'}")

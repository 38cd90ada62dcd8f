"""Home shows what waits for its reader, and nothing that waits for others."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from hansa.console.pages.home import join_equal
from tests.console.browsing import Visitor, look
from tests.console.league import ConsoleLeague


def find_invoices(page: Page) -> Locator:
    """What waits of invoices: proposals that other tests left open wait too."""
    return page.locator(".waiting").filter(has=page.locator("h3", has_text="Invoices to deliver"))


@pytest.mark.slow
def test_an_invoice_waits_for_whom_its_state_says(visitor: Visitor, league: ConsoleLeague) -> None:
    seller, employer = visitor.open("seller-a"), visitor.open("employer")
    seller.goto("/")
    waiting = find_invoices(seller)
    expect(waiting).to_have_count(1)
    with league.api("seller-a") as api:  # other tests issue and deliver some too
        path = "/v1/apps/e_invoice/tables/invoices/totals"
        found = api.get(path, params={"status": "ISSUED"}).json()["items"]
    expect(waiting.locator(".count")).to_have_text(str(sum(each["count"] for each in found)))
    expect(waiting.locator("li").first).to_contain_text(re.compile(r"\d,\d{3}\.\d{2}"))
    employer.goto("/")
    expect(employer.locator("h1")).to_be_visible()
    expect(find_invoices(employer)).to_have_count(0)
    look(seller, "home-seller")


@pytest.mark.slow
def test_what_waits_leads_to_its_list_and_its_record(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    page = visitor.open("seller-a")
    page.goto("/")
    find_invoices(page).locator("h3 a").click()
    expect(page).to_have_url(re.compile(r"/apps/e_invoice/tables/invoices\?status=ISSUED&"))
    page.go_back()
    find_invoices(page).locator("li a").first.click()
    expect(page).to_have_url(re.compile("/apps/e_invoice/records/invoice/"))


@pytest.mark.slow
def test_names_are_shown_and_not_keys(visitor: Visitor, league: ConsoleLeague) -> None:
    page = visitor.open("seller-a")
    page.goto("/")
    lately = page.locator("section[aria-labelledby=lately]")
    expect(lately).to_contain_text("Ram City Model Trading")
    expect(lately).not_to_contain_text("did:hansa")


def test_equal_results_of_one_transaction_are_one_line() -> None:
    result = {"transaction": "a", "app": "x", "type": "T", "code": "ok", "height": 1}
    results = [result, result, {**result, "code": "x.no"}, {**result, "transaction": "b"}, result]
    assert [each["count"] for each in join_equal(results)] == [3, 1, 1]

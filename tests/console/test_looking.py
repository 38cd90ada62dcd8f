"""The explorer, the league and food as people see them: what is new comes by itself, a vote is
signed in the browser, a consumer's phone shows the recall first, in four languages.
"""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from hansa.apps.food_trace.identifiers import element_of
from hansa.locales import LANGUAGES
from tests.console.browsing import Visitor, check_accessible, check_fits, look
from tests.console.food_league import ATTACK, FoodLeague, run_food_league
from tests.console.league import ConsoleLeague

pytestmark = pytest.mark.slow
# The first batch of the model chain: pigs, cuts of them, spice, sausages of a cut and spice.
PIGS = "urn:epc:class:lgtin:9521000.000001.L000001"
SAUSAGE = "urn:epc:class:lgtin:9523001.000004.L000001"
RECALL = "PIGS-1"


@pytest.fixture(scope="module")
def food(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FoodLeague]:
    """A food league with a laboratory's result and a recall of pigs that went into sausages."""
    with run_food_league(tmp_path_factory.mktemp("food")) as league:
        league.report(SAUSAGE, "pass", "R-1")
        league.recall(PIGS, RECALL)
        yield league


@pytest.fixture
def consumer(chromium: Browser, food: FoodLeague) -> Iterator[Visitor]:
    """Opens pages of the food league."""
    visitor = Visitor(chromium, food)
    yield visitor
    visitor.close()


def propose(league: ConsoleLeague, value: int) -> int:
    """A proposal of the tax bureau; its number."""
    body = {"v": 1, "application": "quotas", "name": "window_ms", "value": value}
    action = {"application": "governance", "type": "SetParameter", "body": body}
    told = league.shell.ask(
        "governance", "propose", "--topic", "window", "--actions", json.dumps([action]),
        "--as", "tax-bureau",
    )  # fmt: skip
    return find_number(told)


def find_number(told: Any) -> int:
    """The number of the proposal in whatever the command tells."""
    if isinstance(told, dict):
        if isinstance(told.get("proposal"), int):
            return int(told["proposal"])
        told = list(told.values())
    if isinstance(told, list):
        for each in told:
            found = find_number(each)
            if found:
                return found
    return 0


def test_a_new_block_comes_into_the_explorer_by_itself(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    page = visitor.open("seller-a")
    page.goto("/explorer")
    expect(page.locator(".live[data-state=live]")).to_be_visible()
    newest = int(page.locator("#blocks tbody tr").first.get_attribute("data-key") or 0)
    league.trade.issue()
    row = page.locator("#blocks tbody tr.new", has_text="1").first
    expect(row).to_be_visible()
    assert int(row.get_attribute("data-key") or 0) > newest
    keys = page.locator("#blocks tbody tr").evaluate_all("rows => rows.map((r) => r.dataset.key)")
    assert len(keys) == len(set(keys))
    height = page.locator("#blocks tbody tr.new").last.get_attribute("data-key")
    page.click(f"#blocks tr[data-key='{height}'] a")
    expect(page.locator("h1")).to_contain_text(str(height))
    page.goto("/explorer")
    page.click("[data-pause]")
    expect(page.locator(".live[data-state=paused]")).to_be_visible()


def test_a_new_event_comes_to_whom_it_concerns_and_to_nobody_else(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    address = "/explorer/events?app=e_invoice&type=InvoiceIssued"
    own, stranger = visitor.open("seller-a"), visitor.open()
    for page in (own, stranger):
        page.goto(address)
        expect(page.locator(".live[data-state=live]")).to_be_visible()
    number = league.trade.issue()["number"]
    expect(own.locator("#events tbody tr.new")).to_contain_text(number)
    expect(stranger.locator("#events tbody tr")).to_have_count(0)


def test_lists_lead_to_blocks_and_transactions_and_search_finds_them(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    refused = league.trade.paper("N-1")
    league.shell.ask(
        "e-invoice", "issue", refused, "--seller", "seller-a", "--buyer", "buyer",
        "--as", "seller-a", expect=1,
    )  # fmt: skip
    page = visitor.open("seller-a")
    page.goto("/explorer/rejections")
    row = page.locator("tbody tr").first
    expect(row).to_contain_text("N-1")
    row.get_by_role("link").last.click()
    expect(page.locator("h1")).to_contain_text("Block")
    expect(page.locator("main")).to_contain_text("N-1")
    page.fill("#find", league.dids["seller-b"])
    page.press("#find", "Enter")
    expect(page.locator("h1")).to_contain_text("Fragrant Harbour")
    page.goto("/explorer?q=nothing+of+the+kind")
    expect(page.locator(".problem")).to_be_visible()


def test_a_member_votes_in_the_browser_and_its_vote_counts_once(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    number = propose(league, 3_600_000)
    page = visitor.open()
    visitor.sign_in_by_key_file(page, "auditor")
    page.goto(f"/league/proposals/{number}")
    check_accessible(page)
    page.click("[data-choice=yes]")
    page.click("#cancel")
    expect(page.locator("#sure")).to_be_hidden()
    page.click("[data-choice=yes]")
    expect(page.locator("#question")).to_be_focused()
    page.click("#confirm")
    expect(page.locator(".notice.done")).to_be_visible()
    expect(page.locator("#voting")).to_have_count(0)
    with league.api("auditor") as client:
        path = f"/v1/apps/governance/ballot/{number:08d}/{league.dids['auditor']}"
        assert client.get(path).json()["choice"] == "yes"
    look(page, "proposal-voted")
    page.goto("/league/proposals")
    expect(page.locator("tbody tr").first).to_contain_text("2")


def test_a_vote_that_the_ledger_refuses_says_why(visitor: Visitor, league: ConsoleLeague) -> None:
    number = propose(league, 7_200_000)
    first, second = visitor.open(), visitor.open()
    for page in (first, second):
        visitor.sign_in_by_key_file(page, "buyer")
        page.goto(f"/league/proposals/{number}")
        page.click("[data-choice=no]")
    first.click("#confirm")
    expect(first.locator(".notice.done")).to_be_visible()
    second.click("#confirm")
    expect(second.locator(".notice.refused")).to_contain_text("has voted")


def test_who_has_no_key_here_is_told_what_to_do(visitor: Visitor, league: ConsoleLeague) -> None:
    number = propose(league, 5_400_000)
    page = visitor.open("employer")
    page.goto(f"/league/proposals/{number}")
    page.click("[data-choice=yes]")
    page.click("#confirm")
    expect(page.locator("#voting-state")).to_contain_text("key file")
    expect(page.locator("[data-choice=yes]")).to_be_enabled()


def test_a_phone_shows_the_recall_first_in_each_language(
    consumer: Visitor, food: FoodLeague
) -> None:
    page = consumer.open(language="fr", phone=True)
    gtin, lot = element_of(SAUSAGE).split(".")[1::2]
    answer = page.goto(f"/id/01/{gtin}/10/{lot}")
    assert answer is not None
    assert answer.status == 200
    for tag, language in LANGUAGES.items():
        page.get_by_role("link", name=language.name, exact=True).click()
        expect(page.locator("html")).to_have_attribute("lang", tag)
        verdict = page.locator(".verdict[data-state=recalled]")
        expect(verdict).to_be_in_viewport()
        box = verdict.bounding_box()
        assert box is not None
        assert box["y"] < 150
        expect(page.locator(".origins")).to_contain_text("肇慶")
        expect(page.locator(".steps > li")).to_have_count(7)
        expect(page.locator(".tests li")).to_have_count(1)
        expect(page.locator(".steps")).to_contain_text(ATTACK)
        check_fits(page)
        look(page, f"label-{tag}")
    check_accessible(page)


def test_a_label_says_what_the_ledger_does_not_know_and_refuses_false_digits(
    consumer: Visitor,
) -> None:
    page = consumer.open(phone=True)
    page.goto("/id/01/09523001000042/10/NOBODYS")
    expect(page.locator(".verdict[data-state=unknown]")).to_be_visible()
    check_accessible(page)
    answer = page.goto("/id/01/09523001000043/10/L1")
    assert answer is not None
    assert answer.status == 400
    expect(page.locator(".problem")).to_be_visible()


@pytest.mark.parametrize(("dark", "phone"), [(False, False), (True, True)])
def test_an_item_is_found_by_its_code_and_seen_whole(
    consumer: Visitor, food: FoodLeague, dark: bool, phone: bool
) -> None:
    page = consumer.open("processor-2", dark=dark, phone=phone)
    for asked in (SAUSAGE, f"{food.url}/id/01/09523001000042/10/L000001"):
        page.goto("/food")
        page.fill("#item", asked)
        page.press("#item", "Enter")
        expect(page.locator("h1")).to_contain_text("L000001")
    expect(page.locator("#lineage .node.recalled.focus")).to_have_count(1)
    expect(page.locator("#lineage .node")).to_have_count(5)
    expect(page.locator("#steps .dot").first).to_be_visible()
    expect(page.locator(".notice.done")).to_be_visible()
    check_accessible(page)
    check_fits(page)
    look(page, f"item-{'dark-phone' if dark else 'light-desk'}")
    address = page.url
    count = page.locator("#steps .dot").count()
    page.goto(f"{address}?before=1")  # earlier than its first step
    page.get_by_role("link", name="Latest steps").click()
    expect(page.locator("#steps .dot")).to_have_count(count)
    page.goto("/food?q=9523001000042")
    expect(page.locator("#lots")).to_be_visible()
    page.goto("/food?q=nothing-of-the-kind")
    expect(page.locator(".notice.warning")).to_be_visible()


def test_a_recall_lists_holders_and_the_file_has_the_same(
    consumer: Visitor, food: FoodLeague
) -> None:
    page = consumer.open()
    page.goto("/food/recalls")
    page.get_by_role("link", name=RECALL).click()
    expect(page.locator(".figures dd").first).to_have_text("5")
    rows = page.locator(".holder tbody tr").count()
    check_accessible(page)
    check_fits(page)
    look(page, "recall")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download as CSV").click()
    text = waiting.value.path().read_text(encoding="utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    assert len(lines) == rows + 1
    assert all(len(line) == 8 for line in lines)
    page.goto(f"/food/reach/{element_of(SAUSAGE)}")
    expect(page.locator(".figures dd").first).to_have_text("1")

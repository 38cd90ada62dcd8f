"""The pages of identities as people use them: the tree, wallet, issuing, checking, who looked."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hansa.console.browser_packages import JSQR, find_package
from tests.console.browsing import Visitor, check_accessible, check_fits, look
from tests.console.identity_league import ATTACK, IdentityLeague, run_identity_league

pytestmark = pytest.mark.slow
ASKED = {"audience": "bank", "nonce": "n-1"}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityLeague]:
    """A league where people are accredited, issue, consent and look."""
    with run_identity_league(tmp_path_factory.mktemp("identity")) as league:
        yield league


@pytest.fixture(scope="module")
def papers(city: IdentityLeague) -> dict[str, Path]:
    """A degree in both forms, and its bundle."""
    vc, sd_jwt = city.issue("ada.json"), city.issue("ada.sd-jwt", "--form", "sd-jwt")
    bundle = city.shell.folder / "bundle.json"
    city.ask("credential bundle", vc, "-o", bundle)
    return {"vc": vc, "sd-jwt": sd_jwt, "bundle": bundle}


@pytest.fixture
def person(chromium: Browser, city: IdentityLeague) -> Iterator[Visitor]:
    """Opens pages of that league."""
    visitor = Visitor(chromium, city)
    yield visitor
    visitor.close()


def settle(page: Page, name: str) -> None:
    """The page keeps to the rules of every page, and is kept as a picture when asked for."""
    look(page, f"identity-{name}")
    check_accessible(page)
    check_fits(page)


def check(page: Page, text: str) -> Page:
    """Have the page judge a text; the page."""
    before = page.locator("#results > .verdict").count()
    page.fill("#check-text", text)
    page.click("#check-form button")
    expect(page.locator("#results > .verdict")).to_have_count(before + 1)
    return page


def open_ready(page: Page, path: str, ready: str) -> Page:
    """A page whose script has begun."""
    page.goto(path)
    expect(page.locator(f"{ready}[data-ready=true]")).to_be_attached()
    return page


@pytest.mark.parametrize(("dark", "phone"), [(False, False), (True, True)])
def test_the_tree_shows_states_as_at_a_time_and_says_the_same_as_a_table(
    person: Visitor, city: IdentityLeague, dark: bool, phone: bool
) -> None:
    page = person.open(dark=dark, phone=phone)
    page.goto("/identity/accreditations")
    expect(page.locator("#tree .node")).to_have_count(4)
    expect(page.locator("#tree .node.state-busy")).to_have_count(1)
    expect(page.locator("#tree .node.state-good")).to_have_count(3)
    settle(page, f"tree-{int(phone)}")
    page.get_by_text("As a table").click()
    rows = page.locator("#tree tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.filter(has_text="suspended")).to_have_count(1)
    page.fill("#at", "2020-01-01T00:00:00")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#tree .node.state-quiet")).to_have_count(4)
    page.get_by_role("link", name="As it is now").click()
    page.locator("#tree .node.state-busy").click()
    expect(page.locator("h1")).to_contain_text(city.links["seller-b"])
    answer = page.goto("/identity/accreditations?at=yesterday")
    assert answer is not None
    assert answer.status == 400


def test_what_the_browser_presents_python_believes_and_the_rest_stays_hidden(
    person: Visitor, city: IdentityLeague, papers: dict[str, Path]
) -> None:
    page = person.open()
    person.sign_in_by_key_file(page, "buyer")
    open_ready(page, "/identity", "#wallet")
    sent: list[str] = []
    page.on("request", lambda request: sent.append((request.post_data or "") + request.url))
    page.set_input_files("#wallet-files", list(papers.values()))
    expect(page.locator(".credential")).to_have_count(3)
    page.fill("#wallet-text", "no credential")
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#wallet-fault")).to_contain_text("no credential")
    card = page.locator(".credential[data-form=sd-jwt]")
    expect(card.locator("h3")).to_have_text("degree")
    card.locator("summary").click()
    card.get_by_label("degree").check()
    shown = present(page, "sd-jwt")
    code = read_code(page)
    settle(page, "wallet")
    assert code in ("", shown)
    page.locator(".credential[data-form=vc] summary").click()
    whole = present(page, "vc")
    secret = papers["sd-jwt"].read_text().partition(".")[2][:200]
    assert not any(secret in each or "Ada" in each for each in sent)
    for name, text, claims in (("s", shown, {"degree": "MSc"}), ("w", whole, None)):
        file = city.write(f"shown-{name}", text)
        asked = "--audience bank --nonce n-1 --need-holder --as employer"
        found = city.ask("credential verify", file, *asked.split())
        assert found["outcome"] == "yes"
        if claims is not None:
            assert found["content"]["claims"] == [claims]
    page.reload()
    expect(page.locator(".credential")).to_have_count(3)
    page.locator(".credential").first.get_by_role("button", name="Forget").click()
    page.get_by_role("button", name="Forget it for good").click()
    expect(page.locator(".credential")).to_have_count(2)


def present(page: Page, form: str) -> str:
    """Fill in to whom, and make it; the text to hand over."""
    card = page.locator(f".credential[data-form={form}]")
    for name, value in ASKED.items():
        card.locator(f"[name={name}]").fill(value)
    card.get_by_role("button", name="Make it").click()
    expect(card.locator(".made .notice.done")).to_be_visible()
    return card.locator(".made textarea").input_value()


def read_code(page: Page) -> str:
    """What the QR code says to an independent reader; "" where that was not installed."""
    package = find_package(JSQR)
    if package is None:
        return ""
    page.add_script_tag(url=f"/verify/packages/{package.name}")
    return str(
        page.evaluate(
            """() => {
              const canvas = document.querySelector("canvas.qr");
              const { width, height } = canvas;
              const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
              return jsQR(data, width, height)?.data ?? "unread";
            }"""
        )
    )


def test_a_credential_is_judged_by_named_checks_and_the_page_says_who_judged(
    person: Visitor, city: IdentityLeague, papers: dict[str, Path]
) -> None:
    page = open_ready(person.open(), "/identity/check", "#check")
    page.set_input_files("#check-files", list(papers.values()))
    cards = page.locator("#results > .verdict")
    expect(cards).to_have_count(3)
    for at in range(3):
        expect(cards.nth(at)).to_have_attribute("data-outcome", "yes")
        expect(cards.nth(at)).to_contain_text(ATTACK)
        expect(cards.nth(at).locator(".judge")).to_contain_text("Judged by this server")
        expect(cards.nth(at).locator("li[data-outcome=failed]")).to_have_count(0)
    check(page, papers["vc"].read_text().replace('"MSc"', '"BSc"'))
    expect(cards.first).to_have_attribute("data-outcome", "no")
    expect(cards.first.locator("li[data-code=bad_signature]")).to_be_visible()
    settle(page, "check")
    check(page, "{")
    expect(cards.first.locator("[data-check=format][data-outcome=failed]")).to_be_visible()
    page.check("#need-holder")
    check(page, papers["sd-jwt"].read_text())
    expect(cards.first).to_have_attribute("data-outcome", "no")
    expect(cards.first.locator("[data-check=holder][data-outcome=failed]")).to_be_visible()


def test_the_browser_judges_by_proved_facts_and_sends_the_credential_nowhere(
    person: Visitor, city: IdentityLeague, papers: dict[str, Path]
) -> None:
    page = open_ready(person.open(), "/verify", "#verify")
    page.set_input_files("#pin-file", str(city.shell.folder / "genesis.json"))
    page.click("#pin-yes")
    expect(page.locator("#roots > li")).to_have_count(1)
    page.set_input_files("#verify-files", str(papers["bundle"]))
    card = page.locator("#results .verdict")
    expect(card).to_have_attribute("data-outcome", "could_not_judge")
    expect(card.locator("li[data-ok=null]")).to_have_count(2)
    open_ready(page, "/identity/check", "#check")
    page.check("#keep-here")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.post_data} {request.url}"))
    page.set_input_files("#check-files", [str(papers["vc"]), str(papers["sd-jwt"])])
    cards = page.locator("#results > .verdict")
    expect(cards).to_have_count(2)
    for at in range(2):
        expect(cards.nth(at)).to_have_attribute("data-outcome", "unsent")
        expect(cards.nth(at).locator("li[data-ok=false]")).to_have_count(0)
        for step in ("facts", "proof", "status", "accreditation now"):
            expect(cards.nth(at).locator(f"li[data-step='{step}'][data-ok=true]")).to_be_visible()
    check(page, papers["vc"].read_text().replace('"MSc"', '"BSc"'))
    expect(cards.first.locator("li[data-step=proof][data-ok=false]")).to_be_visible()
    expect(cards.first).to_have_attribute("data-outcome", "no")
    page.fill("#check-at", "2020-01-01T00:00")
    check(page, papers["vc"].read_text())
    expect(cards.first.locator("li[data-step=validity][data-ok=false]")).to_be_visible()
    page.fill("#check-at", "")
    assert any("/v1/facts?" in each for each in sent)
    assert not any("Ada" in each or "/judge" in each for each in sent)
    settle(page, "check-here")


def test_a_clerk_issues_in_the_browser_what_everybody_believes_until_it_is_revoked(
    person: Visitor, city: IdentityLeague
) -> None:
    page = person.open(phone=True)
    person.sign_in_by_key_file(page, "seller-a")
    page.goto("/identity/issue")
    settle(page, "schemas")
    page.get_by_role("link", name="degree").click()
    expect(page.locator("#issue[data-ready=true]")).to_be_attached()
    page.click("#issue-button")
    expect(page.locator(".fault:visible")).to_have_count(1)
    page.get_by_label("Full name").fill("Ada")
    page.locator("[data-claim=degree]").select_option('"MSc"')
    page.locator("[data-claim=awarded]").fill("2026-11-02")
    page.locator("[data-claim=honours]").select_option("true")
    page.fill("#holder", "did:hansa:" + "a" * 32)
    page.click("#issue-button")
    expect(page.locator("#holder-fault")).to_contain_text("Nobody has this DID")
    page.fill("#holder", city.dids["buyer"])
    page.click("#issue-button")
    expect(page.locator("#issued .notice.done")).to_be_visible()
    settle(page, "issued")
    made = {"sd-jwt": page.locator("#issued textarea").input_value()}
    revoke = page.get_by_role("link", name="Revoke it").get_attribute("href")
    page.get_by_label("W3C credential").check()
    page.click("#issue-button")
    expect(page.locator("#issued textarea")).to_have_value(re.compile(r"^\{"))
    made["vc"] = page.locator("#issued textarea").input_value()
    claims = {"name": "Ada", "degree": "MSc", "awarded": "2026-11-02", "honours": True}
    for form, text in made.items():
        found = city.ask("credential verify", city.write(f"made-{form}", text), "--as", "employer")
        assert found["outcome"] == "yes"
        assert found["content"]["claims"] == [claims]
    assert revoke is not None
    page.goto(revoke)
    page.locator("[name=reason]").fill("mistake")
    page.locator("form.derived button.button").last.click()
    page.click("#send")
    page.wait_for_url("**/transactions/*")
    file = city.shell.folder / "made-sd-jwt"
    found = city.shell.ask("credential", "verify", file, "--as", "employer", expect=1)
    assert ("status", "revoked") in [(each["name"], each["code"]) for each in found["checks"]]


def test_claims_that_their_schema_refuses_are_not_signed(
    person: Visitor, city: IdentityLeague
) -> None:
    page = person.open("seller-b")
    page.goto("/identity/issue")
    page.get_by_role("link", name="degree").click()
    expect(page.locator(".notice.warning").first).to_contain_text("no accreditation in force")
    schema = page.url.partition("schema=")[2]
    for claims, rule in (({"name": "", "degree": "MSc"}, "minLength"), ({"name": "A"}, "required")):
        faults = page.evaluate(
            """async ([schema, claims]) => {
              const csrf = document.querySelector("meta[name=csrf]").content;
              const body = new URLSearchParams({ csrf, schema, claims: JSON.stringify(claims) });
              const answer = await fetch("/identity/issue/claims", { method: "POST", body });
              return await answer.json();
            }""",
            [schema, claims],
        )["faults"]
        assert [each["rule"] for each in faults] == [rule]


@pytest.mark.parametrize(("dark", "phone"), [(False, False), (True, True)])
def test_a_person_sees_who_looked_and_withdraws_at_once(
    person: Visitor, city: IdentityLeague, dark: bool, phone: bool
) -> None:
    page = person.open("buyer", dark=dark, phone=phone)
    page.goto("/identity/access")
    expect(page.locator(".access")).to_have_count(2)
    expect(page.locator(".access.emergency")).to_have_count(1)
    expect(page.locator(".notice.done")).to_contain_text("The log is whole")
    settle(page, f"access-{int(phone)}")
    page.locator("table").get_by_role("link", name="Withdraw").click()
    expect(page.locator("[name=grant]").first).to_have_value(city.grant)


def test_home_says_what_waits_about_identities(person: Visitor, city: IdentityLeague) -> None:
    for member, words in (
        ("tax-bureau", "Emergency accesses to review"),
        ("buyer", "Your data was read in an emergency"),
    ):
        page = person.open(member)
        page.goto("/")
        line = page.locator(".waiting.urgent", has_text=words)
        expect(line.locator(".count")).to_have_text("1")
    page = person.open("employer")
    page.goto("/")
    expect(page.locator(".waiting.urgent")).to_have_count(0)


def test_mandates_and_dids_are_shown_to_whom_they_concern(
    person: Visitor, city: IdentityLeague
) -> None:
    page = person.open("employer", phone=True)
    page.goto("/identity/mandates")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("link", name="Give it back")).to_be_visible()
    settle(page, "mandates")
    stranger = person.open()
    stranger.goto("/identity/dids")
    settle(stranger, "dids")
    stranger.fill("#did", city.dids["seller-a"])
    stranger.press("#did", "Enter")
    expect(stranger.locator("h1")).to_contain_text("Ram City")
    expect(stranger.locator("main")).to_contain_text("issue credentials")
    expect(stranger.locator(".steps li")).to_have_count(1)
    expect(stranger.locator(".rows .tag[data-tone=good]")).to_have_count(1)
    settle(stranger, "did")
    stranger.goto(f"/identity/dids/did:hansa:{'a' * 32}")
    expect(stranger.locator(".notice.warning")).to_contain_text("Nobody has this DID")
    stranger.goto("/identity/dids?did=nonsense")
    expect(stranger.locator(".notice.warning")).to_be_visible()

"""Every page keeps its policy, is accessible and fits, light and dark, on a desk and on a phone,
and in four languages.
"""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from hansa.console.pages import PAGES
from hansa.locales import LANGUAGES
from tests.console.browsing import Visitor, check_accessible, check_fits, look
from tests.console.league import ConsoleLeague

pytestmark = pytest.mark.slow
# Pages whose address has no parts; the others are tested where their addresses are made.
PLAIN = sorted({each.pattern for each in PAGES if each.method == "GET" and "{" not in each.pattern})
OPEN = [
    path for path in PLAIN if not any(e.pattern == path and e.access != "anyone" for e in PAGES)
]
LOOKS = [(False, False), (True, True)]


def check_page(page: Page, path: str, status: int = 200) -> None:
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == status, path
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src")
    check_accessible(page)
    check_fits(page)


@pytest.mark.parametrize("member", ["", "seller-a"])
@pytest.mark.parametrize(("dark", "phone"), LOOKS)
def test_no_page_breaks_its_policy_and_each_is_accessible(
    visitor: Visitor, member: str, dark: bool, phone: bool
) -> None:
    page = visitor.open(member, dark=dark, phone=phone)
    for path in PLAIN if member else OPEN:
        check_page(page, path)
        name = path.strip("/").replace("/", "-") or "home"
        look(page, f"{name}-{member or 'stranger'}-{'dark-phone' if phone else 'light-desk'}")
    check_page(page, "/no/such/page", status=404)
    look(page, f"refused-{member or 'stranger'}-{'dark-phone' if phone else 'light-desk'}")


def test_the_language_is_switched_and_stays(visitor: Visitor) -> None:
    page = visitor.open("seller-a", language="pt-BR")
    page.goto("/account?kept=1")
    for tag, language in LANGUAGES.items():
        page.get_by_role("link", name=language.name, exact=True).click()
        expect(page.locator("html")).to_have_attribute("lang", tag)
        expect(page).to_have_url(re.compile(rf"/account\?kept=1&lang={tag}$"))
        expect(page.locator(".languages [aria-current]")).to_have_text(language.name)
    page.goto("/account")
    expect(page.locator("html")).to_have_attribute("lang", tag)


@pytest.mark.parametrize("path", [*PLAIN, "/no/such/page"])
def test_every_page_speaks_every_language_and_leads_to_itself_in_the_others(
    league: ConsoleLeague, path: str
) -> None:
    cookie = {"hansa-session": league.open_session("seller-a")}
    with httpx.Client(base_url=league.url, cookies=cookie, timeout=60) as client:
        for tag in LANGUAGES:
            text = client.get(path, params={"kept": "1", "lang": tag}).text
            assert f'<html lang="{tag}">' in text
            for other in LANGUAGES:
                assert f'href="{path}?kept=1&amp;lang={other}"' in text


@pytest.mark.parametrize(
    ("browser", "tag"), [("zh-CN", "zh-Hans"), ("zh-HK", "zh-Hant"), ("pt-BR", "pt"), ("fr", "en")]
)
def test_the_first_page_is_in_the_language_of_the_browser(
    visitor: Visitor, browser: str, tag: str
) -> None:
    page = visitor.open(language=browser)
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", tag)


def test_the_whole_page_is_reached_by_keyboard(visitor: Visitor) -> None:
    page = visitor.open()
    page.goto("/sign-in")
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#key-file")).to_be_focused()


def test_pages_read_without_scripts_and_print_without_the_frame(visitor: Visitor) -> None:
    page = visitor.open(java_script_enabled=False)
    page.goto("/sign-in?account=did:hansa:" + "a" * 32)
    expect(page.locator("#challenge")).not_to_be_empty()
    page.goto("/")
    page.emulate_media(media="print")
    expect(page.locator(".sections")).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()


def test_targets_are_large_enough_for_thumbs(visitor: Visitor, league: ConsoleLeague) -> None:
    page = visitor.open("seller-a", phone=True)
    page.goto("/sign-in")
    for control in page.locator("button:visible, .button:visible, .languages a, summary").all():
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= 43.5, control.inner_text()

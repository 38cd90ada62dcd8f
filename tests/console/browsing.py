"""A real Chromium (Debian's) for tests, and what every page that it shows must keep to."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.console.league import ConsoleLeague

CHROMIUM = os.environ.get("HANSA_CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Folder for pictures of pages, for people to look at: HANSA_SHOTS=/tmp/shots pytest tests/console
SHOTS = os.environ.get("HANSA_SHOTS", "")
# Counts violations of the page's policy and dialogs that an attack would open, before any script.
_WATCH = """
window.__violations = [];
document.addEventListener('securitypolicyviolation', (event) =>
  window.__violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
window.__attacked = false;
window.alert = () => { window.__attacked = true; };
"""


class Watched:
    """What pages of a context complained of, gathered while they are used."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def follow(self, page: Page) -> None:
        """Gather from a page."""
        page.on("pageerror", lambda error: self.errors.append(f"script: {error}"))
        page.on("console", self._hear)
        page.on("requestfinished", lambda request: self._see(request.url))
        page.on("requestfailed", lambda request: self._see(request.url))

    def _hear(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(f"console: {message.text}")

    def _see(self, url: str) -> None:
        if not re.match(r"(https?://(localhost|127\.0\.0\.1):|data:|blob:|about:)", url):
            self.errors.append(f"asked elsewhere: {url}")


class Visitor:
    """People at their browsers, each in a context of their own."""

    def __init__(self, browser: Browser, league: ConsoleLeague) -> None:
        self.browser = browser
        self.league = league
        self.watched = Watched()
        self._contexts: list[BrowserContext] = []

    def open(
        self,
        member: str = "",
        *,
        language: str = "en",
        dark: bool = False,
        phone: bool = False,
        **options: Any,
    ) -> Page:
        """A new browser of its own; with `member` it is signed in already."""
        context = self.browser.new_context(
            base_url=self.league.url,
            viewport=PHONE if phone else DESK,
            color_scheme="dark" if dark else "light",
            locale=language,
            has_touch=phone,
            **options,
        )
        context.set_default_timeout(20_000)
        context.add_init_script(_WATCH)
        self._contexts.append(context)
        if member:
            self.sign_in(context, member)
        page = context.new_page()
        self.watched.follow(page)
        context.on("page", self.watched.follow)
        return page

    def sign_in(self, context: BrowserContext, member: str) -> None:
        """Give a context the cookie of a new session, as the sign-in page does."""
        cookie = {"name": "hansa-session", "value": self.league.open_session(member)}
        context.add_cookies([{**cookie, "url": self.league.url, "sameSite": "Strict"}])

    def sign_in_by_key_file(self, page: Page, member: str) -> None:
        """Sign in as people do: by the page, with a key file."""
        page.goto("/sign-in")
        page.set_input_files("#key-file", self.league.key_file(member))
        page.click("#sign-in-button")
        expect(page.locator(".visitor .who")).to_be_visible()

    def close(self) -> None:
        """Close all; fails when a page broke its policy, failed, or asked another host."""
        violations = []
        for context in self._contexts:
            for page in context.pages:
                violations += read_violations(page)
            context.close()
        self._contexts.clear()
        assert not violations, violations
        assert not self.watched.errors, self.watched.errors


@contextmanager
def run_chromium() -> Iterator[Browser]:
    """A browser with a new, empty profile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def read_violations(page: Page) -> list[str]:
    """What the page tried against its Content-Security-Policy; whether an attack ran."""
    if page.is_closed() or page.url == "about:blank":
        return []
    found = [f"{page.url}: {each}" for each in page.evaluate("window.__violations ?? []")]
    if page.evaluate("window.__attacked ?? false"):
        found.append(f"{page.url}: a script out of a record ran")
    return found


def check_accessible(page: Page, *, without: tuple[str, ...] = ()) -> None:
    """Fail with what axe finds on the page as it stands; `without`: rules left out, with reason."""
    options = {
        "runOnly": {"type": "tag", "values": AXE_TAGS},
        "rules": {rule: {"enabled": False} for rule in without},
    }
    found = Axe().run(page, options=options)
    faults = [
        f"{each['id']}: {each['help']}: " + "; ".join(node["html"][:160] for node in each["nodes"])
        for each in found.response["violations"]
    ]
    assert not faults, f"{page.url}\n" + "\n".join(faults)


def check_fits(page: Page) -> None:
    """Fail when the page is wider than its window: nobody scrolls sideways on a phone."""
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0, f"{page.url} is {wide} px wider than its window"


def drop_file(page: Page, selector: str, text: str) -> None:
    """Drop a file of that text on an element, as people do from their desk."""
    page.evaluate(
        """([selector, text]) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([text], "dropped.json"));
          const how = { dataTransfer, bubbles: true, cancelable: true };
          document.querySelector(selector).dispatchEvent(new DragEvent("drop", how));
        }""",
        [selector, text],
    )


def look(page: Page, name: str) -> None:
    """Keep a picture of the whole page when HANSA_SHOTS names a folder."""
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)

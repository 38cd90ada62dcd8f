"""An empty page in Chromium that may load the console's scripts, and nothing else: no server runs.

Answers come from the folder `static` with the console's own policy; every other request fails.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route

from hansa.console.assets import FOLDER, MEDIA
from hansa.console.headers import list_locks

ORIGIN = "http://localhost:9"
PAGE = "<!doctype html><html lang=en><title>bench</title><body>"


def _answer(route: Route) -> None:
    path = urlsplit(route.request.url).path
    file = FOLDER / path.removeprefix("/static/")
    headers = dict(list_locks(is_secure=False))
    if path == "/":
        route.fulfill(body=PAGE, headers=headers | {"content-type": "text/html"})
    elif path.startswith("/static/") and file.is_file():
        media = MEDIA[file.suffix]
        route.fulfill(body=file.read_bytes(), headers=headers | {"content-type": media})
    else:
        route.abort()


@contextmanager
def open_bench(browser: Browser) -> Iterator[Page]:
    """The page, in a context of its own; fails when a script of it failed."""
    context = browser.new_context()
    errors: list[str] = []
    context.route("**/*", _answer)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(ORIGIN)
    yield page
    context.close()
    assert not errors, errors


def run(page: Page, script: str, argument: Any = None) -> Any:
    """What an async function of the page gives; `load(name)` imports `/static/js/NAME.js`."""
    loader = "const load = (name) => import(`/static/js/${name}.js`);"
    return page.evaluate(f"async (given) => {{ {loader} {script} }}", argument)

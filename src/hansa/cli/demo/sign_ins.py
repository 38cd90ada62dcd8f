"""The demo's last words: where the console is, and a page with a sign-in for each role.

The keys are those of the model league, made a minute ago. A link carries one after its #, which a
browser never sends. Touches the demo's own folder.
"""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hansa.cli.demo.stage import Stage
from hansa.encoding.text import encode_base64url

PAGE: Final = "sign-in.html"
# Names of keys, and as whom one looks at the console with them.
ROLES: Final = (
    ("tax-bureau", "a clerk of the tax bureau"),
    ("seller-a", "a firm that sells"),
    ("employer", "an employer that reimburses"),
    ("auditor", "an auditor, who reads"),
    ("food-authority-cn", "a food authority"),
    ("processor-1", "a maker of food"),
    ("retailer-1", "a shop"),
    ("laboratory", "a laboratory"),
)
_HEAD: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Hansa: sign in to the model league</title>
<style>body{font:1rem/1.6 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}</style>
<h1>Sign in to the model league</h1>
<ul>
"""


def show_console(stage: Stage, url: str, pages: Sequence[tuple[str, str]]) -> None:
    """Say where the console is, with a sign-in for each role; `pages`: what else to look at."""
    page = write_page(stage.folder, url)
    stage.step("The console")
    stage.say(f"open {url}/")
    stage.say(f"sign in with one click: {page.as_uri()}")
    for name, who in ROLES:
        stage.say(f"  {who:<28} or with the key file keys/{name}.key.json")
    for address, words in pages:
        stage.say(f"{words}: {address}")


def write_page(league: Path, url: str, roles: Sequence[tuple[str, str]] = ROLES) -> Path:
    """The page with a link for each role: name of its key, and as whom one looks."""
    lines = [
        f'<li><a href="{html.escape(build_link(league, url, name))}">{html.escape(who)}</a></li>'
        for name, who in roles
    ]
    page = league / "demo" / PAGE
    page.write_text(f"{_HEAD}{chr(10).join(lines)}\n</ul>\n", encoding="utf-8")
    page.chmod(0o600)
    return page


def build_link(league: Path, url: str, name: str) -> str:
    """The sign-in page with a model member's key file after the #."""
    key = (league / "keys" / f"{name}.key.json").read_bytes()
    return f"{url}/sign-in#key-file={encode_base64url(key)}"

"""Addresses, cookies, form tokens and notices of the console, each for itself."""

from pathlib import Path

import pytest
from flit_core.common import Module

from hansa.console.cookies import LANGUAGE, SESSION, read_cookies, write_cookie
from hansa.console.headers import POLICY, list_locks
from hansa.console.routing import Page, Router, page
from hansa.console.sealing import Notice, Seal
from hansa.console.templates import build_environment, shorten, show_short
from hansa.console.visit import Visit, is_own_path
from hansa.locales.languages import LANGUAGES
from hansa.locales.words import Words

ROOT = Path(__file__).resolve().parents[2]


def make_page(pattern: str, method: str = "GET") -> Page:
    async def show(visit: Visit):
        raise NotImplementedError

    return page(method, pattern)(show)


def test_an_address_is_the_first_page_that_fits() -> None:
    fixed, record, rest = map(make_page, ("/apps/mine", "/apps/{app}", "/apps/{app}/r/{key...}"))
    router = Router([fixed, record, rest, make_page("/form", "POST")])
    assert router.find("GET", "/apps/mine") == (fixed, {})
    assert router.find("GET", "/apps/e.x") == (record, {"app": "e.x"})
    assert router.find("GET", "/apps/a/r/b/c~2F") == (rest, {"app": "a", "key": "b/c~2F"})
    assert router.find("GET", "/apps/a/b") == frozenset()
    assert router.find("GET", "/apps/") == frozenset()
    assert router.find("GET", "/form") == {"POST"}
    assert router.find("POST", "/apps/a") == {"GET"}
    assert router.find("GET", "/apps/a\n") != (fixed, {})


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        ("/", True),
        ("/apps/a?b=c%20d#e", True),
        ("", False),
        ("apps", False),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("/a\\b", False),
        ("https://evil.example", False),
        ("javascript:alert(1)", False),
        ("/a\r\nset-cookie: x=y", False),
        ("/a b", False),
        ("/中", False),
    ],
)
def test_only_a_path_of_ours_is_followed(url: str, is_own: bool) -> None:
    assert is_own_path(url) is is_own


def test_cookies_are_locked() -> None:
    assert write_cookie(SESSION, "abc", is_secure=False, seconds=60) == (
        "hansa-session=abc; Path=/; HttpOnly; SameSite=Strict; Max-Age=60"
    )
    secure = write_cookie(SESSION, "abc", is_secure=True)
    assert secure == "__Host-hansa-session=abc; Path=/; HttpOnly; SameSite=Strict; Secure"
    assert "SameSite=Lax" in write_cookie(LANGUAGE, "pt", is_secure=True)
    for value in ("a;b", "a b", "a,b", 'a"b', "ä", "x" * 4_000):
        with pytest.raises(ValueError, match="not the value"):
            write_cookie(SESSION, value, is_secure=False)


def test_under_tls_a_plain_cookie_is_not_ours() -> None:
    scope = {"headers": [(b"cookie", b"hansa-session=x; __Host-hansa-session=y; other=z; =; a")]}
    assert read_cookies(scope, is_secure=True) == {SESSION: "y"}
    assert read_cookies(scope, is_secure=False) == {SESSION: "x"}
    twice = {"headers": [(b"cookie", b"hansa-session=first"), (b"cookie", b"hansa-session=last")]}
    assert read_cookies(twice, is_secure=False) == {SESSION: "first"}


def test_a_form_token_is_of_one_visitor_and_one_session() -> None:
    seal, other = Seal(), Seal()
    token = seal.make_form_token("visitor", "session")
    assert seal.is_form_token(token, "visitor", "session")
    assert not other.is_form_token(token, "visitor", "session")
    for visitor, session in (("visito", "rsession"), ("visitor", ""), ("", "session")):
        assert not seal.is_form_token(token, visitor, session)
    for given in ("", token[:-1], token + "A", "é", seal.make_form_token("visitor", "")):
        assert not seal.is_form_token(given, "visitor", "session")


def test_notices_are_only_read_when_they_are_ours() -> None:
    seal = Seal()
    written = seal.write_notices([Notice("done", "<b>已完成</b>"), Notice("refused", "x" * 5_000)])
    assert seal.read_notices(written)[0] == Notice("done", "<b>已完成</b>")
    assert len(written) < 3_000
    for text in ("", ".", "a.b", written[1:], written[:-1], Seal().write_notices([])):
        assert seal.read_notices(text) == []


def test_the_policy_allows_nothing_inline_and_nobody_else() -> None:
    assert "unsafe" not in POLICY
    assert "http" not in POLICY
    assert "*" not in POLICY
    names = {name for name, _value in list_locks(is_secure=False)}
    assert {name for name, _value in list_locks(is_secure=True)} - names == {
        "strict-transport-security"
    }


def test_nothing_of_a_record_is_html() -> None:
    environment = build_environment({})
    template = environment.from_string('<p title="{{ x }}">{{ x }} {{ x | short }}</p>')
    shown = template.render(x='"><script>alert(1)</script>', language="en")
    assert "<script>" not in shown
    assert shown.count('"') == 6


def test_identifiers_are_shortened_but_not_lost() -> None:
    did = "did:hansa:" + "abcdefgh" * 4
    assert shorten(did) == "did:hansa:abcdefgh…cdefgh"
    assert shorten("short") == "short"
    assert did in show_short(did)


def test_pages_styles_scripts_and_catalogues_are_in_the_package() -> None:
    packed = {Path(each) for each in Module("hansa", ROOT).iter_files()}
    for folder in ("console/templates", "console/static", "locales"):
        files = {each for each in (ROOT / "src" / "hansa" / folder).rglob("*.*") if each.is_file()}
        assert {each for each in files if "__pycache__" not in each.parts} <= packed, folder


def speak(**entries: str) -> Words:
    """Words with a few entries: `state__OPEN` is OPEN in the context state."""
    found = {tuple(name.split("__", 1)): text for name, text in entries.items()}
    return Words(LANGUAGES["pt"], found)  # type: ignore[arg-type]


def test_codes_in_refusals_have_their_words_where_there_are_any() -> None:
    words = speak(
        state__ISSUED="Emitida",
        option__pledge="Penhor",
        role__holds_x="",
        field__pledge="Campo",
        application__holds="Ónus",
        record__invoice="Factura",
    )
    entries = {("role", "holds.bank"): "Banco", ("message", "holds.PlaceHold"): "Constituir"}
    words = Words(words.language, {**words._entries, **entries})
    refuse = {
        ("status", "ISSUED"): "Emitida",
        ("kind", "pledge"): "Penhor",
        ("field", "pledge"): "Campo",
        ("record_kind", "invoice"): "Factura",
        ("application", "holds"): "Ónus",
        ("roles", "holds.bank, holds.bank"): "Banco, Banco",
        ("roles", "holds.bank, holds.other"): "holds.bank, holds.other",
        ("target", "contract:holds"): "Ónus",
        ("target", "message:holds.PlaceHold"): "Constituir",
        ("target", "account:did:hansa:x"): "account:did:hansa:x",
        ("name", "pledge"): "pledge",  # what somebody called it
        ("number", "ISSUED"): "ISSUED",
        ("what", "a pledge of sorts"): "a pledge of sorts",
        ("unknown", "nothing"): "nothing",
    }
    for (name, value), expected in refuse.items():
        said = words.of("rejection", "a.b", default=f"<{{{name}}}>", params={name: value})
        assert said == f"<{expected}>"
    assert words.of("rejection", "a.b", default="{count}", params={"count": 7}) == "7"
    assert words.of("message", "a.b", default="{kind}", params={"kind": "pledge"}) == "pledge"


def test_an_application_s_own_words_for_a_code_come_first() -> None:
    words = Words(
        LANGUAGES["pt"], {("option", "pledge"): "Penhor", ("option", "holds.pledge"): "Próprio"}
    )
    said = words.of("remedy", "holds.x", default="{kind}", params={"kind": "pledge"})
    assert said == "Próprio"


def test_an_application_has_a_short_name_in_menus_or_its_title() -> None:
    words = Words(
        LANGUAGES["pt"],
        {("application-short", "holds"): "Ónus", ("application", "holds"): "Ónus e penhoras",
         ("application", "quotas"): "Quotas de custo"},
    )  # fmt: skip
    assert words.application("holds", "Holds") == "Ónus"
    assert words.application("quotas") == "Quotas de custo"
    assert words.application("new_one", "A new one") == "A new one"
    assert words.application("new_one") == "New one"

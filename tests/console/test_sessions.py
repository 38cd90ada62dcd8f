"""Sessions and forms of the console are locked: cookies, expiry, forgery, attacks by address."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.console.browsing import Visitor
from tests.console.league import ConsoleLeague

pytestmark = pytest.mark.slow
TOKEN = re.compile(r'<meta name="csrf" content="([\w-]+)">')


@pytest.fixture
def client(league: ConsoleLeague) -> Iterator[httpx.Client]:
    """A browser without scripts: cookies are kept, redirections are not followed."""
    with httpx.Client(base_url=league.url, timeout=60) as client:
        yield client


def read_token(client: httpx.Client, path: str = "/sign-in") -> str:
    found = TOKEN.search(client.get(path).text)
    assert found is not None
    return found[1]


def sign_in(client: httpx.Client, league: ConsoleLeague, member: str, wanted: str = "/") -> None:
    """As a page without scripts does it: ask for a challenge, paste the signed statement."""
    page = client.get("/sign-in", params={"account": league.dids[member]}).text
    challenge = re.search(r'<code id="challenge">([\w-]+)</code>', page)
    chain = re.search(r'data-chain="([\w-]+)"', page)
    assert challenge and chain
    statement = league.sign_statement(member, challenge[1], chain[1])
    form = {"csrf": TOKEN.search(page)[1], "statement": statement, "next": wanted}
    answer = client.post("/sign-in", data=form)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == wanted


def test_signing_in_by_key_file_leads_back_to_where_one_wanted_to_be(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    page = visitor.open()
    page.goto("/account?from=mail")
    expect(page).to_have_url(re.compile("/sign-in[?]next="))
    page.set_input_files("#key-file", league.key_file("seller-a"))
    page.click("#sign-in-button")
    expect(page).to_have_url(re.compile(r"/account\?from=mail$"))
    expect(page.locator("main code").first).to_have_text(league.dids["seller-a"])
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator(".notice.done")).to_be_visible()
    page.go_back()
    page.reload()
    expect(page).to_have_url(re.compile("/sign-in"))


def test_an_ended_session_goes_to_sign_in_and_back(visitor: Visitor, league: ConsoleLeague) -> None:
    page = visitor.open("employer")
    page.goto("/account")
    cookie = next(each for each in page.context.cookies() if each["name"] == "hansa-session")
    with league.api() as api:
        api.delete("/v1/sessions/current", headers={"authorization": f"Bearer {cookie['value']}"})
    page.goto("/account?tab=2")
    expect(page.locator(".notice.warning")).to_contain_text("session has ended")
    assert "hansa-session" not in {each["name"] for each in page.context.cookies()}
    page.set_input_files("#key-file", league.key_file("employer"))
    page.click("#sign-in-button")
    expect(page).to_have_url(re.compile(r"/account\?tab=2$"))
    expect(page.locator(".notices")).to_have_count(0)


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    page = visitor.open()
    visitor.sign_in_by_key_file(page, "buyer")
    assert page.evaluate("document.cookie") == ""
    cookies = {each["name"]: each for each in page.context.cookies()}
    assert {"hansa-session", "hansa-visitor"} <= set(cookies)
    for each in cookies.values():
        assert each["httpOnly"], each
        assert each["sameSite"] == "Strict", each
        assert each["path"] == "/", each


def test_what_the_console_answers_is_kept_nowhere(client: httpx.Client) -> None:
    answer = client.get("/sign-in")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.head("/").content == b""
    assert client.get("/static/console.css").headers["etag"]
    kept = client.get("/static/console.css", headers={"if-none-match": "nothing"})
    again = client.get("/static/console.css", headers={"if-none-match": kept.headers["etag"]})
    assert (kept.status_code, again.status_code, again.content) == (200, 304, b"")


@pytest.mark.parametrize(
    "forged", ["nothing", "of another", "of before", "cross-site", "other origin", "as json"]
)
def test_a_form_without_its_token_is_refused(
    league: ConsoleLeague, client: httpx.Client, forged: str
) -> None:
    before = read_token(client)
    sign_in(client, league, "seller-a")
    form, headers = {"csrf": read_token(client, "/account")}, {}
    if forged == "nothing":
        form = {}
    elif forged == "of another":
        with httpx.Client(base_url=league.url) as other:
            sign_in(other, league, "seller-b")
            form = {"csrf": read_token(other, "/account")}
    elif forged == "of before":
        form = {"csrf": before}
    elif forged == "cross-site":
        headers = {"sec-fetch-site": "cross-site"}
    elif forged == "other origin":
        headers = {"origin": "https://elsewhere.example"}
    else:
        headers = {"accept": "application/json"}
        form = {}
    answer = client.post("/sign-out", data=form, headers=headers)
    assert answer.status_code == 403
    assert "console.foreign_form" in answer.text
    assert client.get("/account").status_code == 200, "still signed in"


def test_signing_out_ends_the_session_at_the_gateway(
    league: ConsoleLeague, client: httpx.Client
) -> None:
    sign_in(client, league, "seller-a")
    token = client.cookies["hansa-session"]
    assert (
        client.post("/sign-out", data={"csrf": read_token(client, "/account")}).status_code == 303
    )
    bearer = {"authorization": f"Bearer {token}"}
    with league.api() as api:
        assert api.get("/v1/sessions/current", headers=bearer).status_code == 401


def test_two_clerks_at_once_are_two_sessions(visitor: Visitor, league: ConsoleLeague) -> None:
    first, second = visitor.open("seller-a"), visitor.open("seller-b")
    for page, member in ((first, "seller-a"), (second, "seller-b"), (first, "seller-a")):
        page.goto("/account")
        expect(page.locator("main code").first).to_have_text(league.dids[member])


@pytest.mark.parametrize(
    "wanted",
    [
        "//elsewhere.example",
        "https://elsewhere.example",
        "/\\elsewhere.example",
        "javascript:alert(1)",
    ],
)
def test_signing_in_leads_nowhere_else(
    league: ConsoleLeague, client: httpx.Client, wanted: str
) -> None:
    page = client.get("/sign-in", params={"next": wanted, "account": league.dids["buyer"]}).text
    assert "elsewhere.example" not in re.sub(r'hreflang[^>]*|href="/sign-in[^"]*"', "", page)
    challenge = re.search(r'<code id="challenge">([\w-]+)</code>', page)
    chain = re.search(r'data-chain="([\w-]+)"', page)
    assert challenge and chain
    statement = league.sign_statement("buyer", challenge[1], chain[1])
    form = {"csrf": TOKEN.search(page)[1], "statement": statement, "next": wanted}
    assert client.post("/sign-in", data=form).headers["location"] == "/"


ATTACK = "\"><img src=x onerror=alert(1)><script>alert(2)</script>'{{7*7}}"


@pytest.mark.parametrize(
    "path",
    ["/sign-in?account={}", "/sign-in?next={}", "/?after={}&{}=1", "/{}", "/account?q={}&lang={}"],
)
def test_nothing_of_an_address_becomes_html(visitor: Visitor, path: str) -> None:
    page = visitor.open("seller-a")
    page.goto(path.format(*[httpx.URL(params={"q": ATTACK}).query.decode()[2:]] * 2))
    assert page.locator("img[src='x'], script:not([src])").count() == 0
    assert page.evaluate("window.__attacked") is False


def test_a_false_statement_is_explained(league: ConsoleLeague, client: httpx.Client) -> None:
    form = {"csrf": read_token(client), "statement": ATTACK, "next": "/"}
    answer = client.post("/sign-in", data=form)
    assert answer.status_code == 403
    assert "hansa-session" not in client.cookies
    assert '<p class="notice refused">' in answer.text
    assert "<img src=x" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/no/such/page", 404, "console.no_such_page"),
        ("GET", "/static/../application.py", 404, "console.no_such_page"),
        ("GET", "/static/%2e%2e/application.py", 404, "console.no_such_page"),
        ("GET", "/static/js", 404, "console.no_such_page"),
        ("PUT", "/sign-in", 405, "console.method_not_allowed"),
        ("GET", "/sign-out", 405, "console.method_not_allowed"),
        ("GET", "/sign-in?account=nobody", 400, "api.invalid_parameter"),
    ],
)
def test_a_refusal_shows_code_rule_and_remedy(
    client: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert f"<code>{code}</code>" in answer.text
    assert '<p class="lead">' in answer.text
    as_json = client.request(method, path, headers={"accept": "application/json"}).json()
    assert as_json["code"] == code
    assert as_json["rule"]
    assert as_json["remedy"]


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("application/x-www-form-urlencoded", b"a=%ff"),
        ("application/x-www-form-urlencoded", "a=\u00e9".encode("latin-1")),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 2_000)),
    ],
)
def test_a_body_that_is_no_form_is_refused(client: httpx.Client, media: str, body: bytes) -> None:
    answer = client.post("/sign-in", content=body, headers={"content-type": media})
    assert answer.status_code == 415
    assert "console.not_a_form" in answer.text


def test_behind_a_proxy_with_tls_cookies_are_locked_to_it(client: httpx.Client) -> None:
    through = {"x-forwarded-proto": "https"}
    answer = client.get("/sign-in", headers=through)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-hansa-visitor=")
    assert cookie.endswith("; Secure")
    form = {"csrf": TOKEN.search(answer.text)[1], "statement": "x"}
    sent = {**through, "cookie": cookie.partition(";")[0]}
    sent["origin"] = str(client.base_url).replace("http:", "https:").rstrip("/")
    answer = client.post("/sign-in", data=form, headers=sent)
    assert "console.foreign_form" not in answer.text
    assert "notice refused" in answer.text


def test_the_api_keeps_its_addresses(client: httpx.Client) -> None:
    for path in ("/v1/no-such", "/v1", "/metrics/no"):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"].startswith("application/problem+json"), path
    assert client.get("/metrics").text.startswith("# HELP")
    assert client.get("/", headers={"host": "elsewhere.example"}).status_code == 421

"""A key request fills the form that enters the key, whichever door made it."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hansa.client.keys import generate_signer
from hansa.console.forms.entry import read_form
from hansa.console.pages.key_requests import NoRequest, find_account, read_request, takes_request
from tests.console.browsing import Visitor, check_accessible, check_fits, drop_file, look
from tests.console.league import ConsoleLeague
from tests.console.test_forms import lookup, shape_of

CHAIN = "bay"
SIGNER = generate_signer("till")
BODY: dict[str, Any] = {
    "v": 1,
    "kind": "staff",
    "admin": False,
    "key_id": "k1",
    "key": {"alg": "EdDSA", "public": SIGNER.private.public.public},
    "purposes": ["authenticate", "sign"],
    "scope": [],
    "possession": "A" * 86,
}
ADMISSION = [
    {
        "application": "members",
        "type": "AdmitMember",
        "body": {
            "v": 1,
            "name": "Harbour Office",
            "jurisdiction": "HK",
            "identifiers": [],
            "key_id": "k1",
            "key": BODY["key"],
            "possession": "A" * 86,
        },
    }
]


def read(found: Any, message: str = "OpenAccount", app: str = "accounts") -> dict[str, str]:
    text = found if isinstance(found, str) else json.dumps(found)
    return read_request(text, shape_of(app, message), chain=CHAIN, decimal=".", lookup=lookup)


def refuse(found: Any, message: str = "OpenAccount", app: str = "accounts") -> str:
    with pytest.raises(NoRequest) as refused:
        read(found, message, app)
    return str(refused.value)


@pytest.mark.parametrize(
    ("app", "message", "expected"),
    [
        ("accounts", "OpenAccount", True),
        ("accounts", "AddKey", True),
        ("accounts", "ReplaceKey", True),
        ("governance", "Propose", True),
        ("accounts", "RevokeKey", False),
        ("governance", "Vote", False),
    ],
)
def test_forms_that_enter_a_key_take_requests(app: str, message: str, expected: bool) -> None:
    assert takes_request(shape_of(app, message)) is expected


def test_the_request_of_the_command_line_is_the_form() -> None:
    typed = read(BODY)
    body, faults = read_form(shape_of("accounts", "OpenAccount"), typed)
    assert faults == []
    assert (body["key"], body["possession"]) == (BODY["key"], BODY["possession"])
    assert (body["kind"], body["purposes"]) == ("staff", ["authenticate", "sign"])
    assert find_account(typed) == SIGNER.account


def test_the_request_of_the_browser_says_less_and_is_for_its_chain() -> None:
    body = {name: BODY[name] for name in ("v", "key_id", "key", "possession")}
    request = {"app": "accounts", "type": "OpenAccount", "chain": CHAIN, "body": body}
    assert read(request)["key.public"] == BODY["key"]["public"]
    assert "kind" not in read(request)
    assert read(request, "AddKey")["key_id"] == "k1"
    assert refuse({**request, "chain": "other"}) == "chain"


def test_a_request_to_be_admitted_fills_a_proposal() -> None:
    typed = read(ADMISSION, "Propose", "governance")
    assert typed["actions.0.body.name"] == "Harbour Office"
    assert typed["actions.0.body.key.public"] == BODY["key"]["public"]
    assert find_account(typed) == SIGNER.account
    assert refuse(ADMISSION) == "admission"
    assert refuse(BODY, "Propose", "governance") == "account"


@pytest.mark.parametrize(
    "text",
    [
        "", "hello", "[]", "{}", "1", "null", '{"possession": 1}', '{"body": []}', "[" * 60_000,
        '{"possession": "A", "purposes": 7}', '{"possession": "A", "key": {"public": {"a": [1]}}}',
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_or_fills_what_the_form_will_judge(text: str) -> None:
    try:
        typed = read(text)
    except NoRequest as refused:
        assert str(refused) == "no_request"
    else:
        _body, faults = read_form(shape_of("accounts", "OpenAccount"), typed)
        assert faults


@pytest.mark.parametrize(
    "action",
    [
        {"application": "members", "type": "AdmitMember", "body": {"possession": "A", "key": 5}},
        {"application": "nobody", "type": "Nothing", "body": {"possession": "A"}},
        {"type": "AdmitMember", "body": {"possession": "A"}},
        {"body": "possession"},
    ],
)
def test_odd_actions_never_fail_the_page(action: Any) -> None:
    try:
        typed = read([action], "Propose", "governance")
    except NoRequest as refused:
        assert str(refused) == "no_request"
    else:
        assert read_form(shape_of("governance", "Propose"), typed, lookup=lookup)[1]


def open_form(page: Page, message: str = "accounts/messages/OpenAccount") -> None:
    page.goto(f"/apps/{message}")
    expect(page.locator("#request-file")).to_be_visible()


@pytest.mark.slow
def test_an_account_is_opened_for_a_key_of_another_browser(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    """The whole way: a key is made in one browser, entered in another, and signs in."""
    clerk, admin = visitor.open(), visitor.open()
    clerk.goto("/sign-in")
    clerk.click("#make-key summary")
    clerk.fill("#new-key-name", "till 7")
    clerk.fill("#new-key-member", league.dids["buyer"])
    clerk.click("#make-key-button")
    account = str(clerk.locator("#new-key-account").text_content())
    with clerk.expect_download() as saved:
        clerk.get_by_role("button", name="Save the request").click()
    request = saved.value.path().read_bytes()
    visitor.sign_in_by_key_file(admin, "buyer")
    open_form(admin)
    look(admin, "key-request-form")
    check_accessible(admin)
    file = {"name": "till.json", "mimeType": "application/json", "buffer": request}
    admin.set_input_files("#request-file", file)  # type: ignore[arg-type]
    expect(admin.locator(".notices")).to_contain_text(account)
    look(admin, "key-request-filled")
    check_accessible(admin)
    admin.select_option('[name="kind"]', "staff")
    for purpose in ("authenticate", "sign"):
        admin.check(f'[name="purposes.__{purpose}"]')
    admin.click(".derived > .actions button[value=check]")
    admin.click("#send")
    admin.wait_for_url("**/transactions/*")
    expect(admin.locator("h1")).to_have_text("Done")
    clerk.goto("/sign-in")
    clerk.locator("#key-list").get_by_text("till 7").click()
    clerk.click("#sign-in-button")
    expect(clerk.locator(".visitor .who")).to_be_visible()


@pytest.mark.slow
def test_a_request_is_pasted_on_a_phone_and_a_wrong_one_says_why(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    league.shell.ask("keys", "new", "crane")
    done = league.shell.run("keys", "request", "crane", "--admit", "Crane", "--jurisdiction", "HK")
    page = visitor.open("tax-bureau", phone=True)
    open_form(page)
    page.fill("#request", done.out)
    page.get_by_role("button", name="Fill in", exact=True).click()
    expect(page.locator("#faults")).to_contain_text("belongs into a proposal")
    page.goto("/apps/governance/messages/Propose")
    page.click("#key-request summary")
    expect(page.locator("#request-file")).to_be_visible()
    drop_file(page, "#key-request", done.out)
    expect(page.locator('[name="actions.0.body.name"]')).to_have_value("Crane")
    check_fits(page)
    look(page, "key-request-phone")
    page.fill('[name="topic"]', "admission")
    page.click(".derived > .actions button[value=check]")
    expect(page.locator("#send")).to_be_visible()

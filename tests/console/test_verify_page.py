"""The verify page as people use it: without an account, with the network off, by file, link and
camera; and a key of the browser added to an account.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import segno
from playwright.sync_api import Browser, Page, expect

from hansa.console.browser_packages import JSQR, find_package
from hansa.contracts.accounts.keys import check_possession
from hansa.crypto.signatures import PublicKey
from hansa.identity.did import compute_did
from tests.console.browsing import (
    CHROMIUM,
    FLAGS,
    Visitor,
    check_accessible,
    check_fits,
    look,
)
from tests.console.league import ConsoleLeague
from tests.console.vectors import list_roots, read_file, read_vectors

pytestmark = pytest.mark.slow


def open_verify(visitor: Visitor, path: str = "/verify", **options: bool) -> Page:
    page = visitor.open(**options)
    page.goto(path)
    expect(page.locator("#verify[data-ready=true]")).to_be_attached()
    return page


def drop(page: Page, name: str, data: bytes) -> None:
    """Drop a file as from the desk."""
    page.evaluate(
        """([name, bytes]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([Uint8Array.from(bytes)], name));
          document.getElementById("drop-zone")
            .dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
        }""",
        [name, list(data)],
    )


def choose(page: Page, name: str, data: bytes, field: str = "#verify-files") -> None:
    """Choose a file in a field."""
    file = {"name": name, "mimeType": "application/json", "buffer": data}
    page.set_input_files(field, [file])  # type: ignore[list-item]


def pin(page: Page, data: bytes) -> None:
    """Pin a genesis or checkpoint, as somebody who has compared the fingerprint."""
    choose(page, "genesis.json", data, "#pin-file")
    page.click("#pin-yes")
    expect(page.locator("#roots > li")).not_to_have_count(0)


def read_genesis(league: ConsoleLeague) -> bytes:
    return (league.shell.folder / "genesis.json").read_bytes()


def fetch_receipt(league: ConsoleLeague) -> bytes:
    """The receipt of an issued invoice, as its seller has it."""
    with league.api("seller-a") as api:
        listed = api.get("/v1/messages", params={"limit": 50}).json()["items"]
        issued = next(each for each in listed if "IssueInvoice" in each["type"])
        path = f"/v1/transactions/{issued['transaction']}/messages/{issued['index']}/receipt"
        return api.get(path).content


def test_a_receipt_is_judged_without_account_and_without_network(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    receipt = fetch_receipt(league)
    page = open_verify(visitor)
    assert page.locator(".visitor .who").count() == 0
    page.context.set_offline(True)
    choose(page, "receipt.json", receipt)
    card = page.locator(".verdict")
    expect(card).to_have_attribute("data-outcome", "could_not_judge")
    expect(card).to_contain_text("pin the league's genesis")
    pin(page, read_genesis(league))
    expect(card).to_have_count(1)
    expect(card).to_have_attribute("data-outcome", "yes")
    expect(card.locator(".notice")).to_contain_text("ACCEPTED this message")
    expect(card.locator("li[data-ok=true]")).to_have_count(8)
    look(page, "verify-yes")
    check_accessible(page)
    check_fits(page)
    changed = bytearray(receipt)
    changed[receipt.index(b'"time":') + 20] ^= 1
    drop(page, "changed.json", bytes(changed))
    top = card.first
    expect(top).to_have_attribute("data-outcome", "no")
    expect(top.locator(".notice")).to_contain_text("do not rely on it")


def test_what_is_pinned_stays_in_the_browser_until_it_is_forgotten(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    page = open_verify(visitor)
    expect(page.locator("#no-roots")).to_be_visible()
    pin(page, read_genesis(league))
    page.reload()
    expect(page.locator("#roots > li")).to_have_count(1)
    choose(page, "genesis.json", read_genesis(league), "#pin-file")
    expect(page.locator("#pin-card")).to_contain_text("pinned already")
    page.click("#roots button")
    expect(page.locator("#roots > li")).to_have_count(0)
    expect(page.locator("#no-roots")).to_be_visible()


def test_the_servers_checkpoint_can_be_taken_after_comparing(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    receipt = fetch_receipt(league)
    page = open_verify(visitor)
    page.click("#pin-here")
    card = page.locator("#pin-card")
    expect(card).to_contain_text("Compare the fingerprint")
    with league.api() as api:
        height = json.loads(api.get("/v1/checkpoint").content)["header"]["height"]
    expect(card.locator("h3")).to_contain_text(f"block {height}")
    page.click("#pin-yes")
    expect(page.locator("#roots > li")).to_have_count(1)
    choose(page, "receipt.json", receipt)
    expect(page.locator(".verdict")).to_have_attribute("data-outcome", "yes")
    expect(page.locator(".verdict .facts")).to_contain_text("the pinned checkpoint")


def test_another_league_of_the_same_name_is_pinned_only_against_a_warning(
    visitor: Visitor,
) -> None:
    document = read_vectors("receipts")
    roots = {each["name"]: list_roots(document, each) for each in document["cases"]}
    first, other = roots["accepted"][0], roots["heirs of another genesis"][0]
    page = open_verify(visitor)
    pin(page, first)
    choose(page, "genesis.json", other, "#pin-file")
    expect(page.locator("#pin-card .notice.refused")).to_contain_text("contradicts")
    page.get_by_role("button", name="Not now").click()
    expect(page.locator("#roots > li")).to_have_count(1)
    choose(page, "genesis.json", other, "#pin-file")
    page.click("#pin-yes")
    expect(page.locator("#roots > li")).to_have_count(1)
    expect(page.locator("#roots .fingerprint")).not_to_contain_text("4e2c29c5")


def test_invalid_pins_say_why(visitor: Visitor) -> None:
    page = open_verify(visitor)
    for data in (b"", b"{}", b'{"kind":"hansa.genesis/1"}', b"[" * 100_000):
        choose(page, "genesis.json", data, "#pin-file")
        expect(page.locator("#pin-fault")).to_be_visible()
        expect(page.locator("#pin-candidate > *")).to_have_count(0)


def test_several_files_are_judged_each_for_itself(visitor: Visitor) -> None:
    document = read_vectors("receipts")
    cases = {each["name"]: each for each in document["cases"]}
    wanted = ["accepted", "refused, with parameters", "an invalid transaction"]
    page = open_verify(visitor)
    page.clock.set_fixed_time(cases["accepted"]["now_ms"] / 1000)
    pin(page, list_roots(document, cases["accepted"])[0])
    files = [{"name": name, "mimeType": "", "buffer": read_file(cases[name])} for name in wanted]
    page.set_input_files("#verify-files", [*files, {"name": "x", "mimeType": "", "buffer": b"x"}])  # type: ignore[list-item]
    cards = page.locator(".verdict")
    expect(cards).to_have_count(4)
    outcomes = [each.get_attribute("data-outcome") for each in cards.all()]
    assert outcomes == ["no", "yes", "yes", "yes"]
    expect(cards.nth(2).locator(".notice")).to_contain_text("REFUSED this message")
    expect(cards.nth(2)).to_contain_text("counter.too_high")


ATTACK = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def test_an_attack_in_a_file_is_text(visitor: Visitor) -> None:
    """Names of files, unknown fields and proved content are shown, never run."""
    page = open_verify(visitor)
    choose(page, f"{ATTACK}.json".replace("/", "\u2215"), json.dumps({ATTACK: ATTACK}).encode())
    expect(page.locator(".verdict h3")).to_contain_text("<img src=x")
    assert page.locator(".verdict img, .verdict script").count() == 0


def test_a_link_of_a_public_record_is_fetched_and_judged(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    page = open_verify(visitor)
    pin(page, read_genesis(league))
    did = league.dids["seller-a"]
    page.goto(f"/verify?record=members/member/{did}")
    card = page.locator(".verdict")
    expect(card).to_have_attribute("data-outcome", "yes")
    expect(card.locator(".notice")).to_contain_text("the ledger holds members/member/")
    page.goto(f"/verify?record=members/member/{'did:hansa:' + 'z' * 32}")
    expect(card.locator(".notice")).to_contain_text("the ledger holds no members/member/")
    page.goto("/verify?record=../../etc")
    expect(page.locator("#verify-fault")).to_be_visible()


def test_a_private_record_is_fetched_for_whoever_may_see_it(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    link = f"/verify?record=e_invoice/invoice/{league.invoices[0]}"
    stranger = open_verify(visitor, link)
    expect(stranger.locator(".verdict")).to_have_attribute("data-outcome", "")
    page = visitor.open("seller-a")
    page.goto(link)
    expect(page.locator(".verdict")).to_have_attribute("data-outcome", "could_not_judge")


def test_the_checks_are_explained_where_a_verdict_names_them(visitor: Visitor) -> None:
    page = visitor.open()
    page.goto("/verify")
    steps = page.evaluate(
        "import('/static/js/verify/verifier.js').then(({ STEP_NAMES }) => STEP_NAMES)"
    )
    page.goto("/verify/checks")
    for name in steps:
        assert page.locator(f"#{name.replace(' ', '-')}").count() == 1, name
    check_accessible(page)


# --- QR codes ---


def draw_picture(text: str, path: Path) -> Path:
    segno.make(text, error="m").save(str(path), scale=6, border=4)
    return path


def test_a_picture_of_a_code_is_read(
    visitor: Visitor, league: ConsoleLeague, tmp_path: Path
) -> None:
    """Chromium on Linux has no BarcodeDetector: jsQR reads it (tools/bootstrap.py fetched it)."""
    assert find_package(JSQR) is not None, "run: python tools/bootstrap.py browser"
    page = open_verify(visitor)
    pin(page, read_genesis(league))
    link = f"{league.url}/verify?record=members/member/{league.dids['seller-a']}"
    page.set_input_files("#verify-files", draw_picture(link, tmp_path / "code.png"))
    expect(page.locator(".verdict")).to_have_attribute("data-outcome", "yes")
    elsewhere = draw_picture("https://example.org/verify?record=a/b/c", tmp_path / "other.png")
    page.set_input_files("#verify-files", elsewhere)
    expect(page.locator("#scan-fault")).to_contain_text("does not lead to a proof on this server")
    expect(page.locator("#scan-fault")).to_contain_text("https://example.org")


def write_film(text: str, path: Path) -> Path:
    """A film of one picture for Chromium's pretended camera: 640 x 480, a code in the middle."""
    matrix = [list(row) for row in segno.make(text, error="m").matrix_iter(scale=6, border=4)]
    size = len(matrix)
    luma = bytearray(b"\xeb" * (640 * 480))
    left, top = (640 - size) // 2, (480 - size) // 2
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            luma[(top + y) * 640 + left + x] = 16 if dark else 235
    frame = b"FRAME\n" + bytes(luma) + b"\x80" * (640 * 480 // 2)
    path.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420\n" + frame * 3)
    return path


@contextmanager
def run_camera(chromium: Browser, film: Path) -> Iterator[Browser]:
    """A second Chromium, whose camera shows a film."""
    flags = (
        *FLAGS,
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=list(flags))
    try:
        yield browser
    finally:
        browser.close()


def test_a_code_before_the_camera_is_read(
    chromium: Browser, league: ConsoleLeague, tmp_path: Path
) -> None:
    link = f"{league.url}/verify?record=members/member/{league.dids['seller-a']}"
    with run_camera(chromium, write_film(link, tmp_path / "film.y4m")) as browser:
        visitor = Visitor(browser, league)
        page = open_verify(visitor)
        pin(page, read_genesis(league))
        page.click("#scan-button")
        expect(page.locator(".verdict")).to_have_attribute("data-outcome", "yes")
        expect(page.locator("#scan-room")).to_be_hidden()
        assert page.evaluate("document.getElementById('scan-video').srcObject") is None
        visitor.close()


@pytest.mark.parametrize("server", ["https://id.gs1.org", ""])
def test_the_code_of_a_food_label_opens_this_server_s_page_of_it(
    chromium: Browser, league: ConsoleLeague, tmp_path: Path, server: str
) -> None:
    """Whoever's server the code names: nothing is asked there."""
    link = f"{server or league.url}/01/09506000134352/10/LOT-7?x=1"
    with run_camera(chromium, write_film(link, tmp_path / "film.y4m")) as browser:
        visitor = Visitor(browser, league)
        page = open_verify(visitor)
        page.click("#scan-button")
        page.wait_for_url(f"{league.url}/id/01/09506000134352/10/LOT-7")
        expect(page.locator("h1")).to_be_visible()
        visitor.close()


def test_without_the_package_the_page_says_so(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.open()
    page.route("**/verify/packages/*", lambda route: route.abort())
    page.goto("/verify")
    expect(page.locator("#verify[data-ready=true]")).to_be_attached()
    page.set_input_files("#verify-files", draw_picture("x", tmp_path / "x.png"))
    expect(page.locator("#scan-fault")).to_contain_text("without the package that can")


# --- keys of the browser ---


def test_a_key_of_the_browser_is_added_to_the_account_and_signs_in(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    page = visitor.open()
    visitor.sign_in_by_key_file(page, "auditor")
    page.goto("/account")
    page.fill("#browser-key-name", "desk")
    page.click("#add-browser-key")
    page.wait_for_url("**/transactions/*")
    page.goto("/account")
    expect(page.locator("table")).to_contain_text("k2")
    page.get_by_role("button", name="Sign out").click()
    page.goto("/sign-in")
    page.locator("#key-list").get_by_text("desk").click()
    page.click("#sign-in-button")
    expect(page.locator(".visitor .who")).to_be_visible()
    assert page.evaluate("document.body.dataset.key").endswith("#k2")


def test_a_key_made_on_the_sign_in_page_has_its_request_and_can_be_forgotten(
    visitor: Visitor, league: ConsoleLeague
) -> None:
    """The request holds in a league: it is what `accounts.OpenAccount` asks of the new key."""
    page = visitor.open()
    page.goto("/sign-in")
    page.click("#make-key summary")
    page.fill("#new-key-name", "till 4")
    page.fill("#new-key-member", league.dids["buyer"])
    page.click("#make-key-button")
    account = page.locator("#new-key-account").text_content()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the request").click()
    request = json.loads(saved.value.path().read_bytes())
    body = request["body"]
    key = PublicKey(**body["key"])
    assert account == compute_did(key)
    check_possession(
        request["chain"],
        account=account,
        member=league.dids["buyer"],
        key_id=body["key_id"],
        key=key,
        possession=body["possession"],
    )
    page.locator("#key-list").get_by_text("till 4").click()
    page.click("#sign-in-button")
    expect(page.locator(".notice.refused").first).to_be_visible()
    page.get_by_role("button", name="Forget the key till 4").click()
    page.get_by_role("button", name="Forget it for good").click()
    expect(page.locator("#key-list > *")).to_have_count(0)
